//! What may be sent may be sent once.

use ordain_action::Digest;
use ordain_evidence::{Digested, Sendable};

struct Request;

impl Digested for Request {
    fn digest(&self) -> Digest {
        Digest::of(b"request")
    }
}

fn send(sendable: Sendable<Request>) {
    let _first = sendable.release();
    let _second = sendable.release();
}

fn main() {}
