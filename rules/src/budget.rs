//! Budgets: how much may be changed in all within a window of time.
//!
//! Leaves out counting (the state engine), reading them from documents (`model/budgets.rs`) and judging by them
//! (`judge/budgets.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ordain_action::{Access, Actor, ActorKind, Party};

use crate::CounterKey;
use crate::glob::Glob;
use crate::model::{Covers, Person};

/// How much may be changed in all within a window of time.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) name: Arc<str>,
    /// Whose changes are counted; everybody's where neither is given.
    pub(crate) actors: BTreeSet<Arc<str>>,
    pub(crate) groups: BTreeSet<Arc<str>>,
    /// Of which kinds of actor; of any where none is given.
    pub(crate) kinds: BTreeSet<ActorKind>,
    /// Which classes of effect; every change where none is given.
    pub(crate) access: BTreeSet<Access>,
    pub(crate) operations: Option<Vec<Glob>>,
    pub(crate) covers: Covers,
    pub(crate) per: Per,
    pub(crate) within: Duration,
    /// The window as it was written.
    pub(crate) window: Arc<str>,
    pub(crate) limit: u64,
    pub(crate) counts: Counts,
}

/// Who shares a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Per {
    /// Each actor has its own.
    Actor,
    /// Each session of an actor has its own; all requests of an actor without sessions are one.
    Session,
    /// Each change has its own; what carries out none is not counted.
    Change,
    /// All have one.
    All,
}

/// What is counted of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// The request.
    Changes,
    /// The resources it changes.
    Targets,
    /// What depends on those.
    Dependants,
}

impl Per {
    pub(crate) const ALL: [Self; 4] = [Self::Actor, Self::Session, Self::Change, Self::All];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Session => "session",
            Self::Change => "change",
            Self::All => "all",
        }
    }
}

impl Counts {
    pub(crate) const ALL: [Self; 3] = [Self::Changes, Self::Targets, Self::Dependants];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Targets => "targets",
            Self::Dependants => "dependants",
        }
    }
}

impl Budget {
    /// Whether changes of this party are counted.
    pub(crate) fn is_of(&self, party: &Party, person: &Person) -> bool {
        let anybody = self.actors.is_empty() && self.groups.is_empty();
        let named = self.actors.contains(&party.name) || !self.groups.is_disjoint(&person.groups);
        (anybody || named) && (self.kinds.is_empty() || self.kinds.contains(&party.kind))
    }

    /// Whether effects of this class and operation are counted.
    pub(crate) fn counts(&self, access: Access, operation: &str) -> bool {
        access.is_change()
            && (self.access.is_empty() || self.access.contains(&access))
            && self.operations.as_ref().is_none_or(|all| all.iter().any(|glob| glob.matches(operation)))
    }

    /// Under which key it is counted for a party that carries out a change, or none.
    pub(crate) fn key(&self, actor: &Actor, party: &Party, change: Option<&Arc<str>>) -> Option<CounterKey> {
        let subject = match (self.per, &actor.session) {
            (Per::All, _) => Arc::from("all"),
            (Per::Change, _) => Arc::clone(change?),
            // Of whom somebody acts for no session is known: it is the actor's own credential that has one.
            (Per::Session, Some(session)) if party == &actor.party => {
                Arc::from(format!("{} in {session}", party.name))
            }
            (Per::Actor | Per::Session, _) => Arc::clone(&party.name),
        };
        Some(CounterKey { source: Arc::from(format!("{PREFIX}{}", self.name)), subject })
    }
}

/// What a budget's name stands behind where it is counted.
const PREFIX: &str = "budget:";

/// One budget of a model, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFigures {
    /// What it is counted under.
    pub source: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Who shares it: `actor`, `session`, `change` or `all`.
    pub per: &'static str,
    /// What is counted: `changes`, `targets` or `dependants`.
    pub counts: &'static str,
    /// The window, as it was written.
    pub within: Arc<str>,
    /// The most within it.
    pub limit: u64,
}

impl From<&Budget> for BudgetFigures {
    fn from(budget: &Budget) -> Self {
        Self {
            source: Arc::from(format!("{PREFIX}{}", budget.name)),
            name: Arc::clone(&budget.name),
            per: budget.per.as_str(),
            counts: budget.counts.as_str(),
            within: Arc::clone(&budget.window),
            limit: budget.limit,
        }
    }
}
