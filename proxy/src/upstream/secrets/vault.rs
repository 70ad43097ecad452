//! A secret of HashiCorp Vault or OpenBao: the latest version of one that the KV engine (version 2) keeps.
//!
//! Leaves out which plane it is for.

use std::collections::BTreeMap;

use http::{StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use ordain_sigv4::{KeyPair, Secret};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Failed, Service, in_file};
use crate::config::{VaultSecret, VaultShows};
use crate::forward::Outward;
use crate::upstream::at;

/// A login is made anew when it has less than this left.
const REFRESH: SignedDuration = SignedDuration::from_secs(30);

/// One secret of a store.
#[derive(Debug)]
pub(in crate::upstream) struct Vault {
    config: VaultSecret,
    service: Service,
    // What the last login gave, where it was one.
    login: Mutex<Option<Login>>,
}

#[derive(Debug)]
struct Login {
    token: Secret,
    until: Timestamp,
}

/// The texts of a secret, by field.
struct Fields(BTreeMap<String, Zeroizing<String>>);

impl Vault {
    pub(in crate::upstream) fn new(config: &VaultSecret, outward: &Outward) -> Self {
        let service = Service {
            what: "secret store",
            address: config.address.clone(),
            trust: config.trust.clone(),
            outward: outward.clone(),
        };
        Self { config: config.clone(), service, login: Mutex::new(None) }
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
        let (token, until) = self.log_in(now).await?;
        let answered = self.get(&token).await?;
        *login = until.map(|until| Login { token: Secret::new(token.to_string()), until });
        drop(login);
        self.fields(answered)
    }

    async fn get(&self, token: &str) -> Result<(StatusCode, bytes::Bytes), Failed> {
        let uri = self.at(&format!("/v1/{}/data/{}", self.config.mount, self.config.path))?;
        let mut headers = self.headers()?;
        headers.push(self.service.header("x-vault-token", token)?);
        self.service.ask(uri, headers, None).await
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

    /// A token to ask with, and how long it is kept; not at all where somebody else keeps it.
    async fn log_in(&self, now: Timestamp) -> Result<(Zeroizing<String>, Option<Timestamp>), Failed> {
        let (mount, mut asks) = match &self.config.login {
            VaultShows::TokenFile(path) => return Ok((in_file(path)?, None)),
            VaultShows::Kubernetes { role, mount, token } => {
                (mount, [("role", role.clone()), ("jwt", in_file(token)?.trim().to_owned())])
            }
            VaultShows::Approle { role, mount, secret } => {
                (mount, [("role_id", role.clone()), ("secret_id", in_file(secret)?.trim().to_owned())])
            }
        };
        let form: BTreeMap<&str, &str> = asks.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = serde_json::to_string(&form).map(Zeroizing::new);
        for (_, value) in &mut asks {
            value.zeroize();
        }
        let body = body.map_err(|_| Failed::refused("a login cannot be written"))?;
        let uri = self.at(&format!("/v1/auth/{mount}/login"))?;
        let asked = self.service.ask(uri, self.headers()?, Some(("application/json", body))).await?;
        let refused = |why: String| Failed::refused(format!("the login at `auth/{mount}` {why}"));
        if asked.0 != StatusCode::OK {
            return Err(refused(format!("is refused with status {}", asked.0.as_u16())));
        }
        #[derive(Deserialize)]
        struct Answer {
            auth: Auth,
        }
        #[derive(Deserialize)]
        struct Auth {
            client_token: String,
            #[serde(default)]
            lease_duration: i64,
        }
        let answer: Answer = serde_json::from_slice(&asked.1)
            .map_err(|_| refused("is answered without a token".to_owned()))?;
        // A lease of nothing is one that does not end.
        let lease = Some(answer.auth.lease_duration).filter(|lease| *lease > 0);
        let until = lease
            .map_or(Some(Timestamp::MAX), |lease| now.checked_add(SignedDuration::from_secs(lease)).ok());
        Ok((Zeroizing::new(answer.auth.client_token), until))
    }

    fn headers(&self) -> Result<Vec<(http::HeaderName, http::HeaderValue)>, Failed> {
        // It asks for this one of every client, so that no page of a browser can be made to ask.
        let mut headers = vec![self.service.header("x-vault-request", "true")?];
        if let Some(namespace) = &self.config.namespace {
            headers.push(self.service.header("x-vault-namespace", namespace)?);
        }
        Ok(headers)
    }

    fn at(&self, path: &str) -> Result<Uri, Failed> {
        at(&self.config.address, path).map_err(Failed::refused)
    }

    fn shown(&self) -> String {
        format!("`{}/{}` of `{}`", self.config.mount, self.config.path, self.config.address)
    }
}
