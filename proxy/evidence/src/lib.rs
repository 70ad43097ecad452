//! The ledger: a verdict becomes a durable record, and only then a request that may be sent.
//!
//! Leaves out the evidence's form (`ordain-proof`), why something is refused (`ordain-rules`), and every
//! socket: what is sent, and how, is not known here.
#![warn(clippy::wildcard_enum_match_arm, clippy::iter_over_hash_type)]

mod ledger;
mod sendable;

mod ahead;
mod attempts;
mod checkpoint;
mod checkpointer;
mod durable;
mod inner;
mod own_change;
mod reader;
mod settings;
mod start;
mod storage;
mod tunnel;
mod writer;

pub use durable::{Decision, Digests, HeadSummary, Recalled, Terms, says};
pub use inner::{NotRecorded, Sequence};
pub use ledger::{Ledger, LedgerStatus};
pub use own_change::{ChangeKind, OwnChange};
pub use reader::{Ending, Filter, Found, Kept, ReadError, Reader, may_create};
pub use sendable::{
    Closing, Digested, Mismatch, Recorded, Refused, Released, Reservation, Reserved, Sendable, SendableKind,
    Unrecorded, WrongPermit,
};
pub use settings::{AttemptRate, Clock, LedgerSettings};
pub use start::OpenError;
pub use storage::{FileStorage, Segment, Storage};
pub use tunnel::{Opening, TunnelOpened};
