//! Stacks of a real client through the gate: what a template makes is judged as if it were asked for by itself.
//!
//! Leaves out how each type is read, which the room's own cases show.

use std::process::Command;

use serde_json::Value;

use super::clients::{before_moto, needed, run, script};
use crate::harness::Setup;

/// What each step of the client's came to, asked by somebody.
fn said(actor: &str) -> Vec<(String, Value)> {
    let gate = before_moto(Setup::default());
    let key = gate.key(actor).clone();
    let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
    let prefix = format!("{actor}{}", std::process::id());
    command.arg(script("stacks.py")).arg(format!("http://{}", gate.address)).arg(&prefix);
    let said = run(&mut command, &key.id, &key.secret);
    gate.finish();
    let step = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("the client prints JSON lines");
        (line["step"].as_str().unwrap_or_default().to_owned(), line["told"].clone())
    };
    said.lines().map(step).collect()
}

#[test]
fn a_person_makes_what_is_hers_and_opens_nothing_by_a_template() {
    let said = said("alice");
    let of = |step: &str| -> Vec<&Value> {
        said.iter().filter(|(name, _)| name == step).map(|(_, told)| told).collect()
    };
    assert_eq!(of("made"), [&Value::Bool(true)], "{said:?}");
    assert_eq!(of("updated"), [&Value::Bool(true)], "{said:?}");
    let seconds: Vec<&Value> = of("queue").iter().map(|told| &told["VisibilityTimeout"]).collect();
    assert_eq!(seconds, ["30", "45"], "{said:?}");
    assert_eq!(of("changed"), [&Value::from(1)], "{said:?}");
    assert_eq!(of("role"), [&Value::Bool(true)], "{said:?}");
    // The gates on what a policy or a rule would open hold for templates as for the services' own operations.
    assert_eq!(of("open"), ["AccessDenied"], "{said:?}");
    assert_eq!(of("admin"), ["AccessDenied"], "{said:?}");
}

#[test]
fn an_agent_grants_nothing_by_a_template() {
    let said = said("robot");
    let of = |step: &str| -> Vec<&Value> {
        said.iter().filter(|(name, _)| name == step).map(|(_, told)| told).collect()
    };
    // A queue is what an agent of its owners may make; what stands in the stack already, it may not set to work.
    assert_eq!(of("made"), [&Value::Bool(true)], "{said:?}");
    for step in ["updated", "changed", "role", "open", "admin", "role by update"] {
        assert_eq!(of(step), ["AccessDenied"], "{step}: {said:?}");
    }
    assert!(of("deleted").iter().all(|told| *told == "AccessDenied"), "{said:?}");
}
