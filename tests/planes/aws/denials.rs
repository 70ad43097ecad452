//! Every SDK must take a denial for its service's own access-denied error: raise it, show the sentence and the
//! decision, and not try again.
//!
//! Leaves out why something is denied.

use std::process::Command;

use super::clients::{before_moto, needed, run, script};
use crate::harness::{Gate, Setup};

/// What tells the protocols apart on the wire; XML and forms come to their own services.
const FORMS: [&str; 3] = ["application/x-amz-json-1.0", "application/x-amz-json-1.1", "rpc-v2-cbor"];

/// Runs a client that asks for one change a protocol, and checks how it takes each denial.
fn check(calls: usize, client: impl Fn(&str) -> Command) {
    let gate = before_moto(Setup::default());
    let key = gate.key("mallory").clone();
    let said = run(&mut client(&format!("http://{}", gate.address)), &key.id, &key.secret);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), calls, "one line a call: {said}");
    for line in lines {
        let denied: serde_json::Value = serde_json::from_str(line).expect("one JSON object a line");
        assert_eq!(denied["attempts"], 1, "it was tried again: {line}");
        assert_eq!(denied["status"], 403, "{line}");
        let code = denied["code"].as_str().unwrap_or_default();
        assert!(
            code.contains("AccessDenied") || code == "UnauthorizedOperation" || code == "AuthorizationError",
            "{line}"
        );
        let message = denied["message"].as_str().unwrap_or_default();
        assert!(message.contains("mallory") && message.contains("is not authorized to perform"), "{line}");
        let decision = denied["decision"].as_str().unwrap_or_default();
        assert!(!decision.is_empty() && message.contains(decision), "{line}");
    }
    for form in FORMS {
        assert!(said.contains(form), "no call went out as {form}: {said}");
    }
    // The client's own count of its tries is the client's: the gate has one, too.
    let mut ledger = gate.ledger();
    let refused = ledger.refresh().iter().filter(|entry| entry.text("effect") == "refused").count();
    assert_eq!(refused, calls, "the gate was asked once for each");
    gate.finish();
}

/// What clients send without a signature has no proven caller: the error must be their own, and say what to do.
#[test]
fn boto3_is_told_what_to_do_in_place_of_an_unsigned_call() {
    let gate = Gate::start(Setup { mode: "shadow", ..Setup::default() });
    let key = gate.key("alice").clone();
    let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
    command.arg(script("unsigned.py")).arg(format!("http://{}", gate.address));
    let said = run(&mut command, &key.id, &key.secret);
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect();
    assert_eq!(lines.len(), 4, "one line a call: {said}");
    for line in &lines {
        assert_eq!((&line["status"], &line["attempts"]), (&403.into(), &1.into()), "{line}");
        assert_eq!(line["reason"], "missing_authentication", "{line}");
        let code = line["code"].as_str().unwrap_or_default();
        assert!(code.starts_with("MissingAuthenticationToken"), "{line}");
        let message = line["message"].as_str().unwrap_or_default();
        assert!(message.contains("ordain key create"), "{line}");
    }
    gate.finish();
}

#[test]
fn boto3_raises_access_denied_once_in_every_protocol() {
    check(11, |endpoint| {
        let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
        command.arg(script("denied.py")).arg(endpoint);
        command
    });
}

#[test]
fn the_javascript_sdk_raises_access_denied_once_in_every_protocol() {
    check(10, |endpoint| {
        let mut command = Command::new("node");
        command.arg(script("denied.mjs")).arg(endpoint);
        command
    });
}
