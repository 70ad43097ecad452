//! References from one document to another, as Backstage writes them: `[kind:][namespace/]name`.
//!
//! Leaves out whether what is referred to exists. References are compared in lower case, as Backstage does.

use std::sync::Arc;

/// A reference in its one spelling: `kind:name`, with the namespace only where it is not the default one.
pub(crate) fn reference(text: &str, default_kind: &str) -> Arc<str> {
    let text = text.trim().to_lowercase();
    let (kind, rest) = match text.split_once(':') {
        Some((kind, rest)) => (kind, rest),
        None => (default_kind, text.as_str()),
    };
    let rest = rest.strip_prefix("default/").unwrap_or(rest);
    Arc::from(format!("{kind}:{rest}"))
}

/// The reference that a document is known by.
pub(crate) fn own(kind: &str, namespace: Option<&str>, name: &str) -> Arc<str> {
    match namespace {
        Some(namespace) => reference(&format!("{kind}:{namespace}/{name}"), kind),
        None => reference(&format!("{kind}:{name}"), kind),
    }
}

/// An owner: a group by its name alone, a user as `user:name`.
pub(crate) fn owner(text: &str) -> Arc<str> {
    let whole = reference(text.trim_start_matches('@'), "group");
    whole.strip_prefix("group:").map_or_else(|| Arc::clone(&whole), Arc::from)
}

#[cfg(test)]
mod tests {
    use super::{own, owner, reference};

    #[test]
    fn one_thing_has_one_spelling() {
        assert_eq!(&*reference("Component:default/Web", "component"), "component:web");
        assert_eq!(&*reference("web", "component"), "component:web");
        assert_eq!(&*reference("resource:eu/db", "component"), "resource:eu/db");
        assert_eq!(&*own("system", None, "Shop"), "system:shop");
        assert_eq!(&*own("system", Some("default"), "Shop"), "system:shop");
    }

    #[test]
    fn an_owner_is_a_group_unless_it_says_otherwise() {
        assert_eq!(&*owner("group:default/Platform"), "platform");
        assert_eq!(&*owner("platform"), "platform");
        assert_eq!(&*owner("user:alice"), "user:alice");
    }
}
