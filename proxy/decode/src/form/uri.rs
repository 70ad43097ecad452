//! Request targets and the templates that vendors write for them.
//!
//! Leaves out which template belongs to which operation (the catalogue) and S3's keys, whose bytes stay as sent.

use std::borrow::Cow;

use ordain_action::Undecodable;

use super::fields::clip;
use super::percent;

/// A request target split at its first `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The path, as received.
    pub path: &'a str,
    /// The query without its `?`, as received; empty when there is none.
    pub query: &'a str,
}

impl<'a> Target<'a> {
    /// Splits a target in origin form.
    ///
    /// # Errors
    /// A target that does not begin with `/`, or holds a byte that belongs in no target.
    pub fn split(target: &'a str) -> Result<Self, Undecodable> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !path.starts_with('/') {
            return Err(bad(target, "does not begin with `/`; send the path and query only"));
        }
        if path.bytes().any(|byte| !is_path_byte(byte)) {
            return Err(bad(target, "holds a byte that must be escaped; percent-encode it"));
        }
        Ok(Self { path, query })
    }

    /// The decoded segments of a path that is already in its normal form.
    ///
    /// # Errors
    /// Empty, `.` and `..` segments, however written: a server behind may fold them into another path.
    pub fn segments(&self) -> Result<Segments<'a>, Undecodable> {
        let rest = self.path.strip_prefix('/').unwrap_or(self.path);
        let mut decoded = Vec::new();
        let (rest, trailing_slash) = rest.strip_suffix('/').map_or((rest, false), |rest| (rest, true));
        if rest.is_empty() {
            if trailing_slash {
                return Err(bad(self.path, "has an empty segment; send the path in its normal form"));
            }
            return Ok(Segments { decoded, trailing_slash: false });
        }
        for segment in rest.split('/') {
            let text = percent::decode(segment)?;
            if text.is_empty() {
                return Err(bad(self.path, "has an empty segment; send the path in its normal form"));
            }
            // An escaped slash makes `..` a segment again for servers that decode before they split.
            if text.split(['/', '\\']).any(|part| part == "." || part == "..") {
                return Err(bad(self.path, "leads elsewhere; send the path in its normal form"));
            }
            if text.bytes().any(|byte| byte.is_ascii_control()) {
                return Err(bad(self.path, "holds a control character; leave it out"));
            }
            decoded.push(text);
        }
        Ok(Segments { decoded, trailing_slash })
    }
}

/// The decoded segments of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments<'a> {
    /// Without the slashes.
    pub decoded: Vec<Cow<'a, str>>,
    /// The path ends in a slash, which tells some operations apart.
    pub trailing_slash: bool,
}

/// A label of a template and the text found in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label<'t> {
    /// The name between the braces.
    pub name: &'t str,
    /// The decoded text; a greedy label keeps its slashes.
    pub value: String,
}

/// How exactly a template fits: more literal segments beat fewer, from the left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit(Vec<u8>);

/// Matches a path against a template such as `/tags/{ResourceArn+}`; `None` when it does not fit.
///
/// The template's query is not looked at, and a trailing slash must agree unless the template ends in a greedy
/// label.
#[must_use]
pub fn fit<'t>(template: &'t str, segments: &Segments<'_>) -> Option<(Fit, Vec<Label<'t>>)> {
    fit_by(template, segments, Slash::Agrees)
}

/// Whether the slash behind a template has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slash {
    /// Where the template has one, and nowhere else.
    Agrees,
    /// It may be left out, as clients do that are generated without it.
    LeftOut,
}

/// The same, where the trailing slash of a template may be left out.
#[must_use]
pub fn fit_by<'t>(template: &'t str, segments: &Segments<'_>, slash: Slash) -> Option<(Fit, Vec<Label<'t>>)> {
    let path = template.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or(path);
    let (path, trailing_slash) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
    let mut weights = Vec::new();
    let mut labels = Vec::new();
    let mut given = segments.decoded.as_slice();
    let mut greedy = false;
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        match label(part) {
            Some((name, true)) => {
                let after = parts.clone().count();
                let take = given.len().checked_sub(after).filter(|take| *take > 0)?;
                let (taken, rest) = given.split_at_checked(take)?;
                greedy |= after == 0;
                labels.push(Label { name, value: taken.join("/") });
                weights.push(0);
                given = rest;
            }
            Some((name, false)) => {
                let (value, rest) = given.split_first()?;
                labels.push(Label { name, value: value.to_string() });
                weights.push(1);
                given = rest;
            }
            None => {
                let (value, rest) = given.split_first()?;
                match affixed(part, value)? {
                    Some((name, inner)) => {
                        labels.push(Label { name, value: inner.to_owned() });
                        weights.push(2);
                    }
                    None => weights.push(3),
                }
                given = rest;
            }
        }
    }
    let left_out = slash == Slash::LeftOut && trailing_slash && !segments.trailing_slash;
    (given.is_empty() && (greedy || left_out || trailing_slash == segments.trailing_slash))
        .then_some((Fit(weights), labels))
}

fn label(part: &str) -> Option<(&str, bool)> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    if name.contains(['{', '}']) {
        return None;
    }
    Some(name.strip_suffix('+').map_or((name, false), |name| (name, true)))
}

/// A literal segment, or one with a label inside such as `prefix:{name}`; outer `None` when it does not fit.
#[expect(clippy::option_option, reason = "no fit, a fit without label and a fit with one are three things")]
fn affixed<'t, 'v>(part: &'t str, value: &'v str) -> Option<Option<(&'t str, &'v str)>> {
    let Some((before, rest)) = part.split_once('{') else {
        return (part == value).then_some(None);
    };
    let (name, after) = rest.split_once('}')?;
    let inner = value.strip_prefix(before)?.strip_suffix(after)?;
    (!inner.is_empty()).then_some(Some((name, inner)))
}

fn bad(target: &str, what: &str) -> Undecodable {
    Undecodable::new("bad_path", format!("the path `{}` {what}", clip(target)))
}

const fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
        )
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(template: &str, target: &str, expected: Expect) {
        let shown = match Target::split(target).and_then(|target| target.segments()) {
            Err(why) => format!("{}: {}", why.reason_code, why.text),
            Ok(segments) => match fit(template, &segments) {
                None => "no fit".to_owned(),
                Some((_, labels)) => {
                    labels.iter().map(|label| format!("{}={};", label.name, label.value)).collect()
                }
            },
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn templates_fit_whole_paths() {
        check("/clusters/{name}", "/clusters/a%2Fb", expect!["name=a/b;"]);
        check("/clusters/{name}", "/clusters/a/b", expect!["no fit"]);
        check("/tags/{arn+}", "/tags/arn:aws:eks:x/y", expect!["arn=arn:aws:eks:x/y;"]);
        check("/a/{p+}/end", "/a/b/c/end", expect!["p=b/c;"]);
        check("/a/{p+}/end", "/a/end", expect!["no fit"]);
        check("/v1/x:{id}", "/v1/x:7", expect!["id=7;"]);
        check("/", "/", expect![""]);
    }

    #[test]
    fn a_trailing_slash_tells_operations_apart() {
        check("/agents/{agentId}/", "/agents/A/", expect!["agentId=A;"]);
        check("/agents/{agentId}/", "/agents/A", expect!["no fit"]);
        check("/agents/{agentId}", "/agents/A/", expect!["no fit"]);
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        check(
            "/a/{b}",
            "/a/..",
            expect!["bad_path: the path `/a/..` leads elsewhere; send the path in its normal form"],
        );
        check(
            "/a/{b}",
            "/a/%2e%2E",
            expect!["bad_path: the path `/a/%2e%2E` leads elsewhere; send the path in its normal form"],
        );
        check(
            "/a/{b}",
            "/a/x%2f..%2fy",
            expect!["bad_path: the path `/a/x%2f..%2fy` leads elsewhere; send the path in its normal form"],
        );
        check(
            "/a/{b}",
            "/a//b",
            expect!["bad_path: the path `/a//b` has an empty segment; send the path in its normal form"],
        );
        check(
            "/a/{b}",
            "/a/%00",
            expect!["bad_path: the path `/a/%00` holds a control character; leave it out"],
        );
        check(
            "/a/{b}",
            "/a/b#c",
            expect!["bad_path: the path `/a/b#c` holds a byte that must be escaped; percent-encode it"],
        );
        check(
            "/a",
            "a",
            expect!["bad_path: the path `a` does not begin with `/`; send the path and query only"],
        );
    }

    #[test]
    fn the_more_literal_template_fits_better() {
        let target = Target::split("/things/special").unwrap().segments().unwrap();
        let literal = fit("/things/special", &target).unwrap().0;
        let labelled = fit("/things/{id}", &target).unwrap().0;
        let greedy = fit("/{all+}", &target).unwrap().0;
        assert!(literal > labelled && labelled > greedy);
    }

    proptest! {
        #[test]
        fn nothing_panics(template in "[/a{}+?]{0,16}", target in "[/a.%2eE?#]{0,16}") {
            if let Ok(segments) = Target::split(&target).and_then(|target| target.segments()) {
                let _ = fit(&template, &segments);
            }
        }
    }
}
