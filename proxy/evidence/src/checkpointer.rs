//! Signs what is durable, now and then: the work that is not the writer's.
//!
//! A thread that signs checkpoints, fills the next segment with zeros ahead and writes counted attempts.
//! Leaves out the records themselves.

use std::sync::mpsc::{Receiver, RecvTimeoutError};

use crate::durable;
use crate::settings::LedgerSettings;
use crate::writer::{Queue, Shared};

/// Runs until the writer ends, which drops its side of `wake`.
pub(crate) fn run(settings: &LedgerSettings, shared: &Shared, queue: &Queue, wake: &Receiver<()>) {
    loop {
        let ended = match wake.recv_timeout(settings.checkpoint_every) {
            Ok(()) => {
                // A segment that cannot be made now is made, or fails, when it is needed.
                drop(shared.ahead.prepare());
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        if ended {
            return;
        }
        for tally in shared.attempts().due(settings.clock.now(), false) {
            if let Ok(frames) = durable::attempts(tally.to_record()) {
                queue.append_unseen(frames);
            }
        }
        if shared.sealed().is_none()
            && let Err(error) = shared.checkpointer.sign(&shared.durable())
        {
            shared.seal(format!("the checkpoint cannot be written: {error}"));
        }
    }
}
