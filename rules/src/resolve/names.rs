//! What names and identifiers tell by their form alone.
//!
//! Leaves out what they stand for.

use ordain_action::{NameBasis, Resource};

use crate::live::service;

/// The service that an ARN names.
pub(super) fn own_service(name: &str) -> &str {
    name.split(':').nth(2).unwrap_or_default()
}

/// What identifiers of eight digits begin with, which the provider made before those of seventeen: a date has eight too.
const SHORT: [&str; 20] = [
    "acl", "ami", "cgw", "dopt", "eipalloc", "eipassoc", "eni", "i", "igw", "lt", "nat", "pcx", "r", "rtb",
    "sg", "snap", "subnet", "vgw", "vol", "vpc",
];

/// An identifier as the provider makes them, `i-0123456789abcdef0`: never the same for two types.
pub(crate) fn is_made(identifier: &str) -> bool {
    identifier.rsplit_once('-').is_some_and(|(before, digits)| {
        let long = digits.len() == 17 && before.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let short = digits.len() == 8 && SHORT.contains(&before);
        let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        (long || short) && digits.bytes().all(is_digit)
    })
}

/// What stands for the characters that the provider puts behind a secret's name.
pub(super) const SECRET_END: &str = "-??????";

/// A secret's ARN ends as whole ones do, which the name of a secret may do too.
pub(super) fn is_part(resource: &Resource) -> bool {
    resource.basis == NameBasis::Carried
        && own_service(&resource.name) == "secretsmanager"
        && resource.name.contains(":secret:")
}

/// What is left of an IAM name's ARN without its path: no two differ in path or in case alone.
pub(super) fn own_name<'v>(kind: &str, value: &'v str) -> &'v str {
    let in_path = service(kind) == "iam" && value.starts_with("arn:");
    value.rsplit('/').next().filter(|_| in_path).unwrap_or(value)
}

/// A pattern whose wildcards stand for what the provider adds to a name, while the request itself has none.
pub(crate) fn is_completed(resource: &Resource) -> bool {
    const MADE: [&str; 12] = [
        ":autoScalingGroup:*:",
        ":launchConfiguration:*:",
        ":secret:",
        ":stack/",
        ":stackset/",
        ":changeSet/",
        ":task-definition/",
        ":account/o-*/",
        ":ou/o-*/",
        ":root/o-*/",
        ":policy/*/p-",
        ":handshake/o-*/",
    ];
    let plain = |text: &str| !text.is_empty() && !text.contains(['*', '?']);
    resource.identifiers.iter().all(|identifier| plain(&identifier.value))
        && !resource.identifiers.is_empty()
        && MADE.iter().any(|part| resource.name.contains(part))
}

/// Names that are shared by all accounts: a bucket that no scope holds may be anybody's.
pub(super) fn belongs_to_anyone(name: &str) -> bool {
    let mut parts = name.split(':');
    parts.next() == Some("arn") && parts.nth(1) == Some("s3") && parts.nth(1) == Some("")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ordain_action::{Identifier, NameBasis, Resource, Role};

    use super::{belongs_to_anyone, is_completed};

    fn pattern(name: &str, value: &str) -> Resource {
        Resource {
            role: Role::Target,
            kind: Arc::from("x:y"),
            name: name.to_owned(),
            basis: NameBasis::Reviewed,
            pattern: true,
            identifiers: vec![Identifier { name: Arc::from("Name"), value: value.to_owned() }],
        }
    }

    #[test]
    fn only_what_the_provider_adds_is_completed() {
        assert!(is_completed(&pattern("arn:aws:secretsmanager:eu-west-1:1:secret:db-??????", "db")));
        assert!(is_completed(&pattern("arn:aws:cloudformation:eu-west-1:1:stack/s/*", "s")));
        assert!(!is_completed(&pattern("arn:aws:secretsmanager:eu-west-1:1:secret:d*-??????", "d*")));
        assert!(!is_completed(&pattern("arn:aws:secretsmanager:eu-west-1:1:secret:d?-??????", "d?")));
        assert!(!is_completed(&pattern("arn:aws:ssm:eu-west-1:1:parameter/prod/*", "/prod")));
        assert!(!is_completed(&pattern("arn:aws:ec2:eu-west-1:1:instance/*", "*")));
        assert!(!is_completed(&Resource {
            identifiers: Vec::new(),
            ..pattern("arn:aws:cloudformation:eu-west-1:1:stack/s/*", "s")
        }));
    }

    #[test]
    fn a_bucket_may_be_anybodys() {
        assert!(belongs_to_anyone("arn:aws:s3:::backups"));
        assert!(belongs_to_anyone("arn:aws:s3:::backups/2026/a"));
        assert!(!belongs_to_anyone("arn:aws:s3:eu-west-1:111122223333:accesspoint/a"));
        assert!(!belongs_to_anyone("arn:aws:route53:::hostedzone/Z1"));
    }
}
