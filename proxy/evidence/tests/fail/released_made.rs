//! Nobody says of a request of their own that it came out of the ledger.

use ordain_evidence::{Released, SendableKind};

fn main() {
    let _forged = Released { request: "request", kind: SendableKind::Read };
}
