//! Judges again what the ledger holds, from the records alone: what another model, or other rules, would have said.
//!
//! The live inventory is folded again from the outcomes as they come, so that each decision is judged with what had
//! been created when it was made. Leaves out what is shown of it (`cli/replay.rs`), and what was never recorded: reads
//! that passed.

mod difference;
mod hits;
mod past;
mod recall;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jiff::Timestamp;
use ordain_evidence::{Digests, ReadError, Reader, Recalled, Sequence, Terms, may_create};
use ordain_proof::record::{self, AttemptsRecord, DecisionRecord, DetailRecord, DigestsRecord, Record};
use ordain_proof::replay::Entry;
use ordain_rules::{Modes, Snapshot, Verdict};

pub use difference::{Changed, Group};
pub use hits::Hits;
pub use recall::{Remembered, recall};

use difference::Differences;
use past::Past;

/// What is replayed, and by what.
#[derive(Debug)]
pub struct Asked {
    /// The model to judge by, with the modes that configuration sets.
    pub model: Snapshot,
    /// What decisions are made from now.
    pub digests: Digests,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only this actor's.
    pub actor: Option<String>,
}

/// Why a decision cannot be judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotJudged {
    /// What it is about lies beside its entry, and cannot be read there.
    Detail,
    /// It uses words that this version does not know.
    Words,
    /// What had been created when it was made is not known any more.
    Live,
    /// It was refused among many and only counted.
    Counted,
}

impl NotJudged {
    /// It was judged, and cannot be judged again.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        match self {
            Self::Detail | Self::Words | Self::Live => true,
            Self::Counted => false,
        }
    }

    /// What is so, for a person.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Detail => "what they are about cannot be read: see `ordain ledger verify`",
            Self::Words => {
                "they were recorded in words that this version does not know: replay with the version that did"
            }
            Self::Live => {
                "what had been created when they were made is not known: a record before them cannot be read"
            }
            Self::Counted => "they were refused in a burst and only counted: see `ordain ledger query`",
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Replayed {
    /// Decisions that were judged again.
    pub judged: u64,
    /// Those of which the same was said, to the last word.
    pub equal: u64,
    /// Those that were recorded with another model, other rules or by another version: what differs there is what has
    /// changed since.
    pub other: u64,
    /// Those that were recorded before the terms were, and are judged on those in force.
    pub without_terms: u64,
    /// Of those that were recorded with all that is given here, how many differ. It must be none.
    pub impossible: u64,
    /// What could not be judged again, and why.
    pub not_judged: BTreeMap<NotJudged, u64>,
    /// What differs, the most frequent first.
    pub groups: Vec<Group>,
    /// How often each rule of the model was a reason, by id.
    pub hits: Vec<Hits>,
}

/// Judges a ledger again.
///
/// # Errors
/// It cannot be read.
pub fn replay(reader: &Reader, asked: Asked) -> Result<Replayed, ReadError> {
    let mut replay = Replay {
        digests: words(&asked.digests),
        past: Past::default(),
        differences: Differences::default(),
        hits: BTreeMap::new(),
        result: Replayed {
            judged: 0,
            equal: 0,
            other: 0,
            without_terms: 0,
            impossible: 0,
            not_judged: BTreeMap::new(),
            groups: Vec::new(),
            hits: Vec::new(),
        },
        asked,
    };
    reader.records(|entry, record| {
        match record {
            Record::Decision(decision) => replay.decision(entry, decision),
            Record::Outcome(outcome) => replay.past.outcome(outcome, Sequence(entry.sequence)),
            Record::Attempts(attempts) => replay.attempts(attempts),
            Record::Change(_) | Record::Tunnel(_) | Record::TunnelEnd(_) => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(replay.finish())
}

struct Replay {
    asked: Asked,
    digests: DigestsRecord<'static>,
    past: Past,
    differences: Differences,
    hits: BTreeMap<String, (u64, Timestamp)>,
    result: Replayed,
}

impl Replay {
    fn decision(&mut self, entry: &Entry<'_>, decision: &DecisionRecord<'_>) {
        let wanted = self.wants(&decision.actor.party.name, &decision.time);
        let goes_on = decision.effect != "refused";
        if !(wanted || goes_on && may_create(entry)) {
            return;
        }
        let read = decision.with_detail(entry.blob, |detail| {
            let recalled = Recalled::of(decision, detail).ok_or(NotJudged::Words)?;
            if wanted {
                self.judge(decision, detail, &recalled)?;
            }
            Ok(recalled)
        });
        let read = read.unwrap_or(Err(NotJudged::Detail));
        if goes_on {
            // One that cannot be read may have created something: what comes after it is judged without.
            let made = |recalled: &Recalled| (recalled.action.clone(), recalled.change.clone());
            let made = read.as_ref().ok().map(made);
            let lost = matches!(read, Err(NotJudged::Detail | NotJudged::Words));
            if may_create(entry) || lost {
                self.past.opened(&decision.id, made);
            }
        }
        if let (true, Err(why)) = (wanted, read) {
            *self.result.not_judged.entry(why).or_default() += 1;
        }
    }

    fn attempts(&mut self, attempts: &AttemptsRecord<'_>) {
        if self.wants(&attempts.actor, &attempts.last) {
            *self.result.not_judged.entry(NotJudged::Counted).or_default() += attempts.count;
        }
    }

    fn wants(&self, actor: &str, time: &str) -> bool {
        let Asked { since, until, actor: wanted, .. } = &self.asked;
        if wanted.as_deref().is_some_and(|wanted| wanted != actor) {
            return false;
        }
        if since.is_none() && until.is_none() {
            return true;
        }
        // What says no time that can be read is no part of any period.
        let Ok(time) = time.parse::<Timestamp>() else { return false };
        since.is_none_or(|since| time >= since) && until.is_none_or(|until| time < until)
    }

    fn judge(
        &mut self,
        decision: &DecisionRecord<'_>,
        detail: &DetailRecord<'_>,
        recalled: &Recalled,
    ) -> Result<(), NotJudged> {
        let live = self.past.live(recalled.live).ok_or(NotJudged::Live)?;
        let verdict = judged(&self.asked.model.with_live(live), recalled);
        self.result.judged += 1;
        self.count(&verdict, recalled.now);
        let same_model = decision.digests == self.digests;
        self.result.other += u64::from(!same_model);
        self.result.without_terms += u64::from(recalled.terms.is_none());
        if ordain_evidence::says(decision, detail, &verdict) {
            self.result.equal += 1;
            return Ok(());
        }
        let impossible = same_model && recalled.terms.is_some();
        self.result.impossible += u64::from(impossible);
        self.differences.add(decision, detail, &verdict, impossible);
        Ok(())
    }

    fn count(&mut self, verdict: &Verdict, now: Timestamp) {
        let mut rules: Vec<&str> =
            verdict.reasons.iter().flat_map(|reason| &reason.rules).map(AsRef::as_ref).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            match self.hits.get_mut(rule) {
                Some((count, last)) => (*count, *last) = (*count + 1, (*last).max(now)),
                None => drop(self.hits.insert(rule.to_owned(), (1, now))),
            }
        }
    }

    fn finish(self) -> Replayed {
        let hits = hits::of(&self.asked.model, &self.hits);
        Replayed { groups: self.differences.finish(), hits, ..self.result }
    }
}

/// Judges once more, as it was judged: by the same way in and on the same terms.
#[must_use]
pub fn judged(model: &Snapshot, recalled: &Recalled) -> Verdict {
    let Recalled { action, request, now, counters, .. } = recalled;
    let Some(Terms { mode, control_only, nobody }) = recalled.terms else {
        return ordain_rules::judge(model, action, *request, counters, *now).verdict;
    };
    let mut modes = Modes::new(mode);
    if control_only {
        modes = modes.with_control_only(&action.actor.upstream.name);
    }
    let model = model.with_modes(modes);
    // A read is judged as one by either.
    let judged = if nobody {
        ordain_rules::open(&model, action, *request)
    } else {
        ordain_rules::judge(&model, action, *request, counters, *now)
    };
    judged.verdict
}

fn words(digests: &Digests) -> DigestsRecord<'static> {
    record::DigestsRecord {
        model: digests.model.to_hex().into(),
        rules: digests.rules.to_hex().into(),
        schema: digests.schema.to_hex().into(),
        catalogue: digests.catalogue.to_hex().into(),
        program: digests.program.to_hex().into(),
    }
}
