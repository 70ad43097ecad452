//! A stub of a firewall behind the gate, and the vendor's own client in front of it.
//!
//! Leaves out how a request is read (the room's own cases), and firewalls: the stub says that it is one.

use ordain_action::Plane;

use crate::planes::served::{self, REAL, Server};
use crate::planes::sweeps;

/// The real key, as the settings file has it.
const CREDENTIALS: &str = "{ header = { name = \"X-PAN-KEY\", file = {token} } }";

fn stub() -> Option<Server> {
    served::stub("panos/stub.py", &[])
}

fn client(base: &str, key: &str, what: &str) -> String {
    served::says("panos/client.py", &[base, key, what])
}

#[test]
fn every_call_of_the_vendors_client_is_read_as_what_it_is() {
    sweeps::classed(Plane::Panos, 9_700);
}

#[test]
fn the_client_finds_the_same_through_the_gate() {
    let (Some(direct), Some(behind)) = (stub(), stub()) else { return };
    let direct = client(&format!("http://{}", direct.address), REAL, "day");
    assert!(direct.contains("commit True"), "{direct}");
    let base = format!("http://{}", behind.address);
    let gate = served::gate("panos", &base, CREDENTIALS, "enforce");
    let token = gate.bearer("served", "alice", "person");
    assert_eq!(client(&format!("http://{}", gate.address), &token, "day"), direct);
    gate.finish();
}

/// It is told why, and does not take it for a firewall that is gone.
#[test]
fn a_denied_change_never_arrives_and_is_the_clients_own_error() {
    let Some(stub) = stub() else { return };
    let base = format!("http://{}", stub.address);
    let gate = served::gate("panos", &base, CREDENTIALS, "enforce");
    let token = gate.bearer("served", "carol", "person");
    let told = client(&format!("http://{}", gate.address), &token, "delete");
    assert_eq!(told.matches("PanDeviceXapiError: ").count(), 3, "{told}");
    assert!(told.contains("carol") && told.contains("no connection was lost"), "{told}");
    assert!(told.contains("system 10.2.0"), "{told}");
    let log = stub.log();
    assert!(!log.contains("delete") && !log.contains("set") && !log.contains("commit"), "{log}");
    gate.finish();
}
