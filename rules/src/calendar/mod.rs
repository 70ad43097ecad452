//! When something with a term is in force: from a time to a time, or again and again by a rule.
//!
//! Leaves out reading a term from a document (`written.rs`) and what a rule comes to (`recurrence.rs`). Time is passed
//! in, and zones are those that the program was built with, so that the same time has the same answer everywhere.

mod agenda;
mod recurrence;
mod written;

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Span, Timestamp};

pub(crate) use agenda::covered;
pub use agenda::{Planned, PlannedKind};
pub(crate) use written::Written;

use recurrence::Recurrence;

/// Zones as the program was built with: what a decision was made from is not the machine's to change.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The longest that an exception may be.
pub(crate) const EXCEPTION_MAX: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The longest that break-glass may be.
pub(crate) const BREAK_GLASS_MAX: SignedDuration = SignedDuration::from_hours(4);

/// What a zone may shift times of day against their order, and more.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// The most times looked at to find the end of those that follow each other without a gap.
const CHAIN_MAX: usize = 400;

/// The time something holds for.
#[derive(Debug)]
pub(crate) struct Term {
    times: Times,
    /// The zone that times are told in; UTC where none was named.
    zone: Option<TimeZone>,
    /// What the document says of it, for people.
    said: Vec<(&'static str, String)>,
}

#[derive(Debug)]
enum Times {
    Once { from: Option<Timestamp>, until: Option<Timestamp> },
    Again(Box<Again>),
}

/// What a term is at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In force.
    In {
        /// Until then; `None` is for ever.
        until: Option<Timestamp>,
    },
    /// Not in force.
    Out {
        /// When it is next; `None` is never again.
        begins: Option<Timestamp>,
    },
}

impl Term {
    /// From a time to another, each where there is one.
    pub(crate) fn once(from: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        let told = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let said = vec![("from", told(from)), ("until", told(until))];
        Self { times: Times::Once { from, until }, zone: None, said }
    }

    // INVARIANT: nothing else says whether something with a term is in force. Its times are nobody else's to compare.
    /// What it is at a time: in force from its first instant to before its last.
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        match &self.times {
            Times::Once { until: Some(until), .. } if *until <= now => Phase::Out { begins: None },
            Times::Once { from: Some(from), .. } if now < *from => Phase::Out { begins: Some(*from) },
            Times::Once { until, .. } => Phase::In { until: *until },
            Times::Again(again) => again.phase(now),
        }
    }

    /// Whether it is in force at a time.
    pub(crate) fn in_force(&self, now: Timestamp) -> bool {
        match self.phase(now) {
            Phase::In { .. } => true,
            Phase::Out { .. } => false,
        }
    }

    /// From its beginning to its end is more than so long.
    pub(crate) fn is_longer_than(&self, longest: SignedDuration) -> bool {
        match &self.times {
            Times::Once { from: Some(from), until: Some(until) } => until.duration_since(*from) > longest,
            Times::Once { .. } | Times::Again(_) => true,
        }
    }

    /// It begins while another is in force.
    pub(crate) fn begins_within(&self, other: &Self) -> bool {
        match &self.times {
            Times::Once { from: Some(from), .. } => other.in_force(*from),
            Times::Once { .. } | Times::Again(_) => false,
        }
    }

    /// It is not in force, nor ever again.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.phase(now) == Phase::Out { begins: None }
    }

    /// A time as people read it who wrote the document.
    pub(crate) fn told(&self, time: Timestamp) -> String {
        match &self.zone {
            None => time.to_string(),
            Some(zone) => {
                let local = time.to_zoned_datetime(zone.clone());
                format!("{} {}", local.strftime("%Y-%m-%d %H:%M"), zone.iana_name().unwrap_or("UTC"))
            }
        }
    }

    /// What the document says of it, for people: nothing that is not said.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.said.iter().filter(|(_, text)| !text.is_empty()).cloned()
    }
}

/// A rule's times, each of which lasts for a while.
#[derive(Debug)]
struct Again {
    rule: Recurrence,
    zone: TimeZone,
    /// The days that each lasts, and what is beside them in hours and less.
    lasts: (Span, Span),
    /// As long as `lasts`, or longer.
    longest: SignedDuration,
    /// Beside those of the rule.
    also: BTreeSet<DateTime>,
    /// Times of the rule that are none, and days on which none begins.
    except: BTreeSet<DateTime>,
    except_days: BTreeSet<Date>,
    /// The last instant at which one of the rule may begin.
    last: Option<Timestamp>,
    /// When all is over.
    until: Option<Timestamp>,
    /// What was found last, with the time for which that holds. The same question has the same answer.
    found: Mutex<Option<Found>>,
}

/// A phase, from one instant to before another.
#[derive(Debug, Clone, Copy)]
struct Found {
    from: Timestamp,
    to: Timestamp,
    phase: Phase,
}

/// One time of something, from its first instant to before its last.
type Time = (Timestamp, Timestamp);

impl Again {
    fn phase(&self, now: Timestamp) -> Phase {
        let kept = *self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.filter(|found| found.from <= now && now < found.to) {
            return found.phase;
        }
        let found = self.find(now);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        found.phase
    }

    /// What it is at a time, and for how long it is that.
    fn find(&self, now: Timestamp) -> Found {
        let (times, next) = self.around(now);
        let bounds = || times.iter().flat_map(|(from, to)| [*from, *to]);
        let before = bounds().filter(|bound| *bound <= now).max();
        let after = bounds().filter(|bound| *bound > now).min();
        // Times that begin long after this are not all known, and only nearly in order.
        let sure = next.map(|next| shifted(next, -SLACK));
        let from = before.map_or(shifted(now, -SLACK), |before| before.max(shifted(now, -SLACK)));
        let to = [after, sure].into_iter().flatten().min().unwrap_or(Timestamp::MAX);
        let mut end = times.iter().filter(|(from, to)| *from <= now && now < *to).map(|(_, to)| *to).max();
        if let Some(end) = &mut end {
            for (from, to) in &times {
                if *from <= *end {
                    *end = (*end).max(*to);
                }
            }
        }
        let begins = || times.iter().map(|(from, _)| *from).filter(|from| *from > now).min();
        let phase = match end {
            Some(end) => Phase::In { until: Some(end) },
            None => Phase::Out { begins: begins() },
        };
        Found { from, to, phase }
    }

    /// Every time that could be in force about now, and those that follow until there is a gap, by when they begin.
    /// Also when the first begins that is too far off to be sure that none is before it.
    fn around(&self, now: Timestamp) -> (Vec<Time>, Option<Timestamp>) {
        let local = self.zone.to_datetime(now);
        let reach = self.longest.saturating_add(SLACK * 2);
        let from = local.checked_sub(reach).unwrap_or(DateTime::MIN);
        let near = local.checked_add(SLACK * 2).unwrap_or(DateTime::MAX);
        let over = [self.last, self.until].into_iter().flatten().min();
        let over = over.map(|over| self.zone.to_datetime(over));
        let over = over.map(|over| over.checked_add(SLACK).unwrap_or(DateTime::MAX));
        let mut times: Vec<Time> = self.also.iter().filter_map(|time| self.time(*time)).collect();
        let in_force = |(from, to): &&Time| *from <= now && now < *to;
        let mut chained = times.iter().filter(in_force).map(|(_, to)| *to).max();
        let (mut next, mut beyond) = (None, 0);
        for local in self.rule.times(from) {
            if over.is_some_and(|over| local > over) {
                break;
            }
            let excepted = self.except.contains(&local) || self.except_days.contains(&local.date());
            let time = if excepted { None } else { self.time(local) };
            if let Some((from, to)) = time.filter(|(from, _)| self.last.is_none_or(|last| *from <= last)) {
                times.push((from, to));
                let follows = chained.is_some_and(|end| from <= end);
                if follows || in_force(&&(from, to)) {
                    chained = chained.max(Some(to));
                }
                if local > near {
                    next = next.or(Some(from));
                    beyond += 1;
                    if !follows || beyond > CHAIN_MAX {
                        break;
                    }
                }
            }
        }
        times.sort_unstable();
        (times, next)
    }

    /// One time, from when it begins; `None` where it would begin when all is over.
    fn time(&self, begins: DateTime) -> Option<Time> {
        let from = self.zone.to_zoned_datetime(begins).ok()?;
        let (days, hours) = &self.lasts;
        // A day ends at midnight, also where its own was skipped and it began later.
        let to = if days.is_zero() {
            from.clone()
        } else {
            self.zone.to_zoned_datetime(begins.checked_add(*days).ok()?).ok()?
        };
        let to = to.checked_add(*hours).ok()?.timestamp();
        let to = self.until.map_or(to, |until| to.min(until));
        let from = from.timestamp();
        (from < to).then_some((from, to))
    }
}

fn shifted(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests;
