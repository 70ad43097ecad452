//! A request for a stream: the connection changes its protocol once the upstream has said so, and from then on bytes
//! pass both ways as they are, counted, until one side ends it or the gate must. So does a conversation of gRPC, which
//! needs no other protocol.
//!
//! It was judged and recorded before it was opened; its end is its outcome. Leaves out which operations are streams (the
//! rooms), and the rest of a change (`request.rs`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use ordain_action::{Action, DenialKind, Outcome, Reading};
use ordain_decode::{AnswerHead, Claim, Events};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use crate::answer::{self, End};
use crate::change::Reply;
use crate::fault::Fault;
use crate::forward::{AnswerBody, ForwardError};
use crate::gate::Gate;
use crate::hop;
use crate::outcome::Open;
use crate::reply;
use crate::throttle::Seat;

/// The caller's side of a connection that may change.
#[derive(Debug)]
pub struct Asked(OnUpgrade, Arc<Seat>);

impl Asked {
    /// That of a request for another protocol, with its place among the requests of its actor.
    #[must_use]
    pub fn of(head: &Parts, seat: Arc<Seat>) -> Option<Self> {
        head.extensions.get::<OnUpgrade>().cloned().map(|client| Self(client, seat))
    }
}

/// Passes on that the connection changes, carries what follows, and closes the evidence with how it ended.
pub async fn deliver(
    gate: &Arc<Gate>,
    open: Open,
    asked: Option<Asked>,
    mut answer: Response<AnswerBody>,
    reply: Reply,
) {
    let upstream = hyper::upgrade::on(&mut answer);
    let Some(Asked(client, _seat)) = asked else {
        let outcome = Outcome::Unknown { why: "protocol_changed_unasked" };
        gate.close(open.closing, open.id, &open.action, outcome).await;
        let text =
            "the control plane changed to another protocol, which was not asked for; tell the operator";
        let fault = Fault::new(DenialKind::BadGateway, "protocol_changed_unasked", text);
        return drop(reply.send(Err(fault.with_decision(open.id))));
    };
    let head = AnswerHead { status: answer.status().as_u16(), headers: answer.headers() };
    let request_id = open.claim.read_answer(&head, b"", None).request_id;
    let protocol = answer.headers().get(UPGRADE).cloned();
    let mut response = Response::new(reply::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    hop::strip(response.headers_mut());
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(protocol) = protocol {
        response.headers_mut().insert(UPGRADE, protocol);
    }
    open.mark(&mut response);
    drop(reply.send(Ok(response)));
    let carried = Carried::default();
    let ended = match (client.await, upstream.await) {
        (Ok(client), Ok(upstream)) => {
            gate.metrics.stream_opened();
            let ended = carry(gate, &open, &carried, client, upstream).await;
            gate.metrics.stream_ended();
            ended
        }
        (Err(_), _) => "client",
        (Ok(_), Err(_)) => "upstream",
    };
    let (sent, received) = (carried.sent.into_inner(), carried.received.into_inner());
    let outcome = Outcome::Streamed { request_id, sent, received, ended };
    gate.close(open.closing, open.id, &open.action, outcome).await;
}

/// Waits for what a request is answered; for a conversation for no longer than its actor may have it.
///
/// # Errors
/// [`ForwardError`].
pub async fn opened(
    gate: &Gate,
    action: &Action,
    until: Option<Timestamp>,
    answering: impl Future<Output = Result<Response<AnswerBody>, ForwardError>>,
) -> Result<Response<AnswerBody>, ForwardError> {
    if !is_conversation(action) {
        return answering.await;
    }
    // Boxed, because every request in flight would carry the room for what few of them are.
    let over = Box::pin(async {
        tokio::select! {
            () = gate.keys.until_over(&action.actor, until, &gate.clock) => {}
            () = gate.stopping.cancelled() => {}
        }
    });
    tokio::select! {
        answer = answering => answer,
        () = over => Err(ForwardError::Over),
    }
}

/// Whether a request, its answer or both go on for as long as either side likes.
#[must_use]
pub fn is_conversation(action: &Action) -> bool {
    matches!(&action.reading, Reading::Call(call) if call.answer.streams)
}

/// The events that an answer is, where it is some.
#[must_use]
pub fn events(claim: &Claim<'_>, answer: &Response<AnswerBody>) -> Option<Events> {
    claim.events(&AnswerHead { status: answer.status().as_u16(), headers: answer.headers() })
}

/// Passes on what an upstream says in a conversation that may change something, until one side ends it or the gate must,
/// and closes the evidence with how it ended. `sent` counts what the caller says meanwhile. What has an end of its own
/// (`events` that do) is given the time for it where the gate stops.
pub async fn converse(
    gate: &Arc<Gate>,
    open: Open,
    (sent, events): (Arc<AtomicU64>, Option<Events>),
    answer: Response<AnswerBody>,
    reply: Reply,
) {
    let (mut response, mut pump) = answer::pump(answer, false);
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    open.mark(&mut response);
    drop(reply.send(Ok(response)));
    gate.metrics.stream_opened();
    let gone = pump.gone();
    let stopped = async {
        gate.stopping.cancelled().await;
        if events == Some(Events::Ending) {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        // What is at its end with its head was ended by nobody else.
        biased;
        end = pump.run() => if end == End::Whole { "upstream" } else { "broken" },
        () = gone => "client",
        () = gate.keys.until_over(&open.action.actor, open.until, &gate.clock) => "revoked",
        () = stopped => "gate",
    };
    if matches!(ended, "revoked" | "gate") {
        pump.break_off("who asked for it may do so no more").await;
    }
    gate.metrics.stream_ended();
    let head = AnswerHead { status, headers: &headers };
    let answered = open.outcome(head, (pump.kept(), pump.trailers()), Vec::new());
    let refused = matches!(&answered, Outcome::Answered { error_code: Some(_), .. });
    let outcome = match answered {
        // It was never opened.
        answered if ended == "upstream" && refused && pump.received() == 0 => answered,
        Outcome::Answered { request_id, .. } => Outcome::Streamed {
            request_id,
            sent: sent.load(Ordering::Relaxed),
            received: pump.received(),
            ended,
        },
        other => other,
    };
    gate.close(open.closing, open.id, &open.action, outcome).await;
}

/// Carries bytes both ways until one side ends it, or the gate must; says who did.
async fn carry(
    gate: &Gate,
    open: &Open,
    carried: &Carried,
    client: Upgraded,
    upstream: Upgraded,
) -> &'static str {
    let mut client = Side { inner: TokioIo::new(client), carried, of: CLIENT };
    let mut upstream = Side { inner: TokioIo::new(upstream), carried, of: UPSTREAM };
    tokio::select! {
        _ended = copy_bidirectional(&mut client, &mut upstream) => carried.ended(),
        () = gate.keys.until_over(&open.action.actor, open.until, &gate.clock) => "revoked",
        () = gate.stopping.cancelled() => "gate",
    }
}

const CLIENT: u8 = 1;
const UPSTREAM: u8 = 2;

/// What passed, and who ended it first.
#[derive(Debug, Default)]
struct Carried {
    sent: AtomicU64,
    received: AtomicU64,
    first: AtomicU8,
}

impl Carried {
    fn ended(&self) -> &'static str {
        match self.first.load(Ordering::Relaxed) {
            CLIENT => "client",
            UPSTREAM => "upstream",
            _ => "broken",
        }
    }
}

/// One side of a stream. What is read from it is counted.
struct Side<'a> {
    inner: TokioIo<Upgraded>,
    carried: &'a Carried,
    of: u8,
}

impl AsyncRead for Side<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = std::task::ready!(Pin::new(&mut this.inner).poll_read(context, buffer));
        let read = buffer.filled().len() - before;
        if read == 0 {
            // Whoever is second only follows.
            let first = &this.carried.first;
            let _second = first.compare_exchange(0, this.of, Ordering::Relaxed, Ordering::Relaxed);
        }
        let count = if this.of == CLIENT { &this.carried.sent } else { &this.carried.received };
        count.fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::Relaxed);
        Poll::Ready(polled)
    }
}

impl AsyncWrite for Side<'_> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}
