//! What must be counted once: the seam between judging and forwarding that reserves before and settles after.
//!
//! What needs nothing counted awaits nothing here and opens nothing. Leaves out what may be claimed (`claim.rs`) and the
//! engines (`store.rs`).

mod claim;
mod hold;
mod postgres;
mod server;
mod settle;
mod sole;
mod sqlite;
mod store;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ordain_action::Digest;
use ordain_evidence::{Decision, Reservation, Reserved};
use ordain_rules::{CounterKey, CounterNeeds, Counters, Judged, Snapshot, Used, Waits};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use claim::{Claim, Claims, Ending, NotClaimed, Refused, Run, StoreError};
pub use hold::{Answer, Carried, Closed, Given, Hold, Opened, Opening};
pub use server::Server;
pub use store::Store;

use crate::events::{self, Metrics};
use settle::{Held, Settling};

/// How often a decision is judged again because what it was reached on has changed meanwhile.
const ATTEMPTS: usize = 4;

/// How often it is because nothing is left of what it would use: a change may plan the same several times.
const USES: usize = 64;

/// How long who does the same again waits until what they did before has settled: it was answered before it was.
const SETTLES: [Duration; 6] = [
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(15),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
];

/// For how long nobody tries anew after it could not be opened.
const PAUSE: Duration = Duration::from_millis(500);

/// Where what is counted once is kept.
#[derive(Debug, Clone)]
pub enum Kept {
    /// In a file of the state directory.
    File(PathBuf),
    /// On a server that others may share.
    Server(Box<Server>),
}

impl Kept {
    /// In the file that is its place in a state directory.
    #[must_use]
    pub fn within(state: &Path) -> Self {
        Self::File(sqlite::file(state))
    }

    /// Opens it, and makes what is missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::File(file) => {
                let file = file.clone();
                let opened = tokio::task::spawn_blocking(move || Store::sqlite(&file)).await;
                opened.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
            }
            Self::Server(server) => Store::postgres(server).await,
        }
    }

    /// Whether it may hold something already.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match self {
            Self::File(file) => file.exists(),
            Self::Server(_) => true,
        }
    }
}

/// The counted state, as the path of a request sees it.
#[derive(Debug)]
pub struct State {
    kept: Kept,
    // Opened when something has to be counted for the first time, or where something may be left to settle.
    store: OnceCell<Arc<Store>>,
    settling: Settling,
    holder: Digest,
    run: Run,
    ledger: PathBuf,
    // When it could not be opened, and why.
    unopened: Mutex<Option<(Instant, StoreError)>>,
    // Why it could not be used when it was last needed.
    fault: Mutex<Fault>,
}

/// Why it could not be used. One may go on without the other: a disk that takes nothing may still be read.
#[derive(Debug, Default)]
struct Fault {
    reading: Option<String>,
    writing: Option<String>,
}

/// What it was needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    Reading,
    Writing,
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unreserved {
    /// What the verdict was reached on has changed since.
    Changed,
    /// Nothing is left of what it would use.
    Used(CounterKey, Used),
    /// It cannot be counted now.
    Unavailable,
}

impl State {
    /// The state kept somewhere, of the gate whose ledger that is; `holder` tells that ledger from all others.
    ///
    /// What an earlier run left is settled from the ledger before anything else is counted. A server that cannot be reached
    /// does not keep the gate from starting: what has to be counted is refused until it can.
    ///
    /// # Errors
    /// What is kept was written by a newer version, or the file cannot be used.
    pub async fn start(kept: Kept, ledger: PathBuf, holder: Digest) -> anyhow::Result<Self> {
        let state = Self {
            settling: Settling::new(),
            store: OnceCell::new(),
            run: Run(Uuid::now_v7().into_bytes()),
            unopened: Mutex::default(),
            fault: Mutex::default(),
            kept,
            holder,
            ledger,
        };
        if state.kept.is_there() {
            match (state.store().await, &state.kept) {
                (Ok(_), _) => {}
                (Err(StoreError::Unavailable(why) | StoreError::InDoubt(why)), Kept::Server(_)) => {
                    events::counted_state_lost(&why);
                    state.note(Needed::Reading, Some(&why));
                }
                (Err(error), _) => anyhow::bail!(error),
            }
        }
        Ok(state)
    }

    /// Fetches what a decision depends on. What cannot be fetched is not among it, and the judge denies what needs it.
    pub async fn counters(&self, needs: &CounterNeeds, now: Timestamp) -> Counters {
        let mut counters = Counters::new();
        if needs.is_empty() {
            return counters;
        }
        let keys: Vec<_> = needs.keys().cloned().collect();
        let counted = match self.store().await {
            Ok(store) => store.counted(keys, now).await,
            Err(error) => Err(error),
        };
        for (key, counted) in needs.keys().zip(self.noted(Needed::Reading, counted).into_iter().flatten()) {
            counters.set(key.clone(), counted);
        }
        counters
    }

    /// Whether this is the first to bring something that only goes forward to a value, of all who ever do, here and in other
    /// gates; `None` where that cannot be known now.
    pub async fn is_first_to_reach(&self, source: &str, subject: &str, value: u64) -> Option<bool> {
        let key = CounterKey { source: source.into(), subject: subject.into() };
        let raised = match self.store().await {
            Ok(store) => store.raise(key, value).await,
            Err(error) => Err(error),
        };
        self.noted(Needed::Writing, raised).map(|before| before.is_none_or(|before| before < value))
    }

    /// Why it could not be used when it was last needed; `None` while all is well.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.writing.as_ref().or(fault.reading.as_ref()).cloned()
    }

    /// How many decisions have ended and could not be settled yet.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.settling.waiting()
    }

    /// Waits until all that has ended is settled, at most so long. What is not then is settled by the next start.
    pub async fn close(&self, at_most: Duration) {
        self.settling.finish(at_most).await;
    }

    /// The hold that a request waits under, or that was denied; none where it cannot be looked up.
    pub async fn hold_of(&self, request: Digest, now: Timestamp) -> Option<Hold> {
        let found = match self.store().await {
            Ok(store) => store.hold_of(request, now).await,
            Err(error) => Err(error),
        };
        self.noted(Needed::Reading, found).flatten()
    }

    /// Opens a hold, or joins one; none where that cannot be kept.
    pub async fn open_hold(&self, opening: Opening) -> Option<Opened> {
        let opened = match self.store().await {
            Ok(store) => store.open_hold(opening).await,
            Err(error) => Err(error),
        };
        self.noted(Needed::Writing, opened)
    }

    /// Keeps what somebody answered.
    ///
    /// # Errors
    /// It cannot be kept now, or nobody knows whether it was.
    pub async fn answer_hold(
        &self,
        id: Uuid,
        answer: Answer,
        now: Timestamp,
        again: bool,
    ) -> Result<Given, String> {
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.answer_hold(id, answer, now, again).await.map_err(|error| error.to_string())
    }

    /// A hold.
    ///
    /// # Errors
    /// It cannot be looked up now.
    pub async fn hold(&self, id: Uuid) -> Result<Option<Hold>, String> {
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.hold(id).await.map_err(|error| error.to_string())
    }

    /// The holds whose time was not over at a time, the youngest first.
    ///
    /// # Errors
    /// They cannot be looked up now.
    pub async fn holds(&self, since: Timestamp) -> Result<Vec<Hold>, String> {
        // A file that is not there holds nothing, and none is made by looking.
        if !self.kept.is_there() {
            return Ok(Vec::new());
        }
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.holds(since).await.map_err(|error| error.to_string())
    }

    /// The holds of an actor whose time is not over and that nobody closed, the youngest first.
    ///
    /// # Errors
    /// They cannot be looked up now.
    pub async fn open_holds_of(&self, actor: Arc<str>, now: Timestamp) -> Result<Vec<Hold>, String> {
        if !self.kept.is_there() {
            return Ok(Vec::new());
        }
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.open_holds_of(actor, now).await.map_err(|error| error.to_string())
    }

    /// Raises a mark, and says where it was; of all who raise it to one value, one alone hears that it was lower.
    ///
    /// # Errors
    /// It cannot be kept now, or nobody knows whether it was.
    pub async fn raise(&self, key: CounterKey, value: u64) -> Result<Option<u64>, String> {
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.raise(key, value).await.map_err(|error| error.to_string())
    }

    /// Where a mark stands.
    ///
    /// # Errors
    /// It cannot be looked up now.
    pub async fn mark(&self, key: CounterKey) -> Result<Option<u64>, String> {
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.mark(key).await.map_err(|error| error.to_string())
    }

    /// What became of what a hold approved; none where it was not sent yet.
    ///
    /// # Errors
    /// It cannot be looked up now.
    pub async fn carried(&self, id: Uuid) -> Result<Option<Carried>, String> {
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.carried(id).await.map_err(|error| error.to_string())
    }

    /// The holds that wait, or are approved, and were not carried out: the oldest, and whether there are more.
    ///
    /// # Errors
    /// They cannot be looked up now.
    pub async fn open_holds(&self, now: Timestamp) -> Result<(Vec<Hold>, bool), String> {
        if !self.kept.is_there() {
            return Ok((Vec::new(), false));
        }
        let store = self.store().await.map_err(|error| error.to_string())?;
        store.open_holds(now).await.map_err(|error| error.to_string())
    }

    /// How many holds wait; none where that cannot be told now.
    pub async fn holds_waiting(&self, now: Timestamp) -> Option<u64> {
        if !self.kept.is_there() {
            return Some(0);
        }
        self.store().await.ok()?.holds_waiting(now).await.ok()
    }

    /// Closes a hold that nobody is to answer; what cannot be closed now is over in time.
    pub async fn close_hold(&self, id: Uuid) {
        if let Ok(store) = self.store().await {
            drop(store.close_hold(id).await);
        }
    }

    async fn reserve(
        &self,
        decision: &Decision,
        judged: &Judged,
    ) -> Result<Box<dyn Reservation>, Unreserved> {
        let (sole, now, decision) = (sole::is_sole(&decision.action.reading), decision.now, decision.id);
        let charges = judged.charges.iter().cloned().map(Claim::Amount);
        let mut claims: Vec<Claim> = charges.chain(judged.uses.iter().cloned().map(Claim::Use)).collect();
        claims.sort_by(|left, right| left.key().cmp(right.key()));
        let keys = claims.iter().map(|claim| claim.key().clone()).collect();
        let store = self.noted(Needed::Writing, self.store().await).ok_or(Unreserved::Unavailable)?;
        let held = Held::new(decision, keys, Arc::clone(&store), self.settling.clone());
        let claims = Claims { decision, claims, holder: self.holder, run: self.run, sole, now };
        let reserved = store.reserve(claims).await;
        // Whether it is there or not: what is held is given back where it is not handed on.
        let in_doubt = matches!(&reserved, Err(StoreError::InDoubt(_)));
        match self.noted(Needed::Writing, reserved) {
            Some(Ok(())) => Ok(Box::new(held)),
            Some(Err(NotClaimed { key, why })) => {
                held.nothing();
                let is_use = judged.uses.iter().any(|used| used.key == key);
                Err(match why {
                    Refused::Over if !is_use => Unreserved::Changed,
                    Refused::Over => Unreserved::Used(key, Used::Up),
                    Refused::InFlight => Unreserved::Used(key, Used::InFlight),
                    Refused::Unknown => Unreserved::Used(key, Used::Unknown),
                })
            }
            None if in_doubt => Err(Unreserved::Unavailable),
            None => {
                held.nothing();
                Err(Unreserved::Unavailable)
            }
        }
    }

    async fn store(&self) -> Result<Arc<Store>, StoreError> {
        let opened = self.store.get_or_try_init(|| async {
            // Whoever waited behind one that failed would wait as long once more.
            let lately = self.unopened.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((_, error)) = lately.filter(|(when, _)| when.elapsed() < PAUSE) {
                return Err(error);
            }
            // Boxed: it is in the future of every request, and done once.
            let opened = Box::pin(self.open()).await;
            let failed = opened.as_ref().err().map(|error| (Instant::now(), error.clone()));
            *self.unopened.lock().unwrap_or_else(PoisonError::into_inner) = failed;
            opened
        });
        opened.await.map(Arc::clone)
    }

    async fn open(&self) -> Result<Arc<Store>, StoreError> {
        let store = Arc::new(self.kept.open().await?);
        settle::left_over(&store, &self.ledger, self.holder, self.run).await?;
        Ok(store)
    }

    fn noted<T>(&self, needed: Needed, done: Result<T, StoreError>) -> Option<T> {
        match done {
            Ok(done) => {
                self.note(needed, None);
                Some(done)
            }
            Err(error) => {
                let why = error.to_string();
                // Said once, and not for every request that finds it so.
                if self.note(needed, Some(&why)).is_none() {
                    events::counted_state_lost(&why);
                }
                None
            }
        }
    }

    /// Returns what was noted before.
    fn note(&self, needed: Needed, why: Option<&str>) -> Option<String> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = match needed {
            Needed::Reading => &mut fault.reading,
            Needed::Writing => &mut fault.writing,
        };
        std::mem::replace(fault, why.map(str::to_owned))
    }
}

impl State {
    /// Reserves what a verdict was reached on. Where that has changed since, it is judged again; what cannot be counted is
    /// judged as that, which denies it. Judging again is judging then: `renewed` puts into the decision what holds by now.
    /// What it waits for in the end is beside it.
    pub async fn reserve_for(
        &self,
        mut judged: Judged,
        decision: &mut Decision,
        renewed: impl Fn(&mut Decision) -> Arc<Snapshot> + Send,
        metrics: &Metrics,
    ) -> (Reserved, Option<Box<Waits>>) {
        // What nothing is left of stays so for this decision.
        let mut used: Vec<(CounterKey, Used)> = Vec::new();
        let (mut attempts, mut tried) = (0, 0);
        // Whoever waits for what they did before waits so long in all.
        let mut settles = SETTLES.into_iter();
        loop {
            // What takes of nothing that is counted, refusals among it, goes on as it is.
            if judged.charges.is_empty() && judged.uses.is_empty() {
                let waits = judged.waits.take();
                return (Reserved::new(judged, None), waits);
            }
            let mut reserved = self.reserve(decision, &judged).await;
            while matches!(&reserved, Err(Unreserved::Used(_, Used::InFlight)))
                && let Some(pause) = settles.next()
            {
                tokio::time::sleep(pause).await;
                reserved = self.reserve(decision, &judged).await;
            }
            let unreserved = match reserved {
                Ok(held) => return (Reserved::new(judged, Some(held)), None),
                Err(unreserved) => unreserved,
            };
            let changed = match &unreserved {
                Unreserved::Used(..) => tried < USES,
                Unreserved::Changed => attempts < ATTEMPTS,
                Unreserved::Unavailable => false,
            };
            match unreserved {
                Unreserved::Used(key, why) if changed => {
                    tried += 1;
                    used.push((key, why));
                }
                Unreserved::Changed if changed => attempts += 1,
                // INVARIANT: what was not reserved is not admitted. Nothing can be used from here on, and what is counted is
                // not known: the next verdict claims nothing.
                Unreserved::Used(..) | Unreserved::Changed | Unreserved::Unavailable => {
                    used.push((Counters::any_use(), Used::Uncounted));
                }
            }
            // What people answered is so still; whether it holds is the judge's to say.
            let granted = decision.counters.granted().cloned().map(Box::new);
            let model = renewed(decision);
            decision.counters = if changed {
                metrics.judged_again();
                self.counters(&ordain_rules::needs(&model, &decision.action), decision.now).await
            } else {
                Counters::new()
            };
            decision.counters.grant(granted);
            used.iter().for_each(|(key, why)| decision.counters.refuse(key.clone(), *why));
            judged = ordain_rules::judge(
                &model,
                &decision.action,
                decision.request,
                &decision.counters,
                decision.now,
            );
        }
    }
}
