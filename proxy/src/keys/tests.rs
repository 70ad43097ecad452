//! The key store from outside: round trips, several processes, and what a copy of the file gives away.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ordain_action::{ActorKind, Party};
use ordain_sigv4::{KeyPair, Secret};

use super::*;

fn store(directory: &Path) -> Result<KeyStore, KeyError> {
    KeyStore::open(directory, SealingKey::from_hex(&"5a".repeat(32)).unwrap())
}

fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

fn alice() -> NewKey {
    NewKey {
        party: Party { name: "alice".into(), kind: ActorKind::Person },
        on_behalf_of: vec![Party { name: "team".into(), kind: ActorKind::Agent }],
        upstream: "default".into(),
        expires: None,
    }
}

fn real() -> KeyPair {
    KeyPair {
        id: "ASIAREALREALREALREAL".to_owned(),
        secret: Secret::new("the-real-secret".to_owned()),
        session_token: Some(Secret::new("the-real-token".to_owned())),
    }
}

fn mint(store: &KeyStore, by: &IssuedKey) -> Arc<IssuedKey> {
    let expires = now() + SignedDuration::from_hours(1);
    store.mint(by, real(), Some(expires), "arn:aws:sts::1:assumed-role/r/s", "123456789012", now()).unwrap()
}

#[test]
fn a_key_comes_back_whole_after_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let made = store(state.path()).unwrap().create(&alice(), now()).unwrap();
    assert!(is_issued_form(&made.id) && made.id.starts_with(LASTING), "{}", made.id);
    assert_eq!(made.secret().unwrap().expose().len(), 40);
    let found = store(state.path()).unwrap().find(&made.id).unwrap();
    assert!(found.secret().unwrap().is(made.secret().unwrap().expose()));
    assert_eq!(format!("{found:?}"), format!("{made:?}"));
    assert_eq!(found.party, alice().party);
    assert_eq!(found.on_behalf_of, alice().on_behalf_of);
}

#[test]
fn a_minted_session_comes_back_whole_after_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let key = opened.create(&alice(), now()).unwrap();
    let session = mint(&opened, &key);
    let second = mint(&opened, &session);
    assert!(session.id.starts_with(TEMPORARY));
    let found = store(state.path()).unwrap().find(&second.id).unwrap();
    let minted = found.minted.as_ref().unwrap();
    assert_eq!(found.lineage, [Arc::clone(&session.id), Arc::clone(&key.id)]);
    let behind = minted.real.pair().unwrap();
    assert!(behind.secret.is("the-real-secret"));
    assert!(behind.session_token.as_ref().unwrap().is("the-real-token"));
    let ours = second.session_token.as_ref().unwrap();
    assert!(found.session_token.as_ref().unwrap().is(ours.expose()));
    assert!(!ours.is("the-real-token"));
    assert_eq!(minted.expires, Some(now() + SignedDuration::from_hours(1)));
}

#[test]
fn no_secret_stands_in_the_file_and_others_cannot_read_it() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let made = opened.create(&alice(), now()).unwrap();
    let secret = Secret::new("an-imported-secret-of-someone".to_owned());
    opened.import(&alice(), "AKIAIOSFODNN7EXAMPLE", secret, now()).unwrap();
    let session = mint(&opened, &made);
    let path = state.path().join("keys.jsonl");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("AKIAIOSFODNN7EXAMPLE") && text.contains("alice"));
    let token = session.session_token.as_ref().unwrap();
    let secrets = [made.secret().unwrap().expose(), session.secret().unwrap().expose(), token.expose()];
    for secret in secrets.into_iter().chain([
        "an-imported-secret-of-someone",
        "the-real-secret",
        "the-real-token",
        "ASIAREALREALREALREAL",
    ]) {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_line_that_was_changed_is_not_served() {
    let state = tempfile::tempdir().unwrap();
    let made = store(state.path()).unwrap().create(&alice(), now()).unwrap();
    store(state.path()).unwrap().revoke(&made.id, now()).unwrap();
    let path = state.path().join("keys.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("alice", "admin"),
        ("\"person\"", "\"pipeline\""),
        ("\"default\"", "\"prod\""),
        (made.id.as_ref(), "AKORAAAAAAAAAAAAAAAA"),
    ] {
        fs::write(&path, text.replace(from, to)).unwrap();
        let refused = store(state.path()).unwrap_err().to_string();
        assert!(refused.ends_with("line 1 does not open under this sealing key, or was changed; give the key it was sealed under"), "{refused}");
    }
    // To take the revocation back, its line would have to open without the word that it is one.
    let (before, rest) = text.split_once(",\"revoked\":").unwrap();
    let (_, after) = rest.split_once('}').unwrap();
    fs::write(&path, format!("{before}}}{after}")).unwrap();
    assert!(store(state.path()).is_err());
}

#[test]
fn another_sealing_key_opens_nothing() {
    let state = tempfile::tempdir().unwrap();
    store(state.path()).unwrap().create(&alice(), now()).unwrap();
    let other = SealingKey::from_hex(&"00".repeat(32)).unwrap();
    assert!(matches!(KeyStore::open(state.path(), other), Err(KeyError::Line { fault: Line::Sealed, .. })));
}

#[test]
fn a_revoked_key_takes_its_sessions_with_it_and_stays_revoked() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let key = opened.create(&alice(), now()).unwrap();
    let other = opened.create(&alice(), now()).unwrap();
    let session = mint(&opened, &key);
    let second = mint(&opened, &session);
    assert!(opened.ended_by(&second, now()).is_none());
    opened.revoke(&key.id, now()).unwrap();
    for descends in [&key, &session, &second] {
        assert_eq!(opened.ended_by(descends, now()).unwrap().id, key.id);
    }
    assert!(opened.ended_by(&other, now()).is_none());
    let later = now() + SignedDuration::from_hours(1);
    assert_eq!(opened.revoke(&key.id, later).unwrap().revoked, Some(now()));
    assert!(store(state.path()).unwrap().find(&key.id).unwrap().revoked.is_some());
    assert!(matches!(opened.revoke("AKORNOTTHEREATALLXXX", now()), Err(KeyError::Unknown(_))));
}

#[test]
fn what_another_process_changes_is_seen() {
    let state = tempfile::tempdir().unwrap();
    let serving = Arc::new(store(state.path()).unwrap());
    let other = store(state.path()).unwrap();
    let key = other.create(&alice(), now()).unwrap();
    assert!(serving.find(&key.id).is_none());
    serving.watch(|error| panic!("{error}")).unwrap();
    let seen = |wanted: &dyn Fn() -> bool| {
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            wanted()
        })
    };
    assert!(seen(&|| serving.find(&key.id).is_some()), "not within a second");
    other.revoke(&key.id, now()).unwrap();
    assert!(seen(&|| serving.ended_by(&key, now()).is_some()), "not within a second");
    // Both write to one file, and neither loses what the other wrote.
    let mine = serving.create(&alice(), now()).unwrap();
    let theirs = other.create(&alice(), now()).unwrap();
    let whole = store(state.path()).unwrap();
    assert_eq!(whole.list().len(), 3);
    assert!(whole.find(&mine.id).is_some() && whole.find(&theirs.id).is_some());
}

#[test]
fn a_torn_line_is_cut_and_not_read() {
    let state = tempfile::tempdir().unwrap();
    let key = store(state.path()).unwrap().create(&alice(), now()).unwrap();
    let path = state.path().join("keys.jsonl");
    let mut text = fs::read_to_string(&path).unwrap();
    let half = text.split_at(text.len() / 2).0.to_owned();
    text.push_str(&half);
    fs::write(&path, &text).unwrap();
    let opened = store(state.path()).unwrap();
    assert_eq!(opened.list().len(), 1);
    let second = opened.create(&alice(), now()).unwrap();
    let again = store(state.path()).unwrap();
    assert!(again.find(&key.id).is_some() && again.find(&second.id).is_some());
}

#[test]
fn a_line_that_cannot_be_read_does_not_hold_up_a_revocation() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let key = opened.create(&alice(), now()).unwrap();
    let path = state.path().join("keys.jsonl");
    let before = fs::read_to_string(&path).unwrap();
    store(state.path()).unwrap().revoke(&key.id, now()).unwrap();
    let revocation = fs::read_to_string(&path).unwrap().split_off(before.len());
    fs::write(&path, format!("{before}not a record\n{revocation}")).unwrap();
    assert!(matches!(opened.reload(), Err(KeyError::Line { line: 2, fault: Line::Malformed, .. })));
    assert!(opened.ended_by(&key, now()).is_some());
}

#[test]
fn sessions_long_over_are_forgotten_and_others_kept() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let key = opened.create(&alice(), now()).unwrap();
    for _ in 0..SLACK + 8 {
        mint(&opened, &key);
    }
    let later = now() + SignedDuration::from_hours(72);
    let last = opened.mint(&key, real(), Some(later), "", "123456789012", later).unwrap();
    assert_eq!(opened.list().len(), 2);
    let again = store(state.path()).unwrap();
    assert!(again.find(&key.id).is_some() && again.find(&last.id).is_some());
    assert_eq!(again.list().len(), 2);
}

#[test]
fn a_lasting_key_of_a_session_that_was_revoked_stays_ended_when_the_session_is_long_over() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let first = opened.create(&alice(), now()).unwrap();
    let session = mint(&opened, &first);
    let lasting = KeyPair { session_token: None, ..real() };
    let lasting = opened.mint(&session, lasting, None, "", "123456789012", now()).unwrap();
    opened.revoke(&session.id, now()).unwrap();
    let later = now() + SignedDuration::from_hours(24 * 30);
    for _ in 0..SLACK + 8 {
        mint(&opened, &first);
    }
    opened.mint(&first, real(), Some(later), "", "123456789012", later).unwrap();
    assert!(opened.list().len() < 8, "the sessions that are over were tidied away");
    let again = store(state.path()).unwrap();
    for keys in [&opened, &again] {
        assert_eq!(
            keys.ended_by(&lasting, now()).map(|key| key.id.to_string()),
            Some(session.id.to_string())
        );
    }
}

#[test]
fn what_a_session_made_lasts_as_long_as_is_said_of_it() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let session = mint(&opened, &opened.create(&alice(), now()).unwrap());
    let lasting = KeyPair { session_token: None, ..real() };
    let lasting = opened.mint(&session, lasting, None, "", "123456789012", now()).unwrap();
    // Whoever asks whether a key is in force is told the same.
    let in_force = |key: &IssuedKey, at| {
        let by = opened.ended_by(key, at);
        assert_eq!(by.is_none(), opened.is_in_force(key, at), "{by:?}");
        by.is_none()
    };
    let ends = session.minted.as_ref().unwrap().expires.unwrap();
    let just_before = ends - SignedDuration::from_nanos(1);
    assert!(in_force(&session, just_before) && !in_force(&session, ends));
    assert!(in_force(&lasting, ends));
    opened.revoke(&session.id, now()).unwrap();
    assert!(!in_force(&session, now()) && !in_force(&lasting, now()));
}

#[test]
fn a_key_that_is_over_takes_its_sessions_with_it() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let expires = now() + SignedDuration::from_mins(10);
    let key = opened.create(&NewKey { expires: Some(expires), ..alice() }, now()).unwrap();
    let session = mint(&opened, &key);
    let again = store(state.path()).unwrap();
    for keys in [&opened, &again] {
        let just_before = expires - SignedDuration::from_nanos(1);
        for one in [&key, &session] {
            assert!(keys.ended_by(one, just_before).is_none(), "it lasts until then");
            assert_eq!(keys.ended_by(one, expires).unwrap().id, key.id);
        }
    }
}

#[test]
fn an_id_or_a_secret_that_no_client_can_use_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let secret = || Secret::new("long-enough-to-sign-with".to_owned());
    let import =
        |id: &str, secret: Secret| opened.import(&alice(), id, secret, now()).unwrap_err().to_string();
    assert_eq!(
        import("short", secret()),
        "the id `short` is not 16 to 128 letters, digits and underscores; give another"
    );
    assert_eq!(
        import("AKIAIOSFODNN7EXAMPL/", secret()),
        "the id `AKIAIOSFODNN7EXAMPL/` is not 16 to 128 letters, digits and underscores; give another"
    );
    assert_eq!(
        import("AKIAIOSFODNN7EXAMPLE", Secret::new("short".to_owned())),
        "the secret is shorter than 16 characters; give a longer one"
    );
    opened.import(&alice(), "AKIAIOSFODNN7EXAMPLE", secret(), now()).unwrap();
    assert_eq!(
        import("AKIAIOSFODNN7EXAMPLE", secret()),
        "there is a key `AKIAIOSFODNN7EXAMPLE` already; revoke it, or import under another id"
    );
    let blank = NewKey { party: Party { name: "a b".into(), kind: ActorKind::Agent }, ..alice() };
    assert!(matches!(opened.create(&blank, now()), Err(KeyError::BadActor(_))));
}

#[test]
fn a_token_is_kept_as_a_hash_and_comes_back_after_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let (made, token) = opened.create_token(&alice(), now()).unwrap();
    let text = token.expose();
    assert!(text.starts_with(&format!("ordain.{}.", made.id)) && made.id.starts_with(TOKEN), "{}", made.id);
    let secret = text.rsplit('.').next().unwrap();
    assert_eq!(secret.len(), 43, "256 bits");
    let (other, another) = opened.create_token(&alice(), now()).unwrap();
    for keys in [&opened, &store(state.path()).unwrap()] {
        let found = keys.find(&made.id).unwrap();
        assert!(found.is_of_token(text) && found.is_known_by(secret));
        assert!(!found.is_of_token(another.expose()), "another's token");
        assert!(!found.is_of_token(&format!("ordain.{}.{secret}", other.id)), "under another id");
        assert!(!found.is_known_by("") && !found.is_of_token(&format!("ordain.{}.", made.id)));
        assert!(found.secret().is_none(), "nothing can be signed with it");
    }
    let pair = opened.create(&alice(), now()).unwrap();
    let presented = format!("ordain.{}.{}", pair.id, pair.secret().unwrap().expose());
    assert!(!pair.is_of_token(&presented), "a secret that signs is no token");
    assert!(pair.is_known_by(pair.secret().unwrap().expose()));
    let file = fs::read_to_string(state.path().join("keys.jsonl")).unwrap();
    assert!(!file.contains(secret) && !format!("{made:?}").contains(secret));
}

#[test]
fn a_real_token_stays_behind_an_issued_one_and_ends_with_the_key_that_asked_for_it() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let (by, _) = opened.create_token(&alice(), now()).unwrap();
    let real = || Secret::new("the-real-bearer-token".to_owned());
    let expires = Some(now() + SignedDuration::from_hours(1));
    let name = "system:serviceaccount:default:robot";
    let (minted, token) =
        opened.mint_token((&alice(), Some(&by)), real(), expires, name, "cluster", now()).unwrap();
    let (free, _) = opened.mint_token((&alice(), None), real(), expires, name, "cluster", now()).unwrap();
    let again = store(state.path()).unwrap();
    let found = again.find(&minted.id).unwrap();
    assert!(found.is_of_token(token.expose()) && !token.expose().contains("the-real"));
    let behind = found.minted.as_ref().unwrap();
    assert!(behind.real.bearer().unwrap().is("the-real-bearer-token") && behind.real.pair().is_none());
    assert_eq!((&*behind.principal, behind.expires), (name, expires));
    let text = fs::read_to_string(state.path().join("keys.jsonl")).unwrap();
    assert!(!text.contains("the-real-bearer-token"));
    opened.revoke(&by.id, now()).unwrap();
    assert_eq!(opened.ended_by(&minted, now()).unwrap().id, by.id);
    assert!(opened.ended_by(&free, now()).is_none());
}

#[test]
fn a_token_that_is_renewed_ends_with_the_real_one_and_one_that_has_ended_stays_so() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let (by, _) = opened.create_token(&alice(), now()).unwrap();
    let in_hours = |hours| now() + SignedDuration::from_hours(hours);
    let real = Secret::new("the-real-bearer-token".to_owned());
    let new = NewKey { expires: Some(in_hours(1)), ..alice() };
    let (minted, token) =
        opened.mint_token((&new, Some(&by)), real, Some(in_hours(1)), "", "cluster", now()).unwrap();
    assert!(!opened.is_in_force(&minted, in_hours(1)));
    opened.renew(&minted.id, in_hours(3)).unwrap();
    let again = store(state.path()).unwrap();
    let found = again.find(&minted.id).unwrap();
    assert!(found.is_of_token(token.expose()) && again.is_in_force(&found, in_hours(2)));
    assert!(!again.is_in_force(&found, in_hours(3)));
    // What was created here has no end of another's.
    opened.renew(&by.id, in_hours(1)).unwrap();
    assert!(opened.find(&by.id).unwrap().expires.is_none());
    opened.revoke(&minted.id, now()).unwrap();
    opened.renew(&minted.id, in_hours(9)).unwrap();
    assert!(!opened.is_in_force(&opened.find(&minted.id).unwrap(), now()));
}

#[test]
fn a_line_of_a_pair_is_none_of_a_token() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let (made, _) = opened.create_token(&alice(), now()).unwrap();
    let path = state.path().join("keys.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"version\":2,"), "{text}");
    for version in [1, 3] {
        fs::write(&path, text.replace("{\"version\":2,", &format!("{{\"version\":{version},"))).unwrap();
        assert!(store(state.path()).is_err(), "version {version}");
    }
    fs::write(&path, &text).unwrap();
    assert!(store(state.path()).unwrap().find(&made.id).is_some());
}

#[test]
fn lines_of_builds_before_tokens_are_read() {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join("keys.jsonl"), BEFORE_TOKENS).unwrap();
    let key = store(state.path()).unwrap().find("AKIAIOSFODNN7EXAMPLE").unwrap();
    assert!(key.secret().unwrap().is("an-imported-secret-of-someone"));
    assert_eq!(key.party, alice().party);
}

/// Written by a build before tokens.
const BEFORE_TOKENS: &str = include_str!("before_tokens.jsonl");

fn named(name: &str, kind: Option<ActorKind>) -> Named {
    Named { name: name.into(), kind }
}

#[test]
fn a_revoked_actor_stays_revoked_and_gets_no_key_until_it_is_allowed() {
    let state = tempfile::tempdir().unwrap();
    let (serving, other) = (store(state.path()).unwrap(), store(state.path()).unwrap());
    let (person, agent) = (alice().party, Party { name: "alice".into(), kind: ActorKind::Agent });
    other.set_revoked(&named("alice", Some(ActorKind::Person)), true, now()).unwrap();
    assert!(!serving.is_revoked(&person), "not looked yet");
    assert!(serving.reload().unwrap());
    for keys in [&serving, &store(state.path()).unwrap()] {
        assert!(keys.is_revoked(&person) && !keys.is_revoked(&agent));
        let refused = keys.create(&alice(), now()).unwrap_err().to_string();
        assert_eq!(refused, "the actor `alice` is revoked; allow it again with `ordain actor allow`");
        let for_alice = NewKey { party: agent.clone(), on_behalf_of: vec![person.clone()], ..alice() };
        assert!(matches!(keys.create_token(&for_alice, now()), Err(KeyError::Revoked(_))));
    }
    serving.set_revoked(&named("alice", None), true, now()).unwrap();
    assert!(serving.is_revoked(&agent));
    serving.set_revoked(&named("alice", Some(ActorKind::Agent)), false, now()).unwrap();
    assert!(serving.is_revoked(&agent), "the name is revoked in every kind");
    serving.set_revoked(&named("alice", None), false, now()).unwrap();
    assert!(!serving.is_revoked(&agent) && !serving.is_revoked(&person));
    assert!(!store(state.path()).unwrap().is_revoked(&person));
}

#[test]
fn a_file_of_revoked_actors_that_is_lost_or_damaged_allows_nobody() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    opened.set_revoked(&named("alice", None), true, now()).unwrap();
    let path = state.path().join("actors.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}not a line\n")).unwrap();
    assert!(opened.reload().is_err() && opened.is_revoked(&alice().party));
    assert!(store(state.path()).is_err(), "what cannot be read is not served");
    fs::remove_file(&path).unwrap();
    let _looked = opened.reload();
    assert!(opened.is_revoked(&alice().party));
}

fn actor(key: &IssuedKey) -> Actor {
    Actor {
        party: key.party.clone(),
        credential: Arc::clone(&key.id),
        proof: ordain_action::IdentityProof::Proven,
        on_behalf_of: key.on_behalf_of.clone(),
        session: None,
        upstream: ordain_action::Upstream {
            name: "default".into(),
            plane: ordain_action::Plane::Kubernetes,
            account: "default".into(),
            partition: "".into(),
        },
    }
}

/// Whether what is in flight of an actor is cut by what another process does.
async fn cut(act: impl FnOnce(&KeyStore, &IssuedKey, &IssuedKey), until: Option<Timestamp>) -> bool {
    let state = tempfile::tempdir().unwrap();
    let (serving, other) = (Arc::new(store(state.path()).unwrap()), store(state.path()).unwrap());
    let clock = Clock::system();
    let first = serving.create(&alice(), clock.now()).unwrap();
    let session = serving.mint(&first, real(), None, "", "1", clock.now()).unwrap();
    let (going, shown) = (Arc::clone(&serving), actor(&session));
    let waits = tokio::spawn(async move { going.until_over(&shown, until, &clock).await });
    tokio::task::yield_now().await;
    other.reload().unwrap();
    act(&other, &first, &session);
    serving.reload().unwrap();
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
    let over = waits.is_finished();
    waits.abort();
    over
}

#[tokio::test]
async fn what_is_in_flight_is_cut_when_its_actor_or_its_key_ends() {
    let now = Clock::system().now();
    assert!(!cut(|_, _, _| (), None).await);
    assert!(cut(|keys, _, key| drop(keys.revoke(&key.id, now).unwrap()), None).await, "its key");
    assert!(
        cut(|keys, first, _| drop(keys.revoke(&first.id, now).unwrap()), None).await,
        "what it descends from"
    );
    assert!(
        cut(|keys, _, _| keys.set_revoked(&named("alice", None), true, now).unwrap(), None).await,
        "its actor"
    );
    assert!(
        cut(|keys, _, _| keys.set_revoked(&named("team", None), true, now).unwrap(), None).await,
        "for whom it acts"
    );
    let other = |keys: &KeyStore, _: &IssuedKey, _: &IssuedKey| {
        keys.set_revoked(&named("bob", None), true, now).unwrap()
    };
    assert!(!cut(other, None).await, "another actor");
    assert!(cut(|_, _, _| (), Some(now)).await, "its time");
}

#[test]
fn a_pair_that_is_given_for_a_token_ends_with_it_and_is_given_again_while_it_has_time_left() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let expires = now() + SignedDuration::from_mins(90);
    let (token, _) = opened.create_token(&NewKey { expires: Some(expires), ..alice() }, now()).unwrap();
    assert!(opened.given(&token, now()).is_none());
    let first = opened.give(&token, now()).unwrap();
    assert!(first.id.starts_with(TEMPORARY) && first.expires == Some(now() + SignedDuration::from_hours(1)));
    assert_eq!((&first.party, &first.on_behalf_of), (&token.party, &token.on_behalf_of));
    let at = |minutes| now() + SignedDuration::from_mins(minutes);
    let again = store(state.path()).unwrap();
    for keys in [&opened, &again] {
        assert_eq!(keys.given(&token, at(40)).unwrap().id, first.id);
        assert!(keys.given(&token, at(41)).is_none(), "clients ask anew before its end");
        let found = keys.find(&first.id).unwrap();
        assert!(found.session_token.as_ref().unwrap().is(first.session_token.as_ref().unwrap().expose()));
        assert_eq!(found.lineage, [Arc::clone(&token.id)]);
    }
    let text = fs::read_to_string(state.path().join("keys.jsonl")).unwrap();
    assert!(!text.contains(first.session_token.as_ref().unwrap().expose()));
    // None outlives the token, and one that ends with it is the last there is.
    let last = opened.give(&token, at(60)).unwrap();
    assert_eq!(last.expires, Some(expires));
    assert_eq!(opened.given(&token, at(85)).unwrap().id, last.id);
    let minted = mint(&opened, &last);
    assert_eq!(minted.lineage, [Arc::clone(&last.id), Arc::clone(&token.id)]);
    opened.revoke(&token.id, now()).unwrap();
    assert!(opened.given(&token, now()).is_none());
    for key in [&first, &last, &minted] {
        assert_eq!(opened.ended_by(key, now()).unwrap().id, token.id);
    }
}

#[test]
fn a_line_of_a_given_pair_is_none_of_another() {
    let state = tempfile::tempdir().unwrap();
    let opened = store(state.path()).unwrap();
    let (token, _) = opened.create_token(&alice(), now()).unwrap();
    let pair = opened.give(&token, now()).unwrap();
    let path = state.path().join("keys.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lineage = format!(",\"lineage\":[\"{}\"]", token.id);
    assert!(text.contains("{\"version\":3,") && text.contains(&lineage), "{text}");
    for (from, to) in
        [("{\"version\":3,", "{\"version\":1,"), (&*lineage, ""), (&*token.id, "TKORAAAAAAAAAAAAAAAA")]
    {
        let (first, second) = text.split_once('\n').unwrap();
        fs::write(&path, format!("{first}\n{}", second.replace(from, to))).unwrap();
        assert!(store(state.path()).is_err(), "{from} -> {to}");
    }
    fs::write(&path, &text).unwrap();
    assert!(store(state.path()).unwrap().find(&pair.id).is_some());
}
