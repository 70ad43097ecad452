//! What is known of the types of Cloud Control: how they are named, which let somebody in, which open nothing.
//!
//! Leaves out what a request does to one of them (`cloud.rs`).

/// Types whose primary identifier names one resource by a template that was reviewed. What the catalogue says of
/// all others was found by comparing words.
pub(super) const REVIEWED: [(&str, &str, &str); 29] = [
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
    ("AWS::IAM::ManagedPolicy", "iam:policy", "arn:{p}:iam::{a}:policy/{id}"),
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
    ("AWS::SecretsManager::Secret", SECRET, SECRET_NAME),
    ("AWS::SSM::Document", "ssm:document", "arn:{p}:ssm:{r}:{a}:document/{id}"),
    ("AWS::SSM::Parameter", "ssm:parameter", "arn:{p}:ssm:{r}:{a}:parameter/{id}"),
];

/// Properties of new resources that name what is there already, by what the names of their types begin with. What a
/// property of the kind names is changed by whatever is attached to it.
pub(super) const NAMED: [(&str, &str, &str, &str); 32] = [
    ("AWS::ApiGateway::", "RestApiId", "apigateway:RestApi", "arn:{p}:apigateway:{r}::/restapis/{id}"),
    ("AWS::ApiGatewayV2::", "ApiId", "apigateway:Api", "arn:{p}:apigateway:{r}::/apis/{id}"),
    (
        "AWS::AutoScaling::",
        "AutoScalingGroupName",
        "autoscaling:autoScalingGroup",
        "arn:{p}:autoscaling:{r}:{a}:autoScalingGroup:*:autoScalingGroupName/{id}",
    ),
    ("AWS::Cognito::", "UserPoolId", "cognito-idp:userpool", "arn:{p}:cognito-idp:{r}:{a}:userpool/{id}"),
    ("AWS::DynamoDB::", "TableName", "dynamodb:table", "arn:{p}:dynamodb:{r}:{a}:table/{id}"),
    ("AWS::EC2::", "GroupId", "ec2:security-group", "arn:{p}:ec2:{r}:{a}:security-group/{id}"),
    ("AWS::ECR::", "RepositoryName", "ecr:repository", "arn:{p}:ecr:{r}:{a}:repository/{id}"),
    ("AWS::ECS::", "Cluster", "ecs:cluster", "arn:{p}:ecs:{r}:{a}:cluster/{id}"),
    (
        "AWS::EFS::",
        "FileSystemId",
        "elasticfilesystem:file-system",
        "arn:{p}:elasticfilesystem:{r}:{a}:file-system/{id}",
    ),
    ("AWS::EKS::", "ClusterName", "eks:cluster", "arn:{p}:eks:{r}:{a}:cluster/{id}"),
    ("AWS::IAM::", "GroupName", "iam:group", "arn:{p}:iam::{a}:group/{id}"),
    ("AWS::IAM::", "Groups", "iam:group", "arn:{p}:iam::{a}:group/{id}"),
    ("AWS::IAM::", "RoleName", "iam:role", "arn:{p}:iam::{a}:role/{id}"),
    ("AWS::IAM::", "Roles", "iam:role", "arn:{p}:iam::{a}:role/{id}"),
    ("AWS::IAM::", "UserName", "iam:user", "arn:{p}:iam::{a}:user/{id}"),
    ("AWS::IAM::", "Users", "iam:user", "arn:{p}:iam::{a}:user/{id}"),
    ("AWS::KMS::", "TargetKeyId", "kms:key", "arn:{p}:kms:{r}:{a}:key/{id}"),
    ("AWS::Lambda::", "FunctionName", "lambda:function", "arn:{p}:lambda:{r}:{a}:function:{id}"),
    ("AWS::Lambda::", "TargetFunctionArn", "lambda:function", "arn:{p}:lambda:{r}:{a}:function:{id}"),
    ("AWS::Logs::", "LogGroupName", "logs:log-group", "arn:{p}:logs:{r}:{a}:log-group:{id}"),
    ("AWS::RDS::", "DBClusterIdentifier", "rds:cluster", "arn:{p}:rds:{r}:{a}:cluster:{id}"),
    ("AWS::RDS::", "DBInstanceIdentifier", "rds:db", "arn:{p}:rds:{r}:{a}:db:{id}"),
    ("AWS::Route53::", "HostedZoneId", "route53:hostedzone", "arn:{p}:route53:::hostedzone/{id}"),
    ("AWS::Route53::", "HostedZoneName", "route53:hostedzone", ""),
    ("AWS::S3::", "Bucket", "s3:bucket", "arn:{p}:s3:::{id}"),
    ("AWS::S3::", "BucketName", "s3:bucket", "arn:{p}:s3:::{id}"),
    ("AWS::SNS::", "TopicArn", "sns:topic", ""),
    ("AWS::SNS::", "Topics", "sns:topic", ""),
    ("AWS::SQS::", "Queue", QUEUE, ""),
    ("AWS::SQS::", "QueueUrl", QUEUE, ""),
    ("AWS::SQS::", "Queues", QUEUE, ""),
    ("AWS::SecretsManager::", "SecretId", SECRET, SECRET_NAME),
];

/// Named without what the provider puts behind the name.
const SECRET: &str = "secretsmanager:Secret";
const SECRET_NAME: &str = "arn:{p}:secretsmanager:{r}:{a}:secret:{id}-??????";

/// Named by a URL.
pub(super) const QUEUE: &str = "sqs:queue";

/// Types none of whose properties opens anything, lets anybody in or runs under another authority, whatever its value:
/// each was looked through. A new property of one of them is a reason to look again.
const OPENS_NOTHING: [&str; 17] = [
    "AWS::Athena::NamedQuery",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::DHCPOptions",
    "AWS::EC2::PlacementGroup",
    "AWS::EC2::VPC",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::Kinesis::Stream",
    "AWS::Logs::QueryDefinition",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::RDS::DBParameterGroup",
    "AWS::RDS::DBSubnetGroup",
    "AWS::Redshift::ClusterParameterGroup",
    "AWS::Redshift::ClusterSubnetGroup",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
];

/// What the names of types begin with whose whole purpose is who may do what.
const GRANTING: [&str; 22] = [
    "AWS::Cognito::IdentityPoolRoleAttachment",
    "AWS::ControlTower::",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::PodIdentityAssociation",
    "AWS::IAM::",
    "AWS::IdentityStore::",
    "AWS::KMS::",
    "AWS::LakeFormation::",
    "AWS::Lambda::Url",
    "AWS::Organizations::",
    "AWS::RAM::",
    "AWS::RolesAnywhere::",
    "AWS::S3::AccessGrant",
    "AWS::S3::AccessPoint",
    "AWS::S3::MultiRegionAccessPoint",
    "AWS::S3ObjectLambda::AccessPoint",
    "AWS::SSO::",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::Transfer::User",
    "AWS::VerifiedPermissions::",
];

/// What their names end with.
const GRANTING_ENDS: [&str; 7] =
    ["Authorization", "Grant", "Permission", "Permissions", "Policy", "PolicyAttachment", "Principal"];

/// Types that are called policies and let nobody do anything.
const OTHER_POLICIES: [&str; 8] = [
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::AutoScaling::ScalingPolicy",
    "AWS::Batch::SchedulingPolicy",
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::OriginRequestPolicy",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::DLM::LifecyclePolicy",
    "AWS::ImageBuilder::LifecyclePolicy",
];

/// Whether to make one, or to change it, is to say who may do what.
pub(super) fn grants(type_name: &str) -> bool {
    GRANTING.iter().any(|start| type_name.starts_with(start)) || is_grant_alone(type_name)
}

/// Whether there is nothing to it but a grant, so that to delete it is to change one.
pub(super) fn is_grant_alone(type_name: &str) -> bool {
    GRANTING_ENDS.iter().any(|end| type_name.ends_with(end)) && !OTHER_POLICIES.contains(&type_name)
}

/// Whether no property of the type can open or grant anything.
pub(super) fn opens_nothing(type_name: &str) -> bool {
    OPENS_NOTHING.contains(&type_name)
}
