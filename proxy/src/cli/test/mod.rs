//! `ordain test`: cases of who asks for what, judged by the model, and whether each is judged as it should be.
//!
//! Leaves out what was created through the gate since the model was written, but for decisions of the ledger. Nothing is
//! sent and nothing is recorded.

mod effects;
mod recorded;
mod report;
mod resolved;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use ordain_evidence::Reader;
use ordain_rules::{Counted, Counters, Problem, Snapshot, Verdict};

use self::report::{Judged, Report};
use self::resolved::{Asked, Case, Reads};
use super::output::Rows;
use super::{Context, Exit, Format, asked};
use crate::config::Config;
use crate::files;
use crate::model::{self, ModelError};
use crate::replay::{self, Remembered};

/// How the files of a folder are called that hold cases.
const ENDINGS: [&str; 2] = [".cases.yaml", ".cases.yml"];

const CASES: &str = "\
A file of cases is a list:
  - name: an agent opens nothing
    actor: {name: robot, kind: agent, on_behalf_of: [{name: alice}]}
    account: \"123456789012\"
    at: 2026-01-31T18:00:00Z
    request: |
      POST / HTTP/1.1
      Host: ec2.eu-west-1.amazonaws.com
      Content-Type: application/x-www-form-urlencoded

      Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-0123456789abcdef0
    expect: {verdict: deny, reasons: [not_owner], not_reasons: [frozen], owners: [platform]}
What is asked for may be written by hand (`operation`, `access`, `resources`, `parameters`, `region`, and `also` for what
the same request does beside it), or be a `decision` of the ledger. `upstream` names one of the settings, `plane` says what
else it is of. Ends with 0 where all are judged as expected, with 1 where some are not, with 2 where a file is not right.";

/// Judge cases against the model.
#[derive(Debug, clap::Args)]
#[command(after_help = CASES)]
pub(super) struct Arguments {
    /// Files of cases, or folders of `*.cases.yaml`; by default `tests` beside the model's folder.
    paths: Vec<PathBuf>,
    /// A model directory in place of the configured one.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Write what came of it as JUnit's XML as well.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print a decision of the ledger as a case, and judge nothing.
    #[arg(long, value_name = "DECISION", conflicts_with_all = ["paths", "model", "junit"])]
    record: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    if let Some(id) = arguments.record {
        return record(context, &config, &id);
    }
    let directory = arguments.model.unwrap_or_else(|| config.model.clone());
    anyhow::ensure!(directory.is_dir(), "there is no model in `{}`; name its folder", directory.display());
    let model = Snapshot::load(&model::sources(&directory)?, config.modes())
        .map_err(|problems| ModelError::Problems { directory: directory.display().to_string(), problems })?;
    let rooms = asked::all_rooms(&config)?;
    let (begin, changes) = (Timestamp::UNIX_EPOCH, model.changes(Timestamp::UNIX_EPOCH));
    let times_matter = !model.planned(begin).is_empty() || !changes.is_empty();
    let reads = Reads { config: &config, rooms: &rooms, times_matter };
    let mut problems = Vec::new();
    let mut cases = Vec::new();
    for path in files_of(&arguments.paths, &directory)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let mut found = Vec::new();
        cases.extend(resolved::cases(reads, &path.display().to_string(), &text, &mut found));
        problems.append(&mut found);
    }
    if !problems.is_empty() {
        let all: Vec<String> = problems.iter().map(Problem::to_string).collect();
        bail!("no case was judged:\n{}", all.join("\n"));
    }
    let report = Report::new(judged(&config, &model, &cases)?);
    if let Some(path) = &arguments.junit {
        files::replace(path, &report.junit()?)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if context.format == Format::Table {
        report.tell(context)?;
    } else {
        context.output.show(context.format, &report, || Rows::new(&[]))?;
    }
    Ok(if report.failed == 0 { Exit::Ok } else { Exit::No })
}

/// The files that are meant, each once.
fn files_of(paths: &[PathBuf], model: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let beside = model.parent().unwrap_or(model).join("tests");
    let mut found = BTreeSet::new();
    for path in if paths.is_empty() { std::slice::from_ref(&beside) } else { paths } {
        if path.is_dir() {
            let before = found.len();
            collect(path, &mut found)?;
            // A folder without a case would be a test that holds whatever the rules say.
            anyhow::ensure!(found.len() > before, "`{}` holds no `*.cases.yaml`; write one", path.display());
        } else if path.exists() {
            found.insert(path.clone());
        } else {
            bail!("there is nothing at `{}`; give files of cases, or a folder of them", path.display());
        }
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let unreadable = || format!("cannot read `{}`", folder.display());
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if ENDINGS.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            found.insert(path);
        }
    }
    Ok(())
}

fn judged(config: &Config, model: &Snapshot, cases: &[Case]) -> anyhow::Result<Vec<Judged>> {
    let wanted = cases.iter().filter_map(|case| match &case.asked {
        Asked::Decision(id) => Some(id.clone()),
        Asked::Action(..) => None,
    });
    let remembered = remember(config, &wanted.collect())?;
    let mut all = Vec::with_capacity(cases.len());
    for case in cases {
        let begun = Instant::now();
        let verdict = match &case.asked {
            Asked::Action(action, digest, at) => {
                // Nothing is carried out and nothing is counted: it is judged as the first of its window.
                let mut counters = Counters::new();
                for key in ordain_rules::needs(model, action).keys() {
                    counters.set(key.clone(), Counted::default());
                }
                ordain_rules::judge(model, action, *digest, &counters, *at).verdict
            }
            Asked::Decision(id) => again(model, &remembered, case, id)?,
        };
        all.push(Judged::of(case, &verdict, begun.elapsed()));
    }
    Ok(all)
}

fn again(
    model: &Snapshot,
    remembered: &BTreeMap<String, Remembered>,
    case: &Case,
    id: &str,
) -> anyhow::Result<Verdict> {
    let found = remembered.get(id).with_context(|| {
        format!("{}:{}: the ledger holds no decision `{id}`; see `ordain ledger query`", case.file, case.line)
    })?;
    Ok(replay::judged(&model.with_live(&found.live), &found.recalled))
}

fn remember(config: &Config, wanted: &BTreeSet<String>) -> anyhow::Result<BTreeMap<String, Remembered>> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let reader = Reader::open(&config.ledger)
        .with_context(|| format!("no ledger in `{}`", config.ledger.display()))?;
    let all = replay::recall(&reader, wanted)?.into_iter().map(|(id, found)| {
        let found =
            found.map_err(|why| anyhow::anyhow!("decision `{id}` is not judged again: {}", why.text()))?;
        Ok((id, found))
    });
    all.collect()
}

fn record(context: &Context, config: &Config, id: &str) -> anyhow::Result<Exit> {
    let mut found = remember(config, &BTreeSet::from([id.to_owned()]))?;
    let found = found
        .remove(id)
        .with_context(|| format!("the ledger holds no decision `{id}`; see `ordain ledger query`"))?;
    let case = recorded::case(config, id, found);
    if case.decision.is_some() {
        context
            .output
            .complain("it cannot be written down whole, so that the case needs this ledger to be judged");
    }
    context.output.raw(yaml_serde::to_string(&[case])?.as_bytes())?;
    Ok(Exit::Ok)
}
