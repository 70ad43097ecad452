//! Somebody answers a hold: whether they may, in the ledger before it counts, and then kept.
//!
//! Leaves out who says so (`admin/holds.rs`).

use std::sync::Arc;

use ordain_evidence::ChangeKind;
use ordain_rules::hold::Question;
use ordain_rules::{Answered, Endorsement, Proof};
use uuid::Uuid;

use super::{EventKind, is_revoked, shown, standing};
use crate::events;
use crate::gate::Gate;
use crate::state::{Answer, Carried, Given, Hold};

/// What somebody says to a hold.
#[derive(Debug, Clone)]
pub struct Said {
    /// The hold.
    pub id: Uuid,
    /// What they say; the time is theirs where they signed it.
    pub answer: Answer,
    /// They do not say it as one of those who are asked: the operator takes something off the table.
    pub operator: bool,
}

/// Why an answer does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnswered {
    /// There is no such hold.
    Unknown,
    /// It may not be answered so, or by them.
    Refused(String),
    /// It cannot be recorded or kept now.
    Unavailable(String),
}

/// Takes an answer.
///
/// # Errors
/// [`NotAnswered`].
pub async fn take(gate: &Gate, said: Said) -> Result<Hold, NotAnswered> {
    let Said { id, answer, operator } = said;
    let unavailable = |why: String| NotAnswered::Unavailable(why);
    let hold = gate.state.hold(id).await.map_err(unavailable)?.ok_or(NotAnswered::Unknown)?;
    let now = gate.clock.now();
    if !hold.is_open(now) {
        return Err(NotAnswered::Refused(format!("hold `{id}` waits no more; have the request made again")));
    }
    if gate.state.carried(id).await.map_err(unavailable)?.is_some_and(|carried| carried != Carried::Refused) {
        return Err(NotAnswered::Refused(format!(
            "what hold `{id}` approved was sent already; nothing is left to answer"
        )));
    }
    let same = |known: &Answer| known.by == answer.by && known.approves == answer.approves;
    let said = hold.answers.iter().any(same);
    if said && stands(gate, &hold, &answer) {
        return Err(NotAnswered::Refused(format!("`{}` has answered hold `{id}` so already", answer.by)));
    }
    let question = Question::read(&hold.text).map_err(NotAnswered::Refused)?;
    if operator {
        // INVARIANT: the operator's token says no at most. It is nobody's, and approves nothing.
        if answer.approves {
            let text =
                "the operator's token is nobody's and approves nothing; log in, or sign with a key of yours";
            return Err(NotAnswered::Refused(text.to_owned()));
        }
    } else {
        may(gate, &hold, &question, &answer)?;
    }
    let (kind, verb) =
        if answer.approves { (EventKind::Approved, "approved") } else { (EventKind::Denied, "denied") };
    let how = match &answer.proof {
        Proof::Signed(_) => "signed",
        Proof::Login(how) => how,
    };
    let why = if answer.why.is_empty() { String::new() } else { format!(": {}", answer.why.escape_debug()) };
    let summary = format!("`{}` {verb} hold `{id}` ({how}){why}", answer.by);
    // Recorded before it counts.
    gate.record_change_by(&answer.by, ChangeKind::Hold, summary, None, Some(hold.question))
        .await
        .map_err(unavailable)?;
    let by = Arc::clone(&answer.by);
    let given = gate.state.answer_hold(id, answer, now, said).await.map_err(unavailable)?;
    if !matches!(given, Given::Kept(_)) {
        // Somebody else was before, between looking and this: what is recorded is not what came of it.
        let summary = format!("what `{by}` answered hold `{id}` came too late and does not count");
        gate.record_change_by(&by, ChangeKind::Hold, summary, None, None).await.map_err(unavailable)?;
    }
    match given {
        Given::Kept(hold) => {
            gate.metrics.hold(kind);
            events::hold(kind, id, &by, &question.told());
            gate.holds.happened(kind, &hold, Some(&by));
            Ok(hold)
        }
        Given::Twice(_) => Err(NotAnswered::Refused(format!("`{by}` has answered hold `{id}` already"))),
        Given::Over(None) => Err(NotAnswered::Unknown),
        Given::Over(Some(_)) => {
            Err(NotAnswered::Refused(format!("hold `{id}` waits no more; have the request made again")))
        }
    }
}

/// Whether somebody may answer, and it is they who do.
fn may(gate: &Gate, hold: &Hold, question: &Question, answer: &Answer) -> Result<(), NotAnswered> {
    let model = gate.model.snapshot();
    if is_revoked(gate, &answer.by) {
        return Err(NotAnswered::Refused(format!(
            "`{}` is revoked; `ordain actor allow` ends that",
            answer.by
        )));
    }
    let of = model.may_answer(question, &answer.by).map_err(NotAnswered::Refused)?;
    let id = hold.id.to_string();
    if !answer.approves {
        return Ok(());
    }
    if let Proof::Signed(signature) = &answer.proof {
        if answer.at.subsec_nanosecond() != 0 {
            let text = "the time that was signed is finer than a second; sign one of whole seconds";
            return Err(NotAnswered::Refused(text.to_owned()));
        }
        model
            .verify_hold((&id, hold.question), (&answer.by, answer.at), signature)
            .map_err(NotAnswered::Refused)?;
    }
    let with = counted(gate, hold, question, answer);
    let granted = hold.granted(gate.config().holds.granted);
    let ends = answer.at.checked_add(granted.lasts).unwrap_or(hold.until);
    if ends <= gate.clock.now() {
        let text = format!(
            "what was approved at {} held until {ends}; approve it again, at a time of now",
            answer.at
        );
        return Err(NotAnswered::Refused(text));
    }
    let counts = |one: &Answered| of.contains(&one.owner) && one.by.contains(&answer.by);
    if with.iter().any(counts) {
        return Ok(());
    }
    let text = if answer.at > gate.clock.now() {
        "the approval is of a time that has not come; set the clock of the machine that signs".to_owned()
    } else {
        format!(
            "{} asks for signed approvals; sign with a key of yours: `ordain hold approve {id} --as {} --key FILE`",
            of.iter().map(|owner| format!("`{owner}`")).collect::<Vec<_>>().join(", "),
            answer.by,
        )
    };
    Err(NotAnswered::Refused(text))
}

/// Whether what somebody said before counts still: else they may say it again.
fn stands(gate: &Gate, hold: &Hold, answer: &Answer) -> bool {
    let progress = shown::progress(gate, hold).unwrap_or_default();
    let in_time = shown::ends(gate, hold, &progress) > gate.clock.now();
    !answer.approves || (in_time && progress.iter().any(|one| one.by.contains(&answer.by)))
}

/// How far each owner's approval would have come with one more.
fn counted(gate: &Gate, hold: &Hold, question: &Question, answer: &Answer) -> Vec<Answered> {
    let mut approvals = standing(gate, hold);
    // A later one of theirs stands in the place of what they said before.
    approvals.retain(|known| known.by != answer.by);
    approvals.push(Endorsement { by: Arc::clone(&answer.by), at: answer.at, proof: answer.proof.clone() });
    let (id, model) = (hold.id.to_string(), gate.model.snapshot());
    model.answered((&id, hold.question), question, &approvals, gate.clock.now()).unwrap_or_default()
}
