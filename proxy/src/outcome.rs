//! Reads a change's answer to its end, whoever still listens, and closes the evidence with what it says.
//!
//! Leaves out what the evidence looks like and what is done with what was created.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use ordain_action::{Action, Actor, Created, DecisionId, DenialKind, Outcome, Plane, Reading};
use ordain_decode::{AnswerHead, Claim};
use ordain_evidence::Closing;

use crate::answer::{End, HeldAnswer, Lasting, NotHeld, hold, pump};
use crate::change::Reply;
use crate::fault::Fault;
use crate::gate::{Gate, Warning};
use crate::hop;
use crate::issued;
use crate::keys::IssuedKey;
use crate::reply::{self, ReplyBody};
use crate::upstream::minted;
use crate::withheld;

/// A change whose request has left.
#[derive(Debug)]
pub struct Open {
    /// What is owed to the evidence.
    pub closing: Closing,
    /// What reads the answer.
    pub claim: Claim<'static>,
    /// The issued key that it came with, where it came with one.
    pub key: Option<Arc<IssuedKey>>,
    /// When what showed the actor ends, where that is no issued key.
    pub until: Option<Timestamp>,
    /// The decision.
    pub id: DecisionId,
    /// What was judged.
    pub action: Arc<Action>,
    /// What a caller is told in warn mode.
    pub warning: Option<Warning>,
}

/// The outcome of what was answered in a way that could not be shown.
const WITHHELD: Outcome = Outcome::Unknown { why: "answer_withheld" };

/// Passes a read's answer on. What may go on for long, as a watch does, is cut when its actor is one no more.
#[must_use]
pub fn pass(
    gate: &Arc<Gate>,
    actor: &Actor,
    until: Option<Timestamp>,
    answer: Response<Incoming>,
) -> Response<ReplyBody> {
    let (mut head, body) = answer.into_parts();
    hop::strip(&mut head.headers);
    let body = body.map_err(Into::into).boxed_unsync();
    if actor.upstream.plane == Plane::Aws {
        return Response::from_parts(head, body);
    }
    let (gate, actor) = (Arc::clone(gate), actor.clone());
    let over = async move { gate.keys.until_over(&actor, until, &gate.clock).await };
    Response::from_parts(head, Lasting::new(body, over).boxed_unsync())
}

/// Hands a change's answer to its caller and closes its evidence with what the answer says.
pub async fn deliver(gate: &Arc<Gate>, open: Open, answer: Response<Incoming>, reply: Reply) {
    let carries = match &open.action.reading {
        Reading::Call(call) => {
            let told = call.answer.mints.is_some() || !call.answer.creates.is_empty();
            answer.status().is_success() && (told || issued::ends_keys(&open.action))
        }
        Reading::Undecodable { .. } => false,
    };
    if open.claim.goes_on() && answer.status().is_success() {
        deliver_begun(gate, open, answer, reply).await
    } else if carries {
        deliver_held(gate, open, answer, reply).await
    } else {
        deliver_streamed(gate, open, answer, reply).await
    }
}

/// An answer that goes on for as long as somebody listens: that it has begun is how the request ended.
async fn deliver_begun(gate: &Arc<Gate>, open: Open, answer: Response<Incoming>, reply: Reply) {
    let head = AnswerHead { status: answer.status().as_u16(), headers: answer.headers() };
    let answered = open.outcome(head, b"", Vec::new());
    let passed = pass(gate, &open.action.actor, open.until, answer);
    let response = open.shown(gate, passed).await;
    let outcome = if response.is_ok() { answered } else { WITHHELD };
    gate.close(open.closing, open.id, &open.action, outcome).await;
    drop(reply.send(response));
}

async fn deliver_streamed(gate: &Arc<Gate>, open: Open, answer: Response<Incoming>, reply: Reply) {
    let late = matches!(&open.action.reading, Reading::Call(call) if open.claim.may_fail_late(call));
    let (response, pump) = pump(answer, late);
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // What may be shown is only known while it is read.
    let show = async {
        let response = open.shown(gate, response).await;
        let shown = response.is_ok();
        drop(reply.send(response));
        shown
    };
    let (shown, (end, kept)) = tokio::join!(show, pump.run());
    let outcome = match end {
        End::Whole if !shown => WITHHELD,
        End::Whole => open.outcome(AnswerHead { status, headers: &headers }, &kept, Vec::new()),
        End::Broken => Outcome::Unknown { why: "answer_broken" },
    };
    gate.close(open.closing, open.id, &open.action, outcome).await;
}

/// An answer that carries identifiers or credentials is read before it is passed on: what it says must be
/// known before the caller can act on it, and a real credential must not reach the caller at all.
async fn deliver_held(gate: &Arc<Gate>, open: Open, answer: Response<Incoming>, reply: Reply) {
    let held = match hold(answer).await {
        Ok(held) => held,
        Err(why) => {
            let (word, outcome) = match why {
                NotHeld::Broken => ("answer_broken", Outcome::Unknown { why: "answer_broken" }),
                NotHeld::TooLong => ("answer_too_long", Outcome::Unknown { why: "answer_too_long" }),
            };
            gate.close(open.closing, open.id, &open.action, outcome).await;
            let text = "the control plane's answer could not be read whole; look at what it did before you repeat it";
            drop(reply.send(Err(Fault::new(DenialKind::BadGateway, word, text).with_decision(open.id))));
            return;
        }
    };
    let head = AnswerHead { status: held.head.status.as_u16(), headers: &held.head.headers };
    let Reading::Call(call) = &open.action.reading else { return };
    let created = open.claim.read_created(call, &head, &held.body);
    let body = reissued(gate, &open, &held).await;
    if issued::ends_keys(&open.action) {
        issued::follow(gate, &open.action, open.id).await;
    }
    let outcome = open.outcome(head, &held.body, created);
    let response = match body {
        Ok(body) => {
            let mut head = held.head;
            head.headers.remove(http::header::TRANSFER_ENCODING);
            head.headers.insert(http::header::CONTENT_LENGTH, body.len().into());
            open.shown(gate, Response::from_parts(head, reply::full(body))).await
        }
        Err(fault) => {
            gate.metrics.custody_leak(open.id, &fault.log_text());
            Err(fault.with_decision(open.id))
        }
    };
    // What was created is in the model before the caller knows of it, so that its next request is judged
    // with it.
    gate.close(open.closing, open.id, &open.action, outcome).await;
    drop(reply.send(response));
}

/// The body for the caller, with an issued credential in the place of a real one.
async fn reissued(gate: &Arc<Gate>, open: &Open, held: &HeldAnswer) -> Result<Bytes, Fault> {
    let body = held.body.clone();
    if !matches!(&open.action.reading, Reading::Call(call) if call.answer.mints.is_some()) {
        return Ok(body);
    }
    let (gate, action) = (Arc::clone(gate), Arc::clone(&open.action));
    let (claim, key) = (open.claim.clone(), open.key.clone());
    let (status, headers) = (held.head.status.as_u16(), held.head.headers.clone());
    // The issued key is on disk before the caller has it, and who serves requests does not wait for a disk.
    let done = tokio::task::spawn_blocking(move || {
        let Reading::Call(call) = &action.reading else { return Ok(body) };
        let head = AnswerHead { status, headers: &headers };
        let answered = minted::Answered { claim: &claim, call, head, body: &body };
        let by = (&action.actor, key.as_deref());
        let made = minted::reissue(&gate.keys, by, answered, gate.clock.now())?;
        Ok(made.map_or(body, |made| Bytes::from(made.body)))
    });
    done.await.unwrap_or_else(|error| Err(Fault::internal(&error)))
}

impl Open {
    /// What the caller may see of an answer, with the decision on it.
    async fn shown(
        &self,
        gate: &Arc<Gate>,
        answer: Response<ReplyBody>,
    ) -> Result<Response<ReplyBody>, Fault> {
        let mut response = withheld::withhold(gate, &self.claim, self.id, answer).await?;
        self.mark(&mut response);
        Ok(response)
    }

    /// Puts the decision on an answer, and in warn mode what enforce would have said.
    pub fn mark(&self, response: &mut Response<ReplyBody>) {
        reply::name_decision(response.headers_mut(), self.id);
        if let Some(warning) = &self.warning {
            reply::warn(response.headers_mut(), &warning.code);
            self.claim.warn(response.headers_mut(), &warning.text);
        }
    }

    fn outcome(&self, head: AnswerHead<'_>, body: &[u8], created: Vec<Created>) -> Outcome {
        let read = self.claim.read_answer(&head, body);
        Outcome::Answered {
            status: head.status,
            request_id: read.request_id,
            error_code: read.error_code,
            created,
        }
    }
}
