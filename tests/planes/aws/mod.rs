//! Amazon Web Services, as its own clients speak to it.

mod clients;
mod denials;
mod sweep;
