//! The AWS room.
//!
//! - **Claims** every request signed with SigV4 (header or query), carrying an `X-Amz-Target`, a Smithy RPC path or
//!   an action, or sent to a host of the provider.
//! - **Reads** query, EC2 query, JSON 1.0 and 1.1, REST JSON, REST XML and Smithy RPC v2 CBOR.
//! - **Catalogue**: `proxy/catalog/aws`, generated from the vendor's own models.
//! - **Denies as** each protocol's own error (`deny.rs`).
//! - **Absent on purpose**: checking signatures (`ordain-sigv4`), S3 browser POST forms, event streams that go both
//!   ways, S3 Object Lambda's own hosts.

mod claim;
mod deny;
mod marker;

use ordain_action::Undecodable;

pub(crate) use claim::Claim;

use crate::Head;
use crate::rooms::{RoomsConfig, RoomsError};

/// The room and what it was set up with.
#[derive(Debug)]
pub(crate) struct Room {
    config: RoomsConfig,
}

impl Room {
    /// Sets the room up.
    pub(crate) fn new(config: RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self { config })
    }

    /// Claims a request, from its head alone.
    pub(crate) fn claim(&self, head: &Head<'_>) -> Result<Claim<'_>, Undecodable> {
        Claim::make(self, head)
    }
}
