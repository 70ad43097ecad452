//! Reads a change's answer to its end, whoever still listens, and closes the evidence with what it says.
//!
//! Leaves out what the evidence looks like and what is done with what was created.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use jiff::Timestamp;
use ordain_action::{Action, Actor, Created, DecisionId, DenialKind, Outcome, Plane, Reading};
use ordain_decode::{AnswerHead, Claim, Events};
use ordain_evidence::Closing;

use crate::answer::{Cut, End, HeldAnswer, Lasting, NotHeld, hold, pump};
use crate::change::Reply;
use crate::fault::Fault;
use crate::forward::AnswerBody;
use crate::gate::{Gate, Warning};
use crate::hop;
use crate::issued;
use crate::keys::IssuedKey;
use crate::named::Named;
use crate::reply::{self, ReplyBody};
use crate::stream;
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
    /// The token of ours that it is about.
    pub named: Option<Named>,
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

/// What a read goes on for until somebody ends it, which may be the gate where it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoesOn {
    /// It has an end of its own.
    Not,
    /// So it has, and is cut before it where its actor is one no more, on every plane.
    Events,
    /// A watch: clients ask for it again from where it ended, as they do where the upstream ends it.
    Watch,
    /// What a program writes, followed, or what is said in a conversation: its end would be taken for theirs.
    Follow,
}

impl GoesOn {
    /// What is known of a request, and of its query, before it leaves.
    #[must_use]
    pub fn of(action: &Action, query: &str) -> Self {
        let Reading::Call(call) = &action.reading else { return Self::Not };
        if call.answer.streams {
            return Self::Follow;
        }
        if action.actor.upstream.plane != Plane::Kubernetes {
            return Self::Not;
        }
        let followed = || {
            let mut all = form_urlencoded::parse(query.as_bytes());
            all.any(|(name, value)| name == "follow" && !["0", "false"].contains(&&*value))
        };
        match call.effects.iter().any(|effect| effect.operation.starts_with("watch/")) {
            true => Self::Watch,
            false if followed() => Self::Follow,
            false => Self::Not,
        }
    }

    /// When the gate stops, and it has to end.
    async fn stopped(self, gate: &Gate) -> Cut {
        gate.stopping.cancelled().await;
        match self {
            Self::Not | Self::Events => std::future::pending().await,
            Self::Watch => Cut::Stopping,
            Self::Follow => Cut::Unfinished,
        }
    }
}

impl From<Events> for GoesOn {
    fn from(events: Events) -> Self {
        match events {
            Events::Ending => Self::Events,
            Events::Lasting => Self::Follow,
        }
    }
}

/// Passes a read's answer on. What may go on for long, as a watch does, is cut when its actor is one no more, and when the
/// gate stops.
#[must_use]
pub fn pass(
    gate: &Arc<Gate>,
    actor: &Actor,
    (until, goes_on): (Option<Timestamp>, GoesOn),
    answer: Response<AnswerBody>,
) -> Response<ReplyBody> {
    let (mut head, body) = answer.into_parts();
    hop::strip(&mut head.headers);
    let body = body.map_err(Into::into).boxed_unsync();
    if actor.upstream.plane == Plane::Aws && goes_on == GoesOn::Not {
        return Response::from_parts(head, body);
    }
    let (gate, actor) = (Arc::clone(gate), actor.clone());
    let over = async move {
        tokio::select! {
            () = gate.keys.until_over(&actor, until, &gate.clock) => Cut::Revoked,
            cut = goes_on.stopped(&gate) => cut,
        }
    };
    Response::from_parts(head, Lasting::new(body, over).boxed_unsync())
}

/// Hands a change's answer to its caller and closes its evidence with what the answer says.
pub async fn deliver(gate: &Arc<Gate>, open: Open, answer: Response<AnswerBody>, reply: Reply) {
    let carries = match &open.action.reading {
        Reading::Call(call) => {
            let told = call.answer.mints.is_some() || !call.answer.creates.is_empty();
            // A refusal too may say of what it was asked, and that is the real one.
            open.named.is_some()
                || (answer.status().is_success() && (told || issued::ends_keys(&open.action)))
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
async fn deliver_begun(gate: &Arc<Gate>, open: Open, answer: Response<AnswerBody>, reply: Reply) {
    let head = AnswerHead { status: answer.status().as_u16(), headers: answer.headers() };
    let answered = open.outcome(head, (b"", None), Vec::new());
    let passed = pass(gate, &open.action.actor, (open.until, GoesOn::of(&open.action, "")), answer);
    let response = open.shown(gate, passed).await;
    let outcome = if response.is_ok() { answered } else { WITHHELD };
    gate.close(open.closing, open.id, &open.action, outcome).await;
    drop(reply.send(response));
}

async fn deliver_streamed(gate: &Arc<Gate>, open: Open, answer: Response<AnswerBody>, reply: Reply) {
    let late = matches!(&open.action.reading, Reading::Call(call) if open.claim.may_fail_late(call));
    let (response, mut pump) = pump(answer, late);
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // What may be shown is only known while it is read.
    let show = async {
        let response = open.shown(gate, response).await;
        let shown = response.is_ok();
        drop(reply.send(response));
        shown
    };
    let (shown, end) = tokio::join!(show, pump.run());
    let outcome = match end {
        End::Whole if !shown => WITHHELD,
        End::Whole => {
            let head = AnswerHead { status, headers: &headers };
            open.outcome(head, (pump.kept(), pump.trailers()), Vec::new())
        }
        End::Broken => Outcome::Unknown { why: "answer_broken" },
    };
    gate.close(open.closing, open.id, &open.action, outcome).await;
}

/// An answer that carries identifiers or credentials is read before it is passed on: what it says must be
/// known before the caller can act on it, and a real credential must not reach the caller at all.
async fn deliver_held(gate: &Arc<Gate>, open: Open, answer: Response<AnswerBody>, reply: Reply) {
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
    let made = reissued(gate, &open, &held).await;
    if held.head.status.is_success() {
        issued::follow(gate, &open.action, open.named.as_ref(), open.id).await;
    }
    let outcome = open.outcome(head, (&held.body, held.trailers.as_ref()), created);
    let response = match made {
        Ok((headers, body)) => {
            let mut head = held.head;
            head.headers = headers;
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

/// The headers and the body for the caller, with an issued credential in the place of a real one.
async fn reissued(gate: &Arc<Gate>, open: &Open, held: &HeldAnswer) -> Result<(HeaderMap, Bytes), Fault> {
    let (headers, body) = (held.head.headers.clone(), held.body.clone());
    if !matches!(&open.action.reading, Reading::Call(call) if call.answer.mints.is_some()) {
        return minted::kept(open.named.as_ref(), headers, body);
    }
    let (gate, action) = (Arc::clone(gate), Arc::clone(&open.action));
    let (claim, key, named) = (open.claim.clone(), open.key.clone(), open.named.clone());
    let status = held.head.status.as_u16();
    // The issued key is on disk before the caller has it, and who serves requests does not wait for a disk.
    let done = tokio::task::spawn_blocking(move || {
        let Reading::Call(call) = &action.reading else { return Ok((headers, body)) };
        let head = AnswerHead { status, headers: &headers };
        let answered = minted::Answered { claim: &claim, call, named: named.as_ref(), head, body: &body };
        let by = (&action.actor, key.as_deref());
        let made = minted::reissue(&gate.keys, by, answered, gate.clock.now())?;
        let (headers, body) = match made {
            Some(made) => (made.headers, Bytes::from(made.body)),
            None => (headers, body),
        };
        minted::kept(named.as_ref(), headers, body)
    });
    done.await.unwrap_or_else(|error| Err(Fault::internal(&error)))
}

impl Open {
    /// The events that an answer is, where nothing of it has to be known before it is passed on.
    #[must_use]
    pub fn events(&self, answer: &Response<AnswerBody>) -> Option<Events> {
        let told = matches!(&self.action.reading, Reading::Call(call)
            if call.answer.mints.is_some() || !call.answer.creates.is_empty());
        stream::events(&self.claim, answer).filter(|_| !told)
    }

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

    /// What the evidence says of an answer: its head, and what is kept of its body and came behind it.
    pub fn outcome(
        &self,
        head: AnswerHead<'_>,
        (body, trailers): (&[u8], Option<&HeaderMap>),
        created: Vec<Created>,
    ) -> Outcome {
        let read = self.claim.read_answer(&head, body, trailers);
        Outcome::Answered {
            status: read.status.unwrap_or(head.status),
            request_id: read.request_id,
            error_code: read.error_code,
            created,
        }
    }
}
