//! The names in a form, as servers take them that spell some of their characters otherwise.
//!
//! Leaves out values, and how those servers spell them (`form/names.rs`).

use std::collections::{BTreeSet, HashMap};

use ordain_action::Undecodable;

use super::operation::Operation;
use crate::form::fields::{clip, duplicate};
use crate::form::names::{folded, head, rewrites};
use crate::form::query::Pair;

/// Refuses names that a server may take for others: for another method, for a parameter of the query, for a member that
/// the document has, or for each other.
///
/// # Errors
/// The first such name.
pub(super) fn check(
    operation: &Operation,
    members: &BTreeSet<&str>,
    pairs: &[Pair<'_>],
) -> Result<(), Undecodable> {
    let query: BTreeSet<String> = operation.query.keys().map(|name| folded(name)).collect();
    let members: HashMap<String, &str> = members.iter().map(|name| (folded(name), *name)).collect();
    let mut known: HashMap<String, (&str, bool)> = HashMap::new();
    for pair in pairs {
        let name = pair.name.as_ref();
        if rewrites(name) {
            return Err(unread(name));
        }
        let (own, full) = (folded(head(name)), folded(name));
        if query.contains(&own) || query.contains(&full) {
            return Err(Undecodable::new(
                "ambiguous_parameter",
                format!(
                    "`{}` is a parameter of the query, and servers may take the one of the form for it; send it there",
                    clip(name)
                ),
            ));
        }
        // A member that is an object is written with brackets, which have to be closed.
        let plain = |declared: &str| declared == name || declared == head(name) && name.ends_with(']');
        let declared = members.get(&own).or_else(|| members.get(&full));
        if let Some(declared) = declared.filter(|declared| !plain(declared)) {
            return Err(Undecodable::new(
                "other_spelling",
                format!(
                    "the form has `{declared}` in another spelling, which servers may take for it; write it so"
                ),
            ));
        }
        let here = (head(name), name.contains('['));
        for folded in [own, full] {
            if known.insert(folded, here).is_some_and(|other| other != here) {
                return Err(duplicate(name));
            }
        }
    }
    Ok(())
}

fn unread(name: &str) -> Undecodable {
    Undecodable::new(
        "unread_member",
        format!(
            "servers are known to take `{}` for another method than the request has; leave it out",
            clip(name)
        ),
    )
}
