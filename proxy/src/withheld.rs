//! Answers from which something is withheld: passed on piece by piece, as far as the room has read them.
//!
//! Nothing of an answer is shown before it was read; what cannot be read ends it. Leaves out what is withheld, which the
//! rooms know.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Response, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame};
use ordain_action::{DecisionId, DenialKind, Undecodable};
use ordain_decode::{AnswerHead, Claim, Withholding};

use crate::fault::Fault;
use crate::gate::Gate;
use crate::payload::BodyError;
use crate::reply::ReplyBody;

/// Withholds from an answer what must stay here. Of an answer that cannot be read nothing reaches the caller, who is
/// refused; where some of it was shown already, it is broken off.
///
/// # Errors
/// A [`Fault`] where nothing of it may be shown.
pub async fn withhold(
    gate: &Arc<Gate>,
    claim: &Claim<'static>,
    id: DecisionId,
    response: Response<ReplyBody>,
) -> Result<Response<ReplyBody>, Fault> {
    // A refusal of the upstream's holds nothing, in whichever form it comes.
    let Some(room) = claim.withholding().filter(|_| response.status().is_success()) else {
        return Ok(response);
    };
    let (mut head, body) = response.into_parts();
    let told = |why| leaked(gate, id, why).with_decision(id);
    // Nothing stands in no answer, whatever it says of itself.
    if !body.is_end_stream() {
        let answer = AnswerHead { status: head.status.as_u16(), headers: &head.headers };
        room.begin(&answer).map_err(told)?;
    }
    let watches = room.watches();
    let (gate, claim) = (Arc::clone(gate), claim.clone());
    let mut shown = Shown { body, room, claim, gate, id, ready: None, over: false };
    if !watches {
        // What is refused before anything of it was shown is refused in the plane's own words.
        shown.ready = shown.first().await?;
    }
    head.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(head, shown.boxed_unsync()))
}

fn leaked(gate: &Gate, id: DecisionId, why: Undecodable) -> Fault {
    let text = "the answer may hold a credential of the cluster and cannot be read, and is withheld; tell the operator";
    let fault = Fault::new(DenialKind::Forbidden, "custody_leak", text).with_detail(why.text);
    gate.metrics.custody_leak(id, &fault.log_text());
    fault
}

/// What may be shown of an answer.
struct Shown {
    body: ReplyBody,
    room: Withholding,
    claim: Claim<'static>,
    gate: Arc<Gate>,
    id: DecisionId,
    /// What was read and is not sent yet.
    ready: Option<Frame<Bytes>>,
    over: bool,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("room", &self.room).finish_non_exhaustive()
    }
}

/// Why nothing more is shown.
enum Ended {
    Unreadable(Undecodable),
    Broken(BodyError),
}

impl Shown {
    /// The first that may be shown, if there is any.
    async fn first(&mut self) -> Result<Option<Frame<Bytes>>, Fault> {
        match std::future::poll_fn(|context| self.poll_shown(context)).await {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame)),
            Some(Err(Ended::Unreadable(why))) => Err(leaked(&self.gate, self.id, why).with_decision(self.id)),
            Some(Err(Ended::Broken(error))) => {
                let text = "the control plane's answer could not be read whole; try again";
                let fault = Fault::new(DenialKind::BadGateway, "answer_broken", text).with_detail(error);
                Err(fault.with_decision(self.id))
            }
        }
    }

    fn poll_shown(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        if let Some(frame) = self.ready.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
        while !self.over {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                None => {
                    self.over = true;
                    return Poll::Ready(self.room.end().err().map(|why| Err(Ended::Unreadable(why))));
                }
                Some(Err(error)) => {
                    self.over = true;
                    return Poll::Ready(Some(Err(Ended::Broken(error))));
                }
                Some(Ok(frame)) => frame,
            };
            // Trailers are the upstream's, and nobody reads them.
            let Ok(data) = frame.into_data() else { continue };
            let mut shown = Vec::with_capacity(data.len());
            let taken = self.room.take(&data, &mut shown);
            self.over = taken.is_err();
            match taken {
                Err(why) => return Poll::Ready(Some(Err(Ended::Unreadable(why)))),
                Ok(()) if shown.is_empty() => {}
                Ok(()) => return Poll::Ready(Some(Ok(Frame::data(Bytes::from(shown))))),
            }
        }
        Poll::Ready(None)
    }
}

impl Body for Shown {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        Poll::Ready(match ready!(this.poll_shown(context)) {
            None => None,
            Some(Ok(frame)) => Some(Ok(frame)),
            Some(Err(Ended::Broken(error))) => Some(Err(error)),
            Some(Err(Ended::Unreadable(why))) => {
                let fault = leaked(&this.gate, this.id, why).with_decision(this.id);
                if this.room.watches() {
                    Some(Ok(Frame::data(Bytes::from(this.claim.last_event(&fault.denial())))))
                } else {
                    Some(Err(fault.log_text().into()))
                }
            }
        })
    }
}
