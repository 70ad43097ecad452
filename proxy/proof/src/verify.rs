//! Verifies a ledger's directory: every byte of every segment, and the whole against signed checkpoints.
//!
//! Needs no lock and changes nothing. Leaves out the program that asks (`bin/ordain-verify.rs`).

use std::fs;
use std::io;
use std::path::Path;

use crate::inclusion::InclusionProof;
use crate::note::{Checkpoint, NoteError, Verifier};
use crate::record::BriefKind;
use crate::replay::{Damage, Entry, Replay};
use crate::tiles::{Export, TileError};
use crate::tree::{Hash, Tree};

/// Why a ledger does not verify, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The disk does not let us.
    #[error("the ledger cannot be read: {0}; check the directory")]
    Disk(#[from] io::Error),
    /// It is not what was written.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A checkpoint is not right.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// There is no checkpoint, so nothing can be held against anything.
    #[error("there is no checkpoint; restore `checkpoint` or give one with `--checkpoint`")]
    NoCheckpoint,
    /// The ledger was said to be closed, and is not.
    #[error("{entries} entries are there and {covered} are under the checkpoint{}; the gate was not closed in good order: start it once", if *torn { ", and something torn follows" } else { "" })]
    NotClosed {
        /// How many entries there are.
        entries: u64,
        /// How many the checkpoint covers.
        covered: u64,
        /// Bytes that are no entry follow the last one.
        torn: bool,
    },
    /// There is no such entry.
    #[error("there is no entry `{0}` under the checkpoint; ask for one that is")]
    NoEntry(String),
    /// An export failed.
    #[error(transparent)]
    Tiles(#[from] TileError),
}

/// A ledger that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: u64,
    /// How many of them the checkpoint covers; the rest are whole, and nobody vouches for them yet.
    pub covered: u64,
    /// The root of all entries.
    pub root: Hash,
    /// A batch that was being written follows: the gate is running, or was killed.
    pub torn: bool,
    /// Decisions among the entries, refused ones included.
    pub decisions: u64,
    /// Decisions whose request was not refused and whose outcome is not there yet.
    pub open: u64,
    /// Tunnels among the entries that were passed on unopened.
    pub tunnels: u64,
    /// Tunnels whose end is not there yet.
    pub open_tunnels: u64,
}

/// What is asked of a ledger.
#[derive(Debug, Clone, Default)]
pub struct Demand<'a> {
    /// Checkpoints kept elsewhere, as signed notes: the ledger must go on from each of them.
    pub earlier: Vec<&'a str>,
    /// The gate was closed in good order: its last checkpoint covers everything.
    pub closed: bool,
}

/// Verifies the ledger in a directory.
///
/// # Errors
/// [`VerifyError`].
pub fn directory(path: &Path, verifier: &Verifier, demand: &Demand<'_>) -> Result<Verified, VerifyError> {
    let note = own_checkpoint(path)?;
    let names = segment_names(path)?;
    segments(&names, |first| fs::read(path.join(name(first))), &note, verifier, demand)
}

/// Verifies segments wherever they are: `firsts` names them in order, `read` gives their bytes.
///
/// # Errors
/// [`VerifyError`].
pub fn segments(
    firsts: &[u64],
    mut read: impl FnMut(u64) -> io::Result<Vec<u8>>,
    note: &str,
    verifier: &Verifier,
    demand: &Demand<'_>,
) -> Result<Verified, VerifyError> {
    let own = verifier.open(note)?;
    let covered = own.size;
    let mut signed = vec![own];
    for earlier in &demand.earlier {
        signed.push(verifier.open(earlier)?);
    }
    let mut replay = Replay::new(signed);
    let (mut torn, mut decisions, mut open) = (false, 0, std::collections::BTreeSet::new());
    let (mut tunnels, mut open_tunnels) = (0, std::collections::BTreeSet::new());
    for (index, first) in firsts.iter().enumerate() {
        let last = index + 1 == firsts.len();
        let bytes = read(*first)?;
        let end = replay.segment(*first, &bytes, last, |entry| {
            match entry.brief.kind {
                BriefKind::Decision { refused } => {
                    decisions += 1;
                    if !refused {
                        open.insert(entry.brief.name.to_string());
                    }
                }
                BriefKind::Outcome => {
                    open.remove(entry.brief.name.as_ref());
                }
                BriefKind::Tunnel => {
                    tunnels += 1;
                    open_tunnels.insert(entry.brief.name.to_string());
                }
                BriefKind::TunnelEnd => {
                    open_tunnels.remove(entry.brief.name.as_ref());
                }
                BriefKind::Attempts | BriefKind::Change { .. } => {}
            }
            Ok(())
        })?;
        torn = end.torn;
    }
    replay.finish()?;
    let entries = replay.frontier().size();
    if demand.closed && (entries != covered || torn) {
        return Err(VerifyError::NotClosed { entries, covered, torn });
    }
    let root = replay.frontier().root();
    let (open, open_tunnels) = (open.len() as u64, open_tunnels.len() as u64);
    Ok(Verified { entries, covered, root, torn, decisions, open, tunnels, open_tunnels })
}

/// Which entry is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// By its place.
    Index(u64),
    /// The decision, or the opening of a tunnel, with this name.
    Decision(String),
}

/// One entry with the proof that it is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The entry's statement.
    pub entry: Vec<u8>,
    /// What was too long for it, unpacked: not under the proof itself, but under the hash in the entry.
    pub blob: Option<Vec<u8>>,
    /// The proof.
    pub proof: InclusionProof,
}

/// Proves that an entry is in the ledger in a directory, under its own last checkpoint.
///
/// # Errors
/// [`VerifyError`]; the ledger is verified on the way.
pub fn prove(path: &Path, verifier: &Verifier, wanted: &Wanted) -> Result<Proven, VerifyError> {
    let note = own_checkpoint(path)?;
    let checkpoint = verifier.open(&note)?;
    let mut tree = Tree::new();
    let mut found = None;
    walk(path, checkpoint.clone(), |entry| {
        let wanted = match wanted {
            Wanted::Index(index) => *index == entry.sequence,
            Wanted::Decision(id) => {
                let kind = entry.brief.kind;
                entry.brief.name == *id && matches!(kind, BriefKind::Decision { .. } | BriefKind::Tunnel)
            }
        };
        if wanted && found.is_none() {
            found = Some((entry.sequence, entry.bytes.to_vec(), entry.blob.map(<[u8]>::to_vec)));
        }
        tree.push(entry.hash);
        Ok(())
    })?;
    let missing = || match wanted {
        Wanted::Index(index) => VerifyError::NoEntry(index.to_string()),
        Wanted::Decision(id) => VerifyError::NoEntry(id.clone()),
    };
    let (index, entry, blob) = found.ok_or_else(missing)?;
    let hashes = tree.inclusion(index, checkpoint.size).map_err(|_| missing())?;
    Ok(Proven { entry, blob, proof: InclusionProof { index, hashes, checkpoint: note } })
}

/// Proves that the ledger in a directory goes on from an earlier size: the hashes, and its checkpoint.
///
/// # Errors
/// [`VerifyError`]; the ledger is verified on the way.
pub fn prove_consistency(
    path: &Path,
    verifier: &Verifier,
    from: u64,
) -> Result<(Vec<Hash>, Checkpoint), VerifyError> {
    let checkpoint = verifier.open(&own_checkpoint(path)?)?;
    let mut tree = Tree::new();
    walk(path, checkpoint.clone(), |entry| {
        tree.push(entry.hash);
        Ok(())
    })?;
    let proof = tree.consistency(from, checkpoint.size);
    let proof = proof.map_err(|_| VerifyError::NoEntry(from.to_string()))?;
    Ok((proof, checkpoint))
}

/// Writes the ledger in a directory out as tiles, as far as its last checkpoint covers it.
///
/// # Errors
/// [`VerifyError`]; the ledger is verified on the way.
pub fn export(path: &Path, verifier: &Verifier, into: &Path) -> Result<Checkpoint, VerifyError> {
    let note = own_checkpoint(path)?;
    let checkpoint = verifier.open(&note)?;
    let mut export = Export::new(into, checkpoint.size);
    let mut failed = None;
    walk(path, checkpoint.clone(), |entry| {
        if failed.is_none() {
            failed = export.push(&entry).err();
        }
        Ok(())
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    export.finish(&checkpoint, &note)?;
    Ok(checkpoint)
}

fn walk(
    path: &Path,
    checkpoint: Checkpoint,
    mut visit: impl FnMut(Entry<'_>) -> Result<(), Damage>,
) -> Result<(), VerifyError> {
    let names = segment_names(path)?;
    let mut replay = Replay::new(vec![checkpoint]);
    for (index, first) in names.iter().enumerate() {
        let bytes = fs::read(path.join(name(*first)))?;
        replay.segment(*first, &bytes, index + 1 == names.len(), &mut visit)?;
    }
    Ok(replay.finish()?)
}

fn own_checkpoint(path: &Path) -> Result<String, VerifyError> {
    match fs::read_to_string(path.join("checkpoint")) {
        Ok(note) => Ok(note),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(VerifyError::NoCheckpoint),
        Err(error) => Err(error.into()),
    }
}

fn segment_names(path: &Path) -> Result<Vec<u64>, VerifyError> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".segment"));
        if let Some(first) = digits.filter(|digits| digits.len() == 20).and_then(|digits| digits.parse().ok())
        {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// The file of the segment whose first entry is `first`.
fn name(first: u64) -> String {
    format!("{first:020}.segment")
}
