//! How a decision ended.

use std::sync::Arc;

/// Something the answer says was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its type, for example `ec2:instance`.
    pub kind: Arc<str>,
    /// The member its identifier is known by, for example `InstanceId`.
    pub member: Arc<str>,
    /// The identifier the upstream gave it.
    pub identifier: String,
}

/// What became of a recorded decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was sent upstream.
    NotSent {
        /// Why, in a stable word, for example `client_gone`.
        why: &'static str,
    },
    /// The upstream answered and the answer was read to its end, or began, where it goes on for as long as somebody
    /// listens.
    Answered {
        /// HTTP status.
        status: u16,
        /// The upstream's own name for the request, which joins to its audit log; empty when it gave none.
        request_id: String,
        /// The upstream's error code, when the answer is an error that names one.
        error_code: Option<String>,
        /// New identifiers read from the answer.
        created: Vec<Created>,
    },
    /// The upstream changed the connection to another protocol, and what was opened has ended.
    Streamed {
        /// The upstream's own name for the request; empty when it gave none.
        request_id: String,
        /// Bytes that went to the upstream.
        sent: u64,
        /// Bytes that came from it.
        received: u64,
        /// Who ended it, in a stable word: `client`, `upstream`, `revoked`, `gate` or `broken`.
        ended: &'static str,
    },
    /// The request was started and no complete answer came: it may or may not have taken effect.
    Unknown {
        /// Why, in a stable word, for example `upstream_reset`.
        why: &'static str,
    },
}
