//! `ordain change import`: what others plan, as a change of the model.
//!
//! Leaves out reading plans (`ordain_rules::import`). The change is a file of the model, a ledger entry before it is, and waits
//! for whoever approves it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::{Span, Timestamp};
use ordain_rules::Source;
use ordain_rules::import::{
    ChangeKind, ChangeTold, ImportedChange, Recorded, change_set, recorded_request, terraform_plan,
};
use serde::Serialize;

use crate::cli::model::keep::{self, Change};
use crate::cli::output::Rows;
use crate::cli::{Context, Exit, Format};
use crate::config::Config;

/// How long a change stays open where nothing says until when.
const OPEN: i64 = 24;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// A plan of Terraform or OpenTofu: what `terraform show -json PLAN` prints.
    Terraform {
        /// The file; `-` for standard input.
        plan: PathBuf,
        #[command(flatten)]
        told: Told,
        /// A file that says which requests carry out types that the program does not know, or knows otherwise; may be given
        /// again.
        #[arg(long = "vocabulary", value_name = "FILE")]
        vocabularies: Vec<PathBuf>,
    },
    /// A change set of CloudFormation: what `aws cloudformation describe-change-set` prints.
    #[command(name = "cloudformation")]
    CloudFormation {
        /// The file; `-` for standard input.
        set: PathBuf,
        #[command(flatten)]
        told: Told,
    },
    /// A request that was made before: its record, as `ordain ledger query -o json` prints it.
    Request {
        /// The file; `-` for standard input.
        record: PathBuf,
        /// A parameter that may be anything, by its path without positions; may be given again.
        #[arg(long = "open", value_name = "PATH")]
        open: Vec<String>,
        #[command(flatten)]
        told: Told,
    },
}

#[derive(Debug, clap::Args)]
struct Told {
    /// A name for the change: letters, digits, `-`, `_` and `.`.
    #[arg(long, value_parser = name)]
    name: String,
    /// Why it is made; whoever approves it reads it.
    #[arg(long)]
    why: String,
    /// The person who plans it, and may not approve it.
    #[arg(long, value_name = "PERSON")]
    author: String,
    /// Who carries it out; may be given again.
    #[arg(long = "actor", value_name = "NAME")]
    actors: Vec<String>,
    /// A group of whom each may carry it out; may be given again.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// How it is approved: once for as often as it says, by every owner, or by one of them and looked at afterwards.
    #[arg(long = "type", value_enum, default_value = "normal")]
    kind: Kind,
    /// Where else it is written down.
    #[arg(long)]
    ticket: Option<String>,
    /// When it opens (RFC 3339); by default now.
    #[arg(long, value_parser = crate::cli::time)]
    from: Option<Timestamp>,
    /// When it closes (RFC 3339); by default a day after it opens.
    #[arg(long, value_parser = crate::cli::time)]
    until: Option<Timestamp>,
    /// When somebody looks at what an emergency did (RFC 3339).
    #[arg(long, value_parser = crate::cli::time)]
    review: Option<Timestamp>,
    /// How often each call may take effect; of a standard change alone.
    #[arg(long)]
    uses: Option<u64>,
    /// The account, where the source does not say; by default that of the upstream of its plane, where there is one alone.
    #[arg(long)]
    account: Option<String>,
    /// The region, where the source does not say.
    #[arg(long)]
    region: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Standard,
    Normal,
    Emergency,
}

#[derive(Serialize)]
struct Shown<'s> {
    change: &'s str,
    file: &'s str,
    items: usize,
    calls: usize,
    left_out: &'s [String],
}

fn name(text: &str) -> Result<String, String> {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if !text.is_empty() && text.len() <= 63 && text.chars().all(fit) {
        Ok(text.to_owned())
    } else {
        Err("a change's name has letters, digits, `-`, `_` and `.`".to_owned())
    }
}

pub(super) fn run(
    context: &Context,
    config: &Config,
    arguments: &Arguments,
    now: Timestamp,
) -> anyhow::Result<Exit> {
    let account = only_account(config);
    let (told, imported) = match &arguments.from {
        From::Terraform { plan, told, vocabularies } => {
            let vocabularies =
                vocabularies.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
            let of = told.of(account.as_deref(), &vocabularies, now)?;
            (told, terraform_plan(&read(plan)?, &of)?)
        }
        From::CloudFormation { set, told } => {
            (told, change_set(&read(set)?, &told.of(account.as_deref(), &[], now)?)?)
        }
        From::Request { record, open, told } => {
            let of = told.of(account.as_deref(), &[], now)?;
            (told, recorded_request(&read(record)?, &Recorded { open }, &of)?)
        }
    };
    keep_it(context, config, &told.name, imported)
}

impl Told {
    fn of<'t>(
        &'t self,
        account: Option<&'t str>,
        vocabularies: &'t [Source],
        now: Timestamp,
    ) -> anyhow::Result<ChangeTold<'t>> {
        let from = self.from.unwrap_or(now);
        Ok(ChangeTold {
            name: &self.name,
            kind: match self.kind {
                Kind::Standard => ChangeKind::Standard,
                Kind::Normal => ChangeKind::Normal,
                Kind::Emergency => ChangeKind::Emergency,
            },
            why: &self.why,
            ticket: self.ticket.as_deref(),
            author: &self.author,
            actors: &self.actors,
            groups: &self.groups,
            from: Some(from),
            until: Some(self.until.map_or_else(|| from.checked_add(Span::new().hours(OPEN)), Ok)?),
            review: self.review,
            uses: self.uses,
            account: self.account.as_deref().or(account),
            region: self.region.as_deref(),
            vocabularies,
        })
    }
}

fn keep_it(context: &Context, config: &Config, name: &str, imported: ImportedChange) -> anyhow::Result<Exit> {
    let ImportedChange { file, text, items, calls, left_out } = imported;
    let summary = format!("change `{name}` of {items} items in {calls} calls is planned");
    let changes = [Change { file: file.clone(), text: Some(text), summary }];
    if let Some(error) = keep::would_break(config, &changes)? {
        context.output.complain(&format!("nothing was planned: with it the model would not load:\n{error}"));
        return Ok(Exit::Usage);
    }
    keep::keep(config, &changes)?;
    let shown = Shown { change: name, file: &file, items, calls, left_out: &left_out };
    match context.format {
        Format::Json | Format::Yaml => context.output.show(context.format, &shown, || Rows::new(&[]))?,
        Format::Table => {
            context.output.line(&format!(
                "change `{name}`: {items} items in {calls} calls, in `{}`",
                config.model.join(&file).display()
            ))?;
            for one in &left_out {
                context.output.line(&format!("  left out: {one}"))?;
            }
            context.output.line(&format!(
                "look at it with `ordain change show {name}`, and have it approved with `ordain change approve {name} --as \
                 PERSON`"
            ))?;
        }
    }
    Ok(keep::loads(context, config))
}

/// The account of the one upstream of AWS, where it is said.
fn only_account(config: &Config) -> Option<String> {
    let of_aws =
        config.upstreams.iter().filter(|upstream| upstream.kind.plane() == ordain_action::Plane::Aws);
    let mut accounts: Vec<&str> = of_aws.filter_map(|upstream| upstream.account.as_deref()).collect();
    accounts.dedup();
    match accounts.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

fn read(path: &Path) -> anyhow::Result<Source> {
    let shown = path.display().to_string();
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        text
    } else {
        fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?
    };
    Ok(Source { path: shown, text })
}
