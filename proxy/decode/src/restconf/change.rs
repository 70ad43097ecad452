//! What an edit does, and to which nodes.
//!
//! What also says who may do what, or what is let through, is that effect too. Leaves out how edits are written (`call.rs`,
//! `patch.rs`).

use ordain_action::{Access, Effect, Parameters, Resource, Role, Scalar, Undecodable};

use super::body::{Member, Value, bad};
use super::node::{Keys, Node, Reach, keys_from};
use super::path::service;
use super::words;
use crate::rest::{Names, effect};

/// The most resources of one edit that are named one by one.
const NAMED_MAX: usize = 24;

/// What an edit does (RFC 8072 section 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Create,
    Delete,
    Merge,
    Move,
    Replace,
}

/// One edit.
#[derive(Debug)]
pub(super) struct Edit<'e, 'f> {
    pub(super) doing: Doing,
    /// The plane's own word for it.
    pub(super) word: &'e str,
    pub(super) node: Node,
    pub(super) value: Option<Value<'f>>,
    /// The node beside which it is put.
    pub(super) point: Option<Node>,
    pub(super) parameters: Parameters,
}

/// What an edit writes to.
#[derive(Debug, Default)]
struct Written {
    targets: Vec<Resource>,
    /// Entries of lists, which may be new.
    entries: Vec<Resource>,
}

impl Edit<'_, '_> {
    /// The effects of the edit.
    pub(super) fn effects(&self, names: Names<'_>) -> Vec<Effect> {
        let own = self.node.resource(names, Role::Target, Reach::Own);
        let written = self.written(names);
        let mut all: Vec<(Access, Vec<Resource>)> = Vec::new();
        match self.doing {
            Doing::Create => all.push((Access::Create, self.created(names, written))),
            Doing::Delete => all.push((Access::Delete, self.with_all_below(names, true))),
            Doing::Move => all.push((Access::Update, vec![own])),
            Doing::Merge => {
                all.push((Access::Update, written.targets));
                let mut new = written.entries;
                if !self.node.is_bare() {
                    push(&mut new, own);
                }
                if !new.is_empty() {
                    new.push(self.parent(names));
                    all.push((Access::Create, new));
                }
            }
            Doing::Replace => {
                all.push((Access::Update, vec![own]));
                // Whatever the new value leaves out is gone.
                if self.value.as_ref().is_none_or(|value| !value.is_leaf()) {
                    all.push((Access::Delete, self.with_all_below(names, false)));
                }
                all.push((Access::Create, self.created(names, written)));
            }
        }
        let targets: Vec<Resource> = all.first().map(|(_, targets)| targets.clone()).unwrap_or_default();
        let extra = [(Access::Grant, self.says(words::grants)), (Access::Expose, self.says(words::exposes))];
        all.extend(extra.into_iter().filter(|(_, also)| *also).map(|(access, _)| (access, targets.clone())));
        let operation = operation(self.word, &self.node);
        let each = all.into_iter().map(|(access, mut resources)| {
            resources.extend(self.point.as_ref().map(|point| point.resource(names, Role::Uses, Reach::Own)));
            effect((service(&self.node), &operation), access, resources, self.parameters.clone())
        });
        each.collect()
    }

    /// Whether a node of the path, one below it, or all that may be there, is such a one.
    fn says(&self, of: fn(&str) -> bool) -> bool {
        let whole = self.node.0.last().is_none_or(|step| words::holds_all(&step.module, &step.name));
        let takes_away = matches!(self.doing, Doing::Delete | Doing::Replace);
        (whole && takes_away)
            || self.node.0.iter().any(|step| of(&step.name))
            || self.value.as_ref().is_some_and(|value| value.names_any(of))
    }

    fn parent(&self, names: Names<'_>) -> Resource {
        self.node.parent().resource(names, Role::Parent, Reach::Own)
    }

    fn created(&self, names: Names<'_>, written: Written) -> Vec<Resource> {
        let is_new_entry =
            self.doing == Doing::Create && self.node.0.last().is_some_and(|step| step.keys == Keys::Any);
        if is_new_entry && self.node.parent().0.iter().all(|step| step.keys != Keys::Any) {
            return vec![self.node.unnamed(names), self.parent(names)];
        }
        let mut new = vec![self.node.resource(names, Role::Target, Reach::Own)];
        for entry in written.entries {
            push(&mut new, entry);
        }
        new.push(self.parent(names));
        new
    }

    /// All that lies below, where it is a list or a container; and the node.
    fn with_all_below(&self, names: Names<'_>, and_itself: bool) -> Vec<Resource> {
        let mut all = Vec::new();
        if and_itself {
            all.push(self.node.resource(names, Role::Target, Reach::Own));
        }
        all.push(self.node.resource(names, Role::Target, Reach::Below));
        if self.node.is_bare() && !self.node.0.is_empty() {
            all.push(self.node.resource(names, Role::Target, Reach::Entries));
        }
        all
    }

    fn written(&self, names: Names<'_>) -> Written {
        let mut written = Written::default();
        if let Some(value) = &self.value {
            let walk = Walk { names };
            if self.doing == Doing::Create && self.node.is_bare() {
                walk.member(&self.node, value, &mut written);
            } else {
                walk.value(&self.node, value, &mut written);
            }
        }
        if written.targets.is_empty() {
            written.targets.push(self.node.resource(names, Role::Target, Reach::Own));
        }
        if written.targets.len() + written.entries.len() > NAMED_MAX {
            let below = self.node.resource(names, Role::Target, Reach::Below);
            let own = self.node.resource(names, Role::Target, Reach::Own);
            written.entries = vec![below.clone()];
            written.targets = vec![own, below];
            if self.node.is_bare() && !self.node.0.is_empty() {
                let entries = self.node.resource(names, Role::Target, Reach::Entries);
                written.targets.push(entries);
            }
        }
        written
    }
}

/// The operation in the plane's own words: what is done, and to which node of the schema.
pub(super) fn operation(word: &str, node: &Node) -> String {
    let schema = node.schema();
    if schema.is_empty() { word.to_owned() } else { format!("{word}/{schema}") }
}

fn push(all: &mut Vec<Resource>, one: Resource) {
    if !all.iter().any(|other| other.name == one.name) {
        all.push(one);
    }
}

/// Follows a value down to the nodes it writes.
#[derive(Clone, Copy)]
struct Walk<'n> {
    names: Names<'n>,
}

impl Walk<'_> {
    fn value(self, node: &Node, value: &Value<'_>, written: &mut Written) {
        match value {
            Value::Leaf(_) => self.touch(node, Reach::Own, false, written),
            Value::List(_) if value.is_leaf() => self.touch(node, Reach::Own, false, written),
            Value::List(items) => self.list(node, items, written),
            Value::Object(members) => {
                if members.is_empty() || members.iter().any(|member| member.value.is_leaf()) {
                    self.touch(node, Reach::Own, false, written);
                }
                for Member { module, name, value } in members.iter().filter(|member| !member.value.is_leaf())
                {
                    self.member(&node.child(module, name, Keys::None), value, written);
                }
            }
        }
    }

    /// A node below another one, without keys in its name: by its value alone it may be one entry of a list too, in XML
    /// and for servers that take an entry without the brackets around it.
    fn member(self, node: &Node, value: &Value<'_>, written: &mut Written) {
        let Value::Object(members) = value else { return self.value(node, value, written) };
        let Some(last) = node.0.last() else { return self.value(node, value, written) };
        if words::keys(&last.module, &last.name).is_some() {
            return self.list(node, std::slice::from_ref(value), written);
        }
        let has_leaf = members.iter().any(|member| member.value.is_leaf());
        if has_leaf && !words::is_container(&last.name) {
            self.touch(node, Reach::Entries, true, written);
        }
        self.value(node, value, written);
    }

    fn list(self, list: &Node, items: &[Value<'_>], written: &mut Written) {
        for item in items {
            match entry(list, item) {
                Some(entry) => {
                    self.touch(&entry, Reach::Own, true, written);
                    self.value(&entry, item, written);
                }
                None => self.touch(list, Reach::Entries, true, written),
            }
        }
    }

    fn touch(self, node: &Node, reach: Reach, is_entry: bool, written: &mut Written) {
        // One more than is named says enough.
        if written.targets.len() > NAMED_MAX {
            return;
        }
        let resource = node.resource(self.names, Role::Target, reach);
        if is_entry {
            push(&mut written.entries, resource.clone());
        }
        push(&mut written.targets, resource);
    }
}

/// The entry that an item of a list is, where the keys of the list are known and the item has them all.
pub(super) fn entry(list: &Node, item: &Value<'_>) -> Option<Node> {
    let last = list.0.last()?;
    let keys: Option<Vec<String>> =
        words::keys(&last.module, &last.name)?.iter().map(|key| item.text(key)).collect();
    let keys = keys_from(keys?);
    // An entry in a spelling of several is any of its list.
    if keys == Keys::Any {
        return None;
    }
    Some(list.parent().child(&last.module, &last.name, keys))
}

/// The value that a body has for a node, whose only member it is.
///
/// # Errors
/// It is the value of another node.
pub(super) fn value_of<'f>(node: &Node, member: Member<'f>) -> Result<Value<'f>, Undecodable> {
    let Some(last) = node.0.last() else {
        return if (member.module.as_str(), member.name.as_str()) == ("ietf-restconf", "data") {
            Ok(member.value)
        } else {
            Err(bad("is not that of the datastore, which is `ietf-restconf:data`"))
        };
    };
    if (&member.module, &member.name) != (&last.module, &last.name) {
        return Err(bad("has another node at its top than the path names"));
    }
    if last.keys == Keys::None {
        return Ok(member.value);
    }
    let value = match member.value {
        Value::List(mut items) => match (items.pop(), items.is_empty()) {
            (Some(item), true) => item,
            _ => return Err(bad("has not exactly one entry")),
        },
        one @ (Value::Object(_) | Value::Leaf(_)) => one,
    };
    if let Keys::Exact(keys) = &last.keys
        && !fits(keys, words::keys(&last.module, &last.name), &value)
    {
        return Err(bad("has another entry than the path names"));
    }
    Ok(value)
}

/// Whether an entry may be the one with these keys: it has no others where the list is known, and has them all somewhere
/// where it is not.
fn fits(keys: &[String], known: Option<&[&str]>, entry: &Value<'_>) -> bool {
    let plain = |text: &str| text.rsplit(':').next().unwrap_or(text).to_owned();
    match (known, entry) {
        (Some(known), Value::Object(_)) => {
            let mut own = known.iter().map(|key| entry.text(key)).zip(keys);
            known.len() == keys.len() && own.all(|(own, key)| own.is_none_or(|own| plain(&own) == plain(key)))
        }
        (None, Value::Object(members)) => {
            let texts: Vec<String> = members
                .iter()
                .filter_map(|member| entry.text(&member.name))
                .map(|text| plain(&text))
                .collect();
            keys.iter().all(|key| texts.contains(&plain(key)))
        }
        // An entry of a leaf-list is its own key.
        (_, Value::Leaf(Scalar::Text(text) | Scalar::Number(text))) => {
            keys.iter().all(|key| plain(key) == plain(text))
        }
        (_, Value::Leaf(_) | Value::List(_)) => false,
    }
}

/// What a parameter of a value is called, and what it says; secrets are covered by whoever keeps them.
pub(super) fn each_leaf(
    path: &mut String,
    module: &str,
    value: &Value<'_>,
    keep: &mut dyn FnMut(&str, Scalar<'_>),
) {
    let mut below = |part: &str, path: &mut String, module: &str, value: &Value<'_>| {
        let end = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(part);
        each_leaf(path, module, value, keep);
        path.truncate(end);
    };
    match value {
        Value::Leaf(leaf) => keep(path, *leaf),
        Value::Object(members) if members.is_empty() => keep(path, Scalar::Empty),
        Value::Object(members) => {
            for member in members {
                // A dot in a name is not a border between two.
                let name = member.name.replace('.', "\\.");
                let shown = if member.module == module {
                    name
                } else {
                    format!("{}:{name}", member.module.replace('.', "\\."))
                };
                below(&shown, path, &member.module, &member.value);
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                below(&(at + 1).to_string(), path, module, item);
            }
        }
    }
}
