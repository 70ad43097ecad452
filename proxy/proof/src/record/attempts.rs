//! Refused requests that came faster than each gets an entry of its own: counted, per actor.
//!
//! Leaves out the rate (`ordain-evidence`).

use serde::{Deserialize, Serialize};

use super::Text;

/// Refusals of one actor, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptsRecord<'a> {
    /// The actor's name.
    #[serde(borrow)]
    pub actor: Text<'a>,
    /// `person`, `pipeline` or `agent`.
    pub kind: Text<'a>,
    /// How many.
    pub count: u64,
    /// When the first was refused.
    pub first: Text<'a>,
    /// When the last was refused.
    pub last: Text<'a>,
    /// The name of the first decision.
    pub first_decision: Text<'a>,
    /// The name of the last decision.
    pub last_decision: Text<'a>,
    /// The request digest of the last one.
    pub request: Text<'a>,
    /// How often each reason was the strictest; the rarest are left out beyond a bound.
    pub reasons: Vec<TallyRecord<'a>>,
    /// How often each operation was asked for; the rarest are left out beyond a bound.
    pub operations: Vec<TallyRecord<'a>>,
}

/// A word and how often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyRecord<'a>(#[serde(borrow)] pub Text<'a>, pub u64);
