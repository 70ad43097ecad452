//! A request on its way out: everything of it that was judged, and what it takes to sign it again.
//!
//! The bytes that leave are the bytes that were judged, but for a closed list: credentials and cookies, `x-amz-date`,
//! `host`, hop-by-hop headers, `expect`, `traceparent`, the end of `user-agent`, the framing of `aws-chunked`, and
//! the form in which an answer is asked for that may hold a credential. An issued id was exchanged before they were
//! judged (`exchange`); an issued token that they name, in a body too, is one of the credentials (`named`). Leaves out
//! sending.

mod plain;
mod signed;

use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, UPGRADE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request};
use jiff::Timestamp;
use ordain_action::{DecisionId, DenialKind, Digest, Reading, Undecodable};
use ordain_decode::{Claim, Destination};
use ordain_evidence::Digested;
use ordain_sigv4::KeyCache;

use crate::bound::{self, Bound};
use crate::fault::Fault;
use crate::forward::OutBody;
use crate::held::{HeldBody, WholeBody};
use crate::hop;
use crate::identity::{Identified, Shown};
use crate::listen::Silence;
use crate::upstream::Leaving;

/// A request that was judged and has not left.
#[derive(Debug)]
pub struct Outgoing {
    /// The room's claim on it, which reads its answer.
    pub claim: Claim<'static>,
    /// The decision that lets it leave.
    pub decision: DecisionId,
    /// Where it goes, or why that cannot be said: then it never leaves.
    pub destination: Result<Destination, Undecodable>,
    /// Its head and body, with what they were read as.
    pub bound: Bound,
    /// Whose request it is, and the proof of its signature.
    pub identified: Identified,
    /// Whether something of its answer's body is rewritten, whatever that says: it is asked for without a coding.
    pub reads_answer: bool,
    /// Whether who asks says no more.
    pub silence: Silence,
}

impl Digested for Outgoing {
    fn digest(&self) -> Digest {
        self.bound.digest()
    }
}

impl Outgoing {
    /// Makes the request whole with the real credential of its upstream.
    ///
    /// # Errors
    /// A [`Fault`] where something of it cannot be sent. Nothing was sent then.
    pub fn leave(
        self,
        keys: &KeyCache,
        leaving: &Leaving,
        now: Timestamp,
    ) -> Result<Request<OutBody>, Fault> {
        let accept = self.accept();
        let destination = self.destination.map_err(|why| {
            Fault::new(DenialKind::Malformed, why.reason_code, why.text).with_decision(self.decision)
        })?;
        let named = self.bound.named().cloned();
        let mut held = self.bound.into_held();
        if let Some(named) = &named {
            named.put(&self.claim, &mut held, leaving).map_err(|why| unsendable(&why))?;
        }
        let (mut head, body) = held.into_parts();
        // What a real credential may stand in comes without a coding.
        if self.reads_answer || named.is_some() {
            head.headers.remove(ACCEPT_ENCODING);
        }
        // Headers say how a body in chunks is put together, and nothing about one that is held whole.
        let as_received = match &body {
            HeldBody::Whole(_) => HeaderMap::new(),
            HeldBody::Streaming(_) => head.headers.clone(),
        };
        // Of what belongs to a connection only this goes on, where the request was read as a stream.
        let protocol = bound::protocol(&head);
        head.extensions.clear();
        hop::strip(&mut head.headers);
        if let Some(protocol) = protocol {
            head.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            head.headers.insert(UPGRADE, protocol);
        }
        for name in [EXPECT, HOST, http::HeaderName::from_static("traceparent")] {
            head.headers.remove(name);
        }
        let (scheme, host) = match leaving {
            Leaving::Signed { endpoint: None, .. } | Leaving::Plain { base: None, .. } => {
                ("https", destination.host.clone())
            }
            Leaving::Signed { endpoint: Some(base), .. } | Leaving::Plain { base: Some(base), .. } => {
                let host = base.authority().map(|at| at.as_str().to_owned()).unwrap_or_default();
                (base.scheme_str().unwrap_or("https"), host)
            }
        };
        name_decision(&mut head, self.decision);
        match (leaving, self.identified.by) {
            (Leaving::Signed { pair, endpoint }, Shown::Signature(signature)) => {
                let at = signed::At {
                    destination: &destination,
                    scheme,
                    host: &host,
                    endpoint: endpoint.is_some(),
                };
                signed::make((head, body), &as_received, &signature.proven, at, (keys, pair), now)
            }
            (Leaving::Signed { .. }, Shown::Token(_) | Shown::Vouched | Shown::Nobody) => {
                Err(unsendable(&"only what was signed can be signed again"))
            }
            (Leaving::Plain { carried, base, .. }, _) => {
                let of = (accept, self.claim.speaks_grpc());
                let at_provider;
                let base = match base {
                    Some(base) => base,
                    None => {
                        at_provider = plain::provider(&host)?;
                        &at_provider
                    }
                };
                plain::make((head, body), of, carried, base)
            }
        }
    }

    /// The form to ask for an answer in, where a credential in it is exchanged or withheld; the caller's where none is.
    fn accept(&self) -> Option<HeaderValue> {
        let mints =
            matches!(&self.bound.action().reading, Reading::Call(call) if call.answer.mints.is_some());
        // Of the forms that clients ask for this is the one we write.
        let plain = mints.then(|| HeaderValue::from_static("application/json"));
        plain.or_else(|| self.claim.accept(&self.bound.held().head().headers))
    }
}

/// A body held whole, with its length said.
fn whole(head: &mut Parts, body: WholeBody) -> OutBody {
    let length = body.bytes().len();
    // A length of nothing is kept where it was sent: some services ask for it on an empty PUT.
    if length > 0 || head.headers.contains_key(CONTENT_LENGTH) {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    OutBody::Whole(body.into_outgoing())
}

/// The decision rides in the user agent, so that the provider's own audit log joins to ours.
fn name_decision(head: &mut Parts, decision: DecisionId) {
    let mut agent = head.headers.get(USER_AGENT).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
    if !agent.is_empty() {
        agent.push(b' ');
    }
    agent.extend_from_slice(format!("ordain/{decision}").as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&agent) {
        head.headers.insert(USER_AGENT, value);
    }
}

fn unsendable(error: &dyn std::fmt::Display) -> Fault {
    Fault::new(
        DenialKind::Malformed,
        "not_sendable",
        "the request cannot be signed again as it is; look at its path and headers",
    )
    .with_detail(error)
}
