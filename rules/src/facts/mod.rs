//! What the parameters of an effect would open, share or grant: facts for the gates.
//!
//! Leaves out what follows from them (the rules). A parameter that could be read as opening something is
//! read so: the gates are on the side of the reader who is wrong to be careful.

mod document;
mod network;

use std::collections::BTreeSet;

use ordain_action::{Access, Completeness, Effect, Leaf, Scalar};

/// What was read from the parameters of one effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) exposes: BTreeSet<&'static str>,
    pub(crate) grants: BTreeSet<&'static str>,
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

/// Canned access lists that let anybody in.
const PUBLIC_ACLS: [&str; 3] = ["public-read", "public-read-write", "authenticated-read"];

/// Groups of an access list that stand for anybody, by what their names begin with.
const GLOBAL_GROUPS: &str = "/groups/global/";
const ANYBODY: [&str; 2] = ["AllUsers", "AuthenticatedUsers"];

/// The four switches of a public access block.
const BLOCKS: [&str; 4] =
    ["blockpublicacls", "ignorepublicacls", "blockpublicpolicy", "restrictpublicbuckets"];

/// Managed policies that hand over the account.
const ADMIN_POLICIES: [&str; 2] = [":iam::aws:policy/AdministratorAccess", ":iam::aws:policy/IAMFullAccess"];

impl Facts {
    pub(crate) fn read(effect: &Effect) -> Self {
        let operation = format!("{}:{}", effect.service, effect.operation);
        let mut facts = Self {
            complete: effect.parameters.completeness() == Completeness::Complete,
            watched: matches!(effect.access, Access::Grant | Access::Expose)
                || WATCHED.contains(&operation.as_str()),
            ..Self::default()
        };
        network::read(effect, &mut facts);
        facts.access_block(&operation, effect);
        for leaf in effect.parameters.iter() {
            facts.leaf(&operation, effect, &leaf);
        }
        facts
    }

    fn leaf(&mut self, operation: &str, effect: &Effect, leaf: &Leaf<'_>) {
        let member = member(leaf.path);
        match leaf.value {
            Scalar::Text(text) | Scalar::Number(text) => {
                self.text(operation, effect, leaf.path, &member, text)
            }
            Scalar::Bool(true) => self.switch(&member),
            Scalar::Bool(false) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => {}
        }
    }

    fn text(&mut self, operation: &str, effect: &Effect, path: &str, member: &str, text: &str) {
        if text.eq_ignore_ascii_case("true") {
            self.switch(member);
        }
        if member.ends_with("acl") && PUBLIC_ACLS.contains(&text) {
            self.exposes.insert("public_acl");
        }
        if names_anybody(text) {
            self.exposes.insert("public_acl");
        }
        if text == "all" && shares(operation, path) {
            self.exposes.insert("shared_with_all");
        }
        if ADMIN_POLICIES.iter().any(|policy| text.ends_with(policy)) && attaches(operation) {
            self.grants.insert("admin_policy");
        }
        let anybody = text == "*" && matches!(member, "principal" | "awsaccountid");
        if anybody && effect.operation.as_ref() == "AddPermission" && !narrowed(effect) {
            self.exposes.insert("public_policy");
        }
        if text == "NONE"
            && matches!(member, "authtype" | "functionurlauthtype")
            && effect.service.as_ref() == "lambda"
        {
            self.exposes.insert("public_policy");
        }
        if text.trim_start().starts_with('{') && text.contains("\"Statement\"") {
            let trust = member.contains("assumerole") || operation == "iam:UpdateAssumeRolePolicy";
            document::read(text, trust, self);
        } else if policy_member(member) && self.watched && text.trim_start().starts_with(['{', '[', '%']) {
            // A document in some other notation than we read: what it grants cannot be told.
            self.grants.insert("unreadable_policy");
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
            _ => false,
        };
        if opened {
            self.exposes.insert("public_block_off");
        }
    }
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
    );
    sharing && !path.contains("Remove")
}

fn attaches(operation: &str) -> bool {
    operation.starts_with("iam:") || operation.starts_with("sso-admin:")
}

/// A permission that names a source or an organisation is not for anybody.
fn narrowed(effect: &Effect) -> bool {
    effect.parameters.iter().any(|leaf| {
        let named = matches!(member(leaf.path).as_str(), "sourcearn" | "principalorgid" | "sourceaccount");
        named && matches!(leaf.value, Scalar::Text(text) if !text.is_empty() && text != "*")
    })
}

fn policy_member(member: &str) -> bool {
    member.ends_with("policy") || member.ends_with("policydocument")
}
