//! Services that hand out the gate's own credentials, as written: a secret store, and an OAuth authorization server.
//!
//! Leaves out what they mean (`config::secrets`).

use std::path::PathBuf;

use serde::Deserialize;

/// A secret of HashiCorp Vault or OpenBao (KV version 2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// Where it is, such as `https://vault.example:8200`.
    pub address: String,
    /// The PEM file of the authorities that its certificate must come from; by default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// The namespace, where there are any.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Where the secrets engine is mounted; by default `secret`.
    #[serde(default)]
    pub mount: Option<String>,
    /// The secret's path below the mount.
    pub path: String,
    /// The field that holds the token; by default `token`. A key of AWS has `access_key_id`, `secret_access_key` and,
    /// where there is one, `session_token`.
    #[serde(default)]
    pub field: Option<String>,
    /// How the gate shows who it is there.
    pub login: VaultLogin,
    /// After which time it is read again; by default 5 minutes.
    #[serde(default)]
    pub refresh: Option<String>,
}

/// How the gate shows a secret store who it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum VaultLogin {
    /// By a token in a file, which another program keeps.
    TokenFile(PathBuf),
    /// As a pod, by its service account.
    Kubernetes(VaultKubernetes),
    /// By a token that another service made.
    Jwt(VaultJwt),
    /// As an application.
    Approle(VaultApprole),
}

/// A pod at a secret store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultKubernetes {
    /// The role.
    pub role: String,
    /// Where the method is mounted; by default `kubernetes`.
    #[serde(default)]
    pub mount: Option<String>,
    /// The service account's token; by default where a pod finds its own.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

/// Whoever has a token of another service at a secret store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultJwt {
    /// The role.
    pub role: String,
    /// Where the method is mounted; by default `jwt`.
    #[serde(default)]
    pub mount: Option<String>,
    /// The file that holds the token, which is read at each login.
    pub token_file: PathBuf,
}

/// An application at a secret store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultApprole {
    /// The role's id.
    pub role_id: String,
    /// The file that holds the secret id and nothing else.
    pub secret_id_file: PathBuf,
    /// Where the method is mounted; by default `approle`.
    #[serde(default)]
    pub mount: Option<String>,
}

/// A client of an OAuth authorization server, which is given tokens in its own name (RFC 6749 section 4.4).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// The server's token endpoint.
    pub token_endpoint: String,
    /// The PEM file of the authorities that its certificate must come from; by default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// The client's id.
    pub client_id: String,
    /// The file that holds the client's secret and nothing else.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// A program that prints the client's secret.
    #[serde(default)]
    pub secret_command: Option<Vec<String>>,
    /// The PEM file of a private key that the client signs with in place of a secret (RFC 7523).
    #[serde(default)]
    pub private_key_file: Option<PathBuf>,
    /// The name by which the server knows that key.
    #[serde(default)]
    pub key_id: Option<String>,
    /// The PEM file of that key's certificate, by whose hash the server knows it (`x5t`, RFC 7515).
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// The file of a token that somebody else made to say who the client is (RFC 7521), as a pod's own.
    #[serde(default)]
    pub assertion_file: Option<PathBuf>,
    /// Where the secret is sent: `basic` (the default) in a header, `post` in the form.
    #[serde(default)]
    pub secret_in: Option<String>,
    /// The scopes asked for, with blanks between.
    #[serde(default)]
    pub scope: Option<String>,
    /// For whom the token is, where the server asks (`audience`).
    #[serde(default)]
    pub audience: Option<String>,
    /// For what the token is, where the server asks (`resource`, RFC 8707).
    #[serde(default)]
    pub resource: Option<String>,
}

/// A file of Google's own credentials.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Google {
    /// The file: of a service account's key, or of workload identity federation.
    pub file: PathBuf,
    /// The scopes asked for; by default that of the whole platform.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The PEM file of the authorities that the token endpoint's certificate must come from; by default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
}
