//! Both engines, held to one suite.
//!
//! Leaves out the gate around them (`tests/counted.rs`).

mod conformance;
mod crash;
mod engines;
mod reference;
