//! The head of a request as rooms and signatures see it, and the guard's and the rooms' refusals as faults.
//!
//! Leaves out the rules themselves: framing is the listener's, meaning the rooms'.

use std::net::{IpAddr, Ipv6Addr};

use http::header::HOST;
use http::{HeaderMap, Method, Request, Uri, request};
use ordain_action::{Action, DenialKind, Digest, Reading, Undecodable};
use ordain_decode::{Claim, Destination, Head, Rooms, WayIn};
use ordain_evidence::HeadSummary;
use ordain_rules::Snapshot;

use crate::fault::Fault;
use crate::listen;
use crate::place::Arrival;

/// The head of a request in hand.
#[must_use]
pub fn of<'a>(arrival: &'a Arrival, parts: &'a request::Parts) -> Head<'a> {
    look(arrival, &parts.method, &parts.uri, &parts.headers)
}

/// The head of a request whose body has not been taken.
#[must_use]
pub fn view<'a, B>(arrival: &'a Arrival, request: &'a Request<B>) -> Head<'a> {
    look(arrival, request.method(), request.uri(), request.headers())
}

/// Finds the room a request belongs to.
///
/// # Errors
/// The guard refused it, or no room knows it: nothing more is done with it in any mode.
pub fn claim<B>(
    rooms: &'static Rooms,
    arrival: &Arrival,
    request: &Request<B>,
) -> Result<Claim<'static>, Fault> {
    if let Some(refusal) = &arrival.connection.refused {
        return Err(Fault::new(refusal.kind(), refusal.reason_code(), refusal.text()));
    }
    rooms
        .claim(&view(arrival, request))
        .map_err(|Undecodable { reason_code, text }| Fault::new(DenialKind::Malformed, reason_code, text))
}

/// Where a request would be sent, by what it means.
///
/// # Errors
/// It has no meaning that we can read, or no host of the provider serves it.
pub fn destination(
    claim: &Claim<'_>,
    model: &Snapshot,
    action: &Action,
    head: &Head<'_>,
) -> Result<Destination, Undecodable> {
    let upstream = &action.actor.upstream;
    match &action.reading {
        Reading::Call(call) => claim.destination(upstream, call),
        Reading::Undecodable { .. } => {
            let destination = claim.destination_unread(upstream, head)?;
            // It might be a read, and a foreign read goes nowhere in any mode.
            let scope = model.read_scope(&action.actor);
            if scope.covers(upstream.plane.as_str(), &upstream.account, &destination.service) {
                return Ok(destination);
            }
            Err(Undecodable::new(
                "outside_read_scope",
                "the request cannot be read and its service is outside your read scope; send it in a form that can",
            ))
        }
    }
}

/// What of a head is evidence: no query, which may carry a signature.
#[must_use]
pub fn summary(head: &Head<'_>, own_credential: bool) -> HeadSummary {
    let path = head.target.split_once('?').map_or(head.target, |(path, _)| path);
    HeadSummary {
        method: head.method.to_owned(),
        host: head.authority.to_owned(),
        path: path.to_owned(),
        own_credential,
    }
}

/// The SHA-256 of what was received, for requests that cannot be bound by their meaning.
#[must_use]
pub fn digest(head: &Head<'_>, body: Option<Digest>) -> Digest {
    let mut lines: Vec<Vec<u8>> = Vec::with_capacity(head.headers.len());
    for (name, value) in head.headers {
        if !NOISE.contains(&name.as_str()) {
            lines.push([name.as_str().as_bytes(), b":", value.as_bytes()].concat());
        }
    }
    lines.sort();
    let first = format!("{}\n{}\n{}", head.method, head.target, head.authority);
    lines.insert(0, first.into_bytes());
    // No line holds a line end, so that no two heads join to the same bytes.
    let mut bytes = lines.join(&b'\n');
    bytes.extend_from_slice(&body.map_or([0; 32], |digest| digest.0));
    Digest::of(&bytes)
}

/// What differs between a request and its retry; what it says is bound elsewhere.
const NOISE: [&str; 7] = [
    "authorization",
    "x-amz-date",
    "x-amz-security-token",
    "date",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "user-agent",
];

fn look<'a>(arrival: &'a Arrival, method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Head<'a> {
    Head {
        method: method.as_str(),
        target: uri.path_and_query().map_or("/", |target| target.as_str()),
        // INVARIANT: the guard lets through only a host that is ASCII.
        authority: headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
        headers,
        way_in: match &arrival.connection.way_in {
            listen::WayIn::Reverse => WayIn::Reverse,
            // An address is a configured upstream's: whose, the credential says, and `way` holds it to that.
            listen::WayIn::Transparent(Some(host)) if is_address(host) => WayIn::Reverse,
            listen::WayIn::Tunnel(..) | listen::WayIn::Forward | listen::WayIn::Transparent(_) => {
                WayIn::Egress
            }
        },
        plane: arrival.place.plane,
        upstream: arrival.place.upstream.as_deref(),
    }
}

/// Whether a host, as `host` has it, is an address and not a name.
#[must_use]
pub fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.map_or_else(|| host.parse::<IpAddr>().is_ok(), |bare| bare.parse::<Ipv6Addr>().is_ok())
}
