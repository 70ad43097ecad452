//! The body of a request as it arrives, in HTTP/1 and HTTP/2 alike: it must keep coming, end where it says,
//! and have no trailers but those we know.
//!
//! Leaves out holding it (`held.rs`).

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use ordain_action::DenialKind;
use ordain_decode::form::http1::is_known_trailer;

use super::GuardRefusal;
use super::connection::Verge;
use super::patience::Patience;
use super::peers::one_peer;

/// How fast a body must arrive.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The longest wait for the next piece.
    pub piece: Duration,
    /// Bytes a second. What comes faster does not pay for waiting later, beyond one [`Pace::piece`].
    pub rate: u64,
}

/// Why a body did not arrive whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It stopped before its end: the client closed, or reset the stream.
    #[error("the body stops before its end; send as many bytes as the head says")]
    Short,
    /// It came too slowly.
    #[error("the body did not arrive in time; send it at once")]
    Late,
    /// Its framing breaks a rule.
    #[error("{}", .0.text())]
    Refused(GuardRefusal),
}

impl BodyError {
    /// The sort of denial, and so the status.
    #[must_use]
    pub const fn kind(&self) -> DenialKind {
        match self {
            Self::Short | Self::Late => DenialKind::Timeout,
            Self::Refused(refusal) => refusal.kind(),
        }
    }

    /// The machine-readable reason.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        match self {
            Self::Short => "body_short",
            Self::Late => "body_late",
            Self::Refused(refusal) => refusal.reason_code(),
        }
    }
}

#[derive(Debug)]
enum Source {
    Connection(Incoming),
    Whole(Option<Bytes>),
}

/// The body of a request as it arrives.
#[derive(Debug)]
pub struct RequestBody {
    source: Source,
    peer: Option<IpAddr>,
    verge: Option<Arc<Verge>>,
    pace: Pace,
    patience: Patience,
    /// How long may still be waited in all. Bytes earn it, waiting spends it.
    credit: Duration,
    /// It is one side of a conversation: there is no pace that it must keep.
    lasts: bool,
    carried: Arc<AtomicU64>,
}

impl RequestBody {
    pub(super) fn arriving(body: Incoming, peer: IpAddr, pace: Pace, verge: Option<Arc<Verge>>) -> Self {
        Self::new(Source::Connection(body), Some(one_peer(peer)), pace, verge)
    }

    /// A body that has arrived.
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        let pace = Pace { piece: Duration::ZERO, rate: u64::MAX };
        Self::new(Source::Whole((!bytes.is_empty()).then_some(bytes)), None, pace, None)
    }

    fn new(source: Source, peer: Option<IpAddr>, pace: Pace, verge: Option<Arc<Verge>>) -> Self {
        let (patience, carried) = (Patience::new(), Arc::default());
        Self { source, peer, verge, pace, patience, credit: pace.piece, lasts: false, carried }
    }

    /// The same as one side of a conversation, which may be silent for as long as it likes.
    pub(crate) fn lasting(self) -> Self {
        Self { lasts: true, ..self }
    }

    /// Whether it is one side of a conversation.
    pub(crate) const fn lasts(&self) -> bool {
        self.lasts
    }

    /// How many bytes of it were taken.
    pub(crate) fn carried(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.carried)
    }

    fn failed(&self, error: &hyper::Error) -> BodyError {
        let refusal = self.verge.as_ref().and_then(|verge| verge.refusal());
        match refusal {
            // A refusal of the next head cannot be meant: this body would have ended before it.
            Some(refusal) if !error.is_incomplete_message() => BodyError::Refused(refusal),
            Some(_) | None => BodyError::Short,
        }
    }

    /// Whose connection it arrives on; none for a body that has arrived.
    pub(crate) const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Asks for at least so many bytes a second from now on: a body that is held takes room from others.
    pub(crate) fn hurry(&mut self, rate: u64) {
        self.pace.rate = self.pace.rate.max(rate);
    }

    /// A drip of single bytes is as good as silence, whatever came before it.
    fn arrived(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = bytes.saturating_mul(1_000).checked_div(self.pace.rate).unwrap_or(u64::MAX);
        let left = self.credit.saturating_sub(self.patience.reset());
        self.credit = left.saturating_add(Duration::from_millis(earned)).min(self.pace.piece);
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let body = match &mut this.source {
            Source::Whole(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Connection(body) => body,
        };
        let Poll::Ready(next) = Pin::new(body).poll_frame(cx) else {
            if this.lasts {
                return Poll::Pending;
            }
            return this.patience.poll(cx, this.credit).map(|()| Some(Err(BodyError::Late)));
        };
        let frame = match next {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(this.failed(&error)))),
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        this.arrived(length);
        this.carried.fetch_add(u64::try_from(length).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(trailers) = frame.trailers_ref()
            && let Some(name) = trailers.keys().find(|name| !is_known_trailer(name.as_str().as_bytes()))
        {
            return Poll::Ready(Some(Err(BodyError::Refused(GuardRefusal::Trailer(
                name.as_str().to_owned(),
            )))));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Connection(body) => body.is_end_stream(),
            Source::Whole(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Connection(body) => body.size_hint(),
            Source::Whole(bytes) => SizeHint::with_exact(
                bytes.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            ),
        }
    }
}
