//! What a body says as a flat list of path and value, from our readers and from independent ones.
//!
//! Leaves out reading; the paths are written here a second time, so that a slip in ours shows.

use ordain_action::Scalar;
use ordain_decode::form::Fields;

/// One value at its path, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// A truth value.
    Bool(bool),
    /// Nothing, said.
    Null,
    /// A list or map of nothing.
    Empty,
}

/// Paths and values in the order of the body.
pub type Flat = Vec<(String, Value)>;

/// What one of ours read; `None` when more was there than is kept.
#[must_use]
pub fn of(fields: &Fields) -> Option<Flat> {
    if fields.overflowed() {
        return None;
    }
    let value = |scalar: Scalar<'_>| match scalar {
        Scalar::Text(text) => Value::Text(text.to_owned()),
        Scalar::Number(text) => Value::Number(text.to_owned()),
        Scalar::Bool(truth) => Value::Bool(truth),
        Scalar::Null => Value::Null,
        Scalar::Empty => Value::Empty,
        Scalar::Token(_) => panic!("a reader of a form makes no tokens"),
    };
    Some(fields.iter().map(|(path, scalar)| (path.to_owned(), value(scalar))).collect())
}

/// A path with the name of a member behind it, each after a dot: which of two members is the first is not told by whether
/// there is a path yet, since a name may be empty.
#[must_use]
pub fn below(path: &str, name: &str) -> String {
    format!("{path}.{}", escaped(name))
}

/// A path with the number of an item behind it.
#[must_use]
pub fn item(path: &str, number: usize) -> String {
    format!("{path}.{number}")
}

/// A name as it stands in a path: no dot of it divides, and one that is a number is no item.
#[must_use]
pub fn escaped(name: &str) -> String {
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let escaped = name.replace('\\', "\\\\").replace('.', "\\.");
    if is_number { format!("\\{escaped}") } else { escaped }
}

/// Paths as ours are, which begin with no dot of their own.
#[must_use]
pub fn written(flat: Flat) -> Flat {
    let own = |path: String| path.strip_prefix('.').map(str::to_owned).unwrap_or(path);
    flat.into_iter().map(|(path, value)| (own(path), value)).collect()
}
