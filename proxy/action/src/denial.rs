//! A refusal, before a room puts it into its plane's own words.

use crate::DecisionId;

/// A stable machine-readable reason: matches `[a-z][a-z0-9_]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReasonCode(String);

impl ReasonCode {
    /// A reason code, or `None` when the text does not match `[a-z][a-z0-9_]{0,63}`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        (first && rest && text.len() <= 64).then(|| Self(text.to_owned()))
    }

    /// The code of a fault whose own code does not match: `internal_fault`.
    #[must_use]
    pub fn internal_fault() -> Self {
        Self("internal_fault".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The sort of refusal; a room maps it to a status and an error code its plane's clients do not retry,
/// but for `Busy` and `Throttled`, which they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenialKind {
    /// The model or a rule says no: 403, the plane's access-denied error.
    Forbidden,
    /// Who asks could not be established: 403, the plane's signature or token error.
    Unauthenticated,
    /// Who asks a proxy has not said who it is: 407.
    ProxyUnauthenticated,
    /// Not well formed, or cannot be decoded: 400.
    Malformed,
    /// For another host than this one: 421.
    Misdirected,
    /// The body did not come in time: 408.
    Timeout,
    /// Over the cap: 413.
    TooLarge,
    /// An encoding that is not accepted: 415.
    Encoding,
    /// `Expect` other than `100-continue`: 417.
    Expectation,
    /// A limit of ours is reached: 503, retryable.
    Busy,
    /// The actor asks for more than it may at a time: 429, retryable, by slowing down.
    Throttled,
    /// The evidence cannot be written: 403 for changes, not retryable, until an operator acts.
    Unrecordable,
    /// The upstream could not be reached or did not answer: 502.
    BadGateway,
    /// The upstream took too long: 504.
    GatewayTimeout,
}

impl DenialKind {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Forbidden | Self::Unauthenticated | Self::Unrecordable => 403,
            Self::ProxyUnauthenticated => 407,
            Self::Malformed => 400,
            Self::Misdirected => 421,
            Self::Timeout => 408,
            Self::TooLarge => 413,
            Self::Encoding => 415,
            Self::Expectation => 417,
            Self::Busy => 503,
            Self::Throttled => 429,
            Self::BadGateway => 502,
            Self::GatewayTimeout => 504,
        }
    }
}

/// A refusal as the caller may see it: what, why, remedy, where to ask; nothing that leaks rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The sort of refusal.
    pub kind: DenialKind,
    /// The machine-readable reason.
    pub reason_code: ReasonCode,
    /// The whole sentence for a person, decision id included.
    pub text: String,
    /// The decision, once there is one.
    pub decision: Option<DecisionId>,
}
