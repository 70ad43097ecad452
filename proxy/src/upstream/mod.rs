//! The real credentials: where they come from, whose account they are of, and which one a request leaves with.
//!
//! An upstream is served only once it is verified. Leaves out connections (`forward`) and issued keys (`keys`).

mod ask;
pub mod aws;
mod error;
pub mod minted;
pub mod plain;
mod secrets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::future::join_all;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use ordain_action::{Actor, Plane, Upstream};
use ordain_decode::Api;
use ordain_sigv4::KeyPair;

pub use ask::Ask;
pub use error::UpstreamError;
pub use plain::{Header, at};

use crate::config::{Config, UpstreamConfig, UpstreamKind};
use crate::events;
use crate::forward::{Forwarder, Outward, is_forbidden};
use crate::keys::Real;
use crate::machine;

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

impl Own {
    /// Those of a configuration, whose data address is bound.
    #[must_use]
    pub fn of(config: &Config, data: SocketAddr) -> Self {
        let redirected = config.transparent.iter().map(|(address, _)| *address);
        let addresses = [data, config.admin].into_iter().chain(config.egress).chain(redirected).collect();
        Self { addresses, names: config.names.clone() }
    }
}

/// Upstreams that were taken up and are not in force yet.
#[derive(Debug)]
pub struct Prepared(Arc<Entries>);

/// All upstreams.
#[derive(Debug)]
pub struct Upstreams {
    entries: ArcSwap<Entries>,
    outward: Outward,
}

type Entries = BTreeMap<Arc<str>, Arc<Entry>>;

/// One upstream of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Of AWS.
    Aws(aws::Source),
    /// Of a plane that is reached at one address with one credential.
    Plain(plain::Source),
}

impl From<&UpstreamConfig> for Source {
    fn from(config: &UpstreamConfig) -> Self {
        match &config.kind {
            UpstreamKind::Aws(kind) => {
                Self::Aws(aws::Source::new(&config.name, config.account.as_deref(), kind))
            }
            UpstreamKind::Grpc(kind) => {
                Self::Plain(plain::Source::grpc(&config.name, config.account.as_deref(), kind))
            }
            UpstreamKind::Openapi(kind) => {
                Self::Plain(plain::Source::openapi(&config.name, config.account.as_deref(), kind))
            }
            UpstreamKind::Single(kind) => {
                Self::Plain(plain::Source::single(&config.name, config.account.as_deref(), kind))
            }
            UpstreamKind::Kubernetes(kind) => {
                Self::Plain(plain::Source::kubernetes(&config.name, config.account.as_deref(), kind))
            }
        }
    }
}

impl Source {
    const fn name(&self) -> &Arc<str> {
        match self {
            Self::Aws(source) => &source.name,
            Self::Plain(source) => &source.name,
        }
    }

    const fn endpoint(&self) -> Option<&Uri> {
        match self {
            Self::Aws(source) => source.endpoint.as_ref(),
            Self::Plain(source) => source.endpoint(),
        }
    }
}

/// The host of an upstream that has one of its own, as far as it can be told now.
#[must_use]
pub fn host(config: &UpstreamConfig) -> Option<String> {
    let base = match Source::from(config) {
        Source::Aws(source) => source.endpoint?,
        Source::Plain(source) => source.base().ok()??,
    };
    base.host().map(|host| host.trim_matches(['[', ']']).to_owned())
}

#[derive(Debug)]
struct Entry {
    kind: EntryKind,
    // Why it is not verified yet, as it was last seen.
    said: ArcSwapOption<UpstreamError>,
}

#[derive(Debug)]
enum EntryKind {
    Aws(Box<aws::Entry>),
    Plain(Box<plain::Entry>),
}

/// What a request leaves with.
#[derive(Debug)]
pub enum Leaving {
    /// A key pair that it is signed with, and the base URL configured in place of the provider's hosts.
    Signed {
        /// The real key pair.
        pair: Arc<KeyPair>,
        /// The base URL.
        endpoint: Option<Uri>,
    },
    /// A credential that is sent as it is.
    Plain {
        /// How it is carried.
        carried: Carried,
        /// The base URL of the upstream; none where it is at its provider's hosts.
        base: Option<Uri>,
        /// The connections to that upstream, which nothing else uses.
        through: Arc<Forwarder>,
    },
}

/// How a credential goes on that is sent as it is.
#[derive(Debug)]
pub enum Carried {
    /// In this header.
    Header(Header),
    /// By the connection itself.
    Connection,
    /// It is the actor's own, in `authorization` as it came.
    Own,
}

/// Whose credential a request leaves with.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// That of the upstream's configuration, for one of its plane's APIs.
    Gate(Api),
    /// The real one behind a minted key.
    Minted(&'a Real),
    /// The actor's own.
    Actor,
    /// Nobody's.
    Nobody,
}

impl Upstreams {
    /// Takes up the upstreams configured, and verifies each one's account through its own endpoint.
    ///
    /// One whose credential is not to be had now is taken up unverified, asked for again every ten seconds, and not
    /// served until then.
    ///
    /// # Errors
    /// [`UpstreamError`] when an account is not the one configured, or an endpoint or a role can never be right.
    pub async fn start(
        sources: Vec<Source>,
        own: &Own,
        outward: &Outward,
        now: Timestamp,
    ) -> Result<Self, UpstreamError> {
        let upstreams = Self { entries: ArcSwap::default(), outward: outward.clone() };
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
            let before = known.get(source.name());
            let entry = match before.filter(|entry| entry.is_of(&source)) {
                Some(entry) => Arc::clone(entry),
                // Keys are bound to a name, so that the name stays with its account for as long as we run.
                None => {
                    let account = before.and_then(|entry| entry.account());
                    Arc::new(Entry::new(source, account, own, &self.outward).await)
                }
            };
            entries.insert(Arc::clone(entry.name()), entry);
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
        let before = self.entries.swap(Arc::clone(&entries));
        let stays = |entry: &Arc<Entry>| entries.values().any(|other| Arc::ptr_eq(other, entry));
        for gone in before.values().filter(|entry| !stays(entry)) {
            gone.end_later();
        }
        if entries.values().any(|entry| entry.verified().is_none()) {
            tokio::spawn(keep_verifying(Arc::downgrade(&entries), now));
        }
    }

    /// Has credentials without an end looked for again at the next request: their files may have changed.
    pub fn look_anew(&self) {
        for entry in self.entries.load().values() {
            entry.look_anew();
        }
    }

    /// Ends what was opened upstream for the gate itself and would stay open: sessions.
    pub async fn end(&self) {
        let entries = self.entries.load_full();
        // They end by themselves where nobody hears of it.
        let all = entries.values().map(|entry| tokio::time::timeout(PATIENCE, entry.end()));
        drop(join_all(all).await);
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
        let unverified = entries.iter().filter(|(_, entry)| entry.verified().is_none());
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
        self.entries.load().get(name)?.verified().cloned()
    }

    /// Whether each actor's own credential goes on to an upstream, in place of the gate's.
    #[must_use]
    pub fn passes(&self, name: &str) -> bool {
        match self.entries.load().get(name).map(|entry| &entry.kind) {
            Some(EntryKind::Plain(entry)) => entry.source().passes,
            Some(EntryKind::Aws(_)) | None => false,
        }
    }

    /// Whether clients of an upstream sign in before they are known.
    #[must_use]
    pub fn signs_in(&self, name: &str) -> bool {
        match self.entries.load().get(name).map(|entry| &entry.kind) {
            Some(EntryKind::Plain(entry)) => entry.source().signs_in,
            Some(EntryKind::Aws(_)) | None => false,
        }
    }

    /// What a request of an actor leaves with, to an upstream that is still the account it was claimed for: the credential
    /// behind a minted key, the actor's own, or the upstream's own for the party.
    ///
    /// # Errors
    /// [`UpstreamError`]: nothing must be sent.
    pub async fn leaving(
        &self,
        actor: &Actor,
        account: &str,
        whose: Whose<'_>,
        now: Timestamp,
    ) -> Result<Leaving, UpstreamError> {
        // One entry for all of it: the settings may be replaced while a body comes in.
        let entry = self.entry(&actor.upstream.name)?;
        let verified = entry.verify(now).await?;
        if *verified.account != *account {
            let upstream = verified.name.to_string();
            let expected = account.to_owned();
            return Err(UpstreamError::OtherAccount {
                upstream,
                expected,
                found: verified.account.to_string(),
            });
        }
        let none = |why: &str| {
            Err(UpstreamError::NoCredential { upstream: verified.name.to_string(), why: why.to_owned() })
        };
        match (&entry.kind, whose) {
            (EntryKind::Aws(entry), Whose::Gate(_) | Whose::Minted(Real::Pair(_))) => {
                let pair = match whose {
                    Whose::Minted(Real::Pair(real)) => Arc::new(real.clone()),
                    Whose::Gate(_) | Whose::Actor | Whose::Nobody | Whose::Minted(Real::Bearer(_)) => {
                        entry.pair(&actor.party, now).await?
                    }
                };
                Ok(Leaving::Signed { pair, endpoint: entry.source().endpoint.clone() })
            }
            // The settings may have been replaced while a body came in: what was said of the request stays true of it.
            (EntryKind::Plain(entry), Whose::Gate(_)) if entry.source().passes => {
                none("each actor's own goes on to it now")
            }
            (EntryKind::Plain(entry), Whose::Actor) if !entry.source().passes => {
                none("no actor's own goes on to it now")
            }
            (EntryKind::Plain(entry), Whose::Nobody) if entry.source().signs_in => {
                entry.leaving_as_nobodys(now).await
            }
            (EntryKind::Aws(_) | EntryKind::Plain(_), Whose::Nobody) => {
                none("nothing is shown to anybody there now")
            }
            (EntryKind::Plain(entry), Whose::Gate(api)) => entry.leaving(api, now).await,
            (EntryKind::Plain(entry), Whose::Actor) => entry.leaving_as_it_came(now).await,
            (EntryKind::Plain(entry), Whose::Minted(Real::Bearer(token))) => entry.leaving_with(token),
            (EntryKind::Aws(_), Whose::Minted(Real::Bearer(_)))
            | (EntryKind::Plain(_), Whose::Minted(Real::Pair(_))) => {
                none("what stands behind the issued key is of another plane")
            }
            (EntryKind::Aws(_), Whose::Actor) => none("an actor's own signature is not for it"),
        }
    }

    /// Asks an upstream for what it has, with the gate's own credential: what is asked only reads. The status and the body
    /// of the answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn inquire(
        &self,
        name: &str,
        ask: &Ask,
        now: Timestamp,
    ) -> Result<(http::StatusCode, bytes::Bytes), String> {
        let entry = self.entry(name).map_err(|error| error.to_string())?;
        match &entry.kind {
            EntryKind::Plain(entry) => entry.inquire(ask, now).await,
            EntryKind::Aws(entry) => entry.inquire(ask, &self.outward, now).await,
        }
    }

    /// Looks at an upstream for the gate itself, with its own credential: a `GET`, which changes nothing.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn look(
        &self,
        name: &str,
        path: &str,
        now: Timestamp,
    ) -> Result<(http::StatusCode, bytes::Bytes), String> {
        let entry = self.entry(name).map_err(|error| error.to_string())?;
        match &entry.kind {
            EntryKind::Plain(entry) => entry.look(path, now).await,
            EntryKind::Aws(_) => Err("it is no cluster".to_owned()),
        }
    }

    /// The upstream whose own address a host and port are, as `host[:port]` names them; `port` where it names none.
    #[must_use]
    pub fn at_host(&self, authority: &str, port: u16) -> Option<(Arc<str>, Plane)> {
        let authority: http::uri::Authority = authority.parse().ok()?;
        let port = authority.port_u16().unwrap_or(port);
        let entries = self.entries.load();
        let mut plain = entries.values().filter_map(|entry| match &entry.kind {
            EntryKind::Plain(entry) => Some(entry),
            EntryKind::Aws(_) => None,
        });
        plain.find(|entry| entry.is_at(authority.host(), port)).map(|entry| {
            let source = entry.source();
            (Arc::clone(&source.name), source.plane)
        })
    }

    /// The base URL of an upstream that has one of its own.
    ///
    /// # Errors
    /// It has none, or where it is cannot be told now.
    pub fn base(&self, name: &str) -> Result<Uri, String> {
        let entry = self.entry(name).map_err(|error| error.to_string())?;
        entry.base().unwrap_or_else(|| Err("it has no address of its own".to_owned()))
    }

    /// The base URLs of all upstreams that have one of their own, by name.
    ///
    /// # Errors
    /// Which one's cannot be told now, and why.
    pub fn bases(&self) -> Result<Vec<(Arc<str>, Uri)>, String> {
        let entries = self.entries.load();
        let bases = entries.values().filter_map(|entry| {
            let name = Arc::clone(entry.name());
            Some(match entry.base()? {
                Ok(base) => Ok((name, base)),
                Err(why) => Err(format!("where the upstream `{name}` is cannot be told: {why}")),
            })
        });
        bases.collect()
    }

    fn entry(&self, name: &str) -> Result<Arc<Entry>, UpstreamError> {
        self.entries.load().get(name).cloned().ok_or_else(|| UpstreamError::Unknown(name.to_owned()))
    }
}

impl Entry {
    async fn new(source: Source, account: Option<String>, own: &Own, outward: &Outward) -> Self {
        let kind = match source {
            Source::Aws(source) => EntryKind::Aws(Box::new(aws::Entry::new(source, account, outward).await)),
            Source::Plain(source) => {
                EntryKind::Plain(Box::new(plain::Entry::new(source, account, own, outward)))
            }
        };
        Self { kind, said: ArcSwapOption::empty() }
    }

    const fn name(&self) -> &Arc<str> {
        match &self.kind {
            EntryKind::Aws(entry) => &entry.source().name,
            EntryKind::Plain(entry) => &entry.source().name,
        }
    }

    /// The base URL, where it has one of its own.
    fn base(&self) -> Option<Result<Uri, String>> {
        match &self.kind {
            EntryKind::Aws(entry) => entry.source().endpoint.clone().map(Ok),
            EntryKind::Plain(entry) => entry.base().transpose(),
        }
    }

    fn is_of(&self, source: &Source) -> bool {
        match (&self.kind, source) {
            (EntryKind::Aws(entry), Source::Aws(source)) => entry.source() == source,
            (EntryKind::Plain(entry), Source::Plain(source)) => entry.source() == source,
            (EntryKind::Aws(_) | EntryKind::Plain(_), _) => false,
        }
    }

    fn account(&self) -> Option<String> {
        match &self.kind {
            EntryKind::Aws(entry) => entry.account(),
            EntryKind::Plain(entry) => entry.account(),
        }
    }

    fn verified(&self) -> Option<&Upstream> {
        match &self.kind {
            EntryKind::Aws(entry) => entry.verified(),
            EntryKind::Plain(entry) => entry.verified(),
        }
    }

    async fn end(&self) {
        match &self.kind {
            EntryKind::Aws(_) => {}
            EntryKind::Plain(entry) => entry.end().await,
        }
    }

    fn end_later(&self) {
        match &self.kind {
            EntryKind::Aws(_) => {}
            EntryKind::Plain(entry) => entry.end_later(),
        }
    }

    fn look_anew(&self) {
        match &self.kind {
            EntryKind::Aws(entry) => entry.look_anew(),
            EntryKind::Plain(entry) => entry.look_anew(),
        }
    }

    async fn verify(&self, now: Timestamp) -> Result<&Upstream, UpstreamError> {
        let verified = match &self.kind {
            EntryKind::Aws(entry) => entry.verify(now).await,
            // Boxed, because every request in flight would carry the room for a call that one in thousands makes.
            EntryKind::Plain(entry) => match entry.verified() {
                Some(verified) => Ok(verified),
                None => Box::pin(entry.verify(now)).await,
            },
        };
        verified.inspect_err(|error| self.said.store(Some(Arc::new(error.clone()))))
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
        let waiting: Vec<&Arc<Entry>> = entries.values().filter(|entry| entry.verified().is_none()).collect();
        for verified in join_all(waiting.iter().map(|entry| entry.verify(now))).await.into_iter().flatten() {
            events::upstream_verified(&verified.name, &verified.account);
        }
        if entries.values().all(|entry| entry.verified().is_some()) {
            return;
        }
    }
}

fn check_endpoint(source: &Source, own: &Own) -> Result<(), UpstreamError> {
    source.endpoint().map_or(Ok(()), |endpoint| check(source.name(), endpoint, own))
}

/// Refuses a base URL that is ours, or one that no provider has.
fn check(upstream: &str, endpoint: &Uri, own: &Own) -> Result<(), UpstreamError> {
    let refused =
        |why| UpstreamError::Endpoint { upstream: upstream.to_owned(), endpoint: endpoint.to_string(), why };
    let host = endpoint.host().ok_or_else(|| refused("not a URL with a host"))?;
    let port = endpoint.port_u16().unwrap_or(if endpoint.scheme_str() == Some("http") { 80 } else { 443 });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<std::net::IpAddr>() {
        // `::ffff:127.0.0.1` is 127.0.0.1 to whoever connects to it.
        let address = address.to_canonical();
        if is_forbidden(address) {
            return Err(refused("a link-local or metadata address"));
        }
        if machine::is_ours(&own.addresses, SocketAddr::new(address, port)) {
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
