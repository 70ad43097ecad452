//! What differs between what was said and what is said now: by what changed, actor, owner and resource.
//!
//! Leaves out what is the same.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ordain_proof::record::{DecisionRecord, DetailRecord, ReadingRecord};
use ordain_rules::Verdict;

/// What of a verdict is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// The ruling.
    Ruling,
    /// The reasons, by their codes, though they come to the same.
    Reasons,
    /// The mode in force.
    Mode,
    /// No more than words, owners or figures.
    Words,
}

impl Changed {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ruling => "ruling",
            Self::Reasons => "reasons",
            Self::Mode => "mode",
            Self::Words => "words",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    changed: Changed,
    from: String,
    to: String,
    was: String,
    is: String,
    actor: String,
    owner: String,
    resource: String,
    impossible: bool,
}

/// Decisions that differ in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What is another.
    pub changed: Changed,
    /// What was said: `admit`, `hold` or `deny`, and where the mode is another that too.
    pub from: String,
    /// What is said now.
    pub to: String,
    /// The codes of the reasons that were decisive.
    pub was: String,
    /// The codes of those that are.
    pub is: String,
    /// Who asked.
    pub actor: String,
    /// Whose it is.
    pub owner: String,
    /// What it is about.
    pub resource: String,
    /// How many.
    pub count: u64,
    /// The name of the first of them.
    pub example: String,
    /// All that they were made from is the same, so that this must not be.
    pub impossible: bool,
}

/// All that differs.
#[derive(Debug, Default)]
pub(super) struct Differences {
    groups: BTreeMap<Key, (u64, String)>,
}

impl Differences {
    pub(super) fn add(
        &mut self,
        decision: &DecisionRecord<'_>,
        detail: &DetailRecord<'_>,
        verdict: &Verdict,
        impossible: bool,
    ) {
        let kept: BTreeSet<(&str, &str)> =
            detail.reasons.iter().map(|reason| (reason.ruling.as_ref(), reason.code.as_ref())).collect();
        let said: BTreeSet<(&str, &str)> =
            verdict.reasons.iter().map(|reason| (reason.ruling.as_str(), reason.code.as_str())).collect();
        let (from, to) = (decision.ruling.as_ref(), verdict.ruling.as_str());
        let (mode_before, mode) = (decision.mode.as_ref(), verdict.mode.as_str());
        let changed = if from != to {
            Changed::Ruling
        } else if kept != said {
            Changed::Reasons
        } else if mode_before != mode {
            Changed::Mode
        } else {
            Changed::Words
        };
        // A reason that is new or gone is what the difference is about, whether or not it decides.
        let (was, is) = if changed == Changed::Reasons {
            (listed(kept.difference(&said)), listed(said.difference(&kept)))
        } else {
            (listed(kept.iter().filter(|one| one.0 == from)), listed(said.iter().filter(|one| one.0 == to)))
        };
        let (from, to) = if mode_before == mode {
            (from.to_owned(), to.to_owned())
        } else {
            (format!("{from} in {mode_before}"), format!("{to} in {mode}"))
        };
        let owner = verdict.owners.first().map(AsRef::as_ref);
        let owner = owner.or_else(|| detail.owners.first().map(AsRef::as_ref)).unwrap_or("nobody");
        let key = Key {
            changed,
            from,
            to,
            was,
            is,
            actor: decision.actor.party.name.to_string(),
            owner: owner.to_owned(),
            resource: about(detail),
            impossible,
        };
        self.groups.entry(key).or_insert_with(|| (0, decision.id.to_string())).0 += 1;
    }

    pub(super) fn finish(self) -> Vec<Group> {
        let mut groups: Vec<Group> =
            self.groups.into_iter().map(|(key, (count, example))| key.group(count, example)).collect();
        groups.sort_by_key(|group| (Reverse(group.impossible), group.changed, Reverse(group.count)));
        groups
    }
}

impl Key {
    fn group(self, count: u64, example: String) -> Group {
        let Self { changed, from, to, was, is, actor, owner, resource, impossible } = self;
        Group { changed, from, to, was, is, actor, owner, resource, count, example, impossible }
    }
}

fn listed<'a>(reasons: impl Iterator<Item = &'a (&'a str, &'a str)>) -> String {
    let codes: BTreeSet<&str> = reasons.map(|(_, code)| *code).collect();
    codes.into_iter().collect::<Vec<_>>().join(", ")
}

/// What a request is about: the first thing that it changes, by its name or by what it was called.
fn about(detail: &DetailRecord<'_>) -> String {
    let ReadingRecord::Call(call) = &detail.reading else {
        return "a request that could not be read".to_owned();
    };
    let all = || call.effects.iter().flat_map(|effect| &effect.resources);
    let first = all().find(|resource| resource.role == "target").or_else(|| all().next());
    let Some(resource) = first else { return String::new() };
    if !resource.name.is_empty() {
        return resource.name.to_string();
    }
    resource.identifiers.first().map_or_else(|| resource.kind.to_string(), |one| one.1.to_string())
}
