//! `ordain model` as somebody uses it: what is known of one thing, of all, between two models, and what is wrong with one.
//!
//! Leaves out importing (`imports.rs`) and what is compared (`rules/tests/import/portraits.rs`).

use std::fs;

use expect_test::{Expect, expect};

use crate::harness::{Gate, Setup, a_change, said};

const NETWORK: &str = "apiVersion: ordain/v1
kind: Inventory
metadata: {name: network}
spec:
  source: terraform:network
  asOf: 2026-01-31T18:00:00Z
  account: \"123456789012\"
  resources:
    - {id: vpc, type: ec2:vpc, name: \"arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0\", identifiers: [vpc-0123456789abcdef0], tags: {owner: platform}}
    - {id: host, type: ec2:instance, name: \"arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0\", identifiers: [i-0123456789abcdef0, web], tier: high}
    - {id: other, type: ec2:instance, name: \"arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef1\", identifiers: [i-0123456789abcdef1, web]}
  relations:
    - {from: host, type: partOf, to: vpc}
";

fn gate() -> Gate {
    let mut setup = Setup::default();
    setup.model.push(("network.yaml", NETWORK.to_owned()));
    Gate::start(setup)
}

/// What a verb says; the gate's folder, which differs each time, is named instead.
fn told(gate: &Gate, arguments: &[&str], expected: Expect) {
    let output = gate.run(&[&["model"], arguments].concat());
    let folder = gate.folder.path().display().to_string();
    let text = said(&output).replace(&folder, "FOLDER");
    expected.assert_eq(&format!("{text}exit {}", output.status.code().unwrap()));
}

#[test]
fn one_thing_is_shown_by_any_name_it_has() {
    let gate = gate();
    told(
        &gate,
        &["show", "vpc-0123456789abcdef0"],
        expect![[r#"
             WHAT                 IS
             name                 arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0
             type                 ec2:vpc
             owners               platform (by tag `owner`)
             known by             vpc-0123456789abcdef0
             account              123456789012
             region               eu-west-1
             tags                 owner=platform
             source               terraform:network, as of 2026-01-31T18:00:00Z
             partOf this          arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0
             deleting it reaches  1 other, of platform
             by                   tier high: arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0 ← partOf ← arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0
             by                   farthest: arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0 ← partOf ← arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0
            exit 0"#]],
    );
    gate.finish();
}

#[test]
fn what_several_things_are_called_shows_them_all() {
    let gate = gate();
    told(
        &gate,
        &["show", "web", "-o", "json"],
        expect![[r#"
            [
              {
                "name": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
                "type": "ec2:instance",
                "plane": "aws",
                "account": "123456789012",
                "region": "eu-west-1",
                "identifiers": [
                  "i-0123456789abcdef0",
                  "web"
                ],
                "owners": [
                  "platform"
                ],
                "owned_by": "account",
                "tier": "high",
                "source": "terraform:network",
                "as_of": "2026-01-31T18:00:00Z",
                "depends_on": [
                  [
                    "partOf",
                    "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0"
                  ]
                ],
                "dependants": [],
                "deleted": {
                  "reaches": 0,
                  "owners": [
                    "platform"
                  ],
                  "environments": [],
                  "irreversible": 0,
                  "because": []
                }
              },
              {
                "name": "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef1",
                "type": "ec2:instance",
                "plane": "aws",
                "account": "123456789012",
                "region": "eu-west-1",
                "identifiers": [
                  "i-0123456789abcdef1",
                  "web"
                ],
                "owners": [
                  "platform"
                ],
                "owned_by": "account",
                "source": "terraform:network",
                "as_of": "2026-01-31T18:00:00Z",
                "dependants": [],
                "deleted": {
                  "reaches": 0,
                  "owners": [
                    "platform"
                  ],
                  "environments": [],
                  "irreversible": 0,
                  "because": []
                }
              }
            ]
            `web` may be any of 2; a request that names it so is denied
            exit 0"#]],
    );
    told(
        &gate,
        &["show", "vpc-9"],
        expect![[r#"
        error: the model knows nothing by the name `vpc-9`; `ordain model export` lists all that it knows
        exit 2"#]],
    );
    gate.finish();
}

#[test]
fn everything_is_exported_as_wanted() {
    let gate = gate();
    told(
        &gate,
        &["export", "--type", "ec2:vpc", "-o", "json"],
        expect![[r#"
        [
          {
            "name": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0",
            "type": "ec2:vpc",
            "plane": "aws",
            "account": "123456789012",
            "region": "eu-west-1",
            "identifiers": [
              "vpc-0123456789abcdef0"
            ],
            "owners": [
              "platform"
            ],
            "owned_by": "tag `owner`",
            "tags": {
              "owner": "platform"
            },
            "source": "terraform:network",
            "as_of": "2026-01-31T18:00:00Z"
          }
        ]
        exit 0"#]],
    );
    told(
        &gate,
        &["export", "--owner", "payments"],
        expect![[r#"
         NAME  TYPE  OWNERS  ENVIRONMENT  TIER  SOURCE
        exit 0"#]],
    );
    gate.finish();
}

#[test]
fn what_was_asked_for_and_is_not_declared_is_said() {
    let gate = gate();
    assert_eq!(gate.client("alice").send(&a_change(7)).status, 200);
    told(
        &gate,
        &["lint", "--only", "undeclared", "--only", "ambiguous"],
        expect![[r#"
             WRONG       ABOUT                                                            WHAT TO DO
             undeclared  arn:aws:ec2:us-east-1:123456789012:instance/i-00000000000000007  1 request would have changed it, and nothing declares it; import it, or declare a `Scope`
             ambiguous   ec2:instance web in 123456789012                                 it may be `arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0` or `arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef1`; requests that name it so are denied: give each a name of its own
            exit 1"#]],
    );
    told(
        &gate,
        &["lint", "--only", "stale", "--stale-after", "100000"],
        expect![[r#"
         WRONG  ABOUT  WHAT TO DO
        exit 0"#]],
    );
    told(
        &gate,
        &["lint", "--only", "broken"],
        expect![[r#"
            error: invalid value 'broken' for '--only <KIND>'
              [possible values: unowned, orphaned, stale, undeclared, ambiguous, unfit, over, due]

            For more information, try '--help'.
            exit 2"#]],
    );
    gate.finish();
}

#[test]
fn another_estate_is_merged_once_it_fits() {
    let gate = gate();
    let other = gate.folder.path().join("other");
    fs::create_dir_all(&other).unwrap();
    let claimed = NETWORK
        .replace("owner: platform", "owner: payments")
        .replace("terraform:network", "terraform:theirs");
    let groups = "apiVersion: ordain/v1\nkind: Group\nmetadata: {name: payments}\nspec: {}\n---\n";
    fs::write(other.join("theirs.yaml"), format!("{groups}{claimed}")).unwrap();
    let path = other.display().to_string();
    told(
        &gate,
        &["merge", &path, "--into", "theirs"],
        expect![[r#"
         CONFLICT   WHAT   NAME                                                          WHICH
         ownership  thing  arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0  owned by `platform` here and by `payments` there; let one source say who owns it
         identity   group  payments                                                      two groups of this name, with `members` `mallory` here and not said there; call one of them otherwise
        nothing was put into `theirs`: 2 do not fit; correct them, or say `--force`
        exit 1"#]],
    );
    assert!(!gate.folder.path().join("model/theirs").exists());
    let fits = claimed
        .replace("owner: payments", "owner: platform")
        .replace("[i-0123456789abcdef1, web]", "[i-0123456789abcdef1]");
    let group = "apiVersion: ordain/v1\nkind: Group\nmetadata: {name: partners}\nspec: {}\n---\n";
    fs::write(other.join("theirs.yaml"), format!("{group}{fits}")).unwrap();
    told(
        &gate,
        &["diff", &path],
        expect![[r#"
         CHANGE   WHAT     NAME                                                             FIELD        OLD                  NEW
         changed  thing    arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0  owners                            platform
         changed  thing    arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef1  identifiers  i-0123456789abcdef1  i-0123456789abcdef1, web
         changed  thing    arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef1  owners                            platform
         changed  thing    arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0     owners                            platform
         removed  group    partners
         added    group    payments                                                         members                           mallory
         added    group    platform                                                         members                           alice, robot
         added    actor    alice                                                            acts for                          platform, user:alice
         added    actor    alice                                                            kind                              person
         added    actor    mallory                                                          acts for                          payments, user:mallory
         added    actor    mallory                                                          kind                              person
         added    actor    robot                                                            acts for                          platform, user:robot
         added    actor    robot                                                            kind                              agent
         added    account  aws 123456789012                                                 owners                            platform
         added    scope    buckets                                                          names                             arn:aws:s3:::*
         added    scope    buckets                                                          owners                            platform
        exit 1"#]],
    );
    told(
        &gate,
        &["merge", &path, "--into", "theirs"],
        expect![[r#"
         CONFLICT  WHAT  NAME  WHICH
        exit 0"#]],
    );
    assert!(gate.folder.path().join("model/theirs/theirs.yaml").exists());
    told(
        &gate,
        &["merge", &path, "--into", "theirs"],
        expect![[r#"
         CONFLICT  WHAT  NAME  WHICH
        error: `FOLDER/model/theirs` is there already; give another name, or take it away
        exit 2"#]],
    );
    told(
        &gate,
        &["merge", &path, "--into", "../x"],
        expect![[r#"
        error: invalid value '../x' for '--into <NAME>': a folder's name has letters, digits, `-` and `_`

        For more information, try '--help'.
        exit 2"#]],
    );
    let recorded = gate.ledger().texts().join("\n");
    assert!(recorded.contains("merge another model, files: 1, into theirs"), "{recorded}");
    gate.finish();
}
