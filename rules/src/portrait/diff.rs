//! What another version of a model says otherwise.
//!
//! Leaves out how its files differ.

use std::sync::Arc;

use super::{Fields, Sort, of};
use crate::Snapshot;

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Only the new model has it.
    Added,
    /// Only the old one has it.
    Removed,
    /// Both have it and say other things of it.
    Changed,
}

impl Change {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One thing of which two models do not say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What sort of thing.
    pub sort: Sort,
    /// Its name.
    pub name: Arc<str>,
    /// How it differs.
    pub change: Change,
    /// What is said of it: the word for it, what the old model says and what the new one says; empty where it says nothing.
    pub fields: Vec<(&'static str, String, String)>,
}

/// Everything that two models say differently, by sort and name.
#[must_use]
pub fn diff(old: &Snapshot, new: &Snapshot) -> Vec<Difference> {
    let (old, new) = (of(old), of(new));
    let mut found = Vec::new();
    let nothing = Fields::new();
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in names {
        let change = match (old.get(key), new.get(key)) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        };
        let (before, after) = (old.get(key).unwrap_or(&nothing), new.get(key).unwrap_or(&nothing));
        found.push(Difference {
            sort: key.0,
            name: Arc::clone(&key.1),
            change,
            fields: differing(before, after),
        });
    }
    found
}

/// What two say of the same thing and do not agree on.
pub(super) fn differing(before: &Fields, after: &Fields) -> Vec<(&'static str, String, String)> {
    let names: std::collections::BTreeSet<&&str> = before.keys().chain(after.keys()).collect();
    let said = |fields: &Fields, name: &str| fields.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| (*name, said(before, name), said(after, name)))
        .filter(|(_, before, after)| before != after)
        .collect()
}
