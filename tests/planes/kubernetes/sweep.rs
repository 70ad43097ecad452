//! Every method of the official Python client, as that client itself sends it, must be read as what its name says.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_KUBERNETES_SWEEP` names a folder
//! of fresh ones. Leaves out resources and parameters, which the room's own cases show.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain_decode::line::decode_line;
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_service: String,
    expect_operation: String,
    expect_hint: String,
}

/// What the decoder says of it.
#[derive(Deserialize)]
struct Decoded {
    id: String,
    #[serde(default)]
    plane: String,
    #[serde(default)]
    effects: Vec<DecodedEffect>,
    undecodable: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct DecodedEffect {
    service: String,
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
    if decoded.plane != "kubernetes" {
        return Some(format!("taken for `{}`", decoded.plane));
    }
    let Some(first) = decoded.effects.first() else { return Some("no effect".to_owned()) };
    if (&first.service, &first.operation) != (&expected.expect_service, &expected.expect_operation) {
        return Some(format!("read as {} {}", first.service, first.operation));
    }
    let reads = decoded.effects.iter().all(|effect| effect.access == "read");
    match (expected.expect_hint.as_str(), reads) {
        ("change", true) => return Some("a change is read as a read".to_owned()),
        ("read", false) => return Some(format!("a read is read as {}", first.access)),
        ("change", false) | ("read", true) | ("any", _) => {}
        (other, _) => return Some(format!("`{other}` says nothing of what is meant")),
    }
    let bare = decoded.effects.iter().any(|effect| effect.resources.is_empty());
    bare.then(|| "an effect touches nothing".to_owned())
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_KUBERNETES_SWEEP") {
        let path = Path::new(&folder).join("requests.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh requests has them")));
    }
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/kubernetes/sweep/requests.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

#[test]
fn the_sweep_of_the_python_client() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let (mut answer, mut faults) = (String::new(), Vec::new());
    let (mut requests, mut methods) = (0, BTreeSet::new());
    for line in source().lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line(&rooms, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        requests += 1;
        if let Some(fault) = fault(&expected, &decoded) {
            faults.push(format!("{}: {fault}", expected.id));
        }
        methods.insert(expected.id.split('/').next().map(str::to_owned));
    }
    eprintln!("{requests} requests of {} methods, {} misread", methods.len(), faults.len());
    assert!(requests >= 2_900 && methods.len() >= 930, "the sweep has shrunk");
    assert!(faults.is_empty(), "{}", faults.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
