//! Every method that Google's own clients have over gRPC must be read as what the same message is over REST, as the same
//! libraries send that.
//!
//! The pairs are made by `sweep_rpc.py`, those of Cloud Storage by `sweep_storage.py`, and kept compressed in `sweep/`;
//! `ORDAIN_TEST_GCP_CALLS` and `ORDAIN_TEST_GCP_STORAGE` name folders of fresh ones. Leaves out parameters, which JSON and messages write in ways of their own.

use ordain_action::Plane;
use serde_json::Value;

use crate::planes::sweeps::{self, Reader, Swept, ensure};

/// What of a reading has to be the same: the effects without their parameters, and without the names of the members that
/// identify something.
fn told(decoded: &Value) -> Value {
    let mut effects = decoded["effects"].clone();
    for effect in effects.as_array_mut().into_iter().flatten() {
        for resource in effect["resources"].as_array_mut().into_iter().flatten() {
            let identifiers = resource["identifiers"].as_object().into_iter().flatten();
            resource["identifiers"] = identifiers.map(|(_, value)| value.clone()).collect();
        }
        if let Some(effect) = effect.as_object_mut() {
            effect.remove("parameters");
            effect.remove("completeness");
        }
    }
    effects
}

/// What the names of methods that change nothing begin with.
const READS: [&str; 15] = [
    "Get",
    "List",
    "Search",
    "Fetch",
    "Query",
    "Check",
    "Test",
    "Read",
    "Diagnose",
    "Sanitize",
    "Compute",
    "Verify",
    "Show",
    "View",
    "StreamingRead",
];

/// A method is a read only by a name that says so.
fn is_read_by_name(url: &str, decoded: &Value) -> bool {
    let read = decoded["effects"].as_array().into_iter().flatten().all(|effect| effect["access"] == "read");
    let name = url.rsplit('/').next().unwrap_or_default();
    !read || READS.iter().any(|word| name.starts_with(word))
}

/// Each call of a file is read as the request behind it.
fn hold(file: &str, variable: &str, fresh: &str, pairs: usize) {
    let reader = Reader::new(Plane::Gcp, "1");
    let read = |line: &str| -> Value {
        serde_json::from_str(&reader.answer(line)).expect("the decoder writes JSON lines")
    };
    let lines: Vec<String> = sweeps::lines(file, variable, fresh).collect();
    let mut swept = Swept::default();
    for pair in lines.chunks(2) {
        let [call, request] = pair else { panic!("the lines are pairs") };
        let (call_read, request_read) = (read(call), read(request));
        let (one, other) = (told(&call_read), told(&request_read));
        let same = one == other && one.is_array();
        let asked: Value = sweeps::parsed(call);
        let url = asked["url"].as_str().expect("a call has a URL");
        let told = || format!("{call_read}\n    over REST {request_read}\n");
        swept.add(url, ensure(same && is_read_by_name(url, &call_read), told));
    }
    swept.holds(pairs);
}

#[test]
fn a_call_over_grpc_is_read_as_its_request_over_rest() {
    hold("gcp/sweep/calls.jsonl", "ORDAIN_TEST_GCP_CALLS", "calls.jsonl", 2_678);
}

#[test]
fn a_call_of_cloud_storage_over_grpc_is_read_as_its_request_over_rest() {
    hold("gcp/sweep/storage.jsonl", "ORDAIN_TEST_GCP_STORAGE", "storage.jsonl", 54);
}
