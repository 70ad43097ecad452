//! Two models against each other, and one against what it should be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};
use ordain_rules::portrait::{diff, lint, merge};
use ordain_rules::{Mode, Modes, Snapshot};

use crate::source;

#[track_caller]
fn model(text: &str) -> Snapshot {
    Snapshot::load(&[source("model.yaml", text)], Modes::new(Mode::Shadow)).unwrap()
}

const OURS: &str = "apiVersion: ordain/v1
kind: Group
metadata: {name: web}
spec: {}
---
apiVersion: ordain/v1
kind: Group
metadata: {name: data}
spec: {}
---
apiVersion: ordain/v1
kind: User
metadata: {name: alice}
spec: {memberOf: [web], profile: {email: alice@acme.example}}
---
apiVersion: ordain/v1
kind: Scope
metadata: {name: assets}
spec: {names: [\"arn:aws:s3:::shop-*\"], owner: web}
---
apiVersion: ordain/v1
kind: Limits
metadata: {name: agents}
spec: {actorKind: agent, targets: 5}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: network}
spec:
  source: terraform:network
  asOf: 2026-11-01T00:00:00Z
  account: \"111122223333\"
  resources:
    - {id: vpc, type: ec2:vpc, name: \"arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0123456789abcdef0\", identifiers: [vpc-0123456789abcdef0], owner: web, tier: high}
    - {id: db, type: rds:db, name: \"arn:aws:rds:eu-west-1:111122223333:db:orders\", identifiers: [orders], owner: data}
    - {id: dns, type: aws_route53_record, identifiers: [Z0_www]}
  relations:
    - {from: db, type: partOf, to: vpc}
";

fn told_diff(old: &str, new: &str, expected: Expect) {
    let mut text = String::new();
    for one in diff(&model(old), &model(new)) {
        writeln!(text, "{} {} {}", one.change.as_str(), one.sort, one.name).unwrap();
        for (field, before, after) in one.fields {
            writeln!(text, "    {field}: {before} -> {after}").unwrap();
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn another_version_differs_in_what_it_means_and_not_in_how_it_is_written() {
    let mut parts: Vec<&str> = OURS.split("---\n").collect();
    parts.reverse();
    told_diff(OURS, &parts.join("---\n"), expect![[""]]);
    let new = OURS
        .replace("owner: data}", "owner: web}")
        .replace("targets: 5", "targets: 50")
        .replace("    - {id: dns, type: aws_route53_record, identifiers: [Z0_www]}\n", "")
        .replace("memberOf: [web]", "memberOf: [web, data]")
        .replace("  relations:\n    - {from: db, type: partOf, to: vpc}\n", "");
    told_diff(
        OURS,
        &new,
        expect![[r#"
        changed thing arn:aws:rds:eu-west-1:111122223333:db:orders
            owners: data -> web
            relations: partOf arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0123456789abcdef0 -> 
        removed thing terraform:network#dns
            account: 111122223333 -> 
            identifiers: Z0_www -> 
            type: aws_route53_record -> 
        changed group data
            members:  -> alice
        changed actor alice
            acts for: user:alice, web -> data, user:alice, web
        changed limits agent
            targets: 5 -> 50
    "#]],
    );
}

#[test]
fn two_estates_are_told_what_does_not_fit() {
    let theirs = OURS
        .replace("owner: data}", "owner: web}")
        .replace("tier: high", "tier: low")
        .replace("targets: 5", "targets: 50")
        .replace("metadata: {name: alice}", "metadata: {name: alice.liddell}")
        .replace("metadata: {name: assets}", "metadata: {name: buckets}")
        .replace("\"arn:aws:s3:::shop-*\"], owner: web", "\"arn:aws:s3:::shop-*\"], owner: data")
        .replace(
            "name: \"arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0123456789abcdef0\"",
            "name: \"arn:aws:ec2:eu-west-1:111122223333:vpc/main\"",
        );
    let mut text = String::new();
    for one in merge(&model(OURS), &model(&theirs)) {
        writeln!(text, "{} {} {}: {}", one.kind.as_str(), one.sort, one.name, one.text).unwrap();
    }
    expect![[r#"
        ownership thing arn:aws:rds:eu-west-1:111122223333:db:orders: owned by `data` here and by `web` there; let one source say who owns it
        ownership scope assets: `arn:aws:s3:::shop-*` is held by scope `buckets` there, which says otherwise; keep one
        identity thing arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0123456789abcdef0: it is `arn:aws:ec2:eu-west-1:111122223333:vpc/main` there, by the identifier `vpc-0123456789abcdef0`; give both the one full name
        identity group web: two groups of this name, with `members` `alice` here and `alice.liddell` there; call one of them otherwise
        identity actor user:alice: `alice@acme.example` is `user:alice.liddell` there; declare the person under one name
        contradiction limits agent: `targets` is `5` here and `50` there; keep one
    "#]].assert_eq(&text);
    assert!(merge(&model(OURS), &model(OURS)).is_empty(), "a model fits to itself");
}

#[test]
fn what_is_wrong_with_a_model_is_listed() {
    let text = format!(
        "{OURS}    - {{from: db, type: dependsOn, to: gone}}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {{name: seen}}
spec:
  source: service-graph:mesh
  asOf: 2026-11-20T00:00:00Z
  decays: 2d
  resources:
    - {{id: a, type: otel:service, owner: web}}
    - {{id: b, type: otel:service, owner: web}}
    - {{id: c, type: ec2:security-group, name: \"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a\", identifiers: [web], owner: web}}
    - {{id: d, type: ec2:security-group, name: \"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0b\", identifiers: [web], owner: web}}
  relations:
    - {{from: a, type: consumes, to: b}}
"
    );
    let now: Timestamp = "2026-11-28T00:00:00Z".parse().unwrap();
    let seen = BTreeMap::from([
        ("arn:aws:sqs:eu-west-1:111122223333:jobs".to_owned(), 3),
        ("arn:aws:rds:eu-west-1:111122223333:db:orders".to_owned(), 1),
        ("arn:aws:s3:::shop-assets".to_owned(), 1),
    ]);
    let told = |days: i64| {
        let flaws = lint(&model(&text), &seen, now, SignedDuration::from_hours(24 * days));
        flaws.iter().fold(String::new(), |mut all, flaw| {
            writeln!(all, "{} {}: {}", flaw.kind.as_str(), flaw.about, flaw.text).unwrap();
            all
        })
    };
    expect![[r#"
        unowned terraform:network#dns: nobody owns it; give it an owner by a tag, a `Scope` or a CODEOWNERS file
        orphaned data: nobody acts for it, and it owns 1; declare who is a member, or give them another owner
        stale observed relations: 1 have faded and count no more; import what was observed again
        stale terraform:network: what it says of 3 was so 27 days ago; import it again
        undeclared arn:aws:sqs:eu-west-1:111122223333:jobs: 3 requests would have changed it, and nothing declares it; import it, or declare a `Scope`
        ambiguous ec2:security-group web in 111122223333: it may be `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a` or `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0b`; requests that name it so are denied: give each a name of its own
        unfit model.yaml: `terraform:network#gone` takes part in a relation and is not declared; declare it
    "#]].assert_eq(&told(14));
    assert!(!told(30).contains("stale terraform:network"), "{}", told(30));
}
