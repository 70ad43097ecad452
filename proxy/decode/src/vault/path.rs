//! What a head asks for: the operation, the namespace and the path.
//!
//! Leaves out what is mounted there, which depends on whose cluster it is.

use ordain_action::Undecodable;

use crate::form::fields::clip;
use crate::rest::Line;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(super) op: Op,
    /// The namespace, part by part; none is the root.
    pub(super) namespace: Vec<String>,
    /// The path below `/v1`, part by part.
    pub(super) path: Vec<String>,
    /// The answer is to be kept, and a token for it handed out.
    pub(super) wraps: bool,
    service: String,
}

/// An operation, as Vault has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Read,
    List,
    Write,
    Patch,
    Delete,
    Help,
}

/// Headers by which a request is more than it looks.
const AUTHORITY: [&str; 4] =
    ["x-vault-mfa", "x-vault-policy-override", "x-vault-recover-snapshot-id", "x-vault-recover-source-path"];

impl Op {
    /// Its letter in tables.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Read | Self::Help => 'R',
            Self::List => 'L',
            Self::Write => 'W',
            Self::Patch => 'P',
            Self::Delete => 'D',
        }
    }

    /// The word of it, as capabilities of policies have it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Write => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Help => "help",
        }
    }
}

impl Asked {
    /// The mount as far as the path tells, its namespace before it: read scopes name it.
    pub(super) fn service(&self) -> &str {
        &self.service
    }
}

/// Reads a head.
///
/// # Errors
/// It asks for nothing that Vault has, or could be two things.
pub(super) fn read(line: &Line<'_>) -> Result<Asked, Undecodable> {
    if let Some(name) = AUTHORITY.into_iter().find(|name| line.head.headers.contains_key(*name)) {
        return Err(Undecodable::new(
            "unread_header",
            format!("`{name}` would make the request more than it looks; take it out"),
        ));
    }
    let segments = line.path();
    let ["v1", rest @ ..] = segments.as_slice() else { return Err(line.unknown()) };
    if rest.is_empty() {
        return Err(line.unknown());
    }
    let op = operation(line)?;
    let path = line.head.target.split('?').next().unwrap_or_default();
    if path.ends_with('/') && op != Op::List {
        return Err(bad_path("ends in a slash, as only lists may; leave it out"));
    }
    let path: Vec<String> = rest.iter().map(|part| (*part).to_owned()).collect();
    // Policies speak of such, requests do not.
    if path.iter().any(|part| part.contains(['*', '#', '?'])) {
        return Err(bad_path("has a character of a pattern; leave it out"));
    }
    let namespace = namespace(line)?;
    let length = if path.first().is_some_and(|first| first == "auth") { 2 } else { 1 };
    let service: Vec<&str> = namespace.iter().chain(path.iter().take(length)).map(String::as_str).collect();
    let service = service.join("/");
    let wraps = line.head.headers.contains_key("x-vault-wrap-ttl");
    Ok(Asked { op, namespace, path, wraps, service })
}

fn operation(line: &Line<'_>) -> Result<Op, Undecodable> {
    let unread = |name: &str| {
        Undecodable::new(
            "unread_parameter",
            format!("`{}` is no parameter of this request; take it out", clip(name)),
        )
    };
    let op = match line.method {
        "GET" | "HEAD" => Op::Read,
        "LIST" => Op::List,
        "POST" | "PUT" => Op::Write,
        "PATCH" => Op::Patch,
        "DELETE" => Op::Delete,
        _ => return Err(line.unknown()),
    };
    let (mut read, mut helps) = (op, false);
    for pair in &line.query {
        let name = pair.name.as_ref();
        match (op, name) {
            // As Go reads a truth value, which is how the server does.
            (Op::Read, "list") => match pair.value.as_ref() {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => read = Op::List,
                "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => {}
                _ => return Err(unread(name)),
            },
            // An empty one asks for nothing, so that the read is one.
            (Op::Read, "help") if !pair.value.is_empty() => helps = true,
            (_, "help") => return Err(unread(name)),
            // What these name is another request, or another time.
            (_, "read_snapshot_id" | "recover_snapshot_id" | "recover_source_path" | "scan") => {
                return Err(unread(name));
            }
            (Op::Read | Op::List, _) => {}
            _ => return Err(unread(name)),
        }
    }
    // It comes before everything else, a list too.
    Ok(if helps { Op::Help } else { read })
}

/// The namespace of a header; the root has no name.
fn namespace(line: &Line<'_>) -> Result<Vec<String>, Undecodable> {
    let name = "x-vault-namespace";
    if !line.head.headers.contains_key(name) {
        return Ok(Vec::new());
    }
    let bad = || Undecodable::new("bad_namespace", "`x-vault-namespace` names no one namespace; send one");
    let value = line.head.header(name).ok_or_else(bad)?;
    let value = value.strip_prefix('/').unwrap_or(value);
    let value = value.strip_suffix('/').unwrap_or(value);
    if value.is_empty() || value == "root" {
        return Ok(Vec::new());
    }
    let parts: Vec<String> = value.split('/').map(str::to_owned).collect();
    let is_name = |part: &String| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    if parts.iter().all(is_name) && parts.first().is_some_and(|first| first != "root") {
        Ok(parts)
    } else {
        Err(bad())
    }
}

fn bad_path(what: &str) -> Undecodable {
    Undecodable::new("bad_path", format!("the path {what}"))
}
