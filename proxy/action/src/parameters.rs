//! The parameters of an effect as one flat arena of (path, scalar).
//!
//! Leaves out where they came from: every wire form ends in the same arena, which feeds policies,
//! blueprints, intents, the request digest and the evidence.

use std::ops::Range;

/// The most leaves an effect may have; more makes the request undecodable.
pub const LEAVES_MAX: usize = 4_096;

/// The most bytes of their paths and values. A long name is there again in the path of each leaf below it, so that a body
/// may have far fewer than its parameters.
pub const TEXT_MAX: usize = 32 << 20;

/// A request has more than [`LEAVES_MAX`] parameters, or more than [`TEXT_MAX`] bytes of their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyParameters;

/// Whether every parameter of the request is in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Completeness {
    /// All of them.
    Complete,
    /// Some are missing, for the reason given. What reads parameters denies.
    Partial(&'static str),
    /// None can be read, for the reason given. What reads parameters denies.
    Opaque(&'static str),
}

/// The value of one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar<'a> {
    /// Text as sent, unescaped.
    Text(&'a str),
    /// A number as its text in the request, so that none is rounded.
    Number(&'a str),
    /// A truth value.
    Bool(bool),
    /// An explicit null.
    Null,
    /// An empty list or object, which is not the same as nothing.
    Empty,
    /// A secret, as a keyed hash of its value. The value itself is nowhere in the arena.
    Token(&'a str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stored {
    Text(Range<u32>),
    Number(Range<u32>),
    Bool(bool),
    Null,
    Empty,
    Token(Range<u32>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    path: Range<u32>,
    value: Stored,
    idempotency: bool,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// Where it stands in the request, for example `IpPermissions.1.IpRanges.1.CidrIp`.
    pub path: &'a str,
    /// Its value.
    pub value: Scalar<'a>,
    /// An auto-generated idempotency member: left out of the request digest.
    pub idempotency: bool,
}

/// All parameters of an effect, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    text: String,
    entries: Vec<Entry>,
    completeness: Completeness,
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new()
    }
}

impl Parameters {
    /// No parameters, complete.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: String::new(), entries: Vec::new(), completeness: Completeness::Complete }
    }

    /// Whether every parameter of the request is here.
    #[must_use]
    pub const fn completeness(&self) -> Completeness {
        self.completeness
    }

    /// Lowers the completeness. It is never raised again.
    pub fn incomplete(&mut self, completeness: Completeness) {
        match (self.completeness, completeness) {
            (_, Completeness::Complete) | (Completeness::Opaque(_), _) => {}
            (Completeness::Complete | Completeness::Partial(_), lower) => self.completeness = lower,
        }
    }

    /// Adds one parameter.
    ///
    /// # Errors
    /// [`TooManyParameters`] beyond [`LEAVES_MAX`] leaves or [`TEXT_MAX`] bytes.
    pub fn push(&mut self, path: &str, value: Scalar<'_>) -> Result<(), TooManyParameters> {
        self.push_leaf(path, value, false)
    }

    /// Adds an auto-generated idempotency member, which the request digest leaves out.
    ///
    /// # Errors
    /// [`TooManyParameters`] beyond [`LEAVES_MAX`] leaves or [`TEXT_MAX`] bytes.
    pub fn push_idempotency(&mut self, path: &str, value: Scalar<'_>) -> Result<(), TooManyParameters> {
        self.push_leaf(path, value, true)
    }

    fn push_leaf(
        &mut self,
        path: &str,
        value: Scalar<'_>,
        idempotency: bool,
    ) -> Result<(), TooManyParameters> {
        if self.entries.len() >= LEAVES_MAX {
            return Err(TooManyParameters);
        }
        let path = self.keep(path)?;
        let value = match value {
            Scalar::Text(text) => Stored::Text(self.keep(text)?),
            Scalar::Number(text) => Stored::Number(self.keep(text)?),
            Scalar::Bool(value) => Stored::Bool(value),
            Scalar::Null => Stored::Null,
            Scalar::Empty => Stored::Empty,
            Scalar::Token(text) => Stored::Token(self.keep(text)?),
        };
        self.entries.push(Entry { path, value, idempotency });
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = Leaf<'_>> + Clone {
        self.entries.iter().map(|entry| Leaf {
            path: self.read(&entry.path),
            value: match &entry.value {
                Stored::Text(range) => Scalar::Text(self.read(range)),
                Stored::Number(range) => Scalar::Number(self.read(range)),
                Stored::Bool(value) => Scalar::Bool(*value),
                Stored::Null => Scalar::Null,
                Stored::Empty => Scalar::Empty,
                Stored::Token(range) => Scalar::Token(self.read(range)),
            },
            idempotency: entry.idempotency,
        })
    }

    /// The text of the first parameter at a path, for numbers and text alike; not of a secret.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.iter().find(|leaf| leaf.path == path).and_then(|leaf| match leaf.value {
            Scalar::Text(text) | Scalar::Number(text) => Some(text),
            Scalar::Bool(true) => Some("true"),
            Scalar::Bool(false) => Some("false"),
            Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
        })
    }

    fn keep(&mut self, text: &str) -> Result<Range<u32>, TooManyParameters> {
        if self.text.len().saturating_add(text.len()) > TEXT_MAX {
            return Err(TooManyParameters);
        }
        let start = u32::try_from(self.text.len()).map_err(|_| TooManyParameters)?;
        self.text.push_str(text);
        let end = u32::try_from(self.text.len()).map_err(|_| TooManyParameters)?;
        Ok(start..end)
    }

    fn read(&self, range: &Range<u32>) -> &str {
        // INVARIANT: ranges are only made by `keep`, at the ends of whole strings.
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}
