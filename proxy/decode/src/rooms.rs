//! The list of rooms, and which of them a request belongs to.
//!
//! Leaves out how a room reads.

use ordain_action::{Plane, Undecodable};

use crate::about::About;
use crate::form::fields::clip;
use crate::room::Claim;
use crate::setup::{RoomsConfig, RoomsError};
use crate::{Head, WayIn, aws, grpc, kubernetes};

/// All rooms.
#[derive(Debug)]
pub struct Rooms {
    aws: aws::Room,
    grpc: grpc::Room,
    kubernetes: kubernetes::Room,
}

impl Rooms {
    /// Sets up every room.
    ///
    /// # Errors
    /// [`RoomsError`].
    pub fn new(mut config: RoomsConfig) -> Result<Self, RoomsError> {
        let kubernetes = kubernetes::Room::new(config.token_key);
        let grpc = grpc::Room::new(config.token_key, std::mem::take(&mut config.grpc))?;
        Ok(Self { aws: aws::Room::new(config)?, grpc, kubernetes })
    }

    /// What each room says of itself.
    #[must_use]
    pub fn about(&self) -> Vec<About> {
        vec![self.aws.about(), self.grpc.about(), kubernetes::Room::about()]
    }

    /// Finds the room a request belongs to, from its head and from what configuration serves where it came to.
    ///
    /// # Errors
    /// No room knows the host, or the head says two things at once.
    pub fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Claim<'r>, Undecodable> {
        match head.plane {
            Some(Plane::Grpc) => return Ok(Claim::grpc(self.grpc.claim(head))),
            Some(Plane::Kubernetes) => return Ok(Claim::kubernetes(self.kubernetes.claim(head))),
            Some(Plane::Aws | Plane::Unknown) | None => {}
        }
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

    /// The plane that a request looks to be of, where nothing but the request is there to say: gRPC, which has a media
    /// type of its own, or one whose path only the Kubernetes API has and that carries no mark of another plane.
    #[must_use]
    pub fn looks_like(&self, head: &Head<'_>) -> Option<Plane> {
        if grpc::is_grpc(head) {
            return Some(Plane::Grpc);
        }
        let path = head.target.split('?').next().unwrap_or_default();
        let signed =
            head.headers.get_all("authorization").iter().any(|value| value.as_bytes().starts_with(b"AWS4-"));
        let marked = signed
            || head.headers.contains_key("x-amz-target")
            || head.target.contains("X-Amz-")
            || aws::is_provider_host(head.host());
        (kubernetes::is_ours(path) && !marked).then_some(Plane::Kubernetes)
    }

    /// What the hosts of all planes whose hosts are known beforehand end in.
    #[must_use]
    pub const fn all_domains() -> &'static [&'static str] {
        &aws::ENDINGS
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
