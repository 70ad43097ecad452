//! What a policy document of the provider would let anybody do.
//!
//! Leaves out what it lets named principals do. A document that two readers could read in two ways
//! (a key twice) is said to be unreadable.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Facts;
use super::authority::Authority;
use super::condition::{Narrowed, narrowed};
use super::network::Span;

/// The most that is read of one document; the provider takes no longer one.
pub(super) const DOCUMENT_MAX: usize = 128 * 1024;

/// JSON with every member kept, so that one given twice is seen.
#[derive(Debug, PartialEq)]
pub(super) enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Text(String),
    Other,
}

pub(super) fn read(text: &str, trust: bool, facts: &mut Facts) {
    let document = if text.len() > DOCUMENT_MAX { None } else { serde_json::from_str::<Json>(text).ok() };
    let Some(document) = document else {
        facts.grants.insert("unreadable_policy");
        return;
    };
    if document.says_twice() {
        facts.grants.insert("unreadable_policy");
    }
    let mut addresses = Span::default();
    let mut authority = Authority::default();
    for statement in document.get("Statement").map(Json::items).unwrap_or_default() {
        let allows = statement.get("Effect").is_some_and(|effect| effect.is("Allow"));
        if !allows {
            continue;
        }
        if anybody(statement) && reaches_anybody(statement, &mut addresses) {
            if trust {
                facts.grants.insert("any_principal");
            } else {
                facts.exposes.insert("public_policy");
            }
        }
        let of_identity = statement.get("Principal").is_none() && statement.get("NotPrincipal").is_none();
        if of_identity && !trust {
            authority.add(statement);
        }
    }
    if authority.administers() {
        facts.grants.insert("admin_policy");
    }
}

/// Whether a text is a document whose key of statements is written in escapes.
pub(super) fn hides_statement(text: &str) -> bool {
    text.len() <= DOCUMENT_MAX
        && memchr::memmem::find(text.as_bytes(), b"\\u").is_some()
        && serde_json::from_str::<Json>(text).is_ok_and(|document| document.get("Statement").is_some())
}

/// No condition narrows a statement for anybody, or only to addresses that with those of the statements
/// before it are the whole internet.
fn reaches_anybody(statement: &Json, addresses: &mut Span) -> bool {
    match statement.get("Condition").map_or(Narrowed::No, narrowed) {
        Narrowed::Named => false,
        Narrowed::Addresses(span) => {
            addresses.join(span);
            addresses.is_world()
        }
        Narrowed::No => true,
    }
}

fn anybody(statement: &Json) -> bool {
    if statement.get("NotPrincipal").is_some() {
        return true;
    }
    match statement.get("Principal") {
        Some(Json::Object(members)) => {
            members.iter().any(|(_, value)| value.items().iter().any(|item| item.is_anybody()))
        }
        Some(other) => other.items().iter().any(|item| item.is_anybody()),
        None => false,
    }
}

impl Json {
    /// The member of a name, in whatever case: the provider may take it so.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
            }
            Self::Array(_) | Self::Text(_) | Self::Other => None,
        }
    }

    /// The items of a list; anything else is a list of itself.
    pub(super) fn items(&self) -> Vec<&Self> {
        match self {
            Self::Array(items) => items.iter().collect(),
            Self::Object(_) | Self::Text(_) | Self::Other => vec![self],
        }
    }

    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Text(text) if text.eq_ignore_ascii_case(word))
    }

    fn is_anybody(&self) -> bool {
        matches!(self, Self::Text(text) if super::is_anybody(text))
    }

    fn says_twice(&self) -> bool {
        match self {
            Self::Object(members) => {
                let mut names = HashSet::with_capacity(members.len());
                members
                    .iter()
                    .any(|(name, value)| !names.insert(name.to_ascii_lowercase()) || value.says_twice())
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
