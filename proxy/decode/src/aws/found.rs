//! An operation that a request may be, as far as its head says.
//!
//! Leaves out finding it (`route.rs`, `rest.rs`).

use ordain_action::{Access, Undecodable};
use ordain_catalog::{Location, Operation, Protocol, Service};

/// One reading of a head.
#[derive(Debug, Clone)]
pub(super) struct Found<'r> {
    pub(super) service: &'r Service,
    pub(super) operation: &'r Operation,
    pub(super) protocol: Protocol,
    /// Labels of the path with their decoded text.
    pub(super) labels: Vec<(String, String)>,
}

/// There is no such operation.
pub(super) fn unknown(what: &str) -> Undecodable {
    Undecodable::new(
        "unknown_operation",
        format!("`{what}` is not an operation in the catalogue; add it by an overlay"),
    )
}

/// How strict a class is, for ties: what hands out authority comes last.
pub(super) const fn strictness(access: Access) -> u8 {
    match access {
        Access::Read => 0,
        Access::Tag => 1,
        Access::Create => 2,
        Access::Update => 3,
        Access::Execute => 4,
        Access::Delete => 5,
        Access::Expose => 6,
        Access::Grant => 7,
        Access::SecretRead => 8,
    }
}

/// Whether a query member is the operation's own.
pub(super) fn is_query_member(operation: &Operation, name: &str) -> bool {
    operation.members.iter().any(|member| member.location == Location::Query && *member.wire == *name)
}
