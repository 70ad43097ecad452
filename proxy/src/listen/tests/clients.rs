//! Clients that are known by their connection: by a certificate, or as a user of this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use http::{Request, Response};
use http_body_util::Full;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use super::harness::quick;
use crate::listen::{
    Clients, ConnectionInfo, Entrance, ListenCounts, ListenSettings, RequestBody, Socket, Tls, run,
    run_socket,
};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A client's certificate of an authority, and its key.
fn client(of: &Issuer, serial: u64) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["robot.example".to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(serial));
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let made = params.signed_by(&key, of).unwrap();
    (made.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// A listener that takes clients of an authority but for those revoked; says whose certificate each request came with.
async fn listener(folder: &Path, clients: Clients) -> (std::net::SocketAddr, CertificateDer<'static>, Seen) {
    let made = rcgen::generate_simple_self_signed(vec!["gate.example".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = Tls::load(&certificate, &key, Some(&clients)).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let seen = Seen::default();
    let settings = Arc::new(ArcSwap::from_pointee(ListenSettings { tls: Some(tls), ..quick() }));
    let service = service(&seen);
    tokio::spawn(run(
        socket,
        Entrance::Reverse(None),
        settings,
        Arc::default(),
        service,
        std::future::pending(),
    ));
    (address, made.cert.der().clone(), seen)
}

type Seen = Arc<Mutex<Vec<ConnectionInfo>>>;

type Answer = std::future::Ready<Response<Full<bytes::Bytes>>>;

fn service(seen: &Seen) -> impl Fn(ConnectionInfo, Request<RequestBody>) -> Answer + Send + Sync + 'static {
    let seen = Arc::clone(seen);
    move |info: ConnectionInfo, _: Request<RequestBody>| {
        seen.lock().unwrap().push(info);
        std::future::ready(Response::new(Full::default()))
    }
}

const GET: &[u8] = b"GET /a HTTP/1.1\r\nhost: gate.example\r\nconnection: close\r\n\r\n";

/// Whether a client is answered.
async fn answered(
    address: std::net::SocketAddr,
    trusted: &CertificateDer<'static>,
    shown: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some((leaf, key)) => config.with_client_auth_cert(vec![leaf], key).unwrap(),
    };
    let name = ServerName::try_from("gate.example").unwrap();
    let socket = TcpStream::connect(address).await.unwrap();
    let Ok(mut stream) = TlsConnector::from(Arc::new(config)).connect(name, socket).await else {
        return false;
    };
    let _sent = stream.write_all(GET).await;
    let mut bytes = Vec::new();
    let _ended = stream.read_to_end(&mut bytes).await;
    bytes.starts_with(b"HTTP/1.1 200 ")
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_seen_and_no_other_is_taken() {
    let folder = TempDir::new().unwrap();
    let (ours, theirs) = (authority(), authority());
    let trust = folder.path().join("ca.pem");
    std::fs::write(&trust, ours.pem()).unwrap();
    let (address, trusted, seen) = listener(folder.path(), Clients { trust, revoked: None }).await;
    let shown = client(&ours, 1);
    let leaf = shown.0.clone();
    assert!(answered(address, &trusted, Some(shown)).await);
    assert!(answered(address, &trusted, None).await, "who shows none is served");
    assert!(!answered(address, &trusted, Some(client(&theirs, 1))).await, "another authority's");
    let seen = seen.lock().unwrap();
    let clients = seen.iter().map(|info| info.tls.as_ref().unwrap().client.as_deref());
    assert_eq!(clients.collect::<Vec<_>>(), [Some(leaf.as_ref()), None]);
}

#[tokio::test]
async fn a_certificate_that_was_revoked_is_not_taken() {
    let folder = TempDir::new().unwrap();
    let ours = authority();
    let (trust, revoked) = (folder.path().join("ca.pem"), folder.path().join("crl.pem"));
    std::fs::write(&trust, ours.pem()).unwrap();
    let now = time::OffsetDateTime::now_utc();
    let list = CertificateRevocationListParams {
        this_update: now - time::Duration::DAY,
        next_update: now + time::Duration::DAY,
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(2),
            revocation_time: now - time::Duration::DAY,
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    std::fs::write(&revoked, list.signed_by(&ours).unwrap().pem().unwrap()).unwrap();
    let clients = Clients { trust, revoked: Some(revoked) };
    let (address, trusted, _) = listener(folder.path(), clients).await;
    assert!(answered(address, &trusted, Some(client(&ours, 1))).await);
    assert!(!answered(address, &trusted, Some(client(&ours, 2))).await, "revoked");
}

#[test]
fn files_that_are_none_are_told_of() {
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["gate.example".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let trust = folder.path().join("ca.pem");
    let load = |revoked| {
        let clients = Clients { trust: trust.clone(), revoked };
        Tls::load(&certificate, &key, Some(&clients)).map(drop).map_err(|error| error.to_string())
    };
    assert!(load(None).unwrap_err().contains("cannot be read as PEM certificates"));
    std::fs::write(&trust, "none").unwrap();
    assert!(load(None).unwrap_err().contains("cannot be trusted for client certificates"));
    std::fs::write(&trust, made.cert.pem()).unwrap();
    assert_eq!(load(None), Ok(()));
    let missing = Some(folder.path().join("crl.pem"));
    assert!(load(missing).unwrap_err().contains("cannot be read as PEM revocation lists"));
}

#[tokio::test]
async fn a_socket_says_which_user_connects_and_is_gone_with_the_listener() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("gate.sock");
    let (seen, settings) = (Seen::default(), Arc::new(ArcSwap::from_pointee(quick())));
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let socket = Socket::bind(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    assert!(Socket::bind(&path).is_err(), "somebody listens there");
    let counts = Arc::new(ListenCounts::default());
    let running = tokio::spawn(run_socket(socket, settings, counts, service(&seen), shutdown));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(GET).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&bytes));
    let own = rustix::process::getuid().as_raw();
    assert_eq!(seen.lock().unwrap().first().unwrap().uid, Some(own));
    drop(stop);
    assert_eq!(running.await.unwrap().cut, 0);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced_and_nothing_else_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("gate.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "left behind");
    drop(Socket::bind(&path).unwrap());
    std::fs::write(&path, "a file of somebody's").unwrap();
    assert!(Socket::bind(&path).is_err());
    assert!(path.exists());
}
