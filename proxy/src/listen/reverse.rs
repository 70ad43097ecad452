//! The reverse way in: actors point their clients at an address of ours.
//!
//! Shakes hands, and tells HTTP/2 from HTTP/1.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rustls::server::{Acceptor, ServerConnection};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use super::egress::{Tunnels, shaken};
use super::stream::{Carrier, Opened, Stream};
use super::{ListenSettings, Tls, TlsInfo, WayIn};

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What TLS begins with: a record of the handshake (RFC 8446 section 5.1).
pub(super) const HANDSHAKE: u8 = 22;

/// Finds out what a connection speaks.
pub(super) async fn open(
    mut socket: TcpStream,
    settings: &ListenSettings,
    own: Option<&dyn Tunnels>,
) -> io::Result<Opened> {
    if let Some(tls) = &settings.tls {
        return handshake(tls, socket, settings).await;
    }
    let mut ahead = BytesMut::with_capacity(PREFACE.len());
    if let Some(own) = own {
        let _ended = (&mut socket).take(1).read_buf(&mut ahead).await?;
        if ahead.first() == Some(&HANDSHAKE) {
            return own_handshake(own, socket, ahead, settings).await;
        }
    }
    preface(socket, ahead, WayIn::Reverse, settings).await
}

/// Shakes hands under a certificate of our own authority, for the name or the address that we were reached by.
async fn own_handshake(
    own: &dyn Tunnels,
    socket: TcpStream,
    ahead: BytesMut,
    settings: &ListenSettings,
) -> io::Result<Opened> {
    let local = socket.local_addr()?;
    let plain = Stream::new(Carrier::Plain(socket), ahead.freeze(), settings.body_timeout);
    let start = LazyConfigAcceptor::new(Acceptor::default(), plain).await?;
    let config = own.open_own(start.client_hello().server_name(), local);
    let mut config = config.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    if let Some(clients) = &settings.clients {
        let asking = clients.asking(&config).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        config = Arc::new(asking);
    }
    shaken(start, config, WayIn::Reverse, settings).await
}

async fn handshake(tls: &Tls, socket: TcpStream, settings: &ListenSettings) -> io::Result<Opened> {
    let plain = Stream::new(Carrier::Plain(socket), Bytes::new(), settings.body_timeout);
    let stream = tls.acceptor().accept(plain).await?;
    let (_, session) = stream.get_ref();
    let http2 = session.alpn_protocol() == Some(b"h2");
    let server_name = session.server_name().map(str::to_owned);
    let info = TlsInfo { server_name, http2, client: client_of(session) };
    Ok(Opened {
        stream: Stream::new(Carrier::Tls(Box::new(stream)), Bytes::new(), settings.body_timeout),
        http2,
        tls: Some(Arc::new(info)),
        way_in: WayIn::Reverse,
        asker: None,
        refused: None,
    })
}

/// The certificate that a client showed. It was verified in the handshake.
pub(super) fn client_of(session: &ServerConnection) -> Option<Arc<[u8]>> {
    session.peer_certificates()?.first().map(|leaf| Arc::from(leaf.as_ref()))
}

/// Finds out what is spoken on plain text. `ahead` was read already.
pub(super) async fn preface(
    mut socket: TcpStream,
    mut ahead: BytesMut,
    way_in: WayIn,
    settings: &ListenSettings,
) -> io::Result<Opened> {
    let http2 = speaks_http2(&mut socket, &mut ahead).await?;
    let stream = Stream::new(Carrier::Plain(socket), ahead.freeze(), settings.body_timeout);
    Ok(Opened { stream, http2, tls: None, way_in, asker: None, refused: None })
}

/// Reads until the bytes differ from the preface of HTTP/2, mostly at the first, or are it; says whether they are.
pub(super) async fn speaks_http2(
    socket: &mut (impl AsyncRead + Unpin),
    ahead: &mut BytesMut,
) -> io::Result<bool> {
    while ahead.len() < PREFACE.len() && PREFACE.starts_with(ahead) {
        let left = PREFACE.len() - ahead.len();
        let read = (&mut *socket).take(u64::try_from(left).unwrap_or(0)).read_buf(ahead).await?;
        if read == 0 {
            break;
        }
    }
    Ok(ahead.starts_with(PREFACE))
}
