//! Identity by AWS Signature Version 4 under an issued key.
//!
//! Leaves out the signature's own rules (`ordain-sigv4`) and how keys are kept (`keys`).

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Actor, DenialKind, IdentityProof, Plane, Upstream};
use ordain_decode::Head;
use ordain_sigv4::{Body, KeyCache, Payload, Proven, Refusal, Secret};

use super::presented::unauthenticated;
use super::{bound, in_force, session};
use crate::fault::Fault;
use crate::keys::{IssuedKey, KeyStore};

pub(super) struct Claimed {
    signature: ordain_sigv4::Claimed,
    key: Arc<IssuedKey>,
    secret: Secret,
    upstream: Upstream,
    bound: Arc<str>,
}

pub(super) fn claim(
    keys: &KeyStore,
    upstream: impl Fn(&str) -> Option<Upstream>,
    head: &Head<'_>,
    now: Timestamp,
) -> Result<Claimed, Fault> {
    let signature = ordain_sigv4::claim(&signed_head(head), now).map_err(|refusal| fault(&refusal))?;
    let id = signature.key_id();
    let key = keys.find(id).ok_or_else(|| {
        unauthenticated(
            "unknown_key",
            format!("the access key `{id}` is not one that is issued here; use an issued key, as `ordain env` prints it"),
        )
    })?;
    let secret = key.secret().cloned().ok_or_else(|| {
        let text = format!(
            "`{id}` is a token, which signs nothing; sign with an access key that `ordain key create` printed"
        );
        unauthenticated("unknown_key", text)
    })?;
    in_force(keys, &key, now)?;
    session_token(&key, &signature)?;
    let bound = bound(&key, upstream)?;
    if bound.plane != Plane::Aws {
        let text = format!(
            "the key is bound to the upstream `{}`, whose requests are not signed; use a token that `ordain key create \
             --bearer` printed",
            bound.name
        );
        return Err(unauthenticated("signature_not_taken", text));
    }
    let account = Arc::clone(&bound.account);
    let upstream = seen_through(bound, &key);
    Ok(Claimed { signature, key, secret, upstream, bound: account })
}

impl Claimed {
    pub(super) const fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(super) const fn payload(&self) -> Payload {
        self.signature.payload()
    }

    pub(super) fn prove(
        self,
        keys: &KeyStore,
        derived: &KeyCache,
        head: &Head<'_>,
        body: Body<'_>,
        now: Timestamp,
    ) -> Result<(Actor, Arc<IssuedKey>, Proven, Arc<str>), Fault> {
        in_force(keys, &self.key, now)?;
        let proven = self.signature.prove(derived, &self.secret, &signed_head(head), body);
        let proven = proven.map_err(|refusal| fault(&refusal))?;
        let actor = Actor {
            party: self.key.party.clone(),
            credential: Arc::clone(&self.key.id),
            proof: IdentityProof::Proven,
            on_behalf_of: self.key.on_behalf_of.clone(),
            session: session(&self.key),
            upstream: self.upstream,
        };
        Ok((actor, self.key, proven, self.bound))
    }
}

/// The head, as a signature sees it.
fn signed_head<'a>(head: &Head<'a>) -> ordain_sigv4::Head<'a> {
    ordain_sigv4::Head {
        method: head.method,
        target: head.target,
        authority: head.authority,
        headers: head.headers,
    }
}

fn session_token(key: &IssuedKey, signature: &ordain_sigv4::Claimed) -> Result<(), Fault> {
    let text = match (&key.session_token, signature.session_token()) {
        (None, None) => return Ok(()),
        (Some(ours), Some(given)) if ours.is(given) => return Ok(()),
        (Some(_), Some(_)) => {
            "the session token is not the one that came with the key; send both as they were given"
        }
        (Some(_), None) => {
            "the key is temporary and its session token is missing; send it with every request"
        }
        (None, Some(_)) => "the key is not temporary and comes with a session token; send none",
    };
    Err(unauthenticated("invalid_token", text))
}

/// A session of a role may be in another account than the upstream that handed it out, and what it does is done
/// there.
fn seen_through(bound: Upstream, key: &IssuedKey) -> Upstream {
    let principal = key.minted.as_ref().map_or("", |minted| &minted.principal);
    let mut parts = principal.split(':');
    let (Some("arn"), Some(partition), Some("sts" | "iam"), Some(""), Some(account)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return bound;
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if is_account && account != &*bound.account {
        return Upstream { account: account.into(), partition: partition.into(), ..bound };
    }
    bound
}

fn fault(refusal: &Refusal) -> Fault {
    let kind = match refusal {
        Refusal::Unsigned
        | Refusal::OtherScheme(_)
        | Refusal::Version2
        | Refusal::Version4a
        | Refusal::PostForm
        | Refusal::Skewed { .. }
        | Refusal::Expired { .. }
        | Refusal::UnsignedHeader(_)
        | Refusal::SignatureMismatch => DenialKind::Unauthenticated,
        Refusal::TwoSignatures
        | Refusal::Malformed(_)
        | Refusal::PayloadForm(_)
        | Refusal::Chunked
        | Refusal::BodyNeeded
        | Refusal::UnsignedBody
        | Refusal::BodyMismatch => DenialKind::Malformed,
    };
    let text = match refusal {
        // Which operation it is may stand in the body, which nobody holds for a caller without a name.
        Refusal::Unsigned => {
            "the request is not signed, so that nobody can say whose it is; sign it with an issued key \
             (`ordain key create`), and call `AssumeRole` with it in place of `AssumeRoleWithWebIdentity` or \
             `AssumeRoleWithSAML`"
                .to_owned()
        }
        other => other.to_string(),
    };
    Fault::new(kind, refusal.reason_code(), text)
}
