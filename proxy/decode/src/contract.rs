//! What a room says to the gate: how much of a request it needs, where a call goes, what the caller is answered.
//!
//! Leaves out the room (`room.rs`) and what it reads of an answer (`answer.rs`).

use http::HeaderMap;

/// How much of a request has to be in hand before it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The head says all. A body, if there is one, must be empty or does not matter.
    Nothing,
    /// The whole body, up to a cap.
    Held {
        /// The largest body that is held, in bytes.
        cap: u64,
    },
    /// Judged on the head and the declared hash; the body streams.
    Payload,
    /// Judged on the head. What follows it is a conversation, which goes on for as long as either side likes.
    Stream,
}

/// Which of a plane's APIs a request is for, where each has credentials of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Api {
    /// The one that most planes have, and the first of others.
    #[default]
    Main,
    /// The Automation API of vSphere, of which a session of vim25 is none.
    Automation,
}

/// Which places of an answer hold addresses that the plane's clients follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leads {
    /// Headers, in lower case: an address, or several in angle brackets (RFC 8288).
    pub headers: &'static [&'static str],
    /// Members of JSON, wherever they stand.
    pub members: &'static [&'static str],
}

impl Leads {
    /// Nothing leads anywhere, or only by paths.
    pub const NONE: Self = Self { headers: &[], members: &[] };

    /// Redirections, and what was made or begun (RFC 9110 section 10.2.2).
    pub const LOCATION: Self = Self { headers: &["location"], members: &[] };

    /// Whether there are none.
    #[must_use]
    pub const fn are_none(&self) -> bool {
        self.headers.is_empty() && self.members.is_empty()
    }
}

/// An answer in a plane's own form.
#[derive(Debug, Clone)]
pub struct NativeResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers, `content-length` left to whoever sends it.
    pub headers: HeaderMap,
    /// The body; empty for `HEAD`.
    pub body: Vec<u8>,
}

/// Where a call has to be sent, from the catalogue and never from the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    /// The service, by the plane's own name for it, for example `ec2`.
    pub service: String,
    /// The host, prefix included, in lower case, without a port; empty where the plane has one address.
    pub host: String,
    /// What stands before the provider's host because the operation asks for it, for example
    /// `123456789012.`: to be put before a configured endpoint too, where that endpoint honours it.
    pub host_prefix: String,
    /// The signing name for the credential scope, for example `ec2`.
    pub signing_name: String,
    /// The region for the credential scope, for example `eu-west-1`.
    pub signing_region: String,
}

impl Destination {
    /// On a plane that has one address, which configuration names: what is decided here is whose scope it is read in.
    pub(crate) fn at_its_address(service: &str) -> Self {
        Self { service: service.to_owned(), ..Self::default() }
    }
}
