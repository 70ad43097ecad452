//! Tunnels to hosts that are let through: looked up, recorded, and only then connected, to the address that was looked
//! at.
//!
//! Leaves out passing bytes on (`listen`), and which hosts those are (configuration).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use ordain_evidence::{Ledger, Opening};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use uuid::Uuid;

use crate::chain::Outlet;
use crate::clock::Clock;
use crate::forward::is_forbidden;
use crate::keys::KeyStore;
use crate::listen::{Asker, Over, Passage, Passed, ProxyRefusal};
use crate::machine;
use crate::upstream::Upstreams;

/// How long one address may take to answer: there may be others.
const CONNECT: Duration = Duration::from_secs(4);

/// What tunnels are passed on with.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) ledger: Ledger,
    pub(super) outlet: Outlet,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) keys: Arc<KeyStore>,
    pub(super) clock: Clock,
}

impl Passing {
    /// Records a tunnel and connects it.
    pub(super) async fn open(&self, asked: Passage, now: Timestamp) -> Result<Passed, ProxyRefusal> {
        let through = self.outlet.proxy_for(&asked.host, asked.port);
        // Another proxy looks names up by itself, and often is the only one who can.
        let addresses = match through {
            Some(_) => Vec::new(),
            None => self.look_up(&asked.host, asked.port).await?,
        };
        let opening = Opening {
            id: Uuid::now_v7(),
            now,
            peer: asked.peer,
            actor: asked
                .asker
                .as_ref()
                .map(|asker| (asker.party.clone(), asker.id.clone(), asker.on_behalf_of.clone())),
            way: asked.way,
            host: asked.host.clone(),
            port: asked.port,
            rule: asked.rule,
            addresses: addresses.clone(),
            through: through.map(|proxy| proxy.to_string()),
        };
        // Before anything leaves, if only to say hello.
        let tunnel =
            self.ledger.tunnel(opening).await.map_err(|error| ProxyRefusal::Unrecorded(error.to_string()))?;
        let connected = match through {
            Some(_) => self.outlet.connect(&asked.host, asked.port).await,
            None => direct(&addresses).await,
        };
        match connected {
            Ok(upstream) => Ok(Passed { upstream, tunnel, over: self.over(asked.asker) }),
            Err(why) => {
                let _sealed = tunnel.end("unreached");
                Err(ProxyRefusal::Unreached(asked.host, why))
            }
        }
    }

    /// When a key that a tunnel was asked for with is in force no more; never where none was shown.
    fn over(&self, asker: Option<Arc<Asker>>) -> Over {
        let (keys, clock) = (Arc::clone(&self.keys), self.clock.clone());
        Over(Box::pin(async move {
            match asker {
                Some(asker) => keys.until_ended(&asker.id, &clock).await,
                None => std::future::pending().await,
            }
        }))
    }

    /// The addresses of a name. One that is nobody's to reach from here spoils all: it is a trap as likely as a mistake.
    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ProxyRefusal> {
        let unreached = |why: String| ProxyRefusal::Unreached(host.to_owned(), why);
        let found = lookup_host((host, port)).await.map_err(|error| unreached(error.to_string()))?;
        let all: Vec<SocketAddr> = found.collect();
        let upstreams = self.upstream_addresses().await.map_err(unreached)?;
        let inside =
            |address: &SocketAddr| is_inside(address.ip()) || upstreams.contains(&canonical(*address));
        match all.iter().find(|address| inside(address)) {
            Some(_) => Err(ProxyRefusal::Inside(host.to_owned())),
            None => Ok(all),
        }
    }

    /// Where the upstreams are now that are judged and reached at an address of their own: another name for one would be
    /// a way to it that is not judged. Those behind another proxy are not ours to look up.
    async fn upstream_addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let bases = self.upstreams.bases()?;
        let looked_up = bases.iter().filter_map(|(name, base)| {
            let host = base.host()?.trim_matches(['[', ']']);
            let port = base.port_u16().unwrap_or(if base.scheme_str() == Some("http") { 80 } else { 443 });
            self.outlet.proxy_for(host, port).is_none().then_some(async move {
                let found = lookup_host((host, port)).await;
                let found =
                    found.map_err(|error| format!("the upstream `{name}` cannot be looked up: {error}"))?;
                Ok::<_, String>(found.map(canonical).collect::<Vec<_>>())
            })
        });
        Ok(try_join_all(looked_up).await?.concat())
    }
}

/// An address as it is connected to: `::ffff:192.0.2.1` is 192.0.2.1.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// This machine's own addresses and those that are never an upstream.
fn is_inside(address: IpAddr) -> bool {
    let address = address.to_canonical();
    machine::has(address) || is_forbidden(address)
}

/// Connects to the first that answers.
async fn direct(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut why = "its name stands for no address".to_owned();
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _best_effort = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => why = error.to_string(),
            Err(_late) => why = format!("`{address}` did not answer in time"),
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tunnel_leads_to_this_machine_or_to_metadata() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "fd00:ec2::254",
            "0.0.0.0",
        ] {
            assert!(is_inside(address.parse().unwrap()), "{address}");
        }
        for own in if_addrs::get_if_addrs().unwrap() {
            assert!(is_inside(own.ip()), "{}", own.ip());
        }
        for address in ["203.0.113.7", "198.51.100.1", "2001:db8::1"] {
            assert!(!is_inside(address.parse().unwrap()), "{address}");
        }
    }
}
