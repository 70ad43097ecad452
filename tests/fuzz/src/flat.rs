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

/// A path with one more segment.
#[must_use]
pub fn below(path: &str, segment: &str) -> String {
    let escaped = segment.replace('\\', "\\\\").replace('.', "\\.");
    if path.is_empty() { escaped } else { format!("{path}.{escaped}") }
}
