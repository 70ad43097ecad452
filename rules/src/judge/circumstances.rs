//! What holds at the time of a change: freezes, windows, exceptions, and bounds that declare it.
//!
//! Leaves out when something with a term is in force (`calendar/`) and what the rules make of it (`policies/`).

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::Party;

use super::stages::Touched;
use crate::calendar::Phase;
use crate::model::{Bounds, Covers, Exception, Freeze, Model, Person, Window};
use crate::policy::Rules;
use crate::resolve::Site;
use crate::{Reason, refusal};

/// What holds for one party's change of one resource, at a time.
#[derive(Debug)]
pub(super) struct Circumstances<'j> {
    freezes: Vec<&'j Freeze>,
    /// Windows of which one would have to be open.
    outside: Vec<&'j Window>,
    exceptions: Vec<&'j Exception>,
    now: Timestamp,
}

impl<'j> Circumstances<'j> {
    pub(super) fn of(
        model: &'j Model,
        now: Timestamp,
        (party, person): (&Party, &Person),
        touched: &Touched<'_>,
        site: &Site,
    ) -> Self {
        // What may be anything lies in whatever is frozen.
        let covers = |covers: &Covers| site.anywhere || touched.is_covered(covers, site);
        let frozen = |freeze: &&Freeze| covers(&freeze.covers) && freeze.term.in_force(now);
        let waits = |window: &&Window| {
            window.access.as_ref().is_none_or(|all| all.contains(&touched.access))
                && window.actor_kinds.as_ref().is_none_or(|all| all.contains(&party.kind))
                && covers(&window.covers)
        };
        let (open, mut outside): (Vec<&Window>, Vec<&Window>) =
            model.windows.iter().filter(waits).partition(|window| window.term.in_force(now));
        // One that is open is enough; what may be anything may lie in any of those that are not.
        if !open.is_empty() && !site.anywhere {
            outside.clear();
        }
        let operation = operation(touched);
        let excepts = |exception: &&Exception| {
            let Exception { actors, groups, access, operations, covers, term, .. } = exception;
            (actors.contains(&party.name) || groups.iter().any(|group| person.groups.contains(group)))
                && access.as_ref().is_none_or(|all| all.contains(&touched.access))
                && operations.as_ref().is_none_or(|all| all.iter().any(|glob| glob.matches(&operation)))
                && !site.anywhere
                && covers.hold(&site.name, &site.account, &site.standing)
                && term.in_force(now)
        };
        Self {
            freezes: model.freezes.iter().filter(frozen).collect(),
            outside,
            exceptions: model.exceptions.iter().filter(excepts).collect(),
            now,
        }
    }

    /// Names of the freezes in force.
    pub(super) fn frozen(&self) -> Vec<Arc<str>> {
        self.freezes.iter().map(|freeze| Arc::clone(&freeze.name)).collect()
    }

    /// Names of the windows that it would have to be in.
    pub(super) fn outside(&self) -> Vec<Arc<str>> {
        self.outside.iter().map(|window| Arc::clone(&window.name)).collect()
    }

    /// The freezes in force, for people.
    pub(super) fn freezes_told(&self) -> String {
        let told = |freeze: &&Freeze| match freeze.term.phase(self.now) {
            Phase::In { until: Some(until) } => {
                format!("{} (`{}` until {})", freeze.why, freeze.name, freeze.term.told(until))
            }
            Phase::In { until: None } | Phase::Out { .. } => format!("{} (`{}`)", freeze.why, freeze.name),
        };
        self.freezes.iter().map(told).collect::<Vec<_>>().join("; ")
    }

    /// The windows that it would have to be in, for people.
    pub(super) fn windows_told(&self) -> String {
        let told = |window: &&Window| match window.term.phase(self.now) {
            Phase::Out { begins: Some(begins) } => {
                format!("{} (`{}` opens {})", window.why, window.name, window.term.told(begins))
            }
            Phase::Out { begins: None } | Phase::In { .. } => {
                format!("{} (`{}` never opens again)", window.why, window.name)
            }
        };
        self.outside.iter().map(told).collect::<Vec<_>>().join("; ")
    }

    /// Ids of the gates among some that an exception lifts, sorted.
    pub(super) fn lifts(&self, rules: &Rules, gates: &[u32]) -> Vec<Arc<str>> {
        let ids = gates.iter().filter_map(|number| rules.get(*number)).map(|rule| &rule.id);
        let mut lifted: Vec<Arc<str>> = ids.filter(|id| self.lifted_by(id).is_some()).cloned().collect();
        lifted.sort();
        lifted
    }

    /// What is said of each gate that an exception lifted: nobody is excepted without a word.
    pub(super) fn excepted(
        &self,
        party: &Party,
        site: &Site,
        effect: usize,
        lifted: &[Arc<str>],
    ) -> Vec<Reason> {
        let said = |id: &Arc<str>| {
            let exception = self.lifted_by(id)?;
            let until = match exception.term.phase(self.now) {
                Phase::In { until: Some(until) } => exception.term.told(until),
                Phase::In { until: None } | Phase::Out { .. } => String::new(),
            };
            Some(refusal::excepted(party, exception, id, &until, site, effect))
        };
        lifted.iter().filter_map(said).collect()
    }

    fn lifted_by(&self, id: &str) -> Option<&'j Exception> {
        self.exceptions.iter().find(|exception| exception.lifts.contains(id)).copied()
    }
}

/// Bounds of the model name this party, class, operation and resource.
pub(super) fn declared(
    model: &Model,
    now: Timestamp,
    party: &Party,
    touched: &Touched<'_>,
    site: &Site,
) -> bool {
    let operation = operation(touched);
    let covers = |bounds: &Bounds| {
        bounds.actors.contains(&party.name)
            && bounds.access.contains(&touched.access)
            && bounds.operations.as_ref().is_none_or(|all| all.iter().any(|glob| glob.matches(&operation)))
            && !site.anywhere
            && bounds.names.iter().any(|glob| glob.matches(&site.name))
            && bounds.term.in_force(now)
    };
    model.bounds.iter().any(covers)
}

fn operation(touched: &Touched<'_>) -> String {
    format!("{}:{}", touched.effect.service, touched.effect.operation)
}
