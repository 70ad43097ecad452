//! The parameters of one request as read from the wire, before secrets are taken out.
//!
//! Leaves out what is secret: the room decides that, and nothing but the room sees this type.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use ordain_action::{Parameters, Scalar, Undecodable};

/// A flat list of (path, scalar), with a path under construction.
///
/// List items are counted from one. A dot or a backslash inside a key is written with a backslash before it, and so is a
/// key that is a number, so that no two objects or lists share a path.
#[derive(Default)]
pub struct Fields {
    leaves: Parameters,
    path: String,
    depth: usize,
    overflow: bool,
}

// The leaves may hold secrets: they are counted here and never shown.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields")
            .field("leaves", &self.leaves.len())
            .field("overflow", &self.overflow)
            .finish()
    }
}

/// Where the path stood before a segment was added: handed back to [`Fields::leave`].
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Mark {
    length: usize,
    depth: usize,
}

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a named member.
    pub fn enter(&mut self, key: &str) -> Mark {
        let mark = self.separate();
        // A member whose name is a number is no item.
        if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()) {
            self.path.push('\\');
        }
        if key.bytes().any(|byte| byte == b'.' || byte == b'\\') {
            for character in key.chars() {
                if matches!(character, '.' | '\\') {
                    self.path.push('\\');
                }
                self.path.push(character);
            }
        } else {
            self.path.push_str(key);
        }
        mark
    }

    /// Enters a list item, counted from one.
    pub fn enter_item(&mut self, number: usize) -> Mark {
        let mark = self.separate();
        self.path.push_str(decimal(number, &mut [0; 20]));
        mark
    }

    /// Goes back to where the path stood.
    pub fn leave(&mut self, mark: Mark) {
        self.path.truncate(mark.length);
        self.depth = mark.depth;
    }

    fn separate(&mut self) -> Mark {
        let mark = Mark { length: self.path.len(), depth: self.depth };
        // Not by whether there is a path yet: a member may have no name.
        if self.depth > 0 {
            self.path.push('.');
        }
        self.depth += 1;
        mark
    }

    /// Adds a value where the path stands.
    pub fn put(&mut self, value: Scalar<'_>) {
        let path = std::mem::take(&mut self.path);
        self.put_at(&path, value);
        self.path = path;
    }

    /// Adds a value at a path of its own.
    pub fn put_at(&mut self, path: &str, value: Scalar<'_>) {
        if self.leaves.push(path, value).is_err() {
            self.overflow = true;
        }
    }

    /// There were more leaves than are kept.
    #[must_use]
    pub const fn overflowed(&self) -> bool {
        self.overflow
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// All of them, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Scalar<'_>)> + Clone {
        self.leaves.iter().map(|leaf| (leaf.path, leaf.value))
    }

    /// The text at a path, for text, numbers and truth values alike.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.leaves.text(path)
    }

    /// The value at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Scalar<'_>> {
        self.iter().find(|(at, _)| *at == path).map(|(_, value)| value)
    }
}

impl Fields {
    /// Refuses keys of one object that differ in case alone, for readers to whom those are the same key.
    ///
    /// # Errors
    /// The first such key.
    pub(crate) fn refuse_keys_that_differ_in_case(&self) -> Result<(), Undecodable> {
        // Members by the number of the object that they are of, so that no path is folded from its beginning again.
        let mut known: HashMap<(usize, String), (&str, usize)> = HashMap::new();
        let mut last: Vec<(&str, usize)> = Vec::new();
        for (path, _) in self.iter() {
            let (mut same, mut parent) = (true, 0);
            for (at, segment) in segments(path).enumerate() {
                if same
                    && let Some((own, number)) = last.get(at)
                    && *own == segment
                {
                    parent = *number;
                    continue;
                }
                if same {
                    last.truncate(at);
                    same = false;
                }
                let next = known.len() + 1;
                parent = match known.entry((parent, folded(segment))) {
                    Entry::Vacant(free) => free.insert((segment, next)).1,
                    Entry::Occupied(taken) if taken.get().0 == segment => taken.get().1,
                    Entry::Occupied(_) => return Err(duplicate(segment)),
                };
                last.push((segment, parent));
            }
        }
        Ok(())
    }
}

/// A name as those read it to whom case means nothing. By way of capitals: some of them fold letters that have a small form
/// of another letter, such as the long s.
pub(crate) fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// The segments of a path. A dot with a backslash before it does not divide.
pub fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut escaped = false;
        let dot = text.bytes().position(|byte| match byte {
            _ if escaped => {
                escaped = false;
                false
            }
            b'\\' => {
                escaped = true;
                false
            }
            byte => byte == b'.',
        });
        let (head, tail) = match dot.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) {
            Some((head, tail)) => (head, Some(tail)),
            None => (text, None),
        };
        rest = tail;
        Some(head)
    })
}

/// A segment without its backslashes.
#[must_use]
pub fn unescape(segment: &str) -> String {
    let mut plain = String::with_capacity(segment.len());
    let mut characters = segment.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// Decimal digits without an allocation: paths are built for every leaf of every request.
fn decimal(mut number: usize, buffer: &mut [u8; 20]) -> &str {
    let mut start = buffer.len();
    for (at, byte) in buffer.iter_mut().enumerate().rev() {
        *byte = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        start = at;
        if number == 0 {
            break;
        }
    }
    buffer.get(start..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("0")
}

/// A name or key that is given twice.
pub(crate) fn duplicate(name: &str) -> Undecodable {
    Undecodable::new("duplicate_parameter", format!("`{}` is given twice; send it once", clip(name)))
}

/// At most sixty-four characters of the user's text, so that a reason stays one line.
pub(crate) fn clip(text: &str) -> String {
    let mut clipped: String = text.chars().filter(|character| !character.is_control()).take(64).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped
}

/// The leaves of a body, one a line, or why it is none.
#[cfg(test)]
pub(crate) fn shown(read: impl FnOnce(&mut Fields) -> Result<(), Undecodable>) -> String {
    let mut fields = Fields::new();
    match read(&mut fields) {
        Ok(()) => fields.iter().map(|(path, value)| format!("{path}={value:?}\n")).collect(),
        Err(why) => format!("{}: {}", why.reason_code, why.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_a_key_is_not_a_border() {
        let mut fields = Fields::new();
        let outer = fields.enter("a.b");
        let inner = fields.enter_item(10);
        fields.put(Scalar::Text("x"));
        fields.leave(inner);
        fields.leave(outer);
        let paths: Vec<_> = fields.iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a\\.b.10"]);
        assert_eq!(segments("a\\.b.10").map(unescape).collect::<Vec<_>>(), ["a.b", "10"]);
        assert_eq!(segments("a").collect::<Vec<_>>(), ["a"]);
        assert_eq!(segments("a..b").collect::<Vec<_>>(), ["a", "", "b"]);
    }

    #[test]
    fn keys_that_differ_in_case_are_refused_in_one_object_alone() {
        let check = |paths: &[&str]| {
            let mut fields = Fields::new();
            paths.iter().for_each(|path| fields.put_at(path, Scalar::Null));
            fields.refuse_keys_that_differ_in_case().map_err(|why| why.text)
        };
        for fine in [
            ["a.b", "a.c", "b.A", "A\\.b"],
            ["a.b", "b", "a.c", "a.b"],
            ["a.1.b", "a.2.B", "a.1.c", "a"],
            ["a.b.c", "a.b", "b.c", "c.B"],
        ] {
            assert_eq!(check(&fine), Ok(()), "{fine:?}");
        }
        for not in [
            ["a.b", "c", "A.d", "e"],
            ["a.b.c", "a.c", "b", "a.B.d"],
            ["s", "b", "c", "\u{17f}"],
            ["a.1.b", "a.2.b", "a.2.c", "a.2.B"],
            ["", "a", ".b.c", ".B.d"],
        ] {
            assert!(check(&not).is_err(), "{not:?}");
        }
    }

    #[test]
    fn what_a_long_name_makes_of_a_body_has_an_end() {
        let mut fields = Fields::new();
        let mark = fields.enter(&"a".repeat(1 << 20));
        for number in 1..=40 {
            let item = fields.enter_item(number);
            fields.put(Scalar::Null);
            fields.leave(item);
        }
        fields.leave(mark);
        assert!(fields.overflowed());
        assert!(fields.len() < 40);
    }

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 1, 9, 10, 4096, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string());
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let mut fields = Fields::new();
        fields.put_at("Password", Scalar::Text("hunter2"));
        assert!(!format!("{fields:?}").contains("hunter2"));
    }
}
