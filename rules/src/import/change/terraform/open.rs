//! What is known only when it exists: what may stand there by what the configuration refers to.
//!
//! Leaves out how references are followed (`reference.rs`). What the configuration does not write is not taken at all:
//! whoever adds it is refused.

use serde_json::{Value, json};

use super::block::Block;
use super::fill::{Filler, one_of};
use super::reference::Referred;

impl<'p> Filler<'p> {
    /// What may stand at a place that is not known.
    pub(super) fn open(&self, block: &Block<'p>) -> Option<Value> {
        let all = self.alternatives(block)?;
        one_of(all.iter().map(|referred| self.alternative(block, referred)).collect())
    }

    /// The elements that may stand in a list that is not known.
    pub(super) fn open_all(&self, block: &Block<'p>) -> Vec<Value> {
        let Some(all) = self.alternatives(block) else { return Vec::new() };
        let mut values = Vec::new();
        for referred in &all {
            if referred.identities.is_empty() {
                values.push(self.alternative(block, referred));
                continue;
            }
            if !referred.attributes.is_empty() || !referred.hidden.is_empty() {
                self.note(format!(
                    "`{}` comes from {}; only the identities among them are planned",
                    block.path,
                    referred.text()
                ));
            }
            values.extend(referred.all().into_iter().map(|item| json!({"$of": item})));
        }
        values
    }

    /// What may stand at a place that is a text of many parts.
    pub(super) fn open_text(&self, block: &Block<'p>) -> Option<Value> {
        let all = self.alternatives(block)?;
        one_of(all.iter().map(|referred| self.any(block, referred)).collect())
    }

    /// What each of the expressions that may be what is written there refers to.
    fn alternatives(&self, block: &Block<'p>) -> Option<Vec<Referred>> {
        if !block.is_written() {
            return None;
        }
        if block.is_hidden() && block.written().is_empty() {
            let hidden = "a loop".to_owned();
            return Some(vec![Referred { hidden: [hidden].into(), ..Referred::default() }]);
        }
        let referred = |node: &&Value| self.items.referred(&self.resource.address, node);
        let mut all: Vec<Referred> = block.written().iter().map(referred).collect();
        let nothing = Referred::default();
        // Of several, one that refers to nothing is not the one that is unknown.
        if all.iter().any(|one| *one != nothing) {
            all.retain(|one| *one != nothing);
        }
        all.dedup();
        Some(all)
    }

    fn alternative(&self, block: &Block<'p>, referred: &Referred) -> Value {
        let (path, from) = (&block.path, referred.text());
        let one_reference = referred.identities.len() + referred.known == 1;
        match (referred.identities.is_empty(), referred.attributes.is_empty() && referred.hidden.is_empty()) {
            (false, true) if one_reference => {
                let items = referred.all();
                if items.len() > 1 {
                    self.note(format!("`{path}` is one of {from}: which, the plan does not show"));
                }
                one_of(items.into_iter().map(|item| json!({"$of": item})).collect()).unwrap_or_default()
            }
            (false, _) => {
                self.note(format!(
                    "`{path}` is chosen or put together at apply from {from}: that it is or mentions them is all that is \
                     held against the plan"
                ));
                let mut values: Vec<Value> =
                    referred.all().into_iter().map(|item| json!({"$of": item})).collect();
                values.push(json!({"$any": referred.single()}));
                if referred.single().is_empty() {
                    values.pop();
                }
                one_of(values).unwrap_or_default()
            }
            (true, _) if referred.attributes.is_empty() && !referred.hidden.is_empty() => {
                self.hidden(block, referred)
            }
            (true, _) => self.any(block, referred),
        }
    }

    /// What a place may be where the plan does not show what is referred to.
    fn hidden(&self, block: &Block<'p>, referred: &Referred) -> Value {
        let attribute = block.path.rsplit('.').next().unwrap_or_default();
        let named =
            ["_id", "_ids", "_arn", "_arns", "_name", "_names", "_groups", "subnets", "role", "bucket"];
        let candidates = if named.iter().any(|end| attribute.ends_with(end)) {
            self.items.candidates(self.resource, attribute)
        } else {
            Vec::new()
        };
        match one_of(candidates.into_iter().map(|item| json!({"$of": item})).collect()) {
            None => self.any(block, referred),
            Some(value) => {
                self.note(format!(
                    "`{}` comes from {}, which the plan does not show: it may be any of what this change makes there",
                    block.path,
                    referred.text()
                ));
                value
            }
        }
    }

    fn any(&self, block: &Block<'p>, referred: &Referred) -> Value {
        let (path, items, from) = (&block.path, referred.single(), referred.text());
        let from = if from.is_empty() { "what the plan does not show".to_owned() } else { from };
        self.note(if items.is_empty() {
            format!("`{path}` is put together at apply from {from} and is not held against the plan")
        } else {
            format!(
                "`{path}` is put together at apply from {from}: that it mentions them is all that is held against the plan"
            )
        });
        json!({"$any": items})
    }
}
