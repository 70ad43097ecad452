//! Keeping whoever asks waiting for an answer: opt-in, bounded in time and number, and never with a body that streams.
//!
//! Leaves out judging anew (`mod.rs`). Nothing is sent from here, whoever answered.

use std::sync::Arc;
use std::time::Duration;

use ordain_action::Reading;
use tokio::sync::Semaphore;
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

/// How many are kept waiting.
#[derive(Debug)]
pub struct Parking {
    places: Arc<Semaphore>,
}

impl Parking {
    /// So many at once.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))) }
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
    if !can_wait(reading) || outgoing.bound.held().bytes().is_none() {
        return false;
    }
    // Whoever finds no place is told at once: they lose nothing, and hold no body in memory.
    let Ok(_place) = Arc::clone(&gate.holds.parking.places).try_acquire_owned() else { return false };
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
