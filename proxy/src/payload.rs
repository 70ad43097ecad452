//! A body that streams: verified as it arrives and signed again as it leaves, or passed as it comes, at flat memory.
//!
//! Leaves out how it is verified and signed (`ordain-sigv4`).

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ordain_action::DenialKind;
use ordain_sigv4::{ChunkRefusal, PayloadStream};

use crate::listen::{self, RequestBody};

/// Why a body ended early, in words.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body that was broken off before its end: it stopped arriving, or is not what was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct BrokenOff {
    /// The sort of denial, and so the status.
    pub kind: DenialKind,
    /// The machine-readable reason.
    pub reason_code: &'static str,
    /// What is wrong with it, for the caller.
    pub text: String,
}

impl BrokenOff {
    /// The one that an error came of, if it did.
    pub(crate) fn behind(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(broken) = error.downcast_ref::<Self>() {
                return Some(broken.clone());
            }
            cause = error.source();
        }
        None
    }
}

/// A body on its way through. An error breaks the upstream request off before the body is complete.
#[derive(Debug)]
pub struct PayloadBody {
    arriving: RequestBody,
    // None once the incoming body was verified to its end.
    stream: Option<PayloadStream>,
    leaving: VecDeque<Bytes>,
    length: Option<u64>,
}

impl PayloadBody {
    /// A body of `length` bytes as it leaves, where that is known.
    #[must_use]
    pub fn new(arriving: RequestBody, stream: PayloadStream, length: Option<u64>) -> Self {
        Self { arriving, stream: Some(stream), leaving: VecDeque::new(), length }
    }
}

/// A body that passes as it comes.
#[derive(Debug)]
pub struct PassingBody(pub RequestBody);

impl Body for PassingBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.get_mut().0).poll_frame(context).map_err(|error| stopped(&error).into())
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

fn stopped(error: &listen::BodyError) -> BrokenOff {
    BrokenOff { kind: error.kind(), reason_code: error.reason_code(), text: error.to_string() }
}

fn refused(refusal: &ChunkRefusal) -> BrokenOff {
    BrokenOff { kind: DenialKind::Malformed, reason_code: refusal.reason_code(), text: refusal.to_string() }
}

impl Body for PayloadBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(piece) = self.leaving.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let Some(mut stream) = self.stream.take() else { return Poll::Ready(None) };
            let mut out = Vec::new();
            let arrived = match Pin::new(&mut self.arriving).poll_frame(context) {
                Poll::Pending => {
                    self.stream = Some(stream);
                    return Poll::Pending;
                }
                Poll::Ready(arrived) => arrived,
            };
            match arrived {
                // The stream stays taken on every error: what follows is nothing, and never the rest.
                Some(Err(error)) => return Poll::Ready(Some(Err(stopped(&error).into()))),
                Some(Ok(frame)) => {
                    // Trailers of the connection are not those of the payload, and go nowhere.
                    if let Ok(piece) = frame.into_data() {
                        stream.push(piece, &mut out).map_err(|refusal| refused(&refusal))?;
                    }
                    self.stream = Some(stream);
                }
                None => stream.finish(&mut out).map_err(|refusal| refused(&refusal))?,
            }
            self.leaving.extend(out);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_none() && self.leaving.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
