//! `ordain model`: what you have into the intent model, and what is known out.
//!
//! Leaves out what a model means, how two differ and what is wrong with one (`ordain-rules`).

mod compare;
mod export;
mod import;
pub(super) mod keep;
mod lint;
mod live;
mod show;

use std::path::PathBuf;

use ordain_rules::{LiveInventory, Snapshot};

use super::{Context, Exit};
use crate::config::Config;
use crate::model::{Model, ModelError};

/// Import into the intent model, show it, compare it, look for what is wrong with it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Turn what you have into model documents; import again to bring them up to date.
    Import(Box<import::Arguments>),
    /// Show what the model holds, or what it says of one thing.
    Show {
        /// A name or an identifier of something; without one, the model in figures.
        name: Option<String>,
    },
    /// Write everything that exists, with who owns it, where that is said, and how it depends on what.
    Export(export::Arguments),
    /// What another version of the model says otherwise; exits with 1 where it does.
    Diff {
        /// The folder of the old model.
        old: PathBuf,
        /// The folder of the new one; by default the configured one.
        new: Option<PathBuf>,
    },
    /// Whether another estate's model fits to this one: who claims the same, who is who, what contradicts. Exits with 1
    /// where something does not fit.
    Merge(compare::Merge),
    /// What is wrong with the model: unowned, orphaned, stale, undeclared but seen. Exits with 1 where something is.
    Lint(lint::Arguments),
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    match arguments.verb {
        Verb::Import(arguments) => import::run(context, &config, *arguments),
        Verb::Show { name: None } => show::all(context, &configured(&config)?),
        Verb::Show { name: Some(name) } => show::one(context, &configured(&config)?, &name),
        Verb::Export(arguments) => export::run(context, &configured(&config)?, &arguments),
        Verb::Diff { old, new } => {
            let new = new.unwrap_or_else(|| config.model.clone());
            compare::diff(context, &open(old, &config)?, &open(new, &config)?)
        }
        Verb::Merge(arguments) => compare::merge(context, &config, &arguments),
        Verb::Lint(arguments) => lint::run(context, &config, &arguments),
    }
}

/// The configured model.
pub(super) fn configured(config: &Config) -> Result<Snapshot, ModelError> {
    open(config.model.clone(), config)
}

/// The model of a folder.
fn open(folder: PathBuf, config: &Config) -> Result<Snapshot, ModelError> {
    let model = Model::open(folder, config.modes(), LiveInventory::new())?;
    Ok(Snapshot::clone(&model.snapshot()))
}
