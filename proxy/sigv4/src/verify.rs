//! Whether a request was signed with a secret: claimed from its head, proven with its body.
//!
//! Leaves out whose secret it is.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::authorization::{self, Presented};
use crate::canonical::{Canonical, PathRules, hex_of, is_s3};
use crate::chunk::ChunkSigner;
use crate::head::AUTHORITY;
use crate::{AmzDate, Head, KeyCache, Payload, Refusal, Scope, Secret};

/// How far a signature's time may be from ours, as AWS allows.
pub const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The longest life of a presigned URL in seconds, as AWS allows.
pub const EXPIRES_MAX: u32 = 604_800;

/// Where a request carries its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In the `authorization` header.
    Header,
    /// In the query of a presigned URL.
    Query {
        /// The seconds the URL lives.
        expires: u32,
    },
}

/// The body at the time of proof.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// All of it is in hand.
    Held {
        /// Its SHA-256.
        sha256: &'a [u8; 32],
    },
    /// It is still to come, through a [`crate::PayloadStream`].
    Streamed,
}

/// What a head says about its signature. Nothing of it is proven.
#[derive(Debug)]
pub struct Claimed {
    presented: Presented,
    payload: Payload,
}

/// Reads what a head claims, and refuses what no secret could make right.
///
/// # Errors
/// [`Refusal`]: no signature or several, another kind of signature, a time outside the allowed span, or headers
/// that the signature should cover and does not.
pub fn claim(head: &Head<'_>, now: Timestamp) -> Result<Claimed, Refusal> {
    let presented = authorization::find(head)?;
    in_time(&presented, now)?;
    covers(head, &presented)?;
    let payload = match &presented.content {
        Some(text) => Payload::parse(text)?,
        // A presigned URL of S3 is made before there is a body.
        None if is_s3(presented.scope.service()) && presented.placement != Placement::Header => {
            Payload::Unsigned
        }
        None => Payload::Undeclared,
    };
    Ok(Claimed { presented, payload })
}

fn in_time(presented: &Presented, now: Timestamp) -> Result<(), Refusal> {
    let date = presented.date;
    if date.day() != presented.scope.day() {
        return Err(Refusal::malformed(
            "the time of signing is on another day than the credential; sign with one time",
        ));
    }
    let shown = || AmzDate::of(now).map_or_else(String::new, |now| now.as_str().to_owned());
    let skewed = || Refusal::Skewed { signed: date.as_str().to_owned(), now: shown() };
    let age = now.duration_since(date.time());
    if age < -SKEW {
        return Err(skewed());
    }
    match presented.placement {
        Placement::Header if age > SKEW => Err(skewed()),
        Placement::Header => Ok(()),
        Placement::Query { expires } => {
            let life = SignedDuration::from_secs(i64::from(expires));
            if age <= life {
                return Ok(());
            }
            let ended = date.time().checked_add(life).ok().and_then(AmzDate::of);
            let ended = ended.map_or_else(String::new, |ended| ended.as_str().to_owned());
            Err(Refusal::Expired { ended, now: shown() })
        }
    }
}

/// Headers that the string to sign or our own store vouches for, or that mean nothing to a service.
const VOUCHED: [&str; 4] = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent"];

fn covers(head: &Head<'_>, presented: &Presented) -> Result<(), Refusal> {
    let signed = |name: &str| presented.signed_headers.split(';').any(|signed| signed == name);
    // `content-type` is not demanded: AWS does not, and the PHP SDK leaves it out.
    let open = head.headers.keys().find(|name| {
        name.as_str().starts_with("x-amz-") && !VOUCHED.contains(&name.as_str()) && !signed(name.as_str())
    });
    if let Some(name) = open {
        return Err(Refusal::UnsignedHeader(name.as_str().to_owned()));
    }
    let is_there = |name: &str| matches!(name, "host" | AUTHORITY) || head.headers.contains_key(name);
    let missing = presented.signed_headers.split(';').find(|name| !is_there(name));
    if let Some(name) = missing {
        return Err(Refusal::malformed(format!(
            "the header `{name}` is signed and missing; send what was signed"
        )));
    }
    Ok(())
}

impl Claimed {
    /// The access key id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.presented.scope.key_id()
    }

    /// Key id, day, region and service.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.presented.scope
    }

    /// What is said about the body.
    #[must_use]
    pub const fn payload(&self) -> Payload {
        self.payload
    }

    /// Where the signature stands.
    #[must_use]
    pub const fn placement(&self) -> Placement {
        self.presented.placement
    }

    /// When it was signed.
    #[must_use]
    pub const fn date(&self) -> AmzDate {
        self.presented.date
    }

    /// The session token presented.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.presented.session_token.as_deref()
    }

    /// The headers under the signature, sorted.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.presented.signed_headers.split(';')
    }

    /// Proves that the request was signed with `secret`.
    ///
    /// # Errors
    /// [`Refusal::SignatureMismatch`]; [`Refusal::BodyMismatch`] where the body in hand is not the declared one;
    /// [`Refusal::BodyNeeded`] where the hash is not declared and the body not in hand.
    pub fn prove(
        &self,
        keys: &KeyCache,
        secret: &Secret,
        head: &Head<'_>,
        body: Body<'_>,
    ) -> Result<Proven, Refusal> {
        self.prove_by(PathRules::of(self.presented.scope.service()), keys, secret, head, body)
    }

    pub(crate) fn prove_by(
        &self,
        rules: PathRules,
        keys: &KeyCache,
        secret: &Secret,
        head: &Head<'_>,
        body: Body<'_>,
    ) -> Result<Proven, Refusal> {
        let presented = &self.presented;
        if self.payload.is_chunked() && matches!(body, Body::Held { .. }) {
            return Err(Refusal::Chunked);
        }
        let payload = match (self.payload.text(), body) {
            (Some(text), _) => text,
            (None, Body::Held { sha256 }) => hex::encode(sha256),
            (None, Body::Streamed) => return Err(Refusal::BodyNeeded),
        };
        let host = head.headers.get("host").map_or(head.authority.as_bytes(), |host| host.as_bytes());
        let canonical = Canonical {
            method: head.method,
            path: head.path(),
            rules,
            query: head.query(),
            host,
            authority: head.authority.as_bytes(),
            headers: head.headers,
            signed_headers: &presented.signed_headers,
            payload: &payload,
        };
        let hash = canonical
            .hash()
            .map_err(|_| Refusal::malformed("the query holds a broken escape; percent-encode it"))?;
        let (key, kept) = keys.get(secret, &presented.scope);
        let made = key.sign(&[
            b"AWS4-HMAC-SHA256\n",
            presented.date.as_str().as_bytes(),
            b"\n",
            presented.scope.without_key().as_bytes(),
            b"\n",
            &hash,
        ]);
        if !bool::from(made.ct_eq(&presented.signature)) {
            return Err(Refusal::SignatureMismatch);
        }
        if !kept {
            keys.keep(secret, &presented.scope, &key);
        }
        // A body that is judged must be the one that was signed. S3 alone takes one that nothing signs, and its
        // clients send such wherever the connection is trusted.
        if let (Payload::Unsigned, Body::Held { sha256 }) = (self.payload, body)
            && !is_s3(presented.scope.service())
            && *sha256 != <[u8; 32]>::from(Sha256::digest(b""))
        {
            return Err(Refusal::UnsignedBody);
        }
        // Told only to those who hold the secret.
        if let (Payload::Sha256(declared), Body::Held { sha256 }) = (self.payload, body)
            && declared != *sha256
        {
            return Err(Refusal::BodyMismatch);
        }
        let payload = match (self.payload, body) {
            (Payload::Undeclared, Body::Held { sha256 }) => Payload::Sha256(*sha256),
            (other, Body::Held { .. } | Body::Streamed) => other,
        };
        Ok(Proven {
            payload,
            declared: self.payload != Payload::Undeclared,
            placement: presented.placement,
            chunks: ChunkSigner::new(key, &presented.date, &presented.scope, hex_of(&made)),
        })
    }
}

/// A request that was signed with a secret that we know.
#[derive(Debug)]
#[must_use]
pub struct Proven {
    payload: Payload,
    declared: bool,
    placement: Placement,
    chunks: ChunkSigner,
}

impl Proven {
    /// What was signed for the body: never [`Payload::Undeclared`].
    #[must_use]
    pub const fn payload(&self) -> Payload {
        self.payload
    }

    /// The request itself says what stands for the body.
    #[must_use]
    pub const fn is_declared(&self) -> bool {
        self.declared
    }

    /// Where the signature stood.
    #[must_use]
    pub const fn placement(&self) -> Placement {
        self.placement
    }

    pub(crate) fn chunk_signer(&self) -> ChunkSigner {
        self.chunks.clone()
    }
}
