//! Who owns what a change would touch, and whether the actor acts for them.
//!
//! Leaves out approvals, which come with holds: a change that an owner could approve is held, and until
//! holds are built that is a refusal that names whom to ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::ActorKind;

use crate::inventory::{Dependant, Until};
use crate::model::{Model, Person};
use crate::resolve::{Known, Site};

/// What an actor has to do with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// It is a member of every team that owns it.
    pub(crate) acts_for_owner: bool,
    /// It is declared to deploy the system it belongs to.
    pub(crate) deploys: bool,
}

impl Standing {
    pub(crate) fn of(person: &Person, site: &Site) -> Self {
        let owners = &site.standing.owners;
        let deploys = person.kind == ActorKind::Pipeline
            && site.standing.system.as_ref().is_some_and(|system| person.deploys.contains(system));
        Self {
            acts_for_owner: !owners.is_empty() && owners.iter().all(|owner| person.teams.contains(owner)),
            deploys,
        }
    }

    pub(crate) const fn suffices(self) -> bool {
        self.acts_for_owner || self.deploys
    }
}

/// Whether an actor has enough to do with a resource that its owner may be asked: its teams own something
/// in the same system, or something that depends on it, or are part of the same larger group.
pub(crate) fn related(model: &Model, person: &Person, site: &Site) -> bool {
    let owned = |owners: &[Arc<str>]| owners.iter().any(|owner| person.teams.contains(owner));
    let inventory = &model.inventory;
    let in_system =
        |system: &Arc<str>| inventory.owners_in(system).is_some_and(|owners| meet(owners, &person.teams));
    if site.standing.system.as_ref().is_some_and(in_system) {
        return true;
    }
    if let Known::Entry(index) = site.known {
        let dependants = inventory.graph.dependants(index);
        let mine = |index: u32| inventory.get(index).is_some_and(|entry| owned(&entry.standing.owners));
        // What was only seen to call something gives nobody a say in it.
        let declared = |one: &&Dependant| one.until == Until::ALWAYS;
        if dependants.iter().filter(declared).any(|one| mine(one.entry)) {
            return true;
        }
    }
    let larger = |owner: &Arc<str>| {
        let above = model.people.groups.get(owner);
        person.groups.contains(owner) || above.is_some_and(|above| meet(above, &person.groups))
    };
    site.standing.owners.iter().any(larger)
}

fn meet(left: &BTreeSet<Arc<str>>, right: &BTreeSet<Arc<str>>) -> bool {
    left.intersection(right).next().is_some()
}
