//! Whether two estates fit together: whose things are claimed twice, who is who under two names, which rules contradict.
//!
//! Leaves out putting them together, which is to load the files of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diff::differing;
use super::{Portrait, Sort, of};
use crate::Snapshot;
use crate::inventory::{Entry, Inventory};
use crate::model::Model;
use crate::resolve::is_made;

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// Both say who owns something, and not the same.
    Ownership,
    /// What seem to be two is one, or what seems to be one is two.
    Identity,
    /// Both say something of the same, and not the same.
    Contradiction,
}

impl ConflictKind {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ownership => "ownership",
            Self::Identity => "identity",
            Self::Contradiction => "contradiction",
        }
    }
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// How it does not.
    pub kind: ConflictKind,
    /// What sort of thing it is about.
    pub sort: Sort,
    /// Its name.
    pub name: Arc<str>,
    /// What is so, and what to do, for a person.
    pub text: String,
}

/// Everything that does not fit between two models, sorted.
#[must_use]
pub fn merge(own: &Snapshot, other: &Snapshot) -> Vec<Conflict> {
    let mut conflicts = said_twice(&of(own), &of(other));
    if let (Some(own), Some(other)) = (own.model(), other.model()) {
        conflicts.extend(identities(&own.inventory, &other.inventory));
        conflicts.extend(people(own, other));
        conflicts.extend(scopes(own, other));
    }
    conflicts.sort();
    conflicts.dedup();
    conflicts
}

/// What both say something of under one name.
fn said_twice(own: &Portrait, other: &Portrait) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for ((sort, name), said) in own {
        let Some(others) = other.get(&(*sort, Arc::clone(name))) else { continue };
        for (field, ours, theirs) in differing(said, others) {
            let conflict = |kind, text| Conflict { kind, sort: *sort, name: Arc::clone(name), text };
            conflicts.extend(match (*sort, field) {
                // What one does not say the other adds; what lists say adds up.
                (Sort::Thing, "identifiers" | "tags" | "relations") => None,
                (Sort::Thing, _) if ours.is_empty() || theirs.is_empty() => None,
                (Sort::Thing | Sort::Account | Sort::Scope, "owners") => Some(conflict(
                    ConflictKind::Ownership,
                    format!("owned by `{ours}` here and by `{theirs}` there; let one source say who owns it"),
                )),
                (Sort::Group, _) => Some(conflict(
                    ConflictKind::Identity,
                    format!(
                        "two groups of this name, with `{field}` {} here and {} there; call one of them otherwise",
                        shown(&ours),
                        shown(&theirs)
                    ),
                )),
                (Sort::Actor, _) => Some(conflict(
                    ConflictKind::Identity,
                    format!(
                        "two actors of this name, with `{field}` {} here and {} there; if they are one, declare it once, \
                         else call one of them otherwise",
                        shown(&ours),
                        shown(&theirs)
                    ),
                )),
                (_, _) => Some(conflict(
                    ConflictKind::Contradiction,
                    format!("`{field}` is {} here and {} there; keep one", shown(&ours), shown(&theirs)),
                )),
            });
        }
    }
    conflicts
}

fn shown(text: &str) -> String {
    if text.is_empty() { "not said".to_owned() } else { format!("`{text}`") }
}

/// Things that have other names in the other estate, by what the provider made for one of them alone.
fn identities(own: &Inventory, other: &Inventory) -> Vec<Conflict> {
    let mut by_identifier: BTreeMap<(&str, &str), &Entry> = BTreeMap::new();
    let made = |entry: &'_ Entry| entry.plane.is_some();
    for entry in own.entries().iter().filter(|entry| made(entry)) {
        for identifier in entry.identifiers.iter().filter(|identifier| is_made(identifier)) {
            by_identifier.insert((&entry.account, identifier), entry);
        }
    }
    let mut conflicts = Vec::new();
    for entry in other.entries().iter().filter(|entry| made(entry)) {
        for identifier in &entry.identifiers {
            let Some(same) = by_identifier.get(&(&*entry.account, &**identifier)) else { continue };
            if same.name != entry.name {
                conflicts.push(Conflict {
                    kind: ConflictKind::Identity,
                    sort: Sort::Thing,
                    name: Arc::clone(&same.name),
                    text: format!(
                        "it is `{}` there, by the identifier `{identifier}`; give both the one full name",
                        entry.name
                    ),
                });
            }
        }
    }
    conflicts
}

/// People who have two names, by their address.
fn people(own: &Model, other: &Model) -> Vec<Conflict> {
    let same = own.people.emails.iter().filter_map(|(address, name)| {
        let there = other.people.emails.get(address).filter(|there| *there != name)?;
        Some(Conflict {
            kind: ConflictKind::Identity,
            sort: Sort::Actor,
            name: Arc::clone(name),
            text: format!("`{address}` is `{there}` there; declare the person under one name"),
        })
    });
    same.collect()
}

/// Scopes of other names that hold the same and say other things of it.
fn scopes(own: &Model, other: &Model) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for ours in own.scopes.all() {
        for theirs in other.scopes.all().iter().filter(|theirs| theirs.name != ours.name) {
            let same: BTreeSet<_> = ours.names.iter().filter(|name| theirs.names.contains(name)).collect();
            let Some(name) = same.first() else { continue };
            if ours.tags != theirs.tags {
                continue;
            }
            let kind = if ours.owners == theirs.owners {
                let agree = (ours.mode, ours.tier, &ours.environment, &ours.creates, ours.public)
                    == (theirs.mode, theirs.tier, &theirs.environment, &theirs.creates, theirs.public);
                if agree {
                    continue;
                }
                ConflictKind::Contradiction
            } else {
                ConflictKind::Ownership
            };
            conflicts.push(Conflict {
                kind,
                sort: Sort::Scope,
                name: Arc::clone(&ours.name),
                text: format!(
                    "`{}` is held by scope `{}` there, which says otherwise; keep one",
                    name.as_str(),
                    theirs.name
                ),
            });
        }
    }
    conflicts
}
