//! What a request touches, by name: the path below `/admin`, with ids in lower case.
//!
//! Leaves out what is done to it.

use std::sync::Arc;

use ordain_action::{Identifier, Resource, Role, Scalar, Undecodable};
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
///
/// # Errors
/// Its body does not name the roles that it gives.
pub(super) fn resources(names: Names<'_>, asked: &Asked, body: &Fields) -> Result<Touched, Undecodable> {
    let operation = asked.operation;
    let named = named(asked);
    let mut touched = Touched { all: Vec::new(), creates: None };
    let by_id = operation.name.starts_with("roles-by-id/") && operation.method != "GET";
    if by_id || operation.name.starts_with("partialImport/") {
        // A role by its id may be any, of the realm or of a client; what is imported may be in the place of anything.
        touched.all.push(names.all(Role::Target, "realms", &["realms", asked.value("realm")]));
    } else {
        match place(operation, &named) {
            Place::New => new(names, asked, body, &named, &mut touched),
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
    beside(names, asked, body, &mut touched.all)?;
    Ok(touched)
}

/// The path as a name.
fn named(asked: &Asked) -> Named {
    let mut named = Named::default();
    let mut values = asked.values.iter();
    for part in &asked.operation.parts {
        match part {
            RestPart::Literal("admin") => {}
            RestPart::Literal(text) => named.push(*text, true),
            RestPart::Number(_) | RestPart::Text(_) | RestPart::Slashes(_) => {
                named.push(values.next().map_or_else(String::new, |(_, value)| folded(value)), false);
            }
            RestPart::Several(_) => {
                for part in values.next().map_or("", |(_, value)| value).split('/') {
                    named.push(part, false);
                }
            }
        }
    }
    named
}

/// An id is the same to some databases in any case.
fn folded(value: &str) -> String {
    let groups: Vec<usize> = value.split('-').map(str::len).collect();
    let is_id =
        groups == [8, 4, 4, 4, 12] && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_id { value.to_ascii_lowercase() } else { value.to_owned() }
}

/// A new thing in a list: by its name where that is what tells it apart there, else by what it is called.
fn new(names: Names<'_>, asked: &Asked, body: &Fields, named: &Named, touched: &mut Touched) {
    let parent = named.container(&[]).one(names, Role::Parent);
    let text = |name: &str| match body.get(name) {
        Some(Scalar::Text(text)) if !text.is_empty() => Some(text),
        Some(_) | None => None,
    };
    let own = match asked.operation.item {
        Some("name" | "roleName") => text("name"),
        Some("alias") => text("alias"),
        Some("realm") => text("realm"),
        Some(_) | None => None,
    };
    if let Some(own) = own {
        let mut one = named.clone();
        one.push(own, false);
        touched.all = vec![one.one(names, Role::Target), parent];
        return;
    }
    let called = ["username", "clientId", "name", "alias", "displayName"];
    let called = called.iter().find_map(|name| text(name).map(|text| (*name, text)));
    touched.all = vec![names.unnamed(named.kind(), called), parent];
    touched.creates = Some(named.kind().to_owned());
}

/// What else is touched: who joins a group, and the roles that are given or taken.
fn beside(
    names: Names<'_>,
    asked: &Asked,
    body: &Fields,
    all: &mut Vec<Resource>,
) -> Result<(), Undecodable> {
    let operation = asked.operation;
    let realm = asked.value("realm");
    if operation.name.starts_with("users/groups/") && operation.method != "GET" {
        let group = folded(asked.value("groupId"));
        all.push(names.one(Role::Target, "groups", &["realms", realm, "groups", &group]));
    }
    if operation.name.starts_with("groups/members/") && operation.method != "GET" {
        let user = folded(asked.value("userId"));
        all.push(names.one(Role::Target, "users", &["realms", realm, "users", &user]));
    }
    if let ("organizations/members/create", Some(Scalar::Text(id))) = (operation.name, body.get("id")) {
        all.push(names.one(Role::Uses, "users", &["realms", realm, "users", &folded(id)]));
    }
    let maps = operation.name.contains("/role-mappings/") || operation.name.contains("/scope-mappings/");
    if !maps || operation.method == "GET" {
        return Ok(());
    }
    let client = ["clientUniqueId", "client"].iter().map(|name| asked.value(name)).find(|id| !id.is_empty());
    let client = client.map(folded);
    for number in 1.. {
        let name = match body.get(&format!("{number}.name")) {
            Some(Scalar::Text(name)) => name,
            Some(_) => return Err(nameless()),
            None if body.iter().any(|(path, _)| path.starts_with(&format!("{number}."))) => {
                return Err(nameless());
            }
            None => break,
        };
        all.push(match &client {
            Some(client) => {
                names.one(Role::Uses, "roles", &["realms", realm, "clients", client, "roles", name])
            }
            None => names.one(Role::Uses, "roles", &["realms", realm, "roles", name]),
        });
    }
    Ok(())
}

fn nameless() -> Undecodable {
    Undecodable::new(
        "bad_request",
        "a role in the body has no `name`, which the server looks for it by; send each role with its name",
    )
}
