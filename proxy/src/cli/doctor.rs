//! `ordain doctor`: looks for what would keep the gate from working here, and says what to do about it.
//!
//! Changes nothing. Leaves out what `validate` checks in full: here one line says whether it passes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ordain_rules::LiveInventory;
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::Model;
use crate::upstream::{Own, Source, Upstreams};
use crate::{keys, own};

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
            findings.push(state(&config));
            findings.push(keys(&config));
            findings.push(model(&config));
            findings.push(descriptors(&config));
            findings.push(mode(&config));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            findings.extend(runtime.block_on(upstreams(&config)));
            findings.extend(runtime.block_on(running(&config)));
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

fn state(config: &Config) -> Finding {
    let shown = config.state.display();
    let (ok, detail) = match fs::metadata(&config.state) {
        Err(_) => (true, format!("`{shown}` is not there yet; `ordain serve` makes it")),
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            (false, format!("others may read `{shown}`; `chmod 700` it"))
        }
        Ok(_) => (true, format!("`{shown}` is its owner's alone")),
    };
    Finding { what: "state", ok, detail }
}

fn keys(config: &Config) -> Finding {
    match keys::of(config) {
        Ok(keys) => Finding { what: "keys", ok: true, detail: format!("{} issued", keys.list().len()) },
        Err(error) => Finding { what: "keys", ok: false, detail: format!("{error:#}") },
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

fn mode(config: &Config) -> Finding {
    let detail = match config.mode {
        ordain_rules::Mode::Enforce => "enforce: what is denied does not happen".to_owned(),
        ordain_rules::Mode::Warn => "warn: nothing is denied, callers are told".to_owned(),
        ordain_rules::Mode::Shadow => "shadow: nothing is denied, everything is recorded".to_owned(),
    };
    Finding { what: "mode", ok: true, detail }
}

/// What a gate that runs on the same state says of itself.
async fn running(config: &Config) -> Option<Finding> {
    let status = own::status(config).await?;
    let (ok, detail) = match status.not_taken_up.as_slice() {
        [] => (true, format!("a gate runs here in {} mode", status.mode)),
        faults => (
            false,
            format!("a gate runs here in {} mode; not taken up are {}", status.mode, faults.join(" and ")),
        ),
    };
    Some(Finding { what: "running", ok, detail })
}

async fn upstreams(config: &Config) -> Vec<Finding> {
    let now = Clock::system().now();
    let own = Own { addresses: vec![config.data, config.admin], names: config.names.clone() };
    let mut findings = Vec::new();
    for upstream in &config.upstreams {
        let name = &upstream.name;
        let found = match Upstreams::start(vec![Source::from(upstream)], &own, now).await {
            Ok(upstreams) => upstreams.verify(name, now).await,
            Err(error) => Err(error),
        };
        let (ok, detail) = match found {
            Ok(found) => {
                (true, format!("`{name}` is account {} in partition {}", found.account, found.partition))
            }
            Err(error) => (false, error.to_string()),
        };
        findings.push(Finding { what: "upstream", ok, detail });
    }
    findings
}
