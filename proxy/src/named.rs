//! Tokens of ours that a request is about: the one that it was made with, or one that it names beside.
//!
//! The upstream knows the real one behind it, which is put in its place when the request leaves, and is taken out of the
//! answer again. Leaves out which requests there are (the rooms), and the ids of key pairs (`exchange`).

use std::fmt;
use std::sync::{Arc, OnceLock};

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use memchr::memmem;
use ordain_action::{DenialKind, Minted, OwnToken, Reading};
use ordain_decode::form::{Fields, json};
use ordain_decode::{Claim, TokenPlace};
use ordain_sigv4::Secret;

use crate::exchange::is_of;
use crate::fault::Fault;
use crate::held::Held;
use crate::identity::Identified;
use crate::keys::{IssuedKey, KeyStore, Real, token};
use crate::upstream::{Carried, Leaving};

/// A token of ours that a request is about.
#[derive(Clone)]
pub struct Named {
    /// Its key.
    pub key: Arc<IssuedKey>,
    /// The token, as its holder shows it.
    pub shown: Arc<Secret>,
    // Where it stands; none where it is the one that the request was made with, which is exchanged in any case.
    place: Option<TokenPlace>,
    // The real one, once it was put somewhere.
    real: Arc<OnceLock<Secret>>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("key", &self.key.id).field("place", &self.place).finish_non_exhaustive()
    }
}

/// Finds the token that a request is about. What shows or ends it may be asked for then, where a real one stands behind it
/// that is no other's: the reading says so.
///
/// # Errors
/// A [`Fault`]: what is named is not a token of the caller's own.
pub fn resolve(
    keys: &KeyStore,
    claim: &Claim<'_>,
    identified: &Identified,
    held: &Held,
    reading: Reading,
    now: Timestamp,
) -> Result<(Reading, Option<Named>), Fault> {
    let beside = match claim.names_token() {
        None => None,
        Some(place) => beside(held, place).map(|shown| (place, shown)),
    };
    let named = match beside {
        None => None,
        Some((place, shown)) => Some(own(keys, identified, (place, shown), now)?),
    };
    let Reading::Call(mut call) = reading else { return Ok((reading, named)) };
    let Some(does) = call.answer.own else { return Ok((Reading::Call(call), named)) };
    let named = named.or_else(|| made_with(identified, held));
    // What stands behind any other key of ours is the gate's own credential.
    let is_minted = named.as_ref().is_some_and(|named| named.minted().is_some());
    if is_minted && call.answer.mints == Some(Minted::Unrewritable) {
        call.answer.mints = match does {
            OwnToken::Shown | OwnToken::Renewed => Some(Minted::Bearer),
            OwnToken::Ended => None,
        };
    }
    Ok((Reading::Call(call), named))
}

/// The token that the request was made with, where that is one of ours.
fn made_with(identified: &Identified, held: &Held) -> Option<Named> {
    let key = identified.key()?;
    let shown = token::presented(&held.head().headers).filter(|shown| key.is_of_token(shown))?;
    Some(Named::new(Arc::clone(key), shown.to_owned(), None))
}

/// What stands where a token may be named; in a body only what looks like one of ours, for others may stand there too.
fn beside(held: &Held, place: TokenPlace) -> Option<String> {
    match place {
        TokenPlace::Header(name) => {
            let value = held.head().headers.get(name)?;
            Some(value.to_str().unwrap_or_default().to_owned())
        }
        TokenPlace::Member(path) => in_body(held.bytes()?, path),
    }
}

/// A token of ours in a member of a body.
fn in_body(body: &[u8], path: &str) -> Option<String> {
    // Most bodies have none, and are not read for it.
    memmem::find(body, token::BEGINNING.as_bytes())?;
    let mut fields = Fields::new();
    json::read(body, &mut fields).ok()?;
    fields.text(path).filter(|text| text.starts_with(token::BEGINNING)).map(str::to_owned)
}

/// The token that a body signs in with, where it is one of ours.
#[must_use]
pub fn shown_in(body: &[u8], path: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", in_body(body, path)?)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn own(
    keys: &KeyStore,
    identified: &Identified,
    (place, shown): (TokenPlace, String),
    now: Timestamp,
) -> Result<Named, Fault> {
    let by = identified.key();
    let found = token::id_of(&shown).and_then(|id| keys.find(id)).filter(|key| key.is_of_token(&shown));
    // Whether there is such a token of somebody else is nobody's business.
    let key = found
        .filter(|key| by.is_some_and(|by| is_of(key, by)) && keys.is_in_force(key, now))
        // The gate's own credential is not reached through what the upstream handed out.
        .filter(|key| key.minted.is_some() || by.is_some_and(|by| by.minted.is_none()))
        .ok_or_else(|| {
            let text = "the token that the request names is not one that was issued to you here and is in force; name one \
                        of your own";
            Fault::new(DenialKind::Forbidden, "foreign_token", text)
        })?;
    Ok(Named::new(key, shown, Some(place)))
}

impl Named {
    fn new(key: Arc<IssuedKey>, shown: String, place: Option<TokenPlace>) -> Self {
        Self { key, shown: Arc::new(Secret::new(shown)), place, real: Arc::default() }
    }

    /// The real token that the upstream handed out for it.
    #[must_use]
    pub fn minted(&self) -> Option<&Secret> {
        self.key.minted.as_ref().and_then(|minted| minted.real.bearer())
    }

    /// Puts the real token in its place, in a request that is about to leave.
    ///
    /// # Errors
    /// Why that cannot be done exactly. Nothing must be sent.
    pub fn put(&self, claim: &Claim<'_>, held: &mut Held, leaving: &Leaving) -> Result<(), &'static str> {
        let real = match (self.key.minted.as_ref().map(|minted| &minted.real), leaving) {
            (Some(Real::Bearer(real)), _) => real.expose().to_owned(),
            (None, Leaving::Plain { carried: Carried::Header(header), .. }) => {
                carried(&header.to_pair().1).ok_or("the upstream's own credential is no token")?
            }
            (Some(Real::Pair(_)) | None, _) => return Err("no token stands behind the one that it names"),
        };
        let not_there = "the token that it names does not stand where it can be exchanged";
        match self.place {
            None => {}
            Some(TokenPlace::Header(name)) => {
                // INVARIANT: of headers only a minted one is named; what ends or shows the gate's own is not asked for.
                self.minted().ok_or(not_there)?;
                let mut value = HeaderValue::from_str(&real).map_err(|_| not_there)?;
                value.set_sensitive(true);
                held.insert(name, value);
            }
            Some(TokenPlace::Member(path)) => {
                let body = held.bytes().ok_or(not_there)?;
                let body = claim.put_token(body, path, (self.shown.expose(), &real));
                held.replace(body.map_err(|_| not_there)?.into());
            }
        }
        // Set once: a request leaves once.
        drop(self.real.set(Secret::new(real)));
        Ok(())
    }

    /// Whether the real token can be told not to stand in an answer.
    #[must_use]
    pub fn is_kept_from(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let real = self.real.get().map(Secret::expose).filter(|real| !real.is_empty());
        let encoded = headers.contains_key(CONTENT_ENCODING) && !body.is_empty();
        !encoded && real.is_none_or(|real| !stands_in(headers, body, real))
    }
}

/// Whether a secret stands in an answer.
#[must_use]
pub fn stands_in(headers: &HeaderMap, body: &[u8], secret: &str) -> bool {
    let is_in = |bytes: &[u8]| !secret.is_empty() && memmem::find(bytes, secret.as_bytes()).is_some();
    is_in(body) || headers.values().any(|value| is_in(value.as_bytes()))
}

/// The token in a header's value, with or without the scheme before it.
fn carried(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    let text = token::bearer(text).unwrap_or(text);
    (!text.is_empty() && !text.contains(' ')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_named_in_no_body() {
        let found = |body: &str| in_body(body.as_bytes(), "auth.identity.token.id");
        let body = |token: &str| format!(r#"{{"auth":{{"identity":{{"token":{{"id":"{token}"}}}}}}}}"#);
        assert_eq!(found(&body("ordain.TKOR.x")).as_deref(), Some("ordain.TKOR.x"));
        assert_eq!(
            shown_in(body("ordain.TKOR.x").as_bytes(), "auth.identity.token.id").unwrap(),
            "Bearer ordain.TKOR.x"
        );
        for other in [
            body("gAAAAAB-ordain.TKOR.x"),
            body("gAAAAAB"),
            body("ordain.TKOR.x").replace("\"id\"", "\"name\""),
            body("ordain.TKOR.x").replace("}}}}", "},\"token\":{}}}}"),
            "ordain.TKOR.x".to_owned(),
        ] {
            assert_eq!(found(&other), None, "{other}");
        }
    }

    #[test]
    fn a_header_s_value_is_a_token_with_its_scheme_or_without() {
        for (value, token) in [
            ("gAAAAAB", Some("gAAAAAB")),
            ("Bearer gAAAAAB", Some("gAAAAAB")),
            ("Basic YWRtaW46eA==", None),
            ("", None),
        ] {
            assert_eq!(carried(&HeaderValue::from_static(value)).as_deref(), token, "{value}");
        }
    }

    #[test]
    fn an_answer_that_says_what_was_asked_with_is_told() {
        let secret = "gAAAAAB-real";
        let at = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            headers
        };
        assert!(stands_in(&HeaderMap::new(), b"could not find the token gAAAAAB-real.", secret));
        assert!(stands_in(&at("www-authenticate", "Keystone token=gAAAAAB-real"), b"", secret));
        assert!(!stands_in(&at("x-subject-token", "ordain.T.x"), b"gAAAAAB-rea", secret));
        assert!(!stands_in(&HeaderMap::new(), b"anything", ""));
    }
}
