//! The Kubernetes room.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane: nothing in a head tells a
//!   cluster from any other HTTP server.
//! - **Reads** the paths, verbs and subresources of the API for every group, custom and aggregated ones too; bodies
//!   in JSON, YAML, CBOR and all patch types, and in protobuf: in full for built-in kinds, else as far as the
//!   object's name, labels and annotations.
//! - **Catalogue**: the messages of protobuf; what every cluster serves; the grammar says the rest.
//! - **Withholds** from answers what the cluster takes for a credential: tokens in secrets, certificates of clients
//!   (`withheld.rs`).
//! - **Denies as** a `Status` object with `reason: Forbidden` (`deny.rs`).
//! - **Absent on purpose**: what the server itself defaults or merges; cascades, which are the judge's; what is said
//!   inside of streams; what an operator makes of a custom resource, but for the authority that its members name.

mod answer;
mod authority;
mod call;
mod claim;
mod class;
mod content;
mod deny;
mod patch;
mod path;
mod pieces;
mod protobuf;
mod request;
mod resource;
mod secret;
mod time;
mod typed;
#[cfg(test)]
mod typed_tests;
mod withheld;

use claim::Claim;
pub(crate) use deny::refusal;
pub use withheld::Withholding;

use std::sync::Arc;

use ordain_action::{Plane, Undecodable};
use ordain_catalog::{ClusterKind, messages};

use crate::Head;
use crate::about::About;
use crate::room::{Card, Claimed};
use crate::rooms::Rooms;
use crate::setup::{RoomsConfig, RoomsError};
use crate::tokens::Tokens;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card::PLAIN;

/// The room and what it was set up with.
#[derive(Debug)]
pub(crate) struct Room {
    tokens: Tokens,
}

impl Room {
    /// Sets the room up.
    ///
    /// # Errors
    /// None: it takes no files.
    #[expect(clippy::unnecessary_wraps, reason = "all rooms are set up in the same way")]
    pub(crate) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self { tokens: Tokens::new(config.token_key) })
    }
}

impl crate::room::Room for Room {
    fn about(&self) -> About {
        About {
            plane: Plane::Kubernetes,
            reads: "every group, verb and subresource; bodies in JSON, YAML, CBOR, patches and protobuf",
            known: vec![(ClusterKind::all().len(), "kinds"), (messages().kinds(), "kinds in protobuf")],
            sources: ordain_catalog::KUBERNETES_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "what is said inside of streams",
                "what the server itself defaults or merges",
                "protobuf of custom kinds beyond name and labels",
                "what an operator makes of a custom resource, but for the authority that its members name",
            ],
        }
    }

    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable> {
        Ok(Arc::new(Claim::make(self, head)))
    }

    /// Its path is one that only this API has, and it carries no mark of another plane.
    fn looks_like(&self, head: &Head<'_>) -> bool {
        let path = head.target.split('?').next().unwrap_or_default();
        let signed =
            head.headers.get_all("authorization").iter().any(|value| value.as_bytes().starts_with(b"AWS4-"));
        let marked = signed
            || head.headers.contains_key("x-amz-target")
            || head.target.contains("X-Amz-")
            || Rooms::of_host(head.host()).is_some();
        path::is_ours(path) && !marked
    }
}
