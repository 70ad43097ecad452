//! Any room whose requests are paths, queries and JSON: what it accepts, it reads the same when other parsers have taken
//! the request apart and put it together again, and nothing makes it panic.
//!
//! The other parsers are those of most servers: the WHATWG URL parser for paths and queries, serde for JSON. Where two
//! readers of one request disagree, one of them is not the upstream. Leaves out rooms with readers of their own to be held
//! against (`room`, `cluster`, `grpc`), and bodies that are not JSON, which stay as they are.

use ordain_action::{Call, Plane, Reading, Upstream};
use ordain_decode::{Head, Needs, WayIn};

use crate::again::{again, shown};
use crate::request::Request;
use crate::room::{refused, rooms};

/// The plane that the run is for: the variable `ORDAIN_FUZZ_PLANE` names it.
///
/// # Panics
/// There is no such plane.
#[must_use]
pub fn asked() -> Plane {
    let word = std::env::var("ORDAIN_FUZZ_PLANE").unwrap_or_default();
    Plane::parse(&word).unwrap_or_else(|| panic!("`ORDAIN_FUZZ_PLANE` is `{word}`, which is no plane"))
}

/// Decodes one request and the same request written by others.
///
/// # Panics
/// They are read as two things.
pub fn check(plane: Plane, data: &[u8]) {
    let Some(request) = Request::parse(data) else { return };
    let Some(call) = read(plane, request.method, request.target, &request) else { return };
    assert!(!call.effects.is_empty(), "a call without an effect");
    for effect in &call.effects {
        assert!(!effect.resources.is_empty(), "an effect on nothing: {effect:?}");
    }
    if request.method == "DELETE" {
        assert!(call.is_change(), "DELETE is a read: {call:?}");
    }
    let (target, body) = again(plane, request.target, request.body);
    let rewritten = Request {
        body: &body,
        target: &target,
        headers: request.headers.clone(),
        authority: request.authority.clone(),
        ..request
    };
    let other = read(plane, rewritten.method, &target, &rewritten);
    let other = other.unwrap_or_else(|| panic!("`{target}` is not read, and `{}` is", request.target));
    assert_eq!(shown(&call), shown(&other), "`{}` and `{target}` are two things", request.target);
}

/// What a request is read as, where it is.
fn read(plane: Plane, method: &str, target: &str, request: &Request<'_>) -> Option<Call> {
    let head = Head {
        method,
        target,
        authority: &request.authority,
        headers: &request.headers,
        way_in: WayIn::Reverse,
        plane: Some(plane),
        upstream: None,
    };
    let upstream = Upstream { name: "default".into(), plane, account: "acme".into(), partition: "".into() };
    let claim = rooms().claim(&head).ok()?;
    let body = match claim.needs() {
        Needs::Payload | Needs::Stream => &[][..],
        Needs::Nothing | Needs::Held { .. } => request.body,
    };
    match claim.decode(&upstream, &head, body, None) {
        Reading::Call(call) => Some(call),
        Reading::Undecodable { why, .. } => {
            refused(&claim, why.reason_code);
            None
        }
    }
}
