//! How many bytes of bodies may be in memory at once: those of callers who proved who they are, and, in a
//! small pool of their own, those who did not yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The two pools of held bytes.
#[derive(Debug, Clone)]
pub struct Budget {
    proven: Arc<Pool>,
    unproven: Arc<Pool>,
}

impl Budget {
    /// Pools of so many bytes after and before proof.
    #[must_use]
    pub fn new(proven: u64, unproven: u64) -> Self {
        Self { proven: Pool::new(proven), unproven: Pool::new(unproven) }
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
    pub(super) fn unproven_share(&self) -> Share {
        Share { pool: Arc::clone(&self.unproven), bytes: 0 }
    }

    /// Moves a share to the pool after proof, when there is room.
    pub(super) fn prove(&self, share: &mut Share) -> Result<(), Exhausted> {
        if Arc::ptr_eq(&share.pool, &self.proven) {
            return Ok(());
        }
        let mut proven = Share { pool: Arc::clone(&self.proven), bytes: 0 };
        proven.grow_to(share.bytes)?;
        *share = proven;
        Ok(())
    }
}

#[derive(Debug)]
struct Pool {
    size: u64,
    used: AtomicU64,
}

impl Pool {
    fn new(size: u64) -> Arc<Self> {
        Arc::new(Self { size, used: AtomicU64::new(0) })
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
}

impl Share {
    /// Makes the share at least so large.
    pub(super) fn grow_to(&mut self, bytes: u64) -> Result<(), Exhausted> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return Ok(()) };
        let size = self.pool.size;
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
        let mut share = budget.unproven_share();
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
        let mut first = budget.unproven_share();
        let mut second = budget.unproven_share();
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
}
