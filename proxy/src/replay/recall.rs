//! Single decisions of the ledger, with what had been created when each was made.
//!
//! Leaves out judging them again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use ordain_evidence::{ReadError, Reader, Recalled, Sequence, may_create};
use ordain_proof::record::Record;
use ordain_rules::LiveInventory;

use super::NotJudged;
use super::past::Past;

/// A decision as it was made, and what was said.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// What it was made from.
    pub recalled: Recalled,
    /// What had been created.
    pub live: LiveInventory,
    /// What was said: `admit`, `hold` or `deny`.
    pub ruling: String,
    /// The codes of the reasons that ruled so.
    pub codes: BTreeSet<String>,
    /// Who was named as owners.
    pub owners: Vec<String>,
}

/// Decisions by their names; those that the ledger does not hold are left out.
///
/// # Errors
/// It cannot be read.
pub fn recall(
    reader: &Reader,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, Result<Remembered, NotJudged>>, ReadError> {
    let mut past = Past::default();
    let mut found = BTreeMap::new();
    reader.records(|entry, record| {
        let decision = match record {
            Record::Decision(decision) => decision,
            Record::Outcome(outcome) => {
                past.outcome(outcome, Sequence(entry.sequence));
                return ControlFlow::Continue(());
            }
            Record::Attempts(_) | Record::Change(_) | Record::Tunnel(_) | Record::TunnelEnd(_) => {
                return ControlFlow::Continue(());
            }
        };
        let (is_wanted, goes_on) = (wanted.contains(decision.id.as_ref()), decision.effect != "refused");
        if !(is_wanted || goes_on && may_create(entry)) {
            return ControlFlow::Continue(());
        }
        let read = decision.with_detail(entry.blob, |detail| {
            let recalled = Recalled::of(decision, detail).ok_or(NotJudged::Words)?;
            let live = past.live(recalled.live).cloned();
            let ruled = detail.reasons.iter().filter(|reason| reason.ruling == decision.ruling);
            let codes = ruled.map(|reason| reason.code.to_string()).collect();
            Ok((recalled, live, codes, detail.owners.iter().map(ToString::to_string).collect()))
        });
        let read = read.unwrap_or(Err(NotJudged::Detail));
        if goes_on {
            // As where all are judged again: one that cannot be read may have created something.
            let made = |recalled: &Recalled| (recalled.action.clone(), recalled.change.clone());
            let made = read.as_ref().ok().map(|(recalled, ..)| made(recalled));
            if may_create(entry) || made.is_none() {
                past.opened(&decision.id, made);
            }
        }
        if is_wanted {
            let remembered = read.and_then(|(recalled, live, codes, owners)| {
                let live = live.ok_or(NotJudged::Live)?;
                Ok(Remembered { recalled, live, ruling: decision.ruling.to_string(), codes, owners })
            });
            found.insert(decision.id.to_string(), remembered);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
