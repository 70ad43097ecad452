//! The transparent way in: connections that were on their way to a control plane, and that the system sends on to us.
//!
//! Where one was to go is known by its name in the TLS handshake, by `host` on plain text, or by the address it was
//! made to; each must be a control plane's, and those that are given must agree. What was made to us ourselves was on
//! its way nowhere and is refused, or we would be asked for what we ask for. Leaves out the rules that send connections
//! on (`deploy/transparent`), which hosts are a control plane's, and the certificates.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use ordain_decode::form::http1::{ProxyRefusal, is_host, is_method};
use rustls::server::Acceptor;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;

use super::egress::{Passage, Tunnels, shaken};
use super::reverse::{HANDSHAKE, preface};
use super::stream::{Carrier, Opened, Stream, Unopened};
use super::tunnel::{Passing, hello};
use super::{GuardRefusal, ListenSettings, WayIn};
use crate::machine::is_ours;

/// A record of TLS that ends a handshake: fatal, and the name is not known here. It says as much as a refusal can.
const UNRECOGNIZED_NAME: &[u8] = &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 112];

/// The longest word that may be a method.
const METHOD_MAX: usize = 8;

/// What HTTP/2 begins with, up to the first blank.
const PREFACE_METHOD: &[u8] = b"PRI";

/// The ports that control planes are served on, in plain text and under TLS.
const PORTS: [u16; 2] = [80, 443];

/// How long the kernel's list of connections that nobody has accepted yet may be.
const BACKLOG: i32 = 1_024;

/// How the system sends connections on to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirection {
    /// It writes our address over theirs (REDIRECT), and remembers theirs.
    Rewritten,
    /// It hands them to us under the address they were made to (TPROXY).
    Kept,
}

/// A listener that connections are sent on to.
#[derive(Debug)]
pub struct Redirected {
    /// Which hosts are a control plane's.
    pub tunnels: Arc<dyn Tunnels>,
    /// Where it listens itself.
    pub own: SocketAddr,
    /// How connections come to it.
    pub by: Redirection,
}

impl Redirected {
    /// Listens on an address.
    ///
    /// # Errors
    /// What the system says: under [`Redirection::Kept`] it asks for a capability that a program has not by itself.
    pub fn bind(address: SocketAddr, by: Redirection) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        match (by, address) {
            (Redirection::Rewritten, _) => {}
            (Redirection::Kept, SocketAddr::V4(_)) => socket.set_ip_transparent_v4(true)?,
            (Redirection::Kept, SocketAddr::V6(_)) => socket.set_ip_transparent_v6(true)?,
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    }

    /// Where a connection was to go; `None` where that was to us.
    fn destination(&self, socket: &TcpStream) -> Option<SocketAddr> {
        let local = canonical(socket.local_addr().ok()?);
        let destination = match self.by {
            Redirection::Rewritten => original(socket, local)?,
            Redirection::Kept => local,
        };
        let ours = is_ours(&[self.own], destination)
            || (self.by == Redirection::Rewritten && destination == local)
            || !PORTS.contains(&destination.port());
        (!ours).then_some(destination)
    }
}

/// What the system remembers of a connection whose address it wrote over.
fn original(socket: &TcpStream, local: SocketAddr) -> Option<SocketAddr> {
    let socket = SockRef::from(socket);
    let remembered = match local {
        SocketAddr::V4(_) => socket.original_dst_v4(),
        SocketAddr::V6(_) => socket.original_dst_v6(),
    };
    remembered.ok()?.as_socket().map(canonical)
}

/// An IPv4 address is one, however a socket of both families writes it.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Finds out where a connection was to go and what it speaks.
pub(super) async fn open(
    mut socket: TcpStream,
    settings: &ListenSettings,
    redirected: &Redirected,
) -> Result<Opened, Unopened> {
    let refused = |refusal| Unopened::Refused(GuardRefusal::Proxy(refusal));
    let destination = redirected.destination(&socket).ok_or_else(|| refused(ProxyRefusal::NotRedirected))?;
    let peer = socket.peer_addr()?;
    let mut bytes = BytesMut::with_capacity(1_024);
    loop {
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if bytes.first() == Some(&HANDSHAKE) {
            let plain = Stream::new(Carrier::Plain(socket), bytes.freeze(), settings.body_timeout);
            return handshake(plain, (peer, destination), settings, &*redirected.tunnels).await;
        }
        match speaks_http(&bytes) {
            Some(true) => break,
            Some(false) => return Err(refused(ProxyRefusal::OtherProtocol)),
            None => {}
        }
    }
    let by_address = redirected.tunnels.is_upstream(destination).then(|| spelled(destination).into());
    Ok(preface(socket, bytes, WayIn::Transparent(by_address), settings).await?)
}

/// Whether it begins as HTTP does; `None` where more has to be seen.
fn speaks_http(bytes: &[u8]) -> Option<bool> {
    match bytes.iter().take(METHOD_MAX).position(|byte| *byte == b' ') {
        Some(end) => {
            let word = bytes.get(..end).unwrap_or_default();
            Some(is_method(word) || word == PREFACE_METHOD)
        }
        None if bytes.len() < METHOD_MAX && bytes.iter().all(u8::is_ascii_uppercase) => None,
        None => Some(false),
    }
}

/// The name in the handshake says where to, and where there is none the address does, if it is a configured one.
async fn handshake(
    mut plain: Stream,
    (peer, destination): (SocketAddr, SocketAddr),
    settings: &ListenSettings,
    tunnels: &dyn Tunnels,
) -> Result<Opened, Unopened> {
    let (said, name) = hello(&mut plain).await?;
    let port = destination.port();
    let rule = name.as_deref().and_then(|name| tunnels.passes(name, port));
    if let (Some(host), Some(rule)) = (&name, rule) {
        // Nobody can say who asks here, so that where it has to be said nothing is let through.
        let asked = match tunnels.asker(None) {
            Ok(asker) => {
                let passage = Passage { host: host.clone(), port, rule, peer, asker, way: "transparent" };
                tunnels.pass(passage).await
            }
            Err(refusal) => Err(refusal),
        };
        return match asked {
            Ok(passed) => Err(Unopened::Passed(Box::new(Passing { client: plain, hello: said, passed }))),
            Err(refusal) => Err(refuse(plain, refusal).await),
        };
    }
    let asked = match name {
        Some(name) if !is_host(name.as_bytes()) => Err(ProxyRefusal::HostUnknown(name)),
        Some(name) => tunnels.open(&name, port).map(|config| (name, config)),
        None if tunnels.is_upstream(destination) => {
            tunnels.open_at(destination).map(|config| (spelled(destination), config))
        }
        None => Err(ProxyRefusal::NoServerName),
    };
    match asked {
        Ok((host, config)) => {
            plain.put_back(said);
            let start = LazyConfigAcceptor::new(Acceptor::default(), plain).await?;
            Ok(shaken(start, config, WayIn::Transparent(Some(host.into())), settings).await?)
        }
        Err(refusal) => Err(refuse(plain, refusal).await),
    }
}

/// Ends a handshake that leads nowhere.
async fn refuse(mut plain: Stream, refusal: ProxyRefusal) -> Unopened {
    // Whether or not it is heard: the connection ends here.
    let _said = plain.write_all(UNRECOGNIZED_NAME).await;
    let _said = plain.shutdown().await;
    Unopened::Refused(GuardRefusal::Proxy(refusal))
}

/// An address as `host` has it.
fn spelled(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_told_by_its_first_bytes() {
        for (bytes, expected) in [
            ("GET / HTTP/1.1", Some(true)),
            ("OPTIONS / HTTP/1.1", Some(true)),
            ("PRI * HTTP/2.0", Some(true)),
            ("PO", None),
            ("OPTIONS", None),
            ("CONNECT a.example:443 HTTP/1.1", Some(false)),
            ("SSH-2.0-OpenSSH", Some(false)),
            ("get / HTTP/1.1", Some(false)),
            ("EHLO mail.example", Some(false)),
            (" ", Some(false)),
            ("\0\0\0\0", Some(false)),
            ("LONGERTHANANY", Some(false)),
        ] {
            assert_eq!(speaks_http(bytes.as_bytes()), expected, "{bytes}");
        }
    }
}
