//! What a policy or a permission would open or hand over, however it is written.
//!
//! Leaves out what the gates say, whole (`gates.rs`).

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::support::codes;

const ROLE: &str = "target iam:role arn:aws:iam::111122223333:role/web RoleName=web";

fn bucket_policy(document: &str) -> String {
    codes(&format!(
        "person alice\neffect s3:PutBucketPolicy grant\n\
         target s3:bucket arn:aws:s3:::shop-web-a Bucket=shop-web-a\nPolicy = {document}"
    ))
}

/// The refusals of a policy that lets anybody in on a condition.
fn on_condition(condition: &str) -> String {
    let statement = format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{condition}}}"#
    );
    bucket_policy(&format!(r#"{{"Statement":[{statement}]}}"#))
}

#[test]
fn a_condition_that_narrows_nothing_lifts_nothing() {
    for condition in [
        r#"{"Null":{"aws:PrincipalOrgID":"true"}}"#,
        r#"{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":["o-a1/r-1/"]}}"#,
        r#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1"}}"#,
        r#"{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1"}}"#,
        r#"{"StringLike":{"aws:PrincipalOrgID":"o-*"}}"#,
        r#"{"StringEquals":{"aws:PrincipalOrgID":"${aws:PrincipalOrgID}"}}"#,
        r#"{"StringLike":{"aws:UserId":"?*"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:*"}}"#,
        r#"{"StringLike":{"aws:PrincipalArn":"arn:*:*"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/web"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/web","arn:aws:iam::*:root"]}}"#,
        r#"{"StringLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:a"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}"#,
        r#"{"StringLike":{"aws:SourceAccount":"?"}}"#,
        r#"{"StringLike":{"aws:SourceAccount":"1111*"}}"#,
        r#"{"StringLike":{"aws:SourceVpce":"vpce-*"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}"#,
        r#"{"IpAddress":{"aws:SourceIp":["8.0.0.0/8","9.0.0.0/8"]}}"#,
        r#"{"IpAddress":{"aws:SourceIp":"::/1"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":"::ffff:0:0/96"}}"#,
        r#"{"StringEquals":{"aws:SourceIp":"192.0.2.1"}}"#,
        r#"{"StringEquals":{"sts:ExternalId":"a"}}"#,
    ] {
        assert_eq!(on_condition(condition), "public_storage", "{condition}");
    }
}

#[test]
fn a_condition_that_says_who_is_meant_narrows() {
    for condition in [
        r#"{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}"#,
        r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-a1b2c3d4e5/r-1/*"]}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}"#,
        r#"{"ArnEquals":{"AWS:SourceArn":"arn:aws:sns:*:111122223333:a"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::shop-web-a"}}"#,
        r#"{"StringEquals":{"kms:CallerAccount":"111122223333"},"Null":{"aws:userid":"false"}}"#,
        r#"{"StringEquals":{"aws:SourceVpce":["vpce-0a1b2c3d"]}}"#,
        r#"{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}"#,
    ] {
        assert_eq!(on_condition(condition), "", "{condition}");
    }
}

#[test]
fn the_internet_in_many_statements_is_the_internet() {
    let mut statements = Vec::new();
    for first in 0..4 {
        statements.push(format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{{"IpAddress":{{"aws:SourceIp":"{first}.0.0.0/8"}}}}}}"#
        ));
    }
    let document = |all: &[String]| format!(r#"{{"Statement":[{}]}}"#, all.join(","));
    assert_eq!(bucket_policy(&document(&statements)), "public_storage");
    assert_eq!(bucket_policy(&document(&statements[..1])), "");
}

#[test]
fn keys_in_another_case_or_in_escapes_are_read() {
    let open = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}"#;
    for written in [
        open.to_owned(),
        open.replace("Statement", "statement"),
        open.replace("Statement", r"\u0053tatement"),
    ] {
        assert_eq!(bucket_policy(&written), "public_storage", "{written}");
    }
}

#[test]
fn a_role_is_for_anybody_on_a_condition_that_narrows_nothing() {
    let trust = |condition: &str| {
        codes(&format!(
            r#"person alice
            effect iam:UpdateAssumeRolePolicy grant
            {ROLE}
            PolicyDocument = {{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"sts:AssumeRole","Condition":{condition}}}]}}"#
        ))
    };
    assert_eq!(trust(r#"{"Null":{"aws:PrincipalOrgID":"true"}}"#), "open_trust");
    assert_eq!(trust(r#"{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}"#), "");
}

/// The refusals of a policy of these statements, each without its effect.
fn inline_policy(statements: &[String]) -> String {
    let statements: Vec<String> =
        statements.iter().map(|statement| format!(r#"{{"Effect":"Allow",{statement}}}"#)).collect();
    let all = statements.join(",");
    codes(&format!(
        "person alice\neffect iam:PutRolePolicy grant\n{ROLE}\nPolicyDocument = {{\"Statement\":[{all}]}}"
    ))
}

#[test]
fn administration_is_seen_in_every_form() {
    let inline = |statement: &str| inline_policy(&[statement.to_owned()]);
    for wide in [
        r#""Action":"*","Resource":"arn:aws:iam::123456789012:*""#,
        r#""Action":"*","Resource":"arn:aws:iam::*:user/*""#,
        r#""Action":["iam:Put*","iam:Attach*"],"Resource":"*""#,
        r#""Action":"IAM:CreateAccessKey","Resource":"*""#,
        r#""Action":["iam:*Policy"],"Resource":"*""#,
        r#""Action":"iam:PassRole","Resource":"*""#,
        r#""Action":["ec2:RunInstances","iam:PassRole"],"Resource":"arn:aws:iam::111122223333:role/*""#,
        r#""Action":"sts:Assume*","Resource":"*""#,
        r#""Action":"organizations:*","Resource":"*""#,
        r#""NotAction":"s3:*","Resource":"*""#,
        r#""Action":"*","NotResource":"arn:aws:s3:::a""#,
    ] {
        assert_eq!(inline(wide), "admin_grant", "{wide}");
    }
    for narrow in [
        r#""Action":"*","Resource":"arn:aws:s3:::shop-web-a/*""#,
        r#""Action":["iam:Get*","iam:List*"],"Resource":"*""#,
        r#""Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/web-*""#,
        r#""Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/web""#,
        r#""Action":"sts:GetCallerIdentity","Resource":"*""#,
    ] {
        assert_eq!(inline(narrow), "", "{narrow}");
    }
}

#[test]
fn administration_in_parts_is_administration() {
    let role = |begin: &str| format!("arn:aws:iam::*:role/{begin}*");
    let each = |begins: &mut dyn Iterator<Item = String>, action: &str| -> Vec<String> {
        begins.map(|begin| format!(r#""Action":"{action}","Resource":"{}""#, role(&begin))).collect()
    };
    let letters = || ('a'..='z').map(String::from);
    let pairs = || letters().map(|letter| format!("{letter}{letter}"));
    // A slice of the alphabet is nobody's name, alone or with the others.
    assert_eq!(inline_policy(&each(&mut letters(), "iam:PutRolePolicy")), "admin_grant");
    assert_eq!(inline_policy(&each(&mut letters().take(1), "iam:PassRole")), "admin_grant");
    assert_eq!(inline_policy(&each(&mut pairs(), "sts:Assume????")), "admin_grant");
    let listed: Vec<String> = pairs().map(|begin| format!("{:?}", role(&begin))).collect();
    let listed = format!(r#""NotAction":"s3:*","Resource":[{}]"#, listed.join(","));
    assert_eq!(inline_policy(&[listed]), "admin_grant");
    // Half the letters for roles and the other half for users, with an operation of each.
    let mut halves = each(&mut pairs().take(13), "iam:Attach*");
    halves.extend(each(&mut pairs().skip(13), "iam:Put*").iter().map(|half| half.replace("role/", "user/")));
    assert_eq!(inline_policy(&halves), "admin_grant");
    // Names are names, however many, and so is a path.
    let teams = (0..60).map(|team| format!("team-{team}-"));
    assert_eq!(inline_policy(&each(&mut teams.into_iter(), "iam:PassRole")), "");
    let short = ["ci", "db", "k8s-", "service/", "ci-runner-"].map(str::to_owned);
    assert_eq!(inline_policy(&each(&mut short.into_iter(), "iam:PassRole")), "");
    assert_eq!(inline_policy(&each(&mut letters(), "iam:GetRole")), "");
}

#[track_caller]
fn check_permission(operation: &str, parameters: &str, expected: &str) {
    let text = format!("person alice\neffect {operation} grant\ntarget x:y account scope\n{parameters}");
    assert_eq!(codes(&text), expected, "{operation} {parameters}");
}

#[test]
fn anybody_is_anybody_in_every_spelling() {
    let open = "public_storage";
    check_permission("sqs:AddPermission", "AWSAccountIds.1 = *\nActions.1 = *", open);
    check_permission("sqs:AddPermission", "AWSAccountId.1 = *", open);
    check_permission("sqs:AddPermission", "AWSAccountIds.1 = 111122223333\nActions.1 = *", "");
    check_permission("sns:AddPermission", "AWSAccountId.member.1 = *", open);
    check_permission("events:PutPermission", "Principal = *\nStatementId = x", open);
    check_permission(
        "events:PutPermission",
        "Principal = *\nCondition.Type = StringEquals\nCondition.Key = aws:PrincipalOrgID\nCondition.Value = o-a1b2c3d4e5",
        "",
    );
    check_permission("lambda:AddLayerVersionPermission", "Principal = *", open);
    check_permission("lambda:AddLayerVersionPermission", "Principal = *\nOrganizationId = o-a1b2c3d4e5", "");
    check_permission("lambda:AddLayerVersionPermission", "Principal = *\nSourceAccount = 111122223333", open);
    check_permission("ec2:ModifyVpcEndpointServicePermissions", "AddAllowedPrincipals.1 = *", open);
    check_permission(
        "ec2:ModifyVpcEndpointServicePermissions",
        "AddAllowedPrincipals.1 = arn:aws:iam::*:root",
        open,
    );
    check_permission("ec2:ModifyVpcEndpointServicePermissions", "RemoveAllowedPrincipals.1 = *", "");
    check_permission("kms:CreateGrant", "GranteePrincipal = *", open);
    check_permission("ssm:ModifyDocumentPermission", "AccountIdsToAdd.1 = all", "shared_with_everyone");
}

#[test]
fn a_permission_is_narrowed_by_what_says_who() {
    let open = "public_storage";
    let add = |with: &str, expected: &str| {
        check_permission("lambda:AddPermission", &format!("Principal = *\n{with}"), expected);
    };
    add("SourceArn = arn:*", open);
    add("SourceArn = arn:aws:s3:::*", open);
    add("SourceAccount = ?", open);
    add("SourceAccount = 1111", open);
    add("PrincipalOrgID = o-*", open);
    add("SourceArn = arn:aws:events:eu-west-1:111122223333:rule/*", "");
    add("SourceArn = arn:aws:s3:::shop-web-a", "");
    add("SourceAccount = 111122223333", "");
    add("PrincipalOrgID = o-a1b2c3d4e5", "");
}

#[test]
fn a_policy_of_messages_is_no_policy_of_access() {
    let set = |attribute: &str, document: &str| {
        codes(&format!(
            "person alice\neffect sqs:SetQueueAttributes update\n\
             target sqs:queue arn:aws:sqs:eu-west-1:111122223333:shop-web-q\n\
             Attributes.{attribute} = {document}"
        ))
    };
    let dead =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:shop-web-d","maxReceiveCount":5}"#;
    assert_eq!(set("RedrivePolicy", dead), "");
    assert_eq!(set("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#), "");
    // What grants is told all the same, wherever it stands, and what cannot be read is refused.
    let anybody = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
    assert_eq!(set("RedrivePolicy", anybody), "public_storage");
    assert_eq!(set("Policy", "{}"), "unreadable_policy");
}

/// Far more than reading takes and far less than a search of all pairs.
const SOON: Duration = Duration::from_secs(3);

#[test]
fn a_long_document_is_not_read_for_long() {
    let keys = |count: usize| {
        let mut all = String::new();
        for at in 0..count {
            write!(all, r#","k{at}":1"#).unwrap();
        }
        format!(r#"{{"Statement":[{{"Effect":"Deny"{all}}}]}}"#)
    };
    let begun = Instant::now();
    assert_eq!(bucket_policy(&keys(100_000)), "unreadable_policy");
    assert_eq!(bucket_policy(&keys(10_000)), "");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn a_name_of_many_levels_is_not_looked_at_for_long_nor_told_whole() {
    let begun = Instant::now();
    let name = format!("arn:aws:s3:::shop-web-a/{}", "a/".repeat(500_000));
    let action = crate::support::action(&format!(
        "person paul\neffect s3:PutObjectAcl grant\ntarget s3:object {name}"
    ));
    let snapshot = crate::support::model(crate::support::SHOP);
    let judged = crate::support::judged(&snapshot, crate::support::NOW, &action);
    assert!(judged.verdict.reasons.iter().any(|reason| reason.code.as_str() == "not_owner"));
    assert!(judged.verdict.reasons.iter().all(|reason| reason.text.len() < 2_048));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}
