//! The settings file and the certificate, read again while the gate runs.
//!
//! A file is taken up whole or not at all. Leaves out telling two configurations apart (`difference`).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ordain_action::Digest;
use ordain_evidence::ChangeKind;

use super::{Look, difference};
use crate::config::Config;
use crate::events;
use crate::gate::Gate;
use crate::listen::Tls;
use crate::settings::Settings;
use crate::telemetry::{self, LogFilter};
use crate::upstream::Source;

/// What can be seen of a file without reading it; nothing where it is not there.
type Seen = (PathBuf, Option<(u64, Option<SystemTime>)>);

/// The files that are watched beside the model.
#[derive(Debug)]
pub struct Watched {
    settings: Option<PathBuf>,
    digest: Option<Digest>,
    certificate: Option<Digest>,
    filter: LogFilter,
    seen: Vec<Seen>,
    settling: Vec<Seen>,
}

impl Watched {
    /// Watches the files that a configuration was made from.
    #[must_use]
    pub fn new(settings: Option<PathBuf>, config: &Config, filter: LogFilter) -> Self {
        let digest = settings.as_deref().and_then(digest_of);
        let certificate = certificates(config);
        let mut watched =
            Self { settings, digest, certificate, filter, seen: Vec::new(), settling: Vec::new() };
        watched.seen = watched.see(config);
        watched.settling.clone_from(&watched.seen);
        watched
    }

    /// Looks once, and takes up what has changed; at once when `asked` to, else when it has come to rest.
    ///
    /// # Errors
    /// What is wrong, or why the change could not be recorded: all stays as it was.
    pub async fn look(&mut self, gate: &Gate, asked: bool) -> Result<Look, String> {
        let seen = self.see(&gate.config());
        // A file that is being written may for a moment say less than it will, and less is looser.
        let at_rest = seen == self.settling;
        self.settling.clone_from(&seen);
        if !asked && (seen == self.seen || !at_rest) {
            return Ok(Look::Same);
        }
        self.seen = seen;
        self.take_up(gate).await?;
        // It may name another certificate now. What was taken up is what the files were before: asking an upstream
        // takes its time, and what is written meanwhile must be seen at the next look.
        let before = std::mem::take(&mut self.seen);
        let looked_at =
            |path: &PathBuf| before.iter().find(|(seen, _)| seen == path).and_then(|(_, look)| *look);
        let now = self.see(&gate.config());
        self.seen = now.iter().map(|(path, _)| (path.clone(), looked_at(path))).collect();
        self.settling = now;
        Ok(Look::TakenUp)
    }

    async fn take_up(&mut self, gate: &Gate) -> Result<(), String> {
        let old = gate.config();
        let digest = self.settings.as_deref().and_then(digest_of);
        let next = match &self.settings {
            Some(path) => {
                let settings = Settings::read(Some(path)).map_err(|error| error.to_string())?;
                Config::resolve(settings).map_err(|error| error.to_string())?
            }
            None => Config::clone(&old),
        };
        difference::needs_restart(&old, &next)?;
        let filter = telemetry::filter(next.log.filter.as_deref()).map_err(|error| error.to_string())?;
        let sources = next.upstreams.iter().map(Source::from).collect();
        let upstreams = gate.upstreams.prepare(sources, gate.own(), gate.clock.now()).await;
        let upstreams = upstreams.map_err(|error| error.to_string())?;
        let mut changes = difference::changes(&old, &next);
        let certificate = certificates(&next);
        let clients =
            next.clients().map(|clients| clients.load()).transpose().map_err(|error| error.to_string())?;
        let tls = match (gate.tls(), &next.tls) {
            (Some(tls), Some((path, key))) if certificate != self.certificate => {
                let read =
                    Tls::read(path, key, next.clients().as_ref()).map_err(|error| error.to_string())?;
                Some((tls, read))
            }
            _ => None,
        };
        if certificate != self.certificate {
            let shown = certificate.map_or_else(|| "none".to_owned(), |digest| digest.to_hex());
            changes.push((ChangeKind::Configuration, format!("serve the certificates of digest {shown}")));
        }
        for (kind, summary) in &changes {
            gate.record_change_by("operator", *kind, summary.clone(), self.digest, digest).await?;
        }
        if let Some((tls, read)) = tls {
            tls.replace(read);
        }
        self.filter.set(filter).map_err(|error| error.to_string())?;
        gate.upstreams.replace(upstreams, gate.clock.now());
        gate.reconfigure(next, clients);
        (self.digest, self.certificate) = (digest, certificate);
        for (kind, summary) in &changes {
            events::reconfigured(kind.as_str(), summary);
        }
        Ok(())
    }

    fn see(&self, config: &Config) -> Vec<Seen> {
        let tls = config.tls.iter().flat_map(|(certificate, key)| [certificate, key]);
        let clients = config.identity.certificates.iter();
        let clients = clients.flat_map(|clients| std::iter::once(&clients.trust).chain(&clients.revoked));
        self.settings.iter().chain(tls).chain(clients).map(|path| (path.clone(), look_at(path))).collect()
    }
}

/// What connections are served with: the certificate, and the certificates that clients are taken by.
fn certificates(config: &Config) -> Option<Digest> {
    let own = config.tls.iter().map(|(certificate, _)| certificate);
    let clients = config.identity.certificates.iter();
    let clients = clients.flat_map(|clients| std::iter::once(&clients.trust).chain(&clients.revoked));
    let all: Vec<Option<Digest>> = own.chain(clients).map(|path| digest_of(path)).collect();
    match all.as_slice() {
        [] => None,
        [only] => *only,
        several => {
            let parts = several.iter().map(|part| part.map_or_else(String::new, |digest| digest.to_hex()));
            Some(Digest::of(parts.collect::<Vec<_>>().join(" ").as_bytes()))
        }
    }
}

fn look_at(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

fn digest_of(path: &Path) -> Option<Digest> {
    fs::read(path).ok().map(|bytes| Digest::of(&bytes))
}
