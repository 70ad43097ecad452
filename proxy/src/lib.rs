//! The gate: everything that runs. `request.rs` is the path of a request; the rest serves it.
//!
//! Leaves out every decision (`ordain-rules`), every wire format (`ordain-decode`) and the evidence's form
//! (`ordain-evidence`, `ordain-proof`).

pub mod clock;
pub mod config;
pub mod events;
pub mod fault;
pub mod forward;
pub mod held;
pub mod listen;
pub mod model;
pub mod settings;
pub mod telemetry;
