//! Credentials in an answer: the real one stays here, and the caller gets an issued one bound to it.
//!
//! Leaves out where they stand in an answer, which the room knows, and sending.

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Actor, Call, DenialKind};
use ordain_decode::{
    AnswerHead, Claim, KeyPairReplacement, MintedCredentials, MintedKeyPair, MintedToken, Replacement,
    TokenReplacement,
};
use ordain_sigv4::{KeyPair, Secret};

use crate::fault::Fault;
use crate::keys::{IssuedKey, KeyStore, NewKey};

/// An answer's body that no longer holds the real credential.
#[derive(Debug)]
pub struct Reissued {
    /// The body for the caller.
    pub body: Vec<u8>,
    /// The key that was issued in the real one's place.
    pub key: Arc<IssuedKey>,
}

/// An answer, and what it answers.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// What reads it.
    pub claim: &'a Claim<'static>,
    /// What was asked for.
    pub call: &'a Call,
    /// Its head.
    pub head: AnswerHead<'a>,
    /// Its body.
    pub body: &'a [u8],
}

/// Puts an issued credential in the place of the one that an answer hands out; `None` when it hands out none.
///
/// `actor` asked, with the issued key `by` where it came with one. The new key is on disk when this returns: run it
/// where waiting for a disk is allowed.
///
/// # Errors
/// A [`Fault`]: the credential cannot be found, kept or replaced exactly, and the answer must not reach the caller.
pub fn reissue(
    keys: &KeyStore,
    (actor, by): (&Actor, Option<&IssuedKey>),
    answered: Answered<'_>,
    now: Timestamp,
) -> Result<Option<Reissued>, Fault> {
    let Answered { claim, call, head, body } = answered;
    let found = claim.find_credentials(call, &head, body).map_err(|why| leak(why.text))?;
    match &found {
        None => Ok(None),
        Some(minted @ MintedCredentials::KeyPair(pair)) => {
            let by = by.ok_or_else(|| leak("a key pair was handed out to nobody's key"))?;
            key_pair(keys, by, answered, (minted, pair), (account(actor), now)).map(Some)
        }
        Some(minted @ MintedCredentials::Bearer(token)) => {
            bearer(keys, (actor, by), answered, (minted, token), now).map(Some)
        }
    }
}

fn key_pair(
    keys: &KeyStore,
    by: &IssuedKey,
    Answered { claim, head, body, .. }: Answered<'_>,
    (minted, found): (&MintedCredentials, &MintedKeyPair),
    (account, now): (&str, Timestamp),
) -> Result<Reissued, Fault> {
    let expires = found.expiration.as_deref().map(expiration).transpose()?;
    let real = KeyPair {
        id: found.access_key_id.clone(),
        secret: Secret::new(found.secret_access_key.clone()),
        session_token: found.session_token.clone().map(Secret::new),
    };
    if real.session_token.is_some() && expires.is_none() {
        return Err(leak("a session without an end was handed out"));
    }
    let key = keys.mint(by, real, expires, &found.principal, account, now).map_err(leak)?;
    let body = replace(claim, (minted, found), &key, &head, body)?;
    Ok(Reissued { body, key })
}

/// A token keeps the party that asked for it: whom the plane says it is for is what it acts as upstream, and nobody is
/// rid of the rules by asking for another's.
fn bearer(
    keys: &KeyStore,
    (actor, by): (&Actor, Option<&IssuedKey>),
    Answered { claim, head, body, .. }: Answered<'_>,
    (minted, found): (&MintedCredentials, &MintedToken),
    now: Timestamp,
) -> Result<Reissued, Fault> {
    let expires = found.expiration.as_deref().map(expiration).transpose()?;
    let expires = expires.ok_or_else(|| leak("a token without an end was handed out"))?;
    let new = NewKey {
        party: actor.party.clone(),
        on_behalf_of: actor.on_behalf_of.clone(),
        upstream: Arc::clone(&actor.upstream.name),
        expires: Some(expires),
    };
    let real = Secret::new(found.token.clone());
    let (principal, account) = (&found.principal, account(actor));
    let kept = keys.mint_token((&new, by), real, Some(expires), principal, account, now);
    let (key, token) = kept.map_err(leak)?;
    let ours = Replacement::Bearer(TokenReplacement(token.expose()));
    let body = claim.replace_credentials(minted, &ours, &head, body).map_err(|why| leak(why.text))?;
    if holds(&body, &found.token) {
        return Err(leak("the real credential stands in the answer more than once"));
    }
    Ok(Reissued { body, key })
}

fn account(actor: &Actor) -> &str {
    &actor.upstream.account
}

fn holds(body: &[u8], secret: &str) -> bool {
    !secret.is_empty() && body.windows(secret.len()).any(|part| part == secret.as_bytes())
}

fn replace(
    claim: &Claim<'_>,
    (minted, found): (&MintedCredentials, &MintedKeyPair),
    key: &IssuedKey,
    answer: &AnswerHead<'_>,
    body: &[u8],
) -> Result<Vec<u8>, Fault> {
    let replacement = Replacement::KeyPair(KeyPairReplacement {
        access_key_id: &key.id,
        secret_access_key: key
            .secret()
            .map(Secret::expose)
            .ok_or_else(|| leak("what was issued signs nothing"))?,
        session_token: key.session_token.as_ref().map(Secret::expose),
    });
    let replaced =
        claim.replace_credentials(minted, &replacement, answer, body).map_err(|why| leak(why.text))?;
    // INVARIANT: the real secret never leaves, however the answer was written.
    let real = [Some(found.secret_access_key.as_str()), found.session_token.as_deref()];
    if real.into_iter().flatten().any(|secret| holds(&replaced, secret)) {
        return Err(leak("the real credential stands in the answer more than once"));
    }
    Ok(replaced)
}

/// Reads a time as answers write it: RFC 3339, or seconds since 1970.
fn expiration(text: &str) -> Result<Timestamp, Fault> {
    let unreadable = || leak(format!("the end of the session, `{text}`, cannot be read"));
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    // A part of a second is cut off: the issued credential must not outlive the real one.
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unreadable());
    }
    Timestamp::from_second(whole.parse().map_err(|_| unreadable())?).map_err(|_| unreadable())
}

fn leak(why: impl std::fmt::Display) -> Fault {
    Fault::new(
        DenialKind::Forbidden,
        "custody_leak",
        "the answer hands out a credential that cannot be replaced by an issued one, and is withheld; \
         tell the operator",
    )
    .with_detail(why)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use http::{HeaderMap, HeaderValue};
    use jiff::SignedDuration;
    use ordain_action::{ActorKind, IdentityProof, Party, Plane, Reading, Upstream};
    use ordain_decode::{Head, Rooms, RoomsConfig, WayIn};

    use super::*;
    use crate::keys::{SealingKey, TEMPORARY};

    fn now() -> Timestamp {
        "2026-11-23T21:00:00Z".parse().unwrap()
    }

    const SESSION: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
        <AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::999999999999:assumed-role/r/s</Arn>\
        </AssumedRoleUser><Credentials><AccessKeyId>ASIAREALREALREALREAL</AccessKeyId>\
        <SecretAccessKey>real/secret+</SecretAccessKey><SessionToken>real//token==</SessionToken>\
        <Expiration>2026-11-23T22:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

    /// Has an answer to `AssumeRole` pass by; what the caller gets, with what was issued named.
    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(status: u16, body: &str, expected: Expect) {
        let state = tempfile::tempdir().unwrap();
        let sealing = SealingKey::from_hex(&"5a".repeat(32)).unwrap();
        let keys = KeyStore::open(state.path(), sealing).unwrap();
        let party = Party { name: "alice".into(), kind: ActorKind::Person };
        let by = keys
            .create(
                &NewKey { party, on_behalf_of: Vec::new(), upstream: "default".into(), expires: None },
                now(),
            )
            .unwrap();
        let config = RoomsConfig::default();
        let rooms = Box::leak(Box::new(Rooms::new(config).unwrap()));
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert("content-type", form);
        let authorization = "AWS4-HMAC-SHA256 Credential=AKORABCDEFGHIJKLMNOP/20261123/eu-west-1/sts/aws4_request, \
                             SignedHeaders=host, Signature=00";
        headers.insert("authorization", HeaderValue::from_static(authorization));
        let head = Head {
            method: "POST",
            target: "/",
            authority: "sts.eu-west-1.amazonaws.com",
            headers: &headers,
            way_in: WayIn::Egress,
            plane: None,
            upstream: None,
        };
        let claim = rooms.claim(&head).unwrap();
        let upstream = Upstream {
            name: "default".into(),
            plane: Plane::Aws,
            account: "123456789012".into(),
            partition: "aws".into(),
        };
        let request = b"Action=AssumeRole&Version=2011-06-15&RoleSessionName=s&\
            RoleArn=arn%3Aaws%3Aiam%3A%3A999999999999%3Arole%2Fr";
        let Reading::Call(call) = claim.decode(&upstream, &head, request, None) else { panic!("not read") };
        let mut answered = HeaderMap::new();
        answered.insert("content-type", HeaderValue::from_static("text/xml"));
        let answer = AnswerHead { status, headers: &answered };
        let actor = Actor {
            party: by.party.clone(),
            credential: Arc::clone(&by.id),
            proof: IdentityProof::Proven,
            on_behalf_of: Vec::new(),
            session: None,
            upstream,
        };
        let answered = Answered { claim: &claim, call: &call, head: answer, body: body.as_bytes() };
        let said = match reissue(&keys, (&actor, Some(&by)), answered, now()) {
            Err(fault) => fault.log_text(),
            Ok(None) => "nothing is handed out".to_owned(),
            Ok(Some(reissued)) => {
                let kept = keys.find(&reissued.key.id).unwrap();
                let minted = kept.minted.as_ref().unwrap();
                assert!(kept.id.starts_with(TEMPORARY));
                let real = minted.real.pair().unwrap();
                assert!(real.id == "ASIAREALREALREALREAL" && real.secret.is("real/secret+"));
                assert_eq!(minted.expires, Some(now() + SignedDuration::from_hours(1)));
                let token = kept.session_token.as_ref().unwrap().expose();
                String::from_utf8(reissued.body)
                    .unwrap()
                    .replace(&*kept.id, "OUR ID")
                    .replace(kept.secret().unwrap().expose(), "OUR SECRET")
                    .replace(token, "OUR TOKEN")
            }
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn the_caller_of_assume_role_gets_ours_and_we_keep_the_real() {
        check(
            200,
            SESSION,
            expect![[
                r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::999999999999:assumed-role/r/s</Arn></AssumedRoleUser><Credentials><AccessKeyId>OUR ID</AccessKeyId><SecretAccessKey>OUR SECRET</SecretAccessKey><SessionToken>OUR TOKEN</SessionToken><Expiration>2026-11-23T22:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"#
            ]],
        );
    }

    #[test]
    fn an_error_hands_out_nothing() {
        check(
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
            expect!["nothing is handed out"],
        );
    }

    #[test]
    fn what_cannot_be_replaced_exactly_is_withheld() {
        check(
            200,
            &SESSION.replace("real//token==", "real/secret+"),
            expect![
                "the answer hands out a credential that cannot be replaced by an issued one, and is withheld; tell the operator: the answer hands out credentials in a form that cannot be replaced; ask the operator of the gate"
            ],
        );
        check(
            200,
            &SESSION.replace("<SessionToken>real//token==</SessionToken>", ""),
            expect![
                "the answer hands out a credential that cannot be replaced by an issued one, and is withheld; tell the operator: the answer hands out credentials in a form that cannot be replaced; ask the operator of the gate"
            ],
        );
        check(
            200,
            &SESSION.replace("2026-11-23T22:00:00Z", "tomorrow"),
            expect![
                "the answer hands out a credential that cannot be replaced by an issued one, and is withheld; tell the operator: the end of the session, `tomorrow`, cannot be read"
            ],
        );
        check(
            200,
            "<AssumeRoleResponse/>",
            expect![
                "the answer hands out a credential that cannot be replaced by an issued one, and is withheld; tell the operator: the answer hands out credentials in a form that cannot be replaced; ask the operator of the gate"
            ],
        );
    }

    #[test]
    fn the_end_of_a_session_is_read_in_each_form_that_answers_have() {
        for (text, seconds) in [
            ("2026-11-23T22:00:00Z", 1_795_471_200),
            ("2026-11-23T22:00:00.000Z", 1_795_471_200),
            ("1795471200", 1_795_471_200),
            ("1795471200.9", 1_795_471_200),
        ] {
            assert_eq!(expiration(text).unwrap().as_second(), seconds, "{text}");
        }
        assert!(expiration("soon").is_err());
        assert!(expiration("1.7e9").is_err());
    }
}
