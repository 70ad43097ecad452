//! The catalogue's text: one service a file, one fact a line, a keyword first.
//!
//! Leaves out hosts, which have a grammar of their own (`hosts::text`).
//!
//! ```text
//! service sqs                                  heads first: service, id, signing, endpoint, version, target, rpc,
//! protocols json query                         json, iam, protocols
//!
//! op CreateQueue create control sqs:CreateQueue
//! http POST /{Name}/x?literal=1&bare           left out where it is `POST /`
//! need query a header b                        what a request must carry
//! in QueueName!=wire@header:s                  members: `!` required, wire name where it differs, location, shape
//! secret body:Password.** token body:Token     marks; `list` for XML lists; `@protocol` behind a path
//! bind target sqs:queue bound arn:… Name=body:QueueName
//! new sqs:queue QueueUrl QueueUrl template     where the answer carries a new identifier
//! mint session Credentials
//! auth none · payload streamed Body · host {AccountId}. · event-stream · dry-run
//! ```

mod head;
mod operation;

pub(crate) use head::{Part, parts, service, service_name};

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct TextError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it, and what to write instead.
    pub text: String,
}

impl TextError {
    pub(crate) fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into() }
    }
}

/// The lines of a text with their numbers, without comments and empty ones.
pub(crate) fn lines(first: usize, text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(move |(at, line)| (first + at, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
