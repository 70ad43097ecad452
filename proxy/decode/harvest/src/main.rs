//! Vendor API models to catalogue data.
fn main() {}
