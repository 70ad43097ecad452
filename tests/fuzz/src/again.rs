//! A request as other parsers write it: those of most servers, the WHATWG URL parser for paths and queries, and serde for
//! JSON.
//!
//! The tests of the rooms have this file too. Leaves out bodies that are not JSON, which stay as they are.

use std::collections::BTreeSet;

use ordain_action::{Call, Effect, Plane};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands in a path as it is (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The target and the body of a request as other parsers write them.
pub(crate) fn again(plane: Plane, asked: &str, sent: &[u8]) -> (String, Vec<u8>) {
    let url = url::Url::parse("http://host").and_then(|base| base.join(asked));
    let url = url.unwrap_or_else(|error| panic!("`{asked}` is accepted and is no URL: {error}"));
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
    let body = match serde_json::from_slice::<serde_json::Value>(sent) {
        Ok(value) => serde_json::to_vec(&value).unwrap_or_default(),
        Err(_) => sent.to_vec(),
    };
    (target, body)
}

/// A call whose parts are in no order: the other parser keeps none among the members of an object.
pub(crate) fn shown(call: &Call) -> (BTreeSet<String>, bool) {
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
