//! What tests from outside share: the program as a child process, an upstream that records, signed requests.
//!
//! Leaves out what any one test asks.

mod client;
mod gate;
mod invariant;
mod ledger;
mod postgres;
mod recorder;
pub(crate) mod self_signed;
mod signer;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) use client::{Client, Key, Reply, Sent, now, read_reply, sha256};
pub(crate) use gate::{Gate, Setup, a_change, create_key, eventually, said};
pub(crate) use ledger::Entry;
pub(crate) use postgres::PostgresServer;
pub(crate) use recorder::{Answer, Arrived, Recorder};
pub(crate) use signer::Craft;

/// What `tests/run` says of the servers and programs it started or found.
#[expect(clippy::disallowed_methods, reason = "the one place of the tests that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What a variable names, which is a program or a folder of them; none where it is not installed, which is said.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from).or_else(|| skipped(&format!("what `{name}` names")))
}

/// Nothing, and a line that says so: a test without what it needs would look like one that went well. `tests/run` tells all
/// of them at its end, from the file that `ORDAIN_TEST_SKIPPED` names.
pub(crate) fn skipped<T>(what: &str) -> Option<T> {
    eprintln!("skipped: {what} is not to be had here");
    if let Some(file) = variable("ORDAIN_TEST_SKIPPED") {
        let line = format!("{}: {what}\n", std::thread::current().name().unwrap_or("a test"));
        let told = OpenOptions::new().append(true).create(true).open(&file);
        told.and_then(|mut told| told.write_all(line.as_bytes())).unwrap();
    }
    None
}

/// The long variants are asked for.
pub(crate) fn full() -> bool {
    variable("ORDAIN_TEST_FULL").as_deref() == Some("yes")
}
