//! `ordain freeze` and `ordain exception` as somebody uses them at night: what is in force, begun and ended.
//!
//! Leaves out when something comes round (`rules/src/calendar/tests.rs`).

use std::fs;

use expect_test::{Expect, expect};

use crate::harness::{Gate, Setup, said};

const WHEN: &str = "apiVersion: ordain/v1
kind: Freeze
metadata: {name: year-end}
spec:
  from: 2020-12-20T00:00
  until: 2021-01-02T00:00
  timeZone: Europe/Berlin
  why: nobody is there
  owner: platform
---
apiVersion: ordain/v1
kind: Window
metadata: {name: always}
spec: {from: 2020-01-01T00:00:00Z, until: 2999-01-01T00:00:00Z, why: any time, covers: {owners: [platform]}}
---
apiVersion: ordain/v1
kind: Exception
metadata: {name: move}
spec:
  lifts: [outside-window]
  actors: [robot]
  covers: {owners: [platform]}
  owner: platform
  approvedBy: mallory
  why: the host moves
  from: 2020-12-01T00:00:00Z
  until: 2020-12-31T00:00:00Z
";

fn gate() -> Gate {
    let mut setup = Setup::default();
    setup.model.push(("when.yaml", WHEN.to_owned()));
    Gate::start(setup)
}

/// What a verb says; the gate's folder, which differs each time, is named instead.
fn told(gate: &Gate, arguments: &[&str], expected: Expect) {
    let output = gate.run(arguments);
    let folder = gate.folder.path().display().to_string();
    let text = said(&output).replace(&folder, "FOLDER");
    expected.assert_eq(&format!("{text}exit {}", output.status.code().unwrap()));
}

#[test]
fn what_holds_for_a_time_is_listed() {
    let gate = gate();
    told(&gate, &["freeze", "list"], expect![[r#""#]]);
    told(&gate, &["freeze", "list", "-o", "json"], expect![[r#""#]]);
    told(&gate, &["exception", "list"], expect![[r#""#]]);
    told(&gate, &["exception", "list", "-o", "yaml"], expect![[r#""#]]);
    told(&gate, &["model", "lint", "--only", "over", "--only", "due"], expect![[r#""#]]);
    gate.finish();
}

#[test]
fn a_freeze_is_begun_and_ended_by_one_command() {
    let gate = gate();
    let freeze = |rest: &[&str], expected| told(&gate, &[&["freeze"], rest].concat(), expected);
    let start = ["start", "incident-7", "--from", "2026-01-01T00:00:00Z", "--until", "2999-01-01T00:00:00Z"];
    let why = ["--why", "we look: \"why\"", "--owned-by", "platform", "--owner", "platform"];
    freeze(&[&start[..], &why].concat(), expect![[r#""#]]);
    let file = gate.folder.path().join("model/freeze-incident-7.yaml");
    expect![[r#""#]].assert_eq(&fs::read_to_string(&file).unwrap());
    freeze(&[&start[..], &why].concat(), expect![[r#""#]]);
    freeze(&["list"], expect![[r#""#]]);
    freeze(&["end", "incident-7"], expect![[r#""#]]);
    assert!(!file.exists());
    freeze(&["end", "incident-7"], expect![[r#""#]]);
    // One that stands with others in a file is taken out of it.
    freeze(&["end", "year-end"], expect![[r#""#]]);
    let rest = fs::read_to_string(gate.folder.path().join("model/when.yaml")).unwrap();
    assert_eq!(rest, WHEN.split_once("---\n").unwrap().1);
    let recorded = gate.ledger().texts().join("\n");
    for said in ["freeze `incident-7` from", "end freeze `incident-7` of", "end freeze `year-end` of `when.yaml`"] {
        assert!(recorded.contains(said), "{recorded}");
    }
    gate.finish();
}

#[test]
fn a_freeze_that_is_written_wrongly_is_not_begun() {
    let gate = gate();
    let freeze = |rest: &[&str], expected| told(&gate, &[&["freeze", "start"], rest].concat(), expected);
    freeze(&["a/b", "--for", "2h", "--why", "w"], expect![[r#""#]]);
    freeze(&["a", "--for", "soon", "--why", "w"], expect![[r#""#]]);
    freeze(&["a", "--why", "w"], expect![[r#""#]]);
    freeze(&["a", "--for", "2h", "--why", "w", "--owner", "platfrom"], expect![[r#""#]]);
    freeze(&["a", "--until", "2001-01-01T00:00:00Z", "--why", "w"], expect![[r#""#]]);
    let output = gate.run(&["freeze", "start", "a", "--for", "2h", "--why", "w", "--environment", "prdo"]);
    assert!(said(&output).contains("nothing that the model knows lies in what it covers"), "{}", said(&output));
    gate.finish();
}
