//! The table `holds` of the settings, as written: what waits for its owners.
//!
//! Leaves out what it means (`config::holds`), and who may answer, which the model says.

use serde::Deserialize;

/// What waits for its owners. Times are text such as `30s`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Holds {
    /// How long a request waits for an answer; by default 24 h.
    pub lasts: Option<String>,
    /// How long what was approved may be carried out; by default 1 h.
    pub granted: Option<String>,
    /// Keep whoever asks waiting for so long, 30 s at most, in place of refusing at once; by default nobody is.
    pub park: Option<String>,
    /// The most that are kept waiting at once; by default 64.
    pub parked: Option<usize>,
    /// The most that waits of one actor; by default 100.
    pub per_actor: Option<u64>,
}
