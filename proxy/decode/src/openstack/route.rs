//! The paths of each service, and what is asked for by each method.
//!
//! A line of a table is a path and what its methods are: `METHOD:verb[=access[+access…]][!flag…]`. In a path `{kind}`
//! stands for an id, `{=kind}` for a name of any form, `{~kind}` for a UUID or a name. `POST@` is followed by actions,
//! each of which is named by the one key of a body. Leaves out what bodies say.

use std::sync::Arc;

use ordain_action::{Access, Digest, Undecodable};

use super::service::Service;
use crate::form::fields::clip;

/// What is particular about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flag {
    /// It is done to what the first id of the path names; what the others name is used.
    In,
    /// It is done to the cloud; what the path names is used.
    Whole,
    /// It is done to all of the kind.
    All,
    /// Its answer hands out a credential of the plane.
    Mints,
    /// That is a token, in `X-Subject-Token`, which can be exchanged.
    Token,
    /// It is about the token that `X-Subject-Token` names.
    Subject,
    /// Its answer says where the services are.
    Catalog,
    /// Its body is of a form of its own, and is not read.
    Raw,
    /// Its body is a stream of bytes.
    Stream,
    /// A list in its body is several of it.
    Bulk,
    /// It may have a body where others like it have none.
    Body,
    /// What it does a driver says.
    Call,
    /// It changes nothing where the one parameter says so.
    Dry,
    /// The member of an answer that holds the identifier of something new.
    Key(&'static str),
}

/// What a method asks for at a path.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    method: &'static str,
    /// What it is called: the key of its body for an action, else a word of ours.
    pub verb: &'static str,
    pub accesses: Vec<Access>,
    flags: Vec<Flag>,
    /// It is an action, of which the body says that it is this one.
    pub is_action: bool,
}

impl Operation {
    pub(super) fn has(&self, flag: &Flag) -> bool {
        self.flags.contains(flag)
    }

    /// The member of an answer that holds the identifier of something new.
    pub(super) fn key(&self) -> &'static str {
        let key = self.flags.iter().find_map(|flag| match flag {
            Flag::Key(key) => Some(*key),
            Flag::In | Flag::Whole | Flag::All | Flag::Mints | Flag::Raw => None,
            Flag::Stream | Flag::Bulk | Flag::Body | Flag::Call | Flag::Dry => None,
            Flag::Token | Flag::Subject | Flag::Catalog => None,
        });
        key.unwrap_or("id")
    }

    /// It changes nothing, by its verb and by what is said of it.
    pub(super) fn reads(&self) -> bool {
        self.accesses == [Access::Read]
    }
}

/// One part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Word(&'static str),
    Id(&'static str),
    Name(&'static str),
    IdOrName(&'static str),
}

/// A path with what its methods are.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub service: Service,
    pub parts: Vec<Part>,
    operations: Vec<Operation>,
}

/// All that is known.
#[derive(Debug)]
pub(super) struct Routes(Vec<Arc<Route>>);

/// A path that is known.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub route: Arc<Route>,
    /// The method, `HEAD` being `GET` without a body.
    pub method: &'static str,
    /// The segments that stand in the places of the path, in their order.
    pub values: Vec<String>,
    /// The project that stands before the rest.
    pub project: Option<String>,
}

const TABLES: [(Service, &str); 6] = [
    (Service::Identity, include_str!("routes/identity.txt")),
    (Service::Compute, include_str!("routes/compute.txt")),
    (Service::Network, include_str!("routes/network.txt")),
    (Service::BlockStorage, include_str!("routes/block_storage.txt")),
    (Service::Image, include_str!("routes/image.txt")),
    (Service::Baremetal, include_str!("routes/baremetal.txt")),
];

impl Routes {
    /// Reads the tables. What is not understood in them is not known: a test shows that there is nothing such.
    pub(super) fn new() -> Self {
        let mut routes: Vec<Route> = Vec::new();
        for (service, table) in TABLES {
            for line in table.lines().filter(|line| !line.starts_with('#')) {
                let goes_on = line.starts_with(' ');
                let mut words = line.split_whitespace();
                if !goes_on {
                    let Some(path) = words.next() else { continue };
                    routes.push(Route { service, parts: parts(path), operations: Vec::new() });
                }
                let Some(route) = routes.last_mut() else { continue };
                for word in words {
                    route.add(word);
                }
            }
        }
        Self(routes.into_iter().map(Arc::new).collect())
    }

    /// The digest of all tables.
    pub(super) fn digest() -> Digest {
        Digest::of(TABLES.map(|(_, table)| table).concat().as_bytes())
    }

    /// How many paths there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The path of a service that these segments are, whatever the method; the one with most words of its own from the
    /// left, as servers choose.
    pub(super) fn find(&self, service: Service, segments: &[&str]) -> Option<(&Arc<Route>, Vec<String>)> {
        let fits = |route: &&Arc<Route>| {
            let words = |part: &Part, segment: &str| match part {
                Part::Word(word) => *word == segment,
                Part::Id(_) | Part::Name(_) | Part::IdOrName(_) => true,
            };
            let same = route.parts.len() == segments.len();
            route.service == service
                && same
                && route.parts.iter().zip(segments).all(|(part, segment)| words(part, segment))
        };
        let weight = |route: &&Arc<Route>| -> Vec<bool> {
            route.parts.iter().map(|part| matches!(part, Part::Word(_))).collect()
        };
        let route = self.0.iter().filter(fits).max_by_key(weight)?;
        let values = route.parts.iter().zip(segments).filter(|(part, _)| !matches!(part, Part::Word(_)));
        Some((route, values.map(|(_, segment)| (*segment).to_owned()).collect()))
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> &[Arc<Route>] {
        &self.0
    }
}

impl Route {
    fn add(&mut self, word: &'static str) {
        // The actions follow the word that says that there are some.
        if word == "POST@" {
            return;
        }
        let (method, rest, is_action) = match word.split_once(':') {
            Some((method, rest)) => (method, rest, false),
            None => ("POST", word, true),
        };
        let (rest, flags) = rest.split_once('!').map_or((rest, None), |(rest, flags)| (rest, Some(flags)));
        let (verb, accesses) = rest.split_once('=').unwrap_or((rest, usual(rest)));
        let accesses: Option<Vec<Access>> = accesses.split('+').map(Access::parse).collect();
        let flags: Option<Vec<Flag>> =
            flags.into_iter().flat_map(|flags| flags.split('!')).map(flag).collect();
        if let (Some(accesses), Some(flags)) = (accesses, flags) {
            self.operations.push(Operation { method, verb, accesses, flags, is_action });
        }
    }

    /// What a method is there, where no body says more; `None` where there is none such.
    pub(super) fn operation(&self, method: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.method == method && !operation.is_action)
    }

    /// The action of that name.
    pub(super) fn action(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.is_action && operation.verb == name)
    }

    /// A body names what is asked for.
    pub(super) fn has_actions(&self) -> bool {
        self.operations.iter().any(|operation| operation.is_action)
    }

    #[cfg(test)]
    pub(super) fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

impl Found {
    /// What it is where no body has to say; none for an action.
    pub(super) fn operation(&self) -> Option<&Operation> {
        self.route.operation(self.method)
    }
}

fn parts(path: &'static str) -> Vec<Part> {
    let part = |part: &'static str| match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        None => Part::Word(part),
        Some(inner) => match (inner.strip_prefix('='), inner.strip_prefix('~')) {
            (Some(name), _) => Part::Name(name),
            (None, Some(name)) => Part::IdOrName(name),
            (None, None) => Part::Id(inner),
        },
    };
    path.split('/').map(part).collect()
}

/// What a verb is where a table says no more; a word that is no access where it has to.
fn usual(verb: &str) -> &'static str {
    match verb {
        "list" | "get" | "check" => "read",
        "create" => "create",
        "update" => "update",
        "delete" => "delete",
        _ => "",
    }
}

fn flag(word: &'static str) -> Option<Flag> {
    Some(match word {
        "in" => Flag::In,
        "whole" => Flag::Whole,
        "all" => Flag::All,
        "mints" => Flag::Mints,
        "token" => Flag::Token,
        "subject" => Flag::Subject,
        "catalog" => Flag::Catalog,
        "raw" => Flag::Raw,
        "stream" => Flag::Stream,
        "bulk" => Flag::Bulk,
        "body" => Flag::Body,
        "call" => Flag::Call,
        "dry" => Flag::Dry,
        _ => Flag::Key(word.strip_prefix("key=")?),
    })
}

/// Whether a segment may stand in a place of a path.
///
/// # Errors
/// It could be another spelling of something else: databases compare letters without their case and leave spaces at
/// the end out, some routers take the ending of a name for a media type.
pub(super) fn check(part: Part, value: &str) -> Result<(), Undecodable> {
    match part {
        Part::Word(_) => Ok(()),
        Part::Id(_) => check_id(value),
        Part::Name(_) => check_name(value),
        Part::IdOrName(_) if is_uuid(&value.to_ascii_lowercase()) => check_id(value),
        Part::IdOrName(_) => check_name(value),
    }
}

fn check_id(value: &str) -> Result<(), Undecodable> {
    let known = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-' | b'_');
    if value.is_empty() || !value.bytes().all(known) {
        return Err(bad(value, "is no id as this API writes one; write it in lower case, as it was given"));
    }
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && value.len() > 1 && value.len() < 32 && value.starts_with('0') {
        return Err(bad(value, "is a number with a zero before it; write it without"));
    }
    Ok(())
}

fn check_name(value: &str) -> Result<(), Undecodable> {
    if value.trim() != value || value.is_empty() {
        return Err(bad(value, "has a space at an end, which databases leave out; leave it out"));
    }
    let ending = value.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    if ending.is_some_and(|ending| ["json", "xml"].contains(&ending.as_str())) {
        return Err(bad(
            value,
            "ends as a media type does, which some servers cut off; leave the ending out",
        ));
    }
    Ok(())
}

fn bad(value: &str, what: &str) -> Undecodable {
    Undecodable::new("bad_id", format!("`{}` {what}", clip(value)))
}

/// Whether a text is a UUID in its usual form.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Whether a text is an id as services make them: a UUID, with dashes or without.
pub(super) fn is_id(text: &str) -> bool {
    is_uuid(text) || (text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_of_the_tables_is_understood() {
        let written: usize = TABLES
            .iter()
            .flat_map(|(_, table)| table.lines())
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let words = line.split_whitespace().filter(|word| *word != "POST@").count();
                if line.starts_with(' ') { words } else { words - 1 }
            })
            .sum();
        let routes = Routes::new();
        let read: usize = routes.all().iter().map(|route| route.operations().len()).sum();
        assert_eq!(read, written);
        let mut seen = BTreeSet::new();
        for route in routes.all() {
            let shape: Vec<&str> = route
                .parts
                .iter()
                .map(|part| match part {
                    Part::Word(word) => *word,
                    Part::Id(_) | Part::Name(_) | Part::IdOrName(_) => "{}",
                })
                .collect();
            assert!(seen.insert((route.service, shape.clone())), "{shape:?} stands twice");
            for operation in route.operations() {
                let known = ["GET", "POST", "PUT", "PATCH", "DELETE"];
                assert!(known.contains(&operation.method) && !operation.accesses.is_empty(), "{shape:?}");
                // Two signals: the verb, and the method or an action that the services' own policies let readers do.
                let reads = operation.accesses.contains(&Access::Read);
                let asks = ["os-getConsoleOutput", "os-show_image_metadata", "list_replication_targets"];
                assert!(
                    !reads || (operation.method == "GET" || asks.contains(&operation.verb)),
                    "{shape:?} {}",
                    operation.verb
                );
                assert!(!reads || operation.reads(), "{shape:?}");
            }
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        for id in
            ["9ec4b6f0-5d1e-4d1a-9f0d-2f6c4e1d7a11", "default", "1", "0", "0123456789abcdef0123456789abcdef"]
        {
            assert!(check(Part::Id("x"), id).is_ok(), "{id}");
        }
        for id in
            ["9EC4b6f0-5d1e-4d1a-9f0d-2f6c4e1d7a11", "a.json", "a b", "a ", "01", "é", "urn:uuid:a", "*"]
        {
            assert!(check(Part::Id("x"), id).is_err(), "{id}");
        }
        for name in ["m1.tiny", "Prod Key", "é"] {
            assert!(check(Part::Name("x"), name).is_ok(), "{name}");
        }
        for name in ["a.json", "a.XML", "a ", " a"] {
            assert!(check(Part::Name("x"), name).is_err(), "{name}");
        }
        assert!(check(Part::IdOrName("x"), "9EC4b6f0-5d1e-4d1a-9f0d-2f6c4e1d7a11").is_err());
    }

    #[test]
    fn words_come_before_places() {
        let routes = Routes::new();
        let find = |service, path: &str| {
            let segments: Vec<&str> = path.split('/').collect();
            routes
                .find(service, &segments)
                .map(|(route, values)| (route.operation("GET").map(|one| one.verb), values))
        };
        assert_eq!(find(Service::Compute, "servers/detail"), Some((Some("list"), vec![])));
        assert_eq!(find(Service::Compute, "servers/a"), Some((Some("get"), vec!["a".to_owned()])));
        assert_eq!(find(Service::Compute, "servers/a/frobs"), None);
    }
}
