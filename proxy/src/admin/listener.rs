//! The listener of the admin address: HTTP as it is, and over TLS where the gate has a certificate for that.
//!
//! Both are on one port, told apart by their first byte: what runs on this machine (the command line, SDKs, probes) goes on
//! as before, and people come from elsewhere over TLS. Leaves out who may do what over which (`caller`).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::bounded::Bounded;
use crate::listen::Tls;

/// How long a client may take until it is told apart, and its handshake is done.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many connections may be open at once: the next ones wait.
const AT_ONCE: usize = 1_024;

/// The first byte of every TLS connection: a record of a handshake.
const HANDSHAKE: u8 = 0x16;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// It is TLS.
    pub(super) is_encrypted: bool,
}

impl Peer {
    /// Whether what is sent can be read by nobody on its way: it is encrypted, or stays on this machine.
    pub(super) fn is_private(&self) -> bool {
        self.is_encrypted || self.address.ip().to_canonical().is_loopback()
    }
}

/// A connection of either kind.
type Connection = Bounded<Stream>;

/// The same, before it has its seat.
type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Connections that are told apart, in the order in which they were.
pub(super) struct Listener {
    local: SocketAddr,
    ready: mpsc::Receiver<(Connection, Peer)>,
    // Ends with this.
    _accepting: JoinSet<()>,
}

impl Listener {
    /// Takes connections; over TLS as well where there is a certificate.
    pub(super) fn new(listener: TcpListener, tls: Option<Tls>) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(1);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_all(listener, tls, sender));
        Ok(Self { local, ready, _accepting: accepting })
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // Nobody accepts any more: the program ends.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.local, is_encrypted: false })
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        *stream.remote_addr()
    }
}

/// Each client has a task of its own until it is told apart: one that says nothing keeps nobody waiting.
async fn accept_all(listener: TcpListener, tls: Option<Tls>, ready: mpsc::Sender<(Connection, Peer)>) {
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    let mut telling = JoinSet::new();
    loop {
        while telling.try_join_next().is_some() {}
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            // Of one connection, or of all while the system has no more files: the next may be had in a while.
            Err(_) => {
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(tls) = tls.clone() else {
            let connection = Bounded::new(Either::Left(stream), seat);
            if ready.send((connection, Peer { address, is_encrypted: false })).await.is_err() {
                return;
            }
            continue;
        };
        let ready = ready.clone();
        telling.spawn(async move {
            if let Ok(Some(stream)) = timeout(PATIENCE, told_apart(stream, &tls)).await {
                let is_encrypted = matches!(stream, Either::Right(_));
                let connection = Bounded::new(stream, seat);
                drop(ready.send((connection, Peer { address, is_encrypted })).await);
            }
        });
    }
}

async fn told_apart(stream: TcpStream, tls: &Tls) -> Option<Stream> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first == [HANDSHAKE] => {
            let handshake = tls.acceptor_of_http1().accept(stream).await.ok()?;
            Some(Either::Right(Box::new(handshake)))
        }
        Ok(1) => Some(Either::Left(stream)),
        Ok(_) | Err(_) => None,
    }
}
