//! What a call of a change may carry: values in the API's own names, and the few forms that leave something open.
//!
//! Leaves out holding a request against them (`matching.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::glob::Glob;

/// How deep values may lie in each other.
const DEPTH_MAX: usize = 32;

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// This, as text: numbers and truth values are compared as they are written.
    Text(Arc<str>),
    /// Nothing, said as such.
    Null,
    /// An empty list or map.
    Empty,
    /// These members and no others.
    Map(BTreeMap<Arc<str>, Self>),
    /// Elements that each equal one of these, as a whole.
    List(Vec<Self>),
    /// What an item of the change is known by.
    Of(Arc<str>),
    /// Text that mentions what each of these items is known by: it is put together when the change is carried out.
    Mentions(Vec<Arc<str>>),
    /// A secret: which it is cannot be compared.
    Secret,
    /// Text that is this JSON, in whatever order and with whatever white space.
    Json(Value),
    /// One of these.
    OneOf(Vec<Self>),
    /// Text by a pattern.
    Pattern(Glob),
    /// This, where it is there at all: of an element of a list all else has to be.
    Optional(Box<Self>),
}

/// Words that stand for a form and not for a member.
const FORMS: [&str; 7] = ["$of", "$any", "$secret", "$json", "$in", "$glob", "$may"];

impl Wanted {
    /// Reads one from a document.
    ///
    /// # Errors
    /// What is wrong, in a sentence that ends with what to do.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        Self::at(value, DEPTH_MAX)
    }

    fn at(value: &Value, depth: usize) -> Result<Self, String> {
        if depth == 0 {
            return Err("values lie too deep in each other; flatten them".to_owned());
        }
        let inner = |value: &Value| Self::at(value, depth - 1);
        match value {
            Value::Null => Ok(Self::Null),
            Value::Bool(value) => Ok(Self::Text(Arc::from(if *value { "true" } else { "false" }))),
            Value::Number(number) => Ok(Self::Text(Arc::from(number.to_string()))),
            Value::String(text) => Ok(Self::Text(Arc::from(text.as_str()))),
            Value::Array(elements) if elements.is_empty() => Ok(Self::Empty),
            Value::Array(elements) => elements.iter().map(inner).collect::<Result<_, _>>().map(Self::List),
            Value::Object(members) if members.is_empty() => Ok(Self::Empty),
            Value::Object(members) => match members.iter().next() {
                Some((form, value)) if form.starts_with('$') && members.len() == 1 => {
                    Self::form(form, value, depth - 1)
                }
                Some(_) | None => Self::members(members, depth - 1),
            },
        }
    }

    fn members(members: &serde_json::Map<String, Value>, depth: usize) -> Result<Self, String> {
        let mut read = BTreeMap::new();
        for (name, value) in members {
            if let Some(form) = FORMS.iter().find(|form| *form == name) {
                return Err(format!("`{form}` stands alone; take the other members away"));
            }
            read.insert(Arc::from(name.as_str()), Self::at(value, depth)?);
        }
        Ok(Self::Map(read))
    }

    fn form(form: &str, value: &Value, depth: usize) -> Result<Self, String> {
        let text = || value.as_str().ok_or_else(|| format!("`{form}` asks for a text; correct it"));
        let list = || value.as_array().ok_or_else(|| format!("`{form}` asks for a list; correct it"));
        match form {
            "$of" => text().map(|item| Self::Of(Arc::from(item))),
            "$any" => {
                let ids = list()?.iter().map(|one| one.as_str().map(Arc::from)).collect::<Option<_>>();
                ids.map(Self::Mentions).ok_or_else(|| "`$any` lists ids of items; correct it".to_owned())
            }
            "$secret" if *value == Value::Bool(true) => Ok(Self::Secret),
            "$secret" => Err("`$secret` is `true` or is not there; correct it".to_owned()),
            "$json" => Ok(Self::Json(value.clone())),
            "$in" => {
                let all = list()?.iter().map(|one| Self::at(one, depth)).collect::<Result<Vec<_>, _>>()?;
                if all.is_empty() {
                    return Err("`$in` lists nothing; name what it may be".to_owned());
                }
                Ok(Self::OneOf(all))
            }
            "$glob" => text().map(|pattern| Self::Pattern(Glob::new(pattern))),
            "$may" => Self::at(value, depth).map(|value| Self::Optional(Box::new(value))),
            other => Err(format!("unknown form `{other}`; {}", crate::model::nearest(other, &FORMS))),
        }
    }

    /// The items it refers to.
    pub(crate) fn items(&self) -> Vec<&Arc<str>> {
        match self {
            Self::Of(item) => vec![item],
            Self::Mentions(items) => items.iter().collect(),
            Self::Map(members) => members.values().flat_map(Self::items).collect(),
            Self::List(all) | Self::OneOf(all) => all.iter().flat_map(Self::items).collect(),
            Self::Optional(value) => value.items(),
            Self::Text(_) | Self::Null | Self::Empty | Self::Secret | Self::Json(_) | Self::Pattern(_) => {
                Vec::new()
            }
        }
    }

    /// A parameter is what an item is known by, and nothing else: a request that is this says so.
    pub(super) fn is_about(&self, id: &str) -> bool {
        let is_it = |value: &Self| *value == Self::Of(Arc::from(id));
        let Self::Map(members) = self else { return false };
        let is_list = |value: &Self| matches!(value, Self::List(all) if all.iter().all(is_it));
        members.values().any(|value| is_it(value) || is_list(value))
    }

    /// What is at a path of members.
    pub(crate) fn get(&self, path: &[Arc<str>]) -> Option<&Self> {
        path.iter().try_fold(self, |at, name| match at {
            Self::Map(members) => members.get(name),
            Self::Text(_)
            | Self::Null
            | Self::Empty
            | Self::List(_)
            | Self::Of(_)
            | Self::Mentions(_)
            | Self::Secret
            | Self::Json(_)
            | Self::OneOf(_)
            | Self::Pattern(_)
            | Self::Optional(_) => None,
        })
    }

    /// A path, or as much of it as leads to a list.
    pub(crate) fn to_list(&self, mut path: Vec<Arc<str>>) -> Vec<Arc<str>> {
        let is_list =
            |length: &usize| matches!(self.get(path.get(..*length).unwrap_or_default()), Some(Self::List(_)));
        if let Some(length) = (1..path.len()).find(is_list) {
            path.truncate(length);
        }
        path
    }

    /// Whether anything at all would do.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Mentions(_) | Self::Secret => true,
            Self::Pattern(glob) => glob.literal_prefix().is_empty(),
            Self::Map(members) => members.values().any(Self::is_open),
            Self::List(all) | Self::OneOf(all) => all.iter().any(Self::is_open),
            Self::Optional(value) => value.is_open(),
            Self::Text(_) | Self::Null | Self::Empty | Self::Of(_) | Self::Json(_) => false,
        }
    }

    /// Where the first value of it is, and what.
    pub(crate) fn first(&self) -> (String, String) {
        let inner = match self {
            Self::Map(members) => members.iter().next().map(|(name, value)| (name.to_string(), value)),
            Self::List(all) => all.first().map(|one| (String::new(), one)),
            Self::Optional(value) => return value.first(),
            Self::Text(_)
            | Self::Null
            | Self::Empty
            | Self::Of(_)
            | Self::Mentions(_)
            | Self::Secret
            | Self::Json(_)
            | Self::OneOf(_)
            | Self::Pattern(_) => None,
        };
        let Some((name, value)) = inner else { return (String::new(), self.told()) };
        let (rest, told) = value.first();
        let path: Vec<String> = [name, rest].into_iter().filter(|part| !part.is_empty()).collect();
        (path.join("."), told)
    }

    /// What it is, for people: short.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Text(text) => format!("`{}`", crate::refusal::shown(text)),
            Self::Null | Self::Empty => "nothing".to_owned(),
            Self::Map(_) => "other members".to_owned(),
            Self::List(all) => match all.as_slice() {
                [one] => one.told(),
                all => format!("one of {} elements", all.len()),
            },
            Self::Of(item) => format!("what `{item}` is known by"),
            Self::Mentions(items) if items.is_empty() => "anything".to_owned(),
            Self::Mentions(items) => format!("a text that mentions `{}`", items.join("`, `")),
            Self::Secret => "a secret".to_owned(),
            Self::Json(_) => "another document".to_owned(),
            Self::OneOf(all) => all.iter().map(Self::told).collect::<Vec<_>>().join(" or "),
            Self::Pattern(glob) => format!("`{}`", glob.as_str()),
            Self::Optional(value) => value.told(),
        }
    }
}
