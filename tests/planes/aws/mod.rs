//! Amazon Web Services, as its own clients speak to it.

pub(crate) mod clients;
mod denials;
mod http2;
mod stacks;
mod sweep;
mod templates;
