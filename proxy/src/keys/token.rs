//! Issued tokens: what they look like, and the hash by which one is known again.
//!
//! A token ends in 256 random bits. Nobody finds those by trying, so that one round of SHA-256 is enough to keep them by:
//! slow hashes are for what people think up. Leaves out whose a token is (`issued`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ordain_sigv4::Secret;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::KeyError;

/// What every issued token begins with.
pub const BEGINNING: &str = "ordain.";

/// Whether there is an issued token in a text.
#[must_use]
pub fn is_in(text: &[u8]) -> bool {
    text.windows(BEGINNING.len()).any(|part| part.eq_ignore_ascii_case(BEGINNING.as_bytes()))
}

/// The token in a value of `authorization`, as it stands; `None` where that is of another kind.
#[must_use]
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// The token that a head presents, issued or not, where it presents one and nothing else.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    bearer(values.next().filter(|_| values.next().is_none())?.to_str().ok()?)
}

/// The id in an issued token.
#[must_use]
pub fn id_of(token: &str) -> Option<&str> {
    token.strip_prefix(BEGINNING)?.split_once('.').map(|(id, _)| id)
}

/// The hash of a token.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Whether it is that of this token, in a time that does not tell how much of it is.
    #[must_use]
    pub fn is_of(&self, token: &str) -> bool {
        self.0.ct_eq(&Self::of(token).0).into()
    }

    pub(super) fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The token of an id and what only its holder knows.
pub(super) fn text(id: &str, secret: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{BEGINNING}{id}.{secret}"))
}

/// A new token for an id.
pub(super) fn make(id: &str) -> Result<Secret, KeyError> {
    let mut random = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(random.as_mut_slice()).map_err(|_| KeyError::Cryptography)?;
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()));
    Ok(Secret::new(text(id, &secret).to_string()))
}
