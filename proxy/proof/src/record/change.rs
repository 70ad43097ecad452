//! A change of the gate itself, as it is kept: an entry before it takes effect.
//!
//! Leaves out who may make one.

use serde::{Deserialize, Serialize};

use super::Text;

/// A change of the gate itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord<'a> {
    /// What changed: `started`, `stopped`, `model`, `rules`, `mode`, `key`, `configuration` or `hold`.
    #[serde(borrow)]
    pub what: Text<'a>,
    /// When.
    pub time: Text<'a>,
    /// Who made it.
    pub author: Text<'a>,
    /// What it is, for a person.
    pub summary: Text<'a>,
    /// The digest of what was before, where there was something.
    pub before: Option<Text<'a>>,
    /// The digest of what is then, or of the summary where there is nothing to hash.
    pub digest: Text<'a>,
}
