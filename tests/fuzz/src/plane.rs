//! Any room whose requests are paths, queries and JSON: what it accepts, it reads the same when other parsers have taken
//! the request apart and put it together again, and nothing makes it panic.
//!
//! The other parsers are those of most servers: the WHATWG URL parser for paths and queries, serde for JSON. Where two
//! readers of one request disagree, one of them is not the upstream. Leaves out rooms with readers of their own to be held
//! against (`room`, `cluster`, `grpc`), and bodies that are not JSON, which stay as they are.

use std::collections::BTreeSet;

use ordain_action::{Call, Effect, Plane, Reading, Upstream};
use ordain_decode::{Head, Needs, WayIn};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::request::Request;
use crate::room::{refused, rooms};

/// What stands in a path as it is (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
    let (target, body) = again(plane, &request);
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

/// A request as other parsers write it.
fn again(plane: Plane, request: &Request<'_>) -> (String, Vec<u8>) {
    let url = url::Url::parse("http://host").and_then(|base| base.join(request.target));
    let url = url.unwrap_or_else(|error| panic!("`{}` is accepted and is no URL: {error}", request.target));
    let mut target = String::new();
    for segment in url.path_segments().into_iter().flatten() {
        target.push('/');
        // As they stand they divide the keys of an entry, and escaped they are part of one (RFC 8040 section 3.5.3).
        // So does a colon the verb from what it is done to (AIP-136).
        let divides = |c: char| matches!(c, '=' | ',') || c == ':' && plane == Plane::Gcp;
        for part in segment.split_inclusive(divides) {
            let (text, divider) = part.split_at(part.trim_end_matches(divides).len());
            let decoded = percent_decode_str(text).decode_utf8_lossy();
            target.extend(utf8_percent_encode(&decoded, SEGMENT));
            target.push_str(divider);
        }
    }
    if let Some(query) = url.query() {
        // A name without a value is told from one with an empty value by some; both stay what they were.
        let bare = query.split('&').any(|part| !part.contains('='));
        target.push('?');
        if bare {
            target.push_str(query);
        } else {
            let pairs = form_urlencoded::parse(query.as_bytes());
            target.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish());
        }
    }
    let body = match serde_json::from_slice::<serde_json::Value>(request.body) {
        Ok(value) => serde_json::to_vec(&value).unwrap_or_default(),
        Err(_) => request.body.to_vec(),
    };
    (target, body)
}

/// A call whose parts are in no order: the other parser keeps none among the members of an object.
fn shown(call: &Call) -> (BTreeSet<String>, bool) {
    (call.effects.iter().map(effect).collect(), call.answer.mints.is_some())
}

fn effect(effect: &Effect) -> String {
    let resources: BTreeSet<String> =
        effect.resources.iter().map(|resource| format!("{resource:?}")).collect();
    let parameters: BTreeSet<String> =
        effect.parameters.iter().map(|leaf| format!("{}={:?}", leaf.path, leaf.value)).collect();
    format!(
        "{} {} {} {} {resources:?} {parameters:?}",
        effect.service,
        effect.operation,
        effect.access.as_str(),
        effect.level.as_str()
    )
}
