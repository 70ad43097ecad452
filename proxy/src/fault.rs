//! What can go wrong with a request before or after its verdict, and who is told what.
//!
//! Two texts: what the caller may read, and what the operator must know. A fault of ours ends in a denial
//! in the plane's own form, never in a permission.

use std::fmt;

use ordain_action::{Action, DecisionId, Denial, DenialKind, ReasonCode};
use ordain_rules::{Ruling, Verdict};
use uuid::Uuid;

use crate::forward::ForwardError;
use crate::held::HoldError;
use crate::holds::{self, Asked};

/// Something that ended a request other than an answer.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: DenialKind,
    reason_code: ReasonCode,
    text: String,
    detail: String,
    decision: Option<DecisionId>,
    hold: Option<Uuid>,
}

impl Fault {
    /// A fault whose text says all there is to know.
    #[must_use]
    pub fn new(kind: DenialKind, reason: &str, text: impl Into<String>) -> Self {
        let reason_code = ReasonCode::new(reason).unwrap_or_else(ReasonCode::internal_fault);
        Self { kind, reason_code, text: text.into(), detail: String::new(), decision: None, hold: None }
    }

    /// The judge's refusal: who may not do what to which resource, why, and what would help.
    #[must_use]
    pub fn refused(action: &Action, verdict: &Verdict, decision: DecisionId, asked: Option<&Asked>) -> Self {
        let deciding = verdict.reasons.iter().find(|reason| reason.ruling != Ruling::Admit);
        let (code, why) = match deciding {
            Some(reason) if reason.remedy.is_empty() => (reason.code.clone(), reason.text.clone()),
            Some(reason) => (reason.code.clone(), format!("{}; {}", reason.text, reason.remedy)),
            None => (ReasonCode::internal_fault(), "no reason was recorded; tell the operator".to_owned()),
        };
        // Whoever asked is told whom it waits for, in place of whom to ask.
        let why = match (asked, deciding) {
            (Some(asked), Some(reason)) => format!("{}; {}", reason.text, holds::told(asked)),
            (Some(_) | None, _) => why,
        };
        let effect = deciding.map_or(0, |reason| reason.effect);
        // The plane's own sentence, which tools and people already know how to read.
        let text = ordain_decode::refusal(&action.actor.party.name, &action.reading, effect, &why);
        let mut fault = Self::new(DenialKind::Forbidden, code.as_str(), text);
        fault.decision = Some(decision);
        if let Some(Asked::Waits { id, .. }) = asked {
            fault.hold = Some(*id);
        }
        fault
    }

    /// The hold that the request waits under.
    #[must_use]
    pub const fn hold(&self) -> Option<Uuid> {
        self.hold
    }

    /// A proof of ours did not fit: the caller is told no more than that.
    #[must_use]
    pub fn internal(detail: &dyn fmt::Display) -> Self {
        let text = "the gate stopped the request because its own checks disagreed; tell the operator";
        Self::new(DenialKind::BadGateway, "internal_fault", text).with_detail(detail)
    }

    /// The upstream was not reached, or did not answer.
    #[must_use]
    pub fn unanswered(error: &ForwardError, decision: DecisionId) -> Self {
        let (kind, code, text) = match error {
            // Not the provider's doing, and no better for being tried again as it is.
            ForwardError::Broken(broken) => (broken.kind, broken.reason_code, broken.text.as_str()),
            ForwardError::NotStarted(_) => (
                DenialKind::BadGateway,
                "upstream_unreachable",
                "the control plane could not be reached, and nothing was sent; try again",
            ),
            ForwardError::Refused => (
                DenialKind::BadGateway,
                "upstream_refused_stream",
                "the control plane refused the request before it looked at it, and nothing was done; try again",
            ),
            ForwardError::Unanswered { .. } => (
                DenialKind::BadGateway,
                "upstream_unanswered",
                "the control plane took the request and did not answer; look before you repeat it",
            ),
            ForwardError::Over => (
                DenialKind::Forbidden,
                "ended_unanswered",
                "who asked for it may do so no more, or the gate stops; look before you repeat it",
            ),
            ForwardError::Late(_) => (
                DenialKind::GatewayTimeout,
                "upstream_late",
                "the control plane did not answer in time; look before you repeat it",
            ),
        };
        Self::new(kind, code, text).with_detail(error).with_decision(decision)
    }

    /// The evidence could not be written, so the change was not made.
    #[must_use]
    pub fn unrecordable(why: &str, decision: DecisionId) -> Self {
        let text = "the change was not made because it cannot be recorded; tell the operator that changes are stopped";
        Self::new(DenialKind::Unrecordable, "not_recordable", text).with_detail(why).with_decision(decision)
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
    pub const fn reason_code(&self) -> &ReasonCode {
        &self.reason_code
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
            Some(decision) => format!("{} (ordain decision {decision})", self.text),
            None => self.text.clone(),
        };
        Denial { kind: self.kind, reason_code: self.reason_code.clone(), text, decision: self.decision }
    }
}

impl From<HoldError> for Fault {
    fn from(error: HoldError) -> Self {
        Self::new(error.kind(), error.reason_code(), error.to_string())
    }
}
