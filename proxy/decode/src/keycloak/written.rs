//! What a body adds to an operation: who may do more, and who may not sign in any more.
//!
//! Leaves out what the operation does by itself, which the catalogue says.

use ordain_action::{Access, Scalar};

use super::Asked;
use crate::form::Fields;
use crate::form::fields::segments;

/// Members of a user that say nothing of what it may do. All others do: roles and groups, credentials, how it is known,
/// and attributes, from which tokens are made.
const PLAIN: [&str; 8] =
    ["access", "createdTimestamp", "firstName", "id", "lastName", "notBefore", "origin", "totp"];

/// The classes that come to those of the operation.
pub(super) fn access(asked: &Asked, body: &Fields) -> Vec<Access> {
    let mut more = Vec::new();
    if asked.operation.name == "users/update" {
        if body.get("enabled") == Some(Scalar::Bool(false)) {
            more.push(Access::Delete);
        }
        let plain = |path: &str| segments(path).next().is_some_and(|first| PLAIN.contains(&first));
        if body.iter().any(|(path, _)| !plain(path)) {
            more.push(Access::Grant);
        }
    }
    // A provider whose settings name an address is asked at it.
    if asked.operation.name.starts_with("components/")
        || asked.operation.name.starts_with("identity-provider/instances/")
    {
        let names_one = |value: Scalar<'_>| matches!(value, Scalar::Text(text) if text.contains("://"));
        if asked.operation.method != "GET" && body.iter().any(|(_, value)| names_one(value)) {
            more.push(Access::Expose);
        }
    }
    more
}
