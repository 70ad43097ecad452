//! The library of blueprints, each entry against requests as clients send them, read by our own rooms: what is as it should
//! be passes, what is not is told by its parameter.
//!
//! Leaves out what constraints mean (`rules/tests/judge/blueprints/`).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::{Expect, expect};
use jiff::Timestamp;
use ordain_action::{Action, Actor, ActorKind, Digest, IdentityProof, Party, Plane, Reading, Upstream};
use ordain_decode::line::{At, read_request};
use ordain_decode::{Rooms, RoomsConfig};
use ordain_rules::{Counters, LIBRARY, Mode, Modes, Snapshot, Source, judge};

use crate::harness::{Gate, Setup};

const CASES: [(Plane, &str); 4] = [
    (Plane::Aws, include_str!("blueprints/aws.txt")),
    (Plane::Azure, include_str!("blueprints/azure.txt")),
    (Plane::Gcp, include_str!("blueprints/google.txt")),
    (Plane::Kubernetes, include_str!("blueprints/kubernetes.txt")),
];

/// One request: the entry it is for, whether it is as it should be, and what has to be said where it is not.
#[derive(Debug)]
struct Case {
    entry: String,
    wrong: Option<String>,
    line: String,
}

/// Reads cases: `== entry`, then `ok METHOD URL` or `no METHOD URL | what is said`, with headers and, behind an empty line,
/// the body. Members of a form stand in lines of their own.
fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut entry = "";
    for block in text.split("\n\n\n").flat_map(|block| block.split("\n---\n")) {
        let mut block = block.trim_matches('\n');
        while let Some(rest) = block.strip_prefix(['#', '=']) {
            let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
            entry = first.strip_prefix("= ").unwrap_or(entry);
            block = after;
        }
        if block.is_empty() {
            continue;
        }
        let (head, body) = block.split_once("\n\n").unwrap_or((block, ""));
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        let (request, said) =
            first.split_once(" | ").map_or((first, None), |(request, said)| (request, Some(said)));
        let mut words = request.split(' ');
        let (is_ok, method, url) =
            (words.next().unwrap() == "ok", words.next().unwrap(), words.next().unwrap());
        assert_eq!(is_ok, said.is_none(), "{first}");
        let mut headers: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap()).collect();
        let is_form = body.starts_with("Action=");
        if is_form {
            headers.push(("content-type", "application/x-www-form-urlencoded; charset=utf-8"));
        } else if body.starts_with('{') && !headers.iter().any(|(name, _)| *name == "content-type") {
            headers.push(("content-type", "application/json"));
        }
        let body = if is_form { body.replace('\n', "&") } else { body.to_owned() };
        let line = serde_json::json!({
            "id": entry, "method": method, "url": url, "headers": headers, "body_b64": STANDARD.encode(body),
        });
        cases.push(Case { entry: entry.to_owned(), wrong: said.map(str::to_owned), line: line.to_string() });
    }
    cases
}

/// Every entry as it comes, and a person to ask.
fn library() -> Snapshot {
    let mut text = String::from(
        "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: web}\nspec: {type: team, children: []}\n---\n\
         apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: alice}\nspec: {memberOf: [web]}\n",
    );
    for entry in LIBRARY {
        let name = entry.name.replace('/', "-");
        write!(
            text,
            "---\napiVersion: ordain/v1\nkind: Blueprint\nmetadata: {{name: {name}}}\nspec: {{use: {}}}\n",
            entry.name
        )
        .unwrap();
    }
    let sources = [Source { path: "library.yaml".to_owned(), text }];
    Snapshot::load(&sources, Modes::new(Mode::Enforce)).unwrap_or_else(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", all.join("\n"))
    })
}

/// What the blueprint of an entry says of a request.
fn said(snapshot: &Snapshot, rooms: &Rooms, plane: Plane, case: &Case) -> Vec<String> {
    let account = if plane == Plane::Aws { "123456789012" } else { "default" };
    let upstream = Upstream {
        name: "library".into(),
        plane,
        account: account.into(),
        partition: if plane == Plane::Aws { "aws" } else { "" }.into(),
    };
    let at = At { upstream: &upstream, served: plane != Plane::Aws };
    let (_, reading) = read_request(rooms, at, &case.line).unwrap();
    assert!(matches!(reading, Reading::Call(_)), "{case:?} is not read: {reading:?}");
    let actor = Actor {
        party: Party { name: "alice".into(), kind: ActorKind::Person },
        credential: Arc::from(""),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream,
    };
    let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    let judged = judge(snapshot, &Action { actor, reading }, Digest::of(b"request"), &Counters::new(), now);
    let rule = format!("blueprint:{}", case.entry.replace('/', "-"));
    let of_entry =
        judged.verdict.reasons.into_iter().filter(|reason| reason.rules.iter().any(|id| **id == *rule));
    of_entry.map(|reason| format!("{}: {}", reason.code.as_str(), reason.text)).collect()
}

#[test]
fn every_entry_takes_what_is_right_and_says_what_is_wrong() {
    let (snapshot, rooms) = (library(), Rooms::new(RoomsConfig::default()).unwrap());
    let (mut right, mut wrong, mut faults) = (BTreeSet::new(), BTreeSet::new(), String::new());
    for (plane, text) in CASES {
        for case in cases(text) {
            let said = said(&snapshot, &rooms, plane, &case);
            let told = said.join("\n  ");
            let is_as_said = match &case.wrong {
                None => said.is_empty(),
                Some(words) => said.len() == 1 && told.contains(words.as_str()),
            };
            if is_as_said {
                let _ = if case.wrong.is_none() { &mut right } else { &mut wrong }.insert(case.entry);
            } else {
                let Case { entry, wrong, line } = &case;
                writeln!(faults, "{entry} {wrong:?} said\n  {told}\n  of {line}").unwrap();
            }
        }
    }
    for entry in LIBRARY {
        if !right.contains(entry.name) || !wrong.contains(entry.name) {
            writeln!(faults, "{} has no request that passes and one that does not", entry.name).unwrap();
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

const OWN: &str = "apiVersion: ordain/v1
kind: Blueprint
metadata: {name: our-machines}
spec:
  use: aws/ec2-imdsv2
  covers: {owners: [platform]}
  actorKinds: [agent, pipeline]
---
apiVersion: ordain/v1
kind: Blueprint
metadata: {name: ssh-from-inside}
spec:
  why: machines are administered from inside only
  operations: ['ec2:AuthorizeSecurityGroupIngres']
  tags: [team, {key: stage, in: [test, live], optional: true}]
  only: [GroupId]
  parameters:
  - each: IpPermissions
    parameters:
    - path: [IpRanges.CidrIp, Ipv6Ranges.CidrIpv6]
      within: [10.0.0.0/8]
      when: [{path: FromPort, maximum: 22}, {path: ToPort, minimum: 22}]
";

/// What a verb says.
fn check(gate: &Gate, arguments: &[&str], expected: Expect) {
    let output = gate.run(arguments);
    let text = crate::harness::said(&output);
    expected.assert_eq(&format!("{text}exit {}", output.status.code().unwrap()));
}

#[test]
fn blueprints_are_listed_and_shown() {
    let mut setup = Setup::default();
    setup.model.push(("blueprints.yaml", OWN.to_owned()));
    let gate = Gate::start(setup);
    check(
        &gate,
        &["blueprint", "list"],
        expect![[r#"
         NAME             FROM            OF               OPERATIONS                          COVERS          WHY
         our-machines     aws/ec2-imdsv2  agent, pipeline  ec2:RunInstances                    owner platform  what a machine may do is not for whoever can make it fetch a page
                                                           ec2:CreateLaunchTemplate
                                                           ec2:CreateLaunchTemplateVersion
                                                           ec2:ModifyInstanceMetadataOptions
                                                           ec2:ModifyInstanceMetadataDefaults
         ssh-from-inside                                   ec2:AuthorizeSecurityGroupIngres                    machines are administered from inside only
        exit 0"#]],
    );
    check(
        &gate,
        &["blueprint", "show", "ssh-from-inside"],
        expect![[r#"
         WHAT        IS
         name        ssh-from-inside
         why         machines are administered from inside only
         stands in   blueprints.yaml:9
         operations  ec2:AuthorizeSecurityGroupIngres
         asks        of each of `IpPermissions`: where `FromPort` is at most `22` and `ToPort` is at least `22`: `IpRanges.CidrIp` or `Ipv6Ranges.CidrIpv6` is networks in `10.0.0.0/8`
                     tag `team` is given where something is made
                     tag `stage` may be given, and is `test`, `live`
                     no other parameters but `GroupId`
        exit 0"#]],
    );
    check(
        &gate,
        &["-o", "json", "blueprint", "show", "our-machines"],
        expect![[r#"
        {
          "name": "our-machines",
          "uses": "aws/ec2-imdsv2",
          "why": "what a machine may do is not for whoever can make it fetch a page",
          "operations": [
            "ec2:RunInstances",
            "ec2:CreateLaunchTemplate",
            "ec2:CreateLaunchTemplateVersion",
            "ec2:ModifyInstanceMetadataOptions",
            "ec2:ModifyInstanceMetadataDefaults"
          ],
          "refuses": [],
          "actor_kinds": [
            "agent",
            "pipeline"
          ],
          "covers": "owner platform",
          "asks": [
            "`MetadataOptions.HttpTokens` or `LaunchTemplateData.MetadataOptions.HttpTokens`, given where something is made, is `required`",
            "`HttpTokens` is `required`"
          ],
          "place": "blueprints.yaml:1"
        }
        exit 0"#]],
    );
    gate.finish();
}

#[test]
fn what_is_not_there_is_said_and_the_library_tells_its_text() {
    let mut setup = Setup::default();
    setup.model.push(("blueprints.yaml", OWN.to_owned()));
    let gate = Gate::start(setup);
    check(
        &gate,
        &["blueprint", "show", "our-machine"],
        expect![[r#"
        error: the model has no blueprint `our-machine`; did you mean `our-machines`
        exit 2"#]],
    );
    check(
        &gate,
        &["blueprint", "show", "--library", "aws/rds-backups"],
        expect![[r#"
        # Databases are backed up for so long, and not deleted by one request.
        with:
          days:
            is: the fewest days that backups are kept
            default: 7
        spec:
          why: a database that is lost can be had back
          operations: ['rds:CreateDBInstance', 'rds:CreateDBCluster', 'rds:ModifyDBInstance', 'rds:ModifyDBCluster', 'rds:DeleteDBInstance', 'rds:DeleteDBCluster']
          parameters:
          - operations: ['rds:Create*', 'rds:Modify*']
            path: BackupRetentionPeriod
            minimum: '${days}'
            required: true
          - operations: ['rds:Create*', 'rds:Modify*']
            path: DeletionProtection
            equals: true
            required: true
          - operations: ['rds:Delete*']
            path: SkipFinalSnapshot
            equals: false
        exit 0"#]],
    );
    check(
        &gate,
        &["blueprint", "show", "--library", "aws/rds-backup"],
        expect![[r#"
        error: the library has no blueprint `aws/rds-backup`; did you mean `aws/rds-backups`
        exit 2"#]],
    );
    check(
        &gate,
        &["model", "lint", "--only", "unfit"],
        expect![[r#"
         WRONG  ABOUT                      WHAT TO DO
         unfit  blueprint ssh-from-inside  `ec2:AuthorizeSecurityGroupIngres` is no operation that is known, and nothing is held against it; did you mean `AuthorizeSecurityGroupIngress`
        exit 1"#]],
    );
    let listed = gate.run(&["-o", "json", "blueprint", "list", "--library"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), LIBRARY.len());
    for entry in listed.as_array().unwrap() {
        assert!(!entry["why"].as_str().unwrap().is_empty(), "{entry}");
    }
    gate.finish();
}

/// A rule that never was a reason is dead; so is a blueprint.
#[test]
fn a_replay_counts_what_blueprints_refused() {
    let mut setup = Setup::default();
    setup.model.push(("blueprints.yaml", OWN.to_owned()));
    let gate = Gate::start(setup);
    let replayed = gate.run(&["-o", "json", "replay"]);
    let replayed = String::from_utf8(replayed.stdout).unwrap();
    assert!(replayed.contains("blueprint:our-machines"), "{replayed}");
    gate.finish();
}
