//! The list of rooms, and which of them a request belongs to.
//!
//! Leaves out how a room reads.

use ordain_action::Undecodable;

use crate::form::fields::clip;
use crate::room::Claim;
use crate::setup::{RoomsConfig, RoomsError};
use crate::{Head, WayIn, aws};

/// All rooms.
#[derive(Debug)]
pub struct Rooms {
    aws: aws::Room,
}

impl Rooms {
    /// Sets up every room.
    ///
    /// # Errors
    /// [`RoomsError`].
    pub fn new(config: RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self { aws: aws::Room::new(config)? })
    }

    /// Finds the room a request belongs to, from its head alone.
    ///
    /// # Errors
    /// No room knows the host, or the head says two things at once.
    pub fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Claim<'r>, Undecodable> {
        // Before anybody is asked to sign for it: no room serves it, whoever asks.
        if head.way_in == WayIn::Egress && !aws::is_provider_host(head.host()) {
            return Err(Undecodable::new(
                "unknown_host",
                format!("`{}` is no control plane's host that this gate knows", clip(head.host())),
            ));
        }
        self.aws.claim(head).map(Claim::aws)
    }

    /// How a request to that host is to be taken where nothing else says: by the host, when it is a provider's.
    #[must_use]
    pub fn way_in(&self, host: &str) -> WayIn {
        if aws::is_provider_host(host) { WayIn::Egress } else { WayIn::Reverse }
    }

    /// What the hosts of all planes end in: a name that ends otherwise belongs to none of them.
    #[must_use]
    pub fn domains(&self) -> Vec<&'static str> {
        aws::ENDINGS.to_vec()
    }

    #[cfg(test)]
    pub(crate) fn unsigned_services_not_asked(&self) -> Vec<String> {
        self.aws.unsigned_services_not_asked()
    }

    /// The digest of all catalogues, overlays included: a record carries it.
    #[must_use]
    pub fn catalog_digest(&self) -> &str {
        self.aws.catalog_digest()
    }
}
