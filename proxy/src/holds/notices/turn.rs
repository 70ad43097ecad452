//! Whose turn it is to tell something, and whether it was told: of gates that count together one tells it, and what one left
//! untold when it ended the next tells.
//!
//! A mark stands at the time until which somebody tries, and at [`TOLD`] in the end. Leaves out the trying.

use std::time::Duration;

use jiff::Timestamp;
use ordain_rules::CounterKey;

use crate::gate::Gate;

/// Where the mark of what was told stands, or of what was given up: behind all times.
const TOLD: u64 = i64::MAX.unsigned_abs();

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Ours.
    Ours,
    /// It was told.
    Told,
    /// Another gate tries, or an earlier run of this one did until a moment ago.
    Others,
}

/// Where a mark leaves the next who looks at it.
fn read(mark: Option<u64>, now: Timestamp) -> Turn {
    match mark {
        Some(TOLD..) => Turn::Told,
        Some(until) if until > micros(now) => Turn::Others,
        Some(_) | None => Turn::Ours,
    }
}

/// Whose turn it is now; nothing is taken.
pub(super) async fn look(gate: &Gate, key: CounterKey) -> Turn {
    match gate.state.mark(key).await {
        Ok(mark) => read(mark, gate.clock.now()),
        // It is looked for again later.
        Err(_) => Turn::Others,
    }
}

/// Takes it for so long, where it is ours to take.
pub(super) async fn take(gate: &Gate, key: CounterKey, lasts: Duration) -> Turn {
    let now = gate.clock.now();
    // Who looks first moves no mark under which another tries.
    match gate.state.mark(key.clone()).await.map(|mark| read(mark, now)) {
        Ok(Turn::Ours) => {}
        Ok(others) => return others,
        // Told twice is better than not at all: it has one name, by which who is told knows it again.
        Err(_) => return Turn::Ours,
    }
    match gate.state.raise(key, until(now, lasts)).await {
        Ok(before) => read(before, now),
        Err(_) => Turn::Ours,
    }
}

/// Keeps it for so long from now on, unless it was told meanwhile.
pub(super) async fn keep(gate: &Gate, key: CounterKey, lasts: Duration) -> Turn {
    match gate.state.raise(key, until(gate.clock.now(), lasts)).await {
        Ok(Some(TOLD..)) => Turn::Told,
        Ok(Some(_) | None) | Err(_) => Turn::Ours,
    }
}

/// Ends it: it was told, or is given up.
pub(super) async fn end(gate: &Gate, key: CounterKey) -> Result<(), String> {
    gate.state.raise(key, TOLD).await.map(drop)
}

fn until(now: Timestamp, lasts: Duration) -> u64 {
    micros(now.checked_add(lasts).unwrap_or(Timestamp::MAX))
}

fn micros(time: Timestamp) -> u64 {
    u64::try_from(time.as_microsecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_whose_turn_it_is() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        assert_eq!(read(None, now), Turn::Ours);
        assert_eq!(read(Some(until(now, Duration::ZERO)), now), Turn::Ours);
        assert_eq!(read(Some(until(now, Duration::from_secs(1))), now), Turn::Others);
        assert_eq!(read(Some(TOLD), Timestamp::MAX), Turn::Told);
        assert!(until(Timestamp::MAX, Duration::from_secs(1)) < TOLD);
    }
}
