//! Configuration as resolved: every default filled in, every size and time a number, every path whole.
//!
//! Leaves out reading files (`settings/`) and building what they describe (`gate.rs`).

mod credential;
mod described;
mod egress;
mod holds;
mod identity;
mod login;
mod people;
mod secrets;
mod upstream;
mod webhook;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ordain_action::Plane;
use ordain_rules::{Mode, Modes};

use crate::identity::{LoginRules, Rules};
use crate::listen::{Clients, Redirection};
use crate::settings::{self, Addresses, Settings, Size};
use crate::state::{Kept, Server};

pub use credential::PlainCredential;
pub use described::{GrpcUpstream, OpenApiUpstream};
pub use egress::{Chain, Egress, PassRule};
pub use holds::Holds;
pub use login::{KeystoneLogin, KeystoneScope, KeystoneShows, Known, VaultToken, VsphereLogin, Within};
pub use secrets::{GoogleFile, OAuthClient, OAuthShows, SecretFrom, VaultSecret, VaultShows, VaultStore};
pub use upstream::{
    AwsCredentials, AwsUpstream, KubernetesUpstream, Reach, SingleUpstream, UpstreamConfig, UpstreamKind,
};
pub use webhook::{Form, Webhook};

/// What a gate is built from.
#[derive(Debug, Clone)]
pub struct Config {
    /// The state directory.
    pub state: PathBuf,
    /// The mode where a plane or a scope says nothing else.
    pub mode: Mode,
    /// The data address.
    pub data: SocketAddr,
    /// The address of health, metrics and admin.
    pub admin: SocketAddr,
    /// The address of the egress gateway, where there is one.
    pub egress: Option<SocketAddr>,
    /// Where connections are sent on to that were on their way to a control plane, and how.
    pub transparent: Vec<(SocketAddr, Redirection)>,
    /// How clients that take us for their proxy are served, and by which one we leave.
    pub outward: Egress,
    /// Certificate and key of the data address.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Certificate and key of the admin address, for who comes from elsewhere.
    pub admin_tls: Option<(PathBuf, PathBuf)>,
    /// Names the gate is reached by.
    pub names: Vec<String>,
    /// What a request may take.
    pub limits: Limits,
    /// The folder of the model.
    pub model: PathBuf,
    /// The control planes; one default AWS upstream where none is configured.
    pub upstreams: Vec<UpstreamConfig>,
    /// The ledger's folder.
    pub ledger: PathBuf,
    /// Where what is counted once is kept.
    pub counted: Kept,
    /// What waits for its owners.
    pub holds: Holds,
    /// The name checkpoints are signed under.
    pub origin: String,
    /// A catalogue overlay.
    pub overlay: Option<PathBuf>,
    /// The socket of this machine that is served, where there is one.
    pub unix: Option<PathBuf>,
    /// Who is believed about whom, beside issued keys.
    pub identity: Rules,
    /// Whose tokens people log in to the admin address with.
    pub login: LoginRules,
    /// Logging, as written.
    pub log: settings::Log,
}

/// What a request may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the largest body that is held.
    pub body: u64,
    /// Bytes of all bodies held after proof.
    pub held: u64,
    /// Bytes of all bodies held before proof.
    pub unproven: u64,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_peer: usize,
    /// Requests at once of one actor.
    pub actor_requests: usize,
    /// Requests a second of one actor, where that is limited.
    pub actor_requests_per_second: Option<NonZeroU32>,
    /// For a head to be complete.
    pub header_timeout: Duration,
    /// Between two pieces of a body.
    pub body_timeout: Duration,
    /// Between two requests of a connection.
    pub idle_timeout: Duration,
    /// For the upstream's answer to begin.
    pub upstream_timeout: Duration,
    /// For requests in flight to end after SIGTERM.
    pub drain: Duration,
}

/// A setting that makes no sense; says which, what it is and what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{key} is `{value}`: {fix}")]
pub struct ConfigError {
    key: String,
    value: String,
    fix: String,
}

impl ConfigError {
    fn new(key: impl Into<String>, value: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), fix: fix.into() }
    }
}

impl Config {
    /// Resolves settings.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that makes no sense.
    pub fn resolve(settings: Settings) -> Result<Self, ConfigError> {
        let state = settings.state.clone().unwrap_or_else(settings::default_state_directory);
        let limits = limits(&settings.limits)?;
        let mode = match &settings.mode {
            Some(word) => mode("`mode`", word)?,
            None => Mode::Shadow,
        };
        let upstreams = upstream::all(settings.upstreams)?;
        let mut taken: Vec<String> = upstreams.iter().filter_map(crate::upstream::host).collect();
        taken.extend(settings.listen.names.iter().map(|name| name.to_ascii_lowercase()));
        let data = address("`listen.data`", settings.listen.data.as_deref().unwrap_or("127.0.0.1:7070"))?;
        let identity = identity::rules(settings.identity, &upstreams, (data, &settings.listen))?;
        Ok(Self {
            outward: egress::resolve(settings.egress, &taken)?,
            mode,
            identity,
            login: people::rules(&settings.login)?,
            unix: settings.listen.unix.clone(),
            data,
            admin: address("`listen.admin`", settings.listen.admin.as_deref().unwrap_or("127.0.0.1:7071"))?,
            egress: match settings.listen.egress.as_deref() {
                Some(text) => Some(address("`listen.egress`", text)?),
                None => None,
            },
            transparent: transparent(&settings.listen)?,
            admin_tls: settings.listen.admin_tls.map(|tls| (tls.certificate, tls.key)),
            tls: settings.listen.tls.map(|tls| (tls.certificate, tls.key)),
            names: settings.listen.names,
            limits,
            model: settings.model.directory.unwrap_or_else(|| state.join("model")),
            upstreams,
            counted: counted(settings.counted, &state)?,
            holds: holds::resolve(&settings.holds)?,
            ledger: settings.ledger.directory.unwrap_or_else(|| state.join("ledger")),
            origin: settings.ledger.origin.unwrap_or_else(default_origin),
            overlay: settings.catalogue.overlay,
            log: settings.log,
            state,
        })
    }

    /// Whether any client takes us for a control plane itself, so that we need an authority to certify it by.
    #[must_use]
    pub fn stands_in(&self) -> bool {
        let by_token = self.upstreams.iter().any(|upstream| upstream.kind.plane() != Plane::Aws);
        self.egress.is_some() || !self.transparent.is_empty() || by_token
    }

    /// The names by which clients reach the data address: the gate's own, and those of upstreams.
    pub fn own_names(&self) -> impl Iterator<Item = &String> {
        self.names.iter().chain(self.upstreams.iter().flat_map(|upstream| &upstream.names))
    }

    /// The client certificates that are taken.
    #[must_use]
    pub fn clients(&self) -> Option<Clients> {
        let certificates = self.identity.certificates.as_ref()?;
        Some(Clients { trust: certificates.trust.clone(), revoked: certificates.revoked.clone() })
    }

    /// The modes in force before the model's scopes are asked.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let mut modes = Modes::new(self.mode);
        for upstream in &self.upstreams {
            if let Some(mode) = upstream.mode {
                modes = modes.with_upstream(&upstream.name, mode);
            }
            if upstream.control_only {
                modes = modes.with_control_only(&upstream.name);
            }
        }
        modes
    }
}

fn counted(written: settings::Counted, state: &Path) -> Result<Kept, ConfigError> {
    let settings::Counted { postgres, password_file, trust } = written;
    let Some(text) = postgres else {
        let alone = [("password_file", &password_file), ("trust", &trust)];
        return match alone.into_iter().find_map(|(key, path)| Some((key, path.as_ref()?))) {
            Some((key, path)) => Err(ConfigError::new(
                format!("`counted.{key}`"),
                path.display().to_string(),
                "name the server it is for as `counted.postgres`, or take it out",
            )),
            None => Ok(Kept::within(state)),
        };
    };
    match Server::new(&text, password_file, trust) {
        Ok(server) => Ok(Kept::Server(Box::new(server))),
        // The text may hold a password, and is not repeated.
        Err(why) => Err(ConfigError::new("`counted.postgres`", "…", why)),
    }
}

fn default_origin() -> String {
    let host = settings::environment("HOSTNAME").unwrap_or_else(|| "localhost".to_owned());
    format!("ordain/{host}")
}

fn mode(key: &str, word: &str) -> Result<Mode, ConfigError> {
    Mode::parse(word).ok_or_else(|| ConfigError::new(key, word, "use `shadow`, `warn` or `enforce`"))
}

fn address(key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse()
        .map_err(|_| ConfigError::new(key, text, "give an address and a port, such as `127.0.0.1:7070`"))
}

fn transparent(listen: &settings::Listen) -> Result<Vec<(SocketAddr, Redirection)>, ConfigError> {
    let mut all = Vec::new();
    for (key, written, by) in [
        ("`listen.transparent`", &listen.transparent, Redirection::Rewritten),
        ("`listen.tproxy`", &listen.tproxy, Redirection::Kept),
    ] {
        for text in written.iter().flat_map(Addresses::each) {
            let at = address(key, text)?;
            if at.port() == 0 {
                return Err(ConfigError::new(
                    key,
                    text,
                    "give the port that the system sends connections to",
                ));
            }
            all.push((at, by));
        }
    }
    Ok(all)
}

fn limits(written: &settings::Limits) -> Result<Limits, ConfigError> {
    let size = |key: &str, value: &Option<Size>, default: u64| match value {
        Some(value) => bytes(&format!("`limits.{key}`"), value),
        None => Ok(default),
    };
    let time = |key: &str, value: &Option<String>, default: u64| match value {
        Some(value) => duration(&format!("`limits.{key}`"), value),
        None => Ok(Duration::from_secs(default)),
    };
    const MIB: u64 = 1024 * 1024;
    Ok(Limits {
        body: size("body", &written.body, 16 * MIB)?,
        held: size("held", &written.held, 256 * MIB)?,
        unproven: size("unproven", &written.unproven, 64 * MIB)?,
        connections: written.connections.unwrap_or(4_096),
        connections_per_peer: written.connections_per_peer.unwrap_or(1_024),
        actor_requests: written.actor_requests.unwrap_or(1_024),
        actor_requests_per_second: written.actor_requests_per_second,
        header_timeout: time("header_timeout", &written.header_timeout, 10)?,
        body_timeout: time("body_timeout", &written.body_timeout, 30)?,
        idle_timeout: time("idle_timeout", &written.idle_timeout, 90)?,
        upstream_timeout: time("upstream_timeout", &written.upstream_timeout, 120)?,
        drain: time("drain", &written.drain, 25)?,
    })
}

fn bytes(key: &str, size: &Size) -> Result<u64, ConfigError> {
    let text = match size {
        Size::Bytes(bytes) => return Ok(*bytes),
        Size::Text(text) => text.trim(),
    };
    let units = [("KiB", 1_u64 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];
    let parsed = units.iter().find_map(|(unit, factor)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*factor)
    });
    parsed.ok_or_else(|| ConfigError::new(key, text, "give a size such as `16MiB`"))
}

fn duration(key: &str, text: &str) -> Result<Duration, ConfigError> {
    let units = [("ms", 1_u64), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let parsed = units.iter().find_map(|(unit, factor)| {
        let number: u64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*factor)
    });
    parsed.map(Duration::from_millis).ok_or_else(|| ConfigError::new(key, text, "give a time such as `30s`"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(text: &str, expected: Expect) {
        let settings = Settings::parse("gate.toml", text).unwrap();
        let message = Config::resolve(settings).map_or_else(|e| e.to_string(), |_| "resolved".to_owned());
        expected.assert_eq(&message);
    }

    #[test]
    fn nothing_written_resolves() {
        check("", expect!["resolved"]);
    }

    #[test]
    fn a_mode_that_is_none_lists_those_there_are() {
        check("mode = \"on\"", expect!["`mode` is `on`: use `shadow`, `warn` or `enforce`"]);
    }

    #[test]
    fn a_size_without_a_known_unit_says_how_to_write_one() {
        check(
            "[limits]\nbody = \"16 megs\"",
            expect!["`limits.body` is `16 megs`: give a size such as `16MiB`"],
        );
    }

    #[test]
    fn an_account_has_twelve_digits() {
        check(
            "[[upstream]]\nname = \"prod\"\nplane = \"aws\"\naccount = \"12\"",
            expect!["`account` of upstream `prod` is `12`: give the twelve digits of an AWS account"],
        );
    }

    #[test]
    fn an_endpoint_has_no_path() {
        check(
            "[[upstream]]\nname = \"prod\"\nplane = \"aws\"\nendpoint = \"http://127.0.0.1:5000/x\"",
            expect![
                "`endpoint` of upstream `prod` is `http://127.0.0.1:5000/x`: give a base URL such as `http://127.0.0.1:5000`, with no path"
            ],
        );
    }

    #[test]
    fn pass_through_is_where_an_own_credential_can_be_sent_on() {
        check(
            "[[upstream]]\nname = \"prod\"\nplane = \"aws\"\npass_through = true",
            expect![
                "`pass_through` of upstream `prod` is `true`: an actor's own key signs for the address that it asks, which is ours, and cannot be verified without its secret; take it out, and give actors keys with `ordain key create` or `ordain key import`"
            ],
        );
        let cluster =
            "[[upstream]]\nname = \"live\"\nplane = \"kubernetes\"\nendpoint = \"https://10.0.0.1:6443\"\n";
        check(
            cluster,
            expect![
                "`endpoint` of upstream `live` is `https://10.0.0.1:6443`: say with which `credentials` it is reached"
            ],
        );
        let passing = format!("{cluster}pass_through = true\n");
        check(&passing, expect!["resolved"]);
        check(
            &format!("{passing}uid = \"u-1\""),
            expect![
                "`uid` of upstream `live` is `u-1`: the gate has no credential there that could read it; give it `credentials`, or take it out"
            ],
        );
    }

    #[test]
    fn two_upstreams_have_two_names() {
        check(
            "[[upstream]]\nname = \"a\"\nplane = \"aws\"\n[[upstream]]\nname = \"a\"\nplane = \"aws\"",
            expect!["`upstream.name` is `a`: another upstream has it; give each its own"],
        );
    }
}
