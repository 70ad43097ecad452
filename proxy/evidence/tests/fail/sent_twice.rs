//! What may be sent may be sent once.

use ordain_action::Digest;
use ordain_evidence::Sendable;

fn send(sendable: Sendable<&'static str>) {
    let held = Digest::of(b"request");
    let _first = sendable.release(&held);
    let _second = sendable.release(&held);
}

fn main() {}
