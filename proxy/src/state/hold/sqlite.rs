//! Holds in SQLite. One thread writes, so that nothing comes between looking and writing.
//!
//! Leaves out what is to be kept (`mod.rs`), and threads and transactions (`sqlite.rs` beside it).

use jiff::Timestamp;
use ordain_action::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{Answering, Carried, Given, Hold, KEPT, LISTED, MANY, OF_ONE, Opened, Opening, Row, read, shown};
use crate::state::claim::{micros, read_figure};

/// What a file needs for them.
pub(in crate::state) const SCHEMA: &str = "
    CREATE TABLE holds (
        id BLOB PRIMARY KEY,
        request BLOB NOT NULL,
        question BLOB NOT NULL,
        text TEXT NOT NULL,
        actor TEXT NOT NULL,
        opened INTEGER NOT NULL,
        until INTEGER NOT NULL,
        closed INTEGER,
        source TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX holds_by_request ON holds (request, opened);
    CREATE INDEX holds_open ON holds (actor, until) WHERE closed IS NULL;
    CREATE INDEX holds_until ON holds (until);
    CREATE TABLE answers (
        hold BLOB NOT NULL,
        by TEXT NOT NULL,
        approves INTEGER NOT NULL,
        at INTEGER NOT NULL,
        signed INTEGER NOT NULL,
        shown TEXT NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (hold, by)
    ) WITHOUT ROWID;
";

const COLUMNS: &str = "SELECT id, request, question, text, actor, opened, until, closed FROM holds";

/// That one waits, and what it approved was not carried out.
const OPEN: &str = "h.closed IS NULL AND NOT EXISTS
    (SELECT 1 FROM claims c WHERE c.source = h.source AND c.state = 2)";

pub(super) fn open(connection: &Connection, opening: &Opening) -> rusqlite::Result<Opened> {
    let there = of(connection, opening.request, opening.now)?;
    if let Some(there) = there.as_ref().filter(|there| opening.joins(there)) {
        return Ok(Opened::Joined(there.clone()));
    }
    if let Some(there) = &there {
        connection
            .prepare_cached("UPDATE holds SET closed = 1 WHERE id = ?1 AND closed IS NULL")?
            .execute([there.id.into_bytes()])?;
    }
    if waiting(connection, Some(&opening.actor), micros(opening.now))? >= opening.most {
        return Ok(Opened::TooMany);
    }
    connection
        .prepare_cached(
            "INSERT INTO holds (id, request, question, text, actor, opened, until, source)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            opening.id.into_bytes(),
            opening.request.0,
            opening.question.0,
            &*opening.text,
            &*opening.actor,
            micros(opening.now),
            micros(opening.until),
            Hold::source(opening.id),
        ])?;
    Ok(Opened::New(Hold::opened(opening)))
}

pub(super) fn of(connection: &Connection, request: Digest, now: Timestamp) -> rusqlite::Result<Option<Hold>> {
    let text = format!(
        "{COLUMNS} WHERE request = ?1 AND until > ?2 AND (closed IS NULL OR closed = 0)
         ORDER BY opened DESC, id DESC LIMIT 1"
    );
    let row = connection.prepare_cached(&text)?.query_row(params![request.0, micros(now)], row).optional()?;
    row.map(|row| whole(connection, row)).transpose()
}

/// How many wait of an actor, or of all, and were not carried out.
pub(super) fn waiting(connection: &Connection, actor: Option<&str>, now: i64) -> rusqlite::Result<u64> {
    let counted = match actor {
        Some(actor) => connection
            .prepare_cached(&format!(
                "SELECT COUNT(*) FROM holds h WHERE h.actor = ?1 AND h.until > ?2 AND {OPEN}"
            ))?
            .query_row(params![actor, now], |row| row.get(0)),
        None => connection
            .prepare_cached(&format!("SELECT COUNT(*) FROM holds h WHERE h.until > ?1 AND {OPEN}"))?
            .query_row([now], |row| row.get(0)),
    };
    counted.map(read_figure)
}

/// Those that wait and were not carried out, the oldest first, and one more than is listed.
pub(super) fn open_all(connection: &Connection, now: i64) -> rusqlite::Result<Vec<Hold>> {
    let text = format!("{COLUMNS} h WHERE h.until > ?1 AND {OPEN} ORDER BY h.opened, h.id LIMIT ?2");
    let mut statement = connection.prepare_cached(&text)?;
    let rows = statement.query_map([now, LISTED + 1], row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().filter_map(|row| whole(connection, row).ok()).collect())
}

pub(super) fn carried(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Carried>> {
    connection
        .prepare_cached("SELECT state FROM claims WHERE source = ?1 ORDER BY decision DESC LIMIT 1")?
        .query_row([Hold::source(id)], |row| row.get(0).map(Carried::of))
        .optional()
}

/// Whether what is to be used is a hold's, and somebody said no to that or another stands in its place.
pub(in crate::state) fn is_closed(connection: &Connection, source: &str) -> rusqlite::Result<bool> {
    let Some(id) = Hold::of_source(source) else { return Ok(false) };
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM holds WHERE id = ?1 AND closed IS NOT NULL)")?
        .query_row([id.into_bytes()], |row| row.get(0))
}

pub(super) fn close(connection: &Connection, id: Uuid) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE holds SET closed = 1 WHERE id = ?1 AND closed IS NULL")?
        .execute([id.into_bytes()])?;
    Ok(())
}

pub(super) fn one(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Hold>> {
    let text = format!("{COLUMNS} WHERE id = ?1");
    let row = connection.prepare_cached(&text)?.query_row([id.into_bytes()], row).optional()?;
    row.map(|row| whole(connection, row)).transpose()
}

pub(super) fn all(connection: &Connection, since: i64) -> rusqlite::Result<Vec<Hold>> {
    let text = format!("{COLUMNS} WHERE until > ?1 ORDER BY opened DESC, id DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&text)?;
    let rows = statement.query_map([since, LISTED], row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    // What cannot be read is as if it were not there.
    Ok(rows.into_iter().filter_map(|row| whole(connection, row).ok()).collect())
}

pub(super) fn open_of(connection: &Connection, actor: &str, now: i64) -> rusqlite::Result<Vec<Hold>> {
    let text = format!(
        "{COLUMNS} WHERE actor = ?1 AND closed IS NULL AND until > ?2 ORDER BY opened DESC, id DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&text)?;
    let rows =
        statement.query_map(params![actor, now, OF_ONE], row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    // What cannot be read is as if it were not there.
    Ok(rows.into_iter().filter_map(|row| whole(connection, row).ok()).collect())
}

pub(super) fn answer(connection: &Connection, answering: &Answering) -> rusqlite::Result<Given> {
    let hold = match answering.refused(one(connection, answering.id)?, carried(connection, answering.id)?) {
        Ok(hold) => answering.kept(hold),
        Err(given) => return Ok(*given),
    };
    let (signed, shown) = shown(&answering.answer.proof);
    let id = answering.id.into_bytes();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO answers (hold, by, approves, at, signed, shown, why)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            id,
            &*answering.answer.by,
            answering.answer.approves,
            micros(answering.answer.at),
            signed,
            shown,
            &*answering.answer.why,
        ])?;
    connection
        .prepare_cached("UPDATE holds SET closed = ?2 WHERE id = ?1")?
        .execute(params![id, hold.closed.map(super::Closed::number)])?;
    Ok(Given::Kept(hold))
}

/// Forgets what was over long ago.
pub(in crate::state) fn forget(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let since = micros(now).saturating_sub(KEPT);
    connection
        .prepare_cached(
            "DELETE FROM answers WHERE hold IN (SELECT id FROM holds WHERE until <= ?1 ORDER BY until, id LIMIT ?2)",
        )?
        .execute([since, MANY])?;
    connection
        .prepare_cached(
            "DELETE FROM holds WHERE id IN (SELECT id FROM holds WHERE until <= ?1 ORDER BY until, id LIMIT ?2)",
        )?
        .execute([since, MANY])?;
    // What was told of those that are forgotten.
    connection
        .prepare_cached(
            "DELETE FROM marks WHERE source LIKE 'webhook:%' AND NOT EXISTS
             (SELECT 1 FROM holds h WHERE h.source = 'hold:' || substr(marks.subject, 1, 36))",
        )?
        .execute([])?;
    Ok(())
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
    ))
}

fn whole(connection: &Connection, row: Row) -> rusqlite::Result<Hold> {
    let mut statement = connection.prepare_cached(
        "SELECT by, approves, at, signed, shown, why FROM answers WHERE hold = ?1 ORDER BY by",
    )?;
    let answers = statement.query_map([&row.0], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    })?;
    let answers = answers.collect::<rusqlite::Result<Vec<_>>>()?;
    read(row, answers).ok_or(rusqlite::Error::InvalidQuery)
}
