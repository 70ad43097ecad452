//! Signs what is durable, now and then: the work that is not the writer's.
//!
//! A thread that signs checkpoints, fills the next segment with zeros ahead and writes counted attempts.
//! Leaves out the records themselves.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};

use ordain_proof::note::Signer;
use ordain_proof::tree::Frontier;

use crate::durable;
use crate::settings::LedgerSettings;
use crate::storage::{Segment, Storage};
use crate::writer::{Queue, Shared};

/// The file of the latest checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The file of a segment that is filled with zeros and has no entry yet.
pub(crate) const NEXT: &str = "next";

/// Signs checkpoints, one after another.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    storage: Arc<dyn Storage>,
    signer: Signer,
    /// The size and text of the last one; held while one is written, so that none replaces a later one.
    last: Mutex<(u64, String)>,
}

impl Checkpointer {
    pub(crate) fn new(storage: Arc<dyn Storage>, signer: Signer, size: u64, note: String) -> Self {
        Self { storage, signer, last: Mutex::new((size, note)) }
    }

    pub(crate) const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The size the last one covers.
    pub(crate) fn covered(&self) -> u64 {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Signs a tree that is durable, unless one as large was signed; returns the latest note.
    pub(crate) fn sign(&self, durable: &Frontier) -> io::Result<String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.size() > last.0 {
            let note = self.signer.sign(durable.size(), durable.root());
            self.storage.replace(CHECKPOINT, note.as_bytes())?;
            *last = (durable.size(), note);
        }
        Ok(last.1.clone())
    }
}

/// The next segment, filled ahead.
#[derive(Debug)]
pub(crate) struct Ahead {
    storage: Arc<dyn Storage>,
    bytes: u64,
    /// Held while one is made, so that who needs it waits instead of making another.
    next: Mutex<Next>,
}

#[derive(Debug)]
enum Next {
    None,
    Made(Box<dyn Segment>),
    /// The ledger ends: no other is made.
    Ended,
}

impl Ahead {
    pub(crate) fn new(storage: Arc<dyn Storage>, bytes: u64) -> Self {
        Self { storage, bytes, next: Mutex::new(Next::None) }
    }

    /// Makes the next segment, unless there is one.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        match *next {
            Next::None => *next = Next::Made(self.storage.create(NEXT, self.bytes)?),
            Next::Made(_) | Next::Ended => {}
        }
        Ok(())
    }

    /// The segment whose first entry is `first`, with room for at least so many bytes.
    pub(crate) fn take(&self, first: u64, at_least: u64) -> io::Result<(Box<dyn Segment>, u64)> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.bytes.max(at_least);
        let made = match std::mem::replace(&mut *next, Next::None) {
            Next::Made(made) if room == self.bytes => made,
            Next::Made(_) | Next::None | Next::Ended => self.storage.create(NEXT, room)?,
        };
        self.storage.rename(NEXT, &segment_name(first))?;
        Ok((made, room))
    }

    /// Takes away what was made ahead: the ledger ends.
    pub(crate) fn end(&self) -> io::Result<()> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *next, Next::Ended) {
            Next::Made(_) => self.storage.remove(NEXT),
            Next::None | Next::Ended => Ok(()),
        }
    }
}

/// The file of the segment whose first entry is `first`.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:020}.segment")
}

/// The first entry of a segment, by its file's name; `None` for other files.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".segment")?;
    if digits.len() == 20 { digits.parse().ok() } else { None }
}

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
