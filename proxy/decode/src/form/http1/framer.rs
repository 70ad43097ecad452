//! One connection's bytes, followed from message to message: what may be handed on, and where it ends.
//!
//! Pure, so that it can be tried without sockets. Leaves out time, buffers and what is done on a refusal.

use super::chunks::Chunks;
use super::{Framing, HeadEnd, Refusal, read_head};

#[derive(Debug, Clone)]
enum Stage {
    Head(HeadEnd),
    Length(u64),
    Chunked(Chunks),
    /// The head asked for another protocol, and it is not known yet whether it gets it.
    Undecided,
    /// Another protocol is spoken.
    Raw,
    Refused,
}

/// Where in the messages of a connection its next byte stands.
#[derive(Debug, Clone)]
pub struct Framer {
    stage: Stage,
}

/// What was made of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// How many of them may be handed on. They end at the latest with the message.
    pub cleared: usize,
    /// Nothing after those cleared will ever be handed on.
    pub refused: Option<Refused>,
}

/// Where a refusal fell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// In a head, of which nothing was handed on.
    Head(Refusal),
    /// In the body of a message whose head was handed on.
    Body(Refusal),
}

impl Default for Framer {
    fn default() -> Self {
        Self { stage: Stage::Head(HeadEnd::default()) }
    }
}

impl Framer {
    /// The next byte is the first of a message.
    #[must_use]
    pub const fn between_messages(&self) -> bool {
        match &self.stage {
            Stage::Head(end) => end.is_fresh(),
            Stage::Raw => true,
            Stage::Length(_) | Stage::Chunked(_) | Stage::Undecided | Stage::Refused => false,
        }
    }

    /// A head asked for another protocol: nothing more is to be read until [`Framer::decide`].
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        matches!(self.stage, Stage::Undecided)
    }

    /// Says whether the other protocol is spoken from now on, or the next message follows.
    pub fn decide(&mut self, changes: bool) {
        if self.is_undecided() {
            self.stage = if changes { Stage::Raw } else { Stage::Head(HeadEnd::default()) };
        }
    }

    /// The next byte belongs to a head.
    #[must_use]
    pub const fn in_head(&self) -> bool {
        matches!(self.stage, Stage::Head(_))
    }

    /// Hands nothing on any more.
    pub fn refuse(&mut self) {
        self.stage = Stage::Refused;
    }

    /// Looks at the bytes that follow those cleared so far: all of them that have arrived.
    ///
    /// A head is cleared whole or not at all: bytes of one that is not complete are to be shown again,
    /// with those that follow them.
    pub fn examine(&mut self, bytes: &[u8]) -> Examined {
        let (head, rest) = match self.examine_head(bytes) {
            Ok(Some(split)) => split,
            Ok(None) => return Examined { cleared: 0, refused: None },
            Err(refusal) => {
                self.stage = Stage::Refused;
                return Examined { cleared: 0, refused: Some(Refused::Head(refusal)) };
            }
        };
        match &mut self.stage {
            Stage::Head(_) | Stage::Undecided | Stage::Refused => Examined { cleared: head, refused: None },
            Stage::Raw => Examined { cleared: bytes.len(), refused: None },
            Stage::Length(left) => {
                let here = u64::try_from(rest.len()).unwrap_or(u64::MAX).min(*left);
                *left -= here;
                if *left == 0 {
                    self.stage = Stage::Head(HeadEnd::default());
                }
                Examined { cleared: head + usize::try_from(here).unwrap_or(rest.len()), refused: None }
            }
            Stage::Chunked(chunks) => {
                let advance = chunks.advance(rest);
                if advance.done {
                    self.stage = Stage::Head(HeadEnd::default());
                }
                let refused = advance.refused.map(|refusal| {
                    self.stage = Stage::Refused;
                    Refused::Body(refusal)
                });
                Examined { cleared: head + advance.taken, refused }
            }
        }
    }

    /// Reads the head, when that is what comes next: its length, and the bytes after it.
    fn examine_head<'b>(&mut self, bytes: &'b [u8]) -> Result<Option<(usize, &'b [u8])>, Refusal> {
        let Stage::Head(end) = &mut self.stage else { return Ok(Some((0, bytes))) };
        let Some(length) = end.find(bytes)? else { return Ok(None) };
        let (head, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        let read = read_head(head)?;
        self.stage = match read.framing {
            _ if read.upgrades => Stage::Undecided,
            Framing::None | Framing::Length(0) => Stage::Head(HeadEnd::default()),
            Framing::Length(length) => Stage::Length(length),
            Framing::Chunked => Stage::Chunked(Chunks::new()),
        };
        Ok(Some((length, rest)))
    }
}
