//! The reverse way in on a socket of this machine: who connects is known by the user that the system says it is.
//!
//! Leaves out who that user is (`identity`). A socket has no TLS: what passes stays on the machine.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::BytesMut;
use http::{Request, Response};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::accept::{Accepted, Drained, ListenCounts, Listener, accept_all};
use super::body::RequestBody;
use super::reverse::speaks_http2;
use super::serve::{self, Shared};
use super::stream::{Carrier, Stream};
use super::{AnswerBody, ConnectionInfo, ListenSettings, Silence, WayIn};

/// Who may connect: the owner of the socket, and its group.
const MODE: u32 = 0o660;

/// What stands for the address of either end, which a socket has none of.
const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A socket of this machine; its file goes with it.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at a path. A socket that nobody listens on any more is replaced, and nothing else is.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AddrInUse`] where somebody listens there, or no socket is there.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Ok(there) = fs::symlink_metadata(path) {
            let left = there.file_type().is_socket()
                && std::os::unix::net::UnixStream::connect(path)
                    .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
            if !left {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let made = Self { listener, path: path.to_owned() };
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
        Ok(made)
    }
}

impl Listener for Socket {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, _) = self.listener.accept().await?;
        Ok((stream, HERE))
    }

    /// All are from here.
    fn per_peer(settings: &ListenSettings) -> usize {
        settings.connections
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The next gate replaces it where this fails.
        let _gone = fs::remove_file(&self.path);
    }
}

/// Serves until `shutdown`, then lets the requests in flight end within the time to drain.
pub async fn run_socket<S, F, B>(
    socket: Socket,
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
    accept_all(socket, settings, counts, service, shutdown, connection).await
}

async fn connection<S, F, B>(shared: Arc<Shared<S>>, accepted: Accepted<UnixStream>)
where
    S: Fn(ConnectionInfo, Request<RequestBody>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: AnswerBody,
{
    let Accepted { socket, peer, place, settings, .. } = accepted;
    let mut stop = shared.stop.clone();
    let opened = tokio::select! {
        opened = timeout(settings.header_timeout, open(socket, &settings)) => opened,
        () = serve::stopped(&mut stop) => return,
    };
    let Ok(Ok((mut stream, http2, uid))) = opened else { return };
    stream.seat(place);
    let info = ConnectionInfo {
        peer,
        local: HERE,
        tls: None,
        way_in: WayIn::Reverse,
        asker: None,
        uid: Some(uid),
        refused: None,
        silence: Silence::default(),
    };
    if http2 {
        Box::pin(serve::http2(shared, settings, info, stream)).await;
    } else {
        Box::pin(serve::http1(shared, settings, info, stream)).await;
    }
}

async fn open(mut socket: UnixStream, settings: &ListenSettings) -> io::Result<(Stream, bool, u32)> {
    // As it was when the other end connected, so that it cannot be another by now.
    let uid = socket.peer_cred()?.uid();
    let mut ahead = BytesMut::new();
    let http2 = speaks_http2(&mut socket, &mut ahead).await?;
    Ok((Stream::new(Carrier::Unix(socket), ahead.freeze(), settings.body_timeout), http2, uid))
}
