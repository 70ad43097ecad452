//! The ways in which a client is sent through the gate, as variables of its environment.
//!
//! Leaves out whose key it holds, and running it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context as _;

use crate::config::{Config, UpstreamConfig};
use crate::keys::{IssuedKey, token};
use crate::settings::environment_with;
use crate::{egress, files, own};

/// Variables by which clients find their proxy.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"];

/// Variables by which clients find what they trust. Node's adds to what it trusts, the others' stand in its place.
const TRUST: [&str; 11] = [
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "DENO_CERT",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
    // Of Google's library for its APIs, and of `gcloud`.
    "HTTPLIB2_CA_CERTS",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
];

/// What names a credential that the gate does not know, or has the endpoint variable ignored.
const CREDENTIALS: [&str; 6] = [
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];

/// What wins over the container endpoint, or names another one. Files are said to be empty: a key or a profile in one of
/// them is found before the endpoint is asked.
const BEFORE_ENDPOINT: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// Where SDKs find keys and profiles.
const FILES: [&str; 2] = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];

/// Where a program asks the gate for what it waits for itself, and what it shows there.
pub(super) const HOLDS: &str = "ORDAIN_HOLDS";
pub(super) const TOKEN: &str = "ORDAIN_TOKEN";
pub(super) const TOKEN_FILE: &str = "ORDAIN_TOKEN_FILE";

/// What a client holds that is sent through the gate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds<'a> {
    /// Nothing that is found by a variable.
    Nothing,
    /// A key pair.
    Pair(&'a IssuedKey),
    /// A token, for which it is given a key pair when it asks for one.
    Token {
        /// Where it asks.
        at: &'a str,
        /// The token.
        token: &'a str,
        /// The file that has it, where it is not to stand in a variable.
        file: Option<&'a Path>,
    },
    /// A token that is said by variables which are not of AWS.
    Bearer(&'a str),
}

impl Holds<'_> {
    /// The name and the password for a proxy that asks who asks.
    fn password(&self) -> Option<(&str, &str)> {
        match self {
            Self::Nothing => None,
            Self::Pair(key) => Some((&key.id, key.secret()?.expose())),
            Self::Token { token, .. } | Self::Bearer(token) => {
                let (id, secret) = token.strip_prefix(token::BEGINNING)?.split_once('.')?;
                Some((id, secret))
            }
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Nothing | Self::Bearer(_) => Vec::new(),
            Self::Pair(_) => self.password().map_or_else(Vec::new, |(id, secret)| {
                vec![("AWS_ACCESS_KEY_ID", id.to_owned()), ("AWS_SECRET_ACCESS_KEY", secret.to_owned())]
            }),
            Self::Token { at, token, file } => {
                let (names, shown) = match file {
                    Some(path) => {
                        (["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", TOKEN_FILE], path.display().to_string())
                    }
                    None => (["AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN], (*token).to_owned()),
                };
                let empty = FILES.map(|name| (name, "/dev/null".to_owned()));
                let at = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", (*at).to_owned());
                empty.into_iter().chain([at]).chain(names.map(|name| (name, shown.clone()))).collect()
            }
        }
    }
}

/// Where SDKs ask for their credential.
///
/// # Errors
/// The admin address is not on loopback, the only one that SDKs take without TLS.
pub(super) fn credentials_at(config: &Config) -> anyhow::Result<String> {
    Ok(format!("http://{}{}", credentials_address(config)?, own::CREDENTIALS))
}

/// The address of that.
///
/// # Errors
/// As [`credentials_at`].
pub(super) fn credentials_address(config: &Config) -> anyhow::Result<SocketAddr> {
    let mut address = bound(config, "admin", config.admin);
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    anyhow::ensure!(
        address.ip().is_loopback(),
        "credentials are given on loopback only, and `listen.admin` is `{address}`; set it to one of `127.0.0.1`"
    );
    Ok(address)
}

/// What a client of an upstream that takes tokens is told by: what its plane's own clients read, and the token by a name of
/// ours for whatever else there is.
///
/// # Errors
/// The gate's admin address, which some of them ask, is not on loopback.
pub(super) fn of_token(
    config: &Config,
    upstream: &UpstreamConfig,
    token: &str,
) -> anyhow::Result<Vec<(String, String)>> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let gate = format!("{scheme}://{}", own_address(config, upstream.names.first()));
    let account = upstream.account.as_deref().unwrap_or(&upstream.name);
    let mut variables = vec![(HOLDS.to_owned(), holds_at(config)), (TOKEN.to_owned(), token.to_owned())];
    for (name, template) in ordain_decode::card(upstream.kind.plane()).variables {
        let mut value = template.replace("{gate}", &gate).replace("{account}", account);
        if value.contains("{admin") {
            let host = credentials_address(config)?.to_string();
            value = value.replace("{admin_host}", &host).replace("{admin}", &format!("http://{host}"));
        }
        variables.push(((*name).to_owned(), value.replace("{token}", token)));
    }
    Ok(variables)
}

/// What an endpoint is told by; that of one service wins over the one for all.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// How a client is sent through the gate.
#[derive(Debug)]
pub(super) struct Way {
    set: Vec<(&'static str, String)>,
    unset: Vec<&'static str>,
    /// The proxy asks who asks.
    asks: bool,
    /// The address of the gate that it leads to, where it names one.
    to: Option<SocketAddr>,
}

impl Way {
    /// It takes us for the provider. A convenience: a client may ignore it.
    pub(super) fn at_endpoint(config: &Config) -> Self {
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let host = own_address(config, None);
        // Our own name stands for every host of the provider's.
        let whole = ("AWS_DISABLE_HOST_PREFIX_INJECTION", "true".to_owned());
        Self {
            set: vec![(ENDPOINT, format!("{scheme}://{host}")), whole, (HOLDS, holds_at(config))],
            unset: Vec::new(),
            asks: false,
            to: Some(data_address(config)),
        }
    }

    /// It takes us for its proxy.
    ///
    /// # Errors
    /// There is no egress gateway, or nothing to trust it by yet.
    pub(super) fn proxied(config: &Config) -> anyhow::Result<Self> {
        let address = config.egress.context("there is no egress gateway; configure `listen.egress`")?;
        let bundle = bundle(config)?;
        let address = bound(config, "egress", address);
        let proxy = format!("http://{address}");
        let proxies = PROXIES.map(|name| (name, proxy.clone()));
        let direct = ["NO_PROXY", "no_proxy"].map(|name| (name, direct(config)));
        let trust = TRUST.map(|name| (name, bundle.clone()));
        Ok(Self {
            set: proxies.into_iter().chain(direct).chain(trust).chain([(HOLDS, holds_at(config))]).collect(),
            unset: Vec::new(),
            asks: config.outward.authenticate,
            to: Some(address),
        })
    }

    /// The system sends it to us: it has only to trust us for what it asks for.
    ///
    /// # Errors
    /// No connections are sent on to the gate, or there is nothing to trust it by yet.
    pub(super) fn redirected(config: &Config) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !config.transparent.is_empty(),
            "no connections are sent on to the gate; configure `listen.transparent`"
        );
        let bundle = bundle(config)?;
        let trust = TRUST.map(|name| (name, bundle.clone()));
        let set = trust.into_iter().chain([(HOLDS, holds_at(config))]).collect();
        Ok(Self { set, unset: PROXIES.into(), asks: false, to: None })
    }

    /// The address of the gate that it leads to, where it names one.
    pub(super) const fn to(&self) -> Option<SocketAddr> {
        self.to
    }

    /// What is to be set, what the client holds among it.
    pub(super) fn variables(&self, holds: &Holds<'_>) -> Vec<(&'static str, String)> {
        let key = holds.password();
        let asked = |(name, value): &(&'static str, String)| {
            let asks = self.asks && PROXIES.contains(name);
            match (value.strip_prefix("http://"), key) {
                (Some(at), Some((id, secret))) if asks => {
                    (*name, format!("http://{}:{}@{at}", in_url(id), in_url(secret)))
                }
                (_, _) => (*name, value.clone()),
            }
        };
        self.set.iter().map(asked).chain(holds.variables()).collect()
    }

    /// What is to be unset, for it would win over what is set.
    pub(super) fn unset(&self, holds: &Holds<'_>) -> Vec<String> {
        let set = holds.variables();
        let before = BEFORE_ENDPOINT.into_iter().filter(|name| !set.iter().any(|(known, _)| known == name));
        let asks = matches!(holds, Holds::Token { .. });
        let before = before.filter(|_| asks).map(str::to_owned);
        let one_service = environment_with("AWS_ENDPOINT_URL_").into_iter().map(|(name, _)| name);
        let endpoint = (!self.set.iter().any(|(name, _)| *name == ENDPOINT)).then(|| ENDPOINT.to_owned());
        let own = self.unset.iter().map(|name| (*name).to_owned());
        CREDENTIALS
            .into_iter()
            .map(str::to_owned)
            .chain(own)
            .chain(before)
            .chain(endpoint)
            .chain(one_service)
            .collect()
    }
}

/// Where clients reach the data address: by a name, the one given or our first, else by the address itself.
pub(super) fn own_address(config: &Config, name: Option<&String>) -> String {
    let address = data_address(config);
    let named = name.or_else(|| config.names.first());
    named.map_or_else(|| address.to_string(), |name| format!("{name}:{}", address.port()))
}

/// Where a program asks the gate for what it waits for itself.
fn holds_at(config: &Config) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", own_address(config, None))
}

/// The data address itself.
pub(super) fn data_address(config: &Config) -> SocketAddr {
    bound(config, "data", config.data)
}

/// What is reached without the proxy: this machine, and the gate itself, whose data address a kubeconfig names.
fn direct(config: &Config) -> String {
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let address = data_address(config).ip();
    if !address.is_loopback() {
        all.push(address.to_string());
    }
    all.extend(config.own_names().cloned());
    all.join(",")
}

/// A text as it stands for a name or a password in a URL.
fn in_url(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The file of what clients are to trust.
fn bundle(config: &Config) -> anyhow::Result<String> {
    let bundle = egress::bundle_path(&config.state).display().to_string();
    anyhow::ensure!(
        Path::new(&bundle).exists(),
        "`{bundle}` is not there yet; start the gate, or run `ordain ca create`"
    );
    Ok(bundle)
}

/// Where a listener really is: what was asked for, or what the system chose where that was port 0.
fn bound(config: &Config, listener: &str, asked: SocketAddr) -> SocketAddr {
    let said = || files::where_said(&config.state, listener);
    if asked.port() == 0 { said().unwrap_or(asked) } else { asked }
}
