//! Blueprints: what the parameters of a request have to be for what it makes to be as it should.
//!
//! Leaves out how they are written (`model/blueprints.rs`) and whom they bind (`judge/blueprints.rs`).

mod allowed;
mod constraint;
mod fact;
pub(crate) mod library;
mod network;
mod number;
mod path;
mod tags;
mod tree;
pub(crate) mod written;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ordain_action::{Access, ActorKind, Completeness, Effect, Plane, Role};

pub(crate) use allowed::{Allowed, Bound, Given};
use constraint::Asked;
pub(crate) use constraint::{Asks, Constraint, Presence};
pub use fact::BlueprintFact;
pub(crate) use network::{Widest, parse as network};
pub(crate) use number::{Number, has_unit};
pub(crate) use path::Path;
pub(crate) use tags::Tag;
use tree::Sent;

use crate::glob::Glob;
use crate::kubernetes::Operation;
use crate::model::Covers;

/// What stands before the name of a blueprint where gates have theirs.
pub(crate) const PREFIX: &str = "blueprint:";

/// The most violations of one blueprint that one request is told.
const TOLD_MAX: usize = 16;

/// Constraints of the parameters of some operations.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) name: Arc<str>,
    /// What reasons and exceptions call it: `blueprint:` and its name.
    pub(crate) id: Arc<str>,
    /// The entry of the library that it was taken from.
    pub(crate) uses: Option<Arc<str>>,
    /// Where it is written.
    pub(crate) place: (Arc<str>, usize),
    pub(crate) why: String,
    pub(crate) remedy: Option<String>,
    /// Patterns of `service:operation`, with what is no pattern apart.
    pub(crate) operations: Vec<Glob>,
    /// Operations that it has no use for.
    pub(crate) refuses: Vec<Glob>,
    pub(crate) access: Option<BTreeSet<Access>>,
    /// Types of what is named.
    pub(crate) types: Option<Vec<Glob>>,
    pub(crate) actor_kinds: Option<Vec<ActorKind>>,
    /// What is not as it has it waits for its owners, and is not denied.
    pub(crate) holds: bool,
    pub(crate) covers: Covers,
    pub(crate) parameters: Vec<Constraint>,
    pub(crate) tags: Vec<Tag>,
    /// Beside what the constraints name, the only parameters that there may be.
    pub(crate) only: Option<Vec<Path>>,
}

/// What is not as a blueprint has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A parameter, or the operation itself.
    Said(String),
    /// Not all parameters could be read.
    Unread,
}

/// All blueprints, found by operation.
#[derive(Debug, Default)]
pub(crate) struct Blueprints {
    all: Vec<Blueprint>,
    exact: HashMap<String, Vec<usize>>,
    patterns: Vec<(Glob, usize)>,
}

impl Blueprints {
    pub(crate) fn new(all: Vec<Blueprint>) -> Self {
        let mut exact: HashMap<String, Vec<usize>> = HashMap::new();
        let mut patterns = Vec::new();
        for (number, blueprint) in all.iter().enumerate() {
            for glob in blueprint.operations.iter().chain(&blueprint.refuses) {
                if glob.literal_prefix() == glob.as_str() {
                    exact.entry(glob.as_str().to_owned()).or_default().push(number);
                } else {
                    patterns.push((glob.clone(), number));
                }
            }
        }
        Self { all, exact, patterns }
    }

    /// In order of their names.
    pub(crate) fn all(&self) -> &[Blueprint] {
        &self.all
    }

    /// Those that are about an operation, in order.
    pub(crate) fn about(&self, operation: &str) -> impl Iterator<Item = &Blueprint> {
        let exact = self.exact.get(operation).into_iter().flatten();
        let patterns = self.patterns.iter().filter(|(glob, _)| glob.matches(operation));
        let numbers: BTreeSet<usize> = exact.chain(patterns.map(|(_, number)| number)).copied().collect();
        numbers.into_iter().filter_map(|number| self.all.get(number))
    }
}

impl Blueprint {
    /// Whether it is about an effect of an operation that it names. What is made without being named is of no type that is
    /// known, and may be of any.
    pub(crate) fn is_about(&self, effect: &Effect, access: Access) -> bool {
        let is_of = |all: &BTreeSet<Access>| all.contains(&access) || all.contains(&effect.access);
        let mut targets = effect.resources.iter().filter(|resource| resource.role == Role::Target).peekable();
        let is_named = targets.peek().is_some();
        let is_typed = |all: &Vec<Glob>| {
            !is_named || targets.any(|target| all.iter().any(|glob| glob.matches(&target.kind)))
        };
        self.access.as_ref().is_none_or(is_of) && self.types.as_ref().is_none_or(is_typed)
    }

    /// Everything that is not as it should be.
    pub(crate) fn violations(&self, plane: Plane, effect: &Effect) -> Vec<Violation> {
        let operation = format!("{}:{}", effect.service, effect.operation);
        let name = &self.name;
        if self.refuses.iter().any(|glob| glob.matches(&operation)) {
            return vec![Violation::Said(format!("`{operation}` is no part of blueprint `{name}`"))];
        }
        let sent = Sent::of(plane, effect);
        let asked =
            Asked { blueprint: name, operation: &operation, sent: &sent, is_whole: is_whole(plane, effect) };
        let root = sent.tree();
        let reads = || {
            let is_asked = |constraint: &Constraint| constraint.is_asked(asked, &root);
            !self.tags.is_empty() || self.only.is_some() || self.parameters.iter().any(is_asked)
        };
        // Of what Azure puts in the place of all tags nothing is unread: what is not in it is gone.
        let is_all_tags = plane == Plane::Azure && effect.access == Access::Tag;
        let is_unread = match effect.parameters.completeness() {
            Completeness::Complete => sent.unread,
            Completeness::Partial(_) => !is_all_tags || sent.unread,
            Completeness::Opaque(_) => true,
        };
        if is_unread && reads() {
            return vec![Violation::Unread];
        }
        let mut said = Vec::new();
        for constraint in &self.parameters {
            constraint.hold(asked, &root, &mut said);
        }
        tags::hold(&self.tags, plane, effect, asked, &root, &mut said);
        self.others(&sent, &mut said);
        let more = said.len().saturating_sub(TOLD_MAX);
        said.truncate(TOLD_MAX);
        if more > 0 {
            said.push(format!("{more} more of the request are not as blueprint `{name}` has them"));
        }
        said.into_iter().map(Violation::Said).collect()
    }

    /// Parameters that a closed blueprint does not have.
    fn others(&self, sent: &Sent<'_>, said: &mut Vec<String>) {
        let Some(only) = &self.only else { return };
        let mut known = only.clone();
        self.parameters.iter().for_each(|constraint| constraint.paths(None, &mut known));
        if !self.tags.is_empty() {
            known.extend(tags::paths());
        }
        let is_known = |path: &&str| {
            let names = path::names_of(path);
            known.iter().any(|one| one.holds(sent.spelling, &names))
        };
        let others = sent.paths().filter(|path| !is_known(path));
        said.extend(others.map(|path| {
            let path = crate::refusal::shown(path);
            format!("`{path}` is given, and blueprint `{}` has no such parameter", self.name)
        }));
    }
}

/// The request makes something, or puts the whole of it in its place: what it does not say is not there afterwards.
fn is_whole(plane: Plane, effect: &Effect) -> bool {
    if effect.access == Access::Create {
        return true;
    }
    if plane == Plane::Kubernetes {
        return Operation::of(effect).is_some_and(|of| matches!(of.verb, "create" | "update" | "apply"));
    }
    if plane != Plane::Aws {
        return false;
    }
    let by_template = &*effect.service == "cloudformation" && &*effect.operation == "UpdateResource";
    by_template || ["Create", "Put", "Run"].iter().any(|verb| effect.operation.starts_with(verb))
}
