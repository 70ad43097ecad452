//! The room of the Model Context Protocol: servers of tools, over streamable HTTP.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** every message of JSON-RPC that the protocol has, alone or in a batch. A tool that is called is an effect of its
//!   own, with its arguments: a read only where the operator says so *and* the tool itself is annotated as one that only
//!   reads, in the list that the operator keeps of it. What a server says of itself while it runs is not believed.
//! - **Catalogue**: none. A tool of which nothing is said may do anything to the whole server.
//! - **Denies as** an error of JSON-RPC under the message's own id, which clients hand to whoever called the tool.
//! - **Absent on purpose**: stdio, the older transport of two addresses, answers (what a tool gives back, passes unread), what
//!   a server asks of its client.
//!
//! Sources: the Model Context Protocol, revisions 2025-03-26, 2025-06-18 and 2025-11-25; JSON-RPC 2.0.

mod call;
mod claim;
mod deny;
mod message;
mod tools;

#[cfg(test)]
pub(crate) mod desk;

use std::sync::Arc;

use ordain_action::{Plane, Undecodable};

use crate::Head;
use crate::about::About;
use crate::described::Served;
use crate::room::{Card, Claimed};
use crate::setup::{RoomsConfig, RoomsError};
use crate::tokens::Tokens;
use claim::Claim;
use tools::Server;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card::PLAIN;

/// The room and what it was set up with.
#[derive(Debug)]
pub(crate) struct Room {
    tokens: Tokens,
    servers: Served<Server>,
}

impl Room {
    /// Sets the room up.
    ///
    /// # Errors
    /// What is said of a server's tools does not fit the list of them.
    pub(crate) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        let servers =
            Served::new(config.mcp.iter().map(|server| (server.upstream.clone(), Server::new(server))))?;
        Ok(Self { tokens: Tokens::new(config.token_key), servers })
    }

    /// The server that a request came to: that of its upstream, or the only one there is.
    fn server(&self, upstream: Option<&str>) -> Result<(&str, &Server), Undecodable> {
        self.servers.at(upstream).ok_or_else(|| {
            Undecodable::new(
                "unknown_api",
                "nothing says which server of tools is meant, or it is not served here; send it to the server's own name",
            )
        })
    }
}

impl crate::room::Room for Room {
    fn about(&self) -> About {
        About {
            plane: Plane::Mcp,
            reads: "every message of the Model Context Protocol over streamable HTTP, batches too",
            known: vec![
                (self.servers.len(), "servers"),
                (self.servers.sum(Server::said), "tools of which something is said"),
            ],
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "stdio, and the older transport of two addresses",
                "what a tool gives back",
                "what a server asks of its client",
            ],
        }
    }

    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable> {
        Ok(Arc::new(Claim::make(self, head)))
    }
}
