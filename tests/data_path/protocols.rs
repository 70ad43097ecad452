//! HTTP/2 by agreement over TLS and by prior knowledge, and clients that ask before they send a body.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::harness::{Client, Gate, Sent, Setup, a_change, read_reply};

/// A request signed for HTTP/2: the host is the authority, and nothing of a connection is named.
fn request(client: &Client, scheme: &str, sent: &Sent) -> Request<Full<Bytes>> {
    let (head, body) = client.bytes(sent);
    let head = String::from_utf8(head).unwrap();
    let mut request =
        Request::builder().method(sent.method).uri(format!("{scheme}://{}{}", client.gate, sent.target));
    for line in head.lines().skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        if name != "host" {
            request = request.header(name, value);
        }
    }
    request.body(Full::new(Bytes::from(body))).unwrap()
}

async fn open<T>(stream: T) -> SendRequest<Full<Bytes>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

#[expect(clippy::disallowed_methods, reason = "a test reads the short answer it asked for")]
async fn answer(
    h2: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> (u16, HeaderMap, String) {
    let response = h2.send_request(request).await.expect("the gate answers");
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
}

/// What must be the same over HTTP/2 as over HTTP/1: reads, changes and denials, many at once on one connection.
async fn the_same(gate: &Gate, scheme: &str, mut h2: SendRequest<Full<Bytes>>) {
    let (alice, mallory) = (gate.client("alice"), gate.client("mallory"));
    let read = answer(&mut h2, request(&alice, scheme, &Sent::ec2("DescribeInstances"))).await;
    assert_eq!(read.0, 200, "{}", read.2);
    let before = gate.recorder.arrived().len();
    let mut together = tokio::task::JoinSet::new();
    for number in 0..24 {
        let (mut h2, request) = (h2.clone(), request(&alice, scheme, &a_change(number)));
        together.spawn(async move { answer(&mut h2, request).await });
    }
    while let Some(done) = together.join_next().await {
        let (status, _, text) = done.unwrap();
        assert_eq!(status, 200, "{text}");
    }
    assert_eq!(gate.recorder.arrived().len() - before, 24);
    let (status, headers, text) = answer(&mut h2, request(&mallory, scheme, &a_change(1))).await;
    assert_eq!(status, 403, "{text}");
    let decision = headers["ordain-decision-id"].to_str().unwrap();
    assert!(text.contains(decision) && text.contains("mallory"), "{text}");
    let sent = Sent::s3("PUT", "/some-bucket/key", &vec![b'a'; 200_000]);
    let (status, _, text) = answer(&mut h2, request(&alice, scheme, &sent)).await;
    assert_eq!(status, 200, "{text}");
    let mut bent = request(&alice, scheme, &a_change(2));
    *bent.body_mut() = Full::new(Bytes::from_static(b"Action=TerminateInstances&InstanceId.1=i-0a"));
    bent.headers_mut().remove("content-length");
    assert_eq!(answer(&mut h2, bent).await.0, 403);
    assert_eq!(gate.recorder.arrived().len() - before, 25, "and nothing else arrived");
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

#[test]
fn http2_by_prior_knowledge_does_the_same() {
    let gate = Gate::start(Setup::default());
    run(async {
        let h2 = open(TcpStream::connect(gate.address).await.unwrap()).await;
        the_same(&gate, "http", h2).await;
    });
    gate.finish();
}

struct Certified {
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

impl Certified {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("gate.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("gate.key"), made.signing_key.serialize_pem()).unwrap();
        Self { folder, certificate: made.cert.der().clone() }
    }

    fn listen(&self) -> String {
        let path = |name: &str| self.folder.path().join(name);
        format!("tls = {{ certificate = {:?}, key = {:?} }}\n", path("gate.pem"), path("gate.key"))
    }

    /// A connection that offers these protocols, and the one agreed on.
    async fn connect(
        &self,
        gate: &Gate,
        offered: &[&[u8]],
    ) -> (tokio_rustls::client::TlsStream<TcpStream>, Option<Vec<u8>>) {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let socket = TcpStream::connect(gate.address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = connector.connect(name, socket).await.expect("TLS is agreed on");
        let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        (stream, agreed)
    }
}

#[test]
fn http2_agreed_on_over_tls_does_the_same() {
    let certified = Certified::new();
    let gate = Gate::start(Setup { listen: certified.listen(), ..Setup::default() });
    run(async {
        let (stream, agreed) = certified.connect(&gate, &[b"h2", b"http/1.1"]).await;
        assert_eq!(agreed.as_deref(), Some(&b"h2"[..]));
        let h2 = open(stream).await;
        the_same(&gate, "https", h2).await;
        let (_, agreed) = certified.connect(&gate, &[b"http/1.1"]).await;
        assert_eq!(agreed.as_deref(), Some(&b"http/1.1"[..]));
    });
    gate.finish();
}

/// Sends a head that asks to go on, and says what comes back before any of the body is sent.
fn ask(client: &Client, sent: &Sent) -> (String, std::net::TcpStream) {
    let (head, _) = client.bytes(sent);
    let head = String::from_utf8(head).unwrap().replacen("\r\n", "\r\nexpect: 100-continue\r\n", 1);
    let mut stream = client.connect().unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).expect("the gate says whether to go on");
    (String::from_utf8_lossy(&start).into_owned(), stream)
}

/// Nobody is told to send an object that will not be taken.
#[test]
fn going_on_with_an_upload_is_said_after_the_verdict() {
    let gate = Gate::start(Setup::default());
    let sent = Sent::s3("PUT", "/some-bucket/key", &vec![b'a'; 300_000]);
    let (said, _) = ask(&gate.client("mallory"), &sent);
    assert_eq!(said, "HTTP/1.1 403", "a stranger is refused on the head alone");
    assert!(gate.recorder.arrived().is_empty());

    let (said, mut stream) = ask(&gate.client("alice"), &sent);
    assert_eq!(said, "HTTP/1.1 100");
    let admitted = gate
        .ledger()
        .refresh()
        .iter()
        .filter(|entry| entry.is_decision() && entry.text("effect") == "admitted")
        .count();
    assert_eq!(admitted, 1, "the decision is on disk before the body is asked for");
    let mut rest = [0; 13];
    stream.read_exact(&mut rest).unwrap();
    stream.write_all(&sent.body).unwrap();
    assert_eq!(read_reply(&mut stream, false).unwrap().status, 200);
    let arrived = gate.recorder.arrived();
    assert_eq!((arrived.len(), arrived[0].length, arrived[0].complete), (1, 300_000, true));
    assert!(arrived[0].header("expect").is_none(), "our own asking is ours");
    gate.finish();
}

/// A body that is held is asked for once somebody known asks, and never for somebody who is not.
#[test]
fn going_on_with_a_held_body_is_said_to_who_is_known() {
    let gate = Gate::start(Setup::default());
    let mut stranger = gate.client("alice");
    stranger.key.id = "AKIAIOSFODNN7EXAMPLE".to_owned();
    assert_eq!(ask(&stranger, &a_change(1)).0, "HTTP/1.1 403");
    let (said, mut stream) = ask(&gate.client("alice"), &a_change(1));
    assert_eq!(said, "HTTP/1.1 100");
    stream.read_exact(&mut [0; 13]).unwrap();
    stream.write_all(&a_change(1).body).unwrap();
    assert_eq!(read_reply(&mut stream, false).unwrap().status, 200);
    // Who asks and does not wait for the answer is served too.
    let (head, body) = gate.client("alice").bytes(&a_change(2));
    let head = String::from_utf8(head).unwrap().replacen("\r\n", "\r\nexpect: 100-continue\r\n", 1);
    let mut stream = gate.client("alice").connect().unwrap();
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
    assert_eq!(read_reply(&mut stream, false).unwrap().status, 200);
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    assert_eq!(gate.recorder.arrived().len(), 2);
    gate.finish();
}
