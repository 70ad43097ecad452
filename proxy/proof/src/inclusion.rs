//! A proof that can be handed out: one entry, one checkpoint and the hashes between, as C2SP tlog-proof.
//!
//! Leaves out where the entry and the checkpoint come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::note::{Checkpoint, NoteError, Verifier};
use crate::tree::{Hash, verify_inclusion};

const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// A proof that an entry is in a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The entry's place.
    pub index: u64,
    /// The hashes from the entry to the root.
    pub hashes: Vec<Hash>,
    /// The signed note they lead to.
    pub checkpoint: String,
}

/// Why a proof is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a proof.
    #[error("not a proof: {0}; give the file as it was handed out")]
    Form(&'static str),
    /// Its checkpoint is not right.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The entry is not the one proven.
    #[error("the entry is not entry {0} of the ledger; do not trust it")]
    NotIncluded(u64),
}

impl InclusionProof {
    /// The text that is handed out.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}\nindex {}\n", self.index);
        for hash in &self.hashes {
            text.push_str(&STANDARD.encode(hash.0));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Reads what was handed out. Nothing is verified.
    ///
    /// # Errors
    /// [`ProofError::Form`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Form("it has no checkpoint"))?;
        let mut lines = head.lines().peekable();
        if lines.next() != Some(HEAD) {
            return Err(ProofError::Form("it is of another format"));
        }
        // Others may put something of theirs into a proof; it proves nothing and is left out.
        if lines.peek().is_some_and(|line| line.starts_with("extra ")) {
            lines.next();
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.ok_or(ProofError::Form("it has no index"))?;
        let number: u64 = index.parse().map_err(|_| ProofError::Form("its index is no number"))?;
        if number.to_string() != index {
            return Err(ProofError::Form("its index is not in plain decimal"));
        }
        let mut hashes = Vec::new();
        for line in lines {
            let bytes = STANDARD.decode(line).map_err(|_| ProofError::Form("a hash is not base64"))?;
            let bytes =
                <[u8; 32]>::try_from(bytes).map_err(|_| ProofError::Form("a hash is not 32 bytes"))?;
            hashes.push(Hash(bytes));
        }
        Ok(Self { index: number, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Whether `entry` is in the ledger whose key is given. Returns the checkpoint that says so.
    ///
    /// # Errors
    /// [`ProofError::Note`] and [`ProofError::NotIncluded`].
    pub fn verify(&self, entry: &[u8], verifier: &Verifier) -> Result<Checkpoint, ProofError> {
        let checkpoint = verifier.open(&self.checkpoint)?;
        let leaf = Hash::leaf(entry);
        if verify_inclusion(leaf, self.index, checkpoint.size, checkpoint.root, &self.hashes) {
            Ok(checkpoint)
        } else {
            Err(ProofError::NotIncluded(self.index))
        }
    }
}
