//! The Kubernetes API, as its own clients speak to it.

mod cluster;
mod real;
mod streams;
mod sweep;
