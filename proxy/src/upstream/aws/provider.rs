//! Where a real credential comes from.
//!
//! Leaves out keeping it (`cached`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::region::Region;
use jiff::Timestamp;
use ordain_action::Party;
use ordain_sigv4::{KeyPair, Secret};
use zeroize::Zeroizing;

use super::cached::{Cached, Fetch, Fetched, Fetching};
use super::source::{RealCredentials, Source};
use super::sts::Sts;
use crate::forward::Outward;
use crate::upstream::UpstreamError;
use crate::upstream::secrets::vault::Vault;

/// Fetches a credential.
pub(super) enum Provider {
    /// The provider's own chain, or one profile of its configuration files.
    Sdk { profile: Option<String>, region: Region },
    /// A file of two or three lines.
    File(PathBuf),
    /// A secret in a store.
    Vault(Box<Vault>),
    /// In hand.
    Fixed(KeyPair),
    /// A role, assumed with another credential for one party.
    Role(Box<Role>),
}

/// A role for one party.
pub(super) struct Role {
    base: Arc<Cached>,
    sts: Sts,
    role: String,
    party: Party,
}

impl Provider {
    pub(super) fn base(credentials: &RealCredentials, region: &Region, outward: &Outward) -> Self {
        match credentials {
            RealCredentials::Chain => Self::Sdk { profile: None, region: region.clone() },
            RealCredentials::Profile(name) => {
                Self::Sdk { profile: Some(name.clone()), region: region.clone() }
            }
            RealCredentials::File(path) => Self::File(path.clone()),
            RealCredentials::Vault(secret) => Self::Vault(Box::new(Vault::new(secret, outward))),
            RealCredentials::Fixed(pair) => Self::Fixed(pair.clone()),
        }
    }

    pub(super) fn role(base: Arc<Cached>, sts: Sts, role: String, party: Party) -> Self {
        Self::Role(Box::new(Role { base, sts, role, party }))
    }

    async fn ask(&self, upstream: &str, now: Timestamp) -> Result<Fetched, UpstreamError> {
        let missing = |why: String| UpstreamError::NoCredential { upstream: upstream.to_owned(), why };
        match self {
            Self::Sdk { profile, region } => {
                // Made for every fetch, because it reads configuration files once and then never again: a key that
                // was replaced in its profile would never be seen.
                let found = sdk(profile.as_deref(), region).await.provide_credentials().await;
                let found = found.map_err(|error| missing(super::sts::chain(&error)))?;
                Ok(Fetched {
                    expires: found.expiry().and_then(|time| Timestamp::try_from(time).ok()),
                    pair: KeyPair {
                        id: found.access_key_id().to_owned(),
                        secret: Secret::new(found.secret_access_key().to_owned()),
                        session_token: found.session_token().map(|token| Secret::new(token.to_owned())),
                    },
                })
            }
            Self::File(path) => read(path).map(|pair| Fetched { pair, expires: None }).map_err(missing),
            Self::Vault(vault) => {
                let pair = vault.pair(now).await.map_err(|failed| missing(failed.why))?;
                Ok(Fetched { pair, expires: None })
            }
            Self::Fixed(pair) => Ok(Fetched { pair: pair.clone(), expires: None }),
            Self::Role(role) => {
                let pair = role.base.get(now).await?;
                role.sts.assume(&pair, &role.role, &role.party).await
            }
        }
    }
}

impl Fetch for Provider {
    fn fetch<'a>(&'a self, upstream: &'a str, now: Timestamp) -> Fetching<'a> {
        Box::pin(self.ask(upstream, now))
    }
}

async fn sdk(profile: Option<&str>, region: &Region) -> SharedCredentialsProvider {
    match profile {
        None => SharedCredentialsProvider::new(
            DefaultCredentialsChain::builder().region(region.clone()).build().await,
        ),
        // A profile that assumes a role asks the token service of a region; without one it asks none.
        Some(name) => {
            let config = ProviderConfig::without_region().with_region(Some(region.clone()));
            let builder = ProfileFileCredentialsProvider::builder().configure(&config);
            SharedCredentialsProvider::new(builder.profile_name(name).build())
        }
    }
}

/// The region that the calls of an upstream's own go to: the one configured, else the one that the environment or its
/// profile names. The instance's metadata are not asked: where there are none, a start would wait for them.
pub(super) async fn region(source: &Source) -> Region {
    let environment = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new());
    let profile = ProfileFileRegionProvider::builder();
    let named = match (&source.region, &source.credentials) {
        (Some(region), _) => Some(Region::new(region.clone())),
        (None, RealCredentials::Chain) => environment.or_else(profile.build()).region().await,
        (None, RealCredentials::Profile(name)) => {
            environment.or_else(profile.profile_name(name).build()).region().await
        }
        (None, RealCredentials::File(_) | RealCredentials::Vault(_) | RealCredentials::Fixed(_)) => None,
    };
    named.unwrap_or_else(|| Region::from_static("us-east-1"))
}

fn read(path: &Path) -> Result<KeyPair, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let text = Zeroizing::new(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (Some(id), Some(secret), token, None) = (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(format!("`{shown}` is not two lines, key id and secret, or three with a session token"));
    };
    Ok(KeyPair {
        id: id.to_owned(),
        secret: Secret::new(secret.to_owned()),
        session_token: token.map(|token| Secret::new(token.to_owned())),
    })
}
