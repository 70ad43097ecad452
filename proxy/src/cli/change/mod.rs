//! `ordain change`: what somebody planned to do, who approved it, and what of it was carried out.
//!
//! Leaves out what a change is and whether a request is part of one (`ordain_rules`), and counting its uses (`state`).

mod approve;
mod import;
mod listed;

use anyhow::bail;
use jiff::Timestamp;
use ordain_rules::{ChangeFact, Source};

use super::model::keep::{self, Change};
use super::{Context, Exit, model};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::sources;

/// List changes, show one, approve it, and take it away.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a change of what others plan.
    Import(Box<import::Arguments>),
    /// What is planned: for when, by whom, who has approved it, and how much of it is done.
    List,
    /// One change whole: every call with every parameter, and how often each was carried out.
    Show {
        /// The change.
        name: String,
    },
    /// Approve a change as it is now: you sign for its body with your SSH key.
    Approve(Box<approve::Arguments>),
    /// Take a change out of the model, and approvals of it.
    Withdraw {
        /// The change.
        name: String,
    },
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let now = Clock::system().now();
    match arguments.verb {
        Verb::Import(arguments) => import::run(context, &config, &arguments, now),
        Verb::List => listed::list(context, &config, now),
        Verb::Show { name } => listed::show(context, &config, &one(&config, &name, now)?, now),
        Verb::Approve(arguments) => {
            let change = one(&config, &arguments.name, now)?;
            let told = listed::told(&change);
            let asked = approve::Asked {
                name: &change.name,
                digest: &change.digest,
                author: &change.author,
                told: &told,
            };
            approve::run(context, asked, &arguments, now)
        }
        Verb::Withdraw { name } => withdraw(context, &config, &name),
    }
}

/// A change of the model by its name.
fn one(config: &Config, name: &str, now: Timestamp) -> anyhow::Result<ChangeFact> {
    let snapshot = model::configured(config)?;
    if let Some(change) = snapshot.change(name, now) {
        return Ok(change);
    }
    let all = snapshot.changes(now);
    let names: Vec<&str> = all.iter().map(|change| &*change.name).collect();
    if names.is_empty() {
        bail!("the model has no change; write one, or make it from a plan with `ordain change import`");
    }
    bail!("there is no change `{name}`; there are `{}`", names.join("`, `"))
}

/// Takes the documents of a change, and of approvals of it, out of the files they stand in.
fn withdraw(context: &Context, config: &Config, name: &str) -> anyhow::Result<Exit> {
    let mut changes = Vec::new();
    for Source { path, text } in sources(&config.model)? {
        if let Some(rest) = ordain_rules::without_change(&text, name) {
            let text = Some(rest).filter(|rest| !rest.is_empty());
            let summary = format!("change `{name}` is withdrawn");
            changes.push(Change { file: path, text, summary });
        }
    }
    if changes.is_empty() {
        bail!("there is no change `{name}` in the model");
    }
    if let Some(error) = keep::would_break(config, &changes)? {
        context
            .output
            .complain(&format!("nothing was withdrawn: without it the model would not load:\n{error}"));
        return Ok(Exit::Usage);
    }
    keep::keep(config, &changes)?;
    context
        .output
        .line(&format!("change `{name}` is withdrawn; what was carried out of it stays in the ledger"))?;
    Ok(keep::loads(context, config))
}
