//! AWS's own words, as its exports write them: types, names, times, and which of two things depends on the other.
//!
//! Leaves out how each export is read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ordain_catalog::Catalog;
use serde_json::Value;

use super::kinds;
use crate::inventory::EdgeKind;
use crate::model::account_and_region;

/// Types of CloudFormation that requests have other words for than the catalogue's list of types, and what the name of
/// one is made of. The list was made by comparing words; these were looked at. An empty template makes no name.
const REVIEWED: [(&str, &str, &str); 21] = [
    ("AWS::EC2::EIP", "ec2:elastic-ip", ""),
    ("AWS::EC2::FlowLog", "ec2:vpc-flow-log", "arn:{p}:ec2:{r}:{a}:vpc-flow-log/{1}"),
    ("AWS::ElastiCache::CacheCluster", "elasticache:cluster", "arn:{p}:elasticache:{r}:{a}:cluster:{1}"),
    ("AWS::IAM::ManagedPolicy", "iam:policy", ""),
    // A policy within roles, users and groups, which has no name of its own.
    ("AWS::IAM::Policy", "iam:policy", ""),
    ("AWS::KMS::Alias", "kms:alias", "arn:{p}:kms:{r}:{a}:{1}"),
    ("AWS::RDS::DBCluster", "rds:cluster", "arn:{p}:rds:{r}:{a}:cluster:{1}"),
    ("AWS::RDS::DBClusterParameterGroup", "rds:cluster-pg", "arn:{p}:rds:{r}:{a}:cluster-pg:{1}"),
    ("AWS::RDS::DBClusterSnapshot", "rds:cluster-snapshot", "arn:{p}:rds:{r}:{a}:cluster-snapshot:{1}"),
    ("AWS::RDS::DBInstance", "rds:db", "arn:{p}:rds:{r}:{a}:db:{1}"),
    ("AWS::RDS::DBParameterGroup", "rds:pg", "arn:{p}:rds:{r}:{a}:pg:{1}"),
    ("AWS::RDS::DBProxy", "rds:proxy", ""),
    ("AWS::RDS::DBSecurityGroup", "rds:secgrp", "arn:{p}:rds:{r}:{a}:secgrp:{1}"),
    ("AWS::RDS::DBSnapshot", "rds:snapshot", "arn:{p}:rds:{r}:{a}:snapshot:{1}"),
    ("AWS::RDS::DBSubnetGroup", "rds:subgrp", "arn:{p}:rds:{r}:{a}:subgrp:{1}"),
    ("AWS::RDS::EventSubscription", "rds:es", "arn:{p}:rds:{r}:{a}:es:{1}"),
    ("AWS::RDS::OptionGroup", "rds:og", "arn:{p}:rds:{r}:{a}:og:{1}"),
    ("AWS::Redshift::ClusterParameterGroup", "redshift:parametergroup", PARAMETER_GROUP),
    ("AWS::Redshift::ClusterSubnetGroup", "redshift:subnetgroup", "arn:{p}:redshift:{r}:{a}:subnetgroup:{1}"),
    ("AWS::Route53::RecordSet", "route53:recordset", ""),
    ("AWS::ACM::Certificate", "acm:certificate", ""),
];
const PARAMETER_GROUP: &str = "arn:{p}:redshift:{r}:{a}:parametergroup:{1}";

/// Types whose names may have a `/` or `:` that goes into the ARN as it is. Of others, such an identifier is not what
/// the template was made for.
const SLASHED: [&str; 5] = [
    "AWS::CloudWatch::Alarm",
    "AWS::ECR::Repository",
    "AWS::KMS::Alias",
    "AWS::Logs::LogGroup",
    "AWS::SSM::Parameter",
];

/// Pieces of what they depend on, which their words do not tell.
const PIECES: [(&str, &str); 9] = [
    ("ec2:route", "ec2:route-table"),
    ("ec2:subnet-route-table-association", "ec2:route-table"),
    ("elasticloadbalancing:listener", "elasticloadbalancing:loadbalancer"),
    ("elasticloadbalancing:listener-rule", "elasticloadbalancing:listener"),
    ("kms:alias", "kms:key"),
    ("lambda:alias", "lambda:function"),
    ("lambda:permission", "lambda:function"),
    ("lambda:url", "lambda:function"),
    ("lambda:version", "lambda:function"),
];

/// Services whose things are in no region.
const GLOBAL: [&str; 3] = ["cloudfront", "iam", "route53"];

/// What holds things of every service; what else holds anything holds things of its own.
const PLACES: [&str; 4] = ["cloudformation:stack", "ec2:subnet", "ec2:vpc", "route53:hostedzone"];

/// Who depends on whom, whichever of the two names the other: the dependant and what it depends on.
const ORDERS: [(&str, &str); 14] = [
    ("ec2:instance", "autoscaling:autoScalingGroup"),
    ("ec2:instance", "ec2:elastic-ip"),
    ("ec2:instance", "ec2:volume"),
    ("ec2:network-interface", "ec2:elastic-ip"),
    ("ec2:network-interface", "ec2:instance"),
    ("ec2:subnet", "ec2:network-acl"),
    ("ec2:subnet", "ec2:route-table"),
    ("ec2:vpn-connection", "ec2:customer-gateway"),
    ("ec2:vpn-connection", "ec2:vpn-gateway"),
    ("iam:group", "iam:policy"),
    ("iam:instance-profile", "iam:role"),
    ("iam:role", "iam:policy"),
    ("iam:user", "iam:group"),
    ("iam:user", "iam:policy"),
];

/// What is depended on where a source only says that two belong together, before whatever stands below it.
const FOUNDATIONS: [&str; 11] = [
    "ec2:vpc",
    "ec2:subnet",
    "ec2:security-group",
    "iam:role",
    "kms:key",
    "acm:certificate",
    "rds:pg",
    "rds:subgrp",
    "redshift:parametergroup",
    "redshift:subnetgroup",
    "rds:cluster",
];

/// The words that requests are read in.
#[derive(Debug)]
pub(super) struct Words {
    catalog: Catalog,
}

/// Where something is, as ARNs say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) partition: &'p str,
    pub(super) region: &'p str,
    pub(super) account: &'p str,
}

impl<'p> Place<'p> {
    /// The place that an ARN names; none where it leaves something open.
    pub(super) fn of(arn: &'p str) -> Option<Self> {
        let mut parts = arn.split(':');
        let (Some("arn"), Some(partition), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return None;
        };
        let (region, account) = (parts.next()?, parts.next()?);
        (!region.is_empty() && !account.is_empty()).then_some(Self { partition, region, account })
    }
}

impl Words {
    pub(super) fn new() -> Self {
        Self { catalog: Catalog::new() }
    }

    /// What requests call a type of CloudFormation or AWS Config; its own word where they have none.
    pub(super) fn kind(&self, resource_type: &str) -> String {
        let reviewed = REVIEWED.iter().find(|(name, _, _)| *name == resource_type).map(|(_, kind, _)| *kind);
        let known = || self.catalog.resource_type(resource_type).map(|known| known.kind);
        reviewed.or_else(known).unwrap_or(resource_type).to_owned()
    }

    /// The name of what has that identifier, parts of it joined by `|`; none where it would be a guess.
    pub(super) fn name(&self, resource_type: &str, identifier: &str, place: &Place<'_>) -> Option<String> {
        if identifier.starts_with("arn:") && !identifier.contains('|') {
            return Some(canonical(identifier));
        }
        if resource_type == "AWS::SQS::Queue" {
            return queue(identifier, place);
        }
        let reviewed = REVIEWED.iter().find(|(name, _, _)| *name == resource_type);
        let known = || self.catalog.resource_type(resource_type).and_then(|known| known.template);
        let template = reviewed.map(|(_, _, template)| *template).or_else(known)?;
        let parts: Vec<&str> = identifier.split('|').collect();
        if let Some(number) = template.strip_prefix('@') {
            let at = number.parse::<usize>().ok()?.checked_sub(1)?;
            return parts.get(at).filter(|part| part.starts_with("arn:")).map(|arn| canonical(arn));
        }
        let odd: &[char] = if SLASHED.contains(&resource_type) {
            &['{', '}', '*', '?']
        } else {
            &['{', '}', '*', '?', '/', ':']
        };
        if parts.iter().any(|part| part.is_empty() || part.contains(odd)) {
            return None;
        }
        let mut name = in_place(template, place);
        for (number, part) in (1..).zip(&parts) {
            // A parameter in folders has one `/` in its ARN where its own name begins with one.
            let part =
                if resource_type == "AWS::SSM::Parameter" { part.trim_start_matches('/') } else { part };
            let variable = format!("{{{number}}}");
            // Parts that the template has no place for say another thing than it.
            if !name.contains(&variable) {
                return None;
            }
            name = name.replacen(&variable, part, 1);
        }
        (!name.is_empty() && !name.contains('{')).then_some(name)
    }
}

fn in_place(template: &str, place: &Place<'_>) -> String {
    [
        ("{p}", place.partition),
        ("{r}", place.region),
        ("{a}", place.account),
        ("{partition}", place.partition),
        ("{region}", place.region),
        ("{account}", place.account),
    ]
    .into_iter()
    .fold(template.to_owned(), |name, (variable, value)| name.replace(variable, value))
}

/// A queue is identified by its URL, `https://sqs.eu-west-1.amazonaws.com/111122223333/orders`.
fn queue(url: &str, place: &Place<'_>) -> Option<String> {
    let mut parts = url.strip_prefix("https://")?.split('/').skip(1);
    let (Some(account), Some(name), None) = (parts.next(), parts.next(), parts.next()) else { return None };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let whole = account == place.account && !name.is_empty() && name.chars().all(plain);
    whole.then(|| format!("arn:{}:sqs:{}:{account}:{name}", place.partition, place.region))
}

/// An ARN as requests write it: other services have an address's in another word, and a log group's with another end.
pub(super) fn canonical(arn: &str) -> String {
    arn.strip_suffix(":*").unwrap_or(arn).replacen(":eip-allocation/", ":elastic-ip/", 1)
}

/// The region of something: what its name says, and what the source says only where it has none.
pub(super) fn region(kind: &str, name: Option<&str>, told: Option<&str>) -> Option<String> {
    let region = match name {
        // Global services have names without one.
        Some(name) => account_and_region(name).1.to_string(),
        None if GLOBAL.contains(&service(kind)) => String::new(),
        None => told.filter(|region| *region != "global").unwrap_or_default().to_owned(),
    };
    Some(region).filter(|region| !region.is_empty())
}

fn service(kind: &str) -> &str {
    kind.split(':').next().unwrap_or_default()
}

/// What most say, and of equals the first in order: an inventory's account.
pub(super) fn most<'t>(texts: impl Iterator<Item = &'t str>) -> &'t str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts.filter(|text| !text.is_empty()) {
        *counts.entry(text).or_default() += 1;
    }
    // Of equals, `max_by_key` takes the last.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or("", |(text, _)| text)
}

/// A time as the command line writes it: a text, or seconds.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let text = number.to_string();
            let seconds = text.split('.').next().unwrap_or_default().parse().ok()?;
            Timestamp::from_second(seconds).ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Tags as a map, or as a list of keys and values in either letters.
pub(super) fn tags(value: &Value) -> BTreeMap<String, String> {
    if let Some(members) = value.as_object() {
        let texts = members.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        return texts.collect();
    }
    let member = |tag: &Value, names: [&str; 2]| {
        names.into_iter().find_map(|name| tag.get(name)?.as_str().map(str::to_owned))
    };
    let pair = |tag: &Value| Some((member(tag, ["Key", "key"])?, member(tag, ["Value", "value"])?));
    value.as_array().into_iter().flatten().filter_map(pair).collect()
}

/// Which of two depends on the other, whichever names the other: whether it is the first. None where the one that names
/// the other does.
pub(super) fn first_depends(first: &str, second: &str) -> Option<bool> {
    if ORDERS.contains(&(first, second)) {
        return Some(true);
    }
    ORDERS.contains(&(second, first)).then_some(false)
}

/// The same of two that a source only says belong together.
pub(super) fn first_depends_of_joined(first: &str, second: &str) -> Option<bool> {
    let founded = || {
        let place = |kind: &str| FOUNDATIONS.iter().position(|foundation| *foundation == kind);
        match (place(first), place(second)) {
            (Some(own), Some(other)) => (own != other).then_some(own > other),
            (Some(_), None) => Some(false),
            (None, Some(_)) => Some(true),
            (None, None) => None,
        }
    };
    first_depends(first, second).or_else(founded)
}

/// The relation of a dependant to what it depends on.
pub(super) fn relation(dependant: &str, dependency: &str) -> EdgeKind {
    let kind = kinds::relation(dependant, dependency);
    // `s3:bucket-policy` is a piece of `s3:bucket`.
    let piece = dependant.strip_prefix(dependency).is_some_and(|rest| rest.starts_with('-'));
    if piece || PIECES.contains(&(dependant, dependency)) || PLACES.contains(&dependency) {
        return EdgeKind::PartOf;
    }
    let held = service(dependant) == service(dependency) && dependency != "ec2:route-table";
    if kind == EdgeKind::PartOf && !held {
        return if kinds::calls(dependant) { EdgeKind::Consumes } else { EdgeKind::DependsOn };
    }
    kind
}

/// Takes policies out: they name who may, and upon what, which is no dependency.
pub(super) fn without_policies(value: &mut Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        if value.get("Statement").is_some() {
            *value = Value::Null;
        }
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values_mut()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// What was left out, counted by the reason.
#[derive(Debug, Default)]
pub(super) struct LeftOut(BTreeMap<String, usize>);

impl LeftOut {
    pub(super) fn count(&mut self, why: impl Into<String>) {
        *self.0.entry(why.into()).or_default() += 1;
    }

    pub(super) fn sentences(self) -> Vec<String> {
        self.0.into_iter().map(|(why, count)| format!("{count} × {why}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLACE: Place<'_> = Place { partition: "aws-cn", region: "cn-north-1", account: "111122223333" };

    #[test]
    fn a_reviewed_type_is_one_that_the_catalogue_says_otherwise() {
        let catalog = Catalog::new();
        for (name, kind, template) in REVIEWED {
            let known = catalog.resource_type(name);
            let same = known.is_some_and(|known| {
                known.kind == kind
                    && in_place(known.template.unwrap_or_default(), &PLACE) == in_place(template, &PLACE)
            });
            assert!(!same, "{name}");
        }
    }

    #[test]
    fn an_identifier_makes_a_name_only_where_that_is_exact() {
        let words = Words::new();
        for (resource_type, identifier, name) in [
            ("AWS::EC2::VPC", "vpc-0a", "arn:aws-cn:ec2:cn-north-1:111122223333:vpc/vpc-0a"),
            ("AWS::IAM::Role", "web", "arn:aws-cn:iam::111122223333:role/web"),
            (
                "AWS::ApiGateway::Resource",
                "a1|b2",
                "arn:aws-cn:apigateway:cn-north-1::/restapis/a1/resources/b2",
            ),
            ("AWS::Logs::LogGroup", "/web/log", "arn:aws-cn:logs:cn-north-1:111122223333:log-group:/web/log"),
            ("AWS::SSM::Parameter", "/shop/a", "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/shop/a"),
            ("AWS::SSM::Parameter", "shop", "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/shop"),
            ("AWS::KMS::Alias", "alias/a/b", "arn:aws-cn:kms:cn-north-1:111122223333:alias/a/b"),
            ("AWS::RDS::DBInstance", "orders", "arn:aws-cn:rds:cn-north-1:111122223333:db:orders"),
            (
                "AWS::SQS::Queue",
                "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/a.fifo",
                "arn:aws-cn:sqs:cn-north-1:111122223333:a.fifo",
            ),
            (
                "AWS::SNS::Topic",
                "arn:aws-cn:sns:cn-north-1:111122223333:a",
                "arn:aws-cn:sns:cn-north-1:111122223333:a",
            ),
            ("AWS::ECS::Service", "arn:aws-cn:ecs:x:1:service/a/b|a", "arn:aws-cn:ecs:x:1:service/a/b"),
            // Not of the form that the template is for, or of no template at all.
            ("AWS::ApiGateway::Resource", "b2", ""),
            ("AWS::EC2::VPC", "vpc-0a|vpc-0b", ""),
            ("AWS::EC2::VPC", "vpc/0a", ""),
            ("AWS::EC2::VPC", "{a}", ""),
            ("AWS::EC2::VPC", "", ""),
            ("AWS::ECS::Service", "a", ""),
            ("AWS::IAM::Policy", "web-poli-1", ""),
            ("AWS::S3::BucketPolicy", "assets", ""),
            ("AWS::SQS::Queue", "https://sqs.cn-north-1.amazonaws.com.cn/444455556666/a", ""),
            ("AWS::SQS::Queue", "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/a/b", ""),
            ("Custom::Seed", "a", ""),
        ] {
            let made = words.name(resource_type, identifier, &PLACE).unwrap_or_default();
            assert_eq!(made, name, "{resource_type} {identifier}");
        }
    }

    #[test]
    fn a_relation_is_told_by_types_and_services() {
        for (dependant, dependency, expected) in [
            ("ec2:subnet", "ec2:vpc", EdgeKind::PartOf),
            ("elasticloadbalancing:loadbalancer", "ec2:subnet", EdgeKind::PartOf),
            ("s3:bucket-policy", "s3:bucket", EdgeKind::PartOf),
            ("kms:alias", "kms:key", EdgeKind::PartOf),
            ("ec2:route", "ec2:route-table", EdgeKind::PartOf),
            ("ec2:subnet", "ec2:route-table", EdgeKind::DependsOn),
            ("ecs:service", "ecs:cluster", EdgeKind::PartOf),
            ("codebuild:project", "s3:bucket", EdgeKind::DependsOn),
            ("lambda:eventSourceMapping", "dynamodb:table", EdgeKind::Consumes),
            ("rds:db", "kms:key", EdgeKind::KeyedBy),
        ] {
            assert_eq!(relation(dependant, dependency), expected, "{dependant} of {dependency}");
        }
    }

    #[test]
    fn of_two_that_belong_together_the_one_that_stands_on_the_other_depends_on_it() {
        for (first, second, named, joined) in [
            ("ec2:instance", "ec2:volume", Some(true), Some(true)),
            ("iam:policy", "iam:role", Some(false), Some(false)),
            ("ec2:security-group", "ec2:instance", None, Some(false)),
            ("ec2:security-group", "ec2:vpc", None, Some(true)),
            ("ec2:vpc", "ec2:vpc", None, None),
            ("sqs:queue", "sns:topic", None, None),
        ] {
            assert_eq!(first_depends(first, second), named, "{first} {second}");
            assert_eq!(first_depends_of_joined(first, second), joined, "{first} {second}");
        }
    }

    #[test]
    fn times_and_tags_are_read_in_each_form() {
        let read = |value: &Value| time(value).map(|time| time.to_string()).unwrap_or_default();
        assert_eq!(read(&json!("2026-11-20T09:00:00.5+01:00")), "2026-11-20T08:00:00.5Z");
        assert_eq!(read(&json!(1_763_625_600.25)), "2025-11-20T08:00:00Z");
        assert_eq!(read(&json!("yesterday")), "");
        assert_eq!(read(&Value::Null), "");
        let expected = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
        for written in [
            json!({"team": "web"}),
            json!([{"Key": "team", "Value": "web"}]),
            json!([{"key": "team", "value": "web"}]),
        ] {
            assert_eq!(tags(&written), expected);
        }
        assert!(tags(&json!(["team", {"Key": "team"}])).is_empty());
    }

    #[test]
    fn the_account_is_the_one_of_most() {
        assert_eq!(most(["2", "1", "", "", "", "2"].into_iter()), "2");
        assert_eq!(most(["2", "1"].into_iter()), "1");
        assert_eq!(most(std::iter::empty()), "");
    }
}
