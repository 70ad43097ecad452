//! `ordain blueprint`: what the parameters of requests have to be, in the model and in the library that comes along.
//!
//! Leaves out holding requests against them: that is `ordain check`.

use anyhow::Context as _;
use ordain_rules::{BlueprintFact, LIBRARY, LibraryEntry};
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, model};

/// Show blueprints.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the blueprints of the model, or those of the library.
    List {
        /// Those that come along, which a model takes by `use`.
        #[arg(long)]
        library: bool,
    },
    /// Tell what a blueprint asks for.
    Show {
        /// Its name, for example `my-buckets`, or `aws/s3-bucket-private` of the library.
        name: String,
        /// One that comes along: its text, with all that a model may say of it.
        #[arg(long)]
        library: bool,
    },
}

/// A blueprint of the model, as it is shown.
#[derive(Serialize)]
struct Shown<'b> {
    name: &'b str,
    uses: Option<&'b str>,
    why: &'b str,
    operations: &'b [String],
    refuses: &'b [String],
    actor_kinds: &'b [&'static str],
    covers: &'b str,
    asks: &'b [String],
    place: String,
}

/// An entry of the library, as it is listed.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    why: String,
    takes: Vec<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    match arguments.verb {
        Verb::List { library: true } => library(context)?,
        Verb::List { library: false } => list(context)?,
        Verb::Show { name, library: true } => {
            let known = LIBRARY.iter().map(|entry| entry.name);
            let entry = LIBRARY.iter().find(|entry| entry.name == name);
            let entry = entry.with_context(|| unknown("library", &name, known))?;
            context.output.raw(entry.text.as_bytes())?;
        }
        Verb::Show { name, library: false } => show(context, &name)?,
    }
    Ok(Exit::Ok)
}

fn library(context: &Context) -> anyhow::Result<()> {
    let entry = |entry: &LibraryEntry| Entry { name: entry.name, why: entry.why(), takes: entry.takes() };
    let all: Vec<Entry> = LIBRARY.iter().map(entry).collect();
    context.output.show(context.format, &all, || {
        let mut rows = Rows::new(&["name", "why", "with"]);
        for one in &all {
            rows.push(vec![one.name.to_owned(), one.why.clone(), one.takes.join(", ")]);
        }
        rows
    })
}

fn list(context: &Context) -> anyhow::Result<()> {
    let all = of_model(context)?;
    let shown: Vec<Shown<'_>> = all.iter().map(shown).collect();
    context.output.show(context.format, &shown, || {
        let mut rows = Rows::new(&["name", "from", "of", "operations", "covers", "why"]);
        for one in &all {
            rows.push(vec![
                one.name.clone(),
                one.uses.clone().unwrap_or_default(),
                one.actor_kinds.join(", "),
                one.operations.join("\n"),
                one.covers.clone(),
                one.why.clone(),
            ]);
        }
        rows
    })
}

fn show(context: &Context, name: &str) -> anyhow::Result<()> {
    let all = of_model(context)?;
    let found = all.iter().find(|one| one.name == name);
    let found = found.with_context(|| unknown("model", name, all.iter().map(|one| one.name.as_str())))?;
    context.output.show(context.format, &shown(found), || {
        let mut rows = Rows::new(&["what", "is"]);
        rows.push(vec!["name".to_owned(), found.name.clone()]);
        rows.push(vec!["why".to_owned(), found.why.clone()]);
        rows.push(vec!["stands in".to_owned(), format!("{}:{}", found.path, found.line)]);
        let uses = found.uses.clone().unwrap_or_default();
        let lists = [
            ("from", uses),
            ("operations", found.operations.join("\n")),
            ("refuses", found.refuses.join("\n")),
            ("binds", found.actor_kinds.join(", ")),
            ("covers", found.covers.clone()),
            ("asks", found.asks.join("\n")),
        ];
        for (word, text) in lists.into_iter().filter(|(_, text)| !text.is_empty()) {
            rows.push(vec![word.to_owned(), text]);
        }
        rows
    })
}

fn of_model(context: &Context) -> anyhow::Result<Vec<BlueprintFact>> {
    Ok(model::configured(&context.config()?)?.blueprints().collect())
}

fn shown(fact: &BlueprintFact) -> Shown<'_> {
    Shown {
        name: &fact.name,
        uses: fact.uses.as_deref(),
        why: &fact.why,
        operations: &fact.operations,
        refuses: &fact.refuses,
        actor_kinds: &fact.actor_kinds,
        covers: &fact.covers,
        asks: &fact.asks,
        place: format!("{}:{}", fact.path, fact.line),
    }
}

fn unknown<'n>(of: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let near = known
        .max_by(|left, right| strsim::jaro_winkler(left, name).total_cmp(&strsim::jaro_winkler(right, name)));
    match near {
        Some(near) => format!("the {of} has no blueprint `{name}`; did you mean `{near}`"),
        None => format!("the {of} has no blueprint `{name}`; it has none"),
    }
}
