//! Where what is counted once is kept: one small set of operations, and the engines that have them.
//!
//! Uses, approvals and budgets are claims (`claim.rs`); holds have rows of their own (`hold/`); sessions
//! and other things that only ever go forward are marks, which rise and never fall. Leaves out how each engine does it,
//! and when the gate asks.

use std::path::Path;

use jiff::Timestamp;
use ordain_action::{DecisionId, Digest};
use ordain_rules::{Counted, CounterKey};

use super::claim::{Claims, Ending, NotClaimed, Run, StoreError};
use super::postgres::{Postgres, Server};
use super::sqlite::Sqlite;

/// Where what is counted once is kept.
#[derive(Debug)]
pub struct Store {
    engine: Engine,
}

/// The engines that there are.
#[derive(Debug)]
pub(super) enum Engine {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

impl Store {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be written, or a newer version wrote it.
    pub fn sqlite(file: &Path) -> Result<Self, StoreError> {
        Ok(Self { engine: Engine::Sqlite(Sqlite::open(file)?) })
    }

    /// Connects with a server, and makes there what is missing.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be reached, or a newer version wrote what is there.
    pub async fn postgres(server: &Server) -> Result<Self, StoreError> {
        Ok(Self { engine: Engine::Postgres(Box::new(Postgres::open(server).await?)) })
    }

    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What stands counted under each key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn counted(&self, keys: Vec<CounterKey>, now: Timestamp) -> Result<Vec<Counted>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.counted(keys, now).await,
            Engine::Postgres(engine) => engine.counted(keys, now).await,
        }
    }

    /// What stands counted of a source, by subject.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn all(&self, source: &str, now: Timestamp) -> Result<Vec<(String, Counted)>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.all(source.to_owned(), now).await,
            Engine::Postgres(engine) => engine.all(source, now).await,
        }
    }

    /// Claims all of it or nothing, in one transaction that looks again at what stands counted.
    ///
    /// # Errors
    /// [`StoreError`]; after [`StoreError::InDoubt`] the decision has to be settled as released.
    pub async fn reserve(&self, claims: Claims) -> Result<Result<(), NotClaimed>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.reserve(claims).await,
            Engine::Postgres(engine) => engine.reserve(&claims).await,
        }
    }

    /// Says how a decision ended. Said twice it is the same; what was not claimed is not settled.
    ///
    /// `keys` are those it claimed: a claim whose commit is still under way is waited for by them.
    ///
    /// # Errors
    /// [`StoreError`]; then it has to be said again.
    pub async fn settle(
        &self,
        decision: DecisionId,
        keys: &[CounterKey],
        ending: Ending,
    ) -> Result<(), StoreError> {
        match &self.engine {
            // One thread writes: what it was told before is done before.
            Engine::Sqlite(engine) => engine.settle(decision, ending).await,
            Engine::Postgres(engine) => engine.settle(decision, keys, ending).await,
        }
    }

    /// Decisions of earlier runs of a holder that were not settled.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn unsettled(&self, holder: Digest, now: Run) -> Result<Vec<DecisionId>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.unsettled(holder, now).await,
            Engine::Postgres(engine) => engine.unsettled(holder, now).await,
        }
    }

    /// Raises a mark to a value, where it is lower; returns what it was. Of all who raise it to one value, one alone hears
    /// that it was lower.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn raise(&self, key: CounterKey, value: u64) -> Result<Option<u64>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.raise(key, value).await,
            Engine::Postgres(engine) => engine.raise(&key, value).await,
        }
    }

    /// Where a mark stands.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn mark(&self, key: CounterKey) -> Result<Option<u64>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.mark(key).await,
            Engine::Postgres(engine) => engine.mark(&key).await,
        }
    }
}
