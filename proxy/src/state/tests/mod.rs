//! Both engines, held to one suite.
//!
//! Leaves out the gate around them (`tests/counted.rs`).

mod conformance;
mod crash;
pub(crate) mod engines;
mod holds;
mod reference;
