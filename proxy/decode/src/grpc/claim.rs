//! A request in the hands of this room: claimed from its head, read with its body, denied in its own form.
//!
//! Leaves out each of the steps, which have files of their own.

use http::HeaderMap;
use ordain_action::{Call, Denial, Plane, Undecodable, Upstream};

use super::api::Method;
use super::frame::{Encoding, MESSAGE_MAX};
use super::{Room, answer, call, deny};
use crate::Head;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::described;
use crate::form::REWRITING;
use crate::form::fields::clip;
use crate::room::Claimed;

/// A request that this room has claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claim<'r> {
    room: &'r Room,
    /// Whether the client speaks gRPC, and is answered in it.
    speaks: bool,
    // What the head says, or why it cannot be read; it is claimed and denied all the same.
    reading: Result<Asked<'r>, Undecodable>,
}

/// What a head asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'r> {
    /// The upstream whose API it is.
    upstream: &'r str,
    pub(super) method: &'r Method,
    pub(super) encoding: Encoding,
}

impl Asked<'_> {
    /// It is read by the descriptors of the API that it goes to.
    fn belongs_to(&self, upstream: &Upstream) -> Result<(), Undecodable> {
        if self.upstream == &*upstream.name {
            return Ok(());
        }
        Err(Undecodable::new(
            "other_api",
            "the credential is for another upstream than the API that was asked; send it to that one's own name",
        ))
    }
}

impl<'r> Claim<'r> {
    /// Claims a request that came to a place of this plane.
    pub(super) fn make(room: &'r Room, head: &Head<'_>) -> Self {
        Self { room, speaks: is_grpc(head), reading: read(room, head) }
    }

    fn address(&self) -> Result<Destination, Undecodable> {
        let asked = self.reading.as_ref().map_err(Undecodable::clone)?;
        Ok(Destination::at_its_address(&asked.method.service))
    }
}

impl Claimed for Claim<'_> {
    fn needs(&self) -> Needs {
        match &self.reading {
            Ok(asked) if asked.method.takes_stream => Needs::Stream,
            Ok(_) | Err(_) => Needs::Held { cap: MESSAGE_MAX },
        }
    }

    fn decode(
        &self,
        upstream: &Upstream,
        _head: &Head<'_>,
        body: &[u8],
        _payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable> {
        let asked = self.reading.as_ref().map_err(Undecodable::clone)?;
        asked.belongs_to(upstream)?;
        call::make(&self.room.tokens, asked, body, &upstream.account)
    }

    fn deny(&self, denial: &Denial) -> NativeResponse {
        deny::response(self.speaks, denial)
    }

    fn speaks_grpc(&self) -> bool {
        true
    }

    fn destination(&self, _upstream: &Upstream, _call: &Call) -> Result<Destination, Undecodable> {
        self.address()
    }

    /// What cannot be read goes nowhere where its answer hands out a credential, or where it is of another API than its
    /// credential.
    fn destination_unread(&self, upstream: &Upstream, _head: &Head<'_>) -> Result<Destination, Undecodable> {
        let asked = self.reading.as_ref().map_err(Undecodable::clone)?;
        asked.belongs_to(upstream)?;
        if asked.method.says.as_ref().is_some_and(|says| says.mints) {
            return Err(Undecodable::new(
                "custody_leak",
                "the request cannot be read, and its answer hands out a credential; send it in a form that can",
            ));
        }
        self.address()
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, _body: &[u8], trailers: Option<&HeaderMap>) -> AnswerRead {
        answer::read(answer, trailers)
    }
}

/// The content type of gRPC, with the one form of messages that is read.
pub(crate) fn is_grpc(head: &Head<'_>) -> bool {
    matches!(head.header("content-type"), Some("application/grpc" | "application/grpc+proto"))
}

fn read<'r>(room: &'r Room, head: &Head<'_>) -> Result<Asked<'r>, Undecodable> {
    if head.method != "POST" || !is_grpc(head) {
        return Err(Undecodable::new(
            "not_grpc",
            "what is served here is gRPC; send a POST with the content type `application/grpc`",
        ));
    }
    let single = ["authorization", "content-encoding", "content-type", "grpc-encoding", "host"];
    if single.into_iter().any(|name| head.headers.get_all(name).iter().nth(1).is_some()) {
        return Err(Undecodable::new(
            "header_twice",
            "a header is given twice that may stand once; send it once",
        ));
    }
    if REWRITING.into_iter().any(|name| head.headers.contains_key(name))
        || head.headers.contains_key("content-encoding")
    {
        return Err(Undecodable::new(
            "unread_header",
            "a header says that the request is another than it looks, which gRPC has none for; take it out",
        ));
    }
    let encoding = Encoding::of(head)?;
    let (upstream, api) = room.api(head.upstream)?;
    let method = api.method(head.target).ok_or_else(|| {
        let text = format!(
            "`{}` is no method in the descriptors of `{}`; give the gate those of its present version",
            clip(head.target),
            described::whole((Plane::Grpc, upstream)).name
        );
        Undecodable::new("unknown_method", text)
    })?;
    Ok(Asked { upstream, method, encoding })
}
