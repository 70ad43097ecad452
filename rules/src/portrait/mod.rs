//! A model as texts that can be compared: what it says of each thing, group, actor, scope and rule, by its name.
//!
//! Leaves out comparing two (`diff.rs`, `merge.rs`) and what is wrong with one (`lint.rs`). What a portrait says is what the
//! model means, not how its files are written: a fact that moved to another file is the same fact.

mod diff;
mod lint;
mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ordain_action::Access;

pub use self::diff::{Change, Difference, diff};
pub use self::lint::{Flaw, FlawKind, lint};
pub use self::merge::{Conflict, ConflictKind, merge};
use crate::glob::Glob;
use crate::inventory::Entry;
use crate::limits::Limits;
use crate::model::{Covers, Model};
use crate::{Mode, Snapshot};

/// What sort of thing a model says something of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// Something that exists.
    Thing,
    /// A group of people.
    Group,
    /// Somebody who asks.
    Actor,
    /// An account, subscription, project or cluster.
    Account,
    /// An environment.
    Environment,
    /// A scope.
    Scope,
    /// A freeze.
    Freeze,
    /// A window.
    Window,
    /// An exception.
    Exception,
    /// What agents may do beyond the ordinary.
    AgentBounds,
    /// The limits of one kind of actor.
    Limits,
    /// A budget.
    Budget,
    /// A rule.
    Rule,
}

impl Sort {
    /// The word that documents have for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Thing => "thing",
            Self::Group => "group",
            Self::Actor => "actor",
            Self::Account => "account",
            Self::Environment => "environment",
            Self::Scope => "scope",
            Self::Freeze => "freeze",
            Self::Window => "window",
            Self::Exception => "exception",
            Self::AgentBounds => "agent bounds",
            Self::Limits => "limits",
            Self::Budget => "budget",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is said of one thing, by the name of what is said; nothing stands there that is not said.
type Fields = BTreeMap<&'static str, String>;

/// Everything that a model says.
type Portrait = BTreeMap<(Sort, Arc<str>), Fields>;

/// The portrait of a snapshot; empty where there is no model.
fn of(snapshot: &Snapshot) -> Portrait {
    let mut portrait = Portrait::new();
    let Some(model) = snapshot.model() else { return portrait };
    things(model, &mut portrait);
    people(model, &mut portrait);
    places(model, &mut portrait);
    circumstances(model, &mut portrait);
    constraints(model, &mut portrait);
    budgets(model, &mut portrait);
    for rule in model.rules.all() {
        let fields = fields([("says", rule.text())]);
        portrait.insert((Sort::Rule, Arc::clone(&rule.id)), fields);
    }
    portrait
}

fn fields<const N: usize>(all: [(&'static str, String); N]) -> Fields {
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let sorted: BTreeSet<String> = items.into_iter().map(|item| item.as_ref().to_owned()).collect();
    sorted.into_iter().collect::<Vec<_>>().join(", ")
}

fn text(of: Option<&Arc<str>>) -> String {
    of.map(ToString::to_string).unwrap_or_default()
}

fn globs(globs: &[Glob]) -> String {
    list(globs.iter().map(Glob::as_str))
}

fn mode(mode: Option<Mode>) -> String {
    mode.map(|mode| mode.as_str().to_owned()).unwrap_or_default()
}

fn things(model: &Model, portrait: &mut Portrait) {
    let inventory = &model.inventory;
    let name = |index: u32| inventory.get(index).map_or("", |entry| &entry.name);
    let mut relations: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (entry, index) in inventory.entries().iter().zip(0..) {
        for one in inventory.graph.dependants(index) {
            relations.entry(one.entry).or_default().insert(format!("{} {}", one.kind.as_str(), entry.name));
        }
    }
    for (entry, index) in inventory.entries().iter().zip(0..) {
        let Entry { standing, .. } = entry;
        let of = fields([
            ("type", entry.kind.to_string()),
            ("account", entry.account.to_string()),
            ("region", entry.region.to_string()),
            ("owners", list(&standing.owners)),
            ("system", text(standing.system.as_ref())),
            ("environment", text(standing.environment.as_ref())),
            ("tier", standing.tier.map(|tier| tier.as_str().to_owned()).unwrap_or_default()),
            ("mode", mode(standing.mode)),
            ("identifiers", list(&entry.identifiers)),
            ("tags", list(entry.tags.iter().map(|(key, value)| format!("{key}={value}")))),
            ("relations", list(relations.get(&index).into_iter().flatten())),
        ]);
        portrait.insert((Sort::Thing, Arc::from(name(index))), of);
    }
}

fn people(model: &Model, portrait: &mut Portrait) {
    for (group, above) in &model.people.groups {
        let acts = model.people.actors.iter().filter(|(_, person)| person.teams.contains(group));
        let members = list(acts.map(|(name, _)| name));
        let of = fields([("part of", list(above)), ("members", members)]);
        portrait.insert((Sort::Group, Arc::clone(group)), of);
    }
    for (name, person) in &model.people.actors {
        let of = fields([
            ("kind", person.kind.as_str().to_owned()),
            ("acts for", list(&person.teams)),
            ("deploys", list(&person.deploys)),
            ("reads", person.reads.as_ref().map(|reads| format!("{reads:?}")).unwrap_or_default()),
        ]);
        portrait.insert((Sort::Actor, Arc::clone(name)), of);
    }
}

fn places(model: &Model, portrait: &mut Portrait) {
    let creates = |creates: &Option<Arc<[Glob]>>| creates.as_deref().map(globs).unwrap_or_default();
    let tier =
        |tier: Option<crate::inventory::Tier>| tier.map(|tier| tier.as_str().to_owned()).unwrap_or_default();
    for ((plane, account), said) in model.scopes.accounts() {
        let of = fields([
            ("owners", list(&said.owners)),
            ("environment", text(said.environment.as_ref())),
            ("tier", tier(said.tier)),
            ("mode", mode(said.mode)),
            ("creates", creates(&said.creates)),
        ]);
        portrait.insert((Sort::Account, Arc::from(format!("{plane} {account}"))), of);
    }
    for (name, said) in model.scopes.environments() {
        let of = fields([("tier", tier(said.tier)), ("mode", mode(said.mode))]);
        portrait.insert((Sort::Environment, Arc::clone(name)), of);
    }
    for scope in model.scopes.all() {
        let of = fields([
            ("names", globs(&scope.names)),
            ("tags", list(scope.tags.iter().map(|(key, value)| format!("{key}={}", value.as_str())))),
            ("owners", list(&scope.owners)),
            ("system", text(scope.system.as_ref())),
            ("environment", text(scope.environment.as_ref())),
            ("tier", tier(scope.tier)),
            ("mode", mode(scope.mode)),
            ("creates", creates(&scope.creates)),
            ("public", if scope.public { "true".to_owned() } else { String::new() }),
        ]);
        portrait.insert((Sort::Scope, Arc::clone(&scope.name)), of);
    }
}

/// What holds for a time.
fn circumstances(model: &Model, portrait: &mut Portrait) {
    let covers = |covers: &Covers| {
        let Covers { accounts, environments, systems, owners, names } = covers;
        fields([
            ("accounts", list(accounts)),
            ("environments", list(environments)),
            ("systems", list(systems)),
            ("owners", list(owners)),
            ("names", globs(names)),
        ])
    };
    let access = |access: &Option<BTreeSet<Access>>| {
        access.as_ref().map(|all| list(all.iter().map(|class| class.as_str()))).unwrap_or_default()
    };
    for freeze in &model.freezes {
        let mut of = fields([("why", freeze.why.clone()), ("owner", text(freeze.owner.as_ref()))]);
        of.extend(freeze.term.said().chain(covers(&freeze.covers)));
        portrait.insert((Sort::Freeze, Arc::clone(&freeze.name)), of);
    }
    for window in &model.windows {
        let kinds = window.actor_kinds.iter().flatten().map(|kind| kind.as_str());
        let mut of = fields([
            ("why", window.why.clone()),
            ("owner", text(window.owner.as_ref())),
            ("access", access(&window.access)),
            ("actor kinds", list(kinds)),
        ]);
        of.extend(window.term.said().chain(covers(&window.covers)));
        portrait.insert((Sort::Window, Arc::clone(&window.name)), of);
    }
    for exception in &model.exceptions {
        let mut of = fields([
            ("lifts", list(&exception.lifts)),
            ("actors", list(&exception.actors)),
            ("groups", list(&exception.groups)),
            ("access", access(&exception.access)),
            ("operations", exception.operations.as_deref().map(globs).unwrap_or_default()),
            ("why", exception.why.clone()),
            ("owner", exception.owner.to_string()),
            ("approved by", exception.approved_by.to_string()),
            ("break-glass", if exception.glass.is_some() { "yes" } else { "" }.to_owned()),
        ]);
        let reviewed = exception.glass.as_ref().and_then(|glass| glass.reviewed_by.as_ref());
        of.extend(reviewed.map(|by| ("reviewed by", by.to_string())));
        of.extend(exception.term.said().chain(covers(&exception.covers)));
        let review = exception.review.as_ref().and_then(|review| review.said().next());
        of.extend(review.map(|(_, from)| ("review", from)));
        portrait.insert((Sort::Exception, Arc::clone(&exception.name)), of);
    }
}

fn constraints(model: &Model, portrait: &mut Portrait) {
    for bounds in &model.bounds {
        let mut of = fields([
            ("actors", list(&bounds.actors)),
            ("access", list(bounds.access.iter().map(|access| access.as_str()))),
            ("operations", bounds.operations.as_deref().map(globs).unwrap_or_default()),
            ("names", globs(&bounds.names)),
        ]);
        of.extend(bounds.term.said());
        portrait.insert((Sort::AgentBounds, Arc::clone(&bounds.name)), of);
    }
    for kind in [
        ordain_action::ActorKind::Person,
        ordain_action::ActorKind::Pipeline,
        ordain_action::ActorKind::Agent,
    ] {
        let Limits {
            targets,
            dependants,
            owners_crossed,
            share_of_group,
            tier,
            irreversible,
            must_be_known,
            holds,
        } = model.limits.of(kind);
        let number = |number: &Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let of = fields([
            ("targets", number(targets)),
            ("dependants", number(dependants)),
            ("owners crossed", number(owners_crossed)),
            ("share of group", number(share_of_group)),
            ("tier", tier.map(|tier| tier.as_str().to_owned()).unwrap_or_default()),
            ("irreversible", number(irreversible)),
            ("has to be known", must_be_known.to_string()),
            ("ruling", if *holds { "hold" } else { "deny" }.to_owned()),
        ]);
        portrait.insert((Sort::Limits, Arc::from(kind.as_str())), of);
    }
}

fn budgets(model: &Model, portrait: &mut Portrait) {
    for budget in &model.budgets {
        let Covers { accounts, environments, systems, owners, names } = &budget.covers;
        let of = fields([
            ("actors", list(&budget.actors)),
            ("groups", list(&budget.groups)),
            ("actor kinds", list(budget.kinds.iter().map(|kind| kind.as_str()))),
            ("access", list(budget.access.iter().map(|access| access.as_str()))),
            ("operations", budget.operations.as_deref().map(globs).unwrap_or_default()),
            ("accounts", list(accounts)),
            ("environments", list(environments)),
            ("systems", list(systems)),
            ("owners", list(owners)),
            ("names", globs(names)),
            ("per", budget.per.as_str().to_owned()),
            ("within", budget.window.to_string()),
            ("limit", budget.limit.to_string()),
            ("counts", budget.counts.as_str().to_owned()),
        ]);
        portrait.insert((Sort::Budget, Arc::clone(&budget.name)), of);
    }
}
