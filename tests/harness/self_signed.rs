//! What a stub shows who connects over TLS: a certificate of its own, which nobody else vouches for.
//!
//! Leaves out authorities and clients' certificates.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;

/// A server of these names that speaks these protocols, and its certificate.
pub(crate) fn server(names: &[&str], alpn: &[&str]) -> (Arc<ServerConfig>, rcgen::Certificate) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    (Arc::new(config), made.cert)
}
