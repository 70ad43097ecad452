//! No tunnel without its opening on record: the ledger alone makes what bytes are passed on with.

use ordain_evidence::{Opening, TunnelOpened};

fn unrecorded(opening: Opening) -> TunnelOpened {
    TunnelOpened { owed: None, opening, sent: 0.into(), received: 0.into() }
}

fn main() {}
