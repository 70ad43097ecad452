//! `ordain exception`: which gates are lifted for whom, until when, and who answers for it.
//!
//! Leaves out making one: that is a document of the model, which somebody else approves.

use ordain_rules::{Planned, PlannedKind};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, model};
use crate::clock::Clock;

/// List exceptions.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What is excepted now, what will be, and what is over.
    List,
}

/// An exception, as it is shown.
#[derive(Serialize)]
struct Shown<'p> {
    name: &'p str,
    in_force: bool,
    begins: Option<String>,
    ends: Option<String>,
    lifts: &'p [String],
    holders: &'p [String],
    covers: &'p str,
    owner: &'p str,
    approved_by: &'p str,
    why: &'p str,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<Exit> {
    let Verb::List = arguments.verb;
    let config = context.config()?;
    let mut planned = model::configured(&config)?.planned(Clock::system().now());
    planned.retain(|one| one.kind == PlannedKind::Exception && !one.is_break_glass);
    let shown: Vec<Shown<'_>> = planned
        .iter()
        .map(|one| Shown {
            name: &one.name,
            in_force: one.in_force,
            begins: one.begins.map(|time| time.to_string()),
            ends: one.ends.map(|time| time.to_string()),
            lifts: &one.lifts,
            holders: &one.holders,
            covers: &one.covers,
            owner: &one.owner,
            approved_by: &one.approved_by,
            why: &one.why,
        })
        .collect();
    context.output.show(context.format, &shown, || {
        let header = ["name", "when", "lifts", "for", "covers", "owner", "approved by", "why"];
        let mut rows = Rows::new(&header);
        for one in &planned {
            rows.push(vec![
                one.name.clone(),
                when(one),
                one.lifts.join(", "),
                one.holders.join(", "),
                one.covers.clone(),
                one.owner.clone(),
                one.approved_by.clone(),
                one.why.clone(),
            ]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}

/// When something with a term is in force, in the words of its sort.
pub(super) fn when(one: &Planned) -> String {
    let (now, next) = match one.kind {
        PlannedKind::Window => ("open", "opens"),
        PlannedKind::Freeze | PlannedKind::Exception => ("in force", "begins"),
    };
    match (one.in_force, one.told.as_str()) {
        (true, "") => now.to_owned(),
        (true, until) => format!("{now} until {until}"),
        (false, "") => "over".to_owned(),
        (false, from) => format!("{next} {from}"),
    }
}
