//! The values of one resource as flat leaves, which are its parameters.
//!
//! Leaves out what they open or grant.

use ordain_action::{Scalar, Undecodable};

use super::node::{Node, unread};
use super::value::{Made, Value};
use crate::aws::Room;
use crate::form::Fields;
use crate::tokens::looks_secret;

/// What begins a reference to a secret or a parameter that is read when the resource is made.
const REFERENCE: &str = "{{resolve:";

/// One scalar.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) path: String,
    pub(super) scalar: Flat,
    /// Something in the stack may tell any letters of it.
    pub(super) open: bool,
}

/// The scalar itself.
#[derive(Debug, Clone)]
pub(super) enum Flat {
    Text(String),
    Secret(String),
    Number(String),
    Bool(bool),
    Null,
    Empty,
}

impl Leaf {
    /// Its letters, where it is no secret.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.scalar {
            Flat::Text(text) | Flat::Number(text) => Some(text),
            Flat::Bool(true) => Some("true"),
            Flat::Bool(false) => Some("false"),
            Flat::Secret(_) | Flat::Null | Flat::Empty => None,
        }
    }
}

/// All leaves of a resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Leaves {
    pub(super) all: Vec<Leaf>,
    /// Paths of values that the request does not tell.
    pub(super) unknown: Vec<String>,
    /// References to secrets and parameters, as they are written.
    pub(super) references: Vec<String>,
    /// Bytes so far, of paths above all: a long name stands in that of everything below it.
    size: usize,
}

/// The most bytes that the leaves of one resource come to; what comes after is not added.
const SIZE_MAX: usize = 8 << 20;

impl Leaves {
    /// Adds a value at a path.
    pub(super) fn add(&mut self, path: &str, value: &Value) {
        if self.is_too_much() {
            return;
        }
        self.size += path.len();
        match value {
            Value::Absent => {}
            Value::Null => self.put(path, Flat::Null, false),
            Value::Bool(truth) => self.put(path, Flat::Bool(*truth), false),
            Value::Number(text) => self.put(path, Flat::Number(text.clone()), false),
            Value::Text(text) => {
                if text.text.contains(REFERENCE) {
                    self.references.push(text.text.clone());
                    self.unknown.push(path.to_owned());
                }
                let flat = if text.secret || is_secret(path) { Flat::Secret } else { Flat::Text };
                self.put(path, flat(text.text.clone()), text.made == Made::Any);
            }
            Value::List(items) if items.is_empty() => self.put(path, Flat::Empty, false),
            Value::List(items) => {
                for (at, item) in (1_usize..).zip(items) {
                    self.add(&format!("{path}.{at}"), item);
                }
            }
            Value::Map(members) if members.is_empty() => self.put(path, Flat::Empty, false),
            Value::Map(_) if value.member("Statement").is_some() => self.document(path, value),
            Value::Map(members) => {
                for (name, member) in members {
                    self.add(&format!("{path}.{}", escaped(name)), member);
                }
            }
            Value::Either(one, other) => {
                self.unknown.push(path.to_owned());
                self.add(&format!("{path}.1"), one);
                self.add(&format!("{path}.2"), other);
            }
            Value::Unknown(node) => {
                self.unknown.push(path.to_owned());
                self.written(path, node, is_secret(path));
            }
        }
    }

    /// A policy, as the text that services take it as and rules read it in.
    fn document(&mut self, path: &str, value: &Value) {
        let text = value.json().to_string();
        if text.contains(REFERENCE) {
            self.references.push(text.clone());
        }
        if !value.is_sure() || text.contains(REFERENCE) {
            self.unknown.push(path.to_owned());
        }
        self.put(path, Flat::Text(text), false);
    }

    /// What stands in the place of a value that is not known.
    fn written(&mut self, path: &str, node: &Node, secret: bool) {
        if self.is_too_much() {
            return;
        }
        self.size += path.len();
        match node {
            Node::Null => self.put(path, Flat::Null, false),
            Node::Bool(truth) => self.put(path, Flat::Bool(*truth), false),
            Node::Number(text) => self.put(path, Flat::Number(text.clone()), false),
            Node::Text(text) => {
                let flat = if secret || is_secret(path) { Flat::Secret } else { Flat::Text };
                self.put(path, flat(text.clone()), true);
            }
            Node::List(items) if items.is_empty() => self.put(path, Flat::Empty, false),
            Node::List(items) => {
                for (at, item) in (1_usize..).zip(items) {
                    self.written(&format!("{path}.{at}"), item, secret);
                }
            }
            Node::Map(members) if members.is_empty() => self.put(path, Flat::Empty, false),
            Node::Map(members) => {
                for (name, member) in members {
                    self.written(&format!("{path}.{}", escaped(name)), member, secret);
                }
            }
        }
    }

    fn put(&mut self, path: &str, scalar: Flat, open: bool) {
        self.all.push(Leaf { path: path.to_owned(), scalar, open });
    }

    /// There was more than is kept.
    pub(super) const fn is_too_much(&self) -> bool {
        self.size > SIZE_MAX
    }

    /// As parameters, secrets as tokens.
    ///
    /// # Errors
    /// There are more than an effect may have.
    pub(super) fn fields(&self, room: &Room, more: &[(&str, &str)]) -> Result<Fields, Undecodable> {
        let mut fields = Fields::new();
        for (path, text) in more {
            fields.put_at(path, Scalar::Text(text));
        }
        for leaf in &self.all {
            match &leaf.scalar {
                Flat::Text(text) => fields.put_at(&leaf.path, Scalar::Text(text)),
                // An empty text hides nothing.
                Flat::Secret(text) if text.is_empty() => fields.put_at(&leaf.path, Scalar::Text(text)),
                Flat::Secret(text) => fields.put_at(&leaf.path, Scalar::Token(&room.tokens.token(text))),
                Flat::Number(text) => fields.put_at(&leaf.path, Scalar::Number(text)),
                Flat::Bool(truth) => fields.put_at(&leaf.path, Scalar::Bool(*truth)),
                Flat::Null => fields.put_at(&leaf.path, Scalar::Null),
                Flat::Empty => fields.put_at(&leaf.path, Scalar::Empty),
            }
        }
        if fields.overflowed() {
            return Err(unread("one resource has more properties than are read at once; send fewer"));
        }
        Ok(fields)
    }
}

/// Whether what stands there is a secret: by its name, or because the service's own operation has it as one.
fn is_secret(path: &str) -> bool {
    let of_program = path.contains(".Environment.Variables.") || path.ends_with(".UserData");
    of_program || looks_secret(path)
}

/// A name as one segment of a path.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('.', "\\.")
}
