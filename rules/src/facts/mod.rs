//! What the parameters of an effect would open, share or grant: facts for the gates.
//!
//! Leaves out what follows from them (the rules). A parameter that could be read as opening something is
//! read so: the gates are on the side of the reader who is wrong to be careful.

mod authority;
mod condition;
mod copy;
mod document;
mod engage;
mod json;
mod kubernetes;
mod network;

use std::collections::BTreeSet;

use ordain_action::{Access, Completeness, Effect, Leaf, Plane, Scalar};

use condition::{Holds, names};
pub(crate) use copy::copies;
pub(crate) use engage::is_engaged;

/// What was read from the parameters of one effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) exposes: BTreeSet<&'static str>,
    pub(crate) grants: BTreeSet<&'static str>,
    /// How what would run could leave the bounds it is meant to have.
    pub(crate) escapes: BTreeSet<&'static str>,
    /// Every parameter could be read.
    pub(crate) complete: bool,
    /// The operation has parameters that open, share or grant.
    pub(crate) watched: bool,
}

/// Operations with parameters that open, share or grant, beside those that are of such a class anyway.
const WATCHED: [&str; 42] = [
    "cloudcontrol:CreateResource",
    "cloudcontrol:UpdateResource",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:ModifyImageAttribute",
    "ec2:ModifySecurityGroupRules",
    "ec2:ModifySnapshotAttribute",
    "elasticache:AuthorizeCacheSecurityGroupIngress",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
    "kms:CreateKey",
    "kms:PutKeyPolicy",
    "lambda:AddPermission",
    "lambda:CreateFunctionUrlConfig",
    "lambda:UpdateFunctionUrlConfig",
    "rds:AuthorizeDBSecurityGroupIngress",
    "rds:CreateDBCluster",
    "rds:CreateDBInstance",
    "rds:CreateDBInstanceReadReplica",
    "rds:ModifyDBClusterSnapshotAttribute",
    "rds:ModifyDBInstance",
    "rds:ModifyDBSnapshotAttribute",
    "rds:RestoreDBInstanceFromDBSnapshot",
    "redshift:AuthorizeClusterSecurityGroupIngress",
    "redshift:CreateCluster",
    "redshift:ModifyCluster",
    "s3:CreateBucket",
    "s3:DeletePublicAccessBlock",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutPublicAccessBlock",
    "s3control:PutPublicAccessBlock",
    "secretsmanager:PutResourcePolicy",
    "sns:SetTopicAttributes",
    "sqs:SetQueueAttributes",
];

/// Operations that let nobody in, by what they begin with.
const CLOSING: [&str; 7] = ["Delete", "Deregister", "Disable", "Disassociate", "Reject", "Remove", "Revoke"];

/// Canned access lists that let anybody in.
const PUBLIC_ACLS: [&str; 3] = ["public-read", "public-read-write", "authenticated-read"];

/// Groups of an access list that stand for anybody, by what their names begin with.
const GLOBAL_GROUPS: &str = "/groups/global/";
const ANYBODY: [&str; 2] = ["AllUsers", "AuthenticatedUsers"];

/// The type whose switches and access lists are properties.
const BUCKET: &str = "AWS::S3::Bucket";

/// The four switches of a public access block.
const BLOCKS: [&str; 4] =
    ["blockpublicacls", "ignorepublicacls", "blockpublicpolicy", "restrictpublicbuckets"];

/// Attributes of queues, topics and subscriptions that are called policies and let nobody do anything.
const OTHER_POLICIES: [&str; 4] = ["redrivepolicy", "redriveallowpolicy", "deliverypolicy", "filterpolicy"];

/// Managed policies that hand over the account.
const ADMIN_POLICIES: [&str; 2] = [":iam::aws:policy/AdministratorAccess", ":iam::aws:policy/IAMFullAccess"];

impl Facts {
    pub(crate) fn read(plane: Plane, effect: &Effect) -> Self {
        if plane == Plane::Kubernetes { kubernetes::read(effect) } else { Self::of_provider(effect) }
    }

    fn of_provider(effect: &Effect) -> Self {
        let operation = format!("{}:{}", effect.service, effect.operation);
        let mut facts = Self {
            complete: effect.parameters.completeness() == Completeness::Complete,
            watched: matches!(effect.access, Access::Grant | Access::Expose)
                || WATCHED.contains(&operation.as_str()),
            ..Self::default()
        };
        network::read(effect, &mut facts);
        facts.access_block(&operation, effect);
        facts.principals(&operation, effect);
        // What is read of all documents together is bounded too, as a request may carry many.
        let mut left = document::DOCUMENT_MAX;
        let type_name = of_type(effect).unwrap_or_default();
        for leaf in effect.parameters.iter() {
            facts.leaf((&operation, type_name), effect, &leaf, &mut left);
        }
        facts
    }

    fn leaf(&mut self, of: (&str, &str), effect: &Effect, leaf: &Leaf<'_>, left: &mut usize) {
        let member = member(leaf.path);
        match leaf.value {
            Scalar::Text(text) | Scalar::Number(text) => {
                self.text(of, effect, leaf.path, &member, text);
                self.document(of.0, &member, text, left);
            }
            Scalar::Bool(true) => self.switch(&member),
            Scalar::Bool(false) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => {}
        }
    }

    fn text(
        &mut self,
        (operation, type_name): (&str, &str),
        effect: &Effect,
        path: &str,
        member: &str,
        text: &str,
    ) {
        if text.eq_ignore_ascii_case("true") {
            self.switch(member);
        }
        if member.ends_with("acl") && PUBLIC_ACLS.contains(&text) {
            self.exposes.insert("public_acl");
        }
        // As types of resources spell it.
        if type_name == BUCKET && matches!(text, "PublicRead" | "PublicReadWrite" | "AuthenticatedRead") {
            self.exposes.insert("public_acl");
        }
        if names_anybody(text) {
            self.exposes.insert("public_acl");
        }
        if text.eq_ignore_ascii_case("all") && shares(operation, path) {
            self.exposes.insert("shared_with_all");
        }
        let attached = attaches(operation)
            || ["AWS::IAM::", "AWS::SSO::"].iter().any(|start| type_name.starts_with(start));
        if ADMIN_POLICIES.iter().any(|policy| text.ends_with(policy)) && attached {
            self.grants.insert("admin_policy");
        }
        if text == "NONE"
            && matches!(member, "authtype" | "functionurlauthtype")
            && (effect.service.as_ref() == "lambda" || type_name.starts_with("AWS::Lambda::"))
        {
            self.exposes.insert("public_policy");
        }
    }

    fn document(&mut self, operation: &str, member: &str, text: &str, left: &mut usize) {
        // Whom the policy of a stack means is everybody, always: it says what updates may change.
        if member.starts_with("stackpolicy") {
            return;
        }
        let trimmed = text.trim_start();
        let of_policy = policy_member(member) && self.watched;
        if trimmed.starts_with('{') && (says_statement(text) || document::hides_statement(text)) {
            let trust = member.contains("assumerole") || operation == "iam:UpdateAssumeRolePolicy";
            if let Some(rest) = left.checked_sub(text.len()) {
                *left = rest;
                document::read(text, trust, self);
            } else {
                self.grants.insert("unreadable_policy");
            }
        } else if of_policy && trimmed.starts_with(['{', '[', '%']) {
            // A document in some other notation than we read: what it grants cannot be told.
            self.grants.insert("unreadable_policy");
        }
    }

    /// A principal or an account that stands for anybody, in an operation that lets somebody in.
    fn principals(&mut self, operation: &str, effect: &Effect) {
        let (_, name) = operation.split_once(':').unwrap_or_default();
        if !self.watched || CLOSING.iter().any(|verb| name.starts_with(verb)) {
            return;
        }
        let anybody = effect.parameters.iter().any(|leaf| {
            matches!(leaf.value, Scalar::Text(text) | Scalar::Number(text) if is_anybody(text))
                && names_principal(leaf.path)
        });
        if anybody && !narrowed(operation, effect) {
            self.exposes.insert("public_policy");
        }
    }

    fn switch(&mut self, member: &str) {
        if member == "publiclyaccessible" {
            self.exposes.insert("publicly_accessible");
        }
    }

    /// A public access block that leaves one of its switches off, or is taken away.
    fn access_block(&mut self, operation: &str, effect: &Effect) {
        let (_, name) = operation.split_once(':').unwrap_or_default();
        let on = |block: &str| {
            effect.parameters.iter().any(|leaf| {
                member(leaf.path) == block
                    && match leaf.value {
                        Scalar::Bool(value) => value,
                        Scalar::Text(text) | Scalar::Number(text) => text.eq_ignore_ascii_case("true"),
                        Scalar::Null | Scalar::Empty | Scalar::Token(_) => false,
                    }
            })
        };
        let opened = match name {
            "DeletePublicAccessBlock" => true,
            // A switch left out is off.
            "PutPublicAccessBlock" => BLOCKS.iter().any(|block| !on(block)),
            "CreateResource" | "UpdateResource" if of_type(effect) == Some(BUCKET) => {
                let says =
                    effect.parameters.iter().any(|leaf| leaf.path.contains("PublicAccessBlockConfiguration"));
                says && BLOCKS.iter().any(|block| !on(block))
            }
            _ => false,
        };
        if opened {
            self.exposes.insert("public_block_off");
        }
    }
}

/// The type of the resource that an effect makes or changes as such: by Cloud Control, or by a template.
pub(crate) fn of_type(effect: &Effect) -> Option<&str> {
    let by_type = matches!(&*effect.service, "cloudcontrol" | "cloudformation")
        && matches!(&*effect.operation, "CreateResource" | "UpdateResource");
    if by_type { effect.parameters.text("TypeName") } else { None }
}

/// The last part of a path that is no list position, in small letters and digits only.
pub(crate) fn member(path: &str) -> String {
    let part = path.rsplit('.').find(|part| !is_position(part)).unwrap_or(path);
    part.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// A list position, or the word that the query form puts before one.
pub(crate) fn is_position(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit()) || part == "member" || part == "item"
}

/// Long values are searched here for every change, so by a search that looks at many bytes at once.
fn names_anybody(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), GLOBAL_GROUPS).any(|at| {
        let group = text.get(at + GLOBAL_GROUPS.len()..).unwrap_or_default();
        ANYBODY.iter().any(|anybody| group.starts_with(anybody))
    })
}

fn shares(operation: &str, path: &str) -> bool {
    let sharing = matches!(
        operation,
        "ec2:ModifyImageAttribute"
            | "ec2:ModifySnapshotAttribute"
            | "rds:ModifyDBSnapshotAttribute"
            | "rds:ModifyDBClusterSnapshotAttribute"
            | "ssm:ModifyDocumentPermission"
    );
    sharing && !path.contains("Remove")
}

fn attaches(operation: &str) -> bool {
    operation.starts_with("iam:") || operation.starts_with("sso-admin:")
}

/// A name that stands for anybody, or for everybody in any account.
pub(crate) fn is_anybody(text: &str) -> bool {
    let text = text.trim();
    let account = text.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)).unwrap_or_default();
    let wild = |text: &str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'*' | b'?'));
    wild(text) || wild(account)
}

/// Whether some part of a path is about who is let in. What is taken away lets nobody in.
fn names_principal(path: &str) -> bool {
    const WHO: [&str; 5] = ["principal", "account", "grantee", "consumer", "subscriber"];
    const NOT: [&str; 3] = ["remove", "revoke", "excluded"];
    let path = path.to_ascii_lowercase();
    WHO.iter().any(|word| path.contains(word)) && !NOT.iter().any(|word| path.contains(word))
}

/// Whether a permission for anybody says from where, as its operation has it.
fn narrowed(operation: &str, effect: &Effect) -> bool {
    let says = |wanted: &str, is: &dyn Fn(&str) -> bool| {
        effect.parameters.iter().any(|leaf| {
            leaf.path.eq_ignore_ascii_case(wanted) && matches!(leaf.value, Scalar::Text(text) if is(text))
        })
    };
    let of_function = of_type(effect) == Some("AWS::Lambda::Permission");
    let says = |wanted: &str, is: &dyn Fn(&str) -> bool| {
        says(wanted, is) || (of_function && says(&format!("DesiredState.{wanted}"), is))
    };
    match operation {
        _ if of_function => {
            says("SourceArn", &|text| names(Holds::Arn, text))
                || says("SourceAccount", &|text| names(Holds::Account, text))
                || says("PrincipalOrgID", &|text| names(Holds::Organization, text))
        }
        "lambda:AddPermission" => {
            says("SourceArn", &|text| names(Holds::Arn, text))
                || says("SourceAccount", &|text| names(Holds::Account, text))
                || says("PrincipalOrgID", &|text| names(Holds::Organization, text))
        }
        "lambda:AddLayerVersionPermission" => {
            says("OrganizationId", &|text| names(Holds::Organization, text))
        }
        "events:PutPermission" => {
            says("Condition.Type", &|text| text == "StringEquals")
                && says("Condition.Key", &|text| text.eq_ignore_ascii_case("aws:PrincipalOrgID"))
                && says("Condition.Value", &|text| names(Holds::Organization, text))
        }
        _ => false,
    }
}

/// Long values are searched here for every change, so by a search that looks at many bytes at once.
fn says_statement(text: &str) -> bool {
    [&b"\"Statement\""[..], b"\"statement\"", b"\"STATEMENT\""]
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word).is_some())
}

fn policy_member(member: &str) -> bool {
    !OTHER_POLICIES.contains(&member) && (member.ends_with("policy") || member.ends_with("policydocument"))
}
