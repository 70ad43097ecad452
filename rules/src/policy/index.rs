//! Which rules may have a say: found by effect class and by what they are about.
//!
//! Leaves out evaluating them. A rule is left out only when its own first words are certainly false, so
//! that what is decided with the index is what would be decided without it.

use std::collections::HashMap;

use cedar_policy::{ActionConstraint, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};
use ordain_action::Access;
use serde_json::Value;

/// What a decision is asked about: every entity a rule's first words could name.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The actor, and the groups it is in.
    pub(crate) principal: Vec<EntityUid>,
    /// The resource, and what it lies in.
    pub(crate) resource: Vec<EntityUid>,
    /// The operation, and its service.
    pub(crate) operation: Vec<EntityUid>,
    /// What is so, as `word` says it: every figure that a rule's first words could ask for.
    pub(crate) so: Vec<String>,
}

/// How the index names one thing that is so: a flag of the context, or a member of one of its sets.
pub(crate) fn word(attribute: &str, member: &str) -> String {
    [attribute, ":", member].concat()
}

/// Sets of the context that rules ask for members of.
const SETS: [&str; 3] = ["exposes", "grants", "escapes"];

/// Sets of the context that rules ask whether anything is in.
const FILLED: [&str; 2] = ["frozen", "outside"];

/// Flags of the context.
const FLAGS: [&str; 6] = ["watched", "acts_for_owner", "deploys", "declared", "approved", "unplanned"];

#[derive(Debug, Default)]
pub(super) struct Index {
    by_resource: HashMap<EntityUid, Vec<u32>>,
    by_principal: HashMap<EntityUid, Vec<u32>>,
    by_operation: HashMap<EntityUid, Vec<u32>>,
    by_word: HashMap<String, Vec<u32>>,
    any: Vec<u32>,
    /// The effect classes each rule is for, a bit each.
    classes: Vec<u16>,
}

impl Index {
    pub(super) fn new<'p>(policies: impl Iterator<Item = &'p Policy>) -> Self {
        let mut index = Self::default();
        for (policy, number) in policies.zip(0..) {
            index.classes.push(classes(&policy.action_constraint()));
            // The most telling words first: rules are mostly about one resource or scope.
            if let Some(resource) = resource(policy) {
                index.by_resource.entry(resource).or_default().push(number);
            } else if let Some(principal) = principal(policy) {
                index.by_principal.entry(principal).or_default().push(number);
            } else {
                index.add_by_test(first_test(policy).as_ref(), number);
            }
        }
        index
    }

    /// By the first test of the rule's conditions, where that is of a known form.
    fn add_by_test(&mut self, test: Option<&Value>, number: u32) {
        if let Some(operations) = test.and_then(operations) {
            for operation in operations {
                self.by_operation.entry(operation).or_default().push(number);
            }
        } else if let Some(words) = test.and_then(words) {
            for word in words {
                self.by_word.entry(word).or_default().push(number);
            }
        } else {
            self.any.push(number);
        }
    }

    /// The rules that may have a say, sorted, each once.
    pub(super) fn candidates(&self, access: Access, asked: &Asked) -> Vec<u32> {
        let bit = bit(access);
        let fits = |number: &&u32| self.classes.get(**number as usize).is_some_and(|all| all & bit != 0);
        let mut found: Vec<u32> = self.any.iter().filter(fits).copied().collect();
        let named = [
            (&self.by_resource, &asked.resource),
            (&self.by_principal, &asked.principal),
            (&self.by_operation, &asked.operation),
        ];
        for (map, entities) in named {
            if map.is_empty() {
                continue;
            }
            for numbers in entities.iter().filter_map(|entity| map.get(entity)) {
                found.extend(numbers.iter().filter(fits));
            }
        }
        for numbers in asked.so.iter().filter_map(|word| self.by_word.get(word)) {
            found.extend(numbers.iter().filter(fits));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

const fn bit(access: Access) -> u16 {
    1 << access as u16
}

fn classes(constraint: &ActionConstraint) -> u16 {
    let of = |action: &EntityUid| {
        let word: &str = action.id().unescaped();
        Access::parse(word).map_or(u16::MAX, bit)
    };
    match constraint {
        ActionConstraint::Any => u16::MAX,
        ActionConstraint::Eq(action) => of(action),
        ActionConstraint::In(actions) => actions.iter().fold(0, |all, action| all | of(action)),
    }
}

fn resource(policy: &Policy) -> Option<EntityUid> {
    match policy.resource_constraint() {
        ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
        ResourceConstraint::In(entity)
        | ResourceConstraint::Eq(entity)
        | ResourceConstraint::IsIn(_, entity) => Some(entity),
    }
}

fn principal(policy: &Policy) -> Option<EntityUid> {
    match policy.principal_constraint() {
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
        PrincipalConstraint::In(entity)
        | PrincipalConstraint::Eq(entity)
        | PrincipalConstraint::IsIn(_, entity) => Some(entity),
    }
}

/// The first test that a rule's conditions make. When it is false nothing after it is evaluated, not even
/// what would fail.
fn first_test(policy: &Policy) -> Option<Value> {
    let json = policy.to_json().ok()?;
    let first = json.get("conditions")?.get(0)?;
    if first.get("kind")?.as_str()? != "when" {
        return None;
    }
    let mut body = first.get("body")?;
    while let Some(left) = body.get("&&").and_then(|and| and.get("left")) {
        body = left;
    }
    Some(body.clone())
}

/// The operations that a rule names first: `context.operation == …` or `in …`.
fn operations(body: &Value) -> Option<Vec<EntityUid>> {
    let test = body.get("==").or_else(|| body.get("in"))?;
    if attribute(test.get("left")?, "context")? != "operation" {
        return None;
    }
    let right = test.get("right")?;
    match right.get("Set").and_then(Value::as_array) {
        Some(all) => all.iter().map(entity).collect(),
        None => entity(right).map(|one| vec![one]),
    }
}

/// The figures that a rule asks for first, of which one has to be so.
fn words(body: &Value) -> Option<Vec<String>> {
    if let Some(flag) = attribute(body, "context") {
        return FLAGS.contains(&flag).then(|| vec![word(flag, "")]);
    }
    if let Some(empty) = body.get("!").and_then(|not| not.get("arg")).and_then(|not| not.get("isEmpty")) {
        let set = attribute(empty.get("arg")?, "context").filter(|set| FILLED.contains(set))?;
        return Some(vec![word(set, "")]);
    }
    if let Some(test) = body.get("==") {
        let kind = attribute(test.get("left")?, "principal")? == "kind";
        return kind.then(|| Some(vec![word("kind", literal(test.get("right")?)?)])).flatten();
    }
    let test = body.get("contains").or_else(|| body.get("containsAny"))?;
    let set = attribute(test.get("left")?, "context").filter(|set| SETS.contains(set))?;
    let right = test.get("right")?;
    match (body.get("contains"), right.get("Set").and_then(Value::as_array)) {
        (Some(_), _) => Some(vec![word(set, literal(right)?)]),
        (None, Some(all)) => all.iter().map(|one| Some(word(set, literal(one)?))).collect(),
        (None, None) => None,
    }
}

/// The attribute of a variable that an expression is.
fn attribute<'v>(value: &'v Value, variable: &str) -> Option<&'v str> {
    let access = value.get(".")?;
    let of = access.get("left")?.get("Var")?.as_str()?;
    (of == variable).then(|| access.get("attr")?.as_str()).flatten()
}

fn literal(value: &Value) -> Option<&str> {
    value.get("Value")?.as_str()
}

fn entity(value: &Value) -> Option<EntityUid> {
    let entity = value.get("Value")?.get("__entity")?;
    EntityUid::from_json(entity.clone()).ok()
}
