//! Reads a ledger's segments in order and checks all that can be checked without knowing what they say.
//!
//! Used at start, by queries and by the offline verifier alike, so that all three accept the same bytes.
//! Leaves out where segments come from.

use crate::frame::{self, Frame, Kind, Scan, Tail};
use crate::note::Checkpoint;
use crate::record::{self, Brief};
use crate::tree::{Frontier, Hash};

/// One entry of the ledger.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its place, from zero.
    pub sequence: u64,
    /// Its leaf hash.
    pub hash: Hash,
    /// Its statement.
    pub bytes: &'a [u8],
    /// What was too long for the statement: a salt, then zstd.
    pub blob: Option<&'a [u8]>,
    /// What it is about.
    pub brief: Brief<'a>,
}

/// What is wrong with a ledger's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The bytes after so many whole entries are not what was written.
    #[error(
        "after {sequence} whole entries (segment {segment}, offset {offset}) the bytes are not what was written; restore the segment from a copy"
    )]
    Bytes {
        /// How many entries before it are whole.
        sequence: u64,
        /// The first entry of the segment.
        segment: u64,
        /// Where in the segment.
        offset: usize,
    },
    /// Entries are missing between two segments, or stand twice.
    #[error("segment {segment} should begin with entry {expected}; restore what is missing from a copy")]
    Gap {
        /// The first entry of the segment, by its name.
        segment: u64,
        /// The entry that comes next.
        expected: u64,
    },
    /// An entry and its blob do not belong together.
    #[error("entry {sequence} does not have the blob it names; restore the segment from a copy")]
    Blob {
        /// The entry.
        sequence: u64,
    },
    /// An entry is no statement of ours.
    #[error("entry {sequence} cannot be read: {why}; use the program version that wrote it")]
    Statement {
        /// The entry.
        sequence: u64,
        /// What is wrong with it.
        why: String,
    },
    /// There are fewer entries than a checkpoint says.
    #[error(
        "the ledger has {found} entries and a checkpoint of {signed}; entries were cut off: restore them from a copy"
    )]
    Truncated {
        /// How many there are.
        found: u64,
        /// How many there were.
        signed: u64,
    },
    /// The entries are not those a checkpoint was made of.
    #[error(
        "the first {size} entries are not those of the checkpoint; the ledger was rewritten: restore it from a copy"
    )]
    Forked {
        /// The checkpoint's size.
        size: u64,
    },
}

/// Where the frames of a segment end, and whether something torn follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The offset after the last whole entry.
    pub offset: usize,
    /// A torn batch follows, of which nobody was told that it is durable.
    pub torn: bool,
}

/// The state of reading a ledger.
#[derive(Debug, Clone)]
pub struct Replay {
    frontier: Frontier,
    batch: u64,
    signed: Vec<Checkpoint>,
    /// Where something that is no entry follows the last one: its segment and offset.
    torn: Option<(u64, usize)>,
}

impl Replay {
    /// Starts before the first entry. The entries must agree with every checkpoint given.
    #[must_use]
    pub fn new(mut signed: Vec<Checkpoint>) -> Self {
        signed.sort_by_key(|checkpoint| checkpoint.size);
        Self { frontier: Frontier::new(), batch: 0, signed, torn: None }
    }

    /// The tree of all entries read.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The batch of the last entry read.
    #[must_use]
    pub const fn batch(&self) -> u64 {
        self.batch
    }

    /// Reads the next segment, which is named after its first entry, and shows each entry to `visit`.
    ///
    /// # Errors
    /// [`Damage`]. Only in the last segment may a torn batch follow the last entry.
    pub fn segment(
        &mut self,
        first: u64,
        bytes: &[u8],
        last: bool,
        mut visit: impl FnMut(Entry<'_>) -> Result<(), Damage>,
    ) -> Result<End, Damage> {
        let expected = self.frontier.size();
        if first != expected {
            return Err(Damage::Gap { segment: first, expected });
        }
        let scan = frame::scan(bytes, self.batch);
        let read = entries(first, &scan, bytes, |entry, frame| {
            self.frontier.push(entry.hash);
            self.check_signed(self.frontier.size())?;
            visit(entry)?;
            self.batch = frame.batch;
            Ok(())
        })?;
        let offset = read.end;
        let damaged = match scan.tail {
            Tail::Clean => false,
            Tail::Torn => !last,
            Tail::Damaged => true,
        };
        let torn = scan.tail == Tail::Torn || read.half;
        if damaged || (torn && !last) {
            return Err(Damage::Bytes { sequence: self.frontier.size(), segment: first, offset });
        }
        self.torn = torn.then_some((first, offset));
        Ok(End { offset, torn })
    }

    /// Checks that nothing a checkpoint vouches for is missing at the end.
    ///
    /// # Errors
    /// [`Damage::Truncated`] and [`Damage::Forked`].
    pub fn finish(&self) -> Result<(), Damage> {
        let found = self.frontier.size();
        self.check_signed(0)?;
        match self.signed.last() {
            // What a checkpoint vouches for was durable, so what stands there instead is no torn batch.
            Some(checkpoint) if checkpoint.size > found => Err(match self.torn {
                Some((segment, offset)) => Damage::Bytes { sequence: found, segment, offset },
                None => Damage::Truncated { found, signed: checkpoint.size },
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn check_signed(&self, size: u64) -> Result<(), Damage> {
        let root = |size: u64| if size == 0 { Hash::empty() } else { self.frontier.root() };
        let mut same_size = self.signed.iter().filter(|checkpoint| checkpoint.size == size);
        if same_size.any(|checkpoint| checkpoint.root != root(size)) {
            return Err(Damage::Forked { size });
        }
        Ok(())
    }
}

/// Shows the entries of one segment, which is named after its first, without those before it. What is shown is whole
/// in itself and held against no checkpoint: enough to look something up, and no proof of anything.
///
/// # Errors
/// [`Damage`] where an entry and its blob do not belong together, or an entry is no statement of ours.
pub fn look(
    first: u64,
    bytes: &[u8],
    mut visit: impl FnMut(Entry<'_>) -> Result<(), Damage>,
) -> Result<(), Damage> {
    let Some(batch) = frame::first_batch(bytes) else { return Ok(()) };
    entries(first, &frame::scan(bytes, batch), bytes, |entry, _| visit(entry)).map(drop)
}

/// Where the whole entries of a segment end.
struct Whole {
    end: usize,
    /// A blob follows whose entry does not.
    half: bool,
}

/// Puts the frames of a segment together to entries.
fn entries(
    first: u64,
    scan: &Scan,
    bytes: &[u8],
    mut visit: impl FnMut(Entry<'_>, &Frame) -> Result<(), Damage>,
) -> Result<Whole, Damage> {
    let (mut sequence, mut end, mut blob) = (first, 0, None);
    for frame in &scan.frames {
        let content = bytes.get(frame.bytes.clone()).unwrap_or_default();
        match (frame.kind, blob) {
            (Kind::Blob, None) => blob = Some((frame.hash, content)),
            (Kind::Blob, Some(_)) => return Err(Damage::Blob { sequence }),
            (Kind::Entry, held) => {
                let brief = brief_of(sequence, content, held.map(|(hash, _)| hash))?;
                let blob_bytes = held.map(|(_, bytes)| bytes);
                visit(Entry { sequence, hash: frame.hash, bytes: content, blob: blob_bytes, brief }, frame)?;
                sequence += 1;
                blob = None;
                end = frame.bytes.end;
            }
        }
    }
    Ok(Whole { end, half: blob.is_some() })
}

/// An entry names its blob, and the blob stands right before the entry that names it.
fn brief_of(sequence: u64, statement: &[u8], held: Option<Hash>) -> Result<Brief<'_>, Damage> {
    let brief =
        record::brief(statement).map_err(|why| Damage::Statement { sequence, why: why.to_string() })?;
    if brief.blob == held { Ok(brief) } else { Err(Damage::Blob { sequence }) }
}
