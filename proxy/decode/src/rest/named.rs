//! Paths as names: what a request of a plane whose operations stand in a table is about, by the path itself.
//!
//! Leaves out what single operations name in their bodies, and how a plane compares its names: each room's own.

use ordain_action::{Access, Resource, Role};
use ordain_catalog::RestOperation;

use super::Names;

/// A path as a name: its parts, and which of them are words of the API's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    parts: Vec<String>,
    literal: Vec<bool>,
}

impl Named {
    /// Adds a part.
    pub(crate) fn push(&mut self, part: impl Into<String>, literal: bool) {
        self.parts.push(part.into());
        self.literal.push(literal);
    }

    /// Takes the last part off.
    pub(crate) fn pop(&mut self) {
        self.parts.pop();
        self.literal.pop();
    }

    /// The parts.
    pub(crate) fn parts(&self) -> Vec<&str> {
        self.parts.iter().map(String::as_str).collect()
    }

    /// The word that says what it is: the last that is the API's own.
    pub(crate) fn kind(&self) -> &str {
        let last = self.literal.iter().rposition(|literal| *literal);
        last.and_then(|at| self.parts.get(at)).map_or("all", String::as_str)
    }

    /// What it is in: without the words at its end, but for a first one that is a thing of its own.
    pub(crate) fn container(&self, own: &[&str]) -> Self {
        let length = self.literal.iter().rposition(|literal| !*literal).map_or(0, |at| at + 1);
        let length = match self.parts.first() {
            Some(first) if length == 0 && own.contains(&first.as_str()) => 1,
            Some(_) | None => length,
        };
        Self {
            parts: self.parts.iter().take(length).cloned().collect(),
            literal: self.literal.iter().take(length).copied().collect(),
        }
    }

    /// It, by its name; the account where it has none.
    pub(crate) fn one(&self, names: Names<'_>, role: Role) -> Resource {
        if self.parts.is_empty() {
            return names.whole(role);
        }
        names.one(role, self.kind(), &self.parts())
    }

    /// All that is in it.
    pub(crate) fn all(&self, names: Names<'_>, role: Role) -> Resource {
        names.all(role, self.kind(), &self.parts())
    }
}

/// What an operation is about, beside what its path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Something new in the list that the path names.
    New,
    /// All of the list.
    List,
    /// What is around the path, whose last words say what is done to it.
    Around,
    /// What the path names.
    Itself,
}

/// Where an operation of a table is done.
pub(crate) fn place(operation: &RestOperation, named: &Named) -> Place {
    let ends_in_word = named.literal.last().copied().unwrap_or(true);
    let reads = operation.access.contains(&Access::Read);
    let makes = operation.access.contains(&Access::Create) || operation.item.is_some();
    if operation.method == "POST" && ends_in_word && makes && !reads {
        return Place::New;
    }
    match (ends_in_word, operation.item.is_some(), operation.shown) {
        (true, true, _) => Place::List,
        (true, false, false) if operation.method != "GET" => Place::Around,
        (true | false, _, _) => Place::Itself,
    }
}
