//! Checkpoints: a tree that is durable, signed.
//!
//! Leaves out when they are made (`checkpointer`).

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ordain_proof::note::Signer;
use ordain_proof::tree::Frontier;

use crate::storage::Storage;

/// The file of the latest checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// Signs checkpoints, one after another.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    storage: Arc<dyn Storage>,
    signer: Signer,
    /// The size and text of the last one; held while one is written, so that none replaces a later one.
    last: Mutex<(u64, String)>,
}

impl Checkpointer {
    pub(crate) fn new(storage: Arc<dyn Storage>, signer: Signer, size: u64, note: String) -> Self {
        Self { storage, signer, last: Mutex::new((size, note)) }
    }

    pub(crate) const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The size the last one covers.
    pub(crate) fn covered(&self) -> u64 {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Signs a tree that is durable, unless one as large was signed; returns the latest note.
    pub(crate) fn sign(&self, durable: &Frontier) -> io::Result<String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.size() > last.0 {
            let note = self.signer.sign(durable.size(), durable.root());
            self.storage.replace(CHECKPOINT, note.as_bytes())?;
            *last = (durable.size(), note);
        }
        Ok(last.1.clone())
    }
}
