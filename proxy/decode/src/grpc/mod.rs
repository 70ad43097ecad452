//! The room of gRPC: any API whose operators give its descriptors and say what its methods do.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** the method from the path, and of a call that sends one message all of its fields, by the descriptors
//!   (`message.rs`). A call that sends a stream of them is judged by its method alone, before the first one.
//! - **Catalogue**: none. What the descriptors do not have is undecodable; a method of which its operators say nothing
//!   is a change to the whole API. Health checks and reflection are the same everywhere, and reads.
//! - **Denies as** a status in a head without a body, which every client of gRPC raises as its own error (`deny.rs`).
//! - **Absent on purpose**: gRPC-Web; JSON in place of protobuf; metadata, which passes as it is; what is said inside
//!   of streams.
//!
//! Sources: `PROTOCOL-HTTP2.md` of the gRPC project, the encoding guide of Protocol Buffers.

pub(crate) mod answer;
mod api;
mod call;
mod claim;
pub(crate) mod deny;
pub(crate) mod frame;
pub(crate) mod message;

#[cfg(test)]
pub(crate) mod shop;
#[cfg(test)]
mod tests;

use claim::Claim;
pub(crate) use claim::is_grpc;
pub(crate) use deny::refusal;

use std::sync::Arc;

use ordain_action::{Plane, Undecodable};

use crate::Head;
use crate::about::About;
use crate::described::Served;
use crate::room::{Card, Claimed};
use crate::setup::{RoomsConfig, RoomsError};
use crate::tokens::Tokens;
use api::Api;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card::PLAIN;

/// The room and what it was set up with.
#[derive(Debug)]
pub(crate) struct Room {
    tokens: Tokens,
    apis: Served<Api>,
}

impl Room {
    /// Sets the room up.
    ///
    /// # Errors
    /// The descriptors of an API cannot be read, or what is said of its methods does not fit them.
    pub(crate) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        let apis = Served::new(config.grpc.iter().map(|api| (api.upstream.clone(), Api::new(api.clone()))))?;
        Ok(Self { tokens: Tokens::new(config.token_key), apis })
    }

    /// The API that a request came to: that of its upstream, or the only one there is.
    fn api(&self, upstream: Option<&str>) -> Result<(&str, &Api), Undecodable> {
        self.apis.at(upstream).ok_or_else(|| {
            Undecodable::new(
                "unknown_api",
                "nothing says which API over gRPC is meant, or it is not served here; send it to the API's own name",
            )
        })
    }
}

impl crate::room::Room for Room {
    fn about(&self) -> About {
        About {
            plane: Plane::Grpc,
            reads: "unary calls and streams, by the descriptors of each API",
            known: vec![(self.apis.len(), "APIs"), (self.apis.sum(Api::methods), "methods")],
            sources: "",
            page: include_str!("README.md"),
            absent: &["gRPC-Web", "JSON in place of protobuf", "what is said inside of streams"],
        }
    }

    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable> {
        Ok(Arc::new(Claim::make(self, head)))
    }

    /// It has a media type of its own.
    fn looks_like(&self, head: &Head<'_>) -> bool {
        claim::is_grpc(head)
    }
}
