//! Services that hand out credentials, against stubs of ours on a port of this machine: what they are asked and when.
//!
//! Time is told, so that nothing is waited for. Leaves out servers that others wrote (`tests/credentials/services.rs`).

mod keystone;
mod vault_token;
mod vsphere;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Lock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ordain_action::{Actor, ActorKind, IdentityProof, Party, Plane, Upstream};
use ordain_decode::Api;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::forward::Outward;
use crate::settings::Settings;
use crate::upstream::{Carried, Leaving, Own, Source, Upstreams, Whose};

fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

type Answers = Arc<Lock<Box<dyn FnMut(&str) -> Answer + Send>>>;

/// What a service says.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    fn new(status: u16, headers: &[(&str, &str)], body: impl ToString) -> Self {
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Self { status, headers, body: body.to_string() }
    }
}

impl From<(u16, Value)> for Answer {
    fn from((status, body): (u16, Value)) -> Self {
        Self::new(status, &[], body)
    }
}

/// A cluster that says nothing of itself, and beside it whatever service a test needs.
struct Stub {
    port: u16,
    asked: Arc<Lock<Vec<String>>>,
    answers: Answers,
    // It takes connections and answers nothing.
    hangs: Arc<AtomicBool>,
}

impl Stub {
    async fn start<A: Into<Answer>>(mut answer: impl FnMut(&str) -> A + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers: Answers = Arc::new(Lock::new(Box::new(move |asked: &str| answer(asked).into())));
        let (asked, hangs) = (Arc::new(Lock::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let stub = Self {
            port,
            asked: Arc::clone(&asked),
            answers: Arc::clone(&answers),
            hangs: Arc::clone(&hangs),
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (asked, answers, hangs) = (Arc::clone(&asked), Arc::clone(&answers), Arc::clone(&hangs));
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let answer = if request.contains("kube-system") {
                        (403, json!({})).into()
                    } else {
                        asked.lock().unwrap().push(request.clone());
                        while hangs.load(Ordering::SeqCst) {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        (answers.lock().unwrap())(&request)
                    };
                    let Answer { status, headers, body } = answer;
                    let head = format!(
                        "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:{port}/elsewhere\r\n{headers}"
                    );
                    let framing = format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
                    drop(stream.write_all(format!("{head}{framing}{body}").as_bytes()).await);
                });
            }
        });
        stub
    }

    fn answer<A: Into<Answer>>(&self, mut answer: impl FnMut(&str) -> A + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(move |asked: &str| answer(asked).into());
    }

    /// The first lines of what it was asked since the last time.
    fn asked(&self) -> Vec<String> {
        let line = |request: String| request.lines().next().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().drain(..).map(line).collect()
    }

    async fn upstreams(&self, credentials: &str) -> Upstreams {
        self.upstreams_of("kubernetes", credentials).await
    }

    async fn upstreams_of(&self, plane: &str, credentials: &str) -> Upstreams {
        self.of(&format!(
            "[[upstream]]\nname = \"live\"\nplane = \"{plane}\"\nendpoint = \"http://127.0.0.1:{}\"\ncredentials = {{ {credentials} }}",
            self.port
        ))
        .await
    }

    async fn of(&self, text: &str) -> Upstreams {
        let config = Config::resolve(Settings::parse("gate.toml", text).unwrap()).unwrap();
        let sources = config.upstreams.iter().map(Source::from).collect();
        let outward = Outward::new(Vec::new(), Duration::from_secs(30));
        Upstreams::start(sources, &Own::default(), &outward, now()).await.unwrap()
    }

    fn vault(&self, login: &str) -> String {
        format!(
            "vault = {{ address = \"http://127.0.0.1:{}\", path = \"ordain/live\", login = {login} }}",
            self.port
        )
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap_or(0);
        if read == 0 {
            return text;
        }
        request.extend_from_slice(&piece[..read]);
    }
}

async fn leaves_with(upstreams: &Upstreams, at: Timestamp) -> String {
    let header = leaves_for(upstreams, Api::Main, at).await;
    header.map_or_else(|why| why, |(_, value)| value)
}

/// The header that a request to one of a plane's APIs leaves with, or why it does not leave.
async fn leaves_for(upstreams: &Upstreams, api: Api, at: Timestamp) -> Result<(String, String), String> {
    let upstream = Upstream {
        name: "live".into(),
        plane: Plane::Kubernetes,
        account: "live".into(),
        partition: "".into(),
    };
    let actor = Actor {
        party: Party { name: "alice".into(), kind: ActorKind::Person },
        credential: "x".into(),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream,
    };
    match upstreams.leaving(&actor, "live", Whose::Gate(api), at).await {
        Ok(Leaving::Plain { carried: Carried::Header(header), .. }) => {
            let (name, value) = header.to_pair();
            Ok((name.to_string(), value.to_str().unwrap().to_owned()))
        }
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn secret(text: &str) -> (u16, Value) {
    (
        200,
        json!({"lease_duration": 0, "data": {"data": {"token": text, "other": 1}, "metadata": {"version": 1}}}),
    )
}

#[tokio::test]
async fn a_secret_is_read_again_when_its_time_is_over() {
    let (stub, folder) = (Stub::start(|_| secret("first")).await, tempfile::tempdir().unwrap());
    let login = format!("{{ token_file = {:?} }}", file(folder.path(), "t", "the-store-token\n"));
    let upstreams = stub.upstreams(&stub.vault(&login)).await;
    assert_eq!(leaves_with(&upstreams, now()).await, "Bearer first");
    let asked = stub.asked.lock().unwrap().first().cloned().unwrap();
    assert!(asked.starts_with("GET /v1/secret/data/ordain/live HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("x-vault-token: the-store-token\r\n") && asked.contains("x-vault-request: true\r\n")
    );
    assert_eq!(stub.asked().len(), 1);
    stub.answer(|_| secret("second"));
    assert_eq!(leaves_with(&upstreams, after(299)).await, "Bearer first");
    assert_eq!(stub.asked().len(), 0);
    // The token is what its file holds then.
    file(folder.path(), "t", "another-token");
    assert_eq!(leaves_with(&upstreams, after(300)).await, "Bearer second");
    assert!(stub.asked.lock().unwrap()[0].contains("x-vault-token: another-token\r\n"));
}

#[tokio::test]
async fn a_store_that_is_away_takes_nothing_back_and_one_that_refuses_does() {
    let (stub, folder) = (Stub::start(|_| secret("first")).await, tempfile::tempdir().unwrap());
    let login = format!("{{ token_file = {:?} }}", file(folder.path(), "t", "the-store-token"));
    let upstreams = stub.upstreams(&stub.vault(&login)).await;
    stub.asked();
    stub.answer(|_| (503, json!({"errors": ["sealed"]})));
    for (at, asked) in [(300, 1), (309, 0), (310, 1)] {
        assert_eq!(leaves_with(&upstreams, after(at)).await, "Bearer first", "{at}");
        assert_eq!(stub.asked().len(), asked, "{at}");
    }
    stub.answer(|_| (403, json!({"errors": ["permission denied"]})));
    let refused = leaves_with(&upstreams, after(400)).await;
    let name = format!("`secret/ordain/live` of `http://127.0.0.1:{}/`", stub.port);
    assert!(refused.contains(&format!("its login may not read the secret {name}")), "{refused}");
    stub.answer(|_| (503, json!({})));
    let gone = leaves_with(&upstreams, after(401)).await;
    assert!(gone.contains("answers with status 503"), "{gone}");
}

#[tokio::test]
async fn what_a_store_answers_otherwise_is_said_without_what_is_secret() {
    let (stub, folder) = (Stub::start(|_| secret("first")).await, tempfile::tempdir().unwrap());
    let login = format!("{{ token_file = {:?} }}", file(folder.path(), "t", "the-store-token"));
    for (answer, says) in [
        ((404, json!({"data": null})), "there is no secret"),
        ((302, json!({})), "answers with status 302"),
        ((400, json!({"errors": ["s3cret"]})), "answers with status 400"),
        ((200, json!({"data": {"data": {"password": "s3cret"}}})), "has no text in its field `token`"),
        ((200, json!({"data": {"data": {"token": ["s3cret"]}}})), "has no text in its field `token`"),
        ((200, json!({"data": {"token": "s3cret"}})), "is no secret"),
        ((200, json!({"data": {"data": {"token": "s3cret\nx-other: y"}}})), "what is given is no token"),
    ] {
        let said = answer.clone();
        stub.answer(move |_| said.clone());
        let upstreams = stub.upstreams(&stub.vault(&login)).await;
        let why = upstreams.why_unverified("live").unwrap_or_default();
        assert!(why.contains(says), "{answer:?}: {why}");
        assert!(!why.contains("s3cret") && !why.contains("the-store-token"), "{why}");
    }
    // Nothing is followed elsewhere.
    assert!(stub.asked().iter().all(|line| !line.contains("elsewhere")));
}

#[tokio::test]
async fn a_login_is_kept_while_it_lasts_and_made_anew_when_it_is_not_taken() {
    let logins = Arc::new(Lock::new(0));
    let count = Arc::clone(&logins);
    let stub = Stub::start(move |request| {
        if request.starts_with("POST /v1/auth/approle/login ") {
            *count.lock().unwrap() += 1;
            let token = format!("login-{}", count.lock().unwrap());
            return (200, json!({"auth": {"client_token": token, "lease_duration": 3600}}));
        }
        let current = format!("x-vault-token: login-{}\r\n", count.lock().unwrap());
        if request.contains(&current) {
            secret(&format!("by-{}", count.lock().unwrap()))
        } else {
            (403, json!({}))
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let id = file(folder.path(), "id", "the-secret-id\n");
    let login = format!("{{ approle = {{ role_id = \"gate\", secret_id_file = {id:?} }} }}");
    let upstreams = stub.upstreams(&stub.vault(&login)).await;
    let posted = stub.asked.lock().unwrap()[0].clone();
    assert!(posted.ends_with(r#"{"role_id":"gate","secret_id":"the-secret-id"}"#), "{posted}");
    assert_eq!(leaves_with(&upstreams, after(300)).await, "Bearer by-1");
    assert_eq!(*logins.lock().unwrap(), 1);
    // Half a minute before its end, and where somebody has ended it, it is made anew.
    assert_eq!(leaves_with(&upstreams, after(3571)).await, "Bearer by-2");
    *logins.lock().unwrap() = 5;
    assert_eq!(leaves_with(&upstreams, after(4000)).await, "Bearer by-6");
    stub.asked();
    stub.answer(|request| {
        if request.starts_with("POST ") { (400, json!({"errors": ["x"]})) } else { (403, json!({})) }
    });
    let refused = leaves_with(&upstreams, after(5000)).await;
    assert!(refused.contains("is refused with status 400"), "{refused}");
    assert_eq!(stub.asked().len(), 2, "once");
}

#[tokio::test]
async fn a_pod_shows_its_own_token() {
    let stub = Stub::start(|request| {
        if request.starts_with("POST ") {
            assert!(request.starts_with("POST /v1/auth/pods/login "), "{request}");
            assert!(request.ends_with(r#"{"jwt":"the-token-of-the-pod","role":"gate"}"#), "{request}");
            assert!(request.contains("x-vault-namespace: team/a\r\n"), "{request}");
            return (200, json!({"auth": {"client_token": "t", "lease_duration": 0}}));
        }
        secret("of-the-pod")
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let token = file(folder.path(), "jwt", "the-token-of-the-pod");
    let login = format!(
        "{{ kubernetes = {{ role = \"gate\", mount = \"pods\", token_file = {token:?} }} }}, namespace = \"team/a\""
    );
    let upstreams = stub.upstreams(&stub.vault(&login)).await;
    assert_eq!(leaves_with(&upstreams, now()).await, "Bearer of-the-pod");
}

fn token(text: &str, seconds: i64) -> (u16, Value) {
    (200, json!({"access_token": text, "token_type": "Bearer", "expires_in": seconds}))
}

impl Stub {
    fn oauth(&self, folder: &Path) -> String {
        let secret = file(folder, "s", "a secret+&");
        format!(
            "oauth = {{ token_endpoint = \"http://127.0.0.1:{}/token\", client_id = \"the gate\", secret_file = {secret:?}, scope = \"a b\", audience = \"https://x\" }}",
            self.port
        )
    }
}

#[tokio::test]
async fn a_token_is_asked_for_anew_a_minute_before_it_ends() {
    let (stub, folder) = (Stub::start(|_| token("first", 600)).await, tempfile::tempdir().unwrap());
    let upstreams = stub.upstreams(&stub.oauth(folder.path())).await;
    let asked = stub.asked.lock().unwrap()[0].clone();
    assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.ends_with("\r\n\r\ngrant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Fx"),
        "{asked}"
    );
    // `the%20gate:a%20secret%2B%26`
    assert!(asked.contains("authorization: Basic dGhlJTIwZ2F0ZTphJTIwc2VjcmV0JTJCJTI2\r\n"), "{asked}");
    stub.answer(|_| token("second", 600));
    assert_eq!(leaves_with(&upstreams, after(539)).await, "Bearer first");
    assert_eq!(leaves_with(&upstreams, after(540)).await, "Bearer second");
    // A server that is away leaves what lasts, and no longer.
    stub.answer(|_| (500, json!({})));
    assert_eq!(leaves_with(&upstreams, after(1100)).await, "Bearer second");
    let over = leaves_with(&upstreams, after(1140)).await;
    assert!(over.contains("answers with status 500"), "{over}");
}

#[tokio::test]
async fn what_a_server_answers_otherwise_is_said_without_what_is_secret() {
    let (stub, folder) = (Stub::start(|_| token("first", 600)).await, tempfile::tempdir().unwrap());
    for (answer, says) in [
        (
            (401, json!({"error": "invalid_client", "error_description": "s3cret"})),
            "status 401 `invalid_client` for client `the gate`",
        ),
        ((400, json!({"error": "S3cret s3cret"})), "answers with status 400 for client"),
        ((307, json!({})), "answers with status 307"),
        ((200, json!({"access_token": "s3cret"})), "answers without a token"),
        ((200, json!({"access_token": "s3cret", "token_type": "mac"})), "a token that is no bearer's"),
        (
            (200, json!({"access_token": "s3cret", "token_type": "bearer", "expires_in": -1})),
            "`expires_in` is no time",
        ),
        ((200, json!({"access_token": "s3cret x", "token_type": "bearer"})), "what is given is no token"),
    ] {
        let said = answer.clone();
        stub.answer(move |_| said.clone());
        let upstreams = stub.upstreams(&stub.oauth(folder.path())).await;
        let why = upstreams.why_unverified("live").unwrap_or_default();
        assert!(why.contains(says), "{answer:?}: {why}");
        assert!(!why.contains("s3cret") && !why.contains("a secret"), "{why}");
    }
    stub.answer(|_| (200, json!({"access_token": "unsaid", "token_type": "bearer"})));
    let upstreams = stub.upstreams(&stub.oauth(folder.path())).await;
    stub.answer(|_| (200, json!({"access_token": "said", "token_type": "BEARER", "expires_in": "3600"})));
    assert_eq!(leaves_with(&upstreams, after(239)).await, "Bearer unsaid");
    assert_eq!(leaves_with(&upstreams, after(240)).await, "Bearer said");
    assert!(stub.asked().iter().all(|line| !line.contains("elsewhere")));
}

#[tokio::test]
async fn many_who_need_it_ask_once_and_one_who_goes_away_takes_nothing_along() {
    let (stub, folder) = (Stub::start(|_| token("first", 600)).await, tempfile::tempdir().unwrap());
    let upstreams = Arc::new(stub.upstreams(&stub.oauth(folder.path())).await);
    stub.asked();
    stub.answer(|_| token("second", 6000));
    stub.hangs.store(true, Ordering::SeqCst);
    // Whoever asks first goes away in the middle of it.
    let first = leaves_with(&upstreams, after(601));
    assert!(tokio::time::timeout(Duration::from_millis(100), first).await.is_err());
    let many: Vec<_> = (0..50)
        .map(|_| {
            let upstreams = Arc::clone(&upstreams);
            tokio::spawn(async move { leaves_with(&upstreams, after(601)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stub.hangs.store(false, Ordering::SeqCst);
    for one in many {
        assert_eq!(one.await.unwrap(), "Bearer second");
    }
    assert_eq!(stub.asked().len(), 1);
    // While it is fetched anew, the others go on with what still lasts.
    stub.hangs.store(true, Ordering::SeqCst);
    let again = after(601 + 5950);
    let fetching = tokio::spawn({
        let upstreams = Arc::clone(&upstreams);
        async move { leaves_with(&upstreams, again).await }
    });
    while stub.asked.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stub.answer(|_| token("third", 6000));
    assert_eq!(leaves_with(&upstreams, again).await, "Bearer second");
    stub.hangs.store(false, Ordering::SeqCst);
    assert_eq!(fetching.await.unwrap(), "Bearer third");
    // What fails for one fails for all who waited for it.
    stub.asked();
    stub.answer(|_| (500, json!({})));
    stub.hangs.store(true, Ordering::SeqCst);
    let many: Vec<_> = (0..50)
        .map(|_| {
            let upstreams = Arc::clone(&upstreams);
            tokio::spawn(async move { leaves_with(&upstreams, after(20_000)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stub.hangs.store(false, Ordering::SeqCst);
    for one in many {
        assert!(one.await.unwrap().contains("answers with status 500"));
    }
    assert_eq!(stub.asked().len(), 1);
}

/// The claims of a token, whose signature nobody looks at here.
fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn form(request: &str) -> std::collections::BTreeMap<String, String> {
    let body = request.split_once("\r\n\r\n").unwrap().1;
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn a_service_account_signs_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let asked = Arc::new(Lock::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let stub = Stub::start(move |request| {
        seen.lock().unwrap().push(form(request));
        (200, json!({"access_token": "ya29.x", "token_type": "Bearer", "expires_in": 3599}))
    })
    .await;
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let held = json!({
        "type": "service_account", "client_email": "gate@acme.iam.gserviceaccount.com", "private_key": key,
        "private_key_id": "k1", "token_uri": format!("http://127.0.0.1:{}/token", stub.port),
    });
    let path = file(folder.path(), "key.json", &held.to_string());
    let upstreams = stub.upstreams(&format!("google = {{ file = {path:?} }}")).await;
    assert_eq!(leaves_with(&upstreams, now()).await, "Bearer ya29.x");
    let asked = asked.lock().unwrap();
    let pairs = asked.last().unwrap();
    assert_eq!(pairs["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let claims = claims(&pairs["assertion"]);
    assert_eq!(claims["iss"], "gate@acme.iam.gserviceaccount.com");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloud-platform");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
}

#[tokio::test]
async fn a_federated_workload_exchanges_its_token_and_acts_as_a_service_account() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(|request| {
        if request.starts_with("POST /sts ") {
            let pairs = form(request);
            assert_eq!(pairs["subject_token"], "from-elsewhere");
            assert_eq!(pairs["grant_type"], "urn:ietf:params:oauth:grant-type:token-exchange");
            return (200, json!({"access_token": "federated", "token_type": "Bearer", "expires_in": 600}));
        }
        assert!(request.contains("authorization: Bearer federated"), "{request}");
        (200, json!({"accessToken": "ya29.as", "expireTime": "2026-11-23T21:30:00Z"}))
    })
    .await;
    let subject = file(folder.path(), "subject", "{\"id_token\":\"from-elsewhere\"}");
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", stub.port);
    let mut held = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/x", "token_url": at("/sts"),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "service_account_impersonation_url": at("/generateAccessToken"),
        "credential_source": {
            "file": subject, "format": {"type": "json", "subject_token_field_name": "id_token"},
        },
    });
    let path = file(folder.path(), "federated.json", &held.to_string());
    let upstreams = stub.upstreams(&format!("google = {{ file = {path:?} }}")).await;
    assert_eq!(leaves_with(&upstreams, now()).await, "Bearer ya29.as");
    // A program would run with the gate's own rights: it is not.
    held["credential_source"] = json!({"executable": {"command": "/bin/true"}});
    std::fs::write(&path, held.to_string()).unwrap();
    let said = leaves_with(&upstreams, after(1801)).await;
    assert!(said.contains("only files are read here"), "{said}");
}

#[tokio::test]
async fn a_client_shows_what_somebody_else_made_or_the_certificate_of_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let asked = Arc::new(Lock::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let stub = Stub::start(move |request| {
        seen.lock().unwrap().push(form(request));
        (200, json!({"access_token": "eyJ.x", "token_type": "Bearer", "expires_in": "3599"}))
    })
    .await;
    let made = file(folder.path(), "assertion", "made.by.apod\n");
    let oauth = |shows: &str| {
        format!(
            "oauth = {{ token_endpoint = \"http://127.0.0.1:{}/t\", client_id = \"app\", scope = \"https://management.azure.com/.default\", {shows} }}",
            stub.port
        )
    };
    let upstreams = stub.upstreams(&oauth(&format!("assertion_file = {made:?}"))).await;
    assert_eq!(leaves_with(&upstreams, now()).await, "Bearer eyJ.x");
    let pairs = asked.lock().unwrap().pop().unwrap();
    assert_eq!(pairs["client_assertion"], "made.by.apod");
    assert_eq!(pairs["client_id"], "app");
    let pair = rcgen::generate_simple_self_signed(vec!["app".to_owned()]).unwrap();
    let key = file(folder.path(), "key.pem", &pair.signing_key.serialize_pem());
    let certificate = file(folder.path(), "app.pem", &pair.cert.pem());
    let shows = format!("private_key_file = {key:?}, certificate_file = {certificate:?}");
    let upstreams = stub.upstreams(&oauth(&shows)).await;
    assert_eq!(leaves_with(&upstreams, now()).await, "Bearer eyJ.x");
    let pairs = asked.lock().unwrap().pop().unwrap();
    use base64::Engine as _;
    let head = pairs["client_assertion"].split('.').next().unwrap();
    let head: Value =
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).unwrap())
            .unwrap();
    let x5t = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, pair.cert.der()).as_ref());
    assert_eq!(head["x5t#S256"], x5t);
}
