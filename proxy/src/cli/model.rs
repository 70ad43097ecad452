//! `ordain model`: what you have into the intent model, and what is known out.
//!
//! Leaves out what documents mean (`ordain-rules`). An import writes a file into the model directory, and is
//! a ledger entry before it does.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ordain_evidence::ChangeKind;
use ordain_rules::import::{self, ImportSummary, Imported, Kubernetes, Terraform};
use ordain_rules::{LiveInventory, Source};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::files;
use crate::model::Model;
use crate::own;

/// Import into the intent model, and show it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Turn what you have into model documents; import again to bring them up to date.
    Import {
        #[command(subcommand)]
        from: From,
    },
    /// Show what the model holds.
    Show,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// A Terraform or OpenTofu state file (version 4).
    Terraform {
        /// The state.
        state: PathBuf,
        /// A name for it; by default its path.
        #[arg(long)]
        name: Option<String>,
        /// The folder of the root module within the source tree, which CODEOWNERS patterns are matched with.
        #[arg(long, default_value = "")]
        folder: String,
        /// The working directory's `.terraform/modules/modules.json`.
        #[arg(long)]
        modules: Option<PathBuf>,
        /// A CODEOWNERS file to import with it.
        #[arg(long)]
        owners: Option<PathBuf>,
    },
    /// Objects of a cluster, as `kubectl get -o json` or `-o yaml` lists them.
    Kubernetes {
        /// The lists, or single objects.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The cluster, as configuration names it.
        #[arg(long)]
        cluster: String,
        /// A name for what is imported, where it is not the whole cluster; by default the cluster's.
        #[arg(long)]
        name: Option<String>,
        /// A label or annotation that says who owns an object, beside `owner` and `team`; may be given again.
        #[arg(long = "owner-label")]
        owner_labels: Vec<String>,
    },
    /// A CODEOWNERS file of GitHub or GitLab.
    Codeowners {
        /// The file.
        file: PathBuf,
        /// Its revision, for the provenance of what it says.
        #[arg(long)]
        revision: Option<String>,
    },
}

/// What an import brought, as it is shown.
#[derive(Serialize)]
struct Brought {
    file: String,
    facts: usize,
    relations: usize,
    unowned: usize,
    owners: Vec<String>,
    accounts: Vec<String>,
    left_out: Vec<String>,
}

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

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    match arguments.verb {
        Verb::Show => show(context, &config),
        Verb::Import { from } => {
            let now = Clock::system().now();
            let imported = match from {
                From::Terraform { state, name, folder, modules, owners } => {
                    let modules = modules.as_deref().map(read).transpose()?;
                    let told = Terraform {
                        name: name.as_deref(),
                        folder: &folder,
                        modules: modules.as_ref(),
                        as_of: Some(now),
                    };
                    let mut imported = vec![import::terraform(&read(&state)?, told)?];
                    if let Some(owners) = owners {
                        imported.push(import::codeowners(&read(&owners)?, None, Some(now))?);
                    }
                    imported
                }
                From::Kubernetes { files, cluster, name, owner_labels } => {
                    let lists = files.iter().map(|file| read(file)).collect::<anyhow::Result<Vec<_>>>()?;
                    let told = Kubernetes {
                        cluster: &cluster,
                        name: name.as_deref(),
                        owner_labels: &owner_labels,
                        as_of: Some(now),
                    };
                    vec![import::kubernetes(&lists, told)?]
                }
                From::Codeowners { file, revision } => {
                    vec![import::codeowners(&read(&file)?, revision.as_deref(), Some(now))?]
                }
            };
            keep(context, &config, &imported)
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Source> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Source { path: path.display().to_string(), text })
}

fn keep(context: &Context, config: &Config, imported: &[Imported]) -> anyhow::Result<Exit> {
    files::prepare(&config.state)?;
    fs::create_dir_all(&config.model).with_context(|| format!("cannot make `{}`", config.model.display()))?;
    let mut brought = Vec::new();
    for one in imported {
        let path = config.model.join(&one.file);
        let summary = format!("import {} facts into {}", one.summary.facts, one.file);
        own::record(config, &Clock::system(), ChangeKind::Model, summary)?;
        // Written beside and moved into place: a gate that looks in between sees the old file or the new.
        let beside = config.model.join(format!(".{}.new", one.file));
        fs::write(&beside, &one.text).with_context(|| format!("cannot write `{}`", beside.display()))?;
        fs::rename(&beside, &path).with_context(|| format!("cannot write `{}`", path.display()))?;
        brought.push(shown(&path, &one.summary));
    }
    context.output.show(context.format, &brought, || {
        let mut rows = Rows::new(&["file", "facts", "relations", "unowned", "owners", "accounts"]);
        for one in &brought {
            rows.push(vec![
                one.file.clone(),
                one.facts.to_string(),
                one.relations.to_string(),
                one.unowned.to_string(),
                one.owners.join(", "),
                one.accounts.join(", "),
            ]);
        }
        rows
    })?;
    for left_out in brought.iter().flat_map(|one| &one.left_out) {
        context.output.complain(&format!("left out: {left_out}"));
    }
    // Said now, while whoever imported is looking, and not when the gate next reads the model.
    match Model::open(config.model.clone(), config.modes(), LiveInventory::new()) {
        Ok(_) => Ok(Exit::Ok),
        Err(error) => {
            context.output.complain(&format!(
                "the model does not load as it is now, and a running gate keeps the old one:\n{error}"
            ));
            Ok(Exit::Usage)
        }
    }
}

fn shown(path: &Path, summary: &ImportSummary) -> Brought {
    Brought {
        file: path.display().to_string(),
        facts: summary.facts,
        relations: summary.relations,
        unowned: summary.unowned,
        owners: summary.owners.iter().cloned().collect(),
        accounts: summary.accounts.iter().cloned().collect(),
        left_out: summary.left_out.clone(),
    }
}

fn show(context: &Context, config: &Config) -> anyhow::Result<Exit> {
    let model = Model::open(config.model.clone(), config.modes(), LiveInventory::new())?;
    let snapshot = model.snapshot();
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
