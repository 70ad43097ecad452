//! The intent model and the judge: (snapshot, action, counters, now) to verdict.
//!
//! Leaves out files, sockets, tasks and the clock: text comes in, verdicts go out.
#![warn(clippy::wildcard_enum_match_arm, clippy::iter_over_hash_type)]

mod verdict;

pub use verdict::{
    Count, Judged, Mode, Permit, PermitKind, Reach, Reason, Ruling, ShadowScope, Verdict,
};
