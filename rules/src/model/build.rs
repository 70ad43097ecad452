//! Documents to model: what they mean together.
//!
//! Leaves out people (`people.rs`) and what exists (`estate.rs`), which are read before the rest here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ordain_action::{ActorKind, Digest, Plane};

use super::document::{AccountSpec, AgentBoundsSpec, LimitsSpec, ScopeSpec};
use super::estate::{Estate, OWNER_TAGS, plane, tier};
use super::hosting;
use super::ownership::Ownership;
use super::people::People;
use super::reference::{owner, reference};
use super::text::{Body, Place, Placed, documents, nearest};
use super::{Bounds, Freeze, Model, Problem, Source, budgets};
use crate::approval::Approvals;
use crate::calendar::Term;
use crate::change::Change;
use crate::glob::Glob;
use crate::inventory::{Account, Environment, Owners, Scope, Scopes, Tier};
use crate::limits::AllLimits;
use crate::policy::Rules;
use crate::slice::Kept;
use crate::{Mode, azure};

/// Reads a whole model; all problems at once.
pub(crate) fn build(sources: &[Source]) -> Result<Model, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut sources: Vec<&Source> = sources.iter().collect();
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    let mut placed: Vec<Placed> = Vec::new();
    let mut policies: Vec<&Source> = Vec::new();
    for source in &sources {
        match source.path.rsplit_once('.').map(|(_, ending)| ending) {
            Some("yaml" | "yml") => placed.extend(documents(source, &mut problems)),
            Some("cedar") => policies.push(source),
            Some(_) | None => problems.push(Problem {
                path: source.path.clone(),
                line: 1,
                text: "not a model file; its name should end in `.yaml` or `.cedar`".to_owned(),
            }),
        }
    }
    let mut findings = Vec::new();
    let people = People::read(&placed, &mut problems);
    let ownership = Ownership::read(&placed, &people, &mut findings, &mut problems);
    let mut places = Places { people: &people, problems: &mut problems };
    let (scopes, tag_keys) = places.scopes(&placed);
    let (freezes, bounds, limits) = places.constraints(&placed);
    let windows = places.windows(&placed);
    let budgets = budgets::read(&placed, &people, &mut problems);
    let estate = Estate::read(&placed, &people, &mut problems);
    let (mut inventory, found) = estate.finish(&ownership, &scopes);
    findings.extend(found);
    findings.extend(hosting::place(&mut inventory, &scopes));
    let rules = Rules::load(&policies, &mut problems);
    let approvals = Approvals::read(&placed, &people, &mut problems);
    let mut places = Places { people: &people, problems: &mut problems };
    let blueprints = places.blueprints(&placed);
    let mut exceptions = places.exceptions(&placed, &rules, &blueprints);
    exceptions.extend(places.glasses(&placed, &rules, &blueprints));
    exceptions.sort_by(|left, right| left.name.cmp(&right.name));
    let changes = places.changes(&placed);
    findings.extend(approvals.void(|name| changes.get(name).map(Change::approved_as)));
    findings.sort();
    findings.dedup();
    let ownership_tags = OWNER_TAGS.iter().map(|key| (*key).to_owned()).chain(tag_keys);
    let ownership_tags = ownership_tags.chain(owner_tags(&placed)).collect();
    problems.sort();
    problems.dedup();
    if !problems.is_empty() {
        return Err(problems);
    }
    let digest = digest(sources.iter().filter(|source| !source.path.ends_with(".cedar")).copied());
    let reads = super::reads::compile(&people, &inventory, &scopes, &placed);
    Ok(Model {
        digest,
        people,
        reads,
        inventory,
        scopes,
        freezes,
        windows,
        exceptions,
        changes,
        approvals,
        limits,
        bounds,
        budgets,
        blueprints,
        rules,
        kept: Kept::default(),
        findings,
        ownership_tags,
    })
}

/// Keys of tags that say who owns what an inventory brought.
fn owner_tags(placed: &[Placed]) -> impl Iterator<Item = String> {
    let keys = placed.iter().flat_map(|document| match &document.body {
        Body::Inventory(spec) => spec.owner_tags.as_slice(),
        Body::Component(_)
        | Body::Resource(_)
        | Body::Api(_)
        | Body::System(_)
        | Body::Domain(_)
        | Body::Group(_)
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
        | Body::Blueprint(_) => &[],
    });
    keys.map(|key| key.to_lowercase())
}

/// The digest of files: paths and texts, each with its length before it.
pub(crate) fn digest<'s>(sources: impl Iterator<Item = &'s Source>) -> Digest {
    let mut bytes = Vec::new();
    for source in sources {
        for text in [&source.path, &source.text] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    Digest::of(&bytes)
}

pub(super) struct Places<'b> {
    pub(super) people: &'b People,
    pub(super) problems: &'b mut Vec<Problem>,
}

impl Places<'_> {
    fn scopes(&mut self, placed: &[Placed]) -> (Scopes, BTreeSet<String>) {
        let mut scopes = Vec::new();
        let mut accounts: HashMap<(Plane, Arc<str>), Account> = HashMap::new();
        let mut environments: BTreeMap<Arc<str>, Environment> = BTreeMap::new();
        let mut tag_keys = BTreeSet::new();
        let mut strictest = None;
        for document in placed {
            let (place, name) = (&document.place, document.metadata.name.as_str());
            match &document.body {
                Body::Scope(spec) => {
                    let scope = self.scope(place, name, spec);
                    strictest = strictest.max(scope.mode);
                    tag_keys.extend(spec.tags.keys().map(|key| key.to_lowercase()));
                    scopes.push(scope);
                }
                Body::Account(spec) => {
                    let Some(plane) = plane(spec.plane.as_deref(), place, self.problems) else { continue };
                    let account = self.account(place, spec);
                    strictest = strictest.max(account.mode);
                    if accounts.insert((plane, Arc::from(spec.account.as_str())), account).is_some() {
                        let text = format!("account `{}` is declared twice; keep one", spec.account);
                        self.problems.push(place.problem(&spec.account, text));
                    }
                }
                Body::Environment(spec) => {
                    let mode = self.mode(spec.mode.as_deref(), place);
                    strictest = strictest.max(mode);
                    let environment = Environment { tier: self.tier(spec.tier.as_deref(), place), mode };
                    environments.insert(Arc::from(name), environment);
                }
                Body::Component(_)
                | Body::Resource(_)
                | Body::Api(_)
                | Body::System(_)
                | Body::Domain(_)
                | Body::Group(_)
                | Body::User(_)
                | Body::Actor(_)
                | Body::Freeze(_)
                | Body::Limits(_)
                | Body::Budget(_)
                | Body::AgentBounds(_)
                | Body::Window(_)
                | Body::Exception(_)
                | Body::BreakGlass(_)
                | Body::Change(_)
                | Body::Inventory(_)
                | Body::Ownership(_)
                | Body::Approval(_)
                | Body::Blueprint(_) => {}
            }
        }
        scopes.sort_by(|left, right| left.name.cmp(&right.name));
        (Scopes::new(scopes, accounts, environments, strictest), tag_keys)
    }

    fn scope(&mut self, place: &Place, name: &str, spec: &ScopeSpec) -> Scope {
        if spec.names.is_empty() && spec.tags.is_empty() {
            let text = format!("scope `{name}` holds nothing; give it `names` or `tags`");
            self.problems.push(place.problem("spec:", text));
        }
        Scope {
            name: Arc::from(name),
            names: globs(&spec.names),
            tags: spec.tags.iter().map(|(key, value)| (Arc::from(key.as_str()), Glob::new(value))).collect(),
            owners: self.owners(spec.owner.as_deref(), place),
            system: spec.system.as_deref().map(|system| reference(system, "system")),
            environment: spec.environment.as_deref().map(Arc::from),
            tier: self.tier(spec.tier.as_deref(), place),
            mode: self.mode(spec.mode.as_deref(), place),
            creates: spec.creates.as_deref().map(globs).map(Arc::from),
            public: spec.public,
        }
    }

    fn account(&mut self, place: &Place, spec: &AccountSpec) -> Account {
        Account {
            owners: self.owners(Some(&spec.owner), place),
            environment: spec.environment.as_deref().map(Arc::from),
            tier: self.tier(spec.tier.as_deref(), place),
            mode: self.mode(spec.mode.as_deref(), place),
            creates: spec.creates.as_deref().map(globs).map(Arc::from),
            part_of: spec.part_of.as_deref().map(|name| Arc::from(azure::id(name))),
        }
    }

    fn constraints(&mut self, placed: &[Placed]) -> (Vec<Freeze>, Vec<Bounds>, AllLimits) {
        let (mut freezes, mut bounds, mut limits) = (Vec::new(), Vec::new(), AllLimits::default());
        for document in placed {
            let (place, name) = (&document.place, document.metadata.name.as_str());
            match &document.body {
                Body::Freeze(spec) => freezes.extend(self.freeze(place, name, spec)),
                Body::AgentBounds(spec) => bounds.push(self.bounds(place, name, spec)),
                Body::Limits(spec) => self.limits(place, spec, &mut limits),
                Body::Component(_)
                | Body::Resource(_)
                | Body::Api(_)
                | Body::System(_)
                | Body::Domain(_)
                | Body::Group(_)
                | Body::User(_)
                | Body::Actor(_)
                | Body::Account(_)
                | Body::Environment(_)
                | Body::Scope(_)
                | Body::Budget(_)
                | Body::Window(_)
                | Body::Exception(_)
                | Body::BreakGlass(_)
                | Body::Change(_)
                | Body::Inventory(_)
                | Body::Ownership(_)
                | Body::Approval(_)
                | Body::Blueprint(_) => {}
            }
        }
        freezes.sort_by(|left: &Freeze, right| left.name.cmp(&right.name));
        bounds.sort_by(|left: &Bounds, right| left.name.cmp(&right.name));
        (freezes, bounds, limits)
    }

    fn bounds(&mut self, place: &Place, name: &str, spec: &AgentBoundsSpec) -> Bounds {
        let access = self.classes(&spec.access, place);
        self.known_actors(&spec.actors, place);
        Bounds {
            name: Arc::from(name),
            actors: spec.actors.iter().map(|actor| Arc::from(actor.as_str())).collect(),
            access,
            operations: spec.operations.as_deref().map(globs),
            names: globs(&spec.names),
            term: Term::once(None, spec.until),
        }
    }

    /// Whether what is not as a document has it waits for its owners, and is not denied.
    pub(super) fn holds(&mut self, ruling: Option<&str>, place: &Place) -> bool {
        match ruling {
            None | Some("deny") => false,
            Some("hold") => true,
            Some(other) => {
                let text = format!("unknown ruling `{other}`; {}", nearest(other, &["deny", "hold"]));
                self.problems.push(place.problem(other, text));
                false
            }
        }
    }

    fn limits(&mut self, place: &Place, spec: &LimitsSpec, limits: &mut AllLimits) {
        let Some(kind) = ActorKind::parse(&spec.actor_kind) else {
            let known = nearest(&spec.actor_kind, &["person", "pipeline", "agent"]);
            let text = format!("unknown actor kind `{}`; {known}", spec.actor_kind);
            self.problems.push(place.problem(&spec.actor_kind, text));
            return;
        };
        let tier = self.tier(spec.tier.as_deref(), place);
        let own = limits.of_mut(kind);
        own.targets = spec.targets.or(own.targets);
        own.dependants = spec.dependants.or(own.dependants);
        own.owners_crossed = spec.owners_crossed.or(own.owners_crossed);
        own.share_of_group = spec.share_of_group.or(own.share_of_group);
        own.tier = tier.or(own.tier);
        own.irreversible = spec.irreversible.or(own.irreversible);
        own.holds |= self.holds(spec.ruling.as_deref(), place);
    }

    pub(super) fn owners(&mut self, text: Option<&str>, place: &Place) -> Owners {
        let mut owners = Owners::new();
        if let Some(text) = text {
            let name = owner(text);
            if !self.people.knows(&name) {
                self.problems.push(place.problem(text, self.people.unknown_owner(text)));
            }
            owners.push(name);
        }
        owners
    }

    fn mode(&mut self, word: Option<&str>, place: &Place) -> Option<Mode> {
        let word = word?;
        let mode = Mode::parse(word);
        if mode.is_none() {
            let text = format!("unknown mode `{word}`; {}", nearest(word, &["shadow", "warn", "enforce"]));
            self.problems.push(place.problem(word, text));
        }
        mode
    }

    fn tier(&mut self, word: Option<&str>, place: &Place) -> Option<Tier> {
        word.and_then(|word| tier(word, place, self.problems))
    }
}

pub(crate) fn globs(patterns: &[String]) -> Vec<Glob> {
    patterns.iter().map(|pattern| Glob::new(&azure::pattern(pattern))).collect()
}
