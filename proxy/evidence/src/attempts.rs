//! Refusals that come faster than each gets an entry: counted, per actor, and written as one.
//!
//! Only actors whose identity was established come here, so their number is the model's, not the
//! network's. Leaves out the queue's own headroom (`ledger.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{ActorKind, DecisionId, Digest, Reading};
use ordain_proof::record::{AttemptsRecord, TallyRecord};
use ordain_rules::Verdict;

use crate::durable::Decision;
use crate::settings::AttemptRate;

/// How many different words are counted; the rest come under `other`.
const WORDS_MAX: usize = 16;

/// How many actors are remembered; beyond it, those that have their full burst back are forgotten.
const ACTORS_MAX: usize = 4096;

/// The refusals of all actors.
#[derive(Debug)]
pub(crate) struct Attempts {
    rate: AttemptRate,
    actors: BTreeMap<Arc<str>, Window>,
}

#[derive(Debug)]
struct Window {
    left: u32,
    since: Timestamp,
    tally: Option<Tally>,
}

/// Refusals of one actor, counted.
#[derive(Debug)]
pub(crate) struct Tally {
    actor: Arc<str>,
    kind: ActorKind,
    count: u64,
    first: Timestamp,
    last: Timestamp,
    first_decision: DecisionId,
    last_decision: DecisionId,
    request: Digest,
    reasons: BTreeMap<String, u64>,
    operations: BTreeMap<String, u64>,
}

impl Attempts {
    pub(crate) const fn new(rate: AttemptRate) -> Self {
        Self { rate, actors: BTreeMap::new() }
    }

    /// Whether this refusal may be an entry of its own.
    pub(crate) fn admit(&mut self, decision: &Decision) -> bool {
        let rate = self.rate;
        let now = decision.now;
        let name = &decision.action.actor.party.name;
        if self.actors.len() >= ACTORS_MAX && !self.actors.contains_key(name) {
            self.actors.retain(|_, window| {
                window.refill(rate, now);
                window.tally.is_some() || window.left < rate.burst
            });
        }
        if self.actors.len() >= ACTORS_MAX && !self.actors.contains_key(name) {
            return false;
        }
        let fresh = || Window { left: rate.burst, since: now, tally: None };
        let window = self.actors.entry(Arc::clone(name)).or_insert_with(fresh);
        window.refill(rate, now);
        match window.left.checked_sub(1) {
            Some(left) => {
                window.left = left;
                true
            }
            None => false,
        }
    }

    /// Counts a refusal that is no entry of its own.
    pub(crate) fn count(&mut self, decision: &Decision, verdict: &Verdict) {
        let party = &decision.action.actor.party;
        let fresh = || Window { left: 0, since: decision.now, tally: None };
        let window = self.actors.entry(Arc::clone(&party.name)).or_insert_with(fresh);
        let tally = window.tally.get_or_insert_with(|| Tally {
            actor: Arc::clone(&party.name),
            kind: party.kind,
            count: 0,
            first: decision.now,
            last: decision.now,
            first_decision: decision.id,
            last_decision: decision.id,
            request: decision.request,
            reasons: BTreeMap::new(),
            operations: BTreeMap::new(),
        });
        tally.count += 1;
        tally.last = decision.now;
        tally.last_decision = decision.id;
        tally.request = decision.request;
        let reason = verdict.reasons.first().map_or("none", |reason| reason.code.as_str());
        bump(&mut tally.reasons, reason);
        let operation = match &decision.action.reading {
            Reading::Call(call) => call.effects.first().map_or("none", |effect| &effect.iam_action),
            Reading::Undecodable { .. } => "undecodable",
        };
        bump(&mut tally.operations, operation);
    }

    /// Takes what was counted and has waited long enough; everything with `all`.
    pub(crate) fn due(&mut self, now: Timestamp, all: bool) -> Vec<Tally> {
        let at_latest = self.rate.at_latest;
        let waited = |tally: &Tally| all || elapsed(tally.first, now) >= at_latest;
        let windows = self.actors.values_mut();
        windows.filter_map(|window| window.tally.take_if(|tally| waited(tally))).collect()
    }
}

impl Window {
    fn refill(&mut self, rate: AttemptRate, now: Timestamp) {
        let seconds = elapsed(self.since, now).as_secs();
        if seconds == 0 {
            return;
        }
        let back = u64::from(rate.per_second).saturating_mul(seconds);
        let back = u32::try_from(back).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(back).min(rate.burst);
        self.since = now;
    }
}

impl Tally {
    pub(crate) fn to_record(&self) -> AttemptsRecord<'_> {
        let tally = |words: &BTreeMap<String, u64>| -> Vec<TallyRecord<'_>> {
            words.iter().map(|(word, count)| TallyRecord(word.clone().into(), *count)).collect()
        };
        AttemptsRecord {
            actor: self.actor.as_ref().into(),
            kind: self.kind.as_str().into(),
            count: self.count,
            first: self.first.to_string().into(),
            last: self.last.to_string().into(),
            first_decision: self.first_decision.to_string().into(),
            last_decision: self.last_decision.to_string().into(),
            request: self.request.to_hex().into(),
            reasons: tally(&self.reasons),
            operations: tally(&self.operations),
        }
    }
}

fn bump(words: &mut BTreeMap<String, u64>, word: &str) {
    if let Some(count) = words.get_mut(word) {
        *count += 1;
    } else if words.len() < WORDS_MAX {
        words.insert(word.to_owned(), 1);
    } else {
        *words.entry("other".to_owned()).or_default() += 1;
    }
}

/// The time from one moment to another; none when the clock went back.
fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
