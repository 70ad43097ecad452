//! What has been counted so far, as far as a decision depends on it.
//!
//! Leaves out where it is counted (the state engine). No rule counts anything yet: the seam is here so
//! that the order `needs → counters → judge → reserve` is fixed before one does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One thing that is counted, for example a budget's uses within a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterKey {
    /// The document that asks for it to be counted, for example `budget:deletes-per-day`.
    pub source: Arc<str>,
    /// Whom it is counted for: an actor, a team or a scope.
    pub subject: Arc<str>,
}

/// What must be known to judge an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CounterNeeds {
    keys: BTreeSet<CounterKey>,
}

impl CounterNeeds {
    /// Nothing needs to be fetched: the decision awaits nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What to fetch, in a fixed order.
    pub fn keys(&self) -> impl Iterator<Item = &CounterKey> {
        self.keys.iter()
    }
}

/// What was counted when the decision was made; part of its record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    values: BTreeMap<CounterKey, u64>,
}

impl Counters {
    /// Nothing counted.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: BTreeMap::new() }
    }

    /// Sets one count.
    pub fn set(&mut self, key: CounterKey, value: u64) {
        self.values.insert(key, value);
    }

    /// One count; `None` when it was not fetched.
    #[must_use]
    pub fn get(&self, key: &CounterKey) -> Option<u64> {
        self.values.get(key).copied()
    }

    /// All counts, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&CounterKey, u64)> {
        self.values.iter().map(|(key, value)| (key, *value))
    }

    /// The first count that is needed and was not fetched.
    pub(crate) fn missing<'n>(&self, needs: &'n CounterNeeds) -> Option<&'n CounterKey> {
        needs.keys.iter().find(|key| !self.values.contains_key(key))
    }
}
