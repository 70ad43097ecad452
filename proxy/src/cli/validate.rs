//! `ordain validate`: the settings, the files they name and the model, loaded as `serve` loads them, and nothing
//! started. Leaves out credentials: `ordain doctor` tries them.

use std::path::PathBuf;

use ordain_rules::{LiveInventory, Snapshot};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, asked};
use crate::listen::Tls;
use crate::model::{self, Model};
use crate::telemetry;

/// Check the settings and the model.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A model directory to check in place of the configured one.
    #[arg(long)]
    model: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    settings: String,
    model_directory: String,
    model_files: usize,
    model_digest: String,
    rules_digest: String,
    identity: Vec<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    telemetry::check(&config.log)?;
    if let Some((certificate, key)) = &config.tls {
        drop(Tls::load(certificate, key, config.clients().as_ref())?);
    }
    if let Some((certificate, key)) = &config.admin_tls {
        drop(Tls::load(certificate, key, None)?);
    }
    drop(asked::all_rooms(&config)?);
    let directory = arguments.model.unwrap_or_else(|| config.model.clone());
    let files = model::sources(&directory)?.len();
    let model = Model::open(directory.clone(), config.modes(), LiveInventory::new())?;
    let snapshot: &Snapshot = &model.snapshot();
    let report = Report {
        settings: "ok".to_owned(),
        model_directory: directory.display().to_string(),
        model_files: files,
        model_digest: snapshot.digest().to_hex(),
        rules_digest: snapshot.rules_digest().to_hex(),
        identity: config.identity.lines().into_iter().chain(config.login.lines()).collect(),
    };
    context.output.show(context.format, &report, || {
        let mut rows = Rows::new(&["what", "found"]);
        rows.push(vec!["settings".to_owned(), report.settings.clone()]);
        for line in &report.identity {
            rows.push(vec!["identity".to_owned(), line.clone()]);
        }
        rows.push(vec!["model".to_owned(), describe(&report)]);
        rows.push(vec!["rules".to_owned(), format!("digest {}", short(&report.rules_digest))]);
        rows
    })?;
    Ok(Exit::Ok)
}

fn describe(report: &Report) -> String {
    if report.model_files == 0 {
        return format!("none yet: `{}` holds no `.yaml` or `.cedar` file", report.model_directory);
    }
    format!(
        "{} files in `{}`, digest {}",
        report.model_files,
        report.model_directory,
        short(&report.model_digest)
    )
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
