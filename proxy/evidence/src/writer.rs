//! The one thread that writes: it takes all that waits, writes it at once, syncs once and answers all.
//!
//! Others serialise and hash. An error seals the writer until the program is started again and the ledger
//! verified: after a failed sync nobody knows what is on the disk, and asking again would not tell.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ordain_proof::frame;
use ordain_proof::tree::Frontier;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::attempts::Attempts;
use crate::checkpointer::{Ahead, Checkpointer};
use crate::durable::Frames;
use crate::storage::Segment;

/// So many records at most become durable with one sync.
const BATCH_MAX: usize = 1024;

/// A buffer that grew beyond this for one batch is given back.
const BUFFER_KEPT: usize = 4 * 1024 * 1024;

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Message {
    /// To make a record durable.
    Append {
        frames: Frames,
        /// Who waits to be told.
        told: Option<oneshot::Sender<Result<u64, String>>>,
        /// The slot of an outcome, given back when it is written.
        slot: Option<OwnedSemaphorePermit>,
    },
    /// To end: everything before is durable when this is answered.
    End(oneshot::Sender<()>),
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
    Strong(mpsc::UnboundedSender<Message>),
    Weak(mpsc::WeakUnboundedSender<Message>),
}

impl Queue {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Message>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender: Sending::Strong(sender), waiting: Arc::default() }, receiver)
    }

    /// The same way, which does not keep the writer alive.
    pub(crate) fn weak(&self) -> Self {
        let sender = match &self.sender {
            Sending::Strong(sender) => Sending::Weak(sender.downgrade()),
            Sending::Weak(sender) => Sending::Weak(sender.clone()),
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

    /// Asks for a record to be made durable; the answer is its sequence number.
    pub(crate) fn append(
        &self,
        frames: Frames,
        slot: Option<OwnedSemaphorePermit>,
    ) -> oneshot::Receiver<Result<u64, String>> {
        let (told, durable) = oneshot::channel();
        self.send(Message::Append { frames, told: Some(told), slot });
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
    pub(crate) frontier: Frontier,
    /// Nobody else writes here as long as this lives; given back before the end is told.
    pub(crate) lock: Option<Box<dyn Send + Sync>>,
    /// Asks for the next segment; dropping it ends the thread that makes it.
    pub(crate) wake: SyncSender<()>,
    pub(crate) buffer: Vec<u8>,
}

impl Writer {
    /// Writes until told to end or nobody can ask for anything any more.
    pub(crate) fn run(mut self, receiver: &mut mpsc::UnboundedReceiver<Message>, waiting: &AtomicU64) {
        let mut messages = Vec::with_capacity(BATCH_MAX);
        loop {
            messages.clear();
            let taken = receiver.blocking_recv_many(&mut messages, BATCH_MAX);
            if taken == 0 {
                break;
            }
            waiting.fetch_sub(taken as u64, Ordering::Relaxed);
            let ends = self.turn(&mut messages);
            if !ends.is_empty() {
                receiver.close();
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
        let result = self.append(&batch);
        // Given back before anyone is told, so that who was told finds the slot free.
        drop(slots);
        for (sequence, who) in (first..).zip(told) {
            if let Some(who) = who {
                drop(who.send(result.clone().map(|()| sequence)));
            }
        }
        ends
    }

    /// Makes frames durable.
    pub(crate) fn append(&mut self, batch: &[Frames]) -> Result<(), String> {
        if let Some(why) = self.shared.sealed() {
            return Err(why.to_owned());
        }
        if batch.is_empty() {
            return Ok(());
        }
        match self.write(batch) {
            Ok(()) => Ok(()),
            Err(error) => {
                let why = format!("the ledger cannot be written: {error}");
                self.shared.seal(why.clone());
                Err(why)
            }
        }
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
        self.batch += 1;
        frame::seal(&mut self.buffer, self.batch);
        self.segment.write_at(self.offset, &self.buffer)?;
        // INVARIANT: nobody is told that a record is durable before this returned.
        self.segment.sync()?;
        self.offset += length;
        for frames in batch {
            self.frontier.push(frames.leaf);
        }
        self.shared.durable.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.frontier);
        self.shared.bytes.fetch_add(length, Ordering::Relaxed);
        self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        if self.offset > self.room / 2 {
            let _asked_already = self.wake.try_send(());
        }
        if self.buffer.capacity() > BUFFER_KEPT {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Begins the next segment. Everything in the one before is durable, so its zeros can go.
    fn rotate(&mut self, at_least: u64) -> io::Result<()> {
        self.segment.cut(self.offset)?;
        let (segment, room) = self.shared.ahead.take(self.frontier.size(), at_least)?;
        self.segment = segment;
        self.room = room;
        self.offset = 0;
        Ok(())
    }

    /// Writes what came in while the end was asked for.
    fn drain(&mut self, receiver: &mut mpsc::UnboundedReceiver<Message>) {
        let mut messages = Vec::new();
        while let Ok(message) = receiver.try_recv() {
            messages.push(message);
        }
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
        self.segment.cut(self.offset)?;
        self.shared.checkpointer.sign(&self.frontier)?;
        self.shared.ahead.end()
    }
}
