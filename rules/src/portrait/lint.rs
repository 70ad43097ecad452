//! What is wrong with a model that loads: what nobody owns, whose owner is gone, what is old, what was seen and is not in it.
//!
//! Leaves out what keeps a model from loading. Nothing here changes a decision: whoever reads it mends the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ordain_catalog::Catalog;

use crate::Snapshot;
use crate::model::{Model, nearest};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FlawKind {
    /// Nobody owns it.
    Unowned,
    /// Whoever owns it is no longer there: a group that nobody acts for.
    Orphaned,
    /// What is known of it is old.
    Stale,
    /// It was seen in requests, and the model does not know it.
    Undeclared,
    /// Several things may be meant by what it is known by.
    Ambiguous,
    /// What two sources say does not fit together.
    Unfit,
    /// It has a term, and its time is past.
    Over,
    /// It is to be reviewed, or ends within days.
    Due,
}

impl FlawKind {
    /// All kinds, in the order they are told.
    pub const ALL: [Self; 8] = [
        Self::Unowned,
        Self::Orphaned,
        Self::Stale,
        Self::Undeclared,
        Self::Ambiguous,
        Self::Unfit,
        Self::Over,
        Self::Due,
    ];

    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unowned => "unowned",
            Self::Orphaned => "orphaned",
            Self::Stale => "stale",
            Self::Undeclared => "undeclared",
            Self::Ambiguous => "ambiguous",
            Self::Unfit => "unfit",
            Self::Over => "over",
            Self::Due => "due",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// What it is about: a thing, a group, a source.
    pub about: Arc<str>,
    /// What is so, and what to do, for a person.
    pub text: String,
}

/// Everything that is wrong with a model at a time, sorted. `seen` says how often each name stood in requests that would
/// have changed it, admitted or not. A source whose facts are older than `stale_after` is stale.
#[must_use]
pub fn lint(
    snapshot: &Snapshot,
    seen: &BTreeMap<String, usize>,
    now: Timestamp,
    stale_after: SignedDuration,
) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if let Some(model) = snapshot.model() {
        ownership(model, &mut flaws);
        age(model, now, stale_after, &mut flaws);
        ambiguity(model, &mut flaws);
        terms(model, now, &mut flaws);
        changes(model, now, &mut flaws);
        operations(model, &mut flaws);
        undeclared(snapshot, model, seen, &mut flaws);
    }
    flaws.extend(snapshot.findings().iter().map(|finding| Flaw {
        kind: FlawKind::Unfit,
        about: Arc::from(finding.source.as_str()),
        text: finding.text.clone(),
    }));
    flaws.sort();
    flaws.dedup();
    flaws
}

fn ownership(model: &Model, flaws: &mut Vec<Flaw>) {
    let acted_for: BTreeSet<&Arc<str>> =
        model.people.actors.values().flat_map(|person| &person.teams).collect();
    let mut owned: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    for entry in model.inventory.entries() {
        for owner in &entry.standing.owners {
            *owned.entry(owner).or_default() += 1;
        }
        if entry.standing.owners.is_empty() {
            flaws.push(Flaw {
                kind: FlawKind::Unowned,
                about: Arc::clone(&entry.name),
                text: "nobody owns it; give it an owner by a tag, a `Scope` or a CODEOWNERS file".to_owned(),
            });
        }
    }
    for (owner, count) in owned {
        if !acted_for.contains(owner) {
            flaws.push(Flaw {
                kind: FlawKind::Orphaned,
                about: Arc::clone(owner),
                text: format!(
                    "nobody acts for it, and it owns {count}; declare who is a member, or give them another owner"
                ),
            });
        }
    }
}

fn age(model: &Model, now: Timestamp, stale_after: SignedDuration, flaws: &mut Vec<Flaw>) {
    let mut oldest: BTreeMap<&Arc<str>, (Timestamp, usize)> = BTreeMap::new();
    for entry in model.inventory.entries() {
        let provenance = model.inventory.provenances.get(entry.provenance as usize);
        let Some((provenance, as_of)) = provenance.and_then(|one| Some((one, one.as_of?))) else { continue };
        let (time, count) = oldest.entry(&provenance.source).or_insert((as_of, 0));
        *time = (*time).min(as_of);
        *count += 1;
    }
    for (source, (as_of, count)) in oldest {
        let age = now.duration_since(as_of);
        if age > stale_after {
            flaws.push(Flaw {
                kind: FlawKind::Stale,
                about: Arc::clone(source),
                text: format!(
                    "what it says of {count} was so {} days ago; import it again",
                    age.as_hours() / 24
                ),
            });
        }
    }
    let graph = &model.inventory.graph;
    let all = (0..).zip(model.inventory.entries()).flat_map(|(index, _)| graph.dependants(index));
    let faded = all.filter(|one| !one.until.holds(now)).count();
    if faded > 0 {
        flaws.push(Flaw {
            kind: FlawKind::Stale,
            about: Arc::from("observed relations"),
            text: format!("{faded} have faded and count no more; import what was observed again"),
        });
    }
}

/// How long before its end an exception is to be told of.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What has a term: what is over, and exceptions that somebody has to look at.
fn terms(model: &Model, now: Timestamp, flaws: &mut Vec<Flaw>) {
    let mut flaw = |kind: FlawKind, what: &str, name: &str, text: String| {
        flaws.push(Flaw { kind, about: Arc::from(format!("{what} {name}")), text });
    };
    let freezes = model.freezes.iter().map(|one| ("freeze", &one.name, &one.term));
    let windows = model.windows.iter().map(|one| ("window", &one.name, &one.term));
    let bounds = model.bounds.iter().map(|one| ("bounds", &one.name, &one.term));
    for (what, name, _) in freezes.chain(windows).chain(bounds).filter(|(.., term)| term.is_over(now)) {
        let text = match what {
            // Over is not open: what a window covers changes no more.
            "window" => "it never opens again, and what it covers can change no more; remove it",
            _ => "it is never in force again; remove it",
        };
        flaw(FlawKind::Over, what, name, text.to_owned());
    }
    let soon = now.checked_add(SOON).unwrap_or(Timestamp::MAX);
    for one in &model.exceptions {
        let owner = &one.owner;
        if let Some(glass) = &one.glass {
            let by = &one.approved_by;
            let (kind, text) = match (&glass.reviewed_by, one.term.is_over(now)) {
                (None, _) => {
                    let text = format!(
                        "`{by}` broke the glass, and nobody has looked at what was done: `ordain break-glass review {}`",
                        one.name
                    );
                    (FlawKind::Due, text)
                }
                (Some(_), true) => {
                    (FlawKind::Over, format!("it has ended and was looked at; `{owner}` should remove it"))
                }
                (Some(_), false) => continue,
            };
            flaw(kind, "break-glass", &one.name, text);
            continue;
        }
        if one.term.is_over(now) {
            let text = format!("it has expired, and lifts nothing more; `{owner}` should remove it");
            flaw(FlawKind::Over, "exception", &one.name, text);
            continue;
        }
        if one.term.is_over(soon) {
            let text =
                format!("it expires within 7 days; `{owner}` should do without it, or have it renewed");
            flaw(FlawKind::Due, "exception", &one.name, text);
        }
        if one.review.as_ref().is_some_and(|review| review.in_force(now)) {
            let text = format!("its review is due; `{owner}` should say whether it is still needed");
            flaw(FlawKind::Due, "exception", &one.name, text);
        }
    }
}

/// Changes that are over, that somebody has to look at afterwards, and that wait for somebody to approve them.
fn changes(model: &Model, now: Timestamp, flaws: &mut Vec<Flaw>) {
    for change in model.changes.iter() {
        let (name, author) = (&change.name, &change.author);
        let mut flaw = |kind: FlawKind, text: String| {
            flaws.push(Flaw { kind, about: Arc::from(format!("change {name}")), text });
        };
        if change.review.as_ref().is_some_and(|review| review.in_force(now)) {
            let text =
                format!("its review is due; somebody other than `{author}` should look at what was done");
            flaw(FlawKind::Due, format!("{text}, and withdraw it"));
        } else if change.term.is_over(now) {
            // An emergency is kept until somebody has looked at it.
            if change.review.is_some() {
                continue;
            }
            flaw(FlawKind::Over, format!("it is over; take it away with `ordain change withdraw {name}`"));
        } else if model.approvals.of(name, &change.approved_as()).next().is_none() {
            flaw(FlawKind::Due, format!("nobody has approved it as it is; `ordain change approve {name}`"));
        }
    }
}

/// Operations that blueprints name and AWS does not have. What other planes have is not known by name here, and what a
/// template makes is an operation of ours.
fn operations(model: &Model, flaws: &mut Vec<Flaw>) {
    let named = model.blueprints.all().iter().flat_map(|blueprint| {
        let globs = blueprint.operations.iter().chain(&blueprint.refuses);
        globs
            .filter(|glob| glob.literal_prefix() == glob.as_str())
            .map(move |glob| (blueprint, glob.as_str()))
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return;
    }
    let catalog = Catalog::new();
    for (blueprint, named) in named {
        let Some((service, operation)) = named.split_once(':') else { continue };
        // Other planes have services of the same names, with operations that look otherwise.
        if !operation.starts_with(|letter: char| letter.is_ascii_uppercase())
            || operation.contains(['.', '/'])
        {
            continue;
        }
        let Some(service) = catalog.service(service).filter(|_| service != "cloudformation") else {
            continue;
        };
        if service.operation(operation).is_none() {
            let known: Vec<&str> = service.operations().iter().map(|one| &*one.name).collect();
            flaws.push(Flaw {
                kind: FlawKind::Unfit,
                about: Arc::from(format!("blueprint {}", blueprint.name)),
                text: format!(
                    "`{named}` is no operation that is known, and nothing is held against it; {}",
                    nearest(operation, &known)
                ),
            });
        }
    }
}

fn ambiguity(model: &Model, flaws: &mut Vec<Flaw>) {
    for (key, meanings) in model.inventory.ambiguous() {
        let names: Vec<String> = meanings.iter().map(|name| format!("`{name}`")).collect();
        flaws.push(Flaw {
            kind: FlawKind::Ambiguous,
            about: Arc::from(key),
            text: format!(
                "it may be {}; requests that name it so are denied: give each a name of its own",
                names.join(" or ")
            ),
        });
    }
}

/// What requests named that the model does not know, nor any scope that holds it.
fn undeclared(snapshot: &Snapshot, model: &Model, seen: &BTreeMap<String, usize>, flaws: &mut Vec<Flaw>) {
    let mut counts: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for (name, count) in seen {
        let name = snapshot.canonical(name);
        let known = model.inventory.by_name(&name).is_some() || !model.scopes.holding(&name, &[]).is_empty();
        if !known {
            *counts.entry(Arc::from(&*name)).or_default() += count;
        }
    }
    flaws.extend(counts.into_iter().map(|(about, count)| Flaw {
        kind: FlawKind::Undeclared,
        about,
        text: format!(
            "{count} {} would have changed it, and nothing declares it; import it, or declare a `Scope`",
            if count == 1 { "request" } else { "requests" }
        ),
    }));
}
