//! A request that a ledger holds, as a change that it may be made by: exactly as it was.
//!
//! Leaves out requests that were not read, or of which the ledger keeps no more than a digest.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::{Call, Draft, Item, check};
use super::{ChangeTold, ImportError, ImportedChange, strict};
use crate::model::Source;

/// What to give, where something else was given.
const GIVE: &str = "give one record as `ordain ledger query -o json` prints it";

/// The longest list that a request may have.
const LIST_MAX: usize = 10_000;

/// What an import is told beside the record and the change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Recorded<'t> {
    /// Paths of parameters that may have any value, without positions in lists.
    pub open: &'t [String],
}

/// Reads the record of a request.
///
/// # Errors
/// [`ImportError`] when it is not the whole record of one request that was read, or something is not told that a change
/// needs.
pub fn recorded_request(
    source: &Source,
    recorded: &Recorded<'_>,
    told: &ChangeTold<'_>,
) -> Result<ImportedChange, ImportError> {
    let refused = |text: String| ImportError { path: source.path.clone(), text };
    check(told, source)?;
    let read = strict::read(&source.text)
        .map_err(|error| refused(format!("it is not a record that can be read: {error}; {GIVE}")))?;
    let record = match read.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        Some(all) => return Err(refused(format!("it is {} records; {GIVE}", all.len()))),
        None => &read,
    };
    let predicate = record.get("predicate").unwrap_or(record);
    let Some(call) = predicate.pointer("/content/whole/reading/call") else {
        return Err(refused(format!("it holds no request that was read whole; {GIVE}")));
    };
    let text = |place: &str| predicate.pointer(place).and_then(Value::as_str);
    let account = told.account.or_else(|| text("/actor/upstream/account"));
    let account = account
        .ok_or_else(|| refused("it does not say which account it is for; give the account".to_owned()))?;
    let region = told.region.or_else(|| call.get("region").and_then(Value::as_str)).unwrap_or_default();
    let effects = call.get("effects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let item = item(effects, recorded).map_err(refused)?;
    let draft = Draft {
        from: "recorded",
        plane: call.get("plane").and_then(Value::as_str).unwrap_or("aws").to_owned(),
        account: account.to_owned(),
        region: region.to_owned(),
        items: vec![item],
        ..Draft::default()
    };
    Ok(draft.imported(told, source))
}

fn item(effects: &[Value], recorded: &Recorded<'_>) -> Result<Item, String> {
    let Some(first) = effects.first() else { return Err(format!("it has no effect; {GIVE}")) };
    let resources = first.get("resources").and_then(Value::as_array).into_iter().flatten();
    let has = |resource: &&Value, role: &str| resource.get("role").and_then(Value::as_str) == Some(role);
    let target = resources.clone().find(|one| has(one, "target"));
    let text =
        |of: Option<&Value>, member: &str| of.and_then(|of| of.get(member)?.as_str()).map(str::to_owned);
    let identifiers = target.and_then(|one| one.get("identifiers")?.as_array()).into_iter().flatten();
    let identifiers = identifiers.filter_map(|pair| pair.get(1)?.as_str()).map(str::to_owned);
    let calls: Vec<Call> =
        effects.iter().map(|effect| one_call(effect, recorded)).collect::<Result<_, _>>()?;
    let access = text(Some(first), "access").unwrap_or_default();
    let name = text(target, "name").filter(|name| !name.is_empty() && !name.contains(['*', '?']));
    let mut identifiers: BTreeSet<String> = identifiers.collect();
    identifiers
        .retain(|identifier| Some(identifier) != name.as_ref() && !identifier.starts_with("hmac-sha256:"));
    Ok(Item {
        id: calls.first().map(|call| call.operation.clone()).unwrap_or_default(),
        kind: text(target, "kind").unwrap_or_default(),
        action: match access.as_str() {
            "create" => "create",
            "delete" => "delete",
            "read" | "list" | "secret_read" => "read",
            _ => "update",
        },
        name,
        identifiers,
        notes: recorded
            .open
            .iter()
            .map(|path| format!("`{path}` is left open: it may be anything"))
            .collect(),
        calls,
    })
}

fn one_call(effect: &Value, recorded: &Recorded<'_>) -> Result<Call, String> {
    let text = |member: &str| effect.get(member).and_then(Value::as_str).unwrap_or_default();
    let parameters = effect.get("parameters");
    let leaves = parameters.and_then(|parameters| parameters.get("leaves")?.as_array()).into_iter().flatten();
    let (mut root, mut must) = (Value::Object(Map::new()), BTreeSet::new());
    for leaf in leaves {
        let (Some(path), Some(kind)) =
            (leaf.get(0).and_then(Value::as_str), leaf.get(1).and_then(Value::as_str))
        else {
            return Err(format!("a parameter of it cannot be read; {GIVE}"));
        };
        let steps: Vec<&str> = path.split('.').filter(|step| *step != "member").collect();
        let names: Vec<&str> = steps.iter().copied().filter(|step| step.parse::<usize>().is_err()).collect();
        let plain = names.join(".");
        let value = if recorded.open.contains(&plain) {
            json!({"$any": []})
        } else if kind == "token" || plain.contains('$') {
            json!({"$secret": true})
        } else {
            leaf.get(2).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| Value::from(""))
        };
        put(&mut root, &steps, value)?;
        must.insert(plain);
    }
    let completeness = parameters.and_then(|parameters| parameters.get("completeness")?.as_str());
    let mut takes = root.as_object().cloned().unwrap_or_default();
    takes.sort_keys();
    Ok(Call {
        operation: format!("{}:{}", text("service"), text("operation")),
        creates: text("access") == "create",
        reads: text("access") == "secret_read",
        partial: completeness != Some("complete"),
        takes,
        must,
        ..Call::default()
    })
}

/// Puts a value where a path leads, with lists where it has numbers.
fn put(root: &mut Value, steps: &[&str], value: Value) -> Result<(), String> {
    let mut at = root;
    for step in steps {
        at = match step.parse::<usize>() {
            Ok(number) if (1..=LIST_MAX).contains(&number) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Some(items) = at.as_array_mut() else { return Err(GIVE.to_owned()) };
                if items.len() < number {
                    items.resize(number, Value::Object(Map::new()));
                }
                let Some(item) = items.get_mut(number - 1) else { return Err(GIVE.to_owned()) };
                item
            }
            Ok(_) | Err(_) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                let Some(map) = at.as_object_mut() else { return Err(GIVE.to_owned()) };
                map.entry(*step).or_insert_with(|| Value::Object(Map::new()))
            }
        };
    }
    *at = value;
    Ok(())
}
