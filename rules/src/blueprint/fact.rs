//! A blueprint as it is shown to people.
//!
//! Leaves out its text, which stands in the model or in the library.

use super::{Asks, Blueprint, Constraint, Presence, Tag};
use crate::calendar::covered;
use crate::glob::Glob;

/// A blueprint of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlueprintFact {
    /// Its name.
    pub name: String,
    /// The entry of the library that it was taken from.
    pub uses: Option<String>,
    /// Why it is.
    pub why: String,
    /// Patterns of the operations that it is about.
    pub operations: Vec<String>,
    /// Patterns of the operations that it refuses.
    pub refuses: Vec<String>,
    /// The kinds of actors that it binds; all, where there are none.
    pub actor_kinds: Vec<&'static str>,
    /// What it covers, for people; empty is everything.
    pub covers: String,
    /// What it asks for, a sentence each.
    pub asks: Vec<String>,
    /// The file it stands in.
    pub path: String,
    /// The line.
    pub line: usize,
}

impl From<&Blueprint> for BlueprintFact {
    fn from(blueprint: &Blueprint) -> Self {
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect();
        let kinds = blueprint.actor_kinds.iter().flatten().map(|kind| kind.as_str()).collect();
        let mut asks: Vec<String> = blueprint.parameters.iter().map(Constraint::told).collect();
        asks.extend(blueprint.tags.iter().map(Tag::told));
        asks.extend(blueprint.only.as_ref().map(|only| {
            let only: Vec<String> = only.iter().map(|path| format!("`{}`", path.as_str())).collect();
            let others = if only.is_empty() { String::new() } else { format!(" but {}", only.join(", ")) };
            format!("no other parameters{others}")
        }));
        Self {
            name: blueprint.name.to_string(),
            uses: blueprint.uses.as_deref().map(str::to_owned),
            why: blueprint.why.clone(),
            operations: texts(&blueprint.operations),
            refuses: texts(&blueprint.refuses),
            actor_kinds: kinds,
            covers: covered(&blueprint.covers),
            asks,
            path: blueprint.place.0.to_string(),
            line: blueprint.place.1,
        }
    }
}

impl Constraint {
    fn told(&self) -> String {
        let what = match &self.asks {
            Asks::Value { paths, presence, allowed } => {
                let paths: Vec<String> = paths.iter().map(|path| format!("`{}`", path.as_str())).collect();
                let is =
                    if allowed.is_anything() { String::new() } else { format!(" is {}", allowed.told()) };
                format!("{}{}{is}", paths.join(" or "), presence.told())
            }
            Asks::Each { paths, presence, parameters, one } => {
                let paths: Vec<String> = paths.iter().map(|path| format!("`{}`", path.as_str())).collect();
                let (paths, inner) = (paths.join(" or "), joined(parameters, ", and "));
                if inner.is_empty() {
                    format!("{paths}{}", presence.told())
                } else {
                    let of = if *one { "one" } else { "each" };
                    format!("of {of} of {paths}{}: {inner}", presence.told())
                }
            }
            Asks::AnyOf(all) => {
                let all: Vec<String> = all.iter().map(|one| joined(one, " and ")).collect();
                all.join(", or ")
            }
        };
        if self.when.is_empty() { what } else { format!("where {}: {what}", joined(&self.when, " and ")) }
    }
}

impl Presence {
    const fn told(self) -> &'static str {
        match self {
            Self::Optional => "",
            Self::Required => ", given where something is made,",
            Self::Always => ", given,",
            Self::Never => " is left out",
        }
    }
}

impl Tag {
    fn told(&self) -> String {
        let may = if self.optional { "may be given" } else { "is given where something is made" };
        let is = if self.allowed.is_anything() {
            String::new()
        } else {
            format!(", and is {}", self.allowed.told())
        };
        format!("tag `{}` {may}{is}", self.key)
    }
}

fn joined(all: &[Constraint], between: &str) -> String {
    all.iter().map(Constraint::told).collect::<Vec<_>>().join(between)
}
