//! What one of Google's hosts serves: its APIs, and the methods of each with their paths.
//!
//! Leaves out matching.

use std::collections::{HashMap, HashSet};
use std::fmt;

use ordain_action::{Access, Level};

/// What one host serves.
#[derive(Debug)]
pub struct GoogleSite {
    host: &'static str,
    names: &'static str,
    apis: Vec<GoogleApi>,
    methods: Vec<GoogleMethod>,
    // By HTTP method and the number of segments; those of any number under zero.
    by_size: HashMap<(&'static str, usize), Vec<usize>>,
    verbs: HashSet<Box<str>>,
    maps: HashSet<Box<str>>,
    repeats: HashSet<Box<str>>,
    underscores: HashSet<Box<str>>,
}

/// One version of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleApi {
    /// Its name, for example `compute`.
    pub name: Box<str>,
    /// Its version, for example `v1`.
    pub version: Box<str>,
    /// Where several requests to it are sent at once, without the first slash.
    pub batch: Box<str>,
}

/// One method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleMethod {
    /// The HTTP method.
    pub http: &'static str,
    /// Its name in full, for example `compute.instances.delete`.
    pub id: Box<str>,
    /// Which of the site's APIs it is of.
    pub api: usize,
    /// The class of what it does.
    pub access: Access,
    /// Infrastructure or data.
    pub level: Level,
    /// How it is asked for.
    pub path: GooglePath,
    /// Its answer hands out a credential of the plane.
    pub mints: bool,
    /// It takes an upload, at its path with `/upload/` before it.
    pub upload: bool,
    /// What it answers may be fetched as it is, at its path with `/download/` before it.
    pub download: bool,
    /// It takes a body.
    pub body: bool,
}

/// A path: its segments, and the word after the colon at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GooglePath {
    /// The segments.
    pub segments: Vec<GoogleSegment>,
    /// The word after the last colon, where the method has one.
    pub verb: Option<Box<str>>,
}

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoogleSegment {
    /// As it is.
    Literal(Box<str>),
    /// Any one.
    One,
    /// Any one, in which an escaped slash may stand.
    Slashed,
    /// One or more.
    Many,
}

impl fmt::Display for GooglePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            f.write_str(match segment {
                GoogleSegment::Literal(text) => text,
                GoogleSegment::One => "*",
                GoogleSegment::Slashed => "+",
                GoogleSegment::Many => "**",
            })?;
        }
        match &self.verb {
            Some(verb) => write!(f, ":{verb}"),
            None => Ok(()),
        }
    }
}

impl GooglePath {
    fn parse(text: &str) -> Self {
        let (path, verb) = match text.rsplit_once(':') {
            Some((path, verb)) if !verb.contains('/') => (path, Some(Box::from(verb))),
            Some(_) | None => (text, None),
        };
        let segment = |text: &str| match text {
            "*" => GoogleSegment::One,
            "+" => GoogleSegment::Slashed,
            "**" => GoogleSegment::Many,
            literal => GoogleSegment::Literal(Box::from(literal)),
        };
        Self { segments: path.split('/').map(segment).collect(), verb }
    }
}

impl GoogleSite {
    /// Reads a block; `None` where a line of it cannot be read.
    pub(super) fn parse(host: &'static str, names: &'static str, text: &str) -> Option<Self> {
        let mut site = Self {
            host,
            names,
            apis: Vec::new(),
            methods: Vec::new(),
            by_size: HashMap::new(),
            verbs: HashSet::new(),
            maps: HashSet::new(),
            repeats: HashSet::new(),
            underscores: HashSet::new(),
        };
        for line in text.lines().filter(|line| !line.is_empty()) {
            let mut words = line.split(' ');
            match words.next()? {
                "maps" => site.maps = words.map(Box::from).collect(),
                "repeats" => site.repeats = words.map(Box::from).collect(),
                "underscores" => site.underscores = words.map(Box::from).collect(),
                "api" => {
                    let (name, version, batch) = (words.next()?, words.next()?, words.next()?);
                    let api = GoogleApi { name: name.into(), version: version.into(), batch: batch.into() };
                    site.apis.push(api);
                }
                http => {
                    let api = site.apis.len().checked_sub(1)?;
                    let method = method(http, api, words)?;
                    let many = method.path.segments.contains(&GoogleSegment::Many);
                    let size = if many { 0 } else { method.path.segments.len() };
                    site.by_size.entry((method.http, size)).or_default().push(site.methods.len());
                    site.verbs.extend(method.path.verb.clone());
                    site.methods.push(method);
                }
            }
        }
        Some(site)
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &'static str {
        self.host
    }

    /// What the names of its resources begin with, after `//`.
    #[must_use]
    pub const fn names(&self) -> &'static str {
        self.names
    }

    /// Its APIs.
    #[must_use]
    pub fn apis(&self) -> &[GoogleApi] {
        &self.apis
    }

    /// All methods.
    #[must_use]
    pub fn methods(&self) -> &[GoogleMethod] {
        &self.methods
    }

    /// The methods that a request with that many segments may mean.
    pub fn candidates(
        &self,
        http: &'static str,
        segments: usize,
    ) -> impl Iterator<Item = (usize, &GoogleMethod)> {
        let of = move |size| self.by_size.get(&(http, size)).into_iter().flatten();
        of(segments).chain(of(0)).filter_map(|at| Some((*at, self.methods.get(*at)?)))
    }

    /// Whether a word after a colon is the end of some method's path.
    #[must_use]
    pub fn is_verb(&self, word: &str) -> bool {
        self.verbs.contains(word)
    }

    /// Whether a member of that name holds names that its caller chooses.
    #[must_use]
    pub fn is_map(&self, member: &str) -> bool {
        self.maps.contains(member)
    }

    /// Whether a parameter of the query may be given several times.
    #[must_use]
    pub fn repeats(&self, parameter: &str) -> bool {
        self.repeats.contains(parameter)
    }

    /// Whether some method hands out a credential of the plane.
    #[must_use]
    pub fn mints(&self) -> bool {
        self.methods.iter().any(|method| method.mints)
    }

    /// Whether a member's own name is spelled with an underscore.
    #[must_use]
    pub fn has_underscore(&self, member: &str) -> bool {
        self.underscores.contains(member)
    }
}

fn method<'t>(http: &str, api: usize, mut words: impl Iterator<Item = &'t str>) -> Option<GoogleMethod> {
    let http = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == http)?;
    let access = Access::parse(words.next()?)?;
    let level = match words.next()? {
        "control" => Level::Control,
        "data" => Level::Data,
        _ => return None,
    };
    let id = Box::from(words.next()?);
    let path = GooglePath::parse(words.next()?);
    let mut method = GoogleMethod {
        http,
        id,
        api,
        access,
        level,
        path,
        mints: false,
        upload: false,
        download: false,
        body: false,
    };
    for mark in words {
        match mark {
            "mints" => method.mints = true,
            "upload" => method.upload = true,
            "download" => method.download = true,
            "body" => method.body = true,
            _ => return None,
        }
    }
    Some(method)
}
