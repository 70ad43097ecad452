//! Changes in flight: each in a task of its own, so that a caller who goes away leaves none half done.
//!
//! Leaves out what a change does (`request.rs`).

use std::time::Duration;

use http::Response;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use ordain_action::DenialKind;

use crate::fault::Fault;
use crate::reply::ReplyBody;

/// Where the answer of a change goes. Nobody may be there any more to take it.
pub type Reply = oneshot::Sender<Result<Response<ReplyBody>, Fault>>;

/// The changes in flight.
#[derive(Debug, Default)]
pub struct Changes {
    tasks: TaskTracker,
}

impl Changes {
    /// Runs a change to its end and waits for its answer. Dropping the wait stops nothing.
    ///
    /// # Errors
    /// The fault it ended in.
    pub async fn run<W, F>(&self, work: W) -> Result<Response<ReplyBody>, Fault>
    where
        W: FnOnce(Reply) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        // Boxed, because a task's future is moved several times before it first runs.
        self.tasks.spawn(Box::pin(work(reply)));
        match answer.await {
            Ok(result) => result,
            // INVARIANT: every end of a change replies; a task that panicked is the only one that cannot.
            Err(_) => Err(Fault::new(
                DenialKind::BadGateway,
                "internal_fault",
                "the change ended without an answer; look it up with `ordain ledger query`",
            )),
        }
    }

    /// Waits until no change is in flight, or for so long.
    pub async fn finish(&self, at_most: Duration) {
        self.tasks.close();
        drop(tokio::time::timeout(at_most, self.tasks.wait()).await);
    }

    /// How many are in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// None is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}
