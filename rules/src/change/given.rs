//! The parameters of a request as a tree: paths without their positions, lists as lists.
//!
//! Leaves out what a change says of them (`matching.rs`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use ordain_action::{Parameters, Scalar};

/// A part of a request.
#[derive(Debug, Default)]
pub(super) struct Given<'g> {
    /// Its value, where it has one. Two leaves at one place are two values of it.
    pub(super) values: Vec<Scalar<'g>>,
    pub(super) members: BTreeMap<Cow<'g, str>, Self>,
    /// By position, so that elements keep what belongs to them together.
    pub(super) elements: BTreeMap<Cow<'g, str>, Self>,
}

impl<'g> Given<'g> {
    /// All that a request has, but for idempotency members.
    pub(super) fn of(parameters: &'g Parameters) -> Self {
        let mut root = Self::default();
        for leaf in parameters.iter().filter(|leaf| !leaf.idempotency) {
            let mut at = &mut root;
            let mut parts = parts(leaf.path).into_iter().peekable();
            while let Some(part) = parts.next() {
                // The query protocol of AWS writes `member` before positions, XML the name of what a list is of.
                if matches!(part, "member" | "item") && parts.peek().is_some_and(|next| is_position(next)) {
                    continue;
                }
                let inside = if is_position(part) { &mut at.elements } else { &mut at.members };
                at = inside.entry(unescaped(part)).or_default();
            }
            at.values.push(leaf.value);
        }
        root
    }

    /// What is at a path of members.
    pub(super) fn get(&self, path: &[std::sync::Arc<str>]) -> Option<&Self> {
        path.iter().try_fold(self, |at, name| at.members.get(&**name))
    }

    /// Its only value, where it is nothing but that.
    pub(super) fn value(&self) -> Option<Scalar<'g>> {
        match self.values.as_slice() {
            [value] if self.members.is_empty() && self.elements.is_empty() => Some(*value),
            _ => None,
        }
    }
}

/// A place in a list.
fn is_position(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parts of a path. A name that has a dot, or looks like a place in a list, has a backslash before that.
fn parts(path: &str) -> Vec<&str> {
    let (mut all, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, letter) in path.char_indices() {
        if letter == '.' && !escaped {
            all.push(path.get(begin..at).unwrap_or_default());
            begin = at + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    all.push(path.get(begin..).unwrap_or_default());
    all
}

fn unescaped(part: &str) -> Cow<'_, str> {
    if !part.contains('\\') {
        return Cow::Borrowed(part);
    }
    let (mut text, mut escaped) = (String::with_capacity(part.len()), false);
    for letter in part.chars() {
        escaped = letter == '\\' && !escaped;
        if !escaped {
            text.push(letter);
        }
    }
    Cow::Owned(text)
}
