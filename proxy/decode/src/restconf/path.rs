//! What a method and a path ask for (RFC 8040 section 3, RFC 8527).
//!
//! The datastores that are written all end as what runs, so a node has the same name in each of them. Leaves out bodies.

use ordain_action::Undecodable;

use super::node::{Node, qualified};
use crate::form::fields::clip;
use crate::form::percent;
use crate::rest::Line;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(super) verb: Verb,
    pub(super) place: Place,
    /// The datastore, where the path names one.
    pub(super) datastore: Option<String>,
    /// Another node, beside which an entry of an ordered list is put.
    pub(super) point: Option<Node>,
    /// Errors are read as XML and not as JSON.
    pub(super) errors_in_xml: bool,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

/// What it is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// What the server says of itself: its root, its versions, its operations.
    Itself(&'static str),
    /// An operation by its module and name.
    Rpc(String, String),
    /// Events that go on.
    Stream(String),
    /// A node of the data tree.
    Data(Node),
}

/// Where servers have their root: by the RFC's own examples, and in OpenDaylight.
const ROOTS: [&str; 2] = ["restconf", "rests"];

/// Parameters of what reads: RFC 8040 section 4.8, RFC 8527 section 3.2, pages of lists, and one vendor's.
const READING: [&str; 17] = [
    "content",
    "cursor",
    "depth",
    "direction",
    "exclude",
    "fields",
    "limit",
    "locale",
    "offset",
    "sort-by",
    "sublist-limit",
    "unhide",
    "where",
    "with-defaults",
    "with-origin",
    "with-service-meta-data",
    "max-depth",
];

/// Parameters of streams (section 4.8).
const OF_STREAMS: [&str; 3] = ["filter", "start-time", "stop-time"];

/// Parameters by which one vendor's servers write in another way; none makes a write less than it is.
const WRITING: [&str; 20] = [
    "commit-queue",
    "commit-queue-atomic",
    "commit-queue-error-option",
    "commit-queue-lock",
    "commit-queue-tag",
    "commit-queue-timeout",
    "dry-run",
    "dry-run-reverse",
    "no-deploy",
    "no-lsa",
    "no-networking",
    "no-out-of-sync-check",
    "no-overwrite",
    "no-revision-drop",
    "reconcile",
    "rollback-comment",
    "rollback-id",
    "rollback-label",
    "unhide",
    "use-lsa",
];

impl Verb {
    pub(super) const fn reads(self) -> bool {
        match self {
            Self::Get | Self::Options => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }
}

impl Asked {
    /// The module of the tree, by which read scopes tell what is read apart.
    pub(super) fn service(&self) -> &str {
        match &self.place {
            Place::Itself(_) | Place::Stream(_) => "restconf",
            Place::Rpc(module, _) => module,
            Place::Data(node) => service(node),
        }
    }
}

/// The module at the top of a node's path.
pub(super) fn service(node: &Node) -> &str {
    node.0.first().map_or("datastore", |step| step.module.as_str())
}

/// Reads the head of a request.
///
/// # Errors
/// It asks for nothing that the RFC has, or could ask for two things.
pub(super) fn read(line: &Line<'_>) -> Result<Asked, Undecodable> {
    let verb = match line.method {
        "GET" | "HEAD" => Verb::Get,
        "OPTIONS" => Verb::Options,
        "POST" => Verb::Post,
        "PUT" => Verb::Put,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        _ => return Err(line.unknown()),
    };
    // As it was sent: an escaped comma is part of a key, and one that is not divides two.
    let raw = line.head.target.split('?').next().unwrap_or_default();
    let raw: Vec<&str> = raw.split('/').skip(1).collect();
    let (place, datastore) = place(line, verb, &raw)?;
    let point = parameters(line, verb, &place)?;
    Ok(Asked { verb, place, datastore, point, errors_in_xml: errors_in_xml(line) })
}

fn place(line: &Line<'_>, verb: Verb, raw: &[&str]) -> Result<(Place, Option<String>), Undecodable> {
    if raw == [".well-known", "host-meta"] && verb.reads() {
        return Ok((Place::Itself("host-meta"), None));
    }
    let below = match raw {
        [root, below @ ..] if ROOTS.contains(root) => below,
        _ => return Err(line.unknown()),
    };
    let itself = |what| Ok((Place::Itself(what), None));
    match below {
        [] if verb.reads() => itself("root"),
        ["yang-library-version"] if verb.reads() => itself("yang-library-version"),
        ["operations"] if verb.reads() => itself("operations"),
        ["streams", name @ ..] if verb == Verb::Get && (1..=3).contains(&name.len()) => {
            let name = name.iter().map(|part| percent::decode(part)).collect::<Result<Vec<_>, _>>()?;
            Ok((Place::Stream(name.join("/")), None))
        }
        ["operations", name] if matches!(verb, Verb::Post | Verb::Options) => {
            let name = percent::decode(name)?;
            let (module, name) = qualified(&name, None)?;
            Ok((Place::Rpc(module, name), None))
        }
        ["data", path @ ..] => Ok((Place::Data(Node::default().join(path.iter().copied())?), None)),
        ["ds", datastore, path @ ..] => {
            let datastore = percent::decode(datastore)?;
            let (module, name) = qualified(&datastore, None)?;
            Ok((Place::Data(Node::default().join(path.iter().copied())?), Some(format!("{module}:{name}"))))
        }
        _ => Err(line.unknown()),
    }
}

/// What a query asks for beside the path: where an entry is put.
fn parameters(line: &Line<'_>, verb: Verb, place: &Place) -> Result<Option<Node>, Undecodable> {
    let mut point = None;
    for pair in &line.query {
        let name = pair.name.as_ref();
        let known = match (verb, place) {
            (Verb::Get, Place::Stream(_)) => OF_STREAMS.contains(&name),
            (Verb::Get, Place::Itself(_) | Place::Data(_)) => READING.contains(&name),
            (Verb::Post | Verb::Put, Place::Data(_)) if name == "point" => {
                point = Some(at(&pair.value)?);
                true
            }
            (Verb::Post | Verb::Put, Place::Data(_)) if name == "insert" => true,
            (Verb::Post | Verb::Put | Verb::Patch | Verb::Delete, Place::Data(_) | Place::Rpc(..)) => {
                WRITING.contains(&name)
            }
            (Verb::Get | Verb::Options | Verb::Post | Verb::Put | Verb::Patch | Verb::Delete, _) => false,
        };
        if !known {
            return Err(Undecodable::new(
                "unread_parameter",
                format!("`{}` is no parameter of this request; take it out", clip(name)),
            ));
        }
    }
    Ok(point)
}

/// A node by an api-path from the root, as parameters and edits name one.
pub(super) fn at(text: &str) -> Result<Node, Undecodable> {
    below(&Node::default(), text)
}

/// A node by an api-path below another one.
///
/// # Errors
/// It is none.
pub(super) fn below(node: &Node, text: &str) -> Result<Node, Undecodable> {
    match text.strip_prefix('/') {
        Some("") => Ok(node.clone()),
        Some(rest) => node.join(rest.split('/')),
        None => Err(Undecodable::new(
            "bad_path",
            format!("`{}` does not begin with `/`; write it as an api-path", clip(text)),
        )),
    }
}

fn errors_in_xml(line: &Line<'_>) -> bool {
    let of = |name| line.head.header(name).unwrap_or_default().to_ascii_lowercase();
    let (accept, content) = (of("accept"), of("content-type"));
    let mut asked =
        accept.split(',').filter_map(|media| match (media.contains("xml"), media.contains("json")) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            (true, true) | (false, false) => None,
        });
    asked.next().unwrap_or_else(|| content.contains("xml"))
}
