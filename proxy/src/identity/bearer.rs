//! Identity by an issued token in `Authorization: Bearer`.
//!
//! Leaves out how tokens are kept (`keys`).

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Actor, IdentityProof, Plane, Upstream};

use super::presented::unauthenticated;
use crate::fault::Fault;
use crate::keys::{IssuedKey, KeyStore, token};

/// A token that is the key's, and what it is for.
pub(super) struct Claimed {
    pub(super) key: Arc<IssuedKey>,
    pub(super) upstream: Upstream,
    account: Arc<str>,
}

/// Finds the key of a token. The token is the whole proof; that its key is in force is looked at again once the body is
/// in hand.
pub(super) fn claim(
    keys: &KeyStore,
    upstream: impl Fn(&str) -> Option<Upstream>,
    presented: &str,
    now: Timestamp,
) -> Result<Claimed, Fault> {
    let key = key_of(keys, presented, now)?;
    let upstream = super::bound(&key, upstream)?;
    if upstream.plane == Plane::Aws {
        let text = format!(
            "the token is bound to the upstream `{}`, whose requests are signed; sign them with an access key that \
             `ordain key create` printed",
            upstream.name
        );
        return Err(unauthenticated("signature_needed", text));
    }
    let account = Arc::clone(&upstream.account);
    Ok(Claimed { key, upstream, account })
}

/// The key of a token, which is in force.
pub(super) fn key_of(keys: &KeyStore, presented: &str, now: Timestamp) -> Result<Arc<IssuedKey>, Fault> {
    // Whether it is the id or the rest that is wrong is nobody's business.
    let known = token::id_of(presented).and_then(|id| keys.find(id)).filter(|key| key.is_of_token(presented));
    let key = known.ok_or_else(|| {
        let text =
            "the token is not one that is issued here; use one that `ordain key create --bearer` printed";
        unauthenticated("unknown_token", text)
    })?;
    super::in_force(keys, &key, now)?;
    Ok(key)
}

impl Claimed {
    pub(super) fn prove(
        self,
        keys: &KeyStore,
        now: Timestamp,
    ) -> Result<(Actor, Arc<IssuedKey>, Arc<str>), Fault> {
        super::in_force(keys, &self.key, now)?;
        let actor = Actor {
            party: self.key.party.clone(),
            credential: Arc::clone(&self.key.id),
            proof: IdentityProof::Proven,
            on_behalf_of: self.key.on_behalf_of.clone(),
            session: super::session(&self.key),
            upstream: self.upstream,
        };
        Ok((actor, self.key, self.account))
    }
}
