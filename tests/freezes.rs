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
    told(
        &gate,
        &["freeze", "list"],
        expect![[r#"
         WHAT    NAME      WHEN                             COVERS          THINGS  OWNER     WHY
         window  always    open until 2999-01-01T00:00:00Z  owner platform  0                 any time
         freeze  year-end  over                             everything      0       platform  nobody is there
        exit 0"#]],
    );
    told(
        &gate,
        &["freeze", "list", "-o", "json"],
        expect![[r#"
        [
          {
            "what": "window",
            "name": "always",
            "in_force": true,
            "begins": null,
            "ends": "2999-01-01T00:00:00Z",
            "covers": "owner platform",
            "things": 0,
            "owner": "",
            "why": "any time"
          },
          {
            "what": "freeze",
            "name": "year-end",
            "in_force": false,
            "begins": null,
            "ends": null,
            "covers": "",
            "things": 0,
            "owner": "platform",
            "why": "nobody is there"
          }
        ]
        exit 0"#]],
    );
    told(
        &gate,
        &["exception", "list"],
        expect![[r#"
         NAME  WHEN  LIFTS           FOR    COVERS          OWNER     APPROVED BY  WHY
         move  over  outside-window  robot  owner platform  platform  mallory      the host moves
        exit 0"#]],
    );
    told(
        &gate,
        &["exception", "list", "-o", "yaml"],
        expect![[r#"
        - name: move
          in_force: false
          begins: null
          ends: null
          lifts:
          - outside-window
          holders:
          - robot
          covers: owner platform
          owner: platform
          approved_by: mallory
          why: the host moves
        exit 0"#]],
    );
    told(
        &gate,
        &["model", "lint", "--only", "over", "--only", "due"],
        expect![[r#"
         WRONG  ABOUT            WHAT TO DO
         over   exception move   it has expired, and lifts nothing more; `platform` should remove it
         over   freeze year-end  it is never in force again; remove it
        exit 1"#]],
    );
    gate.finish();
}

#[test]
fn a_freeze_is_begun_and_ended_by_one_command() {
    let gate = gate();
    let freeze = |rest: &[&str], expected| told(&gate, &[&["freeze"], rest].concat(), expected);
    let start = ["start", "incident-7", "--from", "2026-01-01T00:00:00Z", "--until", "2999-01-01T00:00:00Z"];
    let why = ["--why", "we look: \"why\"", "--owned-by", "platform", "--owner", "platform"];
    freeze(
        &[&start[..], &why].concat(),
        expect![[r#"
        frozen by `incident-7` until 2999-01-01T00:00:00Z; `ordain freeze end incident-7` ends it
        nothing that the model knows lies in what it covers; look whether the names are right
        exit 0"#]],
    );
    let file = gate.folder.path().join("model/freeze-incident-7.yaml");
    expect![[r#"
        apiVersion: ordain/v1
        kind: Freeze
        metadata:
          name: incident-7
        spec:
          from: 2026-01-01T00:00:00Z
          until: 2999-01-01T00:00:00Z
          why: 'we look: "why"'
          owner: platform
          covers:
            owners:
            - platform
    "#]]
    .assert_eq(&fs::read_to_string(&file).unwrap());
    freeze(
        &[&start[..], &why].concat(),
        expect![[r#"
        error: there is a freeze `incident-7` in `freeze-incident-7.yaml` already; end it first, or give another name
        exit 2"#]],
    );
    freeze(
        &["list"],
        expect![[r#"
         WHAT    NAME        WHEN                                 COVERS          THINGS  OWNER     WHY
         freeze  incident-7  in force until 2999-01-01T00:00:00Z  owner platform  0       platform  we look: "why"
         window  always      open until 2999-01-01T00:00:00Z      owner platform  0                 any time
         freeze  year-end    over                                 everything      0       platform  nobody is there
        exit 0"#]],
    );
    freeze(
        &["end", "incident-7"],
        expect![[r#"
        freeze `incident-7` is ended
        exit 0"#]],
    );
    assert!(!file.exists());
    freeze(
        &["end", "incident-7"],
        expect![[r#"
        error: there is no freeze `incident-7`; `ordain freeze list` lists those there are
        exit 2"#]],
    );
    // One that stands with others in a file is taken out of it.
    freeze(
        &["end", "year-end"],
        expect![[r#"
        freeze `year-end` is ended
        exit 0"#]],
    );
    let rest = fs::read_to_string(gate.folder.path().join("model/when.yaml")).unwrap();
    assert_eq!(rest, WHEN.split_once("---\n").unwrap().1);
    let recorded = gate.ledger().texts().join("\n");
    for said in
        ["freeze `incident-7` from", "end freeze `incident-7` of", "end freeze `year-end` of `when.yaml`"]
    {
        assert!(recorded.contains(said), "{recorded}");
    }
    gate.finish();
}

#[test]
fn a_freeze_that_is_written_wrongly_is_not_begun() {
    let gate = gate();
    let freeze = |rest: &[&str], expected| told(&gate, &[&["freeze", "start"], rest].concat(), expected);
    freeze(
        &["a/b", "--for", "2h", "--why", "w"],
        expect![[r#"
        error: invalid value 'a/b' for '<NAME>': a name has letters, digits and `-`

        For more information, try '--help'.
        exit 2"#]],
    );
    freeze(
        &["a", "--for", "soon", "--why", "w"],
        expect![[r#"
        error: invalid value 'soon' for '--for <TIME>': give a time such as `4h`

        For more information, try '--help'.
        exit 2"#]],
    );
    freeze(
        &["a", "--why", "w"],
        expect![[r#"
        error: the following required arguments were not provided:
          --until <UNTIL>

        Usage: ordain freeze start --why <WHY> --until <UNTIL> <NAME>

        For more information, try '--help'.
        exit 2"#]],
    );
    freeze(
        &["a", "--for", "2h", "--why", "w", "--owner", "platfrom"],
        expect![[r#"
        nothing was changed: with it the model would not load:
        the model in `FOLDER/model` is not right: freeze-a.yaml:9: group `platfrom` is not declared; did you mean `platform`
        exit 2"#]],
    );
    freeze(
        &["a", "--until", "2001-01-01T00:00:00Z", "--why", "w"],
        expect![[r#"
        nothing was changed: with it the model would not load:
        the model in `FOLDER/model` is not right: freeze-a.yaml:7: freeze `a` ends before it begins; correct `until`
        exit 2"#]],
    );
    let output = gate.run(&["freeze", "start", "a", "--for", "2h", "--why", "w", "--environment", "prdo"]);
    assert!(
        said(&output).contains("nothing that the model knows lies in what it covers"),
        "{}",
        said(&output)
    );
    gate.finish();
}
