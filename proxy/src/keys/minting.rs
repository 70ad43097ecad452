//! Keys that descend from others: made in the place of a credential that an upstream handed out, or given for a token.
//!
//! Leaves out keys that the operator makes, and how all of them are kept (`keys`).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ordain_sigv4::{KeyPair, Secret};

use super::token::{self, TokenHash};
use super::{
    IssuedKey, KeyError, KeyForm, KeyStore, LASTING, Minted, NewKey, Real, TEMPORARY, TOKEN, fresh,
    random_id, random_text,
};

/// How long a key pair lasts that is given for a token.
const GIVEN_LASTS: SignedDuration = SignedDuration::from_hours(1);

/// How much of its time such a pair must have left to be given again: clients ask anew a quarter of an hour before its
/// end.
const GIVEN_LEAST: SignedDuration = SignedDuration::from_mins(20);

impl KeyStore {
    /// Makes a key pair of ours in the place of a real one that `by` was handed while its upstream was `account`. The
    /// party stays the same.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be kept: the real one must not reach the caller then either.
    pub fn mint(
        &self,
        by: &IssuedKey,
        real: KeyPair,
        expires: Option<Timestamp>,
        principal: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<Arc<IssuedKey>, KeyError> {
        let session_token = match &real.session_token {
            Some(_) => Some(Secret::new(random_text(72)?)),
            None => None,
        };
        let prefix = if session_token.is_some() { TEMPORARY } else { LASTING };
        let new = NewKey {
            party: by.party.clone(),
            on_behalf_of: by.on_behalf_of.clone(),
            upstream: Arc::clone(&by.upstream),
            // It ends with the key it descends from.
            expires: None,
        };
        let mut key = fresh(&new, random_id(prefix)?, KeyForm::Pair(Secret::new(random_text(30)?)), now);
        // What descends from a session in another account is still of the upstream that the first key was for.
        let account = by.minted.as_ref().map_or(account, |minted| &minted.account);
        key.session_token = session_token;
        key.lineage = lineage(by);
        key.minted = Some(Minted {
            real: Real::Pair(real),
            expires,
            principal: principal.into(),
            account: account.into(),
        });
        self.add(key)
    }

    /// Makes a token of ours in the place of a real one that an actor was handed while its upstream was `account`. It is
    /// the actor's, whoever the real one is for (`principal`), and ends with the real one; where the actor came with an
    /// issued key (`by`), it ends with that as well.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be kept: the real one must not reach the caller then either.
    pub fn mint_token(
        &self,
        (new, by): (&NewKey, Option<&IssuedKey>),
        real: Secret,
        expires: Option<Timestamp>,
        principal: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<(Arc<IssuedKey>, Secret), KeyError> {
        let (id, token) = fresh_token()?;
        let mut key = fresh(new, id, KeyForm::Token(TokenHash::of(token.expose())), now);
        key.lineage = by.map(lineage).unwrap_or_default();
        key.minted = Some(Minted {
            real: Real::Bearer(real),
            expires,
            principal: principal.into(),
            account: account.into(),
        });
        Ok((self.add(key)?, token))
    }

    /// Has a token that stands for a real one end when that does, now that it was renewed. One that was ended stays so.
    ///
    /// # Errors
    /// [`KeyError`] when that cannot be kept.
    pub fn renew(&self, id: &str, expires: Timestamp) -> Result<Arc<IssuedKey>, KeyError> {
        self.change(id, |key| {
            if let Some(minted) = &mut key.minted {
                minted.expires = Some(expires);
                key.expires = Some(expires);
            }
        })
    }

    /// The key pair that was given for a token before, while it has time left: a client that is started often does not
    /// make one each time.
    #[must_use]
    pub fn given(&self, token: &IssuedKey, now: Timestamp) -> Option<Arc<IssuedKey>> {
        let least = until(token, now + GIVEN_LEAST);
        let fits = |key: &&Arc<IssuedKey>| {
            key.lineage.first() == Some(&token.id)
                && key.minted.is_none()
                && key.session_token.is_some()
                && key.expires.is_some_and(|expires| expires >= least)
                && self.ended_by(key, now).is_none()
        };
        self.keys.load().values().filter(fits).max_by_key(|key| (key.expires, &key.id)).cloned()
    }

    /// Makes a short-lived key pair with a session token, for whoever presents a token. It ends with the token.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be kept.
    pub fn give(&self, token: &IssuedKey, now: Timestamp) -> Result<Arc<IssuedKey>, KeyError> {
        let new = NewKey {
            party: token.party.clone(),
            on_behalf_of: token.on_behalf_of.clone(),
            upstream: Arc::clone(&token.upstream),
            expires: Some(until(token, now + GIVEN_LASTS)),
        };
        let mut key = fresh(&new, random_id(TEMPORARY)?, KeyForm::Pair(Secret::new(random_text(30)?)), now);
        key.session_token = Some(Secret::new(random_text(72)?));
        key.lineage = lineage(token);
        self.add(key)
    }
}

/// A time, or the end of a token where that comes first.
fn until(token: &IssuedKey, time: Timestamp) -> Timestamp {
    token.expires.map_or(time, |expires| expires.min(time))
}

/// The keys that what a key hands on descends from, nearest first.
fn lineage(by: &IssuedKey) -> Vec<Arc<str>> {
    std::iter::once(&by.id).chain(&by.lineage).cloned().collect()
}

/// A token, and the id it goes by.
pub(super) fn fresh_token() -> Result<(String, Secret), KeyError> {
    let id = random_id(TOKEN)?;
    let token = token::make(&id)?;
    Ok((id, token))
}
