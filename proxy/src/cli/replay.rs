//! `ordain replay`: what the ledger holds, judged again by a model or by other rules; which verdicts change, and which
//! rules never had a say.
//!
//! Leaves out judging (`replay/`). Nothing is sent and nothing is recorded.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use ordain_evidence::{Digests, Reader};
use ordain_rules::{Snapshot, Source};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, Format, asked};
use crate::gate::{catalogue_digest, program_digest};
use crate::model::{self, ModelError};
use crate::replay::{self, Asked, Changed, Replayed};

/// Judge recorded decisions again: what another model, or other rules, would have said.
#[derive(Debug, clap::Args)]
#[command(after_help = "Ends with 0 where all verdicts are equal, with 1 where some differ.")]
pub(super) struct Arguments {
    /// A model directory in place of the configured one.
    #[arg(long)]
    model: Option<PathBuf>,
    /// A `.cedar` file, or a folder of them, in place of the model's own rules; all else of the model stays.
    #[arg(long)]
    rules: Option<PathBuf>,
    /// Only what was decided at or after this time (RFC 3339).
    #[arg(long, value_parser = super::time)]
    since: Option<jiff::Timestamp>,
    /// Only what was decided before this time (RFC 3339).
    #[arg(long, value_parser = super::time)]
    until: Option<jiff::Timestamp>,
    /// Only what this actor asked for.
    #[arg(long)]
    actor: Option<String>,
}

/// The most rows of differences that are shown to a person.
const ROWS_MAX: usize = 60;

#[derive(Serialize)]
struct Report {
    decisions: u64,
    equal: u64,
    differ: u64,
    must_not_happen: u64,
    other_model: u64,
    without_terms: u64,
    not_judged: Vec<NotJudged>,
    model: String,
    rules: String,
    changes: BTreeMap<String, u64>,
    differences: Vec<Difference>,
    rule_hits: Vec<RuleHits>,
    dead_rules: Vec<String>,
}

#[derive(Serialize)]
struct NotJudged {
    count: u64,
    why: &'static str,
    /// They would be judged again, and cannot be.
    #[serde(skip)]
    is_lost: bool,
}

#[derive(Serialize)]
struct Difference {
    count: u64,
    changed: &'static str,
    from: String,
    to: String,
    was: String,
    is: String,
    actor: String,
    owner: String,
    resource: String,
    example: String,
    must_not_happen: bool,
}

#[derive(Serialize)]
struct RuleHits {
    rule: String,
    class: &'static str,
    hits: u64,
    last: Option<String>,
    place: String,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let reader = Reader::open(&config.ledger)
        .with_context(|| format!("no ledger in `{}`", config.ledger.display()))?;
    let directory = arguments.model.unwrap_or_else(|| config.model.clone());
    anyhow::ensure!(
        directory.is_dir() || directory == config.model,
        "there is no folder `{}`; give `--model` a model's folder",
        directory.display()
    );
    let sources: Vec<Source> = match &arguments.rules {
        Some(rules) => model::sources_with_rules(&directory, rules)?,
        None => model::sources(&directory)?,
    };
    let model = Snapshot::load(&sources, config.modes())
        .map_err(|problems| ModelError::Problems { directory: directory.display().to_string(), problems })?;
    let digests = Digests {
        model: model.digest(),
        rules: model.rules_digest(),
        schema: model.schema_digest(),
        catalogue: catalogue_digest(&asked::all_rooms(&config)?),
        program: program_digest(),
    };
    let (since, until) = (arguments.since, arguments.until);
    let asked = Asked { model, digests: digests.clone(), since, until, actor: arguments.actor };
    let report = Report::of(replay::replay(&reader, asked)?, &digests);
    if context.format == Format::Table {
        report.tell(context)?;
    } else {
        context.output.show(context.format, &report, || Rows::new(&[]))?;
    }
    // What could not be judged again is no proof that it would be judged the same.
    let all = report.not_judged.iter().all(|left_out| !left_out.is_lost);
    Ok(if report.differ == 0 && all { Exit::Ok } else { Exit::No })
}

impl Report {
    fn of(replayed: Replayed, digests: &Digests) -> Self {
        let mut changes: BTreeMap<String, u64> = BTreeMap::new();
        for group in &replayed.groups {
            let kind = match group.changed {
                Changed::Ruling => format!("{} → {}", group.from, group.to),
                Changed::Reasons => "other reasons".to_owned(),
                Changed::Mode => "another mode".to_owned(),
                Changed::Words => "other words or figures".to_owned(),
            };
            *changes.entry(kind).or_default() += group.count;
        }
        let not_judged = replayed.not_judged.iter();
        let rule_hits = replayed.hits.iter().map(|hits| RuleHits {
            rule: hits.rule.clone(),
            class: hits.class,
            hits: hits.count,
            last: hits.last.map(|last| last.to_string()),
            place: hits.place.clone(),
        });
        let dead = replayed.hits.iter().filter(|hits| hits.count == 0);
        Self {
            decisions: replayed.judged,
            equal: replayed.equal,
            differ: replayed.judged - replayed.equal,
            must_not_happen: replayed.impossible,
            other_model: replayed.other,
            without_terms: replayed.without_terms,
            not_judged: not_judged
                .map(|(why, count)| NotJudged { count: *count, why: why.text(), is_lost: why.is_lost() })
                .collect(),
            model: digests.model.to_hex(),
            rules: digests.rules.to_hex(),
            changes,
            rule_hits: rule_hits.collect(),
            dead_rules: dead.map(|hits| hits.rule.clone()).collect(),
            differences: replayed
                .groups
                .into_iter()
                .map(|group| Difference {
                    count: group.count,
                    changed: group.changed.as_str(),
                    from: group.from,
                    to: group.to,
                    was: group.was,
                    is: group.is,
                    actor: group.actor,
                    owner: group.owner,
                    resource: group.resource,
                    example: group.example,
                    must_not_happen: group.impossible,
                })
                .collect(),
        }
    }

    fn tell(&self, context: &Context) -> anyhow::Result<()> {
        let output = context.output;
        output.line(&format!("{} of {} verdicts are equal", self.equal, self.decisions))?;
        for line in self.remarks() {
            output.line(&line)?;
        }
        if !self.differences.is_empty() {
            output.line("")?;
            output.table(&self.difference_rows())?;
            let more = self.differences.len().saturating_sub(ROWS_MAX);
            if more > 0 {
                output.line(&format!("and {more} rows more: `-o json` has all of them"))?;
            }
        }
        if self.decisions > 0 && !self.rule_hits.is_empty() {
            output.line("")?;
            output.table(&self.rule_rows())?;
        }
        if self.decisions > 0 && !self.dead_rules.is_empty() {
            output.line("")?;
            let (dead, all) = (self.dead_rules.len(), self.rule_hits.len());
            output.line(&format!("{dead} of {all} rules were no reason of any decision here:"))?;
            output.table(&self.dead_rows())?;
        }
        Ok(())
    }

    /// What has to be said beside the figures.
    fn remarks(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (kind, count) in &self.changes {
            lines.push(format!("{count}: {kind}"));
        }
        if self.must_not_happen > 0 {
            lines.push(format!(
                "{} of them must not happen: model, rules, schema, catalogue and program are those they were judged with; report this",
                self.must_not_happen
            ));
        }
        if self.other_model > 0 {
            lines.push(format!(
                "{} of {} were recorded with another model, other rules or another version: what differs there is what has changed",
                self.other_model, self.decisions
            ));
        }
        if self.without_terms > 0 {
            lines.push(format!(
                "{} of {} were recorded by a version that did not keep modes: they are judged in those of the settings",
                self.without_terms, self.decisions
            ));
        }
        for left_out in &self.not_judged {
            lines.push(format!("{} not judged again: {}", left_out.count, left_out.why));
        }
        lines
    }

    fn difference_rows(&self) -> Rows {
        let header = [
            "decisions",
            "verdict",
            "was because of",
            "is because of",
            "actor",
            "owner",
            "on",
            "for example",
        ];
        let mut rows = Rows::new(&header);
        for one in self.differences.iter().take(ROWS_MAX) {
            let verdict = if one.from == one.to {
                format!("{}: other {}", one.to, one.changed)
            } else {
                format!("{} → {}", one.from, one.to)
            };
            rows.push(vec![
                one.count.to_string(),
                if one.must_not_happen { format!("{verdict} (must not happen)") } else { verdict },
                one.was.clone(),
                one.is.clone(),
                one.actor.clone(),
                one.owner.clone(),
                one.resource.clone(),
                one.example.clone(),
            ]);
        }
        rows
    }

    fn rule_rows(&self) -> Rows {
        let mut rows = Rows::new(&["rule", "is a", "hits", "last", "stands in"]);
        for hits in self.rule_hits.iter().filter(|hits| hits.hits > 0) {
            rows.push(vec![
                hits.rule.clone(),
                hits.class.to_owned(),
                hits.hits.to_string(),
                hits.last.clone().unwrap_or_default(),
                hits.place.clone(),
            ]);
        }
        rows
    }

    fn dead_rows(&self) -> Rows {
        let mut rows = Rows::new(&["rule", "is a", "stands in"]);
        for hits in self.rule_hits.iter().filter(|hits| hits.hits == 0) {
            rows.push(vec![hits.rule.clone(), hits.class.to_owned(), hits.place.clone()]);
        }
        rows
    }
}
