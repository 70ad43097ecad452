//! Several bodies in one (RFC 2046), read strictly: what two readers could cut in two ways is refused.
//!
//! Lines may end in a line feed alone, as Google's own Python client writes them. Leaves out what the parts mean.

use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memmem;
use ordain_action::Undecodable;

/// The most parts that are read; Google takes a hundred of most APIs, and a thousand of some.
const PARTS_MAX: usize = 1_000;

/// One of the bodies, with its own headers.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) headers: HeaderMap,
    pub(super) body: &'a [u8],
}

impl Piece<'_> {
    /// Its media type, in lower case and without parameters.
    pub(super) fn media(&self) -> String {
        let value =
            self.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// The boundary that a content type names, where its media type is the one wanted.
///
/// # Errors
/// It is another type, or names none.
pub(super) fn boundary<'a>(content_type: Option<&'a str>, wanted: &str) -> Result<&'a str, Undecodable> {
    let value = content_type.unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    if !parts.next().unwrap_or_default().eq_ignore_ascii_case(wanted) {
        return Err(bad(&format!("is not of the type `{wanted}`")));
    }
    let mut found = None;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        if name.trim().eq_ignore_ascii_case("boundary")
            && found.replace(value.trim().trim_matches('"')).is_some()
        {
            return Err(bad("names two boundaries"));
        }
    }
    let fits = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
        (1..=70).contains(&text.len()) && text.bytes().all(allowed)
    };
    found.filter(fits).ok_or_else(|| bad("names no boundary as RFC 2046 has it"))
}

/// Cuts a body into its parts.
///
/// # Errors
/// Something stands before the first or after the last, a line only begins as a boundary does, or a part has no head.
pub(super) fn pieces<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Piece<'a>>, Undecodable> {
    let mark = format!("--{boundary}");
    let start = body.strip_prefix(b"\r\n").or_else(|| body.strip_prefix(b"\n")).unwrap_or(body);
    let mut rest =
        start.strip_prefix(mark.as_bytes()).ok_or_else(|| bad("does not begin with its boundary"))?;
    let line = format!("\n{mark}");
    let finder = memmem::Finder::new(line.as_bytes());
    let mut pieces = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            let blank = end.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            return if blank { Ok(pieces) } else { Err(bad("goes on after its last boundary")) };
        }
        rest = newline(rest).ok_or_else(|| bad("has a line that only begins as its boundary does"))?;
        let at = finder.find(rest).ok_or_else(|| bad("is cut short"))?;
        let (piece, after) = rest.split_at_checked(at).ok_or_else(|| bad("is cut short"))?;
        if pieces.len() >= PARTS_MAX {
            return Err(Undecodable::new(
                "batch_too_large",
                "the batch has too many parts; send fewer at a time",
            ));
        }
        pieces.push(cut(piece.strip_suffix(b"\r").unwrap_or(piece))?);
        rest = after.get(line.len()..).unwrap_or_default();
    }
}

/// A head of `name: value` lines, an empty line, and the rest.
pub(super) fn cut(piece: &[u8]) -> Result<Piece<'_>, Undecodable> {
    let mut headers = HeaderMap::new();
    let mut rest = piece;
    loop {
        if let Some(body) = newline(rest) {
            return Ok(Piece { headers, body });
        }
        if rest.is_empty() {
            return Ok(Piece { headers, body: rest });
        }
        let (line, after) = match memchr::memchr(b'\n', rest) {
            Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default()),
            None => (rest, [].as_slice()),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let at = memchr::memchr(b':', line).ok_or_else(|| bad("has a part whose head cannot be read"))?;
        let (name, value) =
            line.split_at_checked(at).ok_or_else(|| bad("has a part whose head cannot be read"))?;
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let name = HeaderName::from_bytes(name).map_err(|_| bad("has a part whose head cannot be read"))?;
        let value =
            HeaderValue::from_bytes(value).map_err(|_| bad("has a part whose head cannot be read"))?;
        if headers.insert(&name, value).is_some() {
            return Err(bad(&format!("has a part with `{name}` twice")));
        }
        let encoding = headers.get("content-transfer-encoding").map(HeaderValue::as_bytes);
        if encoding.is_some_and(|encoding| {
            !matches!(encoding.to_ascii_lowercase().as_slice(), b"binary" | b"7bit" | b"8bit")
        }) {
            return Err(bad("has a part that is encoded"));
        }
        rest = after;
    }
}

fn newline(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"\r\n").or_else(|| text.strip_prefix(b"\n"))
}

pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_multipart", format!("the body {what}; send it as RFC 2046 has it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Result<&[&str], &str>) {
        let read = pieces(body.as_bytes(), "b");
        let read = read
            .as_ref()
            .map(|pieces| pieces.iter().map(|piece| std::str::from_utf8(piece.body).unwrap()).collect());
        let read: Result<Vec<_>, _> = read.map_err(|why| why.text.as_str());
        match expected {
            Ok(expected) => assert_eq!(read.as_deref(), Ok(expected), "{body:?}"),
            Err(what) => assert!(read.as_ref().is_err_and(|why| why.contains(what)), "{body:?}: {read:?}"),
        }
    }

    #[test]
    fn parts_are_cut_in_one_way_alone() {
        check("--b\na: 1\n\nx\n--b\n\ny\n--b--", Ok(&["x", "y"]));
        check("\r\n--b\r\na: 1\r\n\r\nx\r\n--b--\r\n", Ok(&["x"]));
        check("--b\n\nx --b\n--b--", Ok(&["x --b"]));
        check("--b--", Ok(&[]));
        check("hello\n--b\n\nx\n--b--", Err("does not begin"));
        check("--b\n\nx\n--b--\n--b\n\ny\n--b--", Err("goes on after"));
        check("--b\n\nx\n--bc\n\ny\n--b--", Err("only begins"));
        check("--b\n\nx", Err("cut short"));
        check("--b\na\n\nx\n--b--", Err("head cannot be read"));
        check("--b\na: 1\na: 2\n\nx\n--b--", Err("twice"));
        check("--b\ncontent-transfer-encoding: base64\n\nx\n--b--", Err("encoded"));
    }

    #[test]
    fn a_boundary_is_named_once() {
        let of = |value| boundary(Some(value), "multipart/mixed").ok();
        assert_eq!(of("multipart/mixed; boundary=\"==x==\""), Some("==x=="));
        assert_eq!(of("Multipart/Mixed; boundary=x"), Some("x"));
        for other in [
            "multipart/mixed",
            "multipart/mixed; boundary=a; boundary=b",
            "multipart/related; boundary=x",
            "multipart/mixed; boundary=\"a b\"",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
