//! Requests that a vendor's own client made without sending them, and what each of them is by that client's own names.
//!
//! Leaves out how they were made, which the script beside each of them says, and resources and parameters, which the
//! rooms' own cases show.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use ordain_action::{Plane, Upstream};
use ordain_decode::line::{At, decode_line_at};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What the script says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    /// The operation, where the client has a name for it that is the plane's own too.
    expect_operation: Option<String>,
    /// The same without the service before it, in any case.
    expect_name: Option<String>,
    /// `read` or `change`.
    expect_hint: String,
}

/// What the decoder says of it.
#[derive(Deserialize)]
struct Decoded {
    id: String,
    #[serde(default)]
    effects: Vec<DecodedEffect>,
    undecodable: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct DecodedEffect {
    operation: String,
    access: String,
    resources: Vec<serde_json::Value>,
}

/// What is wrong with what was read; nothing where it is what was meant.
fn fault(expected: &Expected, decoded: &Decoded) -> Option<String> {
    assert_eq!(expected.id, decoded.id, "answers come in the order of the requests");
    if let Some(why) = &decoded.undecodable {
        return Some(format!("undecodable: {why}"));
    }
    let Some(first) = decoded.effects.first() else { return Some("no effect".to_owned()) };
    if expected.expect_operation.as_ref().is_some_and(|meant| *meant != first.operation) {
        return Some(format!("read as {}", first.operation));
    }
    let name = first.operation.rsplit('/').next().unwrap_or_default();
    if expected.expect_name.as_ref().is_some_and(|meant| !meant.eq_ignore_ascii_case(name)) {
        return Some(format!("read as {}", first.operation));
    }
    let reads = decoded.effects.iter().all(|effect| effect.access == "read");
    match (expected.expect_hint.as_str(), reads) {
        ("change", true) => return Some("a change is read as a read".to_owned()),
        ("read", false) => return Some(format!("a read is read as {}", first.access)),
        ("change", false) | ("read", true) => {}
        (other, _) => return Some(format!("`{other}` says nothing of what is meant")),
    }
    let bare = decoded.effects.iter().any(|effect| effect.resources.is_empty());
    bare.then(|| "an effect touches nothing".to_owned())
}

/// Reads all requests that are kept for a plane, of which there are at least so many.
pub(crate) fn check(plane: Plane, least: usize) {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream = Upstream { name: "default".into(), plane, account: "acme".into(), partition: "".into() };
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../tests/planes/{plane}/sweep/requests.jsonl.zst"));
    let file = File::open(path).expect("the sweep is kept beside its script");
    let plain = zstd::Decoder::new(file).expect("it is a zstd stream");
    let (mut answer, mut faults, mut requests) = (String::new(), Vec::new(), 0);
    for line in BufReader::new(plain).lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line_at(&rooms, At { upstream: &upstream, served: true }, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        requests += 1;
        if let Some(fault) = fault(&expected, &decoded) {
            faults.push(format!("{}: {fault}", expected.id));
        }
    }
    eprintln!("{plane}: {requests} requests, {} misread", faults.len());
    assert!(requests >= least, "the sweep has shrunk");
    assert!(faults.is_empty(), "{}", faults.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
