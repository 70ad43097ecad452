//! A change as a document: the one form that every importer of changes ends in.
//!
//! Leaves out how sources are read.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{ChangeTold, ImportedChange, emit};
use crate::import::{ImportError, entity_name};
use crate::model::Source;

/// A change as far as its source says it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The word of the source, for example `terraform`.
    pub(super) from: &'static str,
    /// The plane, in the word of configuration.
    pub(super) plane: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) items: Vec<Item>,
    /// What was left out, and why, a sentence each.
    pub(super) left_out: Vec<String>,
}

/// Something that the change is about.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) action: &'static str,
    pub(super) name: Option<String>,
    pub(super) identifiers: BTreeSet<String>,
    pub(super) notes: BTreeSet<String>,
    pub(super) calls: Vec<Call>,
}

/// A request that the change makes.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) operation: String,
    pub(super) creates: bool,
    pub(super) reads: bool,
    pub(super) partial: bool,
    pub(super) times: Option<u64>,
    pub(super) takes: Map<String, Value>,
    pub(super) must: BTreeSet<String>,
}

/// Whether all is told that only a person can tell.
///
/// # Errors
/// [`ImportError`] for the first that is missing.
pub(super) fn check(told: &ChangeTold<'_>, source: &Source) -> Result<(), ImportError> {
    let missing = |what: &str| {
        let text = format!("{what}, which the source does not say; give it");
        Err(ImportError { path: source.path.clone(), text })
    };
    if told.name.is_empty() || entity_name(told.name) != told.name {
        return missing("the change needs a name of letters, digits, `-`, `_` and `.`");
    }
    if told.why.trim().is_empty() {
        return missing("the change needs a reason (why)");
    }
    if told.author.is_empty() {
        return missing("the change needs an author");
    }
    if told.actors.is_empty() && told.groups.is_empty() {
        return missing("the change needs an actor or a group who may carry it out");
    }
    let (Some(from), Some(until)) = (told.from, told.until) else {
        return missing("the change needs a time from which and a time until which it may be carried out");
    };
    if until <= from {
        return Err(ImportError {
            path: source.path.clone(),
            text: format!("it would end at {until} and begin at {from}; give a later end"),
        });
    }
    if told.uses == Some(0) {
        return Err(ImportError {
            path: source.path.clone(),
            text: "no call of it may take effect; give `uses` from 1 on".to_owned(),
        });
    }
    Ok(())
}

impl Draft {
    /// The document. Items stand in the order of their ids.
    pub(super) fn imported(mut self, told: &ChangeTold<'_>, source: &Source) -> ImportedChange {
        self.items.sort_by(|left, right| left.id.cmp(&right.id));
        let calls = self.items.iter().map(|item| item.calls.len()).sum();
        let mut lines = vec![
            "# Imported: change the source and import again.".to_owned(),
            "apiVersion: ordain/v1".to_owned(),
            "kind: Change".to_owned(),
            "metadata:".to_owned(),
        ];
        emit::members(&members([("name", json!(told.name))]), 2, &mut lines);
        lines.push("spec:".to_owned());
        let mut spec = members([
            ("type", json!(told.kind.as_str())),
            ("why", json!(told.why)),
            ("ticket", json!(told.ticket)),
            ("author", json!(told.author)),
            ("actors", json!(told.actors)),
            ("groups", json!(told.groups)),
            ("from", json!(told.from)),
            ("until", json!(told.until)),
            ("review", json!(told.review)),
            ("uses", json!(told.uses.unwrap_or(1))),
            ("source", json!(self.from)),
            ("revision", json!(format!("sha256:{}", hex::encode(Sha256::digest(&source.text))))),
            ("plane", json!(self.plane)),
            ("account", json!(self.account)),
            ("region", json!(self.region)),
        ]);
        spec.insert("items".to_owned(), Value::Array(self.items.iter().map(Item::value).collect()));
        emit::members(&spec, 2, &mut lines);
        lines.push(String::new());
        ImportedChange {
            file: format!("change-{}.yaml", told.name),
            text: lines.join("\n"),
            items: self.items.len(),
            calls,
            left_out: self.left_out,
        }
    }
}

impl Item {
    fn value(&self) -> Value {
        let mut value = members([
            ("id", json!(self.id)),
            ("type", json!(self.kind)),
            ("action", json!(self.action)),
            ("name", json!(self.name)),
            ("identifiers", json!(self.identifiers)),
            ("notes", json!(self.notes)),
        ]);
        value.insert("calls".to_owned(), Value::Array(self.calls.iter().map(Call::value).collect()));
        Value::Object(value)
    }
}

impl Call {
    fn value(&self) -> Value {
        let flag = |set: bool| if set { Value::Bool(true) } else { Value::Null };
        let mut value = members([
            ("operation", json!(self.operation)),
            ("creates", flag(self.creates)),
            ("reads", flag(self.reads)),
            ("partial", flag(self.partial)),
        ]);
        value.insert("takes".to_owned(), Value::Object(self.takes.clone()));
        value.extend(members([("must", json!(self.must)), ("times", json!(self.times))]));
        Value::Object(value)
    }
}

/// Members in the order given, without those that say nothing.
fn members<const N: usize>(all: [(&str, Value); N]) -> Map<String, Value> {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    };
    let told = all.into_iter().filter(|(_, value)| says(value));
    told.map(|(name, value)| (name.to_owned(), value)).collect()
}
