//! What a method and a path ask for (RFC 7644 section 3.2).
//!
//! Leaves out bodies. Endpoints are compared as they are written, as servers do; one that is known and written in other
//! letters is refused, since some servers take it for the same.

use ordain_action::Undecodable;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(super) verb: Verb,
    pub(super) place: Place,
}

/// What is done, in the words of RFC 7644.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Retrieve,
    Query,
    Search,
    Create,
    Replace,
    Modify,
    Delete,
    Bulk,
}

/// What it is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The directory.
    All,
    /// Whoever the credential is.
    Me,
    /// All resources of a type, by its endpoint.
    Type(String),
    /// One of them.
    One(String, String),
}

impl Verb {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Retrieve => "retrieve",
            Self::Query => "query",
            Self::Search => "search",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Modify => "modify",
            Self::Delete => "delete",
            Self::Bulk => "bulk",
        }
    }
}

impl Place {
    /// The endpoint, by which read scopes tell resources apart.
    pub(super) fn service(&self) -> &str {
        match self {
            Self::All => "directory",
            Self::Me => "Me",
            Self::Type(kind) | Self::One(kind, _) => kind,
        }
    }
}

/// Reads a method and the segments of a path; `None` where SCIM has none such.
pub(super) fn read(method: &str, path: &[&str]) -> Option<Result<Asked, Undecodable>> {
    // Section 3.13: a version may stand before the rest. Many servers have a word of their own before that.
    let path = path.strip_prefix(&["scim"]).unwrap_or(path);
    let path = path.strip_prefix(&["v2"]).unwrap_or(path);
    if let Some(known) = path.first().and_then(|first| in_other_letters(first)) {
        return Some(Err(Undecodable::new(
            "other_letters",
            format!("servers may take the path for one of `{known}`; write it so"),
        )));
    }
    let asked = |verb, place| Some(Ok(Asked { verb, place }));
    let is_get = matches!(method, "GET" | "HEAD");
    match path {
        [] if is_get => asked(Verb::Query, Place::All),
        [".search"] if method == "POST" => asked(Verb::Search, Place::All),
        ["Bulk"] if method == "POST" => asked(Verb::Bulk, Place::All),
        ["Me"] if is_get => asked(Verb::Retrieve, Place::Me),
        ["Me", ..] | [] => me_or_none(path),
        [kind, ..] if !is_endpoint(kind) => None,
        [kind] if is_get => asked(Verb::Query, Place::Type((*kind).to_owned())),
        [kind, id] if is_get => asked(Verb::Retrieve, Place::One((*kind).to_owned(), (*id).to_owned())),
        [kind, ".search"] if method == "POST" => asked(Verb::Search, Place::Type((*kind).to_owned())),
        [kind] if method == "POST" => asked(Verb::Create, Place::Type((*kind).to_owned())),
        // What a server says of itself nobody changes (section 4): it says so itself to whoever may try.
        [kind] => asked(change(method)?, Place::Type((*kind).to_owned())),
        [kind, id] if !id.starts_with('.') => {
            asked(change(method)?, Place::One((*kind).to_owned(), (*id).to_owned()))
        }
        _ => None,
    }
}

/// What stands in paths, and has the same name everywhere.
const KNOWN: [&str; 10] = [
    ".search",
    "Bulk",
    "Groups",
    "Me",
    "ResourceTypes",
    "Schemas",
    "ServiceProviderConfig",
    "Users",
    "scim",
    "v2",
];

/// The known part of a path that differs from one in case alone.
fn in_other_letters(part: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(part) && *known != part)
}

/// What a method does to what its path names.
fn change(method: &str) -> Option<Verb> {
    Some(match method {
        "PUT" => Verb::Replace,
        "PATCH" => Verb::Modify,
        "DELETE" => Verb::Delete,
        _ => return None,
    })
}

fn me_or_none(path: &[&str]) -> Option<Result<Asked, Undecodable>> {
    (!path.is_empty()).then(|| {
        Err(Undecodable::new(
            "own_account",
            "`/Me` is whoever the gate's own credential is; name the user by its id",
        ))
    })
}

/// An endpoint is a name, as `ResourceTypes` has it (RFC 7643 section 6).
fn is_endpoint(kind: &str) -> bool {
    !["Bulk", ".search"].contains(&kind)
        && !kind.is_empty()
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
