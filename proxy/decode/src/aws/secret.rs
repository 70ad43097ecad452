//! Which parameters of this plane are secrets.
//!
//! Leaves out what becomes of them (`tokens.rs`).

use ordain_catalog::{Location, Operation, Protocol};

use crate::tokens::looks_secret;

/// Whether what stands there is a secret: by the vendor's model, or by its name.
pub(super) fn is_secret(operation: &Operation, protocol: Protocol, location: Location, path: &str) -> bool {
    operation.is_sensitive(protocol, location, path) || looks_secret(path)
}
