//! Paths of parameters as blueprints name them: without list positions, `*` for any one member.
//!
//! Leaves out looking for what stands at them (`tree.rs`).

use ordain_action::Plane;

/// A path: the names that lead to a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(super) parts: Vec<Part>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Any one member.
    Any,
    /// The member of a name.
    Named(String),
}

/// How a plane tells names apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Letters as they are. What the API does with other ones is not known.
    Exact,
    /// Letters as they are, and what differs is another member.
    Strict,
    /// Whatever the case.
    AnyCase,
}

/// How a name stands to the one that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    Same,
    /// Like it but for the case, on a plane of which nobody here knows what it makes of that.
    Similar,
    Other,
}

impl Spelling {
    pub(super) const fn of(plane: Plane) -> Self {
        if matches!(plane, Plane::Azure | Plane::Graph) {
            Self::AnyCase
        } else if matches!(plane, Plane::Kubernetes) {
            Self::Strict
        } else {
            Self::Exact
        }
    }

    pub(super) fn compare(self, wanted: &str, name: &str) -> Alike {
        if wanted == name {
            return Alike::Same;
        }
        match self {
            Self::Strict => Alike::Other,
            Self::AnyCase | Self::Exact if !wanted.eq_ignore_ascii_case(name) => Alike::Other,
            Self::AnyCase => Alike::Same,
            Self::Exact => Alike::Similar,
        }
    }
}

impl Part {
    pub(super) fn compare(&self, spelling: Spelling, name: &str) -> Alike {
        match self {
            Self::Any => Alike::Same,
            Self::Named(wanted) => spelling.compare(wanted, name),
        }
    }
}

impl Path {
    /// Reads a path; what is wrong with it otherwise.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for raw in names(text) {
            let part = match raw.as_str() {
                "" => {
                    return Err(format!(
                        "`{text}` is no path; write the names that lead to a parameter, with dots between"
                    ));
                }
                "*" => Part::Any,
                name if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                    return Err(format!(
                        "`{text}` holds a list position; leave it out: every item is looked at"
                    ));
                }
                name if name.contains('*') => {
                    return Err(format!("`{text}` holds a pattern; `*` stands for one whole name"));
                }
                _ => Part::Named(raw),
            };
            parts.push(part);
        }
        Ok(Self { parts, text: text.to_owned() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// This path behind another.
    pub(super) fn under(&self, other: &Self) -> Self {
        let parts = other.parts.iter().chain(&self.parts).cloned().collect();
        Self { parts, text: format!("{}.{}", other.text, self.text) }
    }

    /// Whether a parameter of these names stands at this path or below it.
    pub(super) fn holds(&self, spelling: Spelling, names: &[String]) -> bool {
        self.parts.len() <= names.len()
            && self.parts.iter().zip(names).all(|(part, name)| part.compare(spelling, name) == Alike::Same)
    }
}

/// The names that lead to a parameter, without list positions.
pub(super) fn names_of(path: &str) -> Vec<String> {
    parts(path).filter(|(.., position)| !position).map(|(_, name, _)| name).collect()
}

/// The names of a parameter's path: each with its place among all, and whether it is a list position. The words that forms
/// put before a position are left out.
pub(super) fn parts(path: &str) -> impl Iterator<Item = (usize, String, bool)> {
    let all = names(path);
    let before: Vec<bool> =
        all.iter().skip(1).map(|name| is_number(name)).chain(std::iter::once(false)).collect();
    all.into_iter().zip(before).enumerate().filter_map(|(at, (name, before_position))| {
        let is_form = matches!(name.as_str(), "member" | "item" | "entry");
        let position = is_number(&name) || name == "-";
        (!(is_form && before_position)).then_some((at, name, position))
    })
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The names that a path leads along. A dot in a name is escaped there.
fn names(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match (letter, names.last_mut()) {
            ('.', _) | (_, None) => names.push(String::new()),
            ('\\', Some(name)) => name.extend(letters.next()),
            (other, Some(name)) => name.push(other),
        }
    }
    names
}
