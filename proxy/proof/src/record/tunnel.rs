//! A tunnel whose bytes are passed on unopened, as it is kept: one entry before its first byte, one at its end.
//!
//! Leaves out what went through it, which nobody here has read.

use serde::{Deserialize, Serialize};

use super::{PartyRecord, Text};

/// A tunnel that is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TunnelRecord<'a> {
    /// Its name.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// The digest of where it leads: SHA-256 over `host:port`.
    pub digest: Text<'a>,
    /// When.
    pub time: Text<'a>,
    /// The address of who asked for it.
    pub peer: Text<'a>,
    /// Who asked, where that was proven; null where nobody had to say.
    pub actor: Option<TunnelActorRecord<'a>>,
    /// How it came in: `connect` or `transparent`.
    pub way: Text<'a>,
    /// The host it leads to.
    pub host: Text<'a>,
    /// The port.
    pub port: u16,
    /// The setting that lets it pass.
    pub rule: Text<'a>,
    /// The addresses that the host's name stood for; none where another proxy looks it up.
    pub addresses: Vec<Text<'a>>,
    /// The proxy it goes through; null where it goes by itself.
    pub through: Option<Text<'a>>,
}

/// Who asked for a tunnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TunnelActorRecord<'a> {
    /// The party.
    #[serde(borrow)]
    pub party: PartyRecord<'a>,
    /// The id of the credential.
    pub credential: Text<'a>,
    /// For whom it acts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_behalf_of: Vec<PartyRecord<'a>>,
}

/// What became of a tunnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TunnelEndRecord<'a> {
    /// Its name.
    #[serde(borrow)]
    pub tunnel: Text<'a>,
    /// The entry that says it was opened; null when that was not known yet.
    pub entry: Option<u64>,
    /// The digest of where it led.
    pub digest: Text<'a>,
    /// When.
    pub time: Text<'a>,
    /// Why it ended: `closed`, `idle`, `cut`, …
    pub why: Text<'a>,
    /// Bytes to the host; null where nobody counted to the end.
    pub sent: Option<u64>,
    /// Bytes from the host.
    pub received: Option<u64>,
    /// How long it stood.
    pub milliseconds: Option<u64>,
}
