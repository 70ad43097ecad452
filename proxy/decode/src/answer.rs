//! What an upstream's answer is seen through: its head, and the credentials it may hand out.
//!
//! Leaves out where things stand in an answer, which each room knows.

use std::fmt;

use http::HeaderMap;

/// The head of an answer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerHead<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// What every answer tells, whatever the call was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerRead {
    /// The upstream's own name for the request, which joins to its audit log; empty when it gave none.
    pub request_id: String,
    /// The upstream's error code, when the answer is an error that names one.
    pub error_code: Option<String>,
    /// The HTTP status that it amounts to, where the plane says by other means how a call went.
    pub status: Option<u16>,
}

/// What a request would do to a credential that is withheld from answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misplaced {
    /// Write over it what stands in its place in answers.
    Overwritten,
    /// Put it where nothing tells that it is one, or so it may be.
    Moved,
}

/// Credentials found in an answer: the real ones, which stay in the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MintedCredentials {
    /// A key pair that requests are signed with.
    KeyPair(MintedKeyPair),
    /// A token that requests carry as it is.
    Bearer(MintedToken),
}

/// A key pair found in an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct MintedKeyPair {
    /// The access key id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// The session token; none for a lasting key pair.
    pub session_token: Option<String>,
    /// When they end, as the answer writes it; none for a lasting key pair.
    pub expiration: Option<String>,
    /// Whom they are for: the assumed role's ARN, the user's name; empty where the answer does not say.
    pub principal: String,
}

// Real credentials: only what is public shows.
impl fmt::Debug for MintedKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedKeyPair")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// A token found in an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct MintedToken {
    /// The token.
    pub token: String,
    /// Where it stands.
    pub at: TokenPlace,
    /// When it ends; none where the answer does not say.
    pub expiration: Option<Expiration>,
    /// Whom it is for: the canonical name of a service account, the id of a user; empty where that is not said.
    pub principal: String,
}

/// Where a token stands, in an answer or in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlace {
    /// In that member of a body, by its path.
    Member(&'static str),
    /// In that header.
    Header(&'static str),
}

/// When a token ends, as an answer says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiration {
    /// At that time, as it is written.
    At(String),
    /// So many seconds after the answer.
    After(u64),
}

// A real credential: only what is public shows.
impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken")
            .field("at", &self.at)
            .field("expiration", &self.expiration)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// What the caller gets in place of the real credentials.
#[derive(Debug, Clone, Copy)]
pub enum Replacement<'a> {
    /// For a key pair.
    KeyPair(KeyPairReplacement<'a>),
    /// For a token.
    Bearer(TokenReplacement<'a>),
}

/// What the caller gets in place of a real key pair.
#[derive(Clone, Copy)]
pub struct KeyPairReplacement<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The secret.
    pub secret_access_key: &'a str,
    /// The session token; none for a lasting key pair.
    pub session_token: Option<&'a str>,
}

impl fmt::Debug for KeyPairReplacement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPairReplacement")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// What the caller gets in place of a real token.
#[derive(Clone, Copy)]
pub struct TokenReplacement<'a>(pub &'a str);

impl fmt::Debug for TokenReplacement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenReplacement")
    }
}

/// An answer that is events, of which each stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Events {
    /// They end when all is said.
    Ending,
    /// They come until somebody ends them.
    Lasting,
}
