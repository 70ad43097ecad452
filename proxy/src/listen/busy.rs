//! Whether anything still happens on an HTTP/2 connection.
//!
//! Its frames come and go whether or not a request gets anywhere: a client can answer pings for ever and
//! take nothing of its answers. What counts here is requests that begin and answers that move.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::sleep;

/// What happens on one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Requests whose answer has not begun.
    handling: AtomicUsize,
    /// Answers that have begun and not ended.
    sending: AtomicUsize,
    /// Of those, the ones whose next piece is not there yet: whoever asked would take it.
    waiting: AtomicUsize,
    /// Goes up with each request and each piece of an answer.
    moves: AtomicU64,
}

/// Why a connection should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Nothing is asked for.
    Idle,
    /// Nothing of what was asked for is taken.
    Stalled,
}

impl Busy {
    /// A request has begun.
    pub(super) fn handling(&self) -> Handling {
        self.0.moves.fetch_add(1, Ordering::Relaxed);
        self.0.handling.fetch_add(1, Ordering::AcqRel);
        Handling(Arc::clone(&self.0))
    }

    /// Ready when nothing happened for `idle`, or nothing moved of the answers for `stall` though there is
    /// more of one of them, or somewhat longer.
    pub(super) async fn quiet(&self, idle: Duration, stall: Duration) -> Quiet {
        let step = idle.min(stall) / 2;
        let mut moves = self.0.moves.load(Ordering::Relaxed);
        let mut quiet = Duration::ZERO;
        loop {
            sleep(step).await;
            let now = self.0.moves.load(Ordering::Relaxed);
            let sending = self.0.sending.load(Ordering::Acquire);
            let waited_for = sending > 0 && self.0.waiting.load(Ordering::Acquire) == sending;
            if now != moves || waited_for || self.0.handling.load(Ordering::Acquire) > 0 {
                moves = now;
                quiet = Duration::ZERO;
                continue;
            }
            quiet += step;
            if sending > 0 && quiet >= stall {
                return Quiet::Stalled;
            }
            if sending == 0 && quiet >= idle {
                return Quiet::Idle;
            }
        }
    }
}

/// A request whose answer has not begun.
#[derive(Debug)]
pub(super) struct Handling(Arc<Counts>);

impl Handling {
    /// The answer begins.
    pub(super) fn answered<B>(self, body: B) -> Sending<B> {
        self.0.sending.fetch_add(1, Ordering::AcqRel);
        Sending { body, sent: Sent { counts: Arc::clone(&self.0), waiting: false } }
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.handling.fetch_sub(1, Ordering::AcqRel);
    }
}

#[derive(Debug)]
struct Sent {
    counts: Arc<Counts>,
    waiting: bool,
}

impl Sent {
    /// A piece was asked for, and was there or not. One that was is asked for only where it can be sent, so that nothing
    /// is asked for while the client takes nothing.
    fn note(&mut self, ready: bool) {
        if ready {
            self.counts.moves.fetch_add(1, Ordering::Relaxed);
        }
        match (self.waiting, ready) {
            (false, false) => self.counts.waiting.fetch_add(1, Ordering::AcqRel),
            (true, true) => self.counts.waiting.fetch_sub(1, Ordering::AcqRel),
            (true, false) | (false, true) => return,
        };
        self.waiting = !ready;
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.note(true);
        self.counts.sending.fetch_sub(1, Ordering::AcqRel);
    }
}

pin_project! {
    /// The body of an answer, watched as it goes.
    #[derive(Debug)]
    pub(super) struct Sending<B> {
        #[pin]
        body: B,
        sent: Sent,
    }
}

impl<B: Body> Body for Sending<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let next = this.body.poll_frame(cx);
        this.sent.note(next.is_ready());
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
