//! A credential that is sent as it is, kept while it lasts and fetched again before it ends.
//!
//! Leaves out which one an upstream has (`source`, `kubeconfig`).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use ordain_sigv4::Secret;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::keys::SEALING_KEY;
use crate::settings::environment;

/// A file or a variable is read again after this time: tokens are replaced where they lie.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// A credential is fetched again when it has less than this left.
const REFRESH: SignedDuration = SignedDuration::from_secs(60);

/// How long a program may take to print a credential.
const COMMAND_MAX: Duration = Duration::from_secs(30);

/// The most that a program may print.
const PRINTED_MAX: u64 = 256 * 1024;

/// A header that carries a credential.
#[derive(Debug, Clone)]
pub struct Header {
    name: HeaderName,
    value: Arc<Secret>,
}

impl Header {
    fn new(name: HeaderName, value: String) -> Result<Self, String> {
        // Whatever cannot stand in a header is told of now and not in the middle of a request.
        HeaderValue::from_str(&value)
            .map_err(|_| format!("what is given for `{name}` cannot stand in a header"))?;
        Ok(Self { name, value: Arc::new(Secret::new(value)) })
    }

    pub(super) fn bearer(token: &str) -> Result<Self, String> {
        let token = token.trim();
        if token.is_empty() || token.contains(char::is_whitespace) {
            return Err("what is given is no token".to_owned());
        }
        Self::new(AUTHORIZATION, format!("Bearer {token}"))
    }

    /// Name and value, the value marked as one that is not to be shown.
    #[must_use]
    pub fn to_pair(&self) -> (HeaderName, HeaderValue) {
        // INVARIANT: it was found to be a header's value when it was made.
        let mut value =
            HeaderValue::from_str(self.value.expose()).unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        (self.name.clone(), value)
    }
}

/// Where such a credential comes from.
#[derive(Debug)]
pub(super) enum Fetch {
    /// The connection itself carries it.
    Nothing,
    /// A header in hand.
    Fixed(Header),
    /// A token in a file.
    TokenFile(PathBuf),
    /// A token in a variable.
    TokenVariable(String),
    /// A program that prints a token.
    Command { program: String, arguments: Vec<String>, environment: Vec<(String, String)> },
    /// A user, and the file of its password.
    Basic { user: String, password: PathBuf },
    /// A header's name, and the file of its value.
    Header { name: String, value: PathBuf },
}

impl Fetch {
    /// A program with its arguments.
    pub(super) fn command(words: &[String]) -> Self {
        let mut words = words.iter().cloned();
        Self::Command {
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
            environment: Vec::new(),
        }
    }

    /// A token in hand.
    pub(super) fn token(token: &str) -> Result<Self, String> {
        Header::bearer(token).map(Self::Fixed)
    }

    /// A user and a password in hand.
    pub(super) fn basic(user: &str, password: &str) -> Result<Self, String> {
        basic(user, password).map(Self::Fixed)
    }

    async fn fetch(&self, now: Timestamp) -> Result<Kept, String> {
        let until = now + READ_AGAIN;
        let (header, until) = match self {
            Self::Nothing => (None, Timestamp::MAX),
            Self::Fixed(header) => (Some(header.clone()), Timestamp::MAX),
            Self::TokenFile(path) => (Some(Header::bearer(&read(path)?)?), until),
            Self::TokenVariable(name) => {
                let token = environment(name).map(Zeroizing::new);
                let token = token.ok_or_else(|| format!("the variable `{name}` is not set"))?;
                (Some(Header::bearer(&token)?), until)
            }
            Self::Basic { user, password } => {
                (Some(basic(user, read(password)?.trim_end_matches(['\r', '\n']))?), until)
            }
            Self::Header { name, value } => {
                let known = HeaderName::from_bytes(name.as_bytes());
                let known = known.map_err(|_| format!("`{name}` is no header's name"))?;
                (Some(Header::new(known, read(value)?.trim().to_owned())?), until)
            }
            Self::Command { program, arguments, environment } => {
                let printed = run(program, arguments, environment).await?;
                printed_header(program, &printed, now)?
            }
        };
        Ok(Kept { header, until, asked: now })
    }
}

#[derive(Debug)]
struct Kept {
    header: Option<Header>,
    until: Timestamp,
    asked: Timestamp,
}

/// A credential and where it comes from.
#[derive(Debug)]
pub(super) struct Credential {
    fetch: Fetch,
    kept: ArcSwapOption<Kept>,
    // One fetch at a time.
    fetching: Mutex<()>,
}

impl Credential {
    pub(super) fn new(fetch: Fetch) -> Self {
        Self { fetch, kept: ArcSwapOption::empty(), fetching: Mutex::new(()) }
    }

    /// The header to send; none where the connection carries the credential.
    pub(super) async fn get(&self, now: Timestamp) -> Result<Option<Header>, String> {
        if let Some(header) = self.fresh(now) {
            return Ok(header);
        }
        let _one = self.fetching.lock().await;
        if let Some(header) = self.fresh(now) {
            return Ok(header);
        }
        let kept = self.fetch.fetch(now).await?;
        let header = kept.header.clone();
        self.kept.store(Some(Arc::new(kept)));
        Ok(header)
    }

    fn fresh(&self, now: Timestamp) -> Option<Option<Header>> {
        let kept = self.kept.load();
        let kept = kept.as_ref()?;
        // What is handed out for less time than we would fetch it again before is used until it ends.
        let lasts =
            kept.until > now + REFRESH || (kept.until > now && now.duration_since(kept.asked) < REFRESH);
        lasts.then(|| kept.header.clone())
    }
}

fn basic(user: &str, password: &str) -> Result<Header, String> {
    if user.contains(':') {
        return Err(format!("the user `{user}` has a colon, which stands before the password"));
    }
    let pair = Zeroizing::new(format!("{user}:{password}"));
    Header::new(AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    Ok(Zeroizing::new(text))
}

/// Runs a program as client libraries run theirs, and gives back what it prints.
async fn run(
    program: &str,
    arguments: &[String],
    environment: &[(String, String)],
) -> Result<Zeroizing<String>, String> {
    let asks = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}"#;
    let mut child = Command::new(program)
        .args(arguments)
        .env("KUBERNETES_EXEC_INFO", asks)
        // What opens our own files is nobody else's.
        .env_remove(SEALING_KEY)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the program `{program}` cannot be run: {error}"))?;
    let printing = child.stdout.take().ok_or("the program's output cannot be read")?;
    let mut printed = Zeroizing::new(String::new());
    let ending = async {
        printing.take(PRINTED_MAX).read_to_string(&mut printed).await?;
        child.wait().await
    };
    match tokio::time::timeout(COMMAND_MAX, ending).await {
        Err(_) => Err(format!("the program `{program}` did not end within {} s", COMMAND_MAX.as_secs())),
        Ok(Err(error)) => Err(format!("what the program `{program}` prints cannot be read: {error}")),
        Ok(Ok(status)) if !status.success() => Err(format!("the program `{program}` failed: {status}")),
        Ok(Ok(_)) => Ok(printed),
    }
}

/// What a program prints: an `ExecCredential` (client.authentication.k8s.io), or a token and nothing else.
fn printed_header(
    program: &str,
    printed: &str,
    now: Timestamp,
) -> Result<(Option<Header>, Timestamp), String> {
    #[derive(Deserialize)]
    struct ExecCredential {
        kind: String,
        status: Option<Status>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        token: Option<String>,
        expiration_timestamp: Option<Timestamp>,
    }
    if !printed.trim_start().starts_with('{') {
        return Ok((Some(Header::bearer(printed)?), now + READ_AGAIN));
    }
    let wrong = |why: &str| format!("what the program `{program}` prints {why}");
    // What stands in it is secret: the parser's own words might show some of it.
    let credential: ExecCredential =
        serde_json::from_str(printed).map_err(|_| wrong("is no `ExecCredential`"))?;
    let status = credential.status.filter(|_| credential.kind == "ExecCredential");
    let status = status.ok_or_else(|| wrong("has no `status`"))?;
    let token = status.token.map(Zeroizing::new);
    let token = token.ok_or_else(|| wrong("has no token; client certificates are taken from files only"))?;
    Ok((Some(Header::bearer(&token)?), status.expiration_timestamp.unwrap_or(now + READ_AGAIN)))
}
