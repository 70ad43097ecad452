//! The request digest: what an approval signs and a permit is bound to.
//!
//! A versioned canonical encoding of actor, upstream, operations, resources and all parameters, hashed
//! with SHA-256. Leaves out auto-generated idempotency members and transport noise, so that an SDK's
//! retry of a request has the digest of the request.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Action, Completeness, Effect, Reading, Scalar};

/// The version of the canonical encoding, part of what is hashed.
pub const REQUEST_DIGEST_VERSION: u8 = 1;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The SHA-256 of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest as 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// The name of a decision: a UUIDv7, which the caller sees. It joins denial, evidence and upstream log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(pub Uuid);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The digest of an action. `body` is the SHA-256 of the held body, used only where the request could
/// not be decoded: then the bytes are all there is to bind to.
#[must_use]
pub fn request_digest(action: &Action, head_and_body: &Digest) -> Digest {
    let mut encoder = Encoder(Sha256::new());
    encoder.text("ordain-request-digest");
    encoder.byte(REQUEST_DIGEST_VERSION);
    let actor = &action.actor;
    encoder.text(&actor.party.name);
    encoder.text(actor.party.kind.as_str());
    encoder.count(actor.on_behalf_of.len());
    for party in &actor.on_behalf_of {
        encoder.text(&party.name);
        encoder.text(party.kind.as_str());
    }
    encoder.text(actor.session.as_deref().unwrap_or_default());
    encoder.text(&actor.upstream.name);
    encoder.text(actor.upstream.plane.as_str());
    encoder.text(&actor.upstream.account);
    encoder.text(&actor.upstream.partition);
    match &action.reading {
        Reading::Call(call) => {
            encoder.byte(1);
            encoder.text(&call.region);
            encoder.count(call.effects.len());
            for effect in &call.effects {
                encoder.effect(effect, head_and_body);
            }
        }
        Reading::Undecodable { plane, why } => {
            encoder.byte(0);
            encoder.text(plane.as_str());
            encoder.text(why.reason_code);
            encoder.0.update(head_and_body.0);
        }
    }
    Digest(encoder.0.finalize().into())
}

/// Length-prefixed fields, so that no two different actions encode to the same bytes.
struct Encoder(Sha256);

impl Encoder {
    fn byte(&mut self, byte: u8) {
        self.0.update([byte]);
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    fn effect(&mut self, effect: &Effect, head_and_body: &Digest) {
        self.text(&effect.service);
        self.text(&effect.operation);
        self.text(effect.access.as_str());
        self.count(effect.resources.len());
        for resource in &effect.resources {
            self.text(resource.role.as_str());
            self.text(&resource.kind);
            self.text(&resource.name);
            self.count(resource.identifiers.len());
            for identifier in &resource.identifiers {
                self.text(&identifier.name);
                self.text(&identifier.value);
            }
        }
        match effect.parameters.completeness() {
            Completeness::Complete => self.byte(0),
            // What could not be read is bound by its bytes: an approval never covers other ones.
            Completeness::Partial(_) => {
                self.byte(1);
                self.0.update(head_and_body.0);
            }
            Completeness::Opaque(_) => {
                self.byte(2);
                self.0.update(head_and_body.0);
            }
        }
        let counted = effect.parameters.iter().filter(|leaf| !leaf.idempotency);
        self.count(counted.clone().count());
        for leaf in counted {
            self.text(leaf.path);
            match leaf.value {
                Scalar::Text(text) => self.tagged(b't', text),
                Scalar::Number(text) => self.tagged(b'n', text),
                Scalar::Bool(value) => self.tagged(b'b', if value { "true" } else { "false" }),
                Scalar::Null => self.tagged(b'0', ""),
                Scalar::Empty => self.tagged(b'e', ""),
                Scalar::Token(text) => self.tagged(b's', text),
            }
        }
    }

    fn tagged(&mut self, tag: u8, text: &str) {
        self.byte(tag);
        self.text(text);
    }
}
