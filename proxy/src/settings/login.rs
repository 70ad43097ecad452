//! Planes that the gate signs in to itself, as written: Keystone of `OpenStack`, a vCenter, Vault.
//!
//! Leaves out what they mean (`config::login`), and services that are no plane of the gate's (`secrets`).

use std::path::PathBuf;

use serde::Deserialize;

use super::VaultLogin;

/// A user or an application credential of Keystone's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keystone {
    /// Where Keystone is, with `/v3` or without; by default `/identity` at the upstream's own endpoint.
    pub auth_url: Option<String>,
    /// The PEM file of the authorities that its certificate must come from; by default the upstream's.
    pub trust: Option<PathBuf>,
    /// The user's name.
    pub user: Option<String>,
    /// The user's id, in place of a name.
    pub user_id: Option<String>,
    /// The name of the user's domain; by default the domain has the id `default`.
    pub user_domain: Option<String>,
    /// The id of the user's domain, in place of its name.
    pub user_domain_id: Option<String>,
    /// The file that holds the user's password and nothing else.
    pub password_file: Option<PathBuf>,
    /// The name of an application credential of the user's.
    pub application_credential: Option<String>,
    /// The id of an application credential, in place of its name and its user.
    pub application_credential_id: Option<String>,
    /// The file that holds the application credential's secret and nothing else.
    pub secret_file: Option<PathBuf>,
    /// The name of the project that a user's token is for.
    pub project: Option<String>,
    /// The id of the project that a user's token is for.
    pub project_id: Option<String>,
    /// The name of the project's domain; by default the user's.
    pub project_domain: Option<String>,
    /// The id of the project's domain; by default the user's.
    pub project_domain_id: Option<String>,
    /// The name of the domain that a user's token is for.
    pub domain: Option<String>,
    /// The id of the domain that a user's token is for.
    pub domain_id: Option<String>,
    /// A user's token is for the system: all of the cloud.
    pub system: bool,
}

/// A user of a vCenter, or of a host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vsphere {
    /// The user, such as `gate@vsphere.local`.
    pub user: String,
    /// The file that holds the password and nothing else.
    pub password_file: PathBuf,
}

/// A token of Vault's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultToken {
    /// Where it is signed in; by default the upstream's own endpoint.
    #[serde(default)]
    pub address: Option<String>,
    /// The PEM file of the authorities that its certificate must come from; by default the upstream's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// The namespace that the way of signing in is in.
    #[serde(default)]
    pub namespace: Option<String>,
    /// How the gate shows who it is there.
    pub login: VaultLogin,
}
