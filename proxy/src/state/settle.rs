//! How what was reserved is settled: by whoever hears the outcome, and after a crash from what the ledger says.
//!
//! Nobody waits for it. What cannot be settled now is tried until it can, and stays reserved meanwhile. Leaves out what an
//! ending means (`claim.rs`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ordain_action::{DecisionId, Digest, Outcome};
use ordain_evidence::{Reader, Reservation};
use ordain_rules::CounterKey;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::claim::{Ending, Run, StoreError};
use super::store::Store;
use crate::events;

/// How long to wait before it is tried again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What has ended and is not settled yet. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Settling {
    tasks: TaskTracker,
    handle: Handle,
}

impl Settling {
    /// Of the runtime it is made in: outcomes are heard wherever something is dropped.
    pub(super) fn new() -> Self {
        Self { tasks: TaskTracker::new(), handle: Handle::current() }
    }

    pub(super) fn waiting(&self) -> usize {
        self.tasks.len()
    }

    pub(super) async fn finish(&self, at_most: Duration) {
        self.tasks.close();
        drop(tokio::time::timeout(at_most, self.tasks.wait()).await);
    }

    fn settle(&self, store: Arc<Store>, decision: DecisionId, keys: Vec<CounterKey>, ending: Ending) {
        let task = async move {
            let mut pause = PAUSE.0;
            while let Err(error) = store.settle(decision, &keys, ending).await {
                events::not_settled(decision, &error.to_string());
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        };
        self.tasks.spawn_on(task, &self.handle);
    }
}

/// What a decision has reserved. Dropped unsettled, it is given back.
#[derive(Debug)]
pub(super) struct Held(Option<Reserved>);

#[derive(Debug)]
struct Reserved {
    decision: DecisionId,
    keys: Vec<CounterKey>,
    store: Arc<Store>,
    settling: Settling,
}

impl Held {
    pub(super) const fn new(
        decision: DecisionId,
        keys: Vec<CounterKey>,
        store: Arc<Store>,
        settling: Settling,
    ) -> Self {
        Self(Some(Reserved { decision, keys, store, settling }))
    }

    /// Nothing was reserved after all.
    pub(super) fn nothing(mut self) {
        self.0 = None;
    }

    fn end(&mut self, ending: Ending) {
        if let Some(Reserved { decision, keys, store, settling }) = self.0.take() {
            settling.settle(store, decision, keys, ending);
        }
    }
}

impl Reservation for Held {
    fn settle(mut self: Box<Self>, outcome: &Outcome) {
        self.end(Ending::of(outcome));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.end(Ending::Released);
    }
}

/// Settles what earlier runs left: the ledger says how their decisions ended, and that what it does not know was never
/// sent.
pub(super) async fn left_over(
    store: &Store,
    ledger: &Path,
    holder: Digest,
    run: Run,
) -> Result<(), StoreError> {
    let decisions = store.unsettled(holder, run).await?;
    if decisions.is_empty() {
        return Ok(());
    }
    events::settling_left_over(decisions.len());
    let ledger = ledger.to_owned();
    let endings = tokio::task::spawn_blocking(move || endings(&ledger, decisions)).await;
    let endings = endings.map_err(|error| error.to_string()).and_then(|endings| endings);
    let endings = endings
        .map_err(|why| StoreError::Unavailable(format!("what is counted cannot be settled: {why}")))?;
    for (decision, ending) in endings {
        store.settle(decision, &[], ending).await?;
    }
    Ok(())
}

fn endings(ledger: &Path, decisions: Vec<DecisionId>) -> Result<Vec<(DecisionId, Ending)>, String> {
    let reader = Reader::open(ledger).map_err(|error| error.to_string())?;
    let ending = |decision: DecisionId| {
        let ending = reader.ending(decision).map_err(|error| error.to_string())?;
        Ok((
            decision,
            match ending {
                ordain_evidence::Ending::Nothing => Ending::Released,
                ordain_evidence::Ending::Open => Ending::Unknown,
                ordain_evidence::Ending::Ended(outcome) => Ending::of(&outcome),
            },
        ))
    };
    decisions.into_iter().map(ending).collect()
}
