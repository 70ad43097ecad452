//! Where a member stands in a request or an answer.
//!
//! Leaves out reading the request: a path only says which of its members are meant.

use std::fmt;

/// A dotted path as it stands on the wire: names, `*` for any list item or map key, `**` for anything below.
///
/// A dot or a backslash inside a name is written with a backslash before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Box<str>);

impl Path {
    /// A path from its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments, escapes kept.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        Segments { rest: Some(&self.0) }
    }

    /// Whether a concrete path is meant.
    ///
    /// ```
    /// # use ordain_catalog::Path;
    /// assert!(Path::new("Tags.*.Key").matches("Tags.1.Key"));
    /// assert!(!Path::new("Tags.*").matches("Tags.1.Key"));
    /// assert!(Path::new("Filter.**").matches("Filter.And.1.Or"));
    /// ```
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut given = Segments { rest: Some(path) };
        for wanted in self.segments() {
            if wanted == "**" {
                return given.next().is_some();
            }
            match given.next() {
                Some(segment) if wanted == "*" || wanted == segment => {}
                Some(_) | None => return false,
            }
        }
        given.next().is_none()
    }

    /// The text a concrete path has in place of each `*`, when it is meant; `None` when it is not.
    ///
    /// Two members of one list item share what stands in place of their first `*`.
    #[must_use]
    pub fn items<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        let mut given = Segments { rest: Some(path) };
        let mut items = Vec::new();
        for wanted in self.segments() {
            let segment = given.next()?;
            if wanted == "**" {
                return Some(items);
            }
            if wanted == "*" {
                items.push(segment);
            } else if wanted != segment {
                return None;
            }
        }
        given.next().is_none().then_some(items)
    }

    /// Whether a concrete path could be meant by a reader that is less strict about spelling: one that takes names
    /// in any case and, where `lists` says so, the items of a list with or without a word of their own.
    #[must_use]
    pub fn resembles(&self, path: &str, lists: bool) -> bool {
        let wanted: Vec<&str> = self.segments().collect();
        let given: Vec<&str> = Segments { rest: Some(path) }.collect();
        resembles(&wanted, &given, lists)
    }
}

fn resembles(wanted: &[&str], given: &[&str], lists: bool) -> bool {
    let is_word = |text: &str| ["member", "item", "entry"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (wanted, given) {
        ([], []) => true,
        (["**", ..], given) => !given.is_empty(),
        ([word, "*", after @ ..], [number, rest @ ..]) if lists && *word != "*" && is_number(number) => {
            resembles(after, rest, lists)
        }
        ([_, "*", after @ ..], [word, number, rest @ ..]) if lists && is_word(word) && is_number(number) => {
            resembles(after, rest, lists)
        }
        (["*", after @ ..], [word, number, rest @ ..]) if lists && is_word(word) && is_number(number) => {
            resembles(after, rest, lists)
        }
        ([name, after @ ..], [segment, rest @ ..]) => {
            (*name == "*" || name.eq_ignore_ascii_case(segment)) && resembles(after, rest, lists)
        }
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Segments<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let mut escaped = false;
        for (at, byte) in rest.bytes().enumerate() {
            match byte {
                b'\\' if !escaped => escaped = true,
                b'.' if !escaped => {
                    let (segment, after) = rest.split_at_checked(at)?;
                    self.rest = after.strip_prefix('.');
                    return Some(segment);
                }
                _ => escaped = false,
            }
        }
        self.rest = None;
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_dot_does_not_end_a_segment() {
        let path = Path::new(r"a\.b.*.c");
        assert_eq!(path.segments().collect::<Vec<_>>(), [r"a\.b", "*", "c"]);
        assert_eq!(path.items(r"a\.b.7.c"), Some(vec!["7"]));
        assert!(!path.matches("a.b.7.c"));
    }

    #[test]
    fn another_reader_may_be_less_strict() {
        assert!(Path::new("TableName").resembles("tablename", false));
        assert!(Path::new("Items.*.Put.Table").resembles("items.7.put.table", false));
        assert!(!Path::new("TableName").resembles("TableNames", false));
        for given in ["Ids.member.1", "ids.Id.1", "Ids.1"] {
            assert!(Path::new("Ids.Id.*").resembles(given, true), "{given}");
        }
        assert!(Path::new("Ids.*").resembles("Ids.member.1", true));
        assert!(!Path::new("Ids.*").resembles("Ids.member.1", false));
    }

    #[test]
    fn a_deeper_or_shorter_path_is_another_path() {
        let path = Path::new("Tags.*");
        assert!(path.matches("Tags.1"));
        assert!(!path.matches("Tags"));
        assert!(!path.matches("Tags.1.Key"));
        assert!(!Path::new("Tags.**").matches("Tags"));
    }
}
