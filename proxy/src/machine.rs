//! This machine's addresses, as they are when somebody asks: interfaces come and go while we run.
//!
//! Leaves out names, which are looked up where they are used.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

/// Whether an address is one of this machine's. Where that cannot be told it is taken for one: nothing is to be sent there
/// by mistake.
#[must_use]
pub fn has(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let known = |all: Vec<if_addrs::Interface>| all.iter().any(|one| one.ip().to_canonical() == address);
    address.is_loopback() || address.is_unspecified() || if_addrs::get_if_addrs().map_or(true, known)
}

/// Whether whoever connects to an address comes to one of these listeners. One that listens everywhere is at every address
/// of this machine, of either kind.
#[must_use]
pub fn is_ours(listeners: &[SocketAddr], address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    listeners.iter().any(|own| {
        own.port() == address.port()
            && (own.ip().to_canonical() == ip || (own.ip().is_unspecified() && has(ip)))
    })
}

/// Makes connections, but none to our own listeners, whatever name led there.
#[derive(Debug, Clone)]
pub struct Elsewhere<C> {
    /// What connects.
    pub direct: C,
    /// Our own listeners.
    pub own: Arc<[SocketAddr]>,
}

/// What keeps a connection from being made.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl<C> Service<Uri> for Elsewhere<C>
where
    C: Service<Uri, Response = TokioIo<TcpStream>>,
    C::Error: Into<Failure>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, own) = (self.direct.call(to), Arc::clone(&self.own));
        Box::pin(async move {
            let stream = connecting.await.map_err(Into::into)?;
            // Only now is it known which of its addresses a name stands for here. Nothing was sent yet.
            let there = stream.inner().peer_addr()?;
            if is_ours(&own, there) {
                return Err(format!("`{there}` is this gate itself, which is never an upstream").into());
            }
            Ok(stream)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_listens_everywhere_is_at_every_address_of_this_machine() {
        let all: Vec<IpAddr> =
            if_addrs::get_if_addrs().unwrap().iter().map(if_addrs::Interface::ip).collect();
        assert!(all.iter().any(IpAddr::is_loopback), "{all:?}");
        for everywhere in ["0.0.0.0:7070", "[::]:7070"] {
            let own = [at("127.0.0.1:9"), at(everywhere)];
            for ip in &all {
                assert!(is_ours(&own, SocketAddr::new(*ip, 7070)), "{everywhere} {ip}");
                assert!(!is_ours(&own, SocketAddr::new(*ip, 7071)), "{everywhere} {ip}");
            }
            assert!(is_ours(&own, at("[::ffff:127.0.0.1]:7070")) && is_ours(&own, at("127.0.0.8:7070")));
            assert!(!is_ours(&own, at("203.0.113.7:7070")) && !is_ours(&own, at("[2001:db8::7]:7070")));
        }
        let own = [at("127.0.0.1:7070")];
        assert!(is_ours(&own, at("127.0.0.1:7070")) && is_ours(&own, at("[::ffff:127.0.0.1]:7070")));
        for ip in all.iter().filter(|ip| !ip.is_loopback()) {
            assert!(!is_ours(&own, SocketAddr::new(*ip, 7070)), "{ip}");
        }
    }
}
