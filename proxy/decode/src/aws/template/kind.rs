//! What single types of a template open beside what their properties say one by one, what they run, how they are named.
//!
//! Leaves out what the catalogue knows of all types.

use ordain_action::Access;

use super::value::Value;
use crate::aws::resource::Place;
use crate::aws::sharpen::is_world;

/// Types that run something of somebody's, as the operations that do the same.
const RUNNING: [(&str, &str, &str); 16] = [
    ("AWS::CloudFormation::GuardHook", "cloudformation", "ActivateType"),
    ("AWS::CloudFormation::HookDefaultVersion", "cloudformation", "SetTypeDefaultVersion"),
    ("AWS::CloudFormation::HookVersion", "cloudformation", "RegisterType"),
    ("AWS::CloudFormation::LambdaHook", "cloudformation", "ActivateType"),
    ("AWS::CloudFormation::Macro", "cloudformation", "RegisterType"),
    ("AWS::CloudFormation::ModuleDefaultVersion", "cloudformation", "SetTypeDefaultVersion"),
    ("AWS::CloudFormation::ModuleVersion", "cloudformation", "RegisterType"),
    ("AWS::CloudFormation::ResourceDefaultVersion", "cloudformation", "SetTypeDefaultVersion"),
    ("AWS::CloudFormation::ResourceVersion", "cloudformation", "RegisterType"),
    ("AWS::CloudFormation::Stack", "cloudformation", "CreateStack"),
    ("AWS::CloudFormation::StackSet", "cloudformation", "CreateStackSet"),
    ("AWS::CloudFormation::TypeActivation", "cloudformation", "ActivateType"),
    ("AWS::SSM::Association", "ssm", "CreateAssociation"),
    ("AWS::SSM::MaintenanceWindowTask", "ssm", "RegisterTaskWithMaintenanceWindow"),
    ("AWS::Serverless::Application", "cloudformation", "CreateStack"),
    ("AWS::ServiceCatalog::CloudFormationProvisionedProduct", "servicecatalog", "ProvisionProduct"),
];

/// Those of them that make what a template says that stands somewhere else.
const NESTED: [&str; 4] = [
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "AWS::Serverless::Application",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
];

/// Names of types whose identifier is the provider's, and that are named by a property all the same.
const NAMED: [(&str, &str, &str); 14] = [
    ("AWS::CloudTrail::Trail", "TrailName", "arn:{p}:cloudtrail:{r}:{a}:trail/{id}"),
    ("AWS::CodeBuild::Project", "Name", "arn:{p}:codebuild:{r}:{a}:project/{id}"),
    ("AWS::CodePipeline::Pipeline", "Name", "arn:{p}:codepipeline:{r}:{a}:{id}"),
    ("AWS::ECS::Cluster", "ClusterName", "arn:{p}:ecs:{r}:{a}:cluster/{id}"),
    ("AWS::Events::Rule", "Name", "arn:{p}:events:{r}:{a}:rule/{id}"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", "arn:{p}:iam::{a}:policy/{id}"),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        "DeliveryStreamName",
        "arn:{p}:firehose:{r}:{a}:deliverystream/{id}",
    ),
    ("AWS::Lambda::Function", "FunctionName", "arn:{p}:lambda:{r}:{a}:function:{id}"),
    ("AWS::SNS::Topic", "TopicName", "arn:{p}:sns:{r}:{a}:{id}"),
    ("AWS::SQS::Queue", "QueueName", "arn:{p}:sqs:{r}:{a}:{id}"),
    ("AWS::SecretsManager::Secret", "Name", "arn:{p}:secretsmanager:{r}:{a}:secret:{id}-??????"),
    ("AWS::SSM::Parameter", "Name", "arn:{p}:ssm:{r}:{a}:parameter/{id}"),
    ("AWS::Serverless::SimpleTable", "TableName", "arn:{p}:dynamodb:{r}:{a}:table/{id}"),
    ("AWS::StepFunctions::StateMachine", "StateMachineName", "arn:{p}:states:{r}:{a}:stateMachine:{id}"),
];

/// The operation that does what a type runs.
pub(super) fn runs(type_name: &str) -> Option<(&'static str, &'static str)> {
    RUNNING
        .iter()
        .find(|(name, _, _)| *name == type_name)
        .map(|(_, service, operation)| (*service, *operation))
}

/// Whether a resource is made of more that stands somewhere else.
pub(super) fn is_nested(type_name: &str) -> bool {
    NESTED.contains(&type_name)
}

/// Whether what a resource does is told by a function of somebody's.
pub(super) fn is_custom(type_name: &str) -> bool {
    type_name == "AWS::CloudFormation::CustomResource" || type_name.starts_with("Custom::")
}

/// Whether a type is none of the provider's own: its handler is code of somebody's, or it stands for several others.
pub(super) fn is_foreign(type_name: &str) -> bool {
    type_name.ends_with("::MODULE") || !type_name.starts_with("AWS::")
}

/// The name of a resource by a property that its identifier has not; `None` where it has no such property, and an empty
/// one where the property is not told.
pub(super) fn named(type_name: &str, properties: &Value, place: &Place<'_>) -> Option<Option<String>> {
    let known = NAMED.iter().find(|(name, _, _)| *name == type_name);
    let path = matches!(
        type_name,
        "AWS::IAM::Group"
            | "AWS::IAM::InstanceProfile"
            | "AWS::IAM::ManagedPolicy"
            | "AWS::IAM::Role"
            | "AWS::IAM::User"
    );
    let (property, template) = match known {
        Some((_, property, template)) => (*property, *template),
        None => match type_name {
            "AWS::IAM::Group" => ("GroupName", "arn:{p}:iam::{a}:group/{id}"),
            "AWS::IAM::InstanceProfile" => ("InstanceProfileName", "arn:{p}:iam::{a}:instance-profile/{id}"),
            "AWS::IAM::Role" => ("RoleName", "arn:{p}:iam::{a}:role/{id}"),
            "AWS::IAM::User" => ("UserName", "arn:{p}:iam::{a}:user/{id}"),
            _ => return None,
        },
    };
    let named = || {
        let own = properties.member(property)?.known().filter(|name| !name.is_empty())?;
        // An ARN is no part of another.
        let name = own.rsplit(':').next()?;
        let before = match properties.member("Path").filter(|_| path) {
            Some(path) => path.known()?,
            None => "/".to_owned(),
        };
        let whole = if path { format!("{before}{name}") } else { name.to_owned() };
        let id = whole.trim_start_matches('/');
        let filled = template.replace("{p}", place.partition).replace("{r}", place.region);
        let plain = !id.is_empty() && !id.contains(['{', '}', '*', '?']);
        plain.then(|| filled.replace("{a}", place.account).replace("{id}", id))
    };
    Some(named())
}

/// What a resource opens by what it is, or by what it does not say.
pub(super) fn opens(type_name: &str, properties: &Value) -> Option<Access> {
    let text = |path: &[&str]| properties.at(path).and_then(Value::scalar).map(|text| text.text);
    let is = |path: &[&str], word: &str| text(path).is_some_and(|text| text.eq_ignore_ascii_case(word));
    let has = |name: &str| properties.member(name).is_some();
    let world = |names: [&str; 2]| {
        let unread =
            |name: &&str| has(name) && properties.member(name).is_none_or(|value| value.known().is_none());
        names.iter().any(|name| text(&[name]).is_some_and(|text| is_world(&text))) || names.iter().any(unread)
    };
    let opened = match type_name {
        // They face the internet unless told otherwise.
        "AWS::ElasticLoadBalancing::LoadBalancer" => !is(&["Scheme"], "internal"),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            !is(&["Scheme"], "internal") && !is(&["Type"], "gateway")
        }
        "AWS::EKS::Cluster" => {
            let narrowed =
                properties.at(&["ResourcesVpcConfig", "PublicAccessCidrs"]).is_some_and(Value::is_sure);
            !narrowed && !is(&["ResourcesVpcConfig", "EndpointPublicAccess"], "false")
        }
        "AWS::DMS::ReplicationInstance" => !is(&["PubliclyAccessible"], "false"),
        "AWS::AppRunner::Service" => {
            !is(&["NetworkConfiguration", "IngressConfiguration", "IsPubliclyAccessible"], "false")
        }
        "AWS::EC2::VPCGatewayAttachment" => has("InternetGatewayId"),
        "AWS::EC2::EIPAssociation"
        | "AWS::EC2::VPCBlockPublicAccessExclusion"
        | "AWS::EC2::VPCBlockPublicAccessOptions" => true,
        "AWS::EC2::EIP" => has("InstanceId"),
        "AWS::EC2::SnapshotBlockPublicAccess" => !is(&["State"], "block-all-sharing"),
        "AWS::EC2::Route" => {
            has("GatewayId")
                && !text(&["GatewayId"]).is_some_and(|id| id.starts_with("vgw-"))
                && world(["DestinationCidrBlock", "DestinationIpv6CidrBlock"])
        }
        "AWS::EC2::NetworkAclEntry" => {
            !is(&["RuleAction"], "deny") && !is(&["Egress"], "true") && world(["CidrBlock", "Ipv6CidrBlock"])
        }
        // A switch left out is off.
        "AWS::S3::Bucket" => properties.member("PublicAccessBlockConfiguration").is_some_and(|block| {
            let switches =
                ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
            !switches.iter().all(|name| {
                block.member(name).and_then(Value::known).is_some_and(|on| on.eq_ignore_ascii_case("true"))
            })
        }),
        "AWS::Lambda::Permission" => {
            let narrowing = ["PrincipalOrgID", "SourceAccount", "SourceArn"];
            let narrowed = narrowing.iter().any(|name| properties.member(name).is_some_and(stands));
            properties.member("Principal").is_some_and(may_be_anybody) && !narrowed
        }
        // A network let in is something opened, whichever it is.
        "AWS::EC2::SecurityGroup" => properties.member("SecurityGroupIngress").is_some_and(lets_network_in),
        "AWS::EC2::SecurityGroupIngress" => lets_network_in(properties),
        _ => false,
    };
    if opened {
        return Some(Access::Expose);
    }
    let grants = match type_name {
        "AWS::EC2::SecurityGroup" => has("SecurityGroupIngress"),
        "AWS::EC2::Instance" => has("SsmAssociations"),
        _ => false,
    };
    grants.then_some(Access::Grant)
}

/// Whether a value stands there whichever way the conditions go.
fn stands(value: &Value) -> bool {
    match value {
        Value::Absent | Value::Null => false,
        Value::Either(one, other) => stands(one) && stands(other),
        Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => true,
    }
}

/// Whether a value is everybody in one of the ways that the conditions may go.
fn may_be_anybody(value: &Value) -> bool {
    match value {
        Value::Either(one, other) => may_be_anybody(one) || may_be_anybody(other),
        Value::Text(text) => text.text == "*",
        Value::Absent
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => false,
    }
}

/// Whether rules let in networks, by addresses or by a list of them; what is not known may.
fn lets_network_in(rules: &Value) -> bool {
    match rules {
        Value::List(items) => items.iter().any(lets_network_in),
        Value::Either(one, other) => lets_network_in(one) || lets_network_in(other),
        Value::Map(members) => members.iter().any(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name.starts_with("cidr") || name.contains("prefixlist")
        }),
        Value::Unknown(_) | Value::Text(_) => true,
        Value::Absent | Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
