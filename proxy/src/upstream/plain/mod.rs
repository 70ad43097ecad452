//! An upstream that is reached at one address with one credential, which is sent as it is: a Kubernetes cluster, an API
//! over gRPC.
//!
//! Leaves out keeping several upstreams (`super`) and where a credential comes from (`credential`, `kubeconfig`).

mod credential;
mod kubeconfig;
mod source;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{StatusCode, Uri};
use jiff::Timestamp;
use ordain_action::{Plane, Upstream};
use ordain_decode::Api;
use ordain_sigv4::Secret;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::secrets::Refusals;
use super::{Ask, Carried, Leaving, Own, UpstreamError};
use crate::forward::{Forwarder, Outward, Trust};
pub use credential::Header;
pub(super) use credential::run;
use credential::{Credential, Fetch};
pub use source::Source;
pub(super) use source::certificates;

/// The namespace that every cluster has from its first moment, and by whose UID clusters are told apart.
const ANCHOR: &str = "/api/v1/namespaces/kube-system";

/// After this time no request is on the way with a credential that was replaced.
const ON_THE_WAY: Duration = Duration::from_secs(60);

/// The status of gRPC to who is not known.
const UNAUTHENTICATED: u16 = 16;

/// One such upstream.
#[derive(Debug)]
pub(super) struct Entry {
    source: Source,
    own: Own,
    outward: Outward,
    // What an upstream of this name was before; it is no other now.
    account: Option<String>,
    verified: OnceLock<Upstream>,
    reached: ArcSwapOption<Reached>,
    // What is configured may say something else now.
    anew: AtomicBool,
    refusals: Refusals,
    // One at a time reads what is configured and asks the upstream.
    asking: Mutex<()>,
}

/// How an upstream is reached, as configuration was read last.
#[derive(Debug)]
struct Reached {
    // None where it is at its provider's hosts.
    base: Option<Uri>,
    through: Arc<Forwarder>,
    // The same without a client certificate: the upstream would take that for the identity of whatever it carries.
    anonymous: Arc<Forwarder>,
    credential: Credential,
}

/// What configuration comes to: where the upstream is, whom to trust, and which credential to send.
#[derive(Debug)]
struct Place {
    base: Option<Uri>,
    trust: Trust,
    fetch: Fetch,
}

impl Entry {
    pub(super) fn new(source: Source, account: Option<String>, own: &Own, outward: &Outward) -> Self {
        Self {
            source,
            own: own.clone(),
            outward: outward.clone(),
            account,
            verified: OnceLock::new(),
            reached: ArcSwapOption::empty(),
            anew: AtomicBool::new(false),
            refusals: Refusals::default(),
            asking: Mutex::new(()),
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

    /// The account it is, or was before and has to be again.
    pub(super) fn account(&self) -> Option<String> {
        let verified = self.verified.get().map(|upstream| upstream.account.to_string());
        verified.or_else(|| self.account.clone())
    }

    /// Whether a host and a port are its own.
    pub(super) fn is_at(&self, host: &str, port: u16) -> bool {
        let reached = self.reached.load();
        let base = reached.as_ref().and_then(|reached| reached.base.as_ref()).or(self.source.endpoint());
        let Some(base) = base else { return false };
        let default = if base.scheme_str() == Some("http") { 80 } else { 443 };
        base.host().is_some_and(|own| own.eq_ignore_ascii_case(host))
            && base.port_u16().unwrap_or(default) == port
    }

    /// Its base URL, read from where it is configured as long as it was not reached; none where it is at its provider's
    /// hosts.
    ///
    /// # Errors
    /// What is configured cannot be read.
    pub(super) fn base(&self) -> Result<Option<Uri>, String> {
        match self.reached.load().as_ref() {
            Some(reached) => Ok(reached.base.clone()),
            None => self.source.base(),
        }
    }

    /// Has what is configured read again at the next request.
    pub(super) fn look_anew(&self) {
        self.refusals.forget();
        self.anew.store(true, Ordering::Release);
    }

    /// Ends what was opened for it and would stay open.
    pub(super) async fn end(&self) {
        if let Some(reached) = self.reached.load_full() {
            reached.credential.end().await;
        }
    }

    /// The same, once nobody is on the way with it any more.
    pub(super) fn end_later(&self) {
        let Some(reached) = self.reached.load_full() else { return };
        tokio::spawn(async move {
            tokio::time::sleep(ON_THE_WAY).await;
            reached.credential.end().await;
        });
    }

    /// What a request to one of its APIs leaves with.
    pub(super) async fn leaving(&self, api: Api, now: Timestamp) -> Result<Leaving, UpstreamError> {
        let reached = self.current(now).await?;
        let header = reached.credential.get(api, now).await.map_err(|why| self.no_credential(why))?;
        let carried = header.map_or(Carried::Connection, Carried::Header);
        Ok(Leaving::Plain { carried, base: reached.base.clone(), through: Arc::clone(&reached.through) })
    }

    /// What a request leaves with whose own credential goes on: nothing of ours, over a connection that carries nothing
    /// either.
    pub(super) async fn leaving_as_it_came(&self, now: Timestamp) -> Result<Leaving, UpstreamError> {
        let reached = self.current(now).await?;
        Ok(Leaving::Plain {
            carried: Carried::Own,
            base: reached.base.clone(),
            through: Arc::clone(&reached.anonymous),
        })
    }

    /// What a request leaves with whose sender nothing shows: nothing, over a connection that carries no credential.
    pub(super) async fn leaving_as_nobodys(&self, now: Timestamp) -> Result<Leaving, UpstreamError> {
        let reached = self.current(now).await?;
        Ok(Leaving::Plain {
            carried: Carried::Connection,
            base: reached.base.clone(),
            through: Arc::clone(&reached.anonymous),
        })
    }

    /// What a request leaves with whose credential was handed out by the upstream: the real token, over a connection that
    /// carries no credential of its own.
    pub(super) fn leaving_with(&self, token: &Secret) -> Result<Leaving, UpstreamError> {
        let reached = self.reached()?;
        let place = ordain_decode::card(self.source.plane).token;
        let header = Header::token(place, token.expose()).map_err(|why| self.no_credential(why))?;
        Ok(Leaving::Plain {
            carried: Carried::Header(header),
            base: reached.base.clone(),
            through: Arc::clone(&reached.anonymous),
        })
    }

    /// Looks at something of the upstream for the gate itself.
    pub(super) async fn look(&self, path: &str, now: Timestamp) -> Result<(StatusCode, Bytes), String> {
        let reached = self.reached().map_err(|error| error.to_string())?;
        let header = reached.credential.get(Api::Main, now).await?;
        let uri = at(reached.base.as_ref().ok_or("it has no address of its own")?, path)?;
        reached.through.look(uri, header.as_ref().map(Header::to_pair)).await
    }

    /// Asks for what there is; nothing changes by it.
    pub(super) async fn inquire(&self, ask: &Ask, now: Timestamp) -> Result<(StatusCode, Bytes), String> {
        let reached = self.reached().map_err(|error| error.to_string())?;
        let credential = reached.credential.get(Api::Main, now).await?;
        let host = ask.host(self.source.plane).map(Uri::from_static);
        let base = reached.base.clone().or(host).ok_or("it has no address of its own")?;
        let mut headers = ask.headers();
        headers.extend(credential.as_ref().map(Header::to_pair));
        reached.through.inquire(at(&base, ask.path())?, headers, ask.body()).await
    }

    /// Asks whether the upstream takes the credential, and which cluster it is.
    pub(super) async fn verify(&self, now: Timestamp) -> Result<&Upstream, UpstreamError> {
        let _one = self.asking.lock().await;
        if let Some(verified) = self.verified.get() {
            return Ok(verified);
        }
        let name = self.source.account();
        if let Some(before) = self.account.as_deref().filter(|before| *before != name) {
            return Err(self.other_account(before, name));
        }
        self.reached.store(Some(Arc::new(self.reach(now).await?)));
        Ok(self.verified.get_or_init(|| Upstream {
            name: Arc::clone(&self.source.name),
            plane: self.source.plane,
            account: name.into(),
            partition: "".into(),
        }))
    }

    /// How it is reached, read anew where that was asked for; where that fails, at the next request again.
    async fn current(&self, now: Timestamp) -> Result<Arc<Reached>, UpstreamError> {
        if self.anew.load(Ordering::Acquire) {
            let _one = self.asking.lock().await;
            // Taken before the reading: who asks for it meanwhile asks for another.
            if self.anew.swap(false, Ordering::AcqRel) {
                // Boxed, because every request in flight would carry the room for it.
                match Box::pin(self.reach(now)).await {
                    Ok(reached) => {
                        self.end_later();
                        self.reached.store(Some(Arc::new(reached)));
                    }
                    Err(error) => {
                        self.anew.store(true, Ordering::Release);
                        return Err(error);
                    }
                }
            }
        }
        self.reached()
    }

    /// Reads what is configured, and asks the upstream whether it takes that.
    async fn reach(&self, now: Timestamp) -> Result<Reached, UpstreamError> {
        let mut place = self.source.place().map_err(|why| self.no_credential(why))?;
        if let Some(base) = &place.base {
            super::check(&self.source.name, base, &self.own)?;
        }
        place.trust.protocol = self.source.protocol(place.base.as_ref());
        let bare = Trust {
            client: None,
            roots: place.trust.roots.clone(),
            name: place.trust.name.clone(),
            protocol: place.trust.protocol,
        };
        let made = |trust| self.outward.forwarder(trust).map(Arc::new).map_err(|why| self.unverified(why));
        let (anonymous, through) = (made(bare)?, made(place.trust)?);
        let credential = Credential::new(place.fetch, &self.outward, &self.refusals);
        let reached = Reached { base: place.base, through, anonymous, credential };
        self.ask(&reached, now).await?;
        Ok(reached)
    }

    async fn ask(&self, reached: &Reached, now: Timestamp) -> Result<(), UpstreamError> {
        let header = reached.credential.get(Api::Main, now).await.map_err(|why| self.no_credential(why))?;
        if self.source.plane == Plane::Grpc {
            return self.ask_api(reached, header.as_ref()).await;
        }
        let (Some(anchor), Some(base)) = (self.source.anchor(), &reached.base) else { return Ok(()) };
        let uri = at(base, &anchor).map_err(|why| self.unverified(why))?;
        let asked = reached.through.look(uri, header.as_ref().map(Header::to_pair)).await;
        let (status, body) = asked.map_err(|why| self.unverified(why))?;
        match (status, &self.source.uid) {
            // It looks at the credential before it looks at anything else.
            (other, _)
                if self.source.plane != Plane::Kubernetes
                    && [StatusCode::UNAUTHORIZED, self.source.stranger()].contains(&other) =>
            {
                let why = format!("it does not take the credential: {} at `{anchor}`", other.as_u16());
                Err(self.unverified(why))
            }
            (other, _) if self.source.plane != Plane::Kubernetes && !other.is_server_error() => Ok(()),
            (StatusCode::OK, expected) => {
                let found =
                    uid(&body).ok_or_else(|| self.unverified("its answer is no cluster's".to_owned()))?;
                match expected.as_ref().filter(|expected| **expected != found) {
                    Some(expected) => Err(self.other_account(expected, &found)),
                    None => Ok(()),
                }
            }
            // It knows the credential, and does not let it look: that is all there is to know.
            (StatusCode::FORBIDDEN, None) => Ok(()),
            (StatusCode::FORBIDDEN, Some(_)) => {
                let why = "the credential may not read the namespace `kube-system`, whose UID is expected";
                Err(self.unverified(why.to_owned()))
            }
            // A cluster says so in words of its own, by which it is told from what else might answer there.
            (StatusCode::UNAUTHORIZED, None) if self.source.is_anonymous() && is_status(&body) => Ok(()),
            (StatusCode::UNAUTHORIZED, _) => {
                Err(self.unverified("it does not take the credential".to_owned()))
            }
            (other, _) => Err(self.unverified(format!("it answers with status {}", other.as_u16()))),
        }
    }

    /// Asks an API whether it is well. Many cannot be asked that; all say who may not ask.
    async fn ask_api(&self, reached: &Reached, header: Option<&Header>) -> Result<(), UpstreamError> {
        let Some(base) = &reached.base else { return Ok(()) };
        let asked = reached.through.health(base, header.map(Header::to_pair)).await;
        match asked.map_err(|why| self.unverified(why))? {
            (StatusCode::OK, Some(UNAUTHENTICATED)) => {
                Err(self.unverified("it does not take the credential".to_owned()))
            }
            (StatusCode::OK, Some(_)) => Ok(()),
            (StatusCode::OK, None) => Err(self.unverified("its answer is none of gRPC".to_owned())),
            (other, _) => Err(self.unverified(format!("it answers with status {}", other.as_u16()))),
        }
    }

    fn reached(&self) -> Result<Arc<Reached>, UpstreamError> {
        self.reached.load_full().ok_or_else(|| self.unverified("it was not asked yet".to_owned()))
    }

    fn no_credential(&self, why: String) -> UpstreamError {
        UpstreamError::NoCredential { upstream: self.source.name.to_string(), why }
    }

    fn unverified(&self, why: String) -> UpstreamError {
        UpstreamError::Unverified { upstream: self.source.name.to_string(), why }
    }

    fn other_account(&self, expected: &str, found: &str) -> UpstreamError {
        UpstreamError::OtherAccount {
            upstream: self.source.name.to_string(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// A path under a base URL, which may have a path of its own.
///
/// # Errors
/// They make no URL.
pub fn at(base: &Uri, target: &str) -> Result<Uri, String> {
    let mut parts = base.clone().into_parts();
    let before = base.path().trim_end_matches('/');
    let whole = format!("{before}{target}");
    parts.path_and_query = Some(whole.parse().map_err(|_| format!("`{whole}` is no path"))?);
    Uri::from_parts(parts).map_err(|error| error.to_string())
}

/// Whether this is a refusal in a cluster's own words.
fn is_status(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Object {
        kind: String,
    }
    serde_json::from_slice(body).is_ok_and(|object: Object| object.kind == "Status")
}

fn uid(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Object {
        kind: String,
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
        uid: String,
    }
    let object: Object = serde_json::from_slice(body).ok()?;
    (object.kind == "Namespace" && object.metadata.name == "kube-system").then_some(object.metadata.uid)
}
