//! The canonical form of a request: what is hashed and signed.
//!
//! Leaves out which headers are signed and what stands for the body.

use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use crate::head::AUTHORITY;

/// How a service brings a path into its canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PathRules {
    /// Empty, `.` and `..` segments are folded away.
    pub(crate) normalise: bool,
    /// What is escaped already is escaped again.
    pub(crate) escape: bool,
}

impl PathRules {
    /// S3 and its kin: byte for byte.
    pub(crate) const AS_SENT: Self = Self { normalise: false, escape: false };
    /// All others.
    pub(crate) const FOLDED: Self = Self { normalise: true, escape: true };

    /// The rules of a service, by its signing name.
    pub(crate) fn of(service: &str) -> Self {
        if is_s3(service) { Self::AS_SENT } else { Self::FOLDED }
    }
}

/// The signing names under which a key is a path and a body's hash is always declared.
pub(crate) fn is_s3(service: &str) -> bool {
    matches!(service, "s3" | "s3-outposts" | "s3-object-lambda" | "s3express")
}

/// A query with an escape that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrokenEscape;

/// Everything that goes into a canonical request.
pub(crate) struct Canonical<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) rules: PathRules,
    pub(crate) query: &'a str,
    pub(crate) host: &'a [u8],
    /// The same again, as HTTP/2 has it.
    pub(crate) authority: &'a [u8],
    pub(crate) headers: &'a HeaderMap,
    /// Lower case, sorted, parted by `;`.
    pub(crate) signed_headers: &'a str,
    pub(crate) payload: &'a str,
}

impl Canonical<'_> {
    /// The text.
    pub(crate) fn text(&self) -> Result<Vec<u8>, BrokenEscape> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        path(self.path, self.rules, &mut out);
        out.push(b'\n');
        query(self.query, &mut out)?;
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            if name == AUTHORITY {
                value(self.authority, &mut out);
            } else if name == "host" {
                value(self.host, &mut out);
            } else {
                for (index, each) in self.headers.get_all(name).iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    value(each.as_bytes(), &mut out);
                }
            }
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload.as_bytes());
        Ok(out)
    }

    /// The hash of the text, in hexadecimal digits.
    pub(crate) fn hash(&self) -> Result<[u8; 64], BrokenEscape> {
        Ok(hex_of(&Sha256::digest(self.text()?).into()))
    }
}

/// A hash as text, without an allocation.
pub(crate) fn hex_of(hash: &[u8; 32]) -> [u8; 64] {
    let mut text = [b'0'; 64];
    // A hash of 32 bytes fills 64 digits exactly, so this cannot fail.
    let _ = hex::encode_to_slice(hash, &mut text);
    text
}

fn path(path: &str, rules: PathRules, out: &mut Vec<u8>) {
    let folded;
    let path = if rules.normalise && needs_folding(path) {
        folded = fold(path);
        folded.as_str()
    } else {
        path
    };
    if path.is_empty() {
        out.push(b'/');
    } else if rules.escape {
        for byte in path.bytes() {
            escape(byte, byte == b'/', out);
        }
    } else {
        out.extend_from_slice(path.as_bytes());
    }
}

fn needs_folding(path: &str) -> bool {
    path.contains("//") || path.contains("/.")
}

/// Folds empty, `.` and `..` segments away, as the SDKs do before they sign.
fn fold(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut folded = String::with_capacity(path.len());
    for segment in &kept {
        folded.push('/');
        folded.push_str(segment);
    }
    // A dot segment at the end leaves its slash behind (RFC 3986 section 5.2.4).
    if kept.is_empty() || matches!(path.rsplit('/').next(), Some("" | "." | "..")) {
        folded.push('/');
    }
    folded
}

fn query(query: &str, out: &mut Vec<u8>) -> Result<(), BrokenEscape> {
    if query.is_empty() {
        return Ok(());
    }
    let mut pairs = Vec::new();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        if name == "X-Amz-Signature" {
            continue;
        }
        pairs.push((reescape(name)?, reescape(value)?));
    }
    pairs.sort_unstable();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
    Ok(())
}

/// One escaping for one meaning: `~` and `%7e`, `+` and `%20` become the same text.
fn reescape(text: &str) -> Result<Vec<u8>, BrokenEscape> {
    let mut out = Vec::with_capacity(text.len() + 8);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let meant = match byte {
            b'+' => b' ',
            b'%' => {
                let high = bytes.next().and_then(nibble).ok_or(BrokenEscape)?;
                let low = bytes.next().and_then(nibble).ok_or(BrokenEscape)?;
                (high << 4) | low
            }
            other => other,
        };
        escape(meant, false, &mut out);
    }
    Ok(out)
}

pub(crate) fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn escape(byte: u8, as_is: bool, out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    if as_is || byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        out.push(byte);
        return;
    }
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
}

/// A header's value without outer blanks, and with each run of inner ones as a single blank.
fn value(value: &[u8], out: &mut Vec<u8>) {
    let mut blank = false;
    let start = out.len();
    for byte in value.trim_ascii() {
        if *byte == b' ' {
            blank = true;
            continue;
        }
        if blank && out.len() > start {
            out.push(b' ');
        }
        blank = false;
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(service: &str, target: &str, expected: Expect) {
        let (from, asked) = target.split_once('?').unwrap_or((target, ""));
        let mut out = Vec::new();
        path(from, PathRules::of(service), &mut out);
        out.push(b'?');
        match query(asked, &mut out) {
            Ok(()) => expected.assert_eq(str::from_utf8(&out).unwrap()),
            Err(BrokenEscape) => expected.assert_eq("broken escape"),
        }
    }

    #[test]
    fn a_key_of_s3_is_a_path_byte_for_byte() {
        check("s3", "/bucket/../X//./a%2Fb~", expect!["/bucket/../X//./a%2Fb~?"]);
    }

    #[test]
    fn other_paths_are_folded_and_escaped_again() {
        check("eks", "/a/../b//c/./d/", expect!["/b/c/d/?"]);
        check("eks", "/tags/arn%3Aaws", expect!["/tags/arn%253Aaws?"]);
        check("eks", "/..", expect!["/?"]);
        check("eks", "/a/b/..", expect!["/a/?"]);
        check("eks", "/a/b/.", expect!["/a/b/?"]);
        check("eks", "", expect!["/?"]);
        check("eks", "/a/.hidden", expect!["/a/.hidden?"]);
    }

    #[test]
    fn a_query_has_one_text_for_one_meaning() {
        check("ec2", "/?b=2&a=%7e&a=1&c", expect!["/?a=1&a=~&b=2&c="]);
        check("ec2", "/?a=x+y%20z&b=%2f%2B", expect!["/?a=x%20y%20z&b=%2F%2B"]);
        check("ec2", "/?a=1=2&&", expect!["/?a=1%3D2"]);
        check("ec2", "/?a=%zz", expect!["broken escape"]);
        check("ec2", "/?a=%2", expect!["broken escape"]);
    }

    #[test]
    fn blanks_in_a_value_count_once() {
        let mut out = Vec::new();
        value(b"  a   b  \"c   d\" ", &mut out);
        assert_eq!(out, b"a b \"c d\"");
    }
}
