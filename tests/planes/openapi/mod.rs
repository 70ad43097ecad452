//! APIs that `OpenAPI` documents describe, behind the gate: servers and clients none of which we wrote.
//!
//! Leaves out how a request is read (the room's own cases).

mod sweep;
