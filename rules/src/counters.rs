//! What has been counted so far, as far as a decision depends on it, and what the decision adds to it.
//!
//! Leaves out where it is counted (the state engine) and what asks for it (`judge/budgets.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::Digest;

use crate::Granted;

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

/// One of the uses of a key, for one request and its repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Of what: a call of a change, an approval, a grant.
    pub key: CounterKey,
    /// The request that it is used for.
    pub request: Digest,
    /// How many uses there are.
    pub uses: u64,
    /// The request carries a token by which the upstream does it once, however often it is sent.
    pub honoured: bool,
    /// What the upstream refused before it took effect is free for another request too.
    pub rebinds: bool,
    /// How long it stays used; for ever, where nothing is said.
    pub kept: Option<Duration>,
}

/// Why nothing of a key could be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// All of it is used.
    Up,
    /// The same request is being carried out.
    InFlight,
    /// The same request was sent, and nobody knows what became of it.
    Unknown,
    /// What was used of it cannot be read or written now.
    Uncounted,
}

impl Used {
    const ALL: [Self; 4] = [Self::Up, Self::InFlight, Self::Unknown, Self::Uncounted];

    /// The word used in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::InFlight => "in_flight",
            Self::Unknown => "unknown",
            Self::Uncounted => "uncounted",
        }
    }

    /// Reads the word written by [`Used::as_str`]; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|used| used.as_str() == word)
    }
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
    used: BTreeMap<CounterKey, Used>,
    granted: Option<Box<Granted>>,
}

impl Counters {
    /// Nothing counted.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: BTreeMap::new(), used: BTreeMap::new(), granted: None }
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

    /// The key that stands for all that could be used.
    #[must_use]
    pub fn any_use() -> CounterKey {
        CounterKey { source: Arc::from("change:*"), subject: Arc::from("*") }
    }

    /// Says that nothing of a key could be used.
    pub fn refuse(&mut self, key: CounterKey, why: Used) {
        self.used.insert(key, why);
    }

    /// Why nothing of a key could be used; `None` where that was not tried, or not refused.
    #[must_use]
    pub fn used(&self, key: &CounterKey) -> Option<Used> {
        if self.used.is_empty() {
            return None;
        }
        self.used.get(key).or_else(|| self.used.get(&Self::any_use())).copied()
    }

    /// Says what people answered to the request's hold.
    pub fn grant(&mut self, granted: Option<Box<Granted>>) {
        self.granted = granted;
    }

    /// What people answered to the request's hold; `None` where it has none.
    #[must_use]
    pub fn granted(&self) -> Option<&Granted> {
        self.granted.as_deref()
    }

    /// All that could not be used, in a fixed order.
    pub fn refused(&self) -> impl Iterator<Item = (&CounterKey, Used)> {
        self.used.iter().map(|(key, why)| (key, *why))
    }

    /// All counts, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&CounterKey, Counted)> {
        self.values.iter().map(|(key, value)| (key, *value))
    }
}
