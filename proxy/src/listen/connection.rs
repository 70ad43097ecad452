//! The guard under hyper: holds back the bytes of a head until it is complete and clean, lets a body pass
//! while it counts or reads its chunks, and stops at the first byte that could be read in two ways.
//!
//! On a refusal hyper is handed one request of ours in place of what was sent, so that the answer keeps its
//! place in the pipeline and takes the one path of a request. No client can send that request: its method
//! is outside the closed list. After a request for another protocol nothing more is read until it is decided whether it is
//! spoken; then its bytes pass as they are. Leaves out bodies' own time limits (`body.rs`) and HTTP/2, whose framing is
//! not made of lines.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ordain_decode::form::http1::{Framer, Refused};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::GuardRefusal;
use super::patience::Patience;

/// The method of the request that stands for a refused one.
pub(super) const REFUSED: &str = "REFUSED";

/// What hyper reads in place of a refused head.
const SENTINEL: &[u8] = b"REFUSED / HTTP/1.1\r\nhost: refused.invalid\r\nconnection: close\r\n\r\n";

/// How much of what a client still sends is read and dropped after the last answer. To close with bytes
/// unread would reset the connection, and the client might never see the answer.
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// How much of what follows a request is taken before that is answered, to see whether its client is still there.
const AHEAD: usize = 1024;

/// How long that may take.
const LINGER_TIME: Duration = Duration::from_secs(5);

/// Where the guard leaves a refusal for whoever answers the request.
#[derive(Debug, Default)]
pub(super) struct Verge {
    told: Mutex<Told>,
    /// The client says no more, while its request is answered.
    silent: AtomicBool,
}

#[derive(Debug, Default)]
struct Told {
    refusal: Option<GuardRefusal>,
    /// Whether the connection changes to the protocol that was asked for.
    changes: Option<bool>,
    waiting: Option<Waker>,
    /// Requests whose answers have not ended.
    answering: usize,
    answered: Option<Waker>,
}

/// A request whose answer has not ended, until it is dropped.
#[derive(Debug)]
pub(super) struct Answering(Arc<Verge>);

impl Drop for Answering {
    fn drop(&mut self) {
        let mut told = self.0.told();
        told.answering = told.answering.saturating_sub(1);
        if let Some(answered) = told.answered.take() {
            answered.wake();
        }
    }
}

impl Verge {
    /// Whether the client says no more: it has gone, or waits for its answer.
    pub(super) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// Says that a request is being answered, for as long as what it gives is kept.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.told().answering += 1;
        Answering(Arc::clone(self))
    }

    /// Whether all requests have been answered.
    fn poll_answered(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut told = self.told();
        if told.answering == 0 {
            return Poll::Ready(());
        }
        told.answered = Some(cx.waker().clone());
        Poll::Pending
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, refusal: GuardRefusal) {
        self.told().refusal = Some(refusal);
    }

    /// The refusal, if there was one.
    pub(super) fn refusal(&self) -> Option<GuardRefusal> {
        self.told().refusal.clone()
    }

    /// Says whether the connection changes to the protocol that the last request asked for.
    pub(super) fn decide(&self, changes: bool) {
        let mut told = self.told();
        told.changes = Some(changes);
        if let Some(waiting) = told.waiting.take() {
            waiting.wake();
        }
    }

    /// Whether it does, once that is known.
    fn poll_decided(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut told = self.told();
        match told.changes.take() {
            Some(changes) => Poll::Ready(changes),
            None => {
                told.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// How long a head may be waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadTimes {
    /// From its first byte to its last, and for the first of a connection to begin.
    pub(super) head: Duration,
    /// From the end of one request to the first byte of the next.
    pub(super) idle: Duration,
    /// Without a byte of an answer, to a client that says no more.
    pub(super) gone: Duration,
}

#[derive(Debug)]
enum Ending {
    /// More may come.
    Open,
    /// The rest of the sentinel is to be handed out, then nothing.
    Sentinel(&'static [u8]),
    /// The body being read broke a rule.
    Broken,
    /// Nothing more comes: the answers that are owed are the last ones.
    Closed,
    /// The client stopped where more was due, or has gone.
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    First,
    Next,
    Rest,
}

/// A connection whose heads are held back until they are clean.
#[derive(Debug)]
pub(super) struct Guarded<T> {
    inner: T,
    framer: Framer,
    /// Read, and not yet handed out. Empty, and without memory of its own, while a connection is idle.
    ahead: BytesMut,
    /// How many bytes of `ahead` may be handed out.
    cleared: usize,
    /// Bytes of `ahead` after those cleared have not been looked at.
    unseen: bool,
    ending: Ending,
    verge: Arc<Verge>,
    times: HeadTimes,
    waiting: Waiting,
    patience: Patience,
    /// The client says no more.
    silent: bool,
    gone: Patience,
    lingered: usize,
    lingering: Patience,
    shut: bool,
}

impl<T> Guarded<T> {
    pub(super) fn new(inner: T, times: HeadTimes, verge: Arc<Verge>) -> Self {
        Self {
            inner,
            framer: Framer::default(),
            ahead: BytesMut::new(),
            cleared: 0,
            unseen: false,
            ending: Ending::Open,
            verge,
            times,
            waiting: Waiting::First,
            patience: Patience::default(),
            silent: false,
            gone: Patience::default(),
            lingered: 0,
            lingering: Patience::default(),
            shut: false,
        }
    }

    /// Answers with a refusal of what came before, and hands nothing on.
    pub(super) fn refuse(&mut self, refusal: GuardRefusal) {
        self.framer.refuse();
        self.verge.leave(refusal);
        self.ending = Ending::Sentinel(SENTINEL);
    }

    /// Hands out what may be; `None` when there is nothing to hand out yet.
    fn hand_out(&mut self, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        if self.cleared > 0 {
            let count = self.cleared.min(buffer.remaining());
            buffer.put_slice(self.ahead.get(..count).unwrap_or_default());
            self.ahead.advance(count);
            self.cleared -= count;
            if self.ahead.is_empty() {
                self.ahead = BytesMut::new();
            }
            self.unseen = !self.ahead.is_empty();
            return Some(Ok(()));
        }
        match &mut self.ending {
            Ending::Open => None,
            Ending::Closed | Ending::Cut => Some(Ok(())),
            Ending::Broken => Some(Err(io::ErrorKind::InvalidData.into())),
            Ending::Sentinel(rest) => {
                let count = rest.len().min(buffer.remaining());
                let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
                buffer.put_slice(now);
                *rest = later;
                if later.is_empty() {
                    self.ending = Ending::Closed;
                }
                Some(Ok(()))
            }
        }
    }

    /// Looks at what follows the bytes cleared so far, and says how many more of it are.
    fn examine(framer: &mut Framer, ending: &mut Ending, verge: &Verge, bytes: &[u8]) -> usize {
        let examined = framer.examine(bytes);
        match examined.refused {
            None => {}
            Some(Refused::Head(refusal)) => {
                verge.leave(refusal);
                *ending = Ending::Sentinel(SENTINEL);
            }
            Some(Refused::Body(refusal)) => {
                verge.leave(refusal);
                *ending = Ending::Broken;
            }
        }
        examined.cleared
    }

    /// Nothing arrives: whether that has gone on for too long.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.framer.in_head() {
            return Poll::Pending;
        }
        let waiting = match (self.ahead.is_empty(), self.waiting) {
            (false, _) => Waiting::Rest,
            (true, before) => before,
        };
        if waiting != self.waiting {
            self.waiting = waiting;
            self.patience.reset();
        }
        let limit = match waiting {
            Waiting::First | Waiting::Rest => self.times.head,
            Waiting::Next => self.times.idle,
        };
        self.patience.poll(cx, limit)
    }

    fn give_up(&mut self) {
        match self.waiting {
            Waiting::Rest => self.refuse(GuardRefusal::HeadLate),
            Waiting::First | Waiting::Next => {
                self.framer.refuse();
                self.ending = Ending::Closed;
            }
        }
    }

    fn head_passed(&mut self) {
        self.waiting = Waiting::Next;
        self.patience.reset();
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            // What comes behind a request waits until that is answered.
            let whole = this.framer.in_head() || matches!(this.ending, Ending::Closed);
            if whole && this.cleared == 0 && this.verge.poll_answered(cx).is_pending() {
                std::task::ready!(this.poll_gone(cx))?;
                this.ending = Ending::Cut;
            }
            if let Some(handed) = this.hand_out(buffer) {
                return Poll::Ready(handed);
            }
            // What follows a request for another protocol is of that protocol or the next request: nobody knows yet.
            if this.framer.is_undecided() {
                let changes = std::task::ready!(this.verge.poll_decided(cx));
                this.framer.decide(changes);
                this.unseen = !this.ahead.is_empty();
                continue;
            }
            if this.unseen {
                this.examine_ahead();
                continue;
            }
            if buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if this.silent {
                this.ending = Ending::Closed;
                continue;
            }
            // hyper's buffer is where bytes are read to; what may not be handed out is taken back. A
            // connection that waits has no buffer of its own.
            let before = buffer.filled().len();
            match Pin::new(&mut this.inner).poll_read(cx, buffer) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if this.poll_late(cx).is_ready() => {
                    this.give_up();
                    continue;
                }
                Poll::Pending => return Poll::Pending,
            }
            let fresh = buffer.filled().get(before..).unwrap_or_default();
            if fresh.is_empty() {
                this.ending = Ending::Cut;
                continue;
            }
            if !this.ahead.is_empty() {
                this.ahead.extend_from_slice(fresh);
                buffer.set_filled(before);
                this.unseen = true;
                continue;
            }
            let count = Self::examine(&mut this.framer, &mut this.ending, &this.verge, fresh);
            this.ahead.extend_from_slice(fresh.get(count..).unwrap_or_default());
            buffer.set_filled(before + count);
            if count > 0 {
                this.unseen = !this.ahead.is_empty();
                this.head_passed();
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<T: AsyncRead + Unpin> Guarded<T> {
    /// Whether the client has gone while its request is answered. One that says no more may still wait for its answer:
    /// nobody can tell the two apart before something is written, so that it is taken for gone once it was not given
    /// anything for a while.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.silent {
            if self.ahead.len() >= AHEAD || matches!(self.ending, Ending::Closed) {
                return Poll::Pending;
            }
            let mut space = [std::mem::MaybeUninit::uninit(); AHEAD];
            let mut next = ReadBuf::uninit(&mut space);
            std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, &mut next))?;
            self.silent = next.filled().is_empty();
            self.verge.silent.store(self.silent, Ordering::Relaxed);
            self.unseen |= !self.silent;
            self.ahead.extend_from_slice(next.filled());
        }
        self.gone.poll(cx, self.times.gone).map(Ok)
    }
}

impl<T> Guarded<T> {
    fn examine_ahead(&mut self) {
        let count = Self::examine(&mut self.framer, &mut self.ending, &self.verge, &self.ahead);
        self.cleared = count;
        self.unseen = false;
        if count > 0 {
            self.head_passed();
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Guarded<T> {
    /// Reads and drops what the client still sends, within bounds.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [std::mem::MaybeUninit::uninit(); 8 * 1024];
        while self.lingered < LINGER_BYTES {
            let mut dropped = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.inner).poll_read(cx, &mut dropped) {
                Poll::Ready(Ok(())) if !dropped.filled().is_empty() => {
                    self.lingered += dropped.filled().len()
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.lingering.poll(cx, LINGER_TIME),
            }
        }
        Poll::Ready(())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.gone.reset();
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.gone.reset();
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.shut {
            match Pin::new(&mut this.inner).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => this.shut = true,
                other => return other,
            }
        }
        // Between two requests there is nothing that the client could still be sending.
        if this.framer.between_messages() && this.ahead.is_empty() {
            return Poll::Ready(Ok(()));
        }
        this.poll_linger(cx).map(Ok)
    }
}
