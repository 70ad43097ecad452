//! How a client shows an authorization server who it is by a signature (RFC 7523 section 2.2): a token about itself.
//!
//! The algorithm is the key's: RS256 or ES256. Leaves out sending it (`oauth`).

use std::path::Path;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use zeroize::Zeroizing;

use super::Failed;
use crate::upstream::plain::certificates;

/// How long such a token is good for, in seconds: it is used at once.
const LASTS: i64 = 60;

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ecdsa(EcdsaKeyPair),
}

/// By what a server knows a key.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    /// Its name.
    pub(super) id: Option<&'a str>,
    /// The file of its certificate.
    pub(super) certificate: Option<&'a Path>,
}

/// A token by which `client` shows itself to `audience`, signed with the private key of a file.
pub(super) fn of_client(
    file: &Path,
    known: &Known<'_>,
    (client, audience): (&str, &str),
    now: Timestamp,
) -> Result<Zeroizing<String>, Failed> {
    let shown = file.display().to_string();
    let der = PrivateKeyDer::from_pem_file(file).map_err(|error| {
        Failed::refused(format!("`{shown}` cannot be read as a PEM private key: {error}"))
    })?;
    let mut random = [0; 16];
    fill(&mut random).map_err(|_| Failed::refused("there is no randomness"))?;
    let seconds = now.as_second();
    let claims = json!({
        "iss": client, "sub": client, "aud": audience, "jti": hex::encode(random), "iat": seconds,
        "exp": seconds + LASTS,
    });
    signed(&shown, &der, known, &claims)
}

/// A token of these claims, signed with a private key that came from `shown`.
pub(super) fn signed(
    shown: &str,
    der: &PrivateKeyDer<'_>,
    known: &Known<'_>,
    claims: &serde_json::Value,
) -> Result<Zeroizing<String>, Failed> {
    let key = key(shown, der)?;
    let failed = || Failed::refused(format!("the key of `{shown}` does not sign"));
    let mut header = json!({"typ": "JWT", "alg": key.algorithm()});
    if let Some(header) = header.as_object_mut() {
        if let Some(id) = known.id {
            header.insert("kid".to_owned(), id.into());
        }
        if let Some(path) = known.certificate {
            let all = certificates(path)?;
            let first = all
                .first()
                .ok_or_else(|| Failed::refused(format!("`{}` holds no certificate", path.display())))?;
            // RFC 7515 sections 4.1.7 and 4.1.8: servers know one or the other.
            let old = digest(&SHA1_FOR_LEGACY_USE_ONLY, first);
            header.insert("x5t".to_owned(), URL_SAFE_NO_PAD.encode(old).into());
            header.insert("x5t#S256".to_owned(), URL_SAFE_NO_PAD.encode(digest(&SHA256, first)).into());
        }
    }
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let signature = key.sign(signed.as_bytes()).ok_or_else(failed)?;
    Ok(Zeroizing::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn key(shown: &str, der: &PrivateKeyDer<'_>) -> Result<Key, Failed> {
    let bytes = der.secret_der();
    let ecdsa = || match der {
        PrivateKeyDer::Sec1(_) => {
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).ok()
        }
        _ => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).ok(),
    };
    let rsa = match der {
        PrivateKeyDer::Pkcs1(_) => RsaKeyPair::from_der(bytes).ok(),
        _ => RsaKeyPair::from_pkcs8(bytes).ok(),
    };
    let rsa = rsa.map(|key| Key::Rsa(Box::new(key)));
    rsa.or_else(|| ecdsa().map(Key::Ecdsa)).ok_or_else(|| {
        Failed::refused(format!("the key of `{shown}` is of no kind that is known here; use RSA or P-256"))
    })
}

impl Key {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ecdsa(_) => "ES256",
        }
    }

    fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).ok()?;
                Some(signature)
            }
            Self::Ecdsa(key) => key.sign(&random, text).ok().map(|signature| signature.as_ref().to_vec()),
        }
    }
}
