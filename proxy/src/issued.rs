//! Issued ids inside requests and answers: an actor knows a key that it made through the gate by the issued id, and
//! the provider knows it by the real one.
//!
//! The issued id is exchanged before the request is read for good, so that what is judged, recorded and sent is one
//! and the same. Leaves out how keys are minted (`upstream::minted`) and kept (`keys`).

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use ordain_action::{Action, DecisionId, DenialKind, Effect, Reading};
use ordain_decode::Claim;
use ordain_evidence::ChangeKind;

use crate::answer::{self, NotHeld};
use crate::fault::Fault;
use crate::gate::Gate;
use crate::head;
use crate::held::Held;
use crate::identity::Identified;
use crate::keys::{IssuedKey, KeyStore, is_issued_form};
use crate::listen::ConnectionInfo;
use crate::reply::{self, ReplyBody};
use crate::{events, keys};

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
    gate: &Gate,
    connection: &ConnectionInfo,
    claim: &Claim<'_>,
    identified: &Identified,
    held: &mut Held,
    reading: Reading,
) -> Result<Reading, Fault> {
    let Some(issued) = named(&reading).filter(|id| is_issued_form(id)) else { return Ok(reading) };
    let real = real_id(&gate.keys, &identified.key, issued)?;
    let body = held.bytes().and_then(|body| exchanged(body, issued, &real)).ok_or_else(|| {
        let text = format!(
            "the access key `{issued}` must stand once in the body of the request; send it there, signed in the header"
        );
        Fault::new(DenialKind::Malformed, "issued_id_misplaced", text)
    })?;
    held.replace(body.clone());
    let sha256 = held.sha256().map(|digest| digest.to_hex());
    let head = head::of(connection, held.head());
    let again = claim.decode(&identified.actor.upstream, &head, &body, sha256.as_deref());
    // INVARIANT: nothing else of the meaning changed by the exchange.
    if named(&again) != Some(&*real) || said(&again) != said(&reading) {
        return Err(Fault::internal(&"a request reads differently once its issued id is exchanged"));
    }
    Ok(again)
}

fn real_id(keys: &KeyStore, by: &IssuedKey, issued: &str) -> Result<String, Fault> {
    // Whether there is such a key of somebody else is nobody's business.
    let key = keys.find(issued).filter(|key| is_of(key, by)).ok_or_else(|| {
        let text =
            format!("the access key `{issued}` is not one that was issued to you here; name one of your own");
        Fault::new(DenialKind::Forbidden, "foreign_key", text)
    })?;
    let minted = key.minted.as_ref().ok_or_else(|| {
        let text = format!(
            "the access key `{issued}` was made by the gate, and the provider has none like it; ask the operator to \
             revoke it with `ordain key revoke`"
        );
        Fault::new(DenialKind::Forbidden, "key_of_the_gate", text)
    })?;
    Ok(minted.real.id.clone())
}

fn is_of(key: &IssuedKey, by: &IssuedKey) -> bool {
    key.party == by.party && key.on_behalf_of == by.on_behalf_of && key.upstream == by.upstream
}

fn operation(reading: &Reading) -> Option<&Effect> {
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
fn named(reading: &Reading) -> Option<&str> {
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

/// Whether a change, once it is answered, ends a key or lets it rest.
#[must_use]
pub fn ends_keys(action: &Action) -> bool {
    operation(&action.reading)
        .is_some_and(|effect| matches!(&*effect.operation, "DeleteAccessKey" | "UpdateAccessKey"))
}

/// Lets issued keys share what a change did to the real one behind them.
pub async fn follow(gate: &Arc<Gate>, action: &Action, decision: DecisionId) {
    let (Some(effect), Some(real)) = (operation(&action.reading), named(&action.reading)) else { return };
    let Some(does) = ending(&effect.operation, effect.parameters.text("Status")) else { return };
    for key in gate.keys.standing_for(real, &action.actor.upstream.name) {
        let summary =
            format!("{} {}, which stands for {real}, by decision {decision}", does.as_str(), key.id);
        let author = &action.actor.party.name;
        let done = match gate.record_change_by(author, ChangeKind::Key, summary, None, None).await {
            Ok(()) => {
                // Who serves requests does not wait for a disk.
                let (gate, id) = (Arc::clone(gate), key.id.clone());
                let end = move || gate.keys.end(&id, does, gate.clock.now()).map(drop);
                let ended = tokio::task::spawn_blocking(end).await;
                ended
                    .map_err(|error| error.to_string())
                    .and_then(|end| end.map_err(|error| error.to_string()))
            }
            Err(why) => Err(why),
        };
        if let Err(why) = done {
            events::notice("an issued key did not follow the real one", &why);
        }
    }
}

/// What becomes of the issued key. The provider has answered, and so it took the status in whichever letters it came.
fn ending(operation: &str, status: Option<&str>) -> Option<keys::Ending> {
    let is = |word: &str| status.is_some_and(|status| status.trim().eq_ignore_ascii_case(word));
    match operation {
        "DeleteAccessKey" => Some(keys::Ending::Revoked),
        "UpdateAccessKey" if is("Inactive") => Some(keys::Ending::Resting),
        "UpdateAccessKey" if is("Active") => Some(keys::Ending::Awake),
        _ => None,
    }
}

/// Whether an answer lists keys.
#[must_use]
pub fn lists_keys(action: &Action) -> bool {
    match &action.reading {
        Reading::Call(call) => call
            .effects
            .iter()
            .any(|effect| (&*effect.service, &*effect.operation) == ("iam", "ListAccessKeys")),
        Reading::Undecodable { .. } => false,
    }
}

/// Passes a list of keys on with the caller's own under their issued ids: a real id is none that it could sign with.
///
/// # Errors
/// A [`Fault`] when the answer does not come whole.
pub async fn list(
    gate: &Gate,
    action: &Action,
    answer: http::Response<Incoming>,
) -> Result<http::Response<ReplyBody>, Fault> {
    let held = answer::hold(answer).await.map_err(|why| {
        let text = "the control plane's answer could not be read whole; try again";
        match why {
            NotHeld::Broken => Fault::new(DenialKind::BadGateway, "answer_broken", text),
            NotHeld::TooLong => Fault::new(DenialKind::BadGateway, "answer_too_long", text),
        }
    })?;
    let by: Option<Arc<IssuedKey>> = gate.keys.find(&action.actor.credential);
    let own = gate.keys.list().into_iter().filter(|key| by.as_ref().is_some_and(|by| is_of(key, by)));
    let body = under_issued_ids(&held.body, own);
    let mut head = held.head;
    head.headers.remove(http::header::TRANSFER_ENCODING);
    head.headers.insert(http::header::CONTENT_LENGTH, body.len().into());
    Ok(http::Response::from_parts(head, reply::full(body)))
}

fn under_issued_ids(body: &Bytes, keys: impl Iterator<Item = Arc<IssuedKey>>) -> Bytes {
    // What is no text is compressed, and passed on as it is.
    let Ok(text) = std::str::from_utf8(body) else { return body.clone() };
    let mut text = text.to_owned();
    for key in keys {
        if let Some(minted) = &key.minted {
            text = text.replace(&format!(">{}<", minted.real.id), &format!(">{}<", key.id));
        }
    }
    Bytes::from(text)
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
    fn a_key_follows_a_status_in_any_letters() {
        let becomes = |status: &str| ending("UpdateAccessKey", Some(status)).map(keys::Ending::as_str);
        let (resting, awake) = (Some(keys::Ending::Resting.as_str()), Some(keys::Ending::Awake.as_str()));
        assert_eq!(["Inactive", "inactive", "INACTIVE "].map(becomes), [resting; 3]);
        assert_eq!(["Active", "active"].map(becomes), [awake; 2]);
        assert_eq!(becomes("Expired"), None);
        assert_eq!(ending("UpdateAccessKey", None).map(keys::Ending::as_str), None);
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
