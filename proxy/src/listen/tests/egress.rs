//! A listener that clients take for their HTTP proxy: what is tunnelled, what must agree, and what is refused.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::harness::{Gate, answers, quick, read_to_end};
use crate::held::Budget;
use crate::listen::{Asker, Entrance, Opening, Passage, ProxyRefusal, Tunnels};

const HOST: &str = "ec2.example";

/// The same, reached at an address.
const ADDRESS: &str = "2001:db8::5";

/// One host is known, and its certificate is good for another too.
#[derive(Debug)]
struct One(Arc<ServerConfig>);

impl Tunnels for One {
    fn open(&self, host: &str, port: u16) -> Result<Arc<ServerConfig>, ProxyRefusal> {
        match (host, port) {
            (HOST | ADDRESS, 443) => Ok(Arc::clone(&self.0)),
            (HOST, port) => Err(ProxyRefusal::Port(port)),
            (host, _) => Err(ProxyRefusal::HostUnknown(host.to_owned())),
        }
    }

    fn is_upstream(&self, _: SocketAddr) -> bool {
        false
    }

    fn open_own(&self, _: Option<&str>, local: SocketAddr) -> Result<Arc<ServerConfig>, ProxyRefusal> {
        Err(ProxyRefusal::HostUnknown(local.to_string()))
    }

    fn asker(&self, said: Option<&[u8]>) -> Result<Option<Arc<Asker>>, ProxyRefusal> {
        said.map_or(Ok(None), |_| Err(ProxyRefusal::CredentialRefused))
    }

    fn passes(&self, _: &str, _: u16) -> Option<String> {
        None
    }

    fn pass(&self, passage: Passage) -> Opening<'_> {
        Box::pin(async move { Err(ProxyRefusal::HostUnknown(passage.host)) })
    }

    fn open_at(&self, address: SocketAddr) -> Result<Arc<ServerConfig>, ProxyRefusal> {
        Err(ProxyRefusal::HostUnknown(address.to_string()))
    }
}

async fn start() -> (Gate, CertificateDer<'static>) {
    let (config, certificate) =
        crate::self_signed::server(&[HOST, ADDRESS, "other.example"], &["h2", "http/1.1"]);
    let entrance = Entrance::Egress(Arc::new(One(config)));
    let gate = Gate::start_at(entrance, quick(), Budget::new(64 << 20, 16 << 20)).await;
    (gate, certificate.der().clone())
}

/// Asks for a tunnel; what was answered, up to the end of its head.
async fn ask(gate: &Gate, head: &str) -> (TcpStream, String) {
    let mut socket = gate.connect().await;
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    (socket, String::from_utf8(answer).unwrap())
}

async fn tunnel(
    gate: &Gate,
    trusted: &CertificateDer<'static>,
    name: &str,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let (socket, answer) = ask(gate, &format!("CONNECT {HOST}:443 HTTP/1.0\r\n\r\n")).await;
    assert_eq!(answer, "HTTP/1.1 200 Connection established\r\n\r\n");
    super::tls::shake_hands(socket, trusted, name, protocol).await
}

async fn get(stream: &mut TlsStream<TcpStream>, target: &str, host: &str) -> String {
    let raw = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(raw.as_bytes()).await.unwrap();
    answers(&read_to_end(stream).await)
}

#[tokio::test]
async fn tunnel_handshake_and_host_name_one_host() {
    let (gate, trusted) = start().await;
    for (target, host, expected) in [
        ("/a", HOST, "200 GET /a host=ec2.example 0"),
        ("/a", "EC2.example:443", "200 GET /a host=EC2.example:443 0"),
        ("/a", "other.example", "421 host_disagrees"),
        ("/a", "ec2.example.evil.example", "421 host_disagrees"),
        ("/a", "ec2.example:8443", "421 host_disagrees"),
        ("/a", "127.0.0.1", "421 host_disagrees"),
        ("https://other.example/a", "other.example", "421 host_disagrees"),
        ("https://other.example/a", HOST, "421 host_disagrees"),
    ] {
        let mut stream = tunnel(&gate, &trusted, HOST, b"http/1.1").await.unwrap();
        assert_eq!(get(&mut stream, target, host).await, expected, "`{target}` of `{host}`");
    }
    assert!(
        tunnel(&gate, &trusted, "other.example", b"http/1.1").await.is_err(),
        "another name in the handshake"
    );
    let stream = tunnel(&gate, &trusted, HOST, b"h2").await.unwrap();
    let answer = super::http2::get_over(stream, "https://ec2.example/a").await;
    assert_eq!(answer, "200 GET /a host=ec2.example 0");
    let stream = tunnel(&gate, &trusted, HOST, b"h2").await.unwrap();
    let answer = super::http2::get_over(stream, "https://other.example/a").await;
    assert_eq!(answer, "421 host_disagrees");
    gate.at_rest().await;
}

/// What follows a request for another protocol waits for its answer, which a refusal is too.
#[tokio::test]
async fn a_refused_request_for_another_protocol_does_not_hold_the_connection() {
    let (gate, trusted) = start().await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let mut stream = tunnel(&gate, &trusted, HOST, b"http/1.1").await.unwrap();
    let raw = format!("GET /a HTTP/1.1\r\nhost: other.example\r\n{upgrade}");
    stream.write_all(raw.as_bytes()).await.unwrap();
    assert_eq!(get(&mut stream, "/b", HOST).await, "421 host_disagrees\n200 GET /b host=ec2.example 0");
    // And one that goes away at once is gone.
    let mut plain = gate.connect().await;
    plain.write_all(format!("GET / HTTP/1.1\r\nhost: a.example\r\n{upgrade}").as_bytes()).await.unwrap();
    drop(plain);
    gate.at_rest().await;
}

#[tokio::test]
async fn a_tunnel_to_an_address_is_to_that_address() {
    let (gate, trusted) = start().await;
    for (host, expected) in [
        ("[2001:db8::5]", "200 GET /a host=[2001:db8::5] 0"),
        ("[2001:db8::5]:443", "200 GET /a host=[2001:db8::5]:443 0"),
        ("[2001:db8::6]", "421 host_disagrees"),
        (HOST, "421 host_disagrees"),
    ] {
        let (socket, answer) = ask(&gate, &format!("CONNECT [{ADDRESS}]:443 HTTP/1.0\r\n\r\n")).await;
        assert_eq!(answer, "HTTP/1.1 200 Connection established\r\n\r\n");
        let mut stream = super::tls::shake_hands(socket, &trusted, ADDRESS, b"http/1.1").await.unwrap();
        assert_eq!(get(&mut stream, "/a", host).await, expected, "`{host}`");
    }
    gate.at_rest().await;
}

#[tokio::test]
async fn no_tunnel_leads_anywhere_else() {
    let (gate, _) = start().await;
    for (head, expected) in [
        ("CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n", "403 unknown_host"),
        ("CONNECT 169.254.169.254:443 HTTP/1.0\r\n\r\n", "403 unknown_host"),
        ("CONNECT [::1]:443 HTTP/1.0\r\n\r\n", "403 unknown_host"),
        ("CONNECT localhost:443 HTTP/1.0\r\n\r\n", "403 unknown_host"),
        ("CONNECT ec2.example.:443 HTTP/1.0\r\n\r\n", "400 framing_connect_target"),
        ("CONNECT ec2.example:22 HTTP/1.0\r\n\r\n", "403 tunnel_port"),
        ("CONNECT ec2.example HTTP/1.0\r\n\r\n", "400 framing_connect_target"),
        ("CONNECT ec2.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n", "421 host_disagrees"),
        (
            "CONNECT ec2.example:443 HTTP/1.1\r\nhost: ec2.example\r\ncontent-length: 3\r\n\r\nabc",
            "400 framing_connect_body",
        ),
        ("CONNECT ec2.example:443\r\n\r\n", "400 framing_no_version"),
        ("connect ec2.example:443 HTTP/1.0\r\n\r\n", "400 framing_method"),
        ("CONNECT ec2.example:443 HTTP/1.1\nhost: ec2.example\n\n", "400 framing_bare_line_feed"),
        // A path is for an endpoint, and this is a proxy.
        ("GET /a HTTP/1.1\r\nhost: ec2.example\r\nconnection: close\r\n\r\n", "400 framing_not_absolute"),
        (
            "GET https://ec2.example/a HTTP/1.1\r\nhost: ec2.example\r\nconnection: close\r\n\r\n",
            "400 framing_not_absolute",
        ),
        ("GET http://ec2.example/a HTTP/1.1\r\nhost: evil.example\r\n\r\n", "421 host_disagrees"),
        // Only the first request of a connection may open a tunnel.
        (
            "GET http://ec2.example/a HTTP/1.1\r\nhost: ec2.example\r\n\r\nCONNECT ec2.example:443 HTTP/1.0\r\n\r\n",
            "200 GET /a host=ec2.example 0\n400 framing_method",
        ),
    ] {
        assert_eq!(answers(&gate.talk(head.as_bytes()).await), expected, "{head}");
    }
    gate.at_rest().await;
}

#[tokio::test]
async fn what_comes_through_a_tunnel_is_tls() {
    let (gate, _) = start().await;
    for bytes in
        ["GET /a HTTP/1.1\r\nhost: ec2.example\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", "\0\0\0\0\0\0\0\0"]
    {
        let (mut socket, answer) = ask(&gate, "CONNECT ec2.example:443 HTTP/1.0\r\n\r\n").await;
        assert!(answer.contains(" 200 "), "{answer}");
        socket.write_all(bytes.as_bytes()).await.unwrap();
        let said = read_to_end(&mut socket).await;
        assert!(!said.contains("HTTP/"), "`{bytes}` was answered: {said}");
    }
    // The same bytes, sent before the tunnel stands.
    let early = "CONNECT ec2.example:443 HTTP/1.0\r\n\r\nGET /a HTTP/1.1\r\nhost: ec2.example\r\n\r\n";
    assert_eq!(answers(&gate.talk(early.as_bytes()).await), "200");
    assert!(gate.passed().is_empty(), "{:?}", gate.passed());
    assert_eq!(gate.counts.handshakes_failed(), 4);
    gate.at_rest().await;
}

#[tokio::test]
async fn who_says_nothing_after_the_tunnel_stands_is_let_go() {
    let (gate, _) = start().await;
    let (mut socket, _) = ask(&gate, "CONNECT ec2.example:443 HTTP/1.0\r\n\r\n").await;
    assert_eq!(read_to_end(&mut socket).await, "");
    let mut half = gate.connect().await;
    half.write_all(b"CONNECT ec2.example:443 HT").await.unwrap();
    assert_eq!(answers(&read_to_end(&mut half).await), "408 framing_head_late");
    let mut silent = gate.connect().await;
    assert_eq!(read_to_end(&mut silent).await, "");
    gate.at_rest().await;
}
