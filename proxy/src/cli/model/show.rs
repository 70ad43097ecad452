//! `ordain model show`: what the model holds, in figures, or what it says of one thing.
//!
//! Leaves out what it says of all of them (`export.rs`).

use anyhow::bail;
use ordain_rules::{Reach, ReachPath, Snapshot};
use serde::Serialize;

use super::export::Thing;
use crate::cli::output::Rows;
use crate::cli::{Context, Exit};
use crate::clock::Clock;

/// What the model holds, as it is shown.
#[derive(Serialize)]
struct Held {
    entries: usize,
    relations: usize,
    unowned: usize,
    actors: usize,
    groups: usize,
    rules: usize,
    sources: Vec<(String, usize)>,
    findings: Vec<String>,
}

/// The model in figures.
pub(super) fn all(context: &Context, snapshot: &Snapshot) -> anyhow::Result<Exit> {
    let summary = snapshot.summary();
    let held = Held {
        entries: summary.entries,
        relations: summary.relations,
        unowned: summary.unowned,
        actors: summary.actors,
        groups: summary.groups,
        rules: summary.rules,
        sources: summary.sources.iter().map(|(source, count)| (source.to_string(), *count)).collect(),
        findings: snapshot
            .findings()
            .iter()
            .map(|finding| format!("{}: {}", finding.source, finding.text))
            .collect(),
    };
    context.output.show(context.format, &held, || {
        let mut rows = Rows::new(&["what", "how many"]);
        for (what, count) in [
            ("things", held.entries),
            ("relations", held.relations),
            ("without an owner", held.unowned),
            ("actors", held.actors),
            ("groups", held.groups),
            ("rules", held.rules),
        ] {
            rows.push(vec![what.to_owned(), count.to_string()]);
        }
        for (source, count) in &held.sources {
            rows.push(vec![format!("from {source}"), count.to_string()]);
        }
        for finding in &held.findings {
            rows.push(vec!["finding".to_owned(), finding.clone()]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}

/// How much is shown of what depends on something.
const SHOWN_MAX: usize = 20;

/// What the model says of everything that is known by a text, and what depends on that.
pub(super) fn one(context: &Context, snapshot: &Snapshot, text: &str) -> anyhow::Result<Exit> {
    let (relations, now) = (snapshot.relations(), Clock::system().now());
    let known: Vec<Known<'_>> = snapshot
        .known_as(text)
        .into_iter()
        .map(|fact| {
            let depends_on = relations.iter().filter(|one| one.from == fact.name);
            let dependants = relations.iter().filter(|one| one.to == fact.name);
            let reach = ordain_rules::reach_of_deleting(snapshot, fact.name, now);
            Known {
                deleted: reach.map(Deleted::of),
                thing: Thing::of(fact, depends_on.map(|one| (one.kind, one.to)).collect()),
                dependants: dependants.map(|one| (one.kind, one.from)).collect(),
            }
        })
        .collect();
    if known.is_empty() {
        bail!("the model knows nothing by the name `{text}`; `ordain model export` lists all that it knows");
    }
    context.output.show(context.format, &known, || {
        let mut rows = Rows::new(&["what", "is"]);
        for one in &known {
            one.rows(&mut rows);
        }
        rows
    })?;
    if known.len() > 1 {
        context.output.complain(&format!(
            "`{text}` may be any of {}; a request that names it so is denied",
            known.len()
        ));
    }
    Ok(Exit::Ok)
}

/// One thing with what depends on it, as it is shown.
#[derive(Serialize)]
struct Known<'s> {
    #[serde(flatten)]
    thing: Thing<'s>,
    dependants: Vec<(&'static str, &'s str)>,
    /// What deleting it would reach; nothing of what is on no plane.
    deleted: Option<Deleted>,
}

/// What deleting something would reach, as it is shown.
#[derive(Serialize)]
struct Deleted {
    /// Unknown where it is none.
    reaches: Option<u64>,
    owners: Vec<String>,
    environments: Vec<String>,
    irreversible: u64,
    /// How what matters is reached.
    because: Vec<String>,
}

impl Deleted {
    fn of(reach: Reach) -> Self {
        let step = |(name, by): &(_, Option<&str>)| match by {
            Some(by) => format!("{by} ← {name}"),
            None => std::string::ToString::to_string(name),
        };
        let path = |path: &ReachPath| {
            format!("{}: {}", path.explains, path.steps.iter().map(step).collect::<Vec<_>>().join(" ← "))
        };
        Self {
            reaches: reach.dependants,
            owners: reach.owners_crossed.iter().map(ToString::to_string).collect(),
            environments: reach.environments.iter().map(ToString::to_string).collect(),
            irreversible: reach.irreversible,
            because: reach.because.iter().map(path).collect(),
        }
    }

    fn rows(&self, rows: &mut Rows) {
        let reaches = match self.reaches {
            None => "not known".to_owned(),
            Some(1) => "1 other".to_owned(),
            Some(count) => format!("{count} others"),
        };
        let lost = if self.irreversible > 0 {
            format!("; {} lost for good", self.irreversible)
        } else {
            String::new()
        };
        let owners = if self.owners.is_empty() { "nobody".to_owned() } else { self.owners.join(", ") };
        rows.push(vec!["deleting it reaches".to_owned(), format!("{reaches}, of {owners}{lost}")]);
        for path in &self.because {
            rows.push(vec!["by".to_owned(), path.clone()]);
        }
    }
}

impl Known<'_> {
    fn rows(&self, rows: &mut Rows) {
        let thing = &self.thing;
        let owned_by = thing.owned_by.map(|by| format!(" (by {by})")).unwrap_or_default();
        let owners = if thing.owners.is_empty() { "nobody".to_owned() } else { thing.owners.join(", ") };
        let as_of = thing.as_of.as_ref().map(|time| format!(", as of {time}")).unwrap_or_default();
        let tags: Vec<String> = thing.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let said = [
            ("name", thing.name.to_owned()),
            ("type", thing.kind.to_owned()),
            ("owners", format!("{owners}{owned_by}")),
            ("known by", thing.identifiers.join(", ")),
            ("account", thing.account.to_owned()),
            ("region", thing.region.to_owned()),
            ("system", thing.system.unwrap_or_default().to_owned()),
            ("environment", thing.environment.unwrap_or_default().to_owned()),
            ("tier", thing.tier.unwrap_or_default().to_owned()),
            ("scopes", thing.scopes.join(", ")),
            ("tags", tags.join(", ")),
            ("source", format!("{}{as_of}", thing.source)),
            ("revision", thing.revision.to_owned()),
            ("kept by", thing.managers.join(", ")),
        ];
        for (what, text) in said.into_iter().filter(|(_, text)| !text.is_empty()) {
            rows.push(vec![what.to_owned(), text]);
        }
        for (kind, name) in &thing.depends_on {
            rows.push(vec![(*kind).to_owned(), (*name).to_owned()]);
        }
        for (kind, name) in self.dependants.iter().take(SHOWN_MAX) {
            rows.push(vec![format!("{kind} this"), (*name).to_owned()]);
        }
        if let Some(more) = self.dependants.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            rows.push(vec!["…".to_owned(), format!("{more} more depend on it")]);
        }
        if let Some(deleted) = &self.deleted {
            deleted.rows(rows);
        }
    }
}
