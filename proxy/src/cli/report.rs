//! `ordain report shadow`: what enforce would have denied, by reason, owner and actor.
//!
//! Leaves out what was denied: that happened, and `ordain ledger query` lists it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use anyhow::Context as _;
use ordain_evidence::Reader;
use ordain_proof::record::{DecisionRecord, DetailRecord, ReadingRecord, ReasonRecord, Record};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, Format};

/// Summarise the ledger.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What enforce would have denied of what passed in shadow and warn.
    Shadow {
        /// Only what was decided at or after this time (RFC 3339).
        #[arg(long, value_parser = super::time)]
        since: Option<jiff::Timestamp>,
    },
}

#[derive(Debug, Default, Serialize)]
struct Shadow {
    /// What passed and was judged by a model.
    changes: u64,
    would_deny: u64,
    /// What passed before there was one.
    no_model: u64,
    operations: usize,
    resources: usize,
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    count: u64,
    reason_code: String,
    owner: String,
    actor: String,
    example: String,
    /// The name of that decision, for `ordain explain`.
    decision: String,
    why: String,
    remedy: String,
}

/// What is told of the first decision of a group.
struct First {
    example: String,
    decision: String,
    why: String,
    remedy: String,
}

#[derive(Default)]
struct Tally {
    shadow: Shadow,
    groups: BTreeMap<(String, String, String), (u64, First)>,
    operations: BTreeSet<String>,
    resources: BTreeSet<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let Verb::Shadow { since } = arguments.verb;
    let config = context.config()?;
    let reader = Reader::open(&config.ledger)
        .with_context(|| format!("no ledger in `{}`", config.ledger.display()))?;
    let mut tally = Tally::default();
    let mut failed = None;
    reader.records(|entry, record| {
        let Record::Decision(decision) = record else { return ControlFlow::Continue(()) };
        let time: Option<jiff::Timestamp> = decision.time.parse().ok();
        if since.zip(time).is_some_and(|(since, time)| time < since)
            || decision.mode == "enforce"
            || decision.effect == "refused"
        {
            return ControlFlow::Continue(());
        }
        match decision.with_detail(entry.blob, |detail| tally.count(decision, detail)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let shadow = tally.finish();
    if context.format != Format::Table {
        context.output.show(context.format, &shadow, || Rows::new(&[]))?;
        return Ok(Exit::Ok);
    }
    context.output.line(&shadow.sentence())?;
    if !shadow.groups.is_empty() {
        let mut rows =
            Rows::new(&["changes", "reason", "owner", "actor", "for example", "what to do about it"]);
        for group in &shadow.groups {
            rows.push(vec![
                group.count.to_string(),
                group.reason_code.clone(),
                group.owner.clone(),
                group.actor.clone(),
                group.example.clone(),
                group.remedy.clone(),
            ]);
        }
        context.output.table(&rows)?;
        if let Some(first) = shadow.groups.first() {
            context.output.line("")?;
            let told = format!("{}: `ordain explain {}` tells all of it", first.why, first.decision);
            context.output.line(&told)?;
        }
    }
    Ok(Exit::Ok)
}

impl Tally {
    fn count(&mut self, decision: &DecisionRecord<'_>, detail: &DetailRecord<'_>) {
        let mut example = "a request that could not be read".to_owned();
        if let ReadingRecord::Call(call) = &detail.reading {
            for effect in &call.effects {
                self.operations.insert(effect.iam_action.to_string());
                self.resources.extend(effect.resources.iter().map(|resource| resource.name.to_string()));
            }
            if let Some(effect) = call.effects.first() {
                let on = effect.resources.first().map_or("", |resource| &resource.name);
                example = format!("{} {on}", effect.iam_action);
            }
        }
        if decision.no_model {
            self.shadow.no_model += 1;
            return;
        }
        self.shadow.changes += 1;
        if decision.ruling == "admit" {
            return;
        }
        self.shadow.would_deny += 1;
        let first = detail.reasons.first();
        let said = |of: fn(&ReasonRecord<'_>) -> String| first.map_or_else(String::new, of);
        let (reason, why) = (said(|reason| reason.code.to_string()), said(|reason| reason.text.to_string()));
        let owner = detail.owners.first().map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let key = (reason, owner, decision.actor.party.name.to_string());
        let remedy = said(|reason| reason.remedy.to_string());
        let first = || First { example, decision: decision.id.to_string(), why, remedy };
        self.groups.entry(key).or_insert_with(|| (0, first())).0 += 1;
    }

    fn finish(self) -> Shadow {
        let mut groups: Vec<Group> = self
            .groups
            .into_iter()
            .map(|((reason_code, owner, actor), (count, first))| Group {
                count,
                reason_code,
                owner,
                actor,
                example: first.example,
                decision: first.decision,
                why: first.why,
                remedy: first.remedy,
            })
            .collect();
        groups.sort_by_key(|group| Reverse(group.count));
        Shadow { operations: self.operations.len(), resources: self.resources.len(), groups, ..self.shadow }
    }
}

impl Shadow {
    fn sentence(&self) -> String {
        if self.no_model > 0 && self.changes == 0 {
            return format!(
                "no model yet: {} operations on {} resources seen",
                self.operations, self.resources
            );
        }
        let why = if self.would_deny > 0 { ", here is why" } else { "" };
        format!("would deny {} of {} changes{why}", self.would_deny, self.changes)
    }
}
