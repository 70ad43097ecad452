//! The table `login` of the settings, as written: whose tokens people may log in to the admin address with.
//!
//! Leaves out accounts with passwords, which `ordain account` keeps in the state directory, and what it means
//! (`config::people`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// How people log in, beside the accounts of the state directory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Providers of OpenID Connect. The first entry that fits a token says who it is, and what that person may do.
    pub oidc: Vec<LoginOidc>,
}

/// Tokens of one provider for one client, whose they are and what they let do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginOidc {
    /// The claim `iss`, letter for letter.
    pub issuer: String,
    /// The client's id, which must stand in the claim `aud`, letter for letter.
    pub audience: String,
    /// A URL or a file of the provider's keys; by default what its discovery document names.
    #[serde(default)]
    pub jwks: Option<String>,
    /// A PEM file of the authorities that the provider's certificate must come from; by default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// The signature algorithms taken; by default all with public keys.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// Claims that a token must have, as under `identity.oidc`; of a list one element has to fit.
    #[serde(default, rename = "match")]
    pub matches: BTreeMap<String, String>,
    /// The person's name, with claims in braces, such as `{preferred_username}`.
    pub person: String,
    /// What the person may do.
    #[serde(default, rename = "role")]
    pub roles: Vec<LoginRole>,
}

/// A role, and who has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRole {
    /// `viewer`, `approver`, `operator` or `admin`.
    pub role: String,
    /// Claims that a token must have for it; without any, whoever logs in by the entry has the role.
    #[serde(default, rename = "match")]
    pub matches: BTreeMap<String, String>,
}
