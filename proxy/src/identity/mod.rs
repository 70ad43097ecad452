//! Who is asking: claimed from a head, proven once the body is in hand or its hash is declared.
//!
//! The schemes are tried in one fixed order, which is the order of the files here: `sigv4`. A request that fits none
//! of them has no identity. Leaves out what the party may do.

pub mod bearer;
mod sigv4;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Actor, Upstream};
use ordain_decode::Head;
use ordain_sigv4::{Body, KeyCache, Payload, Proven};

use crate::fault::Fault;
use crate::keys::{IssuedKey, KeyStore};
use crate::place::Arrival;

/// Who a head says it is from. Nothing of it is proven.
pub struct Claimed {
    scheme: sigv4::Claimed,
}

/// Who a request is from, and by what that was shown.
pub struct Identified {
    /// The party, and what it is bound to.
    pub actor: Actor,
    /// The account that the actor's upstream was when the request was claimed: it leaves for no other.
    pub account: Arc<str>,
    /// What it was shown by.
    pub by: Shown,
}

/// What showed who a request is from.
pub enum Shown {
    /// A signature under an issued key.
    Signature(Box<Signature>),
    /// An issued token, which is the whole proof.
    Token(Arc<IssuedKey>),
    /// Somebody whom we were told to believe vouches for the actor: no key of ours stands behind it.
    Vouched,
}

/// A signature that was verified.
pub struct Signature {
    /// The key that signed.
    pub key: Arc<IssuedKey>,
    /// What was signed for the body, and how its chunks are.
    pub proven: Proven,
    sha256: Option<String>,
}

/// Reads who a head says it is from, and refuses keys that are unknown, revoked or over, and times outside the
/// allowed span.
///
/// `upstream` gives the verified upstream of a name.
///
/// # Errors
/// A [`Fault`] in words that tell the caller what to do.
pub fn claim(
    keys: &KeyStore,
    upstream: impl Fn(&str) -> Option<Upstream>,
    _arrival: &Arrival,
    head: &Head<'_>,
    now: Timestamp,
) -> Result<Claimed, Fault> {
    Ok(Claimed { scheme: sigv4::claim(keys, upstream, head, now)? })
}

impl Claimed {
    /// The key that the request names.
    #[must_use]
    pub const fn key(&self) -> &Arc<IssuedKey> {
        self.scheme.key()
    }

    /// The upstream that the key is bound to.
    #[must_use]
    pub const fn upstream(&self) -> &Upstream {
        self.scheme.upstream()
    }

    /// What the head says about the body.
    #[must_use]
    pub const fn payload(&self) -> Payload {
        self.scheme.payload()
    }

    /// The region and the service's signing name of the credential scope.
    #[must_use]
    pub fn scope(&self) -> (&str, &str) {
        self.scheme.scope()
    }

    /// Proves it. The key is looked up again: it may have been revoked while the body came in.
    ///
    /// # Errors
    /// A [`Fault`] in words that tell the caller what to do.
    pub fn prove(
        self,
        keys: &KeyStore,
        derived: &KeyCache,
        head: &Head<'_>,
        body: Body<'_>,
        now: Timestamp,
    ) -> Result<Identified, Fault> {
        let (actor, key, proven, account) = self.scheme.prove(keys, derived, head, body, now)?;
        let sha256 = match proven.payload() {
            Payload::Sha256(hash) => Some(hex::encode(hash)),
            Payload::Undeclared
            | Payload::Unsigned
            | Payload::Chunks
            | Payload::ChunksTrailer
            | Payload::UnsignedTrailer => None,
        };
        let by = Shown::Signature(Box::new(Signature { key, proven, sha256 }));
        Ok(Identified { actor, account, by })
    }
}

impl Identified {
    /// The hash of the body in hexadecimal digits, where one hash over all of it was signed.
    #[must_use]
    pub fn payload_sha256(&self) -> Option<&str> {
        match &self.by {
            Shown::Signature(signature) => signature.sha256.as_deref(),
            Shown::Token(_) | Shown::Vouched => None,
        }
    }

    /// The issued key that it was shown by; none where somebody else vouches for the actor.
    #[must_use]
    pub const fn key(&self) -> Option<&Arc<IssuedKey>> {
        match &self.by {
            Shown::Signature(signature) => Some(&signature.key),
            Shown::Token(key) => Some(key),
            Shown::Vouched => None,
        }
    }
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claimed").field("key", &self.key().id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature(_) => "Signature",
            Self::Token(_) => "Token",
            Self::Vouched => "Vouched",
        })
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("key", &self.key.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Identified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identified").field("actor", &self.actor).finish_non_exhaustive()
    }
}
