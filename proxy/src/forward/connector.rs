//! Connections to upstreams that know whether they have been answered on before.
//!
//! What is written on a connection that was kept may meet its end: the upstream closes idle ones when it likes. On a
//! new one the same silence means something else. Leaves out what follows from it (`forward`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Extensions, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::time::{Instant, timeout_at};
use tower::Service;

/// What is known of a connection: whether it was answered on, and whether it has ended. It goes with every answer, and
/// with every error after the connection was made.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    answered: AtomicBool,
    ended: AtomicBool,
}

impl Answered {
    /// Notes that an answer came.
    pub(super) fn note(extensions: &Extensions) {
        if let Some(Self(marks)) = extensions.get() {
            marks.answered.store(true, Ordering::Relaxed);
        }
    }

    /// What is known of a connection.
    #[must_use]
    pub(super) fn of(connected: Option<&Connected>) -> Option<Self> {
        let mut extensions = Extensions::new();
        connected?.get_extras(&mut extensions);
        extensions.remove()
    }

    /// Whether an answer came on it.
    #[must_use]
    pub(super) fn before(&self) -> bool {
        self.0.answered.load(Ordering::Relaxed)
    }

    /// Whether it has ended.
    #[must_use]
    pub(super) fn has_ended(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed)
    }

    /// Whether it is the same connection.
    #[must_use]
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn end(&self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }
}

/// Ends what is known of a connection with it.
#[derive(Debug)]
struct Ending(Answered);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Makes connections that know it.
#[derive(Debug, Clone)]
pub(super) struct Kept<C>(pub(super) C);

/// Such a connection.
#[derive(Debug)]
pub(super) struct KeptStream<S> {
    stream: S,
    ending: Ending,
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
        Box::pin(
            async move { Ok(KeptStream { stream: connecting.await?, ending: Ending(Answered::default()) }) },
        )
    }
}

impl<S: Connection> Connection for KeptStream<S> {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.ending.0.clone())
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

/// How often a connection that does not answer is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long a connection must be gone before a request on it is given up. The library may be making another one for it,
/// which may take the ten seconds that connecting is given, and what follows.
pub(super) const GONE: Duration = Duration::from_secs(15);

/// Why an answer is not waited for any more.
#[derive(Debug)]
pub(super) enum Waited {
    /// It took too long.
    Late,
    /// Its connection has ended, and nobody said so.
    Ended(Answered),
}

/// Waits for an answer for `timeout`, or until its connection has been gone for `patience`.
///
/// The library loses a request that is handed to a connection in the very moment in which that ends: it is neither sent
/// nor given back, and nobody would ever hear of it.
///
/// # Errors
/// [`Waited`].
pub(super) async fn answer_of<F: Future>(
    answering: F,
    timeout: Duration,
    patience: Duration,
    connection: impl Fn() -> Option<Answered>,
) -> Result<F::Output, Waited> {
    let mut answering = std::pin::pin!(answering);
    let deadline = Instant::now() + timeout;
    let mut gone: Option<(Answered, Instant)> = None;
    loop {
        let look = deadline.min(Instant::now() + LOOK);
        if let Ok(answer) = timeout_at(look, answering.as_mut()).await {
            return Ok(answer);
        }
        if look == deadline {
            return Err(Waited::Late);
        }
        // What came on it just before its end is still being passed on, and another may have taken its place meanwhile.
        let ended = connection().filter(Answered::has_ended);
        gone = match (gone, ended) {
            (Some((before, since)), Some(ended)) if before.is(&ended) => {
                if since.elapsed() >= patience {
                    return Err(Waited::Ended(ended));
                }
                Some((before, since))
            }
            (_, ended) => ended.map(|ended| (ended, Instant::now())),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_that_was_lost_with_its_connection_is_not_waited_for() {
        let (never, here) = (Duration::from_secs(60), Answered::default());
        let known = Some(here.clone());
        let slow = async { tokio::time::sleep(LOOK * 3 / 2).await };
        assert!(answer_of(slow, never, LOOK, || known.clone()).await.is_ok(), "what lasts is waited for");
        here.end();
        let slow = async { tokio::time::sleep(LOOK * 3 / 2).await };
        assert!(answer_of(slow, never, LOOK, || known.clone()).await.is_ok(), "what came is passed on");
        let again = async { tokio::time::sleep(LOOK * 5 / 2).await };
        let waited = answer_of(again, never, LOOK * 9, || known.clone()).await;
        assert!(waited.is_ok(), "another connection may be in the making");
        let lost = answer_of(std::future::pending::<()>(), never, LOOK / 2, || known.clone()).await;
        assert!(matches!(lost, Err(Waited::Ended(_))), "{lost:?}");
        let other = || Some(Answered(Arc::new(Marks { ended: true.into(), ..Marks::default() })));
        let late = answer_of(std::future::pending::<()>(), LOOK * 3, LOOK / 2, other).await;
        assert!(matches!(late, Err(Waited::Late)), "another connection each time: {late:?}");
    }
}
