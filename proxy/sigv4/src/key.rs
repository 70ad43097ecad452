//! Secrets, key pairs and the keys derived from them.
//!
//! Leaves out where secrets are kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::scope::Scope;

/// A secret: it shows nowhere, and its memory is cleared when it goes.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text as a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for whoever has to seal it or hand it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is this text, in a time that does not tell how much of it is.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A key pair to sign with, and its session token where it is temporary.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: Secret,
    /// The session token.
    pub session_token: Option<Secret>,
}

/// A key derived for one day, region and service.
#[derive(Clone)]
pub(crate) struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    pub(crate) fn derive(secret: &Secret, scope: &Scope) -> Self {
        let seed = Zeroizing::new(format!("AWS4{}", secret.expose()));
        let day = mac(seed.as_bytes(), &[scope.day().as_bytes()]);
        let region = mac(day.as_slice(), &[scope.region().as_bytes()]);
        let service = mac(region.as_slice(), &[scope.service().as_bytes()]);
        Self(mac(service.as_slice(), &[b"aws4_request"]))
    }

    /// The signature of the parts of a text.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        *mac(self.0.as_slice(), parts)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // An HMAC takes a key of any length, so the other arm is never taken; were it, no signature would match.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else {
        return Zeroizing::new([0; 32]);
    };
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Most keys that are kept.
const KEPT: usize = 4_096;

struct Kept {
    secret: Secret,
    key: SigningKey,
}

/// Derived keys by credential, so that a request costs two hashes and not ten.
#[derive(Default)]
pub struct KeyCache {
    kept: Mutex<HashMap<Box<str>, Arc<Kept>>>,
}

impl KeyCache {
    /// None kept yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The key for a scope: the one kept, or a new one that is not kept yet.
    pub(crate) fn get(&self, secret: &Secret, scope: &Scope) -> (SigningKey, bool) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(scope.as_str()).cloned();
        match kept {
            // A key id can be given another secret; what was derived from the old one must not live on.
            Some(kept) if kept.secret.is(secret.expose()) => (kept.key.clone(), true),
            Some(_) | None => (SigningKey::derive(secret, scope), false),
        }
    }

    /// Keeps a key. Only for scopes that were proven, so that strangers cannot fill the cache.
    pub(crate) fn keep(&self, secret: &Secret, scope: &Scope, key: &SigningKey) {
        let entry = Arc::new(Kept { secret: secret.clone(), key: key.clone() });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Most are of days gone by when it is full; the few in use come back at once.
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(scope.as_str().into(), entry);
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyCache(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_derived_as_the_documentation_does() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        let scope = Scope::parse("AKIDEXAMPLE/20120215/us-east-1/iam/aws4_request").unwrap();
        assert_eq!(
            hex::encode(*SigningKey::derive(&secret, &scope).0),
            "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"
        );
    }

    #[test]
    fn a_kept_key_does_not_outlive_its_secret() {
        let cache = KeyCache::new();
        let scope = Scope::parse("AKIDEXAMPLE/20120215/us-east-1/iam/aws4_request").unwrap();
        let (old, new) = (Secret::new("old".to_owned()), Secret::new("new".to_owned()));
        let (key, _) = cache.get(&old, &scope);
        cache.keep(&old, &scope, &key);
        assert!(cache.get(&old, &scope).1);
        let (key, kept) = cache.get(&new, &scope);
        assert!(!kept);
        assert_ne!(key.sign(&[b"x"]), cache.get(&old, &scope).0.sign(&[b"x"]));
    }

    #[test]
    fn secrets_do_not_show() {
        let pair =
            KeyPair { id: "AKID".to_owned(), secret: Secret::new("hush".to_owned()), session_token: None };
        assert!(!format!("{pair:?}").contains("hush"));
    }
}
