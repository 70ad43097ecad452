//! What is mounted where, and so what a path belongs to.
//!
//! Leaves out what paths do.

use std::collections::BTreeMap;

use ordain_action::Undecodable;

use super::engine;
use crate::form::fields::clip;
use crate::setup::{RoomsConfig, RoomsError};

/// Mounts that every cluster has, and that nothing else can be mounted over.
const ALWAYS: [&str; 4] = ["auth", "cubbyhole", "identity", "sys"];

/// What is mounted, by upstream.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    by_upstream: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a path of a cluster begins to be a mount's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// What is mounted.
    pub kind: &'a str,
    /// The mount's path, in its namespace.
    pub mount: Vec<&'a str>,
    /// What follows.
    pub path: Vec<&'a str>,
}

impl Mounts {
    pub(super) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        let mut all = Self::default();
        for mount in &config.vault {
            let bad = |why: &str| RoomsError::Api { upstream: mount.upstream.clone(), why: why.to_owned() };
            let path = mount.path.trim_matches('/');
            if path.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
                return Err(bad(&format!(
                    "`{}` is no path of a mount; give one such as `team/kv`",
                    mount.path
                )));
            }
            // What a way of signing in is, its paths say as well.
            if !engine::is_known(&mount.kind) && !path.split('/').any(|part| part == "auth") {
                return Err(bad(&format!(
                    "`{}` is no type that is read here, for the mount `{path}`; take the mount out, or give `kv-v1` or `kv-v2` \
                     for `kv`",
                    mount.kind
                )));
            }
            let of = all.by_upstream.entry(mount.upstream.clone()).or_default();
            of.insert(path.to_owned(), mount.kind.clone());
        }
        Ok(all)
    }

    /// What a path belongs to.
    ///
    /// # Errors
    /// It may begin with a namespace, which is said in a header.
    pub(super) fn find<'a>(
        &'a self,
        upstream: &str,
        namespace: &[String],
        path: &'a [String],
    ) -> Result<Place<'a>, Undecodable> {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let place = |kind, length: usize| {
            let (mount, rest) = parts.split_at_checked(length).unwrap_or((&parts, &[]));
            Place { kind, mount: mount.to_vec(), path: rest.to_vec() }
        };
        let declared = self.by_upstream.get(upstream);
        if parts.first() == Some(&"auth")
            && let Some((_, length)) = declared.and_then(|all| longest(all, namespace, &parts))
        {
            return Ok(place("auth", length));
        }
        match parts.as_slice() {
            ["auth", "token", _, ..] => return Ok(place("token", 2)),
            ["auth", _, _, ..] => return Ok(place("auth", 2)),
            [first, ..] if ALWAYS.contains(first) => {
                let kind = ALWAYS.iter().find(|kind| *kind == first).copied().unwrap_or("sys");
                return Ok(place(kind, 1));
            }
            _ => {}
        }
        if let Some((kind, length)) = declared.and_then(|all| longest(all, namespace, &parts)) {
            return Ok(place(kind, length));
        }
        // What a cluster has that nobody has set up.
        if declared.is_none() && namespace.is_empty() && parts.first() == Some(&"secret") {
            return Ok(place("kv-v2", 1));
        }
        let known = |part: &&str| ALWAYS.contains(part) || (declared.is_none() && *part == "secret");
        if parts.iter().skip(1).any(known) {
            return Err(Undecodable::new(
                "unread_namespace",
                format!(
                    "`{}` may be a namespace or a mount; name a namespace in `x-vault-namespace`, and tell the operator what is \
                     mounted",
                    clip(parts.first().copied().unwrap_or_default())
                ),
            ));
        }
        Ok(place("", 1))
    }
}

/// The longest mount that a path begins with, and how many of its parts it is.
fn longest<'a>(
    all: &'a BTreeMap<String, String>,
    namespace: &[String],
    parts: &[&str],
) -> Option<(&'a str, usize)> {
    (1..=parts.len()).rev().find_map(|length| {
        let own = parts.get(..length)?;
        let whole: Vec<&str> = namespace.iter().map(String::as_str).chain(own.iter().copied()).collect();
        all.get(&whole.join("/")).map(|kind| (kind.as_str(), length))
    })
}
