//! Whether a request is what a call of a change says: its operation, what it is about, and every parameter of it.
//!
//! A parameter that the call does not name was not planned, whatever its value. What an item is known by that was not there
//! when the change was written comes from the upstream's answer to the call that created it, never from whoever asks.
//! Leaves out who may carry the change out, when, and how often (`judge/planned.rs`).

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use ordain_action::{Call as Request, Completeness, Effect, NameBasis, Resource, Role, Scalar};
use serde_json::Value;

use super::given::Given;
use super::plain::{Plain, canonical};
use super::wanted::Wanted;
use super::{Call, Change, Item};
use crate::live::LiveInventory;

/// The longest value that is told.
const TOLD_MAX: usize = 200;

/// The most comparisons of one request with all calls that it may be: what is given in lists is held against each that is
/// planned. Beyond them nothing is what was planned.
const STEPS_MAX: usize = 1_000_000;

/// How many letters of a document cost as much as a comparison.
const STEP: usize = 32;

/// Why a request is not what a call says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// How near it came: what differs in one value is told before what is about something else.
    pub(crate) near: u8,
    /// What differs: lower case, no stop.
    pub(crate) text: String,
}

const OTHER_THING: u8 = 1;
const OTHER_PARAMETER: u8 = 2;

fn differs(near: u8, text: String) -> Mismatch {
    Mismatch { near, text }
}

/// What names are looked up in: one change, and what was created for it.
pub(crate) struct Names<'n> {
    pub(crate) change: &'n Change,
    pub(crate) live: &'n LiveInventory,
}

impl Names<'_> {
    /// All that an item is known by: what the change says, and what answers have said since.
    fn of<'i>(&'i self, item: &'i Item) -> BTreeSet<&'i str> {
        let mut names: BTreeSet<&str> =
            item.name.iter().chain(&item.identifiers).map(AsRef::as_ref).collect();
        names.extend(
            self.live.made_for(self.change.digest, &item.id).iter().map(|fact| fact.identifier.as_str()),
        );
        names
    }

    fn item(&self, id: &str) -> Option<&Item> {
        self.change.items.iter().find(|item| *item.id == *id)
    }

    /// Whether a text of a request means an item.
    fn means(&self, id: &str, text: &str, effect: &Effect) -> bool {
        let Some(item) = self.item(id) else { return false };
        let names = self.of(item);
        let ends = |name: &&str| super::ends(name).any(|end| end == text);
        let whole = || self.identifier(item, text).is_some_and(|identifier| names.contains(identifier));
        // The request names the same thing another way: a queue by its URL.
        let elsewhere = |resource: &Resource| {
            !resource.pattern
                && names.contains(resource.name.as_str())
                && resource.identifiers.iter().any(|identifier| identifier.value == text)
        };
        names.contains(text)
            || (!text.is_empty() && names.iter().any(ends))
            || whole()
            || effect.resources.iter().any(elsewhere)
    }

    /// What a name of AWS ends with, where it is one of the item's own type, in the change's own account and region.
    fn identifier<'t>(&self, item: &Item, text: &'t str) -> Option<&'t str> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let (_partition, service, region, account, own) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (of, kind) = item.kind.split_once(':')?;
        let here = service == of
            && account == &*self.change.account
            && (region.is_empty() || region == &*self.change.region);
        let rest = own.strip_prefix(kind).and_then(|rest| rest.strip_prefix(['/', ':']));
        here.then(|| rest.unwrap_or(own))
    }

    /// Whether a text mentions an item by something that means no other thing.
    fn mentions(&self, id: &str, text: &str) -> bool {
        self.item(id).is_some_and(|item| self.of(item).into_iter().any(|name| text.contains(name)))
    }
}

/// A request as it is held against any number of calls.
pub(crate) struct Asked<'a> {
    request: &'a Request,
    given: Vec<Given<'a>>,
    steps: Cell<usize>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(request: &'a Request) -> Self {
        let given = request.effects.iter().map(|effect| Given::of(&effect.parameters)).collect();
        Self { request, given, steps: Cell::new(STEPS_MAX) }
    }
}

/// Holds a request against a call.
pub(super) fn matches(
    names: &Names<'_>,
    (item, call): (&Item, &Call),
    asked: &Asked<'_>,
) -> Result<(), Mismatch> {
    let at = At { names, steps: &asked.steps };
    let request = asked.request;
    let Some(first) = request.effects.first() else {
        return Err(differs(OTHER_THING, "it does nothing".to_owned()));
    };
    let is_own = |effect: &&Effect| effect.service == first.service && effect.operation == first.operation;
    for (effect, given) in request.effects.iter().zip(&asked.given).filter(|(effect, _)| is_own(effect)) {
        at.effect((item, call), (effect, first), given)?;
    }
    for (other, given) in request.effects.iter().zip(&asked.given).filter(|(effect, _)| !is_own(effect)) {
        at.beside((item, call), (other, first), given)?;
    }
    Ok(())
}

struct At<'a> {
    names: &'a Names<'a>,
    steps: &'a Cell<usize>,
}

impl At<'_> {
    /// An effect is what a call says. `first` is the one that the request is for: what another is about may stand there.
    fn effect(
        &self,
        (item, call): (&Item, &Call),
        (effect, first): (&Effect, &Effect),
        given: &Given<'_>,
    ) -> Result<(), Mismatch> {
        complete(call, effect)?;
        self.tree(&call.takes, given, "", effect)?;
        for path in &call.must {
            Self::must(call, given, path)?;
        }
        let texts = texts(effect).chain(texts(first)).filter(|_| !call.partial).collect();
        self.targets(item, effect, &texts, |target| is_account(target, &self.names.change.account))
    }

    /// What else a request does, by another operation: what a call of the item beside it says, or nothing but what the first
    /// effect says, about things that it names.
    fn beside(
        &self,
        (item, call): (&Item, &Call),
        (other, first): (&Effect, &Effect),
        given: &Given<'_>,
    ) -> Result<(), Mismatch> {
        let operation = format!("{}:{}", other.service, other.operation);
        let mut beside = item.calls.iter().filter(|call| *call.operation == *operation);
        if beside.any(|call| self.effect((item, call), (other, first), given).is_ok()) {
            return Ok(());
        }
        complete(call, other)?;
        let said: HashSet<(&str, Scalar<'_>)> = spoken(first).collect();
        if let Some((path, value)) = spoken(other).find(|leaf| !said.contains(leaf)) {
            let text = format!("`{path}={}` of `{operation}` was not planned", told(value));
            return Err(differs(OTHER_PARAMETER, text));
        }
        self.targets(item, other, &texts(first).collect(), |_| false)
    }

    /// What it is about has to be told by a text that was held against the call, or be the item itself.
    fn targets(
        &self,
        item: &Item,
        effect: &Effect,
        texts: &BTreeSet<&str>,
        may: impl Fn(&Resource) -> bool,
    ) -> Result<(), Mismatch> {
        let names = self.names.of(item);
        for target in effect.resources.iter().filter(|resource| resource.role == Role::Target) {
            let named = !target.pattern && names.contains(target.name.as_str());
            let by_parameters = !target.identifiers.is_empty()
                && target.identifiers.iter().all(|identifier| texts.contains(identifier.value.as_str()));
            if !named && !by_parameters && !texts.contains(target.name.as_str()) && !may(target) {
                let text = format!("`{}` is not what was planned", crate::refusal::shown(&target.name));
                return Err(differs(OTHER_THING, text));
            }
        }
        Ok(())
    }

    /// What has to be there is there; of a list, some of it.
    fn must(call: &Call, given: &Given<'_>, path: &[Arc<str>]) -> Result<(), Mismatch> {
        match (call.takes.get(path), given.get(path)) {
            (Some(wanted), None) => Err(missing(&path.join("."), wanted)),
            (Some(_), Some(_)) | (None, _) => Ok(()),
        }
    }

    /// Every part that is given is one that is wanted.
    fn tree(&self, wanted: &Wanted, given: &Given<'_>, path: &str, effect: &Effect) -> Result<(), Mismatch> {
        if let Wanted::Map(members) = wanted
            && given.elements.is_empty()
            && given.values.is_empty()
        {
            for (name, value) in &given.members {
                let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                let Some(wanted) = members.get(name.as_ref()) else { return Err(not_planned(&path, value)) };
                self.tree(wanted, value, &path, effect)?;
            }
            return Ok(());
        }
        if let Wanted::List(all) = wanted {
            let mut left: Vec<&Wanted> = all.iter().collect();
            for element in elements(given) {
                match left.iter().position(|one| self.whole(one, element, effect)) {
                    // What is planned once is done once.
                    Some(at) => drop(left.swap_remove(at)),
                    None => return Err(self.nearest(all, element, path, effect)),
                }
            }
            return Ok(());
        }
        // A call without parameters.
        if path.is_empty() && *wanted == Wanted::Empty {
            let is_empty = given.members.is_empty() && given.elements.is_empty() && given.values.is_empty();
            return if is_empty { Ok(()) } else { Err(not_planned(path, given)) };
        }
        if self.whole(wanted, given, effect) {
            return Ok(());
        }
        let text = format!("`{path}={}` was not planned: it is {}", first(given), wanted.told());
        Err(differs(nearness(wanted), text))
    }

    /// What differs in an element from the one of those planned that it is most like.
    fn nearest(&self, all: &[Wanted], element: &Given<'_>, path: &str, effect: &Effect) -> Mismatch {
        let like = |one: &&Wanted| self.differences(one, element, effect);
        match all.iter().min_by_key(like) {
            Some(Wanted::Map(members)) => self.in_members(members, element, path, effect),
            Some(_) | None => {
                let planned: Vec<String> = all.iter().take(4).map(Wanted::told).collect();
                let mut mismatch = not_planned(path, element);
                mismatch.text.push_str(&format!(": it is {}", planned.join(" or ")));
                mismatch.near = all.iter().map(nearness).min().unwrap_or(mismatch.near);
                mismatch
            }
        }
    }

    fn in_members(
        &self,
        members: &BTreeMap<Arc<str>, Wanted>,
        element: &Given<'_>,
        path: &str,
        effect: &Effect,
    ) -> Mismatch {
        for (name, given) in &element.members {
            let path = format!("{path}.{name}");
            let Some(wanted) = members.get(name.as_ref()) else { return not_planned(&path, given) };
            if self.whole(wanted, given, effect) {
                continue;
            }
            let inner = self.tree(wanted, given, &path, effect).err();
            return inner.unwrap_or_else(|| missing(&path, wanted));
        }
        let lacking = members.iter().find(|(name, wanted)| {
            !element.members.contains_key(&***name) && !matches!(wanted, Wanted::Optional(_))
        });
        match lacking {
            Some((name, wanted)) => missing(&format!("{path}.{name}"), wanted),
            None => not_planned(path, element),
        }
    }

    /// How many parts of an element differ from what is planned.
    fn differences(&self, wanted: &Wanted, given: &Given<'_>, effect: &Effect) -> usize {
        let Wanted::Map(members) = wanted else { return usize::from(!self.whole(wanted, given, effect)) };
        let differs = |(name, value): (&Cow<'_, str>, &Given<'_>)| match members.get(name.as_ref()) {
            Some(wanted) if self.whole(wanted, value, effect) => 0,
            Some(_) | None => 1,
        };
        let differing: usize = given.members.iter().map(differs).sum();
        differing + members.keys().filter(|name| !given.members.contains_key(&***name)).count()
    }

    /// The one is the other: nothing beside it, and nothing missing that is not optional.
    fn whole(&self, wanted: &Wanted, given: &Given<'_>, effect: &Effect) -> bool {
        if !self.goes_on(1) {
            return false;
        }
        match wanted {
            Wanted::Optional(wanted) => self.whole(wanted, given, effect),
            Wanted::OneOf(all) => all.iter().any(|one| self.whole(one, given, effect)),
            Wanted::Map(members) => {
                given.values.is_empty()
                    && given.elements.is_empty()
                    && given.members.iter().all(|(name, value)| {
                        members.get(name.as_ref()).is_some_and(|wanted| self.whole(wanted, value, effect))
                    })
                    && members.iter().all(|(name, wanted)| {
                        given.members.contains_key(&**name) || matches!(wanted, Wanted::Optional(_))
                    })
            }
            // Fewer things are less: clients ask for some at a time. A list of plain values is one value.
            Wanted::List(all) => {
                let mut left: Vec<&Wanted> = all.iter().collect();
                let is_planned = |element: &Given<'_>| {
                    let at = left.iter().position(|one| self.whole(one, element, effect));
                    at.map(|at| left.swap_remove(at)).is_some()
                };
                elements(given).all(is_planned)
                    && left.iter().all(|one| matches!(one, Wanted::Map(_) | Wanted::Optional(_)))
            }
            Wanted::Mentions(items) if items.is_empty() => true,
            Wanted::Text(_)
            | Wanted::Null
            | Wanted::Empty
            | Wanted::Of(_)
            | Wanted::Mentions(_)
            | Wanted::Secret
            | Wanted::Json(_)
            | Wanted::Pattern(_) => only(given).is_some_and(|value| self.scalar(wanted, value, effect)),
        }
    }

    /// Whether there is as much left to be compared.
    fn goes_on(&self, steps: usize) -> bool {
        let left = self.steps.get().saturating_sub(steps);
        self.steps.set(left);
        left > 0
    }

    fn scalar(&self, wanted: &Wanted, value: Scalar<'_>, effect: &Effect) -> bool {
        let text = match value {
            Scalar::Text(text) | Scalar::Number(text) => text,
            Scalar::Bool(true) => "true",
            Scalar::Bool(false) => "false",
            Scalar::Null => return *wanted == Wanted::Null,
            Scalar::Empty => return *wanted == Wanted::Empty,
            Scalar::Token(_) => return *wanted == Wanted::Secret,
        };
        match wanted {
            Wanted::Text(wanted) => **wanted == *text,
            Wanted::Of(item) => self.names.means(item, text, effect),
            Wanted::Mentions(items) => items.iter().all(|item| self.names.mentions(item, text)),
            Wanted::Json(wanted) => {
                self.goes_on(text.len() / STEP)
                    && serde_json::from_str::<Plain>(text).is_ok_and(|Plain(value)| same(wanted, &value))
            }
            Wanted::Pattern(glob) => glob.matches(text),
            Wanted::Null
            | Wanted::Empty
            | Wanted::Secret
            | Wanted::Map(_)
            | Wanted::List(_)
            | Wanted::OneOf(_)
            | Wanted::Optional(_) => false,
        }
    }
}

/// What is about another thing is farther off than what is about this one, otherwise.
const fn nearness(wanted: &Wanted) -> u8 {
    match wanted {
        Wanted::Of(_) => OTHER_THING,
        Wanted::Text(_)
        | Wanted::Null
        | Wanted::Empty
        | Wanted::Map(_)
        | Wanted::List(_)
        | Wanted::Mentions(_)
        | Wanted::Secret
        | Wanted::Json(_)
        | Wanted::OneOf(_)
        | Wanted::Pattern(_)
        | Wanted::Optional(_) => OTHER_PARAMETER,
    }
}

/// Two values are one, whatever the order of their members.
fn same(left: &Value, right: &Value) -> bool {
    let (mut one, mut other) = (String::new(), String::new());
    canonical(left, &mut one);
    canonical(right, &mut other);
    one == other
}

/// The elements of a list; what is no list is one element.
fn elements<'e, 'g>(given: &'e Given<'g>) -> impl Iterator<Item = &'e Given<'g>> {
    let alone = given.elements.is_empty().then_some(given);
    let own = alone.is_none() && given.values.is_empty() && given.members.is_empty();
    // What is both a list and something else is neither, and equals nothing.
    let both = (alone.is_none() && !own).then_some(given);
    given.elements.values().filter(move |_| own).chain(alone).chain(both)
}

/// The value of what has only one, or of a list of one that has.
fn only<'g>(given: &Given<'g>) -> Option<Scalar<'g>> {
    let mut elements = given.elements.values();
    match (elements.next(), elements.next()) {
        (Some(one), None) if given.values.is_empty() && given.members.is_empty() => one.value(),
        _ => given.value(),
    }
}

fn missing(path: &str, wanted: &Wanted) -> Mismatch {
    let (inner, told) = wanted.first();
    let path = [path, &*inner].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    differs(OTHER_PARAMETER, format!("`{path}` was planned as {told} and is missing"))
}

fn not_planned(path: &str, given: &Given<'_>) -> Mismatch {
    let (inner, value) = leaf(given);
    let path = [path, &*inner].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    differs(OTHER_PARAMETER, format!("`{path}={value}` was not planned"))
}

/// Where the first value of a part is, and what.
fn leaf(given: &Given<'_>) -> (String, String) {
    if let Some(value) = given.values.first() {
        return (String::new(), told(*value));
    }
    let (name, inside) = match (given.members.first_key_value(), given.elements.first_key_value()) {
        (Some((name, inside)), _) => (name.to_string(), inside),
        (None, Some((_, inside))) => (String::new(), inside),
        (None, None) => return (String::new(), String::new()),
    };
    let (rest, value) = leaf(inside);
    ([name, rest].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("."), value)
}

fn first(given: &Given<'_>) -> String {
    leaf(given).1
}

fn told(value: Scalar<'_>) -> String {
    let text = match value {
        Scalar::Text(text) | Scalar::Number(text) | Scalar::Token(text) => text,
        Scalar::Bool(true) => "true",
        Scalar::Bool(false) => "false",
        Scalar::Null => "null",
        Scalar::Empty => "",
    };
    let end = text.floor_char_boundary(TOLD_MAX);
    let cut = if end < text.len() { "…" } else { "" };
    [text.get(..end).unwrap_or_default(), cut].concat()
}

/// The account, project or cluster of the change as a whole, which a request is about that names nothing narrower.
fn is_account(target: &Resource, account: &str) -> bool {
    target.basis == NameBasis::Scope && target.name.split([':', '/']).any(|part| part == account)
}

fn complete(call: &Call, effect: &Effect) -> Result<(), Mismatch> {
    match effect.parameters.completeness() {
        Completeness::Complete => Ok(()),
        Completeness::Partial(_) | Completeness::Opaque(_) if call.partial => Ok(()),
        Completeness::Partial(why) | Completeness::Opaque(why) => {
            Err(differs(OTHER_PARAMETER, format!("not every parameter of it can be read ({why})")))
        }
    }
}

fn spoken(effect: &Effect) -> impl Iterator<Item = (&str, Scalar<'_>)> {
    effect.parameters.iter().filter(|leaf| !leaf.idempotency).map(|leaf| (leaf.path, leaf.value))
}

/// The texts by which an effect may name something.
pub(super) fn texts(effect: &Effect) -> impl Iterator<Item = &str> {
    effect.parameters.iter().filter_map(|leaf| match leaf.value {
        Scalar::Text(text) | Scalar::Number(text) => Some(text),
        Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
    })
}
