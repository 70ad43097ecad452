//! Requests whose own credential goes on to their upstream, in place of the gate's (`pass_through`).
//!
//! The actor is shown all the same: by that credential, where it is a token of an issuer that is believed, else by the
//! connection it came over. Weaker than custody, which is said where it is configured: whoever holds such a credential can
//! use it without us. Leaves out sending it (`outgoing::plain`).

use http::HeaderMap;
use jiff::Timestamp;
use ordain_action::{Plane, Upstream};

use super::presented::{Presented, unauthenticated};
use super::vouched::Vouched;
use super::{Known, Scheme, in_force};
use crate::fault::Fault;
use crate::keys::token;
use crate::place::Arrival;

/// Who it is whose token says nothing to us: whoever asked the proxy, or whom the connection shows. Nobody where the token
/// does not go on.
///
/// # Errors
/// What the connection shows is not right.
pub(super) fn beside<F: Fn(&str) -> Option<Upstream>>(
    known: &Known<'_, F>,
    (arrival, plane): (&Arrival, Plane),
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<(Vouched, Upstream)>, Fault> {
    let Known { keys, schemes, upstreams, upstream } = known;
    if let Some(asker) = &arrival.connection.asker
        && let Some(key) = keys.find(&asker.id)
        && arrival.place.upstream.as_ref() == Some(&key.upstream)
        && upstreams.passes(&key.upstream)
    {
        in_force(keys, &key, now)?;
        let bound = super::bound(&key, upstream)?;
        let parties = (key.party.clone(), key.on_behalf_of.clone());
        return Ok(Some((Vouched::new(parties, &key.id, "", key.expires), bound)));
    }
    let Some(shown) = schemes.by_connection(&arrival.connection, headers, now) else { return Ok(None) };
    let (vouched, grant) = shown?;
    let Ok(bound) = grant.upstream((&arrival.place, plane), upstream) else { return Ok(None) };
    Ok(upstreams.passes(&bound.name).then_some((vouched, bound)))
}

/// Whether the request's own credential goes on.
///
/// # Errors
/// It does, and there is none, or it is one of ours.
pub(super) fn goes_on<F>(
    known: &Known<'_, F>,
    scheme: &Scheme,
    presented: Presented<'_>,
) -> Result<bool, Fault> {
    let name = match scheme {
        Scheme::Signature(_) | Scheme::Nobody(_) => return Ok(false),
        // Behind it stands what the upstream handed out, which stays in the gate.
        Scheme::Token(claimed) if claimed.key.minted.is_some() => return Ok(false),
        Scheme::Token(claimed) => &claimed.upstream.name,
        Scheme::Vouched(_, upstream) => &upstream.name,
    };
    if !known.upstreams.passes(name) {
        return Ok(false);
    }
    let ours = || {
        let text = format!(
            "the upstream `{name}` takes each actor's own credential, and what is presented is one of this gate's, which \
             stays here; send your own as `Authorization: Bearer`"
        );
        Err(unauthenticated("issued_credential", text))
    };
    match presented {
        _ if matches!(scheme, Scheme::Token(_)) => ours(),
        Presented::Bearer(text) if token::is_in(text.as_bytes()) || known.keys.holds(text) => ours(),
        Presented::Bearer(_) => Ok(true),
        Presented::Nothing => {
            let text = format!(
                "the upstream `{name}` takes each actor's own credential, and there is none; send yours as \
                 `Authorization: Bearer`"
            );
            Err(unauthenticated("own_credential_missing", text))
        }
    }
}
