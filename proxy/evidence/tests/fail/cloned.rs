//! Nothing that stands for a permission can be had twice.

use ordain_evidence::{Closing, Reserved, Sendable};

fn twice(sendable: &Sendable<&'static str>, reserved: &Reserved, closing: &Closing) {
    let _one: Sendable<&'static str> = sendable.clone();
    let _two: Reserved = reserved.clone();
    let _three: Closing = closing.clone();
}

fn main() {}
