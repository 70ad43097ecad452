//! One constraint of a blueprint, held against the parameters of a request.
//!
//! Leaves out which requests it is held against (`mod.rs`) and how it is written (`model/blueprints.rs`).

use super::allowed::{Allowed, Truth, told};
use super::path::{Part, Path, Spelling, names_of};
use super::tree::{Found, Node, Sent};
use crate::glob::Glob;
use crate::refusal::shown;

/// What is asked of the parameters, where it is asked.
#[derive(Debug)]
pub(crate) struct Constraint {
    /// Operations it is for; all of the blueprint's, when there are none.
    pub(crate) operations: Option<Vec<Glob>>,
    /// Asked only where all of these hold, or may hold for all that the request says.
    pub(crate) when: Vec<Constraint>,
    pub(crate) asks: Asks,
}

#[derive(Debug)]
pub(crate) enum Asks {
    /// Of each value at some paths, which are spellings of one parameter.
    Value { paths: Vec<Path>, presence: Presence, allowed: Box<Allowed> },
    /// Of each item at some paths, by itself; or of one of them at least.
    Each { paths: Vec<Path>, presence: Presence, parameters: Vec<Constraint>, one: bool },
    /// One of several lists of constraints has to hold.
    AnyOf(Vec<Vec<Constraint>>),
}

/// Whether a parameter has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// What is not given is not asked about.
    Optional,
    /// In a request that makes something, or puts the whole of it in its place; never taken away.
    Required,
    /// In every request.
    Always,
    /// In none.
    Never,
}

/// The request that is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) blueprint: &'a str,
    pub(super) operation: &'a str,
    pub(super) sent: &'a Sent<'a>,
    /// It makes something, or puts the whole of it in its place.
    pub(super) is_whole: bool,
}

impl Constraint {
    /// Whether it is asked at all, for all that the request says.
    pub(super) fn is_asked(&self, asked: Asked<'_>, node: &Node<'_>) -> bool {
        let is_for = |all: &Vec<Glob>| all.iter().any(|glob| glob.matches(asked.operation));
        self.operations.as_ref().is_none_or(is_for)
            && self.when.iter().all(|condition| condition.may_hold(asked.sent.spelling, node))
    }

    /// Adds what is not as it is asked for, for people.
    pub(super) fn hold(&self, asked: Asked<'_>, node: &Node<'_>, violations: &mut Vec<String>) {
        if !self.is_asked(asked, node) {
            return;
        }
        match &self.asks {
            Asks::Value { paths, presence, allowed } => {
                let found = node.find(paths, asked.sent.spelling);
                let asking = Asking { asked, node, paths, presence: *presence };
                if asking.presence(&found, allowed, violations) {
                    for node in &found.nodes {
                        asking.value(node, allowed, violations);
                    }
                }
            }
            Asks::Each { paths, presence, parameters, one } => {
                let found = node.find(paths, asked.sent.spelling);
                let asking = Asking { asked, node, paths, presence: *presence };
                if !asking.presence(&found, &Allowed::default(), violations) {
                    return;
                }
                if *one {
                    some_of(&found, parameters, asked, violations);
                } else {
                    for (node, constraint) in
                        found.nodes.iter().flat_map(|node| parameters.iter().map(move |one| (node, one)))
                    {
                        constraint.hold(asked, node, violations);
                    }
                }
            }
            Asks::AnyOf(all) => any_of(all, asked, node, violations),
        }
    }

    /// As a condition: it holds, or the request does not show that it does not.
    fn may_hold(&self, spelling: Spelling, node: &Node<'_>) -> bool {
        if !self.when.iter().all(|condition| condition.may_hold(spelling, node)) {
            return true;
        }
        let may_hold = |all: &Vec<Self>, node: &Node<'_>| all.iter().all(|one| one.may_hold(spelling, node));
        match &self.asks {
            Asks::Value { paths, presence, allowed } => {
                let found = node.find(paths, spelling);
                presence.may_hold(&found)
                    && (found.is_nothing() || allowed.is_anything() || found.may_be(allowed))
            }
            Asks::Each { paths, presence, parameters, .. } => {
                let found = node.find(paths, spelling);
                presence.may_hold(&found)
                    && (found.is_nothing()
                        || !found.odd.is_empty()
                        || found.nodes.iter().any(|node| may_hold(parameters, node)))
            }
            Asks::AnyOf(all) => all.iter().any(|one| may_hold(one, node)),
        }
    }

    /// The paths that it names, each from the beginning.
    pub(super) fn paths(&self, under: Option<&Path>, all: &mut Vec<Path>) {
        let whole = |path: &Path| under.map_or_else(|| path.clone(), |under| path.under(under));
        for condition in &self.when {
            condition.paths(under, all);
        }
        match &self.asks {
            Asks::Value { paths, .. } => all.extend(paths.iter().map(whole)),
            Asks::Each { paths, parameters, .. } => {
                for path in paths.iter().map(whole) {
                    parameters.iter().for_each(|one| one.paths(Some(&path), all));
                }
            }
            Asks::AnyOf(several) => several.iter().flatten().for_each(|one| one.paths(under, all)),
        }
    }
}

impl Presence {
    fn may_hold(self, found: &Found<'_, '_>) -> bool {
        let is_given = found.nodes.iter().any(|node| node.is_given());
        match self {
            Self::Optional | Self::Required => true,
            Self::Always => is_given || !found.odd.is_empty(),
            Self::Never => !is_given,
        }
    }
}

impl Found<'_, '_> {
    fn is_nothing(&self) -> bool {
        self.nodes.is_empty() && self.odd.is_empty()
    }

    /// Some value is one of those that are allowed, or cannot be compared with them.
    fn may_be(&self, allowed: &Allowed) -> bool {
        let may_be = |node: &&Node<'_>| {
            !node.members.is_empty() || node.values.iter().any(|value| allowed.allows(*value) != Truth::No)
        };
        !self.odd.is_empty() || self.nodes.iter().any(may_be)
    }
}

/// What is asked of one place.
struct Asking<'a, 't> {
    asked: Asked<'a>,
    node: &'a Node<'t>,
    paths: &'a [Path],
    presence: Presence,
}

impl Asking<'_, '_> {
    /// Whether what was found is to be looked at further.
    fn presence(&self, found: &Found<'_, '_>, allowed: &Allowed, violations: &mut Vec<String>) -> bool {
        let name = self.asked.blueprint;
        for odd in &found.odd {
            violations.push(format!(
                "`{}` stands where blueprint `{name}` looks for `{}`, and what it means there cannot be told",
                shown(odd.path),
                self.wanted()
            ));
        }
        let given: Vec<&&Node<'_>> = found.nodes.iter().filter(|node| node.is_given()).collect();
        let has_to_be = match self.presence {
            Presence::Never => {
                let said = |node: &&&Node<'_>| {
                    format!("`{}` is given, and blueprint `{name}` leaves it out", shown(node.path))
                };
                violations.extend(given.iter().map(said));
                return false;
            }
            Presence::Optional => false,
            Presence::Required => self.asked.is_whole || found.taken || self.is_replaced(),
            Presence::Always => true,
        };
        if has_to_be && given.is_empty() && found.odd.is_empty() {
            let to_be =
                if allowed.is_anything() { String::new() } else { format!(" to be {}", allowed.told()) };
            let text = format!("`{}` is not given, and blueprint `{name}` requires it{to_be}", self.wanted());
            violations.push(text);
            return false;
        }
        true
    }

    fn value(&self, node: &Node<'_>, allowed: &Allowed, violations: &mut Vec<String>) {
        if allowed.is_anything() {
            return;
        }
        let name = self.asked.blueprint;
        let mut say = |is: String| {
            let path = shown(node.path);
            violations.push(format!("`{path}` is {is}, and blueprint `{name}` allows {}", allowed.told()));
        };
        if !node.members.is_empty() {
            say("no single value".to_owned());
        }
        for value in node.values.iter().filter(|value| allowed.allows(**value) != Truth::Yes) {
            say(told(*value));
        }
    }

    /// What holds it is put in its place whole.
    fn is_replaced(&self) -> bool {
        let above = names_of(self.node.path);
        let is_replaced = |path: &Path| {
            let own = path.parts.iter().map(|part| match part {
                Part::Any => "*",
                Part::Named(name) => name,
            });
            self.asked
                .sent
                .is_replaced(above.iter().map(String::as_str).filter(|name| !name.is_empty()).chain(own))
        };
        self.paths.iter().any(is_replaced)
    }

    /// The path that is looked for: of several spellings the one that most of is there.
    fn wanted(&self) -> String {
        let spelling = self.asked.sent.spelling;
        let best = self.paths.iter().rev().max_by_key(|path| self.node.reaches(path, spelling));
        let path = best.map_or("", Path::as_str);
        if self.node.path.is_empty() { path.to_owned() } else { format!("{}.{path}", shown(self.node.path)) }
    }
}

/// Of several items one has to be as it is asked for.
fn some_of(found: &Found<'_, '_>, parameters: &[Constraint], asked: Asked<'_>, violations: &mut Vec<String>) {
    let mut first = None;
    for node in &found.nodes {
        let mut own = Vec::new();
        for constraint in parameters {
            constraint.hold(asked, node, &mut own);
        }
        match own.into_iter().next() {
            None => return,
            Some(said) => first = first.or(Some(said)),
        }
    }
    violations.extend(first.map(|said| format!("{said}; and no other item is as it asks")));
}

fn any_of(all: &[Vec<Constraint>], asked: Asked<'_>, node: &Node<'_>, violations: &mut Vec<String>) {
    let mut each = Vec::new();
    for constraints in all {
        let mut own = Vec::new();
        for constraint in constraints {
            constraint.hold(asked, node, &mut own);
        }
        match own.into_iter().next() {
            None => return,
            Some(first) => each.push(first),
        }
    }
    violations.push(each.join("; and else "));
}
