//! The table `identity` of the settings, as written: who is believed about whom.
//!
//! Leaves out what it means (`config::identity`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Who is believed about whom.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Issuers of OpenID Connect tokens. The first entry that fits a token says who it is.
    pub oidc: Vec<Oidc>,
    /// Clusters whose service-account tokens are taken.
    pub kubernetes: Vec<Kubernetes>,
    /// Client certificates.
    pub mtls: Option<Mtls>,
    /// Users of this machine, on the Unix socket.
    pub unix: Vec<Unix>,
    /// Everybody on this machine is this actor, unproven.
    pub single_user: Option<SingleUser>,
}

/// Tokens of one issuer for one audience, and who they are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The claim `iss`, letter for letter.
    pub issuer: String,
    /// What must stand in the claim `aud`, letter for letter.
    pub audience: String,
    /// A URL or a file of the issuer's keys; by default what its discovery document names.
    #[serde(default)]
    pub jwks: Option<String>,
    /// A PEM file of the authorities that the issuer's certificate must come from; by default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// The signature algorithms taken; by default all with public keys.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// Claims that a token must have, with the value each must have. `*` stands for anything but `/` and `:`, `**` for
    /// anything.
    #[serde(default, rename = "match")]
    pub matches: BTreeMap<String, String>,
    /// The actor's name, with claims in braces, such as `{repository}`.
    pub actor: String,
    /// The actor's kind.
    pub kind: String,
    /// The upstreams it may use.
    pub upstreams: Vec<String>,
    /// For whom it acts, as `person:{actor}`; nearest first.
    #[serde(default)]
    pub on_behalf_of: Vec<String>,
    /// The kind of those whom the claim `act` (RFC 8693) names as acting; without it, a token with that claim is refused.
    #[serde(default)]
    pub act: Option<String>,
}

/// Service-account tokens of one cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    /// The upstream whose service accounts they are; its keys are asked for over its own connection.
    pub upstream: String,
    /// The claim `iss`, letter for letter.
    pub issuer: String,
    /// What must stand in the claim `aud`, letter for letter.
    pub audience: String,
    /// A URL or a file of the cluster's keys, where they are not to be asked for at the upstream.
    #[serde(default)]
    pub jwks: Option<String>,
    /// A PEM file of the authorities that the certificate at the URL must come from; by default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// `namespace`, `service_account` or `uid` with the value each must have, as of an issuer's claims.
    #[serde(default, rename = "match")]
    pub matches: BTreeMap<String, String>,
    /// The actor's kind; by default `pipeline`.
    #[serde(default)]
    pub kind: Option<String>,
    /// The upstreams it may use; by default the one whose service account it is.
    #[serde(default)]
    pub upstreams: Vec<String>,
}

/// Client certificates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mtls {
    /// A PEM file of the authorities that they must come from.
    pub trust: PathBuf,
    /// A PEM file of lists of those that were revoked.
    #[serde(default)]
    pub revoked: Option<PathBuf>,
    /// Who they are. The first entry that fits says so.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Certified>,
}

/// Certificates that carry a name. One of `spiffe`, `dns` and `common_name` is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certified {
    /// The SPIFFE ID, such as `spiffe://acme/ns/*/sa/*`.
    #[serde(default)]
    pub spiffe: Option<String>,
    /// A DNS name, such as `*.ci.acme.example`.
    #[serde(default)]
    pub dns: Option<String>,
    /// The subject's common name; only where the authority holds its names to be unique.
    #[serde(default)]
    pub common_name: Option<String>,
    /// The actor's name; `{name}` is what fitted, and the default.
    #[serde(default)]
    pub actor: Option<String>,
    /// The actor's kind.
    pub kind: String,
    /// The upstreams it may use.
    pub upstreams: Vec<String>,
    /// For whom it acts; nearest first.
    #[serde(default)]
    pub on_behalf_of: Vec<String>,
}

/// A user of this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unix {
    /// The user's number, as the system says it.
    pub uid: u32,
    /// The actor's name.
    pub actor: String,
    /// The actor's kind.
    pub kind: String,
    /// The upstreams it may use.
    pub upstreams: Vec<String>,
    /// For whom it acts; nearest first.
    #[serde(default)]
    pub on_behalf_of: Vec<String>,
}

/// The one actor of a machine, which nothing proves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SingleUser {
    /// Its name.
    pub actor: String,
    /// Its kind.
    pub kind: String,
    /// The upstreams it may use; by default all whose requests are not signed.
    #[serde(default)]
    pub upstreams: Vec<String>,
}
