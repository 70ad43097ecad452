//! What rooms of planes share that speak HTTP with JSON at one address: a strict head, a body, names, and a claim.
//!
//! A room of this shape is a [`Grammar`]: it says what a head asks for, what that does with its body, and how the plane
//! says no. Leaves out what any of it means, which is each room's own.

mod answer;
mod body;
mod claim;
mod line;
mod named;
mod names;
mod token;

pub(crate) use answer::{Location, identifier, problem, refusal, request_id, told};
pub(crate) use body::{Whole, is_secret};
pub(crate) use line::{Line, Rules};
pub(crate) use named::{Named, Place, place};
pub(crate) use names::{Names, effect, part};
pub(crate) use token::{Ends, Handed, is_token, not_found as no_token, put_in as put_token_in};

use std::fmt;
use std::sync::Arc;

use ordain_action::{Call, Created, Denial, Plane, Undecodable, Upstream};

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead, TokenPlace};
use crate::contract::{Api, Destination, Leads, NativeResponse, Needs};
use crate::front::{Front, Session};
use crate::room::Claimed;
use crate::setup::{RoomsConfig, RoomsError};
use crate::tokens::Tokens;
use crate::{Head, room};

/// The largest body that is held where a plane says nothing of its own, in bytes.
pub(crate) const BODY_MAX: u64 = 16 << 20;

/// What one plane's requests mean.
pub(crate) trait Grammar: fmt::Debug + Send + Sync + Sized {
    /// What a head was read as.
    type Asked: fmt::Debug + Send + Sync;

    /// The plane.
    const PLANE: Plane;

    /// How its heads are written.
    const RULES: Rules;

    /// Where its answers lead.
    const LEADS: Leads = Leads::LOCATION;

    /// Sets up what is known beforehand.
    ///
    /// # Errors
    /// Something of it cannot be read.
    fn new(config: &RoomsConfig) -> Result<Self, RoomsError>;

    /// What is read here, for people.
    fn about(&self) -> About;

    /// The digest of its catalogue, where it has one. It is asked for once.
    fn catalog_digest(&self) -> Option<String> {
        None
    }

    /// What a head asks for.
    ///
    /// # Errors
    /// It asks for nothing that is known, or for two things at once.
    fn read(&self, line: &Line<'_>) -> Result<Self::Asked, Undecodable>;

    /// How much of the request has to be in hand: the body of all but what reads.
    fn needs(&self, asked: &Self::Asked) -> Needs;

    /// The service that is asked, in the plane's own word: read scopes name it.
    fn service<'a>(&'a self, asked: &'a Self::Asked) -> &'a str;

    /// What the request does.
    ///
    /// # Errors
    /// Its body cannot be read, or does not fit what the head asks for.
    fn call(&self, asked: &Self::Asked, whole: &Whole<'_>) -> Result<Call, Undecodable>;

    /// Where it goes: to the one address of its upstream, unless the plane has hosts of its own.
    ///
    /// # Errors
    /// No host of the provider serves it.
    fn destination(&self, asked: &Self::Asked, _upstream: &Upstream) -> Result<Destination, Undecodable> {
        Ok(Destination::at_its_address(self.service(asked)))
    }

    /// Which of its plane's APIs it is for, where each has credentials of its own.
    fn api(&self, _asked: &Self::Asked) -> Api {
        Api::Main
    }

    /// Whether the answer may hand out a credential: a request that cannot be read in full goes nowhere then.
    fn hands_out(&self, _asked: &Self::Asked) -> bool {
        false
    }

    /// Where its answer leads.
    fn leads(&self, _asked: &Self::Asked) -> Leads {
        Self::LEADS
    }

    /// Whether a success goes on until somebody ends it.
    fn goes_on(&self, _asked: &Self::Asked) -> bool {
        false
    }

    /// What the request is of what clients send before they are known, and after.
    fn front(&self, _asked: &Self::Asked, _whole: &Whole<'_>) -> Option<Front> {
        None
    }

    /// The plane's own answer to whoever has signed in.
    fn signed_in(&self, _asked: &Self::Asked, _session: &Session<'_>) -> Option<NativeResponse> {
        None
    }

    /// The plane's own answer to whoever has signed out.
    fn signed_out(&self, _asked: &Self::Asked) -> Option<NativeResponse> {
        None
    }

    /// A refusal in the plane's own form; the body is left out where the method is `HEAD`.
    fn deny(&self, asked: Option<&Self::Asked>, denial: &Denial) -> NativeResponse;

    /// What an answer says of itself.
    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead;

    /// The identifiers of what was created, as the answer tells them.
    fn created(&self, _call: &Call, _answer: &AnswerHead<'_>, _body: &[u8]) -> Vec<Created> {
        Vec::new()
    }

    /// Where the answer hands out a token that can be rewritten, where it is marked as [`Minted::Bearer`].
    ///
    /// [`Minted::Bearer`]: ordain_action::Minted::Bearer
    fn handed(&self, _asked: &Self::Asked) -> Option<Handed> {
        None
    }

    /// Where the request may name a token beside the one that it is made with.
    fn names_token(&self, _asked: &Self::Asked) -> Option<TokenPlace> {
        None
    }

    /// Whether a request of which nothing more is known looks like one of this plane's: by what no other plane has.
    fn looks_like(&self, _head: &Head<'_>) -> bool {
        false
    }
}

/// A room of this shape.
#[derive(Debug)]
pub(crate) struct RestRoom<G> {
    grammar: G,
    catalog_digest: Option<String>,
    tokens: Tokens,
}

impl<G: Grammar> RestRoom<G> {
    /// Sets the room up.
    ///
    /// # Errors
    /// [`RoomsError`].
    pub(crate) fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        let grammar = G::new(config)?;
        let catalog_digest = grammar.catalog_digest();
        Ok(Self { grammar, catalog_digest, tokens: Tokens::new(config.token_key) })
    }
}

impl<G: Grammar> room::Room for RestRoom<G> {
    fn about(&self) -> About {
        self.grammar.about()
    }

    fn catalog_digest(&self) -> Option<&str> {
        self.catalog_digest.as_deref()
    }

    fn claim<'r>(&'r self, head: &Head<'_>) -> Result<Arc<dyn Claimed + 'r>, Undecodable> {
        Ok(Arc::new(claim::Claim::make(self, head)))
    }

    fn looks_like(&self, head: &Head<'_>) -> bool {
        self.grammar.looks_like(head)
    }
}
