//! Resources of a request to places in the estate: what each is, and what the model says of it.
//!
//! Leaves out who may change them. A name that was only bound by guessing member names never stands alone:
//! what it may hide is judged beside it, so that it can widen a judgement and never be its ground.

mod cluster;
mod names;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{NameBasis, Plane, Resource, Upstream};
use smallvec::SmallVec;

use self::names::{SECRET_END, belongs_to_anyone, is_part, own_name, own_service};
pub(crate) use self::names::{is_completed, is_made};
use crate::glob::Glob;
use crate::inventory::{Entry, Standing};
use crate::kubernetes::{self, Name};
use crate::live::{LiveFact, LiveInventory, alias, service};
use crate::model::{Model, account_and_region};
use crate::refusal;

/// The type of what stands for an account as a whole.
const WHOLE_ACCOUNT: &str = "aws:account";

/// How deep a resource may lie in others that were created through the gate.
const DEPTH_MAX: u32 = 8;

/// The most levels of a name that are looked up as what holds it.
const HOLDERS_MAX: usize = 64;

/// The longest name that is kept or looked up as that of a holder: the provider has none longer.
pub(crate) const NAME_MAX: usize = 2_048;

/// The most that is judged at once. Rules are asked about each, and the answer is awaited.
pub(crate) const SITES_MAX: usize = 2_048;

/// The most patterns of one request: each is compared with what exists.
pub(crate) const PATTERNS_MAX: usize = 64;

/// What is known of a resource.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// The model declares it.
    Entry(u32),
    /// It was created through the gate.
    Live(Arc<LiveFact>),
    /// It is the account, project or cluster as a whole, which the model declares.
    Account,
    /// Only the scope it would lie in.
    No,
}

/// One resource as it is judged.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) known: Known,
    /// The name it is known by; what people are told is [`Site::told`].
    pub(crate) name: String,
    /// What would be created there, where it is an account as a whole.
    pub(crate) creates: Vec<Arc<str>>,
    pub(crate) kind: Arc<str>,
    pub(crate) account: Arc<str>,
    pub(crate) region: Arc<str>,
    pub(crate) standing: Standing,
    /// What it is cannot be told at all: any scope of the account could hold it.
    pub(crate) anywhere: bool,
    /// It was named by what other entries are known by too.
    pub(crate) ambiguous: Option<Arc<Ambiguity>>,
}

/// An identifier that several entries of the model are known by.
#[derive(Debug)]
pub(crate) struct Ambiguity {
    pub(crate) identifier: String,
    /// The names of those entries, in order.
    pub(crate) meanings: Vec<Arc<str>>,
    entries: Vec<u32>,
}

/// What raw identifiers stand for.
struct Found {
    sites: Vec<Site>,
    /// Nothing else can be meant.
    sure: bool,
}

/// Everything that names are resolved in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estate<'e> {
    pub(crate) model: &'e Model,
    pub(crate) live: &'e LiveInventory,
    pub(crate) upstream: &'e Upstream,
    pub(crate) plane: Plane,
    pub(crate) region: &'e Arc<str>,
    pub(crate) now: Timestamp,
}

impl Site {
    /// It is an account as a whole.
    pub(crate) fn is_whole_account(&self) -> bool {
        self.kind.as_ref() == WHOLE_ACCOUNT || kubernetes::is_cluster(&self.name)
    }

    /// What the plane calls an account.
    pub(crate) fn account_word(&self) -> &'static str {
        if kubernetes::is_name(&self.name) { "cluster" } else { "account" }
    }

    /// The name people read. An account is known by the ARN of its root, which nobody takes for the account.
    pub(crate) fn told(&self) -> Cow<'_, str> {
        if !self.is_whole_account() {
            return refusal::shown(&self.name);
        }
        let account = format!("{} {}", self.account_word(), self.account);
        match self.creates.as_slice() {
            [] => Cow::Owned(account),
            kinds => Cow::Owned(format!("{} in {account}", kinds.join(" and "))),
        }
    }

    pub(crate) const fn is_known(&self) -> bool {
        match self.known {
            Known::Entry(_) | Known::Live(_) | Known::Account => true,
            Known::No => false,
        }
    }
}

impl<'e> Estate<'e> {
    /// All that a resource of a request may mean; never empty.
    pub(crate) fn sites(&self, resource: &Resource) -> Vec<Site> {
        match self.model.inventory.canonical(&resource.name) {
            Cow::Borrowed(_) => self.sites_of(resource),
            Cow::Owned(name) => self.sites_of(&Resource { name, ..resource.clone() }),
        }
    }

    fn sites_of(&self, resource: &Resource) -> Vec<Site> {
        if resource.pattern && kubernetes::is_name(&resource.name) {
            return self.matches_in_cluster(resource);
        }
        if resource.pattern {
            let one = if is_completed(resource) { self.completed(resource) } else { Vec::new() };
            return if one.is_empty() { self.matches(resource) } else { one };
        }
        let mut sites = self.by_name(resource);
        let bound = resource.basis == NameBasis::Bound;
        if sites.is_empty() || bound {
            let Found { sites: found, sure } = self.by_identifier(resource);
            if (bound && found.is_empty()) || !sure {
                sites.push(self.anywhere(resource));
            }
            for site in found {
                if !sites.iter().any(|other| other.name == site.name) {
                    sites.push(site);
                }
            }
        }
        if sites.is_empty() {
            sites.push(match resource.basis {
                NameBasis::Carried | NameBasis::Reviewed => self.unknown(resource),
                NameBasis::Scope => self.whole(resource),
                NameBasis::Bound | NameBasis::Unnamed => self.anywhere(resource),
            });
        }
        if is_part(resource) {
            self.complete(resource, &mut sites);
        }
        sites
    }

    /// Adds what a whole name may be only the beginning of: `pay-secret` may be the secret `pay` with what the
    /// provider put behind it, and the secret `pay-secret` without.
    fn complete(&self, resource: &Resource, sites: &mut Vec<Site>) {
        let longer =
            Resource { name: format!("{}{SECRET_END}", resource.name), pattern: true, ..resource.clone() };
        let mut found = self.completed(&longer);
        if found.is_empty() {
            // The account says nothing of it that the name as it stands does not.
            found.extend(Some(self.unknown(&longer)).filter(|site| !site.standing.scopes.is_empty()));
        }
        sites.extend(found);
    }

    /// What a text in the parameters names: an entry, or something that was created through the gate; or what holds it,
    /// where it goes on behind a name (the alias of a function, the stream of a table).
    pub(crate) fn mentioned(&self, text: &str) -> Option<Site> {
        if let Some(index) = self.model.inventory.by_name(text) {
            return self.entry(index);
        }
        let (account, region) = account_and_region(text);
        let live = self.live.get(self.plane, &account, &region, own_service(text), text);
        live.first().map(|fact| self.live(fact, text, 0)).or_else(|| self.holder_by_name(text))
    }

    fn by_name(&self, resource: &Resource) -> Vec<Site> {
        if resource.name.is_empty() {
            return Vec::new();
        }
        if let Some(index) = self.model.inventory.by_name(&resource.name) {
            return self.entry(index).into_iter().collect();
        }
        let (account, region) = self.account_and_region(resource);
        let mut live = self.live.get(self.plane, &account, &region, &resource.kind, &resource.name);
        if live.is_empty() {
            let account = &self.upstream.account;
            live = self.live.get(self.plane, account, self.region, &resource.kind, &resource.name);
        }
        live.iter().map(|fact| self.live(fact, &resource.name, 0)).collect()
    }

    fn by_identifier(&self, resource: &Resource) -> Found {
        let (account, region) = self.account_and_region(resource);
        let (mut entries, mut certain) = (Vec::new(), BTreeSet::new());
        let mut found = Found { sites: Vec::new(), sure: true };
        for identifier in &resource.identifiers {
            let value = own_name(&resource.kind, &identifier.value);
            for region in [region.as_ref(), ""] {
                let key = |kind: &str| alias(self.plane, &account, region, kind, value);
                let exact = self.model.inventory.by_alias(&key(&resource.kind));
                let wider = self.model.inventory.by_alias(&key(service(&resource.kind)));
                let facts = self.live.get(self.plane, &account, region, &resource.kind, value);
                if exact.is_empty() && self.is_holder(resource, wider, facts) {
                    continue;
                }
                let meant = if exact.is_empty() { wider } else { exact };
                if let [one] = meant {
                    certain.insert(*one);
                }
                let ambiguity = (exact.len() > 1).then(|| Arc::new(self.ambiguity(value, exact)));
                entries.extend(meant.iter().map(|index| (*index, ambiguity.clone())));
                let name = if resource.name.is_empty() { value } else { resource.name.as_str() };
                found.sites.extend(facts.iter().map(|fact| self.live(fact, name, 0)));
                // A name that some other type of the service has says little; an identifier that the
                // provider made is of one type only.
                let other = facts.iter().any(|fact| fact.kind != resource.kind);
                let by_service = other || (exact.is_empty() && !wider.is_empty());
                found.sure &= !by_service || is_made(value);
            }
        }
        // Another identifier that stands for one of several says which is meant; all are judged still.
        let told = |ambiguity: &Ambiguity| ambiguity.entries.iter().any(|entry| certain.contains(entry));
        let mut seen = BTreeSet::new();
        entries.sort_by_key(|(index, ambiguity)| (*index, ambiguity.is_none()));
        entries.retain(|(index, _)| seen.insert(*index));
        let sites = entries.into_iter().filter_map(|(index, ambiguous)| {
            self.entry(index).map(|site| Site { ambiguous: ambiguous.filter(|one| !told(one)), ..site })
        });
        found.sites.extend(sites);
        found
    }

    /// Whether all that an identifier may mean is what the resource lies in by its own whole name, such as the bucket of an
    /// object: that says where it is, and of what else it might be nothing.
    fn is_holder(&self, resource: &Resource, entries: &[u32], facts: &[Arc<LiveFact>]) -> bool {
        let whole = matches!(resource.basis, NameBasis::Carried | NameBasis::Reviewed);
        if !whole || (entries.is_empty() && facts.is_empty()) {
            return false;
        }
        let Some(holder) = self.holder_by_name(&resource.name) else { return false };
        let is_entry = |index: &u32| {
            let entry = self.model.inventory.get(*index);
            entry.is_some_and(|entry| *entry.name == *holder.name)
        };
        entries.iter().all(is_entry) && facts.iter().all(|fact| fact.identifier == holder.name)
    }

    fn ambiguity(&self, identifier: &str, entries: &[u32]) -> Ambiguity {
        let named = entries.iter().filter_map(|index| self.model.inventory.get(*index));
        let mut meanings: Vec<Arc<str>> = named.map(|entry| Arc::clone(&entry.name)).collect();
        meanings.sort();
        Ambiguity { identifier: identifier.to_owned(), meanings, entries: entries.to_vec() }
    }

    /// What a name stands for whose last part the provider makes: one at a time carries it.
    fn completed(&self, resource: &Resource) -> Vec<Site> {
        let pattern = Glob::new(&resource.name);
        let inventory = &self.model.inventory;
        let matching = inventory.matching(&pattern).take(SITES_MAX + 1);
        let known: Vec<Site> = matching.filter_map(|index| self.entry(index)).collect();
        if !known.is_empty() {
            return known;
        }
        let (account, region) = self.account_and_region(resource);
        let mut live: Vec<Site> = Vec::new();
        for identifier in &resource.identifiers {
            let facts = self.live.get(self.plane, &account, &region, &resource.kind, &identifier.value);
            let fits = |fact: &&Arc<LiveFact>| {
                pattern.matches(&fact.identifier) || fact.identifier == identifier.value
            };
            live.extend(facts.iter().filter(fits).map(|fact| self.live(fact, &resource.name, 0)));
        }
        live
    }

    /// Every match of a pattern, and what else it may hold.
    fn matches(&self, resource: &Resource) -> Vec<Site> {
        let pattern = Glob::new(&resource.name);
        let mut sites: Vec<Site> = Vec::new();
        if !resource.name.is_empty() {
            let inventory = &self.model.inventory;
            // One more than is judged at once says enough.
            let matching = inventory.matching(&pattern).take(SITES_MAX + 1);
            sites.extend(matching.filter_map(|index| self.entry(index)));
        }
        let remainder =
            if resource.name.is_empty() { self.anywhere(resource) } else { self.unknown(resource) };
        for scope in self.model.scopes.overlapping(&pattern) {
            let mut site = remainder.clone();
            site.standing.owners.clone_from(&scope.owners);
            site.standing.system.clone_from(&scope.system);
            site.standing.environment.clone_from(&scope.environment);
            site.standing.tier = scope.tier;
            site.standing.mode = site.standing.mode.max(scope.mode);
            site.standing.scopes.push(Arc::clone(&scope.name));
            sites.push(site);
        }
        sites.push(Site { anywhere: true, ..remainder });
        sites
    }

    /// The entry of a name.
    #[cfg(test)]
    pub(crate) fn named(&self, name: &str) -> Option<Site> {
        self.model.inventory.by_name(name).and_then(|index| self.entry(index))
    }

    fn entry(&self, index: u32) -> Option<Site> {
        let entry: &'e Entry = self.model.inventory.get(index)?;
        Some(Site {
            creates: Vec::new(),
            known: Known::Entry(index),
            name: entry.name.to_string(),
            kind: Arc::clone(&entry.kind),
            account: Arc::clone(&entry.account),
            region: Arc::clone(&entry.region),
            standing: entry.standing.clone(),
            anywhere: false,
            ambiguous: None,
        })
    }

    /// What was created through the gate belongs to whoever owns what it was created in.
    fn live(&self, fact: &Arc<LiveFact>, name: &str, depth: u32) -> Site {
        let mut own = Standing::default();
        // A scope for a part of what it was created in says more of it than that does.
        let holder = kubernetes::holders(name).into_iter().next();
        let narrower = holder.is_some_and(|holder| self.model.scopes.narrower_than_namespace(name, &holder));
        if depth < DEPTH_MAX && !narrower {
            for parent in &fact.within {
                for site in self.holder(fact, parent, depth) {
                    for owner in site.standing.owners {
                        if !own.owners.contains(&owner) {
                            own.owners.push(owner);
                        }
                    }
                    own.system = own.system.or(site.standing.system);
                    own.environment = own.environment.or(site.standing.environment);
                    own.tier = [own.tier, site.standing.tier].into_iter().flatten().min();
                    own.mode = own.mode.max(site.standing.mode);
                }
            }
        }
        if !own.owners.is_empty() {
            own.owned_by = Some(Arc::from("what it was created in"));
        }
        let standing = self.model.scopes.stand(own, Some(fact.plane), &fact.account, name, &[]);
        Site {
            creates: Vec::new(),
            known: Known::Live(Arc::clone(fact)),
            name: name.to_owned(),
            kind: Arc::clone(&fact.kind),
            account: Arc::clone(&fact.account),
            region: Arc::clone(&fact.region),
            standing,
            anywhere: false,
            ambiguous: None,
        }
    }

    fn holder(&self, fact: &LiveFact, parent: &Resource, depth: u32) -> Vec<Site> {
        let there = Estate { region: &fact.region, ..*self };
        if let Some(index) = self.model.inventory.by_name(&parent.name) {
            return there.entry(index).into_iter().collect();
        }
        let live = self.live.get(fact.plane, &fact.account, &fact.region, &parent.kind, &parent.name);
        if !live.is_empty() && kubernetes::is_name(&parent.name) {
            return live.iter().map(|holder| there.live(holder, &parent.name, depth + 1)).collect();
        }
        for identifier in &parent.identifiers {
            let found =
                self.live.get(fact.plane, &fact.account, &fact.region, &parent.kind, &identifier.value);
            if !found.is_empty() {
                return found.iter().map(|holder| there.live(holder, &identifier.value, depth + 1)).collect();
            }
        }
        let Found { sites, .. } = there.by_identifier(parent);
        if !sites.is_empty() {
            return sites;
        }
        let known = !parent.name.is_empty() && parent.basis != NameBasis::Scope;
        vec![if known { there.unknown(parent) } else { there.whole(parent) }]
    }

    /// A resource that only its name is known of: what holds it by name, and what the scopes say.
    fn unknown(&self, resource: &Resource) -> Site {
        if kubernetes::is_cluster(&resource.name) {
            return self.whole(resource);
        }
        let (account, region) = self.account_and_region(resource);
        let mut account = if belongs_to_anyone(&resource.name) { Arc::from("") } else { account };
        let mut own = Standing::default();
        if let Some(holder) = self.holder_by_name(&resource.name) {
            account = holder.account;
            // A scope for a part of the holder says more of it than the holder does.
            let scopes = &self.model.scopes;
            let narrower = if kubernetes::is_name(&resource.name) {
                scopes.narrower_than_namespace(&resource.name, &holder.name)
            } else {
                scopes.narrower(&resource.name, holder.name.len())
            };
            if !narrower {
                own = Standing {
                    owned_by: Some(Arc::from("what it lies in")),
                    creates: None,
                    scopes: SmallVec::new(),
                    ..holder.standing
                };
            }
        }
        let standing = self.model.scopes.stand(own, Some(self.plane), &account, &resource.name, &[]);
        self.site(resource, Known::No, account, region, standing)
    }

    /// What is known of whatever a name says it lies in: the bucket of an object, the table of an index.
    fn holder_by_name(&self, name: &str) -> Option<Site> {
        if let Some(within) = Name::parse(name) {
            return self.namespace_of(&within);
        }
        let fixed = match Plane::of_name(name) {
            Some((_, _, rest)) => name.len() - rest.len(),
            // The five parts before the resource's own say where, not what.
            None => name.split_inclusive(':').take(5).map(str::len).sum(),
        };
        // A holder has a name of sane length, not many levels down: each level is looked up.
        let ends = name.match_indices(['/', ':']).map(|(at, _)| at).skip_while(|at| *at <= fixed);
        let ends: SmallVec<[usize; 16]> = ends.take_while(|at| *at <= NAME_MAX).take(HOLDERS_MAX).collect();
        for rest in ends.iter().rev().filter_map(|at| name.get(..*at)) {
            if let Some(index) = self.model.inventory.by_name(rest) {
                return self.entry(index);
            }
            let live =
                self.live.get(self.plane, &self.upstream.account, self.region, own_service(rest), rest);
            if let Some(fact) = live.first() {
                return Some(self.live(fact, rest, 0));
            }
        }
        None
    }

    /// The account, project or cluster as a whole.
    fn whole(&self, resource: &Resource) -> Site {
        let account = match Name::parse(&resource.name) {
            Some(name) => Arc::from(name.cluster),
            None => Arc::clone(&self.upstream.account),
        };
        let name = &resource.name;
        let standing = self.model.scopes.stand(Standing::default(), Some(self.plane), &account, name, &[]);
        let declared = self.model.scopes.account(self.plane, &account).is_some();
        let known = if declared { Known::Account } else { Known::No };
        self.site(resource, known, account, Arc::clone(self.region), standing)
    }

    /// The account that the actor's credential is bound to.
    pub(crate) fn account(&self) -> Site {
        let is_cluster = self.plane == Plane::Kubernetes;
        self.whole(&Resource {
            role: ordain_action::Role::Target,
            kind: Arc::from(if is_cluster { kubernetes::CLUSTERS } else { self.plane.whole() }),
            name: if is_cluster {
                kubernetes::cluster_name(&self.upstream.account)
            } else {
                format!("{} {}", self.plane.whole(), self.upstream.account)
            },
            basis: NameBasis::Scope,
            pattern: false,
            identifiers: Vec::new(),
        })
    }

    /// A resource that nothing certain is known of but the account it is asked for in.
    fn anywhere(&self, resource: &Resource) -> Site {
        let account = Arc::clone(&self.upstream.account);
        let standing = self.model.scopes.stand(Standing::default(), Some(self.plane), &account, "", &[]);
        let unnamed = Resource { name: String::new(), ..resource.clone() };
        let site = self.site(&unnamed, Known::No, account, Arc::clone(self.region), standing);
        Site { anywhere: true, ..site }
    }

    /// Where something will be that is about to be created and names no parent: the account.
    pub(crate) fn new_site(&self, resource: &Resource) -> Site {
        if kubernetes::is_name(&resource.name) {
            // What lies in a namespace is its owner's from the first.
            return self.unknown(resource);
        }
        let account = Arc::clone(&self.upstream.account);
        let name = self.model.inventory.canonical(&resource.name).into_owned();
        let standing = self.model.scopes.stand(Standing::default(), Some(self.plane), &account, &name, &[]);
        let resource = Resource { name, ..resource.clone() };
        self.site(&resource, Known::No, account, Arc::clone(self.region), standing)
    }

    fn site(
        &self,
        resource: &Resource,
        known: Known,
        account: Arc<str>,
        region: Arc<str>,
        standing: Standing,
    ) -> Site {
        let shown = || {
            resource.identifiers.first().map_or_else(
                || format!("{} in {} {}", resource.kind, self.plane.whole(), self.upstream.account),
                |identifier| identifier.value.clone(),
            )
        };
        let name = if resource.name.is_empty() { shown() } else { resource.name.clone() };
        let kind = Arc::clone(&resource.kind);
        Site {
            known,
            name,
            creates: Vec::new(),
            kind,
            account,
            region,
            standing,
            anywhere: false,
            ambiguous: None,
        }
    }

    /// The account and region that a name carries; those of the request where it carries none.
    fn account_and_region(&self, resource: &Resource) -> (Arc<str>, Arc<str>) {
        let (mut account, mut region) = account_and_region(&resource.name);
        // Names in an organization carry the account that manages it, which a request does not know.
        if account.is_empty() || account.contains('*') {
            account = Arc::clone(&self.upstream.account);
        }
        if region.is_empty() {
            region = Arc::clone(self.region);
        }
        (account, region)
    }
}
