//! The room of `OpenAPI`: any API whose operators give its description, and say what its operations do.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** the operation from method and path, and its labels, parameters, headers, and body of JSON or of a
//!   form. What the description does not have is undecodable: a path, a parameter of the query, a body or its media
//!   type.
//! - **Catalogue**: none. An operation of which its operators say nothing is a read where it is a `GET` or `HEAD` and
//!   its name only reads too (`verb.rs`), and else a change to the whole API.
//! - **Denies as** the description says that errors are: by the member that the API's own clients show; else as RFC
//!   9457.
//! - **Absent on purpose**: other files that a description refers to; labels with an escaped slash; bodies that are
//!   neither JSON nor a form, which pass unread; streams of which nothing is said; callbacks and webhooks.
//!
//! Sources: the `OpenAPI` Specification 3.1, the Swagger specification 2.0, RFC 9457.

mod api;
mod call;
mod claim;
mod deny;
mod document;
mod form;
mod operation;
mod path;
mod schema;
mod secret;
mod verb;

#[cfg(test)]
pub(crate) mod garage;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ordain_action::{Plane, Undecodable};

use crate::Head;
use crate::about::About;
use crate::described::Served;
use crate::room::{Card, Claimed};
use crate::setup::{RoomsConfig, RoomsError};
use crate::tokens::Tokens;
use api::Api;
use claim::Claim;

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
    /// The description of an API cannot be read, or what is said of its operations does not fit it.
    pub(crate) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        let apis =
            Served::new(config.openapi.iter().map(|api| (api.upstream.clone(), Api::new(api.clone()))))?;
        Ok(Self { tokens: Tokens::new(config.token_key), apis })
    }

    /// The API that a request came to: that of its upstream, or the only one there is.
    fn api(&self, upstream: Option<&str>) -> Result<(&str, &Api), Undecodable> {
        self.apis.at(upstream).ok_or_else(|| {
            Undecodable::new(
                "unknown_api",
                "nothing says which of the described APIs is meant, or it is not served here; send it to the API's own name",
            )
        })
    }
}

impl crate::room::Room for Room {
    fn about(&self) -> About {
        About {
            plane: Plane::Openapi,
            reads: "the operations of each API, by its OpenAPI 3 or Swagger 2 description",
            known: vec![
                (self.apis.len(), "APIs"),
                (self.apis.sum(Api::operations), "operations"),
                (self.apis.sum(Api::unsaid), "of which nothing is said: each a change to its whole API"),
            ],
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "other files that a description refers to",
                "labels with an escaped slash",
                "bodies that are neither JSON nor a form: they pass unread",
                "streams of which nothing is said",
            ],
        }
    }

    fn notes(&self) -> Vec<String> {
        let unsaid = self.apis.iter().map(|(name, api)| (name, api.unsaid())).filter(|(_, count)| *count > 0);
        let note = |(name, count)| {
            format!(
                "of {count} operations of `{name}` nothing is said: each is taken for a change to all of it; say what they do in its file of methods"
            )
        };
        unsaid.map(note).collect()
    }

    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable> {
        Ok(Arc::new(Claim::make(self, head)))
    }
}
