//! TLS of the data address: a certificate from files, read again on demand, and never replaced by a bad
//! one.
//!
//! Clients may be asked for certificates of their own: who has none is served all the same, and who shows one that does
//! not come from the authorities trusted for that, or was revoked, is not. Leaves out making certificates, and whose a
//! client's is (`identity`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate that cannot be served; says which file and why.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {why}", .path.display())]
pub struct TlsError {
    path: PathBuf,
    why: String,
}

/// The client certificates that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// A PEM file of the authorities that they must come from.
    pub trust: PathBuf,
    /// A PEM file of lists of those that were revoked.
    pub revoked: Option<PathBuf>,
}

/// What holds clients to the certificates that they show.
#[derive(Debug, Clone)]
pub struct Verifier(Arc<dyn ClientCertVerifier>);

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
    pub fn load(certificate: &Path, key: &Path, clients: Option<&Clients>) -> Result<Self, TlsError> {
        let ReadTls(config) = Self::read(certificate, key, clients)?;
        Ok(Self { config: Arc::new(ArcSwap::from_pointee(config)) })
    }

    /// Reads a certificate chain and its key without putting them in force.
    ///
    /// # Errors
    /// [`TlsError`] when one cannot be read, or they do not belong together.
    pub fn read(certificate: &Path, key: &Path, clients: Option<&Clients>) -> Result<ReadTls, TlsError> {
        read(certificate, key, clients).map(ReadTls)
    }

    /// Puts a certificate in force: connections made from now on see it.
    pub fn replace(&self, ReadTls(config): ReadTls) {
        self.config.store(Arc::new(config));
    }

    /// The handshake of who speaks HTTP/1.1 alone.
    pub(crate) fn acceptor_of_http1(&self) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.config.load());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }
}

fn wrong(path: &Path, why: String) -> TlsError {
    TlsError { path: path.to_owned(), why }
}

impl Verifier {
    /// A handshake that asks clients for a certificate, beside what another one does.
    pub(super) fn asking(&self, other: &ServerConfig) -> Option<ServerConfig> {
        let mut config = builder()
            .ok()?
            .with_client_cert_verifier(Arc::clone(&self.0))
            .with_cert_resolver(Arc::clone(&other.cert_resolver));
        config.alpn_protocols.clone_from(&other.alpn_protocols);
        Some(config)
    }
}

fn builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
}

impl Clients {
    /// Reads what asks clients for a certificate, and holds those to it who show one.
    ///
    /// # Errors
    /// [`TlsError`] when a file cannot be read.
    pub fn load(&self) -> Result<Verifier, TlsError> {
        let unreadable = |error| wrong(&self.trust, format!("cannot be read as PEM certificates: {error}"));
        let mut roots = RootCertStore::empty();
        let mut all = CertificateDer::pem_file_iter(&self.trust).map_err(unreadable)?;
        while let Some(one) = all.next().transpose().map_err(unreadable)? {
            let added = roots.add(one);
            added.map_err(|error| {
                wrong(&self.trust, format!("has an authority that cannot be used: {error}"))
            })?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated();
        if let Some(path) = &self.revoked {
            let lists = CertificateRevocationListDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let lists = lists
                .map_err(|error| wrong(path, format!("cannot be read as PEM revocation lists: {error}")))?;
            // A list that is out of date says nothing about what was revoked since.
            builder = builder.with_crls(lists).enforce_revocation_expiration();
        }
        builder.build().map(Verifier).map_err(|error| {
            wrong(&self.trust, format!("cannot be trusted for client certificates: {error}"))
        })
    }
}

fn read(certificate: &Path, key: &Path, clients: Option<&Clients>) -> Result<ServerConfig, TlsError> {
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
    let mut config = builder()
        .map_err(|error| wrong(certificate, format!("cannot be served: {error}")))?
        .with_client_cert_verifier(match clients {
            Some(clients) => clients.load()?.0,
            None => Arc::new(NoClientAuth),
        })
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
