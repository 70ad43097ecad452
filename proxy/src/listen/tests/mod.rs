//! Raw sockets in, answers out: a small service behind a real listener.

mod bodies;
#[path = "../../../../tests/attacks/case.rs"]
mod case;
mod cases;
mod clients;
mod differential;
mod egress;
mod framing;
mod harness;
mod http2;
mod leaving;
mod timing;
mod tls;
