//! A request that is not the one judged does not come back out.

use ordain_action::Digest;
use ordain_evidence::{Digested, Sendable};

struct Request;

impl Digested for Request {
    fn digest(&self) -> Digest {
        Digest::of(b"another")
    }
}

fn anyway(sendable: Sendable<Request>) -> Request {
    match sendable.release() {
        Ok((request, _)) => request.send(),
        Err(mismatch) => mismatch.request,
    }
}

fn main() {}
