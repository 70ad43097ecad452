//! Secrets at rest: sealed with AES-256-GCM, so that a copy of the key file alone opens nothing.
//!
//! Leaves out what is sealed, and reading the environment.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use super::KeyError;

/// The key that issued secrets are sealed under.
pub struct SealingKey {
    key: RandomizedNonceKey,
}

impl SealingKey {
    /// The sealing key of an installation, in this order: a text given (64 hexadecimal digits), the file `ordain-key`
    /// among the service manager's credentials, the file `sealing.key` in the state directory, which is made on
    /// first use.
    ///
    /// # Errors
    /// [`KeyError::SealingKey`] when what is found is not a key, or others may read it.
    pub fn find(state: &Path, given: Option<&str>, credentials: Option<&Path>) -> Result<Self, KeyError> {
        if let Some(text) = given {
            return Self::from_hex(text.trim())
                .ok_or_else(|| unusable("the one given", "64 hexadecimal digits"));
        }
        match credentials.map(|folder| folder.join("ordain-key")).filter(|path| path.exists()) {
            Some(path) => Self::in_file(&path),
            None => {
                let path = state.join("sealing.key");
                match Self::in_file(&path) {
                    Err(KeyError::Io { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                        make(state, &path)?;
                        Self::in_file(&path)
                    }
                    found => found,
                }
            }
        }
    }

    /// A key of 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text, bytes.as_mut_slice()).ok()?;
        Some(Self { key: RandomizedNonceKey::new(&AES_256_GCM, bytes.as_slice()).ok()? })
    }

    fn in_file(path: &Path) -> Result<Self, KeyError> {
        let text = Zeroizing::new(fs::read_to_string(path).map_err(|source| KeyError::io(path, source))?);
        let mode = fs::metadata(path).map_err(|source| KeyError::io(path, source))?.mode();
        if mode & 0o077 != 0 {
            return Err(unusable(
                &path.display().to_string(),
                "readable by its owner only; run `chmod 600` on it",
            ));
        }
        Self::from_hex(text.trim())
            .ok_or_else(|| unusable(&path.display().to_string(), "64 hexadecimal digits"))
    }

    /// Seals a text; `about` must be the same when it is opened.
    pub(crate) fn seal(&self, about: &[u8], text: &str) -> Result<Vec<u8>, KeyError> {
        let mut bytes = text.as_bytes().to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(about), &mut bytes)
            .map_err(|_| KeyError::Cryptography)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut bytes);
        Ok(sealed)
    }

    /// Opens what was sealed; `None` when key, `about` or a byte differs.
    pub(crate) fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Zeroizing<String>> {
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let opened = self.key.open_in_place(nonce, Aad::from(about), bytes.as_mut_slice()).ok()?;
        Some(Zeroizing::new(str::from_utf8(opened).ok()?.to_owned()))
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// Makes a key file that appears whole or not at all: two processes may start at once.
fn make(state: &Path, path: &Path) -> Result<(), KeyError> {
    let mut bytes = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| KeyError::Cryptography)?;
    let text = Zeroizing::new(hex::encode(bytes.as_slice()));
    let draft: PathBuf = state.join(format!("sealing.key.{}", std::process::id()));
    let failed = |source| KeyError::io(&draft, source);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    // A link fails where the other process was first, and its key is the one in force then.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(KeyError::io(path, source)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn unusable(which: &str, should: &str) -> KeyError {
    KeyError::SealingKey { which: which.to_owned(), should: should.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_opens_under_the_same_key_and_about_the_same_thing_only() {
        let key = SealingKey::from_hex(&"ab".repeat(32)).unwrap();
        let sealed = key.seal(b"alice", "hush").unwrap();
        assert_eq!(key.open(b"alice", &sealed).unwrap().as_str(), "hush");
        assert!(key.open(b"mallory", &sealed).is_none());
        assert!(SealingKey::from_hex(&"cd".repeat(32)).unwrap().open(b"alice", &sealed).is_none());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open(b"alice", &changed).is_none());
        }
        assert!(key.open(b"alice", &sealed[..8]).is_none());
    }

    #[test]
    fn the_key_file_is_made_once_and_is_the_owners_alone() {
        let state = tempfile::tempdir().unwrap();
        let first = SealingKey::find(state.path(), None, None).unwrap();
        let sealed = first.seal(b"", "hush").unwrap();
        let again = SealingKey::find(state.path(), None, None).unwrap();
        assert_eq!(again.open(b"", &sealed).unwrap().as_str(), "hush");
        let path = state.path().join("sealing.key");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SealingKey::find(state.path(), None, None), Err(KeyError::SealingKey { .. })));
    }
}
