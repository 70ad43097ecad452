//! How a ledger is kept.
//!
//! Leaves out where: the storage says that.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Where the ledger takes its time from. It is handed in, so that tests and replays can set it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    /// A clock from what tells the time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// How many refusals of one actor are entries of their own.
#[derive(Debug, Clone, Copy)]
pub struct AttemptRate {
    /// So many at once.
    pub burst: u32,
    /// So many a second after that; the rest are counted into one entry.
    pub per_second: u32,
    /// Counted refusals become an entry after so long at the latest.
    pub at_latest: Duration,
}

impl Default for AttemptRate {
    fn default() -> Self {
        Self { burst: 100, per_second: 10, at_latest: Duration::from_secs(10) }
    }
}

/// How a ledger is kept.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// The ledger's name in its checkpoints, for example `gate-1.example.com/ordain`.
    pub origin: String,
    /// What tells the time of outcomes and of the ledger's own entries.
    pub clock: Clock,
    /// The program's version and the digest it runs as, for the entry that says it started.
    pub program: String,
    /// The signing key (PKCS#8) where the caller keeps it; with none, it is made and kept beside the
    /// segments.
    pub key: Option<Vec<u8>>,
    /// The size to which a segment is filled with zeros ahead.
    pub segment_bytes: u64,
    /// A checkpoint is signed so long after an entry at the latest.
    pub checkpoint_every: Duration,
    /// So many decisions may wait for their outcome at once; more wait to be recorded.
    pub open_decisions: u32,
    /// So many tunnels may stand at once; more are not recorded, and so not opened.
    pub open_tunnels: u32,
    /// How many refusals of one actor are entries of their own.
    pub attempts: AttemptRate,
}

impl LedgerSettings {
    /// The settings that fit most gates.
    #[must_use]
    pub fn new(origin: impl Into<String>, clock: Clock) -> Self {
        Self {
            origin: origin.into(),
            clock,
            program: String::new(),
            key: None,
            segment_bytes: 16 * 1024 * 1024,
            checkpoint_every: Duration::from_secs(1),
            open_decisions: 16_384,
            open_tunnels: 16_384,
            attempts: AttemptRate::default(),
        }
    }
}
