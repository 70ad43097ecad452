//! Every method that Google's own clients have over gRPC must be read as what the same message is over REST, as the same
//! libraries send that.
//!
//! The pairs are made by `sweep_rpc.py` and kept compressed in `sweep/`; `ORDAIN_TEST_GCP_CALLS` names a folder of fresh
//! ones. Leaves out parameters, which JSON and messages write in ways of their own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ordain_action::{Plane, Upstream};
use ordain_decode::line::{At, decode_line_at};
use ordain_decode::{Rooms, RoomsConfig};
use serde_json::Value;

/// The lines: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_GCP_CALLS") {
        let path = Path::new(&folder).join("calls.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh calls has them")));
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/gcp/sweep/calls.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

/// What of a reading has to be the same: the effects without their parameters.
fn told(decoded: &Value) -> Value {
    let mut effects = decoded["effects"].clone();
    for effect in effects.as_array_mut().into_iter().flatten() {
        if let Some(effect) = effect.as_object_mut() {
            effect.remove("parameters");
            effect.remove("completeness");
        }
    }
    effects
}

/// Whether a call may do anything to all that there is.
fn is_anything(decoded: &Value) -> bool {
    let effect = &decoded["effects"][0];
    effect["access"] == "execute" && effect["resources"][0]["type"] == "gcp:organization"
}

#[test]
fn a_call_over_grpc_is_read_as_its_request_over_rest() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream = Upstream {
        name: Arc::from("google"),
        plane: Plane::Gcp,
        account: Arc::from("1"),
        partition: Arc::from(""),
    };
    let at = At { upstream: &upstream, served: true };
    let read = |line: &str| -> Value {
        let mut answer = String::new();
        decode_line_at(&rooms, at, line, &mut answer);
        serde_json::from_str(&answer).expect("the decoder writes JSON lines")
    };
    let lines: Vec<String> = source().lines().map(|line| line.expect("the file is text")).collect();
    let (mut faults, mut unknown) = (Vec::new(), 0);
    for pair in lines.chunks(2) {
        let [call, request] = pair else { panic!("the lines are pairs") };
        let (call_read, request_read) = (read(call), read(request));
        // What the documents do not have.
        if request_read["undecodable"]["reason_code"] == "unknown_operation" && is_anything(&call_read) {
            unknown += 1;
            continue;
        }
        let (one, other) = (told(&call_read), told(&request_read));
        if one != other || !one.is_array() {
            let asked: Value = serde_json::from_str(call).unwrap();
            faults.push(format!("{}: {call_read}\n    over REST {request_read}\n", asked["url"]));
        }
    }
    eprintln!("{} calls, {unknown} of unknown methods, {} misread", lines.len() / 2, faults.len());
    assert!(unknown <= 40, "{unknown} are of methods that the documents do not have");
    assert!(lines.len() / 2 >= 780, "the sweep has shrunk: {}", lines.len() / 2);
    assert!(faults.is_empty(), "{}", faults.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
