//! Authority that a request hands over: roles passed to a service, and keys it is told to use.
//!
//! Found by what the values are, so that a service the catalogue does not know by heart is covered too. Leaves
//! out the operations whose own subject is roles or keys.

use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role, Scalar};

use super::resource::Place;
use crate::form::Fields;
use crate::tokens::contains_word;

/// The roles and instance profiles that a change hands to the service it calls.
pub(crate) fn passed_roles(service: &str, fields: &Fields, place: &Place<'_>) -> Vec<Resource> {
    if matches!(service, "iam" | "sts" | "iam-toolbox") {
        return Vec::new();
    }
    let mut passed: Vec<Resource> = Vec::new();
    for (path, value) in fields.iter() {
        let Scalar::Text(text) = value else { continue };
        let member = member(path);
        // A topic's attributes are named by a member beside their value.
        if let Some(kind) = role_kind(text)
            && (service == "sns" || path_names_role(path))
        {
            add(
                &mut passed,
                Resource {
                    role: Role::Target,
                    kind: Arc::from(kind),
                    name: text.to_owned(),
                    basis: NameBasis::Carried,
                    pattern: text.contains('*'),
                    identifiers: vec![Identifier { name: Arc::from(member), value: text.to_owned() }],
                },
            );
        } else if (service == "ec2" && path.ends_with("IamInstanceProfile.Name"))
            || (service == "autoscaling" && member == "IamInstanceProfile" && !text.is_empty())
        {
            add(
                &mut passed,
                Resource {
                    role: Role::Target,
                    kind: Arc::from("iam:instance-profile"),
                    name: place.global_arn("iam", &format!("instance-profile/{text}")),
                    basis: NameBasis::Reviewed,
                    pattern: false,
                    identifiers: vec![Identifier { name: Arc::from("Name"), value: text.to_owned() }],
                },
            );
        } else if takes_role_name(service, member) && is_role_name(text) {
            add(
                &mut passed,
                Resource {
                    role: Role::Target,
                    kind: Arc::from("iam:role"),
                    name: place.global_arn("iam", &format!("role/{}", text.trim_start_matches('/'))),
                    basis: NameBasis::Reviewed,
                    pattern: false,
                    identifiers: vec![Identifier { name: Arc::from(member), value: text.to_owned() }],
                },
            );
        }
    }
    passed
}

/// The keys that a change tells a service to use.
pub(crate) fn used_keys(service: &str, fields: &Fields, place: &Place<'_>) -> Vec<Resource> {
    if service == "kms" {
        return Vec::new();
    }
    let mut used = Vec::new();
    for (path, value) in fields.iter() {
        let Scalar::Text(text) = value else { continue };
        let member = member(path);
        let carried = is_key_arn(text);
        if text.is_empty() || !(carried || names_key(member)) || text.contains(char::is_whitespace) {
            continue;
        }
        let (name, basis) = if carried {
            (text.to_owned(), NameBasis::Carried)
        } else if text.starts_with("alias/") {
            (place.arn("kms", text), NameBasis::Reviewed)
        } else if is_key_id(text) {
            (place.arn("kms", &format!("key/{text}")), NameBasis::Reviewed)
        } else {
            continue;
        };
        add(
            &mut used,
            Resource {
                role: Role::Uses,
                kind: Arc::from(if name.contains(":alias/") { "kms:alias" } else { "kms:key" }),
                name,
                basis,
                pattern: false,
                identifiers: vec![Identifier { name: Arc::from(member), value: text.to_owned() }],
            },
        );
    }
    used
}

/// Members that take a role's bare name, alone or beside its ARN.
fn takes_role_name(service: &str, member: &str) -> bool {
    matches!(
        (service, member),
        ("ecs", "taskRoleArn" | "executionRoleArn" | "role")
            | ("ssm", "IamRole" | "RoleArn" | "ServiceRoleArn")
            | ("rds", "DomainIAMRoleName")
            | ("glue", "Role")
            | ("emr", "JobFlowRole" | "ServiceRole" | "AutoScalingRole")
            | ("cloudformation", "ExecutionRoleName")
            | ("ssm-quicksetup", "LocalDeploymentExecutionRoleName")
    )
}

fn is_role_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("arn:")
}

/// More than any request means, and few enough to compare each with each.
const NAMED_MAX: usize = 1_024;

fn add(resources: &mut Vec<Resource>, resource: Resource) {
    if resources.len() <= NAMED_MAX && !resources.iter().any(|known| known.name == resource.name) {
        resources.push(resource);
    }
}

/// The last segment of a path that is not an item number.
fn member(path: &str) -> &str {
    let mut segments = path.rsplit('.').filter(|segment| !segment.bytes().all(|byte| byte.is_ascii_digit()));
    match segments.next() {
        Some("member") => segments.next().unwrap_or("member"),
        Some(segment) => segment,
        None => path,
    }
}

/// A principal that is granted something is named by its role too, but the role is not handed over.
fn path_names_role(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    (lower.contains("role") || lower.contains("instanceprofile")) && !lower.contains("principal")
}

fn role_kind(text: &str) -> Option<&'static str> {
    let rest = text.strip_prefix("arn:")?;
    let (_, rest) = rest.split_once(":iam::")?;
    let (_, resource) = rest.split_once(':')?;
    if resource.starts_with("role/") {
        Some("iam:role")
    } else if resource.starts_with("instance-profile/") {
        Some("iam:instance-profile")
    } else {
        None
    }
}

fn is_key_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.nth(1) == Some("kms")
        && parts.nth(2).is_some_and(|resource| resource.starts_with("key/") || resource.starts_with("alias/"))
}

fn names_key(member: &str) -> bool {
    if !contains_word(member, "key") {
        return false;
    }
    let lower: String = member
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    lower.contains("kmskey")
        || lower.contains("kmsmasterkey")
        || lower.contains("awskmskeyid")
        || matches!(
            lower.as_str(),
            "xamzserversideencryptionawskmskeyid" | "encryptionkeyarn" | "customermanagedkey"
        )
}

/// A key's own id: a UUID, or `mrk-` and 32 digits.
pub(super) fn is_key_id(text: &str) -> bool {
    let digits = text.strip_prefix("mrk-").map_or_else(|| text.replace('-', ""), str::to_owned);
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place<'static> {
        Place { partition: "aws", region: "eu-west-1", account: "123456789012" }
    }

    fn fields(leaves: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::new();
        for (path, value) in leaves {
            fields.put_at(path, Scalar::Text(value));
        }
        fields
    }

    fn roles(service: &str, leaves: &[(&str, &str)]) -> Vec<String> {
        passed_roles(service, &fields(leaves), &place()).into_iter().map(|resource| resource.name).collect()
    }

    fn keys(service: &str, leaves: &[(&str, &str)]) -> Vec<String> {
        used_keys(service, &fields(leaves), &place()).into_iter().map(|resource| resource.name).collect()
    }

    #[test]
    fn a_role_handed_over_is_found_by_its_value() {
        let role = "arn:aws:iam::123456789012:role/deploy";
        assert_eq!(roles("lambda", &[("Role", role)]), [role]);
        assert_eq!(roles("ecs", &[("taskRoleArn", "task")]), ["arn:aws:iam::123456789012:role/task"]);
        assert_eq!(
            roles("redshift", &[("IamRoles.IamRoleArn.1", role), ("IamRoles.IamRoleArn.2", role)]),
            [role]
        );
        assert_eq!(
            roles("ec2", &[("IamInstanceProfile.Name", "web")]),
            ["arn:aws:iam::123456789012:instance-profile/web"]
        );
        assert_eq!(
            roles(
                "ssm-quicksetup",
                &[("ConfigurationDefinitions.1.LocalDeploymentExecutionRoleName", "setup")]
            ),
            ["arn:aws:iam::123456789012:role/setup"]
        );
        assert!(roles("eks", &[("principalArn", role)]).is_empty());
        assert!(roles("sts", &[("RoleArn", role)]).is_empty());
    }

    #[test]
    fn a_key_in_use_is_named_in_full() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let arn = format!("arn:aws:kms:eu-west-1:123456789012:key/{id}");
        assert_eq!(keys("rds", &[("KmsKeyId", id)]), [arn.as_str()]);
        assert_eq!(keys("s3", &[("x-amz-server-side-encryption-aws-kms-key-id", &arn)]), [arn.as_str()]);
        assert_eq!(keys("logs", &[("anything", &arn)]), [arn.as_str()]);
        assert_eq!(keys("ec2", &[("KmsKeyId", "alias/a")]), ["arn:aws:kms:eu-west-1:123456789012:alias/a"]);
        assert!(keys("kms", &[("KeyId", id)]).is_empty());
    }
}
