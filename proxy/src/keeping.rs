//! A body that keeps something for as long as it lasts: a place among requests, on a connection, in a count.
//!
//! Leaves out what is kept.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// A body, and what is given up once it is dropped.
    #[derive(Debug)]
    pub struct Keeping<B, K> {
        #[pin]
        body: B,
        _kept: K,
    }
}

impl<B, K> Keeping<B, K> {
    /// Keeps something for as long as the body lasts.
    #[must_use]
    pub const fn new(body: B, kept: K) -> Self {
        Self { body, _kept: kept }
    }
}

impl<B: Body, K> Body for Keeping<B, K> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
