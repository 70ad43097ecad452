//! How a client shows an authorization server who it is by a signature (RFC 7523 section 2.2): a token about itself.
//!
//! The algorithm is the key's: RS256 or ES256. Leaves out sending it (`oauth`).

use std::path::Path;

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

/// How long such a token is good for, in seconds: it is used at once.
const LASTS: i64 = 60;

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ecdsa(EcdsaKeyPair),
}

/// A token by which `client` shows itself to `audience`, signed with the private key of a file.
pub(super) fn made(
    file: &Path,
    key_id: Option<&str>,
    (client, audience): (&str, &str),
    now: Timestamp,
) -> Result<Zeroizing<String>, Failed> {
    let key = read(file)?;
    let failed = || Failed::refused(format!("the key of `{}` does not sign", file.display()));
    let mut random = [0; 16];
    fill(&mut random).map_err(|_| failed())?;
    let mut header = json!({"typ": "JWT", "alg": key.algorithm()});
    if let (Some(id), Some(header)) = (key_id, header.as_object_mut()) {
        header.insert("kid".to_owned(), id.into());
    }
    let seconds = now.as_second();
    let claims = json!({
        "iss": client, "sub": client, "aud": audience, "jti": hex::encode(random), "iat": seconds,
        "exp": seconds + LASTS,
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = key.sign(signed.as_bytes()).ok_or_else(failed)?;
    Ok(Zeroizing::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn read(file: &Path) -> Result<Key, Failed> {
    let shown = file.display();
    let der = PrivateKeyDer::from_pem_file(file).map_err(|error| {
        Failed::refused(format!("`{shown}` cannot be read as a PEM private key: {error}"))
    })?;
    let bytes = der.secret_der();
    let ecdsa = || match &der {
        PrivateKeyDer::Sec1(_) => {
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).ok()
        }
        _ => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).ok(),
    };
    let rsa = match &der {
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
