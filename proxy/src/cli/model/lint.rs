//! `ordain model lint`: what is wrong with a model that loads, with what the ledger says was asked for.
//!
//! Leaves out what is looked for (`ordain_rules::portrait`).

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jiff::SignedDuration;
use ordain_evidence::Reader;
use ordain_proof::record::{DetailRecord, ReadingRecord, Record};
use ordain_rules::portrait::{self, Flaw, FlawKind};
use serde::Serialize;

use crate::cli::output::Rows;
use crate::cli::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;

/// What to look for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Facts are stale that are older than so many days.
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    stale_after: u32,
    /// Only what is wrong in this way; may be given again.
    #[arg(long = "only", value_name = "KIND", value_parser = kinds())]
    only: Vec<String>,
}

fn kinds() -> clap::builder::PossibleValuesParser {
    FlawKind::ALL.map(FlawKind::as_str).into()
}

/// One thing that is wrong, as it is shown.
#[derive(Serialize)]
struct Shown<'f> {
    wrong: &'static str,
    about: &'f str,
    text: &'f str,
}

pub(super) fn run(context: &Context, config: &Config, arguments: &Arguments) -> anyhow::Result<Exit> {
    let snapshot = super::configured(config)?;
    let stale_after = SignedDuration::from_hours(i64::from(arguments.stale_after) * 24);
    let mut flaws = portrait::lint(&snapshot, &seen(config)?, Clock::system().now(), stale_after);
    let wanted = |flaw: &Flaw| arguments.only.iter().any(|word| word == flaw.kind.as_str());
    flaws.retain(|flaw| arguments.only.is_empty() || wanted(flaw));
    let shown: Vec<Shown<'_>> = flaws
        .iter()
        .map(|flaw| Shown { wrong: flaw.kind.as_str(), about: &flaw.about, text: &flaw.text })
        .collect();
    context.output.show(context.format, &shown, || {
        let mut rows = Rows::new(&["wrong", "about", "what to do"]);
        for one in &shown {
            rows.push([one.wrong, one.about, one.text].map(str::to_owned).to_vec());
        }
        rows
    })?;
    Ok(if flaws.is_empty() { Exit::Ok } else { Exit::No })
}

/// How often each name stood in changes that are in the ledger; nothing where there is none yet.
fn seen(config: &Config) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    let Ok(reader) = Reader::open(&config.ledger) else { return Ok(counts) };
    let mut failed = None;
    reader.records(|entry, record| {
        let Record::Decision(decision) = record else { return ControlFlow::Continue(()) };
        match decision.with_detail(entry.blob, |detail| count(detail, &mut counts)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(counts), |error| Err(error.into()))
}

fn count(detail: &DetailRecord<'_>, counts: &mut BTreeMap<String, usize>) {
    let ReadingRecord::Call(call) = &detail.reading else { return };
    let changes = call.effects.iter().filter(|effect| effect.access != "read");
    for resource in changes.flat_map(|effect| &effect.resources) {
        let named = !resource.name.is_empty() && !resource.pattern && resource.role != "uses";
        if named && (resource.basis == "carried" || resource.basis == "reviewed") {
            *counts.entry(resource.name.to_string()).or_default() += 1;
        }
    }
}
