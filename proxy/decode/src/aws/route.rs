//! Which operations the head of a request may mean.
//!
//! The form is what the catalogue says a service reads, never what the request claims; marks of two forms are
//! refused. Leaves out the body, which tells apart what the head cannot (`claim.rs`).

use ordain_action::Undecodable;
use ordain_catalog::{Protocol, Service};

use super::Room;
use super::bucket;
use super::found::{Found, unknown};
use super::marker::{Authentication, Markers};
use super::rest;
use super::site::Site;
use crate::Head;
use crate::form::fields::clip;

/// What the head says.
#[derive(Debug, Clone)]
pub(super) enum Route<'r> {
    /// These operations, never none; several are ties.
    Known(Vec<Found<'r>>),
    /// One of these services; the action stands in the form body.
    Form(Vec<&'r Service>),
}

/// Services with REST operations that take no signature: where no scope narrows, these are asked.
pub(super) const UNSIGNED: [&str; 12] = [
    "cognito-identity",
    "cognito-idp",
    "connectparticipant",
    "account-access-runtime",
    "iam-toolbox",
    "lex-runtime",
    "signin",
    "sso",
    "sso-oidc",
    "sts",
    "codecatalyst",
    "cloudsearchdomain",
];

/// Finds the operations that a head may mean.
pub(super) fn find<'r>(
    room: &'r Room,
    head: &Head<'_>,
    markers: &Markers<'_>,
    site: &Site,
) -> Result<Route<'r>, Undecodable> {
    let action = markers.query_value("Action")?;
    let is_form = markers.media_type == "application/x-www-form-urlencoded";
    if let Some(protocol) = markers.smithy_protocol {
        if markers.amz_target.is_some() || action.is_some() {
            return Err(two_forms());
        }
        return rpc(room, head, markers, site, protocol);
    }
    if let Some(target) = markers.amz_target {
        if action.is_some() || is_form {
            return Err(two_forms());
        }
        return target_header(room, head, markers, site, target);
    }
    let candidates = candidates(room, markers, site)?;
    let reads_query: Vec<&Service> =
        candidates.iter().copied().filter(|service| query_protocol(service).is_some()).collect();
    if !reads_query.is_empty() && markers.target.path == "/" {
        if let Some(action) = action {
            if !matches!(head.method, "GET" | "POST") {
                return Err(Undecodable::new(
                    "unknown_method",
                    "an action is sent by GET or POST; send it so",
                ));
            }
            let version = markers.query_value("Version")?;
            return by_action(&reads_query, action, version).map(Route::Known);
        }
        if is_form && head.method == "POST" {
            return Ok(Route::Form(reads_query));
        }
    }
    let found = rest::find(&candidates, head, markers, site);
    // A stranger's request on our own host is nobody's: only what takes no signature comes without one.
    if markers.authentication == Authentication::Absent
        && markers.signing_name.is_empty()
        && site.services.is_none()
    {
        return found.map(Route::Known).map_err(|_| unclaimed());
    }
    found.map(Route::Known)
}

fn unclaimed() -> Undecodable {
    Undecodable::new(
        "unclaimed",
        "neither host nor signature nor body says which service is meant; sign the request",
    )
}

/// The operations of some services with that action and version.
pub(super) fn by_action<'r>(
    services: &[&'r Service],
    action: &str,
    version: Option<&str>,
) -> Result<Vec<Found<'r>>, Undecodable> {
    let mut found = Vec::new();
    for service in services {
        let Some(protocol) = query_protocol(service) else { continue };
        if version != Some(&*service.head().version) {
            continue;
        }
        if let Some(operation) = service.operation(action) {
            found.push(Found { service, operation, protocol, labels: Vec::new() });
        }
    }
    if found.is_empty() {
        let version = version.unwrap_or("none");
        return Err(unknown(&format!("{} of version {}", clip(action), clip(version))));
    }
    Ok(found)
}

fn query_protocol(service: &Service) -> Option<Protocol> {
    [Protocol::Query, Protocol::Ec2].into_iter().find(|protocol| service.reads(*protocol))
}

fn rpc<'r>(
    room: &'r Room,
    head: &Head<'_>,
    markers: &Markers<'_>,
    site: &Site,
    protocol: &str,
) -> Result<Route<'r>, Undecodable> {
    let path: Vec<&str> = markers.target.path.split('/').collect();
    let (["", "service", name, "operation", action], "POST", "rpc-v2-cbor", true) =
        (path.as_slice(), head.method, protocol, markers.query.is_empty())
    else {
        return Err(unknown(&clip(markers.target.path)));
    };
    let mut found = Vec::new();
    for service in room.catalog.by_rpc_name(name).filter_map(|known| room.catalog.service(&known.name)) {
        if service.reads(Protocol::Cbor)
            && agrees(room, service, markers, site)
            && let Some(operation) = service.operation(action)
        {
            found.push(Found { service, operation, protocol: Protocol::Cbor, labels: Vec::new() });
        }
    }
    if found.is_empty() { Err(unknown(&clip(action))) } else { Ok(Route::Known(found)) }
}

fn target_header<'r>(
    room: &'r Room,
    head: &Head<'_>,
    markers: &Markers<'_>,
    site: &Site,
    target: &str,
) -> Result<Route<'r>, Undecodable> {
    let (prefix, action) = target.rsplit_once('.').ok_or_else(|| unknown(&clip(target)))?;
    if head.method != "POST" || markers.target.path != "/" || !markers.query.is_empty() {
        return Err(Undecodable::new(
            "unknown_form",
            "a request with `X-Amz-Target` is a POST to `/` without a query; send it so",
        ));
    }
    let mut found = Vec::new();
    for service in room.catalog.by_target_prefix(prefix).filter_map(|known| room.catalog.service(&known.name))
    {
        if service.reads(Protocol::Json)
            && agrees(room, service, markers, site)
            && let Some(operation) = service.operation(action)
        {
            found.push(Found { service, operation, protocol: Protocol::Json, labels: Vec::new() });
        }
    }
    if found.is_empty() { Err(unknown(&clip(target))) } else { Ok(Route::Known(found)) }
}

/// Whether scope and host allow for a service.
fn agrees(room: &Room, service: &Service, markers: &Markers<'_>, site: &Site) -> bool {
    let by_scope = markers.signing_name.is_empty()
        || room.signed_as(&markers.signing_name).any(|name| name == service.name());
    let by_host = site.services.as_ref().is_none_or(|services| services.contains(service.name()));
    by_scope && by_host
}

/// The services that scope and host both allow for.
fn candidates<'r>(
    room: &'r Room,
    markers: &Markers<'_>,
    site: &Site,
) -> Result<Vec<&'r Service>, Undecodable> {
    let by_host = |name: &str| {
        site.services.as_ref().is_none_or(|services| services.iter().any(|known| **known == *name))
    };
    let mut names: Vec<&str> = Vec::new();
    if !markers.signing_name.is_empty() {
        names.extend(room.signed_as(&markers.signing_name).map(|name| &**name).filter(|name| by_host(name)));
    } else if let Some(services) = &site.services {
        names.extend(services.iter().map(|name| &**name));
    } else {
        // Nothing narrows: only what takes no signature can be meant.
        match (markers.query_value("Version")?, markers.media_type.as_str()) {
            (Some(version), _) => names.extend(room.catalog.by_version(version).map(|known| &*known.name)),
            (None, "application/x-www-form-urlencoded") => names.extend(["sts", "sdb"]),
            (None, _) => names.extend(UNSIGNED),
        }
    }
    if names.is_empty() && !markers.signing_name.is_empty() {
        let why = if site.services.is_some() {
            format!(
                "host and signing name `{}` do not belong together; sign for the host's service",
                markers.signing_name
            )
        } else {
            format!(
                "signing name `{}` is not in the catalogue; add it by an overlay",
                clip(&markers.signing_name)
            )
        };
        return Err(Undecodable::new("unknown_service", why));
    }
    let mut services: Vec<&Service> =
        names.into_iter().filter_map(|name| room.catalog.service(name)).collect();
    if services.iter().any(|service| bucket::is_s3(service)) {
        services.retain(|service| bucket::may_be(service, markers, site));
    }
    if markers.authentication == Authentication::Absent && services.is_empty() {
        return Err(unclaimed());
    }
    Ok(services)
}

fn two_forms() -> Undecodable {
    Undecodable::new("two_forms", "the request names its operation in two ways; name it in one")
}
