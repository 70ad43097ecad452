//! The ledger as the request path sees it: a verdict goes in with the request in hand, and comes out as a
//! request that may be sent, or not.
//!
//! Leaves out how bytes become durable (`writer.rs`) and what may be done with what comes out
//! (`sendable.rs`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use ordain_rules::{Judged, Mode, Permit, PermitKind, Verdict};
use tokio::sync::Semaphore;

use crate::ahead::Ahead;
use crate::attempts::Attempts;
use crate::checkpoint::Checkpointer;
use crate::checkpointer;
use crate::durable::{self, Decision, Frames};
use crate::inner::{Counts, Inner, NotRecorded, Sequence};
use crate::own_change::{ChangeKind, OwnChange};
use crate::sendable::{
    Closing, Recorded, Refused, Reservation, Reserved, Sendable, SendableKind, Unrecorded, WrongPermit,
};
use crate::settings::LedgerSettings;
use crate::start::{self, OpenError, Started};
use crate::storage::Storage;
use crate::tunnel::{Opening, TunnelOpened};
use crate::writer::{Queue, Shared, Writer};

/// Refusals leave at least so much of the queue to admits: beyond it they are only counted.
const REFUSALS_WAITING_MAX: u64 = 1024;

/// The append-only evidence. Clones are the same ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

/// How a ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerStatus {
    /// How many entries are durable.
    pub entries: u64,
    /// How many of them the last checkpoint covers.
    pub covered: u64,
    /// Why nothing is written any more; `None` while all is well.
    pub sealed: Option<String>,
    /// Records that wait to be written.
    pub waiting: u64,
    /// Decisions that wait for their outcome.
    pub open: u64,
    /// Tunnels recorded since the start.
    pub tunnels: u64,
    /// Tunnels that stand open.
    pub open_tunnels: u64,
    /// Bytes written since the start.
    pub bytes: u64,
    /// Syncs since the start: records by syncs is the size of a batch.
    pub syncs: u64,
    /// Reads that passed, since the start.
    pub reads: u64,
    /// Changes of data only that passed without a record, since the start.
    pub passed_through: u64,
    /// Refusals that were counted instead of recorded one by one, since the start.
    pub coalesced: u64,
    /// Changes that were let through without a record because the ledger failed, since the start.
    pub unrecorded: u64,
}

impl Ledger {
    /// Takes up a ledger, or begins one: alone, verified against its last checkpoint, its own start
    /// recorded.
    ///
    /// Reads all of it. Call it before the program serves.
    ///
    /// # Errors
    /// [`OpenError`]: a ledger that does not verify is never written on.
    pub fn open(settings: LedgerSettings, storage: Arc<dyn Storage>) -> Result<Self, OpenError> {
        let lock = storage.lock().map_err(|error| {
            if error.kind() == std::io::ErrorKind::WouldBlock {
                OpenError::Locked
            } else {
                OpenError::Disk(error)
            }
        })?;
        let started = start::start(&settings, &storage)?;
        let (wake, woken) = mpsc::sync_channel(1);
        let (shared, writer) = writer(&settings, &storage, started, lock, wake)?;
        let (queue, receiver) = Queue::new();
        let (waiting, weak) = (queue.waiting_count(), queue.weak());
        thread::Builder::new().name("ledger".to_owned()).spawn(move || writer.run(&receiver, &waiting))?;
        let (own_settings, own_shared) = (settings.clone(), Arc::clone(&shared));
        thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || checkpointer::run(&own_settings, &own_shared, &weak, &woken))?;
        let slots = Arc::new(Semaphore::new(settings.open_decisions as usize));
        let tunnels = Arc::new(Semaphore::new(settings.open_tunnels as usize));
        let inner = Inner { queue, shared, settings, storage, slots, tunnels, counts: Counts::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a decision durable; what may be sent is sent only with what this returns.
    ///
    /// Dropping the wait is safe: a record that is under way then ends as not sent.
    ///
    /// # Errors
    /// [`Unrecorded`] when a request that might have been sent could not be recorded. A refusal stands
    /// without a record.
    pub async fn record<R>(
        &self,
        reserved: Reserved,
        decision: Decision,
        request: R,
    ) -> Result<Recorded<R>, Unrecorded<R>> {
        let (Judged { verdict, permit, charges: _, uses: _, waits: _ }, reservation) = reserved.into_parts();
        match permit {
            Some(permit) => self.admit(permit, verdict, reservation, decision, request).await,
            None => Ok(Recorded::Refused(self.refuse(verdict, decision).await)),
        }
    }

    /// Lets a read pass, or a change of data on a plane that is judged at control level only. Nothing is
    /// made durable; it is counted.
    ///
    /// # Errors
    /// [`WrongPermit`] when the permit is for something that must be recorded.
    pub fn read<R>(&self, permit: Permit, request: R) -> Result<Sendable<R>, WrongPermit> {
        let counted = match permit.kind() {
            PermitKind::Read => &self.inner.counts.reads,
            PermitKind::PassThrough => &self.inner.counts.passed_through,
            PermitKind::Admitted | PermitKind::Shadowed => return Err(WrongPermit),
        };
        counted.fetch_add(1, Ordering::Relaxed);
        let kind = SendableKind::of(permit.kind());
        Ok(Sendable::new(kind, permit.request(), None, request, Closing::of_nothing(None)))
    }

    /// Makes a change of the gate itself durable, before it takes effect.
    ///
    /// # Errors
    /// [`NotRecorded`]; then it must not take effect.
    pub async fn note(&self, own: OwnChange) -> Result<Sequence, NotRecorded> {
        let frames = durable::own_change(&own).map_err(|error| NotRecorded(error.to_string()))?;
        self.append(frames).await
    }

    /// Makes the opening of a tunnel durable; its bytes are passed on only with what this returns.
    ///
    /// # Errors
    /// [`NotRecorded`]; then it must not be opened, in whatever mode: nobody judges what goes through it.
    pub async fn tunnel(&self, opening: Opening) -> Result<TunnelOpened, NotRecorded> {
        let inner = &self.inner;
        if let Some(why) = inner.shared.sealed() {
            return Err(NotRecorded(why.to_owned()));
        }
        let frames = opening.frames().map_err(|error| NotRecorded(error.to_string()))?;
        let Ok(slot) = Arc::clone(&inner.tunnels).try_acquire_owned() else {
            return Err(NotRecorded("too many tunnels stand open".to_owned()));
        };
        // From here on its end is owed, as the outcome of a decision is: no wait lies between the two.
        let durable = inner.queue.append(frames, None, None);
        let mut opened = TunnelOpened::owing(Arc::clone(inner), slot, opening);
        match durable.await.unwrap_or_else(|_| Err("the ledger is closed".to_owned())) {
            Ok(sequence) => {
                opened.recorded(sequence);
                inner.counts.tunnels.fetch_add(1, Ordering::Relaxed);
                Ok(opened)
            }
            Err(why) => {
                opened.disarm();
                Err(NotRecorded(why))
            }
        }
    }

    /// Why nothing is written any more; `None` while all is well.
    #[must_use]
    pub fn sealed(&self) -> Option<String> {
        self.inner.shared.sealed().map(str::to_owned)
    }

    /// How the ledger is.
    #[must_use]
    pub fn status(&self) -> LedgerStatus {
        let inner = &self.inner;
        let open = (inner.settings.open_decisions as usize).saturating_sub(inner.slots.available_permits());
        let tunnels =
            (inner.settings.open_tunnels as usize).saturating_sub(inner.tunnels.available_permits());
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LedgerStatus {
            entries: inner.shared.size(),
            covered: inner.shared.checkpointer.covered(),
            sealed: self.sealed(),
            waiting: inner.queue.waiting(),
            open: open as u64,
            tunnels: count(&inner.counts.tunnels),
            open_tunnels: tunnels as u64,
            bytes: inner.shared.bytes(),
            syncs: inner.shared.syncs(),
            reads: count(&inner.counts.reads),
            passed_through: count(&inner.counts.passed_through),
            coalesced: count(&inner.counts.coalesced),
            unrecorded: count(&inner.counts.unrecorded),
        }
    }

    /// Signs a checkpoint of everything that is durable now, and returns it. Writes to the disk.
    ///
    /// # Errors
    /// [`NotRecorded`] when it cannot be written, or the ledger is sealed.
    pub fn checkpoint(&self) -> Result<String, NotRecorded> {
        if let Some(why) = self.inner.shared.sealed() {
            return Err(NotRecorded(why.to_owned()));
        }
        let signed = self.inner.shared.checkpointer.sign(&self.inner.shared.durable());
        signed.map_err(|error| NotRecorded(format!("the checkpoint cannot be written: {error}")))
    }

    /// The public key that checkpoints are verified with, in the form of a note verifier.
    #[must_use]
    pub fn verifier(&self) -> String {
        self.inner.shared.checkpointer.signer().verifier().to_string()
    }

    /// Where the ledger is kept.
    #[must_use]
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.inner.storage)
    }

    /// Writes everything that waits, says that the program stops, signs the last checkpoint and ends.
    /// Outcomes that come later are lost: drain first.
    pub async fn close(self) {
        let shared = &self.inner.shared;
        for tally in shared.attempts().due(self.inner.settings.clock.now(), true) {
            if let Ok(frames) = durable::attempts(tally.to_record()) {
                self.inner.queue.append_unseen(frames);
            }
        }
        let stopped = OwnChange {
            kind: ChangeKind::Stopped,
            now: self.inner.settings.clock.now(),
            author: "ordain".to_owned(),
            summary: self.inner.settings.program.clone(),
            before: None,
            after: None,
        };
        if let Ok(frames) = durable::own_change(&stopped) {
            self.inner.queue.append_unseen(frames);
        }
        drop(self.inner.queue.end().await);
    }

    async fn admit<R>(
        &self,
        permit: Permit,
        verdict: Verdict,
        reservation: Option<Box<dyn Reservation>>,
        decision: Decision,
        request: R,
    ) -> Result<Recorded<R>, Unrecorded<R>> {
        let inner = &self.inner;
        let digest = permit.request();
        let kind = SendableKind::of(permit.kind());
        if digest != decision.request {
            // A permit for another request is no permit, in whatever mode.
            let why = "the permit is for another request".to_owned();
            return Err(Unrecorded::new(
                why,
                Mode::Enforce,
                decision.id,
                digest,
                verdict,
                reservation,
                request,
            ));
        }
        let mode = verdict.mode;
        let prepared = match inner.shared.sealed() {
            Some(why) => Err(why.to_owned()),
            None => durable::decision(&decision, &verdict, kind.as_str()).map_err(|error| error.to_string()),
        };
        let failed = |why, verdict, reservation, request| {
            inner.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
            Unrecorded::new(why, mode, decision.id, digest, verdict, reservation, request)
        };
        let frames = match prepared {
            Ok(frames) => frames,
            Err(why) => return Err(failed(why, verdict, reservation, request)),
        };
        let Ok(slot) = Arc::clone(&inner.slots).acquire_owned().await else {
            return Err(failed("the ledger is closed".to_owned(), verdict, reservation, request));
        };
        // From here on the record may become durable, so from here on its outcome is owed: no wait lies
        // between the two.
        let durable = inner.queue.append(frames, None, None);
        let mut closing = Closing::of_record(Arc::clone(inner), slot, decision.id, digest, reservation);
        closing.carries_out(verdict.change.clone());
        match durable.await.unwrap_or_else(|_| Err("the ledger is closed".to_owned())) {
            Ok(sequence) => {
                closing.recorded(sequence);
                Ok(Recorded::Sendable(Sendable::new(kind, digest, Some(verdict), request, closing)))
            }
            Err(why) => {
                let reservation = closing.disarm();
                Err(failed(why, verdict, reservation, request))
            }
        }
    }

    /// A refusal stands whether or not it can be recorded; it never keeps admits from being recorded.
    async fn refuse(&self, verdict: Verdict, decision: Decision) -> Refused {
        let inner = &self.inner;
        let room = inner.queue.waiting() < REFUSALS_WAITING_MAX;
        let own_entry = {
            let mut attempts = inner.shared.attempts();
            let own_entry = room && attempts.admit(&decision);
            if !own_entry {
                attempts.count(&decision, &verdict);
            }
            own_entry
        };
        if !own_entry {
            inner.counts.coalesced.fetch_add(1, Ordering::Relaxed);
            return Refused::new(decision.id, verdict, None);
        }
        let entry = match durable::decision(&decision, &verdict, "refused") {
            Ok(frames) => self.append(frames).await.ok(),
            Err(_too_long) => None,
        };
        Refused::new(decision.id, verdict, entry)
    }

    async fn append(&self, frames: Frames) -> Result<Sequence, NotRecorded> {
        if let Some(why) = self.inner.shared.sealed() {
            return Err(NotRecorded(why.to_owned()));
        }
        match self.inner.queue.append(frames, None, None).await {
            Ok(Ok(sequence)) => Ok(Sequence(sequence)),
            Ok(Err(why)) => Err(NotRecorded(why)),
            Err(_gone) => Err(NotRecorded("the ledger is closed".to_owned())),
        }
    }
}

/// The writer, with what a start has to say written already.
fn writer(
    settings: &LedgerSettings,
    storage: &Arc<dyn Storage>,
    started: Started,
    lock: Box<dyn Send + Sync>,
    wake: mpsc::SyncSender<()>,
) -> Result<(Arc<Shared>, Writer), OpenError> {
    let (covered, note) = started.checkpoint;
    let checkpointer = Checkpointer::new(Arc::clone(storage), started.signer, covered, note);
    let ahead = Ahead::new(Arc::clone(storage), settings.segment_bytes);
    let attempts = Attempts::new(settings.attempts);
    let (segment, offset, room) = match started.segment {
        Some(segment) => segment,
        None => {
            let (segment, room) = ahead.take(started.frontier.size(), 0)?;
            (segment, 0, room)
        }
    };
    let shared = Arc::new(Shared::new(checkpointer, ahead, attempts, started.frontier.clone()));
    let mut writer = Writer {
        shared: Arc::clone(&shared),
        segment,
        offset,
        room,
        batch: started.batch,
        frontier: started.frontier,
        unsynced: 0,
        lock: Some(lock),
        wake,
        buffer: Vec::new(),
    };
    writer.append(&started.first, true).map_err(OpenError::NotRecorded)?;
    shared.checkpointer.sign(&shared.durable())?;
    Ok((shared, writer))
}
