//! What exists: our own store of resources and other entities, under every name they are known by.
//!
//! Leaves out who may do what to them. Cedar never sees this store, only the few entities a decision is
//! about: a hundred thousand of them in Cedar's own form would cost 700 MB.

mod class;
mod graph;
mod kinds;
mod projects;
mod scope;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ordain_action::Plane;
use smallvec::SmallVec;

pub(crate) use class::{Class, Classes};
pub(crate) use graph::{Dependant, Edge, EdgeKind, Graph, Until};
pub(crate) use kinds::{expands, is_durable, is_key, is_principal};
pub(crate) use projects::Projects;
pub(crate) use scope::{Account, Environment, Scope, Scopes};

use crate::glob::Glob;
use crate::model::Fact;
use crate::{Mode, live};

/// Names of the owners of something; most have one.
pub(crate) type Owners = SmallVec<[Arc<str>; 1]>;

/// How much depends on something, the most critical first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Tier {
    Critical,
    High,
    Medium,
    Low,
}

impl Tier {
    pub(crate) const WORDS: [&'static str; 4] = ["critical", "high", "medium", "low"];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Critical, Self::High, Self::Medium, Self::Low].into_iter().find(|tier| tier.as_str() == word)
    }
}

/// Where a fact comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Provenance {
    /// The source, for example `catalog/web.yaml` or `terraform:network`.
    pub source: Arc<str>,
    /// The source's own revision; empty where it has none.
    pub revision: Arc<str>,
    /// When the fact was so; `None` where the source does not say.
    pub as_of: Option<jiff::Timestamp>,
    /// When the thing was last changed, by the source's own word.
    pub changed: Option<jiff::Timestamp>,
    /// Who keeps it as it is, by the source's own word, the last first.
    pub managers: Vec<Arc<str>>,
}

/// What the model says about something beyond its name: who owns it, where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) owners: Owners,
    /// Where the owners are said, for example `tag`, `scope prod`.
    pub(crate) owned_by: Option<Arc<str>>,
    pub(crate) system: Option<Arc<str>>,
    pub(crate) environment: Option<Arc<str>>,
    pub(crate) tier: Option<Tier>,
    pub(crate) mode: Option<Mode>,
    /// Names of the scopes it lies in, the most specific first.
    pub(crate) scopes: SmallVec<[Arc<str>; 2]>,
    /// The types that may be created in it; any, when none is said.
    pub(crate) creates: Option<Arc<[Glob]>>,
    pub(crate) public: bool,
}

/// One thing that exists.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The canonical name, or the entity reference of what is on no plane.
    pub(crate) name: Arc<str>,
    pub(crate) kind: Arc<str>,
    pub(crate) plane: Option<Plane>,
    pub(crate) account: Arc<str>,
    pub(crate) region: Arc<str>,
    pub(crate) identifiers: Vec<Arc<str>>,
    pub(crate) tags: Vec<(Arc<str>, Arc<str>)>,
    pub(crate) standing: Standing,
    pub(crate) provenance: u32,
    /// What it may act on, where a source says so by patterns.
    pub(crate) grants: Option<Box<Grants>>,
}

/// What something may act on, or lets whoever has it act on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    /// Patterns of names.
    pub(crate) names: Vec<Glob>,
    /// These, and what it has from others that the model knows, are all.
    pub(crate) all: bool,
}

/// Everything that exists, as far as the model knows.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    entries: Vec<Entry>,
    by_name: HashMap<Arc<str>, u32>,
    by_alias: HashMap<Box<str>, SmallVec<[u32; 1]>>,
    /// Entries in the order of their names, for patterns.
    ordered: Vec<u32>,
    projects: Projects,
    /// How many entries of one type each system has.
    shares: HashMap<(Arc<str>, Arc<str>), u64>,
    /// Who owns something in each system.
    owners_in: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Entries of each account, and what each account as a whole lies in or on.
    by_account: HashMap<(Plane, Arc<str>), Vec<u32>>,
    lies_in: HashMap<u32, Vec<(Plane, Arc<str>)>>,
    pub(crate) classes: Classes,
    pub(crate) graph: Graph,
    pub(crate) provenances: Vec<Provenance>,
}

impl Inventory {
    pub(crate) fn new(entries: Vec<Entry>, edges: Vec<Edge>, provenances: Vec<Provenance>) -> Self {
        let gives = |index: u32| entries.get(index as usize).is_some_and(|entry| is_principal(&entry.kind));
        let graph = Graph::new(entries.len(), edges, gives);
        let mut inventory = Self { graph, provenances, ..Self::default() };
        for (entry, index) in entries.iter().zip(0..) {
            inventory.index(entry, index);
        }
        let mut ordered: Vec<u32> = entries.iter().zip(0..).map(|(_, index)| index).collect();
        let name = |index: u32| entries.get(index as usize).map_or("", |entry| &*entry.name);
        ordered.sort_by(|left, right| name(*left).cmp(name(*right)));
        Self { entries, ordered, ..inventory }
    }

    fn index(&mut self, entry: &Entry, index: u32) {
        self.by_name.insert(Arc::clone(&entry.name), index);
        if let Some(plane) = entry.plane {
            for identifier in &entry.identifiers {
                // By type, and by service for requests that name the type in other words.
                for kind in [entry.kind.as_ref(), live::service(&entry.kind)] {
                    let key = live::alias(plane, &entry.account, &entry.region, kind, identifier);
                    let known = self.by_alias.entry(key.into()).or_default();
                    // A type without a service is its own.
                    if known.last() != Some(&index) {
                        known.push(index);
                    }
                }
            }
            if !entry.account.is_empty() {
                self.by_account.entry((plane, Arc::clone(&entry.account))).or_default().push(index);
            }
        }
        self.projects.learn(&entry.name, &entry.identifiers);
        self.classes.add(&entry.standing, &entry.kind);
        if let Some(system) = &entry.standing.system {
            let key = (Arc::clone(system), Arc::clone(&entry.kind));
            *self.shares.entry(key).or_default() += 1;
            let owners = self.owners_in.entry(Arc::clone(system)).or_default();
            owners.extend(entry.standing.owners.iter().cloned());
        }
    }

    /// Says of accounts as a whole what they lie in: of a cluster, what runs it.
    pub(crate) fn place(&mut self, accounts: impl Iterator<Item = (Plane, Arc<str>, u32)>) {
        for (plane, account, holder) in accounts {
            self.lies_in.entry(holder).or_default().push((plane, account));
        }
    }

    /// The accounts as a whole that lie in something, in the order in which that was said.
    pub(crate) fn accounts_in(&self, index: u32) -> &[(Plane, Arc<str>)] {
        self.lies_in.get(&index).map_or(&[], Vec::as_slice)
    }

    /// The accounts of a plane in which something is, in order.
    pub(crate) fn accounts_of(&self, plane: Plane) -> BTreeSet<Arc<str>> {
        let of_plane = self.by_account.keys().filter(|(of, _)| *of == plane);
        of_plane.map(|(_, account)| Arc::clone(account)).collect()
    }

    /// Everything in an account, in the order of the entries.
    pub(crate) fn in_account(&self, plane: Plane, account: &Arc<str>) -> &[u32] {
        self.by_account.get(&(plane, Arc::clone(account))).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Entry> {
        self.entries.get(index as usize)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All entries, by name.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Entry> {
        self.ordered.iter().filter_map(|index| self.get(*index))
    }

    /// An entry as it is told.
    pub(crate) fn fact<'i>(&'i self, entry: &'i Entry) -> Fact<'i> {
        let Entry { standing, .. } = entry;
        Fact {
            name: &entry.name,
            kind: &entry.kind,
            plane: entry.plane,
            account: &entry.account,
            region: &entry.region,
            identifiers: &entry.identifiers,
            tags: &entry.tags,
            scopes: &standing.scopes,
            owners: &standing.owners,
            owned_by: standing.owned_by.as_deref(),
            system: standing.system.as_deref(),
            environment: standing.environment.as_deref(),
            tier: standing.tier.map(Tier::as_str),
            provenance: self.provenances.get(entry.provenance as usize),
        }
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// A name in its one spelling: Google takes the number of a project for its id.
    pub(crate) fn canonical<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.projects.canonical(name)
    }

    /// All entries known by a raw identifier; usually one.
    pub(crate) fn by_alias(&self, key: &str) -> &[u32] {
        self.by_alias.get(key).map_or(&[], SmallVec::as_slice)
    }

    /// Identifiers that several things of one type, account and region are known by, with their names; sorted.
    pub(crate) fn ambiguous(&self) -> BTreeMap<String, BTreeSet<Arc<str>>> {
        let mut found: BTreeMap<String, BTreeSet<Arc<str>>> = BTreeMap::new();
        let mut by_type: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
        for (entry, index) in self.entries.iter().zip(0..) {
            for identifier in &entry.identifiers {
                let key = (entry.plane, &entry.account, &entry.region, &entry.kind, identifier);
                by_type.entry(key).or_default().insert(index);
            }
        }
        for ((_, account, _, kind, identifier), entries) in
            by_type.into_iter().filter(|(_, all)| all.len() > 1)
        {
            let names =
                entries.into_iter().filter_map(|index| self.get(index)).map(|entry| Arc::clone(&entry.name));
            found.entry(format!("{kind} {identifier} in {account}")).or_default().extend(names);
        }
        found
    }

    /// All entries whose names a pattern matches, by name.
    pub(crate) fn matching<'i>(&'i self, pattern: &'i Glob) -> impl Iterator<Item = u32> + 'i {
        let prefix = pattern.literal_prefix();
        let name = |index: &u32| self.get(*index).map_or("", |entry| &entry.name);
        let start = self.ordered.partition_point(|index| name(index) < prefix);
        let rest = self.ordered.get(start..).unwrap_or_default().iter().copied();
        rest.take_while(move |index| name(index).starts_with(prefix))
            .filter(move |index| pattern.matches(name(index)))
    }

    /// How many entries of a type a system has.
    pub(crate) fn share(&self, system: &Arc<str>, kind: &Arc<str>) -> u64 {
        self.shares.get(&(Arc::clone(system), Arc::clone(kind))).copied().unwrap_or_default()
    }

    /// Everybody who owns something in a system.
    pub(crate) fn owners_in(&self, system: &Arc<str>) -> Option<&BTreeSet<Arc<str>>> {
        self.owners_in.get(system)
    }
}
