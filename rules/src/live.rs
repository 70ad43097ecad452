//! The live inventory: what was created through the gate, folded from the outcomes in the ledger.
//!
//! Leaves out what the model declares (`inventory/`) and who owns a fact: the owner is the scope it was
//! created in, looked up when it is judged, so that a change of the model's owners reaches it too.

use std::sync::Arc;

use ordain_action::{
    Access, Action, Call, Created, Digest, Effect, Level, NameBasis, Outcome, Plane, Reading, Resource, Role,
};
use rpds::RedBlackTreeMapSync;

use crate::kubernetes::{self, Name, Operation, creates};
use crate::resolve::is_completed;

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
    /// It certainly was not there before: a request that sets a thing may find it there, and makes nobody its creator.
    pub is_new: bool,
    /// The item of a change that it was created for.
    pub item: Option<CarriedOut>,
}

/// The item of a change that a request carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedOut {
    /// The change.
    pub change: Arc<str>,
    /// The digest of its body.
    pub digest: Digest,
    /// The item's id.
    pub item: Arc<str>,
    /// Which of the item's calls it was, counted from zero.
    pub call: u32,
    /// What the upstream's answer says was created is the item.
    pub creates: bool,
}

impl CarriedOut {
    fn key(digest: Digest, item: &str) -> String {
        [&digest.to_hex(), item].join("#")
    }
}

/// Everything created through the gate up to one sequence number of the ledger.
///
/// The same outcomes in the same order make the same inventory, so a decision that records
/// [`LiveInventory::sequence`] can be made again. Cloning is cheap, and so is adding to a clone: both share what
/// they have in common.
#[derive(Debug, Clone, Default)]
pub struct LiveInventory {
    facts: Facts,
    count: usize,
    inside: Facts,
    /// By the item of a change that they were created for.
    made: Facts,
    sequence: u64,
}

type Facts = RedBlackTreeMapSync<Box<str>, Vec<Arc<LiveFact>>>;

/// What the outcome of a recorded action says was created: what its answer names, and what a create that succeeded
/// was told to name. Anything but a success created nothing.
#[must_use]
pub fn created_by(action: &Action, outcome: &Outcome) -> Vec<Created> {
    let mut all = match outcome {
        Outcome::Answered { status, created, .. } if (200..300).contains(status) => created.clone(),
        Outcome::Answered { .. }
        | Outcome::Streamed { .. }
        | Outcome::NotSent { .. }
        | Outcome::Unknown { .. } => return Vec::new(),
    };
    let answer_names = !all.is_empty();
    let Reading::Call(call) = &action.reading else { return Vec::new() };
    if call.plane == Plane::Kubernetes {
        return created_in_cluster(action, call, outcome, &all);
    }
    for effect in call.effects.iter().filter(|effect| effect.access == Access::Create) {
        for target in effect.resources.iter().filter(|resource| resource.role == Role::Target) {
            // A name that the provider completes is known by what was given, where the answer says no more.
            let identifier = match target.identifiers.first() {
                Some(given) if target.pattern && !answer_names && is_completed(target) => given.value.clone(),
                Some(_) | None if !target.pattern && is_own_name(&target.name) => target.name.clone(),
                Some(_) | None => continue,
            };
            all.push(Created { kind: Arc::clone(&target.kind), member: Arc::from("name"), identifier });
        }
    }
    all
}

/// What is new in a cluster, under its canonical name: the answer says only the last part of that.
fn created_in_cluster(action: &Action, call: &Call, outcome: &Outcome, answered: &[Created]) -> Vec<Created> {
    let cluster = &action.actor.upstream.account;
    let mut all: Vec<Created> = Vec::new();
    for effect in call.effects.iter().filter(|effect| makes(effect, outcome)) {
        let targets = effect.resources.iter().filter(|resource| resource.role == Role::Target);
        let mut places = effect.resources.iter().filter(|resource| resource.role != Role::Uses);
        let namespace = places.find_map(|place| Name::parse(&place.name)?.namespace);
        let mut names: Vec<(Arc<str>, String)> = targets
            .clone()
            .filter(|target| !target.pattern && is_own_name(&target.name))
            .map(|target| (Arc::clone(&target.kind), target.name.clone()))
            .collect();
        for created in answered {
            let Some((group, resource)) = created.kind.split_once(':') else { continue };
            let of_effect = *effect.service == *group
                && Operation::of(effect).is_some_and(|operation| operation.resource == resource);
            if !of_effect || (created.identifier.contains('/') && !kubernetes::is_name(&created.identifier)) {
                continue;
            }
            let name = if kubernetes::is_name(&created.identifier) {
                created.identifier.clone()
            } else {
                let within = namespace.filter(|_| *created.kind != *kubernetes::NAMESPACES);
                kubernetes::object_name(cluster, (group, resource), within, &created.identifier)
            };
            names.push((Arc::clone(&created.kind), name));
        }
        for (kind, identifier) in names {
            if !all.iter().any(|other| other.identifier == identifier) {
                all.push(Created { kind, member: Arc::from("name"), identifier });
            }
        }
    }
    all
}

/// The effect made an object: it creates, or it set one that was not there, which the status says.
fn makes(effect: &Effect, outcome: &Outcome) -> bool {
    let new = matches!(outcome, Outcome::Answered { status: 201, .. });
    let sets = |operation: Operation<'_>| new && operation.writes() && operation.subresource.is_none();
    let makes = |operation: Operation<'_>| operation.creates() || sets(operation);
    effect.access.is_change() && Operation::of(effect).is_some_and(makes)
}

/// The outcome says that something is new: it answers so, or the call could do nothing but create.
fn is_new(call: &Call, outcome: &Outcome) -> bool {
    let says = matches!(outcome, Outcome::Answered { status: 201, .. });
    let sets = call.effects.iter().any(|effect| match effect.access {
        Access::Update | Access::Grant | Access::Expose => effect.level == Level::Control,
        Access::Read
        | Access::Create
        | Access::Delete
        | Access::Execute
        | Access::Tag
        | Access::SecretRead => false,
    });
    says || !sets
}

/// What an object lies in: its namespace, or its cluster.
fn holder_of(name: &str) -> Option<Resource> {
    let holder = kubernetes::holders(name).into_iter().next()?;
    let cluster = kubernetes::is_cluster(&holder);
    Some(Resource {
        role: Role::Parent,
        kind: Arc::from(if cluster { kubernetes::CLUSTERS } else { kubernetes::NAMESPACES }),
        name: holder,
        basis: if cluster { NameBasis::Scope } else { NameBasis::Reviewed },
        pattern: false,
        identifiers: Vec::new(),
    })
}

impl LiveInventory {
    /// Nothing was created yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The sequence number of the last outcome that added something; zero before the first.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many resources there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// There are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All of them, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &LiveFact> {
        let own = self
            .facts
            .iter()
            .flat_map(|(key, facts)| facts.iter().filter(move |fact| own_key(fact).as_str() == key.as_ref()));
        own.map(AsRef::as_ref)
    }

    /// Folds the outcome of a recorded action in: [`created_by`] says what of it is added. `item` is what of a change it
    /// carried out.
    pub fn apply_outcome(
        &mut self,
        action: &Action,
        outcome: &Outcome,
        item: Option<&CarriedOut>,
        sequence: u64,
    ) {
        for created in created_by(action, outcome) {
            self.apply(&created, action, outcome, item, sequence);
        }
    }

    /// Adds one resource that an answer says was created.
    pub fn apply(
        &mut self,
        created: &Created,
        action: &Action,
        outcome: &Outcome,
        item: Option<&CarriedOut>,
        sequence: u64,
    ) {
        let Reading::Call(call) = &action.reading else { return };
        let in_cluster = kubernetes::is_name(&created.identifier);
        let is_creating =
            |effect: &&Effect| effect.access == Access::Create || (in_cluster && creates(effect));
        let in_role = |role: Role| -> Vec<Resource> {
            let creating = call.effects.iter().filter(is_creating);
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
            within: if in_cluster {
                holder_of(&created.identifier).into_iter().collect()
            } else {
                in_role(Role::Parent)
            },
            uses: in_role(Role::Uses),
            actor: Arc::clone(&action.actor.party.name),
            sequence,
            is_new: is_new(call, outcome),
            item: item.filter(|item| item.creates).cloned(),
        });
    }

    /// Adds a fact as it was read back from the ledger.
    pub fn add(&mut self, mut fact: LiveFact) {
        self.sequence = self.sequence.max(fact.sequence);
        // Who made it the first time made it.
        let own = self.facts.get(own_key(&fact).as_str()).into_iter().flatten();
        let first = |other: &&Arc<LiveFact>| other.kind == fact.kind && other.identifier == fact.identifier;
        if let Some(known) = own.into_iter().find(first) {
            (fact.actor, fact.is_new) = (Arc::clone(&known.actor), known.is_new);
        }
        let fact = Arc::new(fact);
        let keys = fact.keys();
        // An answer may be folded in twice (a replay): the later fact stands in the place of the earlier.
        let same = |other: &Arc<LiveFact>| other.kind == fact.kind && other.identifier == fact.identifier;
        let known = self.facts.get(own_key(&fact).as_str()).is_some_and(|known| known.iter().any(same));
        self.count += usize::from(!known);
        let add = |facts: &mut Facts, key: String| {
            let others = facts.get(key.as_str()).into_iter().flatten().filter(|other| !same(other));
            let all = others.chain([&fact]).map(Arc::clone).collect();
            facts.insert_mut(key.into(), all);
        };
        for key in keys {
            add(&mut self.facts, key);
        }
        if let Some(item) = &fact.item {
            add(&mut self.made, CarriedOut::key(item.digest, &item.item));
        }
        for holder in fact.within.iter().chain(&fact.uses) {
            for key in keys_of(fact.plane, &fact.account, &fact.region, holder) {
                add(&mut self.inside, key);
            }
        }
    }

    /// The facts about a resource, by its raw identifier or its canonical name. Two of one service may
    /// share an identifier; then both may be meant.
    pub(crate) fn get(
        &self,
        plane: Plane,
        account: &str,
        region: &str,
        kind: &str,
        identifier: &str,
    ) -> &[Arc<LiveFact>] {
        if self.count == 0 {
            return &[];
        }
        let key = alias(plane, account, region, service(kind), identifier);
        self.facts.get(key.as_str()).map_or(&[], Vec::as_slice)
    }

    /// What answers said was created for an item of a change.
    pub(crate) fn made_for(&self, digest: Digest, item: &str) -> &[Arc<LiveFact>] {
        if self.made.is_empty() {
            return &[];
        }
        self.made.get(CarriedOut::key(digest, item).as_str()).map_or(&[], Vec::as_slice)
    }

    /// What was created in or with the holder known by a key of [`keys_of`].
    pub(crate) fn inside(&self, key: &str) -> &[Arc<LiveFact>] {
        self.inside.get(key).map_or(&[], Vec::as_slice)
    }
}

impl LiveFact {
    /// Every key it is known by: its identifier, and where that is a whole ARN the identifier in it.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = vec![own_key(self)];
        if kubernetes::is_name(&self.identifier) {
            // What lies in it knows it by its whole name.
            keys.push(self.identifier.clone());
        }
        if self.identifier.starts_with("arn:") {
            let last = self.identifier.rsplit([':', '/']).next().unwrap_or_default();
            keys.push(alias(self.plane, &self.account, &self.region, service(&self.kind), last));
            if let Some(given) = given_name(&self.identifier) {
                keys.push(alias(self.plane, &self.account, &self.region, service(&self.kind), given));
            }
        }
        keys
    }
}

/// The name that a request gave, where the provider put a part of its own behind it.
fn given_name(arn: &str) -> Option<&str> {
    if let Some((_, own)) = arn.split_once(":secret:") {
        return own.rsplit_once('-').map(|(name, _)| name);
    }
    let own = arn.split_once(":stack/").or_else(|| arn.split_once(":changeSet/")).map(|(_, own)| own);
    let own = own.and_then(|own| own.split_once('/')).map(|(name, _)| name);
    own.or_else(|| {
        arn.split_once(":task-definition/").and_then(|(_, own)| own.split_once(':')).map(|(name, _)| name)
    })
}

fn own_key(fact: &LiveFact) -> String {
    alias(fact.plane, &fact.account, &fact.region, service(&fact.kind), &fact.identifier)
}

/// The service of a type: `ec2` of `ec2:instance`. The vocabularies of the provider do not agree on more.
pub(crate) fn service(kind: &str) -> &str {
    kind.split(':').next().unwrap_or(kind)
}

/// The key of a resource known by a raw identifier, within a type or a service.
pub(crate) fn alias(plane: Plane, account: &str, region: &str, kind: &str, identifier: &str) -> String {
    // Two names of this service that differ in case alone cannot be.
    let folded = (service(kind) == "iam").then(|| identifier.to_ascii_lowercase());
    [plane.as_str(), account, region, kind, folded.as_deref().unwrap_or(identifier)].join("|")
}

/// Every key a resource of a request is known by: its canonical name, then its raw identifiers.
pub(crate) fn keys_of(plane: Plane, account: &str, region: &str, resource: &Resource) -> Vec<String> {
    let mut keys = Vec::new();
    if !resource.name.is_empty() {
        keys.push(resource.name.clone());
    }
    for identifier in &resource.identifiers {
        keys.push(alias(plane, account, region, service(&resource.kind), &identifier.value));
    }
    keys
}

/// A name that says which resource is meant, not only that one of a type is: no wildcard stands in it.
fn is_own_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['*', '?', '{'])
}
