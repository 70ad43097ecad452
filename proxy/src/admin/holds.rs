//! Holds on the admin address: listed, shown and answered.
//!
//! Leaves out what an answer means (`holds/`).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use ordain_rules::Proof;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Caller, Refusal};
use crate::gate::Gate;
use crate::holds::{self, NotAnswered, Said, Shown};
use crate::people::Role;
use crate::state::Answer;

/// Which holds are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Those that are over too.
    #[serde(default)]
    all: bool,
}

/// What somebody answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answering {
    /// The person; where it is left out, whoever is logged in.
    #[serde(default)]
    pub(crate) by: Option<String>,
    /// Yes or no.
    pub(crate) approves: bool,
    /// When it was signed.
    #[serde(default)]
    pub(crate) at: Option<Timestamp>,
    /// The signature, as `ssh-keygen -Y sign` writes it.
    #[serde(default)]
    pub(crate) signature: Option<String>,
    /// Why, of a no.
    #[serde(default)]
    pub(crate) why: String,
}

/// The longest reason that is kept.
const WHY_MAX: usize = 1_000;

/// By whom what is denied by the operator's token is: nobody's name.
const OPERATOR: &str = "the operator's token";

/// Those that are over for as long as they are kept.
const SINCE: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Shown>>, Refusal> {
    caller.needs(Role::Viewer)?;
    // Of what waits the oldest, of all the youngest: whoever needs another one asks for it by name.
    let found = if which.all {
        gate.state.holds(SINCE).await
    } else {
        gate.state.open_holds(gate.clock.now()).await.map(|(holds, _)| holds)
    };
    let mut shown = Vec::new();
    for hold in found.map_err(unavailable)? {
        // The question is long, and is shown one at a time.
        let listed = Shown::of(&gate, &hold).await;
        shown.push(Shown { question: String::new(), ..listed });
    }
    Ok(Json(shown))
}

pub(super) async fn show(
    State(gate): State<Arc<Gate>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Shown>, Refusal> {
    caller.needs(Role::Viewer)?;
    let found = gate.state.hold(id).await.map_err(unavailable)?;
    let hold = found.ok_or_else(|| refused(NotAnswered::Unknown))?;
    Ok(Json(Shown::of(&gate, &hold).await))
}

pub(super) async fn answer(
    State(gate): State<Arc<Gate>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(answering): Json<Answering>,
) -> Result<Json<Shown>, Refusal> {
    caller.needs(Role::Viewer)?;
    let said = said(id, &caller, answering, gate.clock.now())?;
    let hold = holds::take(&gate, said).await.map_err(refused)?;
    Ok(Json(Shown::of(&gate, &hold).await))
}

/// Whose answer it is, and what shows that: their signature, whoever brings it, or that they are who asks.
fn said(id: Uuid, caller: &Caller, answering: Answering, now: Timestamp) -> Result<Said, Refusal> {
    let Answering { by, approves, at, signature, why } = answering;
    if why.len() > WHY_MAX {
        let text = format!("a reason has {WHY_MAX} letters at most; say it shorter");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    }
    let why: Arc<str> = Arc::from(why);
    if let Some(signature) = signature {
        // INVARIANT: what is signed is an approval: a no is said by whoever asks, in nobody else's name.
        let (Some(by), Some(at), true) = (by, at, approves) else {
            let text =
                "a signature approves, with the person and the time that were signed; log in to say no";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
        };
        let proof = Proof::Signed(Arc::from(signature));
        return Ok(Said {
            id,
            answer: Answer { by: Arc::from(by), approves, at, proof, why },
            operator: false,
        });
    }
    let proof = Proof::Login(Arc::from(caller.shown_by()));
    let Some(person) = caller.person().filter(|person| by.as_deref().is_none_or(|by| by == *person)) else {
        if approves || by.is_some() {
            let text = "say it with a signature, or log in with `ordain login` and say it as yourself";
            return Err(Refusal::new(StatusCode::FORBIDDEN, text));
        }
        caller.needs(Role::Operator)?;
        let answer = Answer { by: Arc::from(OPERATOR), approves, at: now, proof, why };
        return Ok(Said { id, answer, operator: true });
    };
    caller.needs(Role::Approver)?;
    let answer = Answer { by: Arc::from(person), approves, at: now, proof, why };
    Ok(Said { id, answer, operator: false })
}

/// Counts what waits, for the metrics; what cannot be counted keeps its last figure.
pub(super) async fn observe(gate: &Gate) {
    // Whoever asks often, and anybody may, is told what was counted a while ago.
    if !gate.holds.is_to_be_counted() {
        return;
    }
    if let Some(waiting) = gate.state.holds_waiting(gate.clock.now()).await {
        gate.metrics.holds_waiting(waiting);
    }
}

fn unavailable(why: String) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why)
}

fn refused(why: NotAnswered) -> Refusal {
    match why {
        NotAnswered::Unknown => {
            let text = "there is no such hold; `ordain hold list --all` has them";
            Refusal::new(StatusCode::NOT_FOUND, text)
        }
        NotAnswered::Refused(why) => Refusal::new(StatusCode::FORBIDDEN, why),
        NotAnswered::Unavailable(why) => unavailable(why),
    }
}
