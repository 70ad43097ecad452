//! Tunnels to hosts that are let through: looked up, recorded, and only then connected, to the address that was looked
//! at.
//!
//! Leaves out passing bytes on (`listen`), and which hosts those are (configuration).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use ordain_evidence::{Ledger, Opening};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use uuid::Uuid;

use crate::chain::Outlet;
use crate::forward::is_forbidden;
use crate::listen::{Passage, Passed, ProxyRefusal};

/// How long one address may take to answer: there may be others.
const CONNECT: Duration = Duration::from_secs(4);

/// What tunnels are passed on with.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) ledger: Ledger,
    pub(super) own: Vec<SocketAddr>,
    pub(super) outlet: Outlet,
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
            Ok(upstream) => Ok(Passed { upstream, tunnel }),
            Err(why) => {
                let _sealed = tunnel.end("unreached");
                Err(ProxyRefusal::Unreached(asked.host, why))
            }
        }
    }

    /// The addresses of a name. One that is nobody's to reach from here spoils all: it is a trap as likely as a mistake.
    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ProxyRefusal> {
        let found = lookup_host((host, port)).await;
        let found = found.map_err(|error| ProxyRefusal::Unreached(host.to_owned(), error.to_string()))?;
        let all: Vec<SocketAddr> = found.collect();
        let inside = |address: &SocketAddr| is_inside(address.ip()) || self.own.contains(address);
        match all.iter().find(|address| inside(address)) {
            Some(_) => Err(ProxyRefusal::Inside(host.to_owned())),
            None => Ok(all),
        }
    }
}

/// This machine's own addresses and those that are never an upstream.
fn is_inside(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || is_forbidden(address)
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
        for address in ["192.0.2.1", "10.0.0.1", "2001:db8::1"] {
            assert!(!is_inside(address.parse().unwrap()), "{address}");
        }
    }
}
