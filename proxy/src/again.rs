//! A decision that is judged again, because what it was reached on has changed.
//!
//! Leaves out when that is (`state`), and judging.

use std::sync::Arc;

use ordain_evidence::{Decision, Terms};
use ordain_rules::{Counters, Snapshot};

use crate::gate::Gate;

/// Puts into a decision the time and the model of now, by which it is judged next: a freeze that has begun meanwhile
/// holds.
pub(crate) fn renewed(gate: &Gate, decision: &mut Decision) -> Arc<Snapshot> {
    let model = gate.model.snapshot();
    let (action, head) = (Arc::clone(&decision.action), decision.head.clone());
    let fresh = gate.decision(&model, action, decision.request, Counters::new(), gate.clock.now(), head);
    let terms = Terms { nobody: decision.terms.nobody, ..fresh.terms };
    *decision = Decision { id: decision.id, terms, ..fresh };
    model
}
