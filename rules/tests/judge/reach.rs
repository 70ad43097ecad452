//! The blast radius: what a change reaches, and limits by kind of actor.

use std::fmt::Write as _;

use expect_test::expect;

use crate::support::{NOW, SHOP, action, check, check_on, check_problems, judged, model, models};

/// A host that thirty components depend on, guarded by a firewall, in a network.
fn busy() -> String {
    let mut text = format!(
        "{SHOP}---
apiVersion: ordain/v1
kind: Inventory
metadata: {{name: network}}
spec:
  source: terraform:network
  revision: 7
  account: 111122223333
  resources:
    - {{id: vpc, type: ec2:vpc, name: \"arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1\", identifiers: [vpc-1], owner: web}}
    - {{id: subnet, type: ec2:subnet, name: \"arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1\", owner: web}}
    - {{id: host, type: ec2:instance, name: \"arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy\", tags: {{owner: web}}}}
    - {{id: guard, type: ec2:security-group, name: \"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0busy\", owner: web}}
    - {{id: payslips, type: ec2:instance, name: \"arn:aws:ec2:eu-west-1:111122223333:instance/i-0pay\", owner: payroll, tier: critical}}
  relations:
    - {{from: subnet, type: partOf, to: vpc}}
    - {{from: host, type: partOf, to: subnet}}
    - {{from: host, type: guardedBy, to: guard}}
    - {{from: payslips, type: guardedBy, to: guard}}
"
    );
    for number in 1..=30 {
        write!(
            text,
            "---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: worker-{number}}}
spec: {{type: queue-worker, owner: web, system: storefront, dependsOn: [\"resource:busy\"]}}
"
        )
        .unwrap();
    }
    text.push_str(
        "---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: busy}
spec: {type: ec2:instance, owner: web, name: \"arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy\"}
",
    );
    text
}

const TERMINATE: &str = "effect ec2:TerminateInstances delete
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy InstanceId=i-0busy";

#[test]
fn an_agent_does_not_delete_what_thirty_depend_on() {
    check_on(
        &model(&busy()),
        &format!("agent cleaner\n{TERMINATE}"),
        expect![[r#"
            deny (enforce), no permit
            deny blast_radius blast_radius_exceeded: it reaches 30 dependants (for example `arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy` ← dependsOn ← `resource:worker-1`), and the limit is 10 for agent `cleaner`
                → change fewer at once, or have somebody with wider limits do it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy`
            owners: web
            reach: 1 + 30, tier high"#]],
    );
}

#[test]
fn a_person_may() {
    check_on(
        &model(&busy()),
        &format!("person alice\n{TERMINATE}"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy`
        owners: web
        reach: 1 + 30, tier high"#]],
    );
}

#[test]
fn deleting_a_network_takes_along_what_lies_in_it_and_what_depends_on_that() {
    check_on(
        &model(&busy()),
        "agent cleaner
         effect ec2:DeleteVpc delete
         target ec2:vpc - VpcId=vpc-1",
        expect![[r#"
            deny (enforce), no permit
            deny blast_radius blast_radius_exceeded: it reaches 32 dependants (for example `arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1` ← partOf ← `arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1` ← partOf ← `arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy` ← dependsOn ← `resource:worker-1`), and the limit is 10 for agent `cleaner`
                → change fewer at once, or have somebody with wider limits do it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1`
            owners: web
            reach: 1 + 32, tier high"#]],
    );
}

#[test]
fn changing_a_firewall_reaches_what_it_guards() {
    check_on(
        &model(&busy()),
        "agent cleaner
         effect ec2:RevokeSecurityGroupIngress update
         target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0busy",
        expect![[r#"
            deny (enforce), no permit
            deny blast_radius blast_radius_exceeded: it reaches 32 dependants (for example `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0busy` ← guardedBy ← `arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy` ← dependsOn ← `resource:worker-1`), and the limit is 10 for agent `cleaner`
                → change fewer at once, or have somebody with wider limits do it
            deny blast_radius owners_crossed: it reaches what belongs to `payroll` (`arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0busy` ← guardedBy ← `arn:aws:ec2:eu-west-1:111122223333:instance/i-0pay`), and the limit is 0 other owners for agent `cleaner`
                → have one of those owners do it, or split it
            deny blast_radius tier_too_critical: it reaches tier `critical` (`arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0busy` ← guardedBy ← `arn:aws:ec2:eu-west-1:111122223333:instance/i-0pay`), and the limit is `high` for agent `cleaner`
                → have a person or a pipeline of the owner do it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0busy`
            owners: web
            reach: 1 + 32, tier critical, crosses payroll"#]],
    );
}

#[test]
fn changing_a_network_does_not_delete_what_lies_in_it() {
    check_on(
        &model(&busy()),
        "agent cleaner
         effect ec2:ModifyVpcAttribute update
         target ec2:vpc - VpcId=vpc-1",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1`
            owners: web
            reach: 1 + 0, tier high"#]],
    );
}

#[test]
fn the_model_sets_the_limits() {
    let limits = "
apiVersion: ordain/v1
kind: Limits
metadata: {name: agents}
spec: {actorKind: agent, dependants: 31}
";
    let snapshot = models(&[("shop.yaml", &busy()), ("limits.yaml", limits)]);
    check_on(
        &snapshot,
        &format!("agent cleaner\n{TERMINATE}"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy`
        owners: web
        reach: 1 + 30, tier high"#]],
    );
}

#[test]
fn a_pattern_is_all_its_matches_and_an_unknown_remainder() {
    check_on(
        &model(&busy()),
        "person alice
         effect ec2:TerminateInstances delete
         target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0* pattern",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0pay` belongs to `payroll`, for which `alice` does not act
                → ask `payroll` to make the change
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0*`
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy`
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0web`
            admit blast_radius reach_unknown: what depends on `arn:aws:ec2:eu-west-1:111122223333:instance/i-0*` is not known
            owners: payroll, web
            reach: 4 + unknown, tier critical, crosses payroll"#]],
    );
}

#[test]
fn most_of_a_group_at_once_is_too_much_for_an_agent() {
    let mut text = SHOP.to_owned();
    for number in 1..=4 {
        write!(
            text,
            "---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: node-{number}}}
spec: {{type: ec2:instance, owner: web, system: nodes, name: \"arn:aws:ec2:eu-west-1:111122223333:instance/i-n{number}\"}}
"
        )
        .unwrap();
    }
    let target =
        |number: u8| format!("target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-n{number}\n");
    let delete = |count: u8| {
        let targets: String = (1..=count).map(target).collect();
        format!("agent cleaner\neffect ec2:TerminateInstances delete\n{targets}")
    };
    let snapshot = model(&text);
    check_on(
        &snapshot,
        &delete(2),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-n1`
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-n2`
        owners: web
        reach: 2 + 0, tier high"#]],
    );
    check_on(
        &snapshot,
        &delete(3),
        expect![[r#"
        deny (enforce), no permit
        deny blast_radius share_of_group: it deletes 75 % of `ec2:instance` in `system:nodes` at once, and the limit is 50 % for agent `cleaner`
            → change fewer at once, or have somebody with wider limits do it
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-n1`
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-n2`
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-n3`
        owners: web
        reach: 3 + 0, tier high"#]],
    );
}

#[test]
fn more_than_can_be_asked_about_is_refused_at_once() {
    let name = "arn:aws:ec2:eu-west-1:111122223333:instance/i-";
    let lines: Vec<String> = (0..3_000)
        .map(|number| format!("target ec2:instance {name}{number} InstanceId=i-{number}"))
        .collect();
    let many = format!("person alice\neffect ec2:TerminateInstances delete\n{}", lines.join("\n"));
    check(
        &many,
        expect![[r#"
        deny (enforce), no permit
        deny identity too_many_resources: what the request would do cannot be told: it touches more than is judged at once; name fewer
            → send it in a form the provider's own clients use
        reach: 0 + unknown"#]],
    );
    let lines: Vec<String> = (0..300)
        .map(|number| format!("target ec2:instance {name}{number}* pattern InstanceId=i-{number}*"))
        .collect();
    let patterns = format!("person alice\neffect ec2:TerminateInstances delete\n{}", lines.join("\n"));
    check(
        &patterns,
        expect![[r#"
        deny (enforce), no permit
        deny identity too_many_resources: what the request would do cannot be told: it touches more than is judged at once; name fewer
            → send it in a form the provider's own clients use
        reach: 0 + unknown"#]],
    );
}

/// A host that a component was seen to call, on the first of November, which is believed for so long.
fn observed(decays: &str) -> String {
    format!(
        "{}---
apiVersion: ordain/v1
kind: Inventory
metadata: {{name: seen}}
spec:
  source: service-graph:mesh
  asOf: 2026-11-01T00:00:00Z
  decays: {decays}
  resources:
    - {{id: host, type: ec2:instance, name: \"arn:aws:ec2:eu-west-1:111122223333:instance/i-0busy\"}}
    - {{id: checkout, type: otel:service, owner: payroll}}
  relations:
    - {{from: checkout, type: consumes, to: host}}
",
        busy()
    )
}

#[test]
fn what_was_only_observed_fades() {
    let reach = |decays: &str| {
        let judged = judged(&model(&observed(decays)), NOW, &action(&format!("person alice\n{TERMINATE}")));
        (judged.verdict.reach.dependants, judged.verdict.reach.owners_crossed)
    };
    assert_eq!(reach("24d"), (Some(31), vec!["payroll".into()]), "the 24th of November is within");
    assert_eq!(reach("23d"), (Some(30), Vec::new()));
}

#[test]
fn what_fades_has_to_say_when_it_was_seen() {
    let without = observed("14d").replace("  asOf: 2026-11-01T00:00:00Z\n", "");
    check_problems(
        &[("seen.yaml", &without)],
        expect!["seen.yaml:308: `decays` counts from `asOf`, which is missing; add it"],
    );
    check_problems(
        &[("seen.yaml", &observed("soon"))],
        expect!["seen.yaml:309: `soon` is no time in which something decays; write for example `14d`"],
    );
}
