//! What of the settings is about ways in and the way out, as written.
//!
//! Leaves out what it means (`config`).

use std::path::PathBuf;

use serde::Deserialize;

/// Where the gate listens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// The data address; by default `127.0.0.1:7070`.
    pub data: Option<String>,
    /// The address of health, metrics and the admin interface; by default `127.0.0.1:7071`.
    pub admin: Option<String>,
    /// The address at which clients may take the gate for their HTTP proxy; without it there is none.
    pub egress: Option<String>,
    /// Addresses that the system sends connections on to which were on their way to a control plane, with the address
    /// written over (nftables' `redirect`).
    pub transparent: Option<Addresses>,
    /// The same, with the address kept (nftables' `tproxy`).
    pub tproxy: Option<Addresses>,
    /// A socket of this machine that is served as the data address is; who connects is known by their user.
    pub unix: Option<PathBuf>,
    /// Serve TLS on the data address.
    pub tls: Option<Tls>,
    /// Take TLS on the admin address as well: what people who come from elsewhere log in over.
    pub admin_tls: Option<Tls>,
    /// Names the gate is reached by, beside its addresses. They are never an upstream.
    pub names: Vec<String>,
}

/// Clients that take the gate for their proxy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// Hosts that are no control plane's and are let through all the same: `pypi.org`, `*.crates.io`, with a port where
    /// that is not 443. Their tunnels are recorded and not opened.
    pub pass: Vec<String>,
    /// Refuse whoever shows no issued key, as name and password of a proxy.
    pub authenticate: bool,
    /// A proxy that everything leaves by, as `http://proxy.example:3128`.
    pub proxy: Option<String>,
    /// A file of one line, `name:password`, for that proxy.
    pub proxy_credentials: Option<PathBuf>,
    /// What is connected to without it: hosts, `.domains`, addresses and ranges.
    pub no_proxy: Vec<String>,
}

/// One address, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "give an address such as `127.0.0.1:15001`, or a list of them")]
pub enum Addresses {
    /// One, or several with commas between them.
    Text(String),
    /// A list.
    List(Vec<String>),
}

impl Addresses {
    /// Each by itself.
    pub fn each(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.split(',').map(str::trim).collect(),
            Self::List(list) => list.iter().map(String::as_str).collect(),
        }
    }
}

/// A certificate and its key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, leaf first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}
