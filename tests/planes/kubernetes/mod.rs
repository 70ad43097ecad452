//! The Kubernetes API, as its own clients speak to it.

pub(crate) mod cluster;
mod real;
mod streams;
mod sweep;
