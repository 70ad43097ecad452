//! A token that an OAuth authorization server gives to a client in its own name (RFC 6749 section 4.4).
//!
//! Leaves out the signature by which a client may show itself (`assertion`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Failed, Service, assertion, in_file};
use crate::config::{OAuthClient, OAuthShows, SecretFrom};
use crate::forward::Outward;
use crate::upstream::plain::run;

/// How long a token is kept of which the server does not say when it ends.
const UNSAID: i64 = 300;

/// The kind of assertion by which a client shows itself (RFC 7523 section 2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One client.
#[derive(Debug)]
pub(in crate::upstream) struct OAuth {
    config: OAuthClient,
    service: Service,
}

impl OAuth {
    pub(in crate::upstream) fn new(config: &OAuthClient, outward: &Outward) -> Self {
        let service = Service {
            what: "authorization server",
            address: config.endpoint.clone(),
            trust: config.trust.clone(),
            outward: outward.clone(),
        };
        Self { config: config.clone(), service }
    }

    /// A token, and when it ends.
    pub(in crate::upstream) async fn token(
        &self,
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Timestamp), Failed> {
        let (form, headers) = self.asks(now).await?;
        let form = Some(("application/x-www-form-urlencoded", form));
        let (status, body) = self.service.ask(self.config.endpoint.clone(), headers, form).await?;
        let refused = |why: String| {
            Failed::refused(format!(
                "the authorization server `{}` {why} for client `{}`",
                self.config.endpoint, self.config.id
            ))
        };
        if status != StatusCode::OK {
            let code = code(&body).map_or_else(String::new, |code| format!(" `{code}`"));
            return Err(refused(format!("answers with status {}{code}", status.as_u16())));
        }
        handed_out(&body, now).map_err(|why| refused(why.to_owned()))
    }

    /// The form, and the headers with the client's secret where it stands there.
    async fn asks(
        &self,
        now: Timestamp,
    ) -> Result<(Zeroizing<String>, Vec<(http::HeaderName, http::HeaderValue)>), Failed> {
        let (id, mut headers) = (self.config.id.as_str(), Vec::new());
        let mut pairs = vec![("grant_type", Zeroizing::new("client_credentials".to_owned()))];
        pairs.extend(self.config.asks.iter().map(|(name, value)| (*name, Zeroizing::new(value.clone()))));
        let own = || ("client_id", Zeroizing::new(id.to_owned()));
        match &self.config.shows {
            OAuthShows::Secret { from, in_form: true } => {
                pairs.extend([own(), ("client_secret", secret(from).await?)]);
            }
            OAuthShows::Secret { from, in_form: false } => {
                // Both are written as in a form before they are put together (RFC 6749 section 2.3.1), but for blanks:
                // `%20` is one to every server, and `+` only to some.
                let written = |text: &str| -> Zeroizing<String> {
                    let parts = form_urlencoded::byte_serialize(text.as_bytes());
                    Zeroizing::new(parts.map(|part| if part == "+" { "%20" } else { part }).collect())
                };
                let secret = secret(from).await?;
                let pair = Zeroizing::new(format!("{}:{}", *written(id), *written(&secret)));
                let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                headers.push(self.service.header("authorization", &value)?);
            }
            OAuthShows::Key { file, id: key, certificate } => {
                let audience = self.config.endpoint.to_string();
                let known = assertion::Known { id: key.as_deref(), certificate: certificate.as_deref() };
                let signed = assertion::of_client(file, &known, (id, &audience), now)?;
                pairs.extend([own(), asserted(), ("client_assertion", signed)]);
            }
            OAuthShows::Assertion(file) => {
                pairs.extend([own(), asserted(), ("client_assertion", in_file(file)?)]);
            }
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        Ok((Zeroizing::new(form.finish()), headers))
    }
}

fn asserted() -> (&'static str, Zeroizing<String>) {
    ("client_assertion_type", Zeroizing::new(ASSERTION.to_owned()))
}

async fn secret(from: &SecretFrom) -> Result<Zeroizing<String>, Failed> {
    match from {
        SecretFrom::File(path) => in_file(path),
        SecretFrom::Command(words) => {
            let (program, arguments) = words.split_first().ok_or_else(|| Failed::refused("no program"))?;
            let printed = run(program, arguments, &[]).await.map_err(Failed::refused)?;
            Ok(Zeroizing::new(printed.trim_end_matches(['\r', '\n']).to_owned()))
        }
    }
}

/// The token of an answer (RFC 6749 section 5.1), and when it ends.
pub(super) fn handed_out(
    body: &[u8],
    now: Timestamp,
) -> Result<(Zeroizing<String>, Timestamp), &'static str> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
        token_type: String,
        #[serde(default)]
        expires_in: Option<serde_json::Value>,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "answers without a token")?;
    let token = Zeroizing::new(answer.access_token);
    if !answer.token_type.eq_ignore_ascii_case("bearer") {
        return Err("hands out a token that is no bearer's");
    }
    // Some servers write a number as a text.
    let said = answer.expires_in.map(|value| match value {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    });
    let seconds = match said {
        None => UNSAID,
        Some(Some(seconds)) if seconds > 0 => seconds,
        Some(_) => return Err("hands out a token whose `expires_in` is no time"),
    };
    let until = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    Ok((token, until))
}

/// The word of an error (RFC 6749 section 5.2), and nothing else of what was said.
pub(super) fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        error: String,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (answer.error.len() <= 64 && answer.error.bytes().all(plain)).then_some(answer.error)
}
