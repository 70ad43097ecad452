//! Budgets as documents say them.
//!
//! Leaves out what they mean for a decision (`judge/budgets.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use ordain_action::{Access, ActorKind};

use super::Covers;
use super::Problem;
use super::build::globs;
use super::document::{BudgetSpec, CoversSpec};
use super::people::People;
use super::reference::{owner, reference};
use super::text::{Body, Place, Placed, nearest};
use crate::budget::{Budget, Counts, Per};

/// The longest window: what is counted is kept for as long.
const WITHIN_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The highest limit. What is counted is kept one by one until it leaves the window.
const LIMIT_MAX: u64 = 100_000;

/// The budgets of a model, by name.
pub(crate) fn read(placed: &[Placed], people: &People, problems: &mut Vec<Problem>) -> Vec<Budget> {
    let mut budgets = Vec::new();
    for document in placed {
        let Body::Budget(spec) = &document.body else { continue };
        let mut reading = Reading { place: &document.place, people, problems };
        budgets.push(reading.budget(&document.metadata.name, spec));
    }
    budgets.sort_by(|left: &Budget, right| left.name.cmp(&right.name));
    for pair in budgets.windows(2) {
        if let [left, right] = pair
            && left.name == right.name
        {
            let document = placed.iter().rfind(|document| {
                matches!(document.body, Body::Budget(_)) && *document.metadata.name == *right.name
            });
            let text = format!("budget `{}` is declared twice; give each its own name", right.name);
            problems.extend(document.map(|document| document.place.problem("name:", text)));
        }
    }
    budgets
}

struct Reading<'r> {
    place: &'r Place,
    people: &'r People,
    problems: &'r mut Vec<Problem>,
}

impl Reading<'_> {
    fn budget(&mut self, name: &str, spec: &BudgetSpec) -> Budget {
        if spec.limit > LIMIT_MAX {
            let text = format!("budget `{name}` counts to {}; give it at most {LIMIT_MAX}", spec.limit);
            self.wrong("limit:", text);
        }
        for actor in &spec.actors {
            if !self.people.actors.contains_key(actor.as_str()) {
                let known = nearest(actor, &self.people.names());
                self.wrong(actor, format!("actor `{actor}` is not declared; {known}"));
            }
        }
        let groups: BTreeSet<Arc<str>> = spec.groups.iter().map(|group| owner(group)).collect();
        for group in &groups {
            if !self.people.knows(group) {
                self.wrong(group, self.people.unknown_owner(group));
            }
        }
        Budget {
            name: Arc::from(name),
            actors: words(&spec.actors),
            groups,
            kinds: self.kinds(&spec.actor_kinds),
            access: self.access(&spec.access),
            operations: spec.operations.as_deref().map(globs),
            covers: covers(&spec.covers),
            per: self.one_of("per", spec.per.as_deref(), &Per::ALL, Per::as_str).unwrap_or(Per::Actor),
            within: self.within(&spec.within),
            window: Arc::from(spec.within.as_str()),
            limit: spec.limit,
            counts: self
                .one_of("counts", spec.counts.as_deref(), &Counts::ALL, Counts::as_str)
                .unwrap_or(Counts::Changes),
        }
    }

    fn kinds(&mut self, written: &[String]) -> BTreeSet<ActorKind> {
        let mut kinds = BTreeSet::new();
        for word in written {
            match ActorKind::parse(word) {
                Some(kind) => drop(kinds.insert(kind)),
                None => {
                    let known = nearest(word, &["person", "pipeline", "agent"]);
                    self.wrong(word, format!("unknown actor kind `{word}`; {known}"));
                }
            }
        }
        kinds
    }

    fn access(&mut self, written: &[String]) -> BTreeSet<Access> {
        let mut access = BTreeSet::new();
        for word in written {
            match Access::parse(word) {
                Some(Access::Read) => {
                    self.wrong(word, "reads are not counted; take `read` out of `access`".to_owned());
                }
                Some(class) => drop(access.insert(class)),
                None => {
                    let known = nearest(word, &Access::ALL.map(Access::as_str));
                    self.wrong(word, format!("unknown effect class `{word}`; {known}"));
                }
            }
        }
        access
    }

    fn one_of<T: Copy>(
        &mut self,
        key: &str,
        word: Option<&str>,
        all: &[T],
        told: fn(T) -> &'static str,
    ) -> Option<T> {
        let word = word?;
        let found = all.iter().copied().find(|one| told(*one) == word);
        if found.is_none() {
            let known: Vec<&str> = all.iter().map(|one| told(*one)).collect();
            self.wrong(word, format!("`{key}` is `{word}`; {}", nearest(word, &known)));
        }
        found
    }

    fn within(&mut self, text: &str) -> Duration {
        let day = SpanRelativeTo::days_are_24_hours();
        let span = text.parse::<Span>().ok().and_then(|span| span.to_duration(day).ok());
        let within = span.filter(SignedDuration::is_positive).map(SignedDuration::unsigned_abs);
        match within {
            Some(within) if within <= WITHIN_MAX => within,
            Some(_) | None => {
                self.wrong(
                    "within:",
                    format!("`{text}` is no window of a budget; write for example `1h` or `30d`, of at most `366d`"),
                );
                Duration::ZERO
            }
        }
    }

    fn wrong(&mut self, words: &str, text: String) {
        self.problems.push(self.place.problem(words, text));
    }
}

fn words(list: &[String]) -> BTreeSet<Arc<str>> {
    list.iter().map(|word| Arc::from(word.as_str())).collect()
}

fn covers(CoversSpec { accounts, environments, systems, owners, names }: &CoversSpec) -> Covers {
    Covers {
        accounts: words(accounts),
        environments: words(environments),
        systems: systems.iter().map(|system| reference(system, "system")).collect(),
        owners: owners.iter().map(|text| owner(text)).collect(),
        names: globs(names),
    }
}
