//! What is read of a request is read of the same request as other parsers write it: those of most servers, the WHATWG URL
//! parser for paths and queries, and serde for JSON. Where two readers of one request disagree, one is not the upstream.
//!
//! Every case, and each with a byte or two changed. Leaves out AWS, clusters and gRPC, whose readers are held against others
//! in `tests/fuzz`, and bodies that are not JSON, which stay as they are.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

// The one way in which requests are written again, which the fuzzer has too.
#[path = "../../../../tests/fuzz/src/again.rs"]
mod others;

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

/// Whether it is read at all; panics where it is read as two things.
fn holds(mut parsed: Parsed) -> bool {
    let Some(call) = reading(&ROOMS, &parsed) else { return false };
    let (target, body) = others::again(call.plane, &parsed.target, &parsed.body);
    let before = std::mem::replace(&mut parsed.target, target);
    parsed.body = body;
    let other = reading(&ROOMS, &parsed);
    let other = other.unwrap_or_else(|| panic!("`{}` is not read, and `{before}` is", parsed.target));
    assert_eq!(
        others::shown(&call),
        others::shown(&other),
        "`{before}` and `{}` are two things",
        parsed.target
    );
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
