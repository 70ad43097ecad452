//! Scopes and accounts: what the model says about resources it does not know one by one.
//!
//! Leaves out the resources themselves. Scopes are found by the text before their first wildcard, so that
//! ten thousand cost no more to ask than ten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ordain_action::Plane;

use super::{Owners, Standing, Tier};
use crate::glob::Glob;
use crate::{Mode, kubernetes};

/// One declared scope.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) name: Arc<str>,
    pub(crate) names: Vec<Glob>,
    pub(crate) tags: Vec<(Arc<str>, Glob)>,
    pub(crate) owners: Owners,
    pub(crate) system: Option<Arc<str>>,
    pub(crate) environment: Option<Arc<str>>,
    pub(crate) tier: Option<Tier>,
    pub(crate) mode: Option<Mode>,
    pub(crate) creates: Option<Arc<[Glob]>>,
    pub(crate) public: bool,
}

/// One declared account, project or cluster.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) owners: Owners,
    pub(crate) environment: Option<Arc<str>>,
    pub(crate) tier: Option<Tier>,
    pub(crate) mode: Option<Mode>,
    pub(crate) creates: Option<Arc<[Glob]>>,
    /// What it lies in, by name.
    pub(crate) part_of: Option<Arc<str>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) tier: Option<Tier>,
    pub(crate) mode: Option<Mode>,
}

/// All scopes, accounts and environments.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    scopes: Vec<Scope>,
    by_prefix: HashMap<Box<str>, Vec<(u32, u32)>>,
    prefix_lengths: BTreeSet<usize>,
    by_tag_only: Vec<u32>,
    accounts: HashMap<(Plane, Arc<str>), Account>,
    environments: BTreeMap<Arc<str>, Environment>,
    strictest: Option<Mode>,
}

impl Scopes {
    pub(crate) fn new(
        scopes: Vec<Scope>,
        accounts: HashMap<(Plane, Arc<str>), Account>,
        environments: BTreeMap<Arc<str>, Environment>,
        strictest: Option<Mode>,
    ) -> Self {
        let mut index = Self { accounts, environments, strictest, ..Self::default() };
        for (scope, number) in scopes.iter().zip(0u32..) {
            for (glob, at) in scope.names.iter().zip(0u32..) {
                let prefix = glob.literal_prefix();
                index.prefix_lengths.insert(prefix.len());
                index.by_prefix.entry(prefix.into()).or_default().push((number, at));
            }
            if scope.names.is_empty() {
                index.by_tag_only.push(number);
            }
        }
        index.scopes = scopes;
        index
    }

    /// Whether a scope says who owns what it holds.
    pub(crate) fn has_owners(&self, scope: u32) -> bool {
        self.get(scope).is_some_and(|scope| !scope.owners.is_empty())
    }

    /// All accounts, in order.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&(Plane, Arc<str>), &Account)> {
        let sorted: BTreeMap<&(Plane, Arc<str>), &Account> = self.accounts.iter().collect();
        sorted.into_iter()
    }

    pub(crate) const fn environments(&self) -> &BTreeMap<Arc<str>, Environment> {
        &self.environments
    }

    pub(crate) fn account(&self, plane: Plane, account: &Arc<str>) -> Option<&Account> {
        self.accounts.get(&(plane, Arc::clone(account)))
    }

    /// The strictest mode that any scope, account or environment names: in force where what is touched
    /// cannot be told.
    pub(crate) const fn strictest(&self) -> Option<Mode> {
        self.strictest
    }

    pub(crate) fn all(&self) -> &[Scope] {
        &self.scopes
    }

    fn get(&self, index: u32) -> Option<&Scope> {
        self.scopes.get(index as usize)
    }

    /// The scopes that may hold a match of a pattern.
    pub(crate) fn overlapping<'s>(&'s self, pattern: &'s Glob) -> impl Iterator<Item = &'s Scope> + 's {
        self.scopes.iter().filter(|scope| scope.names.iter().any(|glob| glob.overlaps(pattern)))
    }

    /// The scopes of Kubernetes that may hold some match of a pattern and not all of them, where nothing narrower
    /// says whose the matches are.
    pub(crate) fn within<'s>(
        &'s self,
        pattern: &'s str,
        whose: usize,
    ) -> impl Iterator<Item = &'s Scope> + 's {
        let holders = kubernetes::holders(pattern);
        let holds_some = move |glob: &Glob| {
            let some = |name: &str| kubernetes::meet(glob, name);
            kubernetes::narrowness(glob.as_str()) >= whose
                && !glob.matches(pattern)
                // Some of all namespaces are one's own, and so is all that lies there.
                && (some(pattern) || holders.iter().any(|holder| holder.contains('*') && some(holder)))
        };
        self.scopes.iter().filter(move |scope| scope.names.iter().any(&holds_some))
    }

    /// The scopes that hold a resource, the most specific first: also those that hold what it lies in.
    pub(crate) fn holding(&self, name: &str, tags: &[(Arc<str>, Arc<str>)]) -> Vec<u32> {
        let mut found: Vec<(usize, u32)> = Vec::new();
        self.matching(name, tags, &mut found);
        for holder in kubernetes::holders(name) {
            self.matching(&holder, tags, &mut found);
        }
        for number in &self.by_tag_only {
            if self.get(*number).is_some_and(|scope| !scope.tags.is_empty() && carries(scope, tags)) {
                add(&mut found, *number, 0);
            }
        }
        found.sort_by(|(left_rank, left), (right_rank, right)| {
            right_rank.cmp(left_rank).then_with(|| left.cmp(right))
        });
        found.into_iter().map(|(_, scope)| scope).collect()
    }

    fn matching(&self, name: &str, tags: &[(Arc<str>, Arc<str>)], found: &mut Vec<(usize, u32)>) {
        for (number, glob, length) in self.globs(name) {
            if self.get(number).is_some_and(|scope| carries(scope, tags)) {
                let narrow = if kubernetes::is_name(glob.as_str()) {
                    kubernetes::narrowness(glob.as_str())
                } else {
                    length
                };
                // One more than the text before the wildcard, so that tags alone rank last.
                add(found, number, narrow + 1);
            }
        }
    }

    /// The patterns that match a name, each with its scope and how much stands before its first wildcard.
    fn globs<'s>(&'s self, name: &'s str) -> impl Iterator<Item = (u32, &'s Glob, usize)> + 's {
        let lengths = self.prefix_lengths.iter().take_while(|length| **length <= name.len());
        lengths.filter_map(|length| Some((name.get(..*length)?, *length))).flat_map(
            move |(prefix, length)| {
                let numbered = self.by_prefix.get(prefix).into_iter().flatten();
                numbered.filter_map(move |(number, at)| {
                    let glob = self.get(*number)?.names.get(*at as usize)?;
                    glob.matches(name).then_some((*number, glob, length))
                })
            },
        )
    }

    /// Whether a scope that holds a name is narrower than the first so many bytes of it.
    pub(crate) fn narrower(&self, name: &str, than: usize) -> bool {
        let lengths = self.prefix_lengths.range(than + 1..);
        lengths
            .filter_map(|length| name.get(..*length))
            .filter_map(|prefix| self.by_prefix.get(prefix))
            .flatten()
            .any(|(number, at)| {
                let glob = self.get(*number).and_then(|scope| scope.names.get(*at as usize));
                glob.is_some_and(|glob| glob.matches(name))
            })
    }

    /// Whether a scope says whose something in a namespace is, and says it of less than all that lies there.
    pub(crate) fn narrower_than_namespace(&self, name: &str, namespace: &str) -> bool {
        let than = kubernetes::narrowness(namespace);
        self.globs(name).any(|(number, glob, _)| {
            self.get(number).is_some_and(|scope| !scope.owners.is_empty())
                && kubernetes::narrowness(glob.as_str()) > than
        })
    }

    /// How narrow the narrowest scope is that says whose a resource is; nothing where none does.
    pub(crate) fn whose(&self, name: &str) -> usize {
        let holders = kubernetes::holders(name);
        let names = std::iter::once(name).chain(holders.iter().map(String::as_str));
        let owned = |number: u32| self.get(number).is_some_and(|scope| !scope.owners.is_empty());
        names
            .flat_map(|name| self.globs(name).filter(|(number, ..)| owned(*number)).map(|(_, glob, _)| glob))
            .map(|glob| kubernetes::narrowness(glob.as_str()))
            .max()
            .unwrap_or_default()
    }

    /// What scopes, account and environment say about a resource, over what it says itself.
    pub(crate) fn stand(
        &self,
        own: Standing,
        plane: Option<Plane>,
        account: &Arc<str>,
        name: &str,
        tags: &[(Arc<str>, Arc<str>)],
    ) -> Standing {
        let mut standing = own;
        let held = self.holding(name, tags);
        let scopes = held.iter().filter_map(|index| self.get(*index));
        for scope in scopes {
            if standing.owners.is_empty() && !scope.owners.is_empty() {
                standing.owners.clone_from(&scope.owners);
                standing.owned_by = Some(Arc::from(format!("scope `{}`", scope.name)));
            }
            fill(&mut standing.system, scope.system.as_ref());
            fill(&mut standing.environment, scope.environment.as_ref());
            fill(&mut standing.tier, scope.tier.as_ref());
            // Scopes that overlap without one being in force alone: the strictest of them is.
            standing.mode = standing.mode.max(scope.mode);
            fill(&mut standing.creates, scope.creates.as_ref());
            standing.public |= scope.public;
            standing.scopes.push(Arc::clone(&scope.name));
        }
        let account = plane.and_then(|plane| self.account(plane, account));
        if let Some(account) = account {
            if standing.owners.is_empty() {
                standing.owners.clone_from(&account.owners);
                standing.owned_by = Some(Arc::from("account"));
            }
            fill(&mut standing.environment, account.environment.as_ref());
            fill(&mut standing.creates, account.creates.as_ref());
        }
        let named = standing.environment.as_ref().and_then(|name| self.environments.get(name));
        let environment = named.copied().unwrap_or_default();
        fill(&mut standing.tier, environment.tier.as_ref());
        fill(&mut standing.mode, environment.mode.as_ref());
        if let Some(account) = account {
            fill(&mut standing.tier, account.tier.as_ref());
            fill(&mut standing.mode, account.mode.as_ref());
        }
        standing
    }
}

fn add(found: &mut Vec<(usize, u32)>, scope: u32, rank: usize) {
    match found.iter_mut().find(|(_, other)| *other == scope) {
        Some((best, _)) => *best = (*best).max(rank),
        None => found.push((rank, scope)),
    }
}

fn carries(scope: &Scope, tags: &[(Arc<str>, Arc<str>)]) -> bool {
    let carried =
        |key: &Arc<str>, wanted: &Glob| tags.iter().any(|(tag, value)| tag == key && wanted.matches(value));
    scope.tags.iter().all(|(key, wanted)| carried(key, wanted))
}

fn fill<T: Clone>(slot: &mut Option<T>, value: Option<&T>) {
    if slot.is_none() {
        *slot = value.cloned();
    }
}
