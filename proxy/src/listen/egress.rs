//! The egress way in: clients take us for their HTTP proxy.
//!
//! A tunnel to a control plane is opened: its TLS ends here, under a certificate of our own authority, and what comes
//! through it is a request like any other. `CONNECT`, the TLS handshake and `host` must name one host. Leaves out which
//! hosts those are, and the certificates.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ordain_decode::form::http1::{CONNECT, Connect, HeadEnd, ProxyRefusal, read_connect};
use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::reverse::client_of;
use super::stream::{Carrier, Opened, Stream, Unopened};
use super::tunnel::{Passed, Passing, agrees, hello};
use super::{Asker, GuardRefusal, ListenSettings, TlsInfo, WayIn};

/// What a client reads before it begins its handshake.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Which hosts may be tunnelled to.
pub trait Tunnels: fmt::Debug + Send + Sync + 'static {
    /// What the handshake inside a tunnel to a host, in lower case, is answered with.
    ///
    /// # Errors
    /// [`ProxyRefusal`] in words for the client: no tunnel is opened.
    fn open(&self, host: &str, port: u16) -> Result<Arc<ServerConfig>, ProxyRefusal>;

    /// Whether a configured control plane is reached at this address, and not by a name.
    fn is_upstream(&self, address: SocketAddr) -> bool;

    /// What a handshake at an address of ours is answered with, whose client named us as it did.
    ///
    /// # Errors
    /// [`ProxyRefusal`]: that is no name of ours, or none that can be stood for.
    fn open_own(
        &self,
        server_name: Option<&str>,
        local: SocketAddr,
    ) -> Result<Arc<ServerConfig>, ProxyRefusal>;

    /// What a handshake with such a control plane is answered with.
    ///
    /// # Errors
    /// [`ProxyRefusal`]: it is not known, or cannot be stood for.
    fn open_at(&self, address: SocketAddr) -> Result<Arc<ServerConfig>, ProxyRefusal>;

    /// Who asks, by what `proxy-authorization` says.
    ///
    /// # Errors
    /// [`ProxyRefusal`]: it has to be said and is not, or what is said is not so.
    fn asker(&self, said: Option<&[u8]>) -> Result<Option<Arc<Asker>>, ProxyRefusal>;

    /// The setting that lets a host through which is no control plane's.
    fn passes(&self, host: &str, port: u16) -> Option<String>;

    /// Records a tunnel to such a host, and then connects it.
    fn pass(&self, passage: Passage) -> Opening<'_>;
}

/// A tunnel to a host that is let through.
#[derive(Debug)]
pub struct Passage {
    /// The host, in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The setting that lets it through.
    pub rule: String,
    /// Who asks, by address.
    pub peer: SocketAddr,
    /// Who asks, where that was shown.
    pub asker: Option<Arc<Asker>>,
    /// How it came in.
    pub way: &'static str,
}

/// A tunnel on its way to be recorded and connected.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Passed, ProxyRefusal>> + Send + 'a>>;

/// Reads what a client asks its proxy for first, and opens the tunnel where that is one.
pub(super) async fn open(
    mut socket: TcpStream,
    settings: &ListenSettings,
    tunnels: &dyn Tunnels,
) -> Result<Opened, Unopened> {
    let mut bytes = BytesMut::with_capacity(1024);
    let mut end = HeadEnd::of_proxy();
    let deadline = Instant::now() + settings.header_timeout;
    let head = loop {
        match end.find(&bytes) {
            Ok(Some(length)) => break Ok(length),
            Ok(None) => {}
            Err(refusal) => break Err(refusal),
        }
        match timeout_at(deadline, socket.read_buf(&mut bytes)).await {
            Ok(Ok(1..)) => {}
            Err(_late) if bytes.starts_with(CONNECT) => break Err(GuardRefusal::HeadLate),
            Ok(_) | Err(_) => return Err(Unopened::Closed),
        }
    };
    if !bytes.starts_with(CONNECT) {
        // The guard of every connection reads it, a head that is refused among them.
        let stream = Stream::new(Carrier::Plain(socket), bytes.freeze(), settings.body_timeout);
        let way_in = WayIn::Forward;
        return Ok(Opened { stream, http2: false, tls: None, way_in, asker: None, refused: None });
    }
    let asked = head.and_then(|length| {
        let first = bytes.split_to(length);
        let Connect { host, port, authorization } = read_connect(&first)?;
        let host = host.to_ascii_lowercase();
        // Who asks comes first: to others nothing is told of what there is.
        let asker = tunnels.asker(authorization).map_err(GuardRefusal::Proxy)?;
        let leads = match tunnels.passes(&host, port) {
            Some(rule) => Err(rule),
            None => Ok(tunnels.open(&host, port).map_err(GuardRefusal::Proxy)?),
        };
        Ok((host, port, asker, leads))
    });
    let peer = socket.peer_addr()?;
    let mut plain = Stream::new(Carrier::Plain(socket), bytes.freeze(), settings.body_timeout);
    let refused = |stream, refusal| {
        let (way_in, refused) = (WayIn::Forward, Some(refusal));
        Ok(Opened { stream, http2: false, tls: None, way_in, asker: None, refused })
    };
    match asked {
        Ok((host, port, asker, Ok(config))) => {
            let opened = handshake(plain, (host, port), config, settings).await?;
            Ok(Opened { asker, ..opened })
        }
        Ok((host, port, asker, Err(rule))) => {
            let passage = Passage { host: host.clone(), port, rule, peer, asker, way: "connect" };
            let passed = match tunnels.pass(passage).await {
                Ok(passed) => passed,
                Err(refusal) => return refused(plain, GuardRefusal::Proxy(refusal)),
            };
            plain.write_all(ESTABLISHED).await?;
            plain.flush().await?;
            Err(passing(plain, passed, &host).await)
        }
        Err(refusal) => refused(plain, refusal),
    }
}

/// Looks at the first message in a tunnel that stands, before any of it is passed on.
async fn passing(mut client: Stream, passed: Passed, host: &str) -> Unopened {
    let (hello, name) = match hello(&mut client).await {
        Ok(said) => said,
        Err(error) => {
            let _sealed = passed.tunnel.end("no_handshake");
            return error.into();
        }
    };
    if let Err(refusal) = agrees(host, name.as_deref()) {
        let _sealed = passed.tunnel.end(refusal.reason_code());
        return Unopened::Refused(GuardRefusal::Proxy(refusal));
    }
    Unopened::Passed(Box::new(Passing { client, hello, passed }))
}

/// Bytes that are not TLS end the connection, and so does another name than the one that was asked for.
async fn handshake(
    mut plain: Stream,
    (host, port): (String, u16),
    config: Arc<ServerConfig>,
    settings: &ListenSettings,
) -> io::Result<Opened> {
    plain.write_all(ESTABLISHED).await?;
    plain.flush().await?;
    let start = LazyConfigAcceptor::new(Acceptor::default(), plain).await?;
    if start.client_hello().server_name().is_some_and(|name| !name.eq_ignore_ascii_case(&host)) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // As `Host` has it.
    let named = if host.contains(':') { format!("[{host}]") } else { host };
    shaken(start, config, WayIn::Tunnel(named.into(), port), settings).await
}

/// Ends a handshake whose first message was looked at.
pub(super) async fn shaken(
    start: StartHandshake<Stream>,
    config: Arc<ServerConfig>,
    way_in: WayIn,
    settings: &ListenSettings,
) -> io::Result<Opened> {
    let server_name = start.client_hello().server_name().map(str::to_owned);
    let stream = start.into_stream(config).await?;
    let (_, session) = stream.get_ref();
    let (http2, client) = (session.alpn_protocol() == Some(b"h2"), client_of(session));
    Ok(Opened {
        stream: Stream::new(Carrier::Tls(Box::new(stream)), Bytes::new(), settings.body_timeout),
        http2,
        tls: Some(Arc::new(TlsInfo { server_name, http2, client })),
        way_in,
        asker: None,
        refused: None,
    })
}
