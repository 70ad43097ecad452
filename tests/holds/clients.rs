//! What clients that others wrote make of a hold: one try, its name and what to do in what they say, and a second try that succeeds.
//!
//! Leaves out what is approved (`mod.rs`).
