//! Connections to services that hand out credentials of the gate's own, and to those that it tells something.
//!
//! Leaves out what such a service is asked (`upstream::secrets`) or told (`holds::notices`).

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use zeroize::Zeroizing;

use super::{Forwarder, OutBody};
use crate::answer::HeldAnswer;
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
    /// What of it.
    pub asks: Asks,
}

/// What becomes of what a URL names.
#[derive(Debug)]
pub enum Asks {
    /// It is got.
    Get,
    /// This is posted there, of this type.
    Post(&'static str, Zeroizing<String>),
    /// It is ended: a session that the service gave us.
    End,
}

impl Messenger {
    /// The answer. A redirect is one like any other: nothing is followed.
    ///
    /// # Errors
    /// Why there is no answer, without anything that was asked.
    pub async fn ask(&self, asking: Asking) -> Result<HeldAnswer, String> {
        let Asking { uri, headers, asks } = asking;
        self.0.asked(written(&asks), uri, headers).await
    }

    /// The head of the answer. Of its body nothing is read, however long it is.
    ///
    /// # Errors
    /// As [`Messenger::ask`].
    pub async fn tell(&self, asking: Asking) -> Result<Parts, String> {
        let Asking { uri, headers, asks } = asking;
        Ok(self.0.begun(written(&asks), uri, headers).await?.into_parts().0)
    }
}

/// What is sent.
fn written(asks: &Asks) -> Request<OutBody> {
    let mut request = Request::new(OutBody::Whole(OutgoingBody::default()));
    match asks {
        Asks::Get => {}
        Asks::End => *request.method_mut() = Method::DELETE,
        Asks::Post(kind, body) => {
            *request.method_mut() = Method::POST;
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            request.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
            *request.body_mut() = OutBody::Whole(OutgoingBody::of(Bytes::copy_from_slice(body.as_bytes())));
        }
    }
    request
}
