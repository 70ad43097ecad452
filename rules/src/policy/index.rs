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
}

#[derive(Debug, Default)]
pub(super) struct Index {
    by_resource: HashMap<EntityUid, Vec<u32>>,
    by_principal: HashMap<EntityUid, Vec<u32>>,
    by_operation: HashMap<EntityUid, Vec<u32>>,
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
            } else if let Some(operations) = operations(policy) {
                for operation in operations {
                    index.by_operation.entry(operation).or_default().push(number);
                }
            } else {
                index.any.push(number);
            }
        }
        index
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

/// The operations that a rule's first condition names: `context.operation == …` or `in …` before all
/// else. When that is false nothing after it is evaluated, not even what would fail.
fn operations(policy: &Policy) -> Option<Vec<EntityUid>> {
    let json = policy.to_json().ok()?;
    let first = json.get("conditions")?.get(0)?;
    if first.get("kind")?.as_str()? != "when" {
        return None;
    }
    let mut body = first.get("body")?;
    while let Some(left) = body.get("&&").and_then(|and| and.get("left")) {
        body = left;
    }
    let test = body.get("==").or_else(|| body.get("in"))?;
    let asked = test.get("left")?.get(".")?;
    let of_context = asked.get("left")?.get("Var")?.as_str()? == "context";
    if !of_context || asked.get("attr")?.as_str()? != "operation" {
        return None;
    }
    let right = test.get("right")?;
    match right.get("Set").and_then(Value::as_array) {
        Some(all) => all.iter().map(entity).collect(),
        None => entity(right).map(|one| vec![one]),
    }
}

fn entity(value: &Value) -> Option<EntityUid> {
    let entity = value.get("Value")?.get("__entity")?;
    EntityUid::from_json(entity.clone()).ok()
}
