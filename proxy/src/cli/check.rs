//! `ordain check`: would this be admitted? Requests are decoded and judged against the model; nothing is
//! sent, nothing is recorded, and no signature is looked at.
//!
//! Leaves out what was created through the gate since the model was written.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use ordain_action::{Action, Actor, ActorKind, Digest, IdentityProof, Party, Reading, request_digest};
use ordain_decode::Rooms;
use ordain_decode::line::{At, read_request};
use ordain_rules::{Counted, Counters, LiveInventory, ReachPath, Ruling, Verdict};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, asked};
use crate::clock::Clock;
use crate::model::Model;

/// Judge requests against the model without sending them.
#[derive(Debug, clap::Args)]
#[command(after_help = asked::LINES)]
pub(super) struct Arguments {
    /// Who would ask, by the name the model knows.
    #[arg(long)]
    actor: String,
    /// What the actor is: `person`, `pipeline` or `agent`.
    #[arg(long, default_value = "person")]
    kind: String,
    /// The account that the requests are for; the upstream's own where the settings name it.
    #[arg(long)]
    account: Option<String>,
    /// The upstream's name, whose room reads the requests. When it is not given, it is the first that is configured, and
    /// the requests are read as what they look like.
    #[arg(long)]
    upstream: Option<String>,
    /// Files of JSON lines as `ordain decode` reads them; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Checked {
    id: String,
    operations: Vec<String>,
    verdict: &'static str,
    reasons: Vec<Said>,
    owners: Vec<String>,
    dependants: Option<u64>,
    /// Owners of what is reached, other than the actor's own.
    crosses: Vec<String>,
    /// How many things with data that no other copy has would be deleted.
    irreversible: u64,
    /// How what matters is reached.
    paths: Vec<Way>,
}

#[derive(Serialize)]
struct Way {
    explains: String,
    steps: Vec<String>,
}

#[derive(Serialize)]
struct Said {
    ruling: &'static str,
    count: &'static str,
    code: String,
    text: String,
    remedy: String,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let model = Model::open(config.model.clone(), config.modes(), LiveInventory::new())?;
    let rooms = asked::all_rooms(&config)?;
    let kind = ActorKind::parse(&arguments.kind)
        .with_context(|| format!("`--kind` is `{}`: use `person`, `pipeline` or `agent`", arguments.kind))?;
    let actor = Actor {
        party: Party { name: arguments.actor.as_str().into(), kind },
        credential: Arc::from(""),
        proof: IdentityProof::Claimed,
        on_behalf_of: Vec::new(),
        session: None,
        upstream: asked::upstream(&config, arguments.upstream.as_deref(), arguments.account)?,
    };
    let served = arguments.upstream.is_some();
    let mut all = Vec::new();
    for path in &arguments.files {
        let opened: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::new(
                File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?,
            ))
        };
        for (number, line) in opened.lines().enumerate() {
            let place = || format!("`{}` line {}", path.display(), number + 1);
            let line = line.with_context(place)?;
            if !line.trim().is_empty() {
                all.push(check(&rooms, &model, &actor, served, &line).with_context(place)?);
            }
        }
    }
    let no = all.iter().any(|checked| checked.verdict != Ruling::Admit.as_str());
    context.output.show(context.format, &all, || {
        let mut rows = Rows::new(&["id", "operation", "verdict", "because"]);
        for checked in &all {
            let because = checked.reasons.iter().map(|said| {
                let remedy = if said.remedy.is_empty() { "" } else { "; " };
                format!("{}: {}{remedy}{}", said.code, said.text, said.remedy)
            });
            rows.push(vec![
                checked.id.clone(),
                checked.operations.join(", "),
                checked.verdict.to_owned(),
                because.collect::<Vec<_>>().join("\n"),
            ]);
        }
        rows
    })?;
    Ok(if no { Exit::No } else { Exit::Ok })
}

fn check(rooms: &Rooms, model: &Model, actor: &Actor, served: bool, line: &str) -> anyhow::Result<Checked> {
    let at = At { upstream: &actor.upstream, served };
    let (id, reading) = read_request(rooms, at, line).map_err(|why| anyhow::anyhow!(why.text))?;
    if let Reading::Call(call) = &reading
        && call.plane != actor.upstream.plane
    {
        anyhow::bail!(
            "the request is of the plane `{}`, and upstream `{}` of `{}`; say which one is meant with `--upstream`",
            call.plane.as_str(),
            actor.upstream.name,
            actor.upstream.plane.as_str()
        );
    }
    let operations = match &reading {
        Reading::Call(call) => call.effects.iter().map(|effect| effect.iam_action.to_string()).collect(),
        Reading::Undecodable { .. } => Vec::new(),
    };
    let changes = !matches!(&reading, Reading::Call(call) if !call.is_change());
    // The judge knows unproven actors and says so; here it is asked as if the signature had been right.
    let action = Action { actor: Actor { proof: IdentityProof::Proven, ..actor.clone() }, reading };
    let digest = request_digest(&action, || Digest::of(line.as_bytes()));
    let snapshot = model.snapshot();
    let judged = if changes {
        // Nothing is carried out and nothing is counted: it is judged as the first of its window.
        let mut counters = Counters::new();
        for key in ordain_rules::needs(&snapshot, &action).keys() {
            counters.set(key.clone(), Counted::default());
        }
        ordain_rules::judge(&snapshot, &action, digest, &counters, Clock::system().now())
    } else {
        ordain_rules::read(&snapshot, &action, digest)
    };
    Ok(checked(id, operations, &judged.verdict))
}

fn path(path: &ReachPath) -> Way {
    let step = |(name, by): &(Arc<str>, Option<&str>)| match by {
        Some(by) => format!("{by} ← {name}"),
        None => name.to_string(),
    };
    Way { explains: path.explains.clone(), steps: path.steps.iter().map(step).collect() }
}

fn checked(id: String, operations: Vec<String>, verdict: &Verdict) -> Checked {
    Checked {
        id,
        operations,
        verdict: verdict.ruling.as_str(),
        reasons: verdict
            .reasons
            .iter()
            .map(|reason| Said {
                ruling: reason.ruling.as_str(),
                count: reason.count.as_str(),
                code: reason.code.as_str().to_owned(),
                text: reason.text.clone(),
                remedy: reason.remedy.clone(),
            })
            .collect(),
        owners: verdict.owners.iter().map(ToString::to_string).collect(),
        dependants: verdict.reach.dependants,
        crosses: verdict.reach.owners_crossed.iter().map(ToString::to_string).collect(),
        irreversible: verdict.reach.irreversible,
        paths: verdict.reach.because.iter().map(path).collect(),
    }
}
