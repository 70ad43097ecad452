//! Which attributes say who may do what, and which hold secrets.
//!
//! Leaves out where they stand in a request (`change.rs`).

use ordain_action::Access;

/// Attributes that hold secrets, and are never returned (RFC 7643 section 4.1.1).
pub(super) const SECRETS: [&str; 1] = ["password"];

/// Attributes by which somebody may do more or other than before: membership, roles, entitlements, certificates that one
/// signs in with, and the password, which lets whoever sets it in.
const GRANTING: [&str; 8] =
    ["members", "groups", "roles", "entitlements", "x509certificates", "password", "permissions", "usertype"];

/// The name of an attribute in a path: without the schema before it, the filter and the sub-attribute behind it
/// (RFC 7644 section 3.10), in lower case.
pub(super) fn name(path: &str) -> String {
    let before_filter = path.split('[').next().unwrap_or(path);
    // A schema is a URN, whose last colon stands before the attribute. Its version has dots.
    let own = match before_filter.rsplit_once(':') {
        Some((schema, own)) if schema.to_ascii_lowercase().starts_with("urn:") => own,
        Some(_) | None => before_filter,
    };
    own.split('.').next().unwrap_or(own).to_lowercase()
}

/// What it is to write an attribute; `off` where it is set to false or taken away.
pub(super) fn access(name: &str, off: bool) -> Access {
    match name {
        // Whoever is not active cannot sign in any more.
        "active" if off => Access::Delete,
        name if GRANTING.contains(&name) => Access::Grant,
        _ => Access::Update,
    }
}

/// Whether a key is the URN of a schema, whose attributes stand below it.
pub(super) fn is_schema(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_known_by_its_name_wherever_it_stands() {
        for (path, expected) in [
            ("members", "members"),
            ("Members[value eq \"2819\"]", "members"),
            ("members[value eq \"a:b.c\"].display", "members"),
            ("name.familyName", "name"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:roles", "roles"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:roles[primary eq true].value", "roles"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "manager"),
        ] {
            assert_eq!(name(path), expected, "{path}");
        }
    }
}
