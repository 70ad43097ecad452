//! What each relation means: what a change of one thing does to what stands in it to another.

use expect_test::expect;
use ordain_action::Outcome;
use ordain_rules::{LiveInventory, Reach, Snapshot};

use crate::support::{NOW, SHOP, action, check_on, codes_on, judged, model};

/// An estate in which each relation stands once.
fn estate() -> Snapshot {
    let name = |service: &str, rest: &str| format!("\"arn:aws:{service}:eu-west-1:111122223333:{rest}\"");
    let resources = [
        ("key", "kms:key", name("kms", "key/k-1"), "owner: web"),
        ("orders", "rds:db", name("rds", "db:orders"), "owner: web, environment: staging"),
        ("replica", "rds:db", name("rds", "db:orders-2"), "owner: data, tier: critical"),
        ("acl", "ec2:network-acl", name("ec2", "network-acl/acl-1"), "owner: web"),
        ("subnet", "ec2:subnet", name("ec2", "subnet/subnet-1"), "owner: web"),
        ("host", "ec2:instance", name("ec2", "instance/i-1"), "owner: web"),
        ("machine", "ec2:dedicated-host", name("ec2", "dedicated-host/h-1"), "owner: web"),
        (
            "role",
            "iam:role",
            "\"arn:aws:iam::111122223333:role/job\"".to_owned(),
            "owner: web, grantsOnly: []",
        ),
        (
            "inline",
            "aws_iam_role_policy",
            "\"arn:aws:iam::111122223333:role-policy/job\"".to_owned(),
            "owner: web, grants: [\"arn:aws:sqs:eu-west-1:111122223333:*\"]",
        ),
        ("policy", "iam:policy", "\"arn:aws:iam::111122223333:policy/tables\"".to_owned(), "owner: web"),
        (
            "attachment",
            "aws_iam_role_policy_attachment",
            "\"arn:aws:iam::111122223333:role-policy-attachment/job\"".to_owned(),
            "owner: web",
        ),
        ("function", "lambda:function", name("lambda", "function:job"), "owner: web"),
        ("other", "lambda:function", name("lambda", "function:other"), "owner: web"),
        ("opaque", "iam:role", "\"arn:aws:iam::111122223333:role/other\"".to_owned(), "owner: web"),
        ("table", "dynamodb:table", name("dynamodb", "table/carts"), "owner: data"),
        ("queue", "sqs:queue", name("sqs", "jobs"), "owner: payroll"),
        ("stack", "cloudformation:stack", name("cloudformation", "stack/shop/1"), "owner: web"),
        ("empty", "cloudformation:stack", name("cloudformation", "stack/empty/1"), "owner: web"),
        ("volume", "ec2:volume", name("ec2", "volume/vol-1"), "owner: web"),
        ("cluster", "eks:cluster", name("eks", "cluster/prod"), "owner: web"),
        (
            "group",
            "autoscaling:autoScalingGroup",
            name("autoscaling", "autoScalingGroup:1:autoScalingGroupName/web"),
            "owner: web",
        ),
    ];
    let relations = [
        ("orders", "keyedBy", "key"),
        ("replica", "dependsOn", "orders"),
        ("subnet", "guardedBy", "acl"),
        ("host", "partOf", "subnet"),
        ("host", "runsOn", "machine"),
        ("host", "partOf", "group"),
        ("inline", "partOf", "role"),
        ("attachment", "partOf", "role"),
        ("attachment", "dependsOn", "policy"),
        ("policy", "grantsTo", "table"),
        ("function", "runsAs", "role"),
        ("other", "runsAs", "opaque"),
        ("volume", "partOf", "stack"),
    ];
    let mut text = format!(
        "{SHOP}---\napiVersion: ordain/v1\nkind: Inventory\nmetadata: {{name: net}}\nspec:\n  source: test\n  account: \"111122223333\"\n  resources:\n"
    );
    for (id, kind, name, rest) in resources {
        text.push_str(&format!("    - {{id: {id}, type: \"{kind}\", name: {name}, {rest}}}\n"));
    }
    text.push_str("  relations:\n");
    for (from, kind, to) in relations {
        text.push_str(&format!("    - {{from: {from}, type: {kind}, to: {to}}}\n"));
    }
    text.push_str(
        "---\napiVersion: ordain/v1\nkind: Account\nmetadata: {name: prod}\nspec: {plane: kubernetes, account: prod, owner: web}\n---\n\
         apiVersion: ordain/v1\nkind: Inventory\nmetadata: {name: prod}\nspec:\n  source: kubernetes:prod\n  plane: kubernetes\n  account: prod\n  resources:\n    \
         - {id: ns, type: \"core:namespaces\", name: \"k8s://prod/core/namespaces/shop\", owner: web}\n    \
         - {id: disk, type: \"core:persistentvolumeclaims\", name: \"k8s://prod/core/namespaces/shop/persistentvolumeclaims/data\", owner: web}\n",
    );
    model(&text)
}

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:eu-west-1:111122223333:{rest}")
}

/// What a change by a person reaches, the last parts of the names of the farthest path.
fn reach(effect: &str, target: &str) -> Reach {
    judged(&estate(), NOW, &action(&format!("person alice\neffect {effect}\ntarget {target}"))).verdict.reach
}

fn check(effect: &str, target: &str, dependants: Option<u64>, crossed: &[&str]) {
    let reach = reach(effect, target);
    let owners: Vec<&str> = reach.owners_crossed.iter().map(|owner| &**owner).collect();
    assert_eq!((reach.dependants, owners.as_slice()), (dependants, crossed), "{effect} {target}: {reach:?}");
}

#[test]
fn a_key_reaches_all_it_encrypts_and_what_depends_on_that() {
    let key = format!("kms:key {}", arn("kms", "key/k-1"));
    check("kms:DisableKey update", &key, Some(2), &["data"]);
    let reach = reach("kms:ScheduleKeyDeletion delete", &key);
    assert_eq!(
        (reach.dependants, reach.irreversible),
        (Some(2), 1),
        "what it encrypts cannot be read any more"
    );
    assert_eq!(reach.environments.iter().map(|one| &**one).collect::<Vec<_>>(), ["production", "staging"]);
    assert_eq!(
        reach.tiers.iter().map(|(tier, count)| (&**tier, *count)).collect::<Vec<_>>(),
        [("critical", 1), ("high", 1)]
    );
    let owner = reach.because.iter().find(|path| path.explains == "owner data").unwrap();
    let steps: Vec<(&str, Option<&str>)> =
        owner.steps.iter().map(|(name, by)| (name.rsplit(':').next().unwrap(), *by)).collect();
    assert_eq!(steps, [("key/k-1", None), ("orders", Some("keyedBy")), ("orders-2", Some("dependsOn"))]);
}

#[test]
fn what_is_affected_is_so_with_all_that_lies_in_it() {
    let acl = format!("ec2:network-acl {}", arn("ec2", "network-acl/acl-1"));
    check("ec2:ReplaceNetworkAclEntry update", &acl, Some(2), &[]);
    let subnet = format!("ec2:subnet {}", arn("ec2", "subnet/subnet-1"));
    check("ec2:ModifySubnetAttribute update", &subnet, Some(0), &[]);
    check("ec2:DeleteSubnet delete", &subnet, Some(1), &[]);
}

#[test]
fn what_runs_on_something_stops_with_it_and_is_not_lost() {
    let machine = format!("ec2:dedicated-host {}", arn("ec2", "dedicated-host/h-1"));
    check("ec2:ReleaseHosts delete", &machine, Some(1), &[]);
}

#[test]
fn what_is_scaled_to_nothing_stops_all_of_it() {
    let group = format!(
        "autoscaling:autoScalingGroup {}",
        arn("autoscaling", "autoScalingGroup:1:autoScalingGroupName/web")
    );
    let update = "autoscaling:UpdateAutoScalingGroup update";
    check(update, &format!("{group}\nMaxSize = 4"), Some(0), &[]);
    check(update, &format!("{group}\nMaxSize = 0"), Some(1), &[]);
}

#[test]
fn a_grant_reaches_what_the_identity_may_reach() {
    let role = "iam:role arn:aws:iam::111122223333:role/job";
    // The function that runs as it, the table of its policy, the queues of the policy that is written into it.
    check("iam:PutRolePermissionsBoundary grant", role, Some(3), &["data", "payroll"]);
    // Taking away reaches only what has it.
    check("iam:DetachRolePolicy grant", role, Some(1), &[]);
    // A policy is that of all who have it.
    check(
        "iam:CreatePolicyVersion grant",
        "iam:policy arn:aws:iam::111122223333:policy/tables",
        Some(5),
        &["data", "payroll"],
    );
    let reach = reach("iam:CreatePolicyVersion grant", "iam:policy arn:aws:iam::111122223333:policy/tables");
    let path = reach.because.iter().find(|path| path.explains == "owner payroll").unwrap();
    let by: Vec<Option<&str>> = path.steps.iter().map(|(_, by)| *by).collect();
    assert_eq!(by, [None, Some("dependsOn"), Some("partOf"), Some("partOf"), Some("grantsTo")], "{path:?}");
}

#[test]
fn what_is_given_is_reached_and_unknown_where_nobody_knows_it() {
    let attach = "iam:AttachRolePolicy grant";
    let role = "iam:role arn:aws:iam::111122223333:role/other";
    let known = "uses iam:policy arn:aws:iam::111122223333:policy/tables";
    check(attach, &format!("{role}\n{known}"), Some(2), &["data"]);
    let foreign = "uses iam:policy arn:aws:iam::aws:policy/SomethingElse";
    check(attach, &format!("{role}\n{foreign}"), None, &[]);
}

#[test]
fn what_is_run_reaches_what_its_authority_is_over() {
    let known = format!("lambda:function {}", arn("lambda", "function:job"));
    check("lambda:Invoke execute", &known, Some(2), &["data", "payroll"]);
    // Of whose authority not all is known, more may be reached.
    let other = format!("lambda:function {}", arn("lambda", "function:other"));
    check("lambda:Invoke execute", &other, None, &[]);
    // Who has a role already has it as before.
    check(
        "iam:PassRole execute",
        "iam:role arn:aws:iam::111122223333:role/job",
        Some(2),
        &["data", "payroll"],
    );
}

#[test]
fn a_stack_goes_with_all_that_is_in_it() {
    let stack = format!("cloudformation:stack {}", arn("cloudformation", "stack/shop/1"));
    let reach = reach("cloudformation:DeleteStack delete", &stack);
    assert_eq!((reach.dependants, reach.irreversible), (Some(1), 1));
    let empty = format!("cloudformation:stack {}", arn("cloudformation", "stack/empty/1"));
    check("cloudformation:DeleteStack delete", &empty, None, &[]);
}

#[test]
fn a_cluster_goes_with_what_runs_in_it() {
    let cluster = format!("eks:cluster {}", arn("eks", "cluster/prod"));
    let reach = reach("eks:DeleteCluster delete", &cluster);
    assert_eq!((reach.dependants, reach.irreversible), (Some(2), 1), "{reach:?}");
    assert_eq!(
        reach
            .because
            .iter()
            .find(|path| path.explains == "irreversible")
            .unwrap()
            .steps
            .iter()
            .map(|(name, _)| &**name)
            .collect::<Vec<_>>(),
        [
            arn("eks", "cluster/prod").as_str(),
            "cluster prod",
            "k8s://prod/core/namespaces/shop/persistentvolumeclaims/data"
        ]
    );
}

#[test]
fn an_account_is_all_that_is_in_it() {
    let reach = reach("account:CloseAccount delete", "aws:account - scope");
    // What the shop has there, what stands above, and what is in the cluster that runs there.
    assert_eq!((reach.dependants, reach.irreversible), (Some(29), 6), "{reach:?}");
    check("iam:UpdateAccountPasswordPolicy update", "aws:account - scope", Some(0), &[]);
    check("s3control:PutAccountPolicy grant", "aws:account - scope", None, &[]);
}

#[test]
fn an_agent_loses_nothing_for_good() {
    let volume = arn("ec2", "volume/vol-1");
    let delete = format!("agent cleaner\neffect ec2:DeleteVolume delete\ntarget ec2:volume {volume}");
    check_on(
        &estate(),
        &delete,
        expect![[r#"
        deny (enforce), no permit
        deny blast_radius irreversible: `arn:aws:ec2:eu-west-1:111122223333:volume/vol-1` would be lost for good, and the limit is 0 for agent `cleaner`
            → keep a copy first where the operation can (a final snapshot), or have a person do it
        admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:volume/vol-1`
        owners: web
        reach: 1 + 0, tier high"#]],
    );
    let database = arn("rds", "db:orders");
    let drop = format!("agent cleaner\neffect rds:DeleteDBInstance delete\ntarget rds:db {database}");
    assert!(codes_on(&estate(), &drop).contains("irreversible"));
    let with_copy = format!("{drop}\nFinalDBSnapshotIdentifier = last");
    assert!(!codes_on(&estate(), &with_copy).contains("irreversible"));
    assert!(!codes_on(&estate(), &drop.replace("agent cleaner", "person alice")).contains("irreversible"));
}

#[test]
fn what_is_taken_from_something_or_stops_it_loses_nothing() {
    let database = format!("rds:db {}", arn("rds", "db:orders"));
    assert_eq!(reach("rds:DeleteDBInstance delete", &database).irreversible, 1);
    assert_eq!(reach("rds:StopDBInstance delete", &database).irreversible, 0);
    assert_eq!(reach("rds:DeleteDBInstanceAutomatedBackup delete", &database).irreversible, 0);
    let table = format!("dynamodb:table {}", arn("dynamodb", "table/carts"));
    assert_eq!(reach("dynamodb:DeleteTable delete", &table).irreversible, 1);
    assert_eq!(reach("dynamodb:DeleteResourcePolicy delete", &table).irreversible, 0);
    let group = format!("ec2:security-group {}", arn("ec2", "security-group/sg-0web"));
    check("ec2:RevokeSecurityGroupIngress delete", &group, Some(0), &[]);
    // Elsewhere what is called a delete is one, whatever its verb.
    let disk = "azure:Microsoft.Compute/disks /subscriptions/7/resourcegroups/shop/providers/microsoft.compute/disks/data";
    assert_eq!(reach("Microsoft.Compute:RemoveDisk delete", disk).irreversible, 1);
}

#[test]
fn what_an_agent_created_itself_it_may_delete() {
    let create = "agent cleaner\neffect ec2:CreateVolume create\ntarget ec2:volume -";
    let outcome = Outcome::Answered {
        status: 200,
        request_id: String::new(),
        error_code: None,
        created: vec![ordain_action::Created {
            kind: "ec2:volume".into(),
            member: "VolumeId".into(),
            identifier: "vol-0123456789abcdef0".to_owned(),
        }],
    };
    let of = |actor: &str| {
        let mut live = LiveInventory::new();
        live.apply_outcome(&action(&create.replace("agent cleaner", actor)), &outcome, None, 1);
        let delete = "agent cleaner\neffect ec2:DeleteVolume delete\ntarget ec2:volume - VolumeId=vol-0123456789abcdef0";
        codes_on(&estate().with_live(&live), delete)
    };
    assert_eq!(of("agent cleaner"), "");
    assert_eq!(of("person alice"), "irreversible");
}

#[test]
fn what_was_set_and_may_have_been_there_is_nobodys_own() {
    let name = "/subscriptions/7/resourcegroups/shop/providers/microsoft.compute/disks/data";
    let put = format!(
        "agent cleaner\neffect Microsoft.Compute:disks/write create\ntarget azure:Microsoft.Compute/disks {name}\n\
         effect Microsoft.Compute:disks/write update\ntarget azure:Microsoft.Compute/disks {name}"
    );
    let delete = format!(
        "agent cleaner\neffect Microsoft.Compute:disks/delete delete\ntarget azure:Microsoft.Compute/disks {name}"
    );
    let lost = |statuses: &[(u16, &str)]| {
        let mut live = LiveInventory::new();
        for ((status, actor), sequence) in statuses.iter().zip(1..) {
            let outcome = Outcome::Answered {
                status: *status,
                request_id: String::new(),
                error_code: None,
                created: Vec::new(),
            };
            live.apply_outcome(&action(&put.replace("agent cleaner", actor)), &outcome, None, sequence);
        }
        codes_on(&estate().with_live(&live), &delete).contains("irreversible")
    };
    assert!(!lost(&[(201, "agent cleaner")]), "it is new by the answer");
    assert!(lost(&[(200, "agent cleaner")]), "it may have been there");
    assert!(lost(&[(201, "person alice"), (200, "agent cleaner")]), "somebody else made it");
}

#[test]
fn a_copy_is_kept_only_where_one_can_be() {
    let database = format!("rds:db {}", arn("rds", "db:orders"));
    let lost =
        |effect: &str, target: &str, rest: &str| reach(effect, &format!("{target}\n{rest}")).irreversible;
    let delete = "rds:DeleteDBInstance delete";
    assert_eq!(lost(delete, &database, "FinalDBSnapshotIdentifier = last"), 0);
    assert_eq!(lost(delete, &database, "x.FinalDBSnapshotIdentifier = last"), 1);
    assert_eq!(lost(delete, &database, "FinalDBSnapshotIdentifier = last\nSkipFinalSnapshot := true"), 1);
    let table = format!("dynamodb:table {}", arn("dynamodb", "table/carts"));
    assert_eq!(lost("dynamodb:DeleteTable delete", &table, "FinalSnapshotIdentifier = last"), 1);
    let secret = format!("secretsmanager:Secret {}", arn("secretsmanager", "secret:pay-AbCdEf"));
    assert_eq!(lost("secretsmanager:DeleteSecret delete", &secret, "RecoveryWindowInDays := 7"), 0);
    assert_eq!(lost("secretsmanager:DeleteSecret delete", &secret, "ForceDeleteWithoutRecovery := true"), 1);
    let key = format!("kms:key {}", arn("kms", "key/k-1"));
    assert_eq!(lost("kms:DeleteImportedKeyMaterial delete", &key, ""), 1);
}

#[test]
fn what_gives_more_than_is_known_is_unknown() {
    let put =
        "iam:PutRolePolicy grant\ntarget iam:role arn:aws:iam::111122223333:role/job\nPolicyDocument = ";
    let of = |document: &str| {
        let text = format!("person alice\neffect {put}{document}");
        judged(&estate(), NOW, &action(&text)).verdict.reach
    };
    // What it had, and what is written into it now.
    let tables = of(
        r#"{"Statement":{"Effect":"Allow","Action":"rds:*","Resource":"arn:aws:rds:eu-west-1:111122223333:db:orders"}}"#,
    );
    assert_eq!(tables.dependants, Some(4));
    // What may take other roles may do what they may.
    assert_eq!(
        of(r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}"#).dependants,
        None
    );
    assert_eq!(of("{\"Statement\": what}").dependants, None);
    // More names than any request may give are not compared with all there is.
    let many: Vec<String> = (0..65).map(|number| format!("\"arn:aws:sqs:*:*{number}*\"")).collect();
    let many =
        format!(r#"{{"Statement":{{"Effect":"Allow","Action":"sqs:*","Resource":[{}]}}}}"#, many.join(","));
    assert_eq!(of(&many).dependants, None);
    // What bounded it is taken away, and it may do all that it was given.
    check(
        "iam:DeleteRolePermissionsBoundary grant",
        "iam:role arn:aws:iam::111122223333:role/job",
        Some(3),
        &["data", "payroll"],
    );
}

#[test]
fn what_stops_beside_it_does_not_stop_it() {
    let group = format!(
        "autoscaling:autoScalingGroup {}",
        arn("autoscaling", "autoScalingGroup:1:autoScalingGroupName/web")
    );
    check("autoscaling:DisableMetricsCollection delete", &group, Some(0), &[]);
    check("autoscaling:SuspendProcesses update", &group, Some(0), &[]);
}
