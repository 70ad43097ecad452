//! The one thread that writes: it takes all that waits, writes it at once, syncs once and answers all.
//!
//! What somebody waits for is synced at once. An outcome that nobody waits for is written at once and synced with
//! the next such record, or a moment later: a program that is killed loses none, and after a power cut its decision
//! is closed as unknown, as it would be had the power failed a moment earlier. Others serialise and hash. An error seals the writer until the program is started again and the ledger
//! verified: after a failed sync nobody knows what is on the disk, and asking again would not tell.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use ordain_proof::frame;
use ordain_proof::tree::Frontier;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::ahead::Ahead;
use crate::attempts::Attempts;
use crate::checkpoint::Checkpointer;
use crate::durable::Frames;
use crate::storage::Segment;

/// So many records at most become durable with one sync.
const BATCH_MAX: usize = 1024;

/// How long outcomes that nobody waits for stay written and not synced, when nothing else comes.
const SYNC_WITHIN: Duration = Duration::from_millis(5);

/// So many writes at most stay without a sync.
const UNSYNCED_MAX: usize = 64;

/// A buffer that grew beyond this for one batch is given back.
const BUFFER_KEPT: usize = 4 * 1024 * 1024;

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Message {
    /// To make a record durable.
    Append {
        frames: Frames,
        /// Who waits to be told.
        told: Option<Told>,
        /// The slot of an outcome, given back when it is written.
        slot: Option<OwnedSemaphorePermit>,
    },
    /// To end: everything before is durable when this is answered.
    End(oneshot::Sender<()>),
}

/// Who waits for a record to be durable.
pub(crate) struct Told {
    /// Gets the record's sequence number, or why there is none.
    waiting: oneshot::Sender<Result<u64, String>>,
    /// Called first, in the order of the records, when it is durable.
    first: Option<Then>,
}

/// Something that has to happen in the order of the records.
pub(crate) type Then = Box<dyn FnOnce(u64) + Send>;

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Told").field("first", &self.first.is_some()).finish_non_exhaustive()
    }
}

/// The way to the writer. It never blocks and is bounded by who may use it: each decision holds a slot
/// for its outcome before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    sender: Sending,
    waiting: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
enum Sending {
    Strong(Arc<mpsc::Sender<Message>>),
    Weak(Weak<mpsc::Sender<Message>>),
}

impl Queue {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel();
        (Self { sender: Sending::Strong(Arc::new(sender)), waiting: Arc::default() }, receiver)
    }

    /// The same way, which does not keep the writer alive.
    pub(crate) fn weak(&self) -> Self {
        let sender = match &self.sender {
            Sending::Strong(sender) => Sending::Weak(Arc::downgrade(sender)),
            Sending::Weak(sender) => Sending::Weak(Weak::clone(sender)),
        };
        Self { sender, waiting: Arc::clone(&self.waiting) }
    }

    /// How many records wait to be written.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn waiting_count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.waiting)
    }

    /// Asks for a record to be made durable; the answer is its sequence number. `first` is called before the answer,
    /// and in the order of the records.
    pub(crate) fn append(
        &self,
        frames: Frames,
        slot: Option<OwnedSemaphorePermit>,
        first: Option<Then>,
    ) -> oneshot::Receiver<Result<u64, String>> {
        let (waiting, durable) = oneshot::channel();
        self.send(Message::Append { frames, told: Some(Told { waiting, first }), slot });
        durable
    }

    /// The same, with nobody waiting.
    pub(crate) fn append_unseen(&self, frames: Frames) {
        self.send(Message::Append { frames, told: None, slot: None });
    }

    /// The same, for an outcome whose slot was reserved.
    pub(crate) fn append_outcome(&self, frames: Frames, slot: OwnedSemaphorePermit) {
        self.send(Message::Append { frames, told: None, slot: Some(slot) });
    }

    pub(crate) fn end(&self) -> oneshot::Receiver<()> {
        let (told, ended) = oneshot::channel();
        self.send(Message::End(told));
        ended
    }

    fn send(&self, message: Message) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // A writer that is gone drops the message, and with it whom to tell: they learn it from that.
        let sent = match &self.sender {
            Sending::Strong(sender) => sender.send(message).is_ok(),
            Sending::Weak(sender) => sender.upgrade().is_some_and(|sender| sender.send(message).is_ok()),
        };
        if !sent {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What the writer and everyone else see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) checkpointer: Checkpointer,
    pub(crate) ahead: Ahead,
    sealed: OnceLock<String>,
    durable: Mutex<Frontier>,
    attempts: Mutex<Attempts>,
    bytes: AtomicU64,
    syncs: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        checkpointer: Checkpointer,
        ahead: Ahead,
        attempts: Attempts,
        durable: Frontier,
    ) -> Self {
        Self {
            checkpointer,
            ahead,
            sealed: OnceLock::new(),
            durable: Mutex::new(durable),
            attempts: Mutex::new(attempts),
            bytes: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
        }
    }

    /// Why nothing is written any more; `None` while all is well.
    pub(crate) fn sealed(&self) -> Option<&str> {
        self.sealed.get().map(String::as_str)
    }

    /// Seals the writer. The first reason stays.
    pub(crate) fn seal(&self, why: String) {
        drop(self.sealed.set(why));
    }

    /// The tree of everything that is durable.
    pub(crate) fn durable(&self) -> Frontier {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn size(&self) -> u64 {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).size()
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes written since the start.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Syncs since the start.
    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

/// The writer's own state.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) segment: Box<dyn Segment>,
    pub(crate) offset: u64,
    pub(crate) room: u64,
    pub(crate) batch: u64,
    /// The tree of everything that is written.
    pub(crate) frontier: Frontier,
    /// How many writes are not synced yet. All of them are one batch.
    pub(crate) unsynced: usize,
    /// Nobody else writes here as long as this lives; given back before the end is told.
    pub(crate) lock: Option<Box<dyn Send + Sync>>,
    /// Asks for the next segment; dropping it ends the thread that makes it.
    pub(crate) wake: SyncSender<()>,
    pub(crate) buffer: Vec<u8>,
}

impl Writer {
    /// Writes until told to end or nobody can ask for anything any more.
    pub(crate) fn run(mut self, receiver: &mpsc::Receiver<Message>, waiting: &AtomicU64) {
        let mut messages = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = self.next(receiver) {
            messages.push(first);
            messages.extend(receiver.try_iter().take(BATCH_MAX - 1));
            waiting.fetch_sub(messages.len() as u64, Ordering::Relaxed);
            let ends = self.turn(&mut messages);
            if !ends.is_empty() {
                self.drain(receiver);
                self.finish();
                for told in ends {
                    let _unheard = told.send(());
                }
                return;
            }
        }
        self.finish();
    }

    /// The next message; none when nobody can send any. What is not synced is, when none comes for a moment.
    fn next(&mut self, receiver: &mpsc::Receiver<Message>) -> Option<Message> {
        if self.unsynced > 0 {
            match receiver.recv_timeout(SYNC_WITHIN) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    // Nobody waits for it; who comes next finds the writer sealed.
                    let _sealed = self.sealing(Self::sync);
                }
            }
        }
        receiver.recv().ok()
    }

    /// Writes one batch and answers it. Returns who asked for the end.
    fn turn(&mut self, messages: &mut Vec<Message>) -> Vec<oneshot::Sender<()>> {
        let mut ends = Vec::new();
        let mut told = Vec::with_capacity(messages.len());
        let mut slots = Vec::new();
        let mut batch = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            match message {
                Message::Append { frames, told: who, slot } => {
                    batch.push(frames);
                    told.push(who);
                    slots.extend(slot);
                }
                Message::End(who) => ends.push(who),
            }
        }
        let first = self.frontier.size();
        let awaited = told.iter().any(Option::is_some);
        let result = self.append(&batch, awaited);
        // Given back before anyone is told, so that who was told finds the slot free.
        drop(slots);
        for (sequence, who) in (first..).zip(told) {
            if let Some(Told { waiting, first }) = who {
                if let (Ok(()), Some(first)) = (&result, first) {
                    first(sequence);
                }
                drop(waiting.send(result.clone().map(|()| sequence)));
            }
        }
        ends
    }

    /// Writes frames, and makes them durable where that is awaited.
    pub(crate) fn append(&mut self, batch: &[Frames], awaited: bool) -> Result<(), String> {
        if batch.is_empty() {
            return match self.shared.sealed() {
                Some(why) => Err(why.to_owned()),
                None => Ok(()),
            };
        }
        self.sealing(|writer| {
            writer.write(batch)?;
            if awaited || writer.unsynced >= UNSYNCED_MAX { writer.sync() } else { Ok(()) }
        })
    }

    /// Does something to the disk, unless the writer is sealed. An error seals it.
    fn sealing(&mut self, act: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<(), String> {
        if let Some(why) = self.shared.sealed() {
            return Err(why.to_owned());
        }
        act(self).map_err(|error| {
            let why = format!("the ledger cannot be written: {error}");
            self.shared.seal(why.clone());
            why
        })
    }

    fn write(&mut self, batch: &[Frames]) -> io::Result<()> {
        self.buffer.clear();
        for frames in batch {
            self.buffer.extend_from_slice(&frames.bytes);
        }
        let length = self.buffer.len() as u64;
        if self.offset.saturating_add(length) > self.room {
            self.rotate(length)?;
        }
        // A batch is what becomes durable with one sync: what a power cut tore is torn within one.
        if self.unsynced == 0 {
            self.batch += 1;
        }
        frame::seal(&mut self.buffer, self.batch);
        self.segment.write_at(self.offset, &self.buffer)?;
        self.unsynced += 1;
        self.offset += length;
        for frames in batch {
            self.frontier.push(frames.leaf);
        }
        self.shared.bytes.fetch_add(length, Ordering::Relaxed);
        if self.offset > self.room / 2 {
            let _asked_already = self.wake.try_send(());
        }
        if self.buffer.capacity() > BUFFER_KEPT {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Makes everything that is written durable.
    fn sync(&mut self) -> io::Result<()> {
        if self.unsynced == 0 {
            return Ok(());
        }
        // INVARIANT: nobody is told that a record is durable before this returned.
        self.segment.sync()?;
        self.unsynced = 0;
        self.shared.durable.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.frontier);
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Begins the next segment. Everything in the one before is durable first, so its zeros can go.
    fn rotate(&mut self, at_least: u64) -> io::Result<()> {
        self.sync()?;
        self.segment.cut(self.offset)?;
        let (segment, room) = self.shared.ahead.take(self.frontier.size(), at_least)?;
        self.segment = segment;
        self.room = room;
        self.offset = 0;
        Ok(())
    }

    /// Writes what came in while the end was asked for.
    fn drain(&mut self, receiver: &mpsc::Receiver<Message>) {
        let mut messages = receiver.try_iter().collect();
        for told in self.turn(&mut messages) {
            let _unheard = told.send(());
        }
    }

    /// Leaves the ledger in good order, unless it is sealed: then it stays as it is, to be looked at.
    fn finish(&mut self) {
        if self.shared.sealed().is_none() {
            match self.conclude() {
                Ok(()) => self.shared.seal("the ledger is closed".to_owned()),
                Err(error) => self.shared.seal(format!("the ledger could not be closed: {error}")),
            }
        }
        drop(self.lock.take());
    }

    /// Cuts the zeros off, signs the last checkpoint and takes away what was made ahead.
    fn conclude(&mut self) -> io::Result<()> {
        self.sync()?;
        self.segment.cut(self.offset)?;
        self.shared.checkpointer.sign(&self.frontier)?;
        self.shared.ahead.end()
    }
}
