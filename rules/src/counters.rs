//! What has been counted so far, as far as a decision depends on it, and what the decision adds to it.
//!
//! Leaves out where it is counted (the state engine) and what asks for it (`judge/budgets.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// One thing that is counted, for example a budget's uses within a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterKey {
    /// The document that asks for it to be counted, for example `budget:deletes-per-day`.
    pub source: Arc<str>,
    /// Whom it is counted for: an actor, a session or `all`.
    pub subject: Arc<str>,
}

/// How much stands counted, and when the first of it is counted no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// How much.
    pub value: u64,
    /// When the oldest of it leaves the window; `None` where nothing is counted, or it never does.
    pub until: Option<Timestamp>,
}

/// What an admitted action takes of something that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Of what.
    pub key: CounterKey,
    /// How much.
    pub amount: u64,
    /// The most that may stand counted at once, with it.
    pub limit: u64,
    /// How long it stays counted.
    pub window: Duration,
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

impl FromIterator<CounterKey> for CounterNeeds {
    fn from_iter<I: IntoIterator<Item = CounterKey>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect() }
    }
}

/// What was counted when the decision was made; part of its record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    values: BTreeMap<CounterKey, Counted>,
}

impl Counters {
    /// Nothing counted.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: BTreeMap::new() }
    }

    /// Sets one count.
    pub fn set(&mut self, key: CounterKey, counted: Counted) {
        self.values.insert(key, counted);
    }

    /// One count; `None` when it was not fetched.
    #[must_use]
    pub fn get(&self, key: &CounterKey) -> Option<Counted> {
        self.values.get(key).copied()
    }

    /// All counts, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&CounterKey, Counted)> {
        self.values.iter().map(|(key, value)| (key, *value))
    }
}
