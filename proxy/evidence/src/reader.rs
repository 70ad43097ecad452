//! Reads the ledger: one decision, those that fit a filter, and the outcomes the live inventory is made of.
//!
//! Needs no lock: it sees everything durable, and takes a batch that is being written for the end. Leaves
//! out proofs (`ordain_proof`) and what a person is shown.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use memchr::memmem;
use ordain_action::{Action, DecisionId, Outcome};
use ordain_proof::record::{self, BriefKind, DecisionRecord, OutcomeRecord, Record, RecordError};
use ordain_proof::replay::{self, Damage, Entry, Replay};
use ordain_proof::tree::Hash;
use ordain_rules::CarriedOut;

use crate::ahead::{segment_first, segment_name};
use crate::durable;
use crate::inner::Sequence;
use crate::storage::{FileStorage, Storage};

/// Why the ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk does not let us.
    #[error("the ledger cannot be read: {0}")]
    Disk(#[from] io::Error),
    /// It is not what was written.
    #[error("the ledger does not verify: {0}")]
    Damaged(#[from] Damage),
    /// An entry cannot be understood.
    #[error("entry {entry} cannot be read: {why}")]
    Entry {
        /// The entry.
        entry: u64,
        /// What is wrong.
        why: RecordError,
    },
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its place.
    pub sequence: Sequence,
    /// Its leaf hash.
    pub hash: Hash,
    /// Its statement, JSON.
    pub statement: Vec<u8>,
    /// What was too long for the statement, as it lies beside it: a salt, then zstd.
    pub blob: Option<Vec<u8>>,
}

/// A decision and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The decision.
    pub decision: Kept,
    /// What became of it, once that is known.
    pub outcome: Option<Kept>,
}

/// What the ledger says became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was never recorded, or as refused: nothing was sent.
    Nothing,
    /// It was recorded, and nothing says how it ended.
    Open,
    /// It ended so.
    Ended(Outcome),
}

/// Which decisions are asked for. What is not set fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The actor's name.
    pub actor: Option<String>,
    /// `admit`, `hold` or `deny`.
    pub ruling: Option<String>,
    /// The permission the plane would check, for example `ec2:TerminateInstances`; a `*` at its end fits
    /// any ending.
    pub operation: Option<String>,
    /// A reason's code.
    pub reason_code: Option<String>,
    /// Part of a resource's name or of an identifier.
    pub resource: Option<String>,
    /// RFC 3339; not before.
    pub since: Option<jiff::Timestamp>,
    /// RFC 3339; before.
    pub until: Option<jiff::Timestamp>,
}

/// A ledger to be read.
#[derive(Debug, Clone)]
pub struct Reader {
    storage: Arc<dyn Storage>,
}

impl Reader {
    /// The ledger kept in a directory.
    ///
    /// # Errors
    /// `NotFound` when there is no such directory.
    pub fn open(directory: &Path) -> io::Result<Self> {
        if !directory.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no ledger; start the gate first"));
        }
        Ok(Self { storage: Arc::new(FileStorage::new(directory)?) })
    }

    /// The ledger kept in a storage.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// Shows every entry, in order, until told to stop.
    ///
    /// # Errors
    /// [`ReadError::Disk`] and [`ReadError::Damaged`].
    pub fn entries(&self, mut visit: impl FnMut(Entry<'_>) -> ControlFlow<()>) -> Result<(), ReadError> {
        let segments = self.segments()?;
        let mut replay = Replay::new(Vec::new());
        let mut stopped = false;
        for (index, first) in segments.iter().enumerate() {
            let bytes = self.storage.read(&segment_name(*first))?.unwrap_or_default();
            let last = index + 1 == segments.len();
            replay.segment(*first, &bytes, last, |entry| {
                stopped = stopped || visit(entry).is_break();
                Ok(())
            })?;
            if stopped {
                break;
            }
        }
        Ok(())
    }

    /// Shows every entry read as a record, in order, until told to stop.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn records(
        &self,
        mut visit: impl FnMut(&Entry<'_>, &Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut failed = None;
        self.entries(|entry| match record::read(entry.bytes) {
            Ok(record) => visit(&entry, &record),
            Err(why) => {
                failed = Some(ReadError::Entry { entry: entry.sequence, why });
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// One decision by its name, with what became of it.
    ///
    /// A decision's name begins with its time, so that only the segments of that time are read, and those after it
    /// until its outcome stands there. What is read is not held against a checkpoint.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn get(&self, decision: DecisionId) -> Result<Option<Found>, ReadError> {
        let segments = self.segments()?;
        let mut search = Search { name: decision.to_string(), found: None, over: false };
        let made = milliseconds(decision).unwrap_or(0);
        for first in segments.get(self.begin(&segments, made)?..).unwrap_or_default() {
            let bytes = self.storage.read(&segment_name(*first))?.unwrap_or_default();
            replay::look(*first, &bytes, |entry| {
                search.see(&entry);
                Ok(())
            })?;
            let late =
                search.found.is_none() && began(*first, &bytes)?.is_some_and(|time| time > made + WITHIN);
            if search.over || late {
                break;
            }
        }
        Ok(search.found)
    }

    /// What became of one decision.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn ending(&self, decision: DecisionId) -> Result<Ending, ReadError> {
        let Some(found) = self.get(decision)? else { return Ok(Ending::Nothing) };
        let unread = |kept: &Kept| {
            let entry = kept.sequence.0;
            move |why| ReadError::Entry { entry, why }
        };
        if let Some(kept) = &found.outcome {
            let record = record::read(&kept.statement).map_err(unread(kept))?;
            return Ok(match record {
                Record::Outcome(outcome) => Ending::Ended(durable::outcome_of(&outcome)),
                Record::Decision(_)
                | Record::Attempts(_)
                | Record::Change(_)
                | Record::Tunnel(_)
                | Record::TunnelEnd(_) => Ending::Open,
            });
        }
        let record = record::read(&found.decision.statement).map_err(unread(&found.decision))?;
        let refused = matches!(record, Record::Decision(decision) if decision.effect == "refused");
        Ok(if refused { Ending::Nothing } else { Ending::Open })
    }

    /// The place of the first segment in which a decision of that time can stand.
    fn begin(&self, segments: &[u64], made: u64) -> Result<usize, ReadError> {
        let (mut before, mut after) = (0, segments.len());
        while after - before > 1 {
            let middle = usize::midpoint(before, after);
            let first = segments.get(middle).copied().unwrap_or_default();
            let bytes = self.storage.read(&segment_name(first))?.unwrap_or_default();
            match began(first, &bytes)? {
                Some(time) if time < made.saturating_sub(WITHIN) => before = middle,
                // A segment that holds no decision tells nothing, so that more is read than has to be.
                Some(_) | None => after = middle,
            }
        }
        Ok(before)
    }

    /// The first entries of all segments, in order.
    fn segments(&self) -> io::Result<Vec<u64>> {
        let names = self.storage.names()?;
        let mut segments: Vec<u64> = names.iter().filter_map(|name| segment_first(name)).collect();
        segments.sort_unstable();
        Ok(segments)
    }

    /// Shows every decision that fits, in order, until told to stop.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn query(
        &self,
        filter: &Filter,
        mut visit: impl FnMut(Kept, &DecisionRecord<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut failed = None;
        self.entries(|entry| {
            let shown = shown(&entry, filter, &mut visit);
            shown.unwrap_or_else(|error| {
                failed = Some(error);
                ControlFlow::Break(())
            })
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Shows every outcome with the action it is of, and what of a change that carried out, in order: what the live
    /// inventory is folded from. Actions that create nothing are left out.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn creations(
        &self,
        mut visit: impl FnMut(&Action, &Outcome, Option<&CarriedOut>, Sequence),
    ) -> Result<(), ReadError> {
        let mut open: BTreeMap<String, (Action, Option<CarriedOut>)> = BTreeMap::new();
        let mut failed = None;
        self.entries(|entry| match creation(&entry, &mut open, &mut visit) {
            Ok(()) => ControlFlow::Continue(()),
            Err(why) => {
                failed = Some(ReadError::Entry { entry: entry.sequence, why });
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// What became of a decision, from its record.
    #[must_use]
    pub fn outcome(record: &OutcomeRecord<'_>) -> Outcome {
        durable::outcome_of(record)
    }

    /// The decision of an entry as the action it was made for, so that it can be judged again; `None` when
    /// the entry is no decision, or uses words this version does not know.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be read.
    pub fn action(statement: &[u8], blob: Option<&[u8]>) -> Result<Option<Action>, RecordError> {
        let Record::Decision(decision) = record::read(statement)? else { return Ok(None) };
        decision.with_detail(blob, |detail| durable::action_of(&decision, detail))
    }
}

/// How far apart in milliseconds a decision's name and its place in the ledger may lie: a record waits for a slot,
/// and a clock may be set back.
const WITHIN: u64 = 10 * 60 * 1000;

/// A search for one decision.
struct Search {
    name: String,
    found: Option<Found>,
    /// Nothing more can be found.
    over: bool,
}

impl Search {
    fn see(&mut self, entry: &Entry<'_>) {
        if self.over || entry.brief.name != self.name {
            return;
        }
        match (entry.brief.kind, &mut self.found) {
            (BriefKind::Decision { refused }, None) => {
                self.found = Some(Found { decision: kept(entry), outcome: None });
                self.over = refused;
            }
            (BriefKind::Outcome, Some(found)) => {
                found.outcome = Some(kept(entry));
                self.over = true;
            }
            (
                BriefKind::Decision { .. }
                | BriefKind::Outcome
                | BriefKind::Attempts
                | BriefKind::Change { .. }
                | BriefKind::Tunnel
                | BriefKind::TunnelEnd,
                _,
            ) => {}
        }
    }
}

/// When the first decision of a segment was made, in milliseconds; `None` when there is none in it.
fn began(first: u64, bytes: &[u8]) -> Result<Option<u64>, Damage> {
    let mut began = None;
    replay::look(first, bytes, |entry| {
        if began.is_none() && matches!(entry.brief.kind, BriefKind::Decision { .. }) {
            began = entry.brief.name.parse().ok().and_then(|id| milliseconds(DecisionId(id)));
        }
        Ok(())
    })?;
    Ok(began)
}

/// The time in a decision's name, in milliseconds since 1970 (RFC 9562 section 5.7).
fn milliseconds(decision: DecisionId) -> Option<u64> {
    let (seconds, nanoseconds) = decision.0.get_timestamp()?.to_unix();
    Some(seconds.saturating_mul(1000).saturating_add(u64::from(nanoseconds / 1_000_000)))
}

fn kept(entry: &Entry<'_>) -> Kept {
    Kept {
        sequence: Sequence(entry.sequence),
        hash: entry.hash,
        statement: entry.bytes.to_vec(),
        blob: entry.blob.map(<[u8]>::to_vec),
    }
}

fn shown(
    entry: &Entry<'_>,
    filter: &Filter,
    visit: &mut impl FnMut(Kept, &DecisionRecord<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let BriefKind::Decision { .. } = entry.brief.kind else { return Ok(ControlFlow::Continue(())) };
    // Most entries do not hold the actor's name at all, and need not be read to know it.
    if let Some(actor) = &filter.actor
        && memmem::find(entry.bytes, actor.as_bytes()).is_none()
    {
        return Ok(ControlFlow::Continue(()));
    }
    let unread = |why| ReadError::Entry { entry: entry.sequence, why };
    let Record::Decision(decision) = record::read(entry.bytes).map_err(unread)? else {
        return Ok(ControlFlow::Continue(()));
    };
    let fits = fits(&decision, entry.blob, filter).map_err(unread)?;
    if fits { Ok(visit(kept(entry), &decision)) } else { Ok(ControlFlow::Continue(())) }
}

fn fits(decision: &DecisionRecord<'_>, blob: Option<&[u8]>, filter: &Filter) -> Result<bool, RecordError> {
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    if !is(&filter.actor, &decision.actor.party.name) || !is(&filter.ruling, &decision.ruling) {
        return Ok(false);
    }
    if filter.since.is_some() || filter.until.is_some() {
        let Ok(time) = decision.time.parse::<jiff::Timestamp>() else { return Ok(false) };
        if filter.since.is_some_and(|since| time < since) || filter.until.is_some_and(|until| time >= until) {
            return Ok(false);
        }
    }
    if filter.operation.is_none() && filter.reason_code.is_none() && filter.resource.is_none() {
        return Ok(true);
    }
    decision.with_detail(blob, |detail| {
        let reason = filter.reason_code.as_deref();
        let reason = reason.is_none_or(|code| detail.reasons.iter().any(|reason| reason.code == code));
        let effects = match &detail.reading {
            record::ReadingRecord::Call(call) => call.effects.as_slice(),
            record::ReadingRecord::Undecodable(_) => &[],
        };
        let operation = filter.operation.as_deref().is_none_or(|wanted| {
            effects.iter().any(|effect| match wanted.strip_suffix('*') {
                Some(start) => effect.iam_action.starts_with(start),
                None => effect.iam_action == wanted,
            })
        });
        let resource = filter.resource.as_deref().is_none_or(|wanted| {
            let mut resources = effects.iter().flat_map(|effect| &effect.resources);
            resources.any(|resource| {
                resource.name.contains(wanted)
                    || resource.identifiers.iter().any(|identifier| identifier.1.contains(wanted))
            })
        });
        reason && operation && resource
    })
}

/// Whether a decision may create something, by a look at its bytes: reading it whole costs more.
///
/// In a cluster what is made is told by the verb, whatever class the effect is of: a role binding is a grant.
#[must_use]
pub fn may_create(entry: &Entry<'_>) -> bool {
    const SAID: [&[u8]; 4] = [b"\"create", b"\"update/", b"\"patch/", b"\"apply/"];
    entry.blob.is_some() || SAID.iter().any(|said| memmem::find(entry.bytes, said).is_some())
}

fn creation(
    entry: &Entry<'_>,
    open: &mut BTreeMap<String, (Action, Option<CarriedOut>)>,
    visit: &mut impl FnMut(&Action, &Outcome, Option<&CarriedOut>, Sequence),
) -> Result<(), RecordError> {
    match entry.brief.kind {
        BriefKind::Decision { refused: false } => {
            if may_create(entry)
                && let Record::Decision(decision) = record::read(entry.bytes)?
                && let Some(action) =
                    decision.with_detail(entry.blob, |detail| durable::action_of(&decision, detail))?
            {
                open.insert(entry.brief.name.to_string(), (action, durable::carried_out(&decision)));
            }
        }
        BriefKind::Outcome => {
            if let Some((action, item)) = open.remove(entry.brief.name.as_ref())
                && let Record::Outcome(outcome) = record::read(entry.bytes)?
            {
                let outcome = durable::outcome_of(&outcome);
                visit(&action, &outcome, item.as_ref(), Sequence(entry.sequence));
            }
        }
        BriefKind::Decision { refused: true }
        | BriefKind::Attempts
        | BriefKind::Change { .. }
        | BriefKind::Tunnel
        | BriefKind::TunnelEnd => {}
    }
    Ok(())
}
