//! What a plain text of YAML is: a number, a truth, a text, or nothing that every reader agrees on.
//!
//! Leaves out texts in quotes, which are what they are.

use ordain_action::{Scalar, Undecodable};
use saphyr_parser::ScalarStyle;

use super::ambiguous;
use crate::form::fields::clip;

/// More digits than a whole number of 64 bits surely has room for.
const DIGITS_MAX: usize = 18;

impl super::Reader<'_> {
    /// What a scalar is, where every version of YAML says the same.
    pub(super) fn scalar<'s>(&self, text: &'s str, style: ScalarStyle) -> Result<Scalar<'s>, Undecodable> {
        if style != ScalarStyle::Plain {
            return Ok(Scalar::Text(text));
        }
        match text {
            "" | "~" | "null" => return Ok(Scalar::Null),
            "true" => return Ok(Scalar::Bool(true)),
            "false" => return Ok(Scalar::Bool(false)),
            _ => {}
        }
        if is_plain_number(text) {
            return Ok(Scalar::Number(text));
        }
        // Whoever reads templates takes these for truths, and a date for the text that it is.
        match text {
            "True" | "TRUE" if self.tags.is_some() => return Ok(Scalar::Bool(true)),
            "False" | "FALSE" if self.tags.is_some() => return Ok(Scalar::Bool(false)),
            _ => {}
        }
        if self.tags.is_some() && (is_date(text) || is_parts(text)) {
            return Ok(Scalar::Text(text));
        }
        let word = text.to_ascii_lowercase();
        let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "=", "<<"];
        let numeric = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
            && (word.bytes().all(|byte| byte.is_ascii_hexdigit() || b"xo_:.,+- tz".contains(&byte))
                || word.ends_with(".inf")
                || word.ends_with(".nan"));
        // Within brackets, readers do not agree on where a plain text with these ends.
        let unclear = self.brackets && (text.contains(['?', '#']) || self.colon(text));
        if words.contains(&word.as_str()) || numeric || unclear {
            return Err(ambiguous(&format!("`{}` without quotes", clip(text))));
        }
        Ok(Scalar::Text(text))
    }

    /// Whether a text has a colon that some reader within brackets may take for the end of a key: with tags, one that
    /// a letter follows is none.
    fn colon(&self, text: &str) -> bool {
        let mut letters = text.char_indices().filter(|(_, letter)| *letter == ':');
        match self.tags {
            None => letters.next().is_some(),
            Some(_) => letters.any(|(at, _)| {
                let next = text.get(at + 1..).and_then(|rest| rest.chars().next());
                at == 0
                    || !next
                        .is_some_and(|next| next.is_ascii_alphanumeric() || matches!(next, ':' | '/' | '*'))
            }),
        }
    }
}

/// `2012-10-17`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// `1.2.3`, `0a1b-2c3d` or `03:00-04:00`: digits first, and no number to any reader.
fn is_parts(text: &str) -> bool {
    let whole = |part: &str, is: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| is(&byte));
    let dotted = text.split('.').count() > 2 && text.split('.').all(|part| whole(part, u8::is_ascii_digit));
    let dashed = text.contains('-') && text.split('-').all(|part| whole(part, u8::is_ascii_hexdigit));
    let hours = text.len() == 11
        && text.bytes().enumerate().all(|(at, byte)| match at {
            2 | 8 => byte == b':',
            5 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    dotted || hours || (dashed && text.contains(['a', 'b', 'c', 'd', 'f']))
}

/// A decimal number that every reader takes for the same one.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && text != "-0"
        && part.is_none_or(all)
        && digits.len() <= DIGITS_MAX
}
