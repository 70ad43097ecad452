//! Keeping whoever asks waiting for an answer: opt-in, bounded in time and number, and never with a body that streams.
//!
//! Leaves out judging anew (`mod.rs`). Nothing is sent from here, whoever answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ordain_action::Reading;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Event, EventKind, can_wait};
use crate::change::Reply;
use crate::gate::Gate;
use crate::outgoing::Outgoing;

/// How often it is looked what other gates were told.
const LOOK: Duration = Duration::from_millis(500);

/// One in so many of the places is one actor's at most.
const SHARE: usize = 4;

/// The most that all who are kept waiting have in memory: an eighth of what may be held by default.
const BYTES_MAX: usize = 32 << 20;

/// How many are kept waiting.
#[derive(Debug)]
pub struct Parking {
    places: usize,
    taken: Mutex<Taken>,
}

/// How many places are taken, and how many bytes are held in them.
#[derive(Debug, Default)]
struct Taken {
    by: BTreeMap<Arc<str>, usize>,
    bytes: usize,
}

/// A place, until it is dropped.
#[derive(Debug)]
struct Place<'p> {
    parking: &'p Parking,
    actor: Arc<str>,
    bytes: usize,
}

impl Parking {
    /// So many at once.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places, taken: Mutex::default() }
    }

    /// A place with a body of so many bytes, where there is one: nobody has more than a quarter of them.
    fn place(&self, actor: &Arc<str>, bytes: usize) -> Option<Place<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.by.values().sum();
        let own = taken.by.get(actor).copied().unwrap_or_default();
        let room = all < self.places && own < (self.places / SHARE).max(1);
        if !room || taken.bytes.saturating_add(bytes) > BYTES_MAX {
            return None;
        }
        *taken.by.entry(Arc::clone(actor)).or_default() += 1;
        taken.bytes += bytes;
        Some(Place { parking: self, actor: Arc::clone(actor), bytes })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.parking.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.bytes = taken.bytes.saturating_sub(self.bytes);
        if let Some(own) = taken.by.get_mut(&self.actor) {
            *own = own.saturating_sub(1);
        }
        taken.by.retain(|_, own| *own > 0);
    }
}

/// Waits until a hold is answered in full, where whoever asks may be kept waiting. No: they are told at once, it took too
/// long, somebody said no, or whoever asked has gone.
pub(super) async fn until_answered(
    gate: &Gate,
    id: Uuid,
    outgoing: &Outgoing,
    reading: &Reading,
    reply: &mut Reply,
) -> bool {
    let Some(lasts) = gate.config().holds.park else { return false };
    let Some(body) = outgoing.bound.held().bytes().filter(|_| can_wait(reading)) else { return false };
    // Whoever finds no place is told at once: they lose nothing, and hold no body in memory.
    let actor = &outgoing.identified.actor.party.name;
    let Some(_place) = gate.holds.parking.place(actor, body.len()) else { return false };
    let mut events = gate.holds.watch();
    let over = Instant::now() + lasts;
    loop {
        match super::shown::look(gate, id).await {
            // Nothing is sent for somebody who may have gone: they find it approved when they come back.
            Some(super::State::Approved) => return !reply.is_closed() && !outgoing.silence.has_fallen(),
            Some(super::State::Waiting) if outgoing.silence.has_fallen() => return false,
            Some(super::State::Waiting) => {}
            Some(_) | None => return false,
        }
        let next = Instant::now() + LOOK;
        tokio::select! {
            () = reply.closed() => return false,
            () = gate.stopping.cancelled() => return false,
            () = sleep(over.saturating_duration_since(Instant::now())) => return false,
            () = tokio::time::sleep_until(next) => {}
            () = happened_to(&mut events, id) => {}
        }
    }
}

/// Ready once something may have happened to a hold: what happened to others is no reason to look.
pub(super) async fn happened_to(events: &mut Receiver<Event>, id: Uuid) {
    loop {
        match events.recv().await {
            Ok(event) if event.hold.id == id && event.kind != EventKind::Opened => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_more_than_their_share_of_places_or_of_memory() {
        let parking = Parking::new(8);
        let (robot, alice): (Arc<str>, Arc<str>) = (Arc::from("robot"), Arc::from("alice"));
        let first = parking.place(&robot, 1).unwrap();
        let _second = parking.place(&robot, 1).unwrap();
        assert!(parking.place(&robot, 1).is_none());
        assert!(parking.place(&alice, BYTES_MAX - 1).is_none());
        let large = parking.place(&alice, BYTES_MAX - 2).unwrap();
        drop(first);
        assert!(parking.place(&robot, 2).is_none());
        drop(large);
        assert!(parking.place(&robot, 2).is_some());
        // One place is somebody's too.
        assert!(Parking::new(1).place(&robot, 0).is_some());
        assert!(Parking::new(0).place(&robot, 0).is_none());
    }
}
