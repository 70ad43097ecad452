//! What must be counted once: the seam between judging and forwarding that reserves before and settles after.
//!
//! No rule counts anything yet, so nothing is fetched, reserved or settled, and a request waits for nothing.
//! Leaves out the engines.

use ordain_action::DenialKind;
use ordain_evidence::Reserved;
use ordain_rules::{CounterNeeds, Counters, Judged};

use crate::fault::Fault;

/// The counted state.
#[derive(Debug, Default)]
pub struct State(());

impl State {
    /// A state in which nothing is counted.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }

    /// Fetches what a decision depends on.
    ///
    /// # Errors
    /// A count is needed that no engine keeps: the decision cannot be made.
    pub async fn counters(&self, needs: &CounterNeeds) -> Result<Counters, Fault> {
        match needs.keys().next() {
            None => Ok(Counters::new()),
            Some(key) => Err(Fault::new(
                DenialKind::Unrecordable,
                "counted_state_missing",
                format!("`{}` counts uses, and no engine keeps counts; take it out of the model", key.source),
            )),
        }
    }

    /// Reserves what a verdict was reached on.
    ///
    /// # Errors
    /// What it was reached on has changed since: judge again.
    pub async fn reserve(&self, judged: Judged) -> Result<Reserved, Fault> {
        // Settling is the reservation's own: it goes with the record and hears its outcome, so that no way
        // out of the path can forget it.
        Ok(Reserved::new(judged, None))
    }
}
