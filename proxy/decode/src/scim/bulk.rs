//! Several operations in one request (RFC 7644 section 3.7): the effects of each.
//!
//! Leaves out references between them (`bulkId:…`), whose ids nobody has yet.

use std::collections::BTreeMap;

use ordain_action::{Call, Completeness, Parameters, Scalar, Undecodable};

use super::path::{self, Asked, Verb};
use super::{attribute, change};
use crate::form::Fields;
use crate::form::fields::{clip, segments};
use crate::rest::{Whole, effect};

/// The most operations that are read; the RFC's own example has 1,000.
const OPERATIONS_MAX: usize = 1_000;

#[derive(Default)]
struct Operation {
    method: Option<String>,
    path: Option<String>,
    /// What it sends, as a body of its own.
    data: Fields,
    /// The same, where what `leaves` are named by is all that is judged.
    parameters: Parameters,
}

/// Reads every operation.
///
/// # Errors
/// One of them cannot be read: then none is.
pub(super) fn call(whole: &Whole<'_>, body: &Fields) -> Result<Call, Undecodable> {
    if body.overflowed() {
        return Err(Undecodable::new(
            "too_many_parameters",
            "there are too many parameters; send smaller batches",
        ));
    }
    let mut operations: BTreeMap<usize, Operation> = BTreeMap::new();
    for (path, value) in body.iter() {
        let parts: Vec<&str> = segments(path).collect();
        match parts.as_slice() {
            [first, number, rest @ ..] if first.eq_ignore_ascii_case("operations") => {
                let number = number.parse().map_err(|_| bad("has operations that are no list"))?;
                if number > OPERATIONS_MAX {
                    return Err(bad("has more operations than are read at once"));
                }
                take(whole, operations.entry(number).or_default(), rest, value)?;
            }
            [first] if ["failonerrors", "schemas"].contains(&first.to_ascii_lowercase().as_str()) => {}
            [first, _] if first.eq_ignore_ascii_case("schemas") => {}
            [other, ..] => return Err(bad(&format!("has `{}`, which a batch has not", clip(other)))),
            [] => return Err(bad("is no object")),
        }
    }
    if operations.is_empty() {
        return Err(bad("has no operation"));
    }
    let names = whole.names();
    let mut effects = Vec::new();
    for operation in operations.into_values() {
        let asked = operation.asked()?;
        if asked.verb == Verb::Delete {
            let target = change::target(names, &asked)?;
            let said = (asked.place.service(), asked.verb.as_str());
            effects.push(effect(said, ordain_action::Access::Delete, vec![target], operation.parameters));
            continue;
        }
        let written = change::Written::read(asked.verb, &operation.data)?;
        effects.extend(change::effects(names, &asked, &written, &operation.parameters)?);
    }
    Ok(names.call(effects))
}

fn take(
    whole: &Whole<'_>,
    operation: &mut Operation,
    path: &[&str],
    value: Scalar<'_>,
) -> Result<(), Undecodable> {
    let (first, rest) = path.split_first().ok_or_else(|| bad("has an operation that is no object"))?;
    match (first.to_ascii_lowercase().as_str(), rest, value) {
        ("method", [], Scalar::Text(text)) => operation.method = Some(text.to_owned()),
        ("path", [], Scalar::Text(text)) => operation.path = Some(text.to_owned()),
        ("bulkid" | "version", [], _) | ("data", [], Scalar::Null) => {}
        ("data", rest, value) if !rest.is_empty() => {
            let path = rest.join(".");
            operation.data.put_at(&path, value);
            let mut token = String::new();
            let secret = || crate::rest::is_secret(&path, &attribute::SECRETS);
            let value = whole.tokens.cover(value, secret, &mut token);
            if operation.parameters.push(&path, value).is_err() {
                operation
                    .parameters
                    .incomplete(Completeness::Partial("there are more parameters than are kept"));
            }
        }
        (other, ..) => {
            return Err(bad(&format!("has `{}` in an operation, which has none such", clip(other))));
        }
    }
    Ok(())
}

impl Operation {
    /// What it asks for: only what a request of its own could ask for too, and nothing that reads.
    fn asked(&self) -> Result<Asked, Undecodable> {
        let method = self.method.as_deref().ok_or_else(|| bad("has an operation without a method"))?;
        let path = self.path.as_deref().ok_or_else(|| bad("has an operation without a path"))?;
        let plain = path.strip_prefix('/').filter(|rest| {
            !rest.is_empty()
                && !rest.contains(['?', '#', '%', '\\', ';'])
                && !rest.contains("..")
                && !rest.contains("//")
        });
        let plain =
            plain.ok_or_else(|| bad(&format!("names `{}`, which is no path of a resource", clip(path))))?;
        let segments: Vec<&str> = plain.split('/').collect();
        let asked = path::read(method, &segments).ok_or_else(|| {
            bad(&format!("asks for `{} {}`, which there is not", clip(method), clip(path)))
        })??;
        match asked.verb {
            Verb::Create | Verb::Replace | Verb::Modify | Verb::Delete => Ok(asked),
            Verb::Retrieve | Verb::Query | Verb::Search | Verb::Bulk => {
                Err(bad(&format!("asks for `{} {}`, which no batch does", clip(method), clip(path))))
            }
        }
    }
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_scim", format!("the batch {what}; send it as RFC 7644 section 3.7 has it"))
}
