//! TLS: what ALPN and the server name say, and certificates that are replaced.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::harness::{Gate, answers, quick};
use crate::listen::{ListenSettings, Tls, TlsError};

/// Writes a certificate for some names, and gives it to clients to trust.
fn certificate(folder: &Path, names: &[&str]) -> CertificateDer<'static> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

fn load(folder: &TempDir) -> Tls {
    Tls::load(&folder.path().join("cert.pem"), &folder.path().join("key.pem"), None).unwrap()
}

fn reload(tls: &Tls, folder: &TempDir) -> Result<(), TlsError> {
    Tls::read(&folder.path().join("cert.pem"), &folder.path().join("key.pem"), None)
        .map(|read| tls.replace(read))
}

async fn connect(
    gate: &Gate,
    trusted: &CertificateDer<'static>,
    name: &str,
    protocol: &[u8],
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    shake_hands(gate.connect().await, trusted, name, protocol).await
}

/// The client's side of a handshake, on a connection that stands.
pub(super) async fn shake_hands(
    socket: tokio::net::TcpStream,
    trusted: &CertificateDer<'static>,
    name: &str,
    protocol: &[u8],
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

async fn get(stream: &mut TlsStream<tokio::net::TcpStream>, host: &str) -> String {
    let raw = format!("GET /a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(raw.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    answers(&String::from_utf8_lossy(&bytes))
}

#[tokio::test]
async fn the_name_of_the_handshake_and_the_host_agree() {
    let folder = TempDir::new().unwrap();
    let trusted = certificate(folder.path(), &["gate.example", "127.0.0.1"]);
    let gate = Gate::start(ListenSettings { tls: Some(load(&folder)), ..quick() }).await;
    for (name, host, expected) in [
        ("gate.example", "gate.example:8443", "200 GET /a host=gate.example:8443 0"),
        ("gate.example", "GATE.example", "200 GET /a host=GATE.example 0"),
        ("gate.example", "other.example", "421 server_name_disagrees"),
        ("gate.example", "127.0.0.1", "421 server_name_disagrees"),
        ("127.0.0.1", "127.0.0.1:8443", "200 GET /a host=127.0.0.1:8443 0"),
    ] {
        let mut stream = connect(&gate, &trusted, name, b"http/1.1").await.unwrap();
        assert_eq!(get(&mut stream, host).await, expected, "`{name}` and `{host}`");
    }
}

#[tokio::test]
async fn the_protocol_is_what_was_agreed_on() {
    let folder = TempDir::new().unwrap();
    let trusted = certificate(folder.path(), &["gate.example"]);
    let gate = Gate::start(ListenSettings { tls: Some(load(&folder)), ..quick() }).await;
    let mut stream = connect(&gate, &trusted, "gate.example", b"http/1.1").await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert_eq!(answers(&String::from_utf8_lossy(&bytes)), "400 framing_version");
    let stream = connect(&gate, &trusted, "gate.example", b"h2").await.unwrap();
    assert_eq!(
        super::http2::get_over(stream, "https://gate.example/a").await,
        "200 GET /a host=gate.example 0"
    );
    assert!(connect(&gate, &trusted, "gate.example", b"spdy/3").await.is_err(), "nothing is agreed on");
}

#[tokio::test]
async fn a_bad_certificate_does_not_replace_a_good_one() {
    let folder = TempDir::new().unwrap();
    let first = certificate(folder.path(), &["gate.example"]);
    let tls = load(&folder);
    let gate = Gate::start(ListenSettings { tls: Some(tls.clone()), ..quick() }).await;

    std::fs::write(folder.path().join("cert.pem"), "none").unwrap();
    let error = reload(&tls, &folder).unwrap_err().to_string();
    assert!(error.contains("has no certificate; put the chain there"), "{error}");
    connect(&gate, &first, "gate.example", b"http/1.1").await.unwrap();

    let second = certificate(folder.path(), &["gate.example"]);
    reload(&tls, &folder).unwrap();
    connect(&gate, &second, "gate.example", b"http/1.1").await.unwrap();
    assert!(
        connect(&gate, &first, "gate.example", b"http/1.1").await.is_err(),
        "the first is no longer served"
    );

    let other = TempDir::new().unwrap();
    certificate(other.path(), &["gate.example"]);
    std::fs::copy(other.path().join("key.pem"), folder.path().join("key.pem")).unwrap();
    let error = reload(&tls, &folder).unwrap_err().to_string();
    assert!(error.contains("does not belong to the key"), "{error}");
    connect(&gate, &second, "gate.example", b"http/1.1").await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_stops_is_given_up() {
    let folder = TempDir::new().unwrap();
    certificate(folder.path(), &["gate.example"]);
    let gate = Gate::start(ListenSettings { tls: Some(load(&folder)), ..quick() }).await;
    assert_eq!(gate.talk(b"\x16\x03\x01\x02\x00\x01").await, "");
    assert_eq!(gate.counts.handshakes_failed(), 1);
    gate.at_rest().await;
}
