//! What one of Google's hosts serves over gRPC: its methods, by which rules REST asks for the same, and their messages.
//!
//! Leaves out reading a message, and which method of REST a call amounts to.

use std::collections::HashMap;

use super::site::GoogleSegment;

/// What one host serves over gRPC.
#[derive(Debug, Default)]
pub struct GoogleRpc {
    calls: HashMap<Box<str>, GoogleCall>,
    types: Vec<GoogleType>,
}

/// One method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleCall {
    /// The service, for example `google.pubsub.v1.Publisher`.
    pub service: Box<str>,
    /// Its own name, for example `CreateTopic`.
    pub name: Box<str>,
    /// The message that it is called with, by its full name.
    pub input: Box<str>,
    /// The caller sends messages for as long as it likes.
    pub takes_stream: bool,
    /// The answer is messages for as long as the server likes.
    pub gives_stream: bool,
    /// How REST asks for the same: the first whose names fit counts.
    pub rules: Vec<GoogleRule>,
}

/// One way in which REST asks for a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleRule {
    /// The HTTP method.
    pub http: &'static str,
    /// The path.
    pub path: Vec<GooglePart>,
    /// What stands in the query under which name, by its number among the wildcards of `fields`.
    pub query: Vec<(Box<str>, usize)>,
    /// The word after the last colon.
    pub verb: Option<Box<str>>,
    /// Which field the body is: `*` for all that the path does not have, none where all of those stand in the query.
    pub body: Option<Box<str>>,
    /// The discovery id of what is asked for in that way, where the documents have it.
    pub id: Option<Box<str>>,
    /// Fields with their forms, of whose wildcards the path and the query are made where those have no fields themselves. A
    /// `Slashed` one is all that is left of what the field says.
    pub fields: Vec<(Box<str>, Vec<GoogleSegment>)>,
}

/// A part of a rule's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GooglePart {
    /// A word of the API.
    Word(Box<str>),
    /// What a field says, which has to be of that form.
    Field(Box<str>, Vec<GoogleSegment>),
    /// One of the wildcards of the rule's `fields`, counted through.
    Wildcard(usize),
}

/// A message or an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleType {
    /// The package that it is in.
    pub package: Box<str>,
    /// Its name in the package, behind those of the messages that it is in.
    pub path: Box<str>,
    /// What it is.
    pub of: GoogleTypeOf,
}

/// What a type has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoogleTypeOf {
    /// The fields of a message.
    Message(Vec<GoogleField>),
    /// The names of an enum, by their numbers.
    Enum(Vec<(i32, Box<str>)>),
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleField {
    /// Its number.
    pub number: i32,
    /// Its name.
    pub name: Box<str>,
    /// Its name in JSON, where that does not follow from the other.
    pub json: Option<Box<str>>,
    /// The word of those that exclude each other, where it is one of some.
    pub oneof: Option<Box<str>>,
    /// The type of its keys, where it is a map.
    pub key: Option<GoogleKind>,
    /// It is a list.
    pub list: bool,
    /// What it holds.
    pub kind: GoogleKind,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoogleKind {
    /// A number, a text, a truth value or bytes, by its word in descriptions.
    Scalar(Box<str>),
    /// A message, by its full name.
    Message(Box<str>),
    /// A value of an enum, by its full name.
    Enum(Box<str>),
}

impl GoogleRpc {
    /// Reads a block; `None` where a line of it cannot be read.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut all = Self::default();
        for block in text.split("\n\n") {
            let (head, rest) = block.split_once('\n').unwrap_or((block, ""));
            let lines = rest.lines().filter(|line| !line.is_empty());
            match head.split_once(' ')? {
                ("service", name) => all.calls.extend(calls(name, lines)?),
                ("message", name) => {
                    let (package, path) = name.split_once('/')?;
                    let fields: Option<Vec<GoogleField>> = lines.map(|line| field(package, line)).collect();
                    all.push(package, path, GoogleTypeOf::Message(fields?));
                }
                ("enum", name) => {
                    let (package, path) = name.split_once('/')?;
                    let value = |line: &str| {
                        let (number, name) = line.split_once(' ')?;
                        Some((number.parse().ok()?, Box::from(name)))
                    };
                    let values: Option<Vec<_>> = lines.map(value).collect();
                    all.push(package, path, GoogleTypeOf::Enum(values?));
                }
                _ => return None,
            }
        }
        Some(all)
    }

    fn push(&mut self, package: &str, path: &str, of: GoogleTypeOf) {
        self.types.push(GoogleType { package: package.into(), path: path.into(), of });
    }

    /// The method that a path names: `/package.Service/Method`.
    #[must_use]
    pub fn call(&self, path: &str) -> Option<&GoogleCall> {
        self.calls.get(path)
    }

    /// All methods, in no order.
    pub fn calls(&self) -> impl Iterator<Item = &GoogleCall> {
        self.calls.values()
    }

    /// The messages of the methods, and all that those are made of.
    #[must_use]
    pub fn types(&self) -> &[GoogleType] {
        &self.types
    }
}

fn calls<'t>(service: &str, lines: impl Iterator<Item = &'t str>) -> Option<HashMap<Box<str>, GoogleCall>> {
    let package = service.rsplit_once('.')?.0;
    let mut calls = Vec::new();
    for line in lines {
        let mut words = line.split(' ');
        match words.next()? {
            "rpc" => {
                let (name, input) = (words.next()?, full(package, words.next()?)?);
                let streams: Vec<&str> = words.collect();
                calls.push(GoogleCall {
                    service: service.into(),
                    name: name.into(),
                    input,
                    takes_stream: streams.contains(&"in"),
                    gives_stream: streams.contains(&"out"),
                    rules: Vec::new(),
                });
            }
            http => calls.last_mut()?.rules.push(rule(http, words)?),
        }
    }
    Some(calls.into_iter().map(|call| (format!("/{service}/{}", call.name).into(), call)).collect())
}

fn rule<'t>(http: &str, mut words: impl Iterator<Item = &'t str>) -> Option<GoogleRule> {
    let http = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == http)?;
    let template = words.next()?;
    let mut said = || words.next().map(|word| Some(word).filter(|word| *word != "-").map(Box::from));
    let (body, id) = (said()?, said()?);
    let form = |form: &str| form.split('/').map(segment).collect();
    let mut fields = Vec::new();
    for word in words {
        let (name, of) = word.split_once('=')?;
        fields.push((name.into(), form(of)));
    }
    let (template, asked) = template.split_once('?').unwrap_or((template, ""));
    let mut query = Vec::new();
    for pair in asked.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        query.push((name.into(), wildcard(value)?));
    }
    // No field has a colon in its form.
    let (template, verb) = match template.rsplit_once(':') {
        Some((template, verb)) => (template, Some(Box::from(verb))),
        None => (template, None),
    };
    let mut path = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let (part, after) = match rest.strip_prefix('{') {
            Some(field) => {
                let (field, after) = field.split_once('}')?;
                let (name, of) = field.split_once('=').unwrap_or((field, "*"));
                (GooglePart::Field(name.into(), form(of)), after)
            }
            None => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end)?;
                let part = wildcard(word).map_or_else(|| GooglePart::Word(word.into()), GooglePart::Wildcard);
                (part, after)
            }
        };
        path.push(part);
        rest = after.strip_prefix('/').unwrap_or(after);
        // A part ends where the next begins.
        if !after.is_empty() && !after.starts_with('/') {
            return None;
        }
    }
    Some(GoogleRule { http, path, query, verb, body, id, fields })
}

/// `$1` is the first.
fn wildcard(word: &str) -> Option<usize> {
    word.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}

fn segment(text: &str) -> GoogleSegment {
    match text {
        "*" => GoogleSegment::One,
        "**" => GoogleSegment::Many,
        "+" => GoogleSegment::Slashed,
        word => GoogleSegment::Literal(word.into()),
    }
}

fn field(package: &str, line: &str) -> Option<GoogleField> {
    let mut words = line.split(' ');
    let number = words.next()?.parse().ok()?;
    let (name, written) = (words.next()?.into(), words.next()?);
    let (key, written) = match written.strip_prefix('{') {
        Some(rest) => rest.split_once('}').map(|(key, value)| (Some(key), value))?,
        None => (None, written),
    };
    let (list, written) = written.strip_prefix("[]").map_or((false, written), |of| (true, of));
    let key = match key {
        Some(key) => Some(kind(package, key)?),
        None => None,
    };
    let mut field =
        GoogleField { number, name, json: None, oneof: None, key, list, kind: kind(package, written)? };
    for word in words {
        match word.split_once('=')? {
            ("oneof", name) => field.oneof = Some(name.into()),
            ("json", name) => field.json = Some(name.into()),
            _ => return None,
        }
    }
    Some(field)
}

fn kind(package: &str, written: &str) -> Option<GoogleKind> {
    match written.strip_prefix('=') {
        Some(name) => Some(GoogleKind::Enum(full(package, name)?)),
        None if written.contains('/') => Some(GoogleKind::Message(full(package, written)?)),
        None => Some(GoogleKind::Scalar(written.into())),
    }
}

/// The full name of what is called so in a package.
fn full(package: &str, name: &str) -> Option<Box<str>> {
    match name.split_once('/')? {
        ("", path) => Some(format!("{package}.{path}").into()),
        (other, path) => Some(format!("{other}.{path}").into()),
    }
}
