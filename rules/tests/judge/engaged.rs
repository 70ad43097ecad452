//! What belongs to others is not hooked up, set to work or emptied by being used.
//!
//! Leaves out copies (`copies.rs`), and what is changed itself (`ownership.rs`).

use ordain_rules::Snapshot;

use crate::support::{SHOP, codes_on, model};

const HERE: &str = "eu-west-1:111122223333";

/// The shop, where payroll has what carries its messages, and a log destination is for everybody.
fn shop() -> Snapshot {
    model(&format!(
        "{SHOP}
---
apiVersion: ordain/v1
kind: Scope
metadata: {{name: of-payroll}}
spec:
  names: ['arn:aws:*:{HERE}:*pay-*']
  owner: payroll
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: payroll-queue}}
spec: {{type: sqs:queue, owner: payroll, name: arn:aws:sqs:{HERE}:wages}}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: payroll-function}}
spec: {{type: lambda:function, owner: payroll, name: arn:aws:lambda:{HERE}:function:wages}}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {{name: data-stream}}
spec: {{type: kinesis:stream, owner: data, name: arn:aws:kinesis:{HERE}:stream/sales}}
---
apiVersion: ordain/v1
kind: Scope
metadata: {{name: shared}}
spec:
  names: ['arn:aws:logs:{HERE}:destination:all-*']
  owner: data
  public: true
"
    ))
}

#[track_caller]
fn check_use(operation: &str, uses: &str, expected: &str) {
    let text = format!("person alice\neffect {operation}\ntarget x:y account scope\nuses {uses}");
    assert_eq!(codes_on(&shop(), &text), expected, "{operation} {uses}");
}

#[test]
fn what_belongs_to_others_is_not_hooked_up() {
    const NO: &str = "not_owner";
    let mapping = "lambda:CreateEventSourceMapping create";
    check_use(mapping, &format!("lambda:event-source arn:aws:sqs:{HERE}:wages carried"), NO);
    check_use(mapping, &format!("lambda:event-source arn:aws:sqs:{HERE}:pay-a carried"), NO);
    check_use(
        mapping,
        &format!("lambda:event-source arn:aws:dynamodb:{HERE}:table/pay-a/stream/1 carried"),
        NO,
    );
    let filter = "logs:PutSubscriptionFilter update";
    check_use(filter, &format!("logs:destination arn:aws:lambda:{HERE}:function:wages carried"), NO);
    let notify = "s3:PutBucketNotificationConfiguration update";
    check_use(notify, &format!("s3:queue arn:aws:sqs:{HERE}:wages carried"), NO);
    check_use(
        "autoscaling:PutNotificationConfiguration update",
        &format!("sns:topic arn:aws:sns:{HERE}:pay-a carried"),
        NO,
    );
    let attach = "autoscaling:AttachLoadBalancerTargetGroups update";
    let group = format!(
        "elasticloadbalancing:targetgroup arn:aws:elasticloadbalancing:{HERE}:targetgroup/pay-a/1 carried"
    );
    check_use(attach, &group, NO);
    check_use(
        "ecs:RunTask execute",
        &format!("ecs:task-definition arn:aws:ecs:{HERE}:task-definition/pay-a:1"),
        NO,
    );
    check_use(
        "ec2:RunInstances create",
        &format!("ec2:launch-template arn:aws:ec2:{HERE}:launch-template/pay-a"),
        NO,
    );
    check_use("glue:CreateTrigger create", &format!("glue:job arn:aws:glue:{HERE}:job/pay-a"), NO);
    check_use(
        "dms:CreateReplicationTask create",
        &format!("dms:source-endpoint arn:aws:dms:{HERE}:endpoint:pay-a carried"),
        NO,
    );
    // Its owner may be asked.
    check_use(
        "dynamodb:EnableKinesisStreamingDestination update",
        &format!("dynamodb:stream arn:aws:kinesis:{HERE}:stream/sales carried"),
        "approval_required",
    );
    // Nobody that the model knows.
    check_use(
        filter,
        "logs:destination arn:aws:logs:eu-west-1:999999999999:destination:d carried",
        "no_owner",
    );
}

#[test]
fn what_is_ones_own_or_public_is_hooked_up() {
    let filter = "logs:PutSubscriptionFilter update";
    check_use(filter, &format!("logs:destination arn:aws:logs:{HERE}:destination:all-a carried"), "");
    check_use(filter, &format!("logs:destination arn:aws:lambda:{HERE}:function:of-web carried"), "");
    check_use(
        "lambda:CreateFunction create",
        &format!("lambda:layer arn:aws:lambda:{HERE}:layer:pay-a:1 carried"),
        "",
    );
}

#[test]
fn what_goes_on_behind_a_whole_name_is_what_the_name_holds() {
    let mentions = |arn: &str| {
        let text = format!(
            "person alice\neffect events:PutTargets update\ntarget x:y account scope\nTargets.1.Arn = {arn}"
        );
        codes_on(&shop(), &text)
    };
    assert_eq!(mentions(&format!("arn:aws:lambda:{HERE}:function:wages")), "not_owner");
    assert_eq!(mentions(&format!("arn:aws:lambda:{HERE}:function:wages:live")), "not_owner");
    assert_eq!(mentions(&format!("arn:aws:kinesis:{HERE}:stream/sales/consumer/a:1")), "approval_required");
    assert_eq!(mentions(&format!("arn:aws:lambda:{HERE}:function:other:live")), "");
}
