//! An upstream's answer in hand: held whole where it must be read before it is passed on, else passed on piece by
//! piece while it is read to its end.
//!
//! Leaves out what an answer says (the rooms) and what follows from it (`outcome.rs`, `issued.rs`).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::hop;
use crate::payload::BodyError;
use crate::reply::{self, ReplyBody};

/// The longest answer that is held to be read. A create's answer is a few KiB.
pub const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// The longest time between two pieces of an answer.
const ANSWER_IDLE: Duration = Duration::from_secs(300);

/// How much of an error's body is kept to read its code.
const ERROR_MAX: usize = 64 * 1024;

/// How an answer's body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All of it came.
    Whole,
    /// The upstream broke off: what it did is not known.
    Broken,
}

/// An answer whose body is all there.
#[derive(Debug)]
pub struct HeldAnswer {
    /// Its head, without what belongs to one connection.
    pub head: response::Parts,
    /// Its body.
    pub body: Bytes,
    /// What came behind the body.
    pub trailers: Option<HeaderMap>,
}

/// An answer that could not be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    /// The upstream broke off.
    Broken,
    /// It is longer than [`ANSWER_MAX`].
    TooLong,
}

/// Reads an answer into memory: for those that carry identifiers or credentials.
///
/// # Errors
/// [`NotHeld`].
pub async fn hold<B>(answer: Response<B>) -> Result<HeldAnswer, NotHeld>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (mut head, mut body) = answer.into_parts();
    hop::strip(&mut head.headers);
    let (mut held, mut trailers) = (BytesMut::new(), None);
    loop {
        match next(&mut body).await {
            Next::Data(data) if held.len() + data.len() > ANSWER_MAX => return Err(NotHeld::TooLong),
            Next::Data(data) => held.extend_from_slice(&data),
            Next::Trailers(found) => trailers = Some(found),
            Next::End => return Ok(HeldAnswer { head, body: held.freeze(), trailers }),
            Next::Broken => return Err(NotHeld::Broken),
        }
    }
}

/// The rest of an answer, passed on piece by piece while it is read to its end.
#[derive(Debug)]
pub struct Pump<B> {
    body: B,
    caller: mpsc::Sender<Result<Frame<Bytes>, BodyError>>,
    kept: BytesMut,
    keep: usize,
    received: u64,
    trailers: Option<HeaderMap>,
}

/// Splits an answer into what the caller gets now and the [`Pump`] that feeds it, which keeps the beginning of an
/// error, and of a success that is told to `keep` it.
pub fn pump<B: Body>(answer: Response<B>, keep: bool) -> (Response<ReplyBody>, Pump<B>) {
    let (mut head, body) = answer.into_parts();
    hop::strip(&mut head.headers);
    // Bounded, so that a slow caller slows the upstream and not our memory.
    let (caller, mut frames) = mpsc::channel(8);
    let keep = if head.status.is_success() && !keep { 0 } else { ERROR_MAX };
    // Where nothing follows the head, that is said with the head: gRPC has its status there then.
    let passed = if body.is_end_stream() {
        reply::empty()
    } else {
        StreamBody::new(futures_util::stream::poll_fn(move |context| frames.poll_recv(context)))
            .boxed_unsync()
    };
    let response = Response::from_parts(head, passed);
    (response, Pump { body, caller, kept: BytesMut::new(), keep, received: 0, trailers: None })
}

impl<B: Body<Data = Bytes> + Unpin> Pump<B> {
    /// Reads to the end. A caller that has gone stops nothing: the rest is read and dropped.
    pub async fn run(&mut self) -> End {
        loop {
            let frame = match next(&mut self.body).await {
                Next::Data(data) => {
                    self.received =
                        self.received.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
                    let room = self.keep.saturating_sub(self.kept.len()).min(data.len());
                    self.kept.extend_from_slice(data.get(..room).unwrap_or_default());
                    Frame::data(data)
                }
                Next::Trailers(trailers) => {
                    self.trailers = Some(trailers.clone());
                    Frame::trailers(trailers)
                }
                Next::End => {
                    self.caller = nobody();
                    return End::Whole;
                }
                Next::Broken => {
                    self.break_off("the upstream broke off its answer").await;
                    self.caller = nobody();
                    return End::Broken;
                }
            };
            if !self.caller.is_closed() {
                // A caller that stops reading must not keep the evidence open for ever.
                let sent = tokio::time::timeout(ANSWER_IDLE, self.caller.send(Ok(frame))).await;
                if sent.is_err() {
                    self.caller = nobody();
                }
            }
        }
    }
}

/// A caller that wants nothing.
fn nobody<T>() -> mpsc::Sender<T> {
    mpsc::channel(1).0
}

impl<B> Pump<B> {
    /// Ends what the caller gets in an error, so that nobody takes it for whole.
    pub async fn break_off(&self, why: &'static str) {
        let broken: BodyError = why.into();
        drop(self.caller.send(Err(broken)).await);
    }

    /// What was kept of the body's beginning.
    #[must_use]
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// How many bytes came.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// What came behind the body.
    #[must_use]
    pub const fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// What ends once the caller wants no more.
    pub fn gone(&self) -> impl Future<Output = ()> + use<B> {
        let caller = self.caller.clone();
        async move { caller.closed().await }
    }
}

/// A body that ends in an error when something else is over.
pub struct Lasting<F> {
    body: ReplyBody,
    // None once it is over: then nothing more comes.
    over: Option<Pin<Box<F>>>,
}

/// How a body that may go on for long is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Whoever asked for it may do so no more.
    Revoked,
    /// The gate stops, and what there is of it is whole as far as it goes.
    Stopping,
    /// The gate stops, and nobody must take what there is of it for all.
    Unfinished,
}

impl<F: Future<Output = Cut>> Lasting<F> {
    /// A body, and what cuts it.
    pub fn new(body: ReplyBody, over: F) -> Self {
        Self { body, over: Some(Box::pin(over)) }
    }
}

impl<F> fmt::Debug for Lasting<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lasting").finish_non_exhaustive()
    }
}

impl<F: Future<Output = Cut>> Body for Lasting<F> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(over) = &mut this.over else { return Poll::Ready(None) };
        // Asked for first: a body that always has more must not go on for ever.
        if let Poll::Ready(cut) = over.as_mut().poll(context) {
            this.over = None;
            return Poll::Ready(match cut {
                Cut::Revoked => Some(Err("who asked for it may do so no more".into())),
                Cut::Stopping => None,
                Cut::Unfinished => Some(Err("the gate stops".into())),
            });
        }
        Pin::new(&mut this.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

enum Next {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
    Broken,
}

async fn next<B>(body: &mut B) -> Next
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Next::End;
    }
    match tokio::time::timeout(ANSWER_IDLE, body.frame()).await {
        Ok(None) => Next::End,
        Ok(Some(Err(_))) | Err(_) => Next::Broken,
        Ok(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => Next::Data(data),
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => Next::Trailers(trailers),
                // A kind of frame that does not exist today carries nothing that we could pass on.
                Err(_) => Next::Data(Bytes::new()),
            },
        },
    }
}
