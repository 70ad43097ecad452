//! What a program sees of what it waits for itself: asked of the gate at the address that it is judged at, by its own token.
//!
//! It is so where `ordain run` or `ordain env` set both, and the operator's token cannot be read. Leaves out how it is written
//! (`show.rs`).

use std::fs;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::Full;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::LOOK;
use crate::cli::way;
use crate::config::Config;
use crate::files::where_said;
use crate::holds::State;
use crate::holds::own::{NAME, PATH, Seen};
use crate::own::exchange;
use crate::settings::environment;

/// How long the gate may take beyond what it was asked to wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the gate is asked, and with what.
pub(super) struct Own {
    at: Uri,
    token: Zeroizing<String>,
}

/// What is not shown, and why.
#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Own {
    /// What this program was given; none where it was given nothing, or can ask as the operator.
    ///
    /// # Errors
    /// What it was given is none of ours.
    pub(super) fn found(config: Option<&Config>) -> anyhow::Result<Option<Self>> {
        let Some(at) = environment(way::HOLDS) else { return Ok(None) };
        let token = match (environment(way::TOKEN), environment(way::TOKEN_FILE)) {
            (Some(token), _) => Zeroizing::new(token),
            (None, Some(path)) => {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
                Zeroizing::new(text.trim().to_owned())
            }
            (None, None) => return Ok(None),
        };
        let parsed: Option<Uri> = at.parse().ok();
        let is_ours = |at: &Uri| matches!(at.scheme_str(), Some("http" | "https")) && at.port_u16().is_some();
        let Some(at) = parsed.filter(is_ours) else {
            bail!("`{}` is `{at}`; set it as `ordain env` prints it", way::HOLDS);
        };
        if config.is_some_and(|config| is_operator(config, &at)) {
            return Ok(None);
        }
        Ok(Some(Self { at, token }))
    }

    /// Those that wait, or are approved.
    pub(super) fn list(&self) -> anyhow::Result<Vec<Seen>> {
        self.ask(PATH, Duration::ZERO)
    }

    /// One, once it waits no more or so much time is over.
    pub(super) fn one(&self, id: Uuid, lasts: Duration) -> anyhow::Result<Seen> {
        let began = Instant::now();
        let seen: Seen = self.ask(&format!("{PATH}/{id}?wait={}ms", lasts.as_millis()), lasts)?;
        if seen.state == State::Waiting {
            // A gate that stops answers at once, and is not to be asked again and again.
            sleep(lasts.min(LOOK).saturating_sub(began.elapsed()));
        }
        Ok(seen)
    }

    fn ask<T: DeserializeOwned>(&self, path: &str, lasts: Duration) -> anyhow::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let asked = async { tokio::time::timeout(lasts + PATIENCE, self.send(path)).await };
        let help = || format!("the gate cannot be asked at `{}`; tell the operator", self.at);
        let (status, text) = runtime.block_on(asked).with_context(help)?.with_context(help)?;
        if status == StatusCode::OK {
            return serde_json::from_str(&text)
                .context("the gate answers in a form of another version; run the same version");
        }
        match serde_json::from_str::<Refused>(&text) {
            Ok(Refused { error }) => bail!("{error}"),
            Err(_) => bail!("the gate answers with status {}; run the same version", status.as_u16()),
        }
    }

    async fn send(&self, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", self.token.as_str()))?;
        authorization.set_sensitive(true);
        let request = Request::get(path)
            .header(HOST, NAME)
            .header(AUTHORIZATION, authorization)
            .body(Full::default())?;
        let (host, port) = (self.at.host().unwrap_or_default(), self.at.port_u16().unwrap_or_default());
        let host = host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, port)).await?;
        if self.at.scheme_str() == Some("http") {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host.to_owned())?;
        exchange(TlsConnector::from(Arc::new(trusting()?)).connect(name, stream).await?, request).await
    }
}

/// Whether the operator's token of that gate can be read here: a state directory may be that of another.
fn is_operator(config: &Config, at: &Uri) -> bool {
    let data = where_said(&config.state, "data").unwrap_or(config.data);
    at.port_u16() == Some(data.port()) && fs::File::open(config.state.join("admin.token")).is_ok()
}

/// Trusts what the system does, and names nobody in its handshake: the gate is reached by one name and asked by another.
fn trusting() -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_sni = false;
    Ok(config)
}
