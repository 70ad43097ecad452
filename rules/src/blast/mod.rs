//! What a change reaches: dependants through the relation graph, cascades included, what an authority is over, and what is
//! lost for good.
//!
//! Leaves out ownership as such, and what is too much (`over.rs`) and how it is told (`reach.rs`). What is not known is said to be unknown, never counted as
//! nothing.

mod cascade;
mod over;
mod reach;
mod walk;
mod wave;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ordain_action::{Access, Effect, Plane};

use crate::inventory::{Class, EdgeKind, Tier, expands, is_durable, is_key, is_principal};
use crate::limits::SHARE_FROM;
use crate::refusal;
use crate::resolve::{Estate, Known, Site};
use walk::{Node, Step, Walk};
use wave::{Begins, Wave};

/// The most steps of a path that is told.
const PATH_MAX: usize = 8;

/// The most owners of whom it is told how they are reached.
const OWNERS_TOLD: usize = 16;

/// The most that is named of what is lost.
const LOST_TOLD: usize = 8;

/// What a whole call reaches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// Resources named by the request, created ones not counted twice with their parent.
    pub(crate) targets: u64,
    /// What is reached beyond those.
    pub(crate) dependants: u64,
    /// What is not known, the first of each effect.
    pub(crate) unknown: Vec<Unknown>,
    /// There are more than were walked.
    pub(crate) more: bool,
    /// Owners of all of them.
    pub(crate) owners: BTreeSet<Arc<str>>,
    pub(crate) tier: Option<Tier>,
    /// How many of each tier.
    pub(crate) tiers: BTreeMap<Tier, u64>,
    /// Environments of all of them.
    pub(crate) environments: BTreeSet<Arc<str>>,
    /// From a target to what is farthest from it.
    pub(crate) path: Path,
    /// How owners are reached of whom no target is.
    pub(crate) to_owners: BTreeMap<Arc<str>, Path>,
    /// How the most critical is reached, where that is no target.
    pub(crate) to_tier: Path,
    /// What is deleted and cannot be had back.
    pub(crate) lost: Lost,
    /// The largest share of one system's resources of one type that would be deleted.
    pub(crate) share: Option<Share>,
    /// The effect that reaches farthest.
    pub(crate) effect: usize,
}

/// How one thing is reached from another: its name, and the relation by which it was come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<(Arc<str>, Option<EdgeKind>)>);

/// What is deleted and holds data that no other copy has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) names: Vec<Arc<str>>,
    /// How many of them somebody created through the gate.
    pub(crate) created_by: BTreeMap<Arc<str>, u64>,
    /// How the first is reached, where that is no target.
    pub(crate) path: Path,
}

/// Something whose reach is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) effect: usize,
    pub(crate) name: String,
    pub(crate) why: Why,
}

/// What is not known of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// What depends on it.
    Dependants,
    /// What runs there reaches anything that the authority it runs under does: as far as the model says, which.
    Runs(Option<Arc<str>>),
    /// What it lets whoever gets it do.
    Gives,
}

/// How much of a group goes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) percent: u64,
    pub(crate) system: Arc<str>,
    pub(crate) kind: Arc<str>,
}

/// One effect with its targets, as they are walked from.
#[derive(Debug)]
pub(crate) struct Start<'e> {
    pub(crate) effect: &'e Effect,
    pub(crate) index: usize,
    pub(crate) targets: &'e [Site],
    /// What it refers to.
    pub(crate) uses: &'e [Site],
}

/// Measures what the effects of a call reach together.
pub(crate) fn measure(estate: &Estate<'_>, starts: &[Start<'_>]) -> Measured {
    let mut measured = Measured::default();
    let mut walk = Walk::new(estate);
    let mut deleted: BTreeMap<(Arc<str>, Arc<str>), u64> = BTreeMap::new();
    // Targets first, so that one that depends on another is not counted as its dependant too.
    for start in starts {
        for site in start.targets {
            let first = walk.target(site);
            measured.target(estate.plane, start, site, first);
            if let (Known::Entry(_), true, Some(system)) =
                (&site.known, wave::deletes(estate.plane, start.effect), &site.standing.system)
            {
                *deleted.entry((Arc::clone(system), Arc::clone(&site.kind))).or_default() += 1;
            }
        }
    }
    let begun: Vec<(&Start<'_>, Begins)> = starts
        .iter()
        .filter_map(|start| Some((start, wave::begins(estate.plane, start.effect, start.targets)?)))
        .collect();
    for (start, begins) in &begun {
        let Some(wave) = begins.wave else { continue };
        for site in start.targets {
            let loses = wave::loses(estate.plane, start.effect, &site.kind);
            walk.begin(site, wave, start.index, loses);
        }
    }
    walk.spread();
    for (start, begins) in &begun {
        measured.unknown.extend(unknown(estate, start, *begins, &mut walk));
    }
    measured.add(estate, &walk);
    measured.share = largest(estate, deleted);
    measured
}

/// What is not known of an effect's reach, the first; what it lends authority over is reached on the way.
fn unknown(estate: &Estate<'_>, start: &Start<'_>, begins: Begins, walk: &mut Walk<'_>) -> Option<Unknown> {
    let mut unclear: Option<(&Site, Why)> = None;
    for site in start.targets {
        let why = if begins.lends {
            let authority = match site.known {
                Known::Entry(index) => walk.authority(None, index, start.index),
                Known::Live(_) | Known::Account | Known::No => false,
            };
            (!authority).then(|| Why::Runs(runs_as(estate, site)))
        } else {
            begins
                .wave
                .filter(|wave| is_unseen(estate, site, *wave, start.effect.access))
                .map(|_| Why::Dependants)
        };
        unclear = unclear.or_else(|| why.map(|why| (site, why)));
    }
    if begins.wave == Some(Wave::Empowered) {
        unclear = unclear.or_else(|| gives_more(start, walk).map(|site| (site, Why::Gives)));
    }
    unclear.map(|(site, why)| Unknown { effect: start.index, name: site.told().into_owned(), why })
}

/// Of what a grant gives, the first of which it is not known what that is: of policies that it names, of documents that it
/// holds, or else of all that its targets have.
fn gives_more<'s>(start: &Start<'s>, walk: &mut Walk<'_>) -> Option<&'s Site> {
    let identities = |sites: &'s [Site]| sites.iter().filter(|site| is_principal(&site.kind));
    let (mut unclear, mut given) = (None, false);
    for site in identities(start.uses) {
        given = true;
        let known = match site.known {
            Known::Entry(index) => walk.authority(None, index, start.index),
            Known::Live(_) | Known::Account | Known::No => false,
        };
        unclear = unclear.or_else(|| (!known).then_some(site));
    }
    for site in identities(start.targets) {
        let Known::Entry(index) = site.known else { continue };
        let known = match walk.written(start, index) {
            Some(read) => read,
            None => given || walk.authority(None, index, start.index),
        };
        unclear = unclear.or_else(|| (!known).then_some(site));
    }
    unclear
}

/// What depends on it is not known: nobody declared it, or it holds more than the model says anything of.
fn is_unseen(estate: &Estate<'_>, site: &Site, wave: Wave, access: Access) -> bool {
    let Known::Entry(index) = site.known else {
        return match site.known {
            // What is opened or given for an account as a whole is so for all that is in it, in which way nobody says.
            Known::Account => match access {
                Access::Grant | Access::Expose | Access::Execute => !wave.takes_parts(),
                Access::Read
                | Access::Create
                | Access::Update
                | Access::Delete
                | Access::Tag
                | Access::SecretRead => false,
            },
            Known::Live(_) | Known::Entry(_) => false,
            Known::No => true,
        };
    };
    if !wave.takes_parts() || !expands(&site.kind) {
        return false;
    }
    let inventory = &estate.model.inventory;
    let inside = inventory.graph.dependants(index);
    !inside.iter().any(|one| one.kind == EdgeKind::PartOf)
        && inventory.accounts_in(index).is_empty()
        && estate.live.inside(&site.name).is_empty()
}

/// Without it data cannot be read any more.
fn is_lost_key(estate: &Estate<'_>, step: &Step) -> bool {
    let kind = match &step.node {
        Node::Entry(index) => estate.model.inventory.get(*index).map(|entry| &entry.kind),
        Node::Live(fact) => Some(&fact.kind),
        Node::Id(_) | Node::Whole(..) => None,
    };
    step.wave == Wave::Gone && step.loses && kind.is_some_and(|kind| is_key(kind))
}

/// The authority that something runs under.
fn runs_as(estate: &Estate<'_>, site: &Site) -> Option<Arc<str>> {
    let Known::Entry(index) = site.known else { return None };
    let inventory = &estate.model.inventory;
    let authority = inventory.graph.authority(index).and_then(|index| inventory.get(index))?;
    Some(Arc::from(refusal::shown(&authority.name)))
}

fn largest(estate: &Estate<'_>, deleted: BTreeMap<(Arc<str>, Arc<str>), u64>) -> Option<Share> {
    let mut largest: Option<Share> = None;
    for ((system, kind), count) in deleted {
        let all = estate.model.inventory.share(&system, &kind);
        let percent = (count * 100).checked_div(all).unwrap_or_default();
        if all >= SHARE_FROM && largest.as_ref().is_none_or(|share| share.percent < percent) {
            largest = Some(Share { percent, system, kind });
        }
    }
    largest
}

impl Measured {
    fn target(&mut self, plane: Plane, start: &Start<'_>, site: &Site, first: bool) {
        self.targets += u64::from(first);
        self.owners.extend(site.standing.owners.iter().cloned());
        self.tier = most_critical(self.tier, site.standing.tier);
        self.environments.extend(site.standing.environment.clone());
        if let Some(tier) = site.standing.tier.filter(|_| first) {
            *self.tiers.entry(tier).or_default() += 1;
        }
        if first && is_durable(&site.kind) && wave::loses(plane, start.effect, &site.kind) {
            let creator = match &site.known {
                Known::Live(fact) => Some(&fact.actor).filter(|_| fact.is_new),
                Known::Entry(_) | Known::Account | Known::No => None,
            };
            self.lost.add(Arc::from(&*site.told()), creator);
        }
    }

    /// What the walk came to.
    fn add(&mut self, estate: &Estate<'_>, walk: &Walk<'_>) {
        self.dependants = walk.reached;
        self.more = walk.more;
        let classes = &estate.model.inventory.classes;
        let mut counts: Vec<u64> = vec![0; classes.len()];
        let mut farthest: Option<(usize, &Step)> = None;
        for (at, step) in walk.steps.iter().enumerate() {
            if step.from.is_none() || step.only_leads {
                continue;
            }
            if farthest.is_none_or(|(_, far)| far.depth < step.depth) {
                farthest = Some((at, step));
            }
            match &step.node {
                Node::Entry(index) => {
                    let Some(number) = classes.of(*index) else { continue };
                    let Some(class) = classes.get(number) else { continue };
                    if let Some(count) = counts.get_mut(number as usize) {
                        *count += 1;
                        if *count == 1 {
                            self.class(estate, walk, at, class);
                        }
                    }
                    self.loses(estate, walk, at, class.durable);
                }
                Node::Live(fact) => self.loses(estate, walk, at, is_durable(&fact.kind)),
                Node::Id(_) | Node::Whole(..) => {}
            }
        }
        for (count, number) in counts.into_iter().zip(0..).filter(|(count, _)| *count > 0) {
            if let Some(tier) = classes.get(number).and_then(|class| class.tier) {
                *self.tiers.entry(tier).or_default() += count;
            }
        }
        if let Some((at, step)) = farthest {
            self.path = path(estate, walk, at);
            self.effect = step.effect;
        }
    }

    /// Adds where something stands that is the first to stand so.
    fn class(&mut self, estate: &Estate<'_>, walk: &Walk<'_>, at: usize, class: &Class) {
        for owner in &class.owners {
            if self.owners.insert(Arc::clone(owner)) && self.to_owners.len() < OWNERS_TOLD {
                self.to_owners.insert(Arc::clone(owner), path(estate, walk, at));
            }
        }
        if class.tier.is_some() && most_critical(self.tier, class.tier) != self.tier {
            self.tier = class.tier;
            self.to_tier = path(estate, walk, at);
        }
        self.environments.extend(class.environment.clone());
    }

    /// Adds something to what is lost, if it is.
    fn loses(&mut self, estate: &Estate<'_>, walk: &Walk<'_>, at: usize, durable: bool) {
        let Some(step) = walk.steps.get(at).filter(|_| durable) else { return };
        let holder = step.from.and_then(|from| walk.steps.get(from));
        // Without its key data is as good as deleted.
        let unreadable =
            step.by == Some(EdgeKind::KeyedBy) && holder.is_some_and(|of| is_lost_key(estate, of));
        if !(unreadable || (step.wave == Wave::Gone && step.sweeps && step.loses)) {
            return;
        }
        if self.lost.count == 0 {
            self.lost.path = path(estate, walk, at);
        }
        let creator = match &step.node {
            Node::Live(fact) => Some(&fact.actor).filter(|_| fact.is_new),
            Node::Entry(_) | Node::Id(_) | Node::Whole(..) => None,
        };
        self.lost.add(name(estate, &step.node), creator);
    }

    /// Owners other than an actor's own teams.
    pub(crate) fn crossed(&self, teams: &BTreeSet<Arc<str>>) -> Vec<Arc<str>> {
        self.owners.difference(teams).cloned().collect()
    }
}

impl Lost {
    fn add(&mut self, name: Arc<str>, creator: Option<&Arc<str>>) {
        self.count += 1;
        if let Some(creator) = creator {
            *self.created_by.entry(Arc::clone(creator)).or_default() += 1;
        }
        if self.names.len() < LOST_TOLD {
            self.names.push(name);
        }
    }

    /// How many somebody would lose that they did not create themselves.
    pub(crate) fn to(&self, actor: &str) -> u64 {
        self.count.saturating_sub(self.created_by.get(actor).copied().unwrap_or_default())
    }
}

impl Path {
    /// The names alone.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.0.iter().map(|(name, _)| Arc::clone(name)).collect()
    }

    /// As people read it, with the relation behind each name that has one.
    pub(crate) fn told(&self) -> String {
        let mut text = String::new();
        for (name, by) in &self.0 {
            match by {
                Some(by) if !text.is_empty() => text.push_str(&format!(" ← {} ← `{name}`", by.as_str())),
                Some(_) | None => text.push_str(&format!("`{name}`")),
            }
        }
        text
    }
}

fn path(estate: &Estate<'_>, walk: &Walk<'_>, end: usize) -> Path {
    let mut names = Vec::new();
    let mut at = Some(end);
    while let Some(step) = at.and_then(|at| walk.steps.get(at)) {
        names.push((name(estate, &step.node), step.by));
        at = step.from;
    }
    names.reverse();
    if names.len() > PATH_MAX {
        // The ends tell the most: what is changed, and what is hit in the end.
        names.drain(PATH_MAX / 2..names.len() - PATH_MAX / 2);
    }
    Path(names)
}

fn name(estate: &Estate<'_>, node: &Node) -> Arc<str> {
    match node {
        Node::Entry(index) => {
            estate.model.inventory.get(*index).map_or_else(|| Arc::from(""), |entry| Arc::clone(&entry.name))
        }
        Node::Live(fact) => Arc::from(fact.identifier.as_str()),
        Node::Id(id) => Arc::clone(id),
        Node::Whole(Plane::Kubernetes, cluster) => Arc::from(format!("cluster {cluster}")),
        Node::Whole(plane, account) => Arc::from(format!("{} {account}", plane.whole())),
    }
}

fn most_critical(left: Option<Tier>, right: Option<Tier>) -> Option<Tier> {
    [left, right].into_iter().flatten().min()
}
