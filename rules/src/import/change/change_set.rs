//! A change set of CloudFormation to a change: one request carries it out, and what it does to each resource is told to
//! whoever approves.
//!
//! Leaves out the parameters and the template of the stack, which may be secret: there is no member for them. Nothing but
//! the identifier of the set is taken, for another set may have its name later.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, json};

use super::document::{Call, Draft, Item, check};
use super::{ChangeTold, ImportError, ImportedChange, strict};
use crate::model::{Source, account_and_region};

/// What to give, where something else was given.
const GIVE: &str = "give the output of `aws cloudformation describe-change-set`";

/// A change set, as far as it is told.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Set {
    change_set_id: String,
    change_set_name: String,
    stack_id: String,
    stack_name: String,
    status: Option<String>,
    execution_status: Option<String>,
    next_token: Option<String>,
    changes: Vec<Change>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Change {
    resource_change: Option<ResourceChange>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ResourceChange {
    action: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
    resource_type: String,
    replacement: Option<String>,
    change_set_id: Option<String>,
}

/// Reads what `aws cloudformation describe-change-set` prints.
///
/// # Errors
/// [`ImportError`] when it is not a whole change set that can be carried out, or something is not told that a change
/// needs.
pub fn change_set(source: &Source, told: &ChangeTold<'_>) -> Result<ImportedChange, ImportError> {
    let refused = |text: String| ImportError { path: source.path.clone(), text };
    check(told, source)?;
    let read = strict::read(&source.text);
    let set: Set = read
        .and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()))
        .map_err(|error| refused(format!("it is not a change set that can be read: {error}; {GIVE}")))?;
    if !set.change_set_id.starts_with("arn:") || !set.stack_id.starts_with("arn:") {
        return Err(refused(format!("it is no change set; {GIVE}")));
    }
    if set.next_token.is_some() {
        return Err(refused(format!("it is only a part of the change set; {GIVE} with all its pages")));
    }
    if set.status.as_deref() != Some("CREATE_COMPLETE")
        || set.execution_status.as_deref() != Some("AVAILABLE")
    {
        let made = set.status.as_deref() == Some("CREATE_COMPLETE");
        let status = if made { set.execution_status } else { set.status }.unwrap_or_default();
        return Err(refused(format!("it cannot be carried out (`{status}`); make it again")));
    }
    let (account, region) = account_and_region(&set.stack_id);
    let mut notes: BTreeSet<String> =
        set.changes.iter().filter_map(|change| note(change.resource_change.as_ref()?)).collect();
    notes.insert("it is carried out by its identifier alone: another set may have its name later".to_owned());
    let mut takes = Map::new();
    takes.insert("ChangeSetName".to_owned(), json!(set.change_set_id));
    takes.insert("StackName".to_owned(), json!({"$in": [set.stack_id, set.stack_name]}));
    let item = Item {
        id: format!("{}/{}", set.stack_name, set.change_set_name),
        kind: "cloudformation:stack".to_owned(),
        action: "update",
        name: Some(set.stack_id.clone()),
        identifiers: BTreeSet::from([set.stack_name.clone(), set.change_set_id.clone()]),
        notes,
        calls: vec![Call {
            operation: "cloudformation:ExecuteChangeSet".to_owned(),
            takes,
            must: BTreeSet::from(["ChangeSetName".to_owned()]),
            partial: true,
            ..Call::default()
        }],
    };
    let draft = Draft {
        from: "cloudformation",
        plane: "aws".to_owned(),
        account: account.to_string(),
        region: region.to_string(),
        items: vec![item],
        ..Draft::default()
    };
    Ok(draft.imported(told, source))
}

/// What becomes of a resource, for whoever approves.
fn note(change: &ResourceChange) -> Option<String> {
    let ResourceChange { action, logical_resource_id: id, resource_type: kind, .. } = change;
    if id.is_empty() {
        return None;
    }
    let physical = change.physical_resource_id.as_ref().map(|id| format!(", `{id}`")).unwrap_or_default();
    let replaced = match change.replacement.as_deref() {
        Some("True") => ", and is replaced",
        Some("Conditional") => ", and may be replaced",
        Some(_) | None => "",
    };
    let nested =
        change.change_set_id.as_ref().map(|id| format!(", by the change set `{id}`")).unwrap_or_default();
    Some(format!("{}: `{id}` ({kind}{physical}){replaced}{nested}", action.to_lowercase()))
}
