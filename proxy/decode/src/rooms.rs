//! The list of rooms, and which of them a request belongs to.
//!
//! Leaves out how a room reads.

use ordain_action::{Digest, Plane, Undecodable};

use crate::about::About;
use crate::form::fields::clip;
use crate::room::{Card, Claim, Room};
use crate::setup::{RoomsConfig, RoomsError};
use crate::{Head, WayIn};

/// All rooms.
#[derive(Debug)]
pub struct Rooms {
    // In the order of their planes.
    all: Vec<(Plane, Box<dyn Room>)>,
    catalog_digest: String,
}

/// One line a room: its plane, and its module, which has a `Room` and a `CARD`.
macro_rules! rooms {
    ($($plane:ident $module:ident),* $(,)?) => {
        fn room(plane: Plane, config: &RoomsConfig) -> Result<Box<dyn Room>, RoomsError> {
            Ok(match plane {
                $(Plane::$plane => Box::new(crate::$module::Room::new(config)?),)*
            })
        }

        /// What is known of a plane without its room being set up.
        #[must_use]
        pub const fn card(plane: Plane) -> Card {
            match plane {
                $(Plane::$plane => crate::$module::CARD,)*
            }
        }
    };
}

rooms! {
    Aws aws,
    Azure azure,
    Gcp gcp,
    GitHub github,
    Graph graph,
    Grpc grpc,
    Keycloak keycloak,
    Kubernetes kubernetes,
    Mcp mcp,
    Okta okta,
    Openapi openapi,
    Openstack openstack,
    Panos panos,
    Redfish redfish,
    Restconf restconf,
    Scim scim,
    Unknown unknown,
    Vault vault,
    Vsphere vsphere,
}

impl Rooms {
    /// Sets up every room.
    ///
    /// # Errors
    /// [`RoomsError`].
    pub fn new(config: RoomsConfig) -> Result<Self, RoomsError> {
        let mut all = Vec::with_capacity(Plane::ALL.len());
        for plane in Plane::ALL {
            all.push((*plane, room(*plane, &config)?));
        }
        let digests: Vec<&str> = all.iter().filter_map(|(_, room)| room.catalog_digest()).collect();
        let catalog_digest = match digests.as_slice() {
            [only] => (*only).to_owned(),
            several => Digest::of(several.join("\n").as_bytes()).to_hex(),
        };
        Ok(Self { all, catalog_digest })
    }

    fn of(&self, plane: Plane) -> Option<&dyn Room> {
        self.all.iter().find(|(of, _)| *of == plane).map(|(_, room)| &**room)
    }

    /// What each room says of itself.
    #[must_use]
    pub fn about(&self) -> Vec<About> {
        self.all.iter().map(|(_, room)| room.about()).collect()
    }

    /// What each room has to tell at start, one line each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.all.iter().flat_map(|(_, room)| room.notes()).collect()
    }

    /// Finds the room a request belongs to, from its head and from what configuration serves where it came to.
    ///
    /// # Errors
    /// No room knows the host, or the head says two things at once.
    pub fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Claim<'r>, Undecodable> {
        let by_host = || Self::of_host(head.host()).filter(|_| head.way_in == WayIn::Egress);
        let plane = match head.plane.or_else(by_host) {
            Some(plane) => plane,
            // Before anybody is asked to sign for it: no room serves it, whoever asks.
            None if head.way_in == WayIn::Egress => {
                return Err(Undecodable::new(
                    "unknown_host",
                    format!("`{}` is no control plane's host that this gate knows", clip(head.host())),
                ));
            }
            // What is signed says itself what it is for.
            None => Plane::Aws,
        };
        let room = self.of(plane).ok_or_else(|| {
            Undecodable::new("unknown_plane", "no room reads what is served here; tell the operator")
        })?;
        Ok(Claim::new(plane, room.claim(head)?))
    }

    /// The plane whose provider's host that is.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Plane> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_in = |domain: &&str| {
            host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        Plane::ALL.iter().copied().find(|plane| card(*plane).domains.iter().any(is_in))
    }

    /// How a request to that host is to be taken where nothing else says: by the host, when it is a provider's.
    #[must_use]
    pub fn way_in(host: &str) -> WayIn {
        if Self::of_host(host).is_some() { WayIn::Egress } else { WayIn::Reverse }
    }

    /// The plane that a request looks to be of, where nothing but the request is there to say: one that has something no
    /// other plane has, and no mark of another.
    #[must_use]
    pub fn looks_like(&self, head: &Head<'_>) -> Option<Plane> {
        let mut like = self.all.iter().filter(|(_, room)| room.looks_like(head));
        let first = like.next().map(|(plane, _)| *plane)?;
        like.next().is_none().then_some(first)
    }

    /// What the hosts of all planes end in whose hosts are known beforehand: a name that ends otherwise belongs to none
    /// of them.
    #[must_use]
    pub fn domains() -> Vec<&'static str> {
        Plane::ALL.iter().flat_map(|plane| card(*plane).domains).copied().collect()
    }

    #[cfg(test)]
    pub(crate) fn unsigned_services_not_asked() -> Vec<String> {
        crate::aws::Room::new(&RoomsConfig::default())
            .map_or_else(|error| vec![error.to_string()], |room| room.unsigned_services_not_asked())
    }

    /// The digest of all catalogues, overlays included: a record carries it.
    #[must_use]
    pub fn catalog_digest(&self) -> &str {
        &self.catalog_digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_harvested_has_a_digest() {
        let rooms = Rooms::new(RoomsConfig::default()).unwrap();
        let without = rooms
            .all
            .iter()
            .filter(|(_, room)| !room.about().sources.is_empty() && room.catalog_digest().is_none());
        let without: Vec<Plane> = without.map(|(plane, _)| *plane).collect();
        // The kinds and messages of clusters have none yet.
        assert_eq!(without, [Plane::Kubernetes]);
    }
}
