//! The guard of HTTP/2, and what both versions are brought to before they take the one path.
//!
//! HTTP/2 frames cannot be misread as lines can, but its fields can still say two things: they keep the
//! rules that HTTP/1 fields keep. Leaves out the bytes of HTTP/1 (`connection.rs`).

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderValue, request};
use ordain_decode::form::http1::{Fields, ProxyRefusal, Wire, check_path, host_name, is_host, is_method};

use super::{ConnectionInfo, GuardRefusal, WayIn};

/// Checks the head of an HTTP/2 request.
///
/// # Errors
/// [`GuardRefusal`] for the first rule it breaks.
pub fn guard(parts: &request::Parts) -> Result<(), GuardRefusal> {
    if !is_method(parts.method.as_str().as_bytes()) {
        return Err(GuardRefusal::Method);
    }
    let path = parts.uri.path_and_query().ok_or(GuardRefusal::Target)?;
    check_path(path.as_str().as_bytes())?;
    let mut fields = Fields::new(Wire::Http2);
    for (name, value) in &parts.headers {
        fields.see(name.as_str().as_bytes(), value.as_bytes())?;
    }
    let host = fields.finish()?.host;
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    match (authority, host) {
        (None, None) => Err(GuardRefusal::HostMissing),
        (Some(authority), _) if !is_host(authority) => Err(GuardRefusal::HostInvalid),
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => {
            Err(GuardRefusal::HostDisagrees)
        }
        (Some(_), _) | (None, Some(_)) => Ok(()),
    }
}

/// Brings a clean head to one form: the path alone as target, and the host in `host`.
///
/// # Errors
/// [`GuardRefusal`] when the name of the TLS handshake, or the one that was tunnelled to, is another than `host`.
pub(super) fn settle(parts: &mut request::Parts, connection: &ConnectionInfo) -> Result<(), GuardRefusal> {
    let is_url = parts.uri.scheme() == Some(&Scheme::HTTP);
    if let Some(authority) = parts.uri.authority() {
        if !parts.headers.contains_key(HOST) {
            let host = host_value(authority)?;
            parts.headers.insert(HOST, host);
        }
        let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        parts.uri = Uri::from(path);
    }
    let host =
        parts.headers.get(HOST).and_then(|host| host.to_str().ok()).ok_or(GuardRefusal::HostMissing)?;
    let port = if connection.tls.is_some() { 443 } else { 80 };
    match &connection.way_in {
        WayIn::Tunnel(target, port) if !names(host, target, *port, port == &443) => {
            return Err(GuardRefusal::HostDisagrees);
        }
        WayIn::Transparent(Some(target)) if !names(host, target, port, true) => {
            return Err(GuardRefusal::HostDisagrees);
        }
        WayIn::Forward if !is_url => return Err(GuardRefusal::Proxy(ProxyRefusal::NotAbsolute)),
        WayIn::Reverse | WayIn::Tunnel(..) | WayIn::Forward | WayIn::Transparent(_) => {}
    }
    let promised = connection.tls.as_ref().and_then(|tls| tls.server_name.as_deref());
    match promised {
        Some(promised) if !promised.eq_ignore_ascii_case(host_name(host)) => {
            Err(GuardRefusal::ServerNameDisagrees)
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether `host` is a name and a port, which may be left out where its scheme has it anyway.
fn names(host: &str, name: &str, port: u16, implied: bool) -> bool {
    let (own, rest) = host.split_at_checked(name.len()).unwrap_or((host, ""));
    let same_port = if rest.is_empty() {
        implied
    } else {
        rest.strip_prefix(':').and_then(|own| own.parse().ok()) == Some(port)
    };
    own.eq_ignore_ascii_case(name) && same_port
}

fn host_value(authority: &Authority) -> Result<HeaderValue, GuardRefusal> {
    HeaderValue::from_str(authority.as_str()).map_err(|_| GuardRefusal::HostInvalid)
}
