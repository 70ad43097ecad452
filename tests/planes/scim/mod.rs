//! scim2-server behind the gate, and scim2-tester and a client in front of it: none of them ours.
//!
//! Leaves out how a request is read (the room's own cases).

use std::path::Path;
use std::process::Command;

use ordain_action::Plane;

use crate::harness::said;
use crate::planes::served::{self, REAL, Server};
use crate::planes::sweeps;

fn server() -> Option<Server> {
    let python = served::python()?;
    let program = python.with_file_name("scim2-server");
    Some(Server::start(|port, _| {
        let mut command = Command::new(&program);
        command.args(["--port", port, "--bearer-token", REAL]);
        command
    }))
}

/// What the tester says, one line a check.
fn checks(base: &str, token: &str) -> Vec<String> {
    served::says("scim/tester.py", &[base, token]).lines().map(str::to_owned).collect()
}

#[test]
fn all_that_the_client_builds_is_read_as_what_it_is() {
    sweeps::named(Plane::Scim, 56);
}

#[test]
fn a_tester_that_is_not_ours_finds_the_same_through_the_gate() {
    let Some(server) = server() else { return };
    let base = format!("http://{}", server.address);
    let direct = checks(&base, REAL);
    assert!(direct.len() >= 135, "{direct:#?}");
    assert!(direct.iter().all(|line| line.contains("SUCCESS")), "{direct:#?}");
    let gate = served::gate("scim", &base, "{ token_file = {token} }", "enforce");
    let token = gate.bearer("served", "alice", "person");
    let through = checks(&format!("http://{}", gate.address), &token);
    // One line at a time, so that what differs can be read.
    for (through, direct) in through.iter().zip(&direct) {
        assert_eq!(through, direct);
    }
    assert_eq!(through.len(), direct.len());
    gate.finish();
}

#[test]
fn a_denied_change_never_arrives_and_is_the_clients_own_error() {
    let Some(server) = server() else { return };
    let base = format!("http://{}", server.address);
    let gate = served::gate("scim", &base, "{ token_file = {token} }", "enforce");
    let token = gate.bearer("served", "carol", "person");
    let python = served::python().unwrap();
    let through = format!("http://{}", gate.address);
    let output = served::script(&python, "scim/client.py", &[&through, &token, "create", "bjensen"]);
    let answer = said(&output);
    assert!(answer.contains("Error 403") && answer.contains("acme"), "{answer}");
    let output = served::script(&python, "scim/client.py", &[&through, &token, "list"]);
    assert_eq!(said(&output), "0 users\n");
    assert!(!server.log().contains("POST"), "{}", server.log());
    gate.finish();
}

/// The variables that are printed for a plane are those that its own command line (scim2-cli) reads.
#[test]
fn a_client_finds_the_gate_by_the_variables_that_are_printed() {
    let Some(server) = server() else { return };
    let base = format!("http://{}", server.address);
    let gate = served::gate("scim", &base, "{ token_file = {token} }", "enforce");
    let asked = ["-o", "json", "env", "--upstream", "served", "--actor", "alice", "--kind", "person"];
    let printed = gate.run(&asked);
    let variables: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&printed.stdout).unwrap_or_else(|_| panic!("{}", said(&printed)));
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/scim/client.py");
    let mut command = Command::new("timeout");
    command.arg("60").arg(served::python().unwrap()).arg(script).args(["-", "-", "create", "bjensen"]);
    let answer = command.envs(&variables).output().unwrap();
    assert!(said(&answer).starts_with("created "), "{}", said(&answer));
    gate.finish();
}
