//! The live inventory: what was created through the gate, folded from the outcomes in the ledger.
//!
//! Leaves out what the model declares (`inventory/`) and who owns a fact: the owner is the scope it was
//! created in, looked up when it is judged, so that a change of the model's owners reaches it too.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::{Access, Action, Created, Outcome, Plane, Reading, Resource, Role};

/// One resource that was created through the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFact {
    /// The plane it is on.
    pub plane: Plane,
    /// The account, tenant or cluster it is in.
    pub account: Arc<str>,
    /// The region it was created in; empty for a global service.
    pub region: Arc<str>,
    /// Its type, for example `ec2:instance`.
    pub kind: Arc<str>,
    /// The identifier the upstream gave it, or its canonical name where the caller chose that.
    pub identifier: String,
    /// What it was created in: the parents of the creating effect.
    pub within: Vec<Resource>,
    /// What it was created with: what the creating effect uses.
    pub uses: Vec<Resource>,
    /// The party that created it.
    pub actor: Arc<str>,
    /// The ledger's sequence number of the outcome that says so.
    pub sequence: u64,
}

/// Everything created through the gate up to one sequence number of the ledger.
///
/// The same outcomes in the same order make the same inventory, so a decision that records
/// [`LiveInventory::sequence`] can be made again. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct LiveInventory {
    facts: Arc<BTreeMap<Box<str>, Arc<LiveFact>>>,
    inside: Arc<BTreeMap<Box<str>, Vec<Arc<LiveFact>>>>,
    sequence: u64,
}

impl LiveInventory {
    /// Nothing was created yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The sequence number of the last outcome folded in; zero before the first.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many resources there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// All of them, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &LiveFact> {
        self.facts.values().map(AsRef::as_ref)
    }

    /// Folds the outcome of a recorded action in: what its answer says was created, and what a create
    /// that succeeded was told to name. Anything but a success adds nothing.
    pub fn apply_outcome(&mut self, action: &Action, outcome: &Outcome, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
        let created = match outcome {
            Outcome::Answered { status, created, .. } if (200..300).contains(status) => created,
            Outcome::Answered { .. } | Outcome::NotSent { .. } | Outcome::Unknown { .. } => return,
        };
        for created in created {
            self.apply(created, action, sequence);
        }
        let Reading::Call(call) = &action.reading else { return };
        for effect in call.effects.iter().filter(|effect| effect.access == Access::Create) {
            let named = |resource: &&Resource| {
                resource.role == Role::Target && !resource.pattern && is_own_name(&resource.name)
            };
            for target in effect.resources.iter().filter(named) {
                let created = Created {
                    kind: Arc::clone(&target.kind),
                    member: Arc::from("name"),
                    identifier: target.name.clone(),
                };
                self.apply(&created, action, sequence);
            }
        }
    }

    /// Adds one resource that an answer says was created.
    pub fn apply(&mut self, created: &Created, action: &Action, sequence: u64) {
        let Reading::Call(call) = &action.reading else { return };
        let in_role = |role: Role| -> Vec<Resource> {
            let creating = call.effects.iter().filter(|effect| effect.access == Access::Create);
            let all = creating.flat_map(|effect| &effect.resources);
            let in_role = all.filter(|resource| resource.role == role && !resource.pattern);
            in_role.cloned().collect()
        };
        self.add(LiveFact {
            plane: call.plane,
            account: Arc::clone(&action.actor.upstream.account),
            region: Arc::clone(&call.region),
            kind: Arc::clone(&created.kind),
            identifier: created.identifier.clone(),
            within: in_role(Role::Parent),
            uses: in_role(Role::Uses),
            actor: Arc::clone(&action.actor.party.name),
            sequence,
        });
    }

    /// Adds a fact as it was read back from the ledger.
    pub fn add(&mut self, fact: LiveFact) {
        self.sequence = self.sequence.max(fact.sequence);
        let fact = Arc::new(fact);
        let key = alias(fact.plane, &fact.account, &fact.region, &fact.kind, &fact.identifier);
        let inside = Arc::make_mut(&mut self.inside);
        for holder in fact.within.iter().chain(&fact.uses) {
            for key in keys_of(fact.plane, &fact.account, &fact.region, holder) {
                inside.entry(key.into()).or_default().push(Arc::clone(&fact));
            }
        }
        Arc::make_mut(&mut self.facts).insert(key.into(), fact);
    }

    /// The fact about a resource, by its raw identifier or its canonical name.
    pub(crate) fn get(
        &self,
        plane: Plane,
        account: &str,
        region: &str,
        kind: &str,
        identifier: &str,
    ) -> Option<&Arc<LiveFact>> {
        self.facts.get(alias(plane, account, region, kind, identifier).as_str())
    }

    /// What was created in or with the holder known by a key of [`keys_of`].
    pub(crate) fn inside(&self, key: &str) -> &[Arc<LiveFact>] {
        self.inside.get(key).map_or(&[], Vec::as_slice)
    }
}

/// The key of a resource known by a raw identifier.
pub(crate) fn alias(plane: Plane, account: &str, region: &str, kind: &str, identifier: &str) -> String {
    [plane.as_str(), account, region, kind, identifier].join("|")
}

/// Every key a resource of a request is known by: its canonical name, then its raw identifiers.
pub(crate) fn keys_of(plane: Plane, account: &str, region: &str, resource: &Resource) -> Vec<String> {
    let mut keys = Vec::new();
    if !resource.name.is_empty() {
        keys.push(resource.name.clone());
    }
    for identifier in &resource.identifiers {
        keys.push(alias(plane, account, region, &resource.kind, &identifier.value));
    }
    keys
}

/// A name that says which resource is meant, not only that one of a type is: no wildcard stands in it.
fn is_own_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['*', '?', '{'])
}
