//! What the parameters of a change add to its class: opening something to the world, or granting.
//!
//! Only ever sharpens. Leaves out the class of the operation itself, which the catalogue has.

use ordain_action::{Access, Scalar};

use super::policy::{self, Policy};
use crate::form::Fields;

/// The widest source that is not the world: half of the address space opens as much as all of it.
const WORLD_V4: u8 = 7;
const WORLD_V6: u8 = 16;

/// The class that the parameters give a change, beyond the class of its operation.
pub(crate) fn by_parameters(service: &str, operation: &str, fields: &Fields) -> Option<Access> {
    // The policy of a stack says what updates may change, to everybody, and lets nobody in (`template`).
    if service == "cloudformation" {
        return None;
    }
    let by_policy = fields.iter().filter_map(|(_, value)| match value {
        Scalar::Text(text) => policy::read(text),
        Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
    });
    let by_policy = by_policy.max().map(|policy| match policy {
        Policy::Grants => Access::Grant,
        Policy::Public => Access::Expose,
    });
    let by_operation = match service {
        "ec2" => ec2(operation, fields),
        "s3" | "s3control" => s3(operation, fields),
        "rds" | "docdb" | "neptune" | "redshift" | "dms" | "redshift-serverless" => {
            database(operation, fields)
        }
        "lambda" => lambda(operation, fields),
        "eks" => eks(operation, fields),
        "elb" | "elbv2" => balancer(operation, fields),
        "autoscaling" => any_text(fields, "AssociatePublicIpAddress", "true").then_some(Access::Expose),
        "sqs" | "sns" => messages(operation, fields),
        "ssm" => fleet(operation, fields),
        _ => None,
    };
    strictest(by_policy, by_operation)
}

/// Opening beats granting.
pub(super) fn strictest(one: Option<Access>, other: Option<Access>) -> Option<Access> {
    match (one, other) {
        (Some(Access::Expose), _) | (_, Some(Access::Expose)) => Some(Access::Expose),
        (one, other) => one.or(other),
    }
}

fn ec2(operation: &str, fields: &Fields) -> Option<Access> {
    match operation {
        "AuthorizeSecurityGroupIngress"
        | "AuthorizeSecurityGroupEgress"
        | "ModifySecurityGroupRules"
        | "UpdateSecurityGroupRuleDescriptionsIngress"
        | "UpdateSecurityGroupRuleDescriptionsEgress" => opens_to_world(fields).then_some(Access::Expose),
        "CreateNetworkAclEntry" | "ReplaceNetworkAclEntry" => {
            (fields.text("RuleAction") == Some("allow") && opens_to_world(fields)).then_some(Access::Expose)
        }
        "CreateRoute" | "ReplaceRoute" => {
            let internet = fields.text("GatewayId").is_some_and(|id| id.starts_with("igw-"));
            (internet && opens_to_world(fields)).then_some(Access::Expose)
        }
        "ModifySnapshotAttribute" | "ModifyImageAttribute" | "ModifyFpgaImageAttribute" => shares(fields),
        "ModifySubnetAttribute" => {
            (fields.text("MapPublicIpOnLaunch.Value") == Some("true")).then_some(Access::Expose)
        }
        "DisableImageBlockPublicAccess"
        | "DisableSnapshotBlockPublicAccess"
        | "ModifyVpcBlockPublicAccessOptions"
        | "CreateVpcBlockPublicAccessExclusion"
        | "ModifyVpcBlockPublicAccessExclusion"
        | "AttachInternetGateway"
        | "AssociateAddress" => Some(Access::Expose),
        "RunInstances" | "CreateFleet" | "RequestSpotInstances" | "RequestSpotFleet" => {
            any_text(fields, "AssociatePublicIpAddress", "true").then_some(Access::Expose)
        }
        _ => None,
    }
}

/// Sharing an image or a snapshot: with everybody, or with other accounts.
fn shares(fields: &Fields) -> Option<Access> {
    let removes = fields.text("OperationType") == Some("remove");
    let mut strictest_so_far = None;
    for (path, value) in fields.iter() {
        let Scalar::Text(text) = value else { continue };
        let adds = path.contains(".Add.")
            || (!removes
                && ["UserGroup.", "UserId.", "OrganizationArn.", "OrganizationalUnitArn."]
                    .iter()
                    .any(|list| path.starts_with(list)));
        if adds {
            let class = if text == "all" { Access::Expose } else { Access::Grant };
            strictest_so_far = strictest(strictest_so_far, Some(class));
        }
    }
    strictest_so_far
}

fn s3(operation: &str, fields: &Fields) -> Option<Access> {
    match operation {
        "DeletePublicAccessBlock" | "DeleteBucketPublicAccessBlock" => return Some(Access::Expose),
        "PutPublicAccessBlock" => {
            // Each of the four not set is off.
            let on = fields.iter().filter(|(path, value)| {
                let known = path.rsplit('.').next().is_some_and(|name| {
                    matches!(
                        name,
                        "BlockPublicAcls"
                            | "IgnorePublicAcls"
                            | "BlockPublicPolicy"
                            | "RestrictPublicBuckets"
                    )
                });
                known && matches!(value, Scalar::Text(text) if text.eq_ignore_ascii_case("true"))
            });
            return (on.count() < 4).then_some(Access::Expose);
        }
        _ => {}
    }
    let mut class = None;
    for (path, value) in fields.iter() {
        let Scalar::Text(text) = value else { continue };
        let name = path.rsplit('.').next().unwrap_or(path);
        let found = if name.eq_ignore_ascii_case("x-amz-acl") {
            match text {
                "private" | "bucket-owner-full-control" | "bucket-owner-read" => None,
                "public-read" | "public-read-write" | "authenticated-read" => Some(Access::Expose),
                _ => Some(Access::Grant),
            }
        } else if name.to_ascii_lowercase().starts_with("x-amz-grant-") || path.contains("Grantee.") {
            let everybody = text.contains("/AllUsers") || text.contains("/AuthenticatedUsers");
            Some(if everybody { Access::Expose } else { Access::Grant })
        } else {
            None
        };
        class = strictest(class, found);
    }
    class
}

/// A balancer faces the internet unless told otherwise; one for gateways has no face.
fn balancer(operation: &str, fields: &Fields) -> Option<Access> {
    let opens = match operation {
        "CreateLoadBalancer" => {
            fields.text("Scheme") != Some("internal") && fields.text("Type") != Some("gateway")
        }
        _ => any_text(fields, "Scheme", "internet-facing"),
    };
    opens.then_some(Access::Expose)
}

/// The policy of a queue or a topic is an attribute among others, given as text or taken away.
fn messages(operation: &str, fields: &Fields) -> Option<Access> {
    if operation == "AddPermission" {
        return Some(
            if fields.iter().any(|(path, value)| {
                path.contains("AWSAccountId") && matches!(value, Scalar::Text(text) if text.contains('*'))
            }) {
                Access::Expose
            } else {
                Access::Grant
            },
        );
    }
    let in_attributes = matches!(
        operation,
        "CreateQueue"
            | "SetQueueAttributes"
            | "CreateTopic"
            | "SetTopicAttributes"
            | "SetSubscriptionAttributes"
    );
    // JSON names the attribute in the path, a form in a value beside it.
    let names_policy = |(path, value): (&str, Scalar<'_>)| {
        path.rsplit('.').next() == Some("Policy") || matches!(value, Scalar::Text("Policy"))
    };
    (in_attributes && fields.iter().any(names_policy)).then_some(Access::Grant)
}

fn fleet(operation: &str, fields: &Fields) -> Option<Access> {
    let opens = match operation {
        // A document is shared with accounts, or with `all`.
        "ModifyDocumentPermission" => fields.iter().any(|(path, value)| {
            path.starts_with("AccountIdsToAdd")
                && matches!(value, Scalar::Text(text) if text.eq_ignore_ascii_case("all"))
        }),
        "UpdateServiceSetting" => {
            fields.text("SettingId").is_some_and(|id| id.ends_with("public-sharing-permission"))
                && fields.text("SettingValue").is_some_and(|value| value.eq_ignore_ascii_case("enable"))
        }
        _ => false,
    };
    opens.then_some(Access::Expose)
}

fn database(operation: &str, fields: &Fields) -> Option<Access> {
    if any_text(fields, "PubliclyAccessible", "true") {
        return Some(Access::Expose);
    }
    match operation {
        "ModifyDBSnapshotAttribute" | "ModifyDBClusterSnapshotAttribute" => {
            let mut added = fields.iter().filter_map(|(path, value)| match value {
                Scalar::Text(text) if path.starts_with("ValuesToAdd.") => Some(text),
                Scalar::Text(_)
                | Scalar::Number(_)
                | Scalar::Bool(_)
                | Scalar::Null
                | Scalar::Empty
                | Scalar::Token(_) => None,
            });
            let first = added.next()?;
            let everybody = first == "all" || added.any(|account| account == "all");
            Some(if everybody { Access::Expose } else { Access::Grant })
        }
        _ => None,
    }
}

fn lambda(operation: &str, fields: &Fields) -> Option<Access> {
    match operation {
        "AddPermission" | "AddLayerVersionPermission" => {
            let everybody = fields.text("Principal") == Some("*");
            let narrowed = ["SourceArn", "SourceAccount", "PrincipalOrgID", "OrganizationId"]
                .iter()
                .any(|member| fields.text(member).is_some());
            Some(if everybody && !narrowed { Access::Expose } else { Access::Grant })
        }
        "CreateFunctionUrlConfig" | "UpdateFunctionUrlConfig" => {
            (fields.text("AuthType") == Some("NONE")).then_some(Access::Expose)
        }
        _ => None,
    }
}

fn eks(operation: &str, fields: &Fields) -> Option<Access> {
    match operation {
        "CreateCluster" | "UpdateClusterConfig" => {
            let public = fields.text("resourcesVpcConfig.endpointPublicAccess");
            let narrowed =
                fields.iter().any(|(path, _)| path.starts_with("resourcesVpcConfig.publicAccessCidrs."));
            // A new cluster is public unless told otherwise.
            let opens = public == Some("true") || (operation == "CreateCluster" && public != Some("false"));
            (opens && (!narrowed || opens_to_world(fields))).then_some(Access::Expose)
        }
        _ => None,
    }
}

fn any_text(fields: &Fields, name: &str, wanted: &str) -> bool {
    fields.iter().any(|(path, value)| {
        let named = path.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name));
        named
            && match value {
                Scalar::Text(text) => text.eq_ignore_ascii_case(wanted),
                Scalar::Bool(truth) => truth == (wanted == "true"),
                Scalar::Number(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => false,
            }
    })
}

fn opens_to_world(fields: &Fields) -> bool {
    fields.iter().any(|(_, value)| matches!(value, Scalar::Text(text) if is_world(text)))
}

/// A range that holds the internet, or a large part of it.
pub(super) fn is_world(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let Ok(length) = length.parse::<u8>() else { return false };
    if address.contains(':') {
        length <= WORLD_V6
    } else {
        length <= WORLD_V4 && address.split('.').all(|part| part.parse::<u8>().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(service: &str, operation: &str, leaves: &[(&str, &str)], expected: Option<Access>) {
        let mut fields = Fields::new();
        for (path, value) in leaves {
            fields.put_at(path, Scalar::Text(value));
        }
        assert_eq!(by_parameters(service, operation, &fields), expected, "{service}:{operation} {leaves:?}");
    }

    #[test]
    fn a_rule_for_the_world_exposes() {
        let rule = "AuthorizeSecurityGroupIngress";
        check("ec2", rule, &[("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0")], Some(Access::Expose));
        check("ec2", rule, &[("CidrIp", "0.0.0.0/1")], Some(Access::Expose));
        check("ec2", rule, &[("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0")], Some(Access::Expose));
        check("ec2", rule, &[("CidrIp", "10.0.0.0/8")], None);
        check(
            "ec2",
            "CreateRoute",
            &[("GatewayId", "igw-1"), ("DestinationCidrBlock", "0.0.0.0/0")],
            Some(Access::Expose),
        );
        check(
            "ec2",
            "CreateRoute",
            &[("NatGatewayId", "nat-1"), ("DestinationCidrBlock", "0.0.0.0/0")],
            None,
        );
    }

    #[test]
    fn sharing_grants_and_sharing_with_all_exposes() {
        let share = "ModifySnapshotAttribute";
        check("ec2", share, &[("CreateVolumePermission.Add.1.Group", "all")], Some(Access::Expose));
        check("ec2", share, &[("CreateVolumePermission.Add.1.UserId", "123456789012")], Some(Access::Grant));
        check("ec2", share, &[("OperationType", "remove"), ("UserGroup.1", "all")], None);
        check("ec2", share, &[("OperationType", "add"), ("UserGroup.1", "all")], Some(Access::Expose));
        let restore = "ModifyDBSnapshotAttribute";
        check("rds", restore, &[("ValuesToAdd.AttributeValue.1", "all")], Some(Access::Expose));
        check("rds", restore, &[("ValuesToAdd.AttributeValue.1", "1")], Some(Access::Grant));
        check("rds", restore, &[("ValuesToRemove.AttributeValue.1", "all")], None);
    }

    #[test]
    fn a_bucket_made_public_exposes() {
        check("s3", "PutBucketAcl", &[("x-amz-acl", "public-read")], Some(Access::Expose));
        check("s3", "PutObject", &[("x-amz-acl", "private")], None);
        check(
            "s3",
            "PutBucketAcl",
            &[("x-amz-grant-read", "uri=http://acs.amazonaws.com/groups/global/AllUsers")],
            Some(Access::Expose),
        );
        check("s3", "DeletePublicAccessBlock", &[], Some(Access::Expose));
        let all = [
            ("BlockPublicAcls", "true"),
            ("IgnorePublicAcls", "true"),
            ("BlockPublicPolicy", "true"),
            ("RestrictPublicBuckets", "TRUE"),
        ];
        check("s3", "PutPublicAccessBlock", &all, None);
        check("s3", "PutPublicAccessBlock", &all[..3], Some(Access::Expose));
        let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*"}]}"#;
        check("s3", "PutBucketPolicy", &[("Policy", policy)], Some(Access::Expose));
    }

    #[test]
    fn functions_databases_and_clusters() {
        check("lambda", "AddPermission", &[("Principal", "*")], Some(Access::Expose));
        check(
            "lambda",
            "AddPermission",
            &[("Principal", "*"), ("SourceArn", "arn:aws:s3:::b")],
            Some(Access::Grant),
        );
        check("lambda", "CreateFunctionUrlConfig", &[("AuthType", "NONE")], Some(Access::Expose));
        check("rds", "ModifyDBInstance", &[("PubliclyAccessible", "true")], Some(Access::Expose));
        check("rds", "ModifyDBInstance", &[("PubliclyAccessible", "false")], None);
        check("eks", "CreateCluster", &[("resourcesVpcConfig.endpointPublicAccess", "false")], None);
        check("eks", "CreateCluster", &[("name", "c")], Some(Access::Expose));
    }
}
