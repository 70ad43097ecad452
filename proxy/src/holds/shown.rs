//! A hold as people and programs are shown it, with how far it has come.
//!
//! Leaves out who asks to see it (`admin/holds.rs`) and how it is written (the command line).

use jiff::Timestamp;
use ordain_rules::Answered;
use ordain_rules::hold::Question;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::gate::Gate;
use crate::state::{Closed, Hold};

/// How far a hold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for answers.
    Waiting,
    /// All have approved it, and the request may be sent again, once.
    Approved,
    /// What was approved was sent.
    Used,
    /// Somebody said no.
    Denied,
    /// Another stands in its place.
    Over,
    /// Its time is over.
    Expired,
}

impl State {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Denied => "denied",
            Self::Over => "over",
            Self::Expired => "expired",
        }
    }
}

/// A hold, as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its name.
    pub id: Uuid,
    /// How far it has come.
    pub state: State,
    /// Who asks.
    pub actor: String,
    /// What would be done, in one line.
    pub summary: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// Until when it waits, or what was approved holds.
    pub until: Timestamp,
    /// The request digest.
    pub request: String,
    /// The digest of the question, which is what is approved.
    pub digest: String,
    /// The question as a text, byte for byte as it was hashed.
    pub question: String,
    /// How far each owner's approval has come.
    pub owners: Vec<Progress>,
    /// What people answered.
    pub answers: Vec<Given>,
}

/// How far an owner's approval has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The owner.
    pub owner: String,
    /// How many people have to approve.
    pub at_least: usize,
    /// Only what they signed counts.
    pub signed: bool,
    /// Whose approval counts.
    pub by: Vec<String>,
    /// Who else may approve.
    pub may: Vec<String>,
}

/// What somebody answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The person.
    pub by: String,
    /// Yes or no.
    pub approves: bool,
    /// When.
    pub at: Timestamp,
    /// They signed it.
    pub signed: bool,
    /// Why, of a no.
    pub why: String,
}

/// How far each owner's approval of a hold has come; `None` where it cannot be told.
pub(super) fn progress(gate: &Gate, hold: &Hold) -> Option<Vec<Answered>> {
    let question = Question::read(&hold.text).ok()?;
    let (id, approvals, model) = (hold.id.to_string(), hold.approvals(), gate.model.snapshot());
    model.answered((&id, hold.question), &question, &approvals, gate.clock.now()).ok()
}

/// How far a hold has come; `None` where it is not there.
pub(super) async fn look(gate: &Gate, id: Uuid) -> Option<State> {
    let hold = gate.state.hold(id).await.ok()??;
    let progress = progress(gate, &hold);
    Some(state(&hold, progress.as_deref(), gate.state.is_used(&hold).await, gate.clock.now()))
}

impl Shown {
    /// A hold, as it is now.
    pub async fn of(gate: &Gate, hold: &Hold) -> Self {
        let progress = progress(gate, hold);
        let used = gate.state.is_used(hold).await;
        let summary = Question::read(&hold.text).map_or_else(|why| why, |question| question.told());
        Self {
            id: hold.id,
            state: state(hold, progress.as_deref(), used, gate.clock.now()),
            actor: hold.actor.to_string(),
            summary,
            opened: hold.opened,
            until: hold.until,
            request: hold.request.to_hex(),
            digest: hold.question.to_hex(),
            question: hold.text.to_string(),
            owners: progress.unwrap_or_default().iter().map(Progress::of).collect(),
            answers: hold
                .answers
                .iter()
                .map(|answer| Given {
                    by: answer.by.to_string(),
                    approves: answer.approves,
                    at: answer.at,
                    signed: matches!(answer.proof, ordain_rules::Proof::Signed(_)),
                    why: answer.why.to_string(),
                })
                .collect(),
        }
    }
}

impl Progress {
    fn of(answered: &Answered) -> Self {
        let names = |names: &[std::sync::Arc<str>]| names.iter().map(ToString::to_string).collect();
        Self {
            owner: answered.owner.to_string(),
            at_least: answered.at_least,
            signed: answered.signed,
            by: names(&answered.by),
            may: names(&answered.may),
        }
    }
}

pub(super) fn state(hold: &Hold, progress: Option<&[Answered]>, used: bool, now: Timestamp) -> State {
    match hold.closed {
        _ if used => State::Used,
        Some(Closed::Denied) => State::Denied,
        Some(Closed::Superseded) => State::Over,
        None if !hold.is_open(now) => State::Expired,
        None if progress.is_some_and(|all| !all.is_empty() && all.iter().all(Answered::is_enough)) => {
            State::Approved
        }
        None => State::Waiting,
    }
}
