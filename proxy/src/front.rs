//! Clients that sign in before they work, as their plane has it: whoever has an issued token for a password is answered
//! here, and nobody else gets further than to what the plane shows to anybody.
//!
//! The session that a client is given is the token that it came with: nothing is asked of the upstream, and nothing is kept.
//! Leaves out how each plane's clients sign in (the rooms), and where its clients put a session (`shown`).

use http::Response;
use ordain_action::DenialKind;
use ordain_decode::{Claim, Front, Session};

use crate::fault::Fault;
use crate::gate::Gate;
use crate::head;
use crate::held::Held;
use crate::identity::{Identified, Shown};
use crate::keys::token;
use crate::listen::WayIn;
use crate::place::Arrival;
use crate::reply::{self, ReplyBody};

/// The longest body that is held for somebody of whom nothing is known, in bytes: a sign-in is short.
pub const NOBODY_MAX: u64 = 64 * 1024;

/// Answers who signs in or out; `None` where the request goes on.
///
/// # Errors
/// A [`Fault`]: nobody is shown, and it asks for more than the plane shows to anybody.
pub fn answer(
    gate: &Gate,
    arrival: &Arrival,
    claim: &Claim<'_>,
    identified: &Identified,
    held: &Held,
) -> Result<Option<Response<ReplyBody>>, Fault> {
    let upstream = &identified.actor.upstream;
    let front = if arrival.connection.way_in == WayIn::Reverse && gate.upstreams.signs_in(&upstream.name) {
        let body = held.bytes().map_or(&[][..], |bytes| bytes);
        claim.front(upstream, &head::of(arrival, held.head()), body)
    } else {
        None
    };
    let native = match (front, &identified.by) {
        (Some(Front::Open), _) => return Ok(None),
        (Some(Front::SignIn { user, password }), _) => {
            let shown = password.as_deref().or_else(|| token::presented(&held.head().headers));
            match shown.filter(|shown| shown.starts_with(token::BEGINNING)) {
                Some(shown) => sign_in(gate, arrival, claim, (&user, shown))?,
                None if identified.is_nobody() => return Err(not_ours()),
                None => return Ok(None),
            }
        }
        (Some(Front::SignOut { session }), Shown::Token(key))
            if key.minted.is_none() && session.as_ref().is_none_or(|name| **name == *key.id) =>
        {
            claim.signed_out()
        }
        (_, Shown::Nobody) => return Err(gate.nobody()),
        (_, Shown::Signature(_) | Shown::Token(_) | Shown::Vouched) => return Ok(None),
    };
    match native {
        Some(native) => Ok(Some(reply::native(native))),
        None => Err(not_ours()),
    }
}

fn sign_in(
    gate: &Gate,
    arrival: &Arrival,
    claim: &Claim<'_>,
    (user, token): (&str, &str),
) -> Result<Option<ordain_decode::NativeResponse>, Fault> {
    let key = gate.holder(arrival, claim, token)?;
    let now = gate.clock.now().to_string();
    let is_tls = arrival.connection.tls.is_some();
    Ok(claim.signed_in(&Session { user, token, name: &key.id, now: &now, is_tls }))
}

fn not_ours() -> Fault {
    Fault::new(
        DenialKind::Unauthenticated,
        "unknown_token",
        "the password is no token that is issued here; sign in with any name and a token that `ordain key create --bearer` \
         printed as the password",
    )
}
