//! What a request touches, by name: its path without `api` and `v1`.
//!
//! A user who is named by its login may be any: what is done to it is done to one of all users. Leaves out what that is.

use std::sync::Arc;

use ordain_action::{Identifier, Resource, Role, Scalar};
use ordain_catalog::RestPart;

use super::Asked;
use crate::form::Fields;
use crate::rest::{Named, Names, Place, place};

/// What a request touches, and the type of what it makes.
pub(super) struct Touched {
    pub(super) all: Vec<Resource>,
    pub(super) creates: Option<String>,
}

/// What an operation touches.
pub(super) fn resources(names: Names<'_>, asked: &Asked, body: &Fields) -> Touched {
    let operation = asked.operation;
    let mut touched = Touched { all: Vec::new(), creates: None };
    let (named, by_login) = named(asked);
    if by_login && !asked.reads() {
        touched.all.push(named.all(names, Role::Target));
    } else {
        match place(operation, &named) {
            Place::New => {
                let called = ["name", "label", "login", "displayName"];
                let called = called.iter().find_map(|name| {
                    let value = body.get(name).or_else(|| body.get(&format!("profile.{name}")))?;
                    match value {
                        Scalar::Text(text) if !text.is_empty() => Some((*name, text)),
                        Scalar::Text(_)
                        | Scalar::Number(_)
                        | Scalar::Bool(_)
                        | Scalar::Null
                        | Scalar::Empty
                        | Scalar::Token(_) => None,
                    }
                });
                touched.all.push(names.unnamed(named.kind(), called));
                touched.all.push(named.container(&[]).one(names, Role::Parent));
                touched.creates = Some(named.kind().to_owned());
            }
            Place::List => touched.all.push(named.all(names, Role::Target)),
            Place::Around => touched.all.push(named.container(&[]).one(names, Role::Target)),
            Place::Itself => touched.all.push(named.one(names, Role::Target)),
        }
    }
    if let Some(first) = touched.all.first_mut().filter(|first| !first.name.is_empty()) {
        first.identifiers = asked
            .values
            .iter()
            .map(|(name, value)| Identifier { name: Arc::from(*name), value: value.clone() })
            .collect();
    }
    beside(names, asked, body, &mut touched.all);
    touched
}

/// The path as a name, up to a user who is named by its login.
fn named(asked: &Asked) -> (Named, bool) {
    let mut named = Named::default();
    let mut values = asked.values.iter();
    let mut before = "";
    for part in &asked.operation.parts {
        match part {
            RestPart::Literal("api" | "v1") => {}
            RestPart::Literal(text) => {
                named.push(*text, true);
                before = text;
            }
            RestPart::Number(_) | RestPart::Text(_) | RestPart::Slashes(_) | RestPart::Several(_) => {
                let value = values.next().map_or("", |(_, value)| value.as_str());
                if before == "users" && !is_user_id(value) && !asked.reads() {
                    return (named, true);
                }
                named.push(value, false);
            }
        }
    }
    (named, false)
}

/// Ids of users begin with `00u` and are twenty letters and digits long, which no login is.
fn is_user_id(value: &str) -> bool {
    value.len() == 20 && value.starts_with("00u") && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What else is touched: who gets in, and what they get into.
fn beside(names: Names<'_>, asked: &Asked, body: &Fields, all: &mut Vec<Resource>) {
    if asked.reads() {
        return;
    }
    let value =
        |name: &str| asked.values.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    let path = asked.operation.path;
    let user = value("userId").filter(|id| is_user_id(id));
    match (path, user, value("groupId")) {
        ("/api/v1/groups/{groupId}/users/{userId}", Some(user), _) => {
            all.push(names.one(Role::Target, "users", &["users", user]));
        }
        ("/api/v1/apps/{appId}/groups/{groupId}", _, Some(group)) => {
            all.push(names.one(Role::Uses, "groups", &["groups", group]));
        }
        ("/api/v1/apps/{appId}/users/{userId}", Some(user), _) => {
            all.push(names.one(Role::Uses, "users", &["users", user]));
        }
        ("/api/v1/apps/{appId}/users", ..) => {
            if let Some(Scalar::Text(user)) = body.get("id") {
                all.push(names.one(Role::Uses, "users", &["users", user]));
            }
        }
        _ => {}
    }
}
