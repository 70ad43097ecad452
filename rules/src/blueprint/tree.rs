//! The parameters of an effect as a tree, and what stands at a path in it.
//!
//! Leaves out what it is held against. List positions lead on by themselves: a path meets every item.

use std::borrow::Cow;

use indexmap::IndexMap;
use ordain_action::{Effect, Plane, Scalar};

use super::path::{Alike, Part, Path, Spelling, parts};
use crate::kubernetes::Body;

/// The most parts of a path. Documents nest no deeper; a form may have a name of any length, and a tree as deep as that
/// could not even be let go of.
const DEPTH_MAX: usize = 128;

/// What an effect sends: of a patch of Kubernetes, what it sets and takes away.
#[derive(Debug)]
pub(crate) struct Sent<'e> {
    pub(super) leaves: Vec<(Cow<'e, str>, Scalar<'e>)>,
    /// Members that clients make up for each request.
    made_up: Vec<&'e str>,
    /// A part of it is taken from what is there already, which nobody here has seen.
    pub(super) unread: bool,
    pub(super) spelling: Spelling,
    /// Paths of what a patch puts in the place of all that was there.
    replaced: Vec<Vec<String>>,
}

/// One place of the tree.
#[derive(Debug, Default)]
pub(super) struct Node<'t> {
    /// Its path as it was sent, with list positions.
    pub(super) path: &'t str,
    /// What it says itself. More than one where it is said twice.
    pub(super) values: Vec<Scalar<'t>>,
    pub(super) items: IndexMap<String, Node<'t>>,
    pub(super) members: IndexMap<String, Node<'t>>,
}

/// What stands at a path.
#[derive(Debug, Default)]
pub(super) struct Found<'n, 't> {
    pub(super) nodes: Vec<&'n Node<'t>>,
    /// Where something stands that leads no further, or is spelled nearly so: it may be what was meant, or may not.
    pub(super) odd: Vec<&'n Node<'t>>,
    /// Something that holds it is taken away.
    pub(super) taken: bool,
}

impl<'e> Sent<'e> {
    pub(crate) fn of(plane: Plane, effect: &'e Effect) -> Self {
        let made_up =
            effect.parameters.iter().filter(|leaf| leaf.idempotency).map(|leaf| leaf.path).collect();
        let spelling = Spelling::of(plane);
        let dots = |path: &str| memchr::memchr_iter(b'.', path.as_bytes()).count();
        let too_deep = effect.parameters.iter().any(|leaf| dots(leaf.path) >= DEPTH_MAX);
        if plane != Plane::Kubernetes || too_deep {
            let own = effect.parameters.iter().filter(|_| !too_deep);
            let leaves = own.map(|leaf| (Cow::Borrowed(leaf.path), leaf.value)).collect();
            return Self { leaves, made_up, unread: too_deep, spelling, replaced: Vec::new() };
        }
        let body = Body::of(effect);
        // The operations of a patch are in it beside what they do.
        let is_operation =
            |path: &str| body.is_patch && path.starts_with(|letter: char| letter.is_ascii_digit());
        let leaves = body.members.into_iter().map(|member| (member.path, member.value));
        let leaves = leaves.filter(|(path, _)| !is_operation(path)).collect();
        let replaced = if body.is_patch { replaced(effect) } else { Vec::new() };
        Self { leaves, made_up, unread: body.unread, spelling, replaced }
    }

    pub(super) fn tree(&self) -> Node<'_> {
        let mut root = Node::default();
        for (path, value) in &self.leaves {
            let mut at = &mut root;
            for part in located(path) {
                let within = if part.is_position { &mut at.items } else { &mut at.members };
                at = within.entry(part.name).or_default();
                at.path = path.get(..part.end).unwrap_or(path);
            }
            at.values.push(*value);
        }
        root
    }

    /// Something that holds what stands at some names is put in its place whole.
    pub(super) fn is_replaced<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> bool {
        let holds = |whole: &Vec<String>| {
            let mut names = names.clone();
            whole.iter().all(|name| names.next() == Some(name)) && names.next().is_some()
        };
        self.replaced.iter().any(holds)
    }

    /// Paths of what is sent, but for what clients make up for each request.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let own = self.leaves.iter().map(|(path, _)| path.as_ref());
        own.filter(|path| !self.made_up.contains(path))
    }
}

/// Where the operations of a patch put something, without list positions.
fn replaced(effect: &Effect) -> Vec<Vec<String>> {
    let sets = |step: &str| {
        let verb = effect.parameters.text(&format!("{step}.op"));
        matches!(verb, Some("add" | "replace"))
    };
    let pointers = effect.parameters.iter().filter_map(|leaf| {
        let step = leaf.path.strip_suffix(".path")?;
        match leaf.value {
            Scalar::Text(pointer) if sets(step) => Some(pointer),
            Scalar::Text(_)
            | Scalar::Number(_)
            | Scalar::Bool(_)
            | Scalar::Null
            | Scalar::Empty
            | Scalar::Token(_) => None,
        }
    });
    let plain = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let is_position = |part: &&str| *part == "-" || part.bytes().all(|byte| byte.is_ascii_digit());
    let names =
        |pointer: &str| pointer.split('/').skip(1).filter(|part| !is_position(part)).map(plain).collect();
    pointers.map(names).collect()
}

struct Located {
    name: String,
    is_position: bool,
    /// Where it ends in the path.
    end: usize,
}

/// The parts of a path with where each ends.
fn located(path: &str) -> Vec<Located> {
    let mut ends = Vec::new();
    let mut escaped = false;
    for (at, letter) in path.char_indices() {
        if letter == '.' && !escaped {
            ends.push(at);
        }
        escaped = letter == '\\' && !escaped;
    }
    ends.push(path.len());
    parts(path)
        .filter_map(|(at, name, is_position)| Some(Located { name, is_position, end: *ends.get(at)? }))
        .collect()
}

impl<'t> Node<'t> {
    pub(super) fn find<'n>(&'n self, paths: &[Path], spelling: Spelling) -> Found<'n, 't> {
        let mut found = Found::default();
        for path in paths {
            self.walk(&path.parts, spelling, false, &mut found);
        }
        found
    }

    fn walk<'n>(&'n self, parts: &[Part], spelling: Spelling, any: bool, found: &mut Found<'n, 't>) {
        for item in self.items.values() {
            item.walk(parts, spelling, any, found);
        }
        let Some((part, rest)) = parts.split_first() else {
            if !self.values.is_empty() || !self.members.is_empty() {
                found.nodes.push(self);
            }
            return;
        };
        for value in &self.values {
            match value {
                Scalar::Empty => {}
                Scalar::Null => found.taken = true,
                // Of what `*` stands for not everything leads on.
                Scalar::Text(_) | Scalar::Number(_) | Scalar::Bool(_) | Scalar::Token(_) if any => {}
                // A document that was kept as a secret, and read beside.
                Scalar::Token(_) if !self.members.is_empty() || !self.items.is_empty() => {}
                Scalar::Text(_) | Scalar::Number(_) | Scalar::Bool(_) | Scalar::Token(_) => {
                    found.odd.push(self);
                }
            }
        }
        for (name, member) in &self.members {
            match part.compare(spelling, name) {
                Alike::Same => member.walk(rest, spelling, *part == Part::Any, found),
                Alike::Similar => found.odd.push(member),
                Alike::Other => {}
            }
        }
    }

    /// Something is said here, and not that it is taken away.
    pub(super) fn is_given(&self) -> bool {
        !self.members.is_empty() || self.values.iter().any(|value| *value != Scalar::Null)
    }
}

impl Node<'_> {
    /// How many names of a path lead on from here.
    pub(super) fn reaches(&self, path: &Path, spelling: Spelling) -> usize {
        (1..=path.parts.len())
            .rev()
            .find(|length| {
                let mut found = Found::default();
                self.walk(path.parts.get(..*length).unwrap_or_default(), spelling, false, &mut found);
                !found.nodes.is_empty()
            })
            .unwrap_or_default()
    }
}
