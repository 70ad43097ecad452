//! A hold as people and programs are shown it, with how far it has come.
//!
//! Leaves out who asks to see it (`admin/holds.rs`) and how it is written (the command line).

use jiff::Timestamp;
use ordain_rules::Answered;
use ordain_rules::hold::Question;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::gate::Gate;
use crate::state::{Carried, Closed, Hold};

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
    /// It was sent, and nobody knows what became of it.
    Unknown,
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
            Self::Unknown => "unknown",
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
    let (id, approvals, model) = (hold.id.to_string(), super::standing(gate, hold), gate.model.snapshot());
    model.answered((&id, hold.question), &question, &approvals, gate.clock.now()).ok()
}

/// How far a hold has come; `None` where it is not there.
pub(super) async fn look(gate: &Gate, id: Uuid) -> Option<State> {
    let hold = gate.state.hold(id).await.ok()??;
    let progress = progress(gate, &hold);
    state(gate, &hold, progress.as_deref()).await
}

impl Shown {
    /// A hold, as it is now.
    pub async fn of(gate: &Gate, hold: &Hold) -> Self {
        let progress = progress(gate, hold);
        let state = state(gate, hold, progress.as_deref()).await;
        // Until when what was approved holds, where it is.
        let until = match (&progress, state) {
            (Some(progress), Some(State::Approved)) => ends(gate, hold, progress),
            (Some(_) | None, _) => hold.until,
        };
        let summary = Question::read(&hold.text).map_or_else(|why| why, |question| question.told());
        Self {
            id: hold.id,
            // What cannot be looked up waits for whoever looks again.
            state: state.unwrap_or(State::Waiting),
            actor: hold.actor.to_string(),
            summary,
            opened: hold.opened,
            until,
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

/// How far one has come; `None` where what became of it cannot be looked up now.
pub(super) async fn state(gate: &Gate, hold: &Hold, progress: Option<&[Answered]>) -> Option<State> {
    // What nobody answered was not carried out.
    let carried = if hold.answers.is_empty() { None } else { gate.state.carried(hold.id).await.ok()? };
    Some(standing(gate, hold, progress, carried))
}

/// The same, where it is known what became of it.
pub(super) fn standing(
    gate: &Gate,
    hold: &Hold,
    progress: Option<&[Answered]>,
    carried: Option<Carried>,
) -> State {
    let now = gate.clock.now();
    let approved = progress.filter(|all| !all.is_empty() && all.iter().all(Answered::is_enough));
    match (carried, hold.closed, approved) {
        (Some(Carried::Done | Carried::InFlight), ..) => State::Used,
        (Some(Carried::Unknown), ..) => State::Unknown,
        (Some(Carried::Refused) | None, Some(Closed::Denied), _) => State::Denied,
        (Some(Carried::Refused) | None, Some(Closed::Superseded), _) => State::Over,
        (_, None, _) if !hold.is_open(now) => State::Expired,
        (_, None, Some(progress)) if now >= ends(gate, hold, progress) => State::Expired,
        (_, None, Some(_)) => State::Approved,
        (_, None, None) => State::Waiting,
    }
}

/// Until when what was approved may be carried out.
pub(super) fn ends(gate: &Gate, hold: &Hold, progress: &[Answered]) -> Timestamp {
    hold.granted(gate.config().holds.granted).ends(progress)
}
