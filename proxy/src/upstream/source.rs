//! Where a real credential comes from.
//!
//! Leaves out keeping it (`cached`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::region::Region;
use jiff::Timestamp;
use ordain_action::Party;
use ordain_sigv4::{KeyPair, Secret};
use zeroize::Zeroizing;

use super::cached::{Cached, Fetched};
use super::sts::Sts;
use super::{RealCredentials, UpstreamError};

/// Fetches a credential.
pub(super) enum Provider {
    /// One of the provider's own ways.
    Sdk(SharedCredentialsProvider),
    /// A file of two or three lines.
    File(PathBuf),
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
    pub(super) async fn base(credentials: &RealCredentials, region: &str) -> Self {
        match credentials {
            RealCredentials::Chain => {
                let chain =
                    DefaultCredentialsChain::builder().region(Region::new(region.to_owned())).build().await;
                Self::Sdk(SharedCredentialsProvider::new(chain))
            }
            RealCredentials::Profile(name) => {
                let profile = ProfileFileCredentialsProvider::builder().profile_name(name).build();
                Self::Sdk(SharedCredentialsProvider::new(profile))
            }
            RealCredentials::File(path) => Self::File(path.clone()),
            RealCredentials::Fixed(pair) => Self::Fixed(pair.clone()),
        }
    }

    pub(super) fn role(base: Arc<Cached>, sts: Sts, role: String, party: Party) -> Self {
        Self::Role(Box::new(Role { base, sts, role, party }))
    }

    pub(super) async fn fetch(&self, upstream: &str, now: Timestamp) -> Result<Fetched, UpstreamError> {
        let missing = |why: String| UpstreamError::NoCredential { upstream: upstream.to_owned(), why };
        match self {
            Self::Sdk(provider) => {
                let found = provider.provide_credentials().await;
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
            Self::Fixed(pair) => Ok(Fetched { pair: pair.clone(), expires: None }),
            Self::Role(role) => {
                let pair = role.base.get(now).await?;
                role.sts.assume(&pair, &role.role, &role.party).await
            }
        }
    }
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
