//! A token that Google gives for a service account's key (RFC 7523 section 2.1) or for a token of another identity provider
//! (workload identity federation, RFC 8693).
//!
//! The file is one that Google's own tools write, and is read at each token: keys are replaced where they lie. Leaves out
//! sources that are programs, addresses or AWS, which such files may name too.

use std::path::{Path, PathBuf};

use http::{StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Failed, Service, assertion, in_file, oauth};
use crate::config::GoogleFile;
use crate::forward::Outward;
use crate::identity::is_safe;

/// How long a token is asked for, in seconds; the most that is given without a policy of its own.
const LASTS: i64 = 3600;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// One file's credentials.
#[derive(Debug)]
pub(in crate::upstream) struct Google {
    config: GoogleFile,
    outward: Outward,
}

/// What such a file holds.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Held {
    ServiceAccount {
        client_email: String,
        private_key: String,
        private_key_id: Option<String>,
        token_uri: String,
    },
    ExternalAccount {
        audience: String,
        subject_token_type: String,
        token_url: String,
        service_account_impersonation_url: Option<String>,
        credential_source: Source,
    },
}

/// Where the other provider's token is.
#[derive(Deserialize)]
struct Source {
    file: Option<PathBuf>,
    format: Option<Format>,
}

/// How it stands there.
#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    subject_token_field_name: Option<String>,
}

impl Google {
    pub(in crate::upstream) fn new(config: &GoogleFile, outward: &Outward) -> Self {
        Self { config: config.clone(), outward: outward.clone() }
    }

    /// A token, and when it ends.
    pub(in crate::upstream) async fn token(
        &self,
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Timestamp), Failed> {
        let file = &self.config.file;
        let text = in_file(file)?;
        // What a parser says of it could show some of it.
        let held: Held = serde_json::from_str(&text).map_err(|error| {
            Failed::refused(format!(
                "`{}` is neither a service account's key nor one of workload identity federation (line {})",
                file.display(),
                error.line()
            ))
        })?;
        match held {
            Held::ServiceAccount { client_email, private_key, private_key_id, token_uri } => {
                let (shown, private_key) = (file.display().to_string(), Zeroizing::new(private_key));
                let der = PrivateKeyDer::from_pem_slice(private_key.as_bytes()).map_err(|error| {
                    Failed::refused(format!("`private_key` in `{shown}` cannot be read as PEM: {error}"))
                })?;
                let claims = json!({
                    "iss": client_email, "scope": self.config.scope, "aud": token_uri, "iat": now.as_second(),
                    "exp": now.as_second() + LASTS,
                });
                let known = assertion::Known { id: private_key_id.as_deref(), certificate: None };
                let signed = assertion::signed(&shown, &der, &known, &claims)?;
                self.exchanged(&token_uri, &[("grant_type", JWT_BEARER), ("assertion", &signed)], now).await
            }
            Held::ExternalAccount {
                audience,
                subject_token_type,
                token_url,
                service_account_impersonation_url,
                credential_source,
            } => {
                let subject = credential_source.token(file)?;
                let pairs = [
                    ("grant_type", TOKEN_EXCHANGE),
                    ("audience", &audience),
                    ("scope", &self.config.scope),
                    ("requested_token_type", ACCESS_TOKEN),
                    ("subject_token_type", &subject_token_type),
                    ("subject_token", &subject),
                ];
                let own = self.exchanged(&token_url, &pairs, now).await?;
                match service_account_impersonation_url {
                    Some(url) => self.impersonated(&url, &own.0, now).await,
                    None => Ok(own),
                }
            }
        }
    }

    async fn exchanged(
        &self,
        url: &str,
        pairs: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Timestamp), Failed> {
        let service = self.service(url)?;
        let form =
            Zeroizing::new(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish());
        let form = ("application/x-www-form-urlencoded", form);
        let (status, body) = service.ask(service.address.clone(), Vec::new(), Some(form)).await?;
        let refused = |why: String| Failed::refused(format!("the authorization server `{url}` {why}"));
        if status != StatusCode::OK {
            let code = oauth::code(&body).map_or_else(String::new, |code| format!(" `{code}`"));
            return Err(refused(format!("answers with status {}{code}", status.as_u16())));
        }
        oauth::handed_out(&body, now).map_err(|why| refused(why.to_owned()))
    }

    /// A token of the service account that a federated workload acts as.
    async fn impersonated(
        &self,
        url: &str,
        own: &str,
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Timestamp), Failed> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            access_token: String,
            expire_time: Timestamp,
        }
        let service = self.service(url)?;
        let header = service.header("authorization", &format!("Bearer {own}"))?;
        let scopes: Vec<&str> = self.config.scope.split(' ').collect();
        let asks = json!({"scope": scopes, "lifetime": format!("{LASTS}s")}).to_string();
        let body = ("application/json", Zeroizing::new(asks));
        let (status, body) = service.ask(service.address.clone(), vec![header], Some(body)).await?;
        let refused = |why: String| Failed::refused(format!("`{url}` {why}"));
        if status != StatusCode::OK {
            return Err(refused(format!("answers with status {}", status.as_u16())));
        }
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| refused("answers without a token".to_owned()))?;
        let latest = now.checked_add(SignedDuration::from_secs(LASTS)).unwrap_or(Timestamp::MAX);
        Ok((Zeroizing::new(answer.access_token), answer.expire_time.min(latest)))
    }

    fn service(&self, url: &str) -> Result<Service, Failed> {
        let address: Option<Uri> = url.parse().ok();
        let address = address.filter(is_safe).ok_or_else(|| {
            let shown = self.config.file.display();
            Failed::refused(format!("`{shown}` names `{url}`, which is no URL with `https`"))
        })?;
        Ok(Service {
            what: "authorization server",
            address,
            trust: self.config.trust.clone(),
            outward: self.outward.clone(),
        })
    }
}

impl Source {
    fn token(&self, of: &Path) -> Result<Zeroizing<String>, Failed> {
        let shown = of.display();
        let file = self.file.as_deref().ok_or_else(|| {
            Failed::refused(format!(
                "`{shown}` has a `credential_source` that is no file; only files are read here"
            ))
        })?;
        let text = in_file(file)?;
        let Some(format) = &self.format else { return Ok(text) };
        let field = match (format.kind.as_str(), &format.subject_token_field_name) {
            ("text", _) => return Ok(text),
            ("json", Some(field)) => field,
            _ => {
                return Err(Failed::refused(format!(
                    "`{shown}` has a `format` that is neither `text` nor `json` with a field's name"
                )));
            }
        };
        let value: Option<Value> = serde_json::from_str(&text).ok();
        let token = value.as_ref().and_then(|value| value.get(field)?.as_str());
        token.map(|token| Zeroizing::new(token.to_owned())).ok_or_else(|| {
            Failed::refused(format!("`{}` is no JSON with the text `{field}`", file.display()))
        })
    }
}
