//! What a source says exists, written as an `Inventory` document: the one form that every importer ends in.
//!
//! Leaves out how sources are read. Nothing gets into a document but what a [`Thing`] has a place for, so that no
//! attribute of a source, and no secret, comes along by itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{ImportSummary, Imported, entity_name, flow, quoted};
use crate::inventory::EdgeKind;
use crate::model::OWNER_TAGS;

/// The longest key of a tag: no plane has longer ones, and no YAML reads one of more than a kilobyte.
const KEY_MAX: usize = 512;

/// One thing that a source says exists, as a line of the document.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thing {
    /// The name within the document, which relations use.
    pub(super) id: String,
    /// Its type, in the words that requests are read in.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The canonical name on its plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// What requests know it by beside that.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) identifiers: BTreeSet<String>,
    /// The account it is in, where that is not the document's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    /// A group or user that the source itself names as the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tier: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<String, String>,
    /// The folder of a source tree that declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    /// The source's own revision of this one thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    /// When it was last changed, by the source's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changed: Option<String>,
    /// Who keeps it as it is, by the source's own word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) managers: Vec<String>,
    /// Patterns of names of what it may act on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) grants: BTreeSet<String>,
    /// The same, where these, and what it has from others that are told, are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grants_only: Option<BTreeSet<String>>,
}

/// A relation by the ids of two things: the dependant, how, and what it depends on.
pub(super) type Relation = (String, EdgeKind, String);

/// Everything that one source says.
#[derive(Debug, Default)]
pub(super) struct Draft<'d> {
    /// The word of the source, for example `terraform`.
    pub(super) from: &'d str,
    /// What this one is called among those.
    pub(super) name: &'d str,
    /// The source's own revision.
    pub(super) revision: Option<String>,
    /// When it was so.
    pub(super) as_of: Option<Timestamp>,
    /// How long its relations are believed, where they were only observed, for example `14d`.
    pub(super) decays: Option<&'d str>,
    /// The plane, in the word of configuration.
    pub(super) plane: &'d str,
    /// The account that most of it is in.
    pub(super) account: &'d str,
    /// Tags that say who owns something, beside those that do everywhere.
    pub(super) owner_tags: &'d [String],
    pub(super) things: Vec<Thing>,
    pub(super) relations: BTreeSet<Relation>,
    /// What was left out, and why, a sentence each.
    pub(super) left_out: Vec<String>,
}

impl Draft<'_> {
    /// The document, with what is in it. Things stand in the order of their ids, each once.
    pub(super) fn imported(mut self) -> Imported {
        let name = entity_name(self.name);
        // A key of YAML ends where its line does, and the line is short.
        for thing in &mut self.things {
            thing.tags.retain(|key, _| key.len() <= KEY_MAX);
        }
        self.things.sort_by(|left, right| left.id.cmp(&right.id));
        self.things.dedup_by(|later, first| later.id == first.id);
        let mut summary = ImportSummary {
            facts: self.things.len(),
            relations: self.relations.len(),
            left_out: std::mem::take(&mut self.left_out),
            ..ImportSummary::default()
        };
        for thing in &self.things {
            match self.owner(thing) {
                Some(owner) => drop(summary.owners.insert(owner.to_owned())),
                None => summary.unowned += 1,
            }
            let account = thing.account.as_deref().unwrap_or(self.account);
            if !account.is_empty() {
                summary.accounts.insert(account.to_owned());
            }
        }
        Imported { file: format!("{}-{name}.yaml", self.from), text: self.text(&name), summary }
    }

    /// Who a thing says owns it.
    fn owner<'t>(&self, thing: &'t Thing) -> Option<&'t str> {
        let tag = |key: &str| thing.tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(key));
        let by_tag = self.owner_tags.iter().map(String::as_str).chain(OWNER_TAGS).find_map(tag);
        thing.owner.as_deref().or_else(|| by_tag.map(|(_, value)| value.as_str()))
    }

    fn text(&self, name: &str) -> String {
        let mut lines = vec![
            "# Imported: change the source and import again.".to_owned(),
            "apiVersion: ordain/v1".to_owned(),
            "kind: Inventory".to_owned(),
            "metadata:".to_owned(),
            format!("  name: {}", quoted(name)),
            "spec:".to_owned(),
            format!("  source: {}", quoted(&format!("{}:{name}", self.from))),
        ];
        let revision = self.revision.as_deref().filter(|revision| !revision.is_empty());
        lines.extend(revision.map(|revision| format!("  revision: {}", quoted(revision))));
        lines.extend(self.as_of.map(|time| format!("  asOf: {time}")));
        // What decays does so from a time on.
        let decays = self.decays.filter(|_| self.as_of.is_some());
        lines.extend(decays.map(|decays| format!("  decays: {decays}")));
        lines.push(format!("  plane: {}", self.plane));
        if !self.account.is_empty() {
            lines.push(format!("  account: {}", quoted(self.account)));
        }
        if !self.owner_tags.is_empty() {
            lines.push(format!("  ownerTags: {}", flow(&json!(self.owner_tags))));
        }
        lines.push("  resources:".to_owned());
        lines.extend(self.things.iter().map(|thing| format!("    - {}", flow(&json!(thing)))));
        if !self.relations.is_empty() {
            lines.push("  relations:".to_owned());
        }
        let relation = |(from, kind, to): &Relation| {
            format!("    - {}", flow(&json!({"from": from, "type": kind.as_str(), "to": to})))
        };
        lines.extend(self.relations.iter().map(relation));
        lines.push(String::new());
        lines.join("\n")
    }
}

/// What a thing is known by, and what stands in its configuration: enough to see which it depends on. The texts are
/// compared, and never kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Mentions<'t> {
    pub(super) known_by: BTreeSet<&'t str>,
    pub(super) texts: BTreeSet<&'t str>,
}

/// Relations of things to those that their configuration mentions by a text which one thing alone is known by.
pub(super) fn mentioned(things: &[Thing], mentions: &[Mentions<'_>]) -> BTreeSet<Relation> {
    let mut meaning: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (mention, index) in mentions.iter().zip(0..) {
        for text in &mention.known_by {
            let one = meaning.entry(text).or_insert(Some(index));
            // What several are known by says nothing of any.
            *one = one.filter(|other| *other == index);
        }
    }
    let mut found = BTreeSet::new();
    for (dependant, mention) in things.iter().zip(mentions) {
        for text in &mention.texts {
            let meant = meaning.get(text).copied().flatten().and_then(|index| things.get(index));
            let Some(dependency) = meant.filter(|dependency| dependency.id != dependant.id) else { continue };
            let kind = super::kinds::relation(&dependant.kind, &dependency.kind);
            found.insert((dependant.id.clone(), kind, dependency.id.clone()));
        }
    }
    found
}

/// Every text in a value, however deep, keys left out.
pub(super) fn texts(value: &serde_json::Value) -> BTreeSet<&str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![value]);
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::String(text) => drop(found.insert(text.as_str())),
            serde_json::Value::Array(items) => open.extend(items),
            serde_json::Value::Object(members) => open.extend(members.values()),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
        }
    }
    found
}
