//! The way there and back: protocols, connections that close, a program that is told to stop, a model that changes.
//!
//! Leaves out large bodies (`way_through.rs`) and clients that vanish (`evidence/`).

mod changing;
mod closing;
mod protocols;
mod shared;
mod throttled;
mod upgrades;
