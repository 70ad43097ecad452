//! A request that leaves with a real credential as it is: in a header, or in the connection itself.
//!
//! Leaves out what is the same for every plane (`super`) and where the credential comes from (`upstream::plain`).

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HOST, TE};
use http::request::Parts;
use http::uri::Uri;
use http::{HeaderValue, Request};

use super::{unsendable, whole};
use crate::fault::Fault;
use crate::forward::OutBody;
use crate::held::HeldBody;
use crate::keys::token;
use crate::payload::PassingBody;
use crate::upstream::{self, Carried};

/// The base URL of one of a provider's hosts.
///
/// # Errors
/// The destination names none.
pub(super) fn provider(host: &str) -> Result<Uri, Fault> {
    if host.is_empty() {
        return Err(unsendable(&"its plane has no host of its provider's for it"));
    }
    format!("https://{host}/").parse().map_err(|error| unsendable(&error))
}

/// Puts the real credential in the place of the caller's, unless that is what goes on, and the upstream's base before the
/// path.
pub(super) fn make(
    (mut head, body): (Parts, HeldBody),
    (accept, is_grpc): (Option<HeaderValue>, bool),
    carried: &Carried,
    base: &Uri,
) -> Result<Request<OutBody>, Fault> {
    // The caller's own means nothing to the upstream, and is nobody else's business.
    let own = head.headers.remove(AUTHORIZATION);
    if !matches!(carried, Carried::Own) {
        // A session of theirs would be a second credential beside ours.
        head.headers.remove(COOKIE);
    }
    match (carried, own) {
        (Carried::Header(header), _) => {
            let (name, value) = header.to_pair();
            head.headers.insert(name, value);
        }
        (Carried::Connection, _) => {}
        // INVARIANT: no token of ours leaves, whatever was made of it before.
        (Carried::Own, Some(mut value)) if !token::is_in(value.as_bytes()) => {
            value.set_sensitive(true);
            head.headers.insert(AUTHORIZATION, value);
        }
        (Carried::Own, _) => return Err(unsendable(&"it has no credential of its own that may leave")),
    }
    if let Some(accept) = accept {
        head.headers.insert(ACCEPT, accept);
        head.headers.remove(ACCEPT_ENCODING);
    }
    let host = base.authority().ok_or_else(|| unsendable(&"its upstream has no host"))?;
    let host = HeaderValue::from_str(host.as_str()).map_err(|error| unsendable(&error))?;
    head.headers.insert(HOST, host);
    let received = head.uri.path_and_query().map_or("/", |target| target.as_str());
    head.uri = upstream::at(base, received).map_err(|error| unsendable(&error))?;
    if is_grpc {
        // Without it servers of gRPC take their client for a proxy that loses what comes behind a body.
        head.headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    head.version = http::Version::HTTP_11;
    let body = match body {
        HeldBody::Whole(body) => whole(&mut head, body),
        HeldBody::Streaming(arriving) => OutBody::Passing(Box::new(PassingBody(arriving))),
    };
    Ok(Request::from_parts(head, body))
}
