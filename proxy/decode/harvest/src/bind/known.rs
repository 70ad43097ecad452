//! Members whose names mean the same in every service: roles, keys, subnets, buckets.
//!
//! Leaves out what only one service means.

use super::Binding;
use crate::words::{dashed, plain, singular, words};

const ROLE: &str = "arn:{partition}:iam::{account}:role/{RoleNameWithPath}";
const KEY: &str = "arn:{partition}:kms:{region}:{account}:key/{KeyId}";
const ALIAS: &str = "arn:{partition}:kms:{region}:{account}:{Alias}";

/// Type, variable and template of resources that other services name by identifier.
const BY_IDENTIFIER: &[(&[&str], &str, &str, &str)] = &[
    (
        &["subnetid", "subnet"],
        "ec2:subnet",
        "SubnetId",
        "arn:{partition}:ec2:{region}:{account}:subnet/{SubnetId}",
    ),
    (
        &["securitygroupid", "vpcsecuritygroupid"],
        "ec2:security-group",
        "SecurityGroupId",
        "arn:{partition}:ec2:{region}:{account}:security-group/{SecurityGroupId}",
    ),
    (&["vpcid"], "ec2:vpc", "VpcId", "arn:{partition}:ec2:{region}:{account}:vpc/{VpcId}"),
    (
        &["instanceprofilename", "iaminstanceprofilename"],
        "iam:instance-profile",
        "InstanceProfileNameWithPath",
        "arn:{partition}:iam::{account}:instance-profile/{InstanceProfileNameWithPath}",
    ),
    (
        &[
            "bucket",
            "bucketname",
            "s3bucket",
            "s3bucketname",
            "outputs3bucketname",
            "logbucket",
            "destinationbucket",
        ],
        "s3:bucket",
        "BucketName",
        "arn:{partition}:s3:::{BucketName}",
    ),
];

/// What a member with a known name refers to; nothing for any other name.
pub(super) fn uses(prefix: &str, number: usize, name: &str) -> Vec<Binding> {
    let bare = singular(&plain(name));
    if bare.contains("kms")
        && (bare.ends_with("keyid") || bare.ends_with("keyarn") || bare.ends_with("kmskey"))
    {
        return key("uses", "bound", number);
    }
    let role = ["rolearn", "iamrole", "servicerole", "executionrole", "jobrole", "taskrole"]
        .iter()
        .any(|ending| bare.ends_with(ending))
        || bare == "role";
    if role {
        return vec![of("uses", "iam:role", ROLE, "RoleNameWithPath", number)];
    }
    for (names, kind, variable, template) in BY_IDENTIFIER {
        if names.contains(&bare.as_str()) {
            return vec![of("uses", kind, template, variable, number)];
        }
    }
    if bare.ends_with("arn") && bare != "arn" {
        let kind = carried_kind(prefix, name, &bare);
        return vec![Binding {
            role: "uses",
            kind,
            basis: "carried",
            template: String::new(),
            value_prefix: String::new(),
            members: vec![(name.to_owned(), number)],
        }];
    }
    Vec::new()
}

/// A key may be named by its id, by an alias, or in full.
pub(super) fn key(role: &'static str, basis: &'static str, number: usize) -> Vec<Binding> {
    let mut alias = of(role, "kms:alias", ALIAS, "Alias", number);
    "alias/".clone_into(&mut alias.value_prefix);
    let mut key = of(role, "kms:key", KEY, "KeyId", number);
    alias.basis = basis;
    key.basis = basis;
    vec![alias, key]
}

fn of(role: &'static str, kind: &str, template: &str, variable: &str, number: usize) -> Binding {
    Binding {
        role,
        kind: kind.to_owned(),
        basis: "bound",
        template: template.to_owned(),
        value_prefix: String::new(),
        members: vec![(variable.to_owned(), number)],
    }
}

fn carried_kind(prefix: &str, name: &str, bare: &str) -> String {
    const KNOWN: &[(&str, &str)] = &[
        ("topicarn", "sns:topic"),
        ("functionarn", "lambda:function"),
        ("lambdaarn", "lambda:function"),
        ("secretarn", "secretsmanager:secret"),
        ("certificatearn", "acm:certificate"),
        ("loggrouparn", "logs:log-group"),
        ("bucketarn", "s3:bucket"),
        ("policyarn", "iam:policy"),
        ("targetgrouparn", "elasticloadbalancing:targetgroup"),
        ("loadbalancerarn", "elasticloadbalancing:loadbalancer"),
        ("instanceprofilearn", "iam:instance-profile"),
        ("userarn", "iam:user"),
        ("principalarn", "iam:principal"),
    ];
    let known = KNOWN.iter().find(|(ending, _)| bare.ends_with(ending)).map(|(_, kind)| (*kind).to_owned());
    known.unwrap_or_else(|| {
        let mut words = words(name);
        words.pop();
        format!("{prefix}:{}", dashed(&words.concat()))
    })
}
