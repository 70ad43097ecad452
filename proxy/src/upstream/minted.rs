//! Credentials in an answer: the real one stays here, and the caller gets an issued one bound to it.
//!
//! Leaves out where they stand in an answer, which the room knows, and sending.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use ordain_action::{Actor, Call, DenialKind, OwnToken};
use ordain_decode::{
    AnswerHead, Claim, Expiration, KeyPairReplacement, MintedCredentials, MintedKeyPair, MintedToken,
    Replacement, TokenPlace, TokenReplacement,
};
use ordain_sigv4::{KeyPair, Secret};

use crate::fault::Fault;
use crate::keys::{IssuedKey, KeyStore, NewKey};
use crate::named::{Named, stands_in};

/// An answer that no longer holds the real credential.
#[derive(Debug)]
pub struct Reissued {
    /// The headers for the caller.
    pub headers: HeaderMap,
    /// The body for the caller.
    pub body: Vec<u8>,
    /// The key that was issued in the real one's place, or was before.
    pub key: Arc<IssuedKey>,
}

/// An answer, and what it answers.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// What reads it.
    pub claim: &'a Claim<'static>,
    /// What was asked for.
    pub call: &'a Call,
    /// The token of ours that the call is about.
    pub named: Option<&'a Named>,
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
    let Answered { claim, call, named, head, body } = answered;
    let found = claim.find_credentials(call, &head, body).map_err(|why| leak(why.text))?;
    match &found {
        None => Ok(None),
        Some(minted @ MintedCredentials::KeyPair(pair)) => {
            let by = by.ok_or_else(|| leak("a key pair was handed out to nobody's key"))?;
            key_pair(keys, by, answered, (minted, pair), (account(actor), now)).map(Some)
        }
        Some(minted @ MintedCredentials::Bearer(token)) if call.answer.own.is_some() => {
            let named = named.ok_or_else(|| leak("a token is shown that nobody asked with"))?;
            shown(keys, (call, named), answered, (minted, token), now).map(Some)
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
    Ok(Reissued { headers: head.headers.clone(), body, key })
}

/// A token keeps the party that asked for it: whom the plane says it is for is what it acts as upstream, and nobody is
/// rid of the rules by asking for another's.
fn bearer(
    keys: &KeyStore,
    (actor, by): (&Actor, Option<&IssuedKey>),
    answered: Answered<'_>,
    (minted, found): (&MintedCredentials, &MintedToken),
    now: Timestamp,
) -> Result<Reissued, Fault> {
    let expires = end_of(found, now)?.ok_or_else(|| leak("a token without an end was handed out"))?;
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
    let (headers, body) = put(answered, (minted, found), token.expose()).inspect_err(|_| {
        // Nobody has it: it must not stay.
        drop(keys.revoke(&key.id, now));
    })?;
    Ok(Reissued { headers, body, key })
}

/// What shows a token that was exchanged before shows ours again, and has it end when the real one does.
fn shown(
    keys: &KeyStore,
    (call, named): (&Call, &Named),
    answered: Answered<'_>,
    (minted, found): (&MintedCredentials, &MintedToken),
    now: Timestamp,
) -> Result<Reissued, Fault> {
    if !named.minted().is_some_and(|real| real.is(&found.token)) {
        return Err(leak("another token is shown than the one that was asked with"));
    }
    let (headers, body) = put(answered, (minted, found), named.shown.expose())?;
    if call.answer.own == Some(OwnToken::Renewed) {
        let expires = end_of(found, now)?.ok_or_else(|| leak("a token without an end was handed out"))?;
        keys.renew(&named.key.id, expires).map_err(leak)?;
    }
    Ok(Reissued { headers, body, key: Arc::clone(&named.key) })
}

/// An answer with our token in the place of the real one, wherever that stands.
fn put(
    Answered { claim, head, body, .. }: Answered<'_>,
    (minted, found): (&MintedCredentials, &MintedToken),
    token: &str,
) -> Result<(HeaderMap, Vec<u8>), Fault> {
    let ours = Replacement::Bearer(TokenReplacement(token));
    let body = claim.replace_credentials(minted, &ours, &head, body).map_err(|why| leak(why.text))?;
    let mut headers = head.headers.clone();
    if let TokenPlace::Header(name) = found.at {
        let mut value = HeaderValue::from_str(token).map_err(leak)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    // INVARIANT: the real token never leaves, however the answer was written.
    if stands_in(&headers, &body, &found.token) {
        return Err(leak("the real credential stands in the answer more than once"));
    }
    Ok((headers, body))
}

/// An answer about a token of ours, which must not hold the real one: a refusal may say of what it was asked.
///
/// # Errors
/// It does, or that cannot be told.
pub fn kept(named: Option<&Named>, headers: HeaderMap, body: Bytes) -> Result<(HeaderMap, Bytes), Fault> {
    match named {
        Some(named) if !named.is_kept_from(&headers, &body) => {
            Err(leak("the real token that was asked about stands in the answer"))
        }
        Some(_) | None => Ok((headers, body)),
    }
}

/// When a token ends.
fn end_of(found: &MintedToken, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    match &found.expiration {
        None => Ok(None),
        Some(Expiration::At(text)) => expiration(text).map(Some),
        Some(Expiration::After(seconds)) => {
            let seconds = i64::try_from(*seconds).map_err(leak)?;
            now.checked_add(SignedDuration::from_secs(seconds)).map(Some).map_err(leak)
        }
    }
}

fn account(actor: &Actor) -> &str {
    &actor.upstream.account
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
    if real.into_iter().flatten().any(|secret| stands_in(answer.headers, &replaced, secret)) {
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
        let answered =
            Answered { claim: &claim, call: &call, named: None, head: answer, body: body.as_bytes() };
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

    const LOGIN: &str = "POST /v3/auth/tokens";
    const SIGNED_IN: &str = r#"{"token":{"expires_at":"2026-11-23T22:00:00.000000Z","user":{"id":"u-1"}}}"#;
    const CREATE: &str = "POST /v1/auth/token/create";
    const CREATED: &str =
        r#"{"auth":{"client_token":"hvs.real-token","accessor":"a","lease_duration":3600}}"#;

    /// Has an answer with a token pass by; what the caller gets, and how many keys are left in force beside theirs.
    fn check_token(
        plane: Plane,
        asked: &str,
        (status, headers): (u16, &[(&'static str, &'static str)]),
        body: &str,
        expected: &Expect,
    ) {
        let state = tempfile::tempdir().unwrap();
        let keys = KeyStore::open(state.path(), SealingKey::from_hex(&"5a".repeat(32)).unwrap()).unwrap();
        let party = Party { name: "alice".into(), kind: ActorKind::Person };
        let upstream = Upstream { name: "u".into(), plane, account: "acme".into(), partition: "".into() };
        let new =
            NewKey { party: party.clone(), on_behalf_of: Vec::new(), upstream: "u".into(), expires: None };
        let (by, _) = keys.create_token(&new, now()).unwrap();
        let rooms = Box::leak(Box::new(Rooms::new(RoomsConfig::default()).unwrap()));
        let mut sent = HeaderMap::new();
        sent.insert("content-type", HeaderValue::from_static("application/json"));
        let (method, target) = asked.split_once(' ').unwrap();
        let head = Head {
            method,
            target,
            authority: "gate.internal",
            headers: &sent,
            way_in: WayIn::Reverse,
            plane: Some(plane),
            upstream: Some("u"),
        };
        let claim = rooms.claim(&head).unwrap();
        let Reading::Call(call) = claim.decode(&upstream, &head, b"{}", None) else { panic!("not read") };
        let mut answered = HeaderMap::new();
        for (name, value) in headers {
            answered.append(*name, HeaderValue::from_static(value));
        }
        let actor = Actor {
            party,
            credential: Arc::clone(&by.id),
            proof: IdentityProof::Proven,
            on_behalf_of: Vec::new(),
            session: None,
            upstream,
        };
        let answer = AnswerHead { status, headers: &answered };
        let answered =
            Answered { claim: &claim, call: &call, named: None, head: answer, body: body.as_bytes() };
        let made = reissue(&keys, (&actor, Some(&by)), answered, now());
        let left = keys.list().into_iter().filter(|key| key.id != by.id && keys.is_in_force(key, now()));
        let left: Vec<_> = left.collect();
        let said = match made {
            Err(fault) => {
                let text = fault.log_text();
                let why = text.rsplit_once("tell the operator: ").unwrap().1;
                format!("{why}\nkeys left: {}", left.len())
            }
            Ok(None) => "nothing is handed out".to_owned(),
            Ok(Some(made)) => {
                let [key] = left.as_slice() else { panic!("{left:?}") };
                let minted = key.minted.as_ref().unwrap();
                assert_eq!(made.key.id, key.id);
                assert_eq!(minted.expires, Some(now() + SignedDuration::from_hours(1)));
                assert_eq!((key.expires, &key.lineage), (minted.expires, &vec![Arc::clone(&by.id)]));
                let real = minted.real.bearer().unwrap();
                let body = String::from_utf8(made.body).unwrap();
                assert!(!stands_in(&made.headers, body.as_bytes(), real.expose()));
                let shown = made.headers.get("x-subject-token").map(|value| value.to_str().unwrap());
                let shown = format!("{}\n{body}\n", shown.unwrap_or_default());
                let ours =
                    shown.split(['"', '\n']).find(|part| part.starts_with("ordain.")).unwrap().to_owned();
                assert!(key.is_of_token(&ours));
                format!("{}{} for {}", shown.replace(&ours, "OURS"), real.expose(), minted.principal)
            }
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn a_token_in_a_header_is_exchanged_there() {
        let shown = [("x-subject-token", "gAAAAA-real_token")];
        check_token(
            Plane::Openstack,
            LOGIN,
            (201, &shown),
            SIGNED_IN,
            &expect![[r#"
                OURS
                {"token":{"expires_at":"2026-11-23T22:00:00.000000Z","user":{"id":"u-1"}}}
                gAAAAA-real_token for u-1"#]],
        );
        check_token(Plane::Openstack, LOGIN, (401, &[]), "{}", &expect!["nothing is handed out"]);
    }

    #[test]
    fn a_token_in_a_body_is_exchanged_there() {
        check_token(
            Plane::Vault,
            CREATE,
            (200, &[]),
            CREATED,
            &expect![[r#"

                {"auth":{"client_token":"OURS","accessor":"a","lease_duration":3600}}
                hvs.real-token for "#]],
        );
    }

    #[test]
    fn a_token_that_stands_elsewhere_too_is_withheld_and_no_key_is_left() {
        let twice = expect![[r#"
            the real credential stands in the answer more than once
            keys left: 0"#]];
        let shown = ("x-subject-token", "gAAAAA-real_token");
        check_token(
            Plane::Openstack,
            LOGIN,
            (201, &[shown, ("x-auth-token", "gAAAAA-real_token")]),
            SIGNED_IN,
            &twice,
        );
        check_token(
            Plane::Openstack,
            LOGIN,
            (201, &[shown]),
            &SIGNED_IN.replace("u-1", "gAAAAA-real_token"),
            &twice,
        );
        check_token(Plane::Vault, CREATE, (200, &[("set-cookie", "token=hvs.real-token")]), CREATED, &twice);
        let no_form = expect![[r#"
            the answer hands out a token in a form that cannot be replaced; ask for JSON, or ask the operator of the gate
            keys left: 0"#]];
        check_token(
            Plane::Vault,
            CREATE,
            (200, &[]),
            &CREATED.replace("\"a\"", "\"hvs.real-token\""),
            &no_form,
        );
        check_token(Plane::Vault, CREATE, (200, &[("content-encoding", "gzip")]), CREATED, &no_form);
        check_token(Plane::Openstack, LOGIN, (201, &[shown, shown]), SIGNED_IN, &no_form);
    }

    #[test]
    fn a_token_without_an_end_is_withheld() {
        let endless = expect![[r#"
            a token without an end was handed out
            keys left: 0"#]];
        check_token(Plane::Vault, CREATE, (200, &[]), &CREATED.replace("3600", "0"), &endless);
        let shown = [("x-subject-token", "gAAAAA-real_token")];
        check_token(Plane::Openstack, LOGIN, (201, &shown), "", &endless);
        check_token(
            Plane::Vault,
            CREATE,
            (200, &[]),
            &CREATED.replace("3600", "9223372036854775807"),
            &expect![[r#"
                adding duration overflowed timestamp
                keys left: 0"#]],
        );
    }
}
