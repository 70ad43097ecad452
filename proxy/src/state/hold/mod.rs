//! Holds as they are kept: what waits for its owners, and what they answered. The same whatever engine keeps it.
//!
//! Of one request at most one hold is open, and whoever sends it again joins that. Leaves out who may answer and what an
//! answer means (`ordain_rules::hold`), and how often what was approved is carried out, which is a claim (`claim.rs`).

pub(super) mod postgres;
pub(super) mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::Digest;
use ordain_rules::{CounterKey, Endorsement, Granted, Proof};
use uuid::Uuid;

pub(super) use postgres::SCHEMA as POSTGRES;
pub(super) use sqlite::SCHEMA as SQLITE;

use super::claim::{State, StoreError, micros};
use super::store::{Engine, Store};

/// For how long a hold is kept after it was over, in microseconds: who asks later finds it in the ledger.
const KEPT: i64 = 30 * 24 * 3_600_000_000;

/// The most that are found to be kept no longer at once.
const MANY: i64 = 10_000;

/// The most that are listed.
const LISTED: i64 = 500;

/// What of a hold is counted, as `Granted::key` names it.
const USED: &str = "request";

/// The most that are listed of one actor.
const OF_ONE: i64 = 1_000;

/// What waits for its owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its name, which who asks and who answers see: a UUIDv7.
    pub id: Uuid,
    /// The request digest.
    pub request: Digest,
    /// The digest of the question.
    pub question: Digest,
    /// The question, as `ordain_rules::Question` reads it.
    pub text: Arc<str>,
    /// Who asks.
    pub actor: Arc<str>,
    /// When it was opened.
    pub opened: Timestamp,
    /// Until when it waits, and what was answered holds.
    pub until: Timestamp,
    /// Why it waits no more.
    pub closed: Option<Closed>,
    /// What people answered, by name.
    pub answers: Vec<Answer>,
}

/// Why a hold waits no more, before its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Somebody who may approve it said no.
    Denied,
    /// Another one stands in its place: it was carried out, or the same request asks for something else now.
    Superseded,
}

/// What a person answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The person.
    pub by: Arc<str>,
    /// Yes or no.
    pub approves: bool,
    /// When.
    pub at: Timestamp,
    /// What shows that it was them.
    pub proof: Proof,
    /// Why, in their words; of a no.
    pub why: Arc<str>,
}

/// What became of what a hold approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It is being sent.
    InFlight,
    /// The upstream refused it before it did anything: it may be sent again.
    Refused,
    /// It was done.
    Done,
    /// It was sent, and nobody knows what became of it.
    Unknown,
}

impl Carried {
    const fn of(number: i64) -> Self {
        match State::of(number) {
            State::Reserved => Self::InFlight,
            State::Open => Self::Refused,
            State::Spent => Self::Done,
            State::Unknown => Self::Unknown,
        }
    }
}

/// A hold that is to be opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The name of it, if it is a new one.
    pub id: Uuid,
    /// The request digest.
    pub request: Digest,
    /// The digest of the question.
    pub question: Digest,
    /// The question.
    pub text: Arc<str>,
    /// Who asks.
    pub actor: Arc<str>,
    /// When.
    pub now: Timestamp,
    /// Until when it waits.
    pub until: Timestamp,
    /// One that was carried out: it is not joined.
    pub over: Option<Uuid>,
    /// The most that one actor has open.
    pub most: u64,
}

/// What became of opening one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is new.
    New(Hold),
    /// The request waits already.
    Joined(Hold),
    /// Its actor has as many open as it may.
    TooMany,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It is kept.
    Kept(Hold),
    /// The person answered before.
    Twice(Hold),
    /// There is no such hold, or it waits no more.
    Over(Option<Hold>),
}

impl Closed {
    const fn number(self) -> i64 {
        match self {
            Self::Denied => 0,
            Self::Superseded => 1,
        }
    }

    const fn of(number: i64) -> Self {
        match number {
            0 => Self::Denied,
            _ => Self::Superseded,
        }
    }

    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Superseded => "over",
        }
    }
}

impl Hold {
    /// It waits for answers.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.closed.is_none() && now < self.until
    }

    /// What is counted of it, as `Granted::key` names it.
    fn source(id: Uuid) -> String {
        format!("hold:{id}")
    }

    /// The hold that something counted is of; none where it is of something else.
    fn of_source(source: &str) -> Option<Uuid> {
        source.strip_prefix("hold:")?.parse().ok()
    }

    /// What people said, as the judge is told; what is approved may be carried out for so long.
    #[must_use]
    pub fn granted(&self, lasts: Duration) -> Granted {
        let denied = self.answers.iter().find(|answer| !answer.approves);
        Granted {
            hold: Arc::from(self.id.to_string()),
            question: self.question,
            approvals: self.approvals(),
            denied: denied.map(|answer| (Arc::clone(&answer.by), Arc::clone(&answer.why))),
            until: self.until,
            lasts,
        }
    }

    /// Who approved it.
    #[must_use]
    pub fn approvals(&self) -> Vec<Endorsement> {
        let approvals = self.answers.iter().filter(|answer| answer.approves);
        approvals
            .map(|answer| Endorsement {
                by: Arc::clone(&answer.by),
                at: answer.at,
                proof: answer.proof.clone(),
            })
            .collect()
    }

    fn opened(opening: &Opening) -> Self {
        Self {
            id: opening.id,
            request: opening.request,
            question: opening.question,
            text: Arc::clone(&opening.text),
            actor: Arc::clone(&opening.actor),
            opened: opening.now,
            until: opening.until,
            closed: None,
            answers: Vec::new(),
        }
    }
}

impl Opening {
    /// Whether the request joins what is there.
    fn joins(&self, there: &Hold) -> bool {
        there.question == self.question && self.over != Some(there.id)
    }

    /// What is taken for it where rows are taken: the request, and whoever asks.
    fn keys(&self) -> Vec<CounterKey> {
        let request = CounterKey { source: Arc::from("hold"), subject: Arc::from(self.request.to_hex()) };
        let actor = CounterKey { source: Arc::from("holds"), subject: Arc::clone(&self.actor) };
        vec![request, actor]
    }
}

/// A row of a hold, before it is read: id, request, question, text, actor, opened, until, closed.
type Row = (Vec<u8>, Vec<u8>, Vec<u8>, String, String, i64, i64, Option<i64>);

/// A row of an answer, before it is read: who, yes, when, whether it is signed, what shows it, why.
type AnswerRow = (String, bool, i64, bool, String, String);

/// Reads a row; `None` where it is none that this program writes.
fn read(row: Row, answers: Vec<AnswerRow>) -> Option<Hold> {
    let (id, request, question, text, actor, opened, until, closed) = row;
    let digest = |bytes: Vec<u8>| Some(Digest(bytes.try_into().ok()?));
    Some(Hold {
        id: Uuid::from_slice(&id).ok()?,
        request: digest(request)?,
        question: digest(question)?,
        text: Arc::from(text),
        actor: Arc::from(actor),
        opened: Timestamp::from_microsecond(opened).ok()?,
        until: Timestamp::from_microsecond(until).ok()?,
        closed: closed.map(Closed::of),
        answers: answers.into_iter().map(read_answer).collect::<Option<_>>()?,
    })
}

fn read_answer((by, approves, at, signed, shown, why): AnswerRow) -> Option<Answer> {
    let shown: Arc<str> = Arc::from(shown);
    Some(Answer {
        by: Arc::from(by),
        approves,
        at: Timestamp::from_microsecond(at).ok()?,
        proof: if signed { Proof::Signed(shown) } else { Proof::Login(shown) },
        why: Arc::from(why),
    })
}

/// How what shows an answer is kept: whether it is a signature, and the text.
fn shown(proof: &Proof) -> (bool, &str) {
    match proof {
        Proof::Signed(signature) => (true, signature),
        Proof::Login(how) => (false, how),
    }
}

impl Store {
    /// Opens a hold for a request, or joins the one that it waits under.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_hold(&self, opening: Opening) -> Result<Opened, StoreError> {
        match self.engine() {
            Engine::Sqlite(engine) => {
                engine.write(move |connection| sqlite::open(connection, &opening)).await
            }
            Engine::Postgres(engine) => {
                let keys = opening.keys();
                engine.transact(&keys, postgres::Open(&opening)).await
            }
        }
    }

    /// The hold that a request waits under, or that was denied and not long ago.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn hold_of(&self, request: Digest, now: Timestamp) -> Result<Option<Hold>, StoreError> {
        match self.engine() {
            Engine::Sqlite(engine) => {
                engine.look(move |connection| sqlite::of(connection, request, now)).await
            }
            Engine::Postgres(engine) => engine.hold_of(request, now).await,
        }
    }

    /// A hold.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn hold(&self, id: Uuid) -> Result<Option<Hold>, StoreError> {
        match self.engine() {
            Engine::Sqlite(engine) => engine.look(move |connection| sqlite::one(connection, id)).await,
            Engine::Postgres(engine) => engine.hold(id).await,
        }
    }

    /// The youngest holds whose time was not over at a time, the youngest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn holds(&self, since: Timestamp) -> Result<Vec<Hold>, StoreError> {
        let since = micros(since);
        match self.engine() {
            Engine::Sqlite(engine) => engine.look(move |connection| sqlite::all(connection, since)).await,
            Engine::Postgres(engine) => engine.holds(since).await,
        }
    }

    /// The holds of an actor whose time is not over at a time and that nobody closed, the youngest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn open_holds_of(&self, actor: Arc<str>, now: Timestamp) -> Result<Vec<Hold>, StoreError> {
        let now = micros(now);
        match self.engine() {
            Engine::Sqlite(engine) => {
                engine.look(move |connection| sqlite::open_of(connection, &actor, now)).await
            }
            Engine::Postgres(engine) => engine.open_holds_of(&actor, now).await,
        }
    }

    /// Those that wait, or are approved, at a time, and were not carried out: the oldest, and whether there are more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn open_holds(&self, now: Timestamp) -> Result<(Vec<Hold>, bool), StoreError> {
        let now = micros(now);
        let mut found = match self.engine() {
            Engine::Sqlite(engine) => engine.look(move |connection| sqlite::open_all(connection, now)).await,
            Engine::Postgres(engine) => engine.open_holds(now).await,
        }?;
        let most = usize::try_from(LISTED).unwrap_or(usize::MAX);
        let more = found.len() > most;
        found.truncate(most);
        Ok((found, more))
    }

    /// How many wait, or are approved, at a time, and were not carried out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn holds_waiting(&self, now: Timestamp) -> Result<u64, StoreError> {
        let now = micros(now);
        match self.engine() {
            Engine::Sqlite(engine) => {
                engine.look(move |connection| sqlite::waiting(connection, None, now)).await
            }
            Engine::Postgres(engine) => engine.holds_waiting(now).await,
        }
    }

    /// What became of what a hold approved; none where it was not sent yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn carried(&self, id: Uuid) -> Result<Option<Carried>, StoreError> {
        match self.engine() {
            Engine::Sqlite(engine) => engine.look(move |connection| sqlite::carried(connection, id)).await,
            Engine::Postgres(engine) => engine.carried(id).await,
        }
    }

    /// Closes a hold that nobody is to answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close_hold(&self, id: Uuid) -> Result<(), StoreError> {
        match self.engine() {
            Engine::Sqlite(engine) => engine.write(move |connection| sqlite::close(connection, id)).await,
            Engine::Postgres(engine) => {
                let key = CounterKey { source: Arc::from("hold"), subject: Arc::from(id.to_string()) };
                engine.transact(&[key], postgres::Close(id)).await
            }
        }
    }

    /// Keeps what somebody answered, once each, while the hold waits and nothing of it was sent. A no closes it, and stands in
    /// the place of an earlier yes of theirs; so does, with `again`, another yes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer_hold(
        &self,
        id: Uuid,
        answer: Answer,
        now: Timestamp,
        again: bool,
    ) -> Result<Given, StoreError> {
        let answering = Answering { id, answer, now, again };
        match self.engine() {
            Engine::Sqlite(engine) => {
                engine.write(move |connection| sqlite::answer(connection, &answering)).await
            }
            Engine::Postgres(engine) => {
                // Whoever carries it out takes the same: an answer comes before that or after.
                let key = CounterKey { source: Arc::from(Hold::source(id)), subject: Arc::from(USED) };
                engine.transact(&[key], postgres::Give(&answering)).await
            }
        }
    }
}

/// An answer on its way.
#[derive(Debug)]
struct Answering {
    id: Uuid,
    answer: Answer,
    now: Timestamp,
    /// An earlier one of theirs that says the same does not count.
    again: bool,
}

impl Answering {
    /// What becomes of it where the hold is so; `None` where it is kept.
    fn refused(&self, hold: Option<Hold>, carried: Option<Carried>) -> Result<Hold, Box<Given>> {
        let Some(hold) = hold else { return Err(Box::new(Given::Over(None))) };
        if !hold.is_open(self.now) || carried.is_some_and(|carried| carried != Carried::Refused) {
            return Err(Box::new(Given::Over(Some(hold))));
        }
        let same = |known: &Answer| known.by == self.answer.by && known.approves == self.answer.approves;
        if !self.again && hold.answers.iter().any(same) {
            return Err(Box::new(Given::Twice(hold)));
        }
        Ok(hold)
    }

    /// The hold with it.
    fn kept(&self, mut hold: Hold) -> Hold {
        if !self.answer.approves {
            hold.closed = Some(Closed::Denied);
        }
        hold.answers.retain(|known| known.by != self.answer.by);
        hold.answers.push(self.answer.clone());
        hold.answers.sort_by(|left, right| left.by.cmp(&right.by));
        hold
    }
}
