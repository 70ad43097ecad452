//! Credentials in an answer: the real one stays here, and the caller gets an issued one bound to it.
//!
//! Leaves out where they stand in an answer, which the room knows, and sending.

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Call, DenialKind};
use ordain_decode::{AnswerHead, Claim, KeyPairReplacement, MintedCredentials, MintedKeyPair, Replacement};
use ordain_sigv4::{KeyPair, Secret};

use crate::fault::Fault;
use crate::keys::{IssuedKey, KeyStore};

/// An answer's body that no longer holds the real credential.
#[derive(Debug)]
pub struct Reissued {
    /// The body for the caller.
    pub body: Vec<u8>,
    /// The key that was issued in the real one's place.
    pub key: Arc<IssuedKey>,
}

/// Puts an issued credential in the place of the one that an answer hands out; `None` when it hands out none.
///
/// `by` is the key that signed the request, to an upstream that was `account` at the time. The new key is on disk when this returns: run it where waiting for a
/// disk is allowed.
///
/// # Errors
/// A [`Fault`]: the credential cannot be found, kept or replaced exactly, and the answer must not reach the caller.
pub fn reissue(
    keys: &KeyStore,
    by: &IssuedKey,
    claim: &Claim<'_>,
    call: &Call,
    answer: &AnswerHead<'_>,
    body: &[u8],
    (account, now): (&str, Timestamp),
) -> Result<Option<Reissued>, Fault> {
    let found = claim.find_credentials(call, answer, body).map_err(|why| leak(why.text))?;
    let Some(minted) = found else { return Ok(None) };
    let found = match &minted {
        MintedCredentials::KeyPair(found) => found,
        MintedCredentials::Bearer(_) => return Err(leak("a token was handed out")),
    };
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
    let body = replace(claim, (&minted, found), &key, answer, body)?;
    Ok(Some(Reissued { body, key }))
}

fn replace(
    claim: &Claim<'_>,
    (minted, found): (&MintedCredentials, &MintedKeyPair),
    key: &IssuedKey,
    answer: &AnswerHead<'_>,
    body: &[u8],
) -> Result<Vec<u8>, Fault> {
    let token = key.minted.as_ref().and_then(|minted| minted.session_token.as_ref());
    let replacement = Replacement::KeyPair(KeyPairReplacement {
        access_key_id: &key.id,
        secret_access_key: key
            .secret()
            .map(Secret::expose)
            .ok_or_else(|| leak("what was issued signs nothing"))?,
        session_token: token.map(Secret::expose),
    });
    let replaced =
        claim.replace_credentials(minted, &replacement, answer, body).map_err(|why| leak(why.text))?;
    // INVARIANT: the real secret never leaves, however the answer was written.
    let real = [Some(found.secret_access_key.as_str()), found.session_token.as_deref()];
    let holds = |secret: &str| {
        !secret.is_empty() && replaced.windows(secret.len()).any(|part| part == secret.as_bytes())
    };
    if real.into_iter().flatten().any(holds) {
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
    use ordain_action::{ActorKind, Party, Plane, Reading, Upstream};
    use ordain_decode::{Head, Rooms, RoomsConfig, WayIn};

    use super::*;
    use crate::keys::{NewKey, SealingKey, TEMPORARY};

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
        let config = RoomsConfig { token_key: [0; 32], own_hosts: Vec::new(), aws_overlay: None };
        let rooms = Rooms::new(config).unwrap();
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
        let said = match reissue(&keys, &by, &claim, &call, &answer, body.as_bytes(), ("123456789012", now()))
        {
            Err(fault) => fault.log_text(),
            Ok(None) => "nothing is handed out".to_owned(),
            Ok(Some(reissued)) => {
                let kept = keys.find(&reissued.key.id).unwrap();
                let minted = kept.minted.as_ref().unwrap();
                assert!(kept.id.starts_with(TEMPORARY));
                let real = minted.real.pair().unwrap();
                assert!(real.id == "ASIAREALREALREALREAL" && real.secret.is("real/secret+"));
                assert_eq!(minted.expires, Some(now() + SignedDuration::from_hours(1)));
                let token = minted.session_token.as_ref().unwrap().expose();
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
