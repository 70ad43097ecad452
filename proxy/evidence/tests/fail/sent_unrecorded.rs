//! Whoever sends takes what may be sent, not a request.

use ordain_evidence::Sendable;

struct Request;

fn forward(_sendable: Sendable<Request>) {}

fn main() {
    forward(Request);
}
