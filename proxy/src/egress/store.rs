//! The file of certificate authorities: one line each, the private key sealed.
//!
//! Lines are only added. Leaves out what an authority may name and when it signs (`ordain-certs`).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ordain_certs::{Authorities, Authority, Certificate, ReadError};
use serde::{Deserialize, Serialize};

use crate::keys::SealingKey;

/// The version of a line.
const VERSION: u32 = 1;

/// What a key is sealed as, beside the certificate it belongs to.
const ABOUT: &[u8] = b"ordain certificate authority";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    version: u32,
    certificate: String,
    key: String,
    signs_from: Timestamp,
}

/// An authority as it is kept.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its certificate.
    pub certificate: Certificate,
    /// When its turn to sign begins.
    pub signs_from: Timestamp,
    authority: Option<Arc<Authority>>,
}

/// All authorities that are kept, in the order they were added.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Those that have ended too.
    pub entries: Vec<Entry>,
}

impl Kept {
    /// Those that hold, to sign and to be trusted.
    #[must_use]
    pub fn authorities(&self) -> Authorities {
        let mut authorities = Authorities::new();
        for entry in &self.entries {
            let added = entry.authority.clone().map(|authority| authorities.add(authority, entry.signs_from));
            // One that has no turn is trusted for as long as it lasts all the same.
            if !matches!(added, Some(Ok(()))) {
                authorities.trust(entry.certificate.clone());
            }
        }
        authorities
    }

    /// What clients are to trust, as PEM.
    #[must_use]
    pub fn bundle_pem(&self, now: Timestamp) -> String {
        self.authorities().bundle_pem(now)
    }
}

/// The file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    sealing: SealingKey,
    seen: Mutex<Option<Seen>>,
}

/// What the file looked like when it was read last.
type Seen = (u64, u64, i64);

impl Store {
    /// The file of a state directory.
    #[must_use]
    pub fn new(state: &Path, sealing: SealingKey) -> Self {
        Self { path: state.join("authorities.jsonl"), sealing, seen: Mutex::default() }
    }

    /// Whether the file is another than the one read last.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        look(&self.path).ok().flatten() != *seen
    }

    /// Reads all.
    ///
    /// # Errors
    /// Which line cannot be read, and why.
    pub fn read(&self, now: Timestamp) -> anyhow::Result<Kept> {
        let shown = self.path.display();
        let seen = look(&self.path).with_context(|| format!("cannot read `{shown}`"))?;
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{shown}`")),
        };
        let mut kept = Kept::default();
        for (number, line) in text.lines().enumerate() {
            let entry = self.entry(line, now).with_context(|| {
                format!("`{shown}` line {}: the authority cannot be used; restore the file", number + 1)
            })?;
            kept.entries.push(entry);
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(kept)
    }

    /// Adds an authority, whose turn begins at a time. It is on disk when this returns.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&self, authority: &Authority, signs_from: Timestamp) -> anyhow::Result<()> {
        let certificate = authority.certificate();
        let sealed = self.sealing.seal(&about(certificate), &authority.key_pem())?;
        let line = Line {
            version: VERSION,
            certificate: authority.certificate_pem().to_owned(),
            key: STANDARD.encode(sealed),
            signs_from,
        };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        let shown = self.path.display();
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            .with_context(|| format!("cannot write `{shown}`"))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write `{shown}`"))
    }

    fn entry(&self, line: &str, now: Timestamp) -> anyhow::Result<Entry> {
        let line: Line = serde_json::from_str(line)?;
        anyhow::ensure!(line.version == VERSION, "its form is of version {}", line.version);
        let certificate = Certificate::read(&line.certificate)?;
        let sealed = STANDARD.decode(&line.key)?;
        let key = self
            .sealing
            .open(&about(&certificate), &sealed)
            .context("its key was sealed under another sealing key")?;
        let authority = match Authority::read(&line.certificate, &key, now) {
            Ok(authority) => Some(Arc::new(authority)),
            Err(ReadError::Expired { .. } | ReadError::Early { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Entry { certificate, signs_from: line.signs_from, authority })
    }
}

/// A key opens only beside the certificate it was sealed with.
fn about(certificate: &Certificate) -> Vec<u8> {
    [ABOUT, certificate.fingerprint().to_string().as_bytes()].join(&b' ')
}

fn look(path: &Path) -> io::Result<Option<Seen>> {
    match fs::metadata(path) {
        Ok(found) => {
            Ok(Some((found.ino(), found.size(), found.mtime_nsec() ^ found.mtime().rotate_left(32))))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
