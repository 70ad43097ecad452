//! One upstream, as configured.
//!
//! Leaves out fetching its credential (`provider`).

use std::path::PathBuf;
use std::sync::Arc;

use http::Uri;
use ordain_sigv4::KeyPair;

use crate::config::{AwsCredentials, AwsUpstream, VaultSecret};

/// One upstream, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The name that keys are bound to.
    pub name: Arc<str>,
    /// The account expected; the start is refused when the credential is of another.
    pub account: Option<String>,
    /// A base URL in place of the provider's hosts.
    pub endpoint: Option<Uri>,
    /// The region of the calls that verify the account and assume roles; without it the one that the credential's
    /// source names.
    pub region: Option<String>,
    /// Where the real credential comes from.
    pub credentials: RealCredentials,
    /// A role to assume for each actor. `{actor}` and `{kind}` in it stand for the actor's name and kind.
    pub role: Option<String>,
}

/// Where a real credential comes from.
#[derive(Debug, Clone)]
pub enum RealCredentials {
    /// The provider's own chain: environment, profile (SSO, login and credential process among them), web identity,
    /// container, instance.
    Chain,
    /// A profile of the provider's configuration files.
    Profile(String),
    /// A file of two lines, or three with a session token.
    File(PathBuf),
    /// A secret in a store.
    Vault(Box<VaultSecret>),
    /// A key pair in hand.
    Fixed(KeyPair),
}

impl PartialEq for RealCredentials {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Chain, Self::Chain) => true,
            (Self::Profile(one), Self::Profile(other)) => one == other,
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Vault(one), Self::Vault(other)) => one == other,
            // Secrets are not compared: two pairs in hand are never taken for one.
            (Self::Chain | Self::Profile(_) | Self::File(_) | Self::Vault(_) | Self::Fixed(_), _) => false,
        }
    }
}

impl Source {
    /// What configuration says of one.
    pub fn new(name: &str, account: Option<&str>, config: &AwsUpstream) -> Self {
        Self {
            name: name.into(),
            account: account.map(str::to_owned),
            endpoint: config.endpoint.clone(),
            region: config.region.clone(),
            credentials: match &config.credentials {
                AwsCredentials::Chain => RealCredentials::Chain,
                AwsCredentials::Profile(name) => RealCredentials::Profile(name.clone()),
                AwsCredentials::File(path) => RealCredentials::File(path.clone()),
                AwsCredentials::Vault(secret) => RealCredentials::Vault(secret.clone()),
            },
            role: config.role.clone(),
        }
    }
}
