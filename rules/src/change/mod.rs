//! Changes: what somebody wrote down to be done, by whom, when and how often, and who approved it.
//!
//! A change lists items, an item the calls that carry it out, with every parameter. Leaves out reading them from documents
//! (`model/changes.rs`) and what a request that is one of them is admitted to (`judge/planned.rs`).

mod given;
mod matching;
mod plain;
mod shown;
mod wanted;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ordain_action::{Actor, Call as Request, Digest, Plane};

use crate::calendar::Term;
use crate::live::LiveInventory;
use crate::model::Person;
use crate::{CarriedOut, CounterKey};
use matching::Names;
pub(crate) use matching::{Asked, Mismatch};
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
    /// Approved by one owner of each thing that it touches, and looked at afterwards.
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
    /// Those that name an actor or a group.
    of: HashMap<Arc<str>, Of>,
}

/// What somebody may carry out, in the order of the changes.
#[derive(Debug, Default)]
struct Of {
    changes: Vec<u32>,
    /// Every call of an operation.
    calls: HashMap<Arc<str>, Vec<Place>>,
    /// Of those the calls of items that are known by some name, by each of their names.
    named: HashMap<(Arc<str>, Arc<str>), Vec<Place>>,
    /// The rest of them.
    unnamed: HashMap<Arc<str>, Vec<Place>>,
}

/// Services whose requests go to one region, wherever what a change is about lies.
const GLOBAL: [&str; 8] =
    ["iam", "route53", "cloudfront", "sts", "organizations", "globalaccelerator", "shield", "budgets"];

/// The most calls that a request is held against: what is none of them was not planned.
const CANDIDATES_MAX: usize = 512;

/// The most calls that are looked at for what is nearest to a request that is none of them.
const NEAREST_MAX: usize = 256;

impl Changes {
    /// The changes of a model, sorted by name.
    pub(crate) fn new(mut all: Vec<Change>) -> Self {
        all.sort_by(|left, right| left.name.cmp(&right.name));
        let mut of: HashMap<Arc<str>, Of> = HashMap::new();
        for (change, number) in all.iter().zip(0..) {
            for who in change.actors.iter().chain(&change.groups) {
                let of = of.entry(Arc::clone(who)).or_default();
                of.changes.push(number);
                of.add(change, number);
            }
        }
        Self { all, of }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.all.iter()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Change> {
        let at = self.all.binary_search_by(|change| change.name.as_ref().cmp(name)).ok()?;
        self.all.get(at)
    }

    /// Somebody may carry out some change.
    pub(crate) fn is_for(&self, name: &str, person: &Person) -> bool {
        self.groups_of(name, person).next().is_some()
    }

    fn groups_of<'c>(&'c self, name: &'c str, person: &'c Person) -> impl Iterator<Item = &'c Of> {
        // Most models have none, and most actors.
        let who = std::iter::once(name).chain(person.groups.iter().map(AsRef::as_ref));
        who.take(if self.of.is_empty() { 0 } else { usize::MAX }).filter_map(|who| self.of.get(who))
    }

    /// Calls that a request may be, of changes for somebody: those of its operation that are known by a name that it says, and
    /// those whose items have none yet. In the order of the changes.
    pub(crate) fn candidates(
        &self,
        request: &Request,
        actor: &Actor,
        name: &str,
        person: &Person,
    ) -> Vec<Found<'_>> {
        let Some(operation) = operation(request) else { return Vec::new() };
        let mut places: BTreeSet<Place> = BTreeSet::new();
        for of in self.groups_of(name, person) {
            places.extend(of.unnamed.get(&operation).into_iter().flatten());
            if of.named.is_empty() {
                continue;
            }
            for text in said(request) {
                places.extend(of.named.get(&(Arc::clone(&operation), Arc::from(text))).into_iter().flatten());
            }
        }
        self.found(places, request, actor)
    }

    /// Calls of the operation of a request, of changes for somebody: what is nearest to it is among the first of them.
    pub(crate) fn nearest(
        &self,
        request: &Request,
        actor: &Actor,
        name: &str,
        person: &Person,
    ) -> Vec<Found<'_>> {
        let Some(operation) = operation(request) else { return Vec::new() };
        let calls = self.groups_of(name, person).filter_map(|of| of.calls.get(&operation));
        self.found(calls.flatten().copied().take(NEAREST_MAX).collect(), request, actor)
    }

    fn found(&self, places: BTreeSet<Place>, request: &Request, actor: &Actor) -> Vec<Found<'_>> {
        let service = request.effects.first().map_or("", |effect| &effect.service);
        let everywhere = GLOBAL.contains(&service);
        let here = |found: &Found<'_>| {
            let Change { plane, account, region, .. } = found.change;
            *plane == request.plane
                && *account == actor.upstream.account
                && (everywhere || region.is_empty() || request.region.is_empty() || *region == request.region)
        };
        places.into_iter().filter_map(|place| self.at(place)).filter(here).take(CANDIDATES_MAX).collect()
    }

    fn at(&self, place: Place) -> Option<Found<'_>> {
        let change = self.all.get(place.change as usize)?;
        let item = change.items.get(place.item as usize)?;
        let call = item.calls.get(place.call as usize)?;
        Some(Found { change, item, call, number: place.call })
    }

    /// Changes that somebody may carry out, in an account.
    pub(crate) fn of(&self, name: &str, person: &Person, account: &str) -> Vec<&Change> {
        let numbers = self.groups_of(name, person).flat_map(|of| &of.changes).copied();
        let numbers: BTreeSet<u32> = numbers.collect();
        let all = numbers.into_iter().filter_map(|number| self.all.get(number as usize));
        all.filter(|change| *change.account == *account).collect()
    }
}

impl Of {
    fn add(&mut self, change: &Change, number: u32) {
        for (item, at) in change.items.iter().zip(0..) {
            // What an answer will say it is called is not known here.
            let is_there = !item.calls.iter().any(|call| call.creates);
            let names: BTreeSet<&Arc<str>> =
                item.name.iter().chain(&item.identifiers).filter(|_| is_there).collect();
            for (call, own) in item.calls.iter().zip(0..) {
                let (operation, place) = (&call.operation, Place { change: number, item: at, call: own });
                self.calls.entry(Arc::clone(operation)).or_default().push(place);
                if call.takes.is_about(&item.id) && !names.is_empty() {
                    let all = names.iter().flat_map(|name| std::iter::once(name.as_ref()).chain(ends(name)));
                    for name in all {
                        let key = (Arc::clone(operation), Arc::from(name));
                        self.named.entry(key).or_default().push(place);
                    }
                } else {
                    self.unnamed.entry(Arc::clone(operation)).or_default().push(place);
                }
            }
        }
    }
}

/// What a name ends with, by which requests know it too: of a name of AWS all behind the type, and of one that has a path the
/// last part only where nothing else can have that (`iam`).
pub(super) fn ends(name: &str) -> impl Iterator<Item = &str> {
    let own = name.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4));
    let behind = own.and_then(|own| own.split_once(['/', ':'])).map(|(_, behind)| behind);
    let path = name.strip_prefix('/').and_then(|path| path.split_once('/')).map(|(_, behind)| behind);
    let last = behind.filter(|_| name.contains(":iam::")).and_then(|behind| behind.rsplit('/').next());
    let all = [own, behind, path.filter(|path| !path.contains('/')), last];
    all.into_iter().flatten().filter(|end| !end.is_empty() && !end.contains('*'))
}

fn operation(request: &Request) -> Option<Arc<str>> {
    request.effects.first().map(|effect| Arc::from(format!("{}:{}", effect.service, effect.operation)))
}

/// Every text by which a request may name something.
fn said(request: &Request) -> BTreeSet<&str> {
    let Some(first) = request.effects.first() else { return BTreeSet::new() };
    let names = first.resources.iter().map(|resource| resource.name.as_str());
    let all: BTreeSet<&str> = matching::texts(first).chain(names).collect();
    let more: Vec<&str> = all.iter().flat_map(|text| ends(text)).collect();
    all.into_iter().chain(more).collect()
}

impl Found<'_> {
    /// Whether a request is what the call says.
    pub(crate) fn holds(&self, asked: &Asked<'_>, live: &LiveInventory) -> Result<(), Mismatch> {
        matching::matches(&Names { change: self.change, live }, (self.item, self.call), asked)
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
}
