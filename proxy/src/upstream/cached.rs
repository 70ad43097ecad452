//! A real credential that is kept while it lasts, and fetched again before it ends.
//!
//! Leaves out where it comes from.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use ordain_sigv4::KeyPair;
use tokio::sync::Mutex;

use super::UpstreamError;
use super::source::Provider;
use crate::keys::is_issued_form;

/// A credential is fetched again when it has less than this left.
const REFRESH: SignedDuration = SignedDuration::from_mins(5);

/// A credential with less than this left is not used, even if no other is to be had.
const LAST: SignedDuration = SignedDuration::from_secs(15);

/// A credential without an end is looked for again after this time: the file it came from may have changed.
const LASTING: SignedDuration = SignedDuration::from_mins(15);

/// A credential as it was fetched.
pub(super) struct Fetched {
    pub(super) pair: KeyPair,
    pub(super) expires: Option<Timestamp>,
}

struct Current {
    pair: Arc<KeyPair>,
    expires: Option<Timestamp>,
    fetched: Timestamp,
}

/// A provider and what it gave last.
pub(super) struct Cached {
    upstream: String,
    provider: Provider,
    current: ArcSwapOption<Current>,
    verified: ArcSwapOption<String>,
    // One fetch at a time: a thousand requests at the end of a credential must not ask a thousand times.
    fetching: Mutex<()>,
}

impl Cached {
    pub(super) fn new(upstream: &str, provider: Provider) -> Self {
        Self {
            upstream: upstream.to_owned(),
            provider,
            current: ArcSwapOption::empty(),
            verified: ArcSwapOption::empty(),
            fetching: Mutex::new(()),
        }
    }

    pub(super) async fn get(&self, now: Timestamp) -> Result<Arc<KeyPair>, UpstreamError> {
        if let Some(pair) = self.fresh(now) {
            return Ok(pair);
        }
        let _one = self.fetching.lock().await;
        if let Some(pair) = self.fresh(now) {
            return Ok(pair);
        }
        // Boxed, because the provider of a role asks the cache of its base credential.
        match Box::pin(self.provider.fetch(&self.upstream, now)).await {
            Ok(fetched) if is_issued_form(&fetched.pair.id) => {
                Err(UpstreamError::Loop(self.upstream.clone()))
            }
            Ok(fetched) => {
                let pair = Arc::new(fetched.pair);
                self.current.store(Some(Arc::new(Current {
                    pair: Arc::clone(&pair),
                    expires: fetched.expires,
                    fetched: now,
                })));
                Ok(pair)
            }
            Err(error) => self.lasting_until(now + LAST).ok_or(error),
        }
    }

    /// The credential's account is known.
    pub(super) fn is_verified(&self, pair: &KeyPair) -> bool {
        self.verified.load().as_deref().is_some_and(|id| *id == pair.id)
    }

    pub(super) fn set_verified(&self, pair: &KeyPair) {
        self.verified.store(Some(Arc::new(pair.id.clone())));
    }

    fn fresh(&self, now: Timestamp) -> Option<Arc<KeyPair>> {
        let current = self.current.load();
        let current = current.as_ref()?;
        let fresh = match current.expires {
            Some(expires) => expires.duration_since(now) > REFRESH,
            None => now.duration_since(current.fetched) < LASTING,
        };
        fresh.then(|| Arc::clone(&current.pair))
    }

    fn lasting_until(&self, time: Timestamp) -> Option<Arc<KeyPair>> {
        let current = self.current.load();
        let current = current.as_ref()?;
        let lasts = current.expires.is_none_or(|expires| expires > time);
        lasts.then(|| Arc::clone(&current.pair))
    }
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}
