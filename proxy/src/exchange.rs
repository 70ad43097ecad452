//! The exchange of issued ids inside requests: an actor knows a key that it made through the gate by the issued id, and
//! the provider knows it by the real one.
//!
//! The issued id is exchanged before the request is read for good, so that what is judged, recorded and sent is one
//! and the same. Leaves out what becomes of issued keys once such a request is answered (`issued`).

use bytes::Bytes;
use ordain_action::{DenialKind, Effect, Reading};
use ordain_decode::Claim;

use crate::fault::Fault;
use crate::head;
use crate::held::Held;
use crate::identity::Identified;
use crate::keys::{IssuedKey, KeyStore, is_issued_form};
use crate::place::Arrival;

/// The member that names a key, in all four operations that take one.
const MEMBER: &str = "AccessKeyId";

/// The operations that take the id of a key. All are of the query protocol: the id stands in a form.
const NAMING: [(&str, &str); 4] = [
    ("iam", "DeleteAccessKey"),
    ("iam", "UpdateAccessKey"),
    ("iam", "GetAccessKeyLastUsed"),
    ("sts", "GetAccessKeyInfo"),
];

/// Puts the real id in the place of the issued one that a request names, and reads the request again; gives back the
/// reading of any other request as it is.
///
/// # Errors
/// A [`Fault`]: the id is not one of the caller's own, or does not stand where it can be exchanged. An issued id is
/// never sent.
pub fn resolve(
    keys: &KeyStore,
    arrival: &Arrival,
    claim: &Claim<'_>,
    identified: &Identified,
    held: &mut Held,
    reading: Reading,
) -> Result<Reading, Fault> {
    let Some(issued) = named(&reading).filter(|id| is_issued_form(id)) else { return Ok(reading) };
    let by = identified.key().ok_or_else(|| foreign(issued))?;
    let real = real_id(keys, by, issued)?;
    let body = held.bytes().and_then(|body| exchanged(body, issued, &real)).ok_or_else(|| {
        let text = format!(
            "the access key `{issued}` must stand once in the body of the request; send it there, signed in the header"
        );
        Fault::new(DenialKind::Malformed, "issued_id_misplaced", text)
    })?;
    held.replace(body.clone());
    let sha256 = held.sha256().map(|digest| digest.to_hex());
    let head = head::of(arrival, held.head());
    let again = claim.decode(&identified.actor.upstream, &head, &body, sha256.as_deref());
    // INVARIANT: nothing else of the meaning changed by the exchange.
    if named(&again) != Some(&*real) || said(&again) != said(&reading) {
        return Err(Fault::internal(&"a request reads differently once its issued id is exchanged"));
    }
    Ok(again)
}

fn foreign(issued: &str) -> Fault {
    let text =
        format!("the access key `{issued}` is not one that was issued to you here; name one of your own");
    Fault::new(DenialKind::Forbidden, "foreign_key", text)
}

fn real_id(keys: &KeyStore, by: &IssuedKey, issued: &str) -> Result<String, Fault> {
    // Whether there is such a key of somebody else is nobody's business.
    let key = keys.find(issued).filter(|key| is_of(key, by)).ok_or_else(|| foreign(issued))?;
    let minted = key.minted.as_ref().ok_or_else(|| {
        let text = format!(
            "the access key `{issued}` was made by the gate, and the provider has none like it; ask the operator to \
             revoke it with `ordain key revoke`"
        );
        Fault::new(DenialKind::Forbidden, "key_of_the_gate", text)
    })?;
    // An issued id of this form is always one of a key pair.
    minted.real.pair().map(|pair| pair.id.clone()).ok_or_else(|| foreign(issued))
}

/// Whether a key is of the same actor as another one.
#[must_use]
pub fn is_of(key: &IssuedKey, by: &IssuedKey) -> bool {
    key.party == by.party && key.on_behalf_of == by.on_behalf_of && key.upstream == by.upstream
}

/// The one effect of a request that names a key.
#[must_use]
pub fn operation(reading: &Reading) -> Option<&Effect> {
    match reading {
        Reading::Call(call) => match call.effects.as_slice() {
            [effect] => Some(effect),
            _ => None,
        },
        Reading::Undecodable { .. } => None,
    }
    .filter(|effect| NAMING.contains(&(&*effect.service, &*effect.operation)))
}

fn said(reading: &Reading) -> Option<(&str, &str, usize)> {
    operation(reading).map(|effect| (&*effect.service, &*effect.operation, effect.parameters.len()))
}

/// The key that a request names.
#[must_use]
pub fn named(reading: &Reading) -> Option<&str> {
    operation(reading)?.parameters.text(MEMBER)
}

/// A form with one id in the place of another; `None` unless it stands there exactly once and as it is.
fn exchanged(form: &[u8], issued: &str, real: &str) -> Option<Bytes> {
    let plain = real.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let wanted = format!("{MEMBER}={issued}");
    let mut pairs: Vec<&str> = std::str::from_utf8(form).ok()?.split('&').collect();
    let mut places = pairs.iter_mut().filter(|pair| **pair == wanted);
    let place = places.next().filter(|_| plain)?;
    if places.next().is_some() {
        return None;
    }
    let to = format!("{MEMBER}={real}");
    *place = &to;
    Some(Bytes::from(pairs.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUED: &str = "AKORAAAAAAAAAAAAAAAA";

    fn check(form: &str, expected: Option<&str>) {
        let made = exchanged(form.as_bytes(), ISSUED, "AKIAREAL");
        assert_eq!(made.as_deref(), expected.map(str::as_bytes), "{form}");
    }

    #[test]
    fn only_the_id_is_exchanged_and_only_where_it_stands_once() {
        check(
            "Action=DeleteAccessKey&AccessKeyId=AKORAAAAAAAAAAAAAAAA&UserName=a%20b&&x",
            Some("Action=DeleteAccessKey&AccessKeyId=AKIAREAL&UserName=a%20b&&x"),
        );
        check("AccessKeyId=%41KORAAAAAAAAAAAAAAAA", None);
        check("AccessKeyId=AKORAAAAAAAAAAAAAAAA&AccessKeyId=AKORAAAAAAAAAAAAAAAA", None);
        check("UserName=AKORAAAAAAAAAAAAAAAA", None);
        assert_eq!(exchanged(b"AccessKeyId=AKORAAAAAAAAAAAAAAAA", ISSUED, "a&b"), None);
    }
}
