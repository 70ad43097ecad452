//! One resource of a plan as an item of a change.
//!
//! Leaves out how values are found (`fill.rs`).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::OURS;
use super::address::Address;
use super::block::Block;
use super::fill::{Filler, Place};
use super::form::{Form, Member};
use super::plan::{Action, NOTHING, Resource};
use super::reference::Items;
use super::vocabulary::{CallForm, Entry};
use crate::import::change::document::{Call, Item};

/// What makes items.
#[derive(Debug)]
pub(super) struct Maker<'p> {
    pub(super) items: &'p Items<'p>,
    pub(super) place: &'p Place,
}

/// A part of what becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Create,
    Update,
    Delete,
    Read,
}

impl Resource<'_> {
    /// Whether the plan changes it.
    pub(super) fn changes(&self) -> bool {
        self.action != Action::Keep
    }

    /// Whether there is something new afterwards.
    pub(super) fn makes(&self) -> bool {
        matches!(self.action, Action::Create | Action::Replace)
    }
}

impl<'p> Maker<'p> {
    /// The item of a resource; none where nothing is asked of the API for it.
    pub(super) fn item(&self, resource: &'p Resource<'p>) -> Option<Item> {
        let Some(entry) = self.items.vocabulary.get(&resource.address.kind) else {
            let note = format!(
                "the vocabulary does not know `{}`: its requests are denied until one does",
                resource.address.kind
            );
            return resource.changes().then(|| self.bare(resource, note));
        };
        let phases: &[Phase] = match resource.action {
            Action::Create => &[Phase::Create, Phase::Read],
            Action::Update => &[Phase::Update, Phase::Read],
            Action::Delete => &[Phase::Delete, Phase::Read],
            Action::Replace => &[Phase::Delete, Phase::Create, Phase::Read],
            Action::Keep => &[Phase::Read],
        };
        let notes = RefCell::new(BTreeSet::new());
        let mut item = self.begun(resource);
        for phase in phases {
            let filler = self.filler(resource, *phase, &notes);
            for form in entry.phase(*phase) {
                item.calls.extend(calls(&filler, form, *phase));
            }
        }
        if item.name.is_none() {
            let filler = self.filler(resource, Phase::Create, &notes);
            let name = entry.name.as_ref().and_then(|name| filler.fill(name, &filler.here));
            item.name = name.and_then(|name| name.as_str().map(str::to_owned));
        }
        item.notes = notes.into_inner();
        (resource.changes() || !item.calls.is_empty()).then_some(item)
    }

    /// The item of a resource that another region has.
    pub(super) fn elsewhere(&self, resource: &'p Resource<'p>, region: &str) -> Item {
        self.bare(resource, format!("it is in `{region}`, which this change is not for"))
    }

    fn bare(&self, resource: &'p Resource<'p>, note: String) -> Item {
        Item { notes: BTreeSet::from([note]), ..self.begun(resource) }
    }

    fn begun(&self, resource: &'p Resource<'p>) -> Item {
        let kind = &resource.address.kind;
        let written = self.items.vocabulary.get(kind).and_then(|entry| entry.kind.as_deref());
        let known = written.or_else(|| crate::import::terraform::kind_of(kind)).unwrap_or(kind);
        let mut item = Item {
            id: resource.id.clone(),
            kind: known.to_owned(),
            action: resource.action.as_str(),
            ..Item::default()
        };
        for side in ["before", "after"] {
            let value = resource.change.get(side).unwrap_or(&NOTHING);
            let sensitive = resource.change.get(format!("{side}_sensitive")).unwrap_or(&NOTHING);
            let whole = Block::resource(value, &NOTHING, sensitive, &NOTHING);
            for attribute in self.items.known_by(kind) {
                let block = whole.at(&[attribute.to_owned()]);
                let text = block.value().as_str().filter(|text| !text.is_empty() && !block.has_sensitive());
                let Some(text) = text else { continue };
                if attribute == "arn" && text.starts_with("arn:") {
                    // A log group's ARN in the state ends as no request writes it.
                    item.name = Some(text.strip_suffix(":*").unwrap_or(text).to_owned());
                } else {
                    item.identifiers.insert(text.to_owned());
                }
            }
        }
        if let Some(name) = &item.name {
            item.identifiers.remove(name);
        }
        item
    }

    fn filler(
        &self,
        resource: &'p Resource<'p>,
        phase: Phase,
        notes: &'p RefCell<BTreeSet<String>>,
    ) -> Filler<'p> {
        let written = self.items.plan.written(&resource.address).get("expressions").unwrap_or(&NOTHING);
        let of = |member: &str| resource.change.get(member).unwrap_or(&NOTHING);
        let before = Block::resource(of("before"), &NOTHING, of("before_sensitive"), written);
        let after = Block::resource(of("after"), of("after_unknown"), of("after_sensitive"), written);
        let nothing = Block::resource(&NOTHING, &NOTHING, &NOTHING, &NOTHING);
        let (here, before, after) = match (phase, resource.action) {
            (Phase::Delete, _) | (Phase::Read, Action::Delete) => (before.clone(), before, nothing),
            (Phase::Create, _) => (after.clone(), nothing, after),
            (Phase::Update | Phase::Read, _) => (after.clone(), before, after),
        };
        Filler { items: self.items, resource, place: self.place, here, before, after, notes }
    }

    /// Items of what is looked up and hands out a secret.
    pub(super) fn looked_up(&self) -> Vec<Item> {
        let root = self.items.plan.at("/prior_state/values/root_module");
        let (mut open, mut items) = (vec![root], Vec::new());
        while let Some(module) = open.pop() {
            open.extend(module.get("child_modules").and_then(Value::as_array).into_iter().flatten());
            let resources = module.get("resources").and_then(Value::as_array).into_iter().flatten();
            items.extend(resources.filter_map(|resource| self.one_looked_up(resource)));
        }
        items
    }

    fn one_looked_up(&self, written: &'p Value) -> Option<Item> {
        let id = written.get("address")?.as_str()?;
        let address = Address::read(id).filter(|address| address.data && address.kind.starts_with(OURS))?;
        let entry = self.items.vocabulary.get(&format!("data.{}", address.kind))?;
        let resource = Resource { id: id.to_owned(), address, action: Action::Keep, change: &NOTHING };
        let here = Block::resource(
            written.get("values").unwrap_or(&NOTHING),
            &NOTHING,
            written.get("sensitive_values").unwrap_or(&NOTHING),
            &NOTHING,
        );
        let notes = RefCell::new(BTreeSet::new());
        let filler = Filler {
            items: self.items,
            resource: &resource,
            place: self.place,
            here: here.clone(),
            before: here.clone(),
            after: here,
            notes: &notes,
        };
        let calls: Vec<Call> = entry.read.iter().flat_map(|form| calls(&filler, form, Phase::Read)).collect();
        let kind = entry.kind.clone().unwrap_or_else(|| resource.address.kind.clone());
        let item = Item { id: id.to_owned(), kind, action: "read", calls, ..Item::default() };
        (!item.calls.is_empty()).then_some(item)
    }

    /// What of the items asks nothing of the API although the plan changes it.
    pub(super) fn without_calls(&self, items: &[Item], ours: &[Resource<'_>]) -> Vec<String> {
        let known = |item: &&Item| {
            let resource = ours.iter().find(|one| one.id == item.id);
            resource.is_some_and(|one| self.items.vocabulary.get(&one.address.kind).is_some())
        };
        let is_empty = |item: &&Item| item.calls.iter().all(|call| call.reads) && item.action != "read";
        let text = |item: &Item| {
            let (id, action) = (&item.id, item.action);
            format!("`{id}`: the vocabulary has no request for what the plan changes of it ({action})")
        };
        items
            .iter()
            .filter(is_empty)
            .filter(known)
            .filter(|item| item.notes.iter().all(|note| !note.starts_with("it is in")))
            .map(text)
            .collect()
    }
}

impl Entry {
    fn phase(&self, phase: Phase) -> &[CallForm] {
        match phase {
            Phase::Create => &self.create,
            Phase::Update => &self.update,
            Phase::Delete => &self.delete,
            Phase::Read => &self.read,
        }
    }
}

/// The calls that a form comes to.
fn calls<'p>(filler: &Filler<'p>, form: &CallForm, phase: Phase) -> Vec<Call> {
    let one = |at: &Block<'p>| call(filler, form, phase, at);
    match &form.each {
        None => one(&filler.here).into_iter().collect(),
        Some(each) => {
            let around = Rc::new(filler.here.clone());
            let elements = filler.elements(each, &filler.here).into_iter();
            elements.filter_map(|element| one(&element.within(&around))).collect()
        }
    }
}

fn call<'p>(filler: &Filler<'p>, form: &CallForm, phase: Phase, at: &Block<'p>) -> Option<Call> {
    if !form.when.is_empty() && !form.when.iter().any(|when| filler.fill(when, at).is_some()) {
        return None;
    }
    let (mut takes, mut must, mut changed, mut asks) = (Map::new(), BTreeSet::new(), false, false);
    for member in &form.takes {
        let value = filler.fill(&member.form, at);
        if member.form.asks_for_change() {
            asks = true;
            changed |= value.is_some();
        }
        match value {
            Some(value) => {
                musts(member, &value, "", &mut must);
                takes.insert(member.name.clone(), value);
            }
            // It makes no sense without.
            None if member.must => return None,
            None => {}
        }
    }
    if asks && !changed {
        return None;
    }
    takes.sort_keys();
    Some(Call {
        operation: form.operation.clone(),
        creates: form.creates && phase != Phase::Delete,
        reads: phase == Phase::Read,
        partial: form.partial,
        times: form.times,
        takes,
        must,
    })
}

/// The paths of what has to be there, within what has to be there: of a list what all its elements have.
fn musts(member: &Member, value: &Value, above: &str, all: &mut BTreeSet<String>) {
    let path = format!("{above}{}", member.name);
    if !member.must {
        return;
    }
    all.insert(path.clone());
    let form = if let Form::Each { each, .. } = &member.form { each } else { &member.form };
    let Form::Map(inner) = form else { return };
    let one = std::slice::from_ref(value);
    let elements = value.as_array().map_or(one, Vec::as_slice);
    for member in inner {
        let found: Option<Vec<&Value>> = elements.iter().map(|element| element.get(&member.name)).collect();
        let Some([first, ..]) = found.as_deref() else { continue };
        musts(member, first, &format!("{path}."), all);
    }
}
