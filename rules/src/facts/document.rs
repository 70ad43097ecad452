//! What a policy document of the provider would let anybody do.
//!
//! Leaves out what it lets named principals do. A document that two readers could read in two ways
//! (a key twice) is said to be unreadable.

use super::Facts;
use super::authority::Authority;
use super::condition::{Narrowed, narrowed};
use super::json::Json;
use super::network::Span;

/// The most that is read of one document; the provider takes no longer one.
pub(super) const DOCUMENT_MAX: usize = 128 * 1024;

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
