//! How often somebody may try to log in, and how failures are told of.
//!
//! Keyed by what was presented, whether anybody knows it or not. Leaves out how a login is held against what is kept.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use ordain_action::Digest;

/// After so many that tried, those are forgotten who have not for long.
const TIDY: u64 = 1_024;

/// Failures after so long without one are another burst.
const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// What one peer may try of one name: a few at once, then one a minute.
const OF_BOTH: (NonZeroU32, Duration) = (NonZeroU32::new(5).expect("not zero"), Duration::from_secs(60));

/// What one peer may try of all names.
const OF_PEER: (NonZeroU32, Duration) = (NonZeroU32::new(30).expect("not zero"), Duration::from_secs(6));

/// What all peers may try of one name. One peer alone does not use it up; whoever shares an address with a person can keep
/// them out by the quota of both, and so can a few peers together.
const OF_NAME: (NonZeroU32, Duration) = (NonZeroU32::new(20).expect("not zero"), Duration::from_secs(20));

/// How often somebody may try.
#[derive(Debug)]
pub(super) struct Attempts {
    both: DefaultKeyedRateLimiter<(IpAddr, Digest)>,
    peers: DefaultKeyedRateLimiter<IpAddr>,
    names: DefaultKeyedRateLimiter<Digest>,
    tried: AtomicU64,
    failed: Mutex<Option<Burst>>,
}

/// Failures without a longer pause between them.
#[derive(Debug, Clone, Copy)]
struct Burst {
    count: u64,
    last: Timestamp,
}

impl Attempts {
    pub(super) fn new() -> Self {
        let quota = |(burst, each): (NonZeroU32, Duration)| {
            Quota::with_period(each).unwrap_or_else(|| Quota::per_minute(burst)).allow_burst(burst)
        };
        Self {
            both: RateLimiter::keyed(quota(OF_BOTH)),
            peers: RateLimiter::keyed(quota(OF_PEER)),
            names: RateLimiter::keyed(quota(OF_NAME)),
            tried: AtomicU64::new(0),
            failed: Mutex::default(),
        }
    }

    /// Whether one more may be tried, which it is with this.
    pub(super) fn may(&self, peer: IpAddr, name: Option<&str>) -> bool {
        if self.tried.fetch_add(1, Ordering::Relaxed) % TIDY == TIDY - 1 {
            self.both.retain_recent();
            self.peers.retain_recent();
            self.names.retain_recent();
        }
        let peer = network(peer);
        if self.peers.check_key(&peer).is_err() {
            return false;
        }
        let Some(name) = name.map(|name| Digest::of(name.as_bytes())) else { return true };
        // In this order: what is refused of a peer takes nothing of the name's.
        self.both.check_key(&(peer, name)).is_ok() && self.names.check_key(&name).is_ok()
    }

    /// Counts a failure; how many there were in a row where that is worth a line: the first, the second, the fourth…
    pub(super) fn failed(&self, now: Timestamp) -> Option<u64> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let before =
            failed.filter(|burst| now.duration_since(burst.last) < QUIET).map_or(0, |burst| burst.count);
        let count = before.saturating_add(1);
        *failed = Some(Burst { count, last: now });
        count.is_power_of_two().then_some(count)
    }
}

/// What is one peer: of the addresses of version 6 everybody has a whole network.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(attempts: &Attempts, peer: &str, name: &str, times: usize) -> usize {
        (0..times).filter(|_| attempts.may(peer.parse().unwrap(), Some(name))).count()
    }

    #[test]
    fn a_peer_may_try_a_name_a_few_times_and_then_others() {
        let attempts = Attempts::new();
        assert_eq!(tried(&attempts, "192.0.2.1", "alice", 20), 5);
        assert_eq!(tried(&attempts, "192.0.2.1", "bob", 20), 5);
        assert_eq!(tried(&attempts, "192.0.2.2", "alice", 20), 5, "another peer is kept out");
        // What was refused counts for the peer as well.
        assert_eq!(tried(&attempts, "192.0.2.1", "carol", 20), 0);
    }

    #[test]
    fn many_peers_together_may_try_a_name_so_often() {
        let attempts = Attempts::new();
        let of = |peer: usize| tried(&attempts, &format!("192.0.2.{peer}"), "alice", 5);
        assert_eq!((0..10).map(of).sum::<usize>(), 20);
        assert_eq!(tried(&attempts, "192.0.2.99", "bob", 5), 5);
    }

    #[test]
    fn addresses_of_one_network_are_one_peer() {
        let attempts = Attempts::new();
        assert_eq!(tried(&attempts, "2001:db8::1", "alice", 5), 5);
        assert_eq!(tried(&attempts, "2001:db8::ffff", "alice", 5), 0);
        assert_eq!(tried(&attempts, "::ffff:192.0.2.1", "alice", 5), 5);
        assert_eq!(tried(&attempts, "192.0.2.1", "alice", 5), 0);
    }

    #[test]
    fn failures_in_a_row_are_told_of_ever_more_seldom() {
        let attempts = Attempts::new();
        let now: Timestamp = "2026-11-23T21:00:00Z".parse().unwrap();
        let told: Vec<u64> = (0..100).filter_map(|_| attempts.failed(now)).collect();
        assert_eq!(told, [1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(attempts.failed(now + QUIET), Some(1));
    }
}
