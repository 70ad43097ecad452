//! A file of the model that a verb writes or takes away: refused where the model would break, and a ledger entry before.
//!
//! Leaves out what is in the files.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use ordain_evidence::ChangeKind;
use ordain_rules::{LiveInventory, Snapshot, Source};

use crate::cli::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Model, ModelError, sources};
use crate::{files, own};

/// One file as it is to be.
#[derive(Debug)]
pub(in crate::cli) struct Change {
    /// Its path within the model's folder.
    pub(in crate::cli) file: String,
    /// What it is to say; `None` takes it away.
    pub(in crate::cli) text: Option<String>,
    /// What is done, for the ledger.
    pub(in crate::cli) summary: String,
}

/// What would be wrong with the model then, where it is right now.
pub(in crate::cli) fn would_break(config: &Config, changes: &[Change]) -> anyhow::Result<Option<ModelError>> {
    let mut all = sources(&config.model)?;
    if Snapshot::load(&all, config.modes()).is_err() {
        return Ok(None);
    }
    all.retain(|source| changes.iter().all(|one| one.file != source.path));
    all.extend(changes.iter().filter_map(|one| {
        let text = one.text.clone()?;
        Some(Source { path: one.file.clone(), text })
    }));
    all.sort_by(|left, right| left.path.cmp(&right.path));
    let directory = config.model.display().to_string();
    let problems = Snapshot::load(&all, config.modes()).err();
    Ok(problems.map(|problems| ModelError::Problems { directory, problems }))
}

/// Records each change and makes it.
pub(in crate::cli) fn keep(config: &Config, changes: &[Change]) -> anyhow::Result<()> {
    files::prepare(&config.state)?;
    for one in changes {
        own::record(config, &Clock::system(), ChangeKind::Model, one.summary.clone())?;
        let path = config.model.join(&one.file);
        match &one.text {
            Some(text) => {
                let folder = path.parent().unwrap_or(&config.model);
                fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
                write(&path, text)?;
            }
            None => {
                fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
            }
        }
    }
    Ok(())
}

/// Written beside and moved into place: a gate that looks in between sees the old file or the new.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    fs::write(&beside, text).with_context(|| format!("cannot write `{}`", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Said now, while whoever changed it is looking, and not when the gate next reads the model.
pub(in crate::cli) fn loads(context: &Context, config: &Config) -> Exit {
    match Model::open(config.model.clone(), config.modes(), LiveInventory::new()) {
        Ok(_) => Exit::Ok,
        Err(error) => {
            context.output.complain(&format!(
                "the model does not load as it is now, and a running gate keeps the old one:\n{error}"
            ));
            Exit::Usage
        }
    }
}
