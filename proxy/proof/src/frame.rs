//! The form of a segment: frames one after another, then zeros.
//!
//! A frame is a head of 56 bytes (mark, length, batch, kind, hash, check) and its bytes. The batch says
//! which frames became durable with one sync, so that what a power cut tore can be told from what somebody
//! edited. Leaves out files and what the bytes say.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::tree::Hash;

/// The longest entry: entries are listed with a length of two bytes (C2SP tlog-tiles).
pub const ENTRY_MAX: usize = 65_535;

/// The longest frame of any kind; a length beyond it is damage, never an allocation.
pub const FRAME_MAX: usize = 64 * 1024 * 1024;

/// The bytes before a frame's own.
pub const HEAD: usize = 56;

/// What every frame begins with.
const MARK: [u8; 4] = *b"ORD1";

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An entry of the tree; its hash is the leaf hash.
    Entry,
    /// What was too long for the entry after it: a salt, then zstd. Its hash stands in that entry.
    Blob,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::Entry => b'E',
            Self::Blob => b'B',
        }
    }

    fn hash(self, bytes: &[u8]) -> Hash {
        match self {
            Self::Entry => Hash::leaf(bytes),
            Self::Blob => blob_hash(bytes),
        }
    }
}

/// The hash an entry names its blob by. Salted by the blob's first bytes, so that it tells nothing of a
/// short content; prefixed, so that it is never the hash of an entry or a node.
#[must_use]
pub fn blob_hash(bytes: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([2]).chain_update(bytes).finalize().into())
}

/// Appends a frame, whose batch is set later by [`seal`]. The work is done by who has something to say.
///
/// Returns `None` when the bytes are too long for their kind.
#[must_use]
pub fn push(frames: &mut Vec<u8>, kind: Kind, bytes: &[u8]) -> Option<Hash> {
    let longest = match kind {
        Kind::Entry => ENTRY_MAX,
        Kind::Blob => FRAME_MAX,
    };
    if bytes.len() > longest || bytes.is_empty() {
        return None;
    }
    let length = u32::try_from(bytes.len()).ok()?;
    let hash = kind.hash(bytes);
    frames.reserve(HEAD + bytes.len());
    frames.extend_from_slice(&MARK);
    frames.extend_from_slice(&length.to_be_bytes());
    frames.extend_from_slice(&[0; 8]);
    frames.extend_from_slice(&[kind.letter(), 0, 0, 0]);
    frames.extend_from_slice(&hash.0);
    frames.extend_from_slice(&[0; 4]);
    frames.extend_from_slice(bytes);
    Some(hash)
}

/// Sets the batch and the check of every frame made by [`push`].
pub fn seal(frames: &mut [u8], batch: u64) {
    let mut rest = frames;
    while let Some((head, after)) = rest.split_first_chunk_mut::<HEAD>() {
        let [_, _, _, _, l0, l1, l2, l3, ..] = *head;
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        let (_, after_length) = head.split_at_mut(8);
        if let Some((place, _)) = after_length.split_first_chunk_mut::<8>() {
            *place = batch.to_be_bytes();
        }
        let (checked, check) = head.split_at_mut(HEAD - 4);
        for (into, from) in check.iter_mut().zip(Sha256::digest(&*checked)) {
            *into = from;
        }
        let Some((_, next)) = after.split_at_mut_checked(length) else { return };
        rest = next;
    }
}

/// One frame of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it holds.
    pub kind: Kind,
    /// The batch it became durable with.
    pub batch: u64,
    /// The hash of its bytes.
    pub hash: Hash,
    /// Where its head begins in the segment.
    pub start: usize,
    /// Where its bytes are in the segment.
    pub bytes: Range<usize>,
}

/// What stands after the last frame of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Zeros, or nothing.
    Clean,
    /// A batch that was being written when the machine stopped; nobody was told that it is durable.
    Torn,
    /// Bytes that were durable and are not what was written.
    Damaged,
}

/// The frames of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// All whole frames up to the first that is not.
    pub frames: Vec<Frame>,
    /// Where the last of them ends.
    pub end: usize,
    /// What comes after.
    pub tail: Tail,
}

/// Reads a segment whose frames follow those of batch `before`.
///
/// A frame that is not whole ends the reading. It is a torn tail only when nothing after it was written by
/// a later batch: batches are synced one by one, so a later one proves that this one was durable.
#[must_use]
pub fn scan(segment: &[u8], before: u64) -> Scan {
    let mut frames: Vec<Frame> = Vec::new();
    let mut end = 0;
    let mut batch = before;
    let tail = loop {
        let rest = segment.get(end..).unwrap_or_default();
        if rest.iter().take(HEAD).all(|byte| *byte == 0) && rest.iter().all(|byte| *byte == 0) {
            break Tail::Clean;
        }
        match read(segment, end) {
            Read::Whole(frame) if frame.batch == batch || frame.batch == batch.saturating_add(1) => {
                batch = frame.batch;
                end = frame.bytes.end;
                frames.push(frame);
            }
            Read::Whole(_) => break Tail::Damaged,
            Read::HeadOnly(own) => break tail_of(segment, end, own.max(batch)),
            Read::Nothing => break tail_of(segment, end, batch.saturating_add(1)),
        }
    };
    Scan { frames, end, tail }
}

/// The batch of a segment's first frame; `None` where none is whole.
#[must_use]
pub fn first_batch(segment: &[u8]) -> Option<u64> {
    match read(segment, 0) {
        Read::Whole(frame) => Some(frame.batch),
        Read::HeadOnly(_) | Read::Nothing => None,
    }
}

/// Whether a frame of a batch after `batch` stands anywhere beyond `from`.
fn tail_of(segment: &[u8], from: usize, batch: u64) -> Tail {
    let rest = segment.get(from.saturating_add(1)..).unwrap_or_default();
    let marks = rest.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    for (offset, _) in marks {
        match read(segment, from + 1 + offset) {
            Read::Whole(frame) if frame.batch > batch => return Tail::Damaged,
            Read::Whole(_) | Read::HeadOnly(_) | Read::Nothing => {}
        }
    }
    Tail::Torn
}

enum Read {
    Whole(Frame),
    /// The head is as it was written, the bytes are not; its batch is known.
    HeadOnly(u64),
    Nothing,
}

fn read(segment: &[u8], start: usize) -> Read {
    let Some(rest) = segment.get(start..) else { return Read::Nothing };
    let Some((head, after)) = rest.split_first_chunk::<HEAD>() else { return Read::Nothing };
    let (checked, check) = head.split_at(HEAD - 4);
    if Sha256::digest(checked).get(..4) != Some(check) {
        return Read::Nothing;
    }
    let Some((mark, fields)) = checked.split_first_chunk::<4>() else { return Read::Nothing };
    let Some((length, fields)) = fields.split_first_chunk::<4>() else { return Read::Nothing };
    let Some((batch, fields)) = fields.split_first_chunk::<8>() else { return Read::Nothing };
    let Some((letters, hash)) = fields.split_first_chunk::<4>() else { return Read::Nothing };
    let kind = match letters {
        b"E\0\0\0" => Kind::Entry,
        b"B\0\0\0" => Kind::Blob,
        _ => return Read::Nothing,
    };
    let Ok(hash) = <[u8; 32]>::try_from(hash) else { return Read::Nothing };
    let (length, batch, hash) =
        (u32::from_be_bytes(*length) as usize, u64::from_be_bytes(*batch), Hash(hash));
    if *mark != MARK || length > FRAME_MAX {
        return Read::Nothing;
    }
    let from = start + HEAD;
    match after.get(..length) {
        Some(bytes) if kind.hash(bytes) == hash => {
            Read::Whole(Frame { kind, batch, hash, start, bytes: from..from + length })
        }
        Some(_) | None => Read::HeadOnly(batch),
    }
}
