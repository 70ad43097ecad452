//! Requests to control planes, read exactly; denials in their own words.
//!
//! Leaves out rules, evidence, sockets, the clock and logging: bytes in, a [`ordain_action::Call`] out.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod form;
