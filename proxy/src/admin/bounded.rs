//! A connection that takes a seat for as long as it is open, and is closed when nothing passes over it for a while.
//!
//! Leaves out how connections come about (`listener`).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};

/// How long a connection may be quiet: longer than anything here takes to be answered.
const QUIET: Duration = Duration::from_secs(60);

/// A connection with its seat.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    inner: S,
    quiet: Pin<Box<Sleep>>,
    // Given back with it.
    _seat: OwnedSemaphorePermit,
}

impl<S> Bounded<S> {
    pub(super) fn new(inner: S, seat: OwnedSemaphorePermit) -> Self {
        Self { inner, quiet: Box::pin(sleep(QUIET)), _seat: seat }
    }

    fn passed(&mut self) {
        self.quiet.as_mut().reset(Instant::now() + QUIET);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_read(context, buffer) {
            Poll::Ready(read) => {
                this.passed();
                Poll::Ready(read)
            }
            Poll::Pending if this.quiet.as_mut().poll(context).is_ready() => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_write(context, bytes) {
            Poll::Ready(written) => {
                this.passed();
                Poll::Ready(written)
            }
            // Whoever reads nothing of their answer keeps no seat either.
            Poll::Pending if this.quiet.as_mut().poll(context).is_ready() => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::AsyncReadExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_connection_keeps_its_seat_until_it_is_dropped_and_is_cut_when_it_is_quiet() {
        let seats = Arc::new(Semaphore::new(1));
        let (client, server) = tokio::io::duplex(16);
        let mut bounded = Bounded::new(server, Arc::clone(&seats).acquire_owned().await.unwrap());
        assert!(Arc::clone(&seats).try_acquire_owned().is_err());
        // As if nothing had passed for so long.
        bounded.quiet.as_mut().reset(Instant::now());
        let cut = bounded.read_u8().await.unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
        drop((client, bounded));
        assert!(seats.try_acquire_owned().is_ok());
    }
}
