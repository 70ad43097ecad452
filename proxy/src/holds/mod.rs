//! What waits for its owners: asked for where nobody has answered yet, and judged again with what they answered.
//!
//! Leaves out who may answer and whether enough have (`ordain_rules`), where it is kept (`state/hold/`), and how people
//! answer (`admin/holds.rs`). Nothing is admitted here: whatever people said, the judge is asked with it.

mod answer;
pub mod notices;
pub mod own;
mod parked;
mod shown;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ordain_action::{ActorKind, Party, Reading};
use ordain_evidence::{ChangeKind, Decision, Reserved};
use ordain_rules::hold::Question;
use ordain_rules::{Answered, Endorsement, Granted, Judged, Mode, Ruling, Waits};
use tokio::sync::broadcast;
use uuid::Uuid;

pub use answer::{NotAnswered, Said, take};
pub use parked::Parking;
pub use shown::{Given, Progress, Shown, State};

use crate::again;
use crate::bound::Bound;
use crate::change::Reply;
use crate::events;
use crate::gate::Gate;
use crate::outgoing::Outgoing;
use crate::state::{Closed, Hold, Opened, Opening};

/// The longest question that is asked: who is to approve it is to read it.
const TEXT_MAX: usize = 64 * 1024;

/// How long what was counted of those that wait is told.
const COUNTED: Duration = Duration::from_secs(5);

/// How much happens before whoever looks away for so long has missed some of it.
const EVENTS_KEPT: usize = 1_024;

/// What this gate knows of holds beside what is kept.
#[derive(Debug)]
pub struct Holds {
    events: broadcast::Sender<Event>,
    parking: Parking,
    // When those that wait were last counted.
    counted: Mutex<Option<Instant>>,
}

/// Something that happened to a hold at this gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// The hold, as it is then.
    pub hold: Arc<Hold>,
    /// Who answered; nobody where it was opened.
    pub by: Option<Arc<str>>,
}

/// What happened to a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It was opened.
    Opened,
    /// Somebody approved it.
    Approved,
    /// Somebody denied it.
    Denied,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Opened, Self::Approved, Self::Denied];

    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }
}

/// What whoever asked is told of what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It waits as a hold.
    Waits {
        /// The hold.
        id: Uuid,
        /// Until when.
        until: Timestamp,
        /// How far it has come.
        progress: Vec<Answered>,
    },
    /// Nobody can be asked, and why.
    Unasked(&'static str),
}

impl Holds {
    /// None yet.
    #[must_use]
    pub fn new(parked: usize) -> Self {
        Self {
            events: broadcast::Sender::new(EVENTS_KEPT),
            parking: Parking::new(parked),
            counted: Mutex::default(),
        }
    }

    /// Whether those that wait are to be counted: not again and again, whoever asks.
    pub fn is_to_be_counted(&self) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = counted.is_none_or(|counted| counted.elapsed() >= COUNTED);
        if is_due {
            *counted = Some(Instant::now());
        }
        is_due
    }

    /// What happens from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn happened(&self, kind: EventKind, hold: &Hold, by: Option<&Arc<str>>) {
        // Nobody may be watching.
        drop(self.events.send(Event { kind, hold: Arc::new(hold.clone()), by: by.cloned() }));
    }
}

/// Reserves what a verdict takes of what is counted, once it is known what people answered to it. Where nobody has, they are
/// asked; whoever may wait for it does, and it is judged anew then.
pub async fn reserve(
    gate: &Gate,
    judged: Judged,
    decision: &mut Decision,
    outgoing: &Outgoing,
    reply: &mut Reply,
) -> (Reserved, Option<Asked>) {
    let (reserved, asked) = once(gate, judged, decision, &outgoing.bound).await;
    let Some(Asked::Waits { id, .. }) = &asked else { return (reserved, asked) };
    if !parked::until_answered(gate, *id, outgoing, &decision.action.reading, reply).await {
        return (reserved, asked);
    }
    // Whoever asked may do so no more, and the model may say something else by now.
    let (actor, until) = (&decision.action.actor, outgoing.identified.until);
    let now = gate.clock.now();
    if gate.keys.is_over(actor, now) || until.is_some_and(|until| now >= until) {
        return (reserved, asked);
    }
    // What was reserved for the refusal is nothing.
    drop(reserved);
    let judged = judged_now(gate, decision, None).await;
    once(gate, judged, decision, &outgoing.bound).await
}

async fn once(
    gate: &Gate,
    judged: Judged,
    decision: &mut Decision,
    bound: &Bound,
) -> (Reserved, Option<Asked>) {
    let judged = answered(gate, judged, decision).await;
    let renewed = |decision: &mut Decision| again::renewed(gate, decision);
    let (mut reserved, mut waits) = gate.state.reserve_for(judged, decision, renewed, &gate.metrics).await;
    // A no that came before anything was reserved left nothing to use: it is told as that. From there on none is taken.
    if waits.is_some() && was_denied(gate, decision).await {
        let judged = judged_now(gate, decision, None).await;
        let judged = answered(gate, judged, decision).await;
        (reserved, waits) = gate.state.reserve_for(judged, decision, renewed, &gate.metrics).await;
    }
    let asked = match waits {
        Some(waits) if is_held(&reserved) => Some(ask(gate, &waits, decision, bound).await),
        Some(_) | None => None,
    };
    (reserved, asked)
}

/// Whether what people had approved when it was judged was denied since.
async fn was_denied(gate: &Gate, decision: &Decision) -> bool {
    let granted = decision.counters.granted().filter(|granted| granted.denied.is_none());
    let Some(id) = granted.and_then(|granted| granted.hold.parse().ok()) else { return false };
    matches!(gate.state.hold(id).await, Ok(Some(hold)) if hold.closed == Some(Closed::Denied))
}

/// Only enforce makes anybody wait: what passes anyway is nobody's question.
fn is_held(reserved: &Reserved) -> bool {
    let verdict = reserved.verdict();
    verdict.ruling == Ruling::Hold && verdict.mode == Mode::Enforce
}

/// Judges what waits once more with what people answered to it.
async fn answered(gate: &Gate, judged: Judged, decision: &mut Decision) -> Judged {
    if judged.waits.is_none() || judged.verdict.mode != Mode::Enforce {
        return judged;
    }
    // Where it cannot be looked up, nobody has answered: it waits.
    let Some(hold) = gate.state.hold_of(decision.request, decision.now).await else { return judged };
    if hold.answers.is_empty() {
        return judged;
    }
    let granted = Granted { approvals: standing(gate, &hold), ..hold.granted(gate.config().holds.granted) };
    judged_now(gate, decision, Some(Box::new(granted))).await
}

/// Approvals of those who are believed: nobody is under a name that was revoked, whenever they approved.
fn standing(gate: &Gate, hold: &Hold) -> Vec<Endorsement> {
    let mut approvals = hold.approvals();
    approvals.retain(|approval| !is_revoked(gate, &approval.by));
    approvals
}

fn is_revoked(gate: &Gate, person: &Arc<str>) -> bool {
    gate.keys.is_revoked(&Party { name: Arc::clone(person), kind: ActorKind::Person })
}

/// Judges it as of now. All that this is done with goes into the decision first, and so into its record.
async fn judged_now(gate: &Gate, decision: &mut Decision, granted: Option<Box<Granted>>) -> Judged {
    let model = again::renewed(gate, decision);
    let needs = ordain_rules::needs(&model, &decision.action);
    decision.counters = gate.state.counters(&needs, decision.now).await;
    decision.counters.grant(granted);
    ordain_rules::judge(&model, &decision.action, decision.request, &decision.counters, decision.now)
}

/// Asks its owners, or joins what they are asked already.
async fn ask(gate: &Gate, waits: &Waits, decision: &mut Decision, bound: &Bound) -> Asked {
    if !bound.binds_content() {
        return Asked::Unasked(
            "its content is not part of what would be approved; send it whole or with the hash of its content",
        );
    }
    if waits.text.len() > TEXT_MAX {
        return Asked::Unasked("it is longer than anybody reads; ask for less in one request");
    }
    let config = gate.config();
    // What was carried out under it, or not in time, was asked for then, and is asked for anew.
    let over = decision.counters.granted().filter(|granted| is_over(gate, granted, waits, decision));
    let opening = Opening {
        id: Uuid::now_v7(),
        request: decision.request,
        question: waits.digest,
        text: Arc::from(waits.text.as_str()),
        actor: Arc::clone(&decision.action.actor.party.name),
        now: decision.now,
        until: later(decision.now, config.holds.lasts),
        over: over.and_then(|granted| granted.hold.parse().ok()),
        most: config.holds.per_actor,
    };
    let hold = match gate.state.open_hold(opening).await {
        Some(Opened::Joined(hold)) => hold,
        Some(Opened::New(hold)) => {
            if !opened(gate, &hold, decision).await {
                gate.state.close_hold(hold.id).await;
                return Asked::Unasked("holds cannot be recorded now; tell the operator");
            }
            hold
        }
        Some(Opened::TooMany) => {
            return Asked::Unasked("too much of what it asks for waits already; have that answered first");
        }
        None => return Asked::Unasked("holds cannot be kept now; tell the operator"),
    };
    decision.hold = Some(Arc::from(hold.id.to_string()));
    let progress = shown::progress(gate, &hold).unwrap_or_default();
    Asked::Waits { id: hold.id, until: hold.until, progress }
}

/// Whether enough people had approved what waits, and it waits all the same.
fn is_over(gate: &Gate, granted: &Granted, waits: &Waits, decision: &Decision) -> bool {
    let Ok(question) = Question::read(&waits.text) else { return false };
    let of = (granted.hold.as_ref(), granted.question);
    let progress = gate.model.snapshot().answered(of, &question, &granted.approvals, decision.now);
    granted.question == waits.digest
        && progress.is_ok_and(|all| !all.is_empty() && all.iter().all(Answered::is_enough))
}

/// Says that one was opened: in the ledger, the log and the metrics, and to whoever watches. No: it cannot be recorded.
async fn opened(gate: &Gate, hold: &Hold, decision: &Decision) -> bool {
    let told = Question::read(&hold.text).map_or_else(|_| String::new(), |question| question.told());
    let summary = format!("hold `{}` was opened for request {}: {told}", hold.id, hold.request);
    let author = &decision.action.actor.party.name;
    if let Err(error) =
        gate.record_change_by(author, ChangeKind::Hold, summary, None, Some(hold.question)).await
    {
        events::hold_unrecorded(hold.id, &error);
        return false;
    }
    gate.metrics.hold(EventKind::Opened);
    events::hold(EventKind::Opened, hold.id, author, &told);
    gate.holds.happened(EventKind::Opened, hold, None);
    true
}

/// So long after a time.
fn later(now: Timestamp, lasts: std::time::Duration) -> Timestamp {
    now.checked_add(lasts).unwrap_or(Timestamp::MAX)
}

/// What a caller is told of what it asked for, behind the reason.
#[must_use]
pub fn told(asked: &Asked) -> String {
    match asked {
        Asked::Unasked(why) => format!("nobody can be asked to approve this: {why}"),
        Asked::Waits { id, until, progress } => {
            let missing = progress.iter().filter(|one| !one.is_enough());
            let of = |one: &Answered| match one.at_least {
                1 => format!("`{}`", one.owner),
                many => format!("`{}` ({} of {many})", one.owner, one.by.len()),
            };
            let whom: Vec<String> = missing.map(of).collect();
            let whom = if whom.is_empty() { "its owners".to_owned() } else { whom.join(", ") };
            format!(
                "it waits for {whom} as hold `{id}` until {until}: send the same again once it is approved \
                 (`ordain hold wait {id}`)"
            )
        }
    }
}

/// Whether a request is one that whoever asks may be kept waiting with.
const fn can_wait(reading: &Reading) -> bool {
    match reading {
        Reading::Call(call) => !call.answer.upgrades,
        Reading::Undecodable { .. } => false,
    }
}
