//! Names of what an upstream has, `scheme://account/part/part`, and effects on it.
//!
//! Leaves out which parts a name has, which is each room's own.

use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Effect, Identifier, Level, NameBasis, Parameters, Plane, Resource, Role,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What would make a part a pattern, two parts, or another part.
const PART: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?').add(b'/');

/// A part of a name, as names have it.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// The names of what one account has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub plane: Plane,
    pub account: &'a str,
}

impl Names<'_> {
    fn begin(self) -> String {
        format!("{}://{}", self.plane.scheme().unwrap_or_default(), self.account)
    }

    /// The account as a whole.
    pub(crate) fn whole(self, role: Role) -> Resource {
        Resource {
            role,
            kind: Arc::from(format!("{}:{}", self.plane, self.plane.whole())),
            name: self.begin(),
            basis: NameBasis::Scope,
            pattern: false,
            identifiers: Vec::new(),
        }
    }

    /// Something by its parts, the account's own not among them. Its identifier is the last of them.
    pub(crate) fn one(self, role: Role, kind: &str, parts: &[&str]) -> Resource {
        let mut name = self.begin();
        for part in parts {
            name.push('/');
            name.extend(utf8_percent_encode(part, PART));
        }
        let identifier =
            parts.last().map(|part| Identifier { name: Arc::from("id"), value: (*part).to_owned() });
        Resource {
            role,
            kind: Arc::from(format!("{}:{kind}", self.plane)),
            name,
            basis: NameBasis::Carried,
            pattern: false,
            identifiers: identifier.into_iter().collect(),
        }
    }

    /// All of a kind below these parts, those that nobody has named included.
    pub(crate) fn all(self, role: Role, kind: &str, parts: &[&str]) -> Resource {
        let one = self.one(role, kind, parts);
        Resource { name: format!("{}/*", one.name), pattern: true, identifiers: Vec::new(), ..one }
    }

    /// Something new whose name the upstream will choose, by what the request calls it.
    pub(crate) fn unnamed(self, kind: &str, called: Option<(&str, &str)>) -> Resource {
        let called =
            called.map(|(name, value)| Identifier { name: Arc::from(name), value: value.to_owned() });
        Resource {
            role: Role::Target,
            kind: Arc::from(format!("{}:{kind}", self.plane)),
            name: String::new(),
            basis: NameBasis::Unnamed,
            pattern: false,
            identifiers: called.into_iter().collect(),
        }
    }

    /// A call of these effects.
    pub(crate) fn call(self, effects: Vec<Effect>) -> Call {
        Call { plane: self.plane, effects, answer: Answer::default(), region: Arc::from("") }
    }
}

/// An effect on infrastructure whose permission is called as `service:operation`.
pub(crate) fn effect(
    (service, operation): (&str, &str),
    access: Access,
    resources: Vec<Resource>,
    parameters: Parameters,
) -> Effect {
    Effect {
        service: Arc::from(service),
        operation: Arc::from(operation),
        iam_action: Arc::from(format!("{service}:{operation}")),
        access,
        level: Level::Control,
        resources,
        parameters,
    }
}
