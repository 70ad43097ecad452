//! Holds in PostgreSQL, or what speaks its protocol. Whoever writes has the rows of the request, or of the hold, first.
//!
//! Leaves out what is to be kept (`mod.rs`), and connections and transactions (`postgres.rs` beside it).

use jiff::Timestamp;
use ordain_action::Digest;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, GenericClient, Row as Found, Transaction};
use uuid::Uuid;

use super::{
    AnswerRow, Answering, Carried, Closed, Given, Hold, KEPT, LISTED, MANY, OF_ONE, Opened, Opening, Row,
    read, shown,
};
use crate::state::claim::{StoreError, micros, read_figure};
use crate::state::postgres::{Postgres, Work};

/// What a server needs for them.
pub(in crate::state) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS ordain_holds (
        id BYTEA PRIMARY KEY,
        request BYTEA NOT NULL,
        question BYTEA NOT NULL,
        text TEXT NOT NULL,
        actor TEXT NOT NULL,
        opened BIGINT NOT NULL,
        until BIGINT NOT NULL,
        closed BIGINT,
        source TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS ordain_holds_by_request ON ordain_holds (request, opened);
    CREATE INDEX IF NOT EXISTS ordain_holds_open ON ordain_holds (actor, until) WHERE closed IS NULL;
    CREATE INDEX IF NOT EXISTS ordain_holds_until ON ordain_holds (until);
    CREATE TABLE IF NOT EXISTS ordain_answers (
        hold BYTEA NOT NULL,
        by_whom TEXT NOT NULL,
        approves BOOLEAN NOT NULL,
        at BIGINT NOT NULL,
        signed BOOLEAN NOT NULL,
        shown TEXT NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (hold, by_whom)
    );
";

const COLUMNS: &str = "SELECT id, request, question, text, actor, opened, until, closed FROM ordain_holds";

impl Postgres {
    pub(super) async fn hold_of(&self, request: Digest, now: Timestamp) -> Result<Option<Hold>, StoreError> {
        let connected = self.pool.take().await?;
        let found = self.within(of(connected.client(), request, now)).await?;
        self.pool.give_back(connected);
        Ok(found)
    }

    pub(super) async fn hold(&self, id: Uuid) -> Result<Option<Hold>, StoreError> {
        let connected = self.pool.take().await?;
        let found = self.within(one(connected.client(), id)).await?;
        self.pool.give_back(connected);
        Ok(found)
    }

    pub(super) async fn open_holds(&self, now: i64) -> Result<Vec<Hold>, StoreError> {
        let connected = self.pool.take().await?;
        let asked = async {
            let client = connected.client();
            let text = format!(
                "{COLUMNS} h WHERE h.until > $1 AND h.closed IS NULL AND NOT EXISTS
                 (SELECT 1 FROM ordain_claims c WHERE c.source = h.source AND c.state = 2)
                 ORDER BY h.opened, h.id LIMIT $2"
            );
            let mut holds = Vec::new();
            for row in client.query(&text, &[&now, &(LISTED + 1)]).await? {
                holds.extend(whole(client, &row).await?);
            }
            Ok(holds)
        };
        let found = self.within(asked).await?;
        self.pool.give_back(connected);
        Ok(found)
    }

    pub(super) async fn holds_waiting(&self, now: i64) -> Result<u64, StoreError> {
        let connected = self.pool.take().await?;
        let waiting = self.within(waiting(connected.client(), None, now)).await?;
        self.pool.give_back(connected);
        Ok(waiting)
    }

    pub(super) async fn carried(&self, id: Uuid) -> Result<Option<Carried>, StoreError> {
        let connected = self.pool.take().await?;
        let carried = self.within(carried(connected.client(), id)).await?;
        self.pool.give_back(connected);
        Ok(carried)
    }

    pub(super) async fn open_holds_of(&self, actor: &str, now: i64) -> Result<Vec<Hold>, StoreError> {
        let connected = self.pool.take().await?;
        let asked = async {
            let client = connected.client();
            let text = format!(
                "{COLUMNS} WHERE actor = $1 AND closed IS NULL AND until > $2 ORDER BY opened DESC, id DESC LIMIT $3"
            );
            let mut holds = Vec::new();
            for row in client.query(&text, &[&actor, &now, &OF_ONE]).await? {
                holds.extend(whole(client, &row).await?);
            }
            Ok(holds)
        };
        let found = self.within(asked).await?;
        self.pool.give_back(connected);
        Ok(found)
    }

    pub(super) async fn holds(&self, since: i64) -> Result<Vec<Hold>, StoreError> {
        let connected = self.pool.take().await?;
        let asked = async {
            let client = connected.client();
            let text = format!("{COLUMNS} WHERE until > $1 ORDER BY opened DESC, id DESC LIMIT $2");
            let mut holds = Vec::new();
            for row in client.query(&text, &[&since, &LISTED]).await? {
                holds.extend(whole(client, &row).await?);
            }
            Ok(holds)
        };
        let found = self.within(asked).await?;
        self.pool.give_back(connected);
        Ok(found)
    }
}

pub(super) struct Open<'o>(pub(super) &'o Opening);

impl Work for Open<'_> {
    type Done = Opened;

    async fn carry_out(&self, transaction: &Transaction<'_>) -> Result<Opened, Error> {
        let opening = self.0;
        let there = of(transaction, opening.request, opening.now).await?;
        if let Some(there) = there.as_ref().filter(|there| opening.joins(there)) {
            return Ok(Opened::Joined(there.clone()));
        }
        if let Some(there) = &there {
            let text = "UPDATE ordain_holds SET closed = 1 WHERE id = $1 AND closed IS NULL";
            transaction.execute(text, &[&there.id.as_bytes().as_slice()]).await?;
        }
        if waiting(transaction, Some(&opening.actor), micros(opening.now)).await? >= opening.most {
            return Ok(Opened::TooMany);
        }
        let text = "INSERT INTO ordain_holds (id, request, question, text, actor, opened, until, source)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let (id, request) = (opening.id.as_bytes().as_slice(), opening.request.0.as_slice());
        let (opened, until) = (micros(opening.now), micros(opening.until));
        let source = Hold::source(opening.id);
        let values: [&(dyn ToSql + Sync); 8] = [
            &id,
            &request,
            &opening.question.0.as_slice(),
            &&*opening.text,
            &&*opening.actor,
            &opened,
            &until,
            &source,
        ];
        transaction.execute(text, &values).await?;
        Ok(Opened::New(Hold::opened(opening)))
    }
}

pub(super) struct Close(pub(super) Uuid);

impl Work for Close {
    type Done = ();

    async fn carry_out(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let text = "UPDATE ordain_holds SET closed = 1 WHERE id = $1 AND closed IS NULL";
        transaction.execute(text, &[&self.0.as_bytes().as_slice()]).await.map(drop)
    }
}

pub(super) struct Give<'a>(pub(super) &'a Answering);

impl Work for Give<'_> {
    type Done = Given;

    async fn carry_out(&self, transaction: &Transaction<'_>) -> Result<Given, Error> {
        let answering = self.0;
        let there = one(transaction, answering.id).await?;
        let hold = match answering.refused(there, carried(transaction, answering.id).await?) {
            Ok(hold) => answering.kept(hold),
            Err(given) => return Ok(*given),
        };
        let id = answering.id.as_bytes().as_slice();
        let answer = &answering.answer;
        let (signed, shown) = shown(&answer.proof);
        let text = "INSERT INTO ordain_answers (hold, by_whom, approves, at, signed, shown, why)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (hold, by_whom) DO UPDATE SET approves = excluded.approves, at = excluded.at,
                 signed = excluded.signed, shown = excluded.shown, why = excluded.why";
        let at = micros(answer.at);
        let values: [&(dyn ToSql + Sync); 7] =
            [&id, &&*answer.by, &answer.approves, &at, &signed, &shown, &&*answer.why];
        transaction.execute(text, &values).await?;
        // What was put in its place meanwhile is not opened again.
        let text = "UPDATE ordain_holds SET closed = $2 WHERE id = $1 AND closed IS NULL";
        let closed = hold.closed.map(Closed::number);
        let kept = transaction.execute(text, &[&id, &closed]).await? == 1;
        Ok(if kept { Given::Kept(hold) } else { Given::Over(Some(hold)) })
    }
}

/// Forgets what was over long ago; `since` is when what is counted no more is forgotten.
pub(in crate::state) async fn forget(client: &Client, since: i64) -> Result<(), Error> {
    let since = since.saturating_sub(KEPT);
    let text = "DELETE FROM ordain_answers WHERE hold IN
         (SELECT id FROM ordain_holds WHERE until <= $1 ORDER BY until, id LIMIT $2)";
    client.execute(text, &[&since, &MANY]).await?;
    let text = "DELETE FROM ordain_holds WHERE id IN
         (SELECT id FROM ordain_holds WHERE until <= $1 ORDER BY until, id LIMIT $2)";
    client.execute(text, &[&since, &MANY]).await?;
    // What was told of those that are forgotten.
    let text = "DELETE FROM ordain_marks m WHERE m.source LIKE 'webhook:%' AND NOT EXISTS
         (SELECT 1 FROM ordain_holds h WHERE h.source = 'hold:' || SUBSTR(m.subject, 1, 36))";
    client.execute(text, &[]).await?;
    Ok(())
}

async fn of(client: &impl GenericClient, request: Digest, now: Timestamp) -> Result<Option<Hold>, Error> {
    let text = format!(
        "{COLUMNS} WHERE request = $1 AND until > $2 AND (closed IS NULL OR closed = 0)
         ORDER BY opened DESC, id DESC LIMIT 1"
    );
    match client.query_opt(&text, &[&request.0.as_slice(), &micros(now)]).await? {
        Some(row) => whole(client, &row).await,
        None => Ok(None),
    }
}

async fn carried(client: &impl GenericClient, id: Uuid) -> Result<Option<Carried>, Error> {
    let text = "SELECT state FROM ordain_claims WHERE source = $1 ORDER BY decision DESC LIMIT 1";
    let found = client.query_opt(text, &[&Hold::source(id)]).await?;
    found.map(|row| row.try_get(0).map(Carried::of)).transpose()
}

/// Whether what is to be used is a hold's, and somebody said no to that or another stands in its place.
pub(in crate::state) async fn is_closed(client: &impl GenericClient, source: &str) -> Result<bool, Error> {
    let Some(id) = Hold::of_source(source) else { return Ok(false) };
    let text = "SELECT EXISTS (SELECT 1 FROM ordain_holds WHERE id = $1 AND closed IS NOT NULL)";
    client.query_one(text, &[&id.as_bytes().as_slice()]).await?.try_get(0)
}

/// How many wait of an actor, or of all, and were not carried out.
async fn waiting(client: &impl GenericClient, actor: Option<&str>, now: i64) -> Result<u64, Error> {
    let text = "SELECT COUNT(*) FROM ordain_holds h
         WHERE ($1::TEXT IS NULL OR h.actor = $1) AND h.closed IS NULL AND h.until > $2
         AND NOT EXISTS (SELECT 1 FROM ordain_claims c WHERE c.source = h.source AND c.state = 2)";
    client.query_one(text, &[&actor, &now]).await?.try_get(0).map(read_figure)
}

async fn one(client: &impl GenericClient, id: Uuid) -> Result<Option<Hold>, Error> {
    let text = format!("{COLUMNS} WHERE id = $1");
    match client.query_opt(&text, &[&id.as_bytes().as_slice()]).await? {
        Some(row) => whole(client, &row).await,
        None => Ok(None),
    }
}

async fn whole(client: &impl GenericClient, row: &Found) -> Result<Option<Hold>, Error> {
    let read_row: Row = (
        row.try_get(0)?,
        row.try_get(1)?,
        row.try_get(2)?,
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
        row.try_get(6)?,
        row.try_get(7)?,
    );
    let text = "SELECT by_whom, approves, at, signed, shown, why FROM ordain_answers
         WHERE hold = $1 ORDER BY by_whom COLLATE \"C\"";
    let answer = |row: &Found| -> Result<AnswerRow, Error> {
        Ok((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
            row.try_get(4)?,
            row.try_get(5)?,
        ))
    };
    let rows = client.query(text, &[&read_row.0]).await?;
    let answers = rows.iter().map(answer).collect::<Result<Vec<_>, Error>>()?;
    // What cannot be read is as if it were not there: nothing is approved by it.
    Ok(read(read_row, answers))
}
