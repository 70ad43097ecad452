//! Upstreams with one address from outside, against a cluster of our own on a port of this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex as Lock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use ordain_action::{Actor, ActorKind, IdentityProof, Party, Plane};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::{GrpcUpstream, KubernetesUpstream, PlainCredential, Reach, SingleUpstream};
use crate::settings;
use crate::upstream::{self, Upstreams, Whose};

fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

/// A cluster that tells which it is, and keeps the credential of each request.
struct Cluster {
    endpoint: Uri,
    status: Arc<AtomicU16>,
    presented: Arc<Lock<Vec<String>>>,
    // What it answers, where not with the namespace.
    body: Arc<Lock<String>>,
}

impl Cluster {
    async fn start(uid: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let (status, presented) = (Arc::new(AtomicU16::new(200)), Arc::new(Lock::new(Vec::new())));
        let body = Arc::new(Lock::new(String::new()));
        let (answers, kept, told) = (Arc::clone(&status), Arc::clone(&presented), Arc::clone(&body));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut piece = [0; 4096];
                    let read = stream.read(&mut piece).await.unwrap();
                    request.extend_from_slice(&piece[..read]);
                }
                let request = String::from_utf8(request).unwrap();
                assert!(request.starts_with("GET /api/v1/namespaces/kube-system HTTP/1.1\r\n"), "{request}");
                let header = |line: &str| line.strip_prefix("authorization: ").map(str::to_owned);
                kept.lock().unwrap().push(request.lines().find_map(header).unwrap_or_default());
                let told = told.lock().unwrap().clone();
                let body = if told.is_empty() {
                    format!(
                        "{{\"kind\":\"Namespace\",\"metadata\":{{\"name\":\"kube-system\",\"uid\":\"{uid}\"}}}}"
                    )
                } else {
                    told
                };
                let answer = format!(
                    "HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    answers.load(Ordering::SeqCst),
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { endpoint, status, presented, body }
    }

    fn with(&self, credential: PlainCredential) -> Source {
        self.source(None, credential)
    }

    fn source(&self, uid: Option<&str>, credential: PlainCredential) -> Source {
        let reach = Reach::At { endpoint: self.endpoint.clone(), trust: None, credential };
        let config = KubernetesUpstream { uid: uid.map(str::to_owned), reach, passes: false };
        Source::kubernetes("prod", Some("shop-cluster"), &config)
    }

    fn presented(&self) -> Vec<String> {
        self.presented.lock().unwrap().clone()
    }
}

async fn start(source: Source, own: &Own) -> Result<Upstreams, UpstreamError> {
    let outward = Outward::new(Vec::new(), Duration::from_secs(5));
    Upstreams::start(vec![upstream::Source::Plain(source)], own, &outward, now()).await
}

fn alice() -> Actor {
    let upstream = Upstream {
        name: "prod".into(),
        plane: Plane::Kubernetes,
        account: "shop-cluster".into(),
        partition: "".into(),
    };
    Actor {
        party: Party { name: "alice".into(), kind: ActorKind::Person },
        credential: "x".into(),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream,
    }
}

/// What a request of hers leaves with; why it does not.
async fn leaves_with(upstreams: &Upstreams, at: Timestamp) -> String {
    match upstreams.leaving(&alice(), "shop-cluster", Whose::Gate(Api::Main), at).await {
        Ok(Leaving::Plain { carried: Carried::Header(header), .. }) => {
            let (name, value) = header.to_pair();
            assert!(value.is_sensitive(), "a credential is marked as one");
            format!("{name}: {}", value.to_str().unwrap())
        }
        Ok(Leaving::Plain { carried: Carried::Connection, .. }) => "nothing".to_owned(),
        Ok(Leaving::Plain { carried: Carried::Own, .. }) => "its own".to_owned(),
        Ok(Leaving::Signed { .. }) => panic!("of another plane"),
        Err(error) => error.to_string(),
    }
}

fn file(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// An API that answers every call with that head, and with a status of gRPC in it.
async fn api(folder: &Path, status: u16, grpc: Option<&'static str>) -> Source {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    assert_eq!(request.headers()["authorization"], "Bearer real-token");
                    assert_eq!(
                        (request.uri().path(), &request.headers()["te"]),
                        ("/grpc.health.v1.Health/Check", &"trailers".parse().unwrap())
                    );
                    let mut head = http::Response::builder().status(status);
                    if let Some(grpc) = grpc {
                        head = head.header("grpc-status", grpc);
                    }
                    respond.send_response(head.body(()).unwrap(), true).unwrap();
                }
            });
        }
    });
    let token = file(folder, "token", "real-token\n");
    let reach = Reach::At { endpoint, trust: None, credential: PlainCredential::TokenFile(token) };
    Source::grpc("prod", None, &GrpcUpstream { descriptors: "x".into(), methods: None, reach })
}

#[tokio::test]
async fn an_api_is_served_once_it_answers_and_takes_the_credential() {
    for (status, grpc, expected) in [
        (200, Some("0"), ""),
        (200, Some("12"), ""),
        (200, Some("7"), ""),
        (200, Some("16"), "it does not take the credential"),
        (200, None, "its answer is none of gRPC"),
        (404, None, "it answers with status 404"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let upstreams = start(api(folder.path(), status, grpc).await, &Own::default()).await.unwrap();
        let why = upstreams.why_unverified("prod").unwrap_or_default();
        assert!(why.contains(expected) && why.is_empty() == expected.is_empty(), "{status} {grpc:?}: {why}");
        assert_eq!(upstreams.get("prod").is_some(), expected.is_empty());
    }
}

#[tokio::test]
async fn a_cluster_is_who_it_says_and_is_asked_with_the_real_credential() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let token = file(folder.path(), "token", "real-token\n");
    let upstreams = start(cluster.source(Some("uid-1"), PlainCredential::TokenFile(token)), &Own::default())
        .await
        .unwrap();
    let verified = upstreams.get("prod").unwrap();
    assert_eq!((&*verified.account, verified.plane), ("shop-cluster", Plane::Kubernetes));
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Bearer real-token");
    assert_eq!(cluster.presented(), ["Bearer real-token"]);
}

#[tokio::test]
async fn another_cluster_than_the_one_expected_is_refused() {
    let (cluster, folder) = (Cluster::start("uid-2").await, tempfile::tempdir().unwrap());
    let token = file(folder.path(), "token", "real-token");
    let source = cluster.source(Some("uid-1"), PlainCredential::TokenFile(token));
    let refused = start(source, &Own::default()).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "the credential of upstream `prod` is of account `uid-2` and not `uid-1`; correct one"
    );
}

#[tokio::test]
async fn a_cluster_that_does_not_take_the_credential_is_not_served() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let token = file(folder.path(), "token", "real-token");
    let source = |uid| cluster.source(uid, PlainCredential::TokenFile(token.clone()));
    cluster.status.store(401, Ordering::SeqCst);
    let upstreams = start(source(None), &Own::default()).await.unwrap();
    assert!(upstreams.get("prod").is_none());
    assert!(upstreams.why_unverified("prod").unwrap().contains("it does not take the credential"));
    // It knows the credential and does not let it look: enough, where no UID is expected.
    cluster.status.store(403, Ordering::SeqCst);
    assert!(upstreams.verify("prod", now()).await.is_ok());
    let upstreams = start(source(Some("uid-1")), &Own::default()).await.unwrap();
    assert!(upstreams.get("prod").is_none());
}

#[tokio::test]
async fn whose_credential_leaves_is_what_is_configured_and_what_was_said_of_the_request() {
    let cluster = Cluster::start("uid-1").await;
    let source = |passes, credential| {
        let reach = Reach::At { endpoint: cluster.endpoint.clone(), trust: None, credential };
        Source::kubernetes("prod", Some("shop-cluster"), &KubernetesUpstream { uid: None, reach, passes })
    };
    // Without a credential of ours it is told by its own words that somebody is there.
    cluster.status.store(401, Ordering::SeqCst);
    let upstreams = start(source(true, PlainCredential::Nothing), &Own::default()).await.unwrap();
    assert!(upstreams.why_unverified("prod").unwrap().contains("does not take the credential"));
    *cluster.body.lock().unwrap() = r#"{"kind":"Status","apiVersion":"v1","code":401}"#.to_owned();
    assert!(upstreams.verify("prod", now()).await.is_ok());
    assert!(upstreams.passes("prod") && !upstreams.passes("other"));
    let leaving = async |upstreams: &Upstreams, whose: Whose<'_>| match upstreams
        .leaving(&alice(), "shop-cluster", whose, now())
        .await
    {
        Ok(Leaving::Plain { carried, .. }) => format!("{carried:?}"),
        Ok(Leaving::Signed { .. }) => panic!("of another plane"),
        Err(error) => error.to_string(),
    };
    assert_eq!(leaving(&upstreams, Whose::Actor).await, "Own");
    let refused = leaving(&upstreams, Whose::Gate(Api::Main)).await;
    assert!(refused.contains("each actor's own goes on to it now"), "{refused}");
    let upstreams = start(source(false, PlainCredential::Nothing), &Own::default()).await.unwrap();
    assert!(upstreams.verify("prod", now()).await.is_ok());
    let refused = leaving(&upstreams, Whose::Actor).await;
    assert!(refused.contains("no actor's own goes on to it now"), "{refused}");
}

#[tokio::test]
async fn a_request_that_was_claimed_for_another_cluster_leaves_for_none() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let token = file(folder.path(), "token", "real-token");
    let upstreams = start(cluster.with(PlainCredential::TokenFile(token)), &Own::default()).await.unwrap();
    assert!(matches!(
        upstreams.leaving(&alice(), "other", Whose::Gate(Api::Main), now()).await,
        Err(UpstreamError::OtherAccount { .. })
    ));
}

#[tokio::test]
async fn a_token_that_is_replaced_in_its_file_is_seen() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let token = file(folder.path(), "token", "first");
    let upstreams =
        start(cluster.with(PlainCredential::TokenFile(token.clone())), &Own::default()).await.unwrap();
    std::fs::write(&token, "second").unwrap();
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Bearer first");
    let later = now() + SignedDuration::from_secs(61);
    assert_eq!(leaves_with(&upstreams, later).await, "authorization: Bearer second");
    std::fs::write(&token, "two words").unwrap();
    upstreams.look_anew();
    assert!(leaves_with(&upstreams, later).await.contains("is no token"));
}

#[tokio::test]
async fn a_password_and_a_header_of_any_name_are_sent_as_they_are() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let password = file(folder.path(), "password", "pass:word\n");
    let basic = |user: &str| {
        PlainCredential::Basic(settings::Basic { user: user.to_owned(), password_file: password.clone() })
    };
    let upstreams = start(cluster.with(basic("gate")), &Own::default()).await.unwrap();
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Basic Z2F0ZTpwYXNzOndvcmQ=");
    let upstreams = start(cluster.with(basic("a:b")), &Own::default()).await.unwrap();
    assert!(upstreams.why_unverified("prod").unwrap().contains("the user `a:b` has a colon"));
    let value = file(folder.path(), "value", "sesame\n");
    let header = PlainCredential::Header(settings::Header { name: "X-Api-Key".to_owned(), file: value });
    let upstreams = start(cluster.with(header), &Own::default()).await.unwrap();
    assert_eq!(leaves_with(&upstreams, now()).await, "x-api-key: sesame");
}

/// A program of a shell's words.
fn program(folder: &Path, words: &str) -> String {
    let path = file(folder, "credential", &format!("#!/bin/sh\n{words}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_program_prints_a_token_that_is_kept_until_its_end() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let count = folder.path().join("count");
    let words = format!(
        "echo x >> {0:?}; printf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
         \"status\":{{\"token\":\"token-%s\",\"expirationTimestamp\":\"2026-11-23T22:00:00Z\"}}}}' $(wc -l < {0:?})",
        count
    );
    let command = PlainCredential::Command(vec![program(folder.path(), &words)]);
    let upstreams = start(cluster.with(command), &Own::default()).await.unwrap();
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Bearer token-1");
    let near_the_end = now() + SignedDuration::from_mins(59) + SignedDuration::from_secs(1);
    assert_eq!(leaves_with(&upstreams, near_the_end).await, "authorization: Bearer token-2");
}

#[tokio::test]
async fn a_program_that_fails_says_so_and_shows_nothing_of_what_it_printed() {
    let cluster = Cluster::start("uid-1").await;
    for (words, said) in [
        ("echo s3cret; exit 3", "failed: exit status: 3"),
        ("echo '{\"kind\":\"s3cret\"}'", "has no `status`"),
        (
            "echo '{\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\"s3cret\"}}'",
            "has no token",
        ),
        ("echo '{s3cret'", "is no `ExecCredential`"),
        ("echo two words of s3cret", "is no token"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let command = PlainCredential::Command(vec![program(folder.path(), words)]);
        let upstreams = start(cluster.with(command), &Own::default()).await.unwrap();
        let why = upstreams.why_unverified("prod").unwrap();
        assert!(why.contains(said) && !why.contains("s3cret"), "{why}");
    }
    assert_eq!(cluster.presented(), Vec::<String>::new());
}

fn kubeconfig(folder: &Path, server: &str, cluster: &str, user: &str) -> Source {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         contexts:\n- name: here\n  context: {{cluster: c, user: u}}\n\
         clusters:\n- name: c\n  cluster: {{server: \"{server}\"{cluster}}}\nusers:\n- name: u\n  user: {user}\n"
    );
    let path = file(folder, "kubeconfig", &text);
    let config = KubernetesUpstream {
        uid: None,
        reach: Reach::Kubeconfig { file: Some(path), context: None },
        passes: false,
    };
    Source::kubernetes("prod", Some("shop-cluster"), &config)
}

#[tokio::test]
async fn a_kubeconfig_says_where_and_with_what() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let server = cluster.endpoint.to_string();
    file(folder.path(), "token", "beside-the-file");
    program(folder.path(), "echo from-a-program");
    for (user, sent) in [
        ("{token: in-the-file}", "Bearer in-the-file"),
        ("{tokenFile: token}", "Bearer beside-the-file"),
        (
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./credential}}",
            "Bearer from-a-program",
        ),
        ("{username: gate, password: secret}", "Basic Z2F0ZTpzZWNyZXQ="),
    ] {
        let upstreams = start(kubeconfig(folder.path(), &server, "", user), &Own::default()).await.unwrap();
        assert_eq!(leaves_with(&upstreams, now()).await, format!("authorization: {sent}"), "{user}");
        assert_eq!(
            upstreams.at_host(cluster.endpoint.authority().unwrap().as_str(), 80).unwrap().1,
            Plane::Kubernetes
        );
    }
}

#[tokio::test]
async fn what_a_kubeconfig_says_anew_is_taken_up_when_it_is_looked_at() {
    let (cluster, folder) = (Cluster::start("uid-1").await, tempfile::tempdir().unwrap());
    let server = cluster.endpoint.to_string();
    let upstreams =
        start(kubeconfig(folder.path(), &server, "", "{token: before}"), &Own::default()).await.unwrap();
    drop(kubeconfig(folder.path(), &server, "", "{token: after}"));
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Bearer before");
    upstreams.look_anew();
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Bearer after");
    // What the upstream does not take is not sent, and is looked at again.
    cluster.status.store(401, Ordering::SeqCst);
    upstreams.look_anew();
    assert!(leaves_with(&upstreams, now()).await.contains("does not take the credential"));
    cluster.status.store(200, Ordering::SeqCst);
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Bearer after");
    let asked = cluster.presented().len();
    assert_eq!(leaves_with(&upstreams, now()).await, "authorization: Bearer after");
    assert_eq!(cluster.presented().len(), asked, "once it is taken up it is not asked again");
}

#[tokio::test]
async fn a_kubeconfig_that_would_be_less_than_verified_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (cluster, user, said) in [
        (", insecure-skip-tls-verify: true", "{token: s3cret}", "the gate verifies its upstreams"),
        (", proxy-url: \"http://proxy\"", "{token: s3cret}", "`proxy-url`"),
        ("", "{auth-provider: {name: gcp}}", "auth provider `gcp`"),
        ("", "{client-certificate-data: czNjcmV0}", "half a client certificate"),
        (", certificate-authority-data: czNjcmV0", "{token: s3cret}", "no certificate in it"),
        ("", "{}", "has no credential"),
        ("", "{token: [s3cret]}", "is no kubeconfig at line"),
    ] {
        let source = kubeconfig(folder.path(), "https://127.0.0.1:1", cluster, user);
        let upstreams = start(source, &Own::default()).await.unwrap();
        let why = upstreams.why_unverified("prod").unwrap();
        assert!(why.contains(said) && !why.contains("s3cret"), "{why}");
    }
}

#[tokio::test]
async fn we_and_metadata_addresses_are_no_cluster_wherever_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let own =
        Own { addresses: vec!["127.0.0.1:7070".parse().unwrap()], names: vec!["gate.example".to_owned()] };
    for server in [
        "https://127.0.0.1:7070",
        "https://gate.example",
        "https://169.254.169.254",
        "https://localhost:7070",
    ] {
        let source = kubeconfig(folder.path(), server, "", "{token: x}");
        let refused = start(source, &own).await.unwrap_err();
        assert!(matches!(refused, UpstreamError::Endpoint { .. }), "{server}: {refused}");
    }
}

/// A server of a plane that answers everything with a status.
async fn answering(plane: Plane, status: u16) -> Source {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let anchor = ordain_decode::card(plane).anchor.unwrap();
            assert!(request.starts_with(format!("GET {anchor} HTTP/1.1\r\n").as_bytes()));
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let reach = Reach::At { endpoint, trust: None, credential: PlainCredential::Nothing };
    let config = SingleUpstream {
        plane,
        description: None,
        methods: None,
        reach,
        mounts: BTreeMap::new(),
        signs_in: false,
    };
    Source::single("prod", Some("acme"), &config)
}

/// Some planes have one status for a credential that they do not know and for what it may not do.
#[tokio::test]
async fn a_credential_that_means_nothing_is_told_in_the_planes_own_status() {
    let verified = |plane, status| async move {
        start(answering(plane, status).await, &Own::default()).await.unwrap().why_unverified("prod")
    };
    for (plane, stranger, other) in [
        (Plane::Okta, 401, 403),
        (Plane::Redfish, 401, 403),
        (Plane::Vault, 403, 404),
        (Plane::Panos, 403, 404),
    ] {
        for status in [401, stranger] {
            let why = verified(plane, status).await.unwrap();
            assert!(why.contains(&format!("does not take the credential: {status} at `/")), "{why}");
        }
        assert_eq!(verified(plane, other).await, None, "{plane}");
        assert_eq!(verified(plane, 200).await, None, "{plane}");
        assert!(verified(plane, 503).await.is_some(), "{plane}");
    }
}
