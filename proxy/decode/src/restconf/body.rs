//! What a body holds: nodes with their values, named as they are in paths.
//!
//! JSON (RFC 7951) and XML say the same, but for one thing: without a schema an element of XML may be one entry of a list or
//! no list at all. Leaves out what is done with it.

use std::collections::BTreeSet;

use ordain_action::{Scalar, Undecodable};

use super::namespace;
use super::node::qualified;
use crate::form::fields::{clip, duplicate, segments, unescape};
use crate::form::xml::{self, Form};
use crate::form::{Fields, json};

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Json,
    Xml,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'f> {
    Leaf(Scalar<'f>),
    /// A container, or one entry of a list.
    Object(Vec<Member<'f>>),
    /// The entries of a list, or of a leaf-list.
    List(Vec<Value<'f>>),
}

/// A node with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member<'f> {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) value: Value<'f>,
}

/// A part of a body, by its path.
pub(super) type Leaf<'f> = (Vec<String>, Scalar<'f>);

/// Reads a body into fields; the root of a document of XML is a member like any other.
///
/// # Errors
/// It is not what it is said to be.
pub(super) fn read(body: &[u8], syntax: Syntax) -> Result<Fields, Undecodable> {
    let mut fields = Fields::new();
    match syntax {
        Syntax::Json => json::read(body, &mut fields)?,
        Syntax::Xml => {
            let root = root_of(body)?;
            let lists = lists_of(body)?;
            let is_list = |path: &str| lists.contains(&schema(path));
            let form = Form { is_list: &is_list, prefix: Some(&namespace::module), attributes: &[] };
            let mark = fields.enter(&root);
            let before = fields.len();
            xml::read_as(body, form, &mut fields)?;
            if fields.len() == before {
                fields.put(Scalar::Empty);
            }
            fields.leave(mark);
        }
    }
    if fields.overflowed() {
        return Err(Undecodable::new("too_many_parameters", "there are too many parameters; send fewer"));
    }
    Ok(fields)
}

/// What is read as a list whatever it has: every element, with its number.
fn every(body: &[u8], fields: &mut Fields) -> Result<String, Undecodable> {
    xml::read_as(body, Form { is_list: &|_| true, prefix: Some(&namespace::module), attributes: &[] }, fields)
}

fn root_of(body: &[u8]) -> Result<String, Undecodable> {
    every(body, &mut Fields::new())
}

/// The elements that repeat somewhere, and those that a patch has any number of.
fn lists_of(body: &[u8]) -> Result<BTreeSet<String>, Undecodable> {
    let mut fields = Fields::new();
    every(body, &mut fields)?;
    let mut lists = BTreeSet::from(["edit".to_owned()]);
    for (path, _) in fields.iter() {
        let parts: Vec<&str> = segments(path).collect();
        for (at, pair) in parts.chunks(2).enumerate() {
            if pair.get(1).is_some_and(|number| *number != "1") {
                let names = parts.chunks(2).take(at + 1).filter_map(|pair| pair.first().copied());
                lists.insert(names.map(unescape).collect::<Vec<_>>().join("."));
            }
        }
    }
    Ok(lists)
}

/// A path without the numbers of items.
fn schema(path: &str) -> String {
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    path.split('.').filter(|part| !is_number(part)).collect::<Vec<_>>().join(".")
}

/// All leaves, with their paths in parts.
pub(super) fn leaves(fields: &Fields) -> Vec<Leaf<'_>> {
    fields.iter().map(|(path, value)| (segments(path).map(unescape).collect(), value)).collect()
}

/// The members of an object, of which these are the leaves, below a node of that module.
///
/// # Errors
/// A name that is none, or the same node twice.
pub(super) fn members<'f>(
    leaves: &[(&[String], Scalar<'f>)],
    within: Option<&str>,
) -> Result<Vec<Member<'f>>, Undecodable> {
    let mut members: Vec<Member<'f>> = Vec::new();
    for group in leaves.chunk_by(|(one, _), (next, _)| one.first() == next.first()) {
        let Some((key, own)) = group_of(group) else { return Err(bad("is no object")) };
        if key.starts_with('@') {
            // What is said of a node beside its value may ask for another operation than the method does.
            return Err(bad("has annotations; leave them out"));
        }
        let (module, name) = qualified(key, within)?;
        if members.iter().any(|known| known.module == module && known.name == name) {
            return Err(duplicate(&name));
        }
        let value = value(&own, &module)?;
        members.push(Member { module, name, value });
    }
    Ok(members)
}

/// The leaves of one member, whose name is first in all of their paths.
type Group<'l, 'f> = (&'l String, Vec<(&'l [String], Scalar<'f>)>);

fn group_of<'l, 'f>(group: &[(&'l [String], Scalar<'f>)]) -> Option<Group<'l, 'f>> {
    let key = group.first()?.0.first()?;
    let own = group.iter().filter_map(|(path, value)| Some((path.get(1..)?, *value))).collect();
    Some((key, own))
}

fn value<'f>(leaves: &[(&[String], Scalar<'f>)], module: &str) -> Result<Value<'f>, Undecodable> {
    match leaves {
        [([], Scalar::Empty)] => Ok(Value::Object(Vec::new())),
        [([], value)] => Ok(Value::Leaf(*value)),
        [] => Err(bad("has a member without a value")),
        [(path, _), ..] => {
            let is_number = |part: &String| part.bytes().all(|byte| byte.is_ascii_digit());
            if !path.first().is_some_and(is_number) {
                return Ok(Value::Object(members(leaves, Some(module))?));
            }
            let mut items = Vec::new();
            for group in leaves.chunk_by(|(one, _), (next, _)| one.first() == next.first()) {
                let Some((_, own)) = group_of(group) else { return Err(bad("has a list that is none")) };
                items.push(value(&own, module)?);
            }
            Ok(Value::List(items))
        }
    }
}

/// The one member of a body.
///
/// # Errors
/// There are none or several.
pub(super) fn only<'f>(mut members: Vec<Member<'f>>) -> Result<Member<'f>, Undecodable> {
    match (members.pop(), members.is_empty()) {
        (Some(member), true) => Ok(member),
        _ => Err(bad("has not exactly one member at its top")),
    }
}

impl Value<'_> {
    /// Whether it is a leaf, or a list of leaves.
    pub(super) fn is_leaf(&self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::Object(_) => false,
            Self::List(items) => items.iter().all(Self::is_leaf),
        }
    }

    /// Whether a name in it is such a one.
    pub(super) fn names_any(&self, of: fn(&str) -> bool) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Object(members) => {
                members.iter().any(|member| of(&member.name) || member.value.names_any(of))
            }
            Self::List(items) => items.iter().any(|item| item.names_any(of)),
        }
    }

    /// The text of a leaf right below.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let Self::Object(members) = self else { return None };
        match &members.iter().find(|member| member.name == name)?.value {
            Value::Leaf(Scalar::Text(text) | Scalar::Number(text)) => Some((*text).to_owned()),
            Value::Leaf(Scalar::Bool(truth)) => Some(truth.to_string()),
            Value::Leaf(Scalar::Null | Scalar::Empty | Scalar::Token(_))
            | Value::Object(_)
            | Value::List(_) => None,
        }
    }
}

/// What a body has that it should not have, or has not.
pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_restconf", format!("the body {}; send it as RFC 8040 has it", clip(what)))
}
