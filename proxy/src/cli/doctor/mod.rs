//! `ordain doctor`: looks for what would keep the gate from working here, and says what to do about it.
//!
//! Changes nothing. Leaves out what `validate` checks in full: here one line says whether it passes.

mod environment;
mod files;
mod network;

use ordain_rules::LiveInventory;
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit};
use crate::config::{Config, UpstreamConfig};
use crate::model::Model;

/// Look for what would keep the gate from working here.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

#[derive(Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    detail: String,
}

pub(super) fn run(context: &Context, _: Arguments) -> anyhow::Result<Exit> {
    let mut findings = Vec::new();
    match context.config() {
        Err(error) => findings.push(Finding { what: "settings", ok: false, detail: format!("{error:#}") }),
        Ok(config) => {
            findings.push(Finding { what: "settings", ok: true, detail: "read".to_owned() });
            findings.extend(files::findings(&config));
            findings.push(model(&config));
            findings.push(descriptors(&config));
            findings.push(mode(&config));
            findings.extend(identity(&config));
            findings.extend(custody(&config));
            findings.extend(environment::findings(&config));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            findings.extend(runtime.block_on(network::findings(&config)));
        }
    }
    let well = findings.iter().all(|finding| finding.ok);
    context.output.show(context.format, &findings, || {
        let mut rows = Rows::new(&["", "what", "found"]);
        for finding in &findings {
            let sign = if finding.ok { "ok" } else { "!!" };
            rows.push(vec![sign.to_owned(), finding.what.to_owned(), finding.detail.clone()]);
        }
        rows
    })?;
    Ok(if well { Exit::Ok } else { Exit::No })
}

impl Finding {
    fn new(what: &'static str, found: Result<String, String>) -> Self {
        let ok = found.is_ok();
        let (Ok(detail) | Err(detail)) = found;
        Self { what, ok, detail }
    }
}

fn model(config: &Config) -> Finding {
    let (ok, detail) = match Model::open(config.model.clone(), config.modes(), LiveInventory::new()) {
        Ok(model) if model.snapshot().has_model() => (true, format!("`{}` loads", config.model.display())),
        Ok(_) => (
            true,
            format!(
                "no model yet in `{}`: enforce denies every change until there is one",
                config.model.display()
            ),
        ),
        Err(error) => (false, error.to_string()),
    };
    Finding { what: "model", ok, detail }
}

fn descriptors(config: &Config) -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let needed =
        u64::try_from(config.limits.connections).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(64);
    let ok = limit >= needed;
    let detail = if ok {
        format!("{limit} descriptors")
    } else {
        format!(
            "{limit} descriptors, and {} connections may need {needed}; raise the limit",
            config.limits.connections
        )
    };
    Finding { what: "descriptors", ok, detail }
}

/// Who is believed beside issued keys. The single user is told of as what it is.
fn identity(config: &Config) -> Vec<Finding> {
    let lines = config.identity.lines().into_iter();
    lines.map(|detail| Finding { what: "identity", ok: !detail.starts_with("ADVISORY"), detail }).collect()
}

/// The upstreams that do without custody.
fn custody(config: &Config) -> Vec<Finding> {
    let weaker = config.upstreams.iter().filter_map(UpstreamConfig::weaker);
    weaker.map(|why| Finding::new("custody", Err(format!("WEAKER: {why}")))).collect()
}

fn mode(config: &Config) -> Finding {
    let detail = match config.mode {
        ordain_rules::Mode::Enforce => "enforce: what is denied does not happen".to_owned(),
        ordain_rules::Mode::Warn => "warn: nothing is denied, callers are told".to_owned(),
        ordain_rules::Mode::Shadow => "shadow: nothing is denied, everything is recorded".to_owned(),
    };
    Finding { what: "mode", ok: true, detail }
}
