//! What can be claimed of what is counted once, and the rules by which it is: the same whatever engine keeps it.
//!
//! Leaves out keeping it. Everything that must happen once is one of two things: so much of a key within a window
//! (budgets, quotas), or one of the uses of a key, bound to a request (uses of a change, approvals, grants, holds).

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{DecisionId, Digest, Outcome};
use ordain_rules::{Charge, CounterKey, Use};

/// One thing that a decision claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// So much of a key, as long as all that stands counted stays within the limit.
    Amount(Charge),
    /// One of the uses of a key, for one request and its repeats.
    Use(Use),
}

impl Claim {
    /// Of what.
    #[must_use]
    pub const fn key(&self) -> &CounterKey {
        match self {
            Self::Amount(charge) => &charge.key,
            Self::Use(used) => &used.key,
        }
    }

    pub(crate) const fn amount(&self) -> u64 {
        match self {
            Self::Amount(charge) => charge.amount,
            Self::Use(_) => 1,
        }
    }

    pub(crate) const fn request(&self) -> Option<Digest> {
        match self {
            Self::Amount(_) => None,
            Self::Use(used) => Some(used.request),
        }
    }

    /// Until when it stays counted, in microseconds since 1970; what is used stays used, unless it says how long.
    pub(crate) fn until(&self, now: Timestamp) -> i64 {
        match self {
            Self::Amount(charge) => after(now, charge.window),
            Self::Use(Use { kept: Some(kept), .. }) => after(now, *kept),
            Self::Use(Use { kept: None, .. }) => i64::MAX,
        }
    }

    /// What is to be done for it, given what stands counted.
    pub(crate) const fn placed(&self, standing: &Standing) -> Result<Placed, Refused> {
        match self {
            Self::Amount(charge) if standing.value.saturating_add(charge.amount) > charge.limit => {
                Err(Refused::Over)
            }
            Self::Amount(_) => Ok(Placed::Anew),
            // A repeat is free while nothing says that it has taken effect, and waits for what says so.
            Self::Use(used) => match standing.same {
                Some((State::Reserved, _)) => Err(Refused::InFlight),
                Some((State::Unknown, _)) if !used.honoured => Err(Refused::Unknown),
                Some((State::Unknown | State::Open, decision)) => Ok(Placed::Again(decision)),
                Some((State::Spent, _)) | None if standing.value < used.uses => Ok(Placed::Anew),
                // What was refused before it took effect used nothing up.
                Some((State::Spent, _)) | None => match standing.open {
                    Some(decision) if used.rebinds => Ok(Placed::Again(decision)),
                    Some(_) | None => Err(Refused::Over),
                },
            },
        }
    }
}

/// What a decision claims, all of it or nothing.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The decision, which may claim once.
    pub decision: DecisionId,
    /// What it claims, each key once, in the order of the keys.
    pub claims: Vec<Claim>,
    /// Whose ledger says how the decision ended.
    pub holder: Digest,
    /// The run of the program: what an earlier run left is settled from the ledger.
    pub run: Run,
    /// A refusal by the upstream says that nothing happened (`sole.rs`).
    pub sole: bool,
    /// When.
    pub now: Timestamp,
}

/// One run of the program, from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run(pub [u8; 16]);

/// What stands counted under a key when something is claimed of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How much, or how many uses.
    pub(crate) value: u64,
    /// The use for the same request that decides about a repeat: one that is not spent before one that is.
    pub(crate) same: Option<(State, [u8; 16])>,
    /// The first use for another request that is open.
    pub(crate) open: Option<[u8; 16]>,
}

impl Standing {
    /// Of something that nobody may use any more.
    pub(crate) const NOTHING_LEFT: Self = Self { value: u64::MAX, same: None, open: None };
}

/// How a claim is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// As one of its own.
    Anew,
    /// In the place of what an earlier decision claimed for the same request, or for another one and did not use.
    Again([u8; 16]),
}

/// Why nothing was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// All of it is used, or would be exceeded.
    Over,
    /// The same request is being carried out.
    InFlight,
    /// The same request was sent, and nobody knows what became of it.
    Unknown,
}

/// What was not claimed, and why: with it nothing else was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotClaimed {
    /// Of what.
    pub key: CounterKey,
    /// Why.
    pub why: Refused,
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Its decision is being carried out.
    Reserved,
    /// The upstream refused it before it took effect: it is there for the same request.
    Open,
    /// It took effect.
    Spent,
    /// It may have taken effect.
    Unknown,
}

impl State {
    /// The number it is kept as.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Reserved => 0,
            Self::Open => 1,
            Self::Spent => 2,
            Self::Unknown => 3,
        }
    }

    /// The state of a number; one that is not known is taken for the one that blocks.
    pub(crate) const fn of(number: i64) -> Self {
        match number {
            0 => Self::Reserved,
            1 => Self::Open,
            2 => Self::Spent,
            _ => Self::Unknown,
        }
    }
}

/// How a decision ended, as far as what it claimed is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was sent: all is as it was.
    Released,
    /// The upstream refused it: before it took effect, where it can have had one alone, and else nobody knows.
    Open,
    /// It took effect.
    Spent,
    /// It may have taken effect.
    Unknown,
}

impl Ending {
    /// What an outcome means for what was claimed.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::NotSent { .. } => Self::Released,
            Outcome::Streamed { .. } => Self::Spent,
            Outcome::Unknown { .. } => Self::Unknown,
            Outcome::Answered { status, error_code, .. } => match status {
                // Sent on to somewhere else before anything was done.
                307 | 308 => Self::Open,
                // What upstreams say, and what stands before them, when they gave up on something under way.
                408 | 499 => Self::Unknown,
                400..=499 => Self::Open,
                500.. if error_code.as_deref().is_some_and(is_throttle) => Self::Open,
                500.. => Self::Unknown,
                _ => Self::Spent,
            },
        }
    }
}

/// What providers call a request that they turned away for its number, under a status that says no such thing.
fn is_throttle(code: &str) -> bool {
    const OTHERS: [&str; 4] =
        ["SlowDown", "RequestLimitExceeded", "TooManyRequestsException", "BandwidthLimitExceeded"];
    code.contains("Throttl") || OTHERS.contains(&code)
}

/// What a claim becomes by an ending, given what it was before it was claimed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// It is there no more.
    Gone,
    /// It stays, so.
    State(State),
}

impl Becomes {
    /// `for_request`: it is a use, bound to a request. `sole`: a refusal says that nothing happened. `before`: what it was
    /// when it was claimed again.
    pub(crate) const fn of(ending: Ending, for_request: bool, sole: bool, before: Option<State>) -> Self {
        match (ending, before) {
            (Ending::Spent, _) => Self::State(State::Spent),
            (Ending::Unknown, _) => Self::State(State::Unknown),
            // Part of it may have been done before the rest was refused.
            (Ending::Open, _) if !sole => Self::State(State::Unknown),
            // What an earlier attempt left unknown, no later one that was refused can tell.
            (Ending::Released | Ending::Open, Some(before)) => Self::State(before),
            (Ending::Open, None) if for_request => Self::State(State::Open),
            (Ending::Released | Ending::Open, None) => Self::Gone,
        }
    }
}

/// Why an engine did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Nothing was done.
    Unavailable(String),
    /// It may have been done, and nobody can say so now.
    InDoubt(String),
    /// What is kept was written by a newer version.
    Newer(i64),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => f.write_str(why),
            Self::InDoubt(why) => write!(f, "{why}, and whether it was done before that is not known"),
            Self::Newer(found) => write!(
                f,
                "the counted state has the form {found}, which a newer version wrote, and this one knows {VERSION}; run that version"
            ),
        }
    }
}

impl std::error::Error for StoreError {}

/// The form in which both engines keep it.
pub(crate) const VERSION: i64 = 3;

/// How long after it counts no more something is still kept, in microseconds: clocks of gates that share it may differ.
pub(crate) const KEPT: i64 = 24 * HOUR;

/// How often what is kept no longer is looked for, in microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// A time as it is kept.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// The time that long after another, as it is kept.
pub(crate) fn after(now: Timestamp, window: Duration) -> i64 {
    micros(now).saturating_add(i64::try_from(window.as_micros()).unwrap_or(i64::MAX))
}

/// When the first of what is counted leaves; never, where that is kept as the end of time.
pub(crate) fn until(kept: Option<i64>) -> Option<Timestamp> {
    kept.filter(|kept| *kept < i64::MAX).and_then(|kept| Timestamp::from_microsecond(kept).ok())
}

/// A figure as it is kept.
pub(crate) fn figure(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A kept figure.
pub(crate) fn read_figure(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: Option<&str>) -> Ending {
        let error_code = code.map(str::to_owned);
        Ending::of(&Outcome::Answered { status, request_id: String::new(), error_code, created: Vec::new() })
    }

    #[test]
    fn only_what_certainly_had_no_effect_is_open_again() {
        assert_eq!(answered(200, None), Ending::Spent);
        assert_eq!(answered(202, None), Ending::Spent);
        assert_eq!(answered(303, None), Ending::Spent);
        assert_eq!(answered(307, None), Ending::Open);
        assert_eq!(answered(400, Some("InvalidInstanceID.NotFound")), Ending::Open);
        assert_eq!(answered(429, None), Ending::Open);
        assert_eq!(answered(408, None), Ending::Unknown);
        assert_eq!(answered(500, Some("InternalError")), Ending::Unknown);
        assert_eq!(answered(502, None), Ending::Unknown);
        assert_eq!(answered(503, Some("SlowDown")), Ending::Open);
        assert_eq!(answered(503, Some("Throttling")), Ending::Open);
        assert_eq!(Ending::of(&Outcome::NotSent { why: "client_gone" }), Ending::Released);
        assert_eq!(Ending::of(&Outcome::Unknown { why: "upstream_reset" }), Ending::Unknown);
    }
}
