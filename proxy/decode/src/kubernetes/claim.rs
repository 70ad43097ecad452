//! A request in the hands of this room: claimed from its head, read with its body, denied in its own form.
//!
//! Leaves out each of the steps, which have files of their own.

use http::{HeaderMap, HeaderValue};
use ordain_action::{Call, Created, Denial, Undecodable, Upstream};
use ordain_catalog::ClusterKind;

use super::content::BODY_MAX;
use super::path::Place;
use super::request::{Connect, Request, Verb};
use super::resource::Cluster;
use super::withheld::{self, Withholding};
use super::{Room, answer, call, class, deny};
use crate::Head;
use crate::answer::{AnswerHead, AnswerRead, MintedCredentials, Misplaced, Replacement};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::room::{Claimed, other_sort};

/// A request that this room has claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claim<'r> {
    room: &'r Room,
    is_head: bool,
    // What the head says, or why it cannot be read; it is claimed and denied all the same.
    reading: Result<Request, Undecodable>,
}

impl<'r> Claim<'r> {
    /// Claims a request that came to a place of this plane.
    pub(super) fn make(room: &'r Room, head: &Head<'_>) -> Self {
        Self { room, is_head: head.method == "HEAD", reading: Request::read(head) }
    }

    /// A cluster has one address, which configuration names: what is decided here is whose scope it is read in.
    fn address(&self) -> Result<Destination, Undecodable> {
        let request = self.reading.as_ref().map_err(Undecodable::clone)?;
        let service = match &request.place {
            Place::Url(_) => "core",
            Place::Object(object) => ClusterKind::group_of(&object.group, &object.resource),
        };
        Ok(Destination::at_its_address(service))
    }
}

impl Claimed for Claim<'_> {
    fn needs(&self) -> Needs {
        let Ok(request) = &self.reading else { return Needs::Held { cap: BODY_MAX } };
        match request.connect {
            Some(Connect::Proxy) => Needs::Payload,
            Some(Connect::Stream) => Needs::Nothing,
            None if request.verb.reads() => Needs::Nothing,
            None => Needs::Held { cap: BODY_MAX },
        }
    }

    fn decode(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
        body: &[u8],
        _payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable> {
        let request = self.reading.as_ref().map_err(Undecodable::clone)?;
        if matches!(self.needs(), Needs::Nothing) && !body.is_empty() {
            return Err(Undecodable::new("unexpected_body", "the request takes no body; send none"));
        }
        call::make(&self.room.tokens, request, head, body, Cluster(&upstream.account))
    }

    fn deny(&self, denial: &Denial) -> NativeResponse {
        deny::response(self.reading.as_ref().ok(), self.is_head, denial)
    }

    fn destination(&self, _upstream: &Upstream, _call: &Call) -> Result<Destination, Undecodable> {
        self.address()
    }

    /// Where a request goes that could not be read, in modes that let it pass: nowhere, where its answer hands out a
    /// credential that would have to be found by what was asked for.
    fn destination_unread(&self, _upstream: &Upstream, _head: &Head<'_>) -> Result<Destination, Undecodable> {
        let request = self.reading.as_ref().map_err(Undecodable::clone)?;
        match &request.place {
            Place::Object(object) if class::is_token(object) || class::mints(object) => {
                Err(Undecodable::new(
                    "custody_leak",
                    "the request cannot be read, and its answer hands out a credential; send it in a form that can",
                ))
            }
            Place::Object(_) | Place::Url(_) => self.address(),
        }
    }

    /// What has to be withheld from the answer, whatever is made of the request.
    fn withholding(&self) -> Option<Withholding> {
        self.reading.as_ref().ok().and_then(Withholding::of)
    }

    /// The form to ask for an answer in, where something is withheld from it.
    fn accept(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let withholds = self.reading.as_ref().is_ok_and(|request| withheld::objects(request).is_some());
        withholds.then(|| withheld::accept(headers))
    }

    /// What the body would do to a credential that is withheld from answers.
    fn misplaces(&self, body: &[u8]) -> Option<Misplaced> {
        let request = self.reading.as_ref().ok().filter(|request| withheld::objects(request).is_some())?;
        if withheld::writes_back(body) {
            return Some(Misplaced::Overwritten);
        }
        withheld::moves(request, body).then_some(Misplaced::Moved)
    }

    /// An answer that begins well goes on until somebody ends it, and tells no more of how the request went.
    fn goes_on(&self) -> bool {
        self.reading.as_ref().is_ok_and(|request| request.verb == Verb::Watch)
    }

    /// What ends a watch of which nothing more may be shown, as the server ends one.
    fn last_event(&self, denial: &Denial) -> Vec<u8> {
        let status = deny::response(self.reading.as_ref().ok(), false, denial).body;
        [b"{\"type\":\"ERROR\",\"object\":".as_slice(), &status, b"}\n"].concat()
    }

    fn warn(&self, headers: &mut HeaderMap, text: &str) {
        deny::warn(headers, text);
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8], _trailers: Option<&HeaderMap>) -> AnswerRead {
        answer::read(answer, body)
    }

    fn read_created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        answer::created(call, answer, body)
    }

    fn find_credentials(
        &self,
        call: &Call,
        answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Option<MintedCredentials>, Undecodable> {
        let found =
            call.answer.mints.map_or(Ok(None), |minted| answer::find_token(minted, call, answer, body));
        found.map(|found| found.map(MintedCredentials::Bearer))
    }

    fn replace_credentials(
        &self,
        found: &MintedCredentials,
        replacement: &Replacement<'_>,
        _answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Vec<u8>, Undecodable> {
        match (found, replacement) {
            (MintedCredentials::Bearer(found), Replacement::Bearer(ours)) => {
                answer::replace_token(found, ours, body)
            }
            (MintedCredentials::KeyPair(_) | MintedCredentials::Bearer(_), _) => Err(other_sort()),
        }
    }
}
