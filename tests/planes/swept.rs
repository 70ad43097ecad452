//! Requests that a plane's own clients made without sending them, and what each of them must be read as.
//!
//! Leaves out how they were made (a script beside each plane) and resources that the script says nothing of.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use ordain_action::{Plane, Reading, Upstream};
use ordain_decode::line::{At, read_request};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What a script says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    /// The class that one of the effects has; for a read, all of them, secrets read out included.
    expect: String,
    /// A resource that is named; empty where the script says nothing of it.
    name: String,
}

/// What came of a sweep.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    pub(crate) requests: usize,
    pub(crate) faults: Vec<String>,
}

/// Reads all requests kept for a plane.
pub(crate) fn sweep(plane: Plane) -> Swept {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream = Upstream { name: "served".into(), plane, account: "acme".into(), partition: "".into() };
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../tests/planes/{plane}/sweep/requests.jsonl.zst"));
    let file = File::open(path).expect("the sweep is kept beside the plane's tests");
    let mut swept = Swept::default();
    for line in BufReader::new(zstd::Decoder::new(file).expect("it is a zstd stream")).lines() {
        let line = line.expect("the file is text");
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let at = At { upstream: &upstream, served: true };
        let (_, reading) = read_request(&rooms, at, &line).expect("the line is a request");
        swept.requests += 1;
        swept.faults.extend(fault(&expected, &reading).map(|fault| format!("{}: {fault}", expected.id)));
    }
    eprintln!("{plane}: {} requests, {} misread", swept.requests, swept.faults.len());
    swept
}

/// What is wrong with what was read; nothing where it is what was meant.
fn fault(expected: &Expected, reading: &Reading) -> Option<String> {
    let call = match reading {
        Reading::Call(call) => call,
        Reading::Undecodable { why, .. } => {
            let refused = format!("refused {}", why.reason_code);
            return (expected.expect != refused)
                .then(|| format!("undecodable {}: {}", why.reason_code, why.text));
        }
    };
    let accesses: Vec<&str> = call.effects.iter().map(|effect| effect.access.as_str()).collect();
    if accesses.is_empty() {
        return Some("no effect".to_owned());
    }
    let fits = match expected.expect.as_str() {
        "read" => accesses.iter().all(|access| matches!(*access, "read" | "secret_read")),
        other => accesses.contains(&other) && call.is_change(),
    };
    if !fits {
        return Some(format!("{} is read as {}", expected.expect, accesses.join(", ")));
    }
    let mut names = call.effects.iter().flat_map(|effect| &effect.resources).map(|resource| &resource.name);
    (!expected.name.is_empty() && !names.any(|name| *name == expected.name))
        .then(|| format!("`{}` is not named", expected.name))
}
