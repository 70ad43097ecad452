//! What a request does, with its body in hand.
//!
//! Leaves out the edits of a patch (`patch.rs`) and what an edit touches (`change.rs`).

use std::sync::Arc;

use ordain_action::{
    Access, Call, Completeness, Effect, NewIdentifier, Parameters, Role, Scalar, Undecodable,
};

use super::body::{self, Syntax, Value, bad};
use super::change::{Doing, Edit, each_leaf, entry, operation, value_of};
use super::node::{Keys, Node, Reach};
use super::path::{Asked, Place, Verb};
use super::{patch, words};
use crate::form::Fields;
use crate::form::fields::clip;
use crate::rest::{Whole, effect};

/// The media types of data (RFC 8040 section 11.3), and those that clients fall back to.
const JSON: [&str; 2] = ["application/yang-data+json", "application/json"];
const XML: [&str; 2] = ["application/yang-data+xml", "application/xml"];

/// What a request does.
///
/// # Errors
/// Its body cannot be read, or is not that of what the path names.
pub(super) fn call(asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let names = whole.names();
    let target = |node: &Node| node.resource(names, Role::Target, Reach::Own);
    match (&asked.place, asked.verb) {
        (Place::Itself(what), _) => {
            let parameters = parameters(asked, whole, None);
            Ok(names.call(vec![effect(
                ("restconf", &format!("get/{what}")),
                Access::Read,
                vec![names.whole(Role::Target)],
                parameters,
            )]))
        }
        (Place::Stream(name), _) => {
            let resource = names.one(Role::Target, "stream", &["streams", name]);
            let parameters = parameters(asked, whole, None);
            Ok(names.call(vec![effect(
                ("restconf", "get/streams"),
                Access::Read,
                vec![resource],
                parameters,
            )]))
        }
        (Place::Rpc(module, name), Verb::Options) => {
            let parameters = parameters(asked, whole, None);
            let operation = (module.as_str(), format!("options/{name}"));
            let target = names.whole(Role::Target);
            Ok(names.call(vec![effect((operation.0, &operation.1), Access::Read, vec![target], parameters)]))
        }
        (Place::Rpc(module, name), _) => rpc(asked, whole, module, name),
        (Place::Data(node), Verb::Get | Verb::Options) => {
            let word = if asked.verb == Verb::Get { "get" } else { "options" };
            let secret = asked.verb == Verb::Get && shows_secrets(node, whole);
            let access = if secret { Access::SecretRead } else { Access::Read };
            let operation = operation(word, node);
            let parameters = parameters(asked, whole, None);
            Ok(names.call(vec![effect(
                (asked.service(), &operation),
                access,
                vec![target(node)],
                parameters,
            )]))
        }
        (Place::Data(node), Verb::Delete) => {
            let edit = edit(asked, Doing::Delete, "delete", node.clone(), parameters(asked, whole, None));
            Ok(names.call(edit.effects(names)))
        }
        (Place::Data(node), Verb::Put | Verb::Patch) => written(asked, whole, node),
        (Place::Data(node), Verb::Post) => posted(asked, whole, node),
    }
}

fn edit<'f>(
    asked: &Asked,
    doing: Doing,
    word: &'static str,
    node: Node,
    parameters: Parameters,
) -> Edit<'static, 'f> {
    Edit { doing, word, node, value: None, point: asked.point.clone(), parameters }
}

/// A value that takes the place of another, or is merged into it; or a patch.
fn written(asked: &Asked, whole: &Whole<'_>, node: &Node) -> Result<Call, Undecodable> {
    let names = whole.names();
    let media = whole.media_type()?;
    if asked.verb == Verb::Patch
        && let Some(syntax) = patch::syntax(&media)
    {
        return Ok(names.call(patch::effects(asked, whole, node, syntax)?));
    }
    let fields = fields(whole)?.ok_or_else(|| bad("is missing"))?;
    let leaves = body::leaves(&fields);
    let slices: Vec<(&[String], Scalar<'_>)> =
        leaves.iter().map(|(path, value)| (path.as_slice(), *value)).collect();
    let member = body::only(body::members(&slices, node.parent().module())?)?;
    let parameters =
        parameters(asked, whole, Some((&member.name.clone(), &member.module.clone(), &member.value)));
    let value = value_of(node, member)?;
    let (doing, word) = match asked.verb {
        Verb::Put => (Doing::Replace, "replace"),
        Verb::Get | Verb::Options | Verb::Post | Verb::Patch | Verb::Delete => (Doing::Merge, "merge"),
    };
    let edit = edit(asked, doing, word, node.clone(), parameters);
    Ok(names.call(Edit { value: Some(value), ..edit }.effects(names)))
}

/// Something new, or an action (RFC 8040 sections 3.6 and 4.4): where nothing tells which, both.
fn posted(asked: &Asked, whole: &Whole<'_>, node: &Node) -> Result<Call, Undecodable> {
    let names = whole.names();
    let read = fields(whole)?;
    let Some(fields) = read.filter(|fields| !fields.is_empty()) else {
        return Ok(names.call(action(asked, whole, node, None)?));
    };
    let leaves = body::leaves(&fields);
    let slices: Vec<(&[String], Scalar<'_>)> =
        leaves.iter().map(|(path, value)| (path.as_slice(), *value)).collect();
    let member = body::only(body::members(&slices, node.module())?)?;
    let mut effects = Vec::new();
    if member.name == "input" {
        effects.extend(action(asked, whole, node, Some(&member.value))?);
    }
    let parameters = parameters(asked, whole, Some((&member.name, &member.module, &member.value)));
    let list = node.child(&member.module, &member.name, Keys::None);
    let known = words::keys(&member.module, &member.name).is_some();
    let (child, value) = match member.value {
        Value::List(mut items) => {
            let item = items.pop().filter(|_| items.is_empty());
            let item = item.ok_or_else(|| bad("makes more than one entry, or none"))?;
            (entry(&list, &item), item)
        }
        value @ Value::Object(_) if known => (entry(&list, &value), value),
        value @ (Value::Leaf(_) | Value::Object(_)) => (Some(list.clone()), value),
    };
    let is_made = child.is_none();
    let child = child.unwrap_or_else(|| node.child(&member.module, &member.name, Keys::Any));
    let edit = Edit { value: Some(value), ..edit(asked, Doing::Create, "create", child, parameters) };
    effects.extend(edit.effects(names));
    let mut call = names.call(effects);
    if is_made {
        call.answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("{}:{}:{}", names.plane, member.module, member.name)),
            member: Arc::from("path"),
            path: vec![Arc::from("Location")],
        });
    }
    Ok(call)
}

/// An action of a node: it is the last step of the path, and what it is done to are those before.
fn action(
    asked: &Asked,
    whole: &Whole<'_>,
    node: &Node,
    input: Option<&Value<'_>>,
) -> Result<Vec<Effect>, Undecodable> {
    let Some(last) = node.0.last().filter(|last| last.keys == Keys::None) else {
        return Err(bad("is missing"));
    };
    let names = whole.names();
    let parameters = parameters(asked, whole, input.map(|value| ("input", last.module.as_str(), value)));
    let operation = operation("action", node);
    let mut accesses = vec![Access::Execute];
    let says = |of: fn(&str) -> bool| {
        node.0.iter().any(|step| of(&step.name)) || input.is_some_and(|value| value.names_any(of))
    };
    accesses.extend(words::stops(&last.name).then_some(Access::Delete));
    accesses.extend(says(words::grants).then_some(Access::Grant));
    accesses.extend(says(words::exposes).then_some(Access::Expose));
    accesses.extend(says(words::holds_secrets).then_some(Access::SecretRead));
    let each = accesses.into_iter().map(|access| {
        let mut resources = vec![node.parent().resource(names, Role::Target, Reach::Own)];
        if words::configures(&last.name) || access == Access::Delete {
            resources.push(node.parent().resource(names, Role::Target, Reach::Below));
        }
        effect((asked.service(), &operation), access, resources, parameters.clone())
    });
    Ok(each.collect())
}

/// An operation of the device as a whole.
fn rpc(asked: &Asked, whole: &Whole<'_>, module: &str, name: &str) -> Result<Call, Undecodable> {
    let names = whole.names();
    let read = fields(whole)?;
    let leaves = read.as_ref().map(body::leaves).unwrap_or_default();
    let slices: Vec<(&[String], Scalar<'_>)> =
        leaves.iter().map(|(path, value)| (path.as_slice(), *value)).collect();
    let input =
        if slices.is_empty() { None } else { Some(body::only(body::members(&slices, Some(module))?)?) };
    if input.as_ref().is_some_and(|input| (input.module.as_str(), input.name.as_str()) != (module, "input")) {
        return Err(bad("is not the `input` of the operation"));
    }
    let value = input.as_ref().map(|input| &input.value);
    let parameters = parameters(asked, whole, value.map(|value| ("input", module, value)));
    let says = |of: fn(&str) -> bool| of(name) || value.is_some_and(|value| value.names_any(of));
    let configures = words::configures(name);
    let accesses = [
        (Access::Execute, true),
        // What it writes no path says: it may be anything.
        (Access::Update, configures),
        (Access::Delete, configures || words::stops(name)),
        (Access::Grant, configures || says(words::grants)),
        (Access::Expose, configures || says(words::exposes)),
        (Access::SecretRead, says(words::holds_secrets)),
    ];
    let operation = format!("rpc/{name}");
    let each = accesses.into_iter().filter(|(_, does)| *does).map(|(access, _)| {
        let mut resources = vec![names.whole(Role::Target)];
        if configures || access == Access::Delete {
            resources.push(Node::default().resource(names, Role::Target, Reach::Below));
        }
        effect((module, &operation), access, resources, parameters.clone())
    });
    Ok(names.call(each.collect()))
}

/// Whether what is shown has secrets in it.
fn shows_secrets(node: &Node, whole: &Whole<'_>) -> bool {
    let fields = whole.line.query("fields").unwrap_or_default();
    let mut asked_for = fields.split([';', '/', '(', ')']).filter(|name| !name.is_empty());
    node.0.iter().any(|step| words::holds_secrets(&step.name))
        || node.0.last().is_none_or(|step| words::shows_secrets(&step.module, &step.name))
        || asked_for.any(words::holds_secrets)
}

/// The body by its media type; none where there is none.
fn fields(whole: &Whole<'_>) -> Result<Option<Fields>, Undecodable> {
    if whole.body.is_empty() {
        return Ok(None);
    }
    let media = whole.media_type()?;
    let syntax = match media.as_str() {
        media if JSON.contains(&media) => Syntax::Json,
        media if XML.contains(&media) => Syntax::Xml,
        other => {
            return Err(Undecodable::new(
                "unread_media_type",
                format!(
                    "a body of the type `{}` is not read here; send it as `{}` or `{}`",
                    clip(other),
                    JSON.join("` or `"),
                    XML.join("` or `")
                ),
            ));
        }
    };
    body::read(whole.body, syntax).map(Some)
}

/// The parameters of the query, the datastore where one is named, and a value with its name and its module.
pub(super) fn parameters(
    asked: &Asked,
    whole: &Whole<'_>,
    body: Option<(&str, &str, &Value<'_>)>,
) -> Parameters {
    let mut parameters = whole.parameters(None, &[]);
    if let Some(datastore) = &asked.datastore {
        let _kept = parameters.push("?datastore", Scalar::Text(datastore));
    }
    if let Some((name, module, value)) = body {
        add_value(whole, &mut parameters, (&name.replace('.', "\\."), module), value);
    }
    parameters
}

/// Adds a value at a path, with its secrets as tokens.
pub(super) fn add_value(
    whole: &Whole<'_>,
    parameters: &mut Parameters,
    (path, module): (&str, &str),
    value: &Value<'_>,
) {
    let mut path = path.to_owned();
    let mut too_many = false;
    each_leaf(&mut path, module, value, &mut |path, leaf| {
        let secret = || path.split('.').any(words::is_secret);
        let mut token = String::new();
        let leaf = whole.tokens.cover(leaf, secret, &mut token);
        too_many |= parameters.push(path, leaf).is_err();
    });
    if too_many {
        parameters.incomplete(Completeness::Partial("there are more parameters than are kept"));
    }
}
