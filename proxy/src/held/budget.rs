//! How many bytes of bodies may be in memory at once: those of callers who proved who they are, and, in a
//! small pool of their own, those who did not yet.
//!
//! Who has not proved who they are has an address all the same, and one address never has all of that pool.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A body of at most this length is not counted against its peer: there are more of them than all others,
/// and the cap on connections bounds what one peer can hold in them.
const UNCOUNTED_MAX: u64 = 8 * 1024;

/// The two pools of held bytes.
#[derive(Debug, Clone)]
pub struct Budget {
    proven: Arc<Pool>,
    unproven: Arc<Pool>,
    peers: Arc<Peers>,
}

impl Budget {
    /// Pools of so many bytes after and before proof. One peer may have half of the second.
    #[must_use]
    pub fn new(proven: u64, unproven: u64) -> Self {
        let peers = Arc::new(Peers { each: unproven.div_ceil(2).into(), held: Mutex::default() });
        Self { proven: Pool::new(proven), unproven: Pool::new(unproven), peers }
    }

    /// Sets the sizes of the pools from now on. What is held stays held.
    pub fn resize(&self, proven: u64, unproven: u64) {
        self.proven.size.store(proven, Ordering::Relaxed);
        self.unproven.size.store(unproven, Ordering::Relaxed);
        self.peers.each.store(unproven.div_ceil(2), Ordering::Relaxed);
    }

    /// Bytes held for callers who proved who they are.
    #[must_use]
    pub fn proven_in_use(&self) -> u64 {
        self.proven.used.load(Ordering::Acquire)
    }

    /// Bytes held for callers who did not yet.
    #[must_use]
    pub fn unproven_in_use(&self) -> u64 {
        self.unproven.used.load(Ordering::Acquire)
    }

    /// A share of the pool before proof, empty at first.
    pub(super) fn unproven_share(&self, peer: Option<IpAddr>) -> Share {
        let peer = peer.map(|peer| PeerShare { peers: Arc::clone(&self.peers), peer, bytes: 0 });
        Share { pool: Arc::clone(&self.unproven), bytes: 0, peer }
    }

    /// Moves a share to the pool after proof, when there is room.
    pub(super) fn prove(&self, share: &mut Share) -> Result<(), Exhausted> {
        if Arc::ptr_eq(&share.pool, &self.proven) {
            return Ok(());
        }
        let mut proven = Share { pool: Arc::clone(&self.proven), bytes: 0, peer: None };
        proven.grow_to(share.bytes)?;
        *share = proven;
        Ok(())
    }
}

#[derive(Debug)]
struct Pool {
    size: AtomicU64,
    used: AtomicU64,
}

impl Pool {
    fn new(size: u64) -> Arc<Self> {
        Arc::new(Self { size: size.into(), used: AtomicU64::new(0) })
    }
}

/// What each peer holds before it proved who it is.
#[derive(Debug)]
struct Peers {
    each: AtomicU64,
    held: Mutex<HashMap<IpAddr, u64>>,
}

impl Peers {
    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, u64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one body takes of its peer's half.
#[derive(Debug)]
struct PeerShare {
    peers: Arc<Peers>,
    peer: IpAddr,
    bytes: u64,
}

impl PeerShare {
    fn grow_to(&mut self, bytes: u64) -> Result<(), Exhausted> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return Ok(()) };
        let each = self.peers.each.load(Ordering::Relaxed);
        let mut held = self.peers.held();
        let all = held.entry(self.peer).or_default();
        let sum = all.checked_add(more).filter(|sum| *sum <= each);
        let Some(sum) = sum else {
            if *all == 0 {
                held.remove(&self.peer);
            }
            return Err(Exhausted);
        };
        *all = sum;
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for PeerShare {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.peers.held();
        if let Some(all) = held.get_mut(&self.peer) {
            *all = all.saturating_sub(self.bytes);
            if *all == 0 {
                held.remove(&self.peer);
            }
        }
    }
}

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Part of a pool, given back when dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Share {
    pool: Arc<Pool>,
    bytes: u64,
    peer: Option<PeerShare>,
}

impl Share {
    /// Makes the share at least so large.
    pub(super) fn grow_to(&mut self, bytes: u64) -> Result<(), Exhausted> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return Ok(()) };
        if let Some(peer) = self.peer.as_mut().filter(|_| bytes > UNCOUNTED_MAX) {
            peer.grow_to(bytes)?;
        }
        let size = self.pool.size.load(Ordering::Relaxed);
        self.pool
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(more).filter(|sum| *sum <= size)
            })
            .map_err(|_| Exhausted)?;
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_moves_once_it_is_proven_and_comes_back_when_dropped() {
        let budget = Budget::new(100, 50);
        let mut share = budget.unproven_share(None);
        share.grow_to(40).unwrap();
        assert_eq!((budget.proven_in_use(), budget.unproven_in_use()), (0, 40));
        budget.prove(&mut share).unwrap();
        assert_eq!((budget.proven_in_use(), budget.unproven_in_use()), (40, 0));
        budget.prove(&mut share).unwrap();
        assert_eq!(budget.proven_in_use(), 40, "what is proven is not counted twice");
        drop(share);
        assert_eq!((budget.proven_in_use(), budget.unproven_in_use()), (0, 0));
    }

    #[test]
    fn a_pool_is_never_overdrawn() {
        let budget = Budget::new(30, 50);
        let mut first = budget.unproven_share(None);
        let mut second = budget.unproven_share(None);
        first.grow_to(40).unwrap();
        assert_eq!(second.grow_to(11), Err(Exhausted));
        assert_eq!(second.grow_to(u64::MAX), Err(Exhausted));
        second.grow_to(10).unwrap();
        assert_eq!(budget.prove(&mut first), Err(Exhausted), "the pool after proof is smaller");
        assert_eq!(
            (budget.proven_in_use(), budget.unproven_in_use()),
            (0, 50),
            "a refused move moves nothing"
        );
    }

    #[test]
    fn one_peer_has_half_of_what_is_held_before_proof() {
        const KIB: u64 = 1024;
        let budget = Budget::new(200 * KIB, 100 * KIB);
        let peer = |text: &str| Some(text.parse().unwrap());
        let mut first = budget.unproven_share(peer("10.0.0.1"));
        first.grow_to(40 * KIB).unwrap();
        let mut second = budget.unproven_share(peer("10.0.0.1"));
        assert_eq!(second.grow_to(11 * KIB), Err(Exhausted));
        second.grow_to(8 * KIB).unwrap();
        let mut other = budget.unproven_share(peer("10.0.0.2"));
        other.grow_to(50 * KIB).unwrap();
        budget.prove(&mut first).unwrap();
        second.grow_to(50 * KIB).unwrap();
        drop((first, second, other));
        assert_eq!((budget.proven_in_use(), budget.unproven_in_use()), (0, 0));
        assert!(budget.peers.held().is_empty(), "nothing is remembered of peers that left");
    }
}
