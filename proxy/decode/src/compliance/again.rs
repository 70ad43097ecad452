//! What is read of a request is read of the same request as other parsers write it: those of most servers, the WHATWG URL
//! parser for paths and queries, and serde for JSON. Where two readers of one request disagree, one is not the upstream.
//!
//! Every case, and each with a byte or two changed. Leaves out AWS, clusters and gRPC, whose readers are held against others
//! in `tests/fuzz`, and bodies that are not JSON, which stay as they are.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ordain_action::Call;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// What stands in a path as it is (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Bytes that mean something to some reader.
const BYTES: &[u8] = b"/%.;?&=:+#\"'{}[],\\ aA0-_~*@";

static ROOMS: LazyLock<Rooms> = LazyLock::new(rooms);

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let own = |case: &Case| {
        let parsed = request(&case.request);
        let plane = ROOMS.claim(&parsed.head()).map(|claim| claim.plane());
        plane.is_ok_and(|plane| !matches!(plane, Plane::Aws | Plane::Kubernetes | Plane::Grpc))
    };
    all_cases().into_iter().filter(own).collect()
});

/// The target and the body as others write them.
fn again(plane: Plane, parsed: &Parsed) -> (String, Vec<u8>) {
    let url = url::Url::parse("http://host").and_then(|base| base.join(&parsed.target));
    let url = url.unwrap_or_else(|error| panic!("`{}` is accepted and is no URL: {error}", parsed.target));
    let mut target = String::new();
    for segment in url.path_segments().into_iter().flatten() {
        target.push('/');
        // As they stand they divide the keys of an entry, and escaped they are part of one (RFC 8040 section 3.5.3).
        // So does a colon the verb from what it is done to (AIP-136).
        let divides = |c: char| matches!(c, '=' | ',') || c == ':' && plane == Plane::Gcp;
        for part in segment.split_inclusive(divides) {
            let (text, divider) = part.split_at(part.trim_end_matches(divides).len());
            target.extend(utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), SEGMENT));
            target.push_str(divider);
        }
    }
    if let Some(query) = url.query() {
        target.push('?');
        // A name without a value is told from one with an empty value by some; both stay what they were.
        if query.split('&').any(|part| !part.contains('=')) {
            target.push_str(query);
        } else {
            let pairs = form_urlencoded::parse(query.as_bytes());
            target.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish());
        }
    }
    let body = match serde_json::from_slice::<serde_json::Value>(&parsed.body) {
        Ok(value) => serde_json::to_vec(&value).unwrap_or_default(),
        Err(_) => parsed.body.clone(),
    };
    (target, body)
}

/// A call whose parts are in no order: the other parser keeps none among the members of an object.
fn shown(call: &Call) -> (BTreeSet<String>, bool) {
    let effect = |effect: &ordain_action::Effect| {
        let resources: BTreeSet<String> =
            effect.resources.iter().map(|resource| format!("{resource:?}")).collect();
        let leaf = |leaf: ordain_action::Leaf<'_>| format!("{}={:?}", leaf.path, leaf.value);
        let parameters: BTreeSet<String> = effect.parameters.iter().map(leaf).collect();
        let (access, level) = (effect.access.as_str(), effect.level.as_str());
        format!("{} {} {access} {level} {resources:?} {parameters:?}", effect.service, effect.operation)
    };
    (call.effects.iter().map(effect).collect(), call.answer.mints.is_some())
}

/// Whether it is read at all; panics where it is read as two things.
fn holds(mut parsed: Parsed) -> bool {
    let Some(call) = reading(&ROOMS, &parsed) else { return false };
    let (target, body) = again(call.plane, &parsed);
    let before = std::mem::replace(&mut parsed.target, target);
    parsed.body = body;
    let other = reading(&ROOMS, &parsed);
    let other = other.unwrap_or_else(|| panic!("`{}` is not read, and `{before}` is", parsed.target));
    assert_eq!(shown(&call), shown(&other), "`{before}` and `{}` are two things", parsed.target);
    true
}

#[test]
fn every_case_reads_the_same_as_others_write_it() {
    let read = CASES.iter().filter(|case| holds(request(&case.request))).count();
    assert!(read >= 700, "{read}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn a_changed_case_reads_the_same_as_others_write_it(
        case in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), prop::sample::select(BYTES), 0..3_u8, any::<bool>()), 1..4),
    ) {
        let mut parsed = request(&case.get(&CASES).request);
        for (at, byte, how, in_body) in changes {
            let mut bytes = if in_body { std::mem::take(&mut parsed.body) } else { parsed.target.clone().into_bytes() };
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            if in_body {
                parsed.body = bytes;
            } else if bytes.starts_with(b"/") {
                parsed.target = String::from_utf8(bytes).unwrap_or_default();
            }
        }
        // The guard lets no blank and no fragment come so far.
        prop_assume!(parsed.target.starts_with('/') && !parsed.target.contains([' ', '#', '\\', '"']));
        holds(parsed);
    }
}
