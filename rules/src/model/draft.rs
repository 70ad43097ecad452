//! What sources say of one thing, put together: its owners above all, and whether they agree.
//!
//! Leaves out which documents say it (`estate.rs`), and what scopes say.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::Plane;

use super::Finding;
use super::estate::OWNER_TAGS;
use super::ownership::Ownership;
use super::people::People;
use super::reference::owner;
use crate::inventory::{Grants, Owners, Standing, Tier};
use crate::resolve::is_made;

#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) kind: Arc<str>,
    pub(super) plane: Option<Plane>,
    pub(super) account: Arc<str>,
    pub(super) region: Arc<str>,
    pub(super) identifiers: Vec<Arc<str>>,
    pub(super) tags: Vec<(Arc<str>, Arc<str>)>,
    pub(super) owners: Owners,
    pub(super) owned_by: Option<Arc<str>>,
    pub(super) system: Option<Arc<str>>,
    pub(super) environment: Option<Arc<str>>,
    pub(super) tier: Option<Tier>,
    pub(super) path: Option<String>,
    pub(super) provenance: u32,
    /// Tags of its source that say who owns it, beside those that do everywhere.
    pub(super) owner_tags: Arc<[String]>,
    /// What it may act on.
    pub(super) grants: Option<Grants>,
    /// Its name is one that its source made: it has none on its plane, or none that is known.
    pub(super) is_of_source: bool,
}

impl Draft {
    /// Who owns it by its own tags, where it does not say so itself.
    pub(super) fn owned_by_tag(&mut self, name: &str, people: &People, findings: &mut Vec<Finding>) {
        if !self.owners.is_empty() {
            return;
        }
        let tag = |key: &str| self.tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(key));
        let own = self.owner_tags.iter().map(String::as_str);
        for (key, value) in own.chain(OWNER_TAGS).filter_map(tag) {
            let named = owner(value);
            if people.knows(&named) {
                self.owned_by = Some(Arc::from(format!("tag `{key}`")));
                self.owners.push(named);
                return;
            }
            findings.push(Finding {
                source: name.to_owned(),
                text: format!("tag `{key}` says `{value}`, which is no declared group; declare the group"),
            });
        }
    }

    /// The same without what else the provider may know by it: a source without full names may have put several things into
    /// one.
    pub(super) fn joined(mut self) -> Self {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        self.identifiers.retain(|identifier| !is_made(identifier) && !is_number(identifier));
        self
    }

    /// Adds what another source says of the same thing.
    pub(super) fn merge(&mut self, name: &str, other: Self, source: &str, findings: &mut Vec<Finding>) {
        for owner in other.owners {
            if !self.owners.contains(&owner) {
                if !self.owners.is_empty() {
                    findings.push(Finding {
                        source: source.to_owned(),
                        text: format!(
                            "`{name}` belongs to `{}` by one source and to `{owner}` by another; both own it \
                             until one source is corrected",
                            self.owners.join("`, `"),
                        ),
                    });
                }
                self.owners.push(owner);
                self.owned_by = other.owned_by.clone();
            }
        }
        if let Some(granted) = other.grants {
            let own = self.grants.get_or_insert_default();
            own.all |= granted.all;
            for name in granted.names {
                if !own.names.contains(&name) {
                    own.names.push(name);
                }
            }
        }
        for identifier in other.identifiers {
            if *identifier != *name && !self.identifiers.contains(&identifier) {
                self.identifiers.push(identifier);
            }
        }
        for (key, value) in other.tags {
            if !self.tags.iter().any(|(known, _)| *known == key) {
                self.tags.push((key, value));
            }
        }
        // A plane's own word for a type says what requests mean, and a catalogue's does not.
        if !self.kind.contains(':') && other.kind.contains(':') {
            self.kind = other.kind;
        }
        self.system = self.system.take().or(other.system);
        self.environment = self.environment.take().or(other.environment);
        // The more critical of two tiers.
        self.tier = [self.tier, other.tier].into_iter().flatten().min();
        self.path = self.path.take().or(other.path);
        self.plane = self.plane.or(other.plane);
        if self.owner_tags.is_empty() {
            // They decide no more who owns it, and are told with what retags.
            self.owner_tags = other.owner_tags;
        }
    }
}

/// What a draft says of itself, and its system of all that belongs to it.
pub(super) fn of_system(draft: &Draft, systems: &BTreeMap<Arc<str>, Standing>) -> Standing {
    let mut own = Standing {
        owners: draft.owners.clone(),
        owned_by: draft.owned_by.clone(),
        system: draft.system.clone(),
        environment: draft.environment.clone(),
        tier: draft.tier,
        ..Standing::default()
    };
    if let Some(system) = draft.system.as_ref().and_then(|name| systems.get(name)) {
        if own.owners.is_empty() {
            own.owners.clone_from(&system.owners);
            own.owned_by.clone_from(&draft.system);
        }
        own.environment = own.environment.or_else(|| system.environment.clone());
        own.tier = own.tier.or(system.tier);
    }
    own
}

pub(super) fn owned_by_path(
    name: &str,
    draft: &mut Draft,
    ownership: &Ownership,
    findings: &mut Vec<Finding>,
) {
    let by_path = draft.path.as_deref().and_then(|path| ownership.of(path));
    let Some((owners, source)) = by_path else { return };
    if draft.owners.is_empty() {
        draft.owners = owners.into();
        draft.owned_by = Some(source);
    } else if draft.owners.as_slice() != owners {
        findings.push(Finding {
            source: name.to_owned(),
            text: format!(
                "`{}` owns it, and {source} says `{}`; the first counts, correct one of them",
                draft.owners.join("`, `"),
                owners.join("`, `"),
            ),
        });
    }
}
