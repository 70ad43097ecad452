//! A stub of a RESTCONF server behind the gate, and three clients in front of it that are not ours.
//!
//! Leaves out how a request is read (the room's own cases), and devices: the stub says that it is one.

use ordain_action::Plane;

use crate::planes::served::{self, REAL, Server};
use crate::planes::sweeps;

fn stub() -> Option<Server> {
    served::stub("restconf/stub.py", &[])
}

fn client(base: &str, password: &str, what: &str) -> String {
    served::says("restconf/client.py", &[base, password, what])
}

#[test]
fn every_call_of_three_clients_is_read_as_what_it_is() {
    sweeps::classed(Plane::Restconf, 364);
}

#[test]
fn clients_find_the_same_through_the_gate() {
    let (Some(direct), Some(behind)) = (stub(), stub()) else { return };
    let direct = client(&format!("http://{}", direct.address), REAL, "day");
    assert!(direct.contains("make 201"), "{direct}");
    let base = format!("http://{}", behind.address);
    let gate = served::gate("restconf", &base, "{ token_file = {token} }", "enforce");
    let token = gate.bearer("served", "alice", "person");
    assert_eq!(client(&format!("http://{}", gate.address), &token, "day"), direct);
    gate.finish();
}

#[test]
fn a_denied_change_never_arrives_and_is_the_clients_own_error() {
    let Some(stub) = stub() else { return };
    let base = format!("http://{}", stub.address);
    let gate = served::gate("restconf", &base, "{ token_file = {token} }", "enforce");
    let token = gate.bearer("served", "carol", "person");
    let told = client(&format!("http://{}", gate.address), &token, "delete");
    assert_eq!(told.matches("HTTPError 403 access-denied").count(), 2, "{told}");
    assert!(told.contains("read 200"), "{told}");
    let log = stub.log();
    assert!(!log.contains("DELETE") && !log.contains("PUT"), "{log}");
    gate.finish();
}
