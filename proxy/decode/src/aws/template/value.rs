//! What a value of a template comes to, as far as the request says.
//!
//! Leaves out how it is found (`resolve.rs`) and what it opens (`word.rs`).

use std::collections::BTreeMap;

use super::node::Node;

/// Who chose the letters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Made {
    /// They all stand in the request.
    Here,
    /// Some are the provider's own name for something in the same stack: they stand for one thing, and for no wildcard.
    Sure,
    /// Some are told by something in the same stack, and may be any.
    Any,
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// Some of it is a secret.
    pub(super) secret: bool,
    pub(super) made: Made,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing stands there after all.
    Absent,
    Null,
    Bool(bool),
    Number(String),
    Text(Text),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// Either of two, by a condition that the request does not decide.
    Either(Box<Value>, Box<Value>),
    /// Told by something outside of the request: what is written in its place.
    Unknown(Node),
}

impl Value {
    /// A text of the request's own.
    pub(super) fn plain(text: &str) -> Self {
        Self::Text(Text { text: text.to_owned(), secret: false, made: Made::Here })
    }

    /// What stands for something in the same stack.
    pub(super) fn symbol(name: &str, made: Made) -> Self {
        Self::Text(Text { text: format!("${{{name}}}"), secret: false, made })
    }

    /// A scalar as text.
    pub(super) fn scalar(&self) -> Option<Text> {
        let plain = |text: &str| Some(Text { text: text.to_owned(), secret: false, made: Made::Here });
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(text) => plain(text),
            Self::Bool(truth) => plain(if *truth { "true" } else { "false" }),
            Self::Absent
            | Self::Null
            | Self::List(_)
            | Self::Map(_)
            | Self::Either(..)
            | Self::Unknown(_) => None,
        }
    }

    /// A scalar whose letters all stand in the request, and are no secret.
    pub(super) fn known(&self) -> Option<String> {
        self.scalar().filter(|text| text.made == Made::Here && !text.secret).map(|text| text.text)
    }

    /// The member of a map, in whatever case.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => {
                members.iter().find(|(member, _)| member.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            }
            Self::Absent
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::List(_)
            | Self::Either(..)
            | Self::Unknown(_) => None,
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Absent
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Map(_)
            | Self::Either(..)
            | Self::Unknown(_) => &[],
        }
    }

    /// The value at a path of members.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| value.member(name))
    }

    /// Whether all of it is told by the request and the stack that it makes.
    pub(super) fn is_sure(&self) -> bool {
        match self {
            Self::Absent | Self::Null | Self::Bool(_) | Self::Number(_) => true,
            Self::Text(text) => text.made != Made::Any && !text.secret,
            Self::List(items) => items.iter().all(Self::is_sure),
            Self::Map(members) => members.iter().all(|(_, value)| value.is_sure()),
            Self::Either(..) | Self::Unknown(_) => false,
        }
    }

    /// It as JSON in one order, for documents that rules read as text. Secrets do not show.
    pub(super) fn json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Absent | Self::Null => Json::Null,
            Self::Bool(truth) => Json::Bool(*truth),
            Self::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
            Self::Text(text) if text.secret => Json::String("${secret}".to_owned()),
            Self::Text(text) => Json::String(text.text.clone()),
            Self::List(items) => Json::Array(items.iter().map(Self::json).collect()),
            Self::Map(members) => {
                let named = |name: &str| {
                    if name.eq_ignore_ascii_case("statement") {
                        "Statement".to_owned()
                    } else {
                        name.to_owned()
                    }
                };
                let members: BTreeMap<String, Json> =
                    members.iter().map(|(name, value)| (named(name), value.json())).collect();
                Json::Object(members.into_iter().collect())
            }
            // Read as both, whichever it comes to.
            Self::Either(one, other) => Json::Array(vec![one.json(), other.json()]),
            Self::Unknown(node) => written(node),
        }
    }
}

fn written(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match node {
        Node::Null => Json::Null,
        Node::Bool(truth) => Json::Bool(*truth),
        Node::Number(text) | Node::Text(text) => Json::String(text.clone()),
        Node::List(items) => Json::Array(items.iter().map(written).collect()),
        Node::Map(members) => {
            let members: BTreeMap<String, Json> =
                members.iter().map(|(name, value)| (name.clone(), written(value))).collect();
            Json::Object(members.into_iter().collect())
        }
    }
}
