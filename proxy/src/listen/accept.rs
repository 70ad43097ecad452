//! Accepts connections, seats them, has them opened as their way in asks for, and drains when told to stop.
//!
//! Leaves out how each way in opens a connection (`reverse`, `egress`, `transparent`) and what is spoken on one (`serve`).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::body::RequestBody;
use super::egress::{self, Tunnels};
use super::peers::{Peers, Seat};
use super::serve::{self, Shared};
use super::stream::Unopened;
use super::transparent::{self, Redirected};
use super::{AnswerBody, ConnectionInfo, ListenSettings, Silence, WayIn, reverse};

/// The way in that a listener is.
#[derive(Debug, Clone)]
pub enum Entrance {
    /// Clients take an address of ours for the control plane's, in TLS or not where we can stand for ourselves.
    Reverse(Option<Arc<dyn Tunnels>>),
    /// Clients take us for their HTTP proxy.
    Egress(Arc<dyn Tunnels>),
    /// The system sends connections on to us that were on their way to a control plane.
    Transparent(Arc<Redirected>),
}

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

    pub(super) fn opened(&self) -> Open {
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
pub(super) struct Open(Arc<AtomicU64>);

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
    entrance: Entrance,
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
    accept_all(listener, settings, counts, service, shutdown, move |shared, accepted| {
        connection(shared, entrance.clone(), accepted)
    })
    .await
}

/// What connections come from.
pub(super) trait Listener {
    /// A connection.
    type Stream;

    /// The next one, and who it is from.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// How many there may be from one peer.
    fn per_peer(settings: &ListenSettings) -> usize;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        Self::accept(self)
    }

    fn per_peer(settings: &ListenSettings) -> usize {
        settings.connections_per_peer
    }
}

/// A connection that has its place, under the settings that were in place when it was accepted.
#[derive(Debug)]
pub(super) struct Accepted<T> {
    pub(super) socket: T,
    pub(super) peer: SocketAddr,
    pub(super) place: (Seat, Open),
    pub(super) settings: Arc<ListenSettings>,
    pub(super) counts: Arc<ListenCounts>,
}

/// Accepts and seats until `shutdown`, then lets the requests in flight end within the time to drain.
pub(super) async fn accept_all<L, S, C>(
    listener: L,
    settings: Arc<ArcSwap<ListenSettings>>,
    counts: Arc<ListenCounts>,
    service: S,
    shutdown: impl Future<Output = ()> + Send,
    connection: impl Fn(Arc<Shared<S>>, Accepted<L::Stream>) -> C,
) -> Drained
where
    L: Listener,
    C: Future<Output = ()> + Send + 'static,
{
    let (tell, stop) = watch::channel(false);
    let first = settings.load_full();
    let peers = Peers::new(first.connections, L::per_peer(&first));
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
        peers.resize(now.connections, L::per_peer(&now));
        let Some(seat) = peers.seat(peer.ip()) else {
            counts.turned_away.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let place = (seat, counts.opened());
        let accepted = Accepted { socket, peer, place, settings: now, counts: Arc::clone(&counts) };
        connections.spawn(connection(Arc::clone(&shared), accepted));
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

async fn connection<S, F, B>(shared: Arc<Shared<S>>, entrance: Entrance, accepted: Accepted<TcpStream>)
where
    S: Fn(ConnectionInfo, Request<RequestBody>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: AnswerBody,
{
    let Accepted { socket, peer, place, settings, counts } = accepted;
    let Ok(local) = socket.local_addr() else { return };
    // Answers are written whole; waiting to fill a packet only delays them.
    let _best_effort = socket.set_nodelay(true);
    // A proxy's client has the same time twice: for its head, which is answered where it comes late, and for what follows.
    let stages = if matches!(entrance, Entrance::Egress(_)) { 2 } else { 1 };
    let limit = settings.header_timeout * stages;
    let mut stop = shared.stop.clone();
    let opening = async {
        match &entrance {
            Entrance::Reverse(own) => Ok(Box::pin(reverse::open(socket, &settings, own.as_deref())).await?),
            Entrance::Egress(tunnels) => Box::pin(egress::open(socket, &settings, &**tunnels)).await,
            Entrance::Transparent(redirected) => {
                Box::pin(transparent::open(socket, &settings, redirected)).await
            }
        }
    };
    let opened = tokio::select! {
        opened = timeout(limit, opening) => opened,
        () = serve::stopped(&mut stop) => return,
    };
    let mut opened = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(Unopened::Passed(mut passing))) => {
            passing.client.seat(place);
            return Box::pin(passing.run(&settings, stop)).await;
        }
        failed => {
            if settings.tls.is_some() || !matches!(entrance, Entrance::Reverse(_)) {
                counts.handshakes_failed.fetch_add(1, Ordering::Relaxed);
            }
            if let Ok(Err(Unopened::Refused(refusal))) = failed {
                // There is nobody to answer; that it was refused is for the service to say.
                let way_in = WayIn::Transparent(None);
                let info = ConnectionInfo {
                    peer,
                    local,
                    tls: None,
                    way_in,
                    asker: None,
                    uid: None,
                    refused: Some(refusal),
                    silence: Silence::default(),
                };
                drop((shared.service)(info, serve::stand_in()).await);
            }
            return;
        }
    };
    let info = ConnectionInfo {
        peer,
        local,
        tls: opened.tls,
        way_in: opened.way_in,
        asker: opened.asker,
        uid: None,
        refused: opened.refused,
        silence: Silence::default(),
    };
    opened.stream.seat(place);
    // Each on its own, so that a connection takes the memory of what it speaks.
    if opened.http2 {
        Box::pin(serve::http2(shared, settings, info, opened.stream)).await;
    } else {
        Box::pin(serve::http1(shared, settings, info, opened.stream)).await;
    }
}
