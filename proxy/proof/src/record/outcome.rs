//! What became of a decision, as it is kept.
//!
//! Leaves out the decision itself (`decision.rs`).

use serde::{Deserialize, Serialize};

use super::Text;

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRecord<'a> {
    /// The decision's name.
    #[serde(borrow)]
    pub decision: Text<'a>,
    /// The entry that holds the decision; null when it was not known yet.
    pub entry: Option<u64>,
    /// The request digest of the decision.
    pub request: Text<'a>,
    /// When it was known.
    pub time: Text<'a>,
    /// How it ended.
    pub end: EndRecord<'a>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndRecord<'a> {
    /// Nothing was sent, for the reason given.
    NotSent(#[serde(borrow)] Text<'a>),
    /// The upstream answered.
    Answered(#[serde(borrow)] AnsweredRecord<'a>),
    /// A stream was opened, and has ended.
    Streamed(#[serde(borrow)] StreamedRecord<'a>),
    /// It was started, and no complete answer came, for the reason given.
    Unknown(#[serde(borrow)] Text<'a>),
}

/// What the upstream answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredRecord<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The upstream's name for the request.
    #[serde(borrow)]
    pub request_id: Text<'a>,
    /// The upstream's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<Text<'a>>,
    /// What it says was created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub created: Vec<CreatedRecord<'a>>,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamedRecord<'a> {
    /// The upstream's name for the request.
    #[serde(borrow)]
    pub request_id: Text<'a>,
    /// Bytes that went to the upstream.
    pub sent: u64,
    /// Bytes that came from it.
    pub received: u64,
    /// Who ended it.
    pub ended: Text<'a>,
}

/// One resource that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedRecord<'a> {
    /// Its type.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// The member its identifier is known by.
    pub member: Text<'a>,
    /// The identifier.
    pub identifier: Text<'a>,
}
