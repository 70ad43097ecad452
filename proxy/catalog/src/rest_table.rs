//! A plane's operations as a plain table, one a line: `METHOD path operation class[,class] [data] [mints] [?name,…]`.
//!
//! In a path, `{#id}` is a number, `{name}` a segment, `{+name}` a segment that may hold an escaped slash, and
//! `{*path}` one or more segments. Leaves out what an operation does beyond its class.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use ordain_action::{Access, Level};

/// A line of a table cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no operation: {text}")]
pub struct RestTableError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub text: &'static str,
}

/// What stands in one segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestPart {
    /// The text itself.
    Literal(&'static str),
    /// A number, by its name.
    Number(&'static str),
    /// Text without a slash, by its name.
    Text(&'static str),
    /// Text that may hold a slash, by its name.
    Slashes(&'static str),
    /// One or more segments, by their name.
    Several(&'static str),
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestOperation {
    /// The method, as on the wire.
    pub method: &'static str,
    /// The path, as the table has it.
    pub path: &'static str,
    /// The segments of the path.
    pub parts: Vec<RestPart>,
    /// The plane's own name for it.
    pub name: &'static str,
    /// The classes of its effects; one of them or more.
    pub access: Vec<Access>,
    /// Infrastructure or data.
    pub level: Level,
    /// Its answer hands out a credential.
    pub mints: bool,
    /// The parameters that its query may have, where it is a change.
    pub query: Vec<&'static str>,
    /// The name of what tells the things of a list apart, where the path is one: the table has what stands below it.
    pub item: Option<&'static str>,
    /// A `GET` shows what the path names.
    pub shown: bool,
}

/// An operation that a path fits, and what stands in the place of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestFit<'t, 'p> {
    /// The operation.
    pub operation: &'t RestOperation,
    /// Each variable's name and its value, in the order of the path. Several segments have slashes between them.
    pub values: Vec<(&'static str, Cow<'p, str>)>,
}

/// The operations of a plane.
#[derive(Debug, Default)]
pub struct RestTable {
    operations: Vec<RestOperation>,
    // By the first segment, where it is a literal; all others under nothing.
    by_first: HashMap<&'static str, Vec<usize>>,
}

impl RestTable {
    /// Reads a table.
    ///
    /// # Errors
    /// The first line that is no operation.
    pub fn parse(text: &'static str) -> Result<Self, RestTableError> {
        let mut table = Self::default();
        for (at, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let operation = operation(line).map_err(|text| RestTableError { line: at + 1, text })?;
            let first = match operation.parts.first() {
                Some(RestPart::Literal(first)) => first,
                Some(
                    RestPart::Number(_) | RestPart::Text(_) | RestPart::Slashes(_) | RestPart::Several(_),
                )
                | None => "",
            };
            table.by_first.entry(first).or_default().push(table.operations.len());
            table.operations.push(operation);
        }
        table.relate();
        Ok(table)
    }

    /// Says of each path whether it is a list, and whether it can be looked at.
    fn relate(&mut self) {
        let mut items: HashMap<&'static str, &'static str> = HashMap::new();
        let mut shown: HashSet<&'static str> = HashSet::new();
        for operation in &self.operations {
            let list = operation.path.rsplit_once('/').map(|(list, _)| list);
            let item = operation.parts.last().and_then(RestPart::variable);
            if let (Some(list), Some(item)) = (list, item) {
                items.entry(list).or_insert(item);
            }
            if operation.method == "GET" {
                shown.insert(operation.path);
            }
        }
        for operation in &mut self.operations {
            operation.item = items.get(operation.path).copied();
            operation.shown = shown.contains(operation.path);
        }
    }

    /// All of them, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &RestOperation> {
        self.operations.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The operation that a method and the decoded segments of a path ask for: of several, the one whose path says most
    /// from the left.
    #[must_use]
    pub fn find<'p>(&self, method: &str, segments: &'p [&'p str]) -> Option<RestFit<'_, 'p>> {
        let first = segments.first().copied().unwrap_or_default();
        let near = [first, ""].into_iter().filter_map(|first| self.by_first.get(first)).flatten();
        let mut best: Option<(Reverse<Vec<u8>>, RestFit<'_, 'p>)> = None;
        for operation in near.filter_map(|at| self.operations.get(*at)) {
            if operation.method != method {
                continue;
            }
            let Some(values) = fit(&operation.parts, segments) else { continue };
            let weight = Reverse(operation.parts.iter().map(RestPart::weight).collect::<Vec<u8>>());
            if best.as_ref().is_none_or(|(other, _)| weight < *other) {
                best = Some((weight, RestFit { operation, values }));
            }
        }
        best.map(|(_, fit)| fit)
    }
}

impl RestPart {
    const fn weight(&self) -> u8 {
        match self {
            Self::Literal(_) => 4,
            Self::Number(_) => 3,
            Self::Text(_) => 2,
            Self::Slashes(_) => 1,
            Self::Several(_) => 0,
        }
    }

    /// The name of what stands there; none where it is the text itself.
    #[must_use]
    pub const fn variable(&self) -> Option<&'static str> {
        match self {
            Self::Literal(_) => None,
            Self::Number(name) | Self::Text(name) | Self::Slashes(name) | Self::Several(name) => Some(name),
        }
    }
}

fn fit<'p>(parts: &[RestPart], segments: &'p [&'p str]) -> Option<Vec<(&'static str, Cow<'p, str>)>> {
    let mut values = Vec::new();
    let mut given = segments;
    for (at, part) in parts.iter().enumerate() {
        let (segment, rest) = given.split_first()?;
        match part {
            RestPart::Literal(text) if text == segment => {}
            RestPart::Number(name) if is_number(segment) => values.push((*name, Cow::Borrowed(*segment))),
            RestPart::Text(name) if !segment.contains('/') => values.push((*name, Cow::Borrowed(*segment))),
            RestPart::Slashes(name) => values.push((*name, Cow::Borrowed(*segment))),
            RestPart::Several(name) => {
                // The rest of the template is as long as it is: only one part of a path may be several segments.
                let after = parts.len().checked_sub(at + 1)?;
                let take = given.len().checked_sub(after).filter(|take| *take > 0)?;
                let (taken, rest) = given.split_at_checked(take)?;
                values.push((*name, Cow::Owned(taken.join("/"))));
                given = rest;
                continue;
            }
            RestPart::Literal(_) | RestPart::Number(_) | RestPart::Text(_) => return None,
        }
        given = rest;
    }
    given.is_empty().then_some(values)
}

/// A number as it is written in one way only.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.is_empty()
        && (text == "0" || !text.starts_with('0'))
        && text.len() <= 19
}

fn operation(line: &'static str) -> Result<RestOperation, &'static str> {
    let mut words = line.split(' ');
    let mut next = || words.next().filter(|word| !word.is_empty());
    let method = next().ok_or("it has no method")?;
    let path = next().filter(|path| path.starts_with('/')).ok_or("it has no path")?;
    let name = next().ok_or("it has no name")?;
    let access = next().ok_or("it has no class")?;
    let access = access.split(',').map(|word| Access::parse(word).ok_or("its class is none"));
    let mut operation = RestOperation {
        method,
        path,
        parts: path.split('/').filter(|part| !part.is_empty()).map(part).collect(),
        name,
        access: access.collect::<Result<_, _>>()?,
        level: Level::Control,
        mints: false,
        query: Vec::new(),
        item: None,
        shown: false,
    };
    for mark in words {
        match mark.strip_prefix('?') {
            Some(names) => operation.query = names.split(',').collect(),
            None if mark == "data" => operation.level = Level::Data,
            None if mark == "mints" => operation.mints = true,
            None => return Err("it has a mark that there is not"),
        }
    }
    let several = operation.parts.iter().filter(|part| matches!(part, RestPart::Several(_))).count();
    if several > 1 { Err("two of its parts may be several segments") } else { Ok(operation) }
}

fn part(text: &'static str) -> RestPart {
    let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return RestPart::Literal(text);
    };
    if let Some(name) = name.strip_prefix('#') {
        return RestPart::Number(name);
    }
    if let Some(name) = name.strip_prefix('+') {
        return RestPart::Slashes(name);
    }
    match name.strip_prefix('*') {
        Some(name) => RestPart::Several(name),
        None => RestPart::Text(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "GET /repos/{owner}/{repo} get read\n\
        GET /repos/{owner}/{repo}/commits/{*ref} commit read\n\
        GET /repos/{owner}/{repo}/commits/{*ref}/status status read\n\
        GET /repos/{owner}/{repo}/hooks/{#id} hook read\n\
        GET /repos/{owner}/{repo}/hooks/all hooks read\n\
        DELETE /repos/{owner}/{repo}/labels/{+name} unlabel delete data ?x,y\n\
        POST /tokens mint create,grant mints\n";

    fn found(method: &str, path: &[&str]) -> Option<String> {
        let table = RestTable::parse(TABLE).unwrap();
        let fit = table.find(method, path)?;
        let values: Vec<String> = fit.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(format!("{} {}", fit.operation.name, values.join(" ")))
    }

    #[test]
    fn a_path_is_what_says_most_of_it() {
        let at = |rest: &[&'static str]| found("GET", &[&["repos", "o", "r"], rest].concat());
        assert_eq!(at(&[]).as_deref(), Some("get owner=o repo=r"));
        assert_eq!(at(&["commits", "a", "b"]).as_deref(), Some("commit owner=o repo=r ref=a/b"));
        assert_eq!(at(&["commits", "a", "status"]).as_deref(), Some("status owner=o repo=r ref=a"));
        assert_eq!(at(&["commits", "status"]).as_deref(), Some("commit owner=o repo=r ref=status"));
        assert_eq!(at(&["hooks", "all"]).as_deref(), Some("hooks owner=o repo=r"));
        assert_eq!(at(&["hooks", "7"]).as_deref(), Some("hook owner=o repo=r id=7"));
        for other in ["07", "+7", "7a", "99999999999999999999", "a/b"] {
            assert_eq!(at(&["hooks", other]), None, "{other}");
        }
        assert_eq!(found("GET", &["repos", "o/x", "r"]), None);
        assert_eq!(
            found("DELETE", &["repos", "o", "r", "labels", "a/b"]).as_deref(),
            Some("unlabel owner=o repo=r name=a/b")
        );
    }

    #[test]
    fn a_list_is_known_by_what_stands_below_it() {
        let table = "GET /keys list read\nPOST /keys add create\nDELETE /keys/{#key_id} remove delete\nPUT /keys/{#key_id}/lock lock update\n";
        let table = RestTable::parse(table).unwrap();
        let said: Vec<_> = table.iter().map(|one| (one.name, one.item, one.shown)).collect();
        assert_eq!(
            said,
            [
                ("list", Some("key_id"), true),
                ("add", Some("key_id"), true),
                ("remove", None, false),
                ("lock", None, false)
            ]
        );
    }

    #[test]
    fn a_line_says_all() {
        let table = RestTable::parse(TABLE).unwrap();
        let last = table.find("POST", &["tokens"]).unwrap().operation.clone();
        assert_eq!((last.access, last.mints), (vec![Access::Create, Access::Grant], true));
        let label = table.iter().find(|one| one.name == "unlabel").unwrap();
        assert_eq!((label.level, label.query.as_slice()), (Level::Data, ["x", "y"].as_slice()));
        assert_eq!((label.item, label.shown), (None, false));
        for bad in ["GET /a b", "GET a b read", "GET /a b reads", "GET /a b read x", "GET /{*a}/{*b} b read"]
        {
            assert!(RestTable::parse(bad).is_err(), "{bad}");
        }
    }
}
