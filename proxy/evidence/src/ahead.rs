//! Segments: what their files are called, and the next one, filled ahead of its first entry.
//!
//! Leaves out what is written to them.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::storage::{Segment, Storage};

/// The file of a segment that is filled with zeros and has no entry yet.
pub(crate) const NEXT: &str = "next";

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
