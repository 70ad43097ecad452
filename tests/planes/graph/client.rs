//! Microsoft's own client of Graph through the gate, before a stand-in for Graph.
//!
//! Leaves out what single requests are read as (the sweep, and the room's own cases).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Gate, eventually, installed, said};
use crate::planes::served::{self, Server};

/// The Python that has the client; it is large, and installed for long runs alone.
fn python() -> Option<PathBuf> {
    installed("ORDAIN_TEST_MSGRAPH")
}

fn server() -> Option<Server> {
    python()?;
    served::stub("graph/server.py", &[])
}

/// A gate that serves it, once it has taken the credential.
fn gate(server: &Server) -> Gate {
    let base = format!("http://{}", server.address);
    let gate = served::gate("graph", &base, "{ token_file = {token} }", "enforce");
    eventually("the credential is taken", || server.log().contains("/v1.0/organization"));
    gate
}

fn asked(gate: &Gate, token: &str, what: &str, variables: &BTreeMap<String, String>) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/graph/client.py");
    let mut command = Command::new("timeout");
    command.arg("60").arg(python().unwrap()).arg(script);
    command.args([&format!("http://{}", gate.address), token, what]).envs(variables);
    said(&command.output().unwrap())
}

#[test]
fn the_client_works_as_without_the_gate_and_finds_the_token_by_the_variables() {
    let Some(server) = server() else { return };
    let gate = gate(&server);
    let printed =
        gate.run(&["-o", "json", "env", "--upstream", "served", "--actor", "alice", "--kind", "person"]);
    let variables: BTreeMap<String, String> =
        serde_json::from_slice(&printed.stdout).unwrap_or_else(|_| panic!("{}", said(&printed)));
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    let asked = |what: &str| asked(&gate, "-", what, &variables);
    // The second page is asked for where the first one leads.
    assert_eq!(asked("list"), "Alice, Alice (sent 2)\n");
    assert_eq!(server.log().matches("/v1.0/users").count(), 2);
    assert_eq!(asked("check"), "11111111-2222-4333-8444-555555555555 (sent 1)\n");
    assert_eq!(asked("batch"), "1 200, 2 200 (sent 1)\n");
    assert_eq!(asked("group"), "made 11111111-2222-4333-8444-555555555555 (sent 1)\n");
    let minted = asked("password");
    assert!(minted.starts_with("ODataError 403 Authorization_RequestDenied: "), "{minted}");
    assert!(minted.ends_with("(sent 1)\n") && !server.log().contains("addPassword"), "{minted}");
    gate.finish();
}

#[test]
fn a_denied_change_never_arrives_and_is_the_clients_own_error() {
    let Some(server) = server() else { return };
    let gate = gate(&server);
    let token = gate.bearer("served", "carol", "person");
    let none = BTreeMap::new();
    for what in ["group", "member"] {
        let answer = asked(&gate, &token, what, &none);
        assert!(answer.starts_with("ODataError 403 Authorization_RequestDenied: "), "{answer}");
        // It is sent once: the client takes it for what will not be otherwise.
        assert!(answer.ends_with("(sent 1)\n"), "{answer}");
    }
    assert_eq!(asked(&gate, &token, "check", &none), "11111111-2222-4333-8444-555555555555 (sent 1)\n");
    assert!(!server.log().contains("POST /v1.0/groups"), "{}", server.log());
    gate.finish();
}
