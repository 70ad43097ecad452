//! Nobody but the ledger makes something that may be sent.

use ordain_action::Digest;
use ordain_evidence::{Sendable, SendableKind};

fn main() {
    let _forged = Sendable {
        kind: SendableKind::Admitted,
        digest: Digest::of(b"request"),
        verdict: None,
        request: "request",
        closing: todo!(),
    };
}
