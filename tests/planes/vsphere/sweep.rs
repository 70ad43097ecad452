//! Every method of vim25 and every operation of the Automation API, as their own clients write them, must be read as what
//! those call them.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_VSPHERE_SWEEP` names a folder of fresh
//! ones. Leaves out parameters, which the room's own cases show.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain_action::{Plane, Upstream};
use ordain_decode::line::{At, decode_line_at};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_operation: String,
    /// `read` or `change`, where the client's name for it says so.
    expect_hint: String,
    /// The ids of the objects that it is called on, and with.
    expect_objects: Vec<String>,
    /// Why it must be refused.
    expect_refused: String,
}

/// What the decoder says of it.
#[derive(Deserialize)]
struct Decoded {
    #[serde(default)]
    effects: Vec<Effect>,
    undecodable: Option<Why>,
}

#[derive(Deserialize)]
struct Why {
    reason_code: String,
    text: String,
}

#[derive(Deserialize)]
struct Effect {
    operation: String,
    access: String,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
}

/// What is wrong with what was read; nothing where it is what was meant.
fn fault(expected: &Expected, decoded: &Decoded) -> Option<String> {
    if let Some(why) = &decoded.undecodable {
        let meant = why.reason_code == expected.expect_refused;
        return (!meant).then(|| format!("undecodable {}: {}", why.reason_code, why.text));
    }
    if !expected.expect_refused.is_empty() {
        return Some("it is read, and has to be refused".to_owned());
    }
    let first = decoded.effects.first()?;
    if first.operation != expected.expect_operation {
        return Some(format!("read as {}", first.operation));
    }
    let reads = decoded.effects.iter().all(|effect| effect.access == "read");
    let shows = decoded.effects.iter().all(|effect| matches!(effect.access.as_str(), "read" | "secret_read"));
    match expected.expect_hint.as_str() {
        "change" if reads => return Some("a change is read as a read".to_owned()),
        "read" if !shows => return Some(format!("a read is read as {}", first.access)),
        _ => {}
    }
    let named: Vec<&str> = first.resources.iter().map(|resource| resource.name.as_str()).collect();
    // What things are only reached by has no name of its own.
    let is_thing = |id: &&String| {
        let beginning = id.split('-').next().unwrap_or_default();
        [
            "vm",
            "host",
            "domain",
            "datastore",
            "datacenter",
            "group",
            "resgroup",
            "network",
            "dvportgroup",
            "dvs",
        ]
        .contains(&beginning)
            && !id.ends_with("-7")
    };
    let missing = expected.expect_objects.iter().filter(is_thing);
    let mut missing = missing.filter(|id| !named.iter().any(|name| name.ends_with(&format!("/{id}"))));
    if let Some(id) = missing.next() {
        return Some(format!("`{id}` is not among {}", named.join(", ")));
    }
    let bare = decoded.effects.iter().any(|effect| effect.resources.is_empty());
    bare.then(|| "an effect touches nothing".to_owned())
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_VSPHERE_SWEEP") {
        let path = Path::new(&folder).join("requests.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh requests has them")));
    }
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/vsphere/sweep/requests.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

#[test]
fn the_sweep_of_pyvmomi_and_of_the_automation_api() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream =
        Upstream { name: "vc".into(), plane: Plane::Vsphere, account: "vc".into(), partition: "".into() };
    let (mut answer, mut faults, mut requests, mut changes) = (String::new(), Vec::new(), 0, 0);
    for line in source().lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line_at(&rooms, At { upstream: &upstream, served: true }, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        requests += 1;
        changes += usize::from(expected.expect_hint == "change");
        if let Some(fault) = fault(&expected, &decoded) {
            faults.push(format!("{}: {fault}", expected.id));
        }
    }
    eprintln!("{requests} requests, {changes} of them changes, {} misread", faults.len());
    assert!(requests >= 3_500 && changes >= 1_000, "the sweep has shrunk");
    assert!(faults.is_empty(), "{}", faults.iter().take(60).cloned().collect::<Vec<_>>().join("\n"));
}
