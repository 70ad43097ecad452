//! Credentials that are sent as they are, as resolved.
//!
//! Leaves out fetching them (`upstream::plain`), and key pairs, which sign.

use std::path::PathBuf;

use http::Uri;
use ordain_action::Plane;

use super::ConfigError;
use super::login::{self, KeystoneLogin, VaultToken, VsphereLogin};
use super::secrets::{self, GoogleFile, OAuthClient, VaultSecret};
use crate::settings::{self, Credentials};

/// A credential that is sent as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainCredential {
    /// None of the gate's: actors' own go there, or it takes whoever reaches it.
    Nothing,
    /// A bearer token in a file.
    TokenFile(PathBuf),
    /// A bearer token in a variable.
    TokenVariable(String),
    /// A program that prints a bearer token.
    Command(Vec<String>),
    /// A user and the file of its password.
    Basic(settings::Basic),
    /// A header and the file of its value.
    Header(settings::Header),
    /// A client certificate and its key.
    Certificate(settings::Tls),
    /// A bearer token in a secret store.
    Vault(Box<VaultSecret>),
    /// A bearer token of an authorization server.
    OAuth(Box<OAuthClient>),
    /// A bearer token of Google's.
    Google(Box<GoogleFile>),
    /// A token of Keystone's.
    Keystone(Box<KeystoneLogin>),
    /// Sessions of a vCenter's.
    Vsphere(Box<VsphereLogin>),
    /// A token of Vault's own.
    VaultToken(Box<VaultToken>),
}

impl PlainCredential {
    /// In words, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Nothing => "none of the gate's".to_owned(),
            Self::TokenFile(path) => format!("token file {}", path.display()),
            Self::TokenVariable(name) => format!("token variable {name}"),
            Self::Command(words) => format!("command {}", words.join(" ")),
            Self::Basic(basic) => {
                format!("user {}, password file {}", basic.user, basic.password_file.display())
            }
            Self::Header(header) => format!("header {}, file {}", header.name, header.file.display()),
            Self::Certificate(files) => format!("certificate {}", files.certificate.display()),
            Self::Vault(secret) => secret.shown(),
            Self::OAuth(client) => client.shown(),
            Self::Google(google) => google.shown(),
            Self::Keystone(login) => login.shown(),
            Self::Vsphere(login) => login.shown(),
            Self::VaultToken(token) => token.shown(),
        }
    }

    /// The file that holds what is secret, where one does.
    #[must_use]
    pub const fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Vault(secret) => Some(secret.store.file()),
            Self::Keystone(login) => Some(&login.file),
            Self::Vsphere(login) => Some(&login.password),
            Self::VaultToken(token) => Some(token.0.file()),
            Self::OAuth(client) => client.file(),
            Self::Google(google) => Some(&google.file),
            Self::TokenFile(path) => Some(path),
            Self::Basic(basic) => Some(&basic.password_file),
            Self::Header(header) => Some(&header.file),
            Self::Certificate(files) => Some(&files.key),
            Self::TokenVariable(_) | Self::Command(_) | Self::Nothing => None,
        }
    }
}

/// A credential that is sent as it is, for a plane that is at this base URL, where it has one; none where it is of another
/// sort.
pub(super) fn plain(
    upstream: &settings::Upstream,
    (plane, endpoint): (Plane, Option<&Uri>),
) -> Result<Option<PlainCredential>, ConfigError> {
    let at = login::At { upstream: &of(&upstream.name), endpoint, trust: upstream.trust.as_ref() };
    let written = &upstream.credentials;
    only_of(&upstream.name, plane, written)?;
    Ok(Some(match written {
        Credentials::TokenFile(path) => PlainCredential::TokenFile(path.clone()),
        Credentials::TokenVariable(name) => PlainCredential::TokenVariable(name.clone()),
        Credentials::Command(words) if !words.is_empty() => PlainCredential::Command(words.clone()),
        Credentials::Basic(basic) => PlainCredential::Basic(basic.clone()),
        Credentials::Header(header) => PlainCredential::Header(header.clone()),
        Credentials::Certificate(files) => PlainCredential::Certificate(files.clone()),
        Credentials::Vault(secret) => PlainCredential::Vault(Box::new(secrets::vault(at.upstream, secret)?)),
        Credentials::Google(google) => PlainCredential::Google(Box::new(GoogleFile::new(google))),
        Credentials::Oauth(client) => PlainCredential::OAuth(Box::new(secrets::oauth(at.upstream, client)?)),
        Credentials::Keystone(user) => PlainCredential::Keystone(Box::new(login::keystone(&at, user)?)),
        Credentials::Vsphere(user) => PlainCredential::Vsphere(Box::new(login::vsphere(&at, user)?)),
        Credentials::VaultToken(token) => PlainCredential::VaultToken(Box::new(login::vault(&at, token)?)),
        Credentials::Default
        | Credentials::None
        | Credentials::Profile(_)
        | Credentials::File(_)
        | Credentials::Kubeconfig(_)
        | Credentials::Command(_) => return Ok(None),
    }))
}

/// Refuses a way of signing in to another plane.
fn only_of(upstream: &str, plane: Plane, written: &Credentials) -> Result<(), ConfigError> {
    match OWN.into_iter().find(|(_, own)| *own == word(written)) {
        Some((of, own)) if of != plane => {
            let key = format!("`credentials` {}", self::of(upstream));
            let fix =
                format!("it is how the plane `{of}` is signed in to, and this is `{plane}`; use another");
            Err(ConfigError::new(key, own, fix))
        }
        Some(_) | None => Ok(()),
    }
}

/// The ways in which planes are signed in to that are of one plane each.
pub(super) const OWN: [(Plane, &str); 3] =
    [(Plane::Openstack, "keystone"), (Plane::Vsphere, "vsphere"), (Plane::Vault, "vault_token")];

/// The word that the settings have for a sort of credential.
pub(super) fn word(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::Default => "default",
        Credentials::None => "none",
        Credentials::Profile(_) => "profile",
        Credentials::File(_) => "file",
        Credentials::Kubeconfig(_) => "kubeconfig",
        Credentials::TokenFile(_) => "token_file",
        Credentials::TokenVariable(_) => "token_variable",
        Credentials::Command(_) => "command",
        Credentials::Basic(_) => "basic",
        Credentials::Header(_) => "header",
        Credentials::Certificate(_) => "certificate",
        Credentials::Vault(_) => "vault",
        Credentials::Oauth(_) => "oauth",
        Credentials::Google(_) => "google",
        Credentials::Keystone(_) => "keystone",
        Credentials::Vsphere(_) => "vsphere",
        Credentials::VaultToken(_) => "vault_token",
    }
}

/// Which upstream something is of, in words.
pub(super) fn of(name: &str) -> String {
    format!("of upstream `{name}`")
}
