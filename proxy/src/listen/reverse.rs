//! The reverse listener: actors point their clients at an address of ours.
//!
//! Accepts, seats, shakes hands, tells HTTP/2 from HTTP/1, and drains when told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::body::RequestBody;
use super::peers::{Peers, Seat};
use super::serve::{self, Shared};
use super::stream::{Carrier, Stream};
use super::{AnswerBody, ConnectionInfo, ListenSettings, Tls, TlsInfo, WayIn};

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The pause after an accept that failed: mostly there are no descriptors left, and that takes a while.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a listener counts, for metrics.
#[derive(Debug, Default)]
pub struct ListenCounts {
    accepted: AtomicU64,
    turned_away: AtomicU64,
    handshakes_failed: AtomicU64,
    open: Arc<AtomicU64>,
}

impl ListenCounts {
    /// Connections accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections closed at once because there were too many, in all or from their peer.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    fn opened(&self) -> Open {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(&self.open))
    }

    /// TLS handshakes that failed or took too long.
    #[must_use]
    pub fn handshakes_failed(&self) -> u64 {
        self.handshakes_failed.load(Ordering::Relaxed)
    }
}

/// One open connection, counted until it is dropped.
#[derive(Debug)]
struct Open(Arc<AtomicU64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a listener ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because their requests did not end in time.
    pub cut: usize,
}

/// Serves until `shutdown`, then lets the requests in flight end within the time to drain.
///
/// Other settings may be put in place while it runs: a connection keeps to those in place when it was accepted.
pub async fn run<S, F, B>(
    listener: TcpListener,
    settings: Arc<ArcSwap<ListenSettings>>,
    counts: Arc<ListenCounts>,
    service: S,
    shutdown: impl Future<Output = ()> + Send,
) -> Drained
where
    S: Fn(ConnectionInfo, Request<RequestBody>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: AnswerBody,
{
    let (tell, stop) = watch::channel(false);
    let first = settings.load_full();
    let peers = Peers::new(first.connections, first.connections_per_peer);
    let shared = Arc::new(Shared { service, stop });
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            () = shutdown.as_mut() => break,
        };
        let Ok((socket, peer)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let now = settings.load_full();
        peers.resize(now.connections, now.connections_per_peer);
        let Some(seat) = peers.seat(peer.ip()) else {
            counts.turned_away.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let place = (seat, counts.opened());
        connections.spawn(connection(Arc::clone(&shared), now, Arc::clone(&counts), socket, peer, place));
    }
    // New connections are refused by the system from here, so that a balancer takes them elsewhere.
    drop(listener);
    tell.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    let late = timeout(settings.load().drain, ended).await.is_err();
    let cut = if late { connections.len() } else { 0 };
    connections.shutdown().await;
    Drained { cut }
}

async fn connection<S, F, B>(
    shared: Arc<Shared<S>>,
    settings: Arc<ListenSettings>,
    counts: Arc<ListenCounts>,
    socket: TcpStream,
    peer: SocketAddr,
    place: (Seat, Open),
) where
    S: Fn(ConnectionInfo, Request<RequestBody>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: AnswerBody,
{
    let Ok(local) = socket.local_addr() else { return };
    // Answers are written whole; waiting to fill a packet only delays them.
    let _best_effort = socket.set_nodelay(true);
    let limit = settings.header_timeout;
    let mut stop = shared.stop.clone();
    let opened = async {
        match settings.tls.as_ref() {
            Some(tls) => Box::pin(handshake(tls, socket)).await,
            None => preface(socket).await,
        }
    };
    let opened = tokio::select! {
        opened = timeout(limit, opened) => opened,
        () = serve::stopped(&mut stop) => return,
    };
    let Ok(Ok(opened)) = opened else {
        if settings.tls.is_some() {
            counts.handshakes_failed.fetch_add(1, Ordering::Relaxed);
        }
        return;
    };
    let info = ConnectionInfo { peer, local, tls: opened.tls, way_in: WayIn::Reverse, refused: None };
    let stream = Stream::new(opened.carrier, opened.ahead, settings.body_timeout);
    // Each on its own, so that a connection takes the memory of what it speaks.
    if opened.http2 {
        Box::pin(serve::http2(shared, settings, info, stream)).await;
    } else {
        Box::pin(serve::http1(shared, settings, info, stream)).await;
    }
    drop(place);
}

/// A connection of which it is known what it speaks.
#[derive(Debug)]
struct Opened {
    carrier: Carrier,
    ahead: Bytes,
    http2: bool,
    tls: Option<Arc<TlsInfo>>,
}

async fn handshake(tls: &Tls, socket: TcpStream) -> io::Result<Opened> {
    let stream = tls.acceptor().accept(socket).await?;
    let (_, session) = stream.get_ref();
    let http2 = session.alpn_protocol() == Some(b"h2");
    let info = TlsInfo { server_name: session.server_name().map(str::to_owned), http2 };
    Ok(Opened {
        carrier: Carrier::Tls(Box::new(stream)),
        ahead: Bytes::new(),
        http2,
        tls: Some(Arc::new(info)),
    })
}

/// Reads until the bytes differ from the preface of HTTP/2, mostly at the first, or are it.
async fn preface(mut socket: TcpStream) -> io::Result<Opened> {
    let mut ahead = BytesMut::with_capacity(PREFACE.len());
    while ahead.len() < PREFACE.len() && PREFACE.starts_with(&ahead) {
        let left = PREFACE.len() - ahead.len();
        let read = (&mut socket).take(u64::try_from(left).unwrap_or(0)).read_buf(&mut ahead).await?;
        if read == 0 {
            break;
        }
    }
    let http2 = ahead.as_ref() == PREFACE;
    Ok(Opened { carrier: Carrier::Plain(socket), ahead: ahead.freeze(), http2, tls: None })
}
