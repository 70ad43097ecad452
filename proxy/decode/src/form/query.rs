//! `application/x-www-form-urlencoded`: query strings and form bodies, in the order given.
//!
//! Leaves out which names may repeat: the room knows which members are lists.

use std::borrow::Cow;

use ordain_action::Undecodable;

use super::fields::{clip, duplicate};
use super::percent;

/// The most pairs that are read.
const PAIRS_MAX: usize = 16_384;

/// One `name=value`; a bare `name` has no value, which S3 tells apart from an empty one only in spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The decoded name.
    pub name: Cow<'a, str>,
    /// The decoded value; empty for a bare name.
    pub value: Cow<'a, str>,
    /// There was no `=`.
    pub bare: bool,
}

/// Whether `+` stands for a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plus {
    /// In form bodies, by the form's own rules.
    Space,
    /// In a query string, where servers disagree: refused, for it would be a guess either way.
    Refused,
}

/// Reads pairs in order. Empty pairs (`a=1&&b=2`) are refused, but for one trailing `&`-free end.
///
/// # Errors
/// A bad escape, a byte that belongs in no query, an empty name, or too many pairs.
pub fn parse(text: &str, plus: Plus) -> Result<Vec<Pair<'_>>, Undecodable> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let ands = memchr::memchr_iter(b'&', text.as_bytes()).count();
    let mut pairs = Vec::with_capacity(ands.min(64) + 1);
    for part in text.split('&') {
        if pairs.len() >= PAIRS_MAX {
            return Err(Undecodable::new("too_many_parameters", "there are too many parameters; send fewer"));
        }
        let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
        if name.is_empty() {
            return Err(Undecodable::new(
                "empty_parameter_name",
                format!("`{}` has no name before its value; name every parameter", clip(part)),
            ));
        }
        pairs.push(Pair {
            name: decode(name, plus)?,
            value: decode(value.unwrap_or_default(), plus)?,
            bare: value.is_none(),
        });
    }
    Ok(pairs)
}

/// Refuses a `;` that stands for itself: some servers divide pairs there, as HTML once had it.
///
/// # Errors
/// There is one.
pub fn refuse_semicolons(text: &str) -> Result<(), Undecodable> {
    match memchr::memchr(b';', text.as_bytes()) {
        Some(_) => Err(Undecodable::new(
            "ambiguous_semicolon",
            "`;` stands unescaped among the parameters, where some servers take it for `&`; write `%3B`",
        )),
        None => Ok(()),
    }
}

/// Refuses a name that is given twice.
///
/// # Errors
/// The first name found twice.
pub fn refuse_duplicates(pairs: &[Pair<'_>]) -> Result<(), Undecodable> {
    let mut names: Vec<&str> = pairs.iter().map(|pair| pair.name.as_ref()).collect();
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
        Some((name, _)) => Err(duplicate(name)),
        None => Ok(()),
    }
}

fn decode(text: &str, plus: Plus) -> Result<Cow<'_, str>, Undecodable> {
    let may = |byte: u8| QUERY_BYTES.get(usize::from(byte)).is_some_and(|may| *may);
    // All of them without a branch, since all but a hostile few pass.
    if !text.bytes().fold(true, |so_far, byte| so_far & may(byte)) {
        let byte = text.bytes().find(|byte| !may(*byte)).unwrap_or_default();
        return Err(Undecodable::new(
            "bad_query_byte",
            format!("byte {byte:#04x} stands unescaped in `{}`; percent-encode it", clip(text)),
        ));
    }
    if memchr::memchr(b'+', text.as_bytes()).is_none() {
        return percent::decode(text);
    }
    match plus {
        Plus::Space => {
            let spaced = text.replace('+', " ");
            percent::decode(&spaced).map(|decoded| Cow::Owned(decoded.into_owned()))
        }
        Plus::Refused => Err(Undecodable::new(
            "ambiguous_plus",
            format!("`+` in `{}` may mean a space or itself; write `%20` or `%2B`", clip(text)),
        )),
    }
}

/// [`is_query_byte`] of each byte, since every byte of a body is asked for.
static QUERY_BYTES: [bool; 256] = {
    let mut may = [false; 256];
    let mut byte = 0_u8;
    while let Some(place) = may.split_at_mut(byte as usize).1.first_mut() {
        *place = is_query_byte(byte);
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    may
};

/// What may stand unescaped: RFC 3986 query characters but for the two that divide pairs.
const fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'+'
                | b'!'
                | b'$'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b','
                | b';'
                | b':'
                | b'@'
                | b'/'
                | b'?'
                | b'='
        )
}

/// A form from lines that people read: `Name=value`, or `Name:` before lines of its value, each two blanks further in.
#[cfg(test)]
pub(crate) fn from_lines(text: &str) -> String {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("  "), pairs.last_mut()) {
            (Some(more), Some((_, value))) => *value += &format!("{more}\n"),
            _ => pairs.push(match line.split_once('=').filter(|(name, _)| !name.contains(':')) {
                Some((name, value)) => (name, value.to_owned()),
                None => (line.trim_end_matches(':'), String::new()),
            }),
        }
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(text: &str, expected: Expect) {
        let read = parse(text, Plus::Space).and_then(|pairs| refuse_duplicates(&pairs).map(|()| pairs));
        let shown = match read {
            Ok(pairs) => pairs.iter().map(|pair| format!("{}={};", pair.name, pair.value)).collect(),
            Err(why) => format!("{}: {}", why.reason_code, why.text),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn pairs_are_read_in_order() {
        check(
            "Action=DescribeInstances&Filter.1.Value.1=a%26b+c",
            expect![["Action=DescribeInstances;Filter.1.Value.1=a&b c;"]],
        );
        check("acl", expect!["acl=;"]);
        check("", expect![""]);
    }

    #[test]
    fn what_two_parsers_could_read_in_two_ways_is_refused() {
        check("Action=A&Action=B", expect!["duplicate_parameter: `Action` is given twice; send it once"]);
        check("Action=A&%41ction=B", expect!["duplicate_parameter: `Action` is given twice; send it once"]);
        check(
            "a=1&&b=2",
            expect!["empty_parameter_name: `` has no name before its value; name every parameter"],
        );
        check("=1", expect!["empty_parameter_name: `=1` has no name before its value; name every parameter"]);
        check("a=\"1\"", expect!["bad_query_byte: byte 0x22 stands unescaped in `\"1\"`; percent-encode it"]);
        check(
            "a=%f",
            expect!["bad_percent_escape: `%f` has an incomplete percent escape; encode `%` as `%25`"],
        );
        assert_eq!(parse("a=1+1", Plus::Refused).unwrap_err().reason_code, "ambiguous_plus");
    }

    proptest! {
        #[test]
        fn agrees_with_another_parser(text in "[aA1=&%.+4]{0,32}") {
            if let Ok(pairs) = parse(&text, Plus::Space) {
                let other: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
                let ours: Vec<_> = pairs.into_iter().map(|pair| (pair.name, pair.value)).collect();
                prop_assert_eq!(ours, other);
            }
        }
    }
}
