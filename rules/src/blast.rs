//! What a change reaches: dependants through the relation graph, cascades included, and whether that is
//! too much for who asks.
//!
//! Leaves out ownership as such. What is not known is said to be unknown, never counted as nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use ordain_action::{Access, Effect, Plane};

use crate::glob::Glob;
use crate::inventory::{EdgeKind, Tier};
use crate::limits::{Limits, SHARE_FROM};
use crate::live::{LiveFact, alias, service};
use crate::resolve::{Estate, Known, Site};
use crate::{azure, cascade, refusal};

/// The most dependants that are walked; more are over any limit.
const WALK_MAX: usize = 10_000;

/// The most steps of a path that is told.
const PATH_MAX: usize = 8;

/// What a whole call reaches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// Resources named by the request, created ones not counted twice with their parent.
    pub(crate) targets: u64,
    /// Resources that depend on those.
    pub(crate) dependants: u64,
    /// What is not known, the first of each effect.
    pub(crate) unknown: Vec<Unknown>,
    /// There are more than were walked.
    pub(crate) more: bool,
    /// Owners of all of them.
    pub(crate) owners: BTreeSet<Arc<str>>,
    pub(crate) tier: Option<Tier>,
    /// From a target to the dependant farthest from it.
    pub(crate) path: Vec<Arc<str>>,
    /// The largest share of one system's resources of one type that would be deleted.
    pub(crate) share: Option<Share>,
    /// The effect that reaches farthest.
    pub(crate) effect: usize,
}

/// Something whose reach is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) effect: usize,
    pub(crate) name: String,
    /// It is known, and what runs there may reach anything its authority does.
    pub(crate) runs: bool,
    /// The authority it runs under, as far as the model says.
    pub(crate) authority: Option<Arc<str>>,
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
}

#[derive(Debug, Clone)]
enum Node {
    Entry(u32),
    Live(Arc<LiveFact>),
    /// Nobody declared it, and its id still says what lies in it.
    Id(Arc<str>),
}

/// One step of the walk: what was reached, from which step, how many steps from a target.
#[derive(Debug)]
struct Step {
    node: Node,
    from: Option<usize>,
    depth: usize,
}

/// Measures what the effects of a call reach together.
pub(crate) fn measure(estate: &Estate<'_>, starts: &[Start<'_>]) -> Measured {
    let mut measured = Measured::default();
    let mut seen = Seen::default();
    let mut deleted: BTreeMap<(Arc<str>, Arc<str>), u64> = BTreeMap::new();
    let mut farthest = 0;
    // Targets first, so that one that depends on another is not counted as its dependant too.
    for start in starts {
        for site in start.targets {
            measured.targets += u64::from(seen.target(site));
            measured.owners.extend(site.standing.owners.iter().cloned());
            measured.tier = most_critical(measured.tier, site.standing.tier);
            if let (Known::Entry(_), Access::Delete, Some(system)) =
                (&site.known, start.effect.access, &site.standing.system)
            {
                *deleted.entry((Arc::clone(system), Arc::clone(&site.kind))).or_default() += 1;
            }
        }
    }
    for start in starts {
        let follows = if estate.plane == Plane::Kubernetes {
            cascade::follows(start.effect, start.targets)
        } else {
            follows(start.effect)
        };
        let Some(follows) = follows else { continue };
        // What runs under an authority reaches what that reaches, which no model says yet.
        let runs = start.effect.access == Access::Execute;
        let unseen = |site: &Site| !site.is_known() || cascade::unseen(estate, start.effect, site);
        let unclear = start.targets.iter().find(|site| runs || unseen(site));
        measured.unknown.extend(unclear.map(|site| Unknown {
            effect: start.index,
            name: site.told().into_owned(),
            runs,
            authority: authority(estate, site),
        }));
        let steps = walk(estate, start.targets, follows, &mut seen, &mut measured);
        if let Some((at, step)) =
            steps.iter().enumerate().max_by_key(|(at, step)| (step.depth, usize::MAX - at))
            && step.depth > farthest
        {
            farthest = step.depth;
            measured.path = path(estate, &steps, at);
            measured.effect = start.index;
        }
    }
    for ((system, kind), count) in deleted {
        let all = estate.model.inventory.share(&system, &kind);
        let percent = (count * 100).checked_div(all).unwrap_or_default();
        if all >= SHARE_FROM && measured.share.as_ref().is_none_or(|share| share.percent < percent) {
            measured.share = Some(Share { percent, system, kind });
        }
    }
    measured
}

fn walk(
    estate: &Estate<'_>,
    targets: &[Site],
    follows: fn(EdgeKind) -> bool,
    seen: &mut Seen,
    measured: &mut Measured,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for site in targets {
        let node = match &site.known {
            Known::Entry(index) => Node::Entry(*index),
            Known::Live(fact) => Node::Live(Arc::clone(fact)),
            Known::No if azure::is_id(&site.name) => Node::Id(Arc::from(site.name.as_str())),
            Known::Account | Known::No => continue,
        };
        steps.push(Step { node, from: None, depth: 0 });
    }
    let mut at = 0;
    while let Some(step) = steps.get(at) {
        let depth = step.depth + 1;
        for node in dependants(estate, &step.node, follows) {
            if !seen.reached(&node) {
                continue;
            }
            if measured.dependants >= WALK_MAX as u64 {
                measured.more = true;
                return steps;
            }
            measured.dependants += 1;
            measured.count(estate, &node);
            steps.push(Step { node, from: Some(at), depth });
        }
        at += 1;
    }
    steps
}

/// What depends directly on something, of the model first, then of what was created through the gate.
fn dependants(estate: &Estate<'_>, node: &Node, follows: fn(EdgeKind) -> bool) -> Vec<Node> {
    let mut found = Vec::new();
    let mut inside = |key: &str| {
        for fact in estate.live.inside(key) {
            found.push(Node::Live(Arc::clone(fact)));
        }
    };
    match node {
        Node::Live(fact) => fact.keys().iter().for_each(|key| inside(key)),
        Node::Id(id) if follows(EdgeKind::PartOf) => {
            inside(id);
            let below = Glob::new(&format!("{id}/*"));
            let below = estate.model.inventory.matching(&below).take(WALK_MAX + 1);
            found.extend(below.map(Node::Entry));
        }
        Node::Id(_) => {}
        Node::Entry(index) => {
            let Some(entry) = estate.model.inventory.get(*index) else { return found };
            if !estate.live.is_empty() {
                inside(&entry.name);
                let plane = entry.plane.unwrap_or(estate.plane);
                for identifier in &entry.identifiers {
                    inside(&alias(plane, &entry.account, &entry.region, service(&entry.kind), identifier));
                }
            }
            let declared = estate.model.inventory.graph.dependants(*index);
            let followed = declared.iter().filter(|one| follows(one.kind) && one.until.holds(estate.now));
            found.extend(followed.map(|one| Node::Entry(one.entry)));
        }
    }
    found
}

/// The authority that something runs under.
fn authority(estate: &Estate<'_>, site: &Site) -> Option<Arc<str>> {
    let Known::Entry(index) = site.known else { return None };
    let inventory = &estate.model.inventory;
    let authority = inventory.graph.authority(index).and_then(|index| inventory.get(index))?;
    Some(Arc::from(refusal::shown(&authority.name)))
}

/// Which relations a change of this sort follows; `None` where it reaches nothing beyond its targets.
fn follows(effect: &Effect) -> Option<fn(EdgeKind) -> bool> {
    /// What is deleted, or stops, takes along what lies in it.
    const STOPS: [&str; 10] = [
        "stop",
        "disable",
        "suspend",
        "terminate",
        "deallocate",
        "poweroff",
        "power_off",
        "shutdown",
        "shelve",
        "pause",
    ];
    match effect.access {
        // What is new has no dependants, a label carries none, and reading a secret changes nothing.
        Access::Read | Access::Create | Access::Tag | Access::SecretRead => None,
        Access::Delete => Some(|_| true),
        Access::Update | Access::Grant | Access::Expose | Access::Execute => {
            // The verb begins the name on some planes, and on others its last part: `instances.stop`.
            let mut parts = effect.operation.split(['/', '.', ':']);
            let begins = |part: &str, verb: &str| {
                part.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb))
            };
            let stops = parts.any(|part| STOPS.iter().any(|verb| begins(part, verb)));
            Some(if stops { |_| true } else { |kind| kind != EdgeKind::PartOf })
        }
    }
}

fn path(estate: &Estate<'_>, steps: &[Step], end: usize) -> Vec<Arc<str>> {
    let mut names = Vec::new();
    let mut at = Some(end);
    while let Some(step) = at.and_then(|at| steps.get(at)) {
        names.push(name(estate, &step.node));
        at = step.from;
    }
    names.reverse();
    if names.len() > PATH_MAX {
        // The ends tell the most: what is changed, and what is hit in the end.
        names.drain(PATH_MAX / 2..names.len() - PATH_MAX / 2);
    }
    names
}

fn name(estate: &Estate<'_>, node: &Node) -> Arc<str> {
    match node {
        Node::Entry(index) => {
            estate.model.inventory.get(*index).map_or_else(|| Arc::from(""), |entry| Arc::clone(&entry.name))
        }
        Node::Live(fact) => Arc::from(fact.identifier.as_str()),
        Node::Id(id) => Arc::clone(id),
    }
}

fn key(fact: &LiveFact) -> String {
    [&fact.kind, "|", fact.identifier.as_str()].concat()
}

fn most_critical(left: Option<Tier>, right: Option<Tier>) -> Option<Tier> {
    [left, right].into_iter().flatten().min()
}

#[derive(Debug, Default)]
struct Seen {
    entries: HashSet<u32>,
    live: HashSet<String>,
    names: HashSet<String>,
}

impl Seen {
    /// Whether a target is seen for the first time.
    fn target(&mut self, site: &Site) -> bool {
        match &site.known {
            Known::Entry(index) => self.entries.insert(*index),
            Known::Live(fact) => self.live.insert(key(fact)),
            Known::Account | Known::No => self.names.insert(site.name.clone()),
        }
    }

    fn reached(&mut self, node: &Node) -> bool {
        match node {
            Node::Entry(index) => self.entries.insert(*index),
            Node::Live(fact) => self.live.insert(key(fact)),
            Node::Id(id) => self.names.insert(id.to_string()),
        }
    }
}

impl Measured {
    fn count(&mut self, estate: &Estate<'_>, node: &Node) {
        let Node::Entry(index) = node else { return };
        let Some(entry) = estate.model.inventory.get(*index) else { return };
        self.owners.extend(entry.standing.owners.iter().cloned());
        self.tier = most_critical(self.tier, entry.standing.tier);
    }

    /// Owners other than an actor's own teams.
    pub(crate) fn crossed(&self, teams: &BTreeSet<Arc<str>>) -> Vec<Arc<str>> {
        self.owners.difference(teams).cloned().collect()
    }

    /// Every limit that is passed: its code, what is so, what to do.
    pub(crate) fn over(
        &self,
        limits: &Limits,
        teams: &BTreeSet<Arc<str>>,
    ) -> Vec<(&'static str, String, String)> {
        let mut over = Vec::new();
        let smaller = "change fewer at once, or have somebody with wider limits do it".to_owned();
        if let Some(limit) = limits.targets.filter(|limit| self.targets > *limit) {
            let text = format!("it names {} resources at once, and the limit is {limit}", self.targets);
            over.push(("too_many_targets", text, smaller.clone()));
        }
        if let Some(limit) = limits.dependants.filter(|limit| self.more || self.dependants > *limit) {
            let least = if self.more { "at least " } else { "" };
            let along = if self.path.len() > 1 {
                format!(" (for example `{}`)", self.path.join("` ← `"))
            } else {
                String::new()
            };
            let text =
                format!("it reaches {least}{} dependants{along}, and the limit is {limit}", self.dependants);
            over.push(("blast_radius_exceeded", text, smaller.clone()));
        }
        let crossed = self.crossed(teams);
        let count = u64::try_from(crossed.len()).unwrap_or(u64::MAX);
        if let Some(limit) = limits.owners_crossed.filter(|limit| count > *limit) {
            let text = format!(
                "it reaches what belongs to `{}`, and the limit is {limit} other owners",
                crossed.join("`, `")
            );
            over.push(("owners_crossed", text, "have one of those owners do it, or split it".to_owned()));
        }
        if let (Some(limit), Some(tier)) = (limits.tier, self.tier)
            && tier < limit
        {
            let text = format!("it reaches tier `{}`, and the limit is `{}`", tier.as_str(), limit.as_str());
            over.push((
                "tier_too_critical",
                text,
                "have a person or a pipeline of the owner do it".to_owned(),
            ));
        }
        if let (Some(limit), Some(share)) = (limits.share_of_group, &self.share)
            && share.percent > limit
        {
            let text = format!(
                "it deletes {} % of `{}` in `{}` at once, and the limit is {limit} %",
                share.percent, share.kind, share.system
            );
            over.push(("share_of_group", text, smaller));
        }
        over
    }
}
