//! A case as it is written: who asks for what, when, and what is to be said of it.
//!
//! Leaves out what the words mean (`resolved.rs`). Every unknown key is an error: an expectation misspelt would hold always.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yaml_serde::Mapping;

/// One case of a file, which is a list of them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// A raw HTTP request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<String>,
    /// A decision of the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) upstream: Option<String>,
    /// `aws`, where no upstream is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) plane: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    /// Of what is written by hand; a request says it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
    // What is written by hand: the first effect without a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iam_action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) access: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) resources: Vec<Resource>,
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub(super) parameters: Mapping,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) incomplete: Option<String>,
    /// What the same request does beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) also: Vec<Effect>,
    pub(super) expect: Expect,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Actor {
    pub(super) name: String,
    #[serde(default = "person")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) on_behalf_of: Vec<Party>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Party {
    pub(super) name: String,
    #[serde(default = "person")]
    pub(super) kind: String,
}

fn person() -> String {
    "person".to_owned()
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Effect {
    /// `service:Operation`.
    pub(super) operation: String,
    /// The permission that the plane would check, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iam_action: Option<String>,
    pub(super) access: String,
    /// `control` or `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) resources: Vec<Resource>,
    /// Nested, or by paths with positions from one, such as `IpPermissions.1.FromPort`.
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub(super) parameters: Mapping,
    /// `partial` or `opaque`: not all parameters are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) incomplete: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    /// `target`, `parent` or `uses`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// How the name came to be; `reviewed`, as that of most requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) basis: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) pattern: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) identifiers: BTreeMap<String, String>,
}

/// What is to be said. What is left out may be anything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// `admit`, `hold` or `deny`.
    pub(super) verdict: String,
    /// Codes of reasons that are among those given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) reasons: Vec<String>,
    /// Codes of reasons that are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) not_reasons: Vec<String>,
    /// The owners that are named, all of them in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owners: Option<Vec<String>>,
}
