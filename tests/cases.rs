//! `ordain test` as somebody uses it in a build: cases that hold and do not, files that are not right, and what the ledger
//! holds as cases.
//!
//! Leaves out what is judged how (`rules/tests/judge`).

use std::fs;
use std::path::Path;

use expect_test::{Expect, expect};

use crate::harness::{Gate, Sent, Setup, a_change, said};

const CASES: &str = r#"- name: somebody else ends no host
  actor: {name: mallory}
  account: "123456789012"
  request: |
    POST / HTTP/1.1
    Host: ec2.eu-west-1.amazonaws.com
    Content-Type: application/x-www-form-urlencoded

    Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-0123456789abcdef0
  expect: {verdict: deny, reasons: [not_owner], not_reasons: [owner_changes_own], owners: [platform]}
- name: alice starts <one> & looks
  actor: {name: alice}
  upstream: default
  region: eu-west-1
  operation: ec2:StartInstances
  access: update
  resources: [{type: "ec2:instance", identifiers: {InstanceId: i-0123456789abcdef0}}]
  parameters: {InstanceId: [i-0123456789abcdef0]}
  expect: {verdict: admit, reasons: [owner_changes_own]}
"#;

fn gate() -> Gate {
    Gate::start(Setup::default())
}

/// Writes the cases beside the model, runs the verb, and holds what it says against what is expected.
fn told(gate: &Gate, cases: &str, arguments: &[&str], expected: &Expect) {
    let folder = gate.folder.path();
    fs::create_dir_all(folder.join("tests")).unwrap();
    fs::write(folder.join("tests/a.cases.yaml"), cases).unwrap();
    let output = gate.run(&[&["test"], arguments].concat());
    let text = said(&output).replace(&folder.display().to_string(), "FOLDER");
    expected.assert_eq(&format!("{text}exit {}", output.status.code().unwrap()));
}

#[test]
fn cases_that_are_judged_as_expected_are_listed() {
    let gate = gate();
    told(
        &gate,
        CASES,
        &[],
        &expect![[r#"
             CASE                        EXPECTED  SAID   BECAUSE OF
         ok  somebody else ends no host  deny      deny   not_owner
         ok  alice starts <one> & looks  admit     admit  owner_changes_own, reach_unknown

        2 of 2 cases are judged as expected
        exit 0"#]],
    );
    gate.finish();
}

#[test]
fn a_case_that_is_judged_otherwise_is_told_with_all_that_was_said() {
    let cases = CASES
        .replace(
            "{verdict: admit, reasons: [owner_changes_own]}",
            "{verdict: hold, reasons: [frozen], owners: []}",
        )
        .replace("not_reasons: [owner_changes_own]", "not_reasons: [not_owner]");
    let gate = gate();
    let junit = gate.folder.path().join("junit.xml");
    told(
        &gate,
        &cases,
        &["--junit", junit.to_str().unwrap()],
        &expect![[r#"
                 CASE                        EXPECTED  SAID   BECAUSE OF
         FAILED  somebody else ends no host  deny      deny   not_owner
         FAILED  alice starts <one> & looks  hold      admit  owner_changes_own, reach_unknown

        FOLDER/tests/a.cases.yaml:1: somebody else ends no host
          not a reason: not_owner
          said: deny, of platform
            deny not_owner: `arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0` belongs to `platform`, for which `mallory` does not act; ask `platform` to make the change
            admit reach_unknown: what depends on `arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0` is not known

        FOLDER/tests/a.cases.yaml:11: alice starts <one> & looks
          expected: hold
          expected reason: frozen
          expected owners: none
          said: admit, of platform
            admit owner_changes_own: `alice` acts for `platform`, which owns `i-0123456789abcdef0`
            admit reach_unknown: what depends on `i-0123456789abcdef0` is not known

        0 of 2 cases are judged as expected
        exit 1"#]],
    );
    let text =
        fs::read_to_string(junit).unwrap().replace(&gate.folder.path().display().to_string(), "FOLDER");
    let times = text.split(" time=\"").map(|part| match part.split_once('"') {
        Some((time, rest)) if time.parse::<f64>().is_ok() => format!(" time=\"…\"{rest}"),
        _ => part.to_owned(),
    });
    let text: String = times.collect();
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="ordain" tests="2" failures="2" errors="0">
          <testsuite name="FOLDER/tests/a.cases.yaml" tests="2" failures="2" errors="0" time="…">
            <testcase name="somebody else ends no host" classname="FOLDER/tests/a.cases.yaml" file="FOLDER/tests/a.cases.yaml" line="1" time="…">
              <failure message="not a reason: not_owner" type="verdict">not a reason: not_owner
        said: deny, of platform
          deny not_owner: `arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0` belongs to `platform`, for which `mallory` does not act; ask `platform` to make the change
          admit reach_unknown: what depends on `arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0` is not known</failure>
            </testcase>
            <testcase name="alice starts &lt;one&gt; &amp; looks" classname="FOLDER/tests/a.cases.yaml" file="FOLDER/tests/a.cases.yaml" line="11" time="…">
              <failure message="expected: hold; expected reason: frozen; expected owners: none" type="verdict">expected: hold
        expected reason: frozen
        expected owners: none
        said: admit, of platform
          admit owner_changes_own: `alice` acts for `platform`, which owns `i-0123456789abcdef0`
          admit reach_unknown: what depends on `i-0123456789abcdef0` is not known</failure>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&text);
    let output = gate.run(&["-o", "json", "test"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["cases"], &report["failed"]), (&2.into(), &2.into()));
    assert_eq!(report["results"][1]["differs"][0], "expected: hold");
    assert_eq!(output.status.code(), Some(1));
    gate.finish();
}

/// What to write wrong in the cases, each by itself.
const WRONG: [(&str, &str); 14] = [
    ("not_reasons:", "not_reason:"),
    ("  upstream: default", "  upstream: defaul"),
    ("verdict: deny", "verdict: denied"),
    ("{name: mallory}", "{name: mallory, kind: human}"),
    ("  account: \"123456789012\"\n", ""),
    ("\"123456789012\"", "\"12\""),
    ("POST / HTTP/1.1", "POST /"),
    ("ec2.eu-west-1.amazonaws.com", "management.azure.com"),
    ("access: update", "access: write"),
    ("  access: update\n", ""),
    (", identifiers: {InstanceId: i-0123456789abcdef0}", ""),
    ("[i-0123456789abcdef0]}", "{$of: host}}"),
    ("  operation: ec2:StartInstances\n", "  decision: x\n  operation: ec2:StartInstances\n"),
    ("alice starts <one> & looks", "somebody else ends no host"),
];

#[test]
fn what_is_not_right_in_a_file_is_told_with_its_place_and_nothing_is_judged() {
    let gate = gate();
    let folder = gate.folder.path().join("tests");
    fs::create_dir(&folder).unwrap();
    let told = WRONG.map(|(from, to)| {
        assert!(CASES.contains(from), "{from}");
        fs::write(folder.join("a.cases.yaml"), CASES.replacen(from, to, 1)).unwrap();
        let output = gate.run(&["test"]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", said(&output));
        let text = said(&output).replace(&folder.display().to_string(), "FOLDER");
        text.strip_prefix("error: no case was judged:\nFOLDER/").unwrap_or(&text).to_owned()
    });
    expect![[r#"
        a.cases.yaml:10: in `.[0].expect`: unknown key `not_reason`; did you mean `not_reasons`
        a.cases.yaml:13: there is no upstream `defaul`; did you mean `default`
        a.cases.yaml:10: unknown verdict `denied`; did you mean `deny`
        a.cases.yaml:2: unknown actor kind `human`; known here are `person`, `pipeline`, `agent`
        a.cases.yaml:1: it says no account; give `account`, or an `upstream` that has one
        a.cases.yaml:3: `account` is `12`; give the twelve digits of an AWS account, in quotes
        a.cases.yaml:4: the text is not an HTTP request; give request line, headers, an empty line, body
        a.cases.yaml:4: the request is of the plane `azure`, and not of `aws`; say so in `plane`, or name its `upstream`
        a.cases.yaml:16: unknown access `write`; known here are `read`, `create`, `update`, `delete`, `grant`, `expose`, `execute`, `tag`, `secret_read`
        a.cases.yaml:15: `ec2:StartInstances` says no `access`; give the class of what it does, for example `access: delete`
        a.cases.yaml:17: a resource of type `ec2:instance` has no name; give `name` or `identifiers`
        a.cases.yaml:18: `InstanceId` has the unknown key `$of`; known here are `$secret`, `$number`
        a.cases.yaml:11: a case asks for one thing; give one of `request`, `operation` and `decision`
        a.cases.yaml:11: there are two cases `somebody else ends no host`; give each a name of its own
    "#]].assert_eq(&told.concat());
    gate.finish();
}

#[test]
fn nothing_to_judge_is_no_success() {
    let gate = gate();
    told(
        &gate,
        "[]",
        &[],
        &expect![[r#"
        error: no case was judged:
        FOLDER/tests/a.cases.yaml:1: there is no case in it; write one, or remove the file
        exit 2"#]],
    );
    told(
        &gate,
        CASES,
        &["tests-that-are-not"],
        &expect![[r#"
        error: there is nothing at `tests-that-are-not`; give files of cases, or a folder of them
        exit 2"#]],
    );
    let model = gate.folder.path().join("model");
    told(
        &gate,
        CASES,
        &[model.to_str().unwrap()],
        &expect![[r#"
        error: `FOLDER/model` holds no `*.cases.yaml`; write one
        exit 2"#]],
    );
    told(
        &gate,
        CASES,
        &["--model", "nowhere"],
        &expect![[r#"
        error: there is no model in `nowhere`; name its folder
        exit 2"#]],
    );
    told(
        &gate,
        "- {name: x, decision: y, expect: {verdict: deny}}",
        &[],
        &expect![[r#"
        error: FOLDER/tests/a.cases.yaml:1: the ledger holds no decision `y`; see `ordain ledger query`
        exit 2"#]],
    );
    told(
        &gate,
        "- {name: x, decision: y, at: 2026-01-31T18:00:00Z, expect: {verdict: deny}}",
        &[],
        &expect![[r#"
            error: no case was judged:
            FOLDER/tests/a.cases.yaml:1: a recorded decision has its own `at`; remove it
            exit 2"#]],
    );
    gate.finish();
}

#[test]
fn a_case_says_its_time_where_times_matter() {
    let mut setup = Setup::default();
    let freeze = "apiVersion: ordain/v1\nkind: Freeze\nmetadata: {name: feast}\nspec: {from: 2026-12-24T00:00:00Z, \
                  until: 2026-12-27T00:00:00Z, why: nobody is there}\n";
    setup.model.push(("freeze.yaml", freeze.to_owned()));
    let gate = Gate::start(setup);
    told(
        &gate,
        CASES,
        &[],
        &expect![[r#"
        error: no case was judged:
        FOLDER/tests/a.cases.yaml:1: the model has freezes, windows or exceptions; say in `at` when it is asked for
        FOLDER/tests/a.cases.yaml:11: the model has freezes, windows or exceptions; say in `at` when it is asked for
        exit 2"#]],
    );
    let at = |time: &str| CASES.replace("  actor:", &format!("  at: {time}\n  actor:"));
    told(
        &gate,
        &at("2026-12-25T00:00:00Z"),
        &[],
        &expect![[r#"
                 CASE                        EXPECTED  SAID  BECAUSE OF
         ok      somebody else ends no host  deny      deny  frozen, not_owner
         FAILED  alice starts <one> & looks  admit     deny  frozen

        FOLDER/tests/a.cases.yaml:12: alice starts <one> & looks
          expected: admit
          said: deny, of platform
            deny frozen: `i-0123456789abcdef0` is frozen: nobody is there (`feast` until 2026-12-27T00:00:00Z); wait until the freeze ends, or ask `platform` for break-glass
            admit owner_changes_own: `alice` acts for `platform`, which owns `i-0123456789abcdef0`
            admit reach_unknown: what depends on `i-0123456789abcdef0` is not known

        1 of 2 cases are judged as expected
        exit 1"#]],
    );
    told(
        &gate,
        &at("2026-12-27T00:00:00Z"),
        &[],
        &expect![[r#"
             CASE                        EXPECTED  SAID   BECAUSE OF
         ok  somebody else ends no host  deny      deny   not_owner
         ok  alice starts <one> & looks  admit     admit  owner_changes_own, reach_unknown

        2 of 2 cases are judged as expected
        exit 0"#]],
    );
    gate.finish();
}

/// What a gate decided is written down as cases, and each is judged as it was.
#[test]
fn decisions_of_the_ledger_are_cases() {
    let gate = gate();
    let acl = Sent {
        headers: vec![("x-amz-acl", "public-read".to_owned())],
        ..Sent::s3("PUT", "/carts/one?acl", b"")
    };
    let iam = Sent::form(
        "iam",
        "Action=AttachRolePolicy&Version=2010-05-08&RoleName=deploy&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess",
    );
    let table = Sent {
        service: "dynamodb",
        method: "POST",
        target: "/".to_owned(),
        headers: vec![
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target", "DynamoDB_20120810.UpdateTable".to_owned()),
        ],
        body: br#"{"TableName":"carts","ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5},"DeletionProtectionEnabled":false}"#.to_vec(),
    };
    let launch =
        Sent::ec2("RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken=t&UserData=c2VjcmV0");
    let unread = Sent::ec2("NoSuchCall&InstanceId.1=i-1");
    for actor in ["alice", "robot", "mallory"] {
        for sent in [&a_change(1), &acl, &iam, &table, &launch, &unread] {
            gate.client(actor).send(sent);
        }
    }
    let decisions: Vec<String> = gate
        .ledger()
        .refresh()
        .iter()
        .filter(|entry| entry.is_decision())
        .map(|entry| entry.text("id").to_owned())
        .collect();
    assert!(decisions.len() >= 18, "{}", decisions.len());
    let (mut cases, mut by_name) = (String::new(), 0);
    for id in &decisions {
        let output = gate.run(&["test", "--record", id]);
        assert!(output.status.success(), "{}", said(&output));
        let case = String::from_utf8(output.stdout).unwrap();
        by_name += usize::from(case.contains("decision: "));
        cases.push_str(&case);
    }
    // Only what could not be read has nothing to be written down.
    assert_eq!(by_name, 3, "{cases}");
    assert!(!cases.contains("c2VjcmV0"), "{cases}");
    fs::create_dir(gate.folder.path().join("tests")).unwrap();
    fs::write(gate.folder.path().join("tests/recorded.cases.yaml"), cases).unwrap();
    let output = gate.run(&["test"]);
    let told = said(&output);
    assert!(
        told.ends_with(&format!("\n{0} of {0} cases are judged as expected\n", decisions.len())),
        "{told}"
    );
    assert!(output.status.success(), "{told}");
    let none = gate.run(&["test", "--record", "0"]);
    assert_eq!(
        (none.status.code(), said(&none).contains("holds no decision `0`")),
        (Some(2), true),
        "{}",
        said(&none)
    );
    gate.finish();
}

/// The example beside the recipe, by its people alone.
#[test]
fn the_cases_of_the_little_company_hold() {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/recipes/try");
    let people = fs::read_to_string(recipe.join("people.yaml")).unwrap();
    let gate = Gate::start(Setup { model: vec![("people.yaml", people)], ..Setup::default() });
    let output = gate.run(&["test", recipe.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    gate.finish();
}
