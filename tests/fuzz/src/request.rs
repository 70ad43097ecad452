//! A request as text, as the room's own cases write it: a line of method and target, headers, an empty line, the
//! body.
//!
//! Leaves out what is wrong with a head on the wire: the guard has seen to that before any room is asked.

use http::{HeaderMap, HeaderName, HeaderValue};

/// A request in parts.
#[derive(Debug)]
pub struct Request<'d> {
    /// The method.
    pub method: &'d str,
    /// Path and query.
    pub target: &'d str,
    /// Host and port.
    pub authority: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: &'d [u8],
}

impl<'d> Request<'d> {
    /// Reads one; `None` for bytes that no listener would hand on.
    #[must_use]
    pub fn parse(data: &'d [u8]) -> Option<Self> {
        let cut = data.windows(2).position(|two| two == b"\n\n");
        let (head, body) = match cut {
            Some(at) => (&data[..at], &data[at + 2..]),
            None => (data, &[][..]),
        };
        let mut lines = std::str::from_utf8(head).ok()?.split('\n');
        let (method, target) = lines.next()?.split_once(' ')?;
        let mut headers = HeaderMap::new();
        for line in lines.take(90) {
            let (name, value) = line.split_once(": ")?;
            let signed;
            let (name, value) = if name == "sign" {
                signed = format!(
                    "AWS4-HMAC-SHA256 Credential=AKID/20260101/{value}/aws4_request, SignedHeaders=host, Signature=0"
                );
                ("authorization", signed.as_str())
            } else {
                (name, value)
            };
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            headers.append(name, HeaderValue::from_str(value).ok()?);
        }
        let known = matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS");
        // The guard hands on no target with a byte that is not visible ASCII, and no fragment.
        let plain =
            target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !known || !plain {
            return None;
        }
        let authority =
            headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("gate.internal:8080");
        Some(Self { method, target, authority: authority.to_owned(), headers, body })
    }
}
