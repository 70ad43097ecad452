//! A private key (ECDSA on P-256) that shows nowhere, and whose memory is cleared when it goes.
//!
//! Leaves out where keys are kept: the caller seals them.

use std::fmt;

use pem_rfc7468::LineEnding;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::{Zeroize as _, Zeroizing};

const LABEL: &str = "PRIVATE KEY";

pub(crate) struct Key(KeyPair);

impl Key {
    pub(crate) fn generate() -> Result<Self, rcgen::Error> {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map(Self)
    }

    /// Reads a key in PKCS #8. None for anything else, and for a key of another algorithm.
    pub(crate) fn read(pem: &str) -> Option<Self> {
        let (label, der) = pem_rfc7468::decode_vec(pem.trim_start().as_bytes()).ok()?;
        let der = Zeroizing::new(der);
        if label != LABEL {
            return None;
        }
        let pkcs8 = PrivatePkcs8KeyDer::from(der.as_slice());
        KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_ECDSA_P256_SHA256).ok().map(Self)
    }

    pub(crate) fn pem(&self) -> Zeroizing<String> {
        // It fails on labels and on lengths beyond memory, neither of which is ours.
        let pem = pem_rfc7468::encode_string(LABEL, LineEnding::LF, self.0.serialized_der());
        Zeroizing::new(pem.unwrap_or_default())
    }

    /// The same key, to sign handshakes with.
    pub(crate) fn for_handshakes(
        &self,
    ) -> Result<std::sync::Arc<dyn rustls::sign::SigningKey>, rustls::Error> {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.0.serialized_der()));
        rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&der)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        PublicKeyData::algorithm(&self.0)
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}
