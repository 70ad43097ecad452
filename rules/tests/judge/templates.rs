//! Resources of templates: the gates see in properties what they see in the services' own operations.
//!
//! Leaves out how a template is read.

use crate::support::codes;

const GROUP: &str = "target ec2:security-group arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0web LogicalResourceId=Web";
const BUCKET: &str = "target s3:bucket arn:aws:s3:::shop-web-a LogicalResourceId=Web";
const ADMIN: &str = r#"{"Statement":{"Action":"*","Effect":"Allow","Resource":"*"}}"#;

/// The refusals of a change to one resource that a template describes.
#[track_caller]
fn check(class: &str, resource: &str, parameters: &[&str], expected: &str) {
    for operation in ["cloudformation:UpdateResource", "cloudcontrol:UpdateResource"] {
        let text = format!("person alice\neffect {operation} {class}\n{resource}\n{}", parameters.join("\n"));
        assert_eq!(codes(&text), expected, "{operation} {parameters:?}");
    }
}

#[test]
fn a_group_that_a_template_opens_is_open() {
    let rule = |cidr: &str, port: &str| {
        let of = |name: &str, value: &str| format!("DesiredState.SecurityGroupIngress.1.{name} = {value}");
        [
            "TypeName = AWS::EC2::SecurityGroup".to_owned(),
            of("IpProtocol", "tcp"),
            of("FromPort", port),
            of("ToPort", port),
            of("CidrIp", cidr),
            "DesiredState.SecurityGroupEgress.1.IpProtocol = -1".to_owned(),
            "DesiredState.SecurityGroupEgress.1.CidrIp = 0.0.0.0/0".to_owned(),
        ]
    };
    let check_rule = |cidr: &str, port: &str, expected: &str| {
        let lines = rule(cidr, port);
        check("expose", GROUP, &lines.each_ref().map(String::as_str), expected);
    };
    check_rule("0.0.0.0/0", "22", "world_open_admin_port");
    check_rule("0.0.0.0/0", "443", "");
    check_rule("10.0.0.0/8", "22", "");
    check(
        "expose",
        GROUP,
        &[
            "TypeName = AWS::EC2::SecurityGroupIngress",
            "DesiredState.CidrIpv6 = ::/0",
            "DesiredState.IpProtocol = -1",
        ],
        "world_open_admin_port",
    );
    check("expose", GROUP, &["TypeName = AWS::EC2::VPC", "DesiredState.CidrIp = 0.0.0.0/0"], "");
}

#[test]
fn a_bucket_that_a_template_opens_is_public() {
    let bucket = "TypeName = AWS::S3::Bucket";
    check("expose", BUCKET, &[bucket, "DesiredState.AccessControl = PublicRead"], "public_storage");
    check("update", BUCKET, &[bucket, "DesiredState.AccessControl = Private"], "");
    let block = "DesiredState.PublicAccessBlockConfiguration.BlockPublicAcls = true";
    check("expose", BUCKET, &[bucket, block], "public_storage");
    let policy =
        r#"DesiredState.PolicyDocument = {"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*"}]}"#;
    check("grant", BUCKET, &["TypeName = AWS::S3::BucketPolicy", policy], "public_storage");
}

#[test]
fn what_a_template_grants_is_granted() {
    let role = "target iam:role arn:aws:iam::111122223333:role/shop-web LogicalResourceId=Web";
    let of = |parameters: &str| {
        let text = format!(
            "person alice\neffect cloudformation:UpdateResource grant\n{role}\nTypeName = AWS::IAM::Role\n{parameters}"
        );
        codes(&text)
    };
    assert!(of(&format!("DesiredState.Policies.1.PolicyDocument = {ADMIN}")).contains("admin_grant"));
    assert!(
        of("DesiredState.ManagedPolicyArns.1 = arn:aws:iam::aws:policy/AdministratorAccess")
            .contains("admin_grant")
    );
    assert!(of("partial").contains("unreadable_parameters"));
    let anybody = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    assert!(of(&format!("DesiredState.AssumeRolePolicyDocument = {anybody}")).contains("open_trust"));
    let own =
        r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"${Other.Arn}"},"Action":"sts:AssumeRole"}]}"#;
    assert!(!of(&format!("DesiredState.AssumeRolePolicyDocument = {own}")).contains("open_trust"));
}

#[test]
fn a_function_that_anybody_may_call_is_public() {
    let function = "target lambda:function arn:aws:lambda:eu-west-1:111122223333:function:shop-web LogicalResourceId=Web";
    let permission = "TypeName = AWS::Lambda::Permission\nDesiredState.Principal = *";
    let of = |more: &str| {
        codes(&format!(
            "person alice\neffect cloudformation:UpdateResource grant\n{function}\n{permission}\n{more}"
        ))
    };
    assert!(of("").contains("public_storage"));
    assert!(!of("DesiredState.SourceArn = arn:aws:s3:::shop-web-a").contains("public_storage"));
}

#[test]
fn the_policy_of_a_stack_lets_nobody_in() {
    let policy = r#"StackPolicyBody = {"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}"#;
    let text = format!(
        "person alice\neffect cloudformation:SetStackPolicy grant\ntarget cloudformation:stack arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-web/1 StackName=shop-web\n{policy}"
    );
    assert!(!codes(&text).contains("public_storage"), "{}", codes(&text));
}

/// A resource of which not all is told is its owner's to change, as long as nothing hangs on the rest.
#[test]
fn what_is_not_told_and_opens_nothing_is_the_owners() {
    let text = format!(
        "person alice\neffect cloudformation:UpdateResource update\n{GROUP}\nTypeName = AWS::EC2::VPC\npartial"
    );
    assert_eq!(codes(&text), "");
}
