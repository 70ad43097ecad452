//! Identity from outside: a signed request in, the party or the refusal as text out.

use std::path::Path;

use expect_test::{Expect, expect};
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use ordain_action::{ActorKind, Party, Plane};
use ordain_decode::WayIn;
use ordain_sigv4::{KeyPair, Outgoing, Secret};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::keys::{NewKey, SealingKey};
use crate::listen::ConnectionInfo;
use crate::place::Place;

fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

fn open(directory: &Path) -> KeyStore {
    KeyStore::open(directory, SealingKey::from_hex(&"5a".repeat(32)).unwrap()).unwrap()
}

fn served(name: &str) -> Option<Upstream> {
    (name == "default").then(|| Upstream {
        name: "default".into(),
        plane: Plane::Aws,
        account: "123456789012".into(),
        partition: "aws".into(),
    })
}

fn issue(store: &KeyStore, upstream: &str) -> Arc<IssuedKey> {
    let party = Party { name: "alice".into(), kind: ActorKind::Person };
    store
        .create(&NewKey { party, on_behalf_of: Vec::new(), upstream: upstream.into(), expires: None }, now())
        .unwrap()
}

fn mint(store: &KeyStore, by: &IssuedKey, principal: &str) -> Arc<IssuedKey> {
    let real = KeyPair {
        id: "ASIAREALREALREALREAL".to_owned(),
        secret: Secret::new("the-real-secret".to_owned()),
        session_token: Some(Secret::new("the-real-token".to_owned())),
    };
    store
        .mint(by, real, Some(now() + SignedDuration::from_hours(1)), principal, "123456789012", now())
        .unwrap()
}

fn pair(key: &IssuedKey) -> KeyPair {
    let session_token = key.minted.as_ref().and_then(|minted| minted.session_token.clone());
    KeyPair { id: key.id.to_string(), secret: key.secret.clone(), session_token }
}

fn arrival() -> Arrival {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let way_in = crate::listen::WayIn::Reverse;
    let connection = ConnectionInfo { peer: nowhere, local: nowhere, tls: None, way_in, refused: None };
    Arrival { connection, place: Place::default() }
}

const BODY: &[u8] = b"Action=DescribeInstances&Version=2016-11-15";

/// Signs a request, lets `change` have it, and says who it is from.
#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(
    store: &KeyStore,
    pair: &KeyPair,
    after: SignedDuration,
    change: impl Fn(&mut HeaderMap),
    expected: Expect,
) {
    let derived = KeyCache::new();
    let mut headers = HeaderMap::new();
    let outgoing = Outgoing {
        method: "POST",
        target: "/",
        host: "127.0.0.1:7070",
        region: "eu-west-1",
        service: "ec2",
        now: now(),
        payload: Payload::Sha256(Sha256::digest(BODY).into()),
        declare: false,
    };
    let _ = ordain_sigv4::sign(&derived, pair, &outgoing, &mut headers).unwrap();
    change(&mut headers);
    let head = Head {
        method: "POST",
        target: "/",
        authority: "127.0.0.1:7070",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: None,
    };
    let sha256 = Sha256::digest(BODY).into();
    let said = claim(store, served, &arrival(), &head, now() + after)
        .and_then(|claimed| {
            claimed.prove(store, &derived, &head, Body::Held { sha256: &sha256 }, now() + after)
        })
        .map_or_else(
            |fault| format!("{}: {}", fault.reason_code().as_str(), fault.denial().text),
            |identified| {
                let actor = identified.actor;
                let session = actor.session.as_deref().unwrap_or("no session");
                format!(
                    "{} {} in {}, {session}",
                    actor.party.kind.as_str(),
                    actor.party.name,
                    actor.upstream.account
                )
            },
        );
    expected.assert_eq(&said);
}

const AT_ONCE: SignedDuration = SignedDuration::ZERO;

#[test]
fn an_issued_key_is_who_it_was_registered_for() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let key = issue(&store, "default");
    check(&store, &pair(&key), AT_ONCE, |_| (), expect!["person alice in 123456789012, no session"]);
}

#[test]
fn a_session_is_the_same_party_where_the_role_is() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let key = issue(&store, "default");
    let session = mint(&store, &key, "arn:aws:sts::999999999999:assumed-role/deploy/alice");
    check(
        &store,
        &pair(&session),
        AT_ONCE,
        |_| (),
        expect!["person alice in 999999999999, arn:aws:sts::999999999999:assumed-role/deploy/alice"],
    );
}

#[test]
fn a_key_that_was_made_in_another_account_is_told_so() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let parent = issue(&store, "default");
    let elsewhere = store.mint(&parent, pair(&parent), None, "", "999999999999", now()).unwrap();
    check(
        &store,
        &pair(&elsewhere),
        AT_ONCE,
        |_| (),
        expect![
            "upstream_changed: the key was made in account `999999999999`, and its upstream is now account `123456789012`; make another"
        ],
    );
}

#[test]
fn a_key_is_taken_until_its_time_is_over() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let party = Party { name: "robot".into(), kind: ActorKind::Agent };
    let expires = Some(now() + SignedDuration::from_mins(5));
    let new = NewKey { party, on_behalf_of: Vec::new(), upstream: "default".into(), expires };
    let secret = Secret::new("a-secret-of-some-length".to_owned());
    let key = store.import(&new, "AKIAIOSFODNN7EXAMPLE", secret, now()).unwrap();
    check(
        &store,
        &pair(&key),
        SignedDuration::from_secs(299),
        |_| (),
        expect!["agent robot in 123456789012, no session"],
    );
    check(
        &store,
        &pair(&key),
        SignedDuration::from_mins(5),
        |_| (),
        expect!["key_expired: the access key `AKIAIOSFODNN7EXAMPLE` is over; ask for another"],
    );
}

#[test]
fn a_key_that_is_unknown_revoked_or_over_is_told_so() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let fixed = |id: &str| {
        let party = Party { name: "alice".into(), kind: ActorKind::Person };
        let new = NewKey { party, on_behalf_of: Vec::new(), upstream: "default".into(), expires: None };
        store.import(&new, id, Secret::new("a-secret-of-some-length".to_owned()), now()).unwrap()
    };
    let (key, parent) = (fixed("AKIAIOSFODNN7EXAMPLE"), fixed("AKIAPARENT7EXAMPLE00"));
    let session = pair(&mint(&store, &key, ""));
    let stranger = KeyPair { id: "AKIASTRANGER".to_owned(), ..pair(&key) };
    check(
        &store,
        &stranger,
        AT_ONCE,
        |_| (),
        expect![
            "unknown_key: the access key `AKIASTRANGER` is not one that is issued here; use an issued key, as `ordain env` prints it"
        ],
    );
    check(
        &store,
        &session,
        SignedDuration::from_mins(10),
        |headers| drop(headers.remove("x-amz-security-token")),
        expect![
            "malformed_signature: the header `x-amz-security-token` is signed and missing; send what was signed"
        ],
    );
    let foreign = KeyPair { session_token: Some(Secret::new("another".to_owned())), ..session.clone() };
    check(
        &store,
        &foreign,
        AT_ONCE,
        |_| (),
        expect![
            "invalid_token: the session token is not the one that came with the key; send both as they were given"
        ],
    );
    let bare = KeyPair { session_token: None, ..session };
    check(
        &store,
        &bare,
        AT_ONCE,
        |_| (),
        expect![
            "invalid_token: the key is temporary and its session token is missing; send it with every request"
        ],
    );
    let decorated = KeyPair { session_token: Some(Secret::new("another".to_owned())), ..pair(&key) };
    check(
        &store,
        &decorated,
        AT_ONCE,
        |_| (),
        expect!["invalid_token: the key is not temporary and comes with a session token; send none"],
    );
    let short = store.mint(&parent, pair(&key), Some(now()), "", "123456789012", now()).unwrap();
    check(
        &store,
        &KeyPair { session_token: None, ..pair(&short) },
        AT_ONCE,
        |_| (),
        expect!["token_expired: the session ended at `2026-11-23T21:00:00Z`; start a new one"],
    );
    store.revoke(&key.id, now()).unwrap();
    check(
        &store,
        &pair(&key),
        AT_ONCE,
        |_| (),
        expect!["key_revoked: the access key `AKIAIOSFODNN7EXAMPLE` is revoked; ask for another"],
    );
}

#[test]
fn a_request_that_was_changed_or_kept_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let key = pair(&issue(&store, "default"));
    let elsewhere = pair(&issue(&store, "gone"));
    check(
        &store,
        &key,
        SignedDuration::from_mins(16),
        |_| (),
        expect![
            "clock_skew: the request was signed at `20261123T210000Z` and the time is `20261123T211600Z`; set the clock and sign again"
        ],
    );
    check(
        &store,
        &key,
        SignedDuration::from_mins(-16),
        |_| (),
        expect![
            "clock_skew: the request was signed at `20261123T210000Z` and the time is `20261123T204400Z`; set the clock and sign again"
        ],
    );
    check(
        &store,
        &key,
        AT_ONCE,
        |headers| drop(headers.insert("x-amz-date", HeaderValue::from_static("20261123T210001Z"))),
        expect![
            "signature_mismatch: the signature does not match; check the secret access key and that nothing rewrites the request"
        ],
    );
    check(
        &store,
        &key,
        AT_ONCE,
        |headers| drop(headers.insert("x-amz-target", HeaderValue::from_static("Other.Operation"))),
        expect![
            "header_not_signed: the header `x-amz-target` is not signed; sign every `x-amz-` header and `host`"
        ],
    );
    check(
        &store,
        &key,
        AT_ONCE,
        |headers| drop(headers.remove("authorization")),
        expect![
            "missing_authentication: the request is not signed, so that nobody can say whose it is; sign it with an issued key (`ordain key create`), and call `AssumeRole` with it in place of `AssumeRoleWithWebIdentity` or `AssumeRoleWithSAML`"
        ],
    );
    check(
        &store,
        &elsewhere,
        AT_ONCE,
        |_| (),
        expect![
            "unknown_upstream: the key is bound to the upstream `gone`, which is not served here, or whose account is not verified yet; ask the operator"
        ],
    );
}
