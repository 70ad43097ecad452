//! The live inventory as it was at each outcome of the ledger, folded again from the records.
//!
//! Leaves out folding itself (`ordain_rules::LiveInventory`).

use std::collections::{BTreeMap, VecDeque};

use ordain_action::{Action, Outcome};
use ordain_evidence::{Reader, Sequence};
use ordain_proof::record::OutcomeRecord;
use ordain_rules::{CarriedOut, LiveInventory};

/// How many inventories are kept. A decision is recorded a moment after it was judged; what others created in that
/// moment stands in the ledger before it, and not in what it was judged with. Where that was more, it is said. They
/// share what they have in common, and not the list of what lies in one account, so that many more would be large.
const KEPT_MAX: usize = 512;

/// What had been created, by when.
#[derive(Debug, Default)]
pub(super) struct Past {
    nothing: LiveInventory,
    /// The inventories of late, oldest first; those that follow each other share what they have in common.
    inventories: VecDeque<LiveInventory>,
    /// Decisions whose outcome is to come, each with its action, and what of a change that carries out, where they could be
    /// read.
    open: BTreeMap<String, Option<(Action, Option<CarriedOut>)>>,
    /// The first outcome of a decision that could not be read: nobody knows what it created.
    lost: Option<u64>,
}

impl Past {
    /// A decision goes on; what it creates is told by its outcome.
    pub(super) fn opened(&mut self, name: &str, made: Option<(Action, Option<CarriedOut>)>) {
        self.open.insert(name.to_owned(), made);
    }

    /// What became of a decision.
    pub(super) fn outcome(&mut self, record: &OutcomeRecord<'_>, sequence: Sequence) {
        let Some(made) = self.open.remove(record.decision.as_ref()) else { return };
        let outcome = Reader::outcome(record);
        let Some((action, item)) = made else {
            let may_have_created = matches!(&outcome, Outcome::Answered { .. });
            if may_have_created && self.lost.is_none() {
                self.lost = Some(sequence.0);
            }
            return;
        };
        if ordain_rules::created_by(&action, &outcome).is_empty() {
            return;
        }
        let mut next = self.inventories.back().unwrap_or(&self.nothing).clone();
        next.apply_outcome(&action, &outcome, item.as_ref(), sequence.0);
        self.inventories.push_back(next);
        if self.inventories.len() > KEPT_MAX {
            self.inventories.pop_front();
        }
    }

    /// The inventory whose last outcome is this one; `None` where it is not known.
    pub(super) fn live(&self, sequence: u64) -> Option<&LiveInventory> {
        if self.lost.is_some_and(|lost| sequence >= lost) {
            return None;
        }
        if sequence == 0 {
            return Some(&self.nothing);
        }
        let found = self.inventories.binary_search_by_key(&sequence, LiveInventory::sequence).ok()?;
        self.inventories.get(found)
    }
}
