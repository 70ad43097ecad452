//! The contract of a room: claim a request from its head, read it, deny it in the plane's own words.
//!
//! Leaves out which rooms there are (`rooms.rs`) and what each of them knows.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use ordain_action::{Call, Created, Denial, Plane, Reading, Undecodable, Upstream};

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead, Events, MintedCredentials, Misplaced, Replacement, TokenPlace};
use crate::contract::{Api, Destination, Leads, NativeResponse, Needs};
use crate::front::{Front, Session};
use crate::kubernetes::Withholding;

/// What is known of a plane without anything being set up.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// What the hosts of the plane end in, where its provider has hosts that are known beforehand.
    pub domains: &'static [&'static str],
    /// Where an upstream with one address is asked whether it takes the gate's credential: a path that only those may read
    /// whom it knows. None where there is no such path, or where the upstream is asked in another way.
    pub anchor: Option<&'static str>,
    /// The status by which the anchor answers who shows a credential that means nothing: 401, but for planes that tell
    /// nobody whether it is the credential or what it may do.
    pub stranger: u16,
    /// What the plane's own clients read from their environment, by name and value: `{gate}` stands for the gate's base
    /// URL, `{token}` for an issued token, `{account}` for the upstream's account, `{admin}` for the base URL of the
    /// gate's admin address and `{admin_host}` for its host and port.
    pub variables: &'static [(&'static str, &'static str)],
    /// Its clients sign in with a name and a password, and the room knows how.
    pub signs_in: bool,
    /// The header in which the plane takes a token as it is; none where that is `Authorization: Bearer`.
    pub token: Option<&'static str>,
    /// Where clients show a token in a body, with none in the head: what the path of that request ends in, and the member.
    pub token_in_body: Option<(&'static str, &'static str)>,
    /// The parameter, of a query or a form, in which clients show a token, with none in the head.
    pub token_parameter: Option<&'static str>,
}

impl Card {
    /// Of a plane of which nothing is known beforehand.
    pub const PLAIN: Self = Self {
        domains: &[],
        anchor: None,
        stranger: 401,
        variables: &[],
        token: None,
        token_in_body: None,
        token_parameter: None,
        signs_in: false,
    };
}

/// What one plane's room does before it has a request.
///
/// What has a body here is so for most planes; a room says otherwise where its plane does.
pub(crate) trait Room: fmt::Debug + Send + Sync {
    /// What is read here, for people.
    fn about(&self) -> About;

    /// What is to be told at start, one line each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The digest of its catalogue, where it has one.
    fn catalog_digest(&self) -> Option<&str> {
        None
    }

    /// Claims a request that came to a place of this plane, from its head alone.
    ///
    /// # Errors
    /// Its host is none of this plane's: no room reads it then.
    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable>;

    /// Whether a request of which nothing more is known looks like one of this plane's: by what no other plane has.
    fn looks_like(&self, _head: &Head<'_>) -> bool {
        false
    }
}

/// A request in the hands of a room.
///
/// What has a body here is so for most planes; a room says otherwise where its plane does.
pub(crate) trait Claimed: fmt::Debug + Send + Sync {
    /// See [`Claim::needs`].
    fn needs(&self) -> Needs;

    /// See [`Claim::decode`].
    fn decode(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
        body: &[u8],
        payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable>;

    /// See [`Claim::deny`].
    fn deny(&self, denial: &Denial) -> NativeResponse;

    /// See [`Claim::front`].
    fn front(&self, _upstream: &Upstream, _head: &Head<'_>, _body: &[u8]) -> Option<Front> {
        None
    }

    /// See [`Claim::signed_in`].
    fn signed_in(&self, _session: &Session<'_>) -> Option<NativeResponse> {
        None
    }

    /// See [`Claim::signed_out`].
    fn signed_out(&self) -> Option<NativeResponse> {
        None
    }

    /// See [`Claim::speaks_grpc`].
    fn speaks_grpc(&self) -> bool {
        false
    }

    /// See [`Claim::api`].
    fn api(&self) -> Api {
        Api::Main
    }

    /// See [`Claim::warn`].
    fn warn(&self, _headers: &mut HeaderMap, _text: &str) {}

    /// See [`Claim::destination`].
    fn destination(&self, upstream: &Upstream, call: &Call) -> Result<Destination, Undecodable>;

    /// See [`Claim::destination_unread`].
    fn destination_unread(&self, upstream: &Upstream, head: &Head<'_>) -> Result<Destination, Undecodable>;

    /// See [`Claim::leads`].
    fn leads(&self) -> Leads {
        Leads::NONE
    }

    /// See [`Claim::withholding`].
    fn withholding(&self) -> Option<Withholding> {
        None
    }

    /// See [`Claim::accept`].
    fn accept(&self, _headers: &HeaderMap) -> Option<HeaderValue> {
        None
    }

    /// See [`Claim::misplaces`].
    fn misplaces(&self, _body: &[u8]) -> Option<Misplaced> {
        None
    }

    /// See [`Claim::goes_on`].
    fn goes_on(&self) -> bool {
        false
    }

    /// See [`Claim::events`].
    fn events(&self, _head: &AnswerHead<'_>) -> Option<Events> {
        None
    }

    /// See [`Claim::last_event`].
    fn last_event(&self, _denial: &Denial) -> Vec<u8> {
        Vec::new()
    }

    /// See [`Claim::may_fail_late`].
    fn may_fail_late(&self, _call: &Call) -> bool {
        false
    }

    /// See [`Claim::read_answer`].
    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8], trailers: Option<&HeaderMap>) -> AnswerRead;

    /// See [`Claim::read_created`].
    fn read_created(&self, _call: &Call, _answer: &AnswerHead<'_>, _body: &[u8]) -> Vec<Created> {
        Vec::new()
    }

    /// See [`Claim::find_credentials`]. What hands out credentials and cannot be rewritten is denied before it is asked.
    fn find_credentials(
        &self,
        call: &Call,
        answer: &AnswerHead<'_>,
        _body: &[u8],
    ) -> Result<Option<MintedCredentials>, Undecodable> {
        let hands_out = call.answer.mints.is_some() && (200..300).contains(&answer.status);
        if hands_out { Err(other_sort()) } else { Ok(None) }
    }

    /// See [`Claim::replace_credentials`].
    fn replace_credentials(
        &self,
        _found: &MintedCredentials,
        _replacement: &Replacement<'_>,
        _answer: &AnswerHead<'_>,
        _body: &[u8],
    ) -> Result<Vec<u8>, Undecodable> {
        Err(other_sort())
    }

    /// See [`Claim::names_token`].
    fn names_token(&self) -> Option<TokenPlace> {
        None
    }

    /// See [`Claim::put_token`].
    fn put_token(&self, _body: &[u8], _path: &str, _exchange: (&str, &str)) -> Result<Vec<u8>, Undecodable> {
        Err(other_sort())
    }
}

/// The credential found is none that its room puts another in the place of.
pub(crate) fn other_sort() -> Undecodable {
    Undecodable::new(
        "credentials_not_found",
        "the credential in the answer is of another sort than the one in its place; tell the operator",
    )
}

/// A request that a room has claimed.
#[derive(Debug, Clone)]
pub struct Claim<'r> {
    plane: Plane,
    room: Arc<dyn Claimed + 'r>,
}

impl<'r> Claim<'r> {
    pub(crate) const fn new(plane: Plane, room: Arc<dyn Claimed + 'r>) -> Self {
        Self { plane, room }
    }

    /// The plane whose room it is.
    #[must_use]
    pub const fn plane(&self) -> Plane {
        self.plane
    }

    /// What has to be in hand before [`Claim::decode`].
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.room.needs()
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
        match self.room.decode(upstream, head, body, payload_sha256) {
            Ok(call) => Reading::Call(call),
            Err(why) => Reading::Undecodable { plane: self.plane, why },
        }
    }

    /// A refusal that the plane's own clients raise as their own error and do not retry.
    #[must_use]
    pub fn deny(&self, denial: &Denial) -> NativeResponse {
        self.room.deny(denial)
    }

    /// What the request is of what clients send before they are known, and after; `None` where it does some work. `body` is
    /// all of the body.
    #[must_use]
    pub fn front(&self, upstream: &Upstream, head: &Head<'_>, body: &[u8]) -> Option<Front> {
        self.room.front(upstream, head, body)
    }

    /// The plane's own answer to whoever has signed in; `None` where nobody does so by this request.
    #[must_use]
    pub fn signed_in(&self, session: &Session<'_>) -> Option<NativeResponse> {
        self.room.signed_in(session)
    }

    /// The plane's own answer to whoever has signed out; `None` where nobody does so by this request.
    #[must_use]
    pub fn signed_out(&self) -> Option<NativeResponse> {
        self.room.signed_out()
    }

    /// Whether it is a call over gRPC: then it has to go on over HTTP/2, and its answer ends in trailers.
    #[must_use]
    pub fn speaks_grpc(&self) -> bool {
        self.room.speaks_grpc()
    }

    /// Which of its plane's APIs it is for.
    #[must_use]
    pub fn api(&self) -> Api {
        self.room.api()
    }

    /// Tells a caller, in an answer that was let through, what enforce would have said: by the header that the plane's
    /// own clients show to people, where it has one.
    pub fn warn(&self, headers: &mut HeaderMap, text: &str) {
        self.room.warn(headers, text);
    }

    /// Where the call has to be sent.
    ///
    /// # Errors
    /// No host of the provider serves the service decided, in the region named.
    pub fn destination(&self, upstream: &Upstream, call: &Call) -> Result<Destination, Undecodable> {
        self.room.destination(upstream, call)
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
        self.room.destination_unread(upstream, head)
    }

    /// Which places of the answer lead its client on.
    #[must_use]
    pub fn leads(&self) -> Leads {
        self.room.leads()
    }

    /// What has to be withheld from the answer, whatever is made of the request; `None` where it passes as it is.
    #[must_use]
    pub fn withholding(&self) -> Option<Withholding> {
        self.room.withholding()
    }

    /// The form to ask for an answer in, where something is withheld from it: of those that the caller asks for, those
    /// that are read here.
    #[must_use]
    pub fn accept(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.room.accept(headers)
    }

    /// What a body would do to a credential that is withheld from answers: it must not leave then, in any mode.
    #[must_use]
    pub fn misplaces(&self, body: &[u8]) -> Option<Misplaced> {
        self.room.misplaces(body)
    }

    /// Whether a success goes on until somebody ends it: then its head says all that there is to know of the request.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.room.goes_on()
    }

    /// The events that a success is, where it is some.
    #[must_use]
    pub fn events(&self, head: &AnswerHead<'_>) -> Option<Events> {
        self.room.events(head)
    }

    /// What ends such an answer where nothing more of it may be shown, as the plane itself ends one.
    #[must_use]
    pub fn last_event(&self, denial: &Denial) -> Vec<u8> {
        self.room.last_event(denial)
    }

    /// Whether an answer that begins as a success may end in an error: then its body says which it is.
    #[must_use]
    pub fn may_fail_late(&self, call: &Call) -> bool {
        self.room.may_fail_late(call)
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
        self.room.read_answer(answer, body, trailers)
    }

    /// The identifiers of what the call created, as its answer tells them.
    #[must_use]
    pub fn read_created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        self.room.read_created(call, answer, body)
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
        self.room.find_credentials(call, answer, body)
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
        self.room.replace_credentials(found, replacement, answer, body)
    }

    /// Where the request may name a token beside the one that it is made with.
    #[must_use]
    pub fn names_token(&self) -> Option<TokenPlace> {
        self.room.names_token()
    }

    /// The request's body with another token in the place of the one that stands in that member.
    ///
    /// # Errors
    /// It does not stand there, once and as it is.
    pub fn put_token(&self, body: &[u8], path: &str, exchange: (&str, &str)) -> Result<Vec<u8>, Undecodable> {
        self.room.put_token(body, path, exchange)
    }
}
