//! Model text to documents: several to a file, each problem with its place and the nearest known word.
//!
//! Leaves out what the documents mean together (`build.rs`).

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::changes::ChangeSpec;
use super::document::{
    AccountSpec, ActorSpec, AgentBoundsSpec, ApiSpec, BudgetSpec, ComponentSpec, Document, DomainSpec,
    EnvironmentSpec, ExceptionSpec, FreezeSpec, GroupSpec, InventorySpec, LimitsSpec, Metadata,
    OwnershipSpec, ResourceSpec, ScopeSpec, SystemSpec, UserSpec, WindowSpec,
};
use super::glass::BreakGlassSpec;
use super::{Problem, Source};
use crate::approval::ApprovalSpec;
use crate::blueprint::written::BlueprintSpec;
use crate::change::Plain;

/// A document with the place it was read from.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) place: Place,
    pub(crate) metadata: Metadata,
    pub(crate) body: Body,
}

/// Where a document stands, so that what is wrong with it can be pointed at.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: usize,
    text: Arc<str>,
}

#[derive(Debug)]
pub(crate) enum Body {
    Component(ComponentSpec),
    Resource(ResourceSpec),
    Api(ApiSpec),
    System(SystemSpec),
    Domain(DomainSpec),
    Group(GroupSpec),
    User(UserSpec),
    Actor(ActorSpec),
    Account(AccountSpec),
    Environment(EnvironmentSpec),
    Scope(ScopeSpec),
    Freeze(FreezeSpec),
    Limits(LimitsSpec),
    Budget(BudgetSpec),
    AgentBounds(AgentBoundsSpec),
    Window(WindowSpec),
    Exception(ExceptionSpec),
    BreakGlass(BreakGlassSpec),
    Change(ChangeSpec),
    Inventory(InventorySpec),
    Ownership(OwnershipSpec),
    Approval(ApprovalSpec),
    Blueprint(Box<BlueprintSpec>),
}

const KINDS: [&str; 23] = [
    "Component",
    "Resource",
    "API",
    "System",
    "Domain",
    "Group",
    "User",
    "Actor",
    "Account",
    "Environment",
    "Scope",
    "Freeze",
    "Limits",
    "Budget",
    "AgentBounds",
    "Window",
    "Exception",
    "BreakGlass",
    "Change",
    "Inventory",
    "Ownership",
    "Approval",
    "Blueprint",
];

const VERSIONS: [&str; 3] = ["ordain/v1", "backstage.io/v1alpha1", "backstage.io/v1beta1"];

impl Place {
    /// A problem at the first line of the document that holds some words, else at its first line.
    pub(crate) fn problem(&self, words: &str, text: impl Into<String>) -> Problem {
        let offset = self.text.lines().position(|line| line.contains(words)).unwrap_or_default();
        Problem { path: self.path.clone(), line: self.line + offset, text: text.into() }
    }
}

/// Reads every document of a file. The problems found are added to those given.
pub(crate) fn documents(source: &Source, problems: &mut Vec<Problem>) -> Vec<Placed> {
    let mut found = Vec::new();
    for (line, text) in split(&source.text) {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            continue;
        }
        match document(&source.path, line, text) {
            Ok(placed) => found.push(placed),
            Err(problem) => problems.push(problem),
        }
    }
    found
}

/// Cuts a file at its `---` lines; each part with the number of its first line.
pub(crate) fn split(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut first, mut at) = (0, 1, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" {
            parts.push((first, text.get(start..at).unwrap_or_default()));
            start = at + line.len();
            first = number + 2;
        }
        at += line.len();
    }
    parts.push((first, text.get(start..).unwrap_or_default()));
    parts
}

/// A file's text without the freeze of a name; empty where no other document is in it. `None` where the freeze is not.
#[must_use]
pub fn without_freeze(text: &str, name: &str) -> Option<String> {
    without(text, |head| {
        head.kind.as_deref() == Some("Freeze") && head.metadata.as_ref().is_some_and(|of| of.name == name)
    })
}

/// A file's text without the change of a name and approvals of it; empty where no other document is in it. `None` where
/// none of them is.
#[must_use]
pub fn without_change(text: &str, name: &str) -> Option<String> {
    without(text, |head| match head.kind.as_deref() {
        Some("Change") => head.metadata.as_ref().is_some_and(|of| of.name == name),
        Some("Approval") => head.spec.as_ref().is_some_and(|of| of.change.as_deref() == Some(name)),
        Some(_) | None => false,
    })
}

/// What tells which document this is.
#[derive(serde::Deserialize)]
struct Head {
    kind: Option<String>,
    metadata: Option<Metadata>,
    spec: Option<Of>,
}

#[derive(serde::Deserialize)]
struct Of {
    change: Option<String>,
}

fn without(text: &str, is_one: impl Fn(&Head) -> bool) -> Option<String> {
    let parts = split(text);
    let is_it = |part: &str| yaml_serde::from_str::<Head>(part).is_ok_and(|head| is_one(&head));
    let rest: Vec<&str> = parts.iter().map(|(_, part)| *part).filter(|part| !is_it(part)).collect();
    if rest.len() == parts.len() {
        return None;
    }
    let is_empty = |part: &&str| part.lines().all(|line| line.trim().is_empty() || line.trim() == "...");
    Some(if rest.iter().all(is_empty) { String::new() } else { rest.join("---\n") })
}

fn document(path: &str, line: usize, text: &str) -> Result<Placed, Problem> {
    let place = Place { path: path.to_owned(), line, text: Arc::from(text) };
    let kind = kind_of(text).map_err(|error| yaml_problem(&place.path, place.line, &error))?;
    let Some(kind) = kind else {
        return Err(place.problem("", "the document has no `kind`; add one, for example `kind: Component`"));
    };
    let (metadata, body) = match kind.as_str() {
        "Component" => read(&place, text, Body::Component)?,
        "Resource" => read(&place, text, Body::Resource)?,
        "API" => read(&place, text, Body::Api)?,
        "System" => read(&place, text, Body::System)?,
        "Domain" => read(&place, text, Body::Domain)?,
        "Group" => read(&place, text, Body::Group)?,
        "User" => read(&place, text, Body::User)?,
        "Actor" => read(&place, text, Body::Actor)?,
        "Account" => read(&place, text, Body::Account)?,
        "Environment" => read(&place, text, Body::Environment)?,
        "Scope" => read(&place, text, Body::Scope)?,
        "Freeze" => read(&place, text, Body::Freeze)?,
        "Limits" => read(&place, text, Body::Limits)?,
        "Budget" => read(&place, text, Body::Budget)?,
        "AgentBounds" => read(&place, text, Body::AgentBounds)?,
        "Window" => read(&place, text, Body::Window)?,
        "Exception" => read(&place, text, Body::Exception)?,
        "BreakGlass" => read(&place, text, Body::BreakGlass)?,
        "Change" => change(&place, text)?,
        "Inventory" => read(&place, text, Body::Inventory)?,
        "Ownership" => read(&place, text, Body::Ownership)?,
        "Approval" => read(&place, text, Body::Approval)?,
        "Blueprint" => read(&place, text, Body::Blueprint)?,
        other => {
            let text = format!("unknown kind `{other}`; {}", nearest(other, &KINDS));
            return Err(place.problem("kind:", text));
        }
    };
    // Large inventories are pointed into by their own identifiers, which are unique in the file.
    Ok(Placed { place, metadata, body })
}

/// The kind, from its own line where it stands at the left edge; the whole document is read otherwise.
fn kind_of(text: &str) -> Result<Option<String>, yaml_serde::Error> {
    #[derive(serde::Deserialize)]
    struct Head {
        kind: Option<String>,
    }
    let line = text.lines().find_map(|line| line.strip_prefix("kind:"));
    if let Some(word) = line.map(str::trim)
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !word.is_empty()
    {
        return Ok(Some(word.to_owned()));
    }
    yaml_serde::from_str::<Head>(text).map(|head| head.kind)
}

fn read<S: DeserializeOwned>(
    place: &Place,
    text: &str,
    body: fn(S) -> Body,
) -> Result<(Metadata, Body), Problem> {
    let document: Document<S> =
        yaml_serde::from_str(text).map_err(|error| yaml_problem(&place.path, place.line, &error))?;
    if !VERSIONS.contains(&document.api_version.as_str()) {
        let text = format!(
            "unknown apiVersion `{}`; {}",
            document.api_version,
            nearest(&document.api_version, &VERSIONS)
        );
        return Err(place.problem("apiVersion:", text));
    }
    Ok((document.metadata, body(document.spec)))
}

/// A change is approved by the digest of its body, which is read beside what it says.
fn change(place: &Place, text: &str) -> Result<(Metadata, Body), Problem> {
    let body: Document<Plain> =
        yaml_serde::from_str(text).map_err(|error| yaml_problem(&place.path, place.line, &error))?;
    let (metadata, mut read) = read(place, text, Body::Change)?;
    if let Body::Change(spec) = &mut read {
        spec.body = Some(body.spec);
    }
    Ok((metadata, read))
}

/// What a text is not that begins at a line of a file, told as of a model's document: the place, and the word that was meant.
#[must_use]
pub fn yaml_problem(path: &str, line: usize, error: &yaml_serde::Error) -> Problem {
    let whole = error.to_string();
    let message = whole.split(" at line ").next().unwrap_or_default();
    let offset = error.location().map_or(0, |location| location.line().saturating_sub(1));
    Problem { path: path.to_owned(), line: line + offset, text: reword(message) }
}

/// serde lists every word it knows; people want the one they meant.
fn reword(message: &str) -> String {
    let (place, message) = match message.split_once(": ") {
        Some((place, rest)) if !place.contains(' ') => (format!("in `{place}`: "), rest),
        Some(_) | None => (String::new(), message),
    };
    let mut words = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field")
        && let Some(given) = words.next()
    {
        let known: Vec<&str> = words.collect();
        return format!("{place}unknown key `{given}`; {}", nearest(given, &known));
    }
    if message.starts_with("missing field")
        && let Some(missing) = words.next()
    {
        return format!("{place}`{missing}` is missing; add it");
    }
    if message.starts_with("duplicate field")
        && let Some(twice) = words.next()
    {
        return format!("{place}`{twice}` is given twice; remove one");
    }
    format!("{place}{message}; correct the document")
}

/// `did you mean …` where one is near, else all that are known.
#[must_use]
pub fn nearest(given: &str, known: &[&str]) -> String {
    let near = |word: &&&str| strsim::jaro_winkler(&given.to_lowercase(), &word.to_lowercase());
    let best = known.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
    match best {
        Some(best) if near(&best) > 0.8 => format!("did you mean `{best}`"),
        Some(_) if known.len() <= 24 => {
            let all: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            format!("known here are {}", all.join(", "))
        }
        Some(_) | None => "there is nothing of a similar name; declare it or correct the name".to_owned(),
    }
}
