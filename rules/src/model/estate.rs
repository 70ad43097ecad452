//! What exists, from every document that says so: entities of the catalogue, imported facts, relations.
//!
//! Leaves out people and rules. Where two sources name different owners, both own: neither can be
//! overruled by importing the other.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use ordain_action::Plane;

use super::document::{ComponentSpec, FactSpec, InventorySpec, Metadata, ResourceSpec};
use super::draft::{Draft, of_system, owned_by_path};
use super::identity;
use super::lineage;
use super::ownership::Ownership;
use super::people::People;
use super::reference::{own, owner, reference};
use super::text::{Body, Place, Placed, nearest};
use super::{Finding, Problem};
use crate::azure;
use crate::glob::Glob;
use crate::inventory::{
    Edge, EdgeKind, Entry, Grants, Inventory, Projects, Provenance, Scopes, Standing, Tier, Until,
};

/// Tags that say who owns a resource.
pub(crate) const OWNER_TAGS: [&str; 2] = ["owner", "team"];

/// Gathers entities until all are known and their relations can be drawn.
#[derive(Debug)]
pub(crate) struct Estate<'d> {
    people: &'d People,
    drafts: IndexMap<Arc<str>, Draft>,
    /// References and identifiers within an inventory, to the name of what they mean.
    known_as: BTreeMap<Arc<str>, Arc<str>>,
    relations: Vec<Relation>,
    provenances: Vec<Provenance>,
    provenance_of: HashMap<Provenance, u32>,
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Relation {
    dependant: Arc<str>,
    kind: EdgeKind,
    dependency: Arc<str>,
    source: String,
    until: Until,
}

impl<'d> Estate<'d> {
    pub(crate) fn read(documents: &[Placed], people: &'d People, problems: &mut Vec<Problem>) -> Self {
        let mut estate = Self {
            people,
            drafts: IndexMap::new(),
            known_as: BTreeMap::new(),
            relations: Vec::new(),
            provenances: Vec::new(),
            provenance_of: HashMap::new(),
            findings: Vec::new(),
        };
        for document in documents {
            estate.document(document, problems);
        }
        estate
    }

    fn document(&mut self, document: &Placed, problems: &mut Vec<Problem>) {
        let (place, metadata) = (&document.place, &document.metadata);
        match &document.body {
            Body::Component(spec) => self.component(place, metadata, spec, problems),
            Body::Resource(spec) => self.resource(place, metadata, spec, problems),
            Body::Api(spec) => {
                let draft = Draft {
                    kind: Arc::from(format!("api:{}", spec.kind)),
                    system: spec.system.as_deref().map(|system| reference(system, "system")),
                    ..self.draft(place, Some(&spec.owner), None, problems)
                };
                self.add(own("api", metadata.namespace.as_deref(), &metadata.name), draft, place);
            }
            Body::System(spec) => {
                let name = own("system", metadata.namespace.as_deref(), &metadata.name);
                let draft = Draft {
                    kind: Arc::from("system"),
                    system: Some(Arc::clone(&name)),
                    environment: spec.environment.as_deref().map(Arc::from),
                    ..self.draft(place, Some(&spec.owner), spec.tier.as_deref(), problems)
                };
                if let Some(domain) = &spec.domain {
                    self.relate(&name, EdgeKind::PartOf, reference(domain, "domain"), place);
                }
                self.add(name, draft, place);
            }
            Body::Domain(spec) => {
                let name = own("domain", metadata.namespace.as_deref(), &metadata.name);
                let draft = Draft {
                    kind: Arc::from("domain"),
                    ..self.draft(place, Some(&spec.owner), None, problems)
                };
                if let Some(parent) = &spec.subdomain_of {
                    self.relate(&name, EdgeKind::PartOf, reference(parent, "domain"), place);
                }
                self.add(name, draft, place);
            }
            Body::Inventory(spec) => self.inventory(place, spec, problems),
            Body::Group(_)
            | Body::User(_)
            | Body::Actor(_)
            | Body::Account(_)
            | Body::Environment(_)
            | Body::Scope(_)
            | Body::Freeze(_)
            | Body::Limits(_)
            | Body::Budget(_)
            | Body::AgentBounds(_)
            | Body::Window(_)
            | Body::Exception(_)
            | Body::BreakGlass(_)
            | Body::Change(_)
            | Body::Ownership(_)
            | Body::Approval(_)
            | Body::Blueprint(_) => {}
        }
    }

    fn component(
        &mut self,
        place: &Place,
        metadata: &Metadata,
        spec: &ComponentSpec,
        problems: &mut Vec<Problem>,
    ) {
        let name = own("component", metadata.namespace.as_deref(), &metadata.name);
        let draft = Draft {
            kind: Arc::from(format!("component:{}", spec.kind)),
            system: spec.system.as_deref().map(|system| reference(system, "system")),
            environment: spec.environment.as_deref().map(Arc::from),
            ..self.draft(place, Some(&spec.owner), spec.tier.as_deref(), problems)
        };
        if let Some(parent) = &spec.subcomponent_of {
            self.relate(&name, EdgeKind::PartOf, reference(parent, "component"), place);
        }
        for dependency in &spec.depends_on {
            self.relate(&name, EdgeKind::DependsOn, reference(dependency, "component"), place);
        }
        for dependant in &spec.dependency_of {
            self.relate(&reference(dependant, "component"), EdgeKind::DependsOn, Arc::clone(&name), place);
        }
        for api in &spec.consumes_apis {
            self.relate(&name, EdgeKind::Consumes, reference(api, "api"), place);
        }
        for api in &spec.provides_apis {
            // The interface does not work without what provides it.
            self.relate(&reference(api, "api"), EdgeKind::DependsOn, Arc::clone(&name), place);
        }
        self.add(name, draft, place);
    }

    fn resource(
        &mut self,
        place: &Place,
        metadata: &Metadata,
        spec: &ResourceSpec,
        problems: &mut Vec<Problem>,
    ) {
        let known = own("resource", metadata.namespace.as_deref(), &metadata.name);
        let annotated = metadata.annotations.get("amazonaws.com/arn");
        let on_plane = spec.name.as_ref().or(annotated);
        let name = on_plane.map_or_else(|| Arc::clone(&known), |name| Arc::from(azure::id(name)));
        let (account, region) = account_and_region(&name);
        let declared = on_plane.is_some() || !spec.identifiers.is_empty();
        let draft = Draft {
            kind: Arc::from(spec.kind.as_str()),
            plane: declared.then(|| plane_of(spec.plane.as_deref(), &name, place, problems)).flatten(),
            account: spec.account.as_deref().map_or(account, Arc::from),
            region: spec.region.as_deref().map_or(region, Arc::from),
            identifiers: spec.identifiers.iter().map(|id| Arc::from(id.as_str())).collect(),
            tags: tags(&spec.tags),
            system: spec.system.as_deref().map(|system| reference(system, "system")),
            environment: spec.environment.as_deref().map(Arc::from),
            ..self.draft(place, Some(&spec.owner), spec.tier.as_deref(), problems)
        };
        self.known_as.insert(known, Arc::clone(&name));
        for dependency in &spec.depends_on {
            self.relate(&name, EdgeKind::DependsOn, reference(dependency, "resource"), place);
        }
        for dependant in &spec.dependency_of {
            self.relate(&reference(dependant, "component"), EdgeKind::DependsOn, Arc::clone(&name), place);
        }
        for whole in &spec.part_of {
            self.relate(&name, EdgeKind::PartOf, reference(whole, "resource"), place);
        }
        self.add(name, draft, place);
    }

    fn inventory(&mut self, place: &Place, spec: &InventorySpec, problems: &mut Vec<Problem>) {
        let provenance = Provenance {
            source: Arc::from(spec.source.as_str()),
            revision: Arc::from(spec.revision.as_deref().unwrap_or_default()),
            as_of: spec.as_of,
            ..Provenance::default()
        };
        let owner_tags: Arc<[String]> = spec.owner_tags.clone().into();
        let plane = plane(spec.plane.as_deref(), place, problems);
        for fact in &spec.resources {
            let within = |id: &str| -> Arc<str> { Arc::from(format!("{}#{id}", spec.source)) };
            let own = within(&fact.id);
            let name =
                fact.name.as_deref().map_or_else(|| Arc::clone(&own), |name| Arc::from(azure::id(name)));
            let (account, region) = account_and_region(&name);
            let account = [fact.account.as_deref(), Some(&*account), spec.account.as_deref()]
                .into_iter()
                .flatten()
                .find(|account| !account.is_empty());
            let provenance = self.provenance(of_fact(&provenance, fact));
            let draft = Draft {
                kind: Arc::from(fact.kind.as_str()),
                plane: named_plane(&name).or(plane),
                owner_tags: Arc::clone(&owner_tags),
                account: Arc::from(account.unwrap_or_default()),
                region: fact.region.as_deref().map_or(region, Arc::from),
                identifiers: fact.identifiers.iter().map(|id| Arc::from(id.as_str())).collect(),
                tags: tags(&fact.tags),
                provenance,
                grants: grants(fact),
                is_of_source: fact.name.is_none(),
                ..self.fact(place, fact, problems)
            };
            self.known_as.insert(own, Arc::clone(&name));
            self.add(name, draft, place);
        }
        let until = believed(spec, place, problems);
        for relation in &spec.relations {
            let Some(kind) = EdgeKind::parse(&relation.kind) else {
                let known = EdgeKind::ALL.map(EdgeKind::as_str);
                let text =
                    format!("unknown relation `{}`; {}", relation.kind, nearest(&relation.kind, &known));
                problems.push(place.problem(&relation.kind, text));
                continue;
            };
            let within = |id: &str| -> Arc<str> { Arc::from(format!("{}#{id}", spec.source)) };
            self.relate_until(&within(&relation.from), kind, within(&relation.to), place, until);
        }
    }

    fn fact(&mut self, place: &Place, fact: &FactSpec, problems: &mut Vec<Problem>) -> Draft {
        Draft {
            system: fact.system.as_deref().map(|system| reference(system, "system")),
            environment: fact.environment.as_deref().map(Arc::from),
            path: fact.path.clone(),
            ..self.draft(place, fact.owner.as_deref(), fact.tier.as_deref(), problems)
        }
    }

    fn draft(
        &mut self,
        place: &Place,
        owned: Option<&str>,
        tier_word: Option<&str>,
        problems: &mut Vec<Problem>,
    ) -> Draft {
        let mut draft = Draft::default();
        if let Some(text) = owned {
            let name = owner(text);
            if !self.people.knows(&name) {
                problems.push(place.problem(text, self.people.unknown_owner(text)));
            }
            draft.owners.push(name);
            draft.owned_by = Some(Arc::from(place.path.as_str()));
        }
        draft.tier = tier_word.and_then(|word| tier(word, place, problems));
        draft.provenance =
            self.provenance(Provenance { source: Arc::from(place.path.as_str()), ..Provenance::default() });
        draft
    }

    fn provenance(&mut self, provenance: Provenance) -> u32 {
        if let Some(known) = self.provenance_of.get(&provenance) {
            return *known;
        }
        let index = u32::try_from(self.provenances.len()).unwrap_or(u32::MAX);
        self.provenances.push(provenance.clone());
        self.provenance_of.insert(provenance, index);
        index
    }

    fn relate(&mut self, dependant: &Arc<str>, kind: EdgeKind, dependency: Arc<str>, place: &Place) {
        self.relate_until(dependant, kind, dependency, place, Until::ALWAYS);
    }

    fn relate_until(
        &mut self,
        dependant: &Arc<str>,
        kind: EdgeKind,
        dependency: Arc<str>,
        place: &Place,
        until: Until,
    ) {
        let (dependant, source) = (Arc::clone(dependant), place.path.clone());
        self.relations.push(Relation { dependant, kind, dependency, source, until });
    }

    fn add(&mut self, name: Arc<str>, mut draft: Draft, place: &Place) {
        // What each source says counts by itself: no other source's owner, and no other's word for one, overrules it.
        draft.owned_by_tag(&name, self.people, &mut self.findings);
        match self.drafts.get_mut(&name) {
            Some(known) => known.merge(&name, draft, &place.path, &mut self.findings),
            None => drop(self.drafts.insert(name, draft)),
        }
    }

    /// Gives what is named by the number of a project the name that requests have.
    fn spell(&mut self) {
        let mut projects = Projects::default();
        for (name, draft) in &self.drafts {
            projects.learn(name, &draft.identifiers);
        }
        for (name, mut draft) in std::mem::take(&mut self.drafts) {
            if draft.plane == Some(Plane::Gcp)
                && let Some(id) = projects.id(&draft.account)
            {
                draft.account = Arc::from(id);
            }
            let spelled: Arc<str> = match projects.canonical(&name) {
                Cow::Borrowed(_) => name,
                Cow::Owned(spelled) => {
                    let spelled = Arc::from(spelled);
                    self.known_as.insert(name, Arc::clone(&spelled));
                    spelled
                }
            };
            match self.drafts.get_mut(&spelled) {
                Some(known) => known.merge(&spelled, draft, &spelled, &mut self.findings),
                None => drop(self.drafts.insert(spelled, draft)),
            }
        }
        // What was known as a name that is spelled otherwise now is known as that.
        let renamed: Vec<(Arc<str>, Arc<str>)> = self
            .known_as
            .iter()
            .filter_map(|(from, to)| {
                self.known_as.get(to).map(|spelled| (Arc::clone(from), Arc::clone(spelled)))
            })
            .collect();
        self.known_as.extend(renamed);
    }

    /// Makes one of what sources know by different names.
    fn join(&mut self) {
        let all = self.drafts.iter().map(|(name, draft)| identity::Known {
            name,
            is_canonical: !draft.is_of_source,
            plane: draft.plane,
            kind: &draft.kind,
            account: &draft.account,
            region: &draft.region,
            identifiers: &draft.identifiers,
        });
        let (joined, findings) = identity::joined(all);
        self.findings.extend(findings);
        for (from, to) in &joined {
            let draft = self.drafts.get_mut(from).map(std::mem::take).unwrap_or_default();
            let source = self.provenances.get(draft.provenance as usize);
            let source = source.map(|provenance| provenance.source.to_string()).unwrap_or_default();
            if let Some(known) = self.drafts.get_mut(to) {
                known.merge(to, Draft { plane: None, ..draft.joined() }, &source, &mut self.findings);
            }
            self.known_as.insert(Arc::clone(from), Arc::clone(to));
        }
        self.drafts.retain(|name, _| !joined.contains_key(name));
    }

    /// Every entry with its owners and scopes, and the relations among them.
    pub(crate) fn finish(mut self, ownership: &Ownership, scopes: &Scopes) -> (Inventory, Vec<Finding>) {
        self.spell();
        self.join();
        let standing = |draft: &Draft| Standing {
            owners: draft.owners.clone(),
            environment: draft.environment.clone(),
            tier: draft.tier,
            ..Standing::default()
        };
        let is_system = |(name, _): &(&Arc<str>, &Draft)| name.starts_with("system:");
        let systems: BTreeMap<Arc<str>, Standing> = self
            .drafts
            .iter()
            .filter(is_system)
            .map(|(name, draft)| (Arc::clone(name), standing(draft)))
            .collect();
        let indices: BTreeMap<Arc<str>, u32> = self.drafts.keys().cloned().zip(0..).collect();
        let edges = self.edges(&indices);
        let mut findings = self.findings;
        let mut owned = Vec::with_capacity(self.drafts.len());
        for (name, draft) in &mut self.drafts {
            owned_by_path(name, draft, ownership, &mut findings);
            owned.push(of_system(draft, &systems));
        }
        let names: Vec<Arc<str>> = self.drafts.keys().cloned().collect();
        let tags: Vec<&[(Arc<str>, Arc<str>)]> = self.drafts.values().map(|draft| &*draft.tags).collect();
        let entries = lineage::Entries { names: &names, tags: &tags };
        lineage::inherit(&entries, &mut owned, &edges, scopes);
        let stood = self.drafts.into_iter().zip(owned).map(|((name, draft), own)| {
            let standing = scopes.stand(own, draft.plane, &draft.account, &name, &draft.tags);
            Entry {
                kind: draft.kind,
                plane: draft.plane,
                account: draft.account,
                region: draft.region,
                identifiers: draft.identifiers,
                tags: draft.tags,
                standing,
                provenance: draft.provenance,
                grants: draft.grants.map(Box::new),
                name,
            }
        });
        (Inventory::new(stood.collect(), edges, self.provenances), findings)
    }

    fn edges(&mut self, indices: &BTreeMap<Arc<str>, u32>) -> Vec<Edge> {
        let mut edges =
            lineage::containment(self.drafts.iter().map(|(name, draft)| (name, &*draft.kind)), indices);
        for relation in &self.relations {
            let find = |name: &Arc<str>| {
                let name = self.known_as.get(name).unwrap_or(name);
                indices.get(name).copied()
            };
            match (find(&relation.dependant), find(&relation.dependency)) {
                (Some(dependant), Some(dependency)) => {
                    edges.push(Edge { dependant, kind: relation.kind, dependency, until: relation.until });
                }
                (dependant, _) => {
                    let missing =
                        if dependant.is_none() { &relation.dependant } else { &relation.dependency };
                    self.findings.push(Finding {
                        source: relation.source.clone(),
                        text: format!("`{missing}` takes part in a relation and is not declared; declare it"),
                    });
                }
            }
        }
        edges
    }
}

/// What a fact says that it may act on.
fn grants(fact: &FactSpec) -> Option<Grants> {
    let all = fact.grants_only.is_some();
    let patterns = fact.grants.iter().chain(fact.grants_only.iter().flatten());
    let names: Vec<Glob> = patterns.map(|pattern| Glob::new(&azure::pattern(pattern))).collect();
    (all || !names.is_empty()).then_some(Grants { names, all })
}

/// Until when the relations of an inventory are believed.
fn believed(spec: &InventorySpec, place: &Place, problems: &mut Vec<Problem>) -> Until {
    let Some(text) = &spec.decays else { return Until::ALWAYS };
    let day = SpanRelativeTo::days_are_24_hours();
    let span = text.parse::<Span>().ok().and_then(|span| span.to_duration(day).ok());
    let span = span.filter(SignedDuration::is_positive);
    let (Some(span), Some(as_of)) = (span, spec.as_of) else {
        let text = if span.is_some() {
            "`decays` counts from `asOf`, which is missing; add it".to_owned()
        } else {
            format!("`{text}` is no time in which something decays; write for example `14d`")
        };
        problems.push(place.problem("decays:", text));
        return Until::ALWAYS;
    };
    // What decays later than any time does so at the last.
    Until::of(as_of.checked_add(span).unwrap_or(jiff::Timestamp::MAX))
}

fn tags(written: &BTreeMap<String, String>) -> Vec<(Arc<str>, Arc<str>)> {
    written.iter().map(|(key, value)| (Arc::from(key.as_str()), Arc::from(value.as_str()))).collect()
}

/// The plane that a canonical name says it is of; `None` where it says nothing.
pub(crate) fn named_plane(name: &str) -> Option<Plane> {
    Plane::of_name(name).map(|(plane, ..)| plane)
}

/// Account and region of an ARN, and the account of a name that begins with it; empty for any other name.
pub(crate) fn account_and_region(name: &str) -> (Arc<str>, Arc<str>) {
    if let Some((_, account, _)) = Plane::of_name(name) {
        return (Arc::from(account), Arc::from(""));
    }
    let mut parts = name.split(':');
    if parts.next() != Some("arn") {
        return (Arc::from(""), Arc::from(""));
    }
    let (region, account) = (parts.nth(2).unwrap_or_default(), parts.next().unwrap_or_default());
    (Arc::from(account), Arc::from(region))
}

pub(crate) fn plane(word: Option<&str>, place: &Place, problems: &mut Vec<Problem>) -> Option<Plane> {
    let Some(word) = word else { return Some(Plane::Aws) };
    let plane = Plane::parse(word);
    if plane.is_none() {
        let words: Vec<&str> = Plane::ALL.iter().map(|plane| plane.as_str()).collect();
        let text = format!("unknown plane `{word}`; {}", nearest(word, &words));
        problems.push(place.problem(word, text));
    }
    plane
}

/// The plane of something with a canonical name, which says it where the document does not.
fn plane_of(word: Option<&str>, name: &str, place: &Place, problems: &mut Vec<Problem>) -> Option<Plane> {
    match (word, named_plane(name)) {
        (None, Some(named)) => Some(named),
        (word, _) => plane(word, place, problems),
    }
}

/// The provenance of one fact: what its source says of all, and of this one.
fn of_fact(source: &Provenance, fact: &FactSpec) -> Provenance {
    Provenance {
        revision: fact.revision.as_deref().map_or_else(|| Arc::clone(&source.revision), Arc::from),
        changed: fact.changed,
        managers: fact.managers.iter().map(|manager| Arc::from(manager.as_str())).collect(),
        ..source.clone()
    }
}

pub(crate) fn tier(word: &str, place: &Place, problems: &mut Vec<Problem>) -> Option<Tier> {
    let tier = Tier::parse(word);
    if tier.is_none() {
        let text = format!("unknown tier `{word}`; {}", nearest(word, &Tier::WORDS));
        problems.push(place.problem(word, text));
    }
    tier
}
