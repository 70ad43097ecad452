//! What an issued key is, and what it is bound to.
//!
//! Leaves out how it is kept.

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::Party;
use ordain_sigv4::{KeyPair, Secret};

use super::token::TokenHash;

/// A key that only Ordain understands.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// Its id: of a key pair the access key id, of a token its middle part.
    pub id: Arc<str>,
    /// What its holder shows.
    pub form: KeyForm,
    /// Who it was registered for, and as what kind of actor.
    pub party: Party,
    /// Those for whom the party acts with it, nearest first.
    pub on_behalf_of: Vec<Party>,
    /// The name of the upstream it is bound to.
    pub upstream: Arc<str>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself, and every session that descends from it; `None` for one that lasts until it is revoked.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Since when it rests: the real key behind it was made inactive.
    pub inactive: Option<Timestamp>,
    /// The session token that its holder must present with every request; none for a key that lasts.
    pub session_token: Option<Secret>,
    /// The issued keys it descends from, nearest first: each of them revoked revokes it.
    pub lineage: Vec<Arc<str>>,
    /// What stands behind it where an answer of the upstream handed out a credential; `None` for a key that was
    /// created, imported or given here, behind which the upstream's own credential stands.
    pub minted: Option<Minted>,
}

/// What the holder of an issued key shows. One form never stands for the other: nothing can be signed with a hash, and
/// a secret that signs is presented to nobody.
#[derive(Debug, Clone)]
pub enum KeyForm {
    /// Requests that are signed with a secret access key. It is kept, sealed, for signatures are verified with it.
    Pair(Secret),
    /// A token, which is presented whole. Only its hash is kept.
    Token(TokenHash),
}

/// A real credential that stays in the gate.
#[derive(Debug, Clone)]
pub enum Real {
    /// A key pair, which requests are signed with.
    Pair(KeyPair),
    /// A bearer token, which is sent as it is.
    Bearer(Secret),
}

/// A credential that the upstream handed out, and that stays in the gate.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The real credential.
    pub real: Real,
    /// When the real credential ends; `None` for a lasting key pair.
    pub expires: Option<Timestamp>,
    /// Whom the upstream says the credential is for, such as an assumed role's ARN; empty where it does not say.
    pub principal: Arc<str>,
    /// The account that its upstream was when it was handed out; empty for what an older build kept.
    pub account: Arc<str>,
}

/// What becomes of an issued key when the real one behind it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is over for good.
    Revoked,
    /// It is not taken until it is woken.
    Resting,
    /// It is taken again.
    Awake,
}

impl Real {
    /// The key pair, where it is one.
    #[must_use]
    pub const fn pair(&self) -> Option<&KeyPair> {
        match self {
            Self::Pair(pair) => Some(pair),
            Self::Bearer(_) => None,
        }
    }

    /// The bearer token, where it is one.
    #[must_use]
    pub const fn bearer(&self) -> Option<&Secret> {
        match self {
            Self::Bearer(token) => Some(token),
            Self::Pair(_) => None,
        }
    }
}

impl IssuedKey {
    /// The secret access key; none of a token.
    #[must_use]
    pub const fn secret(&self) -> Option<&Secret> {
        match &self.form {
            KeyForm::Pair(secret) => Some(secret),
            KeyForm::Token(_) => None,
        }
    }

    /// Whether it is the key of this token.
    #[must_use]
    pub fn is_of_token(&self, token: &str) -> bool {
        match &self.form {
            KeyForm::Token(hash) => hash.is_of(token),
            KeyForm::Pair(_) => false,
        }
    }

    /// Whether this is what its holder knows beside its id: the secret access key, or the end of a token. For clients
    /// that can only present a name and a password.
    #[must_use]
    pub fn is_known_by(&self, password: &str) -> bool {
        match &self.form {
            KeyForm::Pair(secret) => secret.is(password),
            KeyForm::Token(hash) => hash.is_of(&super::token::text(&self.id, password)),
        }
    }

    /// When it ends, and whatever descends from it: the past where it is revoked or rests.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.revoked.or(self.inactive).map(|_| Timestamp::MIN).or(self.expires)
    }
}

impl Ending {
    /// The word used in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoke",
            Self::Resting => "make inactive",
            Self::Awake => "make active",
        }
    }
}

/// What a key is to be issued for.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Who will hold it.
    pub party: Party,
    /// Those for whom the party acts with it, nearest first.
    pub on_behalf_of: Vec<Party>,
    /// The name of the upstream to bind it to.
    pub upstream: Arc<str>,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
}

/// The beginning of every lasting id that is issued.
pub const LASTING: &str = "AKOR";

/// The beginning of every temporary id that is issued.
pub const TEMPORARY: &str = "ASOR";

/// The beginning of the id of every token that is issued.
pub const TOKEN: &str = "TKOR";

/// Whether an access key id has the form of those that Ordain issues: such a one is never an upstream's.
#[must_use]
pub fn is_issued_form(id: &str) -> bool {
    id.len() == 20 && (id.starts_with(LASTING) || id.starts_with(TEMPORARY))
}
