//! What was put together and said before, for as long as a model lives: the same actor often changes the same
//! things, and within one model the same question has the same answer.
//!
//! Everything that a question is made of stands in its key, but for parameters: what rules say of those is not
//! kept. Leaves out how a question is asked.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy::Entities;
use ordain_action::{Access, Level};
use smallvec::SmallVec;

use super::{Figures, Question};
use crate::inventory::{Owners, Tier};
use crate::policy::Answer;
use crate::resolve::{Known, NAME_MAX, Site};

/// The most of each that is kept.
const KEPT_MAX: usize = 4_096;

/// The most bytes of names, in keys and in what was made of them, that each keeps.
const BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// How often a name stands in its key and in what was made of it, about.
const TIMES: usize = 8;

/// Slices and answers of one model.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    slices: Mutex<Bounded<Subject, Arc<Entities>>>,
    answers: Mutex<Bounded<Inputs, Arc<Answer>>>,
}

impl Kept {
    /// The entities of a subject, made when they are not there.
    pub(super) fn slice(
        &self,
        subject: Subject,
        make: impl FnOnce() -> Result<Entities, String>,
    ) -> Result<Arc<Entities>, String> {
        if let Some(known) = get(&self.slices, &subject) {
            return Ok(known);
        }
        let made = Arc::new(make()?);
        let names = subject.names();
        put(&self.slices, subject, &made, names);
        Ok(made)
    }

    /// What was said to the same question.
    pub(super) fn answer(&self, inputs: &Inputs) -> Option<Arc<Answer>> {
        get(&self.answers, inputs)
    }

    /// Keeps what was said.
    pub(super) fn keep(&self, inputs: Inputs, answer: &Arc<Answer>) {
        let names = inputs.subject.names() + inputs.region.len();
        put(&self.answers, inputs, answer, names);
    }
}

/// A map that is emptied when it holds too many or too much.
#[derive(Debug)]
struct Bounded<K, V> {
    map: HashMap<K, V>,
    bytes: usize,
}

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self { map: HashMap::new(), bytes: 0 }
    }
}

fn get<K: Eq + Hash, V>(kept: &Mutex<Bounded<K, Arc<V>>>, key: &K) -> Option<Arc<V>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).map.get(key).map(Arc::clone)
}

/// Keeps a value, unless the names in its key are longer together than any that the provider has: who asks
/// chooses them, and each is kept for as long as the model lives.
fn put<K: Eq + Hash, V>(kept: &Mutex<Bounded<K, Arc<V>>>, key: K, value: &Arc<V>, names: usize) {
    if names > NAME_MAX {
        return;
    }
    let bytes = names * TIMES;
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.map.len() >= KEPT_MAX || kept.bytes + bytes > BYTES_MAX {
        *kept = Bounded::default();
    }
    if kept.map.insert(key, Arc::clone(value)).is_none() {
        kept.bytes += bytes;
    }
}

/// What the entities of a slice depend on, within one model.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    actor: Arc<str>,
    access: Access,
    service: Arc<str>,
    operation: Arc<str>,
    place: Place,
}

impl Subject {
    pub(super) fn of(question: &Question<'_>) -> Self {
        Self {
            actor: Arc::clone(&question.party.name),
            access: question.access,
            service: Arc::clone(&question.effect.service),
            operation: Arc::clone(&question.effect.operation),
            place: Place::of(question.site),
        }
    }

    /// How long the names are that a request may have chosen.
    fn names(&self) -> usize {
        let place = match &self.place {
            Place::Entry(_) => 0,
            Place::Elsewhere { name, kind, account, region, .. } => {
                name.len() + kind.len() + account.len() + region.len()
            }
        };
        self.service.len() + self.operation.len() + place
    }
}

/// What the entity of a resource depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Place {
    /// The model declares it, and with that everything about it.
    Entry(u32),
    /// Its name and where it would lie.
    Elsewhere {
        name: String,
        kind: Arc<str>,
        account: Arc<str>,
        region: Arc<str>,
        known: bool,
        owners: Owners,
        system: Option<Arc<str>>,
        environment: Option<Arc<str>>,
        tier: Option<Tier>,
        scopes: SmallVec<[Arc<str>; 2]>,
    },
}

impl Place {
    fn of(site: &Site) -> Self {
        match site.known {
            Known::Entry(entry) => Self::Entry(entry),
            Known::Live(_) | Known::Account | Known::No => Self::Elsewhere {
                name: site.name.clone(),
                kind: Arc::clone(&site.kind),
                account: Arc::clone(&site.account),
                region: Arc::clone(&site.region),
                known: site.is_known(),
                owners: site.standing.owners.clone(),
                system: site.standing.system.clone(),
                environment: site.standing.environment.clone(),
                tier: site.standing.tier,
                scopes: site.standing.scopes.clone(),
            },
        }
    }
}

/// What an answer depends on, within one model: the subject, and everything that stands in the context.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Inputs {
    subject: Subject,
    level: Level,
    region: Box<str>,
    proven: bool,
    on_behalf_of: bool,
    acts_for_owner: bool,
    deploys: bool,
    declared: bool,
    change: Option<Arc<str>>,
    approved: bool,
    unplanned: bool,
    complete: bool,
    watched: bool,
    exposes: BTreeSet<&'static str>,
    grants: BTreeSet<&'static str>,
    escapes: BTreeSet<&'static str>,
    frozen: Vec<Arc<str>>,
    outside: Vec<Arc<str>>,
    lifted: Vec<Arc<str>>,
    reach: Figures,
}

impl Inputs {
    pub(super) fn of(question: &Question<'_>) -> Self {
        // Taken apart by name, so that what a question learns to ask of cannot be forgotten here.
        let Question {
            model: _,
            party: _,
            person: _,
            effect,
            access: _,
            region,
            site: _,
            facts,
            proven,
            on_behalf_of,
            acts_for_owner,
            deploys,
            declared,
            change,
            approved,
            unplanned,
            frozen,
            outside,
            lifted,
            reach,
            with_parameters: _,
        } = question;
        let crate::facts::Facts { exposes, grants, escapes, complete, watched } = facts;
        Self {
            subject: Subject::of(question),
            level: effect.level,
            region: Box::from(*region),
            proven: *proven,
            on_behalf_of: *on_behalf_of,
            acts_for_owner: *acts_for_owner,
            deploys: *deploys,
            declared: *declared,
            change: change.clone(),
            approved: *approved,
            unplanned: *unplanned,
            complete: *complete,
            watched: *watched,
            exposes: exposes.clone(),
            grants: grants.clone(),
            escapes: escapes.clone(),
            frozen: frozen.clone(),
            outside: outside.clone(),
            lifted: lifted.clone(),
            reach: *reach,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{BYTES_MAX, Bounded, KEPT_MAX, NAME_MAX, TIMES, get, put};

    #[test]
    fn a_name_that_nothing_has_is_not_kept() {
        let kept: Mutex<Bounded<String, Arc<u8>>> = Mutex::default();
        for (name, stays) in [("a".repeat(NAME_MAX), true), ("b".repeat(NAME_MAX + 1), false)] {
            put(&kept, name.clone(), &Arc::new(0), name.len());
            assert_eq!(get(&kept, &name).is_some(), stays);
        }
    }

    #[test]
    fn what_is_kept_is_bounded_by_number_and_by_length() {
        for names in [1, NAME_MAX] {
            let kept: Mutex<Bounded<usize, Arc<u8>>> = Mutex::default();
            for at in 0..2 * KEPT_MAX {
                put(&kept, at, &Arc::new(0), names);
                let kept = kept.lock().unwrap();
                assert!(kept.map.len() <= KEPT_MAX && kept.bytes <= BYTES_MAX);
                assert_eq!(kept.bytes, kept.map.len() * names * TIMES);
            }
        }
    }
}
