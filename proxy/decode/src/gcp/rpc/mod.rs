//! Google's APIs over gRPC: each call is read as the method of REST that it amounts to.
//!
//! The message is read whole, by its description; the rules by which REST asks for the same say which of its fields are the
//! path, the query and the body, and from there on it is that request. Leaves out answers, and what is said in streams.

mod call;
mod pool;
mod routing;
mod rule;

use http::HeaderMap;
use ordain_action::{Call, Denial, Undecodable, Upstream};
use ordain_catalog::{GoogleCall, GoogleRpc, GoogleSite, google};

use super::host::Host;
use super::{Gcp, system};
use crate::Head;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::form::REWRITING;
use crate::form::fields::clip;
use crate::grpc::frame::{Encoding, MESSAGE_MAX};
use crate::grpc::{answer, deny};
use crate::rest::{Grammar as _, Line};
use crate::room::Claimed;
use crate::tokens::Tokens;
pub(super) use pool::Pools;

#[cfg(test)]
pub(crate) use pool::message;

/// A call in the hands of this room.
#[derive(Debug)]
pub(super) struct Claim<'r> {
    tokens: &'r Tokens,
    pools: &'r Pools,
    // What the head says, or why it cannot be read; it is claimed and denied all the same.
    asked: Result<Asked, Undecodable>,
}

/// What a head asks for.
#[derive(Debug)]
pub(super) struct Asked {
    host: Host,
    site: &'static GoogleSite,
    encoding: Encoding,
    // None where the host has no method of that name.
    known: Option<Known>,
}

/// A method that the host has.
#[derive(Debug, Clone, Copy)]
struct Known {
    rpc: &'static GoogleRpc,
    call: &'static GoogleCall,
    /// It is one that many hosts have, by rules of their own.
    everywhere: bool,
}

impl Asked {
    fn read(head: &Head<'_>) -> Result<Self, Undecodable> {
        let line = Line::read(head, &Gcp::RULES)?;
        // Which of two credentials counts is for the server to choose: in no mode it is asked to.
        system::check_credentials(head, &line.query)?;
        // Clients add who they are to what is said of that already.
        system::check_repeated(head, &["x-goog-api-client"])?;
        let host = Host::of(head)?;
        let site = *host.sites.first().ok_or_else(|| unknown(head))?;
        let rewrites = REWRITING.into_iter().any(|name| head.headers.contains_key(name));
        if head.method != "POST" || rewrites {
            return Err(Undecodable::new(
                "not_grpc",
                "a call over gRPC is a POST that no header makes another request; send it so",
            ));
        }
        let encoding = Encoding::of(head)?;
        let found = host.sites.iter().find_map(|site| {
            let rpc = google().rpc(site.host())?;
            Some((*site, Known { rpc, call: rpc.call(head.target)?, everywhere: false }))
        });
        let everywhere = || {
            let rpc = google().rpc_everywhere()?;
            Some((site, Known { rpc, call: rpc.call(head.target)?, everywhere: true }))
        };
        let found = found.or_else(everywhere);
        let (site, known) = found.map_or((site, None), |(site, known)| (site, Some(known)));
        Ok(Self { host, site, encoding, known })
    }

    fn known(&self, head: &Head<'_>) -> Result<Known, Undecodable> {
        self.known.ok_or_else(|| unknown(head))
    }

    /// Whether the answer may hand out a credential, as far as the head says.
    fn hands_out(&self) -> bool {
        let Some(known) = self.known else { return self.site.mints() };
        let ids: Vec<&str> = known.call.rules.iter().filter_map(|rule| rule.id.as_deref()).collect();
        if ids.is_empty() || ids.len() < known.call.rules.len() {
            return self.site.mints();
        }
        self.site.methods().iter().any(|method| method.mints && ids.contains(&&*method.id))
    }

    fn to(&self) -> Destination {
        Destination {
            service: self.service().to_owned(),
            host: self.host.name.clone(),
            ..Destination::default()
        }
    }

    /// The API that is asked, in the word that the ids of its methods begin with.
    fn service(&self) -> &str {
        self.site.apis().first().map_or_else(|| self.host.word(), |api| &api.name)
    }
}

fn unknown(head: &Head<'_>) -> Undecodable {
    Undecodable::new(
        "unknown_method",
        format!(
            "`{}` is no method over gRPC that is known at this host; use the API's REST form",
            clip(head.target)
        ),
    )
}

impl<'r> Claim<'r> {
    /// Claims a call.
    pub(super) fn make((tokens, pools): (&'r Tokens, &'r Pools), head: &Head<'_>) -> Self {
        Self { tokens, pools, asked: Asked::read(head) }
    }

    fn asked(&self) -> Result<&Asked, Undecodable> {
        self.asked.as_ref().map_err(Undecodable::clone)
    }
}

impl Claimed for Claim<'_> {
    fn needs(&self) -> Needs {
        match self.asked.as_ref().map(|asked| asked.known) {
            Ok(Some(known)) if known.call.takes_stream => Needs::Stream,
            Ok(_) | Err(_) => Needs::Held { cap: MESSAGE_MAX },
        }
    }

    fn decode(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
        body: &[u8],
        _payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable> {
        call::make(self, upstream, head, body)
    }

    fn deny(&self, denial: &Denial) -> NativeResponse {
        deny::response(true, denial)
    }

    fn speaks_grpc(&self) -> bool {
        true
    }

    fn destination(&self, _upstream: &Upstream, _call: &Call) -> Result<Destination, Undecodable> {
        Ok(self.asked()?.to())
    }

    /// What cannot be read goes nowhere where its answer may hand out a credential.
    fn destination_unread(&self, _upstream: &Upstream, _head: &Head<'_>) -> Result<Destination, Undecodable> {
        let asked = self.asked()?;
        if asked.hands_out() {
            return Err(Undecodable::new(
                "custody_leak",
                "the request cannot be read, and its answer may hand out a credential; send it in a form that can",
            ));
        }
        Ok(asked.to())
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, _body: &[u8], trailers: Option<&HeaderMap>) -> AnswerRead {
        answer::read(answer, trailers)
    }
}
