//! From what was judged to what is kept, and back.
//!
//! Leaves out the kept form itself (`ordain_proof::record`) and when something is kept.

mod back;
mod write;

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Action, DecisionId, Digest};
use ordain_rules::{Counters, Mode};

pub use back::Recalled;
pub(crate) use back::{action_of, carried_out, outcome_of};
pub use write::says;
pub(crate) use write::{Frames, NotWritten, attempts, decision, outcome, own_change};

/// What goes into the record of a decision, beside the verdict.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Its name, which the caller sees.
    pub id: DecisionId,
    /// The time judged with.
    pub now: Timestamp,
    /// Who asked for what. Secrets among the parameters are tokens already.
    pub action: Arc<Action>,
    /// The request digest.
    pub request: Digest,
    /// The request's head, as far as it carries no secret.
    pub head: HeadSummary,
    /// What it was judged with, by digest.
    pub digests: Arc<Digests>,
    /// What was counted.
    pub counters: Counters,
    /// The last outcome in the live inventory judged with.
    pub live: u64,
    /// On which terms.
    pub terms: Terms,
    /// The hold that it waits under.
    pub hold: Option<Arc<str>>,
}

/// What a decision depends on beside the model and what was counted: configuration, and the way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The mode that configuration gives the upstream, before the model's scopes are asked.
    pub mode: Mode,
    /// Changes of data on the upstream pass counted.
    pub control_only: bool,
    /// Nothing showed who asks: it is judged as what a plane shows to anybody (`ordain_rules::open`).
    pub nobody: bool,
}

/// The head of a request, as far as it carries no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadSummary {
    /// The method.
    pub method: String,
    /// The host as asked for.
    pub host: String,
    /// The path, without a query: that may carry credentials.
    pub path: String,
    /// Its credential is the actor's own for the upstream, and goes on to it as it came.
    pub own_credential: bool,
}

/// What decisions are made from, by digest: the same from one reload to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// The model.
    pub model: Digest,
    /// The rules.
    pub rules: Digest,
    /// The rules' schema.
    pub schema: Digest,
    /// The catalogue.
    pub catalogue: Digest,
    /// The program.
    pub program: Digest,
}
