//! How much one actor may ask for: requests at once, and requests a second.
//!
//! An actor is told so in its plane's own words for throttling, on which clients slow down and try again. Leaves out
//! limits on connections (`listen`) and on bytes (`held`), which know no actor yet.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ordain_action::{DenialKind, Party};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::fault::Fault;

/// Actors that ask for nothing are forgotten when there are more than so many.
const KEPT_MAX: usize = 4_096;

/// The limits of each actor.
#[derive(Debug)]
pub struct Throttle {
    at_once: usize,
    rate: Option<DefaultKeyedRateLimiter<Party>>,
    seats: Mutex<HashMap<Party, Arc<Semaphore>>>,
}

/// A place among the requests of an actor, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    _permit: OwnedSemaphorePermit,
}

impl Throttle {
    /// `at_once` requests in flight, and `rate` a second where that is limited.
    #[must_use]
    pub fn new(at_once: usize, rate: Option<NonZeroU32>) -> Self {
        let rate = rate.map(|rate| RateLimiter::keyed(Quota::per_second(rate)));
        Self { at_once: at_once.min(Semaphore::MAX_PERMITS), rate, seats: Mutex::default() }
    }

    /// A place for one more request of an actor.
    ///
    /// # Errors
    /// A [`Fault`] that tells the caller to slow down.
    pub fn seat(&self, party: &Party) -> Result<Seat, Fault> {
        if self.rate.as_ref().is_some_and(|rate| rate.check_key(party).is_err()) {
            let text =
                format!("`{}` asks for more a second than it may; slow down, and try again", party.name);
            return Err(Fault::new(DenialKind::Throttled, "actor_rate", text));
        }
        let permit = self.seats_of(party).try_acquire_owned().map_err(|_| {
            let text =
                format!("`{}` has as many requests in flight as it may; wait for their answers", party.name);
            Fault::new(DenialKind::Throttled, "actor_concurrency", text)
        })?;
        Ok(Seat { _permit: permit })
    }

    fn seats_of(&self, party: &Party) -> Arc<Semaphore> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seats.get(party) {
            return Arc::clone(known);
        }
        if seats.len() >= KEPT_MAX {
            seats.retain(|_, known| known.available_permits() < self.at_once);
            if let Some(rate) = &self.rate {
                rate.retain_recent();
            }
        }
        let made = Arc::new(Semaphore::new(self.at_once));
        seats.insert(party.clone(), Arc::clone(&made));
        made
    }
}

/// What a configuration allows each actor: requests at once, and a second where that is limited.
#[must_use]
pub const fn limits(config: &Config) -> (usize, Option<NonZeroU32>) {
    (config.limits.actor_requests, config.limits.actor_requests_per_second)
}

/// The throttle of a configuration.
#[must_use]
pub fn of(config: &Config) -> Throttle {
    let (at_once, rate) = limits(config);
    Throttle::new(at_once, rate)
}

#[cfg(test)]
mod tests {
    use ordain_action::ActorKind;

    use super::*;

    fn party(name: &str) -> Party {
        Party { name: name.into(), kind: ActorKind::Agent }
    }

    fn said(seat: Result<Seat, Fault>) -> String {
        seat.map_or_else(|fault| fault.reason_code().as_str().to_owned(), |_| "seated".to_owned())
    }

    #[test]
    fn an_actor_has_so_many_requests_at_once_and_others_have_theirs() {
        let throttle = Throttle::new(2, None);
        let first = throttle.seat(&party("bot")).unwrap();
        let _second = throttle.seat(&party("bot")).unwrap();
        assert_eq!(said(throttle.seat(&party("bot"))), "actor_concurrency");
        assert_eq!(said(throttle.seat(&party("other"))), "seated");
        drop(first);
        assert_eq!(said(throttle.seat(&party("bot"))), "seated");
    }

    #[test]
    fn an_actor_has_so_many_requests_a_second() {
        let throttle = Throttle::new(100, NonZeroU32::new(3));
        let said: Vec<String> = (0..4).map(|_| said(throttle.seat(&party("bot")))).collect();
        assert_eq!(said, ["seated", "seated", "seated", "actor_rate"]);
        assert!(throttle.seat(&party("other")).is_ok());
    }

    #[test]
    fn actors_that_ask_for_nothing_are_forgotten() {
        let throttle = Throttle::new(1, None);
        let _kept = throttle.seat(&party("busy")).unwrap();
        for number in 0..=KEPT_MAX {
            drop(throttle.seat(&party(&format!("bot-{number}"))).unwrap());
        }
        assert!(throttle.seats.lock().unwrap().len() <= KEPT_MAX);
        assert_eq!(said(throttle.seat(&party("busy"))), "actor_concurrency");
    }
}
