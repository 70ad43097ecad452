//! Raw sockets in, answers out: a small service behind a real listener.

mod framing;
mod harness;
