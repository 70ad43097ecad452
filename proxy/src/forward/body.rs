//! A body on its way upstream, and what is known of it when its request fails.
//!
//! Leaves out how it is held, verified and signed.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame, SizeHint};

use crate::held::OutgoingBody;
use crate::payload::{BodyError, BrokenOff, PassingBody, PayloadBody};

/// A body on its way upstream.
#[derive(Debug)]
pub enum OutBody {
    /// Held whole.
    Whole(OutgoingBody),
    /// Verified and signed again as it arrives.
    Streaming(Box<PayloadBody>),
    /// Passed on as it arrives.
    Passing(Box<PassingBody>),
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Streaming(body) => Pin::new(body).poll_frame(context),
            Self::Passing(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Streaming(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Streaming(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
        }
    }
}

/// The same request, where its body is held.
pub(super) fn copied(request: &Request<OutBody>) -> Option<Request<OutBody>> {
    let OutBody::Whole(body) = request.body() else { return None };
    let mut copy = Request::new(OutBody::Whole(body.clone()));
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    *copy.version_mut() = request.version();
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

/// Why a body was broken off, once it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Broken(Option<Arc<OnceLock<BrokenOff>>>);

impl Broken {
    pub(super) fn get(&self) -> Option<&BrokenOff> {
        self.0.as_ref()?.get()
    }
}

/// A body that notes why it was broken off: over HTTP/2 nothing else tells its request.
#[derive(Debug)]
pub(super) struct Noting {
    body: OutBody,
    broken: Broken,
}

impl Noting {
    /// That of a request, and what it notes. What is held whole is never broken off.
    pub(super) fn of(request: Request<OutBody>) -> (Request<Self>, Broken) {
        let broken = match request.body() {
            OutBody::Whole(_) => Broken::default(),
            OutBody::Streaming(_) | OutBody::Passing(_) => Broken(Some(Arc::default())),
        };
        let kept = broken.clone();
        (request.map(|body| Self { body, broken }), kept)
    }
}

impl Body for Noting {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if let (Poll::Ready(Some(Err(error))), Some(broken)) = (&polled, &this.broken.0)
            && let Some(why) = BrokenOff::behind(error.as_ref())
        {
            // The first is why.
            let _known = broken.set(why);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
