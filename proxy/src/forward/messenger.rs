//! Connections to services that hand out credentials of the gate's own.
//!
//! Leaves out what such a service is asked (`upstream::secrets`).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use zeroize::Zeroizing;

use super::{Forwarder, OutBody};
use crate::held::OutgoingBody;

/// Connections to a service that hands out credentials of our own. It is no upstream: no request of an actor's is ever one
/// of these, and no upstream's connections are.
#[derive(Debug)]
pub struct Messenger(pub(super) Forwarder);

/// What such a service is asked.
#[derive(Debug)]
pub struct Asking {
    /// The whole URL.
    pub uri: Uri,
    /// Headers beside those of every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is posted, and of which type it is; without it something is got.
    pub body: Option<(&'static str, Zeroizing<String>)>,
}

impl Messenger {
    /// The status and the body of the answer. A redirect is one like any other: nothing is followed.
    ///
    /// # Errors
    /// Why there is no answer, without anything that was asked.
    pub async fn ask(&self, asking: Asking) -> Result<(StatusCode, Bytes), String> {
        let body = asking.body.as_ref().map(|(_, body)| Bytes::copy_from_slice(body.as_bytes()));
        let mut request = Request::new(OutBody::Whole(body.map(OutgoingBody::of).unwrap_or_default()));
        if let Some((kind, body)) = &asking.body {
            *request.method_mut() = Method::POST;
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            request.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        }
        self.0.asked(request, asking.uri, asking.headers).await
    }
}
