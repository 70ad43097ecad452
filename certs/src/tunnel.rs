//! The TLS end that a tunnel shows to its client.
//!
//! Leaves out the connection itself, and finding the host of a client that asked for none by name: the caller has
//! it from the `CONNECT` target, or reads the client's first message and takes the name from there.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert, ResolvesServerCertUsingSni};
use rustls::sign::CertifiedKey;

use crate::host::Host;

/// Answers the handshakes of one tunnel, with the certificate of its host and no other.
///
/// A client that asks for the host by name or for none gets it. One that asks for another name is refused: what it
/// would send is for a host that this tunnel does not lead to.
pub struct Resolver {
    host: Host,
    certified: Arc<CertifiedKey>,
}

impl Resolver {
    pub(crate) fn new(host: Host, certified: Arc<CertifiedKey>) -> Self {
        Self { host, certified }
    }

    /// The host of the tunnel.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // rustls takes an IP address in this place for no name, as clients should send none for one.
        let is_expected =
            hello.server_name().is_none_or(|name| Host::parse(name).is_ok_and(|host| host == self.host));
        is_expected.then(|| Arc::clone(&self.certified))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("host", &self.host).finish_non_exhaustive()
    }
}

/// What all tunnels have in common. It resolves nothing until it is given a tunnel's [`Resolver`].
pub(crate) fn server_config() -> Result<ServerConfig, rustls::Error> {
    let mut server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}
