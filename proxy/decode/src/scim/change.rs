//! What a body writes, and the effects of writing it.
//!
//! A request that also says who may do what is that effect too, beside the one of its verb. Leaves out `Bulk`.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{Access, Call, Effect, NewIdentifier, Parameters, Resource, Role, Scalar, Undecodable};

use super::attribute::{self, access, is_schema};
use super::path::{Asked, Place, Verb};
use crate::form::Fields;
use crate::form::fields::{clip, segments, unescape};
use crate::rest::{Names, effect};

/// What a body writes.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Every class of what is written.
    accesses: BTreeSet<Access>,
    /// Those who are made or taken off members: the type as far as it is said, and the id.
    members: Vec<(String, String)>,
    /// What the new resource calls itself.
    called: Option<(&'static str, String)>,
}

impl Written {
    /// Reads the body of a create, a replace or a modify.
    ///
    /// # Errors
    /// It is none such.
    pub(super) fn read(verb: Verb, body: &Fields) -> Result<Self, Undecodable> {
        let leaves: Vec<(Vec<String>, Scalar<'_>)> =
            body.iter().map(|(path, value)| (segments(path).map(unescape).collect(), value)).collect();
        let mut written = Self::default();
        if verb == Verb::Modify && !body.is_empty() {
            written.patch(&leaves)?;
        } else {
            let all: Vec<_> = leaves.iter().map(|(path, value)| (path.as_slice(), *value)).collect();
            written.attributes(&all, "");
            for (name, member) in [("userName", "username"), ("displayName", "displayname")] {
                let own =
                    all.iter().find(|(path, _)| matches!(path, [only] if only.eq_ignore_ascii_case(member)));
                if let (None, Some((_, Scalar::Text(text)))) = (&written.called, own) {
                    written.called = Some((name, (*text).to_owned()));
                }
            }
        }
        Ok(written)
    }

    /// The members of an object, each of which is an attribute.
    fn attributes(&mut self, leaves: &[(&[String], Scalar<'_>)], below: &str) {
        for (path, value) in leaves {
            let Some((first, rest)) = path.split_first() else { continue };
            // What a schema's own key holds are attributes again. A key that begins so may be an attribute too, by its
            // whole name (RFC 7644 section 3.10): which it is no server is asked.
            if is_schema(first) && !rest.is_empty() {
                self.attribute(rest, *value, below);
            }
            self.attribute(path, *value, below);
        }
    }

    fn attribute(&mut self, path: &[String], value: Scalar<'_>, below: &str) {
        let Some(first) = path.first() else { return };
        let name = attribute::name(first);
        // The key may be a path of its own, `name.familyName`, and what it says is below it then.
        let off = matches!(value, Scalar::Bool(false) | Scalar::Null)
            || matches!(value, Scalar::Text(text) if text.eq_ignore_ascii_case("false"));
        self.accesses.insert(access(&name, off));
        self.member(&name, path, value, below);
    }

    fn member(&mut self, attribute: &str, path: &[String], value: Scalar<'_>, kind: &str) {
        let is_value = path.last().is_some_and(|last| last.eq_ignore_ascii_case("value"));
        if !matches!(attribute, "members" | "groups") || !is_value {
            return;
        }
        if let Scalar::Text(id) = value {
            let kind = if kind.is_empty() { if attribute == "groups" { "Groups" } else { "" } } else { kind };
            self.members.push((kind.to_owned(), id.to_owned()));
        }
    }

    /// The operations of a modify (section 3.5.2).
    fn patch(&mut self, leaves: &[(Vec<String>, Scalar<'_>)]) -> Result<(), Undecodable> {
        let mut number = 0;
        for (path, value) in leaves {
            match path.as_slice() {
                [schemas, ..] if schemas.eq_ignore_ascii_case("schemas") => {}
                [operations, number_now, ..] if operations.eq_ignore_ascii_case("operations") => {
                    number = number.max(number_now.parse::<usize>().unwrap_or_default());
                }
                [other, ..] => return Err(bad(&format!("has `{}`, which a modify has not", clip(other)))),
                [] => return Err(bad("is no object")),
            }
            if path.len() < 3
                && matches!(value, Scalar::Empty)
                && path.first().is_some_and(|first| !first.eq_ignore_ascii_case("schemas"))
            {
                return Err(bad("has an operation that says nothing"));
            }
        }
        if number == 0 {
            return Err(bad("has no operation"));
        }
        for at in 1..=number {
            let at = at.to_string();
            let own: Vec<(&[String], Scalar<'_>)> = leaves
                .iter()
                .filter(|(path, _)| {
                    path.get(1) == Some(&at)
                        && path.first().is_some_and(|first| first.eq_ignore_ascii_case("operations"))
                })
                .filter_map(|(path, value)| Some((path.get(2..)?, *value)))
                .collect();
            self.operation(&own)?;
        }
        Ok(())
    }

    fn operation(&mut self, leaves: &[(&[String], Scalar<'_>)]) -> Result<(), Undecodable> {
        let (mut what, mut target) = (None, None);
        let mut values: Vec<(&[String], Scalar<'_>)> = Vec::new();
        for (path, value) in leaves {
            let Some((key, rest)) = path.split_first() else { continue };
            match (key.to_ascii_lowercase().as_str(), rest, value) {
                ("op", [], Scalar::Text(text)) => what = Some(text.to_ascii_lowercase()),
                ("path", [], Scalar::Text(text)) => target = Some(*text),
                ("value", rest, value) => values.push((rest, *value)),
                _ => return Err(bad(&format!("has `{}` in an operation, which has none such", clip(key)))),
            }
        }
        let removes = match what.as_deref() {
            Some("add" | "replace") => false,
            Some("remove") => true,
            Some(_) | None => {
                return Err(bad("has an operation that is none of `add`, `remove` and `replace`"));
            }
        };
        let Some(target) = target else {
            if removes {
                return Err(bad("has an operation that removes and names nothing"));
            }
            if values.is_empty() || values.iter().any(|(path, _)| path.is_empty()) {
                return Err(bad("has an operation without a path whose value is no object"));
            }
            self.attributes(&values, "");
            return Ok(());
        };
        if target.trim().is_empty() {
            return Err(bad("has an operation with an empty path"));
        }
        let name = attribute::name(target);
        // A filter may choose others than are named: which ones is for the server to say.
        for value in quoted_values(target) {
            if matches!(name.as_str(), "members" | "groups") {
                self.members.push((String::new(), value));
            }
        }
        let says_no = |value: &Scalar<'_>| {
            matches!(value, Scalar::Bool(false) | Scalar::Null)
                || matches!(value, Scalar::Text(text) if text.eq_ignore_ascii_case("false"))
        };
        let off = removes || values.iter().any(|(_, value)| says_no(value));
        // A path that is a schema alone has attributes in its value.
        let whole_schema = is_schema(target) && values.iter().any(|(path, _)| !path.is_empty());
        if whole_schema {
            self.attributes(&values, "");
        }
        self.accesses.insert(access(&name, off));
        for (path, value) in &values {
            self.member(&name, path, *value, "");
        }
        Ok(())
    }
}

/// What a filter names: `members[value eq "2819"]`.
fn quoted_values(path: &str) -> Vec<String> {
    let Some((_, filter)) = path.split_once('[') else { return Vec::new() };
    let mut parts = filter.split('"');
    let mut values = Vec::new();
    while let (Some(_), Some(inside)) = (parts.next(), parts.next()) {
        values.push(inside.to_owned());
    }
    values
}

/// What a request without an object behind it says.
pub(super) fn no_body() -> Undecodable {
    bad("is missing")
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_scim", format!("the body {what}; send it as RFC 7644 section 3 has it"))
}

/// What a change is made to.
///
/// # Errors
/// It names nobody.
pub(super) fn target(names: Names<'_>, asked: &Asked) -> Result<Resource, Undecodable> {
    match &asked.place {
        Place::One(kind, id) => Ok(names.one(Role::Target, kind, &[kind, id])),
        Place::Type(kind) => Ok(names.all(Role::Target, kind, &[kind])),
        Place::All | Place::Me => Err(bad("changes nothing that has a name")),
    }
}

/// The effects of a create, a replace or a modify.
///
/// # Errors
/// It names nothing that could be changed.
pub(super) fn effects(
    names: Names<'_>,
    asked: &Asked,
    written: &Written,
    parameters: &Parameters,
) -> Result<Vec<Effect>, Undecodable> {
    let operation = (asked.place.service(), asked.verb.as_str());
    let mut resources = Vec::new();
    let mut accesses: BTreeSet<Access> =
        written.accesses.iter().copied().filter(|access| *access != Access::Update).collect();
    match (&asked.place, asked.verb) {
        (Place::Type(kind), Verb::Create) => {
            let called = written.called.as_ref().map(|(name, value)| (*name, value.as_str()));
            resources.push(names.unnamed(kind, called));
            resources.push(names.whole(Role::Parent));
            // Whoever is made inactive was not active before.
            accesses.remove(&Access::Delete);
            accesses.insert(Access::Create);
        }
        _ => {
            resources.push(target(names, asked)?);
            if accesses.is_empty() || asked.verb == Verb::Replace {
                accesses.insert(Access::Update);
            }
            // What a replace leaves out is taken away, membership too.
            if asked.verb == Verb::Replace && asked.place.service() == "Groups" {
                accesses.insert(Access::Grant);
            }
        }
    }
    for (kind, id) in &written.members {
        let kind = if kind.is_empty() { "Users" } else { kind };
        resources.push(names.one(Role::Uses, kind, &[kind, id]));
    }
    let each = accesses
        .into_iter()
        .map(|access| effect(operation, access, resources.clone(), parameters.clone()))
        .collect();
    Ok(each)
}

/// A call that says where the answer has the new resource's identifier.
pub(super) fn made(mut call: Call, asked: &Asked) -> Call {
    if asked.verb == Verb::Create {
        call.answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("scim:{}", asked.place.service())),
            member: Arc::from("id"),
            path: vec![Arc::from("id")],
        });
    }
    call
}
