//! A permit comes from the judge, not from who wants one.

use ordain_action::Digest;
use ordain_rules::{Permit, PermitKind};

fn main() {
    let _forged = Permit::new(PermitKind::Admitted, Digest::of(b"request"));
}
