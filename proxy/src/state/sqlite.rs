//! The counted state in SQLite, embedded in the state directory.
//!
//! One thread writes and one reads. What waits for the writer is written together and synced once, each in a savepoint of
//! its own. Leaves out what may be claimed (`claim.rs`).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{DecisionId, Digest};
use ordain_rules::{Counted, CounterKey};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::claim::{
    Becomes, Claim, Claims, Ending, HOUR, KEPT, NotClaimed, Placed, Run, Standing, State, StoreError,
    VERSION, figure, micros, read_figure, until,
};
use super::hold;

/// The most that is written together.
const BATCH_MAX: usize = 256;

/// The most that waits for a thread.
const WAITING_MAX: usize = 4096;

/// The most that is found to be kept no longer at once.
const PASSED_MAX: i64 = 10_000;

/// How long another process, which only ever reads, may keep the file: less than anybody waits.
const BUSY: Duration = Duration::from_secs(4);

/// How long anybody waits until something is done.
const PATIENCE: Duration = Duration::from_secs(5);

/// The mark of the latest time that something was claimed at.
const SEEN: (&str, &str) = ("ordain", "seen");

const SCHEMA: &str = "
    CREATE TABLE claims (
        source TEXT NOT NULL,
        subject TEXT NOT NULL,
        decision BLOB NOT NULL,
        request BLOB,
        amount INTEGER NOT NULL,
        state INTEGER NOT NULL,
        before INTEGER,
        holder BLOB NOT NULL,
        run BLOB NOT NULL,
        until INTEGER NOT NULL,
        sole INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (source, subject, decision)
    ) WITHOUT ROWID;
    CREATE INDEX claims_by_decision ON claims (decision);
    CREATE INDEX claims_counted ON claims (source, subject, until, amount);
    CREATE INDEX claims_until ON claims (until);
    CREATE INDEX claims_reserved ON claims (holder, run) WHERE state = 0;
    CREATE TABLE marks (
        source TEXT NOT NULL,
        subject TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (source, subject)
    ) WITHOUT ROWID;
";

/// What a file of the form before lacks: of what is in it nobody knows whether a refusal says that nothing happened.
const SECOND: &str = "
    ALTER TABLE claims ADD COLUMN sole INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX claims_until ON claims (until);
";

/// The counted state in a file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: mpsc::SyncSender<Job>,
    reader: mpsc::SyncSender<Job>,
    // When what is kept no longer was last looked for.
    looked: AtomicI64,
}

/// Something to be done in a transaction; what it returns tells whoever waits, once that is committed or failed.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Tell + Send>;
type Tell = Box<dyn FnOnce(Option<StoreError>) + Send>;

/// The file in a state directory.
pub(crate) fn file(state: &Path) -> PathBuf {
    state.join("counted.sqlite")
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(|error| unavailable(&error))?;
        prepare(&connection)?;
        let writer = worker("counted", connection, true)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| unavailable(&error))?;
        connection.busy_timeout(BUSY).map_err(|error| unavailable(&error))?;
        let reader = worker("counted-reads", connection, false)?;
        Ok(Self { writer, reader, looked: AtomicI64::new(i64::MIN) })
    }

    pub(crate) async fn counted(
        &self,
        keys: Vec<CounterKey>,
        now: Timestamp,
    ) -> Result<Vec<Counted>, StoreError> {
        read(&self.reader, move |connection| {
            let now = onward(connection, now)?;
            keys.iter().map(|key| counted(connection, key, now)).collect::<rusqlite::Result<_>>()
        })
        .await
    }

    pub(crate) async fn all(
        &self,
        source: String,
        now: Timestamp,
    ) -> Result<Vec<(String, Counted)>, StoreError> {
        read(&self.reader, move |connection| {
            let now = onward(connection, now)?;
            let mut statement = connection.prepare_cached(
                "SELECT subject, SUM(amount), MIN(until) FROM claims WHERE source = ?1 AND until > ?2
                 GROUP BY subject ORDER BY subject",
            )?;
            let rows = statement.query_map(params![source, micros(now)], |row| {
                let counted = Counted { value: read_figure(row.get(1)?), until: until(row.get(2)?) };
                Ok((row.get(0)?, counted))
            })?;
            rows.collect()
        })
        .await
    }

    pub(crate) async fn reserve(&self, claims: Claims) -> Result<Result<(), NotClaimed>, StoreError> {
        let now = micros(claims.now);
        let looked = self.looked.load(Ordering::Relaxed);
        if now.saturating_sub(looked) >= HOUR
            && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            // Nobody waits for it, and where there is no room for it now it is done an hour later.
            let at = claims.now;
            drop(send(&self.writer, move |connection| forget(connection, at)));
        }
        run(&self.writer, move |connection| {
            let now = onward(connection, claims.now)?;
            raise(connection, SEEN, micros(now))?;
            reserve(connection, &Claims { now, ..claims })
        })
        .await
    }

    pub(crate) async fn settle(&self, decision: DecisionId, ending: Ending) -> Result<(), StoreError> {
        run(&self.writer, move |connection| settle(connection, decision, ending)).await
    }

    pub(crate) async fn unsettled(&self, holder: Digest, now: Run) -> Result<Vec<DecisionId>, StoreError> {
        read(&self.reader, move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT decision FROM claims WHERE holder = ?1 AND run <> ?2 AND state = 0",
            )?;
            let rows = statement.query_map(params![holder.0, now.0], |row| row.get::<_, [u8; 16]>(0))?;
            rows.map(|row| row.map(|id| DecisionId(Uuid::from_bytes(id)))).collect()
        })
        .await
    }

    /// Does something in a transaction of the writer's.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        run(&self.writer, work).await
    }

    /// Looks at something that is kept.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        read(&self.reader, work).await
    }

    pub(crate) async fn raise(&self, key: CounterKey, value: u64) -> Result<Option<u64>, StoreError> {
        run(&self.writer, move |connection| {
            let before = mark(connection, (&key.source, &key.subject))?;
            raise(connection, (&key.source, &key.subject), figure(value))?;
            Ok(before.map(read_figure))
        })
        .await
    }

    pub(crate) async fn mark(&self, key: CounterKey) -> Result<Option<u64>, StoreError> {
        read(&self.reader, move |connection| {
            Ok(mark(connection, (&key.source, &key.subject))?.map(read_figure))
        })
        .await
    }
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    let prepared = || -> rusqlite::Result<i64> {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What was admitted stays counted after a power cut: every commit is synced.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_query_value(None, "user_version", |row| row.get(0))
    };
    let lacking = match prepared().map_err(|error| unavailable(&error))? {
        0 => [SCHEMA, hold::SQLITE],
        1 => [SECOND, hold::SQLITE],
        found if found < VERSION => [hold::SQLITE, ""],
        VERSION => return Ok(()),
        newer => return Err(StoreError::Newer(newer)),
    }
    .concat();
    let text = format!("BEGIN IMMEDIATE;{lacking}PRAGMA user_version = {VERSION};COMMIT;");
    connection.execute_batch(&text).map_err(|error| unavailable(&error))
}

fn counted(connection: &Connection, key: &CounterKey, now: Timestamp) -> rusqlite::Result<Counted> {
    connection
        .prepare_cached(
            "SELECT COALESCE(SUM(amount), 0), MIN(until) FROM claims
             WHERE source = ?1 AND subject = ?2 AND until > ?3",
        )?
        .query_row(params![&*key.source, &*key.subject, micros(now)], |row| {
            Ok(Counted { value: read_figure(row.get(0)?), until: until(row.get(1)?) })
        })
}

fn mark(connection: &Connection, key: (&str, &str)) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT value FROM marks WHERE source = ?1 AND subject = ?2")?
        .query_row(key, |row| row.get(0))
        .optional()
}

fn raise(connection: &Connection, (source, subject): (&str, &str), value: i64) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT INTO marks (source, subject, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (source, subject) DO UPDATE SET value = max(value, excluded.value)",
        )?
        .execute(params![source, subject, value])
}

/// A time, or the latest that something was claimed at: a clock that is put back frees nothing, and nothing that is claimed
/// by it is passed before its time.
fn onward(connection: &Connection, now: Timestamp) -> rusqlite::Result<Timestamp> {
    let seen = mark(connection, SEEN)?.and_then(|seen| Timestamp::from_microsecond(seen).ok());
    Ok(seen.map_or(now, |seen| now.max(seen)))
}

/// Forgets what has counted no more for a day, of whatever key.
fn forget(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let now = onward(connection, now)?;
    connection
        .prepare_cached(
            "DELETE FROM claims WHERE (source, subject, decision) IN
             (SELECT source, subject, decision FROM claims WHERE until <= ?1 LIMIT ?2)",
        )?
        .execute([micros(now).saturating_sub(KEPT), PASSED_MAX])?;
    hold::sqlite::forget(connection, now)
}

fn unavailable(error: &rusqlite::Error) -> StoreError {
    let more = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "; it is damaged: stop the gate, move `counted.sqlite` away and begin counting anew"
        }
        Some(ErrorCode::DiskFull) => "; make room on its disk",
        Some(_) | None => "",
    };
    StoreError::Unavailable(format!("the counted state cannot be used: {error}{more}"))
}

fn reserve(connection: &Connection, claims: &Claims) -> rusqlite::Result<Result<(), NotClaimed>> {
    let mut places = Vec::with_capacity(claims.claims.len());
    for claim in &claims.claims {
        match claim.placed(&standing(connection, claim, claims.now)?) {
            Ok(placed) => places.push((claim, placed)),
            // All of it or nothing: nothing has been written yet.
            Err(why) => return Ok(Err(NotClaimed { key: claim.key().clone(), why })),
        }
    }
    for (claim, placed) in places {
        place(connection, claims, claim, placed)?;
    }
    Ok(Ok(()))
}

fn place(connection: &Connection, claims: &Claims, claim: &Claim, placed: Placed) -> rusqlite::Result<()> {
    let (source, subject) = (&*claim.key().source, &*claim.key().subject);
    let decision = claims.decision.0.into_bytes();
    match placed {
        Placed::Anew => connection
            .prepare_cached(
                "INSERT INTO claims (source, subject, decision, request, amount, state, holder, run, until, sole)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                source,
                subject,
                decision,
                claim.request().map(|request| request.0),
                figure(claim.amount()),
                claims.holder.0,
                claims.run.0,
                claim.until(claims.now),
                claims.sole,
            ])?,
        Placed::Again(earlier) => connection
            .prepare_cached(
                "UPDATE claims SET decision = ?4, before = state, state = 0, holder = ?5, run = ?6, sole = ?7,
                     request = ?8
                 WHERE source = ?1 AND subject = ?2 AND decision = ?3",
            )?
            .execute(params![
                source,
                subject,
                earlier,
                decision,
                claims.holder.0,
                claims.run.0,
                claims.sole,
                claim.request().map(|request| request.0),
            ])?,
    };
    Ok(())
}

fn standing(connection: &Connection, claim: &Claim, now: Timestamp) -> rusqlite::Result<Standing> {
    let value = counted(connection, claim.key(), now)?.value;
    let Some(request) = claim.request() else { return Ok(Standing { value, same: None, open: None }) };
    if hold::sqlite::is_closed(connection, &claim.key().source)? {
        return Ok(Standing::NOTHING_LEFT);
    }
    let same = connection
        .prepare_cached(
            "SELECT state, decision FROM claims WHERE source = ?1 AND subject = ?2 AND request = ?3
             ORDER BY CASE state WHEN 0 THEN 0 WHEN 3 THEN 1 WHEN 1 THEN 2 ELSE 3 END LIMIT 1",
        )?
        .query_row(params![&*claim.key().source, &*claim.key().subject, request.0], |row| {
            Ok((State::of(row.get(0)?), row.get(1)?))
        })
        .optional()?;
    let open = connection
        .prepare_cached(
            "SELECT MIN(decision) FROM claims
             WHERE source = ?1 AND subject = ?2 AND request <> ?3 AND state = ?4",
        )?
        .query_row(
            params![&*claim.key().source, &*claim.key().subject, request.0, State::Open.number()],
            |row| row.get(0),
        )?;
    Ok(Standing { value, same, open })
}

fn settle(connection: &Connection, decision: DecisionId, ending: Ending) -> rusqlite::Result<()> {
    let decision = decision.0.into_bytes();
    let mut found = connection.prepare_cached(
        "SELECT source, subject, request IS NOT NULL, sole, before FROM claims WHERE decision = ?1 AND state = 0",
    )?;
    let rows = found.query_map(params![decision], |row| {
        let before: Option<i64> = row.get(4)?;
        let becomes = Becomes::of(ending, row.get(2)?, row.get(3)?, before.map(State::of));
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, becomes))
    })?;
    for (source, subject, becomes) in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        match becomes {
            Becomes::Gone => connection
                .prepare_cached("DELETE FROM claims WHERE source = ?1 AND subject = ?2 AND decision = ?3")?
                .execute(params![source, subject, decision])?,
            Becomes::State(state) => connection
                .prepare_cached(
                    "UPDATE claims SET state = ?4, before = NULL
                     WHERE source = ?1 AND subject = ?2 AND decision = ?3",
                )?
                .execute(params![source, subject, decision, state.number()])?,
        };
    }
    Ok(())
}

/// Has something done by a thread, and waits for it; not for ever. What was given up on is done all the same, before all
/// that is asked for later.
async fn run<T: Send + 'static>(
    worker: &mpsc::SyncSender<Job>,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let told = send(worker, work)?;
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(told) => told.unwrap_or_else(|_| Err(closed())),
        Err(_late) => Err(StoreError::InDoubt(format!(
            "the counted state does not answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// The same of what changes nothing, about which there is no doubt.
async fn read<T: Send + 'static>(
    worker: &mpsc::SyncSender<Job>,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    run(worker, work).await.map_err(|error| match error {
        StoreError::InDoubt(why) => StoreError::Unavailable(why),
        StoreError::Unavailable(_) | StoreError::Newer(_) => error,
    })
}

/// Has something done by a thread.
fn send<T: Send + 'static>(
    worker: &mpsc::SyncSender<Job>,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
    let (tell, told) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        let done = connection
            .and_then(|connection| in_savepoint(connection, work).map_err(|error| unavailable(&error)));
        Box::new(move |failed| {
            // Whoever waited may have gone.
            drop(tell.send(done.and_then(|done| failed.map_or(Ok(done), Err))));
        })
    });
    match worker.try_send(job) {
        Ok(()) => Ok(told),
        Err(mpsc::TrySendError::Full(_)) => {
            Err(StoreError::Unavailable("too much waits for the counted state".to_owned()))
        }
        Err(mpsc::TrySendError::Disconnected(_)) => Err(closed()),
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the counted state is closed".to_owned())
}

/// What fails leaves nothing behind of itself, and all of what is written with it.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("SAVEPOINT job")?;
    let done = work(connection);
    let end = if done.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end)?;
    done
}

fn worker(name: &str, connection: Connection, writes: bool) -> Result<mpsc::SyncSender<Job>, StoreError> {
    let (sender, jobs) = mpsc::sync_channel::<Job>(WAITING_MAX);
    let begin = if writes { "BEGIN IMMEDIATE" } else { "BEGIN" };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            while let Ok(first) = jobs.recv() {
                let batch: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(BATCH_MAX)).collect();
                carry_out(&connection, begin, batch);
            }
        })
        .map_err(|error| StoreError::Unavailable(format!("no thread for the counted state: {error}")))?;
    Ok(sender)
}

fn carry_out(connection: &Connection, begin: &str, batch: Vec<Job>) {
    // Outside of a transaction a savepoint would commit by itself: nothing is tried then.
    if let Err(error) = connection.execute_batch(begin) {
        let error = unavailable(&error);
        batch.into_iter().for_each(|job| job(Err(error.clone()))(None));
        return;
    }
    let tell: Vec<Tell> = batch.into_iter().map(|job| job(Ok(connection))).collect();
    let failed = connection.execute_batch("COMMIT").err().map(|error| {
        // What could not be synced may be there after the next start all the same.
        drop(connection.execute_batch("ROLLBACK"));
        StoreError::InDoubt(format!("the counted state cannot be written: {error}"))
    });
    for tell in tell {
        tell(failed.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::engines::{amount, at, claims, decision, key};
    use super::*;

    #[tokio::test]
    async fn a_disk_that_does_not_answer_is_given_up_on_and_what_was_asked_is_given_back_later() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(&file(folder.path())).unwrap();
        let (let_go, held) = mpsc::channel::<()>();
        drop(send(&sqlite.writer, move |_| Ok(held.recv().is_ok())).unwrap());
        let taking = decision();
        let began = tokio::time::Instant::now();
        let lost = sqlite.reserve(claims(taking, vec![amount("robot", 1, 3)], at(0))).await;
        assert!(matches!(lost, Err(StoreError::InDoubt(_))), "{lost:?}");
        assert!(began.elapsed() < Duration::from_secs(8));
        // It waits behind what hangs, and no more of it than there is room for.
        let mut waiting = 0;
        while send(&sqlite.writer, |_| Ok(())).is_ok() {
            waiting += 1;
        }
        assert!(waiting <= WAITING_MAX, "{waiting}");
        let full = sqlite.settle(taking, Ending::Released).await;
        assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
        drop(let_go);
        while let Err(error) = sqlite.settle(taking, Ending::Released).await {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let of = vec![key("budget:b", "robot")];
        assert_eq!(sqlite.counted(of, at(1)).await.unwrap()[0].value, 0);
    }
}
