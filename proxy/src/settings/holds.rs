//! The table `holds` of the settings, as written: what waits for its owners.
//!
//! Leaves out what it means (`config::holds`), and who may answer, which the model says.

use std::fmt;
use std::path::PathBuf;

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
    /// Who is told what happens to holds.
    #[serde(rename = "webhook")]
    pub webhooks: Vec<Webhook>,
}

/// An address that is told what happens to holds.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it is posted to, over TLS; without only on this machine. Of many services it is a secret.
    pub url: String,
    /// The file of the key that what is posted is signed with.
    pub secret_file: PathBuf,
    /// `cloudevents` (the default) or `slack`, which Mattermost and Rocket.Chat take too.
    #[serde(default)]
    pub form: Option<String>,
    /// The PEM file of the authorities that its certificate must come from; by default the system's.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// What it is told of: `opened`, `approved`, `denied`; by default all of these.
    #[serde(default)]
    pub on: Option<Vec<String>>,
    /// The teams it is told for: of holds that wait for one of them; by default of all.
    #[serde(default)]
    pub owners: Option<Vec<String>>,
}

/// Whoever knows such an address can often post there.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("secret_file", &self.secret_file).finish_non_exhaustive()
    }
}
