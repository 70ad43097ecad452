//! `ordain ledger`: verify, prove and query the evidence. Works beside a running gate.
//!
//! Leaves out how it is verified (`ordain-proof`); `ordain-verify` does the same without the gate's program.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ordain_evidence::{Filter, Reader};
use ordain_proof::note::Verifier;
use ordain_proof::record::{DetailRecord, ReadingRecord};
use ordain_proof::verify::{self, Demand, Verified, VerifyError, Wanted};
use serde::Serialize;

use super::output::Rows;
use super::tunnels::{self, Tunnels};
use super::{Context, Exit};

/// Verify, prove and query the evidence.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The ledger's folder; the configured one when it is not given.
    #[arg(long, global = true)]
    directory: Option<PathBuf>,
    /// The public key: its text, or a file that holds it. Without one, the key beside the ledger is used,
    /// which whoever can write the ledger can write too.
    #[arg(long, global = true)]
    key: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Verify every byte against the signed checkpoint.
    Verify {
        /// A checkpoint kept elsewhere; the ledger must go on from it. May be given again.
        #[arg(long)]
        checkpoint: Vec<PathBuf>,
        /// The gate is stopped: the checkpoint must cover every entry.
        #[arg(long)]
        closed: bool,
    },
    /// Write an entry and the proof that it is in the ledger: `PATH.json` and `PATH.tlog-proof`.
    Prove {
        /// The name of a decision or a tunnel, or the entry's number.
        entry: String,
        /// Where to.
        #[arg(long)]
        out: PathBuf,
    },
    /// List decisions, oldest first.
    Query(Query),
    /// List tunnels that were passed on unopened, oldest first.
    Tunnels(Tunnels),
}

#[derive(Debug, clap::Args)]
struct Query {
    /// The actor's name.
    #[arg(long)]
    actor: Option<String>,
    /// `admit`, `hold` or `deny`.
    #[arg(long, value_parser = ["admit", "hold", "deny"], hide_possible_values = true)]
    verdict: Option<String>,
    /// The operation, as `ec2:TerminateInstances` or `ec2:*`.
    #[arg(long)]
    operation: Option<String>,
    /// A reason code.
    #[arg(long)]
    reason: Option<String>,
    /// Part of a resource's name or identifier.
    #[arg(long)]
    resource: Option<String>,
    /// At or after this time (RFC 3339).
    #[arg(long, value_parser = super::time)]
    since: Option<jiff::Timestamp>,
    /// Before this time (RFC 3339).
    #[arg(long, value_parser = super::time)]
    until: Option<jiff::Timestamp>,
    /// The most that are listed.
    #[arg(long, default_value_t = 100)]
    most: usize,
}

#[derive(Serialize)]
struct Report {
    verifies: bool,
    entries: u64,
    covered: u64,
    decisions: u64,
    without_outcome: u64,
    tunnels: u64,
    tunnels_without_end: u64,
    root: String,
    torn: bool,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let directory = match arguments.directory {
        Some(directory) => directory,
        None => context.config()?.ledger,
    };
    match arguments.verb {
        Verb::Verify { checkpoint, closed } => {
            let verifier = key(&directory, arguments.key.as_deref())?;
            let notes = checkpoint.iter().map(|path| text(path)).collect::<anyhow::Result<Vec<_>>>()?;
            let demand = Demand { earlier: notes.iter().map(String::as_str).collect(), closed };
            match verify::directory(&directory, &verifier, &demand) {
                Ok(verified) => show(context, &verified),
                Err(error) => {
                    context.output.complain(&format!("does not verify: {error}"));
                    Ok(Exit::Ledger)
                }
            }
        }
        Verb::Prove { entry, out } => {
            let verifier = key(&directory, arguments.key.as_deref())?;
            let wanted = entry.parse().map_or_else(|_| Wanted::Decision(entry.clone()), Wanted::Index);
            match verify::prove(&directory, &verifier, &wanted) {
                Ok(proven) => {
                    let (statement, proof) = (out.with_extension("json"), out.with_extension("tlog-proof"));
                    write(&statement, &proven.entry)?;
                    write(&proof, proven.proof.to_text().as_bytes())?;
                    context.output.line(&format!(
                        "wrote `{}` and `{}`",
                        statement.display(),
                        proof.display()
                    ))?;
                    Ok(Exit::Ok)
                }
                // Who asks for what is not there has not found anything wrong with the ledger.
                Err(error @ VerifyError::NoEntry(_)) => Err(error.into()),
                Err(error) => {
                    context.output.complain(&format!("cannot be proven: {error}"));
                    Ok(Exit::Ledger)
                }
            }
        }
        Verb::Query(query) => list(context, &directory, query),
        Verb::Tunnels(tunnels) => tunnels::list(context, &directory, &tunnels),
    }
}

fn show(context: &Context, verified: &Verified) -> anyhow::Result<Exit> {
    let report = Report {
        verifies: true,
        entries: verified.entries,
        covered: verified.covered,
        decisions: verified.decisions,
        without_outcome: verified.open,
        tunnels: verified.tunnels,
        tunnels_without_end: verified.open_tunnels,
        root: verified.root.to_string(),
        torn: verified.torn,
    };
    context.output.show(context.format, &report, || {
        let mut rows = Rows::new(&["the ledger", "verifies"]);
        rows.push(vec![
            "entries".to_owned(),
            format!("{}, {} under the signed checkpoint", report.entries, report.covered),
        ]);
        rows.push(vec![
            "decisions".to_owned(),
            format!("{}, {} without an outcome yet", report.decisions, report.without_outcome),
        ]);
        if report.tunnels > 0 {
            let tunnels = format!("{}, {} without an end yet", report.tunnels, report.tunnels_without_end);
            rows.push(vec!["tunnels".to_owned(), tunnels]);
        }
        rows.push(vec!["root".to_owned(), report.root.clone()]);
        if report.torn {
            rows.push(vec![
                "tail".to_owned(),
                "a batch that was being written follows: the gate runs, or was killed".to_owned(),
            ]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}

fn list(context: &Context, directory: &Path, query: Query) -> anyhow::Result<Exit> {
    let reader =
        Reader::open(directory).with_context(|| format!("no ledger in `{}`", directory.display()))?;
    let filter = Filter {
        actor: query.actor,
        ruling: query.verdict,
        operation: query.operation,
        reason_code: query.reason,
        resource: query.resource,
        since: query.since,
        until: query.until,
    };
    let mut statements = Vec::new();
    let mut rows =
        Rows::new(&["entry", "time", "actor", "verdict", "mode", "operation", "on", "reason", "decision"]);
    let mut failed = None;
    reader.query(&filter, |kept, decision| {
        let (operation, on, reason) = match decision.with_detail(kept.blob.as_deref(), what) {
            Ok(what) => what,
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        };
        rows.push(vec![
            kept.sequence.to_string(),
            to_the_second(&decision.time),
            decision.actor.party.name.to_string(),
            decision.ruling.to_string(),
            decision.mode.to_string(),
            operation,
            on,
            reason,
            decision.id.to_string(),
        ]);
        statements.push(kept.statement);
        if statements.len() >= query.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let values: Result<Vec<serde_json::Value>, _> =
        statements.iter().map(|bytes| serde_json::from_slice(bytes)).collect();
    context.output.show(context.format, &values?, || rows)?;
    Ok(Exit::Ok)
}

/// What a decision was about: the first operation, the first resource, the reason that decided.
fn what(detail: &DetailRecord<'_>) -> (String, String, String) {
    let (operation, on) = match &detail.reading {
        ReadingRecord::Call(call) => call.effects.first().map_or_else(Default::default, |effect| {
            let on = effect.resources.first().map_or("", |resource| &resource.name);
            (effect.iam_action.to_string(), on.to_owned())
        }),
        ReadingRecord::Undecodable(_) => ("could not be read".to_owned(), String::new()),
    };
    let reason = detail.reasons.first().map_or_else(String::new, |reason| reason.code.to_string());
    (operation, on, reason)
}

/// A time for people; programs are given all of it.
pub(super) fn to_the_second(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(second, _)| format!("{second}Z"))
}

fn key(directory: &Path, given: Option<&str>) -> anyhow::Result<Verifier> {
    match given {
        // One that may not be looked into is told as such by the read below.
        None if matches!(directory.try_exists(), Ok(false)) => {
            anyhow::bail!(
                "no ledger in `{}`; start the gate first, or give `--directory`",
                directory.display()
            )
        }
        None => Ok(Verifier::parse(&text(&directory.join("verifier"))?)?),
        Some(given) => match Verifier::parse(given) {
            Ok(verifier) => Ok(verifier),
            Err(_) => Ok(Verifier::parse(&text(Path::new(given))?)?),
        },
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}
