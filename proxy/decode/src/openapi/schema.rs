//! What a document says of the members of a body, as far as it is asked: which there are, and which are secrets.
//!
//! Leaves out whether a body is valid, which is for the API to say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::Document;

/// How deep schemas are made up of others at most.
const DEPTH_MAX: usize = 24;

/// How many schemas a value may have at once; more are not told apart.
const NODES_MAX: usize = 256;

/// All that is said of one value.
#[derive(Debug, Clone)]
pub(super) struct Shape<'d> {
    document: &'d Document,
    nodes: Vec<&'d Value>,
}

impl<'d> Shape<'d> {
    /// What a schema says.
    pub(super) fn of(document: &'d Document, schema: &'d Value) -> Self {
        let mut shape = Self { document, nodes: Vec::new() };
        shape.add(schema, 0);
        shape
    }

    fn add(&mut self, schema: &'d Value, depth: usize) {
        let Ok(node) = self.document.resolve(schema) else { return };
        if depth > DEPTH_MAX
            || self.nodes.len() >= NODES_MAX
            || self.nodes.iter().any(|known| std::ptr::eq(*known, node))
        {
            return;
        }
        self.nodes.push(node);
        for made_of in ["allOf", "anyOf", "oneOf"] {
            for part in node.get(made_of).and_then(Value::as_array).into_iter().flatten() {
                self.add(part, depth + 1);
            }
        }
    }

    /// Nothing is said of it.
    pub(super) fn is_unknown(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What is said of an item.
    pub(super) fn item(&self) -> Self {
        let mut item = Self { document: self.document, nodes: Vec::new() };
        for node in &self.nodes {
            node.get("items").into_iter().for_each(|items| item.add(items, 0));
            for each in node.get("prefixItems").and_then(Value::as_array).into_iter().flatten() {
                item.add(each, 0);
            }
        }
        item
    }

    /// What is said of a member.
    pub(super) fn member(&self, key: &str) -> Self {
        let mut member = Self { document: self.document, nodes: Vec::new() };
        for node in &self.nodes {
            if let Some(own) = node.get("properties").and_then(|all| all.get(key)) {
                member.add(own, 0);
            } else if let Some(others) = node.get("additionalProperties").filter(|any| any.is_object()) {
                member.add(others, 0);
            }
            for each in node.get("patternProperties").and_then(Value::as_object).into_iter().flatten() {
                member.add(each.1, 0);
            }
        }
        member
    }

    /// What is said of a segment of a path: of an item's number, or of a member.
    pub(super) fn step(&self, segment: &str) -> Self {
        let item = self.item();
        let number = segment.bytes().all(|byte| byte.is_ascii_digit());
        if number && !item.is_unknown() { item } else { self.member(segment) }
    }

    fn properties(&self) -> impl Iterator<Item = &'d str> + use<'d, '_> {
        let all = self.nodes.iter().filter_map(|node| node.get("properties").and_then(Value::as_object));
        all.flat_map(|all| all.keys().map(String::as_str))
    }

    /// Its members that are named.
    pub(super) fn members(&self) -> BTreeSet<&'d str> {
        self.properties().collect()
    }

    /// The member that a key would be, were it spelled in another case: servers are known to take it for that.
    pub(super) fn other_case(&self, key: &str) -> Option<&'d str> {
        let mut close = None;
        for name in self.properties() {
            if name == key {
                return None;
            }
            if folded(name).eq(folded(key)) {
                close = Some(name);
            }
        }
        close
    }

    /// The document says that it is not to be shown.
    pub(super) fn is_secret(&self) -> bool {
        let said = |node: &&Value| {
            node.get("format").and_then(Value::as_str) == Some("password")
                || node.get("writeOnly").and_then(Value::as_bool) == Some(true)
        };
        self.nodes.iter().any(said)
    }

    /// It is an object, as far as is said.
    pub(super) fn is_object(&self) -> bool {
        let object = |node: &&Value| {
            node.get("properties").is_some() || node.get("type").and_then(Value::as_str) == Some("object")
        };
        self.nodes.iter().any(object)
    }

    /// It is a list, as far as is said.
    pub(super) fn is_list(&self) -> bool {
        self.nodes.iter().any(|node| {
            node.get("items").is_some() || node.get("type").and_then(Value::as_str) == Some("array")
        })
    }

    /// It is a text, as far as is said.
    pub(super) fn is_text(&self) -> bool {
        self.nodes.iter().any(|node| match node.get("type") {
            Some(Value::Array(types)) => types.iter().any(|kind| kind == "string"),
            Some(kind) => kind == "string",
            None => false,
        })
    }
}

/// A name in the case that servers compare it in, the two letters among them that only some fold.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|character| if character == '\u{17f}' { 's' } else { character })
}
