//! Tunnels that are passed on unopened: their first message is looked at, and bytes are copied both ways.
//!
//! What is looked at is the name in the TLS handshake, which must be the host that was asked for: a tunnel to one host
//! does not front for another. Leaves out which hosts those are, recording them, and connecting.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ordain_decode::form::http1::ProxyRefusal;
use ordain_evidence::TunnelOpened;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::ListenSettings;
use super::serve;
use super::stream::Stream;

/// The longest first message that is looked at; those of today are a tenth of it.
const HELLO_MAX: usize = 64 * 1024;

/// What is read at once.
const PIECE: usize = 16 * 1024;

/// How long a tunnel may be quiet once the listener has to stop.
const QUIET_AT_STOP: Duration = Duration::from_millis(500);

/// A tunnel that is recorded and connected.
#[derive(Debug)]
pub struct Passed {
    /// The connection to the host.
    pub upstream: TcpStream,
    /// What is owed for it, and counts its bytes.
    pub tunnel: TunnelOpened,
    /// When who asked for it is nobody any more.
    pub over: Over,
}

/// Ready when a tunnel has to end.
pub struct Over(pub Pin<Box<dyn Future<Output = ()> + Send>>);

impl fmt::Debug for Over {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Over")
    }
}

/// A tunnel both of whose ends are there.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) client: Stream,
    /// What the client has said already.
    pub(super) hello: Bytes,
    pub(super) passed: Passed,
}

/// Reads the first message of a TLS handshake, and the name in it; the bytes are to be passed on.
pub(super) async fn hello(client: &mut Stream) -> io::Result<(Bytes, Option<String>)> {
    let (mut bytes, mut acceptor) = (BytesMut::with_capacity(1_024), Acceptor::default());
    let mut seen = 0;
    loop {
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while let Some(mut rest) = bytes.get(seen..).filter(|rest| !rest.is_empty()) {
            seen += acceptor.read_tls(&mut rest)?;
            match acceptor.accept() {
                Ok(Some(accepted)) => {
                    let name = accepted.client_hello().server_name().map(str::to_ascii_lowercase);
                    return Ok((bytes.freeze(), name));
                }
                Ok(None) => {}
                Err((error, _alert)) => return Err(io::Error::other(error)),
            }
        }
        if bytes.len() > HELLO_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// Whether the name in a handshake is that of the tunnel.
pub(super) fn agrees(host: &str, name: Option<&str>) -> Result<(), ProxyRefusal> {
    match name {
        Some(name) if name == host => Ok(()),
        Some(_) => Err(ProxyRefusal::Fronted(host.to_owned())),
        None => Err(ProxyRefusal::NoServerName),
    }
}

impl Passing {
    /// Copies until both sides have said all, one breaks off, who asked is nobody any more, nothing moves for long,
    /// or the listener stops.
    pub(super) async fn run(self, settings: &ListenSettings, mut stop: watch::Receiver<bool>) {
        let Self { client, hello, passed: Passed { upstream, tunnel, over } } = self;
        let (client_reads, client_writes) = tokio::io::split(client);
        let (upstream_reads, mut upstream_writes) = upstream.into_split();
        let there = async {
            upstream_writes.write_all(&hello).await?;
            tunnel.sent(u64::try_from(hello.len()).unwrap_or(u64::MAX));
            copy(client_reads, upstream_writes, |bytes| tunnel.sent(bytes)).await
        };
        let back = copy(upstream_reads, client_writes, |bytes| tunnel.received(bytes));
        let ended = async { tokio::try_join!(there, back) };
        let stopping = async {
            serve::stopped(&mut stop).await;
            // One that is busy has nearly all the time to drain; the rest is for its end to be told.
            let most = settings.drain.saturating_sub(settings.drain / 10);
            let _busy = timeout(most, quiet(&tunnel, QUIET_AT_STOP)).await;
        };
        let why = tokio::select! {
            ended = ended => if ended.is_ok() { "closed" } else { "broken_off" },
            () = quiet(&tunnel, settings.idle_timeout) => "idle",
            () = over.0 => "revoked",
            () = stopping => "gate_stopping",
        };
        // A ledger that is sealed says so by itself.
        let _sealed = tunnel.end(why);
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    count: impl Fn(u64),
) -> io::Result<()> {
    let mut piece = BytesMut::with_capacity(PIECE);
    while from.read_buf(&mut piece).await? > 0 {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        to.write_all(&piece).await?;
        to.flush().await?;
        count(length);
        piece.clear();
    }
    to.shutdown().await
}

/// Ready when nothing went through for so long, or somewhat longer.
async fn quiet(tunnel: &TunnelOpened, limit: Duration) {
    let moved = AtomicU64::new(tunnel.moved());
    let mut quiet = Duration::ZERO;
    let step = limit / 4;
    while quiet < limit {
        sleep(step).await;
        let now = tunnel.moved();
        quiet = if moved.swap(now, Ordering::Relaxed) == now { quiet + step } else { Duration::ZERO };
    }
}
