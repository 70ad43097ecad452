//! The intent model and the judge: (snapshot, action, counters, now) to verdict.
//!
//! Leaves out files, sockets, tasks and the clock: text comes in, verdicts go out.
#![warn(clippy::wildcard_enum_match_arm, clippy::iter_over_hash_type)]

mod judge;
mod verdict;

pub mod hold;
pub mod import;
pub mod portrait;

mod approval;
mod azure;
mod blast;
mod blueprint;
mod budget;
mod calendar;
mod change;
mod counters;
mod facts;
mod glob;
mod grants;

mod inventory;
mod kubernetes;
mod limits;
mod live;
mod model;
mod modes;
mod owner;
mod policy;
mod read_scope;
mod refusal;
mod resolve;
mod slice;

pub use approval::{Approval, hold_statement, statement};
pub use blueprint::BlueprintFact;
pub use blueprint::library::{LIBRARY, LibraryEntry};
pub use budget::BudgetFigures;
pub use calendar::{Planned, PlannedKind};
pub use change::{CallFact, ChangeFact, ItemFact};
pub use counters::{Charge, Counted, CounterKey, CounterNeeds, Counters, Use, Used};
pub use hold::{Answered, Endorsement, Granted, Proof, Question, Waits};
pub use inventory::Provenance;
pub use judge::{hands_over_authority, judge, needs, open, reach, reach_of_deleting, read};
pub use live::{CarriedOut, LiveFact, LiveInventory, created_by};
pub use model::{
    Fact, Finding, Problem, Relation, RuleFact, Snapshot, Source, Summary, nearest, without_change,
    without_freeze, yaml_problem,
};
pub use modes::Modes;
pub use read_scope::ReadScope;
pub use verdict::{
    Count, Judged, Mode, Permit, PermitKind, Reach, ReachPath, ReachShare, Reason, Ruling, ShadowScope,
    Verdict,
};
