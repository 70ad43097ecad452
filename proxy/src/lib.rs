//! The gate: everything that runs. `request.rs` is the path of a request; the rest serves it.
//!
//! Leaves out every decision (`ordain-rules`), every wire format (`ordain-decode`) and the evidence's form
//! (`ordain-evidence`, `ordain-proof`).

pub mod cli;

pub mod config;
pub mod files;
pub mod settings;

pub mod egress;
pub mod gate;
pub mod listen;
pub mod request;
pub mod way;

mod again;
pub mod bound;
pub mod head;
pub mod held;
pub mod holds;
pub mod identity;
pub mod model;
pub mod state;
pub mod throttle;

pub mod answer;
pub mod api;
pub mod census;
pub mod chain;
pub mod change;
pub mod forward;
pub mod front;
pub mod hop;
pub mod machine;
pub mod named;
pub mod outcome;
pub mod outgoing;
pub mod payload;
pub mod place;
pub mod reply;
pub mod shown;
pub mod stream;
pub mod withheld;

pub mod exchange;
pub mod issued;
pub mod keeping;
pub mod keys;
pub mod leads;
pub mod upstream;

#[cfg(target_os = "linux")]
pub mod isolate;

pub mod admin;
pub mod own;
pub mod people;
pub mod reload;
pub mod replay;

pub mod clock;
pub mod events;
pub mod fault;
pub mod memory;
pub mod telemetry;

#[cfg(test)]
#[path = "../../tests/harness/self_signed.rs"]
mod self_signed;

#[cfg(test)]
#[path = "../../tests/harness/postgres.rs"]
mod postgres_server;
