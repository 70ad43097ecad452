//! AWS Signature Version 4: verified, and signed again, in every payload form.
//!
//! Pure: no sockets, no clock, no tasks. A request is claimed from its head ([`claim`]), proven once its body is
//! in hand or its hash is declared ([`Claimed::prove`]), and leaves under another key pair ([`sign`]). A streamed
//! body goes through a [`PayloadStream`]. Leaves out whose key it is, what the request would do and where it goes.
//!
//! Refused, each with its own reason: Signature Version 2, Version 4a, S3's browser forms and signed event streams.

mod authorization;
mod canonical;
mod chunk;
mod date;
mod head;
mod key;
mod payload;
mod rechunk;
mod refusal;
mod scope;
mod sign;
mod stream;
mod verify;

#[cfg(test)]
mod independent;
#[cfg(test)]
mod suite;

pub use chunk::{ChunkVerifier, Verified};
pub use date::AmzDate;
pub use head::Head;
pub use key::{KeyCache, KeyPair, Secret};
pub use payload::Payload;
pub use rechunk::{CHUNK, Rechunker};
pub use refusal::{ChunkRefusal, Refusal, SignError};
pub use scope::Scope;
pub use sign::{Outgoing, Signed, sign, strip};
pub use stream::PayloadStream;
pub use verify::{Body, Claimed, EXPIRES_MAX, Placement, Proven, SKEW, claim};
