//! `ordain ca`: the certificate authorities under which the egress gateway opens tunnels.
//!
//! Leaves out how they are kept (`egress/`). Each change is a ledger entry before it takes effect.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use ordain_evidence::ChangeKind;
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::egress::{self, Entry, Kept};
use crate::own;

/// Hours in which clients are given a new authority before it signs, where nothing else is asked for.
const OVERLAP_HOURS: u32 = 7 * 24;

/// Create, show, export and rotate the authorities that clients of the egress gateway trust.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make the first authority. `serve` makes one too, where an egress gateway is configured and there is none.
    Create(New),
    /// Show all authorities, the first made first.
    Show,
    /// Write what clients are to trust, as PEM.
    Export {
        /// The file to write; standard output without it.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Make a new authority: trusted at once, and signing once clients have had time to learn of it.
    Rotate {
        #[command(flatten)]
        new: New,
        /// In how many hours it signs; until then the one before it does.
        #[arg(long, default_value_t = OVERLAP_HOURS)]
        signs_in_hours: u32,
    },
}

#[derive(Debug, clap::Args)]
struct New {
    /// How many days it lasts.
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

/// An authority as it is listed.
#[derive(Serialize)]
struct Listed {
    fingerprint: String,
    state: &'static str,
    signs_from: String,
    ends: String,
    permits: String,
    /// Domains of the planes that it cannot stand for.
    missing: Vec<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let clock = Clock::system();
    let now = clock.now();
    let kept = egress::store(&config)?.read(now)?;
    match arguments.verb {
        Verb::Create(new) => {
            let holds = kept.entries.iter().any(|entry| now <= entry.certificate.not_after());
            anyhow::ensure!(
                !holds,
                "there is an authority; make another with `ordain ca rotate`, or see `ordain ca show`"
            );
            made(context, &config, &clock, &new, now)?;
        }
        Verb::Rotate { new, signs_in_hours } => {
            let signs_from = now + SignedDuration::from_hours(signs_in_hours.into());
            made(context, &config, &clock, &new, signs_from)?;
        }
        Verb::Show => show(context, &config, &kept, now)?,
        Verb::Export { out } => export(context, &kept, out, now)?,
    }
    Ok(Exit::Ok)
}

fn made(
    context: &Context,
    config: &Config,
    clock: &Clock,
    new: &New,
    signs_from: Timestamp,
) -> anyhow::Result<()> {
    let now = clock.now();
    let lasts = SignedDuration::from_hours(i64::from(new.days) * 24);
    let authority = egress::make(config, now, lasts)?;
    let certificate = authority.certificate();
    anyhow::ensure!(signs_from < certificate.not_after(), "it would end before it signs; let it last longer");
    let fingerprint = certificate.fingerprint();
    let summary = format!("make certificate authority {fingerprint}, which signs from {signs_from}");
    own::record(config, clock, ChangeKind::Key, summary)?;
    let store = egress::store(config)?;
    store.add(&authority, signs_from)?;
    egress::write_bundle(&config.state, &store, now)?;
    let bundle = egress::bundle_path(&config.state);
    context.output.line(&format!(
        "made {fingerprint}; it signs from {signs_from}\nclients are to trust `{}` from now on",
        bundle.display()
    ))?;
    Ok(())
}

fn show(context: &Context, config: &Config, kept: &Kept, now: Timestamp) -> anyhow::Result<()> {
    let domains = egress::hosts(config);
    let authorities = kept.authorities();
    let signing = authorities.signing(now).ok().map(|authority| authority.certificate().fingerprint());
    let listed: Vec<Listed> = kept
        .entries
        .iter()
        .map(|Entry { certificate, signs_from, .. }| Listed {
            fingerprint: certificate.fingerprint().to_string(),
            state: match signing {
                Some(fingerprint) if fingerprint == certificate.fingerprint() => "signs",
                _ if now > certificate.not_after() => "ended",
                _ if now < *signs_from => "coming",
                _ => "trusted",
            },
            signs_from: signs_from.to_string(),
            ends: certificate.not_after().to_string(),
            permits: certificate.constraints().to_string(),
            missing: certificate.missing(&domains),
        })
        .collect();
    context.output.show(context.format, &listed, || {
        let mut rows = Rows::new(&["fingerprint", "state", "signs from", "ends", "cannot stand for"]);
        for authority in &listed {
            rows.push(vec![
                authority.fingerprint.clone(),
                authority.state.to_owned(),
                authority.signs_from.clone(),
                authority.ends.clone(),
                authority.missing.join(" "),
            ]);
        }
        rows
    })?;
    Ok(())
}

fn export(context: &Context, kept: &Kept, out: Option<PathBuf>, now: Timestamp) -> anyhow::Result<()> {
    let bundle = kept.bundle_pem(now);
    anyhow::ensure!(!bundle.is_empty(), "there is no authority; make one with `ordain ca create`");
    match out {
        Some(path) => {
            std::fs::write(&path, bundle).with_context(|| format!("cannot write `{}`", path.display()))
        }
        None => Ok(context.output.raw(bundle.as_bytes())?),
    }
}
