//! Identity from outside: a signed request in, the party or the refusal as text out.

mod certificates;
mod issuers;
mod local;
mod login;

use std::path::Path;
use std::time::Duration;

use expect_test::{Expect, expect};
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use ordain_action::{ActorKind, Party, Plane};
use ordain_decode::WayIn;
use ordain_sigv4::{KeyPair, Outgoing, Secret};
use sha2::{Digest as _, Sha256};

use super::vouched::Vouched;
use super::*;
use crate::forward::Outward;
use crate::keys::{NewKey, SealingKey};
use crate::listen::ConnectionInfo;
use crate::place::Place;
use crate::upstream::Own;

fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

fn open(directory: &Path) -> KeyStore {
    KeyStore::open(directory, SealingKey::from_hex(&"5a".repeat(32)).unwrap()).unwrap()
}

fn served(name: &str) -> Option<Upstream> {
    let plane = match name {
        "default" => Plane::Aws,
        "cluster" => Plane::Kubernetes,
        _ => return None,
    };
    Some(Upstream { name: name.into(), plane, account: "123456789012".into(), partition: "aws".into() })
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
    let session_token = key.session_token.clone();
    KeyPair { id: key.id.to_string(), secret: key.secret().unwrap().clone(), session_token }
}

fn arrival() -> Arrival {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let way_in = crate::listen::WayIn::Reverse;
    let connection = ConnectionInfo {
        peer: nowhere,
        local: nowhere,
        tls: None,
        way_in,
        asker: None,
        uid: None,
        refused: None,
        silence: crate::listen::Silence::default(),
    };
    Arrival { connection, place: Place::default() }
}

/// Upstreams of nobody.
fn none() -> Arc<Upstreams> {
    let outward = Outward::new(Vec::new(), Duration::from_secs(1));
    Arc::new(now_or_never(Upstreams::start(Vec::new(), &Own::default(), &outward, now())).unwrap())
}

/// What comes of something that waits for nobody.
fn now_or_never<F: Future>(future: F) -> F::Output {
    futures_util::FutureExt::now_or_never(future).unwrap()
}

const BODY: &[u8] = b"Action=DescribeInstances&Version=2016-11-15";

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(
    store: &KeyStore,
    pair: &KeyPair,
    after: SignedDuration,
    change: impl Fn(&mut HeaderMap),
    expected: Expect,
) {
    expected.assert_eq(&signed(store, pair, after, change));
}

/// Signs a request, lets `change` have it, and says who it is from.
fn signed(
    store: &KeyStore,
    pair: &KeyPair,
    after: SignedDuration,
    change: impl Fn(&mut HeaderMap),
) -> String {
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
        upstream: None,
    };
    let sha256 = Sha256::digest(BODY).into();
    let (schemes, upstreams) = (Schemes::default(), none());
    let known = Known { keys: store, schemes: &schemes, upstreams: &upstreams, upstream: served };
    now_or_never(claim(known, (&arrival(), Plane::Aws), &head, now() + after))
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
        )
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

/// Says who a request to a cluster is from whose head is `headers`, which came to `place`.
fn asked(store: &KeyStore, place: &Place, target: &str, headers: &[(&str, &str)], at: Timestamp) -> String {
    let arrival = Arrival { place: place.clone(), ..arrival() };
    now_or_never(asked_of(store, &Schemes::default(), &arrival, target, headers, at))
}

/// The same, where others may vouch for somebody.
async fn asked_of(
    store: &KeyStore,
    schemes: &Schemes,
    arrival: &Arrival,
    target: &str,
    headers: &[(&str, &str)],
    at: Timestamp,
) -> String {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        all.append(name, HeaderValue::from_str(value).unwrap());
    }
    let head = Head {
        method: "GET",
        target,
        authority: "cluster.internal",
        headers: &all,
        way_in: WayIn::Reverse,
        plane: Some(Plane::Kubernetes),
        upstream: None,
    };
    let clusters = |name: &str| {
        served(name).or_else(|| {
            ["staging", "live"].contains(&name).then(|| Upstream {
                name: name.into(),
                plane: Plane::Kubernetes,
                account: name.into(),
                partition: "".into(),
            })
        })
    };
    let body = Body::Held { sha256: &[0; 32] };
    let outward = Outward::new(Vec::new(), Duration::from_secs(1));
    let upstreams = Arc::new(Upstreams::start(Vec::new(), &Own::default(), &outward, now()).await.unwrap());
    let known = Known { keys: store, schemes, upstreams: &upstreams, upstream: clusters };
    claim(known, (arrival, Plane::Kubernetes), &head, at)
        .await
        .and_then(|claimed| claimed.prove(store, &KeyCache::new(), &head, body, at))
        .map_or_else(
            |fault| format!("{}: {}", fault.reason_code().as_str(), fault.denial().text),
            |identified| {
                let Actor { party, upstream, on_behalf_of, session, proof, .. } = identified.actor;
                let mut said = format!("{} {} on {}", party.kind.as_str(), party.name, upstream.name);
                if proof == ordain_action::IdentityProof::Claimed {
                    said.push_str(", unproven");
                }
                for other in on_behalf_of {
                    said.push_str(&format!(" for {}", other.name));
                }
                session.map_or(said.clone(), |session| format!("{said}, {session}"))
            },
        )
}

fn token(store: &KeyStore, upstream: &str, expires: Option<Timestamp>) -> (Arc<IssuedKey>, Secret) {
    let party = Party { name: "robot".into(), kind: ActorKind::Agent };
    let on_behalf_of = vec![Party { name: "alice".into(), kind: ActorKind::Person }];
    store.create_token(&NewKey { party, on_behalf_of, upstream: upstream.into(), expires }, now()).unwrap()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn a_token_is_who_it_was_registered_for_until_it_ends() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let ends = now() + SignedDuration::from_mins(5);
    let (key, token) = token(&store, "staging", Some(ends));
    let shown = bearer(token.expose());
    let ask = |at| asked(&store, &Place::default(), "/api", &[("authorization", &shown)], at);
    expect!["agent robot on staging for alice"].assert_eq(&ask(ends - SignedDuration::from_nanos(1)));
    let over = format!("key_expired: the access key `{}` is over; ask for another", key.id);
    assert_eq!(ask(ends), over);
    store.revoke(&key.id, now()).unwrap();
    let revoked = format!("key_revoked: the access key `{}` is revoked; ask for another", key.id);
    assert_eq!(ask(now()), revoked);
}

#[test]
fn a_token_that_is_not_the_one_issued_is_nobodys() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let (key, made) = token(&store, "staging", None);
    let (other, _) = token(&store, "staging", None);
    let pair = issue(&store, "staging");
    let secret = made.expose().rsplit('.').next().unwrap();
    let unknown = expect![
        "unknown_token: the token is not one that is issued here; use one that `ordain key create --bearer` printed"
    ];
    for forged in [
        format!("ordain.{}.{}x", key.id, secret),
        format!("ordain.{}.{secret}", other.id),
        format!("ordain.{}.", key.id),
        format!("ordain.{}", key.id),
        format!("ordain.{}.{}", pair.id, pair.secret().unwrap().expose()),
        "ordain..".to_owned(),
    ] {
        let said = asked(&store, &Place::default(), "/api", &[("authorization", &bearer(&forged))], now());
        unknown.assert_eq(&said);
    }
    // What a token says is no secret access key either.
    let as_pair =
        KeyPair { id: key.id.to_string(), secret: Secret::new(secret.to_owned()), session_token: None };
    let said = signed(&store, &as_pair, AT_ONCE, |_| ());
    assert!(said.starts_with("unknown_key: ") && said.contains("is a token, which signs nothing"), "{said}");
}

#[test]
fn a_signature_is_taken_for_an_upstream_whose_requests_are_signed_alone() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let key = issue(&store, "cluster");
    let pair = KeyPair { id: key.id.to_string(), secret: key.secret().unwrap().clone(), session_token: None };
    let said = signed(&store, &pair, AT_ONCE, |_| ());
    assert!(said.starts_with("signature_not_taken: "), "{said}");
}

#[test]
fn what_shows_an_actor_must_hold_until_the_request_is_whole() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let party = Party { name: "ci".into(), kind: ActorKind::Pipeline };
    let vouched = Vouched::new((party, Vec::new()), "oidc:x#y", "", Some(now()));
    let at = |at| match vouched.clone().actor(&store, served("default").unwrap(), at) {
        Ok(actor) => actor.party.name.to_string(),
        Err(fault) => fault.reason_code().as_str().to_owned(),
    };
    assert_eq!(at(now() - SignedDuration::from_nanos(1)), "ci");
    assert_eq!(at(now()), "identity_ended");
}

#[test]
fn a_token_is_good_for_its_upstream_alone() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let at = |upstream: &str| Place { plane: Some(Plane::Kubernetes), upstream: Some(upstream.into()) };
    let ask = |place: &Place, shown: &str| asked(&store, place, "/api", &[("authorization", shown)], now());
    let (_, staging) = token(&store, "staging", None);
    let shown = bearer(staging.expose());
    expect!["agent robot on staging for alice"].assert_eq(&ask(&at("staging"), &shown));
    expect!["other_upstream: the credential is for the upstream `staging`, and the request came to another; use one that is for it"]
        .assert_eq(&ask(&at("live"), &shown));
    let (_, gone) = token(&store, "gone", None);
    expect!["unknown_upstream: the key is bound to the upstream `gone`, which is not served here, or whose account is not verified yet; ask the operator"]
        .assert_eq(&ask(&Place::default(), &bearer(gone.expose())));
    let (_, aws) = token(&store, "default", None);
    expect!["signature_needed: the token is bound to the upstream `default`, whose requests are signed; sign them with an access key that `ordain key create` printed"]
        .assert_eq(&ask(&Place::default(), &bearer(aws.expose())));
}

#[test]
fn a_token_that_was_minted_is_its_holders_under_the_name_of_what_stands_behind_it() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let party = Party { name: "robot".into(), kind: ActorKind::Agent };
    let new = NewKey { party, on_behalf_of: Vec::new(), upstream: "staging".into(), expires: None };
    let (ends, name) = (now() + SignedDuration::from_mins(10), "system:serviceaccount:default:deployer");
    let real = Secret::new("real".to_owned());
    let (_, ours) = store.mint_token((&new, None), real, Some(ends), name, "staging", now()).unwrap();
    let shown = bearer(ours.expose());
    let ask = |at| asked(&store, &Place::default(), "/api", &[("authorization", &shown)], at);
    expect!["agent robot on staging, system:serviceaccount:default:deployer"].assert_eq(&ask(now()));
    expect!["token_expired: the session ended at `2026-11-23T21:10:00Z`; start a new one"]
        .assert_eq(&ask(ends));
    let (_, moved) = store
        .mint_token((&new, None), Secret::new("real".to_owned()), Some(ends), name, "another", now())
        .unwrap();
    expect!["upstream_changed: the key was made in account `another`, and its upstream is now account `staging`; make another"]
        .assert_eq(&asked(&store, &Place::default(), "/api", &[("authorization", &bearer(moved.expose()))], now()));
}

#[test]
fn nobody_is_shown_by_a_name_in_a_header_or_by_two_credentials() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path());
    let (_, made) = token(&store, "staging", None);
    let shown = bearer(made.expose());
    let ask = |target: &str, headers: &[(&str, &str)]| {
        let said = asked(&store, &Place::default(), target, headers, now());
        said.split_once(':').map_or(said.clone(), |(code, _)| code.to_owned())
    };
    for name in [
        "x-remote-user",
        "x-forwarded-user",
        "x-forwarded-client-cert",
        "impersonate-user",
        "proxy-authorization",
    ] {
        assert_eq!(ask("/api", &[(name, "admin")]), "missing_authentication", "{name}");
    }
    assert_eq!(ask("/api", &[("authorization", &shown), ("authorization", &shown)]), "two_credentials");
    assert_eq!(ask("/api?access_token=x", &[("authorization", &shown)]), "two_credentials");
    assert_eq!(ask(&format!("/api?token={}", made.expose()), &[]), "misplaced_credential");
    assert_eq!(ask("/api", &[("authorization", "Basic cm9ib3Q6eA==")]), "other_scheme");
}
