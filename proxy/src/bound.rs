//! A request in hand together with what it was read as, so that nothing of it changes once it is judged.
//!
//! Leaves out reading (the rooms) and judging (`request`).

use std::sync::Arc;

use http::HeaderValue;
use http::header::UPGRADE;
use http::request::Parts;
use jiff::Timestamp;
use ordain_action::{Action, DenialKind, Digest, Reading, request_digest};
use ordain_decode::{Claim, Misplaced};
use ordain_evidence::HeadSummary;

use crate::fault::Fault;
use crate::held::Held;
use crate::identity::Identified;
use crate::keys::KeyStore;
use crate::named::Named;
use crate::place::Arrival;
use crate::{exchange, head, named};

/// A request that was read, with its action and its digest.
///
/// INVARIANT: made in one place, which reads the action from the very bytes that are kept beside it; from then on they
/// can be looked at and taken apart to be signed, and not changed. So the digest that is compared before a request is
/// released is that of the bytes that leave.
#[derive(Debug)]
#[must_use]
pub struct Bound {
    held: Held,
    action: Arc<Action>,
    digest: Digest,
    named: Option<Named>,
    binds_content: bool,
}

impl Bound {
    /// Reads a request in hand. An issued id in it is exchanged first: it stands for a real one, and the real one is
    /// what is judged and sent. An issued token is looked up, and exchanged when it leaves: it is a credential.
    ///
    /// # Errors
    /// A [`Fault`] where an issued id cannot be exchanged.
    pub fn read(
        keys: &KeyStore,
        arrival: &Arrival,
        claim: &Claim<'_>,
        identified: &Identified,
        mut held: Held,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let head = head::of(arrival, held.head());
        let bytes = held.bytes().map_or(&[][..], |bytes| bytes);
        let reading = claim.decode(&identified.actor.upstream, &head, bytes, identified.payload_sha256());
        let reading = exchange::resolve(keys, arrival, claim, identified, &mut held, reading)?;
        let (reading, named) = named::resolve(keys, claim, identified, &held, reading, now)?;
        check_protocol(held.head(), &reading)?;
        check_withheld(claim, held.bytes().map_or(&[][..], |bytes| bytes))?;
        // What a stream says is judged by nobody, whoever opens it: that it is opened is what is approved.
        let opens = matches!(&reading, Reading::Call(call) if call.answer.upgrades);
        let binds_content = held.bytes().is_some() || identified.payload_sha256().is_some() || opens;
        let action = Arc::new(Action { actor: identified.actor.clone(), reading });
        let head = head::of(arrival, held.head());
        let digest = request_digest(&action, || head::digest(&head, held.sha256()));
        Ok(Self { held, action, digest, named, binds_content })
    }

    /// What it would do.
    #[must_use]
    pub const fn action(&self) -> &Arc<Action> {
        &self.action
    }

    /// What of its head is evidence.
    #[must_use]
    pub fn summary(&self, arrival: &Arrival, identified: &Identified) -> HeadSummary {
        head::summary(&head::of(arrival, self.held.head()), identified.own)
    }

    /// The digest of what it would do; of all its bytes where that cannot be told.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The request, to be looked at.
    pub const fn held(&self) -> &Held {
        &self.held
    }

    /// Whether its digest says all that it would do: not of a body that streams and whose hash nobody declared.
    #[must_use]
    pub const fn binds_content(&self) -> bool {
        self.binds_content
    }

    /// The token of ours that it is about.
    #[must_use]
    pub const fn named(&self) -> Option<&Named> {
        self.named.as_ref()
    }

    /// The request, to be signed and sent.
    pub fn into_held(self) -> Held {
        self.held
    }
}

/// The protocol that a head asks for; the guard lets through one that is known, or none.
#[must_use]
pub fn protocol(head: &Parts) -> Option<HeaderValue> {
    head.headers.get(UPGRADE).cloned()
}

/// Refuses a request for another protocol that was not read as one that opens a stream.
///
/// # Errors
/// A [`Fault`] in words that tell the caller what to do.
fn check_protocol(head: &Parts, reading: &Reading) -> Result<(), Fault> {
    let opens = match reading {
        Reading::Call(call) => call.answer.upgrades,
        Reading::Undecodable { .. } => false,
    };
    if protocol(head).is_none() || opens {
        return Ok(());
    }
    let text =
        "the operation is no stream, and its connection stays what it is; send the request without `upgrade`";
    Err(Fault::new(DenialKind::Malformed, "framing_upgrade", text))
}

/// Refuses what would destroy a credential that is withheld from answers, or put it where it is not.
fn check_withheld(claim: &Claim<'_>, body: &[u8]) -> Result<(), Fault> {
    let text = match claim.misplaces(body) {
        None => return Ok(()),
        Some(Misplaced::Overwritten) => {
            "the body holds what the gate shows in the place of a credential, and would be written over the real one; \
             leave that member out, or send a patch of what changes"
        }
        Some(Misplaced::Moved) => {
            "a patch of an object that may hold a credential of the cluster must not move or copy anything in it; say the \
             values themselves, by `add`, `replace` and `remove`"
        }
    };
    Err(Fault::new(DenialKind::Malformed, "withheld_value", text))
}
