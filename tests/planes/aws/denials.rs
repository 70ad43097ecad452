//! Every SDK must take a denial for its service's own access-denied error: raise it, show the sentence and the
//! decision, and not try again.
//!
//! Leaves out why something is denied.

use std::process::Command;

use super::clients::{before_moto, needed, run, script};
use crate::harness::{Gate, Setup};

#[test]
fn boto3_raises_access_denied_once_in_every_protocol() {
    let gate = before_moto(Setup::default());
    let key = gate.key("mallory").clone();
    let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
    command.arg(script("denied.py")).arg(format!("http://{}", gate.address));
    let said = run(&mut command, &key.id, &key.secret);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 9, "one line a protocol: {said}");
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
