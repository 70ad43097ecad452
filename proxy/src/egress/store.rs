//! The file of certificate authorities: one line each, the private key sealed.
//!
//! Lines are only added, by several processes where need be: each takes the lock. A line without an end is not there:
//! whoever wrote it died, or had no room. Leaves out what an authority may name and when it signs (`ordain-certs`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
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
    lock: PathBuf,
    sealing: SealingKey,
    seen: Mutex<Option<Seen>>,
}

/// The right to write, until it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Locked(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// What the file looked like when it was read last.
type Seen = (u64, u64, i64);

impl Store {
    /// The file of a state directory.
    #[must_use]
    pub fn new(state: &Path, sealing: SealingKey) -> Self {
        let (path, lock) = (state.join("authorities.jsonl"), state.join("authorities.lock"));
        Self { path, lock, sealing, seen: Mutex::default() }
    }

    /// Waits for the right to write.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn lock(&self) -> anyhow::Result<Locked> {
        let shown = self.lock.display();
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.lock);
        opened
            .and_then(|file| file.lock().map(|()| Locked(file)))
            .with_context(|| format!("cannot lock `{shown}`"))
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
        for (number, line) in whole(&text).lines().enumerate() {
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
        let _locked = self.lock()?;
        self.append(&text).with_context(|| format!("cannot write `{shown}`"))
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // What a process that died in the middle left behind, or one whose disk was full.
        let end = whole(&text).len() as u64;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        // Its name is on disk too.
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
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

/// The lines that have an end.
fn whole(text: &str) -> &str {
    text.rfind('\n').and_then(|end| text.get(..=end)).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use ordain_certs::Constraints;

    use super::*;
    use crate::keys::SealingKey;

    fn authority(now: Timestamp) -> Authority {
        let constraints = Constraints::permitting(["example.com"]).unwrap();
        Authority::create("test", &constraints, now, SignedDuration::from_hours(24)).unwrap()
    }

    #[test]
    fn a_torn_line_is_not_read_and_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), SealingKey::from_hex(&"5a".repeat(32)).unwrap());
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
        store.add(&authority(now), now).unwrap();
        let path = folder.path().join("authorities.jsonl");
        let first = fs::read_to_string(&path).unwrap();
        // A power cut, or a full disk, in the middle of the next line.
        fs::write(&path, format!("{first}{}", first.get(..99).unwrap())).unwrap();
        assert_eq!(store.read(now).unwrap().entries.len(), 1);
        store.add(&authority(now), now).unwrap();
        assert_eq!(store.read(now).unwrap().entries.len(), 2);
        assert!(fs::read_to_string(&path).unwrap().starts_with(&first));
    }
}
