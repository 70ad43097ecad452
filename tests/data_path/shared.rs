//! A cluster that is spoken to in HTTP/2: whose requests share its connections, and which have one of their own.
//!
//! Leaves out what connections do by themselves (`proxy/src/forward/`).

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Gate, Setup, eventually, read_reply, self_signed};

const IDENTITY: &str = "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-system\",\"uid\":\"u\"}}";

/// The cluster, and what came to it.
struct Cluster {
    address: SocketAddr,
    /// `METHOD PATH VERSION`, each.
    arrived: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    /// Watches that nobody ended.
    open: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

/// Counts what is there for as long as it is.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(all))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

fn answer(mut request: Request<Incoming>, open: &Arc<AtomicUsize>) -> Response<Body> {
    let whole = |text: &'static str| Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync();
    let target = request.uri().to_string();
    if request.headers().contains_key("upgrade") {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            let mut said = [0; 4];
            stream.read_exact(&mut said).await.unwrap();
            stream.write_all(&said).await.unwrap();
        });
        let head =
            Response::builder().status(101).header("connection", "Upgrade").header("upgrade", "SPDY/3.1");
        return head.body(whole("")).unwrap();
    }
    if target.contains("watch=true") {
        let watch = Counted::new(open);
        let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"{}\n")))]);
        let rest = futures_util::stream::poll_fn(move |_| {
            let _until_dropped = &watch;
            std::task::Poll::Pending
        });
        return Response::new(StreamBody::new(futures_util::StreamExt::chain(first, rest)).boxed_unsync());
    }
    Response::new(whole(if target.contains("kube-system") { IDENTITY } else { "{}" }))
}

impl Cluster {
    fn start(folder: &Path) -> Self {
        let (config, certificate) = self_signed::server(&["127.0.0.1"], &["h2", "http/1.1"]);
        std::fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(config);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, connections, open) = (Arc::default(), Arc::default(), Arc::default());
        let kept: (Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>, Arc<AtomicUsize>) =
            (Arc::clone(&arrived), Arc::clone(&connections), Arc::clone(&open));
        runtime.spawn(async move {
            let (arrived, connections, open) = kept;
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = Counted::new(&connections);
                let (acceptor, arrived, open) = (acceptor.clone(), Arc::clone(&arrived), Arc::clone(&open));
                tokio::spawn(async move {
                    let _open = connection;
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |mut request: Request<Incoming>| {
                        let (arrived, open) = (Arc::clone(&arrived), Arc::clone(&open));
                        async move {
                            let (method, version) = (request.method().clone(), request.version());
                            let mut line = format!("{method} {} {version:?}", request.uri().path());
                            if line.contains("/proxy/") {
                                let mut length = 0;
                                while let Some(frame) = request.body_mut().frame().await {
                                    length += frame.unwrap().into_data().map_or(0, |data| data.len());
                                }
                                line.push_str(&format!(" {length}"));
                            }
                            arrived.lock().unwrap().push(line);
                            Ok::<_, Infallible>(answer(request, &open))
                        }
                    });
                    let mut server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    server.http2().max_concurrent_streams(100);
                    drop(server.serve_connection_with_upgrades(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { address, arrived, connections, open, _runtime: runtime }
    }

    fn arrived(&self) -> Vec<String> {
        self.arrived.lock().unwrap().clone()
    }
}

/// A gate in front of it, and what its actors ask with.
struct Case {
    gate: Gate,
    cluster: Cluster,
}

impl Case {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(folder.path());
        let token = folder.path().join("token");
        std::fs::write(&token, "real-token").unwrap();
        let upstream = format!(
            "\n[[upstream]]\nname = \"prod\"\nplane = \"kubernetes\"\nendpoint = \"https://{}\"\ntrust = {:?}\n\
             credentials = {{ token_file = {token:?} }}\n",
            cluster.address,
            folder.path().join("ca.pem"),
        );
        let mut setup = Setup { upstream, mode: "enforce", ..Setup::default() };
        let whose = "apiVersion: ordain/v1\nkind: Account\nmetadata: {name: prod}\n\
                     spec: {plane: kubernetes, account: prod, owner: platform}\n---\n\
                     apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: bob}\n\
                     spec: {memberOf: [platform]}\n";
        setup.model.push(("cluster.yaml", whose.to_owned()));
        // After which a client that says no more is taken for gone.
        setup.settings = "[limits]\nbody_timeout = \"1s\"\n".to_owned();
        let gate = Gate::start(setup);
        eventually("the cluster is served", || !cluster.arrived().is_empty());
        Self { gate, cluster }
    }

    fn token(&self, actor: &str) -> String {
        self.gate.bearer("prod", actor, "person")
    }

    fn ask(&self, token: &str, line: &str, more: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.gate.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let host = self.gate.address;
        let asked = format!("{line} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{more}\r\n");
        client.write_all(asked.as_bytes()).unwrap();
        client
    }
}

#[test]
fn a_cluster_is_spoken_to_in_http2_but_for_streams_that_change_their_connection() {
    let case = Case::start();
    let token = case.token("alice");
    let read = read_reply(&mut case.ask(&token, "GET /api/v1/namespaces/default/pods", ""), false).unwrap();
    assert_eq!(read.status, 200, "{}", read.text());
    let delete = case.ask(&token, "DELETE /api/v1/namespaces/default/pods/web", "");
    let deleted = read_reply(&mut { delete }, false).unwrap();
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    // What goes through a proxy is not held: it passes as it comes.
    let proxied = "POST /api/v1/namespaces/default/services/web:80/proxy/hook?x=1";
    let mut through = case.ask(&token, proxied, "content-length: 5\r\n");
    through.write_all(b"hello").unwrap();
    let through = read_reply(&mut through, false).unwrap();
    assert_eq!(through.status, 200, "{}", through.text());
    let exec = "POST /api/v1/namespaces/default/pods/web/exec?command=sh&stdin=true";
    let upgrade = "connection: Upgrade\r\nupgrade: SPDY/3.1\r\ncontent-length: 0\r\n";
    let mut stream = case.ask(&token, exec, upgrade);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    stream.write_all(b"ping").unwrap();
    let mut said = [0; 4];
    reader.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"ping");
    let arrived = case.cluster.arrived();
    let after: Vec<&str> =
        arrived.iter().map(String::as_str).filter(|line| !line.contains("kube-system")).collect();
    assert_eq!(
        after,
        [
            "GET /api/v1/namespaces/default/pods HTTP/2.0",
            "DELETE /api/v1/namespaces/default/pods/web HTTP/2.0",
            "POST /api/v1/namespaces/default/services/web:80/proxy/hook HTTP/2.0 5",
            "POST /api/v1/namespaces/default/pods/web/exec HTTP/1.1",
        ]
    );
    drop((stream, reader));
    case.gate.finish();
}

#[test]
fn watches_share_connections_and_end_one_by_one() {
    let case = Case::start();
    let tokens = [case.token("alice"), case.token("bob")];
    let watch = "GET /api/v1/namespaces/default/pods?watch=true";
    let mut watches: Vec<TcpStream> =
        (0..150).map(|number| case.ask(&tokens[number % 2], watch, "")).collect();
    eventually("all are open", || case.cluster.open.load(Ordering::Relaxed) == 150);
    // The cluster takes a hundred at a time on a connection: this one waits for none of them.
    let read = read_reply(&mut case.ask(&tokens[0], "GET /version", ""), false).unwrap();
    assert_eq!(read.status, 200, "{}", read.text());
    // Those that were made at the same moment, before it was known that one is enough, are given up.
    eventually("a hundred share one", || case.cluster.connections.load(Ordering::Relaxed) <= 3);
    // A client that goes away, and an actor who is revoked, end their own and nobody else's.
    watches.truncate(100);
    eventually("those that nobody wants end", || case.cluster.open.load(Ordering::Relaxed) == 100);
    assert!(case.gate.run(&["actor", "revoke", "bob", "--kind", "person"]).status.success());
    eventually("those of an actor who is one no more end", || {
        case.cluster.open.load(Ordering::Relaxed) == 50
    });
    drop(watches);
    eventually("all have ended", || case.cluster.open.load(Ordering::Relaxed) == 0);
    case.gate.finish();
}
