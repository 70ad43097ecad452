//! Connections to upstreams that know whether they have been answered on before.
//!
//! What is written on a connection that was kept may meet its end: the upstream closes idle ones when it likes. On a
//! new one the same silence means something else. Leaves out what follows from it (`forward`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::{Extensions, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower::Service;

/// Whether a connection was answered on. It goes with every answer, and with every error after the connection was made.
#[derive(Debug, Clone, Default)]
pub struct Answered(Arc<AtomicBool>);

impl Answered {
    /// Notes that an answer came.
    pub fn note(extensions: &Extensions) {
        if let Some(Self(answered)) = extensions.get() {
            answered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether an answer came before on the connection of an error.
    #[must_use]
    pub fn before(connected: Option<&Connected>) -> bool {
        let mut extensions = Extensions::new();
        if let Some(connected) = connected {
            connected.get_extras(&mut extensions);
        }
        extensions.get::<Self>().is_some_and(|Self(answered)| answered.load(Ordering::Relaxed))
    }
}

/// Makes connections that know it.
#[derive(Debug, Clone)]
pub struct Kept<C>(pub C);

/// Such a connection.
#[derive(Debug)]
pub struct KeptStream<S> {
    stream: S,
    answered: Answered,
}

type Connecting<S, E> = Pin<Box<dyn Future<Output = Result<KeptStream<S>, E>> + Send>>;

impl<C> Service<Uri> for Kept<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = KeptStream<C::Response>;
    type Error = C::Error;
    type Future = Connecting<C::Response, C::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move { Ok(KeptStream { stream: connecting.await?, answered: Answered::default() }) })
    }
}

impl<S: Connection> Connection for KeptStream<S> {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.answered.clone())
    }
}

impl<S: Read + Unpin> Read for KeptStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: Write + Unpin> Write for KeptStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }
}
