//! The contract of a room: claim a request from its head, read it, deny it in the plane's own words.
//!
//! Leaves out which rooms there are (`rooms.rs`) and what each of them knows.

use http::{HeaderMap, HeaderValue};
use ordain_action::{Call, Created, Denial, Plane, Reading, Undecodable, Upstream};

use crate::Head;
use crate::answer::{AnswerHead, AnswerRead, Events, MintedCredentials, Misplaced, Replacement};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::kubernetes::Withholding;
use crate::{aws, grpc, kubernetes};

/// A request that a room has claimed.
#[derive(Debug, Clone)]
pub struct Claim<'r> {
    room: Claimed<'r>,
}

/// One variant a room, in alphabetical order.
#[derive(Debug, Clone)]
enum Claimed<'r> {
    Aws(aws::Claim<'r>),
    Grpc(grpc::Claim<'r>),
    Kubernetes(kubernetes::Claim<'r>),
}

impl<'r> Claim<'r> {
    pub(crate) const fn aws(claim: aws::Claim<'r>) -> Self {
        Self { room: Claimed::Aws(claim) }
    }

    pub(crate) const fn grpc(claim: grpc::Claim<'r>) -> Self {
        Self { room: Claimed::Grpc(claim) }
    }

    pub(crate) const fn kubernetes(claim: kubernetes::Claim<'r>) -> Self {
        Self { room: Claimed::Kubernetes(claim) }
    }

    /// The plane whose room it is.
    #[must_use]
    pub const fn plane(&self) -> Plane {
        match &self.room {
            Claimed::Aws(_) => Plane::Aws,
            Claimed::Grpc(_) => Plane::Grpc,
            Claimed::Kubernetes(_) => Plane::Kubernetes,
        }
    }

    /// What has to be in hand before [`Claim::decode`].
    #[must_use]
    pub fn needs(&self) -> Needs {
        match &self.room {
            Claimed::Aws(claim) => claim.needs(),
            Claimed::Grpc(claim) => claim.needs(),
            Claimed::Kubernetes(claim) => claim.needs(),
        }
    }

    /// Says exactly what the request would do, or that this cannot be said.
    ///
    /// `body` is the whole body as sent, or empty where [`Needs::Payload`] or [`Needs::Stream`] is streamed; `payload_sha256` is the
    /// hash of the body, declared or computed, in hexadecimal digits.
    #[must_use]
    pub fn decode(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
        body: &[u8],
        payload_sha256: Option<&str>,
    ) -> Reading {
        let read = match &self.room {
            Claimed::Aws(claim) => claim.decode(upstream, head, body, payload_sha256),
            Claimed::Grpc(claim) => claim.decode(upstream, body),
            Claimed::Kubernetes(claim) => claim.decode(upstream, head, body),
        };
        match read {
            Ok(call) => Reading::Call(call),
            Err(why) => Reading::Undecodable { plane: self.plane(), why },
        }
    }

    /// A refusal that the plane's own clients raise as their own error and do not retry.
    #[must_use]
    pub fn deny(&self, denial: &Denial) -> NativeResponse {
        match &self.room {
            Claimed::Aws(claim) => claim.deny(denial),
            Claimed::Grpc(claim) => claim.deny(denial),
            Claimed::Kubernetes(claim) => claim.deny(denial),
        }
    }

    /// Tells a caller, in an answer that was let through, what enforce would have said: by the header that the plane's
    /// own clients show to people, where it has one.
    pub fn warn(&self, headers: &mut HeaderMap, text: &str) {
        match &self.room {
            Claimed::Aws(_) | Claimed::Grpc(_) => {}
            Claimed::Kubernetes(_) => kubernetes::warn(headers, text),
        }
    }

    /// Where the call has to be sent.
    ///
    /// # Errors
    /// No host of the provider serves the service decided, in the region named.
    pub fn destination(&self, upstream: &Upstream, call: &Call) -> Result<Destination, Undecodable> {
        match &self.room {
            Claimed::Aws(claim) => claim.destination(upstream, call),
            Claimed::Grpc(claim) => claim.destination(),
            Claimed::Kubernetes(claim) => claim.destination(),
        }
    }

    /// Where a request has to be sent that could not be read, in modes that let it pass.
    ///
    /// # Errors
    /// The head does not name one service alone, in a region that has it: it goes nowhere then.
    pub fn destination_unread(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
    ) -> Result<Destination, Undecodable> {
        match &self.room {
            Claimed::Aws(claim) => claim.destination_unread(upstream, head),
            Claimed::Grpc(claim) => claim.destination_unread(upstream),
            Claimed::Kubernetes(claim) => claim.destination_unread(),
        }
    }

    /// What has to be withheld from the answer, whatever is made of the request; `None` where it passes as it is.
    #[must_use]
    pub fn withholding(&self) -> Option<Withholding> {
        match &self.room {
            Claimed::Aws(_) | Claimed::Grpc(_) => None,
            Claimed::Kubernetes(claim) => claim.withholding(),
        }
    }

    /// The form to ask for an answer in, where something is withheld from it: of those that the caller asks for, those
    /// that are read here.
    #[must_use]
    pub fn accept(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        match &self.room {
            Claimed::Aws(_) | Claimed::Grpc(_) => None,
            Claimed::Kubernetes(claim) => claim.accept(headers),
        }
    }

    /// What a body would do to a credential that is withheld from answers: it must not leave then, in any mode.
    #[must_use]
    pub fn misplaces(&self, body: &[u8]) -> Option<Misplaced> {
        match &self.room {
            Claimed::Aws(_) | Claimed::Grpc(_) => None,
            Claimed::Kubernetes(claim) => claim.misplaces(body),
        }
    }

    /// Whether a success goes on until somebody ends it: then its head says all that there is to know of the request.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match &self.room {
            Claimed::Aws(_) | Claimed::Grpc(_) => false,
            Claimed::Kubernetes(claim) => claim.goes_on(),
        }
    }

    /// The events that a success is, where it is some.
    #[must_use]
    pub fn events(&self, head: &AnswerHead<'_>) -> Option<Events> {
        match &self.room {
            Claimed::Aws(claim) => claim.events(head),
            Claimed::Grpc(_) | Claimed::Kubernetes(_) => None,
        }
    }

    /// What ends such an answer where nothing more of it may be shown, as the plane itself ends one.
    #[must_use]
    pub fn last_event(&self, denial: &Denial) -> Vec<u8> {
        match &self.room {
            Claimed::Aws(_) | Claimed::Grpc(_) => Vec::new(),
            Claimed::Kubernetes(claim) => claim.last_event(denial),
        }
    }

    /// Whether an answer that begins as a success may end in an error: then its body says which it is.
    #[must_use]
    pub fn may_fail_late(&self, call: &Call) -> bool {
        match &self.room {
            Claimed::Aws(_) => aws::may_fail_late(call),
            Claimed::Grpc(_) | Claimed::Kubernetes(_) => false,
        }
    }

    /// The upstream's own name for the request, and its error code where the answer is an error naming one. Trailers
    /// are there where the answer ended in some.
    #[must_use]
    pub fn read_answer(
        &self,
        answer: &AnswerHead<'_>,
        body: &[u8],
        trailers: Option<&HeaderMap>,
    ) -> AnswerRead {
        match &self.room {
            Claimed::Aws(claim) => claim.read_answer(answer, body),
            Claimed::Grpc(_) => grpc::Claim::read_answer(answer, trailers),
            Claimed::Kubernetes(claim) => claim.read_answer(answer, body),
        }
    }

    /// The identifiers of what the call created, as its answer tells them.
    #[must_use]
    pub fn read_created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        match &self.room {
            Claimed::Aws(claim) => claim.read_created(call, answer, body),
            Claimed::Grpc(_) => Vec::new(),
            Claimed::Kubernetes(claim) => claim.read_created(call, answer, body),
        }
    }

    /// The credentials that the answer hands out.
    ///
    /// # Errors
    /// The answer should carry credentials and they cannot be found exactly: it must not reach the caller.
    pub fn find_credentials(
        &self,
        call: &Call,
        answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Option<MintedCredentials>, Undecodable> {
        match &self.room {
            Claimed::Aws(claim) => {
                claim.find_credentials(call, answer, body).map(|found| found.map(MintedCredentials::KeyPair))
            }
            // What hands out credentials is denied before it is asked.
            Claimed::Grpc(_) => Ok(None),
            Claimed::Kubernetes(claim) => {
                claim.find_credentials(call, answer, body).map(|found| found.map(MintedCredentials::Bearer))
            }
        }
    }

    /// The answer's body with other credentials in the place of those found.
    ///
    /// # Errors
    /// They cannot be replaced exactly: the answer must not reach the caller.
    pub fn replace_credentials(
        &self,
        found: &MintedCredentials,
        replacement: &Replacement<'_>,
        answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Vec<u8>, Undecodable> {
        match (&self.room, found, replacement) {
            (Claimed::Aws(claim), MintedCredentials::KeyPair(found), Replacement::KeyPair(ours)) => {
                claim.replace_credentials(found, ours, answer, body)
            }
            (Claimed::Kubernetes(claim), MintedCredentials::Bearer(found), Replacement::Bearer(ours)) => {
                claim.replace_credentials(found, ours, body)
            }
            (Claimed::Aws(_) | Claimed::Grpc(_) | Claimed::Kubernetes(_), _, _) => Err(Undecodable::new(
                "credentials_not_found",
                "the credential in the answer is of another sort than the one in its place; tell the operator",
            )),
        }
    }
}
