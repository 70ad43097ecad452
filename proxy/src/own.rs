//! Ordain's own changes (of keys, model, configuration) made from the command line: each is in the ledger
//! before it takes effect.
//!
//! A ledger has one writer. While a gate runs, it is the writer and is asked over its admin address; else the
//! command writes itself. Leaves out the entries' form (`ordain-evidence`).

use anyhow::{Context as _, bail};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use ordain_evidence::{ChangeKind, OpenError, OwnChange};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::clock::Clock;
use crate::config::Config;
use crate::files::{admin_token, prepare, where_said};
use crate::gate;

/// The path on the admin address that takes a [`Said`].
pub const PATH: &str = "/v1/own-changes";

/// The path on the admin address that answers a [`Status`].
pub const STATUS: &str = "/v1/status";

/// The path on the admin address that has the keys looked at.
pub const KEYS: &str = "/v1/keys/look";

/// The path on the admin address that lists holds, and below which each is shown and answered.
pub const HOLDS: &str = "/v1/holds";

/// The path on the admin address that gives SDKs a credential.
pub const CREDENTIALS: &str = "/v1/credentials";

/// The path on the admin address where SDKs of Azure ask for a managed identity's token.
pub const AZURE: &str = "/v1/identity/azure";

/// The path on the admin address below which, behind the token, SDKs of Google find a metadata server.
pub const GOOGLE: &str = "/v1/identity/google";

/// The longest answer of a gate that is read.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// What a running gate says of itself to its operator.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// The general mode in force.
    pub mode: String,
    /// Changes of files that were not taken up, and why.
    pub not_taken_up: Vec<String>,
}

/// An own change on its way to the running gate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The word of its kind.
    pub kind: String,
    /// What it is, for a person; no secrets.
    pub summary: String,
}

/// Records a change from the command line. When this returns, it may take effect.
///
/// # Errors
/// It could not be recorded: it must not take effect.
pub fn record(config: &Config, clock: &Clock, kind: ChangeKind, summary: String) -> anyhow::Result<()> {
    prepare(&config.state)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match gate::open_ledger(config, clock) {
            Ok(ledger) => {
                let change = OwnChange {
                    kind,
                    now: clock.now(),
                    author: "command line".to_owned(),
                    summary,
                    before: None,
                    after: None,
                };
                ledger.note(change).await.context("the change cannot be recorded, so it was not made")?;
                ledger.close().await;
                Ok(())
            }
            Err(OpenError::Locked) => ask(config, kind, summary).await,
            Err(error) => Err(error).context("the change cannot be recorded, so it was not made"),
        }
    })
}

/// Asks the gate that runs on a configuration's state directory about itself; `None` when none answers.
pub async fn status(config: &Config) -> Option<Status> {
    let request = Request::get(STATUS).body(Full::default()).ok()?;
    let (status, text) = send(config, request).await.ok()?;
    status.is_success().then(|| serde_json::from_str(&text).ok()).flatten()
}

/// Has a running gate take up what this command did to keys, so that who uses one at once finds it in force. Where no
/// gate answers there is nothing to do: one that starts reads them all, and one that runs looks by itself.
pub fn keys_changed(config: &Config) {
    let asked = tokio::runtime::Builder::new_current_thread().enable_all().build().map(|runtime| {
        runtime.block_on(async {
            let request = Request::post(KEYS).body(Full::default()).ok()?;
            send(config, request).await.ok()
        })
    });
    drop(asked);
}

/// Asks the gate that runs on a configuration's state directory something; what it answers that is no error.
///
/// # Errors
/// None answers, or it says why not.
pub fn asked(config: &Config, request: Request<Full<bytes::Bytes>>) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, text) = runtime.block_on(send(config, request))?;
    if status.is_success() {
        return Ok(text);
    }
    bail!("{}", text.trim())
}

async fn ask(config: &Config, kind: ChangeKind, summary: String) -> anyhow::Result<()> {
    let said = serde_json::to_vec(&Said { kind: kind.as_str().to_owned(), summary })?;
    let request = Request::post(PATH)
        .header("content-type", "application/json")
        .body(Full::new(bytes::Bytes::from(said)))?;
    let (status, text) = send(config, request).await?;
    if status.is_success() {
        return Ok(());
    }
    bail!("the running gate did not record the change, so it was not made: {status} {}", text.trim())
}

async fn send(
    config: &Config,
    mut request: Request<Full<bytes::Bytes>>,
) -> anyhow::Result<(http::StatusCode, String)> {
    let address = where_said(&config.state, "admin").unwrap_or(config.admin);
    let help = || format!("the gate cannot be asked at `{address}`; start it, or check `listen.admin`");
    let stream = tokio::net::TcpStream::connect(address).await.with_context(help)?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", admin_token(&config.state)?))?;
    authorization.set_sensitive(true);
    request.headers_mut().insert(HOST, HeaderValue::try_from(address.to_string())?);
    request.headers_mut().insert(AUTHORIZATION, authorization);
    exchange(stream, request).await.with_context(help)
}

/// Sends a request whose headers are whole over a connection to a gate of ours; the status of its answer, and the text.
///
/// # Errors
/// There is no answer.
pub async fn exchange<S>(
    stream: S,
    request: Request<Full<bytes::Bytes>>,
) -> anyhow::Result<(http::StatusCode, String)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driven = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let answer = http_body_util::Limited::new(response.into_body(), ANSWER_MAX);
    let text = read(answer).await;
    drop(sender);
    drop(driven.await);
    Ok((status, text))
}

#[expect(clippy::disallowed_methods, reason = "the answer of our own gate, limited")]
async fn read(body: http_body_util::Limited<hyper::body::Incoming>) -> String {
    match body.collect().await {
        Ok(collected) => String::from_utf8_lossy(&collected.to_bytes()).into_owned(),
        Err(error) => error.to_string(),
    }
}
