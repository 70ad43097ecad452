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

pub(crate) use claim::Claim;
pub(crate) use deny::{refusal, warn};
pub(crate) use path::is_ours;
pub use withheld::Withholding;

use ordain_action::Plane;
use ordain_catalog::{ClusterKind, messages};

use crate::Head;
use crate::about::About;
use crate::tokens::Tokens;

/// The room and what it was set up with.
#[derive(Debug)]
pub(crate) struct Room {
    tokens: Tokens,
}

impl Room {
    /// Sets the room up.
    pub(crate) fn new(token_key: [u8; 32]) -> Self {
        Self { tokens: Tokens::new(token_key) }
    }

    /// What is read here.
    pub(crate) fn about() -> About {
        About {
            plane: Plane::Kubernetes,
            reads: "every group, verb and subresource; bodies in JSON, YAML, CBOR, patches and protobuf",
            known: vec![(ClusterKind::all().len(), "kinds"), (messages().kinds(), "kinds in protobuf")],
            sources: ordain_catalog::KUBERNETES_SOURCES,
            absent: &[
                "what is said inside of streams",
                "what the server itself defaults or merges",
                "protobuf of custom kinds beyond name and labels",
                "what an operator makes of a custom resource, but for the authority that its members name",
            ],
        }
    }

    /// Claims a request, from its head alone.
    pub(crate) fn claim(&self, head: &Head<'_>) -> Claim<'_> {
        Claim::make(self, head)
    }
}
