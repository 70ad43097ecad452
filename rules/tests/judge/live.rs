//! What was created through the gate: who owns it, what depends on it, and that folding is all there is.

use std::sync::Arc;

use expect_test::expect;
use ordain_action::{Created, Outcome};
use ordain_rules::LiveInventory;

use crate::support::{NOW, SHOP, action, check_on, judged, model, told};

const CREATE: &str = "person dora
    effect ec2:CreateSecurityGroup create
    target ec2:security-group -
    parent ec2:vpc - VpcId=vpc-0123456789abcdef0
    effect ec2:RunInstances create
    target ec2:instance -
    parent ec2:vpc - VpcId=vpc-0123456789abcdef0";

/// The network of the data team, in the account of the web team.
const NETWORK: &str = "---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: data-network}
spec:
  type: ec2:vpc
  owner: data
  name: arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0123456789abcdef0
  identifiers: [vpc-0123456789abcdef0]
";

fn answered(status: u16, identifiers: &[&str]) -> Outcome {
    let created = |identifier: &&str| Created {
        kind: Arc::from(if identifier.starts_with("sg-") { "ec2:security-group" } else { "ec2:instance" }),
        member: Arc::from("Id"),
        identifier: (*identifier).to_owned(),
    };
    Outcome::Answered {
        status,
        request_id: String::new(),
        error_code: None,
        created: identifiers.iter().map(created).collect(),
    }
}

fn folded(outcomes: &[Outcome]) -> LiveInventory {
    let mut live = LiveInventory::new();
    for (outcome, sequence) in outcomes.iter().zip(1..) {
        live.apply_outcome(&action(CREATE), outcome, None, sequence);
    }
    live
}

const STOP: &str = "effect ec2:StopInstances update
    target ec2:instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0 InstanceId=i-0123456789abcdef0";

#[test]
fn what_was_created_belongs_to_the_owner_of_what_it_was_created_in() {
    let snapshot = model(&format!("{SHOP}{NETWORK}"));
    let before = told(&judged(&snapshot, NOW, &action(&format!("person dora\n{STOP}"))));
    assert!(before.starts_with("hold"), "without the outcome it is in the web team's account: {before}");
    let live = folded(&[answered(200, &["i-0123456789abcdef0"])]);
    let snapshot = snapshot.with_live(&live);
    check_on(
        &snapshot,
        &format!("person dora\n{STOP}"),
        expect![[r#"
        admit (enforce), permit Admitted
        admit ownership owner_changes_own: `dora` acts for `data`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0`
        owners: data
        reach: 1 + 0, tier high"#]],
    );
    check_on(
        &snapshot,
        &format!("person paul\n{STOP}"),
        expect![[r#"
        deny (enforce), no permit
        deny ownership not_owner: `arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0` belongs to `data`, for which `paul` does not act
            → ask `data` to make the change
        owners: data
        reach: 1 + 0, tier high, crosses data"#]],
    );
}

#[test]
fn deleting_a_network_takes_along_what_was_created_in_it() {
    let live = folded(&[answered(200, &["i-0123456789abcdef0", "sg-0123456789abcdef0"])]);
    let snapshot = model(&format!("{SHOP}{NETWORK}")).with_live(&live);
    check_on(
        &snapshot,
        "person dora
         effect ec2:DeleteVpc delete
         target ec2:vpc - VpcId=vpc-0123456789abcdef0",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `dora` acts for `data`, which owns `arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0123456789abcdef0`
            owners: data
            reach: 1 + 2, tier high"#]],
    );
}

#[test]
fn only_a_success_creates() {
    let live = folded(&[
        answered(403, &["i-0123456789abcdef0"]),
        Outcome::Unknown { why: "upstream_reset" },
        Outcome::NotSent { why: "client_gone" },
    ]);
    assert!(live.is_empty());
    // What added nothing leaves the inventory as it was, so that a decision after it names the one before.
    assert_eq!(live.sequence(), 0);
}

#[test]
fn adding_to_a_clone_leaves_the_other_as_it_was() {
    let before = folded(&[answered(200, &["i-0123456789abcdef0"])]);
    let mut after = before.clone();
    after.apply_outcome(&action(CREATE), &answered(200, &["i-0123456789abcdef1"]), None, 2);
    assert_eq!((before.len(), before.sequence()), (1, 1));
    assert_eq!((after.len(), after.sequence()), (2, 2));
}

#[test]
fn the_same_outcomes_make_the_same_inventory() {
    let outcomes = [answered(200, &["i-0123456789abcdef0"]), answered(200, &["sg-0123456789abcdef0"])];
    let (once, again) = (folded(&outcomes), folded(&outcomes));
    assert!(once.iter().eq(again.iter()));
    assert_eq!(once.len(), 2);
    let twice: Vec<Outcome> = outcomes.iter().chain(&outcomes).cloned().collect();
    assert_eq!(folded(&twice).len(), 2, "an outcome folded in again adds nothing");
}

#[test]
fn a_name_that_the_caller_chose_is_known_after_the_create() {
    let create = action(
        "person alice
         effect s3:CreateBucket create
         target s3:bucket arn:aws:s3:::fresh Bucket=fresh
         parent account 111122223333 scope",
    );
    let mut live = LiveInventory::new();
    live.apply_outcome(&create, &answered(200, &[]), None, 1);
    check_on(
        &model(SHOP).with_live(&live),
        "agent cleaner
         effect s3:PutBucketVersioning update
         target s3:bucket arn:aws:s3:::fresh Bucket=fresh",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:s3:::fresh`
            owners: web
            reach: 1 + 0, tier high"#]],
    );
}

#[test]
fn a_group_is_found_again_by_the_name_it_was_given() {
    const GROUP: &str = "target autoscaling:autoScalingGroup arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:*:autoScalingGroupName/loaders reviewed pattern AutoScalingGroupName=loaders";
    let create = action(&format!(
        "person dora
         effect autoscaling:CreateAutoScalingGroup create
         {GROUP}
         parent ec2:vpc - VpcId=vpc-0123456789abcdef0"
    ));
    let shrink = action(&format!("person dora\neffect autoscaling:SetDesiredCapacity update\n{GROUP}"));
    let mut live = LiveInventory::new();
    live.apply_outcome(&create, &answered(200, &[]), None, 1);
    let snapshot = model(&format!("{SHOP}{NETWORK}"));
    let before = told(&judged(&snapshot, NOW, &shrink));
    assert!(before.starts_with("hold"), "without the outcome it is in the web team's account: {before}");
    let after = told(&judged(&snapshot.with_live(&live), NOW, &shrink));
    assert!(after.starts_with("admit"), "{after}");
}
