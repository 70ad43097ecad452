//! Every method of the clients that PowerDNS and Docker have in Python, as they send it, must be read as what its
//! name says, by what the two publish of their APIs and by the files of methods in `deploy/openapi`.
//!
//! The requests are made by `sweep.py` and kept compressed beside the descriptions; `ORDAIN_TEST_OPENAPI_SWEEP` names
//! a folder of fresh ones. Leaves out real servers (`mod.rs`).

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ordain::api;
use ordain_action::Plane;
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Reader, ensure};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    expect_operation: String,
    expect_hint: String,
}

fn check(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    decoded.first()?;
    if let Some(other) = decoded.effects.iter().find(|effect| effect.operation != expected.expect_operation) {
        return Err(format!("read as {}", other.operation));
    }
    let all = BTreeSet::from_iter(decoded.accesses());
    let fits = match expected.expect_hint.as_str() {
        "read" => all == BTreeSet::from(["read"]),
        // A change, and none of those that are worse than it looks.
        "change" => {
            ["create", "update", "delete", "grant"].iter().any(|access| all.contains(access))
                && !["execute", "expose"].iter().any(|access| all.contains(access))
        }
        other => all.contains(other),
    };
    ensure(fits, || format!("meant as {}, read as {all:?}", expected.expect_hint))
}

/// The description as it was published.
pub(super) fn description(name: &str) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut kept = sweeps::kept(&format!("openapi/{name}/description.yaml"));
    kept.read_to_end(&mut plain).expect("it is whole");
    plain
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

fn swept(name: &str, least: (usize, usize)) {
    let mut reader = Reader { rooms: rooms(name), ..Reader::new(Plane::Openapi, name) };
    reader.upstream.name = name.into();
    let kept = format!("openapi/{name}/requests.jsonl");
    let lines = sweeps::lines(&kept, "ORDAIN_TEST_OPENAPI_SWEEP", &format!("{name}.jsonl"));
    let mut operations = BTreeSet::new();
    let swept = reader.sweep(lines, |expected: &Expected, decoded| {
        operations.insert(expected.expect_operation.clone());
        let shown = decoded.answer.contains("hunter2") || decoded.answer.contains(&data("hunter2"));
        ensure(!shown, || "a secret is shown".to_owned())?;
        check(expected, decoded)
    });
    sweeps::at_least(least.1, operations.len(), "operations");
    swept.holds(least.0);
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
