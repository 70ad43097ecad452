//! A place within a resource: its value, what of it is unknown or sensitive, and how the configuration writes it.
//!
//! Leaves out what comes of it in a document (`fill.rs`).

use std::rc::Rc;

use serde_json::{Value, json};

use super::plan::NOTHING;

static TRUE: Value = Value::Bool(true);

/// A place within a resource.
#[derive(Debug, Clone)]
pub(super) struct Block<'p> {
    value: &'p Value,
    unknown: &'p Value,
    sensitive: &'p Value,
    /// The expressions or blocks of the configuration that may be what is written here.
    written: Vec<&'p Value>,
    /// Something is here that the configuration writes in a way that the plan does not show.
    hidden: bool,
    /// The attributes on the way here, for people.
    pub(super) path: String,
    /// The name, of a member of a map.
    pub(super) key: Option<String>,
    /// What has been made of it already.
    pub(super) made: Option<Value>,
    /// What it is an element of.
    pub(super) around: Option<Rc<Self>>,
}

impl<'p> Block<'p> {
    /// A resource as a whole.
    pub(super) fn resource(
        value: &'p Value,
        unknown: &'p Value,
        sensitive: &'p Value,
        written: &'p Value,
    ) -> Self {
        let written = if written.is_null() { Vec::new() } else { vec![written] };
        Self {
            value,
            unknown,
            sensitive,
            written,
            hidden: false,
            path: String::new(),
            key: None,
            made: None,
            around: None,
        }
    }

    /// Something that is no place in a resource.
    pub(super) fn made(key: Option<String>, value: Value) -> Self {
        let nothing = Self::resource(&NOTHING, &NOTHING, &NOTHING, &NOTHING);
        Self { key, made: Some(value), ..nothing }
    }

    /// The same, as an element of something.
    pub(super) fn within(self, around: &Rc<Self>) -> Self {
        Self { around: Some(Rc::clone(around)), ..self }
    }

    /// The place that a path leads to. Of a list it leads on from the first.
    pub(super) fn at(&self, path: &[String]) -> Self {
        match path.split_first() {
            None => self.clone(),
            Some((name, [])) if name == "key" && self.key.is_some() => {
                Self::made(None, Value::from(self.key.clone().unwrap_or_default()))
            }
            // Of what is not known, neither are the names.
            Some((name, [])) if name == "key" && self.made.is_some() => {
                Self::made(None, json!({"$glob": "*"}))
            }
            Some((name, [])) if name == "value" && self.is_plain_element() => self.clone(),
            Some((name, rest)) => self.first().member(name).at(rest),
        }
    }

    /// Whether it is an element or member of which nothing but its value can be asked.
    fn is_plain_element(&self) -> bool {
        self.around.is_some() && (self.key.is_some() || self.made.is_some() || !self.value.is_object())
    }

    fn first(&self) -> Self {
        match self.value {
            Value::Array(_) => {
                self.elements().into_iter().next().unwrap_or_else(|| Self { value: &NOTHING, ..self.clone() })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                self.clone()
            }
        }
    }

    fn member(&self, name: &str) -> Self {
        let below =
            |whole: &'p Value| if whole == &TRUE { &TRUE } else { whole.get(name).unwrap_or(&NOTHING) };
        let mut written = Vec::new();
        for node in &self.written {
            if is_expression(node) {
                written.push(*node);
            } else if let Some(blocks) = node.as_array() {
                written.extend(blocks.iter().filter_map(|block| block.get(name)));
            } else {
                written.extend(node.get(name));
            }
        }
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self {
            value: self.value.get(name).unwrap_or(&NOTHING),
            unknown: below(self.unknown),
            sensitive: below(self.sensitive),
            written,
            hidden: self.hidden,
            path,
            key: None,
            made: None,
            around: None,
        }
    }

    /// The elements of a list, or the members of a map.
    pub(super) fn elements(&self) -> Vec<Self> {
        match (&self.made, self.value) {
            (Some(Value::Array(items)), _) => items
                .iter()
                .map(|item| Self { path: self.path.clone(), ..Self::made(None, item.clone()) })
                .collect(),
            (Some(Value::Object(map)), _) if !map.keys().any(|key| key.starts_with('$')) => {
                map.iter().map(|(key, value)| Self::made(Some(key.clone()), value.clone())).collect()
            }
            (Some(one), _) => vec![Self::made(None, one.clone())],
            (None, Value::Array(items)) => (0..items.len()).map(|at| self.element(at)).collect(),
            (None, Value::Object(map)) => {
                // A member that is not known is in what is unknown alone.
                let mut names: Vec<&String> = map.keys().collect();
                names.extend(self.unknown.as_object().into_iter().flat_map(|map| map.keys()));
                names.sort();
                names.dedup();
                let member = |name: &String| Self {
                    key: Some(name.clone()),
                    path: self.path.clone(),
                    ..self.member(name)
                };
                names.into_iter().map(member).collect()
            }
            (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Vec::new(),
        }
    }

    fn element(&self, at: usize) -> Self {
        let value = self.value.get(at).unwrap_or(&NOTHING);
        let below = |whole: &'p Value| if whole == &TRUE { &TRUE } else { whole.get(at).unwrap_or(&NOTHING) };
        let mut written = Vec::new();
        for node in &self.written {
            if let Some(blocks) = node.as_array() {
                let fit: Vec<&Value> = blocks.iter().filter(|block| may_be(block, value)).collect();
                // A set is not in the order that it is written in.
                written.extend(if fit.is_empty() { blocks.iter().collect() } else { fit });
            } else {
                written.push(*node);
            }
        }
        // A block that the configuration does not show is one that it makes in a loop.
        let hidden = self.hidden || (written.is_empty() && value.is_object());
        Self {
            value,
            unknown: below(self.unknown),
            sensitive: below(self.sensitive),
            written,
            hidden,
            path: self.path.clone(),
            key: None,
            made: None,
            around: None,
        }
    }

    pub(super) fn value(&self) -> &'p Value {
        self.value
    }

    pub(super) fn written(&self) -> &[&'p Value] {
        &self.written
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Whether all of it is sensitive.
    pub(super) fn is_sensitive(&self) -> bool {
        self.sensitive == &TRUE
    }

    /// Whether some of it is sensitive.
    pub(super) fn has_sensitive(&self) -> bool {
        marks(self.sensitive)
    }

    /// Whether it is known only when it exists.
    pub(super) fn is_unknown(&self) -> bool {
        self.value.is_null() && self.unknown == &TRUE
    }

    /// Whether something in it is known only when it exists.
    pub(super) fn has_unknown(&self) -> bool {
        marks(self.unknown)
    }

    /// Whether the configuration says anything of it.
    pub(super) fn is_written(&self) -> bool {
        self.hidden || !self.written.is_empty()
    }
}

/// Whether something in it is marked.
fn marks(value: &Value) -> bool {
    match value {
        Value::Bool(marked) => *marked,
        Value::Array(items) => items.iter().any(marks),
        Value::Object(map) => map.values().any(marks),
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a node of the configuration is an expression, and no block.
fn is_expression(node: &Value) -> bool {
    let of = |map: &serde_json::Map<String, Value>| {
        !map.is_empty() && map.keys().all(|key| key == "constant_value" || key == "references")
    };
    node.as_object().is_some_and(of)
}

/// Whether a block of the configuration may be what has this value: what it writes as it stands is in it.
fn may_be(block: &Value, value: &Value) -> bool {
    let differs = |(name, written): (&String, &Value)| {
        let (Some(constant), Some(found)) = (written.get("constant_value"), value.get(name)) else {
            return false;
        };
        let plain = |value: &Value| !value.is_null() && !value.is_array() && !value.is_object();
        plain(constant) && plain(found) && constant != found
    };
    block.as_object().is_some_and(|block| !block.iter().any(differs))
}
