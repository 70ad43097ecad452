//! Checkpoints as C2SP signed notes: who vouches for how many entries with which root.
//!
//! Leaves out where keys are kept and when a checkpoint is made. Signatures of others (witnesses) on the
//! same note are kept as they are and not checked here.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::tree::Hash;

/// The signature type of Ed25519 in a signed note.
const ED25519_TYPE: u8 = 0x01;

/// Why a note, a key or a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The name cannot stand in a note.
    #[error("`{0}` cannot name a ledger; use letters, digits, dots, dashes and slashes")]
    Name(String),
    /// Not a key in the form of a note verifier.
    #[error("not a verifier key; give it as `name+hash+base64`, as `ordain ledger key` prints it")]
    Key,
    /// Not a private key.
    #[error("the signing key cannot be read; restore it from where it was kept")]
    PrivateKey,
    /// No randomness or no key could be made.
    #[error("a signing key could not be made; try again")]
    Generate,
    /// Not a checkpoint.
    #[error("not a checkpoint: {0}; give the file as the ledger wrote it")]
    Form(&'static str),
    /// Signed for another ledger.
    #[error("the checkpoint is of `{found}`, not of `{expected}`; give the checkpoint of this ledger")]
    Origin {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The key did not sign it.
    #[error("the checkpoint is not signed by `{0}`; do not trust it")]
    Signature(String),
}

/// A ledger's signing key.
pub struct Signer {
    pair: Ed25519KeyPair,
    verifier: Verifier,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl Signer {
    /// Makes a new key; returns it with its private form (PKCS#8), to be kept.
    ///
    /// # Errors
    /// [`NoteError::Name`] and [`NoteError::Generate`].
    pub fn generate(name: &str) -> Result<(Self, Vec<u8>), NoteError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| NoteError::Generate)?;
        let document = pair.to_pkcs8().map_err(|_| NoteError::Generate)?;
        let kept = document.as_ref().to_vec();
        Ok((Self::from_pkcs8(name, &kept)?, kept))
    }

    /// Reads a key from its private form.
    ///
    /// # Errors
    /// [`NoteError::Name`] and [`NoteError::PrivateKey`].
    pub fn from_pkcs8(name: &str, pkcs8: &[u8]) -> Result<Self, NoteError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| NoteError::PrivateKey)?;
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| NoteError::PrivateKey)?;
        let verifier = Verifier::new(name, public)?;
        Ok(Self { pair, verifier })
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Signs a checkpoint of the ledger this key is for.
    #[must_use]
    pub fn sign(&self, size: u64, root: Hash) -> String {
        let text = Checkpoint { origin: self.verifier.name.clone(), size, root }.text();
        let mut signature = self.verifier.id.to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.verifier.name, STANDARD.encode(signature))
    }
}

/// A ledger's public key, by which its checkpoints are told from others'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

impl Verifier {
    /// The public key of the ledger called `name`.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        let fits =
            !name.is_empty() && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '+');
        if !fits {
            return Err(NoteError::Name(name.to_owned()));
        }
        let hash = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519_TYPE])
            .chain_update(public)
            .finalize();
        let mut id = [0; 4];
        for (into, from) in id.iter_mut().zip(hash) {
            *into = from;
        }
        Ok(Self { name: name.to_owned(), id, public })
    }

    /// Reads the form `name+hash+base64`.
    ///
    /// # Errors
    /// [`NoteError::Key`] when it is malformed or its hash does not fit.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let key = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let (&kind, public) = key.split_first().ok_or(NoteError::Key)?;
        let public = <[u8; 32]>::try_from(public).map_err(|_| NoteError::Key)?;
        let verifier = Self::new(name, public)?;
        let fits = kind == ED25519_TYPE && hex::encode(verifier.id) == hash;
        if fits { Ok(verifier) } else { Err(NoteError::Key) }
    }

    /// The ledger's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a signed note, and accepts it only when this key signed it.
    ///
    /// # Errors
    /// [`NoteError::Form`], [`NoteError::Origin`] and [`NoteError::Signature`].
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let (text, signatures) = note.split_once("\n\n").ok_or(NoteError::Form("it has no signatures"))?;
        let checkpoint = Checkpoint::parse(text)?;
        if checkpoint.origin != self.name {
            return Err(NoteError::Origin { found: checkpoint.origin, expected: self.name.clone() });
        }
        if !signatures.ends_with('\n') {
            return Err(NoteError::Form("its last line is cut short"));
        }
        let mut signed = false;
        for line in signatures.lines() {
            let line =
                line.strip_prefix("\u{2014} ").ok_or(NoteError::Form("a signature line is malformed"))?;
            let (name, encoded) =
                line.split_once(' ').ok_or(NoteError::Form("a signature line is malformed"))?;
            let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Form("a signature is not base64"))?;
            let (id, signature) =
                bytes.split_at_checked(4).ok_or(NoteError::Form("a signature is too short"))?;
            // Signatures by other keys, witnesses among them, are for others to check.
            if name != self.name || id != self.id {
                continue;
            }
            let mut signed_text = text.to_owned();
            signed_text.push('\n');
            UnparsedPublicKey::new(&ED25519, self.public)
                .verify(signed_text.as_bytes(), signature)
                .map_err(|_| NoteError::Signature(self.name.clone()))?;
            signed = true;
        }
        if signed { Ok(checkpoint) } else { Err(NoteError::Signature(self.name.clone())) }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(key))
    }
}

/// How many entries a ledger has, and the root of its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger's name.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the text of a checkpoint, without its signatures. Nothing is known of who wrote it.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.lines();
        let origin =
            lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Form("it has no origin"))?;
        let size_text = lines.next().ok_or(NoteError::Form("it has no size"))?;
        let size: u64 = size_text.parse().map_err(|_| NoteError::Form("its size is no number"))?;
        if size.to_string() != size_text {
            return Err(NoteError::Form("its size is not in plain decimal"));
        }
        let root = lines.next().ok_or(NoteError::Form("it has no root"))?;
        let root = STANDARD.decode(root).map_err(|_| NoteError::Form("its root is not base64"))?;
        let root = <[u8; 32]>::try_from(root).map_err(|_| NoteError::Form("its root is not 32 bytes"))?;
        if lines.next().is_some() {
            return Err(NoteError::Form("it has lines that are not known"));
        }
        Ok(Self { origin: origin.to_owned(), size, root: Hash(root) })
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }
}
