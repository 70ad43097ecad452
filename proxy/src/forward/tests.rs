//! Connections to an upstream that speaks HTTP/2, and to one that does not: who shares one, who must not wait for whom.

use std::convert::Infallible;
use std::sync::atomic::AtomicUsize;

use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::self_signed;

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// How much a long answer is: more than may be on its way to who does not read.
const LONG: usize = 2 * 1024 * 1024;

/// An upstream: `/watch` never ends, `/long` is [`LONG`] bytes, anything else says which HTTP it came over.
struct Server {
    base: String,
    trust: Trust,
    connections: Arc<AtomicUsize>,
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let version = format!("{:?}", request.version());
    Ok(Response::new(match request.uri().path() {
        "/watch" => {
            let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"{}\n")))]);
            StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
                .boxed_unsync()
        }
        "/long" => Full::new(Bytes::from_static(&[b'a'; LONG])).boxed_unsync(),
        _ => Full::new(Bytes::from(version)).boxed_unsync(),
    }))
}

impl Server {
    /// One that takes `streams` requests at a time on a connection; over TLS with `alpn`, or by prior knowledge.
    async fn start(streams: u32, alpn: Option<&[&str]>, protocol: Protocol) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut trust = Trust { protocol, ..Trust::default() };
        let acceptor = alpn.map(|alpn| {
            let (config, certificate) = self_signed::server(&["localhost"], alpn);
            trust.roots = Some(vec![certificate.der().clone()]);
            TlsAcceptor::from(config)
        });
        let connections = Arc::new(AtomicUsize::new(0));
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    server.http2().max_concurrent_streams(streams);
                    match acceptor {
                        None => {
                            drop(server.serve_connection(TokioIo::new(stream), service_fn(answer)).await);
                        }
                        Some(acceptor) => {
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            drop(server.serve_connection(TokioIo::new(stream), service_fn(answer)).await);
                        }
                    }
                });
            }
        });
        Self { base: format!("{scheme}://localhost:{port}"), trust, connections }
    }

    fn forwarder(&mut self) -> Forwarder {
        let outward = Outward::new(Vec::new(), Duration::from_secs(10));
        outward.forwarder(std::mem::take(&mut self.trust)).unwrap()
    }

    fn get(&self, path: &str) -> Request<OutBody> {
        let mut request = Request::new(OutBody::Whole(OutgoingBody::default()));
        *request.uri_mut() = format!("{}{path}", self.base).parse().unwrap();
        request
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn text(answer: Result<Response<AnswerBody>, ForwardError>) -> String {
    let body = answer::hold(answer.unwrap()).await.unwrap().body;
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn an_upstream_chooses_its_http_and_a_change_of_protocol_is_asked_for_in_http1() {
    for (alpn, chosen) in
        [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")]
    {
        let mut server = Server::start(100, Some(alpn), Protocol::Negotiated).await;
        let forwarder = server.forwarder();
        assert_eq!(text(forwarder.exchange(server.get("/")).await).await, chosen, "{alpn:?}");
        assert_eq!(text(forwarder.exchange_alone(server.get("/")).await).await, "HTTP/1.1", "{alpn:?}");
    }
    let mut plain = Server::start(100, None, Protocol::Negotiated).await;
    let forwarder = plain.forwarder();
    assert_eq!(text(forwarder.exchange(plain.get("/")).await).await, "HTTP/1.1");
    for alpn in [Some(&["h2"][..]), None] {
        let mut server = Server::start(100, alpn, Protocol::Http2).await;
        let forwarder = server.forwarder();
        assert_eq!(text(forwarder.exchange(server.get("/")).await).await, "HTTP/2.0", "{alpn:?}");
        assert_eq!(text(forwarder.exchange_alone(server.get("/")).await).await, "HTTP/2.0", "{alpn:?}");
    }
}

#[tokio::test]
async fn watches_share_connections_and_keep_no_request_waiting() {
    let mut server = Server::start(100, None, Protocol::Http2).await;
    let forwarder = server.forwarder();
    let mut watches = Vec::new();
    for _ in 0..250 {
        watches.push(forwarder.exchange(server.get("/watch")).await.unwrap());
    }
    assert_eq!(text(forwarder.exchange(server.get("/")).await).await, "HTTP/2.0");
    assert_eq!(server.connections(), 3, "a hundred each");
    // Their places are given back.
    watches.truncate(50);
    for _ in 0..150 {
        watches.push(forwarder.exchange(server.get("/watch")).await.unwrap());
    }
    assert_eq!(server.connections(), 3, "{watches:?}");
}

#[tokio::test]
async fn who_does_not_read_an_answer_keeps_nobody_else_waiting() {
    let mut server = Server::start(200, None, Protocol::Http2).await;
    let forwarder = server.forwarder();
    let mut unread = Vec::new();
    for _ in 0..SHARED_LESS_ONE {
        unread.push(forwarder.exchange(server.get("/long")).await.unwrap());
    }
    // So that all that may come without being read has come.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let read =
        tokio::time::timeout(Duration::from_secs(10), text(forwarder.exchange(server.get("/long")).await));
    assert_eq!(read.await.expect("it comes whole").len(), LONG);
    assert_eq!(server.connections(), 1, "all on one connection: {}", unread.len());
}

const SHARED_LESS_ONE: usize = 99;

/// An upstream that takes a connection and answers every request on it with that reset.
async fn refusing(reason: h2::Reason) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    respond.send_reset(reason);
                }
            });
        }
    });
    format!("http://localhost:{port}/")
}

#[tokio::test]
async fn what_an_upstream_did_not_look_at_was_not_done() {
    for (reason, expected) in [
        (h2::Reason::REFUSED_STREAM, Outcome::NotSent { why: "upstream_refused_stream" }),
        (h2::Reason::INTERNAL_ERROR, Outcome::Unknown { why: "upstream_unanswered" }),
        (h2::Reason::CANCEL, Outcome::Unknown { why: "upstream_unanswered" }),
    ] {
        let at = refusing(reason).await;
        let outward = Outward::new(Vec::new(), Duration::from_secs(10));
        let trust = Trust { protocol: Protocol::Http2, ..Trust::default() };
        let forwarder = outward.forwarder(trust).unwrap();
        let mut request = Request::new(OutBody::Whole(OutgoingBody::default()));
        *request.uri_mut() = at.parse().unwrap();
        let error = forwarder.exchange(request).await.unwrap_err();
        assert_eq!(error.outcome(), expected, "{error}");
    }
}

/// An upstream that takes the first of two requests on a connection, and says that it takes no other; it answers neither.
async fn retiring() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                // The connection preface, then frames until two requests have come.
                let mut preface = [0; 24];
                stream.read_exact(&mut preface).await.unwrap();
                stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
                let mut asked = 0;
                while asked < 2 {
                    let mut head = [0; 9];
                    stream.read_exact(&mut head).await.unwrap();
                    let mut payload = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
                    stream.read_exact(&mut payload).await.unwrap();
                    asked += usize::from(head[3] == 1);
                }
                // GOAWAY without an error, whose last stream is the first one.
                stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            });
        }
    });
    format!("http://localhost:{port}/")
}

#[tokio::test]
async fn what_came_after_the_last_that_an_upstream_takes_was_not_done() {
    let at = retiring().await;
    let outward = Outward::new(Vec::new(), Duration::from_secs(10));
    let trust = Trust { protocol: Protocol::Http2, ..Trust::default() };
    let forwarder = outward.forwarder(trust).unwrap();
    let ask = || {
        let mut request = Request::new(OutBody::Whole(OutgoingBody::default()));
        *request.uri_mut() = at.parse().unwrap();
        forwarder.exchange(request)
    };
    let (first, second) = tokio::join!(ask(), ask());
    let outcomes = [first, second].map(|answer| answer.unwrap_err().outcome());
    assert_eq!(
        outcomes,
        [
            Outcome::Unknown { why: "upstream_unanswered" },
            Outcome::NotSent { why: "upstream_refused_stream" }
        ]
    );
}

#[tokio::test]
async fn no_name_and_no_address_leads_to_ourselves() {
    let own = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = own.local_addr().unwrap().port();
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outward = Outward::new(vec![own.local_addr().unwrap()], Duration::from_millis(500));
    let forwarder = outward.forwarder(Trust::default()).unwrap();
    let look = async |host: &str, port: u16| {
        forwarder.look(format!("http://{host}:{port}/").parse().unwrap(), None).await.unwrap_err()
    };
    let all = if_addrs::get_if_addrs().unwrap().into_iter().map(|one| one.ip());
    let v4 = all.filter(std::net::IpAddr::is_ipv4).map(|ip| ip.to_string());
    for host in v4.chain(["localhost".to_owned()]) {
        let why = look(&host, port).await;
        assert!(why.contains("is this gate itself"), "{host}: {why}");
    }
    // Another port of this machine is somebody else.
    let why = look("localhost", other.local_addr().unwrap().port()).await;
    assert!(why.contains("did not answer within"), "{why}");
}
