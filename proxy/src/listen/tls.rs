//! TLS of the data address: a certificate from files, read again on demand, and never replaced by a bad
//! one.
//!
//! Leaves out making certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate that cannot be served; says which file and why.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {why}", .path.display())]
pub struct TlsError {
    path: PathBuf,
    why: String,
}

/// The certificate in force.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ArcSwap<ServerConfig>>,
}

/// A certificate that was read and is not in force yet.
#[derive(Debug)]
pub struct ReadTls(ServerConfig);

impl Tls {
    /// Reads a certificate chain and its key, both PEM.
    ///
    /// # Errors
    /// [`TlsError`] when one cannot be read, or they do not belong together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let ReadTls(config) = Self::read(certificate, key)?;
        Ok(Self { config: Arc::new(ArcSwap::from_pointee(config)) })
    }

    /// Reads a certificate chain and its key without putting them in force.
    ///
    /// # Errors
    /// [`TlsError`] when one cannot be read, or they do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<ReadTls, TlsError> {
        read(certificate, key).map(ReadTls)
    }

    /// Puts a certificate in force: connections made from now on see it.
    pub fn replace(&self, ReadTls(config): ReadTls) {
        self.config.store(Arc::new(config));
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let wrong = |path: &Path, why: String| TlsError { path: path.to_owned(), why };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, format!("cannot be read as PEM certificates: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(
            certificate,
            "has no certificate; put the chain there, the server's own first".to_owned(),
        ));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| wrong(key, format!("cannot be read as a PEM private key: {error}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificate, format!("cannot be served: {error}")))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| {
            wrong(certificate, format!("does not belong to the key `{}`: {error}", key.display()))
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if let Ok(ticketer) = aws_lc_rs::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(config)
}
