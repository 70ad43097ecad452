//! A request in the hands of a room of this shape.
//!
//! Leaves out each of the steps, which are the room's own.

use http::HeaderMap;
use ordain_action::{Call, Created, Denial, Minted, Undecodable, Upstream};

use super::{Grammar, Line, RestRoom, Whole, token};
use crate::answer::{AnswerHead, AnswerRead, MintedCredentials, Replacement, TokenPlace};
use crate::contract::{Api, Destination, Leads, NativeResponse, Needs};
use crate::form::fields::clip;
use crate::front::{Front, Session};
use crate::room::{Claimed, other_sort};
use crate::{Head, Rooms, WayIn};

/// A request that a room has claimed.
#[derive(Debug)]
pub(super) struct Claim<'r, G: Grammar> {
    room: &'r RestRoom<G>,
    is_head: bool,
    /// The host of the provider's that it was sent to, where it was sent to one.
    host: Option<String>,
    // What the head says, or why it cannot be read; it is claimed and denied all the same.
    asked: Result<G::Asked, Undecodable>,
}

impl<'r, G: Grammar> Claim<'r, G> {
    pub(super) fn make(room: &'r RestRoom<G>, head: &Head<'_>) -> Self {
        let asked = Line::read(head, &G::RULES).and_then(|line| room.grammar.read(&line));
        let own = |host: &&str| head.way_in == WayIn::Egress && Rooms::of_host(host) == Some(G::PLANE);
        let host = Some(head.host()).filter(own).map(|host| host.trim_end_matches('.').to_ascii_lowercase());
        Self { room, is_head: head.method == "HEAD", host, asked }
    }

    /// Where it goes, which is no other host of the provider's than the one that it was sent to.
    fn address(&self, asked: &G::Asked, upstream: &Upstream) -> Result<Destination, Undecodable> {
        let to = self.room.grammar.destination(asked, upstream)?;
        match &self.host {
            Some(host) if !to.host.is_empty() && to.host != *host => Err(Undecodable::new(
                "other_host",
                format!(
                    "the request is for `{}`, and was sent to `{}`; send it there",
                    clip(&to.host),
                    clip(host)
                ),
            )),
            Some(_) | None => Ok(to),
        }
    }

    fn asked(&self) -> Result<&G::Asked, Undecodable> {
        self.asked.as_ref().map_err(Undecodable::clone)
    }
}

impl<G: Grammar> Claimed for Claim<'_, G> {
    fn needs(&self) -> Needs {
        match &self.asked {
            Ok(asked) => self.room.grammar.needs(asked),
            Err(_) => Needs::Held { cap: super::BODY_MAX },
        }
    }

    fn decode(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
        body: &[u8],
        _payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable> {
        let asked = self.asked()?;
        if matches!(self.needs(), Needs::Nothing) && !body.is_empty() {
            return Err(Undecodable::new("unexpected_body", "the request takes no body; send none"));
        }
        let line = Line::read(head, &G::RULES)?;
        let whole = Whole { plane: G::PLANE, upstream, line: &line, body, tokens: &self.room.tokens };
        self.room.grammar.call(asked, &whole)
    }

    fn front(&self, upstream: &Upstream, head: &Head<'_>, body: &[u8]) -> Option<Front> {
        let asked = self.asked.as_ref().ok()?;
        let line = Line::read(head, &G::RULES).ok()?;
        let whole = Whole { plane: G::PLANE, upstream, line: &line, body, tokens: &self.room.tokens };
        self.room.grammar.front(asked, &whole)
    }

    fn signed_in(&self, session: &Session<'_>) -> Option<NativeResponse> {
        self.room.grammar.signed_in(self.asked.as_ref().ok()?, session)
    }

    fn signed_out(&self) -> Option<NativeResponse> {
        self.room.grammar.signed_out(self.asked.as_ref().ok()?)
    }

    fn deny(&self, denial: &Denial) -> NativeResponse {
        let mut response = self.room.grammar.deny(self.asked.as_ref().ok(), denial);
        if self.is_head {
            response.body.clear();
        }
        response
    }

    fn destination(&self, upstream: &Upstream, _call: &Call) -> Result<Destination, Undecodable> {
        self.address(self.asked()?, upstream)
    }

    /// What cannot be read goes nowhere where its answer may hand out a credential.
    fn destination_unread(&self, upstream: &Upstream, _head: &Head<'_>) -> Result<Destination, Undecodable> {
        let asked = self.asked()?;
        if self.room.grammar.hands_out(asked) {
            return Err(Undecodable::new(
                "custody_leak",
                "the request cannot be read, and its answer may hand out a credential; send it in a form that can",
            ));
        }
        self.address(asked, upstream)
    }

    fn api(&self) -> Api {
        self.asked.as_ref().map_or(Api::Main, |asked| self.room.grammar.api(asked))
    }

    fn leads(&self) -> Leads {
        self.asked.as_ref().map_or(G::LEADS, |asked| self.room.grammar.leads(asked))
    }

    fn goes_on(&self) -> bool {
        self.asked.as_ref().is_ok_and(|asked| self.room.grammar.goes_on(asked))
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8], _trailers: Option<&HeaderMap>) -> AnswerRead {
        self.room.grammar.read_answer(answer, body)
    }

    fn read_created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        self.room.grammar.created(call, answer, body)
    }

    fn find_credentials(
        &self,
        call: &Call,
        answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Option<MintedCredentials>, Undecodable> {
        let handed = self.asked.as_ref().ok().and_then(|asked| self.room.grammar.handed(asked));
        match (call.answer.mints, handed) {
            (None, _) => Ok(None),
            (Some(Minted::Bearer), Some(handed)) => {
                Ok(token::find(&handed, call, answer, body)?.map(MintedCredentials::Bearer))
            }
            // Nothing is handed out by what the plane refused.
            (Some(_), _) if !(200..300).contains(&answer.status) => Ok(None),
            (Some(_), _) => Err(token::not_found()),
        }
    }

    fn replace_credentials(
        &self,
        found: &MintedCredentials,
        replacement: &Replacement<'_>,
        _answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Vec<u8>, Undecodable> {
        match (found, replacement) {
            (MintedCredentials::Bearer(found), Replacement::Bearer(ours)) => match found.at {
                TokenPlace::Member(path) => token::put(body, path, (&found.token, ours.0)),
                TokenPlace::Header(_) => Ok(body.to_vec()),
            },
            (MintedCredentials::KeyPair(_) | MintedCredentials::Bearer(_), _) => Err(other_sort()),
        }
    }

    fn names_token(&self) -> Option<TokenPlace> {
        self.asked.as_ref().ok().and_then(|asked| self.room.grammar.names_token(asked))
    }

    fn put_token(&self, body: &[u8], path: &str, exchange: (&str, &str)) -> Result<Vec<u8>, Undecodable> {
        token::put(body, path, exchange)
    }
}
