//! A real credential that is kept while it lasts, and fetched again before it ends.
//!
//! Leaves out where it comes from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use ordain_sigv4::KeyPair;
use tokio::sync::Mutex;

use crate::keys::is_issued_form;
use crate::upstream::UpstreamError;

/// A credential is fetched again when it has less than this left.
const REFRESH: SignedDuration = SignedDuration::from_mins(5);

/// A credential with less than this left is not used, even if no other is to be had.
const LAST: SignedDuration = SignedDuration::from_secs(15);

/// A credential without an end is looked for again after this time: the file it came from may have changed.
const LASTING: SignedDuration = SignedDuration::from_mins(15);

/// A source that was asked this short a time ago is not asked again while what it gave lasts: many give the same
/// credential until it ends, and some give only short ones.
const AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// A credential as it was fetched.
pub(super) struct Fetched {
    pub(super) pair: KeyPair,
    pub(super) expires: Option<Timestamp>,
}

/// A credential being fetched.
pub(super) type Fetching<'a> = BoxFuture<'a, Result<Fetched, UpstreamError>>;

/// What a credential is fetched from.
pub(super) trait Fetch: Send + Sync {
    /// Fetches it for an upstream, which errors name.
    fn fetch<'a>(&'a self, upstream: &'a str, now: Timestamp) -> Fetching<'a>;
}

#[derive(Clone)]
struct Current {
    pair: Arc<KeyPair>,
    expires: Option<Timestamp>,
    // When its source was last asked, whether or not it answered.
    asked: Timestamp,
}

/// A provider and what it gave last.
pub(super) struct Cached {
    upstream: String,
    provider: Box<dyn Fetch>,
    current: ArcSwapOption<Current>,
    verified: ArcSwapOption<String>,
    fetches: AtomicU64,
    // One fetch at a time: a thousand requests at the end of a credential must not ask a thousand times. Holds what
    // the last fetch failed with, for those who waited for it.
    fetching: Mutex<Option<UpstreamError>>,
}

impl Cached {
    pub(super) fn new(upstream: &str, provider: impl Fetch + 'static) -> Self {
        Self {
            upstream: upstream.to_owned(),
            provider: Box::new(provider),
            current: ArcSwapOption::empty(),
            verified: ArcSwapOption::empty(),
            fetches: AtomicU64::new(0),
            fetching: Mutex::new(None),
        }
    }

    pub(super) async fn get(&self, now: Timestamp) -> Result<Arc<KeyPair>, UpstreamError> {
        if let Some(pair) = self.fresh(now) {
            return Ok(pair);
        }
        let before = self.fetches.load(Ordering::Acquire);
        let mut failed = match self.lasting(now) {
            // One request fetches; the others go on with what still lasts.
            Some(pair) => match self.fetching.try_lock() {
                Ok(failed) => failed,
                Err(_) => return Ok(pair),
            },
            None => self.fetching.lock().await,
        };
        if let Some(pair) = self.fresh(now) {
            return Ok(pair);
        }
        if self.fetches.load(Ordering::Acquire) != before {
            // It was asked while we waited: what it gave must do, and so must its refusal.
            if let Some(pair) = self.lasting(now) {
                return Ok(pair);
            }
            if let Some(error) = &*failed {
                return Err(error.clone());
            }
        }
        let outcome = self.fetch(now).await;
        self.fetches.fetch_add(1, Ordering::Release);
        *failed = outcome.as_ref().err().cloned();
        outcome
    }

    async fn fetch(&self, now: Timestamp) -> Result<Arc<KeyPair>, UpstreamError> {
        match self.provider.fetch(&self.upstream, now).await {
            Ok(fetched) if is_issued_form(&fetched.pair.id) => {
                Err(UpstreamError::Loop(self.upstream.clone()))
            }
            Ok(fetched) => {
                let pair = Arc::new(fetched.pair);
                let current = Current { pair: Arc::clone(&pair), expires: fetched.expires, asked: now };
                self.current.store(Some(Arc::new(current)));
                Ok(pair)
            }
            Err(error) => {
                let pair = self.lasting(now).ok_or(error)?;
                let current = self.current.load().as_deref().cloned();
                self.current.store(current.map(|current| Arc::new(Current { asked: now, ..current })));
                Ok(pair)
            }
        }
    }

    /// Has a credential without an end looked for again at the next request.
    pub(super) fn look_anew(&self) {
        let current = self.current.load().as_deref().cloned();
        let anew = |current| Arc::new(Current { asked: Timestamp::UNIX_EPOCH, ..current });
        self.current.store(current.map(anew));
    }

    /// The credential's account is known.
    pub(super) fn is_verified(&self, pair: &KeyPair) -> bool {
        self.verified.load().as_deref().is_some_and(|id| *id == pair.id)
    }

    pub(super) fn set_verified(&self, pair: &KeyPair) {
        self.verified.store(Some(Arc::new(pair.id.clone())));
    }

    /// What need not be fetched again yet.
    fn fresh(&self, now: Timestamp) -> Option<Arc<KeyPair>> {
        let pair = self.lasting(now)?;
        let current = self.current.load();
        let current = current.as_ref()?;
        let since = now.duration_since(current.asked);
        let fresh = match current.expires {
            Some(expires) => expires.duration_since(now) > REFRESH,
            None => since < LASTING,
        };
        (fresh || since < AGAIN).then_some(pair)
    }

    /// What can still be used.
    fn lasting(&self, now: Timestamp) -> Option<Arc<KeyPair>> {
        let current = self.current.load();
        let current = current.as_ref()?;
        let lasts = current.expires.is_none_or(|expires| expires > now + LAST);
        lasts.then(|| Arc::clone(&current.pair))
    }
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}
