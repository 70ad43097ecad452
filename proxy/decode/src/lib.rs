//! Requests to control planes, read exactly; denials in their own words.
//!
//! Leaves out rules, evidence, sockets, the clock and logging: bytes in, a [`ordain_action::Call`] out.
#![warn(clippy::wildcard_enum_match_arm)]

mod answer;
mod aws;
pub mod form;
mod head;
pub mod line;
mod room;
mod rooms;

pub use answer::{AnswerHead, MintedCredentials, Replacement};
pub use head::{Head, WayIn};
pub use room::{AnswerRead, Claim, Destination, NativeResponse, Needs};
pub use rooms::{Rooms, RoomsConfig, RoomsError};

#[cfg(test)]
mod compliance;
