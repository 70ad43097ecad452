//! The paths of Microsoft Graph, v1.0 and beta: what stands below what, and which methods it takes.
//!
//! Paths below the same things are the same and are kept once, as a shape. Leaves out what a call does.

use std::collections::HashMap;
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/shapes.rs"));

/// One of the two versions of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphVersion {
    /// `v1.0`.
    V1,
    /// `beta`.
    Beta,
}

/// What a segment of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphSort {
    /// Something that stands there, or many of them.
    Thing,
    /// One of many, by a key other than its id.
    Key,
    /// A function, which is called by `GET`.
    Function,
    /// An action, which is called by `POST`.
    Action,
}

/// A segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphPlace {
    /// Its name without what stands in parentheses, as it is spelled; `{}` for an id.
    pub name: &'static str,
    /// The names of what stands in parentheses.
    pub arguments: Vec<&'static str>,
    /// What it is.
    pub sort: GraphSort,
    /// An action answers with something.
    pub answers: bool,
    /// What is put there is a stream of bytes.
    pub stream: bool,
    methods: [&'static str; 2],
    below: Option<usize>,
}

impl GraphPlace {
    /// Whether it takes a method.
    #[must_use]
    pub fn takes(&self, version: GraphVersion, method: &str) -> bool {
        let letter = match method {
            "GET" => 'G',
            "POST" => 'P',
            "PATCH" => 'A',
            "PUT" => 'U',
            "DELETE" => 'D',
            _ => return false,
        };
        let [v1, beta] = self.methods;
        let methods = match version {
            GraphVersion::V1 => v1,
            GraphVersion::Beta => beta,
        };
        methods.contains(letter)
    }
}

/// All paths.
#[derive(Debug, Default)]
pub struct Graph {
    shapes: Vec<Vec<GraphPlace>>,
    root: usize,
}

static GRAPH: LazyLock<Graph> = LazyLock::new(|| {
    let text = zstd::bulk::decompress(SHAPES.0, SHAPES.1).ok().and_then(|text| String::from_utf8(text).ok());
    let text: &'static str = Box::leak(text.unwrap_or_default().into_boxed_str());
    Graph::parse(text).unwrap_or_default()
});

/// The paths of Microsoft Graph, unpacked on first use.
#[must_use]
pub fn graph() -> &'static Graph {
    &GRAPH
}

/// The digest of their text.
#[must_use]
pub const fn graph_digest() -> &'static str {
    SHAPES_DIGEST
}

impl Graph {
    /// Reads the text; nothing where a line of it is none.
    fn parse(text: &'static str) -> Option<Self> {
        let mut named = HashMap::new();
        for (at, line) in text.lines().filter_map(|line| line.strip_prefix("shape ")).enumerate() {
            named.insert(line, at);
        }
        let mut graph = Self { shapes: Vec::new(), root: *named.get("/")? };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if line.starts_with("shape ") {
                graph.shapes.push(Vec::new());
            } else {
                graph.shapes.last_mut()?.push(place(line, &named)?);
            }
        }
        Some(graph)
    }

    /// What paths begin with.
    #[must_use]
    pub fn root(&self) -> &[GraphPlace] {
        self.shapes.get(self.root).map_or(&[], Vec::as_slice)
    }

    /// What stands below a segment.
    #[must_use]
    pub fn below(&self, place: &GraphPlace) -> &[GraphPlace] {
        place.below.and_then(|at| self.shapes.get(at)).map_or(&[], Vec::as_slice)
    }

    /// Every segment that is written down, each shape once.
    pub fn places(&self) -> impl Iterator<Item = &GraphPlace> {
        self.shapes.iter().flatten()
    }

    /// How many operations a version has.
    #[must_use]
    pub fn count(&self, version: GraphVersion) -> usize {
        let mut known = vec![None; self.shapes.len()];
        self.count_in(self.root, version, &mut known)
    }

    fn count_in(&self, at: usize, version: GraphVersion, known: &mut [Option<usize>]) -> usize {
        if let Some(Some(count)) = known.get(at) {
            return *count;
        }
        let mut count = 0;
        for place in self.shapes.get(at).into_iter().flatten() {
            let [v1, beta] = place.methods;
            count += match version {
                GraphVersion::V1 => v1.len(),
                GraphVersion::Beta => beta.len(),
            };
            count += place.below.map_or(0, |below| self.count_in(below, version, known));
        }
        if let Some(known) = known.get_mut(at) {
            *known = Some(count);
        }
        count
    }
}

fn place(line: &'static str, named: &HashMap<&'static str, usize>) -> Option<GraphPlace> {
    let mut words = line.split(' ');
    let (name, v1, beta) = (words.next()?, words.next()?, words.next()?);
    let methods = |word: &'static str| if word == "-" { "" } else { word };
    let v1 = methods(v1);
    let beta = if beta == "." { v1 } else { methods(beta) };
    let (name, arguments) = match name.split_once('(') {
        Some((name, arguments)) => (name, arguments.strip_suffix(')')?),
        None => (name, ""),
    };
    let mut place = GraphPlace {
        name,
        arguments: arguments.split(',').filter(|one| !one.is_empty()).collect(),
        sort: GraphSort::Thing,
        answers: false,
        stream: false,
        methods: [v1, beta],
        below: None,
    };
    for mark in words {
        match mark {
            "key" => place.sort = GraphSort::Key,
            "fun" => place.sort = GraphSort::Function,
            "act" => place.sort = GraphSort::Action,
            "answers" => place.answers = true,
            "stream" => place.stream = true,
            shape => place.below = Some(*named.get(shape.strip_prefix('>')?)?),
        }
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_are_whole() {
        let graph = graph();
        assert!(graph.count(GraphVersion::V1) > 16_000, "{}", graph.count(GraphVersion::V1));
        assert!(graph.count(GraphVersion::Beta) > 26_000, "{}", graph.count(GraphVersion::Beta));
        for place in graph.shapes.iter().flatten() {
            let acts = place.sort == GraphSort::Action;
            for version in [GraphVersion::V1, GraphVersion::Beta] {
                let other = ["GET", "PUT", "PATCH", "DELETE"].iter().any(|one| place.takes(version, one));
                assert!(!acts || !other, "{place:?}");
            }
            let calls = place.sort == GraphSort::Function;
            let changes = ["PUT", "PATCH", "DELETE", "POST"];
            assert!(!calls || !changes.iter().any(|one| place.takes(GraphVersion::Beta, one)), "{place:?}");
        }
    }

    #[test]
    fn what_stands_below_the_same_things_is_one_shape() {
        let graph = graph();
        let at =
            |places: &'static [GraphPlace], name: &str| places.iter().find(|one| one.name == name).unwrap();
        let users = at(graph.root(), "users");
        assert!(users.takes(GraphVersion::V1, "POST") && !users.takes(GraphVersion::V1, "DELETE"));
        let user = at(graph.below(users), "{}");
        let revoke = at(graph.below(user), "revokeSignInSessions");
        assert_eq!((revoke.sort, revoke.answers), (GraphSort::Action, true));
        let (one, other) = (at(graph.root(), "accessReviewDecisions"), at(graph.root(), "bookingCurrencies"));
        assert!(std::ptr::eq(graph.below(one), graph.below(other)));
        assert!(!std::ptr::eq(graph.below(one), graph.below(users)));
    }
}
