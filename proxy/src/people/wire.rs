//! What is said between the command line and the admin address about logins, and where.
//!
//! Leaves out what either side makes of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The path on the admin address that answers [`Ways`], and takes [`ByPassword`].
pub const LOGIN: &str = "/v1/login";

/// The path on the admin address that takes [`ByToken`].
pub const LOGIN_OIDC: &str = "/v1/login/oidc";

/// The path on the admin address that ends the session of who asks.
pub const LOGOUT: &str = "/v1/logout";

/// The path on the admin address that answers [`Me`].
pub const ME: &str = "/v1/me";

/// By which ways people log in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ways {
    /// Providers of tokens.
    pub(crate) oidc: Vec<Provider>,
}

/// A provider, and the client that its tokens are for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) client: String,
}

/// A login with a password and a code.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByPassword {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) code: String,
}

/// A login with a provider's token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByToken {
    pub(crate) id_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
}

/// A session as it is told of once, when it begins.
#[derive(Serialize, Deserialize)]
pub(crate) struct Begun {
    pub(crate) token: String,
    pub(crate) person: String,
    pub(crate) roles: Vec<String>,
    pub(crate) expires: Timestamp,
}

/// Who asks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Me {
    /// The person; nobody for the token of the state directory.
    pub(crate) person: Option<String>,
    pub(crate) roles: Vec<String>,
    /// By what the caller was shown.
    pub(crate) shown_by: String,
    pub(crate) expires: Option<Timestamp>,
}
