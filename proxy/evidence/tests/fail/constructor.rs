//! The constructor is the ledger's own.

use ordain_action::Digest;
use ordain_evidence::{Closing, Sendable, SendableKind};

fn main() {
    let closing = Closing::of_nothing(None);
    let _forged = Sendable::new(SendableKind::Read, Digest::of(b"request"), None, "request", closing);
}
