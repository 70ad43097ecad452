//! What could not be recorded is not sent without a shadow scope.

use ordain_evidence::{Sendable, Unrecorded};

fn anyway(unrecorded: Unrecorded<String>) -> Sendable<String> {
    unrecorded.shadow().unwrap()
}

fn main() {}
