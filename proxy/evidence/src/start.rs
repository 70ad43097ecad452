//! How a ledger is taken up: alone, verified against its last checkpoint, and with every decision closed.
//!
//! A torn tail is cut: it was never answered. Anything else that is wrong refuses to start, because to go
//! on would be to write on a ledger that somebody changed.

use std::io;
use std::sync::Arc;

use ordain_action::{DecisionId, Digest, Outcome};
use ordain_proof::note::{NoteError, Signer};
use ordain_proof::record::BriefKind;
use ordain_proof::replay::{Damage, Entry, Replay};
use ordain_proof::tree::{Frontier, Hash};
use std::collections::BTreeMap;

use crate::ahead::{NEXT, segment_first, segment_name};
use crate::checkpoint::CHECKPOINT;
use crate::durable::{self, Frames};
use crate::own_change::{ChangeKind, OwnChange};
use crate::settings::LedgerSettings;
use crate::storage::{Segment, Storage};
use crate::tunnel::{self, End};

/// The file of the signing key, unless the caller keeps it.
const KEY: &str = "signing.key";

/// The file that says which public key checkpoints are verified with.
const VERIFIER: &str = "verifier";

/// Why a ledger cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Someone else writes it.
    #[error("the ledger is in use by another program; stop that one, or give this one a ledger of its own")]
    Locked,
    /// The disk does not let us.
    #[error("the ledger cannot be opened: {0}")]
    Disk(#[from] io::Error),
    /// It is not what was written.
    #[error("the ledger does not verify: {0}")]
    Damaged(#[from] Damage),
    /// Its checkpoint or key is not right.
    #[error("the ledger's checkpoint or key is not right: {0}")]
    Note(#[from] NoteError),
    /// There are entries, and no key to go on with.
    #[error("the ledger has entries and its signing key is gone; restore `signing.key`")]
    KeyGone,
    /// There are entries, and no checkpoint to hold them against.
    #[error("the ledger has entries and its checkpoint is gone; restore `checkpoint`, or start a new ledger")]
    CheckpointGone,
    /// The checkpoint is not text.
    #[error("the ledger's checkpoint is not text; restore `checkpoint`")]
    CheckpointText,
    /// Its own entries cannot be written.
    #[error("the start cannot be recorded: {0}")]
    NotRecorded(String),
}

/// A ledger that was taken up, before anything is written.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) signer: Signer,
    pub(crate) checkpoint: (u64, String),
    pub(crate) frontier: Frontier,
    pub(crate) batch: u64,
    /// The segment to go on in, where it ends and how large it is; `None` to begin a new one.
    pub(crate) segment: Option<(Box<dyn Segment>, u64, u64)>,
    /// What must be written first.
    pub(crate) first: Vec<Frames>,
}

/// A decision without an outcome, or a tunnel without an end.
#[derive(Debug)]
struct Unclosed {
    id: DecisionId,
    tunnel: bool,
    request: Digest,
    entry: u64,
}

pub(crate) fn start(settings: &LedgerSettings, storage: &Arc<dyn Storage>) -> Result<Started, OpenError> {
    let names = storage.names()?;
    let mut segments: Vec<u64> = names.iter().filter_map(|name| segment_first(name)).collect();
    segments.sort_unstable();
    if names.iter().any(|name| name == NEXT) {
        storage.remove(NEXT)?;
    }
    let signer = signer(settings, storage, !segments.is_empty())?;
    let (note, signed) = checkpoint(storage, &signer, !segments.is_empty())?;
    let covered = signed.size;

    let mut replay = Replay::new(vec![signed]);
    let mut unclosed: BTreeMap<String, Unclosed> = BTreeMap::new();
    let mut segment = None;
    for (index, first) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        let bytes = storage.read(&segment_name(*first))?.unwrap_or_default();
        let end = replay.segment(*first, &bytes, last, |entry| {
            note_entry(&mut unclosed, &entry);
            Ok(())
        })?;
        if last {
            segment = Some(go_on(storage, *first, &bytes, end.offset, end.torn)?);
        }
    }
    replay.finish()?;
    let first = first_entries(settings, unclosed.into_values().collect())?;
    Ok(Started {
        signer,
        checkpoint: (covered, note),
        frontier: replay.frontier().clone(),
        batch: replay.batch(),
        segment,
        first,
    })
}

fn signer(settings: &LedgerSettings, storage: &Arc<dyn Storage>, entries: bool) -> Result<Signer, OpenError> {
    let kept = match &settings.key {
        Some(key) => Some(key.clone()),
        None => storage.read(KEY)?,
    };
    let signer = match kept {
        Some(key) => Signer::from_pkcs8(&settings.origin, &key)?,
        None if entries => return Err(OpenError::KeyGone),
        None => {
            let (signer, key) = Signer::generate(&settings.origin)?;
            storage.replace(KEY, &key)?;
            signer
        }
    };
    let verifier = format!("{}\n", signer.verifier());
    if storage.read(VERIFIER)?.as_deref() != Some(verifier.as_bytes()) {
        storage.replace(VERIFIER, verifier.as_bytes())?;
    }
    Ok(signer)
}

/// The last checkpoint. A new ledger has one of no entries before it has an entry, so that entries without
/// a checkpoint always mean that somebody took it away.
fn checkpoint(
    storage: &Arc<dyn Storage>,
    signer: &Signer,
    entries: bool,
) -> Result<(String, ordain_proof::note::Checkpoint), OpenError> {
    let note = match storage.read(CHECKPOINT)? {
        Some(bytes) => String::from_utf8(bytes).map_err(|_| OpenError::CheckpointText)?,
        None if entries => return Err(OpenError::CheckpointGone),
        None => {
            let note = signer.sign(0, Hash::empty());
            storage.replace(CHECKPOINT, note.as_bytes())?;
            note
        }
    };
    let checkpoint = signer.verifier().open(&note)?;
    Ok((note, checkpoint))
}

/// Opens the last segment at its end; what a torn batch left behind is overwritten with zeros.
fn go_on(
    storage: &Arc<dyn Storage>,
    first: u64,
    bytes: &[u8],
    offset: usize,
    torn: bool,
) -> io::Result<(Box<dyn Segment>, u64, u64)> {
    let mut segment = storage.open(&segment_name(first))?;
    if torn {
        let zeros = vec![0; bytes.len().saturating_sub(offset)];
        segment.write_at(offset as u64, &zeros)?;
        segment.sync()?;
    }
    Ok((segment, offset as u64, bytes.len() as u64))
}

fn note_entry(unclosed: &mut BTreeMap<String, Unclosed>, entry: &Entry<'_>) {
    match entry.brief.kind {
        BriefKind::Decision { refused: false } | BriefKind::Tunnel => {
            let id = entry.brief.name.parse().map(DecisionId);
            if let (Ok(id), Some(request)) = (id, Digest::from_hex(&entry.brief.digest)) {
                let tunnel = entry.brief.kind == BriefKind::Tunnel;
                let open = Unclosed { id, tunnel, request, entry: entry.sequence };
                unclosed.insert(entry.brief.name.to_string(), open);
            }
        }
        BriefKind::Outcome | BriefKind::TunnelEnd => {
            unclosed.remove(entry.brief.name.as_ref());
        }
        BriefKind::Decision { refused: true } | BriefKind::Attempts | BriefKind::Change { .. } => {}
    }
}

/// What a started ledger says first: what became of decisions nobody closed, and that it started.
fn first_entries(settings: &LedgerSettings, mut unclosed: Vec<Unclosed>) -> Result<Vec<Frames>, OpenError> {
    unclosed.sort_by_key(|open| open.entry);
    let now = settings.clock.now();
    let mut first = Vec::with_capacity(unclosed.len() + 1);
    let failed = |error: durable::NotWritten| OpenError::NotRecorded(error.to_string());
    for open in unclosed {
        let why = "gate_stopped";
        let frames = if open.tunnel {
            let (id, entry) = (open.id.to_string(), Some(open.entry));
            tunnel::end(&End { id: &id, digest: &open.request, entry, now, why, counted: None })
        } else {
            durable::outcome(open.id, open.request, Some(open.entry), &Outcome::Unknown { why }, now)
        };
        first.push(frames.map_err(failed)?);
    }
    let started = OwnChange {
        kind: ChangeKind::Started,
        now,
        author: "ordain".to_owned(),
        summary: settings.program.clone(),
        before: None,
        after: None,
    };
    first.push(durable::own_change(&started).map_err(failed)?);
    Ok(first)
}
