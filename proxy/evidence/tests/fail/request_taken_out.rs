//! The request cannot be had without the comparison of digests.

use ordain_evidence::Sendable;

fn peek(sendable: Sendable<String>) -> String {
    sendable.request
}

fn main() {}
