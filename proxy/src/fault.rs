//! What can go wrong with a request before or after its verdict, and who is told what.
//!
//! Two texts: what the caller may read, and what the operator must know. A fault of ours ends in a denial
//! in the plane's own form, never in a permission.

use std::fmt;

use ordain_action::{DecisionId, Denial, DenialKind, ReasonCode};

/// Something that ended a request other than an answer.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: DenialKind,
    reason_code: &'static str,
    text: String,
    detail: String,
    decision: Option<DecisionId>,
}

impl Fault {
    /// A fault whose text says all there is to know.
    #[must_use]
    pub fn new(kind: DenialKind, reason_code: &'static str, text: impl Into<String>) -> Self {
        Self { kind, reason_code, text: text.into(), detail: String::new(), decision: None }
    }

    /// Adds what the operator must know and the caller must not.
    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = detail.to_string();
        self
    }

    /// Names the decision that the fault belongs to.
    #[must_use]
    pub const fn with_decision(mut self, decision: DecisionId) -> Self {
        self.decision = Some(decision);
        self
    }

    /// The machine-readable reason.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        self.reason_code
    }

    /// What the operator's log says.
    #[must_use]
    pub fn log_text(&self) -> String {
        if self.detail.is_empty() { self.text.clone() } else { format!("{}: {}", self.text, self.detail) }
    }

    /// What the caller is told.
    #[must_use]
    pub fn denial(&self) -> Denial {
        let text = match self.decision {
            Some(decision) => format!("{} (decision {decision})", self.text),
            None => self.text.clone(),
        };
        Denial { kind: self.kind, reason_code: reason_code(self.reason_code), text, decision: self.decision }
    }
}

/// A reason code of ours as the checked type.
#[must_use]
pub fn reason_code(code: &str) -> ReasonCode {
    ReasonCode::new(code).unwrap_or_else(ReasonCode::internal_fault)
}
