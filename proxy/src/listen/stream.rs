//! A connection's bytes, whatever carries them: plain or TLS, with what was read ahead put back.
//!
//! Writing that makes no progress ends: a client that does not read holds nothing for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use super::accept::Open;
use super::patience::Patience;
use super::peers::Seat;
use super::tunnel::Passing;
use super::{Asker, GuardRefusal, TlsInfo, WayIn};

/// What carries the bytes.
#[derive(Debug)]
pub(super) enum Carrier {
    Plain(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<Stream>>),
}

/// A connection of which it is known how it came in and what it speaks.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) stream: Stream,
    pub(super) http2: bool,
    pub(super) tls: Option<Arc<TlsInfo>>,
    pub(super) way_in: WayIn,
    /// Who asked for it, where a proxy was told.
    pub(super) asker: Option<Arc<Asker>>,
    /// Its first request is refused already, and nothing of it is left in the stream.
    pub(super) refused: Option<GuardRefusal>,
}

/// Why a connection is closed before its first request.
#[derive(Debug)]
pub(super) enum Unopened {
    /// It ended, or broke a rule of its protocol.
    Closed,
    /// It may not go where it was to go, and nobody is there to be answered.
    Refused(GuardRefusal),
    /// It leads to a host that is let through, and its bytes are passed on as they are.
    Passed(Box<Passing>),
}

impl From<io::Error> for Unopened {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// A connection's bytes.
#[derive(Debug)]
pub(super) struct Stream {
    carrier: Carrier,
    ahead: Bytes,
    write_timeout: Duration,
    writing: Patience,
    // Its place among the connections, kept for as long as it lasts, whatever is spoken on it.
    place: Option<(Seat, Open)>,
}

impl Stream {
    /// `ahead` was read from the carrier already and comes first.
    pub(super) fn new(carrier: Carrier, ahead: Bytes, write_timeout: Duration) -> Self {
        Self { carrier, ahead, write_timeout, writing: Patience::default(), place: None }
    }

    /// Has bytes that were looked at come first again.
    pub(super) fn put_back(&mut self, said: Bytes) {
        debug_assert!(self.ahead.is_empty(), "all that came before was looked at");
        self.ahead = said;
    }

    /// Keeps its place among the connections until it is closed.
    pub(super) fn seat(&mut self, place: (Seat, Open)) {
        self.place = Some(place);
    }

    fn stalled<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.writing.reset();
            return poll;
        }
        match self.writing.poll(cx, self.write_timeout) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ahead.is_empty() {
            let count = this.ahead.len().min(buffer.remaining());
            buffer.put_slice(&this.ahead.split_to(count));
            if !this.ahead.has_remaining() {
                this.ahead = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        match &mut this.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Carrier::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Carrier::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = match &mut this.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Carrier::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Carrier::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        this.stalled(cx, poll)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = match &mut this.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Carrier::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Carrier::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        this.stalled(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.carrier {
            Carrier::Plain(stream) => stream.is_write_vectored(),
            Carrier::Unix(stream) => stream.is_write_vectored(),
            Carrier::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = match &mut this.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Carrier::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Carrier::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        this.stalled(cx, poll)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = match &mut this.carrier {
            Carrier::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Carrier::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Carrier::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        };
        this.stalled(cx, poll)
    }
}
