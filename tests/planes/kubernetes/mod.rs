//! The Kubernetes API, as its own clients speak to it.

mod cluster;
mod streams;
mod sweep;
