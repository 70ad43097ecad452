//! How often something is told that is not taken, and what is not tried again.
//!
//! No clock and no connection: how long it has been tried for is handed in. Leaves out sending it.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

/// For how long it is tried.
const LASTS: Duration = Duration::from_secs(600);

/// The pause behind the first try; each is twice as long as the one before.
const FIRST: Duration = Duration::from_secs(1);

/// The longest pause that we choose.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest that who is told may ask for.
const ASKED_LONGEST: Duration = Duration::from_secs(120);

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried {
    /// It was answered so, and how long we are to wait.
    Answered(StatusCode, Option<Duration>),
    /// It was not answered.
    Unanswered(String),
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It was taken.
    Taken,
    /// It is not tried again: it was understood, and is not wanted.
    Refused,
    /// It was tried for long enough.
    GivenUp,
    /// It is tried again after this time.
    Again(Duration),
}

/// What follows the try of this number, the first being 1, after so long.
pub(super) fn next(number: u32, tried_for: Duration, tried: &Tried) -> Next {
    let asked = match tried {
        Tried::Answered(status, _) if status.is_success() => return Next::Taken,
        Tried::Answered(status, asked) if is_passing(*status) => asked.unwrap_or_default(),
        // Redirects among them: a notice goes where the settings say, and nowhere else.
        Tried::Answered(..) => return Next::Refused,
        Tried::Unanswered(_) => Duration::ZERO,
    };
    let doubled = 1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX);
    let own = FIRST.saturating_mul(doubled).min(LONGEST);
    let pause = own.max(asked.min(ASKED_LONGEST));
    if tried_for.saturating_add(pause) > LASTS { Next::GivenUp } else { Next::Again(pause) }
}

/// Whether what was answered may be otherwise in a while.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// How long an answer asks us to wait: in seconds, or until a time (RFC 9110 section 10.2.3).
pub(super) fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = said.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(said).ok()?.timestamp();
    Duration::try_from(until.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Tried {
        Tried::Answered(StatusCode::from_u16(status).unwrap(), None)
    }

    /// The pauses between tries that all go so, each of which takes so long, and what ends them.
    fn pauses(tried: &Tried, takes: Duration) -> (Vec<u64>, Next) {
        let (mut pauses, mut passed) = (Vec::new(), takes);
        let mut number = 1;
        loop {
            let Next::Again(pause) = next(number, passed, tried) else {
                return (pauses, next(number, passed, tried));
            };
            pauses.push(pause.as_secs());
            (number, passed) = (number + 1, passed + pause + takes);
        }
    }

    #[test]
    fn pauses_grow_to_a_minute_and_end_after_ten() {
        let (seen, end) = pauses(&answered(500), Duration::ZERO);
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60]);
        assert!(end == Next::GivenUp && seen.iter().sum::<u64>() <= 600);
        let (seen, end) = pauses(&Tried::Unanswered("gone".to_owned()), Duration::from_secs(10));
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
        assert_eq!(end, Next::GivenUp);
    }

    #[test]
    fn what_was_understood_and_is_not_wanted_is_not_tried_again() {
        for status in [200, 202, 204] {
            assert_eq!(next(1, Duration::ZERO, &answered(status)), Next::Taken, "{status}");
        }
        for status in [301, 302, 307, 308, 400, 401, 403, 404, 410, 422] {
            assert_eq!(next(1, Duration::ZERO, &answered(status)), Next::Refused, "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(next(1, Duration::ZERO, &answered(status)), Next::Again(FIRST), "{status}");
        }
    }

    #[test]
    fn who_is_told_may_ask_for_a_longer_pause_and_for_none_that_is_shorter_or_without_end() {
        let asks = |seconds| {
            let tried = Tried::Answered(StatusCode::SERVICE_UNAVAILABLE, Some(Duration::from_secs(seconds)));
            next(4, Duration::ZERO, &tried)
        };
        assert_eq!(asks(0), Next::Again(Duration::from_secs(8)));
        assert_eq!(asks(30), Next::Again(Duration::from_secs(30)));
        assert_eq!(asks(86_400), Next::Again(ASKED_LONGEST));
    }

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_by_a_time() {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        let check = |said: &'static str, expected: Option<u64>| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, http::HeaderValue::from_static(said))]);
            assert_eq!(asked(&headers, now), expected.map(Duration::from_secs), "{said}");
        };
        check("120", Some(120));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(30));
        check("Sun, 06 Nov 1994 08:48:37 GMT", None);
        check("soon", None);
        check("-1", None);
    }
}
