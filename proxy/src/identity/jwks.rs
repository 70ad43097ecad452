//! The keys of an issuer: fetched from where it publishes them, kept, and fetched again when a token names another.
//!
//! Whoever sends tokens with keys that are made up has them fetched twice a minute at most, also where they go away in the
//! middle of it. Nothing is followed
//! elsewhere: a redirect is an error. Leaves out what the keys are for (`jwt`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use ordain_action::DenialKind;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::jwt::{Key, Read, keys_in};
use crate::fault::Fault;
use crate::forward::{Forwarder, Outward, Trust};
use crate::upstream::Upstreams;

/// Keys are fetched again after this time: an issuer takes back one that was stolen.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// Keys that cannot be fetched again are used for so long.
const STALE: SignedDuration = SignedDuration::from_hours(6);

/// The pause between two fetches.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// How long an issuer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest document.
const DOCUMENT_MAX: usize = 256 * 1024;

/// Where a cluster publishes the keys of its service accounts.
const OF_CLUSTER: &str = "/openid/v1/jwks";

/// Where keys are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// At a URL.
    Url {
        /// The URL.
        url: Uri,
        /// The authorities that its certificate must come from, where not the system's.
        trust: Option<PathBuf>,
    },
    /// Where the issuer's discovery document says.
    Discovery {
        /// The issuer.
        issuer: String,
        /// The authorities that its certificate must come from, where not the system's.
        trust: Option<PathBuf>,
    },
    /// At an upstream, over its own connection.
    Upstream(Arc<str>),
}

impl Source {
    /// In words, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        let under = |trust: &Option<PathBuf>| {
            trust.as_ref().map_or_else(String::new, |path| format!(" under `{}`", path.display()))
        };
        match self {
            Self::File(path) => format!("the file `{}`", path.display()),
            Self::Url { url, trust } => format!("`{url}`{}", under(trust)),
            Self::Discovery { trust, .. } => format!("its discovery document{}", under(trust)),
            Self::Upstream(name) => format!("the upstream `{name}`"),
        }
    }
}

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Jwks {
    source: Source,
    outward: Outward,
    kept: ArcSwapOption<Kept>,
    // One fetch at a time; when the last was tried, and what came of it where it failed.
    fetching: Arc<Mutex<Tried>>,
}

type Tried = Option<(Timestamp, Option<String>)>;

#[derive(Debug)]
struct Kept {
    keys: Vec<Key>,
    at: Timestamp,
}

impl Jwks {
    pub(super) fn new(source: Source, outward: Outward) -> Self {
        Self { source, outward, kept: ArcSwapOption::empty(), fetching: Arc::default() }
    }

    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    /// Does something with the keys once they are those that a token needs, as far as its issuer has them.
    ///
    /// # Errors
    /// A [`Fault`]: there are no keys to be had.
    pub(super) async fn with<'t, T>(
        self: &Arc<Self>,
        token: Read<'t>,
        upstreams: &Arc<Upstreams>,
        now: Timestamp,
        use_of: impl FnOnce(Read<'t>, &[Key]) -> T,
    ) -> Result<T, Fault> {
        if let Some(kept) = self.fitting(&token, now) {
            return Ok(use_of(token, &kept.keys));
        }
        // Boxed, because every request in flight would carry the room for a call that one in thousands makes.
        Box::pin(self.look(&token, upstreams, now)).await?;
        match self.usable(now) {
            Some(kept) => Ok(use_of(token, &kept.keys)),
            None => Err(unreachable("they are too old")),
        }
    }

    /// Keys that are not too old to be used where no others are to be had.
    fn usable(&self, now: Timestamp) -> Option<Arc<Kept>> {
        self.kept.load_full().filter(|kept| now.duration_since(kept.at) < STALE)
    }

    /// Keys that are fresh and have the one that a token names.
    fn fitting(&self, token: &Read<'_>, now: Timestamp) -> Option<Arc<Kept>> {
        self.kept.load_full().filter(|kept| now.duration_since(kept.at) < FRESH && token.has_key(&kept.keys))
    }

    async fn look(
        self: &Arc<Self>,
        token: &Read<'_>,
        upstreams: &Arc<Upstreams>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let last = match self.usable(now).filter(|kept| token.has_key(&kept.keys)) {
            // One request has them fetched; the others go on with those that have the token's.
            Some(_) => match Arc::clone(&self.fetching).try_lock_owned() {
                Ok(last) => last,
                Err(_) => return Ok(()),
            },
            None => Arc::clone(&self.fetching).lock_owned().await,
        };
        if self.fitting(token, now).is_some() {
            return Ok(());
        }
        if let Some((tried, why)) = &*last
            && now.duration_since(*tried) < PAUSE
        {
            let kept = self.kept.load().is_some();
            return why.as_ref().filter(|_| !kept).map_or(Ok(()), |why| Err(unreachable(why)));
        }
        // A task of its own: whoever asks may go away in the middle of it, and the pause counts all the same.
        let (jwks, upstreams) = (Arc::clone(self), Arc::clone(upstreams));
        let fetching = tokio::spawn(async move { jwks.fetch_anew(last, &upstreams, now).await });
        fetching.await.unwrap_or_else(|error| Err(Fault::internal(&error)))
    }

    async fn fetch_anew(
        &self,
        mut last: OwnedMutexGuard<Tried>,
        upstreams: &Upstreams,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let fetched = match tokio::time::timeout(PATIENCE, self.fetch(upstreams, now)).await {
            Ok(fetched) => fetched.and_then(|document| keys_in(&document)),
            Err(_) => Err("it does not answer".to_owned()),
        };
        *last = Some((now, fetched.as_ref().err().cloned()));
        match fetched {
            Ok(keys) => {
                self.kept.store(Some(Arc::new(Kept { keys, at: now })));
                Ok(())
            }
            Err(why) if self.kept.load().is_none() => Err(unreachable(&why)),
            // What is kept is used for a while; a token with another key is told that there is none.
            Err(_) => Ok(()),
        }
    }

    async fn fetch(&self, upstreams: &Upstreams, now: Timestamp) -> Result<Bytes, String> {
        match &self.source {
            Source::File(path) => {
                let read = tokio::fs::read(path).await.map_err(|error| error.to_string())?;
                bounded(Bytes::from(read))
            }
            Source::Url { url, trust } => self.get(&self.client(trust.as_ref())?, url.clone()).await,
            Source::Discovery { issuer, trust } => {
                let client = self.client(trust.as_ref())?;
                let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let at: Uri = at.parse().map_err(|_| "its name is no URL".to_owned())?;
                let document = self.get(&client, at).await?;
                self.get(&client, keys_of(issuer, &document)?).await
            }
            Source::Upstream(name) => {
                let base = upstreams.base(name)?;
                if !is_safe(&base) {
                    return Err(format!("`{base}` is not served over TLS"));
                }
                let (status, body) = upstreams.look(name, OF_CLUSTER, now).await?;
                ok(status).and_then(|()| bounded(body))
            }
        }
    }

    fn client(&self, trust: Option<&PathBuf>) -> Result<Forwarder, String> {
        let roots = match trust {
            None => None,
            Some(path) => {
                let all =
                    CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                Some(all.map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?)
            }
        };
        self.outward.forwarder(Trust { roots, ..Trust::default() })
    }

    async fn get(&self, client: &Forwarder, url: Uri) -> Result<Bytes, String> {
        if !is_safe(&url) {
            return Err(format!("`{url}` is not served over TLS"));
        }
        let (status, body) = client.look(url, None).await?;
        ok(status).and_then(|()| bounded(body))
    }
}

/// Whether what comes from a URL is the server's own word: over TLS, or from this machine.
#[must_use]
pub fn is_safe(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let local =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let named = url.authority().is_some_and(|at| !at.as_str().contains('@'));
    named && (url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && local))
}

/// Where an issuer's discovery document says that its keys are. It must be that issuer's own document.
fn keys_of(issuer: &str, document: &[u8]) -> Result<Uri, String> {
    #[derive(Deserialize)]
    struct Document {
        issuer: String,
        jwks_uri: String,
    }
    let found: Document =
        serde_json::from_slice(document).map_err(|_| "its discovery document cannot be read".to_owned())?;
    if found.issuer != issuer {
        return Err("its discovery document is another issuer's".to_owned());
    }
    found.jwks_uri.parse().map_err(|_| "its discovery document names no URL".to_owned())
}

fn ok(status: StatusCode) -> Result<(), String> {
    if status == StatusCode::OK { Ok(()) } else { Err(format!("it answers with status {}", status.as_u16())) }
}

fn bounded(document: Bytes) -> Result<Bytes, String> {
    if document.len() > DOCUMENT_MAX { Err("its document is too long".to_owned()) } else { Ok(document) }
}

fn unreachable(why: &str) -> Fault {
    let text = "the keys of the token's issuer cannot be fetched now; try again, and tell the operator";
    Fault::new(DenialKind::BadGateway, "issuer_unreachable", text).with_detail(why)
}
