//! Cloud Control: any resource by the name of its type and its primary identifier.
//!
//! Leaves out the properties, which are parameters like any other (`batch.rs` unfolds them).

use std::sync::Arc;

use ordain_action::{Access, Effect, Identifier, NameBasis, Resource, Role};
use ordain_catalog::Catalog;

use super::bind::is_arn;
use super::resource::Place;

/// Types whose primary identifier names one resource by a template that was reviewed. What the catalogue says of
/// all others was found by comparing words.
const REVIEWED: [(&str, &str, &str); 27] = [
    ("AWS::DynamoDB::Table", "dynamodb:table", "arn:{p}:dynamodb:{r}:{a}:table/{id}"),
    ("AWS::EC2::Instance", "ec2:instance", "arn:{p}:ec2:{r}:{a}:instance/{id}"),
    ("AWS::EC2::SecurityGroup", "ec2:security-group", "arn:{p}:ec2:{r}:{a}:security-group/{id}"),
    ("AWS::EC2::Subnet", "ec2:subnet", "arn:{p}:ec2:{r}:{a}:subnet/{id}"),
    ("AWS::EC2::VPC", "ec2:vpc", "arn:{p}:ec2:{r}:{a}:vpc/{id}"),
    ("AWS::EC2::Volume", "ec2:volume", "arn:{p}:ec2:{r}:{a}:volume/{id}"),
    ("AWS::ECR::Repository", "ecr:repository", "arn:{p}:ecr:{r}:{a}:repository/{id}"),
    ("AWS::ECS::Cluster", "ecs:cluster", "arn:{p}:ecs:{r}:{a}:cluster/{id}"),
    ("AWS::EKS::Cluster", "eks:cluster", "arn:{p}:eks:{r}:{a}:cluster/{id}"),
    ("AWS::IAM::Group", "iam:group", "arn:{p}:iam::{a}:group/{id}"),
    ("AWS::IAM::InstanceProfile", "iam:instance-profile", "arn:{p}:iam::{a}:instance-profile/{id}"),
    ("AWS::IAM::Role", "iam:role", "arn:{p}:iam::{a}:role/{id}"),
    ("AWS::IAM::User", "iam:user", "arn:{p}:iam::{a}:user/{id}"),
    ("AWS::KMS::Alias", "kms:alias", "arn:{p}:kms:{r}:{a}:{id}"),
    ("AWS::KMS::Key", "kms:key", "arn:{p}:kms:{r}:{a}:key/{id}"),
    ("AWS::Lambda::Function", "lambda:function", "arn:{p}:lambda:{r}:{a}:function:{id}"),
    ("AWS::Logs::LogGroup", "logs:log-group", "arn:{p}:logs:{r}:{a}:log-group:{id}"),
    ("AWS::RDS::DBCluster", "rds:cluster", "arn:{p}:rds:{r}:{a}:cluster:{id}"),
    ("AWS::RDS::DBInstance", "rds:db", "arn:{p}:rds:{r}:{a}:db:{id}"),
    ("AWS::RDS::DBParameterGroup", "rds:pg", "arn:{p}:rds:{r}:{a}:pg:{id}"),
    ("AWS::RDS::DBSubnetGroup", "rds:subgrp", "arn:{p}:rds:{r}:{a}:subgrp:{id}"),
    ("AWS::Redshift::Cluster", "redshift:cluster", "arn:{p}:redshift:{r}:{a}:cluster:{id}"),
    ("AWS::Route53::HostedZone", "route53:hostedzone", "arn:{p}:route53:::hostedzone/{id}"),
    ("AWS::S3::Bucket", "s3:bucket", "arn:{p}:s3:::{id}"),
    ("AWS::S3::BucketPolicy", "s3:bucket", "arn:{p}:s3:::{id}"),
    ("AWS::SSM::Document", "ssm:document", "arn:{p}:ssm:{r}:{a}:document/{id}"),
    ("AWS::SSM::Parameter", "ssm:parameter", "arn:{p}:ssm:{r}:{a}:parameter/{id}"),
];

/// What a request to Cloud Control does to which resource.
pub(super) fn control(effect: &mut Effect, catalog: &Catalog, place: &Place<'_>) {
    let type_name = effect.parameters.text("TypeName").unwrap_or_default().to_owned();
    let identifier = effect.parameters.text("Identifier").unwrap_or_default().to_owned();
    effect.resources.retain(|resource| resource.role == Role::Uses);
    effect.access = match &*effect.operation {
        "CreateResource" => Access::Create,
        "DeleteResource" => Access::Delete,
        _ if effect.access == Access::Expose => Access::Expose,
        // A change of who may do what, whatever the way it comes.
        _ if type_name.starts_with("AWS::IAM::")
            || type_name.ends_with("Policy")
            || type_name.ends_with("Permission") =>
        {
            Access::Grant
        }
        _ => Access::Update,
    };
    let (kind, name, basis) = named(&type_name, &identifier, catalog, place);
    let mut identifiers = vec![Identifier { name: Arc::from("TypeName"), value: type_name }];
    // Each part of an identifier may be known by itself.
    let parts = identifier.split('|').filter(|part| *part != identifier);
    identifiers.extend(parts.map(|part| Identifier { name: Arc::from("Part"), value: part.to_owned() }));
    if !identifier.is_empty() {
        identifiers.push(Identifier { name: Arc::from("Identifier"), value: identifier });
    }
    let pattern = name.contains('*');
    effect.resources.push(Resource { role: Role::Target, kind, name, basis, pattern, identifiers });
}

fn named(
    type_name: &str,
    identifier: &str,
    catalog: &Catalog,
    place: &Place<'_>,
) -> (Arc<str>, String, NameBasis) {
    let reviewed = REVIEWED.iter().find(|(name, _, _)| *name == type_name);
    let known = catalog.resource_type(type_name);
    let kind = match (reviewed, known) {
        (Some((_, kind, _)), _) => Arc::from(*kind),
        (None, Some(known)) => Arc::from(known.kind),
        (None, None) => Arc::from(format!("cloudformation:{type_name}")),
    };
    if identifier.is_empty() || identifier.contains(['{', '}']) {
        return (kind, String::new(), NameBasis::Unnamed);
    }
    if is_arn(identifier) && !identifier.contains('|') {
        return (kind, identifier.to_owned(), NameBasis::Carried);
    }
    if let Some((_, _, template)) = reviewed {
        let name = in_place(&template.replace("{id}", "{1}"), place);
        return (kind, name.replace("{1}", identifier), NameBasis::Reviewed);
    }
    let parts: Vec<&str> = identifier.split('|').collect();
    let template = known.and_then(|known| known.template).unwrap_or_default();
    let part =
        |number: &str| number.parse::<usize>().ok()?.checked_sub(1).and_then(|at| parts.get(at).copied());
    if let Some(carrying) = template.strip_prefix('@') {
        return match part(carrying).filter(|part| is_arn(part)) {
            Some(arn) => (kind, arn.to_owned(), NameBasis::Carried),
            None => (kind, String::new(), NameBasis::Unnamed),
        };
    }
    let mut name = in_place(template, place);
    for (number, part) in (1..).zip(&parts) {
        name = name.replacen(&format!("{{{number}}}"), part, 1);
    }
    // Fewer parts than the template has say another resource than it.
    let whole = !name.is_empty() && !template.contains(&format!("{{{}}}", parts.len() + 1));
    if whole { (kind, name, NameBasis::Bound) } else { (kind, String::new(), NameBasis::Unnamed) }
}

fn in_place(template: &str, place: &Place<'_>) -> String {
    let mut name = template.to_owned();
    for (variable, value) in [
        ("{p}", place.partition),
        ("{r}", place.region),
        ("{a}", place.account),
        ("{partition}", place.partition),
        ("{region}", place.region),
        ("{account}", place.account),
    ] {
        name = name.replace(variable, value);
    }
    name
}
