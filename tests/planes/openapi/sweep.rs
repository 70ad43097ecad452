//! Every method of the clients that PowerDNS and Docker have in Python, as they send it, must be read as what its
//! name says, by what the two publish of their APIs and by the files of methods in `deploy/openapi`.
//!
//! The requests are made by `sweep.py` and kept compressed beside the descriptions; `ORDAIN_TEST_OPENAPI_SWEEP` names
//! a folder of fresh ones. Leaves out real servers (`mod.rs`).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain::api;
use ordain_action::{Plane, Upstream};
use ordain_decode::line::{At, decode_line_at};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
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
    if decoded.plane != "openapi" {
        return Some(format!("taken for `{}`", decoded.plane));
    }
    if let Some(other) = decoded.effects.iter().find(|effect| effect.operation != expected.expect_operation) {
        return Some(format!("read as {}", other.operation));
    }
    let all: BTreeSet<&str> = decoded.effects.iter().map(|effect| effect.access.as_str()).collect();
    let fits = match expected.expect_hint.as_str() {
        "read" => all == BTreeSet::from(["read"]),
        // A change, and none of those that are worse than it looks.
        "change" => {
            ["create", "update", "delete", "grant"].iter().any(|access| all.contains(access))
                && !["execute", "expose"].iter().any(|access| all.contains(access))
        }
        other => all.contains(other),
    };
    if !fits {
        return Some(format!("meant as {}, read as {all:?}", expected.expect_hint));
    }
    let bare = decoded.effects.iter().any(|effect| effect.resources.is_empty());
    bare.then(|| "an effect touches nothing".to_owned())
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/openapi").join(name)
}

fn plain(path: &Path) -> Vec<u8> {
    let mut plain = Vec::new();
    let file = File::open(path).expect("it is kept beside this file");
    zstd::Decoder::new(file).expect("it is a zstd stream").read_to_end(&mut plain).expect("it is whole");
    plain
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn requests(name: &str) -> Vec<u8> {
    match crate::harness::variable("ORDAIN_TEST_OPENAPI_SWEEP") {
        Some(fresh) => {
            fs::read(Path::new(&fresh).join(format!("{name}.jsonl"))).expect("the folder has them")
        }
        None => plain(&folder(name).join("requests.jsonl.zst")),
    }
}

/// The description as it was published.
pub(super) fn description(name: &str) -> Vec<u8> {
    plain(&folder(name).join("description.yaml.zst"))
}

/// What operators are given to say of it.
pub(super) fn methods(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../deploy/openapi/{name}.toml"))
}

fn rooms(name: &str) -> Rooms {
    let described =
        api::described(name, description(name), Some(&methods(name))).expect("the file of methods is read");
    let config = RoomsConfig { openapi: vec![described], ..RoomsConfig::default() };
    Rooms::new(config).expect("the methods fit the description")
}

fn upstream(name: &str) -> Upstream {
    Upstream { name: name.into(), plane: Plane::Openapi, account: name.into(), partition: "".into() }
}

fn swept(name: &str, least: (usize, usize)) {
    let (rooms, upstream) = (rooms(name), upstream(name));
    let (mut answer, mut faults, mut all) = (String::new(), Vec::new(), String::new());
    let (mut count, mut operations) = (0, BTreeSet::new());
    for line in BufReader::new(requests(name).as_slice()).lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line_at(&rooms, At { upstream: &upstream, served: true }, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        count += 1;
        if let Some(fault) = fault(&expected, &decoded) {
            faults.push(format!("{}: {fault}", expected.id));
        }
        operations.insert(expected.expect_operation);
        all.push_str(&answer);
    }
    eprintln!("{name}: {count} requests of {} operations, {} misread", operations.len(), faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= least.0 && operations.len() >= least.1, "the sweep has shrunk");
    assert!(!all.contains("hunter2") && !all.contains(&data("hunter2")), "a secret is shown");
}

fn data(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn the_sweep_of_dockers_client() {
    swept("docker", (160, 90));
}

#[test]
fn the_sweep_of_a_client_of_powerdns() {
    swept("powerdns", (12, 9));
}

/// Nothing of either is left for the name of an operation to say.
#[test]
fn something_is_said_of_every_operation() {
    for (name, operations) in [("docker", 106), ("powerdns", 36)] {
        let about = rooms(name).about();
        let about = about.iter().find(|about| about.plane == Plane::Openapi).expect("the room is there");
        let known: Vec<usize> = about.known.iter().map(|(count, _)| *count).collect();
        assert_eq!(known, [1, operations, 0], "{name}");
        let described = api::described(name, description(name), Some(&methods(name))).expect("it is read");
        assert_eq!(described.methods.len(), operations, "{name}");
    }
}
