//! Who is asking: claimed from a head, proven once the body is in hand or its hash is declared.
//!
//! The plane decides first: requests to AWS are signed with an issued key (`sigv4`), for they are signed again. Elsewhere
//! a credential in the head comes before one of the connection, in this order: an issued token (`bearer`), a token of an
//! issuer or a cluster (`issuers`), a client certificate (`certificate`), the user at the other end of a Unix socket, the
//! single user of this machine (`local`). Whoever presents one that is not right has no identity, and is not taken for
//! what else the connection would say. No header but `Authorization` says who somebody is, or for whom they act. Leaves
//! out what the party may do.

pub mod bearer;
mod certificate;
mod grant;
mod issuers;
mod jwks;
mod jwt;
mod local;
mod login;
mod passed;
mod presented;
mod schemes;
pub mod settings;
mod sigv4;
mod vouched;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use ordain_action::{Actor, Party, Plane, Upstream};
use ordain_decode::Head;
use ordain_sigv4::{Body, KeyCache, Payload, Proven};

use crate::fault::Fault;
use crate::keys::{IssuedKey, KeyStore, token};
use crate::listen::WayIn;
use crate::place::Arrival;
use crate::upstream::Upstreams;
pub use certificate::{CertificateRule, Certificates, NameKind};
pub use grant::{Grant, Pattern, Template};
pub use issuers::{Form, IssuerRule};
pub use jwks::{Source, is_safe};
pub use jwt::ALGORITHMS;
pub use local::{SingleUserRule, UserRule};
pub use login::{LoggedIn, LoginIssuers, LoginRule, LoginRules};
use presented::{Presented, unauthenticated};
pub use schemes::{Rules, Schemes};
use vouched::Vouched;

/// Who a head says it is from. What of it is not proven by the head alone is proven with the body.
pub struct Claimed {
    scheme: Scheme,
    // Its own credential goes on to its upstream.
    own: bool,
}

enum Scheme {
    Signature(Box<sigv4::Claimed>),
    Token(bearer::Claimed),
    Vouched(Vouched, Upstream),
    // Nothing shows who it is, and the upstream has something for such.
    Nobody(Upstream),
}

/// What is known when somebody asks.
#[derive(Debug)]
pub struct Known<'a, F> {
    /// Issued keys, and actors that are revoked.
    pub keys: &'a KeyStore,
    /// Whom we were told to believe.
    pub schemes: &'a Schemes,
    /// Where a cluster's keys are asked for.
    pub upstreams: &'a Arc<Upstreams>,
    /// The verified upstream of a name.
    pub upstream: F,
}

/// Who a request is from, and by what that was shown.
pub struct Identified {
    /// The party, and what it is bound to.
    pub actor: Actor,
    /// The account that the actor's upstream was when the request was claimed: it leaves for no other.
    pub account: Arc<str>,
    /// What it was shown by.
    pub by: Shown,
    /// When what showed it ends, where that is no issued key: what goes on is cut then (`KeyStore::until_over`).
    pub until: Option<Timestamp>,
    /// The request's own credential goes on to its upstream, in place of the gate's.
    pub own: bool,
}

/// What showed who a request is from.
pub enum Shown {
    /// A signature under an issued key.
    Signature(Box<Signature>),
    /// An issued token, which is the whole proof.
    Token(Arc<IssuedKey>),
    /// Somebody whom we were told to believe vouches for the actor: no key of ours stands behind it.
    Vouched,
    /// Nothing: it gets no further than to what its upstream shows to anybody, and leaves without a credential.
    Nobody,
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
/// `plane` is the one whose room claimed the request.
///
/// # Errors
/// A [`Fault`] in words that tell the caller what to do.
pub async fn claim<F: Fn(&str) -> Option<Upstream>>(
    known: Known<'_, F>,
    (arrival, plane): (&Arrival, Plane),
    head: &Head<'_>,
    now: Timestamp,
) -> Result<Claimed, Fault> {
    if plane == Plane::Aws {
        let claimed = sigv4::claim(known.keys, known.upstream, head, now)?;
        return Ok(Claimed { scheme: Scheme::Signature(Box::new(claimed)), own: false });
    }
    let presented = presented::find(head)?;
    let nobody = match presented {
        Presented::Nothing => nobodys(&known, arrival, head, now),
        Presented::Bearer(_) => None,
    };
    let scheme = match (presented, nobody) {
        (_, Some(upstream)) => Scheme::Nobody(upstream),
        (Presented::Bearer(text), None) if text.starts_with(token::BEGINNING) => {
            Scheme::Token(bearer::claim(known.keys, &known.upstream, text, now)?)
        }
        (Presented::Bearer(_) | Presented::Nothing, None) => {
            let (vouched, upstream) = vouched_for(&known, (arrival, plane), head, presented, now).await?;
            Scheme::Vouched(vouched, upstream)
        }
    };
    fits(arrival, plane, scheme.upstream())?;
    let own = passed::goes_on(&known, &scheme, presented)?;
    Ok(Claimed { scheme, own })
}

/// Finds the key of an issued token that is shown elsewhere than in a head.
///
/// # Errors
/// As [`claim`].
pub fn holder(
    keys: &KeyStore,
    upstream: impl Fn(&str) -> Option<Upstream>,
    (arrival, plane): (&Arrival, Plane),
    token: &str,
    now: Timestamp,
) -> Result<Arc<IssuedKey>, Fault> {
    let claimed = bearer::claim(keys, upstream, token, now)?;
    fits(arrival, plane, &claimed.upstream)?;
    Ok(claimed.key)
}

/// The key of an issued token that a head shows to the gate itself, whatever upstream it is bound to.
///
/// # Errors
/// It shows none, or none that is in force and was issued to an actor: what a plane handed out through the gate may be in
/// the hands of others.
pub fn shown_to_us(keys: &KeyStore, headers: &HeaderMap, now: Timestamp) -> Result<Arc<IssuedKey>, Fault> {
    let shown = token::presented(headers).ok_or_else(|| {
        let text = "show the token that `ordain run` or `ordain env` set as `ORDAIN_TOKEN`, as `Authorization: Bearer`";
        unauthenticated("no_credential", text)
    })?;
    let key = bearer::key_of(keys, shown, now)?;
    if key.minted.is_some() {
        let text =
            "a token that a control plane handed out is for that alone; show one that was issued to you";
        return Err(unauthenticated("unknown_token", text));
    }
    Ok(key)
}

/// The upstream of a request that nothing shows the sender of, where its clients sign in before they are known.
fn nobodys<F: Fn(&str) -> Option<Upstream>>(
    known: &Known<'_, F>,
    arrival: &Arrival,
    head: &Head<'_>,
    now: Timestamp,
) -> Option<Upstream> {
    let name = arrival.place.upstream.as_ref().filter(|name| known.upstreams.signs_in(name))?;
    let is_here = arrival.connection.way_in == WayIn::Reverse;
    let shown = known.schemes.by_connection(&arrival.connection, head.headers, now);
    (is_here && shown.is_none()).then(|| (known.upstream)(name)).flatten()
}

/// Who it is that has no key of ours, and of which upstream.
async fn vouched_for<F: Fn(&str) -> Option<Upstream>>(
    known: &Known<'_, F>,
    (arrival, plane): (&Arrival, Plane),
    head: &Head<'_>,
    presented: Presented<'_>,
    now: Timestamp,
) -> Result<(Vouched, Upstream), Fault> {
    let schemes = known.schemes;
    // What is presented and not right is not passed over for what the connection says.
    let (vouched, grant) = match presented {
        Presented::Nothing => {
            let shown = schemes.by_connection(&arrival.connection, head.headers, now);
            shown.unwrap_or_else(|| Err(schemes.nobody()))?
        }
        Presented::Bearer(text) => match schemes.read(text) {
            Some(read) => schemes.by_token(read, known.upstreams, now).await?,
            // It says nothing to us, and may be for the upstream alone.
            None => {
                let beside = passed::beside(known, (arrival, plane), head.headers, now)?;
                return beside.ok_or_else(|| schemes.nobodys(text));
            }
        },
    };
    let upstream = grant.upstream((&arrival.place, plane), &known.upstream)?;
    if upstream.plane == Plane::Aws {
        let text =
            "requests to AWS are signed; sign them with an access key that `ordain key create` printed";
        return Err(unauthenticated("signature_needed", text));
    }
    Ok((vouched, upstream))
}

/// Refuses an identity that is bound elsewhere than where the request came to.
fn fits(arrival: &Arrival, plane: Plane, upstream: &Upstream) -> Result<(), Fault> {
    let place = arrival.place.upstream.as_ref();
    if upstream.plane == plane && place.is_none_or(|name| *name == upstream.name) {
        return Ok(());
    }
    let text = format!(
        "the credential is for the upstream `{}`, and the request came to another; use one that is for it",
        upstream.name
    );
    Err(unauthenticated("other_upstream", text))
}

fn in_force(keys: &KeyStore, key: &IssuedKey, now: Timestamp) -> Result<(), Fault> {
    allowed(keys, std::iter::once(&key.party).chain(&key.on_behalf_of))?;
    if let Some(ended) = keys.ended_by(key, now) {
        let id = &key.id;
        let real = key.minted.as_ref().and_then(|minted| minted.expires);
        if let Some(expires) = real.filter(|_| ended.id == *id && key.end().is_none_or(|end| now < end)) {
            let text = format!("the session ended at `{expires}`; start a new one");
            return Err(unauthenticated("token_expired", text));
        }
        let (reason, is, remedy) = match (ended.revoked, ended.inactive) {
            (Some(_), _) => ("key_revoked", "revoked", "ask for another"),
            (None, Some(_)) => ("key_inactive", "inactive", "have it made active, or ask for another"),
            (None, None) => ("key_expired", "over", "ask for another"),
        };
        let text = if ended.id == *id {
            format!("the access key `{id}` is {is}; {remedy}")
        } else {
            format!("the access key `{}`, which `{id}` descends from, is {is}; {remedy}", ended.id)
        };
        return Err(unauthenticated(reason, text));
    }
    Ok(())
}

/// Refuses parties that are revoked, whatever shows them.
fn allowed<'a>(keys: &KeyStore, parties: impl IntoIterator<Item = &'a Party>) -> Result<(), Fault> {
    match parties.into_iter().find(|party| keys.is_revoked(party)) {
        None => Ok(()),
        Some(party) => {
            let (kind, name) = (party.kind.as_str(), &party.name);
            let text = format!("the {kind} `{name}` is revoked; ask the operator, who may allow it again");
            Err(unauthenticated("actor_revoked", text))
        }
    }
}

/// The verified upstream that a key is bound to, as it was when the key was made.
fn bound(key: &IssuedKey, upstream: impl Fn(&str) -> Option<Upstream>) -> Result<Upstream, Fault> {
    let bound = upstream(&key.upstream).ok_or_else(|| {
        unauthenticated(
            "unknown_upstream",
            format!("the key is bound to the upstream `{}`, which is not served here, or whose account is not verified yet; ask the operator", key.upstream),
        )
    })?;
    let minted = key.minted.as_ref().filter(|minted| !minted.account.is_empty());
    match minted.filter(|minted| minted.account != bound.account) {
        None => Ok(bound),
        Some(minted) => Err(unauthenticated(
            "upstream_changed",
            format!(
                "the key was made in account `{}`, and its upstream is now account `{}`; make another",
                minted.account, bound.account
            ),
        )),
    }
}

fn session(key: &IssuedKey) -> Option<Arc<str>> {
    let minted = key.minted.as_ref()?;
    // A session that the upstream gave no name is told apart by the issued id it goes by.
    Some(if minted.principal.is_empty() { Arc::clone(&key.id) } else { Arc::clone(&minted.principal) })
}

impl Scheme {
    const fn upstream(&self) -> &Upstream {
        match self {
            Self::Signature(claimed) => claimed.upstream(),
            Self::Token(claimed) => &claimed.upstream,
            Self::Vouched(_, upstream) | Self::Nobody(upstream) => upstream,
        }
    }
}

impl Claimed {
    /// The upstream that it is for.
    #[must_use]
    pub const fn upstream(&self) -> &Upstream {
        self.scheme.upstream()
    }

    /// Whether the body comes in chunks that are signed.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        match &self.scheme {
            Scheme::Signature(claimed) => claimed.payload().is_chunked(),
            Scheme::Token(_) | Scheme::Vouched(..) | Scheme::Nobody(_) => false,
        }
    }

    /// Whether nothing shows who it is.
    #[must_use]
    pub const fn is_nobody(&self) -> bool {
        matches!(self.scheme, Scheme::Nobody(_))
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
        let own = self.own;
        match self.scheme {
            Scheme::Signature(claimed) => {
                let (actor, key, proven, account) = claimed.prove(keys, derived, head, body, now)?;
                let by = Shown::Signature(Box::new(Signature { key, sha256: declared(&proven), proven }));
                Ok(Identified { actor, account, by, until: None, own })
            }
            Scheme::Token(claimed) => {
                let (actor, key, account) = claimed.prove(keys, now)?;
                Ok(Identified { actor, account, by: Shown::Token(key), until: None, own })
            }
            Scheme::Vouched(vouched, upstream) => {
                let (until, account) = (vouched.until, Arc::clone(&upstream.account));
                let actor = vouched.actor(keys, upstream, now)?;
                Ok(Identified { actor, account, by: Shown::Vouched, until, own })
            }
            Scheme::Nobody(upstream) => {
                let account = Arc::clone(&upstream.account);
                let actor = vouched::nobody(keys, upstream)?;
                Ok(Identified { actor, account, by: Shown::Nobody, until: None, own })
            }
        }
    }
}

/// The hash of the body, where one hash over all of it was signed.
fn declared(proven: &Proven) -> Option<String> {
    match proven.payload() {
        Payload::Sha256(hash) => Some(hex::encode(hash)),
        Payload::Undeclared
        | Payload::Unsigned
        | Payload::Chunks
        | Payload::ChunksTrailer
        | Payload::UnsignedTrailer => None,
    }
}

impl Identified {
    /// The hash of the body in hexadecimal digits, where one hash over all of it was signed.
    #[must_use]
    pub fn payload_sha256(&self) -> Option<&str> {
        match &self.by {
            Shown::Signature(signature) => signature.sha256.as_deref(),
            Shown::Token(_) | Shown::Vouched | Shown::Nobody => None,
        }
    }

    /// Whether nothing shows who it is.
    #[must_use]
    pub const fn is_nobody(&self) -> bool {
        matches!(self.by, Shown::Nobody)
    }

    /// The issued key that it was shown by; none where somebody else vouches for the actor.
    #[must_use]
    pub const fn key(&self) -> Option<&Arc<IssuedKey>> {
        match &self.by {
            Shown::Signature(signature) => Some(&signature.key),
            Shown::Token(key) => Some(key),
            Shown::Vouched | Shown::Nobody => None,
        }
    }
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claimed").field("upstream", &self.upstream().name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature(_) => "Signature",
            Self::Token(_) => "Token",
            Self::Vouched => "Vouched",
            Self::Nobody => "Nobody",
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
