//! What a policy document of the provider would let anybody do.
//!
//! Leaves out what it lets named principals do. A document that two readers could read in two ways
//! (a key twice) is said to be unreadable.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Facts;
use crate::glob::Glob;

/// Conditions that narrow who is meant, when their value does.
const NARROWING: [&str; 12] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceorgid",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:userid",
    "kms:calleraccount",
];

/// JSON with every member kept, so that one given twice is seen.
#[derive(Debug, PartialEq)]
enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Text(String),
    Other,
}

pub(super) fn read(text: &str, trust: bool, facts: &mut Facts) {
    let Ok(document) = serde_json::from_str::<Json>(text) else {
        facts.grants.insert("unreadable_policy");
        return;
    };
    if document.says_twice() {
        facts.grants.insert("unreadable_policy");
    }
    for statement in document.get("Statement").map(Json::items).unwrap_or_default() {
        let allows = statement.get("Effect").is_some_and(|effect| *effect == Json::Text("Allow".to_owned()));
        if !allows {
            continue;
        }
        let public = anybody(statement) && !statement.get("Condition").is_some_and(narrows);
        if public && trust {
            facts.grants.insert("any_principal");
        } else if public {
            facts.exposes.insert("public_policy");
        }
        let of_identity = statement.get("Principal").is_none() && statement.get("NotPrincipal").is_none();
        if of_identity && !trust && administers(statement) {
            facts.grants.insert("admin_policy");
        }
    }
}

fn anybody(statement: &Json) -> bool {
    if statement.get("NotPrincipal").is_some() {
        return true;
    }
    match statement.get("Principal") {
        Some(Json::Object(members)) => {
            members.iter().any(|(_, value)| value.items().iter().any(|item| item.is("*")))
        }
        Some(other) => other.items().iter().any(|item| item.is("*")),
        None => false,
    }
}

/// Some condition names who is meant: one value that is not a lone wildcard, of a key that narrows.
fn narrows(condition: &Json) -> bool {
    let Json::Object(operators) = condition else { return false };
    operators.iter().filter(|(operator, _)| !operator.contains("IfExists") && !operator.contains("Not")).any(
        |(_, keys)| {
            let Json::Object(keys) = keys else { return false };
            keys.iter().any(|(key, values)| {
                let values = values.items();
                let known = NARROWING.contains(&key.to_lowercase().as_str());
                known && !values.is_empty() && values.iter().all(|value| !wide(value))
            })
        },
    )
}

fn wide(value: &Json) -> bool {
    match value {
        Json::Text(text) => {
            text.chars().all(|letter| letter == '*') || text.ends_with("/0") || text == "arn:*"
        }
        Json::Object(_) | Json::Array(_) | Json::Other => true,
    }
}

/// All operations, or all of the identity service, on everything.
fn administers(statement: &Json) -> bool {
    let wide_action = statement.get("NotAction").is_some()
        || statement.get("Action").map(Json::items).unwrap_or_default().iter().any(|action| match action {
            Json::Text(action) => {
                let pattern = Glob::new(&action.to_lowercase());
                pattern.matches("iam:putuserpolicy") && pattern.matches("iam:attachrolepolicy")
            }
            Json::Object(_) | Json::Array(_) | Json::Other => true,
        });
    let wide_resource = statement.get("NotResource").is_some()
        || statement.get("Resource").map(Json::items).unwrap_or_default().iter().any(
            |resource| match resource {
                Json::Text(resource) => Glob::new(resource).matches("arn:aws:iam::000000000000:role/any"),
                Json::Object(_) | Json::Array(_) | Json::Other => true,
            },
        );
    wide_action && wide_resource
}

impl Json {
    fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Self::Array(_) | Self::Text(_) | Self::Other => None,
        }
    }

    /// The items of a list; anything else is a list of itself.
    fn items(&self) -> Vec<&Self> {
        match self {
            Self::Array(items) => items.iter().collect(),
            Self::Object(_) | Self::Text(_) | Self::Other => vec![self],
        }
    }

    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Text(text) if text == word)
    }

    fn says_twice(&self) -> bool {
        match self {
            Self::Object(members) => {
                let twice = |(at, (name, _)): (usize, &(String, Self))| {
                    members.iter().take(at).any(|(other, _)| other.eq_ignore_ascii_case(name))
                };
                members.iter().enumerate().any(twice) || members.iter().any(|(_, value)| value.says_twice())
            }
            Self::Array(items) => items.iter().any(Self::says_twice),
            Self::Text(_) | Self::Other => false,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Json::Array(all))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }
}
