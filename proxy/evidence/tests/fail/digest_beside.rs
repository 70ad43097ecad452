//! A request that does not say itself what it is does not come out, whatever digest is known of it.

use ordain_evidence::{Released, Sendable};

fn release(sendable: Sendable<String>) -> Released<String> {
    sendable.release().unwrap().0
}

fn main() {}
