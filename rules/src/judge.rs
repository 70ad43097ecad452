//! Why a change is admitted or refused: every stage and every effect, all reasons, deny > hold > admit.
//!
//! Leaves out everything that acts: the same snapshot, action, counters and time make the same verdict.

use jiff::Timestamp;
use ordain_action::{Action, Digest, ReasonCode};

use crate::{
    Count, CounterNeeds, Counters, Judged, Mode, Permit, PermitKind, Reach, Reason, Ruling, Snapshot, Verdict,
};

/// What must be counted before an action can be judged.
#[must_use]
pub fn needs(_snapshot: &Snapshot, _action: &Action) -> CounterNeeds {
    CounterNeeds::default()
}

/// Judges a change.
#[must_use]
pub fn judge(
    snapshot: &Snapshot,
    action: &Action,
    request: Digest,
    counters: &Counters,
    _now: Timestamp,
) -> Judged {
    let mode = snapshot.modes().of(&action.actor.upstream);
    let mut reasons = Vec::new();
    if let Some(key) = counters.missing(&needs(snapshot, action)) {
        reasons.push(refusal(
            Count::Identity,
            "counters_missing",
            format!("`{}` was not counted", key.source),
        ));
    }
    if !snapshot.has_model() {
        reasons.push(refusal(
            Count::Identity,
            "no_model",
            "there is no model yet, so nothing says that this may happen; load a model".to_owned(),
        ));
    }
    let verdict = Verdict {
        ruling: Ruling::Deny,
        mode,
        reasons,
        owners: Vec::new(),
        reach: Reach::default(),
        no_model: !snapshot.has_model(),
    };
    let permit = match mode {
        Mode::Shadow | Mode::Warn => Some(Permit::new(PermitKind::Shadowed, request)),
        Mode::Enforce => None,
    };
    Judged { verdict, permit }
}

/// Judges a read: who asks, and whether their read scope covers it. No policy is evaluated.
#[must_use]
pub fn read(snapshot: &Snapshot, action: &Action, request: Digest) -> Judged {
    let upstream = &action.actor.upstream;
    let covered = snapshot.read_scope(&action.actor) == &crate::read_scope::EVERYTHING;
    let (ruling, permit) = if covered {
        (Ruling::Admit, Some(Permit::new(PermitKind::Read, request)))
    } else {
        (Ruling::Deny, None)
    };
    let verdict = Verdict {
        ruling,
        mode: snapshot.modes().of(upstream),
        reasons: Vec::new(),
        owners: Vec::new(),
        reach: Reach::default(),
        no_model: !snapshot.has_model(),
    };
    Judged { verdict, permit }
}

fn refusal(count: Count, code: &str, text: String) -> Reason {
    Reason {
        ruling: Ruling::Deny,
        count,
        code: ReasonCode::new(code).unwrap_or_else(ReasonCode::internal_fault),
        text,
        remedy: String::new(),
        rules: Vec::new(),
        effect: 0,
    }
}
