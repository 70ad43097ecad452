//! The operations of Kubernetes: `verb/resource[/subresource]`, beside the group as the service.
//!
//! Leaves out what their parameters say.

use ordain_action::{Access, Effect};

/// An operation, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation<'e> {
    pub(crate) group: &'e str,
    pub(crate) verb: &'e str,
    pub(crate) resource: &'e str,
    pub(crate) subresource: Option<&'e str>,
}

impl<'e> Operation<'e> {
    /// Takes the operation of an effect apart; `None` for one that is of no such form.
    pub(crate) fn of(effect: &'e Effect) -> Option<Self> {
        let (verb, rest) = effect.operation.split_once('/')?;
        let (resource, subresource) = match rest.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource)),
            None => (rest, None),
        };
        Some(Self { group: &effect.service, verb, resource, subresource })
    }

    /// It is about objects of a type, and not about a part of them that stands apart.
    pub(crate) fn is(&self, group: &str, resource: &str) -> bool {
        self.group == group && self.resource == resource && self.subresource.is_none()
    }

    /// It sends what is to be there afterwards, or a part of it.
    pub(crate) fn writes(&self) -> bool {
        matches!(self.verb, "create" | "update" | "patch" | "apply")
    }

    /// It makes an object, and does not set one that may be there. A binding is no object: it puts a pod on a node.
    pub(crate) fn creates(&self) -> bool {
        self.verb == "create" && self.subresource.is_none() && !self.is("core", "bindings")
    }

    /// It takes objects away.
    pub(crate) fn deletes(&self) -> bool {
        matches!(self.verb, "delete" | "deletecollection")
    }
}

/// An effect that makes a new object, or may, of whatever class: a role binding is a grant, and is new all the same.
pub(crate) fn creates(effect: &Effect) -> bool {
    effect.access == Access::Create
        || (effect.access.is_change() && Operation::of(effect).is_some_and(|operation| operation.creates()))
}
