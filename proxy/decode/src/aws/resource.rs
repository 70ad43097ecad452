//! Names of resources: where a request stands, and ARNs built from what it carries.
//!
//! Leaves out which members name which resource, which is the catalogue's to say.

use std::sync::Arc;

use ordain_action::{NameBasis, Resource, Role};

/// Where a request stands: what an ARN needs beyond the request's own identifiers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The partition, for example `aws`.
    pub(crate) partition: &'a str,
    /// The region; empty for a global service.
    pub(crate) region: &'a str,
    /// The account that the credential behind the request belongs to.
    pub(crate) account: &'a str,
}

impl Place<'_> {
    /// An ARN in the request's own region and account.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    /// An ARN of a global service.
    pub(crate) fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition, self.account)
    }

    /// The account itself: the target of what names nothing narrower.
    pub(crate) fn account_scope(&self, role: Role) -> Resource {
        Resource {
            role,
            kind: Arc::from("aws:account"),
            name: format!("arn:{}:iam::{}:root", self.partition, self.account),
            basis: NameBasis::Scope,
            pattern: false,
            identifiers: Vec::new(),
        }
    }
}
