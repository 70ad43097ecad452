//! The walk from what a change names to all it reaches, the gravest first, each thing once.
//!
//! Leaves out what relations mean (`wave.rs`) and what the reached things add up to (`mod.rs`).

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use ordain_action::{Plane, Scalar};

use super::Start;
use super::wave::Wave;
use crate::glob::Glob;
use crate::inventory::{EdgeKind, Entry, expands, is_principal};
use crate::live::{LiveFact, alias, keys_of, service};
use crate::resolve::{Estate, Known, PATTERNS_MAX, Site};
use crate::{azure, grants};

/// The most things that are reached before the walk ends; more are over any limit.
pub(super) const WALK_MAX: usize = 10_000;

/// The most that is followed to find what an authority is over.
const AUTHORITY_MAX: usize = 256;

/// Something that was reached.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// The model declares it.
    Entry(u32),
    /// It was created through the gate.
    Live(Arc<LiveFact>),
    /// Nobody declared it, and its id still says what lies in it.
    Id(Arc<str>),
    /// An account, project or cluster as a whole.
    Whole(Plane, Arc<str>),
}

/// One step of the walk: what was reached, from which step by which relation, and what happens to it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) node: Node,
    pub(super) from: Option<usize>,
    pub(super) by: Option<EdgeKind>,
    pub(super) depth: usize,
    pub(super) wave: Wave,
    /// The effect that it began with.
    pub(super) effect: usize,
    /// What goes with it is deleted by the plane itself: it does not refuse because there is something.
    pub(super) sweeps: bool,
    /// What it began with deletes things of this sort, and keeps no copy.
    pub(super) loses: bool,
    /// It leads to something, and nothing happens to it.
    pub(super) only_leads: bool,
}

/// All steps so far, the targets first.
#[derive(Debug)]
pub(super) struct Walk<'w> {
    estate: &'w Estate<'w>,
    pub(super) steps: Vec<Step>,
    /// Something was left out.
    pub(super) more: bool,
    /// Things reached, without those that only lead to others.
    pub(super) reached: u64,
    seen: Seen,
    /// What happens to all of it, as it does to what lies in it.
    whole: Seen,
    /// Of whom it was told already what they are over.
    told: HashSet<u32>,
    /// Something may be acted on that acts on others itself.
    lends_on: bool,
}

impl<'w> Walk<'w> {
    pub(super) fn new(estate: &'w Estate<'w>) -> Self {
        let entries = estate.model.inventory.entries().len();
        Self {
            estate,
            steps: Vec::new(),
            more: false,
            reached: 0,
            seen: Seen::of(entries),
            whole: Seen::of(entries),
            told: HashSet::new(),
            lends_on: false,
        }
    }

    /// Marks a target, so that one which depends on another is not counted as its dependant too. Whether it is seen for the
    /// first time.
    pub(super) fn target(&mut self, site: &Site) -> bool {
        match node_of(self.estate, site) {
            Some(node) => self.seen.first(&node),
            None => self.seen.names.insert(site.name.clone()),
        }
    }

    /// Begins at a target.
    pub(super) fn begin(&mut self, site: &Site, wave: Wave, effect: usize, loses: bool) {
        if let Some(node) = node_of(self.estate, site) {
            // What AWS holds together it does not delete while there is something in it, but for what is there to do so.
            if wave.takes_parts() {
                self.whole.first(&node);
            }
            let whole = matches!(node, Node::Whole(..));
            let sweeps = whole || self.estate.plane != Plane::Aws || expands(&site.kind);
            self.steps.push(Step {
                node,
                from: None,
                by: None,
                depth: 0,
                wave,
                effect,
                sweeps,
                loses,
                only_leads: false,
            });
        }
    }

    /// Follows everything from what was begun with.
    pub(super) fn spread(&mut self) {
        for wave in [Wave::Gone, Wave::Empowered, Wave::Affected] {
            let mut at = 0;
            while let Some(step) = self.steps.get(at) {
                let (node, of) = (step.node.clone(), step.wave);
                let go_on = match node {
                    Node::Entry(index) => self.past_entry(at, index, of, wave),
                    Node::Live(fact) => fact.keys().iter().all(|key| self.past_live(at, key, of, wave)),
                    Node::Id(id) => self.past_id(at, &id, of, wave),
                    Node::Whole(plane, account) => self.past_account(at, plane, &account, of, wave),
                };
                if !go_on {
                    return;
                }
                at += 1;
            }
        }
        let empowered = |(at, step): (usize, &Step)| match step.node {
            Node::Entry(index) if step.wave == Wave::Empowered => Some((at, index)),
            Node::Entry(_) | Node::Live(_) | Node::Id(_) | Node::Whole(..) => None,
        };
        let empowered: Vec<(usize, u32)> = self.steps.iter().enumerate().filter_map(empowered).collect();
        for (at, index) in empowered {
            self.authority(Some(at), index, 0);
        }
    }

    /// Reaches all that a thing has authority over; whether that is all there is. `from` is its step; it gets one where it has
    /// none.
    pub(super) fn authority(&mut self, from: Option<usize>, start: u32, effect: usize) -> bool {
        let inventory = &self.estate.model.inventory;
        let at = from.unwrap_or_else(|| self.lead(Node::Entry(start), None, None, effect));
        let mut seen = HashSet::from([start]);
        let mut open = vec![(at, start)];
        let (mut found, mut all) = (false, true);
        while let Some((at, index)) = open.pop() {
            if let Some(entry) = inventory.get(index) {
                let grants = entry.grants.as_deref();
                // Where somebody gives it to another within bounds, the bounds say more than what is given.
                let bounded =
                    grants.is_some_and(|grants| !grants.names.is_empty() && is_binding(&entry.kind));
                if is_principal(&entry.kind) && !is_giver(&entry.kind) {
                    found = true;
                    all &= grants.is_some_and(|grants| grants.all);
                }
                // What says what may be done and is not read may give anything.
                all &= !is_giver(&entry.kind) || grants.is_some() || !inventory.graph.leads(index).is_empty();
                if self.told.insert(index) {
                    self.granted(at, grants.map_or(&[], |grants| grants.names.as_slice()));
                }
                if bounded {
                    continue;
                }
            }
            for lead in inventory.graph.leads(index) {
                match lead.kind {
                    EdgeKind::GrantsTo => {
                        self.reach(at, Node::Entry(lead.to), EdgeKind::GrantsTo, Wave::Granted);
                        all &= !self.lends(lead.to);
                    }
                    EdgeKind::RunsAs | EdgeKind::DependsOn
                        if seen.len() < AUTHORITY_MAX && seen.insert(lead.to) =>
                    {
                        open.push((
                            self.lead(Node::Entry(lead.to), Some(at), Some(lead.kind), effect),
                            lead.to,
                        ));
                    }
                    EdgeKind::DependsOn
                    | EdgeKind::PartOf
                    | EdgeKind::GuardedBy
                    | EdgeKind::RunsOn
                    | EdgeKind::RunsAs
                    | EdgeKind::KeyedBy
                    | EdgeKind::Consumes
                    | EdgeKind::RoutesTo => {}
                }
            }
            // A policy that is written into a role is a part of it.
            let of_principal = inventory.get(index).is_some_and(|entry| is_principal(&entry.kind));
            for part in inventory.graph.dependants(index) {
                let gives = inventory.get(part.entry).is_some_and(|entry| is_principal(&entry.kind));
                let is_part = of_principal && part.kind == EdgeKind::PartOf && gives;
                if is_part && seen.len() < AUTHORITY_MAX && seen.insert(part.entry) {
                    open.push((
                        self.lead(Node::Entry(part.entry), Some(at), Some(part.kind), effect),
                        part.entry,
                    ));
                }
            }
        }
        // What says what may be done is nobody who has more.
        let gives = inventory.get(start).is_some_and(|entry| is_giver(&entry.kind));
        (found || gives) && all && !self.lends_on && seen.len() < AUTHORITY_MAX
    }

    /// What a change of an identity writes into it, by its documents; whether that could be read. `None` where it writes none.
    pub(super) fn written(&mut self, start: &Start<'_>, index: u32) -> Option<bool> {
        let entry = self.estate.model.inventory.get(index);
        let partition = entry.and_then(|entry| entry.name.split(':').nth(1)).unwrap_or("aws");
        let documents = start.effect.parameters.iter().filter_map(|leaf| match leaf.value {
            Scalar::Text(text) if text.contains("Statement") => Some(grants::allowed(text, partition)),
            Scalar::Text(_)
            | Scalar::Number(_)
            | Scalar::Bool(_)
            | Scalar::Null
            | Scalar::Empty
            | Scalar::Token(_) => None,
        });
        let (mut read, mut all) = (false, true);
        let mut names: BTreeSet<Glob> = BTreeSet::new();
        for document in documents {
            read = true;
            match document {
                Some(allowed) if names.len() <= PATTERNS_MAX => names.extend(allowed),
                Some(_) | None => all = false,
            }
        }
        // Each is compared with what exists: of as many as no request may name, it is told that they are not known.
        all &= names.len() <= PATTERNS_MAX;
        if all && read {
            let at = self.lead(Node::Entry(index), None, None, start.index);
            self.granted(at, &names.into_iter().collect::<Vec<Glob>>());
        }
        read.then_some(all && !self.lends_on)
    }

    /// What may be acted on acts on others itself, by an authority of its own.
    fn lends(&self, index: u32) -> bool {
        let inventory = &self.estate.model.inventory;
        inventory.get(index).is_some_and(|entry| is_principal(&entry.kind))
            || inventory.graph.authority(index).is_some()
    }

    fn granted(&mut self, at: usize, patterns: &[Glob]) {
        let inventory = &self.estate.model.inventory;
        for pattern in patterns {
            for index in inventory.matching(pattern).take(WALK_MAX + 1) {
                self.lends_on |= self.lends(index);
                if self.more || !self.reach(at, Node::Entry(index), EdgeKind::GrantsTo, Wave::Granted) {
                    return;
                }
            }
        }
    }

    fn past_entry(&mut self, at: usize, index: u32, of: Wave, wave: Wave) -> bool {
        let inventory = &self.estate.model.inventory;
        let Some(entry) = inventory.get(index) else { return true };
        let gives = of == Wave::Empowered && is_principal(&entry.kind);
        for one in inventory.graph.dependants(index) {
            let both = gives && inventory.get(one.entry).is_some_and(|entry| is_principal(&entry.kind));
            if of.over(one.kind, both) == Some(wave)
                && one.until.holds(self.estate.now)
                && !self.reach(at, Node::Entry(one.entry), one.kind, wave)
            {
                return false;
            }
        }
        if gives && wave == Wave::Empowered {
            // What is a part of an identity is that identity's: its policy, the attachment of one.
            for lead in inventory.graph.leads(index).iter().filter(|lead| lead.kind == EdgeKind::PartOf) {
                if !self.reach(at, Node::Entry(lead.to), EdgeKind::PartOf, wave) {
                    return false;
                }
            }
        }
        if of.over(EdgeKind::PartOf, false) == Some(wave) {
            for (plane, account) in inventory.accounts_in(index) {
                let whole = Node::Whole(*plane, Arc::clone(account));
                if !self.reach(at, whole, EdgeKind::PartOf, wave) {
                    return false;
                }
            }
        }
        self.estate.live.is_empty()
            || live_keys(self.estate, entry).iter().all(|key| self.past_live(at, key, of, wave))
    }

    /// What was created through the gate in or with something known by a key.
    fn past_live(&mut self, at: usize, key: &str, of: Wave, wave: Wave) -> bool {
        for fact in self.estate.live.inside(key) {
            let uses = fact.uses.iter().any(|used| {
                keys_of(fact.plane, &fact.account, &fact.region, used).iter().any(|known| known == key)
            });
            let relation = if uses { EdgeKind::DependsOn } else { EdgeKind::PartOf };
            if of.over(relation, false) == Some(wave)
                && !self.reach(at, Node::Live(Arc::clone(fact)), relation, wave)
            {
                return false;
            }
        }
        true
    }

    fn past_id(&mut self, at: usize, id: &str, of: Wave, wave: Wave) -> bool {
        if !self.past_live(at, id, of, wave) {
            return false;
        }
        if of.over(EdgeKind::PartOf, false) != Some(wave) {
            return true;
        }
        let below = Glob::new(&format!("{id}/*"));
        let below = self.estate.model.inventory.matching(&below).take(WALK_MAX + 1);
        below.map(Node::Entry).all(|node| self.reach(at, node, EdgeKind::PartOf, wave))
    }

    fn past_account(&mut self, at: usize, plane: Plane, account: &Arc<str>, of: Wave, wave: Wave) -> bool {
        if of.over(EdgeKind::PartOf, false) != Some(wave) {
            return true;
        }
        let (inventory, live) = (&self.estate.model.inventory, self.estate.live);
        let declared = inventory.in_account(plane, account).iter().map(|index| Node::Entry(*index));
        let created = live.iter().filter(|fact| fact.plane == plane && fact.account == *account);
        let created = created.map(|fact| Node::Live(Arc::new(fact.clone())));
        declared.chain(created).all(|node| self.reach(at, node, EdgeKind::PartOf, wave))
    }

    /// Adds what was reached for the first time; whether the walk goes on.
    fn reach(&mut self, from: usize, node: Node, by: EdgeKind, wave: Wave) -> bool {
        let first = self.seen.first(&node);
        let whole = wave.takes_parts() && self.whole.first(&node);
        if !first && !whole {
            return true;
        }
        if first && self.reached >= WALK_MAX as u64 {
            self.more = true;
            return false;
        }
        let Some(Step { depth, effect, sweeps, loses, .. }) = self.steps.get(from) else { return true };
        let (depth, effect, sweeps, loses) = (depth + 1, *effect, *sweeps, *loses);
        // What was reached before in another way is so once; what lies in it is not reached by that.
        let only_leads = !first || matches!(node, Node::Whole(..));
        self.reached += u64::from(!only_leads);
        self.steps.push(Step {
            node,
            from: Some(from),
            by: Some(by),
            depth,
            wave,
            effect,
            sweeps,
            loses,
            only_leads,
        });
        true
    }

    /// A step that only leads on.
    fn lead(&mut self, node: Node, from: Option<usize>, by: Option<EdgeKind>, effect: usize) -> usize {
        let begun = from.and_then(|from| self.steps.get(from));
        let (depth, effect) = begun.map_or((0, effect), |step| (step.depth + 1, step.effect));
        let wave = Wave::Granted;
        self.steps.push(Step {
            node,
            from,
            by,
            depth,
            wave,
            effect,
            sweeps: false,
            loses: false,
            only_leads: true,
        });
        self.steps.len() - 1
    }
}

/// Things, each once.
#[derive(Debug)]
struct Seen {
    entries: Vec<u64>,
    live: HashSet<String>,
    names: HashSet<String>,
}

impl Seen {
    fn of(entries: usize) -> Self {
        Self { entries: vec![0; entries.div_ceil(64)], live: HashSet::new(), names: HashSet::new() }
    }

    /// Whether it is seen for the first time.
    fn first(&mut self, node: &Node) -> bool {
        match node {
            Node::Entry(index) => {
                let Some(word) = self.entries.get_mut(*index as usize / 64) else { return false };
                let bit = 1 << (index % 64);
                let first = *word & bit == 0;
                *word |= bit;
                first
            }
            Node::Live(fact) => self.live.insert([&fact.kind, "|", fact.identifier.as_str()].concat()),
            Node::Id(id) => self.names.insert(id.to_string()),
            Node::Whole(plane, account) => self.names.insert(format!("{} {account}", plane.as_str())),
        }
    }
}

/// Where a site is walked from; nowhere, where nothing is known of it.
fn node_of(estate: &Estate<'_>, site: &Site) -> Option<Node> {
    match &site.known {
        Known::Entry(index) => Some(Node::Entry(*index)),
        Known::Live(fact) => Some(Node::Live(Arc::clone(fact))),
        Known::Account => Some(Node::Whole(estate.plane, Arc::clone(&site.account))),
        Known::No if azure::is_id(&site.name) => Some(Node::Id(Arc::from(site.name.as_str()))),
        Known::No => None,
    }
}

/// Every key that something which was created in or with an entry knows it by.
fn live_keys(estate: &Estate<'_>, entry: &Entry) -> Vec<String> {
    let plane = entry.plane.unwrap_or(estate.plane);
    let of =
        |identifier: &Arc<str>| alias(plane, &entry.account, &entry.region, service(&entry.kind), identifier);
    std::iter::once(entry.name.to_string()).chain(entry.identifiers.iter().map(of)).collect()
}

/// It gives what a role says to somebody, perhaps in one place alone.
fn is_binding(kind: &str) -> bool {
    kind.ends_with("rolebindings")
}

/// It says what may be done, and is nobody who does it.
fn is_giver(kind: &str) -> bool {
    const ENDS: [&str; 9] = [
        ":policy",
        "bindings",
        ":roles",
        ":clusterroles",
        "roleassignments",
        "roledefinitions",
        "_policy",
        "_attachment",
        ":instance-profile",
    ];
    ENDS.iter().any(|end| {
        kind.len() >= end.len()
            && kind.get(kind.len() - end.len()..).is_some_and(|last| last.eq_ignore_ascii_case(end))
    })
}
