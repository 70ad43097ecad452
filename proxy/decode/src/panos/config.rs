//! `type=config`: what is read and changed of the configuration, by xpath.
//!
//! A change is of the candidate, and counts as one of what runs: what it says is judged where it is said. Leaves out commits.

use ordain_action::{Access, Call, Effect, Parameters, Resource, Role, Undecodable};

use super::asked::{Said, bad, elements};
use super::words;
use super::xpath::{self, Device, Node, Reach, Which};
use crate::form::Fields;
use crate::form::fields::{clip, segments, unescape};
use crate::rest::effect;

/// The most nodes of one request below which is named what goes along.
const NAMED_MAX: usize = 16;

/// The most nodes of one request.
const NODES_MAX: usize = 1_024;

/// What a request of this type does.
///
/// # Errors
/// It cannot be said exactly.
pub(super) fn call(said: &Said<'_, '_>, device: Device<'_>) -> Result<Call, Undecodable> {
    let action = said.need("action")?;
    let effects = match action {
        "get" | "show" | "complete" => read(said, device, action)?,
        "set" | "edit" | "override" => write(said, device, action)?,
        "delete" => {
            said.only(&["action", "xpath"])?;
            let nodes = nodes(said)?;
            let targets = with_all_below(&nodes, device);
            change(said, device, &nodes, None, vec![(Access::Delete, targets)])?
        }
        "rename" | "move" | "clone" => beside(said, device, action)?,
        "multi-move" | "multi-clone" => several(said, device, action)?,
        other => {
            return Err(Undecodable::new(
                "unknown_operation",
                format!("`{}` is no action on the configuration; send one that the API has", clip(other)),
            ));
        }
    };
    Ok(device.names.call(effects))
}

/// What an xpath names.
fn nodes(said: &Said<'_, '_>) -> Result<Vec<Node>, Undecodable> {
    let nodes = xpath::read(said.need("xpath")?)?;
    if nodes.len() > NODES_MAX {
        return Err(bad("the xpath names too many entries; send fewer at once"));
    }
    Ok(nodes)
}

fn one(said: &Said<'_, '_>) -> Result<Node, Undecodable> {
    let mut nodes = nodes(said)?;
    match (nodes.pop(), nodes.is_empty()) {
        (Some(node), true) => Ok(node),
        _ => Err(bad("the xpath names several entries; name one")),
    }
}

fn operation(action: &str, node: Option<&Node>) -> String {
    let schema = node.map(Node::schema).unwrap_or_default();
    if schema.is_empty() { action.to_owned() } else { format!("{action}/{schema}") }
}

fn read(said: &Said<'_, '_>, device: Device<'_>, action: &str) -> Result<Vec<Effect>, Undecodable> {
    said.only(&["action", "xpath"])?;
    let parameters = said.parameters(&[]);
    // What is no plain path may be anything, and is shown at its worst.
    let plain = said.get("xpath").filter(|path| !path.is_empty()).and_then(|path| xpath::read(path).ok());
    let Some(nodes) = plain.filter(|nodes| nodes.len() <= NODES_MAX) else {
        let everything = vec![device.everything(Role::Target)];
        return Ok(vec![effect(("config", action), Access::SecretRead, everything, parameters)]);
    };
    let shows = |node: &Node| {
        let any = node.0.iter().any(|step| words::holds_secrets(&step.element));
        // An entry shows as much as the list it is of.
        let mut own = node.0.iter().rev();
        any || own
            .find(|step| step.element != "entry")
            .is_some_and(|step| words::shows_secrets(&step.element) || step.element == "vsys")
    };
    let secret = action != "complete" && nodes.iter().any(shows);
    let access = if secret { Access::SecretRead } else { Access::Read };
    let targets = nodes.iter().map(|node| node.resource(device, Role::Target, Reach::Own)).collect();
    Ok(vec![effect(("config", &operation(action, nodes.first())), access, targets, parameters)])
}

/// Elements that are put at a node, or in its place.
fn write(said: &Said<'_, '_>, device: Device<'_>, action: &str) -> Result<Vec<Effect>, Undecodable> {
    said.only(&["action", "xpath", "element"])?;
    let node = one(said)?;
    let fields = elements(said.need("element")?)?;
    let own = node.resource(device, Role::Target, Reach::Own);
    let parent = node.parent().resource(device, Role::Parent, Reach::Own);
    let nodes = [node.clone()];
    if action == "set" {
        let written = written(&node, &fields);
        let entry = !matches!(last(&node), Some(Which::Only) | None);
        let mut targets: Vec<Resource> =
            written.iter().map(|node| node.resource(device, Role::Target, Reach::Own)).collect();
        if targets.is_empty() {
            // Nothing is named, or too much is.
            targets.push(node.resource(device, Role::Target, Reach::Below));
        }
        if targets.iter().any(|target| target.pattern) || (entry && !targets.contains(&own)) {
            targets.insert(0, own);
        }
        let mut new = targets.clone();
        new.push(if entry { parent } else { node.resource(device, Role::Parent, Reach::Own) });
        let accesses = vec![(Access::Update, targets), (Access::Create, new)];
        return change(said, device, &nodes, Some(&fields), accesses);
    }
    if action == "edit" && !is_value_of(&node, &fields) {
        return Err(bad("the element is another than the xpath names; send the element itself"));
    }
    let below = vec![node.resource(device, Role::Target, Reach::Below)];
    // Whatever the new value leaves out is gone.
    let accesses = vec![
        (Access::Update, vec![own.clone()]),
        (Access::Delete, below),
        (Access::Create, vec![own, parent]),
    ];
    change(said, device, &nodes, Some(&fields), accesses)
}

fn last(node: &Node) -> Option<&Which> {
    node.0.last().map(|step| &step.which)
}

/// The nodes that elements below another one write: every entry on the way, or the element itself where there is none.
fn written(node: &Node, fields: &Fields) -> Vec<Node> {
    let mut found: Vec<Node> = Vec::new();
    for (path, _) in fields.iter() {
        for one in on_the_way(node, fields, path) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
        if found.len() > NAMED_MAX * 4 {
            return Vec::new();
        }
    }
    found
}

fn on_the_way(node: &Node, fields: &Fields, path: &str) -> Vec<Node> {
    let parts: Vec<&str> = segments(path).collect();
    let mut entries: Vec<Node> = Vec::new();
    let mut at = node.clone();
    let mut depth = 0;
    while let Some(part) = parts.get(depth) {
        depth += 1;
        match unescape(part).as_str() {
            // The members of a list are its value, and attributes that of their element.
            "member" => break,
            attribute if attribute.starts_with('@') => break,
            "entry" => {
                depth += 1;
                let own = parts.get(..depth).unwrap_or_default().join(".");
                let name = fields.text(&format!("{own}.@name")).map(str::to_owned);
                at = at.child("entry", name.map_or(Which::All, Which::Named));
                entries.push(at.clone());
            }
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => {}
            element => at = at.child(element, Which::Only),
        }
    }
    if entries.is_empty() { vec![at] } else { entries }
}

/// Whether elements are exactly the one that a path ends in.
fn is_value_of(node: &Node, fields: &Fields) -> bool {
    let Some(step) = node.0.last() else { return false };
    let mut all =
        fields.iter().map(|(path, value)| (segments(path).map(unescape).collect::<Vec<_>>(), value));
    match &step.which {
        Which::Named(name) => {
            fields.text("entry.1.@name") == Some(name.as_str())
                && all.all(|(path, _)| {
                    path.first().is_some_and(|first| *first == step.element)
                        && path.get(1).is_some_and(|number| number == "1")
                })
        }
        Which::Text(text) => fields.len() == 1 && fields.text("member.1") == Some(text.as_str()),
        Which::All => false,
        Which::Only => {
            fields.is_empty() || all.all(|(path, _)| path.first().is_some_and(|first| *first == step.element))
        }
    }
}

fn with_all_below(nodes: &[Node], device: Device<'_>) -> Vec<Resource> {
    let mut all: Vec<Resource> =
        nodes.iter().map(|node| node.resource(device, Role::Target, Reach::Own)).collect();
    if nodes.len() <= NAMED_MAX {
        all.extend(nodes.iter().map(|node| node.resource(device, Role::Target, Reach::Below)));
    } else if let Some(first) = nodes.first() {
        // They are of one list: what lies below them lies in it.
        all.push(first.parent().resource(device, Role::Target, Reach::Below));
    }
    all
}

/// An entry that gets another name or place, or a twin.
fn beside(said: &Said<'_, '_>, device: Device<'_>, action: &str) -> Result<Vec<Effect>, Undecodable> {
    let known: &[&str] = match action {
        "rename" => &["action", "xpath", "newname"],
        "move" => &["action", "xpath", "where", "dst"],
        _ => &["action", "xpath", "from", "newname"],
    };
    said.only(known)?;
    let node = one(said)?;
    let own = node.resource(device, Role::Target, Reach::Own);
    let parent = node.parent().resource(device, Role::Parent, Reach::Own);
    let is_entry = matches!(last(&node), Some(Which::Named(_)));
    let accesses = match action {
        "rename" if is_entry => {
            let new = node.renamed(said.need("newname")?).resource(device, Role::Target, Reach::Own);
            // What was known by the old name is known by it no more.
            vec![
                (Access::Update, vec![own.clone()]),
                (Access::Delete, vec![own]),
                (Access::Create, vec![new, parent]),
            ]
        }
        "move" if is_entry => {
            let place = said.need("where")?;
            let mut resources = vec![own];
            match (place, said.get("dst")) {
                ("top" | "bottom", None) => {}
                ("before" | "after", Some(name)) if !name.is_empty() => {
                    resources.push(node.renamed(name).resource(device, Role::Uses, Reach::Own));
                }
                _ => {
                    return Err(bad(
                        "`where` is none of the places that there are; name one, with its `dst`",
                    ));
                }
            }
            vec![(Access::Update, resources)]
        }
        "clone" => {
            let name = said.need("newname")?;
            let from = xpath::read(said.need("from")?)?;
            let (list, new) = if is_entry {
                (node.parent(), node.renamed(name))
            } else {
                (node.clone(), node.child("entry", Which::Named(name.to_owned())))
            };
            let mut resources = vec![
                new.resource(device, Role::Target, Reach::Own),
                list.resource(device, Role::Parent, Reach::Own),
            ];
            resources.extend(from.iter().map(|node| node.resource(device, Role::Uses, Reach::Own)));
            vec![(Access::Create, resources)]
        }
        _ => return Err(bad("the xpath does not end in one entry by its name; name one")),
    };
    change(said, device, &[node], None, accesses)
}

/// Entries of other places that are moved or copied to one.
fn several(said: &Said<'_, '_>, device: Device<'_>, action: &str) -> Result<Vec<Effect>, Undecodable> {
    said.only(&["action", "xpath", "element", "where", "dst"])?;
    let list = one(said)?;
    let fields = elements(said.need("element")?)?;
    let mut sources: Vec<Node> = Vec::new();
    let mut new: Vec<Resource> = Vec::new();
    for (path, value) in fields.iter() {
        let parts: Vec<&str> = segments(path).collect();
        match (parts.as_slice(), value) {
            (["selected-list", "source", _, "@xpath"] | ["all-errors"], _) => {}
            (["selected-list", "source", number, "member", _], ordain_action::Scalar::Text(name)) => {
                let from = fields.text(&format!("selected-list.source.{number}.@xpath"));
                for source in xpath::read(from.unwrap_or_default())? {
                    sources.push(source.child("entry", Which::Named(name.to_owned())));
                }
                let entry = list.child("entry", Which::Named(name.to_owned()));
                new.push(entry.resource(device, Role::Target, Reach::Own));
            }
            _ => return Err(bad("the element is no `selected-list` of sources and members; send one")),
        }
    }
    if sources.is_empty() || sources.len() > NODES_MAX {
        return Err(bad("the element selects nothing, or too much; select some entries"));
    }
    new.push(list.resource(device, Role::Parent, Reach::Own));
    let mut accesses = Vec::new();
    if action == "multi-move" {
        accesses.push((Access::Delete, with_all_below(&sources, device)));
    } else {
        new.extend(sources.iter().map(|node| node.resource(device, Role::Uses, Reach::Own)));
    }
    accesses.push((Access::Create, new));
    sources.push(list);
    change(said, device, &sources, Some(&fields), accesses)
}

/// A change of these classes, and of those that its words add.
fn change(
    said: &Said<'_, '_>,
    _device: Device<'_>,
    nodes: &[Node],
    fields: Option<&Fields>,
    mut accesses: Vec<(Access, Vec<Resource>)>,
) -> Result<Vec<Effect>, Undecodable> {
    let action = said.need("action")?;
    let parsed: Vec<(&str, &Fields)> = fields.map(|fields| ("element", fields)).into_iter().collect();
    let parameters: Parameters = said.parameters(&parsed);
    let says = |of: fn(&str) -> bool| {
        let in_path = nodes.iter().any(|node| node.0.iter().any(|step| of(&step.element)));
        let in_body = fields.is_some_and(|fields| {
            fields.iter().any(|(path, _)| segments(path).any(|part| of(&unescape(part))))
        });
        in_path || in_body
    };
    // What is taken away or written anew high up is all of that.
    let takes_away = accesses.iter().any(|(access, _)| *access == Access::Delete);
    let high = nodes.iter().any(|node| {
        let own = node.0.iter().rev().find(|step| step.element != "entry");
        own.is_none_or(|step| {
            matches!(
                step.element.as_str(),
                "config"
                    | "device-group"
                    | "devices"
                    | "panorama"
                    | "shared"
                    | "template"
                    | "template-stack"
                    | "vsys"
                    | "deviceconfig"
                    | "system"
            )
        })
    });
    let targets = accesses.first().map(|(_, targets)| targets.clone()).unwrap_or_default();
    for (access, also) in [(Access::Grant, says(words::grants)), (Access::Expose, says(words::exposes))] {
        if also || (takes_away && high) {
            accesses.push((access, targets.clone()));
        }
    }
    let operation = operation(action, nodes.first());
    let each = accesses
        .into_iter()
        .map(|(access, resources)| effect(("config", &operation), access, resources, parameters.clone()));
    Ok(each.collect())
}
