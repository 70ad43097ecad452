//! The Kubernetes API, as its own clients speak to it.

pub(crate) mod cluster;
mod mcp;
mod real;
mod real_clients;
mod secrets;
mod streams;
mod sweep;
