//! Many attempts on one gate, in every mode: what each is answered, and whether it reached the upstream.
//!
//! Leaves out the attempts themselves.

use std::io::Write as _;

use crate::harness::{Client, Gate, Setup, read_reply};

/// What must become of an attempt in shadow and in warn. In enforce none arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// Never forwarded in any mode: an identity that is not proven, framing, a host, a foreign read.
    Stays,
    /// Forwarded and recorded: who asks is proven, and only what is asked is denied or cannot be read.
    Passes,
    /// Refused and recorded: nobody can tell which service it is for, so that there is no host to send it to, or no
    /// way to see that no credential comes back.
    GoesNowhere,
}

/// One attempt.
pub(super) struct Attempt {
    pub(super) name: &'static str,
    pub(super) elsewhere: Elsewhere,
    pub(super) bytes: Vec<u8>,
}

/// An attempt that no mode forwards.
pub(super) fn stays(name: &'static str, bytes: Vec<u8>) -> Attempt {
    Attempt { name, elsewhere: Elsewhere::Stays, bytes }
}

/// An attempt that shadow and warn forward and record.
pub(super) fn passes(name: &'static str, bytes: Vec<u8>) -> Attempt {
    Attempt { name, elsewhere: Elsewhere::Passes, bytes }
}

/// An attempt that shadow and warn have no place to forward to.
pub(super) fn nowhere(name: &'static str, bytes: Vec<u8>) -> Attempt {
    Attempt { name, elsewhere: Elsewhere::GoesNowhere, bytes }
}

/// Makes every attempt in every mode.
#[track_caller]
pub(super) fn check(setup: impl Fn() -> Setup, attempts: impl Fn(&Gate) -> Vec<Attempt>) {
    let mut offences = Vec::new();
    for mode in ["enforce", "warn", "shadow"] {
        let gate = Gate::start(Setup { mode, ..setup() });
        let client = gate.client("alice");
        for attempt in attempts(&gate) {
            let before = gate.recorder.arrived().len();
            let answer = sent(&client, &attempt.bytes);
            let arrived = gate.recorder.arrived().len() - before;
            let expected = usize::from(mode != "enforce" && attempt.elsewhere == Elsewhere::Passes);
            let status = answer.as_ref().map_or(0, |(status, _)| *status);
            // Who is refused hears why; a connection that is only closed is tried again.
            let heard = if expected == 1 { status == 200 } else { (400..500).contains(&status) };
            if arrived != expected || !heard {
                offences.push(format!("{mode}: {}: {arrived} arrived, {answer:?}", attempt.name));
            }
        }
        gate.finish();
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// Sends bytes as they are; the status and the reason.
pub(super) fn sent(client: &Client, bytes: &[u8]) -> Option<(u16, String)> {
    let mut stream = client.connect().unwrap();
    drop(stream.write_all(bytes));
    let reply = read_reply(&mut stream, bytes.starts_with(b"HEAD ")).ok()?;
    Some((reply.status, reply.reason().to_owned()))
}
