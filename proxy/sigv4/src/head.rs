//! The head of a request as a signature sees it.
//!
//! Leaves out framing, which is settled before a signature is looked at.

use http::HeaderMap;

use crate::Refusal;

/// What HTTP/2 carries in place of the `host` header (RFC 9113 section 8.3.1): the SDK for JavaScript signs it under this
/// name where it speaks HTTP/2, and AWS takes it.
pub(crate) const AUTHORITY: &str = ":authority";

/// The head of a request, as received.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query, byte for byte.
    pub target: &'a str,
    /// Host and port; what HTTP/2 carries in place of the `host` header.
    pub authority: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

impl<'a> Head<'a> {
    /// The path, as received.
    pub(crate) fn path(&self) -> &'a str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The query without its `?`, as received; empty when there is none.
    pub(crate) fn query(&self) -> &'a str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The value of a header that may stand there once.
    pub(crate) fn once(&self, name: &'static str) -> Result<Option<&'a str>, Refusal> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Refusal::malformed(format!("the header `{name}` is given twice; give it once")));
        }
        let text = value.to_str();
        text.map(Some).map_err(|_| {
            Refusal::malformed(format!("the header `{name}` is not ASCII; send visible ASCII only"))
        })
    }
}
