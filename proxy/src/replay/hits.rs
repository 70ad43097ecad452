//! How often each rule was a reason, and which never was.
//!
//! Leaves out grounds and gates that are no rules: those of the judge itself have no id.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ordain_rules::Snapshot;

/// One rule of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// Its id.
    pub rule: String,
    /// `ground`, `gate` or `blueprint`.
    pub class: &'static str,
    /// The file it stands in, and the line.
    pub place: String,
    /// How many decisions it was a reason of; none says that it is dead in the period.
    pub count: u64,
    /// The time of the last of them.
    pub last: Option<Timestamp>,
}

pub(super) fn of(model: &Snapshot, counted: &BTreeMap<String, (u64, Timestamp)>) -> Vec<Hits> {
    let hits = model.rules().map(|rule| {
        let found = counted.get(rule.id);
        Hits {
            rule: rule.id.to_owned(),
            class: rule.class,
            place: format!("{}:{}", rule.path, rule.line),
            count: found.map_or(0, |(count, _)| *count),
            last: found.map(|(_, last)| *last),
        }
    });
    hits.collect()
}
