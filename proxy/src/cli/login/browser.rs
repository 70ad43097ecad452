//! Signing in at a provider in a browser: the authorization-code flow of a native program (RFC 8252), with PKCE (RFC 7636).
//!
//! The provider sends the browser back to a port of this machine. Leaves out whether the token is right: the gate looks at
//! it, the command line does not.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use form_urlencoded::{Serializer, parse};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::super::Context;
use super::super::session::{Server, client};
use crate::identity::is_safe;
use crate::people::wire::{ByToken, LOGIN, Provider, Ways};

/// How long somebody may take to sign in.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a browser may take to say what it asks for.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);

/// The longest head of what a browser asks.
const HEAD_MAX: usize = 16 * 1024;

/// What a provider says of itself.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
}

/// What a provider gives for a code.
#[derive(Deserialize)]
struct Given {
    id_token: String,
}

/// What tells one login from others.
struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
    redirect: String,
}

/// Has somebody sign in: the token, and what it was asked for with.
///
/// # Errors
/// In words that tell what to do.
pub(super) async fn sign_in(
    context: &Context,
    server: &Server,
    issuer: Option<&str>,
    trust: Option<&Path>,
) -> anyhow::Result<ByToken> {
    let provider = chosen(server, issuer).await?;
    let client = client(trust)?;
    let at = format!("{}/.well-known/openid-configuration", provider.issuer.trim_end_matches('/'));
    let found: Discovered = read(client.look(safe(&at)?, None).await, &provider.issuer)?;
    ensure!(
        found.issuer == provider.issuer,
        "the document of `{at}` is another provider's; tell the operator"
    );
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let redirect = format!("http://{}/", listener.local_addr()?);
    let attempt = Attempt { state: random()?, nonce: random()?, verifier: random()?, redirect };
    context.output.complain(&format!(
        "open this address in a browser of this machine, and sign in:\n\n{}\n\nwaiting for at most five minutes until the \
         browser is sent back to {}",
        attempt.address(&found, &provider)?,
        attempt.redirect
    ));
    let code = tokio::time::timeout(PATIENCE, attempt.code(&listener, &provider)).await;
    let code = code.context("nobody signed in within five minutes; begin again")??;
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", &code)
        .append_pair("redirect_uri", &attempt.redirect)
        .append_pair("client_id", &provider.client)
        .append_pair("code_verifier", &attempt.verifier)
        .finish();
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let answer = client.inquire(safe(&found.token_endpoint)?, [kind], Some(Bytes::from(form))).await;
    let given: Given = read(answer, &provider.issuer)?;
    Ok(ByToken { id_token: given.id_token, nonce: Some(attempt.nonce) })
}

/// The provider that is meant, of those with which people log in at the gate.
async fn chosen(server: &Server, issuer: Option<&str>) -> anyhow::Result<Provider> {
    let (status, text) = server.ask(LOGIN, None, None).await?;
    let ways: Option<Ways> = serde_json::from_str(&text).ok().filter(|_| status == StatusCode::OK);
    let ways =
        ways.with_context(|| format!("`{}` answers what no gate does; check `--server`", server.url()))?;
    let mut fitting = ways.oidc.iter().filter(|one| issuer.is_none_or(|issuer| one.issuer == issuer));
    let mut known: Vec<String> = ways.oidc.iter().map(|one| format!("`{}`", one.issuer)).collect();
    known.dedup();
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.clone()),
        (_, _) if known.is_empty() => {
            bail!(
                "people log in with no provider here; log in without `--oidc`, or ask the operator for `login.oidc`"
            )
        }
        (None, _) => bail!("people log in with {} here; name one of them", known.join(" and ")),
        (Some(_), Some(_)) => {
            bail!("people log in with {} here; say which with `--oidc ISSUER`", known.join(" and "))
        }
    }
}

impl Attempt {
    /// Where somebody signs in.
    fn address(&self, found: &Discovered, provider: &Provider) -> anyhow::Result<String> {
        safe(&found.authorization_endpoint)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()));
        let asked = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.client)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", "openid profile email")
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let joint = if found.authorization_endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{}{joint}{asked}", found.authorization_endpoint))
    }

    /// Waits until a browser is sent back with a code. Whatever else comes to the port is answered, and waited on after.
    async fn code(&self, listener: &TcpListener, provider: &Provider) -> anyhow::Result<String> {
        loop {
            let (mut browser, _) = listener.accept().await?;
            let asked = tokio::time::timeout(HEAD_PATIENCE, target(&mut browser)).await;
            let Ok(Some(asked)) = asked else { continue };
            let code = self.code_in(&asked, provider);
            let (status, text) = match &code {
                None => ("404 Not Found", "this is nothing of Ordain's".to_owned()),
                Some(Ok(_)) => {
                    ("200 OK", "you are signed in; close this page, and go on in the terminal".to_owned())
                }
                Some(Err(why)) => ("400 Bad Request", why.to_string()),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            );
            // A browser that is gone has been where it had to be.
            drop(browser.write_all(answer.as_bytes()).await);
            if let Some(code) = code {
                return code;
            }
        }
    }

    /// What stands in the address that a browser was sent back to; nothing where it is of no login, or of another.
    fn code_in(&self, target: &str, provider: &Provider) -> Option<anyhow::Result<String>> {
        let (_, query) = target.split_once('?').filter(|(path, _)| *path == "/")?;
        let said = |name: &str| {
            let mut values = parse(query.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
            values.next().filter(|_| values.next().is_none())
        };
        let state = said("state").unwrap_or_default();
        // Another page may send the browser here as well.
        if !bool::from(state.as_bytes().ct_eq(self.state.as_bytes())) {
            return None;
        }
        if said("iss").is_some_and(|issuer| issuer != provider.issuer) {
            return Some(Err(anyhow::anyhow!(
                "another provider than `{}` answered; begin again",
                provider.issuer
            )));
        }
        if let Some(error) = said("error") {
            let more = said("error_description").unwrap_or_default();
            return Some(Err(anyhow::anyhow!(
                "`{}` signed nobody in: {} {}",
                provider.issuer,
                error.escape_debug(),
                more.escape_debug()
            )));
        }
        said("code").map(|code| Ok(code.into_owned()))
    }
}

/// What a browser asks for.
async fn target(browser: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD_MAX || browser.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let line = str::from_utf8(&head).ok()?.lines().next()?;
    line.strip_prefix("GET ")?.split(' ').next().map(str::to_owned)
}

fn read<T: DeserializeOwned>(answer: Result<(StatusCode, Bytes), String>, issuer: &str) -> anyhow::Result<T> {
    let (status, body) =
        answer.map_err(|why| anyhow::anyhow!("`{issuer}` cannot be asked: {why}; try again"))?;
    ensure!(
        status == StatusCode::OK,
        "`{issuer}` answers with status {}: {}; tell the operator",
        status.as_u16(),
        String::from_utf8_lossy(&body).chars().take(200).flat_map(char::escape_debug).collect::<String>()
    );
    serde_json::from_slice(&body).with_context(|| {
        format!("`{issuer}` does not answer as providers of OpenID Connect do; tell the operator")
    })
}

fn safe(url: &str) -> anyhow::Result<Uri> {
    let parsed: Option<Uri> = url.parse().ok().filter(is_safe);
    parsed.with_context(|| {
        format!("`{url}` is not served over TLS, and nobody signs in there; tell the operator")
    })
}

/// What nobody guesses.
fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the system's cryptography failed; try again"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> (Attempt, Provider) {
        let redirect = "http://127.0.0.1:1/".to_owned();
        let words = ["state", "nonce", "verifier"].map(str::to_owned);
        let [state, nonce, verifier] = words;
        let provider = Provider { issuer: "https://login.example".to_owned(), client: "ordain".to_owned() };
        (Attempt { state, nonce, verifier, redirect }, provider)
    }

    #[test]
    fn a_code_is_taken_of_this_login_and_this_provider_alone() {
        let (attempt, provider) = attempt();
        let said = |target: &str| match attempt.code_in(target, &provider) {
            None => "nothing".to_owned(),
            Some(Ok(code)) => code,
            Some(Err(why)) => why.to_string(),
        };
        assert_eq!(said("/?code=a%2Fb&state=state"), "a/b");
        assert_eq!(said("/?code=a&state=state&iss=https%3A%2F%2Flogin.example"), "a");
        for nothing in [
            "/favicon.ico",
            "/?code=a",
            "/?code=a&state=other",
            "/?code=a&state=state&state=other",
            "/other?code=a&state=state",
            "/?code=a&code=b&state=state",
        ] {
            assert_eq!(said(nothing), "nothing", "{nothing}");
        }
        assert!(said("/?code=a&state=state&iss=https%3A%2F%2Fevil.example").contains("another provider"));
        assert!(said("/?error=access_denied&state=state").contains("signed nobody in: access_denied"));
    }

    #[test]
    fn the_secret_of_the_login_is_not_in_the_address() {
        let (attempt, provider) = attempt();
        let found = |endpoint: &str| Discovered {
            issuer: provider.issuer.clone(),
            authorization_endpoint: endpoint.to_owned(),
            token_endpoint: String::new(),
        };
        let address = attempt.address(&found("https://login.example/authorize"), &provider).unwrap();
        // RFC 7636 section 4.2: the hash of the verifier.
        assert!(
            address.contains("&code_challenge=iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ&"),
            "{address}"
        );
        assert!(!address.contains("verifier"), "{address}");
        assert!(attempt.address(&found("http://login.example/authorize"), &provider).is_err());
        let more = attempt.address(&found("https://login.example/a?b=c"), &provider).unwrap();
        assert!(more.starts_with("https://login.example/a?b=c&response_type=code&"), "{more}");
    }
}
