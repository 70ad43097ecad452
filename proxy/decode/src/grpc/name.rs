//! Names of what an API has: `grpc://API/TYPE/NAME`.
//!
//! Leaves out where a name stands in a message (`api.rs`).

use std::sync::Arc;

use ordain_action::{NameBasis, Resource, Role};
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
pub(super) fn one(api: &str, kind: &str, name: &str) -> Resource {
    Resource {
        role: Role::Target,
        kind: Arc::from(format!("{api}:{kind}")),
        name: format!("grpc://{api}/{kind}/{name}"),
        basis: NameBasis::Carried,
        pattern: false,
        identifiers: Vec::new(),
    }
}

/// All resources of a type.
pub(super) fn all(api: &str, kind: &str) -> Resource {
    Resource { pattern: true, ..one(api, kind, "*") }
}

/// The API as a whole.
pub(super) fn whole(api: &str) -> Resource {
    Resource {
        role: Role::Target,
        kind: Arc::from(format!("{api}:api")),
        name: format!("grpc://{api}"),
        basis: NameBasis::Scope,
        pattern: false,
        identifiers: Vec::new(),
    }
}
