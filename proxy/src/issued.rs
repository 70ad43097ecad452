//! What becomes of issued keys once a request that names one is answered: they follow the real ones, and lists of keys
//! show the caller's own under their issued ids.
//!
//! Leaves out the ids in requests (`exchange`), the tokens in them (`named`), and how keys are minted
//! (`upstream::minted`) and kept (`keys`).

use std::sync::Arc;

use bytes::Bytes;
use ordain_action::{Action, DecisionId, DenialKind, OwnToken, Reading};
use ordain_evidence::ChangeKind;

use crate::answer::{self, NotHeld};
use crate::exchange::{is_of, named, operation};
use crate::fault::Fault;
use crate::forward::AnswerBody;
use crate::gate::Gate;
use crate::keys::IssuedKey;
use crate::named::Named;
use crate::reply::{self, ReplyBody};
use crate::{events, keys};

/// Whether a change, once it is answered, ends a key or lets it rest.
#[must_use]
pub fn ends_keys(action: &Action) -> bool {
    operation(&action.reading)
        .is_some_and(|effect| matches!(&*effect.operation, "DeleteAccessKey" | "UpdateAccessKey"))
}

/// Lets issued keys share what a change did to the real one behind them: to the one whose id it names, or to the token
/// that it is about.
pub async fn follow(gate: &Arc<Gate>, action: &Action, about: Option<&Named>, decision: DecisionId) {
    if let (Some(real), Some(does)) = (named(&action.reading), does(action)) {
        for key in gate.keys.standing_for(real, &action.actor.upstream.name) {
            end(gate, action, (&key, does), real, decision).await;
        }
    }
    if let (Some(about), true) = (about, ends_token(action)) {
        end(gate, action, (&about.key, keys::Ending::Revoked), "a token", decision).await;
    }
}

/// Ends one, its evidence first.
async fn end(
    gate: &Arc<Gate>,
    action: &Action,
    (key, does): (&IssuedKey, keys::Ending),
    real: &str,
    decision: DecisionId,
) {
    let summary = format!("{} {}, which stands for {real}, by decision {decision}", does.as_str(), key.id);
    let author = &action.actor.party.name;
    let done = match gate.record_change_by(author, ChangeKind::Key, summary, None, None).await {
        Ok(()) => {
            // Who serves requests does not wait for a disk.
            let (gate, id) = (Arc::clone(gate), key.id.clone());
            let end = move || gate.keys.end(&id, does, gate.clock.now()).map(drop);
            let ended = tokio::task::spawn_blocking(end).await;
            ended.map_err(|error| error.to_string()).and_then(|end| end.map_err(|error| error.to_string()))
        }
        Err(why) => Err(why),
    };
    if let Err(why) = done {
        events::notice("an issued key did not follow the real one", &why);
    }
}

/// Whether a change, once it is answered, ends the token that it is about.
fn ends_token(action: &Action) -> bool {
    matches!(&action.reading, Reading::Call(call) if call.answer.own == Some(OwnToken::Ended))
}

/// What a change of a key does to the issued one.
fn does(action: &Action) -> Option<keys::Ending> {
    let effect = operation(&action.reading)?;
    ending(&effect.operation, effect.parameters.text("Status"))
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
    answer: http::Response<AnswerBody>,
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
        if let Some(real) = key.minted.as_ref().and_then(|minted| minted.real.pair()) {
            text = text.replace(&format!(">{}<", real.id), &format!(">{}<", key.id));
        }
    }
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_follows_a_status_in_any_letters() {
        let becomes = |status: &str| ending("UpdateAccessKey", Some(status)).map(keys::Ending::as_str);
        let (resting, awake) = (Some(keys::Ending::Resting.as_str()), Some(keys::Ending::Awake.as_str()));
        assert_eq!(["Inactive", "inactive", "INACTIVE "].map(becomes), [resting; 3]);
        assert_eq!(["Active", "active"].map(becomes), [awake; 2]);
        assert_eq!(becomes("Expired"), None);
        assert_eq!(ending("UpdateAccessKey", None).map(keys::Ending::as_str), None);
    }
}
