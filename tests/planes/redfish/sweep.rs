//! Every method of sushy's classes, as sushy itself sends it, must be read as what its name says.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_REDFISH_SWEEP` names a folder of
//! fresh ones. Leaves out parameters, which the room's own cases show.

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
    url: String,
    expect_operation: String,
    expect_access: String,
}

/// What the decoder says of it.
#[derive(Deserialize)]
struct Decoded {
    #[serde(default)]
    effects: Vec<Effect>,
    undecodable: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Effect {
    operation: String,
    access: String,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    role: String,
    name: String,
}

/// What is wrong with what was read; nothing where it is what was meant.
fn fault(expected: &Expected, decoded: &Decoded) -> Option<String> {
    if let Some(why) = &decoded.undecodable {
        return Some(format!("undecodable: {why}"));
    }
    let Some(first) = decoded.effects.first() else { return Some("no effect".to_owned()) };
    // A path that no document has says no type.
    if !expected.expect_operation.is_empty() && first.operation != expected.expect_operation {
        return Some(format!("read as {}, not {}", first.operation, expected.expect_operation));
    }
    if !decoded.effects.iter().any(|effect| effect.access == expected.expect_access) {
        return Some(format!("read as {}, not {}", first.access, expected.expect_access));
    }
    // What an effect is on lies in the path, but for the actions of services that name others.
    let path = expected.url.split('?').next().unwrap_or_default().trim_end_matches('/');
    let Some(path) = path.strip_prefix("https://bmc.example/redfish/v1") else {
        return Some(format!("`{path}` is no address of the sweep"));
    };
    let path = path.split("/Actions/").next().unwrap_or_default();
    let of_others = ["ReplaceCertificate", "SimpleUpdate"].iter().any(|name| first.operation.ends_with(name));
    let is_whole = |resource: &Resource| resource.name == "redfish://bmc";
    let on_it = |resource: &Resource| {
        let name = resource.name.strip_prefix("redfish://bmc").unwrap_or_default();
        ["target", "parent"].contains(&resource.role.as_str())
            && name.trim_end_matches("/*").eq_ignore_ascii_case(path)
    };
    // What is shown beside the resource may be anything.
    let of_others = of_others || expected.url.contains("$expand=.") && first.resources.iter().any(is_whole);
    let named = of_others || first.resources.iter().any(on_it);
    (!named).then(|| format!("nothing of it is `{path}`"))
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_REDFISH_SWEEP") {
        let path = Path::new(&folder).join("requests.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh requests has them")));
    }
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/redfish/sweep/requests.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

#[test]
fn the_sweep_of_sushy() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream =
        Upstream { name: "bmc".into(), plane: Plane::Redfish, account: "bmc".into(), partition: "".into() };
    let (mut answer, mut faults, mut requests, mut changes) = (String::new(), Vec::new(), 0, 0);
    for line in source().lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line_at(&rooms, At { upstream: &upstream, served: true }, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        requests += 1;
        changes += usize::from(expected.expect_access != "read");
        if let Some(fault) = fault(&expected, &decoded) {
            faults.push(format!("{}: {fault}", expected.id));
        }
    }
    eprintln!("{requests} requests, {changes} of them changes, {} misread", faults.len());
    assert!(requests >= 430 && changes >= 140, "the sweep has shrunk");
    assert!(faults.is_empty(), "{}", faults.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
