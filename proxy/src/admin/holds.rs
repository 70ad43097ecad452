//! Holds on the admin address: listed, shown and answered.
//!
//! Leaves out what an answer means (`holds/`).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use ordain_rules::Proof;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::is_operator;
use crate::gate::Gate;
use crate::holds::{self, NotAnswered, Said, Shown};
use crate::state::{Answer, Hold};

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
    /// The person; where it is left out, whoever asks.
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

/// What is refused, for a person.
type Refused = (StatusCode, String);

/// Those that are over for as long as they are kept.
const SINCE: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    headers: HeaderMap,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Shown>>, Refused> {
    check(&gate, &headers)?;
    let now = gate.clock.now();
    let since = if which.all { SINCE } else { now };
    let mut shown = Vec::new();
    for hold in gate.state.holds(since).await.map_err(unavailable)? {
        if which.all || hold.is_open(now) {
            // The question is long, and is shown one at a time.
            let listed = Shown::of(&gate, &hold).await;
            shown.push(Shown { question: String::new(), ..listed });
        }
    }
    Ok(Json(shown))
}

pub(super) async fn show(
    State(gate): State<Arc<Gate>>,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Json<Shown>, Refused> {
    check(&gate, &headers)?;
    let hold = find(&gate, id).await?;
    Ok(Json(Shown::of(&gate, &hold).await))
}

pub(super) async fn answer(
    State(gate): State<Arc<Gate>>,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Json(answering): Json<Answering>,
) -> Result<Json<Shown>, Refused> {
    check(&gate, &headers)?;
    let Answering { by, approves, at, signature, why } = answering;
    if why.len() > WHY_MAX {
        let text = format!("a reason has {WHY_MAX} letters at most; say it shorter\n");
        return Err((StatusCode::BAD_REQUEST, text));
    }
    let now = gate.clock.now();
    let (answer, operator) = match (by, signature) {
        (Some(by), Some(signature)) => {
            let proof = Proof::Signed(Arc::from(signature));
            let at = at.unwrap_or(now);
            (Answer { by: Arc::from(by), approves, at, proof, why: Arc::from(why) }, false)
        }
        (Some(_), None) => {
            let text = "say it with a signature, or log in and say it as yourself\n";
            return Err((StatusCode::FORBIDDEN, text.to_owned()));
        }
        (None, _) => {
            let proof = Proof::Login(Arc::from("operator's token"));
            (Answer { by: Arc::from("operator"), approves, at: now, proof, why: Arc::from(why) }, true)
        }
    };
    let hold = holds::take(&gate, Said { id, answer, operator }).await.map_err(refused)?;
    Ok(Json(Shown::of(&gate, &hold).await))
}

/// Counts what waits, for the metrics; what cannot be counted keeps its last figure.
pub(super) async fn observe(gate: &Gate) {
    let now = gate.clock.now();
    if let Ok(holds) = gate.state.holds(now).await {
        gate.metrics.holds_waiting(holds.iter().filter(|hold| hold.is_open(now)).count());
    }
}

async fn find(gate: &Gate, id: Uuid) -> Result<Hold, Refused> {
    let found = gate.state.hold(id).await.map_err(unavailable)?;
    found.ok_or_else(|| refused(NotAnswered::Unknown))
}

fn check(gate: &Gate, headers: &HeaderMap) -> Result<(), Refused> {
    if is_operator(gate, headers) {
        return Ok(());
    }
    Err((StatusCode::UNAUTHORIZED, "present the token of `admin.token` in the state directory\n".to_owned()))
}

fn unavailable(why: String) -> Refused {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"))
}

fn refused(why: NotAnswered) -> Refused {
    match why {
        NotAnswered::Unknown => {
            (StatusCode::NOT_FOUND, "there is no such hold; `ordain hold list --all` has them\n".to_owned())
        }
        NotAnswered::Refused(why) => (StatusCode::FORBIDDEN, format!("{why}\n")),
        NotAnswered::Unavailable(why) => unavailable(why),
    }
}
