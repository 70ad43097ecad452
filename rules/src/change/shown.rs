//! Changes as people are shown them.
//!
//! Leaves out judging by them.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Change, Found, Item, Wanted};
use crate::calendar::Phase;
use crate::model::Model;
use crate::{CounterKey, Snapshot};

/// One change of a model, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFact {
    /// Its name.
    pub name: Arc<str>,
    /// What an approval of it is given for, as `sha256:…`.
    pub digest: String,
    /// `standard`, `normal` or `emergency`.
    pub kind: &'static str,
    /// Why it is made.
    pub why: String,
    /// Where else it is written down.
    pub ticket: Option<String>,
    /// The person who wrote it.
    pub author: Arc<str>,
    /// Actors who may carry it out, then groups.
    pub carried_out_by: Vec<Arc<str>>,
    /// It is open.
    pub is_open: bool,
    /// When it opens next, where it is not open.
    pub opens: Option<Timestamp>,
    /// When it closes, where it is open and ever does.
    pub closes: Option<Timestamp>,
    /// Of an emergency: somebody has to look at what was done by now.
    pub review_due: bool,
    /// The account, tenant, project or cluster.
    pub account: Arc<str>,
    /// The region; empty where any will do.
    pub region: Arc<str>,
    /// How often each call may take effect.
    pub uses: u64,
    /// Who has approved it as it is, and when.
    pub approvals: Vec<(Arc<str>, Timestamp)>,
    /// What it does.
    pub items: Vec<ItemFact>,
}

/// One item of a change, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFact {
    /// Its id within the change.
    pub id: Arc<str>,
    /// Its type.
    pub kind: Arc<str>,
    /// What is done with it, for people.
    pub action: String,
    /// Its canonical name, where that is known.
    pub name: Option<Arc<str>>,
    /// What whoever approves it should know.
    pub notes: Vec<String>,
    /// What carries it out.
    pub calls: Vec<CallFact>,
}

/// One call of an item, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFact {
    /// `service:Operation`.
    pub operation: Arc<str>,
    /// Every parameter that it may have, with what it may be, by path.
    pub parameters: Vec<(String, String)>,
    /// Some of them may be anything, or nearly.
    pub is_open: bool,
    /// What its uses are counted under; nothing for what only reads.
    pub counted: Option<CounterKey>,
    /// How often it may take effect.
    pub limit: u64,
}

impl Snapshot {
    /// The changes of the model, by name, as they are at a time.
    #[must_use]
    pub fn changes(&self, now: Timestamp) -> Vec<ChangeFact> {
        let Some(model) = self.model() else { return Vec::new() };
        model.changes.iter().map(|change| change.fact(model, now)).collect()
    }

    /// One change of the model, as it is at a time.
    #[must_use]
    pub fn change(&self, name: &str, now: Timestamp) -> Option<ChangeFact> {
        let model = self.model()?;
        model.changes.get(name).map(|change| change.fact(model, now))
    }
}

impl Change {
    fn fact(&self, model: &Model, now: Timestamp) -> ChangeFact {
        let digest = self.approved_as();
        let approvals = model.approvals.of(&self.name, &digest);
        let (is_open, opens, closes) = match self.term.phase(now) {
            Phase::In { until } => (true, None, until),
            Phase::Out { begins } => (false, begins, None),
        };
        ChangeFact {
            approvals: approvals.map(|approval| (Arc::clone(&approval.by), approval.at)).collect(),
            name: Arc::clone(&self.name),
            digest,
            kind: self.kind.as_str(),
            why: self.why.clone(),
            ticket: self.ticket.clone(),
            author: Arc::clone(&self.author),
            carried_out_by: self.actors.iter().chain(&self.groups).cloned().collect(),
            is_open,
            opens,
            closes,
            review_due: self.review.as_ref().is_some_and(|review| review.in_force(now)),
            account: Arc::clone(&self.account),
            region: Arc::clone(&self.region),
            uses: self.uses,
            items: self.items.iter().map(|item| self.item(item)).collect(),
        }
    }

    fn item(&self, item: &Item) -> ItemFact {
        let calls = item.calls.iter().zip(0..).map(|(call, number)| {
            let found = Found { change: self, item, call, number };
            let mut parameters = Vec::new();
            said(&call.takes, &mut String::new(), &mut parameters);
            CallFact {
                operation: Arc::clone(&call.operation),
                parameters,
                is_open: call.partial || call.takes.is_open(),
                counted: (!call.reads).then(|| found.key()),
                limit: found.limit(),
            }
        });
        ItemFact {
            id: Arc::clone(&item.id),
            kind: Arc::clone(&item.kind),
            action: item.action.clone(),
            name: item.name.clone(),
            notes: item.notes.clone(),
            calls: calls.collect(),
        }
    }
}

/// Every value with its path.
fn said(wanted: &Wanted, path: &mut String, all: &mut Vec<(String, String)>) {
    let length = path.len();
    match wanted {
        Wanted::Map(members) => {
            for (name, value) in members {
                path.push_str(if length == 0 { "" } else { "." });
                path.push_str(name);
                said(value, path, all);
                path.truncate(length);
            }
        }
        Wanted::List(elements) => {
            for (element, number) in elements.iter().zip(1..) {
                path.push_str(&format!(".{number}"));
                said(element, path, all);
                path.truncate(length);
            }
        }
        Wanted::Text(text) => all.push((path.clone(), text.to_string())),
        Wanted::Json(value) => all.push((path.clone(), value.to_string())),
        Wanted::Null
        | Wanted::Empty
        | Wanted::Of(_)
        | Wanted::Mentions(_)
        | Wanted::Secret
        | Wanted::OneOf(_)
        | Wanted::Pattern(_)
        | Wanted::Optional(_) => all.push((path.clone(), wanted.told())),
    }
}
