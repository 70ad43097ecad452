//! Holds: what waits for its owners, who of them may answer, and whether enough of them have.
//!
//! Leaves out where answers are kept and who collects them (the program), and what makes a decision wait (the judge).

mod question;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{Action, ActorKind, Digest};

pub use self::question::{Asker, Doing, Place, Question, Reaching, Touching, Waiting};
use crate::approval::verify_hold;
use crate::calendar::Term;
use crate::model::{Model, People};
use crate::{CounterKey, Snapshot};

/// What the owners of a request are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// The digest of the text, which is what they approve.
    pub digest: Digest,
    /// The question as a text, which [`Question::read`] reads.
    pub text: String,
}

/// What people answered to the hold of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The hold.
    pub hold: Arc<str>,
    /// The digest of the question that they answered.
    pub question: Digest,
    /// Who approved it.
    pub approvals: Vec<Endorsement>,
    /// Who denied it, and why.
    pub denied: Option<(Arc<str>, Arc<str>)>,
    /// Until when it waits.
    pub until: Timestamp,
    /// How long it may be carried out from the latest approval on that counts.
    pub lasts: Duration,
}

/// One person's approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsement {
    /// The person, as the model names them.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// What shows that it was them.
    pub proof: Proof,
}

/// What shows that somebody approved something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Their signature, as `ssh-keygen -Y sign` writes it.
    Signed(Arc<str>),
    /// They were logged in; how, in a few words.
    Login(Arc<str>),
}

/// How far an owner's approval has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The owner.
    pub owner: Arc<str>,
    /// How many people have to approve.
    pub at_least: usize,
    /// Only what they signed counts.
    pub signed: bool,
    /// Whose approval counts, sorted.
    pub by: Vec<Arc<str>>,
    /// Who may approve and has not, sorted.
    pub may: Vec<Arc<str>>,
    /// When the last of them did.
    pub since: Option<Timestamp>,
}

impl Answered {
    /// Enough of them have approved.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.by.len() >= self.at_least
    }
}

impl Granted {
    /// What is used when the request is carried out: once.
    #[must_use]
    pub fn key(&self) -> CounterKey {
        CounterKey { source: Arc::from(format!("hold:{}", self.hold)), subject: Arc::from(USED) }
    }

    /// Until when what was approved may be carried out.
    #[must_use]
    pub fn ends(&self, progress: &[Answered]) -> Timestamp {
        let last = progress.iter().filter_map(|one| one.since).max();
        let lasts = last.and_then(|last| last.checked_add(self.lasts).ok());
        lasts.map_or(self.until, |lasts| lasts.min(self.until))
    }
}

/// What is used of whatever hold a request is carried out under: while nobody knows what became of it, no other admits it.
pub(crate) fn request_key(request: Digest) -> CounterKey {
    CounterKey { source: Arc::from(format!("held:{}", request.to_hex())), subject: Arc::from(USED) }
}

/// What of a hold is counted.
const USED: &str = "request";

/// How long it stays counted that what a hold approved was carried out: longer than any hold lasts.
pub(crate) const KEPT: Duration = Duration::from_secs(62 * 24 * 3600);

impl Snapshot {
    /// How far each owner's approval of a question has come.
    ///
    /// # Errors
    /// There is no model.
    pub fn answered(
        &self,
        (hold, digest): (&str, Digest),
        question: &Question,
        approvals: &[Endorsement],
        now: Timestamp,
    ) -> Result<Vec<Answered>, String> {
        let model = self.model().ok_or("there is no model; holds are answered by the people of a model")?;
        Ok(answered(&model.people, (hold, digest), question, approvals, now))
    }

    /// Whether a signature approves just this: the fingerprint of the key it is by.
    ///
    /// # Errors
    /// Why it does not, and what to do.
    pub fn verify_hold(
        &self,
        (hold, digest): (&str, Digest),
        signed: (&str, Timestamp),
        signature: &str,
    ) -> Result<String, String> {
        let model = self.model().ok_or("there is no model; holds are answered by the people of a model")?;
        verify_hold(&model.people, (hold, &digest.to_hex()), signed, signature)
    }

    /// Whether somebody may answer a question, and as whom.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn may_answer(&self, question: &Question, by: &str) -> Result<Vec<Arc<str>>, String> {
        let model = self.model().ok_or("there is no model; holds are answered by the people of a model")?;
        let people = &model.people;
        let asks = question.asks();
        let told = || asks.iter().map(|owner| format!("`{owner}`")).collect::<Vec<_>>().join(", ");
        let Some(person) = people.actors.get(by) else {
            return Err(format!(
                "`{by}` is not declared in the model; it is for somebody of {} to answer",
                told()
            ));
        };
        if person.kind != ActorKind::Person {
            return Err(format!("`{by}` is no person; have a person of {} answer", told()));
        }
        if let Some(why) = apart(people, question, by) {
            return Err(format!("`{by}` {why}; have another person of {} answer", told()));
        }
        let of: Vec<Arc<str>> = asks
            .iter()
            .filter(|owner| person.teams.contains(**owner))
            .map(|owner| Arc::from(*owner))
            .collect();
        if of.is_empty() {
            return Err(format!("`{by}` is none of {}; it is for somebody of them to answer", told()));
        }
        Ok(of)
    }
}

/// How far each owner's approval has come. What an owner asks of its people is what the model says now.
pub(crate) fn answered(
    people: &People,
    (hold, digest): (&str, Digest),
    question: &Question,
    approvals: &[Endorsement],
    now: Timestamp,
) -> Vec<Answered> {
    let question_digest = digest.to_hex();
    let counts = |one: &&Endorsement| {
        let is_past = Term::once(Some(one.at), None).in_force(now);
        is_past && may_answer(people, question, &one.by)
    };
    // A signature is verified wherever it counts: who can write where answers are kept can make none.
    let holds = |one: &&Endorsement| match &one.proof {
        Proof::Signed(signature) => {
            verify_hold(people, (hold, &question_digest), (&one.by, one.at), signature).is_ok()
        }
        Proof::Login(_) => true,
    };
    let given: Vec<&Endorsement> = approvals.iter().filter(counts).filter(holds).collect();
    let of = |owner: &str, by: &str| people.actors.get(by).is_some_and(|one| one.teams.contains(owner));
    let one = |owner: &str| {
        let quorum = people.quorum_of(owner);
        let suits = |one: &&&Endorsement| match one.proof {
            Proof::Signed(_) => true,
            Proof::Login(_) => !quorum.signed,
        };
        let theirs: Vec<&&Endorsement> =
            given.iter().filter(suits).filter(|one| of(owner, &one.by)).collect();
        let by: BTreeSet<Arc<str>> = theirs.iter().map(|one| Arc::clone(&one.by)).collect();
        let since = theirs.iter().map(|one| one.at).max();
        let others = people.actors.keys().filter(|name| of(owner, name) && !by.contains(*name));
        let may = others.filter(|name| may_answer(people, question, name)).cloned().collect();
        Answered {
            owner: Arc::from(owner),
            at_least: quorum.at_least,
            signed: quorum.signed,
            by: by.into_iter().collect(),
            may,
            since,
        }
    };
    question.asks().into_iter().map(one).collect()
}

/// A person, and none of those whose request it is.
fn may_answer(people: &People, question: &Question, by: &str) -> bool {
    people.actors.get(by).is_some_and(|person| person.kind == ActorKind::Person)
        && apart(people, question, by).is_none()
}

/// Why somebody has to keep out of a question: separation of duties.
fn apart(people: &People, question: &Question, by: &str) -> Option<&'static str> {
    if question.actor.name == by {
        return Some("asks for it and cannot approve it");
    }
    if question.on_behalf_of.iter().any(|party| party.name == by) {
        return Some("is who it is asked for, and cannot approve it");
    }
    let mut parties = std::iter::once(&question.actor).chain(&question.on_behalf_of);
    let runs = parties
        .any(|party| people.actors.get(party.name.as_str()).is_some_and(|one| one.operators.contains(by)));
    runs.then_some("runs who asks for it, and cannot approve it")
}

/// Whether somebody runs who asks for something, or for whom it is asked.
pub(crate) fn run_by(model: &Model, action: &Action, by: &str) -> bool {
    let mut parties = std::iter::once(&action.actor.party).chain(&action.actor.on_behalf_of);
    parties
        .any(|party| model.people.actors.get(&party.name).is_some_and(|actor| actor.operators.contains(by)))
}
