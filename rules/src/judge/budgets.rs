//! Budgets: what has to be counted to judge an action, and whether it still fits.
//!
//! A window slides: a change counts from when it was admitted until the window has passed over it, so that no instant
//! has more behind it than the limit. Leaves out counting.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::{Action, Call, Party, Reading};

use super::stages::Touched;
use crate::blast::Measured;
use crate::budget::{Budget, Counts, Per};
use crate::change::Asked;
use crate::model::{Model, Person};
use crate::{Charge, Count, CounterKey, CounterNeeds, Counters, Reason, Ruling, Snapshot, refusal};

/// What must be counted before an action can be judged: of every budget that may be concerned, before anything is
/// resolved.
#[must_use]
pub fn needs(snapshot: &Snapshot, action: &Action) -> CounterNeeds {
    let Some(model) = snapshot.model().filter(|model| !model.budgets.is_empty()) else {
        return CounterNeeds::default();
    };
    let Reading::Call(call) = &action.reading else { return CounterNeeds::default() };
    let parties = std::iter::once(&action.actor.party).chain(&action.actor.on_behalf_of);
    let known = parties.filter_map(|party| Some((party, model.people.actors.get(&party.name)?)));
    known.flat_map(|(party, person)| keys((snapshot, model), action, call, party, person)).collect()
}

fn keys(
    (snapshot, model): (&Snapshot, &Model),
    action: &Action,
    call: &Call,
    party: &Party,
    person: &Person,
) -> Vec<CounterKey> {
    // A change of labels may be judged as a grant: which it is shows only when it is resolved.
    let may_count = |budget: &&Budget| {
        call.effects.iter().filter(|effect| effect.access.is_change()).any(|effect| {
            let operation = operation(effect);
            budget.counts(effect.access, &operation)
                || budget.counts(ordain_action::Access::Grant, &operation)
        })
    };
    let of = model.budgets.iter().filter(|budget| budget.is_of(party, person)).filter(may_count);
    let (of_changes, others): (Vec<&Budget>, Vec<&Budget>) = of.partition(|budget| budget.per == Per::Change);
    let mut keys: Vec<CounterKey> =
        others.into_iter().filter_map(|budget| budget.key(&action.actor, party, None)).collect();
    if !of_changes.is_empty() {
        // Of whichever of its changes it turns out to carry out.
        let (changes, asked) = (&model.changes, Asked::of(call));
        let calls = changes.candidates(call, &action.actor, &party.name, person);
        let held = calls.iter().filter(|found| found.holds(&asked, snapshot.live()).is_ok());
        for change in held.map(|found| &found.change.name) {
            keys.extend(
                of_changes.iter().filter_map(|budget| budget.key(&action.actor, party, Some(change))),
            );
        }
    }
    keys
}

fn operation(effect: &ordain_action::Effect) -> String {
    format!("{}:{}", effect.service, effect.operation)
}

/// What an action takes of the budgets it falls under, and which of them it does not fit.
pub(super) fn charge(
    model: &Model,
    action: &Action,
    parties: &[(&Party, &Person, Option<Arc<str>>)],
    touched: &[Touched<'_>],
    measured: &Measured,
    counters: &Counters,
) -> (Vec<Charge>, Vec<Reason>) {
    let (mut charges, mut reasons) = (BTreeMap::new(), Vec::new());
    for budget in &model.budgets {
        for (party, _, change) in parties.iter().filter(|(party, person, _)| budget.is_of(party, person)) {
            let counted: Vec<(&Touched<'_>, u64)> =
                touched.iter().filter_map(|touched| Some((touched, counted(budget, touched)?))).collect();
            let Some((first, _)) = counted.first() else { continue };
            let taken = Taken { budget, party, effect: first.index };
            let amount = match budget.counts {
                Counts::Changes => Some(1),
                Counts::Targets => Some(counted.iter().map(|(_, targets)| targets).sum()),
                Counts::Dependants => measured.unknown.is_empty().then_some(measured.dependants),
            };
            let Some(key) = budget.key(&action.actor, party, change.as_ref()) else { continue };
            match taken.of(&key, amount, counters) {
                Err(reason) => reasons.push(*reason),
                Ok(0) => {}
                // Who shares a budget with those it acts for takes of it once.
                Ok(amount) => {
                    let charge =
                        Charge { key: key.clone(), amount, limit: budget.limit, window: budget.within };
                    drop(charges.insert(key, charge));
                }
            }
        }
    }
    (charges.into_values().collect(), reasons)
}

/// How many resources of an effect a budget counts; `None` where it does not count the effect.
fn counted(budget: &Budget, touched: &Touched<'_>) -> Option<u64> {
    // Changes of data only are outside of budgets, as they are outside of intents.
    if touched.is_data() || !budget.counts(touched.access, &operation(touched.effect)) {
        return None;
    }
    let sites = touched.judged.iter();
    let covered = sites.filter(|site| site.anywhere || touched.is_covered(&budget.covers, site)).count();
    // What is created stands nowhere yet and is judged by where it will be.
    let targets = covered.min(touched.targets().max(1));
    (covered > 0).then(|| u64::try_from(targets).unwrap_or(u64::MAX))
}

/// One budget that a party takes of.
struct Taken<'t> {
    budget: &'t Budget,
    party: &'t Party,
    effect: usize,
}

impl Taken<'_> {
    /// How much is taken, where it fits.
    fn of(&self, key: &CounterKey, amount: Option<u64>, counters: &Counters) -> Result<u64, Box<Reason>> {
        let Budget { name, window, limit, counts, .. } = self.budget;
        let (who, what) = (&self.party.name, counts.as_str());
        let Some(amount) = amount else {
            let text = format!(
                "budget `{name}` counts what depends on what `{who}` changes, and for this that is not known"
            );
            let remedy = "declare in the model what it is and what depends on it".to_owned();
            return Err(Box::new(self.refused("budget_unknown", text, remedy)));
        };
        let Some(counted) = counters.get(key) else {
            let text = format!("budget `{name}` limits this, and what was used of it cannot be read now");
            let remedy = "try again in a moment; tell the operator if it stays so".to_owned();
            return Err(Box::new(self.refused("counted_state_unavailable", text, remedy)));
        };
        if amount == 0 || counted.value.saturating_add(amount) <= *limit {
            return Ok(amount);
        }
        let shared = match self.budget.per {
            Per::Change => format!("change `{}` has", key.subject),
            Per::Actor | Per::Session | Per::All if key.subject == self.party.name => format!("`{who}` has"),
            Per::Actor | Per::Session | Per::All => shared(key),
        };
        let mut text = format!(
            "{shared} used {} of {limit} {what} within {window} (budget `{name}`), and this takes {amount} more",
            counted.value
        );
        if let Some(until) = counted.until {
            text.push_str(&format!("; the first of them counts no more from {until}"));
        }
        let first = if amount > *limit { "change less at once" } else { "wait" };
        let remedy = format!("{first}, or have whoever keeps the model raise `limit` of budget `{name}`");
        Err(Box::new(self.refused("budget_exceeded", text, remedy)))
    }

    fn refused(&self, code: &str, text: String, remedy: String) -> Reason {
        refusal::reason(Ruling::Deny, Count::BlastRadius, code, self.effect, (text, remedy))
    }
}

fn shared(key: &CounterKey) -> String {
    if &*key.subject == "all" { "all together have".to_owned() } else { format!("`{}` has", key.subject) }
}
