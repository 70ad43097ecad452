//! YANG Patch (RFC 8072): many edits in one request, each with a target below the one of the path.
//!
//! One edit that cannot be read makes the patch one that cannot. Leaves out what an edit touches (`change.rs`).

use std::collections::BTreeMap;

use ordain_action::{Effect, Scalar, Undecodable};

use super::body::{self, Leaf, Syntax, bad};
use super::call::{add_value, parameters};
use super::change::{Doing, Edit, value_of};
use super::node::{Node, qualified};
use super::path::{Asked, at, below};
use crate::form::fields::clip;
use crate::rest::Whole;

/// The most edits that are read.
const EDITS_MAX: usize = 512;

/// The module of patches.
const MODULE: &str = "ietf-yang-patch";

/// How a patch is written, where a media type says that it is one.
pub(super) fn syntax(media: &str) -> Option<Syntax> {
    match media {
        "application/yang-patch+json" => Some(Syntax::Json),
        "application/yang-patch+xml" => Some(Syntax::Xml),
        _ => None,
    }
}

#[derive(Debug, Default)]
struct Written<'f> {
    id: Option<&'f str>,
    operation: Option<&'f str>,
    target: Option<&'f str>,
    point: Option<&'f str>,
    has_place: bool,
    value: Vec<Leaf<'f>>,
}

/// The effects of all edits.
///
/// # Errors
/// One of them cannot be read.
pub(super) fn effects(
    asked: &Asked,
    whole: &Whole<'_>,
    node: &Node,
    syntax: Syntax,
) -> Result<Vec<Effect>, Undecodable> {
    if whole.body.is_empty() {
        return Err(bad("is missing"));
    }
    let fields = body::read(whole.body, syntax)?;
    let leaves = body::leaves(&fields);
    let edits = edits(&leaves)?;
    let mut effects = Vec::new();
    for edit in edits.values() {
        effects.extend(one(asked, whole, node, edit)?);
    }
    Ok(effects)
}

fn edits<'f>(leaves: &[Leaf<'f>]) -> Result<BTreeMap<usize, Written<'f>>, Undecodable> {
    let mut edits: BTreeMap<usize, Written<'f>> = BTreeMap::new();
    for (path, value) in leaves {
        let (root, rest) = path.split_first().ok_or_else(|| bad("is no object"))?;
        if qualified(root, None)? != (MODULE.to_owned(), "yang-patch".to_owned()) {
            return Err(bad("is no `ietf-yang-patch:yang-patch`"));
        }
        let (name, rest) = rest.split_first().ok_or_else(|| bad("says nothing"))?;
        match (own(name)?.as_str(), rest, value) {
            ("patch-id" | "comment", [], Scalar::Text(_)) => {}
            ("edit", [number, field, rest @ ..], value) => {
                let number = number.parse().map_err(|_| bad("has edits that are no list"))?;
                if number > EDITS_MAX {
                    return Err(bad("has more edits than are read at once"));
                }
                take(edits.entry(number).or_default(), &own(field)?, rest, *value)?;
            }
            (other, ..) => return Err(bad(&format!("has `{}`, which a patch has not so", clip(other)))),
        }
    }
    if edits.is_empty() {
        return Err(bad("has no edit"));
    }
    let mut ids: Vec<&str> = edits.values().filter_map(|edit| edit.id).collect();
    ids.sort_unstable();
    if ids.len() != edits.len() || ids.iter().zip(ids.iter().skip(1)).any(|(one, next)| one == next) {
        return Err(bad("has edits without an `edit-id` of their own"));
    }
    Ok(edits)
}

/// The name of a member of the patch itself.
fn own(name: &str) -> Result<String, Undecodable> {
    match qualified(name, Some(MODULE))? {
        (module, name) if module == MODULE => Ok(name),
        (_, name) => Err(bad(&format!("has `{}`, which a patch has not", clip(&name)))),
    }
}

fn take<'f>(
    edit: &mut Written<'f>,
    field: &str,
    rest: &[String],
    value: Scalar<'f>,
) -> Result<(), Undecodable> {
    let slot = match (field, rest) {
        ("value", [_, ..]) => {
            edit.value.push((rest.to_vec(), value));
            return Ok(());
        }
        ("where", []) => {
            edit.has_place = true;
            return Ok(());
        }
        ("edit-id", []) => &mut edit.id,
        ("operation", []) => &mut edit.operation,
        ("target", []) => &mut edit.target,
        ("point", []) => &mut edit.point,
        _ => return Err(bad(&format!("has `{}` in an edit, which has none such", clip(field)))),
    };
    match (value, slot.is_some()) {
        (Scalar::Text(text), false) => *slot = Some(text),
        _ => return Err(bad(&format!("has a `{}` in an edit that is no text, or two", clip(field)))),
    }
    Ok(())
}

fn one(
    asked: &Asked,
    whole: &Whole<'_>,
    root: &Node,
    written: &Written<'_>,
) -> Result<Vec<Effect>, Undecodable> {
    let word = written.operation.ok_or_else(|| bad("has an edit without an operation"))?;
    let doing = match word {
        "create" | "insert" => Doing::Create,
        "delete" | "remove" => Doing::Delete,
        "merge" => Doing::Merge,
        "move" => Doing::Move,
        "replace" => Doing::Replace,
        other => return Err(bad(&format!("has the operation `{}`, which there is not", clip(other)))),
    };
    let target = written.target.ok_or_else(|| bad("has an edit without a target"))?;
    let node = below(root, target)?;
    let point = written.point.map(at_or_below(root)).transpose()?;
    let mut parameters = parameters(asked, whole, None);
    for (name, text) in [("operation", Some(word)), ("target", Some(target)), ("point", written.point)] {
        if let Some(text) = text {
            let _kept = parameters.push(name, Scalar::Text(text));
        }
    }
    let takes_value = !matches!(doing, Doing::Delete | Doing::Move);
    if takes_value == written.value.is_empty() {
        return Err(bad("has an edit whose value is missing, or which takes none"));
    }
    if written.has_place && !matches!(word, "insert" | "move") {
        return Err(bad("has an edit with a place that is neither `insert` nor `move`"));
    }
    let mut edit = Edit { doing, word, node, value: None, point, parameters };
    if takes_value {
        let slices: Vec<(&[String], Scalar<'_>)> =
            written.value.iter().map(|(path, value)| (path.as_slice(), *value)).collect();
        let member = body::only(body::members(&slices, edit.node.parent().module())?)?;
        let path = format!("value.{}", member.name.replace('.', "\\."));
        add_value(whole, &mut edit.parameters, (&path, &member.module), &member.value);
        edit.value = Some(value_of(&edit.node, member)?);
    }
    Ok(edit.effects(whole.names()))
}

/// A point is written as the target is; servers that take it from the root write its module.
fn at_or_below(root: &Node) -> impl Fn(&str) -> Result<Node, Undecodable> + '_ {
    |text| match below(root, text) {
        Ok(node) => Ok(node),
        Err(_) => at(text),
    }
}
