//! What all clones of a ledger share, and the words for its entries.
//!
//! Leaves out what is done with it (`ledger`, `sendable`).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use crate::settings::LedgerSettings;
use crate::storage::Storage;
use crate::writer::{Queue, Shared};

/// An entry's place in the ledger, from zero. Entry zero is always the ledger's own first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(pub u64);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something could not be made durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; start the program again once the cause is removed, and the ledger is verified")]
pub struct NotRecorded(pub(crate) String);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) queue: Queue,
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: LedgerSettings,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) slots: Arc<Semaphore>,
    /// Tunnels stand for long, and must not take the slots of decisions.
    pub(crate) tunnels: Arc<Semaphore>,
    pub(crate) counts: Counts,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) reads: AtomicU64,
    pub(crate) passed_through: AtomicU64,
    pub(crate) coalesced: AtomicU64,
    pub(crate) unrecorded: AtomicU64,
    pub(crate) tunnels: AtomicU64,
}
