//! A request in hand: its head, and its body held whole or, for payload operations, still arriving.
//!
//! This is the one place that reads a body to its end, under a cap and a budget, hashing as it arrives.
//! Judging part of a body never happens: what is over the cap is refused. Leaves out what needs a body held
//! (the rooms) and who may hold how much (configuration).

mod budget;

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};

use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use ordain_action::{DenialKind, Digest};

pub use budget::Budget;
use budget::{Exhausted, Share};

use crate::listen::{BodyError, RequestBody};

/// A body of at most this length is paid for at once; a longer one as it arrives, so that a length that is
/// only promised takes nothing from others.
const PROMISE_MAX: u64 = 64 * 1024;

/// The most memory set aside for a body before it arrives.
const RESERVE_MAX: u64 = 1024 * 1024;

/// Bytes a second that a body must arrive at while it is held. At this rate the longest body is held for
/// a quarter of an hour, and the promise of one for no longer than a pause.
const HELD_RATE: u64 = 16 * 1024;

/// What of a body the decision needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All of it, up to so many bytes.
    Whole {
        /// The longest body that is held.
        cap: u64,
    },
    /// None of it: the head and a declared hash say what is done, and the body streams.
    Head,
    /// None of it: what follows the head is a conversation, which goes on for as long as either side likes.
    Stream,
}

/// Why a request could not be taken in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldError {
    /// The body is longer than the operation may have.
    TooLarge {
        /// The longest body that is held.
        cap: u64,
    },
    /// Too many bytes are held for others.
    Busy,
    /// The body did not arrive whole.
    Body(BodyError),
}

impl HoldError {
    /// The sort of denial, and so the status.
    #[must_use]
    pub const fn kind(&self) -> DenialKind {
        match self {
            Self::TooLarge { .. } => DenialKind::TooLarge,
            Self::Busy => DenialKind::Busy,
            Self::Body(error) => error.kind(),
        }
    }

    /// The machine-readable reason.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "body_too_large",
            Self::Busy => "held_bytes_exhausted",
            Self::Body(error) => error.reason_code(),
        }
    }
}

impl fmt::Display for HoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { cap } => {
                write!(f, "the body is longer than the {cap} bytes that are judged whole; send less at once")
            }
            Self::Busy => {
                f.write_str("the gate holds as many request bodies as it may; try again in a moment")
            }
            Self::Body(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HoldError {}

impl From<Exhausted> for HoldError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Busy
    }
}

/// A request in hand.
#[derive(Debug)]
#[must_use]
pub struct Held {
    head: Parts,
    body: HeldBody,
}

/// The body of a request in hand.
#[derive(Debug)]
#[must_use]
pub enum HeldBody {
    /// All of it.
    Whole(WholeBody),
    /// Still arriving; nothing of it has been asked for, so that a caller who waits for `100 Continue`
    /// still waits.
    Streaming(RequestBody),
}

/// A body held whole, with its share of the budget.
#[derive(Debug)]
#[must_use]
pub struct WholeBody {
    bytes: Bytes,
    sha256: Digest,
    trailers: Option<HeaderMap>,
    share: Share,
}

impl Held {
    /// Takes a request in hand: waits for its body where the decision needs it.
    ///
    /// # Errors
    /// [`HoldError`] when the body is too long, does not arrive whole, or there is no room for it.
    pub async fn take(request: Request<RequestBody>, need: Need, budget: &Budget) -> Result<Self, HoldError> {
        let (head, body) = request.into_parts();
        let body = match need {
            Need::Head => HeldBody::Streaming(body),
            Need::Stream => HeldBody::Streaming(body.lasting()),
            Need::Whole { cap } => {
                let share = budget.unproven_share(body.peer());
                HeldBody::Whole(WholeBody::read(body, cap, share).await?)
            }
        };
        Ok(Self { head, body })
    }

    /// Counts the body against the budget of those who proved who they are.
    ///
    /// # Errors
    /// [`HoldError::Busy`] when there is no room.
    pub fn prove(&mut self, budget: &Budget) -> Result<(), HoldError> {
        match &mut self.body {
            HeldBody::Whole(whole) => Ok(budget.prove(&mut whole.share)?),
            HeldBody::Streaming(_) => Ok(()),
        }
    }

    /// The head.
    #[must_use]
    pub const fn head(&self) -> &Parts {
        &self.head
    }

    /// The body.
    pub const fn body(&self) -> &HeldBody {
        &self.body
    }

    /// The bytes of the body; none while it streams.
    #[must_use]
    pub const fn bytes(&self) -> Option<&Bytes> {
        match &self.body {
            HeldBody::Whole(whole) => Some(&whole.bytes),
            HeldBody::Streaming(_) => None,
        }
    }

    /// The hash of the body; none while it streams.
    #[must_use]
    pub const fn sha256(&self) -> Option<Digest> {
        match &self.body {
            HeldBody::Whole(whole) => Some(whole.sha256),
            HeldBody::Streaming(_) => None,
        }
    }

    /// How many bytes of the body were passed on so far; all of one that is held.
    #[must_use]
    pub fn carried(&self) -> Arc<AtomicU64> {
        match &self.body {
            HeldBody::Whole(whole) => Arc::new(AtomicU64::new(length(whole.bytes.len()))),
            HeldBody::Streaming(body) => body.carried(),
        }
    }

    /// Puts other bytes in the place of a body held whole. What streams is left as it is.
    pub fn replace(&mut self, bytes: Bytes) {
        match &mut self.body {
            HeldBody::Whole(whole) => {
                whole.sha256 = Digest::of(&bytes);
                whole.bytes = bytes;
            }
            HeldBody::Streaming(_) => {}
        }
    }

    /// Puts a header in the place of those of its name.
    pub fn insert(&mut self, name: &'static str, value: HeaderValue) {
        self.head.headers.insert(HeaderName::from_static(name), value);
    }

    /// Head and body.
    pub fn into_parts(self) -> (Parts, HeldBody) {
        (self.head, self.body)
    }
}

impl WholeBody {
    async fn read(mut body: RequestBody, cap: u64, mut share: Share) -> Result<Self, HoldError> {
        let declared = body.size_hint().exact();
        if declared.is_some_and(|declared| declared > cap) {
            return Err(HoldError::TooLarge { cap });
        }
        if let Some(declared) = declared.filter(|declared| *declared <= PROMISE_MAX) {
            share.grow_to(declared)?;
        }
        body.hurry(HELD_RATE);
        let reserve = declared.unwrap_or(0).min(RESERVE_MAX);
        let mut bytes = BytesMut::with_capacity(usize::try_from(reserve).unwrap_or(0));
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            match frame.map_err(HoldError::Body)?.into_data() {
                Ok(data) => {
                    let arrived = length(bytes.len()).saturating_add(length(data.len()));
                    if arrived > cap {
                        return Err(HoldError::TooLarge { cap });
                    }
                    share.grow_to(paid_for(arrived, declared))?;
                    hash.update(&data);
                    bytes.extend_from_slice(&data);
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        // INVARIANT: hyper ends no body early without an error; were it to, nothing is judged in part.
        if declared.is_some_and(|declared| declared != length(bytes.len())) {
            return Err(HoldError::Body(BodyError::Short));
        }
        let sha256 = <[u8; 32]>::try_from(hash.finish().as_ref()).map(Digest);
        let sha256 = sha256.map_err(|_| HoldError::Body(BodyError::Short))?;
        Ok(Self { bytes: bytes.freeze(), sha256, trailers, share })
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Their hash.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }

    /// The known trailers that came with it. They are never merged into the head.
    #[must_use]
    pub const fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// The body to send on. Its share of the budget is given back once it is sent or dropped.
    #[must_use]
    pub fn into_outgoing(self) -> OutgoingBody {
        let bytes = (!self.bytes.is_empty()).then_some(self.bytes);
        OutgoingBody { bytes, _share: Some(Arc::new(self.share)) }
    }
}

/// A held body on its way out. One that is sent twice is in memory, and counted, once.
#[derive(Debug, Clone, Default)]
pub struct OutgoingBody {
    bytes: Option<Bytes>,
    _share: Option<Arc<Share>>,
}

impl OutgoingBody {
    /// What the gate says itself: short, and held for nobody.
    #[must_use]
    pub fn of(bytes: Bytes) -> Self {
        Self { bytes: Some(bytes), _share: None }
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| length(bytes.len())))
    }
}

/// What a body that has arrived so far must have paid: in steps, so that the counter is not touched for
/// every piece.
fn paid_for(arrived: u64, declared: Option<u64>) -> u64 {
    let step = arrived.div_ceil(PROMISE_MAX).saturating_mul(PROMISE_MAX);
    declared.map_or(step, |declared| step.min(declared)).max(arrived)
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
