//! The head of a request as a room sees it.
//!
//! Leaves out framing, which the guard has settled before any room is asked.

use http::HeaderMap;
use ordain_action::Plane;

/// How a request came in, which decides what its host says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WayIn {
    /// To a listener of ours under a name of ours: the host says nothing about the upstream.
    Reverse,
    /// To the provider's own name, through CONNECT or a redirect: the host is evidence, and must agree.
    Egress,
}

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The method, as received.
    pub method: &'a str,
    /// Path and query, exactly as received.
    pub target: &'a str,
    /// Host and port, as received.
    pub authority: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// How it came in.
    pub way_in: WayIn,
    /// The plane that configuration serves at the place it came to, or that its credential is bound to; none where the
    /// head alone has to say.
    pub plane: Option<Plane>,
    /// The upstream of that plane, where it is known before its sender is.
    pub upstream: Option<&'a str>,
}

impl<'a> Head<'a> {
    /// The one value of a header, when there is exactly one and it is visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        let only = values.next()?;
        if values.next().is_some() {
            return None;
        }
        only.to_str().ok()
    }

    /// The host without its port.
    #[must_use]
    pub fn host(&self) -> &'a str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            Some(_) | None => self.authority,
        }
    }
}
