//! What policies and roles let their bearer act on, as patterns of names.
//!
//! Leaves out what they deny and on which conditions: what may be reached is told, and a condition that cannot be weighed here
//! does not make it less. Of operations that only list or describe nothing is told.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::glob::Glob;

/// The most patterns that are told of one policy; more are everything.
const PATTERNS_MAX: usize = 256;

/// Services whose operations act on what their own name stands in the names of, and on nothing else that acts.
const PLAIN: [&str; 32] = [
    "acm",
    "athena",
    "autoscaling",
    "cloudtrail",
    "cloudwatch",
    "cognito-idp",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "eks",
    "elasticache",
    "elasticfilesystem",
    "elasticloadbalancing",
    "es",
    "events",
    "firehose",
    "glue",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "rds",
    "redshift",
    "route53",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "states",
    "xray",
];

/// What a policy document of AWS allows, in a partition; `None` where it is none that can be read.
pub(crate) fn of_policy(document: &Value, partition: &str) -> Option<BTreeSet<String>> {
    let read: Value;
    let document = match document.as_str() {
        Some(text) => {
            read = serde_json::from_str(&unescaped(text)).ok()?;
            &read
        }
        None => document,
    };
    let statements = document.get("Statement")?;
    let mut allowed = BTreeSet::new();
    for statement in items(statements) {
        match statement.get("Effect").and_then(Value::as_str)? {
            "Allow" => allow(statement, partition, &mut allowed),
            _ => continue,
        }
    }
    if allowed.contains("*") || allowed.len() > PATTERNS_MAX {
        return Some(BTreeSet::from(["*".to_owned()]));
    }
    Some(allowed)
}

/// The same as patterns, of a document that stands in a request.
pub(crate) fn allowed(text: &str, partition: &str) -> Option<Vec<Glob>> {
    let names = of_policy(&Value::String(text.to_owned()), partition)?;
    Some(names.iter().map(|name| Glob::new(name)).collect())
}

/// What a policy of the provider's own allows, where it is one of those that stand for little or for everything.
pub(crate) fn of_managed(arn: &str) -> Option<BTreeSet<String>> {
    let partition = arn.split(':').nth(1).unwrap_or("aws");
    let names: &[&str] = match arn.rsplit("policy/").next().unwrap_or_default() {
        "service-role/AWSLambdaBasicExecutionRole" => &["logs"],
        "AdministratorAccess" | "PowerUserAccess" => return Some(BTreeSet::from(["*".to_owned()])),
        _ => return None,
    };
    Some(names.iter().map(|service| format!("arn:{partition}:{service}:*")).collect())
}

/// What a role of a cluster lets its bearer act on: everywhere, or in one namespace.
pub(crate) fn of_rules(rules: &Value, cluster: &str, namespace: Option<&str>) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for rule in items(rules) {
        let texts = |member: &str| {
            let listed = rule.get(member).and_then(Value::as_array).into_iter().flatten();
            listed.filter_map(Value::as_str).collect::<Vec<_>>()
        };
        let changes = |verb: &&str| !matches!(*verb, "get" | "list" | "watch");
        let (verbs, resources) = (texts("verbs"), texts("resources"));
        // To read a secret is to have it, and what is opened by a read runs something.
        let acts = |resource: &&str| {
            let part = resource.split_once('/').map_or("", |(_, part)| part);
            matches!(*resource, "secrets" | "*")
                || matches!(part, "*" | "attach" | "exec" | "portforward" | "proxy")
        };
        if !(verbs.iter().any(changes) || resources.iter().any(acts)) {
            continue;
        }
        let names = texts("resourceNames");
        let names = if names.is_empty() { vec!["*"] } else { names };
        for group in texts("apiGroups") {
            let group = if group.is_empty() { "core" } else { group };
            for resource in &resources {
                // A part of an object is reached with it.
                let resource = resource.split('/').next().unwrap_or_default();
                for name in &names {
                    allowed.insert(match namespace {
                        Some(namespace) => {
                            format!("k8s://{cluster}/{group}/namespaces/{namespace}/{resource}/{name}")
                        }
                        None => format!("k8s://{cluster}/{group}/*{resource}/{name}"),
                    });
                }
            }
        }
    }
    allowed
}

fn allow(statement: &Value, partition: &str, allowed: &mut BTreeSet<String>) {
    let actions: Vec<&str> = statement.get("Action").map(texts).unwrap_or_default();
    let resources: Vec<&str> = statement.get("Resource").map(texts).unwrap_or_default();
    let changes: Vec<&str> = actions.iter().copied().filter(|action| !only_lists(action)).collect();
    if statement.get("NotAction").is_none() && changes.is_empty() {
        return;
    }
    if statement.get("NotAction").is_some() || statement.get("NotResource").is_some() {
        allowed.insert("*".to_owned());
        return;
    }
    for resource in resources {
        let resource = without_variables(resource);
        if resource.starts_with("arn:") {
            allowed.insert(whole(&resource).to_owned());
            continue;
        }
        // Everything, of the services whose operations are allowed.
        for action in &changes {
            match action.split_once(':') {
                Some((service, _)) if PLAIN.contains(&service.to_ascii_lowercase().as_str()) => {
                    allowed.insert(format!("arn:{partition}:{}:*", service.to_ascii_lowercase()));
                }
                Some(_) | None => {
                    allowed.insert("*".to_owned());
                }
            }
        }
    }
}

/// It changes nothing and hands nothing out.
fn only_lists(action: &str) -> bool {
    let verb = action.split_once(':').map_or("", |(_, verb)| verb);
    ["Describe", "List"].iter().any(|begun| verb.starts_with(begun))
}

/// What holds the part that a name is of: a bucket, of its objects; a table, of its indices.
fn whole(resource: &str) -> &str {
    let mut parts = resource.splitn(6, ':');
    let (service, own) = (parts.nth(2).unwrap_or_default(), parts.nth(2).unwrap_or_default());
    let kept = match service {
        "s3" => own.find('/'),
        "dynamodb" => own.match_indices('/').nth(1).map(|(at, _)| at),
        "logs" => own.match_indices(':').nth(1).map(|(at, _)| at),
        "lambda" => own.match_indices(':').nth(1).map(|(at, _)| at),
        _ => None,
    };
    let end = kept.map_or(resource.len(), |at| resource.len() - own.len() + at);
    resource.get(..end).unwrap_or(resource)
}

/// What stands for something of the caller's is any.
fn without_variables(resource: &str) -> String {
    let mut text = String::with_capacity(resource.len());
    let mut rest = resource;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        text.push('*');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text
}

/// A document as it is written: the provider's answers have it escaped as in a URL.
fn unescaped(text: &str) -> String {
    if text.trim_start().starts_with('{') {
        return text.to_owned();
    }
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn texts(value: &Value) -> Vec<&str> {
    items(value).iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::{of_policy, of_rules};

    fn check(statement: &str, expected: &[&str]) {
        let document =
            serde_json::from_str(&format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#));
        let allowed = of_policy(&document.unwrap(), "aws").unwrap();
        assert_eq!(allowed.into_iter().collect::<Vec<_>>(), expected, "{statement}");
    }

    #[test]
    fn a_policy_tells_what_it_is_over() {
        check(
            r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::shop/*"}"#,
            &["arn:aws:s3:::shop"],
        );
        check(
            r#"[{"Effect":"Allow","Action":"dynamodb:*","Resource":["arn:aws:dynamodb:eu-west-1:1:table/a/index/*","arn:aws:dynamodb:eu-west-1:1:table/b"]}]"#,
            &["arn:aws:dynamodb:eu-west-1:1:table/a", "arn:aws:dynamodb:eu-west-1:1:table/b"],
        );
        check(
            r#"{"Effect":"Allow","Action":["logs:PutLogEvents","ec2:Describe*"],"Resource":"*"}"#,
            &["arn:aws:logs:*"],
        );
        check(r#"{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}"#, &[]);
        check(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#, &["*"]);
        check(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#, &["*"]);
        check(r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#, &["*"]);
        check(r#"{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::a"}"#, &["*"]);
        check(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#, &[]);
        check(
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home-${aws:username}/x"}"#,
            &["arn:aws:s3:::home-*"],
        );
    }

    #[test]
    fn a_policy_is_read_as_the_provider_writes_it() {
        let escaped = serde_json::json!(
            "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sqs%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
        );
        assert_eq!(
            of_policy(&escaped, "aws-cn").unwrap().into_iter().collect::<Vec<_>>(),
            ["arn:aws-cn:sqs:*"]
        );
        assert_eq!(of_policy(&serde_json::json!("no document"), "aws"), None);
    }

    #[test]
    fn a_role_of_a_cluster_tells_what_it_is_over() {
        let rules = serde_json::json!([
            {"apiGroups": [""], "resources": ["pods", "pods/exec"], "verbs": ["create"]},
            {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["tls"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]},
            {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
        ]);
        let of = |namespace| of_rules(&rules, "prod", namespace).into_iter().collect::<Vec<_>>();
        assert_eq!(
            of(Some("shop")),
            [
                "k8s://prod/core/namespaces/shop/nodes/*",
                "k8s://prod/core/namespaces/shop/pods/*",
                "k8s://prod/core/namespaces/shop/secrets/tls"
            ]
        );
        assert_eq!(
            of(None),
            ["k8s://prod/core/*nodes/*", "k8s://prod/core/*pods/*", "k8s://prod/core/*secrets/tls"]
        );
    }
}
