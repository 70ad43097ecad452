//! A secret of HashiCorp Vault or OpenBao, the latest version of one that the KV engine (version 2) keeps; and a token of
//! theirs, where they are the plane.
//!
//! Leaves out which plane a secret is for.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use ordain_sigv4::{KeyPair, Secret};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{Failed, Refusals, Service, in_file};
use crate::config::{VaultSecret, VaultShows, VaultStore, VaultToken};
use crate::forward::Outward;
use crate::upstream::at;

/// A login is made anew when it has less than this left.
const REFRESH: SignedDuration = SignedDuration::from_secs(30);

/// A token that is renewed for less than this is at its end.
const RENEWED_LEAST: SignedDuration = SignedDuration::from_secs(120);

/// One secret of a store.
#[derive(Debug)]
pub(in crate::upstream) struct Vault {
    config: VaultSecret,
    store: Store,
    // What the last login gave, where it was one.
    login: Mutex<Option<Login>>,
}

/// A token of a store's own.
#[derive(Debug)]
pub(in crate::upstream) struct Token {
    store: Store,
    login: Mutex<Option<Login>>,
}

/// A store, and how it is signed in to.
#[derive(Debug)]
struct Store {
    config: VaultStore,
    service: Service,
    refusals: Refusals,
}

#[derive(Debug)]
struct Login {
    token: Secret,
    until: Timestamp,
    renewable: bool,
    // How often it may be used; nothing where that is as often as one likes.
    uses: i64,
}

/// What a login or a renewal gives.
#[derive(Deserialize)]
struct Auth {
    client_token: String,
    #[serde(default)]
    lease_duration: i64,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    num_uses: i64,
}

/// The texts of a secret, by field.
struct Fields(BTreeMap<String, Zeroizing<String>>);

impl Vault {
    pub(in crate::upstream) fn new(config: &VaultSecret, outward: &Outward) -> Self {
        let store = Store::new(&config.store, outward, &Refusals::default());
        Self { config: config.clone(), store, login: Mutex::new(None) }
    }

    /// The field that is one token.
    pub(in crate::upstream) async fn token(&self, now: Timestamp) -> Result<Zeroizing<String>, Failed> {
        let mut fields = self.read(now).await?;
        self.field(&mut fields, &self.config.field)
    }

    /// The fields that make a key pair of AWS.
    pub(in crate::upstream) async fn pair(&self, now: Timestamp) -> Result<KeyPair, Failed> {
        let mut fields = self.read(now).await?;
        let id = self.field(&mut fields, "access_key_id")?.to_string();
        let secret = Secret::new(self.field(&mut fields, "secret_access_key")?.to_string());
        let session = fields.0.remove("session_token").filter(|token| !token.is_empty());
        let session_token = session.map(|token| Secret::new(token.to_string()));
        Ok(KeyPair { id, secret, session_token })
    }

    /// When what is read now is to be read again.
    pub(in crate::upstream) fn again(&self, now: Timestamp) -> Timestamp {
        SignedDuration::try_from(self.config.refresh)
            .ok()
            .and_then(|refresh| now.checked_add(refresh).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn field(&self, fields: &mut Fields, name: &str) -> Result<Zeroizing<String>, Failed> {
        fields.0.remove(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            Failed::refused(format!("the secret {} has no text in its field `{name}`", self.shown()))
        })
    }

    /// The latest version of the secret. A login that was kept and is not taken any more is made anew, once.
    async fn read(&self, now: Timestamp) -> Result<Fields, Failed> {
        let mut login = self.login.lock().await;
        if let Some(kept) = login.as_ref().filter(|login| login.until.duration_since(now) > REFRESH) {
            match self.get(kept.token.expose()).await? {
                (StatusCode::FORBIDDEN, _) => {}
                answered => return self.fields(answered),
            }
        }
        *login = None;
        let found = match &self.config.store.login {
            // Somebody else keeps it.
            VaultShows::TokenFile(path) => self.get(&in_file(path)?).await?,
            VaultShows::Jwt { .. } | VaultShows::Approle { .. } => {
                let made = self.store.log_in(now).await?;
                let found = self.get(made.token.expose()).await?;
                *login = Some(made);
                found
            }
        };
        drop(login);
        self.fields(found)
    }

    async fn get(&self, token: &str) -> Result<(StatusCode, bytes::Bytes), Failed> {
        self.store.ask(&format!("{}/data/{}", self.config.mount, self.config.path), Some(token), None).await
    }

    fn fields(&self, (status, body): (StatusCode, bytes::Bytes)) -> Result<Fields, Failed> {
        let shown = self.shown();
        match status {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => {
                return Err(Failed::refused(format!("its login may not read the secret {shown}")));
            }
            StatusCode::NOT_FOUND => {
                let why = format!(
                    "there is no secret {shown}, its latest version is deleted, or no KV engine (version 2) is mounted there"
                );
                return Err(Failed::refused(why));
            }
            other => {
                let why =
                    format!("asked for the secret {shown} the store answers with status {}", other.as_u16());
                return Err(Failed::refused(why));
            }
        }
        #[derive(Deserialize)]
        struct Answer {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            data: BTreeMap<String, Value>,
        }
        // The parser's own words might show some of it.
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| Failed::refused(format!("what the store answers for {shown} is no secret")))?;
        let text = |(name, value): (String, Value)| match value {
            Value::String(text) => Some((name, Zeroizing::new(text))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        Ok(Fields(answer.data.data.into_iter().filter_map(text).collect()))
    }

    fn shown(&self) -> String {
        format!("`{}/{}` of `{}`", self.config.mount, self.config.path, self.config.store.address)
    }
}

impl Token {
    pub(in crate::upstream) fn new(
        VaultToken(config): &VaultToken,
        outward: &Outward,
        refusals: &Refusals,
    ) -> Self {
        Self { store: Store::new(config, outward, refusals), login: Mutex::new(None) }
    }

    /// A token, and when it ends, where it does. One that can be renewed is: what was leased to clients under it ends with
    /// it.
    pub(in crate::upstream) async fn token(
        &self,
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Option<Timestamp>), Failed> {
        let mut login = self.login.lock().await;
        if let Some(kept) = login.as_mut().filter(|login| login.renewable && login.until > now)
            && let Some(until) = self.store.renewed(kept.token.expose(), now).await?
        {
            kept.until = until;
        } else {
            *login = None;
        }
        let login = match login.as_mut() {
            Some(kept) => kept,
            None => login.insert(self.store.log_in(now).await?),
        };
        if login.uses > 0 {
            let (shown, uses) = (self.store.shown(), login.uses);
            let why = "set the role's `token_num_uses` to 0";
            return Err(Failed::refused(format!(
                "the login at {shown} gives a token for {uses} uses alone; {why}"
            )));
        }
        let until = Some(login.until).filter(|until| *until != Timestamp::MAX);
        Ok((Zeroizing::new(login.token.expose().to_owned()), until))
    }
}

impl Store {
    fn new(config: &VaultStore, outward: &Outward, refusals: &Refusals) -> Self {
        let service = Service {
            what: "secret store",
            address: config.address.clone(),
            trust: config.trust.clone(),
            outward: outward.clone(),
        };
        Self { config: config.clone(), service, refusals: refusals.clone() }
    }

    /// A login that is made now.
    async fn log_in(&self, now: Timestamp) -> Result<Login, Failed> {
        let (mount, role, names, file) = match &self.config.login {
            VaultShows::TokenFile(_) => return Err(Failed::refused("a token in a file is no login")),
            VaultShows::Jwt { role, mount, token } => (mount, role, ["role", "jwt"], token),
            VaultShows::Approle { role, mount, secret } => (mount, role, ["role_id", "secret_id"], secret),
        };
        let secret = self.refusals.in_file(file, now)?;
        let form: BTreeMap<&str, &str> = names.into_iter().zip([role.as_str(), secret.trim()]).collect();
        let body = serde_json::to_string(&form).map(Zeroizing::new);
        let body = body.map_err(|_| Failed::refused("a login cannot be written"))?;
        let asked = self.ask(&format!("auth/{mount}/login"), None, Some(body)).await?;
        let refused = |why: String| Failed::refused(format!("the login at {} {why}", self.shown()));
        if asked.0 != StatusCode::OK {
            let failed = refused(format!("is refused with status {}", asked.0.as_u16()));
            return Err(self.refusals.keep(&secret, now, failed));
        }
        let auth = auth(&asked.1).filter(|auth| !auth.client_token.is_empty());
        let auth = auth.ok_or_else(|| refused("is answered without a token".to_owned()))?;
        let until = lease(&auth, now).ok_or_else(|| refused("gives a token that has ended".to_owned()))?;
        Ok(Login {
            token: Secret::new(auth.client_token),
            until,
            renewable: auth.renewable,
            uses: auth.num_uses,
        })
    }

    /// Until when a token is renewed; none where it is at its end, or is none any more.
    async fn renewed(&self, token: &str, now: Timestamp) -> Result<Option<Timestamp>, Failed> {
        let body = Some(Zeroizing::new("{}".to_owned()));
        let (status, body) = self.ask("auth/token/renew-self", Some(token), body).await?;
        let auth = auth(&body).filter(|_| status == StatusCode::OK);
        let until = auth.and_then(|auth| lease(&auth, now));
        Ok(until.filter(|until| until.duration_since(now) > RENEWED_LEAST))
    }

    /// Where it is signed in to.
    fn shown(&self) -> String {
        let mount = match &self.config.login {
            VaultShows::TokenFile(path) => return format!("`{}`", path.display()),
            VaultShows::Jwt { mount, .. } | VaultShows::Approle { mount, .. } => mount,
        };
        format!("`auth/{mount}` of `{}`", self.config.address)
    }

    async fn ask(
        &self,
        path: &str,
        token: Option<&str>,
        body: Option<Zeroizing<String>>,
    ) -> Result<(StatusCode, bytes::Bytes), Failed> {
        let uri = at(&self.config.address, &format!("/v1/{path}")).map_err(Failed::refused)?;
        // It asks for this one of every client, so that no page of a browser can be made to ask.
        let mut headers = vec![self.service.header("x-vault-request", "true")?];
        if let Some(namespace) = &self.config.namespace {
            headers.push(self.service.header("x-vault-namespace", namespace)?);
        }
        if let Some(token) = token {
            headers.push(self.service.header("x-vault-token", token)?);
        }
        self.service.ask(uri, headers, body.map(|body| ("application/json", body))).await
    }
}

fn auth(body: &[u8]) -> Option<Auth> {
    #[derive(Deserialize)]
    struct Answer {
        auth: Auth,
    }
    serde_json::from_slice(body).ok().map(|answer: Answer| answer.auth)
}

/// When a lease ends: one of nothing does not, and one of less than that is none.
fn lease(auth: &Auth, now: Timestamp) -> Option<Timestamp> {
    match auth.lease_duration {
        0 => Some(Timestamp::MAX),
        lease if lease > 0 => {
            Some(now.checked_add(SignedDuration::from_secs(lease)).unwrap_or(Timestamp::MAX))
        }
        _ => None,
    }
}
