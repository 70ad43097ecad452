//! What waits for its owners: what they are asked, and what becomes of it once they have answered.
//!
//! Leaves out who may answer (`hold/`), and what makes a decision wait (`stages.rs`, the rules).

use jiff::Timestamp;
use ordain_action::{Action, Digest};

use super::permit;
use crate::calendar::Term;
use crate::hold::{Answered, KEPT, Question, answered, request_key};
use crate::model::Model;
use crate::{Count, Counters, Granted, Judged, Reason, Ruling, Use, Used, Waits, refusal};

/// Answers what waits with what people said, where they said it of just this question; else says what they are asked.
pub(super) fn settle(
    model: &Model,
    (action, request): (&Action, Digest),
    counters: &Counters,
    now: Timestamp,
    mut judged: Judged,
) -> (Judged, Vec<Use>) {
    let waiting = || judged.verdict.reasons.iter().filter(|reason| reason.ruling == Ruling::Hold);
    // What waits for anything else than an approval of the request is not answered by one.
    if judged.verdict.ruling != Ruling::Hold || waiting().any(|reason| reason.asks.is_empty()) {
        return (judged, Vec::new());
    }
    let question = Question::of(action, request, &judged.verdict);
    // INVARIANT: what cannot be shown whole is nobody's to approve.
    let Ok(text) = question.to_text() else { return (judged, Vec::new()) };
    let digest = Digest::of(text.as_bytes());
    let granted = counters.granted().filter(|granted| granted.question == digest);
    judged.waits = Some(Box::new(Waits { digest, text }));
    let Some(granted) = granted else { return (judged, Vec::new()) };
    match answer(model, &question, (request, digest), counters, granted, now) {
        Answer::None => (judged, Vec::new()),
        Answer::No(reason) => {
            judged.verdict.reasons.insert(0, reason);
            judged.verdict.ruling = Ruling::Deny;
            judged.permit = permit(&judged.verdict, request);
            judged.waits = None;
            (judged, Vec::new())
        }
        Answer::Yes(reasons) => {
            judged.verdict.reasons.retain(|reason| reason.ruling != Ruling::Hold);
            judged.verdict.reasons.splice(0..0, reasons);
            judged.verdict.ruling = Ruling::Admit;
            judged.permit = permit(&judged.verdict, request);
            judged.waits = None;
            // Once of what was approved, and of the request whenever it was approved: while nobody knows what became of it,
            // it is not sent again.
            let used =
                |key, uses| Use { key, request, uses, honoured: false, rebinds: false, kept: Some(KEPT) };
            (judged, vec![used(granted.key(), 1), used(request_key(request), u64::MAX)])
        }
    }
}

/// What people said.
enum Answer {
    /// Not enough of them have, or it was carried out already.
    None,
    No(Reason),
    Yes(Vec<Reason>),
}

fn answer(
    model: &Model,
    question: &Question,
    (request, digest): (Digest, Digest),
    counters: &Counters,
    granted: &Granted,
    now: Timestamp,
) -> Answer {
    let hold = &granted.hold;
    let no = |code: &str, text: String, remedy: &str| {
        let words = (text, remedy.to_owned());
        Answer::No(refusal::reason(Ruling::Deny, Count::Ownership, code, 0, words))
    };
    let waits = Term::once(None, Some(granted.until)).in_force(now);
    if let Some((by, why)) = granted.denied.as_ref().filter(|_| waits) {
        let text = format!("`{by}` denied hold `{hold}`: {}", refusal::shown(why));
        return no("hold_denied", text, "do something else, or talk to them");
    }
    let progress = answered(&model.people, (hold, digest), question, &granted.approvals, now);
    let in_time = Term::once(None, Some(granted.ends(&progress))).in_force(now);
    if !in_time || !progress.iter().all(Answered::is_enough) {
        return Answer::None;
    }
    let used = counters.used(&granted.key()).or_else(|| counters.used(&request_key(request)));
    let why = match used {
        None => return Answer::Yes(progress.iter().map(|one| approved(hold, one)).collect()),
        // It was done: who wants it once more asks once more.
        Some(Used::Up) => return Answer::None,
        Some(Used::InFlight) => "is being carried out",
        Some(Used::Unknown) => "was sent before, and what became of that is not known",
        Some(Used::Uncounted) => "cannot be counted now",
    };
    let text = format!("what hold `{hold}` approved {why}");
    no("hold_used", text, "look at what is there before you repeat it")
}

fn approved(hold: &str, one: &Answered) -> Reason {
    let text = format!("`{}` approved hold `{hold}`: {}", one.owner, refusal::quoted(&one.by));
    refusal::reason(Ruling::Admit, Count::Ownership, "hold_approved", 0, (text, String::new()))
}
