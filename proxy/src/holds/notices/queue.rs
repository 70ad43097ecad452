//! What waits to be told to one address: bounded, each once, and never waited for by who puts something there.
//!
//! Leaves out telling it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::notice::Notice;

/// What is put in.
#[derive(Debug)]
pub(super) struct Queue {
    into: mpsc::Sender<Notice>,
    names: Names,
}

/// What is taken out.
#[derive(Debug)]
pub(super) struct Queued {
    from: mpsc::Receiver<Notice>,
    names: Names,
}

/// The names of what is in it, and of what is told now.
type Names = Arc<Mutex<HashSet<String>>>;

/// What became of what was put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It will be told.
    In,
    /// It will be told already.
    Twice,
    /// There is no room for it.
    Full,
}

/// A queue of so many.
pub(super) fn queue(room: usize) -> (Queue, Queued) {
    let ((into, from), names) = (mpsc::channel(room), Names::default());
    (Queue { into, names: Arc::clone(&names) }, Queued { from, names })
}

impl Queue {
    /// Puts something in, if there is room.
    pub(super) fn put(&self, notice: Notice) -> Put {
        let mut names = lock(&self.names);
        let name = notice.id();
        if names.contains(&name) {
            return Put::Twice;
        }
        if self.into.try_send(notice).is_err() {
            return Put::Full;
        }
        names.insert(name);
        Put::In
    }

    /// Whether something is in it, or is told now.
    pub(super) fn has(&self, notice: &Notice) -> bool {
        lock(&self.names).contains(&notice.id())
    }
}

impl Queued {
    /// The next; none once nobody puts any in.
    pub(super) async fn next(&mut self) -> Option<Notice> {
        self.from.recv().await
    }

    /// It is told, or is not any more.
    pub(super) fn done(&self, notice: &Notice) {
        lock(&self.names).remove(&notice.id());
    }
}

fn lock(names: &Names) -> MutexGuard<'_, HashSet<String>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ordain_action::Digest;
    use uuid::Uuid;

    use super::*;
    use crate::holds::EventKind;
    use crate::state::Hold;

    fn notice(number: u128) -> Notice {
        let hold = Hold {
            id: Uuid::from_u128(number),
            request: Digest([0; 32]),
            question: Digest([0; 32]),
            text: Arc::from(""),
            actor: Arc::from("robot"),
            opened: jiff::Timestamp::UNIX_EPOCH,
            until: jiff::Timestamp::UNIX_EPOCH,
            closed: None,
            answers: Vec::new(),
        };
        Notice { kind: EventKind::Opened, hold: Arc::new(hold), by: None }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_said_at_once_and_nothing_is_in_it_twice() {
        let (queue, mut queued) = queue(2);
        assert_eq!(queue.put(notice(1)), Put::In);
        assert_eq!(queue.put(notice(1)), Put::Twice);
        assert_eq!(queue.put(notice(2)), Put::In);
        assert_eq!(queue.put(notice(3)), Put::Full);
        let first = queued.next().await.unwrap();
        assert_eq!(first.hold.id, Uuid::from_u128(1));
        // It is told now, and there is room for another.
        assert_eq!((queue.put(notice(1)), queue.put(notice(3))), (Put::Twice, Put::In));
        queued.done(&first);
        assert!(!queue.has(&first) && queue.has(&notice(2)));
    }
}
