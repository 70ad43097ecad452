//! Upstreams from outside, against a token service of our own on a port of this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

use http::Uri;
use ordain_action::{Actor, ActorKind, IdentityProof, Party};
use ordain_decode::Api;
use ordain_sigv4::{KeyPair, Secret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::chain::Outlet;
use crate::forward::Outward;
use crate::upstream::{self, EntryKind, Own, Upstreams, Whose};

fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

/// A token service that answers every identity call with one account, and hands out numbered role sessions.
struct TokenService {
    endpoint: Uri,
    calls: Arc<AtomicUsize>,
    last: Arc<Mutex<String>>,
}

impl TokenService {
    async fn start(account: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (calls, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(String::new())));
        let (counted, kept) = (Arc::clone(&calls), Arc::clone(&last));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut piece = [0; 4096];
                while !request.windows(4).any(|end| end == b"\r\n\r\n")
                    || !String::from_utf8_lossy(&request).contains("Version=2011-06-15")
                {
                    let read = stream.read(&mut piece).await.unwrap();
                    request.extend_from_slice(&piece[..read]);
                }
                let request = String::from_utf8(request).unwrap();
                let call = counted.fetch_add(1, Ordering::SeqCst);
                let body = if request.contains("Action=AssumeRole") {
                    format!(
                        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
                         <Credentials><AccessKeyId>ASIASESSION{call}</AccessKeyId><SecretAccessKey>s{call}</SecretAccessKey>\
                         <SessionToken>t{call}</SessionToken><Expiration>2026-11-23T22:00:00Z</Expiration></Credentials>\
                         </AssumeRoleResult></AssumeRoleResponse>"
                    )
                } else {
                    format!(
                        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                         <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/gate</Arn><UserId>A</UserId>\
                         <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                    )
                };
                *kept.lock().unwrap() = request;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { endpoint, calls, last }
    }

    fn source(&self) -> Source {
        Source {
            name: "default".into(),
            account: None,
            endpoint: Some(self.endpoint.clone()),
            region: None,
            credentials: RealCredentials::Fixed(pair("AKIAREAL")),
            role: None,
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn pair(id: &str) -> KeyPair {
    KeyPair { id: id.to_owned(), secret: Secret::new("a-real-secret".to_owned()), session_token: None }
}

fn alice() -> Party {
    Party { name: "alice".into(), kind: ActorKind::Person }
}

async fn start(source: Source, own: &Own) -> Result<Upstreams, UpstreamError> {
    let outward = Outward::new(Vec::new(), Duration::from_secs(5));
    Upstreams::start(vec![upstream::Source::Aws(source)], own, &outward, now()).await
}

async fn credentials(
    upstreams: &Upstreams,
    party: &Party,
    now: Timestamp,
) -> Result<Arc<KeyPair>, UpstreamError> {
    match &upstreams.entry("default")?.kind {
        EntryKind::Aws(entry) => entry.pair(party, now).await,
        EntryKind::Plain(_) => panic!("of another plane"),
    }
}

async fn refused(source: Source, own: &Own) -> String {
    start(source, own).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_account_is_what_the_credential_says() {
    let service = TokenService::start("123456789012").await;
    let upstreams = start(service.source(), &Own::default()).await.unwrap();
    let verified = upstreams.get("default").unwrap();
    assert_eq!((&*verified.account, &*verified.partition), ("123456789012", "aws"));
    assert_eq!(credentials(&upstreams, &alice(), now()).await.unwrap().id, "AKIAREAL");
    assert_eq!(service.calls(), 1);
    assert!(service.last.lock().unwrap().contains("Credential=AKIAREAL/"));
    assert!(upstreams.unverified().is_empty());
}

#[tokio::test]
async fn another_account_than_the_configured_one_is_not_served() {
    let service = TokenService::start("123456789012").await;
    let source = Source { account: Some("999999999999".to_owned()), ..service.source() };
    assert_eq!(
        refused(source, &Own::default()).await,
        "the credential of upstream `default` is of account `123456789012` and not `999999999999`; correct one"
    );
}

#[tokio::test]
async fn an_issued_key_is_never_an_upstreams() {
    let service = TokenService::start("123456789012").await;
    let source =
        Source { credentials: RealCredentials::Fixed(pair("AKORABCDEFGHIJKLMNOP")), ..service.source() };
    assert_eq!(
        refused(source, &Own::default()).await,
        "the credential of upstream `default` was issued by a gate; give the provider's own"
    );
    assert_eq!(service.calls(), 0);
}

#[tokio::test]
async fn our_own_addresses_and_metadata_are_never_an_upstream() {
    let service = TokenService::start("123456789012").await;
    let own =
        Own { addresses: vec!["0.0.0.0:7070".parse().unwrap()], names: vec!["gate.example".to_owned()] };
    for (endpoint, why) in [
        ("http://169.254.169.254", "a link-local or metadata address"),
        ("http://[fd00:ec2::254]", "a link-local or metadata address"),
        ("http://[::ffff:169.254.169.254]", "a link-local or metadata address"),
        ("http://127.0.0.1:7070", "this gate itself"),
        ("http://localhost:7070", "this gate itself"),
        ("https://GATE.example", "this gate itself"),
    ] {
        let source = Source { endpoint: Some(endpoint.parse().unwrap()), ..service.source() };
        let said = refused(source, &own).await;
        assert!(said.contains(&format!("is {why}; give the provider's")), "{said}");
    }
    assert_eq!(service.calls(), 0);
}

#[tokio::test]
async fn one_without_a_credential_is_taken_up_and_not_served() {
    let service = TokenService::start("123456789012").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credential");
    let source = Source { credentials: RealCredentials::File(path.clone()), ..service.source() };
    let upstreams = start(source, &Own::default()).await.unwrap();
    assert!(upstreams.get("default").is_none());
    assert_eq!(upstreams.unverified(), ["default".into()]);
    assert!(matches!(
        credentials(&upstreams, &alice(), now()).await,
        Err(UpstreamError::NoCredential { .. })
    ));
    // As soon as there is one, it is.
    std::fs::write(&path, "AKIAFILE\nthe-secret\n").unwrap();
    assert_eq!(credentials(&upstreams, &alice(), now()).await.unwrap().id, "AKIAFILE");
    assert!(upstreams.get("default").is_some());
}

#[tokio::test]
async fn a_credential_replaced_while_we_run_is_verified_before_it_is_used() {
    let (service, other) =
        (TokenService::start("123456789012").await, TokenService::start("999999999999").await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credential");
    std::fs::write(&path, "AKIAFIRST\nthe-secret\n").unwrap();
    let source = Source { credentials: RealCredentials::File(path.clone()), ..service.source() };
    let upstreams = start(source.clone(), &Own::default()).await.unwrap();
    std::fs::write(&path, "AKIASECOND\nthe-secret\n").unwrap();
    let later = now() + SignedDuration::from_mins(16);
    assert_eq!(credentials(&upstreams, &alice(), now()).await.unwrap().id, "AKIAFIRST");
    assert_eq!(credentials(&upstreams, &alice(), later).await.unwrap().id, "AKIASECOND");
    assert_eq!(service.calls(), 2);
    // The same, where the new credential turns out to be of another account.
    let moved = start(source, &Own::default()).await.unwrap();
    let region = aws_types::region::Region::from_static("us-east-1");
    let mut entries = Arc::try_unwrap(moved.entries.swap(Arc::default())).unwrap();
    for entry in entries.values_mut() {
        let EntryKind::Aws(entry) = &mut Arc::get_mut(entry).unwrap().kind else {
            panic!("of another plane")
        };
        entry.sts = Sts::new("default", Some(&other.endpoint), &region, &Outlet::default());
    }
    moved.entries.store(Arc::new(entries));
    std::fs::write(&path, "AKIATHIRD\nthe-secret\n").unwrap();
    assert!(matches!(credentials(&moved, &alice(), later).await, Err(UpstreamError::OtherAccount { .. })));
}

#[tokio::test]
async fn an_upstream_stays_with_its_account_under_the_name_that_keys_are_bound_to() {
    let (service, other) =
        (TokenService::start("123456789012").await, TokenService::start("999999999999").await);
    let upstreams = start(service.source(), &Own::default()).await.unwrap();
    let moved = Source { name: "default".into(), ..other.source() };
    let refused = upstreams
        .prepare(vec![upstream::Source::Aws(moved.clone())], &Own::default(), now())
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the credential of upstream `default` is of account `999999999999` and not `123456789012`; correct one"
    );
    // One that cannot be asked is taken up, and has to turn out to be the same.
    let silent = Source { endpoint: Some("http://127.0.0.1:9".parse().unwrap()), ..moved.clone() };
    let prepared =
        upstreams.prepare(vec![upstream::Source::Aws(silent)], &Own::default(), now()).await.unwrap();
    upstreams.replace(prepared, now());
    assert!(upstreams.prepare(vec![upstream::Source::Aws(moved)], &Own::default(), now()).await.is_err());
    let prepared = upstreams
        .prepare(vec![upstream::Source::Aws(service.source())], &Own::default(), now())
        .await
        .unwrap();
    upstreams.replace(prepared, now());
    // What was claimed for one account leaves for no other.
    assert!(
        upstreams
            .leaving(&actor("123456789012"), "123456789012", Whose::Gate(Api::Main), now())
            .await
            .is_ok()
    );
    assert!(matches!(
        upstreams.leaving(&actor("999999999999"), "999999999999", Whose::Gate(Api::Main), now()).await,
        Err(UpstreamError::OtherAccount { .. })
    ));
}

fn actor(account: &str) -> Actor {
    let upstream = Upstream {
        name: "default".into(),
        plane: Plane::Aws,
        account: account.into(),
        partition: "aws".into(),
    };
    Actor {
        party: alice(),
        credential: "AKORAAAAAAAAAAAAAAAA".into(),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream,
    }
}

#[tokio::test]
async fn a_role_is_assumed_for_each_actor_and_kept_while_it_lasts() {
    let service = TokenService::start("123456789012").await;
    let role = Some("arn:aws:iam::999999999999:role/ordain-{kind}".to_owned());
    let source = Source { role, ..service.source() };
    let upstreams = start(source, &Own::default()).await.unwrap();
    assert_eq!(&*upstreams.get("default").unwrap().account, "999999999999");
    let first = credentials(&upstreams, &alice(), now()).await.unwrap();
    let asked = service.last.lock().unwrap().clone();
    for part in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A999999999999%3Arole%2Fordain-person",
        "RoleSessionName=alice",
        "SourceIdentity=alice",
        "Tags.member.1.Key=ordain-actor&Tags.member.1.Value=alice",
        "Tags.member.2.Key=ordain-kind&Tags.member.2.Value=person",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
    let again = credentials(&upstreams, &alice(), now()).await.unwrap();
    assert_eq!(first.id, again.id);
    let bob = Party { name: "bob".into(), kind: ActorKind::Agent };
    assert_ne!(credentials(&upstreams, &bob, now()).await.unwrap().id, first.id);
    assert_eq!(service.calls(), 3);
    let near_the_end = now() + SignedDuration::from_mins(56);
    assert_ne!(credentials(&upstreams, &alice(), near_the_end).await.unwrap().id, first.id);
}

#[test]
fn two_names_never_share_a_role() {
    let template = "arn:aws:iam::999999999999:role/{actor}";
    let party = |name: &str| Party { name: name.into(), kind: ActorKind::Person };
    assert_eq!(sts::role_for(template, &party("a-b")).unwrap(), "arn:aws:iam::999999999999:role/a-b");
    assert!(matches!(sts::role_for(template, &party("a/b")), Err(UpstreamError::BadActor(_))));
    assert_eq!(sts::role_account(template), Some("999999999999"));
    for text in ["", "arn:aws:iam::999999999999:user/x", "arn:aws:iam::1:role/x", "role/x"] {
        assert_eq!(sts::role_account(text), None, "{text}");
    }
}

#[tokio::test]
async fn a_source_that_gives_what_ends_soon_is_not_asked_for_every_request() {
    let service = TokenService::start("123456789012").await;
    let role = Some("arn:aws:iam::123456789012:role/{actor}".to_owned());
    let upstreams = start(Source { role, ..service.source() }, &Own::default()).await.unwrap();
    let before = service.calls();
    // Every session of the stub ends at 22:00.
    let soon = now() + SignedDuration::from_mins(57);
    for seconds in [0, 1, 19, 21, 22] {
        credentials(&upstreams, &alice(), soon + SignedDuration::from_secs(seconds)).await.unwrap();
    }
    assert_eq!(service.calls() - before, 2);
}
