//! Changes of the gate itself: each is an entry before it takes effect.
//!
//! Leaves out who may make one, and what makes it take effect.

use jiff::Timestamp;
use ordain_action::Digest;
use ordain_proof::record::{ChangeRecord, Record};

/// What of the gate changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The program began to serve.
    Started,
    /// The program ended in good order.
    Stopped,
    /// The model: inventory and intents.
    Model,
    /// The rules.
    Rules,
    /// The mode of a scope.
    Mode,
    /// An issued key or a held credential.
    Key,
    /// Anything else that is configured.
    Configuration,
    /// What waits for its owners: it was asked for, or answered.
    Hold,
}

impl ChangeKind {
    /// The word used in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Model => "model",
            Self::Rules => "rules",
            Self::Mode => "mode",
            Self::Key => "key",
            Self::Configuration => "configuration",
            Self::Hold => "hold",
        }
    }
}

/// A change of the gate itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnChange {
    /// What changed.
    pub kind: ChangeKind,
    /// When.
    pub now: Timestamp,
    /// Who made it, for example `admin` or a party's name.
    pub author: String,
    /// What it is, for a person; no secrets.
    pub summary: String,
    /// The digest of what was before, where there was something.
    pub before: Option<Digest>,
    /// The digest of what is then, where there is something to hash.
    pub after: Option<Digest>,
}

impl OwnChange {
    pub(crate) fn to_record(&self) -> Record<'_> {
        let digest = self.after.unwrap_or_else(|| Digest::of(self.summary.as_bytes()));
        Record::Change(ChangeRecord {
            what: self.kind.as_str().into(),
            time: self.now.to_string().into(),
            author: self.author.as_str().into(),
            summary: self.summary.as_str().into(),
            before: self.before.map(|digest| digest.to_hex().into()),
            digest: digest.to_hex().into(),
        })
    }
}
