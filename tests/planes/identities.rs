//! The libraries of Azure and Google find an issued token where they look for the identity of a machine.
//!
//! Leaves out what the token is good for (each plane's own tests).

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::harness::{Gate, eventually, said};
use crate::isolated;
use crate::planes::served;

/// A gate of that plane, and the variables that are printed for a client of `alice`. Nothing is asked of its upstream.
fn gate(plane: &'static str) -> (Gate, BTreeMap<String, String>) {
    let gate = served::gate_alone(plane, "http://127.0.0.1:9", "{ token_file = {token} }", "enforce");
    let asked = ["-o", "json", "env", "--upstream", "served", "--actor", "alice", "--kind", "person"];
    let printed = gate.run(&asked);
    let variables: BTreeMap<String, String> =
        serde_json::from_slice(&printed.stdout).unwrap_or_else(|_| panic!("{}", said(&printed)));
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    (gate, variables)
}

/// What a vendor's library says with these variables and no others of its own.
fn library(which: &str, variables: &BTreeMap<String, String>) -> Option<String> {
    let python = served::python()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/identity.py");
    let mut command = Command::new("timeout");
    command.arg("60").arg(python).arg(script).arg(which).env("HOME", "/nonexistent").envs(variables);
    Some(said(&command.output().unwrap()))
}

/// The status of a `GET` of the admin address, with these lines in its head.
fn asked(gate: &Gate, path: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(gate.admin).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\n{head}connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

#[test]
fn google_auth_finds_the_token_at_a_metadata_server() {
    let (gate, variables) = gate("gcp");
    let Some(found) = library("google", &variables) else { return gate.finish() };
    assert_eq!(found, format!("acme {}\n", variables["ORDAIN_TOKEN"]));
    let path = |token: &str| {
        format!("/v1/identity/google/{token}/computeMetadata/v1/instance/service-accounts/default/token")
    };
    let own = path(&variables["ORDAIN_TOKEN"]);
    let host = format!("host: {}\r\n", gate.admin);
    let flavor = "metadata-flavor: Google\r\n";
    assert_eq!(asked(&gate, &own, &format!("{host}{flavor}")), "200");
    // A page of a browser cannot say that it asks on purpose, and names another host.
    assert_eq!(asked(&gate, &own, &host), "403");
    assert_eq!(asked(&gate, &own, &format!("host: rebound.example\r\n{flavor}")), "403");
    assert_eq!(asked(&gate, &own, &format!("{host}{flavor}origin: https://a.example\r\n")), "403");
    assert_eq!(asked(&gate, &path("ordain.TKOR.x"), &format!("{host}{flavor}")), "403");
    assert_eq!(asked(&gate, &own.replace("/token", "/identity"), &format!("{host}{flavor}")), "404");
    gate.finish();
}

#[test]
fn azure_identity_finds_the_token_as_a_managed_identitys() {
    let (gate, variables) = gate("azure");
    let Some(found) = library("azure", &variables) else { return gate.finish() };
    assert_eq!(found, format!("{}\n", variables["ORDAIN_TOKEN"]));
    let head = |token: &str| format!("host: {}\r\nx-identity-header: {token}\r\n", gate.admin);
    let path = "/v1/identity/azure?resource=x&api-version=2019-08-01";
    assert_eq!(asked(&gate, path, &head(&variables["ORDAIN_TOKEN"])), "200");
    assert_eq!(asked(&gate, path, &head("ordain.TKOR.x")), "403");
    assert_eq!(asked(&gate, path, &format!("host: {}\r\n", gate.admin)), "401");
    // A token of one plane is none of another's.
    let other = format!("/v1/identity/google/{}/", variables["ORDAIN_TOKEN"]);
    let flavored = format!("host: {}\r\nmetadata-flavor: Google\r\n", gate.admin);
    assert_eq!(asked(&gate, &other, &flavored), "403");
    gate.finish();
}

/// Where a program is isolated, this and the data address are all that it reaches.
#[test]
fn an_isolated_program_is_given_its_token_where_its_plane_asks() {
    if !*isolated::WORKS {
        return;
    }
    let asks = [
        (
            "azure",
            "curl -s -H \"x-identity-header: $IDENTITY_HEADER\" \"$IDENTITY_ENDPOINT?resource=x&api-version=2019-08-01\"",
        ),
        (
            "gcp",
            "curl -s -H 'metadata-flavor: Google' \
             \"http://$GCE_METADATA_HOST/computeMetadata/v1/instance/service-accounts/default/token\"",
        ),
    ];
    for (plane, asks) in asks {
        let gate = served::gate_alone(plane, "http://127.0.0.1:9", "{ token_file = {token} }", "enforce");
        let words = format!(
            "{asks} | grep -c \"$ORDAIN_TOKEN\"; curl -s -o /dev/null -w '%{{http_code}} ' http://{}/v1/status; \
             curl -s -o /dev/null -w '%{{http_code}}' http://{}/healthz",
            gate.admin, gate.address
        );
        let run = [
            "run",
            "--actor",
            "robot",
            "--on-behalf-of",
            "person:alice",
            "--upstream",
            "served",
            "--isolate",
        ];
        eventually("the gate knows its upstreams", || gate.log().contains("served"));
        let ran = gate.run(&[&run[..], &["--", "sh", "-c", &words]].concat());
        assert!(said(&ran).starts_with("1\n403 "), "{plane}: {}", said(&ran));
        gate.finish();
    }
}

/// What is set for clients is no setting of the gate's that is misspelt.
#[test]
fn a_gate_starts_where_a_clients_variables_are_set() {
    let gate = served::gate_alone("azure", "http://127.0.0.1:9", "{ token_file = {token} }", "enforce");
    let known = gate.run_in(&[("ORDAIN_TOKEN", "x")], &["validate"]);
    assert!(known.status.success(), "{}", said(&known));
    let unknown = gate.run_in(&[("ORDAIN_TOKENS", "x")], &["validate"]);
    assert!(said(&unknown).contains("ORDAIN_TOKENS"), "{}", said(&unknown));
    gate.finish();
}
