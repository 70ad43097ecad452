//! What a request gives to a template: the values of its parameters, and where the stack will be.
//!
//! Leaves out what the template says of them (`resolve.rs`).

use std::collections::BTreeMap;

use ordain_action::Undecodable;

use super::super::wire::Wire;
use crate::form::fields::{clip, duplicate};

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Value(String),
    /// What the stack has had so far, which the request does not say.
    Previous,
}

/// All values by the parameters' names, from the list that begins there.
///
/// # Errors
/// One is given twice, or the list is written in another form than the service's.
pub(super) fn parameters(wire: &Wire, list: &str) -> Result<BTreeMap<String, Given>, Undecodable> {
    let mut items: BTreeMap<&str, (Option<&str>, Option<&str>, bool)> = BTreeMap::new();
    for leaf in wire.iter() {
        let Some(rest) = leaf.path.strip_prefix(list).and_then(|rest| rest.strip_prefix('.')) else {
            if leaf.path == list && leaf.text().is_some_and(|text| !text.is_empty()) {
                return Err(other_form(leaf.path));
            }
            continue;
        };
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let item = rest.strip_prefix("member.").and_then(|rest| rest.split_once('.'));
        let Some((at, member)) = item.filter(|(at, _)| number(at)) else { return Err(other_form(leaf.path)) };
        let item = items.entry(at).or_default();
        match member {
            "ParameterKey" => item.0 = leaf.text(),
            "ParameterValue" => item.1 = leaf.text(),
            "UsePreviousValue" => {
                item.2 = leaf.text().is_some_and(|text| !text.eq_ignore_ascii_case("false"))
            }
            "ResolvedValue" => {}
            _ => return Err(other_form(leaf.path)),
        }
    }
    let mut all = BTreeMap::new();
    for (key, value, previous) in items.into_values() {
        let Some(key) = key else { continue };
        let given = match value {
            Some(value) if !previous => Given::Value(value.to_owned()),
            Some(_) | None => Given::Previous,
        };
        if all.insert(key.to_owned(), given).is_some() {
            return Err(duplicate(key));
        }
    }
    Ok(all)
}

fn other_form(path: &str) -> Undecodable {
    let text =
        format!("`{}` is not how the service spells a parameter; use the service's own names", clip(path));
    Undecodable::new("other_spelling", text)
}
