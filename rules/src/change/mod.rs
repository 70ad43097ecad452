//! Changes: what somebody wrote down to be done, by whom, when and how often, and who approved it.
//!
//! A change lists items, an item the calls that carry it out, with every parameter. Leaves out reading them from documents
//! (`model/changes.rs`) and what a request that is one of them is admitted to (`judge/planned.rs`).

mod given;
mod matching;
mod plain;
mod shown;
mod wanted;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ordain_action::{Actor, Call as Request, Digest, Plane};

use crate::calendar::Term;
use crate::live::LiveInventory;
use crate::model::Person;
use crate::{CarriedOut, CounterKey};
pub(crate) use matching::Mismatch;
use matching::Names;
pub(crate) use plain::{Plain, canonical};
pub use shown::{CallFact, ChangeFact, ItemFact};
pub(crate) use wanted::Wanted;

/// How a change is approved, as in ITIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Approved once, carried out as often as it says.
    Standard,
    /// Approved by every owner of what it touches.
    Normal,
    /// Approved by one of them, and looked at afterwards.
    Emergency,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Standard, Self::Normal, Self::Emergency];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Normal => "normal",
            Self::Emergency => "emergency",
        }
    }
}

/// What somebody wrote down to be done.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) name: Arc<str>,
    /// Of its body: what approvals are given for.
    pub(crate) digest: Digest,
    pub(crate) kind: Kind,
    pub(crate) why: String,
    pub(crate) ticket: Option<String>,
    /// The person who wrote it.
    pub(crate) author: Arc<str>,
    pub(crate) actors: BTreeSet<Arc<str>>,
    pub(crate) groups: BTreeSet<Arc<str>>,
    pub(crate) term: Term,
    /// Of an emergency: in force from when somebody has to look at what was done.
    pub(crate) review: Option<Term>,
    pub(crate) uses: u64,
    pub(crate) plane: Plane,
    pub(crate) account: Arc<str>,
    /// Empty where its calls may be for any.
    pub(crate) region: Arc<str>,
    pub(crate) items: Vec<Item>,
}

/// One thing that a change makes, changes or takes away.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Arc<str>,
    /// For people.
    pub(crate) action: String,
    /// Its canonical name, where that is known when the change is written.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) identifiers: Vec<Arc<str>>,
    pub(crate) notes: Vec<String>,
    pub(crate) calls: Vec<Call>,
}

/// One call that carries an item out.
#[derive(Debug)]
pub(crate) struct Call {
    /// `service:Operation`.
    pub(crate) operation: Arc<str>,
    /// What its answer says was created is the item.
    pub(crate) creates: bool,
    /// It hands out a secret and changes nothing, so that it is not counted.
    pub(crate) reads: bool,
    /// Its request is judged on its head, and what stands in its body is not held against the change.
    pub(crate) partial: bool,
    pub(crate) takes: Wanted,
    /// Paths of what has to be there.
    pub(crate) must: Vec<Vec<Arc<str>>>,
    /// How many requests by it may take effect, for each use of the change.
    pub(crate) times: u64,
}

/// One call of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    change: u32,
    item: u32,
    call: u32,
}

/// One call of one change, looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'c> {
    pub(crate) change: &'c Change,
    pub(crate) item: &'c Item,
    pub(crate) call: &'c Call,
    /// Which of the item's calls it is.
    pub(crate) number: u32,
}

/// The changes of a model.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    all: Vec<Change>,
    /// By operation and account, in the order of the changes.
    by_operation: HashMap<(Arc<str>, Arc<str>), Vec<Place>>,
    /// Those of each account that name an actor or a group.
    of: BTreeMap<Arc<str>, Vec<u32>>,
}

/// Services whose requests go to one region, wherever what a change is about lies.
const GLOBAL: [&str; 8] =
    ["iam", "route53", "cloudfront", "sts", "organizations", "globalaccelerator", "shield", "budgets"];

impl Changes {
    /// The changes of a model, sorted by name.
    pub(crate) fn new(mut all: Vec<Change>) -> Self {
        all.sort_by(|left, right| left.name.cmp(&right.name));
        let mut by_operation: HashMap<(Arc<str>, Arc<str>), Vec<Place>> = HashMap::new();
        let mut of: BTreeMap<Arc<str>, Vec<u32>> = BTreeMap::new();
        for (change, number) in all.iter().zip(0..) {
            for who in change.actors.iter().chain(&change.groups) {
                of.entry(Arc::clone(who)).or_default().push(number);
            }
            for (item, at) in change.items.iter().zip(0..) {
                for (call, own) in item.calls.iter().zip(0..) {
                    let key = (Arc::clone(&call.operation), Arc::clone(&change.account));
                    by_operation.entry(key).or_default().push(Place { change: number, item: at, call: own });
                }
            }
        }
        Self { all, by_operation, of }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.all.iter()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Change> {
        let at = self.all.binary_search_by(|change| change.name.as_ref().cmp(name)).ok()?;
        self.all.get(at)
    }

    /// Calls of changes for somebody that have the operation of a request, in the order of the changes.
    pub(crate) fn calls(
        &self,
        actor: &Actor,
        request: &Request,
        is_for: impl Fn(&Change) -> bool,
    ) -> Vec<Found<'_>> {
        let Some(first) = request.effects.first() else { return Vec::new() };
        let operation: Arc<str> = Arc::from(format!("{}:{}", first.service, first.operation));
        let key = (operation, Arc::clone(&actor.upstream.account));
        let everywhere = GLOBAL.contains(&first.service.as_ref());
        let here = |found: &Found<'_>| {
            let region = &found.change.region;
            found.change.plane == request.plane
                && (everywhere || region.is_empty() || request.region.is_empty() || *region == request.region)
                && is_for(found.change)
        };
        let places = self.by_operation.get(&key).into_iter().flatten();
        places.filter_map(|place| self.at(*place)).filter(here).collect()
    }

    fn at(&self, place: Place) -> Option<Found<'_>> {
        let change = self.all.get(place.change as usize)?;
        let item = change.items.get(place.item as usize)?;
        let call = item.calls.get(place.call as usize)?;
        Some(Found { change, item, call, number: place.call })
    }

    /// Changes that somebody may carry out, in an account.
    pub(crate) fn of(&self, name: &Arc<str>, person: &Person, account: &str) -> Vec<&Change> {
        let who = std::iter::once(name).chain(&person.groups);
        let numbers: BTreeSet<u32> = who.filter_map(|who| self.of.get(who)).flatten().copied().collect();
        let all = numbers.into_iter().filter_map(|number| self.all.get(number as usize));
        all.filter(|change| *change.account == *account).collect()
    }
}

impl Found<'_> {
    /// Whether a request is what the call says.
    pub(crate) fn holds(&self, request: &Request, live: &LiveInventory) -> Result<(), Mismatch> {
        matching::matches(&Names { change: self.change, live }, (self.item, self.call), request)
    }

    /// What its uses are counted under.
    pub(crate) fn key(&self) -> CounterKey {
        let Self { change, item, call, number } = self;
        CounterKey {
            source: Arc::from(format!("change:{}@{}", change.name, change.digest)),
            subject: Arc::from(format!("{} {number} {}", item.id, call.operation)),
        }
    }

    /// What is carried out, for its record.
    pub(crate) fn carried_out(&self) -> CarriedOut {
        CarriedOut {
            change: Arc::clone(&self.change.name),
            digest: self.change.digest,
            item: Arc::clone(&self.item.id),
            call: self.number,
            creates: self.call.creates,
        }
    }

    /// How many requests by the call may take effect in all.
    pub(crate) const fn limit(&self) -> u64 {
        self.change.uses.saturating_mul(self.call.times)
    }
}

impl Change {
    /// What an approval of it is given for, as it is written there.
    pub(crate) fn approved_as(&self) -> String {
        format!("sha256:{}", self.digest)
    }

    /// Whether somebody may carry it out.
    pub(crate) fn is_for(&self, name: &str, person: &Person) -> bool {
        self.actors.contains(name) || self.groups.iter().any(|group| person.groups.contains(group))
    }
}
