//! What headers say: the microversion that is asked for, and what no caller may say here.
//!
//! Leaves out the headers that no plane takes twice (`rest/line.rs`).

use ordain_action::Undecodable;

use super::service::Service;
use crate::form::fields::clip;
use crate::rest::Line;

/// Headers by which a request is somebody else's too, or which services believe that stand behind no check of tokens.
const AUTHORITY: [&str; 22] = [
    "openstack-auth-receipt",
    "openstack-system-scope",
    "x-auth-key",
    "x-auth-user",
    "x-domain-id",
    "x-domain-name",
    "x-identity-status",
    "x-is-admin-project",
    "x-project-domain-id",
    "x-project-id",
    "x-project-name",
    "x-role",
    "x-roles",
    "x-service-catalog",
    "x-service-roles",
    "x-service-token",
    "x-storage-token",
    "x-tenant",
    "x-tenant-id",
    "x-tenant-name",
    "x-user-id",
    "x-user-name",
];

/// Headers that are parameters.
const PARAMETERS: [&str; 10] = [
    "if-match",
    "openstack-api-version",
    "x-image-cache-clear-target",
    "x-image-meta-all-stores",
    "x-image-meta-store",
    "x-openstack-append",
    "x-openstack-image-size",
    "x-openstack-ironic-api-version",
    "x-openstack-nova-api-version",
    "x-openstack-volume-api-version",
];

/// Refuses what would make a request another than it looks.
///
/// # Errors
/// A header that speaks for somebody else.
pub(super) fn check(line: &Line<'_>) -> Result<(), Undecodable> {
    match AUTHORITY.iter().find(|name| line.head.headers.contains_key(**name)) {
        Some(name) => Err(Undecodable::new(
            "unread_header",
            format!("`{name}` would make the request somebody else's too; take it out"),
        )),
        None => Ok(()),
    }
}

/// Whether a header is there, which may be once.
///
/// # Errors
/// It is there twice, or cannot be read.
pub(super) fn named(line: &Line<'_>, name: &str) -> Result<bool, Undecodable> {
    match (line.head.headers.contains_key(name), line.head.header(name)) {
        (false, _) => Ok(false),
        (true, Some(_)) => Ok(true),
        (true, None) => Err(twice(name)),
    }
}

fn twice(name: &str) -> Undecodable {
    Undecodable::new(
        "header_twice",
        format!("`{name}` is given twice or cannot be read; send it once, in plain text"),
    )
}

/// Why a request is not read that names a token where there is nothing to do with it (`named`), or none where there is.
pub(super) fn subject(named: bool) -> Undecodable {
    let text = if named {
        "`x-subject-token` would make the request another than it looks; take it out"
    } else {
        "the request is about a token, which it does not name; send that as `X-Subject-Token`"
    };
    Undecodable::new("unread_header", text)
}

/// The headers that are parameters, with their values.
///
/// # Errors
/// One is given twice, cannot be read, or asks for another version than the next.
pub(super) fn parameters<'a>(
    line: &Line<'a>,
    service: Service,
) -> Result<Vec<(&'static str, &'a str)>, Undecodable> {
    let mut found = Vec::new();
    for name in PARAMETERS {
        if !line.head.headers.contains_key(name) {
            continue;
        }
        let value = line.head.header(name).ok_or_else(|| twice(name))?;
        found.push((name, value));
    }
    let mut versions: Vec<&str> = Vec::new();
    for (name, value) in &found {
        match *name {
            "openstack-api-version" => {
                for one in value.split(',') {
                    let mut words = one.split_whitespace();
                    let (Some(kind), Some(version), None) = (words.next(), words.next(), words.next()) else {
                        return Err(bad(value, "is no service type with a version"));
                    };
                    if kinds(service).iter().any(|own| kind.eq_ignore_ascii_case(own)) {
                        versions.push(version);
                    }
                }
            }
            own if legacy(service) == Some(own) => versions.push(value.trim()),
            _ => {}
        }
    }
    if versions.windows(2).any(|pair| pair.first() != pair.last()) {
        return Err(bad(&versions.join("` and `"), "are two versions at once"));
    }
    Ok(found)
}

/// What a service calls itself where it is asked for a microversion.
const fn kinds(service: Service) -> &'static [&'static str] {
    match service {
        Service::Identity => &["identity"],
        Service::Compute => &["compute"],
        Service::Network => &["network"],
        Service::BlockStorage => &["volume", "block-storage"],
        Service::Image => &["image"],
        Service::Baremetal => &["baremetal"],
    }
}

/// The header of its own that a service had before there was one for all.
const fn legacy(service: Service) -> Option<&'static str> {
    match service {
        Service::Compute => Some("x-openstack-nova-api-version"),
        Service::Baremetal => Some("x-openstack-ironic-api-version"),
        Service::BlockStorage => Some("x-openstack-volume-api-version"),
        Service::Identity | Service::Network | Service::Image => None,
    }
}

fn bad(value: &str, what: &str) -> Undecodable {
    Undecodable::new("bad_microversion", format!("`{}` {what}; ask for one version", clip(value)))
}
