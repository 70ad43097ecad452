//! Templates of paths, and which of them a path fits.
//!
//! Leaves out what stands behind them. A path that fits two of which neither is the closer one is nobody's.

use std::fmt;

/// The template of a path, its base before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
    /// How many of them are the base.
    base: usize,
    trailing_slash: bool,
}

/// A segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A label with literal text before and after it.
    Label {
        before: String,
        name: String,
        after: String,
    },
    /// A label that takes several segments.
    Greedy(String),
}

/// How close a part comes to what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Greedy,
    Label,
    Affixed,
    Literal,
}

/// How a path fits a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fit {
    /// The values of the labels, in the order of the template.
    pub(super) labels: Vec<(String, String)>,
    /// The segments below the base, up to and with the last label's; all of them where there is none.
    pub(super) below: Vec<String>,
    /// The literal that stands before the last label, or the last one where there is no label.
    pub(super) kind: Option<String>,
    /// How close it comes, segment by segment of the path.
    closeness: Vec<Closeness>,
}

impl Template {
    /// Reads a template of a document, such as `/zones/{zone}`, with `+` behind the labels that hold slashes.
    ///
    /// # Errors
    /// It is none that could be told from others.
    pub(super) fn new(base: &str, text: &str) -> Result<Self, String> {
        let bad = |what: &str| Err(format!("the path `{text}` {what}"));
        if !text.starts_with('/') || text.contains(['?', '#']) {
            return bad("is none: it has to begin with `/` and to have no query; write it so");
        }
        let (path, trailing_slash) = match text.strip_suffix('/') {
            Some(path) if !path.is_empty() => (path, true),
            Some(_) | None => (text, false),
        };
        let before = base.split('/').filter(|part| !part.is_empty());
        let mut parts: Vec<Part> = before.map(|part| Part::Literal(part.to_owned())).collect();
        let base = parts.len();
        for segment in path.split('/').skip(1).filter(|_| path != "/") {
            let part = match (segment.find('{'), segment.rfind('}')) {
                (None, None) if segment.is_empty() => {
                    return bad("has an empty segment; write it without");
                }
                (None, None) => Part::Literal(segment.to_owned()),
                (Some(open), Some(close)) if open < close => {
                    let part = |range: Option<&str>| range.unwrap_or_default().to_owned();
                    let (before, after) = (part(segment.get(..open)), part(segment.get(close + 1..)));
                    // Where two labels share a segment nobody can say where the one ends: it is one label.
                    let name = segment.get(open + 1..close).unwrap_or_default().replace(['{', '}'], "");
                    match name.strip_suffix('+') {
                        Some(name) if before.is_empty() && after.is_empty() => Part::Greedy(name.to_owned()),
                        Some(_) => return bad("has text beside a label that holds slashes; give it its own"),
                        None => Part::Label { before, name, after },
                    }
                }
                _ => return bad("has a brace without its other one; write both"),
            };
            parts.push(part);
        }
        if parts.iter().filter(|part| matches!(part, Part::Greedy(_))).count() > 1 {
            return bad("has two labels that hold slashes; one may");
        }
        Ok(Self { parts, base, trailing_slash })
    }

    /// The labels.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Label { name, .. } | Part::Greedy(name) => Some(name.as_str()),
        })
    }

    /// The first literal below the base.
    pub(super) fn first(&self) -> Option<&str> {
        self.parts.iter().skip(self.base).find_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Label { .. } | Part::Greedy(_) => None,
        })
    }

    /// It ends in a literal: it is for all that stands below, or for something to do.
    pub(super) fn ends_in_literal(&self) -> bool {
        matches!(self.parts.last(), Some(Part::Literal(_)) | None)
    }

    /// Whether every path that fits the one fits the other as closely.
    pub(super) fn equals(&self, other: &Self) -> bool {
        let same = |(one, other): (&Part, &Part)| match (one, other) {
            (Part::Literal(one), Part::Literal(other)) => one == other,
            (Part::Greedy(_), Part::Greedy(_)) => true,
            (Part::Label { before, after, .. }, Part::Label { before: other, after: end, .. }) => {
                before == other && after == end
            }
            (Part::Literal(_) | Part::Greedy(_) | Part::Label { .. }, _) => false,
        };
        self.trailing_slash == other.trailing_slash
            && self.parts.len() == other.parts.len()
            && self.parts.iter().zip(&other.parts).all(same)
    }

    /// How a path fits, its literals in any case where `any_case` says so.
    pub(super) fn fit(&self, path: &[&str], trailing_slash: bool, any_case: bool) -> Option<Fit> {
        if trailing_slash != self.trailing_slash {
            return None;
        }
        let same = |one: &str, other: &str| one == other || any_case && one.eq_ignore_ascii_case(other);
        let mut given = path;
        let mut fit = Fit { labels: Vec::new(), below: Vec::new(), kind: None, closeness: Vec::new() };
        let mut below: Vec<String> = Vec::new();
        let mut last_literal = None;
        for (at, part) in self.parts.iter().enumerate() {
            let after = self.parts.len() - at - 1;
            let take = match part {
                Part::Greedy(_) => given.len().checked_sub(after).filter(|take| *take > 0)?,
                Part::Literal(_) | Part::Label { .. } => 1,
            };
            let (taken, rest) = given.split_at_checked(take)?;
            given = rest;
            let value = taken.join("/");
            let close = match part {
                Part::Literal(text) if same(text, &value) => Closeness::Literal,
                Part::Literal(_) => return None,
                Part::Greedy(name) => {
                    fit.labels.push((name.clone(), value.clone()));
                    Closeness::Greedy
                }
                Part::Label { before, name, after } => {
                    let inner = inner(&value, before, after, any_case)?;
                    fit.labels.push((name.clone(), inner.to_owned()));
                    if before.is_empty() && after.is_empty() { Closeness::Label } else { Closeness::Affixed }
                }
            };
            fit.closeness.extend(std::iter::repeat_n(close, take));
            if at < self.base {
                continue;
            }
            below.extend(taken.iter().map(|segment| (*segment).to_owned()));
            if close == Closeness::Literal {
                last_literal = Some(value);
            } else {
                fit.below.clone_from(&below);
                fit.kind.clone_from(&last_literal);
            }
        }
        if fit.labels.is_empty() {
            fit.below = below;
            fit.kind = last_literal;
        }
        given.is_empty().then_some(fit)
    }
}

/// What a label takes of a segment.
fn inner<'v>(value: &'v str, before: &str, after: &str, any_case: bool) -> Option<&'v str> {
    let end = value.len().checked_sub(after.len())?;
    let (start, inner, rest) = (value.get(..before.len())?, value.get(before.len()..end)?, value.get(end..)?);
    let same = |one: &str, other: &str| one == other || any_case && one.eq_ignore_ascii_case(other);
    (same(start, before) && same(rest, after) && !inner.is_empty()).then_some(inner)
}

impl Fit {
    /// Whether it comes at least as close as another in every segment.
    pub(super) fn is_closer_than(&self, other: &Self) -> bool {
        self.closeness.iter().zip(&other.closeness).all(|(one, other)| one >= other)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => write!(f, "/{text}")?,
                Part::Label { before, name, after } => write!(f, "/{before}{{{name}}}{after}")?,
                Part::Greedy(name) => write!(f, "/{{{name}+}}")?,
            }
        }
        f.write_str(if self.trailing_slash || self.parts.is_empty() { "/" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(base: &str, template: &str, path: &str) -> String {
        let template = match Template::new(base, template) {
            Ok(template) => template,
            Err(why) => return why,
        };
        let trailing = path.len() > 1 && path.ends_with('/');
        let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match template.fit(&path, trailing, false) {
            None => "no".to_owned(),
            Some(fit) => format!("{:?} {:?} {}", fit.labels, fit.below, fit.kind.unwrap_or_default()),
        }
    }

    #[test]
    fn a_path_fits_as_the_template_has_it() {
        for (base, template, path, expected) in [
            ("/v1", "/zones/{z}", "/v1/zones/a", r#"[("z", "a")] ["zones", "a"] zones"#),
            ("/v1", "/zones/{z}/notify", "/v1/zones/a/notify", r#"[("z", "a")] ["zones", "a"] zones"#),
            ("", "/zones", "/zones", r#"[] ["zones"] zones"#),
            ("", "/zones", "/zones/", "no"),
            ("", "/zones/", "/zones/", r#"[] ["zones"] zones"#),
            ("", "/zones", "/Zones", "no"),
            ("", "/", "/", "[] [] "),
            ("", "/i/{n+}/json", "/i/a/b/json", r#"[("n", "a/b")] ["i", "a", "b"] i"#),
            ("", "/i/{n+}/json", "/i/json", "no"),
            ("", "/i/{n}.json", "/i/a.json", r#"[("n", "a")] ["i", "a.json"] i"#),
            ("", "/i/{n}.json", "/i/.json", "no"),
            ("", "/c/{a}...{b}", "/c/x...y", r#"[("a...b", "x...y")] ["c", "x...y"] c"#),
            (
                "",
                "x",
                "/x",
                "the path `x` is none: it has to begin with `/` and to have no query; write it so",
            ),
            (
                "",
                "/x?y",
                "/x",
                "the path `/x?y` is none: it has to begin with `/` and to have no query; write it so",
            ),
            ("", "/x//y", "/x", "the path `/x//y` has an empty segment; write it without"),
            ("", "/x/{y", "/x/a", "the path `/x/{y` has a brace without its other one; write both"),
        ] {
            assert_eq!(shown(base, template, path), expected, "{template} {path}");
        }
    }

    #[test]
    fn of_two_the_closer_one_is_meant_and_of_crossing_ones_none() {
        let fit = |template: &str, path: &[&str]| {
            Template::new("", template).unwrap().fit(path, false, false).unwrap()
        };
        let path = ["pets", "mine"];
        assert!(fit("/pets/mine", &path).is_closer_than(&fit("/pets/{id}", &path)));
        assert!(!fit("/pets/{id}", &path).is_closer_than(&fit("/pets/mine", &path)));
        let (one, other) = (fit("/{kind}/mine", &path), fit("/pets/{id}", &path));
        assert!(!one.is_closer_than(&other) && !other.is_closer_than(&one));
        let same = |one: &str, other: &str| {
            Template::new("", one).unwrap().equals(&Template::new("", other).unwrap())
        };
        assert!(same("/a/{x}/b", "/a/{y}/b") && !same("/a/{x}", "/a/b") && !same("/a/{x}", "/a/{x}/"));
    }
}
