//! One notice: an event of a hold, what it is called, and what is said of it.
//!
//! What is said has no value of any parameter: who is told need not be one of those who are asked. Leaves out how a message
//! for people is written (`slack.rs`).

use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::Digest;
use ordain_rules::CounterKey;
use ordain_rules::hold::Question;
use serde::Serialize;
use uuid::Uuid;

use crate::config::{Form, Webhook};
use crate::gate::Gate;
use crate::holds::{Event, EventKind, State, shown};
use crate::state::Hold;

/// Something to be told.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) kind: EventKind,
    pub(super) hold: Arc<Hold>,
    pub(super) by: Option<Arc<str>>,
}

/// What is told of it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    pub(super) hold: Uuid,
    #[serde(skip)]
    pub(super) kind: EventKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    pub(super) state: State,
    pub(super) actor: String,
    pub(super) summary: String,
    pub(super) owners: Vec<Owner>,
    pub(super) until: Timestamp,
    pub(super) reasons: Vec<String>,
}

/// How far an owner's approval has come.
#[derive(Debug, Serialize)]
pub(super) struct Owner {
    pub(super) owner: String,
    pub(super) at_least: usize,
    pub(super) by: Vec<String>,
}

/// CloudEvents 1.0, JSON.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    #[serde(rename = "type")]
    kind: String,
    source: String,
    id: String,
    subject: String,
    time: Timestamp,
    datacontenttype: &'static str,
    data: &'a Told,
}

impl From<Event> for Notice {
    fn from(Event { kind, hold, by }: Event) -> Self {
        Self { kind, hold, by }
    }
}

impl Notice {
    /// All that is told of a hold by what is kept of it, in the order in which it happened: that it was opened only while it
    /// waits, for nobody can answer it after that.
    pub(super) fn all_of(hold: Hold, now: Timestamp) -> Vec<Self> {
        let hold = Arc::new(hold);
        let opened = hold.is_open(now).then_some((EventKind::Opened, None));
        let mut answers: Vec<_> = hold.answers.iter().collect();
        answers.sort_by_key(|answer| answer.at);
        let answered = answers.into_iter().map(|answer| {
            let kind = if answer.approves { EventKind::Approved } else { EventKind::Denied };
            (kind, Some(Arc::clone(&answer.by)))
        });
        let all = opened.into_iter().chain(answered);
        all.map(|(kind, by)| Self { kind, hold: Arc::clone(&hold), by }).collect()
    }

    /// What it is called, the same however often it is sent: made of what stands in a header as it is, and without the stop
    /// that parts what is signed.
    pub(super) fn id(&self) -> String {
        let (hold, kind) = (self.hold.id, self.kind.as_str());
        match &self.by {
            None => format!("{hold}-{kind}"),
            Some(by) => {
                let by: String = Digest::of(by.as_bytes()).to_hex().chars().take(16).collect();
                format!("{hold}-{kind}-{by}")
            }
        }
    }

    /// The mark of who tells it to an address, and whether that is done.
    pub(super) fn key(&self, webhook: &Webhook) -> CounterKey {
        let by = self.by.as_deref().unwrap_or_default();
        CounterKey {
            source: Arc::from(format!("webhook:{}", webhook.digest())),
            subject: Arc::from(format!("{}:{}:{by}", self.hold.id, self.kind.as_str())),
        }
    }

    /// Whether an address is told of it.
    pub(super) fn is_for(&self, webhook: &Webhook) -> bool {
        webhook.on.contains(&self.kind) && (webhook.owners.is_empty() || self.asks_one_of(&webhook.owners))
    }

    fn asks_one_of(&self, owners: &[String]) -> bool {
        let Ok(question) = Question::read(&self.hold.text) else { return false };
        question.asks().iter().any(|asked| owners.iter().any(|owner| owner == asked))
    }

    /// When it happened.
    fn time(&self) -> Timestamp {
        let answer = self.hold.answers.iter().find(|answer| Some(&answer.by) == self.by.as_ref());
        answer.map_or(self.hold.opened, |answer| answer.at)
    }

    /// What is posted to an address: its type, and the text.
    pub(super) fn body(&self, gate: &Gate, form: Form) -> (&'static str, String) {
        let told = self.told(gate);
        match form {
            Form::Slack => ("application/json", super::slack::body(&told)),
            Form::CloudEvents => {
                let event = CloudEvent {
                    specversion: "1.0",
                    kind: format!("ordain.hold.{}", self.kind.as_str()),
                    source: reference(&gate.config().origin),
                    id: self.id(),
                    subject: self.hold.id.to_string(),
                    time: self.time(),
                    datacontenttype: "application/json",
                    data: &told,
                };
                // INVARIANT: it is made of texts, numbers and lists, which can always be written.
                let text = serde_json::to_string(&event).unwrap_or_default();
                ("application/cloudevents+json; charset=utf-8", text)
            }
        }
    }

    fn told(&self, gate: &Gate) -> Told {
        let hold = &self.hold;
        let question = Question::read(&hold.text);
        let (summary, reasons) = match &question {
            Ok(question) => (question.told(), question.waits.iter().map(|one| one.text.clone()).collect()),
            Err(why) => (why.clone(), Vec::new()),
        };
        let progress = shown::progress(gate, hold);
        let denied = hold.answers.iter().find(|answer| !answer.approves);
        let of = |answered: &ordain_rules::Answered| Owner {
            owner: answered.owner.to_string(),
            at_least: answered.at_least,
            by: answered.by.iter().map(ToString::to_string).collect(),
        };
        Told {
            hold: hold.id,
            kind: self.kind,
            by: self.by.as_deref().map(str::to_owned),
            why: denied.map(|answer| answer.why.to_string()),
            state: shown::standing(gate, hold, progress.as_deref(), None),
            actor: hold.actor.to_string(),
            summary,
            owners: progress.unwrap_or_default().iter().map(of).collect(),
            until: hold.until,
            reasons,
        }
    }
}

/// A name as it stands for a relative URI.
fn reference(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
