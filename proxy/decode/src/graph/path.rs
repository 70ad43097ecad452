//! Paths of the API: which place of the catalogue one leads to, and what stands in the place of its ids.
//!
//! Paths mean the same in any case, `users('ID')` is `users/ID`, and `/me` is one of the users. Leaves out what is done
//! there.

use ordain_action::Undecodable;
use ordain_catalog::{GraphPlace, GraphSort, GraphVersion, graph};

use super::bad;
use crate::rest::Line;

/// What a method asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A word of the API's own, as it is spelled there.
    Word(&'static str),
    /// An id.
    Id(String),
    /// One of many, by a key other than its id, or by where it lies.
    Other(String),
    /// A function that is called on the way, with what it is given.
    Call(&'static str, Vec<(String, String)>),
}

/// Where a path leads.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(super) place: &'static GraphPlace,
    pub(super) steps: Vec<Step>,
    /// It begins with `/me` or `/education/me`: whoever the credential is of.
    pub(super) own: bool,
    // What stands beside the last segment, and what below it.
    around: &'static [GraphPlace],
    below: &'static [GraphPlace],
}

/// One request that is none of several.
#[derive(Debug, Clone)]
pub(crate) struct One {
    pub(super) verb: Verb,
    pub(super) way: Way,
}

/// What a head asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    One(One),
    /// Several requests in one.
    Batch(GraphVersion),
    /// What the API says of itself.
    About,
}

/// Where a word leads on to what has a root of its own, and the root.
const SPLICED: [(&str, &str); 6] = [
    ("drive", "drives"),
    ("drives", "drives"),
    ("joinedTeams", "teams"),
    ("site", "sites"),
    ("sites", "sites"),
    ("chats", "chats"),
];

/// What a head asks for.
///
/// # Errors
/// The catalogue does not have it, or it is written in a way that could be two things.
pub(super) fn read(line: &Line<'_>) -> Result<Asked, Undecodable> {
    let path = line.path();
    let (version, path) = split(&path).ok_or_else(|| line.unknown())?;
    let method = if line.method == "HEAD" { "GET" } else { line.method };
    match path {
        [] | ["$metadata"] if method == "GET" => return Ok(Asked::About),
        [batch] if batch.eq_ignore_ascii_case("$batch") && method == "POST" => {
            return Ok(Asked::Batch(version));
        }
        _ => {}
    }
    let way = Way::walk(path).ok_or_else(|| line.unknown())?;
    if !way.place.takes(version, method) {
        return Err(line.unknown());
    }
    let verb = match method {
        "GET" => Verb::Get,
        "POST" => Verb::Post,
        "PATCH" => Verb::Patch,
        "PUT" => Verb::Put,
        _ => Verb::Delete,
    };
    // In the quotes of a call a slash is nothing but a character.
    let slash = |segment: &&str| segment.contains('/') && (verb != Verb::Get || !segment.contains('('));
    if path.iter().any(slash) {
        return Err(bad(
            "an escaped slash in the path could be two things; write it plainly, or name the id",
        ));
    }
    Ok(Asked::One(One { verb, way }))
}

/// The version that a path begins with, and the rest of it.
pub(super) fn split<'p>(path: &'p [&'p str]) -> Option<(GraphVersion, &'p [&'p str])> {
    let (first, rest) = path.split_first()?;
    if first.eq_ignore_ascii_case("v1.0") {
        Some((GraphVersion::V1, rest))
    } else if first.eq_ignore_ascii_case("beta") {
        Some((GraphVersion::Beta, rest))
    } else {
        None
    }
}

impl Way {
    /// Where the segments behind the version lead; nowhere where the catalogue does not have it.
    pub(super) fn walk(path: &[&str]) -> Option<Self> {
        let (first, mut rest) = path.split_first()?;
        let root = graph().root();
        let mut way = if first.eq_ignore_ascii_case("me") {
            let users = thing(root, "users")?;
            let place = thing(graph().below(users), "{}")?;
            let steps = vec![Step::Word(users.name), Step::Id("me".to_owned())];
            Self { place, steps, own: true, around: graph().below(users), below: graph().below(place) }
        } else {
            let users = root.first()?;
            let mut way = Self { place: users, steps: Vec::new(), own: false, around: root, below: root };
            way.step(first)?;
            way
        };
        while let Some((segment, after)) = rest.split_first() {
            rest = match segment.strip_suffix(':') {
                Some(before) => way.address(before, after)?,
                None => {
                    way.step(segment)?;
                    after
                }
            };
        }
        way.own |= matches!(way.steps.as_slice(), [Step::Word("education"), Step::Word("me"), ..]);
        (!way.steps.is_empty()).then_some(way)
    }

    fn step(&mut self, segment: &str) -> Option<()> {
        if let Some((base, given)) = call(segment)? {
            return self.called(base, given);
        }
        let places = self.below;
        let word = places.iter().find(|place| place.arguments.is_empty() && is_named(place, segment));
        if let Some(place) = word {
            let step = match place.sort {
                GraphSort::Function => Step::Call(place.name, Vec::new()),
                GraphSort::Thing | GraphSort::Key | GraphSort::Action => Step::Word(place.name),
            };
            self.go(place, step);
            return Some(());
        }
        // What the plane would take for a word of OData's, or for a call that is not known here, is no id.
        let lower = segment.to_ascii_lowercase();
        let word = ["$", "microsoft.graph.", "graph."].iter().any(|start| lower.starts_with(start));
        let place = thing(places, "{}").filter(|_| !word)?;
        self.go(place, Step::Id(segment.to_owned()));
        Some(())
    }

    /// A segment with parentheses: a call, or one of many by a key.
    fn called(&mut self, base: &str, given: Vec<(String, String)>) -> Option<()> {
        let places = self.below;
        // A key that begins so stands in the query, and this would be its name there.
        let aside = given.iter().any(|(_, value)| value.starts_with('@'));
        if let [(name, key)] = given.as_slice()
            && name.is_empty()
            && !aside
        {
            let many = places.iter().find(|one| one.sort == GraphSort::Thing && is_named(one, base))?;
            let place = thing(graph().below(many), "{}")?;
            self.go(many, Step::Word(many.name));
            self.go(place, Step::Id(key.clone()));
            return Some(());
        }
        let fits = |place: &&GraphPlace| {
            (place.sort == GraphSort::Function || place.sort == GraphSort::Key && !aside)
                && is_named(place, base)
                && place.arguments.len() == given.len()
                && place
                    .arguments
                    .iter()
                    .all(|own| given.iter().any(|(name, _)| name.eq_ignore_ascii_case(own)))
        };
        let place = places.iter().find(fits)?;
        if place.sort == GraphSort::Function {
            self.go(place, Step::Call(place.name, given));
            return Some(());
        }
        let many = thing(places, place.name)?;
        let own = graph().below(place);
        let below = match thing(graph().below(many), "{}") {
            Some(one) if own.is_empty() => graph().below(one),
            Some(_) | None => own,
        };
        let key: Vec<String> = given.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.steps.push(Step::Word(many.name));
        self.go(place, Step::Other(key.join(",")));
        self.below = below;
        Some(())
    }

    /// `root:/folder/file:` and `ID:/folder/file:`: what lies there, in a drive or below a site. What comes after it.
    fn address<'p>(&mut self, before: &str, after: &'p [&'p str]) -> Option<&'p [&'p str]> {
        let around = self.below;
        self.step(before)?;
        let end = after.iter().position(|segment| segment.ends_with(':'));
        let (lies, rest) = after.split_at_checked(end.map_or(after.len(), |at| at + 1))?;
        let lies = lies.join("/");
        let lies = lies.trim_end_matches(':');
        if lies.is_empty() || lies.contains(':') {
            return None;
        }
        let known = match self.steps.pop()? {
            Step::Word("root") => {
                let items = thing(around, "items")?;
                let place = thing(graph().below(items), "{}")?;
                (self.place, self.below) = (place, graph().below(place));
                self.steps.push(Step::Word(items.name));
                "root".to_owned()
            }
            Step::Id(id) if matches!(self.steps.last(), Some(Step::Word("items" | "sites"))) => id,
            Step::Word(_) | Step::Id(_) | Step::Other(_) | Step::Call(..) => return None,
        };
        self.steps.push(Step::Other(format!("{known}:/{lies}")));
        Some(rest)
    }

    fn go(&mut self, place: &'static GraphPlace, step: Step) {
        let before = match (&step, self.steps.last()) {
            (Step::Id(_), Some(Step::Word(before))) => Some(*before),
            (Step::Word(word), _) => Some(*word),
            (Step::Id(_) | Step::Other(_) | Step::Call(..), _) => None,
        };
        let is_one = matches!(step, Step::Id(_)) || matches!(before, Some("drive" | "site"));
        self.steps.push(step);
        self.place = place;
        self.around = self.below;
        self.below = graph().below(place);
        // What stands below these is written once, where they are known from.
        let root = SPLICED.iter().find(|(word, _)| before == Some(*word) && is_one && self.below.is_empty());
        let whole = root.and_then(|(_, root)| {
            thing(graph().below(thing(graph().root(), root)?), "{}").map(|one| graph().below(one))
        });
        self.below = whole.unwrap_or(self.below);
    }

    /// The words of the path in lower case, calls among them.
    pub(super) fn words(&self) -> Vec<String> {
        let word = |step: &Step| match step {
            Step::Word(word) | Step::Call(word, _) => Some(word.to_ascii_lowercase()),
            Step::Id(_) | Step::Other(_) => None,
        };
        self.steps.iter().filter_map(word).collect()
    }

    /// What it leads to is many.
    pub(super) fn is_many(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Word(_))) && thing(self.below, "{}").is_some()
    }

    /// What stands beside the last segment is one of many.
    pub(super) fn is_in_many(&self) -> bool {
        thing(self.around, "{}").is_some()
    }

    /// What stands below it, or below each of many.
    pub(super) fn inside(&self) -> impl Iterator<Item = &'static str> {
        let each = thing(self.below, "{}").map_or(&[][..], |one| graph().below(one));
        self.below.iter().chain(each).map(|place| place.name)
    }

    /// The word that it begins with.
    pub(super) fn service(&self) -> &'static str {
        match self.steps.first() {
            Some(Step::Word(word) | Step::Call(word, _)) => word,
            Some(Step::Id(_) | Step::Other(_)) | None => "graph",
        }
    }
}

fn thing(places: &'static [GraphPlace], name: &str) -> Option<&'static GraphPlace> {
    places.iter().find(|place| place.sort == GraphSort::Thing && place.name == name)
}

/// Whether that is the name of a place: of what is called, also without the namespace before it.
fn is_named(place: &GraphPlace, text: &str) -> bool {
    let bare = text.get(.."microsoft.".len()).filter(|start| start.eq_ignore_ascii_case("microsoft."));
    let text = bare.and_then(|start| text.get(start.len()..)).unwrap_or(text);
    if place.name == "{}" {
        return false;
    }
    if place.name.eq_ignore_ascii_case(text) {
        return true;
    }
    let is_called = matches!(place.sort, GraphSort::Function | GraphSort::Action);
    let rest = text.get(.."graph.".len()).filter(|start| start.eq_ignore_ascii_case("graph."));
    let rest = rest.and_then(|start| text.get(start.len()..));
    let last = place.name.rsplit('.').next().unwrap_or_default();
    is_called
        && (rest.is_some_and(|rest| place.name.eq_ignore_ascii_case(rest))
            || last.eq_ignore_ascii_case(text) && !text.contains('.'))
}

/// What stands before parentheses, and what stands in them; none without any, nothing where they are not closed.
#[expect(clippy::type_complexity, reason = "a name for three parts that are taken apart at once")]
fn call(segment: &str) -> Option<Option<(&str, Vec<(String, String)>)>> {
    if !segment.contains(['(', ')']) {
        return Some(None);
    }
    let (base, rest) = segment.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    let plain = |one: u8| one.is_ascii_alphanumeric() || one == b'.' || one == b'_';
    if base.is_empty() || !base.bytes().all(plain) {
        return None;
    }
    let mut given = Vec::new();
    let mut rest = inner;
    while !rest.is_empty() {
        let (name, value, after) = argument(rest)?;
        if given.iter().any(|(other, _): &(String, String)| other.eq_ignore_ascii_case(name)) {
            return None;
        }
        given.push((name.to_owned(), value));
        rest = after;
    }
    Some(Some((base, given)))
}

/// The first of what stands in parentheses, its name before it where it has one, and the rest.
fn argument(text: &str) -> Option<(&str, String, &str)> {
    let end = text.find(['=', '\'', ',']).unwrap_or(text.len());
    let (name, rest) = match text.split_at_checked(end)? {
        (name, rest) if rest.starts_with('=') => (name, rest.get(1..)?),
        _ => ("", text),
    };
    let (value, rest) = match rest.strip_prefix('\'') {
        Some(rest) => quoted(rest)?,
        None => {
            let (value, rest) = rest.split_at_checked(rest.find(',').unwrap_or(rest.len()))?;
            if value.is_empty() || value.contains(['(', ')', '\'', '/']) {
                return None;
            }
            (value.to_owned(), rest)
        }
    };
    match rest.strip_prefix(',') {
        Some(after) if !after.is_empty() => Some((name, value, after)),
        Some(_) => None,
        None => rest.is_empty().then_some((name, value, "")),
    }
}

/// A text up to its closing quote, where two quotes are one, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('\'')?;
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}
