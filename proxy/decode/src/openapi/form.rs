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
    let spelled: HashMap<String, &str> = members.iter().map(|name| (folded(name), *name)).collect();
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
        let plain = members.contains(name) || members.contains(head(name)) && name.ends_with(']');
        let declared = spelled.get(&own).or_else(|| spelled.get(&full));
        if let Some(declared) = declared.filter(|_| !plain) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::query::{Plus, parse};
    use crate::openapi::document::Document;
    use crate::openapi::operation;

    fn read(form: &str) -> Result<(), &'static str> {
        let document = "openapi: 3.0.0\npaths: {/a: {post: {parameters: [{in: query, name: dry-run}, {in: query, name: \
                        a.b}]}}}";
        let document = Document::read(document.as_bytes()).unwrap();
        let operations = operation::all(&document, false).unwrap();
        let members = BTreeSet::from(["user", "user_name", "user.name", "dry_run", "metadata"]);
        check(&operations[0], &members, &parse(form, Plus::Space).unwrap()).map_err(|why| why.reason_code)
    }

    #[test]
    fn what_a_server_may_take_for_another_name_is_refused() {
        for form in
            ["user=a", "user_name=a", "user.name=a", "dry_run=a", "metadata[k]=a&metadata[l]=b", "other=a"]
        {
            assert_eq!(read(&form.replace('[', "%5B").replace(']', "%5D")), Ok(()), "{form}");
        }
        for (form, reason) in [
            ("user_name=a&user.name=b", "duplicate_parameter"),
            ("metadata=a&metadata%5Bk%5D=b", "duplicate_parameter"),
            ("o.ther=a&o_ther=b", "duplicate_parameter"),
            ("+user=a", "other_spelling"),
            ("user%5B=a", "other_spelling"),
            ("user+name=a", "other_spelling"),
            ("a_b=x", "ambiguous_parameter"),
            ("a+b=x", "ambiguous_parameter"),
            ("dry-run=x", "ambiguous_parameter"),
            ("X.HTTP-Method=x", "unread_member"),
        ] {
            assert_eq!(read(form), Err(reason), "{form}");
        }
    }
}
