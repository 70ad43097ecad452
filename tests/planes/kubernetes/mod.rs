//! The Kubernetes API, as its own clients speak to it.

mod sweep;
