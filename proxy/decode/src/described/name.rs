//! Names of what an API has: `plane://API/TYPE/NAME`.
//!
//! Leaves out where a name stands in a request (`named.rs`).

use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Plane, Resource, Role};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What would make a value a pattern, or another value.
const VALUE: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?');

/// The same where what stands beside it has to be told from it.
const PART: &AsciiSet = &VALUE.add(b'/');

/// A value in a name, one of `several` or the only one.
pub(super) fn part(value: &str, several: bool) -> String {
    utf8_percent_encode(value, if several { PART } else { VALUE }).to_string()
}

/// What a resource is called by whom its API's operators say it is.
pub(crate) fn one((plane, api): (Plane, &str), kind: &str, name: &str) -> Resource {
    Resource {
        role: Role::Target,
        kind: Arc::from(format!("{api}:{kind}")),
        name: format!("{plane}://{api}/{kind}/{name}"),
        basis: NameBasis::Carried,
        pattern: false,
        identifiers: Vec::new(),
    }
}

/// All resources of a type.
pub(crate) fn all(at: (Plane, &str), kind: &str) -> Resource {
    Resource { pattern: true, ..one(at, kind, "*") }
}

/// The API as a whole.
pub(crate) fn whole((plane, api): (Plane, &str)) -> Resource {
    Resource {
        role: Role::Target,
        kind: Arc::from(format!("{api}:api")),
        name: format!("{plane}://{api}"),
        basis: NameBasis::Scope,
        pattern: false,
        identifiers: Vec::new(),
    }
}

/// What stands at a path of the API; its type is `api` where the path has no word for one.
pub(crate) fn at_path(
    (plane, api): (Plane, &str),
    kind: Option<&str>,
    path: &[String],
    identifier: Option<Identifier>,
) -> Resource {
    let path: String =
        path.iter().map(|segment| format!("/{}", utf8_percent_encode(segment, PART))).collect();
    Resource {
        role: Role::Target,
        kind: Arc::from(format!("{api}:{}", kind.unwrap_or("api"))),
        name: format!("{plane}://{api}{path}"),
        basis: NameBasis::Carried,
        pattern: false,
        identifiers: identifier.into_iter().collect(),
    }
}

/// Something new that a request has no name for: the API will choose one.
pub(crate) fn unnamed(api: &str, kind: &str) -> Resource {
    Resource {
        role: Role::Target,
        kind: Arc::from(format!("{api}:{kind}")),
        name: String::new(),
        basis: NameBasis::Unnamed,
        pattern: false,
        identifiers: Vec::new(),
    }
}
