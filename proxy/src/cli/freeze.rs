//! `ordain freeze`: what is frozen now and next, and a freeze begun or ended with one command.
//!
//! Leaves out when a freeze is in force (`ordain_rules`), and those that come round: they are written as documents.

use std::collections::BTreeMap;

use anyhow::bail;
use jiff::{Span, Timestamp};
use ordain_rules::{PlannedKind, without_freeze};
use serde::Serialize;

use super::model::keep::{self, Change};
use super::output::Rows;
use super::{Context, Exit, exception, model};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::sources;

/// List freezes and windows, begin a freeze, and end one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What is frozen now, which windows are open, and what comes next.
    List,
    /// Freeze what lies anywhere that is named, or everything where nothing is.
    Start(Box<Start>),
    /// End a freeze: its document is taken out of the model.
    End {
        /// The freeze, as `list` names it.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Start {
    /// A name for it: letters, digits and `-`.
    #[arg(value_parser = name)]
    name: String,
    /// When it ends (RFC 3339).
    #[arg(long, value_parser = super::time, required_unless_present = "lasts", conflicts_with = "lasts")]
    until: Option<Timestamp>,
    /// How long it lasts, for example `4h`.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    lasts: Option<Span>,
    /// When it begins (RFC 3339); by default now.
    #[arg(long, value_parser = super::time)]
    from: Option<Timestamp>,
    /// Why; whoever is refused reads it.
    #[arg(long)]
    why: String,
    /// The group that answers for it, or a user as `user:NAME`.
    #[arg(long)]
    owner: Option<String>,
    /// An environment; this and the next four may be given again.
    #[arg(long = "environment", value_name = "NAME")]
    environments: Vec<String>,
    /// An account, subscription, project or cluster.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// A system.
    #[arg(long = "system", value_name = "NAME")]
    systems: Vec<String>,
    /// All that a group owns.
    #[arg(long = "owned-by", value_name = "OWNER")]
    owners: Vec<String>,
    /// A name, `*` standing for any text.
    #[arg(long = "name", value_name = "PATTERN")]
    names: Vec<String>,
}

pub(super) fn name(text: &str) -> Result<String, String> {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if !text.is_empty() && text.len() <= 63 && text.chars().all(fit) {
        Ok(text.to_owned())
    } else {
        Err("a name has letters, digits and `-`".to_owned())
    }
}

pub(super) fn span(text: &str) -> Result<Span, String> {
    let lasts = text.parse::<Span>().ok().filter(|span| span.is_positive());
    lasts.ok_or_else(|| "give a time such as `4h`".to_owned())
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    match arguments.verb {
        Verb::List => list(context, &config),
        Verb::Start(start) => begin(context, &config, *start),
        Verb::End { name } => end(context, &config, &name),
    }
}

/// A freeze or a window, as it is shown.
#[derive(Serialize)]
struct Shown {
    what: &'static str,
    name: String,
    in_force: bool,
    begins: Option<String>,
    ends: Option<String>,
    covers: String,
    things: usize,
    owner: String,
    why: String,
}

fn list(context: &Context, config: &Config) -> anyhow::Result<Exit> {
    let snapshot = model::configured(config)?;
    let mut planned = snapshot.planned(Clock::system().now());
    planned.retain(|one| one.kind != PlannedKind::Exception);
    let shown: Vec<Shown> = planned
        .iter()
        .map(|one| Shown {
            what: one.kind.as_str(),
            name: one.name.clone(),
            in_force: one.in_force,
            begins: one.begins.map(|time| time.to_string()),
            ends: one.ends.map(|time| time.to_string()),
            covers: one.covers.clone(),
            things: one.things,
            owner: one.owner.clone(),
            why: one.why.clone(),
        })
        .collect();
    context.output.show(context.format, &shown, || {
        let mut rows = Rows::new(&["what", "name", "when", "covers", "things", "owner", "why"]);
        for (one, shown) in planned.iter().zip(&shown) {
            let covers = if one.covers.is_empty() { "everything" } else { &one.covers };
            rows.push(vec![
                shown.what.to_owned(),
                one.name.clone(),
                exception::when(one),
                covers.to_owned(),
                one.things.to_string(),
                one.owner.clone(),
                one.why.clone(),
            ]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}

/// The document of a freeze.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: &'static str,
    kind: &'static str,
    metadata: BTreeMap<&'static str, String>,
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    from: String,
    until: String,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    covers: BTreeMap<&'static str, Vec<String>>,
}

fn begin(context: &Context, config: &Config, start: Start) -> anyhow::Result<Exit> {
    let Start { name, until, lasts, from, why, owner, environments, accounts, systems, owners, names } =
        start;
    let file = format!("freeze-{name}.yaml");
    let all = sources(&config.model)?;
    let is_there =
        |source: &ordain_rules::Source| source.path == file || without_freeze(&source.text, &name).is_some();
    if let Some(source) = all.iter().find(|source| is_there(source)) {
        bail!("there is a freeze `{name}` in `{}` already; end it first, or give another name", source.path);
    }
    // Whole seconds, as people write them; the freeze may begin a moment before the command was given.
    let from = from.unwrap_or_else(|| Clock::system().now());
    let from = Timestamp::from_second(from.as_second())?;
    let until = match (until, lasts) {
        (Some(until), _) => until,
        (None, Some(lasts)) => {
            from.to_zoned_datetime(jiff::tz::TimeZone::UTC).checked_add(lasts)?.timestamp()
        }
        (None, None) => bail!("say when it ends, by `--until` or `--for`"),
    };
    let covers = [
        ("environments", environments),
        ("accounts", accounts),
        ("systems", systems),
        ("owners", owners),
        ("names", names),
    ];
    let covers = covers.into_iter().filter(|(_, all)| !all.is_empty()).collect();
    let document = Document {
        api_version: "ordain/v1",
        kind: "Freeze",
        metadata: BTreeMap::from([("name", name.clone())]),
        spec: Spec { from: from.to_string(), until: until.to_string(), why: why.clone(), owner, covers },
    };
    let summary = format!("freeze `{name}` from {from} until {until}: {why}");
    let change = Change { file, text: Some(yaml_serde::to_string(&document)?), summary };
    let exit = make(context, config, &[change])?;
    if exit == Exit::Ok {
        let planned = model::configured(config)?.planned(Clock::system().now());
        let made = planned.iter().find(|one| one.kind == PlannedKind::Freeze && one.name == name);
        if made.is_some_and(|one| one.things == 0 && !one.covers.is_empty()) {
            context.output.complain(
                "nothing that the model knows lies in what it covers; look whether the names are right",
            );
        }
        context
            .output
            .line(&format!("frozen by `{name}` until {until}; `ordain freeze end {name}` ends it"))?;
    }
    Ok(exit)
}

fn end(context: &Context, config: &Config, name: &str) -> anyhow::Result<Exit> {
    let mut changes = Vec::new();
    for source in sources(&config.model)?.iter().filter(|source| !source.path.ends_with(".cedar")) {
        if let Some(rest) = without_freeze(&source.text, name) {
            let summary = format!("end freeze `{name}` of `{}`", source.path);
            let text = Some(rest).filter(|rest| !rest.is_empty());
            changes.push(Change { file: source.path.clone(), text, summary });
        }
    }
    if changes.is_empty() {
        bail!("there is no freeze `{name}`; `ordain freeze list` lists those there are");
    }
    let exit = make(context, config, &changes)?;
    if exit == Exit::Ok {
        context.output.line(&format!("freeze `{name}` is ended"))?;
    }
    Ok(exit)
}

fn make(context: &Context, config: &Config, changes: &[Change]) -> anyhow::Result<Exit> {
    if let Some(error) = keep::would_break(config, changes)? {
        context.output.complain(&format!("nothing was changed: with it the model would not load:\n{error}"));
        return Ok(Exit::Usage);
    }
    keep::keep(config, changes)?;
    Ok(keep::loads(context, config))
}
