//! Secrets become tokens before anything else sees them: a keyed hash shows that two are the same, and no more.
//!
//! Leaves out who holds the key, and what each plane's own description says is a secret.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use ordain_action::Scalar;
use sha2::Sha256;

/// The keyed hash, ready to take a secret.
#[derive(Clone)]
pub(crate) struct Tokens(Hmac<Sha256>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(Hmac::new(&key_block(key)))
    }

    /// The token of a secret.
    pub(crate) fn token(&self, secret: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(secret.as_bytes());
        format!("hmac-sha256:{}", hex::encode(mac.finalize().into_bytes()))
    }

    /// A parameter as it may be seen: the token of a secret, which is put into `token`, or the value itself. An empty
    /// text hides nothing, and stays.
    pub(crate) fn cover<'v>(
        &self,
        value: Scalar<'v>,
        is_secret: impl Fn() -> bool,
        token: &'v mut String,
    ) -> Scalar<'v> {
        match value {
            Scalar::Text(text) | Scalar::Number(text) if !text.is_empty() && is_secret() => {
                *token = self.token(text);
                Scalar::Token(token)
            }
            plain @ (Scalar::Text(_)
            | Scalar::Number(_)
            | Scalar::Bool(_)
            | Scalar::Null
            | Scalar::Empty
            | Scalar::Token(_)) => plain,
        }
    }
}

/// A key padded to the hash's block, as the construction itself would do.
fn key_block(key: [u8; 32]) -> hmac::digest::Key<Hmac<Sha256>> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    for (to, from) in block.iter_mut().zip(key) {
        *to = from;
    }
    block
}

/// Names that hold secrets whatever the vendor's model says of them. A net below the model, not instead of it.
pub(crate) fn looks_secret(path: &str) -> bool {
    let last =
        path.rsplit('.').find(|segment| !segment.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(path);
    let plain: String = last
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    let named = [
        "password",
        "secretaccesskey",
        "secretstring",
        "secretbinary",
        "privatekey",
        "clientsecret",
        "authtoken",
        "passphrase",
    ];
    // What only says how passwords are handled is no secret.
    let handled = [
        "policy", "length", "reset", "reuse", "required", "rotation", "manage", "arn", "secretid", "type",
        "expir", "age",
    ];
    named.iter().any(|name| plain.contains(name)) && !handled.iter().any(|word| plain.contains(word))
}

/// Whether a text contains a word in any case.
pub(crate) fn contains_word(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_standard_keyed_hash() {
        // RFC 4231, test case 2, with its four-byte key padded by zeros as the construction does.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(
            Tokens::new(key).token("what do ya want for nothing?"),
            "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn an_empty_secret_is_no_token() {
        let tokens = Tokens::new([7; 32]);
        let cover = |text: &str| {
            let mut token = String::new();
            matches!(tokens.cover(Scalar::Text(text), || true, &mut token), Scalar::Token(_))
        };
        assert!(!cover(""));
        assert!(cover(" "));
    }

    #[test]
    fn names_of_secrets_are_caught_and_settings_are_not() {
        for name in ["MasterUserPassword", "Login.Password.1", "clientSecret", "SecretString", "AuthToken"] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "PasswordPolicy",
            "MinimumPasswordLength",
            "PasswordResetRequired",
            "SecretId",
            "Name",
            "ManageMasterUserPassword",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }
}
