//! `ordain planes`: what is read here, where the knowledge of it comes from, and what is left out on purpose.
//!
//! Leaves out reading requests (`decode.rs`).

use serde::{Deserialize, Serialize};

use super::output::Rows;
use super::{Context, Exit, asked};

/// List the planes that are read, with their catalogues and what each deliberately does not do.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Show this plane's own page: how it is configured, what is read, how things are named.
    plane: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    plane: &'static str,
    reads: &'static str,
    known: Vec<Count>,
    sources: Vec<Package>,
    absent: &'static [&'static str],
}

#[derive(Serialize)]
struct Count {
    what: &'static str,
    count: usize,
}

/// A package that the catalogue was made from, as its `SOURCE.toml` has it.
#[derive(Serialize, Deserialize)]
struct Package {
    registry: String,
    name: String,
    version: String,
    licence: String,
    sha256: String,
}

#[derive(Deserialize)]
struct Sources {
    package: Vec<Package>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let rooms = asked::all_rooms(&context.config()?)?;
    if let Some(word) = &arguments.plane {
        let plane = asked::plane(word)?;
        let pages = rooms.about().into_iter().filter(|about| about.plane == plane).map(|about| about.page);
        context.output.raw(pages.collect::<String>().as_bytes())?;
        return Ok(Exit::Ok);
    }
    let mut all = Vec::new();
    for about in rooms.about() {
        let sources = match about.sources {
            "" => Vec::new(),
            text => toml::from_str::<Sources>(text)?.package,
        };
        let known = about.known.into_iter().map(|(count, what)| Count { what, count }).collect();
        all.push(Shown {
            plane: about.plane.as_str(),
            reads: about.reads,
            known,
            sources,
            absent: about.absent,
        });
    }
    context.output.show(context.format, &all, || {
        let mut rows = Rows::new(&["plane", "", ""]);
        for one in &all {
            let known = one.known.iter().map(|known| format!("{} {}", known.count, known.what));
            let from =
                one.sources.iter().map(|from| format!("{} {} ({})", from.name, from.version, from.licence));
            let told = [
                ("reads", one.reads.to_owned()),
                ("knows", known.collect::<Vec<_>>().join(", ")),
                ("from", from.collect::<Vec<_>>().join(", ")),
                ("does not do", one.absent.join("\n")),
            ];
            let told = told.into_iter().filter(|(_, text)| !text.is_empty());
            for (number, (what, text)) in told.enumerate() {
                let plane = if number == 0 { one.plane } else { "" };
                rows.push(vec![plane.to_owned(), what.to_owned(), text]);
            }
        }
        rows
    })?;
    Ok(Exit::Ok)
}
