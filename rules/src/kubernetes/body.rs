//! What a change sends, as the object that it would make: members by their paths without list positions, whether
//! the whole object was sent, a part of it, or a list of operations on it (a JSON patch).
//!
//! Leaves out what the members mean.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ordain_action::{Effect, Scalar};

/// One member that is set, or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member<'e> {
    /// With list positions, for example `spec.containers.1.image`.
    pub(crate) path: Cow<'e, str>,
    pub(crate) value: Scalar<'e>,
}

/// Everything that a change sends.
#[derive(Debug, Default)]
pub(crate) struct Body<'e> {
    pub(crate) members: Vec<Member<'e>>,
    /// It is a list of operations: what is not in it is there already.
    pub(crate) is_patch: bool,
    /// Some operation takes its value from the object itself, which nobody here has seen.
    pub(crate) unread: bool,
}

/// One operation of a JSON patch.
#[derive(Debug, Default)]
struct Step<'e> {
    verb: &'e str,
    pointer: Option<&'e str>,
    values: Vec<(&'e str, Scalar<'e>)>,
}

impl<'e> Body<'e> {
    pub(crate) fn of(effect: &'e Effect) -> Self {
        let mut steps: BTreeMap<&str, Step<'_>> = BTreeMap::new();
        let mut members = Vec::new();
        for leaf in effect.parameters.iter() {
            if let Some((position, rest)) = positioned(leaf.path) {
                let step = steps.entry(position).or_default();
                match (rest, leaf.value) {
                    ("op", Scalar::Text(verb)) => step.verb = verb,
                    ("path", Scalar::Text(pointer)) => step.pointer = Some(pointer),
                    ("value", value) => step.values.push(("", value)),
                    (rest, value) => {
                        let own = rest.strip_prefix("value.");
                        step.values.extend(own.map(|rest| (rest, value)));
                    }
                }
            }
            members.push(Member { path: Cow::Borrowed(leaf.path), value: leaf.value });
        }
        let is_patch = steps.values().any(|step| !step.verb.is_empty() && step.pointer.is_some());
        let mut body = Self { members, is_patch, unread: false };
        if is_patch {
            for step in steps.values() {
                body.step(step);
            }
        }
        body
    }

    fn step(&mut self, step: &Step<'e>) {
        let Some(pointer) = step.pointer else {
            self.unread = true;
            return;
        };
        let path = path_of(pointer);
        match step.verb {
            "test" => {}
            "remove" => self.members.push(Member { path: Cow::Owned(path), value: Scalar::Null }),
            "add" | "replace" => {
                for (rest, value) in &step.values {
                    let path = match (path.is_empty(), rest.is_empty()) {
                        (_, true) => path.clone(),
                        (true, false) => (*rest).to_owned(),
                        (false, false) => format!("{path}.{rest}"),
                    };
                    self.members.push(Member { path: Cow::Owned(path), value: *value });
                }
            }
            // It copies or moves a part of the object, or is something that we do not know.
            _ => self.unread = true,
        }
    }

    /// The values of a member, by its path without list positions.
    pub(crate) fn values<'s>(&'s self, path: &'s str) -> impl Iterator<Item = Scalar<'e>> + 's {
        let is = move |member: &&Member<'e>| parts(&member.path).eq(path.split('.'));
        self.members.iter().filter(is).map(|member| member.value)
    }

    /// The texts of a member, by its path without list positions.
    pub(crate) fn texts<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'e str> + 's {
        self.values(path).filter_map(text)
    }

    /// Labels or annotations that are set or taken away, by their keys.
    pub(crate) fn entries<'s>(&'s self, holder: &'s str) -> impl Iterator<Item = (String, Scalar<'e>)> + 's {
        self.members.iter().filter_map(move |member| {
            let key = member.path.strip_prefix(holder)?.strip_prefix('.')?;
            Some((unescaped(key), member.value))
        })
    }
}

/// `("1", "op")` of `1.op`.
fn positioned(path: &str) -> Option<(&str, &str)> {
    let (position, rest) = path.split_once('.')?;
    position.bytes().all(|byte| byte.is_ascii_digit()).then_some((position, rest))
}

/// `metadata.labels.a\\.io/b` of `/metadata/labels/a.io~1b`.
fn path_of(pointer: &str) -> String {
    let plain = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let escaped = |part: String| part.replace('\\', "\\\\").replace('.', "\\.");
    let parts = pointer.split('/').skip(1).map(|part| escaped(plain(part)));
    parts.collect::<Vec<_>>().join(".")
}

/// The parts of a path; a dot within one stands behind a backslash.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    path.split(move |character: char| {
        let ends = character == '.' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    })
}

/// A part of a path as it was sent.
fn unescaped(part: &str) -> String {
    let mut plain = String::with_capacity(part.len());
    let mut characters = part.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { characters.next().unwrap_or(character) } else { character });
    }
    plain
}

/// The parts of a path that are no list positions; `-` stands for one behind the last.
pub(crate) fn parts(path: &str) -> impl Iterator<Item = &str> {
    segments(path).filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()) && *part != "-")
}

/// The text of a value, of a number too.
pub(crate) const fn text(value: Scalar<'_>) -> Option<&str> {
    match value {
        Scalar::Text(text) | Scalar::Number(text) => Some(text),
        Scalar::Bool(true) => Some("true"),
        Scalar::Bool(false) => Some("false"),
        Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ordain_action::{Access, Effect, Level, Parameters, Scalar};

    use super::Body;

    fn effect(leaves: &[(&str, &str)]) -> Effect {
        let mut parameters = Parameters::new();
        for (path, value) in leaves {
            parameters.push(path, Scalar::Text(value)).unwrap();
        }
        Effect {
            service: Arc::from("core"),
            operation: Arc::from("patch/pods"),
            iam_action: Arc::from(""),
            access: Access::Update,
            level: Level::Control,
            resources: Vec::new(),
            parameters,
        }
    }

    #[test]
    fn operations_on_an_object_are_read_as_what_they_make() {
        let effect = effect(&[
            ("1.op", "add"),
            ("1.path", "/metadata/labels/a.io~1team"),
            ("1.value", "web"),
            ("2.op", "replace"),
            ("2.path", "/spec/containers/0"),
            ("2.value.image", "shop/web:2"),
            ("3.op", "remove"),
            ("3.path", "/metadata/labels/owner"),
        ]);
        let body = Body::of(&effect);
        assert!(body.is_patch && !body.unread);
        let labels: Vec<_> = body.entries("metadata.labels").collect();
        let expected = [("a.io/team".to_owned(), Scalar::Text("web")), ("owner".to_owned(), Scalar::Null)];
        assert_eq!(labels, expected);
        assert_eq!(body.texts("spec.containers.image").collect::<Vec<_>>(), ["shop/web:2"]);
    }

    #[test]
    fn what_an_operation_takes_from_the_object_is_not_read() {
        for verb in ["copy", "move", "merge"] {
            let effect = effect(&[("1.op", verb), ("1.path", "/spec"), ("1.from", "/metadata")]);
            assert!(Body::of(&effect).unread, "{verb}");
        }
        assert!(!Body::of(&effect(&[("1.op", "test"), ("1.path", "/spec"), ("1.value", "x")])).unread);
    }

    #[test]
    fn a_key_with_dots_is_one_part() {
        let effect = effect(&[("metadata.annotations.a\\.io/hostPID", "x"), ("metadata.labels.a\\\\b", "y")]);
        let body = Body::of(&effect);
        let key = |holder| body.entries(holder).map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(key("metadata.annotations"), ["a.io/hostPID"]);
        assert_eq!(key("metadata.labels"), ["a\\b"]);
        assert_eq!(super::parts("a.b\\.c.1.d").collect::<Vec<_>>(), ["a", "b\\.c", "d"]);
    }

    #[test]
    fn members_are_found_without_their_positions() {
        let effect = effect(&[("spec.containers.1.image", "a"), ("spec.containers.2.image", "b")]);
        let body = Body::of(&effect);
        assert!(!body.is_patch);
        assert_eq!(body.texts("spec.containers.image").collect::<Vec<_>>(), ["a", "b"]);
    }
}
