//! How many connections there are, in all and from one peer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The seats of a listener.
#[derive(Debug)]
pub(super) struct Peers {
    all: AtomicUsize,
    each: AtomicUsize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// One connection's seat, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Peers {
    pub(super) fn new(all: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { all: all.into(), each: each.into(), taken: Mutex::default() })
    }

    /// Sets how many there are from now on. Who has a seat keeps it.
    pub(super) fn resize(&self, all: usize, each: usize) {
        self.all.store(all, Ordering::Relaxed);
        self.each.store(each, Ordering::Relaxed);
    }

    /// A seat for one more connection, unless all are taken.
    pub(super) fn seat(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let peer = one_peer(address);
        let mut taken = self.taken();
        let mine = taken.by_peer.get(&peer).copied().unwrap_or(0);
        let (all, each) = (self.all.load(Ordering::Relaxed), self.each.load(Ordering::Relaxed));
        if taken.all >= all || mine >= each {
            return None;
        }
        taken.all += 1;
        taken.by_peer.insert(peer, mine + 1);
        Some(Seat { peers: Arc::clone(self), peer })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.peers.taken();
        taken.all = taken.all.saturating_sub(1);
        if let Some(mine) = taken.by_peer.get_mut(&self.peer) {
            *mine = mine.saturating_sub(1);
            if *mine == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

/// Whoever has one address of an IPv6 network has all of it.
pub(super) fn one_peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_peer_has_its_share_and_no_more() {
        let peers = Peers::new(3, 2);
        let first = peers.seat(peer("10.0.0.1")).unwrap();
        let _second = peers.seat(peer("::ffff:10.0.0.1")).unwrap();
        assert!(peers.seat(peer("10.0.0.1")).is_none(), "the same address written as IPv6 is the same peer");
        let _other = peers.seat(peer("10.0.0.2")).unwrap();
        assert!(peers.seat(peer("10.0.0.3")).is_none(), "all seats are taken");
        drop(first);
        assert!(peers.seat(peer("10.0.0.1")).is_some(), "a seat is given back");
    }

    #[test]
    fn an_ipv6_network_is_one_peer() {
        let peers = Peers::new(9, 1);
        let _seat = peers.seat(peer("2001:db8::1")).unwrap();
        assert!(peers.seat(peer("2001:db8::ffff:2")).is_none());
        assert!(peers.seat(peer("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_peers_that_left() {
        let peers = Peers::new(9, 9);
        drop(peers.seat(peer("10.0.0.1")));
        assert!(peers.taken().by_peer.is_empty());
    }
}
