//! A request that leaves with a real credential as it is: in a header, or in the connection itself.
//!
//! Leaves out what is the same for every plane (`super`) and where the credential comes from (`upstream::plain`).

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST};
use http::request::Parts;
use http::uri::Uri;
use http::{HeaderValue, Request};

use super::{unsendable, whole};
use crate::fault::Fault;
use crate::forward::OutBody;
use crate::held::HeldBody;
use crate::upstream::{self, Header};

/// Puts the real credential in the place of the caller's, and the upstream's base before the path.
pub(super) fn make(
    (mut head, body): (Parts, HeldBody),
    accept: Option<HeaderValue>,
    credential: Option<&Header>,
    base: &Uri,
) -> Result<Request<OutBody>, Fault> {
    // The caller's own means nothing to the upstream, and is nobody else's business.
    head.headers.remove(AUTHORIZATION);
    if let Some((name, value)) = credential.map(Header::to_pair) {
        head.headers.insert(name, value);
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
    head.version = http::Version::HTTP_11;
    let body = match body {
        HeldBody::Whole(body) => whole(&mut head, body),
        // No room whose plane is reached like this has operations that are judged on a declared hash.
        HeldBody::Streaming(_) => return Err(unsendable(&"its body was not held")),
    };
    Ok(Request::from_parts(head, body))
}
