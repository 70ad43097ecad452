//! What an expression of the configuration refers to: resources whose identity is known only when they exist.
//!
//! Leaves out values. A plan shows the references of an expression and not how they are put together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::address::{Address, Step, parts};
use super::plan::{NOTHING, Plan, Resource};
use super::vocabulary::Vocabulary;

/// How many references are followed through modules for one expression.
const FOLLOWED_MAX: usize = 1_000;

/// All that references may mean.
#[derive(Debug)]
pub(super) struct Items<'p> {
    pub(super) plan: &'p Plan,
    pub(super) vocabulary: &'p Vocabulary,
    resources: &'p [Resource<'p>],
    by_name: BTreeMap<(&'p str, &'p str), Vec<&'p Resource<'p>>>,
}

/// What an expression refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Referred {
    /// Resources by what requests know them by: for each reference the items it may mean.
    pub(super) identities: BTreeSet<Vec<String>>,
    /// What is known when planning, and so is no reason that the whole is not.
    pub(super) known: usize,
    /// Attributes of resources that are known only when they exist, and that requests do not know them by.
    pub(super) attributes: BTreeSet<String>,
    /// What a plan does not show: locals, and what is looked up when applying.
    pub(super) hidden: BTreeSet<String>,
}

impl Referred {
    fn add(&mut self, other: Self) {
        self.identities.extend(other.identities);
        self.known += other.known;
        self.attributes.extend(other.attributes);
        self.hidden.extend(other.hidden);
    }

    /// The items of references that can mean one alone.
    pub(super) fn single(&self) -> Vec<&str> {
        let single = |items: &Vec<String>| match items.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        let found: BTreeSet<String> = self.identities.iter().filter_map(single).collect();
        let all = self.identities.iter().flatten();
        let mut single: Vec<&str> = all.map(String::as_str).filter(|item| found.contains(*item)).collect();
        single.sort_unstable();
        single.dedup();
        single
    }

    /// All the items.
    pub(super) fn all(&self) -> BTreeSet<&str> {
        self.identities.iter().flatten().map(String::as_str).collect()
    }

    /// What it comes from, for people.
    pub(super) fn text(&self) -> String {
        let ticks = |text: &String| format!("`{text}`");
        let mut named: Vec<String> = self.attributes.iter().map(ticks).collect();
        named.extend(self.hidden.iter().map(ticks));
        named.extend(self.all().into_iter().map(|item| format!("`{item}`")));
        named.join(", ")
    }
}

impl<'p> Items<'p> {
    pub(super) fn new(plan: &'p Plan, vocabulary: &'p Vocabulary, resources: &'p [Resource<'p>]) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for resource in resources {
            let key = (resource.address.kind.as_str(), resource.address.name.as_str());
            by_name.entry(key).or_default().push(resource);
        }
        Self { plan, vocabulary, resources, by_name }
    }

    /// What an expression of a resource refers to.
    pub(super) fn referred(&self, of: &Address, expression: &Value) -> Referred {
        let mut left = FOLLOWED_MAX;
        self.follow(&of.modules, Some(of), expression, &mut left)
    }

    fn follow(
        &self,
        modules: &[Step],
        of: Option<&Address>,
        expression: &Value,
        left: &mut usize,
    ) -> Referred {
        let mut found = Referred::default();
        for reference in references(expression) {
            if *left == 0 {
                found.hidden.insert(reference.to_owned());
                break;
            }
            *left -= 1;
            found.add(self.one(modules, of, reference, left));
        }
        found
    }

    fn one(&self, modules: &[Step], of: Option<&Address>, reference: &str, left: &mut usize) -> Referred {
        let steps = parts(reference);
        let mut names = steps.iter().map(|step| step.name.as_str());
        let hidden = || Referred { hidden: BTreeSet::from([reference.to_owned()]), ..Referred::default() };
        match (names.next().unwrap_or_default(), names.next().unwrap_or_default()) {
            ("var", name) => {
                let Some((last, above)) = modules.split_last() else { return Referred::default() };
                let call =
                    self.plan.module(above).get("module_calls").and_then(|calls| calls.get(&last.name));
                let given = call.and_then(|call| call.get("expressions")?.get(name)).unwrap_or(&NOTHING);
                self.follow(above, None, given, left)
            }
            ("each", "value") => {
                let written = of.map_or(&NOTHING, |of| self.plan.written(of));
                let over = written.get("for_each_expression").unwrap_or(&NOTHING);
                // How the value comes out of what is iterated over is not shown.
                self.follow(modules, None, over, left)
            }
            ("each" | "count" | "path" | "terraform" | "self", _) => Referred::default(),
            ("local", _) => hidden(),
            ("module", _) => {
                let (Some(call), Some(output)) = (steps.get(1), steps.get(2)) else { return hidden() };
                let mut within = modules.to_vec();
                within.push(call.clone());
                let outputs = self.plan.module(&within).get("outputs");
                let output = outputs.and_then(|outputs| outputs.get(&output.name)?.get("expression"));
                output.map_or_else(hidden, |output| self.follow(&within, None, output, left))
            }
            _ => self.resource(modules, reference),
        }
    }

    fn resource(&self, modules: &[Step], reference: &str) -> Referred {
        let hidden = || Referred { hidden: BTreeSet::from([reference.to_owned()]), ..Referred::default() };
        let Some(mut meant) = Address::read(reference) else { return hidden() };
        meant.modules = modules.to_vec();
        if meant.data {
            return hidden();
        }
        let named = self.by_name.get(&(meant.kind.as_str(), meant.name.as_str())).into_iter().flatten();
        let found: Vec<&&Resource<'_>> = named.filter(|one| one.address.is_meant_by(&meant)).collect();
        if found.is_empty() {
            // Of another provider, say: no request knows anything by it.
            return Referred { attributes: BTreeSet::from([reference.to_owned()]), ..Referred::default() };
        }
        let attribute = meant.rest.first().map(String::as_str);
        let is_known = |one: &&&Resource<'_>| {
            attribute.is_some_and(|name| one.change.get("after").and_then(|after| after.get(name)).is_some())
        };
        if found.iter().all(is_known) {
            return Referred { known: 1, ..Referred::default() };
        }
        if attribute.is_none_or(|name| self.is_identity(&meant.kind, name)) {
            let items = found.iter().map(|one| one.id.clone()).collect();
            return Referred { identities: BTreeSet::from([items]), ..Referred::default() };
        }
        Referred { attributes: BTreeSet::from([reference.to_owned()]), ..Referred::default() }
    }

    /// The `id` that a resource will have, where that is known before.
    pub(super) fn id_of(&self, item: &str) -> Option<&str> {
        let resource = self.resources.iter().find(|one| one.id == item)?;
        let attribute = self.vocabulary.get(&resource.address.kind)?.id.as_deref()?;
        let sensitive = resource.change.get("after_sensitive").and_then(|marks| marks.get(attribute));
        if sensitive.and_then(Value::as_bool) == Some(true) {
            return None;
        }
        resource.change.get("after")?.get(attribute)?.as_str()
    }

    fn is_identity(&self, kind: &str, attribute: &str) -> bool {
        self.known_by(kind).any(|known| known == attribute)
    }

    /// The attributes that requests know resources of a type by.
    pub(super) fn known_by(&self, kind: &str) -> impl Iterator<Item = &str> {
        let own = self.vocabulary.get(kind).map(|entry| entry.known_by.as_slice()).unwrap_or_default();
        let state = crate::import::terraform::identifiers(kind);
        ["id", "arn"].into_iter().chain(own.iter().map(String::as_str)).chain(state.iter().copied())
    }

    /// What a hidden reference of a resource may mean: what the plan makes in the same module or below, by the name of
    /// the attribute where that says a type.
    pub(super) fn candidates(&self, of: &Resource<'_>, attribute: &str) -> Vec<&str> {
        let near = |one: &&Resource<'_>| {
            one.id != of.id && one.makes() && one.address.is_within(&of.address.modules)
        };
        let near: Vec<&Resource<'_>> = self.resources.iter().filter(near).collect();
        let stem = ["_ids", "_id", "_arns", "_arn", "_names", "_name"]
            .iter()
            .find_map(|end| attribute.strip_suffix(end));
        let stem = stem.unwrap_or(attribute).trim_end_matches('s');
        let typed = near.iter().filter(|one| one.address.kind.ends_with(&format!("_{stem}")));
        let typed: Vec<&str> = typed.map(|one| one.id.as_str()).collect();
        if typed.is_empty() { near.into_iter().map(|one| one.id.as_str()).collect() } else { typed }
    }
}

/// The references of an expression, without those that only say the beginning of another.
fn references(expression: &Value) -> Vec<&str> {
    let mut all = Vec::new();
    collect(expression, &mut all);
    let mut kept: Vec<&str> = Vec::new();
    for reference in all {
        let begins = |longer: &&str| {
            longer.strip_prefix(reference).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if !kept.last().is_some_and(begins) {
            kept.push(reference);
        }
    }
    kept
}

/// Every reference in an expression, or in the blocks of one.
fn collect<'v>(expression: &'v Value, all: &mut Vec<&'v str>) {
    match expression {
        Value::Object(members) => match members.get("references").and_then(Value::as_array) {
            Some(references) => all.extend(references.iter().filter_map(Value::as_str)),
            None if members.contains_key("constant_value") => {}
            None => members.values().for_each(|member| collect(member, all)),
        },
        Value::Array(items) => items.iter().for_each(|item| collect(item, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
