//! Recurrences of RFC 5545, as times of day without a zone: from a rule's text to when it comes round.
//!
//! Leaves out zones and how long each time lasts (`mod.rs`). The crate that expands rules is used here and nowhere else,
//! and given no zone: in one whose midnight is skipped on a day it passes over that day. It counts from the first time
//! each time it is asked, so it is begun close to what is asked for.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rrule::{Frequency, NWeekday, RRule, RRuleError, RRuleSet, RRuleSetIter};

use crate::model::nearest;

/// The parts of a rule.
const PARTS: [&str; 14] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
];

/// The most times that a rule may be counted to.
const COUNT_MAX: usize = 10_000;

/// The most times of one day.
const DAILY_MAX: usize = 24;

/// A rule with the time it begins at.
#[derive(Debug)]
pub(super) struct Recurrence {
    rule: RRule,
    origin: Instant,
    start: DateTime,
    /// The last time, where the rule counts.
    last: Option<DateTime>,
}

/// The crate's own point in time.
type Instant = <RRuleSetIter as Iterator>::Item;

impl Recurrence {
    /// Reads a rule that begins at a time. Its `UNTIL` comes back as it is written: what it means depends on a zone.
    pub(super) fn read(text: &str, start: DateTime) -> Result<(Self, Option<String>), String> {
        let text = text.trim().to_uppercase();
        let (mut rest, mut until, mut count): (Vec<&str>, _, _) = (Vec::new(), None, None);
        let mut seen: Vec<&str> = Vec::new();
        for part in text.split(';') {
            let (key, value) = part.split_once('=').ok_or_else(|| {
                format!("`{part}` is no part of a recurrence; write it as in `FREQ=WEEKLY;BYDAY=FR`")
            })?;
            if !PARTS.contains(&key) {
                return Err(format!("unknown part `{key}` of a recurrence; {}", nearest(key, &PARTS)));
            }
            if seen.contains(&key) {
                return Err(format!("`{key}` is given twice; remove one"));
            }
            seen.push(key);
            if value.is_empty()
                || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b",+-".contains(&byte))
            {
                return Err(format!("`{value}` cannot be read as `{key}`; correct it as RFC 5545 has it"));
            }
            match key {
                "UNTIL" => until = Some(value.to_owned()),
                "COUNT" => count = Some(counted(value)?),
                _ => rest.push(part),
            }
        }
        if until.is_some() && count.is_some() {
            return Err("`UNTIL` and `COUNT` both say when it is over; remove one".to_owned());
        }
        Ok((Self::of(&rest.join(";"), start, count)?, until))
    }

    fn of(rest: &str, start: DateTime, count: Option<usize>) -> Result<Self, String> {
        let begin = format!("{:04}{:02}{:02}", start.year(), start.month(), start.day());
        let begin = format!("{begin}T{:02}{:02}{:02}Z", start.hour(), start.minute(), start.second());
        let set: RRuleSet =
            format!("DTSTART:{begin}\nRRULE:{rest}").parse().map_err(|error: RRuleError| {
                let error = error.to_string();
                let error = error.trim_end_matches('.');
                format!("`{rest}` cannot be read as a recurrence: {error}; correct it as RFC 5545 has it")
            })?;
        let (Some(rule), origin) = (set.get_rrule().first().cloned(), *set.get_dt_start()) else {
            return Err("there is no rule in it; write it as in `FREQ=WEEKLY;BYDAY=FR`".to_owned());
        };
        match rule.get_freq() {
            Frequency::Yearly | Frequency::Monthly | Frequency::Weekly | Frequency::Daily => {}
            Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
                let text = "a rule comes round by the day at most; use `FREQ=DAILY` with `BYHOUR`";
                return Err(text.to_owned());
            }
        }
        weekdays(&rule)?;
        if rule.get_interval() == 0 {
            return Err("`INTERVAL` is at least `1`; correct it".to_owned());
        }
        let times = [rule.get_by_hour().len(), rule.get_by_minute().len(), rule.get_by_second().len()];
        if times.iter().map(|count| count.max(&1)).product::<usize>() > DAILY_MAX {
            return Err(format!("it comes round more than {DAILY_MAX} times a day; make each last longer"));
        }
        let mut recurrence = Self { rule, origin, start, last: None };
        let never = || "it never comes round; correct the rule".to_owned();
        recurrence.times(start).next().ok_or_else(never)?;
        if let Some(count) = count {
            recurrence.last = recurrence.times(start).take(count).last();
        }
        Ok(recurrence)
    }

    /// The times it comes round at, in order: all from some time before the one given.
    pub(super) fn times(&self, from: DateTime) -> impl Iterator<Item = DateTime> + use<> {
        let ahead = seconds(self.anchor(from)).saturating_sub(seconds(self.start));
        let origin = self.origin + Duration::from_secs(u64::try_from(ahead).unwrap_or_default());
        let last = self.last;
        expand(RRuleSet::new(origin).rrule(self.rule.clone()))
            .take_while(move |time| last.is_none_or(|last| *time <= last))
    }

    /// A time near before the one given at which the rule may be begun and says what it says begun at its start: as
    /// many whole intervals after it, at the beginning of a year, month or week.
    fn anchor(&self, from: DateTime) -> DateTime {
        let interval = i64::from(self.rule.get_interval()).max(1);
        // One interval less, as what belongs to a period may lie beside it.
        let whole = |passed: i64| (passed / interval - 1).max(0) * interval;
        let (start, from) = (self.start.date(), from.date());
        let days = |of: Date, to: Date| to.duration_since(of).as_hours() / 24;
        let date = match self.rule.get_freq() {
            Frequency::Yearly => match whole(i64::from(from.year()) - i64::from(start.year())) {
                0 => None,
                years => start.first_of_year().checked_add(years.years()).ok(),
            },
            Frequency::Monthly => match whole(months(from) - months(start)) {
                0 => None,
                months => start.first_of_month().checked_add(months.months()).ok(),
            },
            Frequency::Weekly => {
                let first = self.rule.get_week_start().num_days_from_monday();
                let into = (7 + i64::from(start.weekday().to_monday_zero_offset()) - i64::from(first)) % 7;
                let week = start.checked_sub(into.days()).unwrap_or(start);
                match whole(days(week, from) / 7) {
                    0 => None,
                    weeks => week.checked_add(weeks.weeks()).ok(),
                }
            }
            Frequency::Daily => match whole(days(start, from)) {
                0 => None,
                days => start.checked_add(days.days()).ok(),
            },
            Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => None,
        };
        date.map_or(self.start, |date| date.to_datetime(self.start.time()))
    }
}

/// What the crate reads otherwise than RFC 5545 has it is refused, so that nothing is frozen on other days than is meant.
fn weekdays(rule: &RRule) -> Result<(), String> {
    let numbered = rule.get_by_weekday().iter().filter(|weekday| match weekday {
        NWeekday::Every(_) => false,
        NWeekday::Nth(..) => true,
    });
    let numbered = numbered.count();
    let by_month = match rule.get_freq() {
        Frequency::Yearly | Frequency::Monthly => true,
        Frequency::Weekly
        | Frequency::Daily
        | Frequency::Hourly
        | Frequency::Minutely
        | Frequency::Secondly => false,
    };
    let text = if numbered == 0 {
        return Ok(());
    } else if !by_month {
        "a weekday with a number, as `2TU`, is one of a month or a year; leave the number out"
    } else if numbered < rule.get_by_weekday().len() {
        "`BYDAY` has weekdays with a number and without; make them two documents"
    } else if !rule.get_by_month_day().is_empty() || !rule.get_by_week_no().is_empty() {
        "a weekday with a number goes with no `BYMONTHDAY` and no `BYWEEKNO`; remove one"
    } else {
        return Ok(());
    };
    Err(text.to_owned())
}

fn counted(value: &str) -> Result<usize, String> {
    let count = value.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count));
    count.ok_or_else(|| {
        format!("`COUNT` is a number from 1 to {COUNT_MAX}; correct `{value}`, or use `UNTIL`")
    })
}

fn months(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month())
}

fn seconds(time: DateTime) -> i64 {
    TimeZone::UTC.to_timestamp(time).map_or(0, |time| time.as_second())
}

/// What the crate makes of a rule, bounded by itself where nothing comes any more.
fn expand(set: RRuleSet) -> impl Iterator<Item = DateTime> {
    let times: RRuleSetIter = (&set.limit()).into_iter();
    times.map_while(|time: Instant| {
        Timestamp::from_second(time.timestamp()).ok().map(|time| TimeZone::UTC.to_datetime(time))
    })
}
