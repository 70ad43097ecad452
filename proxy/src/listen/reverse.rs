//! The reverse way in: actors point their clients at an address of ours.
//!
//! Shakes hands, and tells HTTP/2 from HTTP/1.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::stream::{Carrier, Opened, Stream};
use super::{ListenSettings, Tls, TlsInfo, WayIn};

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Finds out what a connection speaks.
pub(super) async fn open(socket: TcpStream, settings: &ListenSettings) -> io::Result<Opened> {
    match settings.tls.as_ref() {
        Some(tls) => handshake(tls, socket, settings).await,
        None => preface(socket, BytesMut::with_capacity(PREFACE.len()), WayIn::Reverse, settings).await,
    }
}

async fn handshake(tls: &Tls, socket: TcpStream, settings: &ListenSettings) -> io::Result<Opened> {
    let plain = Stream::new(Carrier::Plain(socket), Bytes::new(), settings.body_timeout);
    let stream = tls.acceptor().accept(plain).await?;
    let (_, session) = stream.get_ref();
    let http2 = session.alpn_protocol() == Some(b"h2");
    let info = TlsInfo { server_name: session.server_name().map(str::to_owned), http2 };
    Ok(Opened {
        stream: Stream::new(Carrier::Tls(Box::new(stream)), Bytes::new(), settings.body_timeout),
        http2,
        tls: Some(Arc::new(info)),
        way_in: WayIn::Reverse,
        refused: None,
    })
}

/// Reads until the bytes differ from the preface of HTTP/2, mostly at the first, or are it.
/// `ahead` was read already.
pub(super) async fn preface(
    mut socket: TcpStream,
    mut ahead: BytesMut,
    way_in: WayIn,
    settings: &ListenSettings,
) -> io::Result<Opened> {
    while ahead.len() < PREFACE.len() && PREFACE.starts_with(&ahead) {
        let left = PREFACE.len() - ahead.len();
        let read = (&mut socket).take(u64::try_from(left).unwrap_or(0)).read_buf(&mut ahead).await?;
        if read == 0 {
            break;
        }
    }
    let http2 = ahead.starts_with(PREFACE);
    let stream = Stream::new(Carrier::Plain(socket), ahead.freeze(), settings.body_timeout);
    Ok(Opened { stream, http2, tls: None, way_in, refused: None })
}
