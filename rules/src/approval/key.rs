//! A key that a person signs with, and whether a signature is by it: SSH keys, and signatures of `ssh-keygen -Y sign`.
//!
//! Leaves out whose key it is (`model/signing.rs`).

use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, HashAlg, LineEnding, PublicKey, SshSig};

/// What a signature is for: one that was made for anything else, such as a commit of git, is no approval.
pub(super) const NAMESPACE: &str = "ordain-approval";

/// Of a security key, that somebody touched it.
const TOUCHED: u8 = 1;

/// After the signature of a security key: its flags, and its counter of four bytes.
const COUNTER_LENGTH: usize = 4;

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(KeyData);

impl Key {
    /// Reads a key as `ssh-keygen` writes it to a `.pub` file.
    ///
    /// # Errors
    /// Why it is not taken, and what to do.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let word = text.split_whitespace().next().unwrap_or_default();
        let Ok(key) = PublicKey::from_openssh(text) else {
            return Err(format!(
                "`{}` is not a public key; give the whole line of a `.pub` file, for example \
                 `ssh-ed25519 AAAA… name`",
                word.chars().take(40).collect::<String>(),
            ));
        };
        if is_taken(key.key_data()) {
            return Ok(Self(key.key_data().clone()));
        }
        Err(format!(
            "approvals are not signed with a key of type `{word}`; give one of type `ssh-ed25519`, \
             `ecdsa-sha2-nistp256`, `sk-ssh-ed25519@openssh.com` or `sk-ecdsa-sha2-nistp256@openssh.com`"
        ))
    }

    /// Its fingerprint, as `ssh-keygen -l` prints it.
    pub(crate) fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// The key as a line of a `.pub` file, without a comment.
    pub(crate) fn line(&self) -> Option<String> {
        PublicKey::from(self.0.clone()).to_openssh().ok()
    }

    /// Whether a signature is by this key, for an approval, over these bytes.
    pub(super) fn signed(&self, message: &str, signature: &Signature) -> bool {
        let key = PublicKey::from(self.0.clone());
        key.verify(NAMESPACE, message.as_bytes(), &signature.0).is_ok()
    }
}

/// RSA and DSA are left out on purpose: nothing of them need be in the program, and there is no key of them that cannot be
/// replaced by one that is taken.
fn is_taken(key: &KeyData) -> bool {
    matches!(key, KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_))
        || key.ecdsa().is_some_and(|key| key.curve() == EcdsaCurve::NistP256)
}

/// A signature, and the key that it says it is by.
#[derive(Debug)]
pub(super) struct Signature(SshSig);

impl Signature {
    /// Reads a signature in its armour, in the one way that `ssh-keygen` writes it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let signature = SshSig::from_pem(text.trim()).ok()?;
        // The reader lets lengths be that do not fit, and the version is not part of what is signed.
        let written = signature.to_pem(LineEnding::LF).ok()?;
        let is_whole =
            written.split_whitespace().flat_map(str::chars).eq(text.split_whitespace().flat_map(str::chars));
        (is_whole && signature.version() == SshSig::VERSION).then_some(Self(signature))
    }

    /// What it was made for.
    pub(super) fn namespace(&self) -> &str {
        self.0.namespace()
    }

    /// The key that it says it is by.
    pub(super) fn key(&self) -> Key {
        Key(self.0.public_key().clone())
    }

    /// A security key says whether somebody touched it; any other key says nothing of it.
    pub(super) fn was_touched(&self) -> bool {
        if !matches!(self.0.public_key(), KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) {
            return true;
        }
        let flags = self.0.signature_bytes().iter().rev().nth(COUNTER_LENGTH);
        flags.is_some_and(|flags| flags & TOUCHED != 0)
    }
}
