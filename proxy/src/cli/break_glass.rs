//! `ordain break-glass`: a person lifts gates for themselves for hours, ends that, and somebody else looks at it afterwards.
//!
//! Leaves out what is lifted for whom (`ordain_rules`): each is a document of the model, recorded before it counts.

use std::fs;

use anyhow::{Context as _, bail};
use jiff::{Span, Timestamp};
use ordain_rules::PlannedKind;
use serde::{Deserialize, Serialize};

use super::model::keep::{self, Change};
use super::output::Rows;
use super::{Context, Exit, exception, model};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::sources;

/// Lift gates in an emergency, and have somebody look at it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What is lifted now, by whom, and what nobody has looked at yet.
    List,
    /// Lift gates for yourself, a freeze among them, for four hours at most.
    Open(Box<Open>),
    /// End it at once.
    Close {
        /// Its name, as `list` has it.
        name: String,
    },
    /// Say what you found of what somebody else did meanwhile.
    Review {
        /// Its name, as `list` has it.
        name: String,
        /// You, as the model names you.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
        /// What you found.
        #[arg(long)]
        found: String,
    },
}

#[derive(Debug, clap::Args)]
struct Open {
    /// A name for it: letters, digits and `-`.
    #[arg(value_parser = super::freeze::name)]
    name: String,
    /// You, as the model names you.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// The group that answers for it, one of yours.
    #[arg(long)]
    owner: String,
    /// A gate to lift; may be given again. By default the freezes.
    #[arg(long = "lift", value_name = "GATE", default_values_t = ["frozen".to_owned()])]
    lifts: Vec<String>,
    /// Why: every decision tells it.
    #[arg(long)]
    why: String,
    /// How long, for example `1h`.
    #[arg(long = "for", value_name = "TIME", value_parser = super::freeze::span)]
    lasts: Span,
    #[command(flatten)]
    covers: Covered,
}

/// What it is for: one of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Covered {
    /// An environment.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// An account, subscription, project or cluster.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// A system.
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// All that a group owns.
    #[arg(long, value_name = "OWNER")]
    owned_by: Option<String>,
    /// A name, `*` standing for any text behind its beginning.
    #[arg(long = "resource", value_name = "PATTERN")]
    resource: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    match arguments.verb {
        Verb::List => list(context, &config),
        Verb::Open(open) => self::open(context, &config, *open),
        Verb::Close { name } => close(context, &config, &name),
        Verb::Review { name, person, found } => review(context, &config, &name, (person, found)),
    }
}

/// Break-glass, as it is shown.
#[derive(Serialize)]
struct Shown<'p> {
    name: &'p str,
    in_force: bool,
    ends: Option<String>,
    by: &'p str,
    lifts: &'p [String],
    covers: &'p str,
    owner: &'p str,
    why: &'p str,
    reviewed_by: &'p str,
}

fn list(context: &Context, config: &Config) -> anyhow::Result<Exit> {
    let mut planned = model::configured(config)?.planned(Clock::system().now());
    planned.retain(|one| one.kind == PlannedKind::Exception && one.is_break_glass);
    let shown: Vec<Shown<'_>> = planned
        .iter()
        .map(|one| Shown {
            name: &one.name,
            in_force: one.in_force,
            ends: one.ends.map(|time| time.to_string()),
            by: &one.approved_by,
            lifts: &one.lifts,
            covers: &one.covers,
            owner: &one.owner,
            why: &one.why,
            reviewed_by: &one.reviewed_by,
        })
        .collect();
    context.output.show(context.format, &shown, || {
        let mut rows = Rows::new(&["name", "when", "by", "lifts", "covers", "owner", "why", "looked at by"]);
        for (one, shown) in planned.iter().zip(&shown) {
            rows.push(vec![
                one.name.clone(),
                exception::when(one),
                one.approved_by.clone(),
                one.lifts.join(", "),
                one.covers.clone(),
                one.owner.clone(),
                one.why.clone(),
                if shown.reviewed_by.is_empty() { "nobody yet" } else { shown.reviewed_by }.to_owned(),
            ]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}

/// The document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    by: String,
    lifts: Vec<String>,
    covers: std::collections::BTreeMap<String, Vec<String>>,
    owner: String,
    why: String,
    from: String,
    until: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reviewed: Option<Reviewed>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reviewed {
    by: String,
    found: String,
}

fn open(context: &Context, config: &Config, open: Open) -> anyhow::Result<Exit> {
    let Open { name, person, owner, lifts, why, lasts, covers } = open;
    let file = file(&name);
    if sources(&config.model)?.iter().any(|source| source.path == file) {
        bail!("there is a `{file}` already; give another name");
    }
    let from = Timestamp::from_second(Clock::system().now().as_second())?;
    let until = from.to_zoned_datetime(jiff::tz::TimeZone::UTC).checked_add(lasts)?.timestamp();
    let Covered { environment, account, system, owned_by, resource } = covers;
    let covers = [
        ("environments", environment),
        ("accounts", account),
        ("systems", system),
        ("owners", owned_by),
        ("names", resource),
    ];
    let covers = covers.into_iter().filter_map(|(word, one)| Some((word.to_owned(), vec![one?]))).collect();
    let summary =
        format!("`{person}` breaks the glass (`{name}`) until {until}, lifting {}: {why}", lifts.join(", "));
    let spec = Spec {
        by: person,
        lifts,
        covers,
        owner,
        why,
        from: from.to_string(),
        until: until.to_string(),
        reviewed: None,
    };
    let document = Document {
        api_version: "ordain/v1".to_owned(),
        kind: "BreakGlass".to_owned(),
        metadata: Metadata { name: name.clone() },
        spec,
    };
    let exit = make(context, config, file, &document, summary)?;
    if exit == Exit::Ok {
        context.output.line(&format!(
            "the glass is broken until {until}; `ordain break-glass close {name}` ends it, and somebody else has to look at \
             what was done: `ordain break-glass review {name}`"
        ))?;
    }
    Ok(exit)
}

fn close(context: &Context, config: &Config, name: &str) -> anyhow::Result<Exit> {
    let (file, mut document) = read(config, name)?;
    let now = Timestamp::from_second(Clock::system().now().as_second())?;
    let until: Timestamp =
        document.spec.until.parse().context("`until` is no time; write it as `open` does")?;
    if until <= now {
        bail!(
            "break-glass `{name}` has ended already; have somebody look at it: `ordain break-glass review {name}`"
        );
    }
    let from: Timestamp = document.spec.from.parse().context("`from` is no time; write it as `open` does")?;
    // What is over before it began would be no time at all.
    document.spec.until = now.max(from + jiff::SignedDuration::from_secs(1)).to_string();
    let summary = format!("end break-glass `{name}` of `{}`", document.spec.by);
    let exit = make(context, config, file, &document, summary)?;
    if exit == Exit::Ok {
        context.output.line(&format!("break-glass `{name}` is ended"))?;
    }
    Ok(exit)
}

fn review(
    context: &Context,
    config: &Config,
    name: &str,
    (by, found): (String, String),
) -> anyhow::Result<Exit> {
    let (file, mut document) = read(config, name)?;
    if let Some(reviewed) = &document.spec.reviewed {
        bail!("`{}` has looked at break-glass `{name}` already; there is nothing to do", reviewed.by);
    }
    let summary = format!("`{by}` looked at break-glass `{name}` of `{}`: {found}", document.spec.by);
    document.spec.reviewed = Some(Reviewed { by, found });
    let exit = make(context, config, file, &document, summary)?;
    if exit == Exit::Ok {
        context.output.line(&format!("break-glass `{name}` is looked at"))?;
    }
    Ok(exit)
}

fn file(name: &str) -> String {
    format!("break-glass/{name}.yaml")
}

/// The document that `open` wrote.
fn read(config: &Config, name: &str) -> anyhow::Result<(String, Document)> {
    let file = file(name);
    let path = config.model.join(&file);
    let text = fs::read_to_string(&path).with_context(|| {
        format!("there is no break-glass `{name}` that `open` wrote; `ordain break-glass list` lists all, and others are edited by hand")
    })?;
    let document = yaml_serde::from_str(&text)
        .with_context(|| format!("`{}` is not as `open` writes it; edit it by hand", path.display()))?;
    Ok((file, document))
}

fn make(
    context: &Context,
    config: &Config,
    file: String,
    document: &Document,
    summary: String,
) -> anyhow::Result<Exit> {
    let changes = [Change { file, text: Some(yaml_serde::to_string(document)?), summary }];
    if let Some(error) = keep::would_break(config, &changes)? {
        context.output.complain(&format!("nothing was changed: with it the model would not load:\n{error}"));
        return Ok(Exit::Usage);
    }
    keep::keep(config, &changes)?;
    Ok(keep::loads(context, config))
}
