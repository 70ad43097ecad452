//! How a request names what it touches: text with fields of the request in braces.
//!
//! Leaves out which fields a request has, which its room knows.

use std::collections::BTreeSet;

use ordain_action::{Plane, Resource, Role, Scalar, Undecodable};

use super::name;
use crate::form::Fields;
use crate::form::fields::{clip, segments};
use crate::setup::ApiResource;

/// How many digits a number has that is never cut short: those of a SHA-256.
const WHOLE_DIGITS: usize = 64;

/// How a resource is named by a request.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    kind: String,
    parts: Vec<Part>,
    /// Fields that make it all resources of the type, where they say something.
    pub(super) all_if: Vec<String>,
    role: Role,
}

/// A part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String, Spelling),
}

/// How a field is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// In one way.
    Exact,
    /// A domain, which the API also takes in capitals, without its last dot, and with bytes as `=2F`: it is read in
    /// lower case and with the dot only.
    Domain,
    /// A name, or a number of hexadecimal digits, which the API also takes cut short: what may be one that was is all.
    Abbreviated,
}

impl Named {
    /// What is said of a name; `found` says where its fields are among those of a request.
    ///
    /// # Errors
    /// It is no name.
    pub(super) fn new(
        said: &ApiResource,
        found: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, String> {
        let kind = &said.kind;
        if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        {
            return Err(format!("`{kind}` is no type; use letters, digits, `-`, `_` and `.`"));
        }
        let mut parts = parts(&said.name)?;
        for part in &mut parts {
            if let Part::Field(path, _) = part {
                *path = found(path)?;
            }
        }
        Ok(Self { kind: kind.clone(), parts, all_if: Vec::new(), role: said.role })
    }

    /// The type.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// It is what is changed or read.
    pub(crate) fn is_target(&self) -> bool {
        self.role == Role::Target
    }

    /// Whether a request has something in every field of the name.
    pub(crate) fn is_said(&self, fields: &Fields) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Text(_) => true,
            Part::Field(path, _) => named(fields, path).is_some(),
        })
    }

    /// The resources that a request names.
    ///
    /// # Errors
    /// One of them is spelled as it is not read.
    pub(super) fn of(
        &self,
        fields: &Fields,
        at: (Plane, &str),
        whole: bool,
    ) -> Result<Vec<Resource>, Undecodable> {
        let all = || vec![Resource { role: self.role, ..name::all(at, &self.kind) }];
        let every = matches!(self.parts.as_slice(), [Part::Text(text)] if text == "*");
        if every || self.all_if.iter().any(|path| !whole || says(fields, path)) {
            return Ok(all());
        }
        let several = self.parts.iter().filter(|part| matches!(part, Part::Field(..))).count() > 1;
        let mut names = vec![String::new()];
        for part in &self.parts {
            match part {
                Part::Text(text) => names.iter_mut().for_each(|name| name.push_str(text)),
                Part::Field(path, spelling) => {
                    // What names nothing may mean everything.
                    let Some(values) = named(fields, path) else { return Ok(all()) };
                    for value in &values {
                        if !spelling.names_one(value)? {
                            return Ok(all());
                        }
                    }
                    let values: Vec<String> =
                        values.into_iter().map(|value| name::part(value, several)).collect();
                    match (values.as_slice(), names.len()) {
                        ([only], _) => names.iter_mut().for_each(|name| name.push_str(only)),
                        (many, 1) => {
                            let before = names.remove(0);
                            names.extend(many.iter().map(|value| format!("{before}{value}")));
                        }
                        (many, count) if many.len() == count => {
                            names.iter_mut().zip(many).for_each(|(name, value)| name.push_str(value));
                        }
                        _ => return Ok(all()),
                    }
                }
            }
        }
        let one = |name: &String| Resource { role: self.role, ..name::one(at, &self.kind, name) };
        Ok(names.iter().map(one).collect())
    }
}

impl Spelling {
    /// Whether a value names one thing for sure; else it may be any.
    ///
    /// # Errors
    /// It is another spelling of something that has one.
    fn names_one(self, value: &str) -> Result<bool, Undecodable> {
        match self {
            Self::Exact => Ok(!leads_elsewhere(value)),
            Self::Domain if is_domain(value) => Ok(!leads_elsewhere(value)),
            Self::Domain => Err(Undecodable::new(
                "other_spelling",
                format!(
                    "`{}` is not how the domain is spelled here; send it in lower case with a dot at its end",
                    clip(value)
                ),
            )),
            Self::Abbreviated => {
                let digits = value.bytes().all(|byte| byte.is_ascii_hexdigit());
                Ok(!leads_elsewhere(value) && (!digits || value.len() == WHOLE_DIGITS))
            }
        }
    }
}

/// Whether a server that takes a value for a path may take it for another one: `a/../b`, `a//b`, `.`.
fn leads_elsewhere(value: &str) -> bool {
    value.split(['/', '\\']).any(|segment| matches!(segment, "" | "." | ".."))
}

/// A domain as it is read: in lower case, with its last dot, and with no byte escaped that may stand as it is.
fn is_domain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let mut rest = text.bytes();
    let mut read = || -> Option<()> {
        while let Some(byte) = rest.next() {
            if byte == b'=' {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                let byte = u8::try_from(high * 16 + low).ok()?;
                if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
                    return None;
                }
            } else if !plain(byte) && !matches!(byte, b'*' | b'/') {
                return None;
            }
        }
        Some(())
    };
    let escapes = text.split('=').skip(1);
    let upper = escapes.clone().all(|after| !after.bytes().take(2).any(|byte| byte.is_ascii_lowercase()));
    text.ends_with('.') && upper && !text.contains("..") && read().is_some()
}

/// The parts of `{field.of.message}/more`.
fn parts(name: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) =
            after.split_once('}').ok_or_else(|| format!("`{name}` has a `{{` without a `}}`"))?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let (field, spelling) = match field.split_once('|') {
            None => (field, Spelling::Exact),
            Some((field, "domain")) => (field, Spelling::Domain),
            Some((field, "abbreviated")) => (field, Spelling::Abbreviated),
            Some((_, other)) => {
                return Err(format!("`{other}` is no spelling; use `domain`, `abbreviated` or none"));
            }
        };
        parts.push(Part::Field(field.to_owned(), spelling));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    if parts.is_empty() {
        return Err("a resource has no name; give one such as `{name}`".to_owned());
    }
    Ok(parts)
}

/// The values at a path of a message, of all items where lists are on the way; none where one of them, or all, say
/// nothing.
fn named<'f>(fields: &'f Fields, path: &str) -> Option<Vec<&'f str>> {
    let leaves = fields.iter().filter(|(found, _)| is_at(found, path));
    let values: Option<Vec<&str>> = leaves.clone().map(|(_, value)| said(value)).collect();
    // Each item on the way has one.
    let whole = (1..segments(path).count()).all(|depth| {
        let of = |(found, _): (&str, Scalar<'_>)| within(found, path, depth).map(str::to_owned);
        let all: BTreeSet<String> = fields.iter().filter_map(of).collect();
        all == leaves.clone().filter_map(of).collect()
    });
    values.filter(|values| whole && !values.is_empty())
}

/// The beginning of a leaf's place that a path names by its first parts, with the numbers of items in it.
fn within<'p>(found: &'p str, path: &str, depth: usize) -> Option<&'p str> {
    let mut wanted = segments(path).take(depth).peekable();
    let mut end = 0;
    for part in segments(found) {
        let item = part.bytes().all(|byte| byte.is_ascii_digit());
        match wanted.peek() {
            _ if item => {}
            None => break,
            Some(next) if *next == part => drop(wanted.next()),
            Some(_) => return None,
        }
        end += part.len() + 1;
    }
    let ends = wanted.peek().is_none();
    found.get(..end.saturating_sub(1)).filter(|_| ends)
}

/// Whether something is said at a path of a request, or below it.
fn says(fields: &Fields, path: &str) -> bool {
    fields.iter().any(|(found, value)| is_at(found, path) && said(value).is_some())
}

/// Whether one of these values is said at a path of a request, or below it; where none is named, anything but nothing.
pub(super) fn says_one_of(fields: &Fields, path: &str, values: &[String]) -> bool {
    let is = |text: &str, value: &String| match value.strip_suffix('*') {
        Some(begin) => text.get(..begin.len()).is_some_and(|start| start.eq_ignore_ascii_case(begin)),
        None => value.eq_ignore_ascii_case(text),
    };
    fields.iter().filter(|(found, _)| is_at(found, path)).any(|(_, value)| {
        let text = match value {
            Scalar::Text(text) | Scalar::Number(text) | Scalar::Token(text) => text,
            Scalar::Bool(true) => "true",
            Scalar::Bool(false) => "false",
            Scalar::Null | Scalar::Empty => "",
        };
        if !values.is_empty() {
            return values.iter().any(|value| is(text, value));
        }
        match value {
            // A query has no numbers and no truth values of its own.
            Scalar::Text(text) if path.starts_with('?') => !matches!(text, "" | "0" | "false"),
            Scalar::Text(text) => !text.is_empty(),
            Scalar::Number(text) => text != "0",
            Scalar::Bool(truth) => truth,
            Scalar::Token(_) => true,
            Scalar::Null | Scalar::Empty => false,
        }
    })
}

/// What a value says; a default says nothing.
fn said(value: Scalar<'_>) -> Option<&str> {
    match value {
        Scalar::Text("") | Scalar::Number("0") | Scalar::Bool(false) | Scalar::Null => None,
        Scalar::Text(text) | Scalar::Number(text) | Scalar::Token(text) => Some(text),
        Scalar::Bool(true) | Scalar::Empty => Some("true"),
    }
}

/// Whether a leaf stands at a path or below it, the numbers of items aside.
pub(crate) fn is_at(found: &str, path: &str) -> bool {
    let named = |part: &&str| !part.bytes().all(|byte| byte.is_ascii_digit());
    let mut found = segments(found).filter(named);
    segments(path).filter(named).all(|part| found.next() == Some(part))
}
