//! Settings as written: one TOML file, overrides from `ORDAIN_…`, unknown keys are errors.
//!
//! Leaves out what they mean together (`config`). The only file that reads the environment.

mod holds;
mod listen;
mod login;
mod people;
mod secrets;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::identity::settings::Identity;
pub use holds::{Holds, Webhook};
pub use listen::{Addresses, Egress, Listen, Tls};
pub use login::{Keystone, VaultToken, Vsphere};
pub use people::{Login, LoginOidc, LoginRole};
pub use secrets::{Google, OAuth, Vault, VaultApprole, VaultJwt, VaultKubernetes, VaultLogin};

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where keys, ledger and index are kept; by default `ordain` under the user's state directory.
    pub state: Option<PathBuf>,
    /// `shadow` (the default), `warn` or `enforce`, for planes and scopes that say nothing else.
    pub mode: Option<String>,
    /// Where the gate listens.
    pub listen: Listen,
    /// Clients that take the gate for their proxy.
    pub egress: Egress,
    /// What a request may take.
    pub limits: Limits,
    /// The intent model.
    pub model: Model,
    /// The control planes that requests go on to.
    #[serde(rename = "upstream")]
    pub upstreams: Vec<Upstream>,
    /// The evidence.
    pub ledger: Ledger,
    /// What is counted once: budgets.
    pub counted: Counted,
    /// What waits for its owners.
    pub holds: Holds,
    /// What is known of the vendors beyond what this build carries.
    pub catalogue: Catalogue,
    /// Logging.
    pub log: Log,
    /// Who is believed about whom, beside issued keys.
    pub identity: Identity,
    /// How people log in to the admin address.
    pub login: Login,
}

/// What a request may take. Sizes are in bytes, or text such as `16MiB`; times are text such as `30s`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest body that is held; by default 16 MiB.
    pub body: Option<Size>,
    /// All bodies held at once, after proof; by default 256 MiB.
    pub held: Option<Size>,
    /// All bodies held at once before the sender's identity is proven; by default 64 MiB.
    pub unproven: Option<Size>,
    /// Connections at once; by default 4,096.
    pub connections: Option<usize>,
    /// Connections at once from one address; by default 1,024.
    pub connections_per_peer: Option<usize>,
    /// Requests at once of one actor; by default 1,024.
    pub actor_requests: Option<usize>,
    /// Requests a second of one actor; by default as many as it sends.
    pub actor_requests_per_second: Option<NonZeroU32>,
    /// For a request's head to be complete; by default 10 s.
    pub header_timeout: Option<String>,
    /// Between two pieces of a body; by default 30 s.
    pub body_timeout: Option<String>,
    /// Between two requests of a connection; by default 90 s.
    pub idle_timeout: Option<String>,
    /// For the upstream's answer to begin; by default 120 s.
    pub upstream_timeout: Option<String>,
    /// For requests in flight to end after SIGTERM; by default 25 s.
    pub drain: Option<String>,
}

/// A number of bytes, plain or as text such as `16MiB`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "give a size such as `16MiB`")]
pub enum Size {
    /// Plain.
    Bytes(u64),
    /// With a unit: `KiB`, `MiB` or `GiB`.
    Text(String),
}

/// The intent model.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The folder of YAML model files and `.cedar` rules; by default `model` in the state directory.
    pub directory: Option<PathBuf>,
}

/// One control plane and the credential it is reached with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The name that keys are bound to.
    pub name: String,
    /// The plane, one of those that `ordain planes` lists.
    pub plane: String,
    /// For AWS the account expected; the start is refused when the credential is of another, and without it the
    /// account is whatever the credential says. For others the name of the cluster or the API, by default the
    /// upstream's.
    #[serde(default)]
    pub account: Option<String>,
    /// The host names by which clients reach this upstream at the data address, beside what their credentials say.
    #[serde(default)]
    pub names: Vec<String>,
    /// For Kubernetes the UID of the namespace `kube-system`, by which the cluster is told from others; the start is
    /// refused when another cluster answers.
    #[serde(default)]
    pub uid: Option<String>,
    /// For one with an address of its own the PEM file of the authorities that its certificate must come from; by
    /// default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// For AWS a base URL to use in place of the provider's hosts, for emulators and private endpoints; for others the
    /// URL of the server.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// For gRPC the descriptors of the API with all that they import, as `protoc --include_imports
    /// --descriptor_set_out` or `buf build` write them.
    #[serde(default)]
    pub descriptors: Option<PathBuf>,
    /// For OpenAPI the description of the API: OpenAPI 3 or Swagger 2, as YAML or JSON, in one file. For MCP the tools of
    /// the server, as it lists them.
    #[serde(default)]
    pub description: Option<PathBuf>,
    /// For gRPC, OpenAPI and MCP a file that says what the methods, operations or tools do.
    #[serde(default)]
    pub methods: Option<PathBuf>,
    /// For Vault what is mounted where: the path of a mount, its namespace before it, and the type, as `vault secrets
    /// list` has it, but for `kv`, which is `kv-v1` or `kv-v2`. What is read elsewhere is taken for a secret.
    #[serde(default)]
    pub mounts: BTreeMap<String, String>,
    /// The region for account verification and for `AssumeRole`; by default that of the environment or the
    /// profile, else `us-east-1`.
    #[serde(default)]
    pub region: Option<String>,
    /// Where the real credential comes from; by default the provider's own chain.
    #[serde(default)]
    pub credentials: Credentials,
    /// A role to assume for each actor, with the actor's name as source identity.
    #[serde(default)]
    pub role: Option<String>,
    /// For Kubernetes: send each actor's own credential on as it came, in place of the gate's. Weaker: whoever holds one
    /// can go round the gate.
    #[serde(default)]
    pub pass_through: bool,
    /// For planes whose clients sign in with a name and a password: answer those who give an issued token as the password,
    /// and show to anybody what such clients look at before.
    #[serde(default)]
    pub sign_in: bool,
    /// The mode of this plane, over the general one.
    #[serde(default)]
    pub mode: Option<String>,
    /// Let data-level changes pass counted, as reads do.
    #[serde(default)]
    pub control_only: bool,
}

/// Where a real credential comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Credentials {
    /// The provider's own chain: environment, profile, SSO, web identity, container, instance.
    #[default]
    Default,
    /// A profile of the provider's configuration files.
    Profile(String),
    /// None: the server takes whoever reaches it.
    None,
    /// A key pair in a file of two lines, or three with a session token. Kept out of this file.
    File(PathBuf),
    /// A context of a kubeconfig file: server, authorities and credential.
    Kubeconfig(Kubeconfig),
    /// A bearer token in a file, which is read again as it changes.
    TokenFile(PathBuf),
    /// A bearer token in a variable of the gate's environment.
    TokenVariable(String),
    /// A program that prints a bearer token, alone or as an `ExecCredential`.
    Command(Vec<String>),
    /// A user and the file of its password.
    Basic(Basic),
    /// A header and the file of its value.
    Header(Header),
    /// A client certificate.
    Certificate(Tls),
    /// A secret of HashiCorp Vault or OpenBao.
    Vault(Vault),
    /// A token that an authorization server gives to the gate in its own name.
    Oauth(OAuth),
    /// A token that Google gives for a service account or a federated workload.
    Google(Google),
    /// A token of Keystone's, for OpenStack.
    Keystone(Keystone),
    /// Sessions of a vCenter's own.
    Vsphere(Vsphere),
    /// A token of Vault's own, where that is the plane.
    VaultToken(VaultToken),
}

/// A context of a kubeconfig file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kubeconfig {
    /// The file; by default the first of `KUBECONFIG`, else `~/.kube/config`.
    pub file: Option<PathBuf>,
    /// The context; by default the current one.
    pub context: Option<String>,
}

/// A user and the file of its password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user.
    pub user: String,
    /// The file that holds the password and nothing else.
    pub password_file: PathBuf,
}

/// A header and the file of its value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The header's name.
    pub name: String,
    /// The file that holds its value and nothing else.
    pub file: PathBuf,
}

/// The evidence.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// The ledger's folder; by default `ledger` in the state directory.
    pub directory: Option<PathBuf>,
    /// The name checkpoints are signed under; by default `ordain/` and the host's name.
    pub origin: Option<String>,
}

/// What is counted once. By default in a file of the state directory, of one gate's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counted {
    /// The PostgreSQL server that several gates share, for example `postgres://ordain@db.internal/ordain`.
    pub postgres: Option<String>,
    /// The file that holds its password and nothing else.
    pub password_file: Option<PathBuf>,
    /// The PEM file of the authorities that its certificate must come from; by default the system's.
    pub trust: Option<PathBuf>,
}

/// What is known of the vendors beyond what this build carries.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Catalogue {
    /// A file of operations in the catalogue's own format, read over the built-in ones.
    pub overlay: Option<PathBuf>,
}

/// Logging.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` (the default) or `json`.
    pub format: Option<String>,
    /// A filter such as `info` or `ordain=debug`.
    pub filter: Option<String>,
}

/// Settings that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there or not readable.
    #[error("cannot read `{path}`: {why}; check the path given with `--config`")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said. No cause of its own: it would be said twice.
        why: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("`{path}` {place}: {message}")]
    Malformed {
        /// The file.
        path: String,
        /// `line N, column M`.
        place: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A variable of ours that nobody reads.
    #[error("the environment: {0}")]
    UnknownVariable(String),
}

/// What the names of all our variables begin with.
const PREFIX: &str = "ORDAIN_";

/// The variables that are read, after their beginning.
const VARIABLES: [&str; 15] = [
    "CONFIG",
    "LEDGER_DIRECTORY",
    "LEDGER_ORIGIN",
    "LISTEN_ADMIN",
    "LISTEN_DATA",
    "LISTEN_EGRESS",
    "LISTEN_TPROXY",
    "LISTEN_TRANSPARENT",
    "LISTEN_UNIX",
    "LOG_FILTER",
    "LOG_FORMAT",
    "MODEL_DIRECTORY",
    "MODE",
    "SEALING_KEY",
    "STATE",
];

/// What `ordain env` and `ordain run` print for clients, and nothing here reads.
const PRINTED: [&str; 3] = ["HOLDS", "TOKEN", "TOKEN_FILE"];

/// Variables of other programs that come with this one: its tests, its trial and its harvest.
const OTHERS: [&str; 3] = ["HARVEST_", "TEST_", "TRY_"];

impl Settings {
    /// Reads a file, or nothing but defaults where there is none, then the environment over it.
    ///
    /// # Errors
    /// [`SettingsError`] naming the file, the place and the nearest known key.
    pub fn read(path: Option<&Path>) -> Result<Self, SettingsError> {
        let mut settings = match path {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|why| SettingsError::Unreadable { path: path.display().to_string(), why })?;
                Self::parse(&path.display().to_string(), &text)?
            }
            None => Self::default(),
        };
        let named = environment_with(PREFIX);
        if let Some(text) = unknown_variable(&named) {
            return Err(SettingsError::UnknownVariable(text));
        }
        settings.override_with(&environment);
        Ok(settings)
    }

    /// Reads the text of a settings file.
    ///
    /// # Errors
    /// [`SettingsError::Malformed`].
    pub fn parse(path: &str, text: &str) -> Result<Self, SettingsError> {
        toml::from_str(text).map_err(|error| SettingsError::Malformed {
            path: path.to_owned(),
            place: place(text, error.span().map_or(0, |span| span.start)),
            message: in_our_words(error.message()),
        })
    }

    fn override_with(&mut self, variable: &dyn Fn(&str) -> Option<String>) {
        let path = |name: &str| variable(name).map(PathBuf::from);
        replace(&mut self.state, path("ORDAIN_STATE"));
        replace(&mut self.mode, variable("ORDAIN_MODE"));
        replace(&mut self.listen.data, variable("ORDAIN_LISTEN_DATA"));
        replace(&mut self.listen.admin, variable("ORDAIN_LISTEN_ADMIN"));
        replace(&mut self.listen.egress, variable("ORDAIN_LISTEN_EGRESS"));
        let addresses = |name: &str| variable(name).map(Addresses::Text);
        replace(&mut self.listen.transparent, addresses("ORDAIN_LISTEN_TRANSPARENT"));
        replace(&mut self.listen.tproxy, addresses("ORDAIN_LISTEN_TPROXY"));
        replace(&mut self.listen.unix, path("ORDAIN_LISTEN_UNIX"));
        replace(&mut self.model.directory, path("ORDAIN_MODEL_DIRECTORY"));
        replace(&mut self.ledger.directory, path("ORDAIN_LEDGER_DIRECTORY"));
        replace(&mut self.ledger.origin, variable("ORDAIN_LEDGER_ORIGIN"));
        replace(&mut self.log.format, variable("ORDAIN_LOG_FORMAT"));
        replace(&mut self.log.filter, variable("ORDAIN_LOG_FILTER"));
    }
}

fn replace<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

/// The value of an environment variable, when it is set, not empty and UTF-8.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this file is where the environment is read")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// All environment variables whose name begins with `prefix`, sorted by name.
#[must_use]
pub fn environment_with(prefix: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| name.starts_with(prefix) && !value.is_empty())
        .collect();
    found.sort();
    found
}

/// The state directory when none is set: `$XDG_STATE_HOME/ordain`, else `~/.local/state/ordain`.
#[must_use]
pub fn default_state_directory() -> PathBuf {
    if let Some(state) = environment("XDG_STATE_HOME") {
        return PathBuf::from(state).join("ordain");
    }
    let home = environment("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    home.join(".local").join("state").join("ordain")
}

fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

/// serde lists every key it knows, where people want the one they meant, and speaks of types.
fn in_our_words(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let Some(given) = words.next() else {
        return message.replace("expected usize", "expected a number");
    };
    let known: Vec<&str> = words.collect();
    if message.starts_with("missing field") {
        return format!("`{given}` is missing; add it");
    }
    if message.starts_with("unknown variant") {
        return format!("`{given}` is not known here; use {}", quoted(&known));
    }
    if !message.starts_with("unknown field") {
        return message.to_owned();
    }
    match nearest(given, &known) {
        Some(nearest) => format!("unknown key `{given}`; did you mean `{nearest}`"),
        None => format!("unknown key `{given}`; known here are {}", quoted(&known)),
    }
}

/// The word that was likely meant.
fn nearest<'w>(given: &str, known: &[&'w str]) -> Option<&'w str> {
    let near = |word: &str| strsim::jaro_winkler(given, word);
    known.iter().copied().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|word| near(word) > 0.7)
}

/// What is wrong with the first variable of ours that nobody reads: mistyped, it would be as good as not set.
fn unknown_variable(named: &[(String, String)]) -> Option<String> {
    let unknown = |(rest, value): &(&str, &str)| {
        !VARIABLES.contains(rest)
            && !PRINTED.contains(rest)
            && !OTHERS.iter().any(|other| rest.starts_with(other))
            && !is_service_link(rest, value)
    };
    let ours = named.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value.as_str())));
    let (given, _) = ours.into_iter().find(unknown)?;
    Some(match nearest(given, &VARIABLES) {
        Some(nearest) => format!("unknown variable `{PREFIX}{given}`; did you mean `{PREFIX}{nearest}`"),
        None => {
            let known = VARIABLES.map(|name| format!("{PREFIX}{name}"));
            let known = quoted(&known.each_ref().map(String::as_str));
            format!("unknown variable `{PREFIX}{given}`; unset it, known are {known}")
        }
    })
}

/// Kubernetes tells each pod of each service of its namespace, in variables that begin with the service's name.
fn is_service_link(rest: &str, value: &str) -> bool {
    let of_port = |port: &str| {
        let digits = port.trim_start_matches(|letter: char| letter.is_ascii_digit());
        digits.len() < port.len() && ["_TCP", "_UDP", "_SCTP"].iter().any(|kind| digits.starts_with(kind))
    };
    let after = |word: &str| rest.find(word).map(|at| rest.get(at + word.len()..).unwrap_or_default());
    let of_service = rest == "PORT" || rest.ends_with("_PORT");
    (of_service && value.contains("://"))
        || rest.ends_with("SERVICE_HOST")
        || rest.ends_with("SERVICE_PORT")
        || rest.contains("SERVICE_PORT_")
        || rest.strip_prefix("PORT_").is_some_and(of_port)
        || after("_PORT_").is_some_and(of_port)
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
