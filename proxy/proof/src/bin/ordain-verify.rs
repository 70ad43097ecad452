//! The offline verifier.
fn main() {}
