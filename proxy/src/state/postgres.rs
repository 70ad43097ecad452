//! The counted state in PostgreSQL, or what speaks its protocol, shared by replicas.
//!
//! A transaction takes the rows of its keys first, in one order, and looks at what stands counted only then: whoever comes
//! second waits, and sees what the first did. What counts is told by the clock of the gate that asks, so that gates which
//! share a server have to agree about the time; nothing is deleted by it within a day. Leaves out connections (`server.rs`) and what may be claimed (`claim.rs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{DecisionId, Digest};
use ordain_rules::{Counted, CounterKey};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Transaction};
use uuid::Uuid;

use super::claim::{
    Becomes, Claim, Claims, Ending, HOUR, KEPT, NotClaimed, Placed, Run, Standing, State, StoreError,
    VERSION, figure, micros, read_figure, until,
};
use super::hold;
pub(crate) use super::server::Server;
use super::server::{Connected, Pool};

/// How often a transaction is tried that the server ended for another's sake.
const TRIES: usize = 5;

/// How long one transaction may take, from having a connection on.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long trying it again may take in all: longer than the server lets a gate that hangs keep a key.
const DEADLINE: Duration = Duration::from_secs(8);

/// The most that is found to be kept no longer at once.
const PASSED_MAX: i64 = 10_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS ordain_version (
        one SMALLINT PRIMARY KEY,
        version BIGINT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS ordain_keys (
        source TEXT NOT NULL,
        subject TEXT NOT NULL,
        taken BIGINT NOT NULL,
        PRIMARY KEY (source, subject)
    );
    CREATE TABLE IF NOT EXISTS ordain_claims (
        source TEXT NOT NULL,
        subject TEXT NOT NULL,
        decision BYTEA NOT NULL,
        request BYTEA,
        amount BIGINT NOT NULL,
        state BIGINT NOT NULL,
        before BIGINT,
        holder BYTEA NOT NULL,
        run BYTEA NOT NULL,
        until BIGINT NOT NULL,
        PRIMARY KEY (source, subject, decision)
    );
    ALTER TABLE ordain_claims ADD COLUMN IF NOT EXISTS sole BOOLEAN NOT NULL DEFAULT FALSE;
    CREATE INDEX IF NOT EXISTS ordain_claims_until ON ordain_claims (until);
    CREATE INDEX IF NOT EXISTS ordain_claims_by_decision ON ordain_claims (decision);
    CREATE INDEX IF NOT EXISTS ordain_claims_counted ON ordain_claims (source, subject, until);
    CREATE INDEX IF NOT EXISTS ordain_claims_reserved ON ordain_claims (holder) WHERE state = 0;
    CREATE TABLE IF NOT EXISTS ordain_marks (
        source TEXT NOT NULL,
        subject TEXT NOT NULL,
        value BIGINT NOT NULL,
        PRIMARY KEY (source, subject)
    );
";

/// The counted state on a server.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(super) pool: Arc<Pool>,
    // When what is kept no longer was last looked for.
    looked: AtomicI64,
}

impl Postgres {
    /// Connects, and makes what is missing.
    pub(crate) async fn open(server: &Server) -> Result<Self, StoreError> {
        let pool = Arc::new(Pool::new(server.clone()));
        let postgres = Self { pool, looked: AtomicI64::new(i64::MIN) };
        postgres.prepare().await?;
        Ok(postgres)
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        let connected = self.pool.take().await?;
        let found = self.within(version(&connected)).await?;
        let found = match found {
            Some(found) if found >= VERSION => found,
            Some(_) | None => {
                // Two that begin at once may both make it: one of them then finds it made.
                let made = self.within(make(&connected)).await;
                match (made, self.within(version(&connected)).await) {
                    (_, Ok(Some(found))) if found >= VERSION => found,
                    (Err(error), _) | (Ok(()), Err(error)) => return Err(error),
                    (Ok(()), Ok(Some(_) | None)) => {
                        return Err(StoreError::Unavailable("its tables were not made".to_owned()));
                    }
                }
            }
        };
        self.pool.give_back(connected);
        if found > VERSION { Err(StoreError::Newer(found)) } else { Ok(()) }
    }

    pub(crate) async fn counted(
        &self,
        keys: Vec<CounterKey>,
        now: Timestamp,
    ) -> Result<Vec<Counted>, StoreError> {
        let connected = self.pool.take().await?;
        let (sources, subjects) = columns(&keys);
        let asked = async {
            // One of each key, in the order that they were asked for.
            let statement = "SELECT COALESCE(SUM(c.amount), 0)::BIGINT, MIN(c.until)
                 FROM UNNEST($1::TEXT[], $2::TEXT[]) WITH ORDINALITY AS k (source, subject, place)
                 LEFT JOIN ordain_claims c ON c.source = k.source AND c.subject = k.subject AND c.until > $3
                 GROUP BY k.place ORDER BY k.place";
            let statement = connected.prepared(statement).await?;
            let rows = connected.client().query(&statement, &[&sources, &subjects, &micros(now)]).await?;
            rows.iter()
                .map(|row| Ok(Counted { value: read_figure(row.try_get(0)?), until: until(row.try_get(1)?) }))
                .collect::<Result<Vec<_>, Error>>()
        };
        let counted = self.within(asked).await?;
        self.pool.give_back(connected);
        if counted.len() == keys.len() {
            Ok(counted)
        } else {
            Err(StoreError::Unavailable("the server counted other keys than were asked for".to_owned()))
        }
    }

    pub(crate) async fn all(
        &self,
        source: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, Counted)>, StoreError> {
        let connected = self.pool.take().await?;
        let asked = async {
            let statement = "SELECT subject, SUM(amount)::BIGINT, MIN(until) FROM ordain_claims
                 WHERE source = $1 AND until > $2 GROUP BY subject ORDER BY subject";
            let rows = connected.client().query(statement, &[&source, &micros(now)]).await?;
            rows.iter()
                .map(|row| {
                    let counted =
                        Counted { value: read_figure(row.try_get(1)?), until: until(row.try_get(2)?) };
                    Ok((row.try_get(0)?, counted))
                })
                .collect::<Result<Vec<_>, Error>>()
        };
        let all = self.within(asked).await?;
        self.pool.give_back(connected);
        Ok(all)
    }

    pub(crate) async fn reserve(&self, claims: &Claims) -> Result<Result<(), NotClaimed>, StoreError> {
        let now = micros(claims.now);
        let looked = self.looked.load(Ordering::Relaxed);
        if now.saturating_sub(looked) >= HOUR
            && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            // Nobody waits for it, and what fails is done an hour later.
            tokio::spawn(forget(Arc::clone(&self.pool), now.saturating_sub(KEPT)));
        }
        let keys: Vec<CounterKey> = claims.claims.iter().map(|claim| claim.key().clone()).collect();
        self.transact(&keys, Reserve(claims)).await
    }

    pub(crate) async fn settle(
        &self,
        decision: DecisionId,
        keys: &[CounterKey],
        ending: Ending,
    ) -> Result<(), StoreError> {
        self.transact(keys, Settle(decision, ending)).await
    }

    pub(crate) async fn unsettled(&self, holder: Digest, now: Run) -> Result<Vec<DecisionId>, StoreError> {
        let connected = self.pool.take().await?;
        let asked = async {
            let statement = "SELECT DISTINCT decision FROM ordain_claims
                 WHERE holder = $1 AND run <> $2 AND state = 0";
            let rows =
                connected.client().query(statement, &[&holder.0.as_slice(), &now.0.as_slice()]).await?;
            rows.iter().map(|row| row.try_get::<_, Vec<u8>>(0)).collect::<Result<Vec<_>, Error>>()
        };
        let found = self.within(asked).await?;
        self.pool.give_back(connected);
        Ok(found.iter().filter_map(|id| Uuid::from_slice(id).ok()).map(DecisionId).collect())
    }

    pub(crate) async fn raise(&self, key: &CounterKey, value: u64) -> Result<Option<u64>, StoreError> {
        let keys = [key.clone()];
        self.transact(&keys, Raise(key, value)).await
    }

    pub(crate) async fn mark(&self, key: &CounterKey) -> Result<Option<u64>, StoreError> {
        let mut connected = self.pool.take().await?;
        let asked = async {
            let transaction = connected.client_mut().transaction().await?;
            mark(&transaction, key).await
        };
        let mark = self.within(asked).await?;
        self.pool.give_back(connected);
        Ok(mark)
    }

    /// Does something in a transaction that has its keys to itself; again, where the server ended it for another's sake.
    pub(super) async fn transact<W: Work>(
        &self,
        keys: &[CounterKey],
        work: W,
    ) -> Result<W::Done, StoreError> {
        let mut tried = 0;
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            tried += 1;
            let mut connected = self.pool.take().await?;
            let (mut committing, (sources, subjects)) = (false, columns(keys));
            let done = async {
                let transaction = connected.client_mut().transaction().await?;
                let statement = "INSERT INTO ordain_keys AS k (source, subject, taken)
                     SELECT source, subject, 1 FROM UNNEST($1::TEXT[], $2::TEXT[]) AS u (source, subject)
                     ON CONFLICT (source, subject) DO UPDATE SET taken = k.taken + 1";
                transaction.execute(statement, &[&sources, &subjects]).await?;
                let done = work.carry_out(&transaction).await?;
                committing = true;
                transaction.commit().await?;
                Ok(done)
            };
            let late = deadline.min(tokio::time::Instant::now() + PATIENCE);
            let error = match tokio::time::timeout_at(late, done).await {
                Ok(Ok(done)) => {
                    self.pool.give_back(connected);
                    return Ok(done);
                }
                // The server says that it did not happen.
                Ok(Err(error)) if is_conflict(&error) && tried < TRIES => continue,
                Ok(Err(error)) if !committing => return Err(unavailable(&error)),
                Ok(Err(error)) => error.to_string(),
                Err(_late) => "no answer within seconds".to_owned(),
            };
            return Err(if committing {
                StoreError::InDoubt(format!("the counted state was lost while it was written ({error})"))
            } else {
                StoreError::Unavailable(format!("the counted state cannot be used: {error}"))
            });
        }
    }

    pub(super) async fn within<T>(
        &self,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(done) => done.map_err(|error| unavailable(&error)),
            Err(_late) => Err(StoreError::Unavailable(format!(
                "the counted state does not answer within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }
}

/// Something that is done in a transaction.
pub(super) trait Work: Sync {
    type Done: Send;

    fn carry_out(
        &self,
        transaction: &Transaction<'_>,
    ) -> impl Future<Output = Result<Self::Done, Error>> + Send;
}

struct Reserve<'w>(&'w Claims);

impl Work for Reserve<'_> {
    type Done = Result<(), NotClaimed>;

    async fn carry_out(&self, transaction: &Transaction<'_>) -> Result<Self::Done, Error> {
        reserve(transaction, self.0).await
    }
}

struct Settle(DecisionId, Ending);

impl Work for Settle {
    type Done = ();

    async fn carry_out(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        settle(transaction, self.0, self.1).await
    }
}

struct Raise<'w>(&'w CounterKey, u64);

impl Work for Raise<'_> {
    type Done = Option<u64>;

    async fn carry_out(&self, transaction: &Transaction<'_>) -> Result<Option<u64>, Error> {
        let Self(key, value) = self;
        let before = mark(transaction, key).await?;
        let statement = "INSERT INTO ordain_marks AS m (source, subject, value) VALUES ($1, $2, $3)
             ON CONFLICT (source, subject) DO UPDATE SET value = GREATEST(m.value, excluded.value)";
        transaction.execute(statement, &[&&*key.source, &&*key.subject, &figure(*value)]).await?;
        Ok(before)
    }
}

/// Keys as two columns, in the one order in which everybody takes them.
fn columns(keys: &[CounterKey]) -> (Vec<String>, Vec<String>) {
    keys.iter().map(|key| (key.source.to_string(), key.subject.to_string())).unzip()
}

fn is_conflict(error: &Error) -> bool {
    let retried = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        // Somebody else has the key and may hang.
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    error.code().is_some_and(|code| retried.contains(code))
}

fn unavailable(error: &Error) -> StoreError {
    let said = match error.as_db_error() {
        Some(server) => server.message().to_owned(),
        None => error.to_string(),
    };
    StoreError::Unavailable(format!("the counted state cannot be used: {said}"))
}

/// Forgets what counts no more since a time, of whatever key, and keys of which nothing is counted. What somebody has in
/// hand is left.
async fn forget(pool: Arc<Pool>, since: i64) {
    let Ok(connected) = pool.take().await else { return };
    let passed = "DELETE FROM ordain_claims WHERE (source, subject, decision) IN
         (SELECT source, subject, decision FROM ordain_claims WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let empty = "DELETE FROM ordain_keys WHERE (source, subject) IN
         (SELECT source, subject FROM ordain_keys k WHERE NOT EXISTS
             (SELECT 1 FROM ordain_claims c WHERE c.source = k.source AND c.subject = k.subject)
          LIMIT $1 FOR UPDATE SKIP LOCKED)";
    let asked = async {
        connected.client().execute(passed, &[&since, &PASSED_MAX]).await?;
        hold::postgres::forget(connected.client(), since).await?;
        connected.client().execute(empty, &[&PASSED_MAX]).await
    };
    // A connection that is not given back is closed.
    if let Ok(Ok(_)) = tokio::time::timeout(PATIENCE, asked).await {
        pool.give_back(connected);
    }
}

async fn version(connected: &Connected) -> Result<Option<i64>, Error> {
    let rows = connected.client().query("SELECT version FROM ordain_version", &[]).await;
    match rows {
        Ok(rows) => rows.first().map(|row| row.try_get(0)).transpose(),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn make(connected: &Connected) -> Result<(), Error> {
    let text = format!(
        "BEGIN;{SCHEMA}{}INSERT INTO ordain_version (one, version) VALUES (1, {VERSION})
         ON CONFLICT (one) DO UPDATE SET version = GREATEST(ordain_version.version, excluded.version);COMMIT;",
        hold::POSTGRES,
    );
    let made = connected.client().batch_execute(&text).await;
    if made.is_err() {
        connected.client().batch_execute("ROLLBACK").await?;
    }
    made
}

async fn mark(transaction: &Transaction<'_>, key: &CounterKey) -> Result<Option<u64>, Error> {
    let statement = "SELECT value FROM ordain_marks WHERE source = $1 AND subject = $2";
    let row = transaction.query_opt(statement, &[&&*key.source, &&*key.subject]).await?;
    row.map(|row| row.try_get(0).map(read_figure)).transpose()
}

async fn reserve(transaction: &Transaction<'_>, claims: &Claims) -> Result<Result<(), NotClaimed>, Error> {
    let mut places = Vec::with_capacity(claims.claims.len());
    for claim in &claims.claims {
        match claim.placed(&standing(transaction, claim, claims.now).await?) {
            Ok(placed) => places.push((claim, placed)),
            // All of it or nothing: nothing has been written yet.
            Err(why) => return Ok(Err(NotClaimed { key: claim.key().clone(), why })),
        }
    }
    for (claim, placed) in places {
        place(transaction, claims, claim, placed).await?;
    }
    Ok(Ok(()))
}

async fn place(
    transaction: &Transaction<'_>,
    claims: &Claims,
    claim: &Claim,
    placed: Placed,
) -> Result<(), Error> {
    let (source, subject) = (&*claim.key().source, &*claim.key().subject);
    let decision = claims.decision.0.into_bytes();
    let (decision, holder, run) = (decision.as_slice(), claims.holder.0.as_slice(), claims.run.0.as_slice());
    match placed {
        Placed::Anew => {
            let request = claim.request().map(|request| request.0.to_vec());
            let (amount, until) = (figure(claim.amount()), claim.until(claims.now));
            let statement = "INSERT INTO ordain_claims
                 (source, subject, decision, request, amount, state, holder, run, until, sole)
                 VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9)";
            let values: [&(dyn ToSql + Sync); 9] =
                [&source, &subject, &decision, &request, &amount, &holder, &run, &until, &claims.sole];
            transaction.execute(statement, &values).await?;
        }
        Placed::Again(earlier) => {
            let earlier = earlier.as_slice();
            let statement = "UPDATE ordain_claims
                 SET decision = $4, before = state, state = 0, holder = $5, run = $6, sole = $7, request = $8
                 WHERE source = $1 AND subject = $2 AND decision = $3";
            let request = claim.request().map(|request| request.0.to_vec());
            let values: [&(dyn ToSql + Sync); 8] =
                [&source, &subject, &earlier, &decision, &holder, &run, &claims.sole, &request];
            transaction.execute(statement, &values).await?;
        }
    }
    Ok(())
}

/// What stands counted, without what has left the window.
async fn standing(transaction: &Transaction<'_>, claim: &Claim, now: Timestamp) -> Result<Standing, Error> {
    let (source, subject) = (&*claim.key().source, &*claim.key().subject);
    let statement = "SELECT COALESCE(SUM(amount), 0)::BIGINT FROM ordain_claims
         WHERE source = $1 AND subject = $2 AND until > $3";
    let row = transaction.query_one(statement, &[&source, &subject, &micros(now)]).await?;
    let value = read_figure(row.try_get(0)?);
    let Some(request) = claim.request() else { return Ok(Standing { value, same: None, open: None }) };
    if hold::postgres::is_closed(transaction, source).await? {
        return Ok(Standing::NOTHING_LEFT);
    }
    let statement = "SELECT state, decision FROM ordain_claims
         WHERE source = $1 AND subject = $2 AND request = $3
         ORDER BY CASE state WHEN 0 THEN 0 WHEN 3 THEN 1 WHEN 1 THEN 2 ELSE 3 END LIMIT 1";
    let request = request.0.as_slice();
    let id = |bytes: Vec<u8>| Uuid::from_slice(&bytes).ok().map(Uuid::into_bytes);
    let same = match transaction.query_opt(statement, &[&source, &subject, &request]).await? {
        Some(row) => {
            let state = State::of(row.try_get(0)?);
            id(row.try_get(1)?).map(|decision| (state, decision))
        }
        None => None,
    };
    let statement = "SELECT decision FROM ordain_claims
         WHERE source = $1 AND subject = $2 AND request <> $3 AND state = $4 ORDER BY decision LIMIT 1";
    let values: [&(dyn ToSql + Sync); 4] = [&source, &subject, &request, &State::Open.number()];
    let open = match transaction.query_opt(statement, &values).await? {
        Some(row) => id(row.try_get(0)?),
        None => None,
    };
    Ok(Standing { value, same, open })
}

async fn settle(transaction: &Transaction<'_>, decision: DecisionId, ending: Ending) -> Result<(), Error> {
    let decision = decision.0.into_bytes();
    let statement = "SELECT source, subject, request IS NOT NULL, sole, before FROM ordain_claims
         WHERE decision = $1 AND state = 0 FOR UPDATE";
    for row in transaction.query(statement, &[&decision.as_slice()]).await? {
        let (source, subject): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let before: Option<i64> = row.try_get(4)?;
        match Becomes::of(ending, row.try_get(2)?, row.try_get(3)?, before.map(State::of)) {
            Becomes::Gone => {
                let statement =
                    "DELETE FROM ordain_claims WHERE source = $1 AND subject = $2 AND decision = $3";
                transaction.execute(statement, &[&source, &subject, &decision.as_slice()]).await?;
            }
            Becomes::State(state) => {
                let statement = "UPDATE ordain_claims SET state = $4, before = NULL
                     WHERE source = $1 AND subject = $2 AND decision = $3";
                transaction
                    .execute(statement, &[&source, &subject, &decision.as_slice(), &state.number()])
                    .await?;
            }
        }
    }
    Ok(())
}
