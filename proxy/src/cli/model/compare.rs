//! `ordain model diff` and `ordain model merge`: two models against each other.
//!
//! Leaves out how they are compared (`ordain_rules::portrait`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ordain_evidence::ChangeKind;
use ordain_rules::portrait::{self, Conflict, Difference};
use ordain_rules::{Snapshot, Source};
use serde::Serialize;

use crate::cli::output::Rows;
use crate::cli::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::files;
use crate::model::{ModelError, sources};
use crate::own;

/// What to merge.
#[derive(Debug, clap::Args)]
pub(super) struct Merge {
    /// The folder of the other estate's model.
    other: PathBuf,
    /// Put the other's files into a folder of this name within the model, where all fits together.
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    into: Option<String>,
    /// Put them there though something does not fit: where both say who owns something, both own it.
    #[arg(long, requires = "into")]
    force: bool,
}

fn folder_name(text: &str) -> Result<String, String> {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if text.is_empty() || !text.chars().all(fit) {
        return Err("a folder's name has letters, digits, `-` and `_`".to_owned());
    }
    Ok(text.to_owned())
}

/// One difference, as it is shown.
#[derive(Serialize)]
struct Differs<'d> {
    change: &'static str,
    what: &'static str,
    name: &'d str,
    fields: Vec<Field<'d>>,
}

#[derive(Serialize)]
struct Field<'d> {
    field: &'static str,
    old: &'d str,
    new: &'d str,
}

/// One conflict, as it is shown.
#[derive(Serialize)]
struct Shown<'c> {
    conflict: &'static str,
    what: &'static str,
    name: &'c str,
    text: &'c str,
}

pub(super) fn diff(context: &Context, old: &Snapshot, new: &Snapshot) -> anyhow::Result<Exit> {
    let found = portrait::diff(old, new);
    let shown: Vec<Differs<'_>> = found.iter().map(differs).collect();
    context.output.show(context.format, &shown, || {
        let mut rows = Rows::new(&["change", "what", "name", "field", "old", "new"]);
        for one in &shown {
            let head = || vec![one.change.to_owned(), one.what.to_owned(), one.name.to_owned()];
            if one.fields.is_empty() {
                rows.push([head(), vec![String::new(); 3]].concat());
            }
            for field in &one.fields {
                let said = vec![field.field.to_owned(), field.old.to_owned(), field.new.to_owned()];
                rows.push([head(), said].concat());
            }
        }
        rows
    })?;
    Ok(if found.is_empty() { Exit::Ok } else { Exit::No })
}

fn differs(one: &Difference) -> Differs<'_> {
    Differs {
        change: one.change.as_str(),
        what: one.sort.as_str(),
        name: &one.name,
        fields: one.fields.iter().map(|(field, old, new)| Field { field, old, new }).collect(),
    }
}

pub(super) fn merge(context: &Context, config: &Config, arguments: &Merge) -> anyhow::Result<Exit> {
    let own = super::configured(config)?;
    let other = super::open(arguments.other.clone(), config)?;
    if !other.has_model() {
        bail!("there is no model in `{}`; give the folder of one", arguments.other.display());
    }
    let conflicts = portrait::merge(&own, &other);
    show(context, &conflicts)?;
    let together = together(config, arguments)?;
    if let Err(problems) = Snapshot::load(&together, config.modes()) {
        let directory = "both together".to_owned();
        let error = ModelError::Problems { directory, problems };
        context.output.complain(&error.to_string());
        return Ok(Exit::No);
    }
    let Some(name) = &arguments.into else {
        return Ok(if conflicts.is_empty() { Exit::Ok } else { Exit::No });
    };
    if !conflicts.is_empty() && !arguments.force {
        context.output.complain(&format!(
            "nothing was put into `{name}`: {} do not fit; correct them, or say `--force`",
            conflicts.len()
        ));
        return Ok(Exit::No);
    }
    put(config, &arguments.other, name)?;
    Ok(Exit::Ok)
}

/// The files of both, those of the other in the folder that they would be in.
fn together(config: &Config, arguments: &Merge) -> anyhow::Result<Vec<Source>> {
    let folder = arguments.into.as_deref().unwrap_or("other");
    let within = |source: Source| Source { path: format!("{folder}/{}", source.path), ..source };
    let mut all = sources(&config.model)?;
    all.extend(sources(&arguments.other)?.into_iter().map(within));
    Ok(all)
}

fn show(context: &Context, conflicts: &[Conflict]) -> anyhow::Result<()> {
    let shown: Vec<Shown<'_>> = conflicts
        .iter()
        .map(|one| Shown {
            conflict: one.kind.as_str(),
            what: one.sort.as_str(),
            name: &one.name,
            text: &one.text,
        })
        .collect();
    context.output.show(context.format, &shown, || {
        let mut rows = Rows::new(&["conflict", "what", "name", "which"]);
        for one in &shown {
            rows.push([one.conflict, one.what, one.name, one.text].map(str::to_owned).to_vec());
        }
        rows
    })
}

/// Puts the files of a model into a folder of the configured one: beside first, and then into place, so that a gate which
/// looks in between sees none of them or all.
fn put(config: &Config, other: &Path, name: &str) -> anyhow::Result<()> {
    files::prepare(&config.state)?;
    let place = config.model.join(name);
    if place.exists() {
        bail!("`{}` is there already; give another name, or take it away", place.display());
    }
    let all = sources(other)?;
    let summary = format!("merge another model, files: {}, into {name}", all.len());
    own::record(config, &Clock::system(), ChangeKind::Model, summary)?;
    // What is hidden is no part of the model, and on the same disk.
    let beside = config.model.join(format!(".{name}.merging"));
    if beside.exists() {
        fs::remove_dir_all(&beside).with_context(|| format!("cannot remove `{}`", beside.display()))?;
    }
    for source in all {
        let path = beside.join(&source.path);
        let folder = path.parent().unwrap_or(&beside);
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        fs::write(&path, &source.text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    fs::rename(&beside, &place)
        .with_context(|| format!("cannot move `{}` to `{}`", beside.display(), place.display()))
}
