//! The real credentials: where they come from, whose account they are of, and which one a request leaves with.
//!
//! An upstream is served only once its account is verified. Leaves out connections (`forward`) and issued keys
//! (`keys`).

mod cached;
mod error;
pub mod minted;
mod provider;
mod source;
mod sts;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::future::join_all;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use ordain_action::{Party, Plane, Upstream};
use ordain_sigv4::KeyPair;
use tokio::sync::Mutex as AsyncMutex;

use cached::Cached;
pub use error::UpstreamError;
use provider::Provider;
pub use source::{RealCredentials, Source};
use sts::{Caller, Sts};

use crate::events;
use crate::forward::is_forbidden;
use crate::keys::IssuedKey;

/// How long the start waits for the accounts to be verified. Whoever answers later is served from then on, and nobody
/// before: to wait longer would only keep the other upstreams from being served.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often an account that is not verified yet is asked for again.
const RETRY: Duration = Duration::from_secs(10);

/// Addresses and names that this gate is reached by: none of them is an upstream.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// The listeners.
    pub addresses: Vec<SocketAddr>,
    /// Names, without ports.
    pub names: Vec<String>,
}

/// Upstreams that were taken up and are not in force yet.
#[derive(Debug)]
pub struct Prepared(Arc<Entries>);

/// All upstreams.
#[derive(Debug)]
pub struct Upstreams {
    entries: ArcSwap<Entries>,
}

type Entries = BTreeMap<Arc<str>, Arc<Entry>>;

#[derive(Debug)]
struct Entry {
    source: Source,
    sts: Sts,
    base: Arc<Cached>,
    // The account that an upstream of this name was before; it is no other now.
    account: Option<String>,
    verified: OnceLock<Upstream>,
    // Why it is not verified yet, as it was last seen.
    said: ArcSwapOption<UpstreamError>,
    // The credential that was found to be of another account, and what is said of it. Held while one is asked about:
    // a thousand requests after a rotation must not ask a thousand times whose it is.
    refused: AsyncMutex<Option<(String, UpstreamError)>>,
    actors: Mutex<HashMap<Party, Arc<Cached>>>,
}

impl Upstreams {
    /// Takes up the upstreams configured, and verifies each one's account through its own endpoint.
    ///
    /// One whose credential is not to be had now is taken up unverified, asked for again every ten seconds, and not
    /// served until then.
    ///
    /// # Errors
    /// [`UpstreamError`] when an account is not the one configured, or an endpoint or a role can never be right.
    pub async fn start(sources: Vec<Source>, own: &Own, now: Timestamp) -> Result<Self, UpstreamError> {
        let upstreams = Self { entries: ArcSwap::default() };
        let prepared = upstreams.prepare(sources, own, now).await?;
        upstreams.replace(prepared, now);
        Ok(upstreams)
    }

    /// Takes up other upstreams without putting them in force. Those that stay as they are keep what is known of them.
    ///
    /// # Errors
    /// As [`Upstreams::start`].
    pub async fn prepare(
        &self,
        sources: Vec<Source>,
        own: &Own,
        now: Timestamp,
    ) -> Result<Prepared, UpstreamError> {
        let (mut entries, known) = (Entries::new(), self.entries.load_full());
        for source in sources {
            check_endpoint(&source, own)?;
            if let Some(role) = &source.role {
                sts::role_account(role).ok_or_else(|| UpstreamError::BadRole(role.clone()))?;
            }
            let before = known.get(&source.name);
            let entry = match before.filter(|entry| entry.source == source) {
                Some(entry) => Arc::clone(entry),
                // Keys are bound to a name, so that the name stays with its account for as long as we run.
                None => Arc::new(Entry::new(source, before.and_then(|entry| entry.account())).await),
            };
            entries.insert(Arc::clone(&entry.source.name), entry);
        }
        // A source that keeps us waiting must not keep the other upstreams from being served.
        let all = entries.values().map(|entry| tokio::time::timeout(PATIENCE, entry.verify(now)));
        for outcome in join_all(all).await.into_iter().flatten() {
            match outcome {
                Ok(_) | Err(UpstreamError::NoCredential { .. } | UpstreamError::Unverified { .. }) => {}
                Err(
                    error @ (UpstreamError::Unknown(_)
                    | UpstreamError::Loop(_)
                    | UpstreamError::OtherAccount { .. }
                    | UpstreamError::Role { .. }
                    | UpstreamError::BadRole(_)
                    | UpstreamError::BadActor(_)
                    | UpstreamError::Endpoint { .. }),
                ) => return Err(error),
            }
        }
        Ok(Prepared(Arc::new(entries)))
    }

    /// Puts other upstreams in force.
    pub fn replace(&self, Prepared(entries): Prepared, now: Timestamp) {
        self.entries.store(Arc::clone(&entries));
        if entries.values().any(|entry| entry.verified.get().is_none()) {
            tokio::spawn(keep_verifying(Arc::downgrade(&entries), now));
        }
    }

    /// Has credentials without an end looked for again at the next request: their files may have changed.
    pub fn look_anew(&self) {
        for entry in self.entries.load().values() {
            entry.base.look_anew();
        }
    }

    /// Verifies an upstream's account, once: says which it is, or why that is not known.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn verify(&self, name: &str, now: Timestamp) -> Result<Upstream, UpstreamError> {
        self.entry(name)?.verify(now).await.cloned()
    }

    /// The names of those whose account is not verified yet.
    #[must_use]
    pub fn unverified(&self) -> Vec<Arc<str>> {
        let entries = self.entries.load();
        let unverified = entries.iter().filter(|(_, entry)| entry.verified.get().is_none());
        unverified.map(|(name, _)| Arc::clone(name)).collect()
    }

    /// Why an upstream is not verified yet, as it was last seen; `None` where nothing was answered yet.
    #[must_use]
    pub fn why_unverified(&self, name: &str) -> Option<String> {
        self.entries.load().get(name)?.said.load().as_deref().map(ToString::to_string)
    }

    /// A verified upstream; `None` while it is not verified, and where there is none of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Upstream> {
        self.entries.load().get(name)?.verified.get().cloned()
    }

    /// What a request signed with an issued key leaves with, for an upstream that is still `account`: the real key pair,
    /// which is the one behind a minted key or the upstream's own for the party, and the base URL configured in place of
    /// the provider's hosts.
    ///
    /// # Errors
    /// [`UpstreamError`]: nothing must be sent.
    pub async fn leaving(
        &self,
        key: &IssuedKey,
        account: &str,
        now: Timestamp,
    ) -> Result<(Arc<KeyPair>, Option<Uri>), UpstreamError> {
        // One entry for all of it: the settings may be replaced while a body comes in.
        let entry = self.entry(&key.upstream)?;
        let verified = entry.verify(now).await?;
        if *verified.account != *account {
            return Err(entry.other_account(account, &verified.account));
        }
        let pair = match &key.minted {
            Some(minted) => Arc::new(minted.real.clone()),
            None => entry.pair(&key.party, now).await?,
        };
        Ok((pair, entry.source.endpoint.clone()))
    }

    /// The real key pair of an upstream for a party.
    ///
    /// # Errors
    /// [`UpstreamError`]: nothing must be sent.
    pub async fn credentials(
        &self,
        name: &str,
        party: &Party,
        now: Timestamp,
    ) -> Result<Arc<KeyPair>, UpstreamError> {
        self.entry(name)?.pair(party, now).await
    }

    fn entry(&self, name: &str) -> Result<Arc<Entry>, UpstreamError> {
        self.entries.load().get(name).cloned().ok_or_else(|| UpstreamError::Unknown(name.to_owned()))
    }
}

impl Entry {
    async fn new(source: Source, account: Option<String>) -> Self {
        let region = provider::region(&source).await;
        let provider = Provider::base(&source.credentials, &region);
        Self {
            sts: Sts::new(&source.name, source.endpoint.as_ref(), &region),
            base: Arc::new(Cached::new(&source.name, provider)),
            source,
            account,
            verified: OnceLock::new(),
            said: ArcSwapOption::empty(),
            refused: AsyncMutex::default(),
            actors: Mutex::default(),
        }
    }

    /// The real key pair for a party.
    async fn pair(&self, party: &Party, now: Timestamp) -> Result<Arc<KeyPair>, UpstreamError> {
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
    fn account(&self) -> Option<String> {
        let verified = self.verified.get().map(|upstream| upstream.account.to_string());
        verified.or_else(|| self.account.clone())
    }

    fn other_account(&self, expected: &str, found: &str) -> UpstreamError {
        UpstreamError::OtherAccount {
            upstream: self.source.name.to_string(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    async fn verify(&self, now: Timestamp) -> Result<&Upstream, UpstreamError> {
        if let Some(verified) = self.verified.get() {
            return Ok(verified);
        }
        match self.ask(now).await {
            Ok(verified) => Ok(self.verified.get_or_init(|| verified)),
            Err(error) => {
                self.said.store(Some(Arc::new(error.clone())));
                Err(error)
            }
        }
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

/// Tries again until each upstream is verified, or nobody needs them any more.
async fn keep_verifying(entries: Weak<Entries>, started: Timestamp) {
    let since = Instant::now();
    loop {
        tokio::time::sleep(RETRY).await;
        let Some(entries) = entries.upgrade() else { return };
        let elapsed = SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        let now = started.checked_add(elapsed).unwrap_or(started);
        // Who is refused stays unverified, and is not served.
        let waiting: Vec<&Arc<Entry>> =
            entries.values().filter(|entry| entry.verified.get().is_none()).collect();
        for verified in join_all(waiting.iter().map(|entry| entry.verify(now))).await.into_iter().flatten() {
            events::upstream_verified(&verified.name, &verified.account);
        }
        if entries.values().all(|entry| entry.verified.get().is_some()) {
            return;
        }
    }
}

fn check_endpoint(source: &Source, own: &Own) -> Result<(), UpstreamError> {
    let Some(endpoint) = &source.endpoint else { return Ok(()) };
    let refused = |why| UpstreamError::Endpoint {
        upstream: source.name.to_string(),
        endpoint: endpoint.to_string(),
        why,
    };
    let host = endpoint.host().ok_or_else(|| refused("not a URL with a host"))?;
    let port = endpoint.port_u16().unwrap_or(if endpoint.scheme_str() == Some("http") { 80 } else { 443 });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<std::net::IpAddr>() {
        // `::ffff:127.0.0.1` is 127.0.0.1 to whoever connects to it.
        let address = address.to_canonical();
        if is_forbidden(address) {
            return Err(refused("a link-local or metadata address"));
        }
        let ours = own.addresses.iter().any(|listener| {
            let everywhere = listener.ip().is_unspecified() && address.is_loopback();
            listener.port() == port && (listener.ip() == address || everywhere)
        });
        if ours {
            return Err(refused("this gate itself"));
        }
    } else {
        let ours = own.names.iter().any(|name| name.eq_ignore_ascii_case(bare))
            || (bare.eq_ignore_ascii_case("localhost")
                && own.addresses.iter().any(|listener| listener.port() == port));
        if ours {
            return Err(refused("this gate itself"));
        }
    }
    Ok(())
}
