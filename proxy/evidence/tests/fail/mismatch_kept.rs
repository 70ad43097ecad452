//! A request that is not the one judged does not come back out.

use ordain_action::Digest;
use ordain_evidence::Sendable;

fn anyway(sendable: Sendable<String>) -> String {
    match sendable.release(&Digest::of(b"another")) {
        Ok((request, _)) => request,
        Err(mismatch) => mismatch.request,
    }
}

fn main() {}
