//! A credential that is sent as it is, kept while it lasts and fetched again before it ends.
//!
//! Leaves out which one an upstream has (`source`, `kubeconfig`).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use ordain_decode::Api;
use ordain_sigv4::Secret;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::config::{GoogleFile, KeystoneLogin, OAuthClient, VaultSecret, VaultToken, VsphereLogin};
use crate::events;
use crate::forward::Outward;
use crate::keys::SEALING_KEY;
use crate::settings::environment;
use crate::upstream::secrets::google::Google;
use crate::upstream::secrets::keystone::Keystone;
use crate::upstream::secrets::oauth::OAuth;
use crate::upstream::secrets::vault::{Token, Vault};
use crate::upstream::secrets::vsphere::Session;
use crate::upstream::secrets::{Failed, Refusals};

/// A file or a variable is read again after this time: tokens are replaced where they lie.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// A credential is fetched again when it has less than this left.
const REFRESH: SignedDuration = SignedDuration::from_secs(60);

/// What could not be refreshed, and still lasts, is fetched again after this time.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// A session that was one is used for this time without asking whether it is one any more. Some are ended by the server
/// after five minutes in which nobody uses them.
const SESSION: SignedDuration = SignedDuration::from_secs(240);

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

    /// A token in the header of a plane's own, or as a bearer's where it has none.
    pub(super) fn token(name: Option<&'static str>, token: &str) -> Result<Self, String> {
        match name {
            Some(name) => Self::of(name, token),
            None => Self::bearer(token),
        }
    }

    /// A token in a header of its plane's own.
    fn of(name: &'static str, token: &str) -> Result<Self, String> {
        if token.is_empty() || token.contains(char::is_whitespace) {
            return Err("what is given is no token".to_owned());
        }
        Self::new(HeaderName::from_static(name), token.to_owned())
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
    /// A secret store.
    Vault(Box<VaultSecret>),
    /// An authorization server.
    OAuth(Box<OAuthClient>),
    /// Google's own.
    Google(Box<GoogleFile>),
    /// Keystone.
    Keystone(Box<KeystoneLogin>),
    /// A vCenter, for sessions of each of its APIs.
    Vsphere(Box<VsphereLogin>),
    /// Vault, for a token of its own.
    VaultToken(Box<VaultToken>),
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

    async fn fetch(&self, now: Timestamp) -> Result<Kept, Failed> {
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
            Self::Vault(_)
            | Self::OAuth(_)
            | Self::Google(_)
            | Self::Keystone(_)
            | Self::Vsphere(_)
            | Self::VaultToken(_) => {
                return Err(Failed::refused("it is of a service"));
            }
        };
        Ok(Kept::until(header, until, now))
    }
}

/// Where a credential comes from, ready to be asked.
#[derive(Debug)]
enum From {
    Here(Fetch),
    Vault(Box<Vault>),
    OAuth(Box<OAuth>),
    Google(Box<Google>),
    Keystone(Box<Keystone>),
    Session(Box<Session>),
    Token(Box<Token>),
}

impl From {
    fn new(fetch: Fetch, api: Api, (outward, refusals): (&Outward, &Refusals)) -> Self {
        match fetch {
            Fetch::Vault(secret) => Self::Vault(Box::new(Vault::new(&secret, outward))),
            Fetch::OAuth(client) => Self::OAuth(Box::new(OAuth::new(&client, outward))),
            Fetch::Google(file) => Self::Google(Box::new(Google::new(&file, outward))),
            Fetch::Keystone(login) => Self::Keystone(Box::new(Keystone::new(&login, outward, refusals))),
            Fetch::Vsphere(login) => Self::Session(Box::new(Session::new(&login, api, outward, refusals))),
            Fetch::VaultToken(login) => Self::Token(Box::new(Token::new(&login, outward, refusals))),
            here => Self::Here(here),
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Kept, Failed> {
        match self {
            Self::Here(fetch) => fetch.fetch(now).await,
            Self::Vault(vault) => {
                let header = Header::bearer(&vault.token(now).await?)?;
                Ok(Kept { header: Some(header), again: vault.again(now), ends: None })
            }
            Self::Google(google) => {
                let (token, until) = google.token(now).await?;
                Ok(Kept::until(Some(Header::bearer(&token)?), until, now))
            }
            Self::OAuth(oauth) => {
                let (token, until) = oauth.token(now).await?;
                Ok(Kept::until(Some(Header::bearer(&token)?), until, now))
            }
            Self::Keystone(keystone) => {
                let (token, until) = keystone.token(now).await?;
                Ok(Kept::until(Some(Header::of("x-auth-token", &token)?), until, now))
            }
            Self::Token(vault) => {
                let (token, until) = vault.token(now).await?;
                let header = Some(Header::of("x-vault-token", &token)?);
                Ok(match until {
                    Some(until) => Kept::until(header, until, now),
                    None => Kept { header, again: Timestamp::MAX, ends: None },
                })
            }
            Self::Session(session) => {
                let (name, value) = session.header(now).await?;
                let header = Some(Header::new(name, value.to_string())?);
                Ok(Kept { header, again: now + READ_AGAIN, ends: Some(now + SESSION) })
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Kept {
    header: Option<Header>,
    again: Timestamp,
    // `None` for one that is not said to end.
    ends: Option<Timestamp>,
}

impl Kept {
    /// What ends at a time is fetched again before. What is handed out for less time than that is used until it ends.
    fn until(header: Option<Header>, until: Timestamp, now: Timestamp) -> Self {
        let before = until.checked_sub(REFRESH).unwrap_or(until);
        let again = before.max(until.min(now.checked_add(REFRESH).unwrap_or(until)));
        Self { header, again, ends: Some(until) }
    }

    fn lasts(&self, now: Timestamp) -> bool {
        self.ends.is_none_or(|ends| ends > now)
    }
}

/// A credential and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    main: Arc<Cache>,
    // Of an API beside the plane's first, where that has credentials of its own.
    automation: Option<Arc<Cache>>,
}

#[derive(Debug)]
struct Cache {
    from: From,
    kept: ArcSwapOption<Kept>,
    fetches: AtomicU64,
    // One fetch at a time. Holds what the last one failed with, for those who waited for it.
    fetching: Arc<Mutex<Option<String>>>,
}

impl Credential {
    pub(super) fn new(fetch: Fetch, outward: &Outward, refusals: &Refusals) -> Self {
        let made = |fetch, api| Arc::new(Cache::new(From::new(fetch, api, (outward, refusals))));
        let automation = if let Fetch::Vsphere(login) = &fetch {
            Some(made(Fetch::Vsphere(login.clone()), Api::Automation))
        } else {
            None
        };
        Self { main: made(fetch, Api::Main), automation }
    }

    /// The header to send to one of its plane's APIs; none where the connection carries the credential.
    pub(super) async fn get(&self, api: Api, now: Timestamp) -> Result<Option<Header>, String> {
        let cache = match api {
            Api::Main => &self.main,
            Api::Automation => self.automation.as_ref().unwrap_or(&self.main),
        };
        match cache.fresh(now) {
            Some(header) => Ok(header),
            // Boxed, because every request in flight would carry the room for a fetch that one in thousands makes.
            None => Box::pin(Self::anew(cache, now)).await,
        }
    }

    /// Ends what was opened for it and would stay open.
    pub(super) async fn end(&self) {
        for cache in [Some(&self.main), self.automation.as_ref()].into_iter().flatten() {
            if let From::Session(session) = &cache.from {
                session.end().await;
            }
        }
    }

    async fn anew(cache: &Arc<Cache>, now: Timestamp) -> Result<Option<Header>, String> {
        let before = cache.fetches.load(Ordering::Acquire);
        let mut failed = match cache.lasting(now) {
            // One request fetches; the others go on with what still lasts.
            Some(kept) => match Arc::clone(&cache.fetching).try_lock_owned() {
                Ok(failed) => failed,
                Err(_) => return Ok(kept.header),
            },
            None => Arc::clone(&cache.fetching).lock_owned().await,
        };
        if let Some(header) = cache.fresh(now) {
            return Ok(header);
        }
        if cache.fetches.load(Ordering::Acquire) != before
            && let Some(why) = &*failed
        {
            return Err(why.clone());
        }
        // A task of its own: whoever asked may go away, and what was asked of others has been asked.
        let cache = Arc::clone(cache);
        let task = tokio::spawn(async move {
            let outcome = cache.fetch(now).await;
            cache.fetches.fetch_add(1, Ordering::Release);
            *failed = outcome.as_ref().err().cloned();
            outcome
        });
        task.await.unwrap_or_else(|error| Err(format!("it could not be fetched: {error}")))
    }
}

impl Cache {
    fn new(from: From) -> Self {
        Self { from, kept: ArcSwapOption::empty(), fetches: AtomicU64::new(0), fetching: Arc::default() }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Option<Header>, String> {
        match self.from.fetch(now).await {
            Ok(kept) => {
                let header = kept.header.clone();
                self.kept.store(Some(Arc::new(kept)));
                Ok(header)
            }
            Err(failed) => match self.lasting(now).filter(|_| failed.passing) {
                Some(kept) => {
                    events::credential_kept(&failed.why);
                    let again = now.checked_add(PAUSE).unwrap_or(Timestamp::MAX);
                    self.kept.store(Some(Arc::new(Kept { again, ..kept.clone() })));
                    Ok(kept.header)
                }
                None => {
                    self.kept.store(None);
                    Err(failed.why)
                }
            },
        }
    }

    fn fresh(&self, now: Timestamp) -> Option<Option<Header>> {
        let kept = self.kept.load();
        let kept = kept.as_ref().filter(|kept| now < kept.again && kept.lasts(now))?;
        Some(kept.header.clone())
    }

    fn lasting(&self, now: Timestamp) -> Option<Kept> {
        let kept = self.kept.load();
        kept.as_deref().filter(|kept| kept.lasts(now)).cloned()
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
pub(in crate::upstream) async fn run(
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
