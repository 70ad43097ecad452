//! An actor whom somebody vouches for whom we were told to believe: no key of ours stands behind it.
//!
//! Leaves out the schemes (a file each) and who is believed (`grant`).

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Actor, ActorKind, IdentityProof, Party, Upstream};

use super::presented::unauthenticated;
use crate::fault::Fault;
use crate::keys::KeyStore;

/// The longest text about a credential that is kept in every record.
const TOLD_MAX: usize = 256;

/// What somebody is called whom nothing shows.
const ANONYMOUS: &str = "anonymous";

/// Who it is, by what, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vouched {
    party: Party,
    on_behalf_of: Vec<Party>,
    credential: Arc<str>,
    session: Option<Arc<str>>,
    proof: IdentityProof,
    /// When what shows it ends.
    pub(super) until: Option<Timestamp>,
}

impl Vouched {
    /// Somebody with those for whom they act, by a credential of which `credential` and `session` are what may be told.
    pub(super) fn new(
        (party, on_behalf_of): (Party, Vec<Party>),
        credential: &str,
        session: &str,
        until: Option<Timestamp>,
    ) -> Self {
        let session = (!session.is_empty()).then(|| clipped(session));
        let (credential, proof) = (clipped(credential), IdentityProof::Proven);
        Self { party, on_behalf_of, credential, session, proof, until }
    }

    /// Somebody whom nothing proves.
    pub(super) fn unproven(mut self) -> Self {
        self.proof = IdentityProof::Claimed;
        self
    }

    /// The actor, bound to an upstream.
    ///
    /// # Errors
    /// A party of it is revoked, or what shows it has ended: the body may have taken its time.
    pub(super) fn actor(self, keys: &KeyStore, upstream: Upstream, now: Timestamp) -> Result<Actor, Fault> {
        if let Some(until) = self.until.filter(|until| now >= *until) {
            let text = format!(
                "what shows who this is ended at `{until}`, before the request was whole; get a new one"
            );
            return Err(unauthenticated("identity_ended", text));
        }
        super::allowed(keys, std::iter::once(&self.party).chain(&self.on_behalf_of))?;
        Ok(Actor {
            party: self.party,
            credential: self.credential,
            proof: self.proof,
            on_behalf_of: self.on_behalf_of,
            session: self.session,
            upstream,
        })
    }
}

/// Whoever it is that nothing shows.
///
/// # Errors
/// The operator revoked all such.
pub(super) fn nobody(keys: &KeyStore, upstream: Upstream) -> Result<Actor, Fault> {
    let party = Party { name: ANONYMOUS.into(), kind: ActorKind::Person };
    super::allowed(keys, [&party])?;
    Ok(Actor {
        party,
        credential: "".into(),
        proof: IdentityProof::Claimed,
        on_behalf_of: Vec::new(),
        session: None,
        upstream,
    })
}

/// A text that is not longer than what every record has room for, and is one line.
fn clipped(text: &str) -> Arc<str> {
    let mut kept = String::new();
    for character in text.chars().map(|character| if character.is_control() { '?' } else { character }) {
        if kept.len() + character.len_utf8() > TOLD_MAX {
            break;
        }
        kept.push(character);
    }
    kept.into()
}
