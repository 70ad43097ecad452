//! The session that `ordain login` keeps, and asking an admin address in its name.
//!
//! Leaves out how one logs in (`login`), and the command line's own token, by which `own` asks.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode, Uri};
use jiff::Timestamp;
use ordain_sigv4::Secret;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use super::Context;
use crate::files::{prepare, replace_secret, where_said};
use crate::forward::{Forwarder, Outward, Protocol, Trust};
use crate::identity::is_safe;
use crate::settings::default_state_directory;

/// The version of the file's format.
const VERSION: u32 = 1;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An admin address, and whom it is believed.
#[derive(Debug, Clone)]
pub(super) struct Server {
    url: String,
    trust: Option<PathBuf>,
}

impl Server {
    /// The one that is given; else that of the gate of this machine's configuration.
    ///
    /// # Errors
    /// It is no address that secrets may be sent to.
    pub(super) fn of(
        context: &Context,
        given: Option<String>,
        trust: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let url = match given {
            Some(url) => url,
            None => {
                let config = context.config()?;
                let mut address = where_said(&config.state, "admin").unwrap_or(config.admin);
                // One that listens everywhere listens on this machine's own address too.
                if address.ip().is_unspecified() {
                    address.set_ip(Ipv4Addr::LOCALHOST.into());
                }
                format!("http://{address}")
            }
        };
        Self::at(url.trim_end_matches('/'), trust)
    }

    fn at(url: &str, trust: Option<PathBuf>) -> anyhow::Result<Self> {
        let parsed: Option<Uri> = url.parse().ok().filter(is_safe);
        ensure!(
            parsed.is_some_and(|url| url.path() == "/" && url.query().is_none()),
            "`{url}` is no `https` URL without a path; give one such as `https://gate.acme.example:7071`: `http` is taken of \
             this machine alone"
        );
        // Where another folder is worked in, it is the same file.
        let trust = trust.map(|path| std::path::absolute(&path)).transpose()?;
        Ok(Self { url: url.to_owned(), trust })
    }

    /// As it was given.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Asks, with a token where there is one, and something that is posted where there is.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn ask(
        &self,
        path: &str,
        token: Option<&str>,
        posted: Option<Vec<u8>>,
    ) -> anyhow::Result<(StatusCode, String)> {
        let uri = format!("{}{path}", self.url).parse()?;
        let mut headers = Vec::new();
        if let Some(token) = token {
            let mut shown = HeaderValue::try_from(format!("Bearer {token}"))?;
            shown.set_sensitive(true);
            headers.push((AUTHORIZATION, shown));
        }
        if posted.is_some() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let client = client(self.trust.as_deref())?;
        let answer = client.inquire(uri, headers, posted.map(Bytes::from)).await;
        let (status, body) = answer.map_err(|why| {
            anyhow::anyhow!("`{}` cannot be asked: {why}; check that the gate runs, and `--server`", self.url)
        })?;
        Ok((status, String::from_utf8_lossy(&body).trim().to_owned()))
    }
}

/// Connections to somebody who is believed by what these authorities certify, or by those of the system.
///
/// # Errors
/// The file cannot be read.
pub(super) fn client(trust: Option<&Path>) -> anyhow::Result<Forwarder> {
    let read = |path: &Path| {
        let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        all.with_context(|| format!("`{}` cannot be read as PEM certificates", path.display()))
    };
    let roots = trust.map(read).transpose()?;
    let trust = Trust { roots, protocol: Protocol::Http1, ..Trust::default() };
    Outward::new(Vec::new(), PATIENCE).forwarder(trust).map_err(anyhow::Error::msg)
}

/// A runtime for as long as something is asked.
///
/// # Errors
/// What the system says.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// A session, and where it is one.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) server: Server,
    pub(super) person: String,
    pub(super) expires: Timestamp,
    token: Secret,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    server: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trust: Option<PathBuf>,
    person: String,
    token: String,
    expires: Timestamp,
}

impl Session {
    pub(super) const fn new(server: Server, person: String, token: Secret, expires: Timestamp) -> Self {
        Self { server, person, expires, token }
    }

    /// The one that is kept.
    ///
    /// # Errors
    /// Nobody is logged in, or the file is not what it should be.
    pub(super) fn read() -> anyhow::Result<Self> {
        let path = file();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                bail!("nobody is logged in here; log in with `ordain login`")
            }
            Err(why) => return Err(why).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let written: Option<Written> = serde_json::from_slice(&bytes).ok();
        let written = written.filter(|written| written.version == VERSION).with_context(|| {
            format!("`{}` is no session of this build; log in again with `ordain login`", path.display())
        })?;
        let server = Server::at(&written.server, written.trust)?;
        Ok(Self {
            server,
            person: written.person,
            expires: written.expires,
            token: Secret::new(written.token),
        })
    }

    /// The one that is kept, if there is one.
    ///
    /// # Errors
    /// The file is not what it should be.
    pub(super) fn kept() -> anyhow::Result<Option<Self>> {
        if file().exists() { Self::read().map(Some) } else { Ok(None) }
    }

    /// Keeps it, in place of the one before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        let path = file();
        prepare(path.parent().unwrap_or(Path::new(".")))?;
        let written = Written {
            version: VERSION,
            server: self.server.url.clone(),
            trust: self.server.trust.clone(),
            person: self.person.clone(),
            token: self.token.expose().to_owned(),
            expires: self.expires,
        };
        replace_secret(&path, &serde_json::to_vec_pretty(&written)?)
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Keeps none.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(super) fn forget() -> anyhow::Result<()> {
        let path = file();
        fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))
    }

    /// Asks in the name of who is logged in.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn ask(
        &self,
        path: &str,
        posted: Option<Vec<u8>>,
    ) -> anyhow::Result<(StatusCode, String)> {
        self.server.ask(path, Some(self.token.expose()), posted).await
    }
}

/// Where it is kept: of the person who runs this, whatever gate it is for.
fn file() -> PathBuf {
    default_state_directory().join("session.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_over_tls_or_to_this_machine() {
        for url in [
            "https://gate.acme.example:7071",
            "http://127.0.0.1:7071",
            "http://localhost:1",
            "http://[::1]:2",
        ] {
            assert!(Server::at(url, None).is_ok(), "{url}");
        }
        for url in [
            "http://gate.acme.example:7071",
            "http://192.0.2.1:7071",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
            "ftp://127.0.0.1",
            "gate.acme.example",
            "https://gate.acme.example/v1",
            "",
        ] {
            assert!(Server::at(url, None).is_err(), "{url}");
        }
    }
}
