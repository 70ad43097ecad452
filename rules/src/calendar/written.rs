//! A term as a document writes it, to the times it means.
//!
//! Leaves out when that is (`mod.rs`). Times are absolute, or local where a zone is named.

use std::collections::BTreeSet;
use std::sync::Mutex;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::recurrence::Recurrence;
use super::{Again, SLACK, Term, Times, ZONES};
use crate::model::nearest;

/// The longest that one time of a rule may last.
const LASTS_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The most times beside a rule, and the most that are excepted.
const BESIDE_MAX: usize = 1_000;

/// What a document says about when; what is left out is empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written<'w> {
    pub(crate) from: Option<&'w str>,
    pub(crate) until: Option<&'w str>,
    pub(crate) lasts: Option<&'w str>,
    pub(crate) recurs: Option<&'w str>,
    pub(crate) time_zone: Option<&'w str>,
    pub(crate) also: &'w [String],
    pub(crate) except: &'w [String],
}

/// What is wrong with it: the words it is at, and what to do.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) words: String,
    pub(crate) text: String,
}

fn fault(words: &str, text: impl Into<String>) -> Fault {
    Fault { words: words.to_owned(), text: text.into() }
}

impl Written<'_> {
    /// The term it means; `what` names whose it is, for messages.
    pub(crate) fn term(&self, what: &str) -> Result<Term, Fault> {
        let zone = self.time_zone.map(zone).transpose()?;
        let from = self.from.ok_or_else(|| fault("spec:", format!("{what} says no `from`; add it")))?;
        let until = self.until.map(|text| time(text, zone.as_ref(), Midnight::IsNoEnd)).transpose()?;
        let first = time(from, zone.as_ref(), Midnight::Begins)?;
        let over = until.is_some_and(|until| until <= first);
        if over {
            return Err(fault("until:", format!("{what} ends before it begins; correct `until`")));
        }
        let lasts = self.lasts.map(span).transpose()?;
        let times = match (self.recurs, lasts, until) {
            (Some(rule), Some(lasts), until) => {
                self.again(what, rule, lasts, (first, until), zone.as_ref())?
            }
            (Some(_), None, _) => {
                let text = format!("{what} recurs, and does not say how long each time lasts; add `lasts`");
                return Err(fault("recurs:", text));
            }
            (None, _, _) if !self.also.is_empty() || !self.except.is_empty() => {
                let text = format!("{what} recurs by no rule; add `recurs`, or remove `also` and `except`");
                return Err(fault("spec:", text));
            }
            (None, Some(_), Some(_)) => {
                let text = format!("{what} says twice when it ends; remove `lasts` or `until`");
                return Err(fault("lasts:", text));
            }
            (None, None, None) => {
                return Err(fault("spec:", format!("{what} does not say when it ends; add `until`")));
            }
            (None, Some(lasts), None) => {
                let zone = zone.clone().unwrap_or(TimeZone::UTC);
                let ends = first.to_zoned_datetime(zone).checked_add(lasts);
                let ends = ends.map_err(|_| fault("lasts:", "it lasts too long; shorten `lasts`"))?;
                Times::Once { from: Some(first), until: Some(ends.timestamp()) }
            }
            (None, None, until) => Times::Once { from: Some(first), until },
        };
        Ok(Term { times, zone, said: self.said() })
    }

    fn again(
        &self,
        what: &str,
        rule: &str,
        lasts: Span,
        (first, until): (Timestamp, Option<Timestamp>),
        zone: Option<&TimeZone>,
    ) -> Result<Times, Fault> {
        let zone = zone.cloned().unwrap_or(TimeZone::UTC);
        let start = zone.to_datetime(first);
        let longest = start.checked_add(lasts).map(|end| end.duration_since(start));
        let longest = longest.ok().filter(|longest| *longest <= LASTS_MAX).ok_or_else(|| {
            fault("lasts:", format!("each time of {what} lasts more than a year; shorten `lasts`"))
        })?;
        let of_rule = |text: String| fault("recurs:", format!("{what}: {text}"));
        let (rule, rule_until) = Recurrence::read(rule, start).map_err(of_rule)?;
        let last = rule_until.map(|text| last(&text, &zone)).transpose().map_err(of_rule)?;
        if self.also.len() > BESIDE_MAX || self.except.len() > BESIDE_MAX {
            let text =
                format!("{what} has more than {BESIDE_MAX} times beside its rule; make it another rule");
            return Err(fault("spec:", text));
        }
        let (mut except, mut except_days) = (BTreeSet::new(), BTreeSet::new());
        for text in self.except {
            match text.parse::<Date>() {
                Ok(day) if !text.contains([':', 'T', 't', ' ']) => drop(except_days.insert(day)),
                Ok(_) | Err(_) => drop(except.insert(local(text, &zone)?)),
            }
        }
        let also = self.also.iter().map(|text| local(text, &zone)).collect::<Result<_, _>>()?;
        Ok(Times::Again(Box::new(Again {
            rule,
            // Of a span of months one may be longer than the first.
            longest: longest.saturating_add(SLACK * 4),
            zone,
            lasts: parts(lasts),
            also,
            except,
            except_days,
            last,
            until,
            found: Mutex::default(),
        })))
    }

    fn said(&self) -> Vec<(&'static str, String)> {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        vec![
            ("from", text(self.from)),
            ("until", text(self.until)),
            ("recurs", text(self.recurs)),
            ("lasts", text(self.lasts)),
            ("time zone", text(self.time_zone)),
            ("also", self.also.join(", ")),
            ("except", self.except.join(", ")),
        ]
    }
}

/// What a day without a time of day may mean.
#[derive(Debug, Clone, Copy)]
enum Midnight {
    /// From when it begins.
    Begins,
    /// Nobody can tell whether all of it is meant.
    IsNoEnd,
}

fn time(text: &str, zone: Option<&TimeZone>, midnight: Midnight) -> Result<Timestamp, Fault> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    // A zone in brackets would be read over: the document names one for all its times.
    let local = text.parse::<DateTime>().ok().filter(|_| !text.contains('['));
    let Some(local) = local else {
        let text = format!("`{text}` is no time; write it as `2026-12-04T20:00` or `2026-12-04T20:00:00Z`");
        return Err(fault(text.split('`').nth(1).unwrap_or_default(), text.clone()));
    };
    let is_day = local.time() == Time::midnight() && !text.contains(':');
    match (midnight, zone) {
        (Midnight::IsNoEnd, _) if is_day => {
            let said = format!("`{text}` may be the beginning of that day or its end; add the time of day");
            Err(fault(text, said))
        }
        (Midnight::Begins | Midnight::IsNoEnd, None) => {
            let said = format!("`{text}` is a time of no zone; add `timeZone`, or end it with `Z`");
            Err(fault(text, said))
        }
        (Midnight::Begins | Midnight::IsNoEnd, Some(zone)) => {
            let time = zone.to_timestamp(local);
            time.map_err(|_| fault(text, format!("`{text}` is out of range; correct it")))
        }
    }
}

/// A time as it is in a zone, whole seconds.
fn local(text: &str, zone: &TimeZone) -> Result<DateTime, Fault> {
    let time = time(text, Some(zone), Midnight::Begins)?;
    // What a zone skips is kept as it is written, as a rule would say it; what is absolute is what it is there.
    let absolute = text.parse::<Timestamp>().is_ok();
    Ok(text.parse().ok().filter(|_| !absolute).unwrap_or_else(|| zone.to_datetime(time)))
}

fn zone(name: &str) -> Result<TimeZone, Fault> {
    ZONES.get(name).map_err(|_| {
        let known: Vec<String> = ZONES.available().map(|name| name.to_string()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint = Some(nearest(name, &known)).filter(|text| text.starts_with("did you mean"));
        let hint = hint.unwrap_or_else(|| "name one such as `Europe/Berlin`".to_owned());
        fault(name, format!("unknown time zone `{name}`; {hint}"))
    })
}

fn span(text: &str) -> Result<Span, Fault> {
    let lasts = text.parse::<Span>().ok().filter(|span| span.is_positive());
    lasts.ok_or_else(|| {
        fault(text, format!("`{text}` is no length of time; write it as `90m`, `2d` or `PT90M`"))
    })
}

/// The days of a span, and what is beside them.
fn parts(span: Span) -> (Span, Span) {
    let days = Span::new().years(span.get_years()).months(span.get_months());
    let days = days.weeks(span.get_weeks()).days(span.get_days());
    let hours = span.years(0).months(0).weeks(0).days(0);
    (days, hours)
}

/// The last instant at which a time of a rule may begin; a day means all of it.
fn last(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let wrong =
        || format!("`{text}` cannot be read as `UNTIL`; write it as `20261231` or `20261231T180000Z`");
    if let Some(utc) = text.strip_suffix('Z') {
        let time = DateTime::strptime("%Y%m%dT%H%M%S", utc).map_err(|_| wrong())?;
        return TimeZone::UTC.to_timestamp(time).map_err(|_| wrong());
    }
    let time = match Date::strptime("%Y%m%d", text) {
        Ok(day) => day.to_datetime(Time::MAX),
        Err(_) => DateTime::strptime("%Y%m%dT%H%M%S", text).map_err(|_| wrong())?,
    };
    zone.to_timestamp(time).map_err(|_| wrong())
}
