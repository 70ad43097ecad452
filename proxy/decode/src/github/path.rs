//! What a method and a path ask for: an operation of the REST API, or GraphQL.
//!
//! Leaves out bodies, and what things are called (`name.rs`).

use ordain_action::Undecodable;
use ordain_catalog::{RestOperation, RestTable};

use crate::form::fields::clip;
use crate::rest::Line;

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// An operation of the REST API.
    Rest(Rest),
    /// A document.
    GraphQl,
}

/// An operation, and what its path names.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(super) operation: &'static RestOperation,
    /// What stands in the place of the variables of its path, as written.
    pub(super) values: Vec<(&'static str, String)>,
    /// The path begins with a number in the place of a name: the word before it, and the number.
    pub(super) numbered: Option<(&'static str, String)>,
}

impl Asked {
    /// The word that the operation's name begins with.
    pub(super) fn service(&self) -> &str {
        match self {
            Self::Rest(asked) => asked.service(),
            Self::GraphQl => "graphql",
        }
    }
}

impl Rest {
    pub(super) fn service(&self) -> &'static str {
        self.operation.name.split('/').next().unwrap_or_default()
    }

    /// What stands in the place of a variable.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// Whether the body is a file, which may be of any length.
    pub(super) fn is_upload(&self) -> bool {
        self.operation.name == "repos/upload-release-asset"
    }
}

/// Parameters by which a request would show another credential, or be another request.
const FOREIGN: [&str; 4] = ["_method", "access_token", "client_id", "client_secret"];

/// Reads a head.
///
/// # Errors
/// It asks for nothing that is known, or names something in a second way.
pub(super) fn read(table: &'static RestTable, line: &Line<'_>) -> Result<Asked, Undecodable> {
    let path = line.path();
    // Clients that are set to a server ask for its root so; nothing else ends in a slash.
    let target = line.head.target.split('?').next().unwrap_or_default();
    if target.ends_with('/') && !matches!(path.as_slice(), [] | ["api", "v3"]) {
        return Err(Undecodable::new(
            "bad_path",
            format!("the path `{}` ends in a slash; leave it out", clip(target)),
        ));
    }
    let (path, uploads) = match path.as_slice() {
        ["graphql"] | ["api", "graphql"] => {
            return if line.method == "POST" { Ok(Asked::GraphQl) } else { Err(line.unknown()) };
        }
        ["api", "v3", rest @ ..] => (rest, false),
        ["api", "uploads", rest @ ..] => (rest, true),
        path => (path, false),
    };
    let method = if line.method == "HEAD" { "GET" } else { line.method };
    let asked = named(table, method, path).ok_or_else(|| line.unknown())?;
    if uploads && !asked.is_upload() {
        return Err(line.unknown());
    }
    if method != "GET" && (asked.operation.name.ends_with("-legacy") || asked.numbered.is_some()) {
        return Err(Undecodable::new(
            "named_by_number",
            format!(
                "`{}` names by a number what has a name, by which it is owned; name it by its owner and name",
                clip(line.head.target)
            ),
        ));
    }
    for name in ["repo", "template_repo"] {
        let name = asked.value(name).unwrap_or_default();
        if name.to_ascii_lowercase().ends_with(".git") {
            return Err(Undecodable::new(
                "bad_path",
                format!("`{}` is a repository in a second spelling; leave `.git` out", clip(name)),
            ));
        }
    }
    for pair in &line.query {
        let name = pair.name.as_ref();
        let foreign = FOREIGN.contains(&name) || name.contains('[');
        if foreign || (method != "GET" && !asked.operation.query.contains(&name)) {
            return Err(Undecodable::new(
                "unread_parameter",
                format!(
                    "`{}` is no parameter of `{}`, and could change what it does; take it out of the query",
                    clip(name),
                    asked.operation.name
                ),
            ));
        }
    }
    Ok(Asked::Rest(asked))
}

fn named(table: &'static RestTable, method: &str, path: &[&str]) -> Option<Rest> {
    if let Some(fit) = table.find(method, path) {
        let values = fit.values.into_iter().map(|(name, value)| (name, value.into_owned())).collect();
        return several(Rest { operation: fit.operation, values, numbered: None });
    }
    // Links to further pages name a repository, an organization or a user by its number.
    let (numbered, number, path): (&'static str, &str, Vec<&str>) = match path {
        ["repositories", number, rest @ ..] => {
            ("repositories", number, [&["repos", number, number], rest].concat())
        }
        ["organizations", number, "team", rest @ ..] => {
            ("organizations", number, [&["teams"], rest].concat())
        }
        ["organizations", number, rest @ ..] => ("organizations", number, [&["orgs", number], rest].concat()),
        ["user", number, rest @ ..] => ("user", number, [&["users", number], rest].concat()),
        _ => return None,
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fit = table.find(method, &path)?;
    let values = fit.values.into_iter().map(|(name, value)| (name, value.into_owned())).collect();
    several(Rest { operation: fit.operation, values, numbered: Some((numbered, number.to_owned())) })
}

/// What goes over several segments has no empty one among them, however it is escaped.
fn several(asked: Rest) -> Option<Rest> {
    let whole = |value: &String| !value.split('/').any(str::is_empty);
    asked.values.iter().all(|(_, value)| whole(value)).then_some(asked)
}
