//! An AWS upstream: its credential, whose account that is, and a role for each actor.
//!
//! Leaves out keeping several upstreams (`super`).

mod cached;
mod inquire;
mod provider;
mod source;
mod sts;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use ordain_action::{Party, Plane, Upstream};
use ordain_sigv4::KeyPair;
use tokio::sync::Mutex as AsyncMutex;

use super::UpstreamError;
use crate::forward::Outward;
use cached::Cached;
use provider::Provider;
pub use source::{RealCredentials, Source};
use sts::{Caller, Sts};

/// One AWS upstream.
#[derive(Debug)]
pub(super) struct Entry {
    source: Source,
    sts: Sts,
    base: Arc<Cached>,
    // The account that an upstream of this name was before; it is no other now.
    account: Option<String>,
    verified: OnceLock<Upstream>,
    // The credential that was found to be of another account, and what is said of it. Held while one is asked about:
    // a thousand requests after a rotation must not ask a thousand times whose it is.
    refused: AsyncMutex<Option<(String, UpstreamError)>>,
    actors: Mutex<HashMap<Party, Arc<Cached>>>,
}

impl Entry {
    pub(super) async fn new(source: Source, account: Option<String>, outward: &Outward) -> Self {
        let region = provider::region(&source).await;
        let provider = Provider::base(&source.credentials, &region, outward);
        Self {
            sts: Sts::new(&source.name, source.endpoint.as_ref(), &region, outward.outlet()),
            base: Arc::new(Cached::new(&source.name, provider)),
            source,
            account,
            verified: OnceLock::new(),
            refused: AsyncMutex::default(),
            actors: Mutex::default(),
        }
    }

    /// The real key pair for a party.
    pub(super) async fn pair(&self, party: &Party, now: Timestamp) -> Result<Arc<KeyPair>, UpstreamError> {
        let verified = self.verify(now).await?;
        match &self.source.role {
            None => self.base_pair(verified, now).await,
            Some(template) => {
                let role = sts::role_for(template, party)?;
                self.for_actor(role, party).get(now).await
            }
        }
    }

    /// The account it is, or was before and has to be again.
    pub(super) fn account(&self) -> Option<String> {
        let verified = self.verified.get().map(|upstream| upstream.account.to_string());
        verified.or_else(|| self.account.clone())
    }

    /// What is said where it is of another account.
    pub(super) fn other_account(&self, expected: &str, found: &str) -> UpstreamError {
        UpstreamError::OtherAccount {
            upstream: self.source.name.to_string(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    /// What it is configured as.
    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    /// What it was verified to be.
    pub(super) fn verified(&self) -> Option<&Upstream> {
        self.verified.get()
    }

    /// Has a credential without an end looked for again at the next request.
    pub(super) fn look_anew(&self) {
        self.base.look_anew();
    }

    /// Asks whose account it is, once.
    pub(super) async fn verify(&self, now: Timestamp) -> Result<&Upstream, UpstreamError> {
        if let Some(verified) = self.verified.get() {
            return Ok(verified);
        }
        let verified = self.ask(now).await?;
        Ok(self.verified.get_or_init(|| verified))
    }

    async fn ask(&self, now: Timestamp) -> Result<Upstream, UpstreamError> {
        let pair = self.base.get(now).await?;
        // Boxed, because every request in flight would carry the room for a call that one in thousands makes.
        let caller = Box::pin(self.sts.caller(&pair)).await?;
        let verified = self.verified_as(&caller)?;
        self.base.set_verified(&pair);
        Ok(verified)
    }

    fn verified_as(&self, caller: &Caller) -> Result<Upstream, UpstreamError> {
        // What an assumed role does is done in the role's account, wherever the first credential is from.
        let account = self.source.role.as_deref().and_then(sts::role_account).unwrap_or(&caller.account);
        if let Some(other) = [&self.source.account, &self.account]
            .into_iter()
            .flatten()
            .find(|expected| expected.as_str() != account)
        {
            return Err(self.other_account(other, account));
        }
        Ok(Upstream {
            name: Arc::clone(&self.source.name),
            plane: Plane::Aws,
            account: account.into(),
            partition: caller.partition.as_str().into(),
        })
    }

    /// The base credential. One that was replaced while we ran is verified before it is used.
    async fn base_pair(&self, verified: &Upstream, now: Timestamp) -> Result<Arc<KeyPair>, UpstreamError> {
        let pair = self.base.get(now).await?;
        if self.base.is_verified(&pair) {
            return Ok(pair);
        }
        let mut refused = self.refused.lock().await;
        if self.base.is_verified(&pair) {
            return Ok(pair);
        }
        if let Some((id, why)) = &*refused
            && *id == pair.id
        {
            return Err(why.clone());
        }
        let found = Box::pin(self.sts.caller(&pair)).await?.account;
        if *found != *verified.account {
            let why = self.other_account(&verified.account, &found);
            *refused = Some((pair.id.clone(), why.clone()));
            return Err(why);
        }
        self.base.set_verified(&pair);
        Ok(pair)
    }

    fn for_actor(&self, role: String, party: &Party) -> Arc<Cached> {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        let made = actors.entry(party.clone()).or_insert_with(|| {
            let provider = Provider::role(Arc::clone(&self.base), self.sts.clone(), role, party.clone());
            Arc::new(Cached::new(&self.source.name, provider))
        });
        Arc::clone(made)
    }
}
