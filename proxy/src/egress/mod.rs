//! Clients that take us for the control plane itself, by a tunnel or sent on to us: to which hosts, and under which
//! certificates.
//!
//! Leaves out the tunnels themselves (`listen`), and everything that comes through one: that is a request like any
//! other.

mod asker;
mod pass;
mod store;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use ordain_certs::{Authorities, Authority, Certificate, Constraints, Host, Leaves};
use ordain_decode::{Rooms, WayIn};
use pem_rfc7468::LineEnding;
use rustls::ServerConfig;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::PassRule;
use crate::files;
use crate::gate::Gate;
use crate::holds::own;
use crate::keys;
use crate::keys::KeyStore;
use crate::listen::{Asker, Opening, Passage, ProxyRefusal, Tunnels};
use crate::upstream::{self, Upstreams};
pub use asker::asker;
pub use store::{Entry, Kept, Store};

/// How many certificates are kept: clients ask for few hosts, again and again.
const LEAVES_KEPT: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(4_095);

/// How long an authority lasts where nothing else is asked for.
pub const LASTS: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// What every authority is called, before whose it is.
const NAME: &str = "Ordain egress gateway";

/// The port that control planes are served on.
const PORT: u16 = 443;

/// Opens tunnels to control planes, and to nothing else.
#[derive(Debug)]
pub struct Egress {
    clock: Clock,
    store: Store,
    authorities: ArcSwap<Authorities>,
    leaves: Leaves,
    upstreams: Arc<Upstreams>,
    /// Control planes that are reached at an address.
    addresses: ArcSwap<Vec<SocketAddr>>,
    /// Our own names.
    names: ArcSwap<Vec<String>>,
    /// All hosts that an authority has to stand for.
    hosts: ArcSwap<Vec<String>>,
    keys: Arc<KeyStore>,
    /// Hosts that are let through, and whether who asks has to say who that is.
    lets: ArcSwap<(Vec<PassRule>, bool)>,
    passing: pass::Passing,
}

impl Egress {
    /// Reads the authorities of an installation.
    ///
    /// # Errors
    /// The file of authorities cannot be read, or there is no randomness.
    pub fn open(gate: &Gate) -> anyhow::Result<Self> {
        let (config, clock) = (&*gate.config(), gate.clock.clone());
        let (keys, upstreams) = (Arc::clone(&gate.keys), Arc::clone(&gate.upstreams));
        let store = store(config)?;
        let authorities = ArcSwap::from_pointee(store.read(clock.now())?.authorities());
        let addresses = ArcSwap::from_pointee(addresses(config));
        let names = ArcSwap::from_pointee(own_names(config));
        let hosts = ArcSwap::from_pointee(hosts(config));
        let leaves = Leaves::new(LEAVES_KEPT)?;
        let lets = ArcSwap::from_pointee(lets(config));
        let passing = pass::Passing {
            ledger: gate.ledger.clone(),
            outlet: gate.outward().outlet().clone(),
            upstreams: Arc::clone(&upstreams),
            keys: Arc::clone(&keys),
            clock: clock.clone(),
        };
        Ok(Self {
            clock,
            store,
            authorities,
            leaves,
            upstreams,
            addresses,
            names,
            hosts,
            keys,
            lets,
            passing,
        })
    }

    /// Takes up a configuration: which control planes are reached at an address.
    pub fn reconfigure(&self, config: &Config) {
        self.addresses.store(Arc::new(addresses(config)));
        self.names.store(Arc::new(own_names(config)));
        self.lets.store(Arc::new(lets(config)));
        self.hosts.store(Arc::new(hosts(config)));
    }

    /// Reads the authorities again where their file has changed; whether it has.
    ///
    /// # Errors
    /// The file cannot be read. What is in force stays.
    pub fn look(&self) -> anyhow::Result<bool> {
        if !self.store.has_changed() {
            return Ok(false);
        }
        let kept = self.store.read(self.clock.now())?;
        // Lines are only added: a file that is gone was lost, and not emptied.
        anyhow::ensure!(
            !kept.entries.is_empty(),
            "no certificate authority is kept any more; restore the file"
        );
        self.authorities.store(Arc::new(kept.authorities()));
        Ok(true)
    }

    /// The domains of the planes that the signing authority cannot stand for; `None` when none signs.
    #[must_use]
    pub fn missing(&self) -> Option<Vec<String>> {
        let authorities = self.authorities.load();
        let signing = authorities.signing(self.clock.now()).ok()?;
        Some(signing.missing(self.hosts.load().iter().map(String::as_str)))
    }

    fn stand_for(&self, host: &str, named: Option<Host>) -> Result<Arc<ServerConfig>, ProxyRefusal> {
        let uncertified = || ProxyRefusal::Uncertified(host.to_owned());
        let now = self.clock.now();
        let authorities = self.authorities.load();
        let authority = authorities.signing(now).map_err(|_| uncertified())?;
        let named = named.ok_or_else(uncertified)?;
        let resolver = self.leaves.resolver(authority, &named, now).map_err(|_| uncertified())?;
        Ok(self.leaves.server_config(resolver))
    }
}

impl Tunnels for Egress {
    fn open(&self, host: &str, port: u16) -> Result<Arc<ServerConfig>, ProxyRefusal> {
        let known = self.upstreams.at_host(&authority(host, port), PORT).is_some();
        if !known && Rooms::way_in(host) != WayIn::Egress {
            return Err(ProxyRefusal::HostUnknown(host.to_owned()));
        }
        if !known && port != PORT {
            return Err(ProxyRefusal::Port(port));
        }
        self.stand_for(host, Host::parse(host).ok())
    }

    fn open_own(
        &self,
        server_name: Option<&str>,
        local: SocketAddr,
    ) -> Result<Arc<ServerConfig>, ProxyRefusal> {
        match server_name {
            None => self.stand_for(&local.ip().to_string(), Some(Host::from(local.ip()))),
            Some(name) if self.names.load().iter().any(|own| reaches(name, own)) => {
                self.stand_for(name, Host::parse(name).ok())
            }
            Some(name) => Err(ProxyRefusal::HostUnknown(name.to_owned())),
        }
    }

    fn is_upstream(&self, address: SocketAddr) -> bool {
        self.addresses.load().contains(&address)
    }

    fn open_at(&self, address: SocketAddr) -> Result<Arc<ServerConfig>, ProxyRefusal> {
        if !self.is_upstream(address) {
            return Err(ProxyRefusal::HostUnknown(address.ip().to_string()));
        }
        self.stand_for(&address.ip().to_string(), Some(Host::from(address.ip())))
    }

    fn asker(&self, said: Option<&[u8]>) -> Result<Option<Arc<Asker>>, ProxyRefusal> {
        let asked = self.lets.load().1;
        match said {
            Some(value) => Ok(Some(Arc::new(asker(&self.keys, value, self.clock.now())?))),
            None if asked => Err(ProxyRefusal::AskerMissing),
            None => Ok(None),
        }
    }

    fn passes(&self, host: &str, port: u16) -> Option<String> {
        // A control plane's host is never let through, nor the gate's own, whatever the settings say.
        let judged = own::is_reserved(host)
            || Rooms::way_in(host) == WayIn::Egress
            || self.upstreams.at_host(&authority(host, port), PORT).is_some();
        let lets = self.lets.load();
        let rule = lets.0.iter().find(|rule| rule.lets(host, port)).filter(|_| !judged)?;
        Some(rule.to_string())
    }

    fn pass(&self, passage: Passage) -> Opening<'_> {
        let now = self.clock.now();
        Box::pin(self.passing.open(passage, now))
    }
}

fn lets(config: &Config) -> (Vec<PassRule>, bool) {
    (config.outward.pass.clone(), config.outward.authenticate)
}

/// Where upstreams are that are configured by an address, and served where their scheme is served.
fn addresses(config: &Config) -> Vec<SocketAddr> {
    let of = |endpoint: &http::Uri| {
        let host = endpoint.host()?.trim_matches(['[', ']']);
        let own = if endpoint.scheme_str() == Some("https") { PORT } else { 80 };
        let port = endpoint.port_u16().unwrap_or(own);
        let address: IpAddr = host.parse().ok()?;
        (port == own).then(|| SocketAddr::new(address, port))
    };
    config.upstreams.iter().filter_map(|upstream| of(upstream.kind.endpoint()?)).collect()
}

/// Where the authorities of an installation are kept.
///
/// # Errors
/// The sealing key cannot be used.
pub fn store(config: &Config) -> anyhow::Result<Store> {
    files::prepare(&config.state)?;
    Ok(Store::new(&config.state, keys::sealing(config)?))
}

/// Makes an authority that may name the hosts of all planes, and the addresses of upstreams that are reached at one.
///
/// # Errors
/// The name or the time makes no sense.
pub fn make(config: &Config, now: Timestamp, lasts: SignedDuration) -> anyhow::Result<Authority> {
    let constraints = Constraints::permitting(may_name(hosts(config)))?;
    Ok(Authority::create(&name(config), &constraints, now, lasts)?)
}

/// What an authority may name: the hosts that it has to stand for, and all addresses of this machine alone.
fn may_name(hosts: Vec<String>) -> Vec<String> {
    let is_local = |host: &String| host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let others = hosts.into_iter().filter(|host| !is_local(host));
    others.chain(["127.0.0.0/8", "::1"].map(str::to_owned)).collect()
}

/// The hosts that an authority has to stand for: the domains of all planes, the hosts of upstreams that have one of
/// their own, and our own names and addresses.
#[must_use]
pub fn hosts(config: &Config) -> Vec<String> {
    let domains = Rooms::domains().into_iter().map(str::to_owned);
    // An upstream whose kubeconfig cannot be read yet needs another authority once it can.
    let upstreams = config.upstreams.iter().filter_map(upstream::host);
    let bound = Some(config.data.ip()).filter(|address| !address.is_unspecified());
    let all =
        domains.chain(upstreams).chain(own_names(config)).chain(bound.map(|address| address.to_string()));
    let mut all: Vec<String> = all.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The names that clients reach us by.
fn own_names(config: &Config) -> Vec<String> {
    let of_upstreams = config.upstreams.iter().flat_map(|upstream| &upstream.names);
    config.names.iter().chain(of_upstreams).cloned().chain(["localhost".to_owned()]).collect()
}

/// Whether a name leads to us that are called `own`: it is ours, or a provider's host stands before it, by which some
/// planes are asked for a service.
fn reaches(name: &str, own: &str) -> bool {
    let Some(before) = name.len().checked_sub(own.len()).and_then(|end| name.split_at_checked(end)) else {
        return false;
    };
    match before {
        ("", rest) => rest.eq_ignore_ascii_case(own),
        (before, rest) => {
            let host = before.strip_suffix('.');
            rest.eq_ignore_ascii_case(own) && host.is_some_and(|host| Rooms::way_in(host) == WayIn::Egress)
        }
    }
}

/// Host and port as a URL has them.
fn authority(host: &str, port: u16) -> String {
    let is_v6 = host.contains(':') && !host.starts_with('[');
    if is_v6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What an authority is called: by whose gate it is, as checkpoints are.
fn name(config: &Config) -> String {
    format!("{NAME}, {}", config.origin)
}

/// The file that clients are to be given: what they trust anyway, and our authorities.
#[must_use]
pub fn bundle_path(state: &Path) -> PathBuf {
    state.join("ca-bundle.pem")
}

/// Whether a certificate is an authority of some gate. Where the variables that `ordain env --proxy` prints are in force,
/// what the system trusts is the file that is written here, and an authority that was taken away would stay in it.
fn is_ours(pem: &str) -> bool {
    Certificate::read(pem).is_ok_and(|certificate| certificate.name().starts_with(NAME))
}

/// Writes that file anew, with what is kept now.
///
/// # Errors
/// What the system says.
pub fn write_bundle(state: &Path, store: &Store, now: Timestamp) -> anyhow::Result<()> {
    // Of two who write at once the later one has read what the other added.
    let _locked = store.lock()?;
    let mut text = store.read(now)?.bundle_pem(now);
    for certificate in rustls_native_certs::load_native_certs().certs {
        let pem = pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, &certificate)?;
        if !is_ours(&pem) {
            text.push_str(&pem);
        }
    }
    let path = bundle_path(state);
    files::replace(&path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::reaches;

    #[test]
    fn a_providers_host_before_a_name_of_ours_leads_to_us() {
        for name in [
            "gate.example",
            "GATE.example",
            "storage.googleapis.com.gate.example",
            "EC2.amazonaws.com.Gate.example",
        ] {
            assert!(reaches(name, "gate.example"), "{name}");
        }
        for name in [
            "",
            "example",
            "a.gate.example",
            "agate.example",
            ".gate.example",
            "storage.googleapis.com",
            "storage.googleapis.comgate.example",
            "storage.googleapis.com.evil.gate.example",
            "storage.googleapis.com.gate.example.evil",
            "é.gate.example",
        ] {
            assert!(!reaches(name, "gate.example"), "{name}");
        }
    }
}
