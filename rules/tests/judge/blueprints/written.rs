//! What is wrong with a blueprint as it is written, with its place and what to do.
//!
//! Leaves out blueprints that are as they should be.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use jiff::SignedDuration;
use ordain_rules::LIBRARY;
use ordain_rules::portrait::lint;

use crate::support::{NOW, SHOP, check_problems, models};

fn check(spec: &str, expected: Expect) {
    let text = format!("apiVersion: ordain/v1\nkind: Blueprint\nmetadata: {{name: golden}}\nspec:\n{spec}\n");
    check_problems(&[("shop.yaml", SHOP), ("blue.yaml", &text)], expected);
}

fn check_constraint(constraint: &str, expected: Expect) {
    check(
        &format!("  why: so\n  operations: ['ec2:RunInstances']\n  parameters:\n  - {constraint}"),
        expected,
    );
}

#[test]
fn a_blueprint_says_what_it_is_about_and_why() {
    check(
        "  parameters: [{path: A, equals: b}]",
        expect![[r#"
        blue.yaml:1: blueprint `golden` does not say why; say it in `why`, which whoever is refused reads
        blue.yaml:4: blueprint `golden` is about no operation; name some in `operations`, or an entry of the library in `use`"#]],
    );
    check(
        "  why: so\n  operations: ['ec2:RunInstances']",
        expect![
            "blue.yaml:4: blueprint `golden` asks for nothing; say what in `parameters`, `tags` or `only`"
        ],
    );
    check(
        "  why: so\n  operations: [RunInstances]\n  tags: [team]",
        expect![
            "blue.yaml:6: `RunInstances` is no operation; write `service:operation`, for example `s3:CreateBucket`"
        ],
    );
    check(
        "  why: so\n  operation: ['ec2:RunInstances']",
        expect!["blue.yaml:6: in `spec`: unknown key `operation`; did you mean `operations`"],
    );
    check(
        "  why: so\n  operations: ['ec2:*']\n  tags: [team]\n  access: [crate]\n  actorKinds: [robot]",
        expect![[r#"
            blue.yaml:8: unknown effect class `crate`; did you mean `create`
            blue.yaml:9: unknown actor kind `robot`; known here are `person`, `pipeline`, `agent`"#]],
    );
}

#[test]
fn a_constraint_asks_one_thing_of_one_place() {
    check_constraint(
        "{equals: b}",
        expect![[r#"
        blue.yaml:7: a constraint of blueprint `golden` is about one of `path`, `each`, `some` and `anyOf`; give it one
        blue.yaml:7: in blueprint `golden`: values are asked for at a `path`; put it there"#]],
    );
    check_constraint(
        "{path: A, each: B, equals: b}",
        expect![[r#"
        blue.yaml:8: a constraint of blueprint `golden` is about one of `path`, `each`, `some` and `anyOf`; give it one
        blue.yaml:8: in blueprint `golden`: nothing is asked of the items; say it in `parameters`"#]],
    );
    check_constraint(
        "{path: A}",
        expect![
            "blue.yaml:8: nothing is asked of `A`; say what it may be, or `present: true` or `required: true`"
        ],
    );
    check_constraint(
        "{path: A, equal: b}",
        expect!["blue.yaml:8: in `spec.parameters[0]`: unknown key `equal`; did you mean `equals`"],
    );
    check_constraint(
        "{path: A.1.B, equals: b}",
        expect![
            "blue.yaml:8: in blueprint `golden`: `A.1.B` holds a list position; leave it out: every item is looked at"
        ],
    );
    check_constraint(
        "{path: A..B, equals: b}",
        expect![
            "blue.yaml:8: in blueprint `golden`: `A..B` is no path; write the names that lead to a parameter, with dots between"
        ],
    );
    check_constraint(
        "{path: 'A.B*', equals: b}",
        expect!["blue.yaml:8: in blueprint `golden`: `A.B*` holds a pattern; `*` stands for one whole name"],
    );
    check_constraint(
        "{path: A, in: []}",
        expect![[r#"
        blue.yaml:8: blueprint `golden` has an empty list for `A`; name something, or write `present: false`
        blue.yaml:8: nothing is asked of `A`; say what it may be, or `present: true` or `required: true`"#]],
    );
}

#[test]
fn bounds_are_networks_and_numbers() {
    check_constraint(
        "{path: A, within: [10.0.0.0/40]}",
        expect![[r#"
        blue.yaml:8: `10.0.0.0/40` is no network; write for example `10.0.0.0/8`
        blue.yaml:8: nothing is asked of `A`; say what it may be, or `present: true` or `required: true`"#]],
    );
    check_constraint(
        "{path: A, notWider: {ipv4: 40}}",
        expect![
            "blue.yaml:8: `notWider` of `A` has the shortest prefix of each family; write for example `{ipv4: 24, ipv6: 56}`"
        ],
    );
    check_constraint(
        "{path: A, minimum: lots}",
        expect![[r#"
        blue.yaml:8: a bound of `A` is no number; write for example `7` or `2Gi`
        blue.yaml:8: nothing is asked of `A`; say what it may be, or `present: true` or `required: true`"#]],
    );
    check_constraint(
        "{path: A, minimum: 0.5}",
        expect![
            "blue.yaml:8: in `spec.parameters[0].minimum`: `0.5` is rounded as it is read; put the number in quotes; correct the document"
        ],
    );
    check_constraint(
        "{path: A, minimum: 7, maximum: 3}",
        expect!["blue.yaml:8: of `A` the minimum `7` is more than the maximum `3`; correct one"],
    );
}

#[test]
fn what_is_said_twice_or_nowhere_is_refused() {
    check_constraint(
        "{path: A, present: false, equals: b}",
        expect![
            "blue.yaml:8: in blueprint `golden`: what is not to be there is asked for no value; keep `present: false` alone"
        ],
    );
    check_constraint(
        "{path: A, present: true, required: true}",
        expect!["blue.yaml:8: in blueprint `golden`: `required` and `present` say two things; keep one"],
    );
    check_constraint(
        "{path: A, equals: b, when: [{path: C, equals: d, required: true}]}",
        expect!["blue.yaml:8: in blueprint `golden`: a condition is not `required`; write `present: true`"],
    );
    check_constraint(
        "{each: A, equals: b}",
        expect![[r#"
        blue.yaml:8: in blueprint `golden`: nothing is asked of the items; say it in `parameters`
        blue.yaml:8: in blueprint `golden`: values are asked for at a `path`; put it there"#]],
    );
    check_constraint(
        "{each: A, parameters: [{path: B, equals: c, operations: ['ec2:*']}]}",
        expect![
            "blue.yaml:2: in blueprint `golden`: `operations` may be narrowed only at the top of `parameters`; move it there"
        ],
    );
    check_constraint(
        "{path: A, key: team, equals: b}",
        expect![
            "blue.yaml:8: in blueprint `golden`: `key` and `optional` are for `tags`; name a parameter by `path`"
        ],
    );
}

#[test]
fn nesting_has_an_end() {
    let mut constraint = "{path: A, equals: b}".to_owned();
    for _ in 0..5 {
        constraint = format!("{{each: A, parameters: [{constraint}]}}");
    }
    check_constraint(
        &constraint,
        expect!["blue.yaml:7: blueprint `golden` is nested too deep; write it in several"],
    );
}

#[test]
fn an_entry_of_the_library_is_taken_by_its_name() {
    check("  use: aws/s3-bucket-private\n  with: {acls: [private]}", expect!["loaded"]);
    check(
        "  use: aws/s3-bucket-privat",
        expect![
            "blue.yaml:5: the library has no blueprint `aws/s3-bucket-privat`; did you mean `aws/s3-bucket-private`"
        ],
    );
    check(
        "  use: aws/s3-bucket-private\n  with: {acl: [private]}",
        expect!["blue.yaml:6: `aws/s3-bucket-private` has no place for `acl`; did you mean `acls`"],
    );
    check(
        "  use: aws/s3-bucket-private\n  with: {acls: {a: b}}",
        expect!["blue.yaml:6: `acls` of `aws/s3-bucket-private` is a list; write `[…]`"],
    );
    check(
        "  use: aws/s3-bucket-private\n  operations: ['s3:*']",
        expect![
            "blue.yaml:5: blueprint `golden` takes what it asks from `aws/s3-bucket-private`; ask for more in a blueprint of its own"
        ],
    );
    check(
        "  why: so\n  operations: ['s3:*']\n  tags: [a]\n  with: {acls: [private]}",
        expect![
            "blue.yaml:8: blueprint `golden` gives values to no entry; name the entry of the library in `use`"
        ],
    );
}

#[test]
fn the_library_names_operations_that_there_are() {
    let documents = LIBRARY.iter().map(|entry| {
        let name = entry.name.replace('/', "-");
        format!(
            "apiVersion: ordain/v1\nkind: Blueprint\nmetadata: {{name: {name}}}\nspec: {{use: {}}}\n",
            entry.name
        )
    });
    let snapshot = models(&[("blue.yaml", &documents.collect::<Vec<_>>().join("---\n"))]);
    let found = lint(&snapshot, &BTreeMap::new(), NOW.parse().unwrap(), SignedDuration::from_hours(24));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_exception_lifts_a_blueprint_that_there_is() {
    let text = "apiVersion: ordain/v1
kind: Blueprint
metadata: {name: golden}
spec: {why: so, operations: ['ec2:*'], tags: [team]}
---
apiVersion: ordain/v1
kind: Blueprint
metadata: {name: golden}
spec: {why: so, operations: ['ec2:*'], tags: [team]}
---
apiVersion: ordain/v1
kind: Exception
metadata: {name: e}
spec:
  lifts: ['blueprint:goldn']
  actors: [alice]
  covers: {accounts: ['111122223333']}
  owner: web
  approvedBy: dora
  why: so
  from: 2026-11-01T00:00:00Z
  until: 2026-12-01T00:00:00Z
";
    check_problems(
        &[("shop.yaml", SHOP), ("blue.yaml", text)],
        expect![[r#"
        blue.yaml:8: blueprint `golden` is declared twice; give each its own name
        blue.yaml:15: there is no blueprint `goldn`; did you mean `golden`"#]],
    );
}
