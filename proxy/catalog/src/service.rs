//! One service: what it is called in each place, which protocols it reads, and its operations.
//!
//! Leaves out its hosts, which depend on region and variant (`hosts`).

use std::collections::HashMap;
use std::sync::Arc;

use crate::operation::Operation;
use crate::protocol::Protocol;

/// What is known of a service without decoding its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The name botocore uses, for example `elbv2`.
    pub name: Arc<str>,
    /// The vendor's service id, for example `Elastic Load Balancing v2`.
    pub id: Box<str>,
    /// The name in a credential scope, for example `elasticloadbalancing`. Several services may share one.
    pub signing_name: Box<str>,
    /// The first label of its usual hosts. Not always one label: `api.sagemaker`.
    pub endpoint_prefix: Box<str>,
    /// The version of the API, which query requests carry as `Version`.
    pub version: Box<str>,
    /// What stands before the dot in `X-Amz-Target`; empty where it has none.
    pub target_prefix: Box<str>,
    /// What stands after `/service/` in a Smithy RPC path; empty where it has none.
    pub rpc_name: Box<str>,
    /// The prefix of its IAM actions, for example `elasticloadbalancing`.
    pub iam_prefix: Box<str>,
    /// The version of the JSON protocol, `1.0` or `1.1`; empty where it reads none.
    pub json_version: Box<str>,
    /// Every protocol it reads.
    pub protocols: Vec<Protocol>,
}

/// A service with its operations.
#[derive(Debug, Clone)]
pub struct Service {
    head: Head,
    operations: Vec<Operation>,
    by_name: HashMap<Arc<str>, usize>,
}

impl Service {
    pub(crate) fn new(head: Head, operations: Vec<Operation>) -> Self {
        let by_name =
            operations.iter().enumerate().map(|(at, operation)| (operation.name.clone(), at)).collect();
        Self { head, operations, by_name }
    }

    /// What it is called, and which protocols it reads.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The name botocore uses, for example `elbv2`.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.head.name
    }

    /// The operation with that name.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.by_name.get(name).and_then(|at| self.operations.get(*at))
    }

    /// All operations, in the order of their names.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether it reads requests in that protocol.
    #[must_use]
    pub fn reads(&self, protocol: Protocol) -> bool {
        self.head.protocols.contains(&protocol)
    }

    pub(crate) fn merged(&self, over: &Self) -> Self {
        let mut operations: Vec<Operation> = self
            .operations
            .iter()
            .filter(|operation| over.operation(&operation.name).is_none())
            .chain(&over.operations)
            .cloned()
            .collect();
        operations.sort_by(|one, other| one.name.cmp(&other.name));
        Self::new(over.head.clone(), operations)
    }
}
