//! That a term is in force when its document says: by examples that are hard, and against every day counted one by one.

use std::fs;
use std::path::Path;

use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::{Phase, Term, Times, Written, ZONES};

fn term(written: Written<'_>) -> Term {
    written.term("it").unwrap_or_else(|fault| panic!("{}", fault.text))
}

/// What a rule is at a time: `in until …`, `out until …`, as its zone tells.
fn at(term: &Term, now: &str) -> String {
    let now: Timestamp = now.parse().unwrap();
    match term.phase(now) {
        Phase::In { until: Some(until) } => format!("in until {}", term.told(until)),
        Phase::In { until: None } => "in for ever".to_owned(),
        Phase::Out { begins: Some(begins) } => format!("out until {}", term.told(begins)),
        Phase::Out { begins: None } => "over".to_owned(),
    }
}

fn recurring<'w>(rule: &'w str, from: &'w str, lasts: &'w str, zone: &'w str) -> Written<'w> {
    Written {
        from: Some(from),
        lasts: Some(lasts),
        recurs: Some(rule),
        time_zone: Some(zone),
        ..Written::default()
    }
}

#[test]
fn fridays_are_whole_days_where_the_clocks_are_set_too() {
    let fridays = term(recurring("FREQ=WEEKLY;BYDAY=FR", "2026-01-01T00:00", "1d", "Europe/Berlin"));
    assert_eq!(at(&fridays, "2025-12-26T12:00:00Z"), "out until 2026-01-02 00:00 Europe/Berlin");
    assert_eq!(at(&fridays, "2026-11-26T22:59:59Z"), "out until 2026-11-27 00:00 Europe/Berlin");
    assert_eq!(at(&fridays, "2026-11-26T23:00:00Z"), "in until 2026-11-28 00:00 Europe/Berlin");
    assert_eq!(at(&fridays, "2026-11-27T22:59:59Z"), "in until 2026-11-28 00:00 Europe/Berlin");
    assert_eq!(at(&fridays, "2026-11-27T23:00:00Z"), "out until 2026-12-04 00:00 Europe/Berlin");
    // Summer time ends on a Sunday, which has 25 hours.
    let sundays = term(recurring("FREQ=WEEKLY;BYDAY=SU", "2026-01-01T00:00", "1d", "Europe/Berlin"));
    assert_eq!(at(&sundays, "2026-10-24T22:00:00Z"), "in until 2026-10-26 00:00 Europe/Berlin");
    assert_eq!(at(&sundays, "2026-10-25T22:59:59Z"), "in until 2026-10-26 00:00 Europe/Berlin");
    // Of hours there are as many as are said.
    let hours = term(recurring("FREQ=WEEKLY;BYDAY=SU", "2026-01-01T00:00", "24h", "Europe/Berlin"));
    assert_eq!(at(&hours, "2026-10-25T21:59:59Z"), "in until 2026-10-25 23:00 Europe/Berlin");
}

#[test]
fn a_time_that_the_clocks_skip_is_as_much_later_and_one_that_is_twice_is_the_first() {
    let nightly = term(recurring("FREQ=DAILY", "2026-01-01T02:30", "30m", "Europe/Berlin"));
    assert_eq!(at(&nightly, "2026-03-29T00:00:00Z"), "out until 2026-03-29 03:30 Europe/Berlin");
    assert_eq!(at(&nightly, "2026-03-29T01:30:00Z"), "in until 2026-03-29 04:00 Europe/Berlin");
    assert_eq!(at(&nightly, "2026-10-25T00:30:00Z"), "in until 2026-10-25 02:00 Europe/Berlin");
    assert_eq!(at(&nightly, "2026-10-25T01:30:00Z"), "out until 2026-10-26 02:30 Europe/Berlin");
    // In Lebanon midnight is what is skipped: a crate that knows of zones passes over that day.
    let days = term(recurring("FREQ=DAILY;BYDAY=SU", "2026-01-01T00:00", "1d", "Asia/Beirut"));
    assert_eq!(at(&days, "2026-03-29T12:00:00Z"), "in until 2026-03-30 00:00 Asia/Beirut");
}

#[test]
fn a_rule_ends_where_it_counts_or_says_so() {
    let three = term(recurring("FREQ=DAILY;COUNT=3", "2026-01-01T00:00", "1h", "UTC"));
    assert_eq!(at(&three, "2026-01-03T00:30:00Z"), "in until 2026-01-03 01:00 UTC");
    assert_eq!(at(&three, "2026-01-03T01:00:00Z"), "over");
    let day = term(recurring("FREQ=DAILY;UNTIL=20260103", "2026-01-01T12:00", "1h", "America/New_York"));
    assert_eq!(at(&day, "2026-01-03T17:00:00Z"), "in until 2026-01-03 13:00 America/New_York");
    assert_eq!(at(&day, "2026-01-04T17:00:00Z"), "over");
    let until = Written {
        until: Some("2026-01-02T00:30"),
        ..recurring("FREQ=DAILY", "2026-01-01T00:00", "1h", "UTC")
    };
    let until = term(until);
    assert_eq!(at(&until, "2026-01-02T00:10:00Z"), "in until 2026-01-02 00:30 UTC");
    assert_eq!(at(&until, "2026-01-02T00:30:00Z"), "over");
}

#[test]
fn times_beside_a_rule_and_times_that_are_none_are_told() {
    let (also, except) = (
        ["2026-01-07T00:00".to_owned(), "2026-01-13T02:00:00+02:00".to_owned()],
        ["2026-01-02".to_owned(), "2026-01-09T00:00".to_owned(), "2026-01-16T01:00".to_owned()],
    );
    let written = Written {
        also: &also,
        except: &except,
        ..recurring("FREQ=WEEKLY;BYDAY=FR", "2026-01-01T00:00", "1d", "UTC")
    };
    let fridays = term(written);
    assert_eq!(at(&fridays, "2026-01-01T12:00:00Z"), "out until 2026-01-07 00:00 UTC");
    assert_eq!(at(&fridays, "2026-01-07T12:00:00Z"), "in until 2026-01-08 00:00 UTC");
    assert_eq!(at(&fridays, "2026-01-08T12:00:00Z"), "out until 2026-01-13 00:00 UTC");
    // An hour that the rule has not is no exception from it.
    assert_eq!(at(&fridays, "2026-01-14T12:00:00Z"), "out until 2026-01-16 00:00 UTC");
}

#[test]
fn times_that_follow_each_other_are_told_as_one() {
    let week = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR";
    let days = term(recurring(week, "2026-01-01T00:00", "1d", "Europe/Berlin"));
    assert_eq!(at(&days, "2026-11-24T10:00:00Z"), "in until 2026-11-28 00:00 Europe/Berlin");
}

#[test]
fn a_rule_that_began_twenty_years_ago_is_begun_near_now() {
    for (rule, most) in [
        ("FREQ=DAILY", 3),
        ("FREQ=DAILY;INTERVAL=7;BYHOUR=1,2,3", 9),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU", 12),
        ("FREQ=MONTHLY;BYDAY=-1FR", 4),
        ("FREQ=YEARLY;INTERVAL=3;BYWEEKNO=1,53;BYDAY=MO", 8),
    ] {
        let term = term(recurring(rule, "2006-03-31T01:00", "1h", "Europe/Berlin"));
        let Times::Again(again) = &term.times else { panic!("it recurs") };
        let now = date(2026, 11, 28).at(7, 0, 0, 0);
        let before = again.rule.times(now).take_while(|time| *time < now).count();
        assert!(before <= most, "{rule}: {before} times are counted before now");
        let (times, _) = again.around("2026-11-28T07:00:00Z".parse().unwrap());
        assert!(times.len() < 24, "{rule}: {} times are looked at", times.len());
    }
}

#[test]
fn a_rule_begun_near_now_is_the_rule_begun_at_its_start() {
    for rule in [
        "FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1,20,53;BYDAY=MO,SU",
        "FREQ=YEARLY;BYYEARDAY=1,-1,200;BYHOUR=3,23",
        "FREQ=YEARLY;INTERVAL=3;BYMONTH=1,12;BYDAY=2TU,-1FR",
        "FREQ=YEARLY;BYDAY=20MO,-1SU",
        "FREQ=MONTHLY;INTERVAL=5;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,2",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,MO,WE;WKST=SU;BYSETPOS=1,-1",
        "FREQ=DAILY;INTERVAL=11;BYMONTH=1,2,3",
    ] {
        let start = date(2005, 8, 31).at(9, 30, 0, 0);
        let (recurrence, _) = super::Recurrence::read(rule, start).unwrap();
        let whole: Vec<DateTime> = recurrence.times(start).take_while(|time| time.year() < 2029).collect();
        for from in (0..60).map(|step| start.checked_add((step * 137).days()).unwrap()) {
            let near: Vec<DateTime> = recurrence
                .times(from)
                .skip_while(|time| *time < from)
                .take_while(|time| time.year() < 2029)
                .collect();
            let after: Vec<DateTime> = whole.iter().copied().filter(|time| *time >= from).collect();
            assert_eq!(near, after, "{rule} from {from}");
        }
    }
}

#[test]
fn what_was_found_is_not_looked_for_again_while_it_holds() {
    let term = term(recurring("FREQ=WEEKLY;BYDAY=FR", "2006-01-01T00:00", "1d", "Europe/Berlin"));
    let Times::Again(again) = &term.times else { panic!("it recurs") };
    let now: Timestamp = "2026-11-28T07:00:00Z".parse().unwrap();
    let phase = term.phase(now);
    let found = again.found.lock().unwrap().unwrap();
    assert!(found.to.duration_since(now) > SignedDuration::from_hours(24 * 4), "{found:?}");
    // Held to what is kept, which no rule says: what is told comes from there.
    let kept = Phase::Out { begins: None };
    assert_ne!(phase, kept);
    again.found.lock().unwrap().replace(super::Found { phase: kept, ..found });
    assert_eq!(term.phase(found.to - SignedDuration::from_secs(1)), kept);
    assert_eq!(at(&term, &found.to.to_string()), "out until 2026-12-04 00:00 Europe/Berlin");
}

/// What is wrong with a term that cannot be read.
fn wrong(written: Written<'_>) -> String {
    written.term("freeze `f`").map_or_else(|fault| fault.text, |_| "read".to_owned())
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let rule = |rule| wrong(recurring(rule, "2026-01-01T00:00", "1d", "UTC"));
    assert_eq!(
        rule("FREQ=WEEKLY;BYDAYS=FR"),
        "freeze `f`: unknown part `BYDAYS` of a recurrence; did you mean `BYDAY`"
    );
    assert_eq!(
        rule("weekly"),
        "freeze `f`: `WEEKLY` is no part of a recurrence; write it as in `FREQ=WEEKLY;BYDAY=FR`"
    );
    assert_eq!(
        rule("FREQ=HOURLY"),
        "freeze `f`: a rule comes round by the day at most; use `FREQ=DAILY` with `BYHOUR`"
    );
    assert_eq!(
        rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        "freeze `f`: it never comes round; correct the rule"
    );
    assert_eq!(
        rule("FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7;BYMINUTE=1,2,3,4"),
        "freeze `f`: it comes round more than 24 times a day; make each last longer"
    );
    assert_eq!(
        rule("FREQ=MONTHLY;BYDAY=WE,2TU"),
        "freeze `f`: `BYDAY` has weekdays with a number and without; make them two documents"
    );
    assert_eq!(
        rule("FREQ=WEEKLY;BYDAY=2TU"),
        "freeze `f`: a weekday with a number, as `2TU`, is one of a month or a year; leave the number out"
    );
    assert_eq!(rule("FREQ=DAILY;FREQ=WEEKLY"), "freeze `f`: `FREQ` is given twice; remove one");
    assert_eq!(
        rule("FREQ=DAILY;COUNT=2;UNTIL=20270101"),
        "freeze `f`: `UNTIL` and `COUNT` both say when it is over; remove one"
    );
    assert_eq!(
        rule("FREQ=DAILY;UNTIL=tomorrow"),
        "freeze `f`: `TOMORROW` cannot be read as `UNTIL`; write it as `20261231` or `20261231T180000Z`"
    );
    assert!(rule("FREQ=DAILY\nRDATE:20260101T000000Z").contains("cannot be read as `FREQ`"));
    let zone = |zone| wrong(recurring("FREQ=DAILY", "2026-01-01T00:00", "1d", zone));
    assert_eq!(zone("Europe/Berln"), "unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`");
    assert_eq!(zone("xyzzy"), "unknown time zone `xyzzy`; name one such as `Europe/Berlin`");
    let local = Written { time_zone: None, ..recurring("FREQ=DAILY", "2026-01-01T00:00", "1d", "") };
    assert_eq!(wrong(local), "`2026-01-01T00:00` is a time of no zone; add `timeZone`, or end it with `Z`");
    let lasts = |lasts| wrong(recurring("FREQ=DAILY", "2026-01-01T00:00", lasts, "UTC"));
    assert_eq!(lasts("long"), "`long` is no length of time; write it as `90m`, `2d` or `PT90M`");
    assert_eq!(lasts("2y"), "each time of freeze `f` lasts more than a year; shorten `lasts`");
    let once = |until| {
        let zone = Some("UTC");
        wrong(Written { from: Some("2026-01-01T00:00"), until, time_zone: zone, ..Written::default() })
    };
    assert_eq!(once(None), "freeze `f` does not say when it ends; add `until`");
    assert_eq!(
        once(Some("2026-01-02")),
        "`2026-01-02` may be the beginning of that day or its end; add the time of day"
    );
    assert!(once(Some("2026-02-02T00:00[Asia/Tokyo]")).contains("is no time"));
    assert_eq!(once(Some("2025-01-02T00:00")), "freeze `f` ends before it begins; correct `until`");
}

/// One function says what is in force. Elsewhere nothing is compared with the time that was passed in.
#[test]
fn only_a_term_says_what_is_in_force() {
    fn files(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50, "the files are all looked at");
    let comparing = |line: &str| {
        let words: Vec<&str> = line.split([' ', '(', ')', ',']).collect();
        let is_now = |word: &str| ["now", "self.now", "*now"].contains(&word);
        let is_than = |word: &str| ["<", "<=", ">", ">="].contains(&word);
        words
            .windows(2)
            .any(|pair| (is_now(pair[0]) && is_than(pair[1])) || (is_than(pair[0]) && is_now(pair[1])))
    };
    let elsewhere: Vec<String> = found
        .iter()
        .filter(|(path, _)| !path.contains("/calendar/"))
        .flat_map(|(path, text)| {
            text.lines().filter(|line| comparing(line)).map(move |line| format!("{path}: {line}"))
        })
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new(), "ask a `Term`");
    let within = found.iter().find(|(path, _)| path.ends_with("calendar/mod.rs")).unwrap();
    assert!(within.1.lines().any(comparing), "what is looked for is found where it is");
    // Besides, nobody else could: the times of a term are private to this module.
    assert_eq!(within.1.matches("pub(crate) fn phase(").count(), 1);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Every {
    Day,
    Week,
    Month,
    Year,
}

/// A rule as its parts, so that it can be counted out by what RFC 5545 says of each.
#[derive(Debug, Clone)]
struct Rule {
    every: Every,
    interval: i64,
    week_start: Weekday,
    months: Vec<i8>,
    days: Vec<i8>,
    /// Weekdays, in a month with the number of each.
    weekdays: Vec<(i8, Weekday)>,
    hours: Vec<i8>,
    count: Option<usize>,
    until: Option<DateTime>,
    start: DateTime,
    lasts: Span,
    zone: &'static str,
    except: Vec<Date>,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

fn short(of: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, weekday)| *weekday == of).unwrap().0
}

impl Rule {
    fn text(&self) -> String {
        let every = match self.every {
            Every::Day => "DAILY",
            Every::Week => "WEEKLY",
            Every::Month => "MONTHLY",
            Every::Year => "YEARLY",
        };
        let mut text = format!("FREQ={every};INTERVAL={};WKST={}", self.interval, short(self.week_start));
        let list = |all: &[i8]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        for (key, all) in [("BYMONTH", &self.months), ("BYMONTHDAY", &self.days), ("BYHOUR", &self.hours)] {
            if !all.is_empty() {
                text += &format!(";{key}={}", list(all));
            }
        }
        let weekday = |(number, weekday): &(i8, Weekday)| match number {
            0 => short(*weekday).to_owned(),
            number => format!("{number}{}", short(*weekday)),
        };
        if !self.weekdays.is_empty() {
            let all: Vec<String> = self.weekdays.iter().map(weekday).collect();
            text += &format!(";BYDAY={}", all.join(","));
        }
        if let Some(count) = self.count {
            text += &format!(";COUNT={count}");
        }
        if let Some(until) = self.until {
            text += &format!(";UNTIL={}", until.strftime("%Y%m%dT%H%M%S"));
        }
        text
    }

    fn has(&self, day: Date) -> bool {
        let start = self.start.date();
        let week = |of: Date| {
            let into =
                (7 + of.weekday().to_monday_zero_offset() - self.week_start.to_monday_zero_offset()) % 7;
            of.checked_sub(i64::from(into).days()).unwrap()
        };
        let days = |of: Date, to: Date| to.duration_since(of).as_hours() / 24;
        let month = |of: Date| i64::from(of.year()) * 12 + i64::from(of.month());
        let passed = match self.every {
            Every::Day => days(start, day),
            Every::Week => days(week(start), week(day)) / 7,
            Every::Month => month(day) - month(start),
            Every::Year => i64::from(day.year()) - i64::from(start.year()),
        };
        let in_month = self.months.is_empty() || self.months.contains(&day.month());
        let length = day.days_in_month();
        let on_day = self.days.is_empty()
            || self.days.iter().any(|one| day.day() == if *one < 0 { length + 1 + one } else { *one });
        let on_weekday = self.weekdays.is_empty()
            || self.weekdays.iter().any(|(number, weekday)| {
                let numbered = match number {
                    0 => true,
                    1.. => (day.day() - 1) / 7 + 1 == *number,
                    ..0 => (length - day.day()) / 7 + 1 == -number,
                };
                day.weekday() == *weekday && numbered
            });
        let said = !self.days.is_empty() || !self.weekdays.is_empty();
        let as_begun = said
            || match self.every {
                Every::Day => true,
                Every::Week => day.weekday() == start.weekday(),
                Every::Month => day.day() == start.day(),
                Every::Year => {
                    day.day() == start.day() && (!self.months.is_empty() || day.month() == start.month())
                }
            };
        passed % self.interval == 0 && in_month && on_day && on_weekday && as_begun
    }

    /// Every time of it for some years, counted out day by day.
    fn times(&self, to: Date) -> Vec<(Timestamp, Timestamp)> {
        let zone = ZONES.get(self.zone).unwrap();
        let mut times = Vec::new();
        let mut day = self.start.date();
        let own = [self.start.hour()];
        let hours = if self.hours.is_empty() { own.as_slice() } else { &self.hours };
        let mut counted = 0;
        while day < to {
            if self.has(day) {
                for hour in hours {
                    let time = day.at(*hour, self.start.minute(), 0, 0);
                    let is_over = self.count.is_some_and(|count| counted >= count);
                    if time < self.start || is_over {
                        continue;
                    }
                    counted += 1;
                    let from = zone.to_zoned_datetime(time).unwrap();
                    let until = self.until.map(|until| zone.to_timestamp(until).unwrap());
                    if self.except.contains(&day) || until.is_some_and(|until| from.timestamp() > until) {
                        continue;
                    }
                    // Days end as the clock shows, hours as they pass.
                    let whole = self.lasts.get_days() != 0
                        || self.lasts.get_weeks() != 0
                        || self.lasts.get_months() != 0;
                    let to = if whole {
                        zone.to_zoned_datetime(time.checked_add(self.lasts).unwrap()).unwrap()
                    } else {
                        from.checked_add(self.lasts).unwrap()
                    };
                    times.push((from.timestamp(), to.timestamp()));
                }
            }
            day = day.tomorrow().unwrap();
        }
        times
    }
}

/// Some of them, sorted.
fn some<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>, most: usize) -> impl Strategy<Value = Vec<T>> {
    let most = most.min(all.len());
    prop_oneof![Just(Vec::new()), prop::sample::subsequence(all, 0..=most)]
}

fn rules() -> impl Strategy<Value = Rule> {
    let every = prop::sample::select(vec![Every::Day, Every::Week, Every::Month, Every::Year]);
    let zones =
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia"];
    // `-5FR` is refused by the crate, and is hardly meant.
    let numbered: Vec<(i8, Weekday)> =
        (-4..=5).flat_map(|number| WEEKDAYS.map(|(_, weekday)| (number, weekday))).collect();
    let start = (prop::sample::select(vec![2006, 2009, 2010, 2025]), 1..=12i8, 1..=31i8, 0..24i8, 0..60i8);
    let weekdays = WEEKDAYS.map(|(_, weekday)| weekday).to_vec();
    let days: Vec<i8> = vec![-31, -30, -2, -1, 1, 2, 13, 28, 29, 30, 31];
    let lasts = prop::sample::select(vec!["15m", "1h", "5h", "1d", "3d", "P1W", "P1M", "PT24H"]);
    (
        (every, 1..=4i64, prop::sample::select(weekdays), prop::sample::select(zones.to_vec()), lasts),
        (some((1..=12).collect(), 4), some(days, 3), some(numbered, 4), some((0..24).collect(), 3)),
        (start, prop::option::weighted(0.3, 1..40usize), prop::option::weighted(0.3, 0..800i64)),
        prop::collection::vec(0..900i64, 0..4),
    )
        .prop_map(|(first, lists, (start, count, until), except)| {
            let (every, interval, week_start, zone, lasts) = first;
            let (months, days, mut weekdays, hours) = lists;
            let (year, month, day, hour, minute) = start;
            let start = date(year, month, 1).checked_add(i64::from(day - 1).days()).unwrap();
            let start = start.at(hour, minute, 0, 0);
            // With a number and without is refused.
            if weekdays.iter().any(|one| one.0 == 0) {
                weekdays.retain(|one| one.0 == 0);
            }
            // A number is one within a month; of a year it means another thing where no month is said.
            if every != Every::Month && (every != Every::Year || months.is_empty()) {
                weekdays.iter_mut().for_each(|one| one.0 = 0);
            }
            // What both say together is said nowhere for a number.
            let days =
                if every == Every::Week || weekdays.iter().any(|one| one.0 != 0) { Vec::new() } else { days };
            let until = until.filter(|_| count.is_none()).map(|days| start.checked_add(days.days()).unwrap());
            let except =
                except.into_iter().map(|days| start.date().checked_add(days.days()).unwrap()).collect();
            let lasts = lasts.parse().unwrap();
            Rule {
                every,
                interval,
                week_start,
                months,
                days,
                weekdays,
                hours,
                count,
                until,
                start,
                lasts,
                zone,
                except,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn it_is_in_force_when_counting_day_by_day_says_so(
        rule in rules(),
        // Near when clocks are set in the spring and in the autumn, at the end of 2011, when Samoa left out a day,
        // and at any time.
        offsets in prop::collection::vec((0..4usize, -200_000..200_000i64, 0..60_000_000i64), 12),
    ) {
        let text = rule.text();
        let from = rule.start.to_string();
        let lasts = rule.lasts.to_string();
        let except: Vec<String> = rule.except.iter().map(ToString::to_string).collect();
        let written = Written { except: &except, ..recurring(&text, &from, &lasts, rule.zone) };
        let times = rule.times(date(2029, 1, 1));
        let term = match written.term("it") {
            Ok(term) => term,
            Err(fault) => {
                prop_assert!(fault.text.contains("never comes round"), "{text}: {}", fault.text);
                prop_assert!(!rule.except.is_empty() || times.is_empty(), "{text}");
                return Ok(());
            }
        };
        let near = ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2011-12-30T10:00:00Z"];
        let begun = rule.start.to_string() + "Z";
        for (which, beside, after) in offsets {
            let now = match near.get(which) {
                Some(near) => near.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(beside),
                None => begun.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(after),
            };
            let in_force = times.iter().any(|(from, to)| *from <= now && now < *to);
            prop_assert_eq!(term.in_force(now), in_force, "{} at {}", text, now);
            if let Phase::Out { begins } = term.phase(now) {
                let first = times.iter().map(|(from, _)| *from).filter(|from| *from > now).min();
                let seen = begins.filter(|begins| *begins < "2028-12-01T00:00:00Z".parse().unwrap());
                let first = first.filter(|first| *first < "2028-12-01T00:00:00Z".parse().unwrap());
                prop_assert_eq!(seen, first, "{} at {}", text, now);
            }
        }
    }
}
