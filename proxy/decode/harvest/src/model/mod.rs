//! The vendor's API model, as far as it is used.
//!
//! Leaves out documentation, errors, paginators and waiters.

pub(crate) mod wire;

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use serde::Deserialize;

/// One service's model.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) metadata: Metadata,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: HashMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) api_version: String,
    pub(crate) endpoint_prefix: String,
    pub(crate) protocol: String,
    #[serde(default)]
    pub(crate) protocols: Vec<String>,
    pub(crate) service_id: String,
    pub(crate) signature_version: String,
    pub(crate) signing_name: Option<String>,
    pub(crate) target_prefix: Option<String>,
    pub(crate) json_version: Option<String>,
    #[serde(default)]
    pub(crate) auth: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) http: Http,
    pub(crate) input: Option<Reference>,
    pub(crate) output: Option<Reference>,
    #[serde(default)]
    pub(crate) readonly: bool,
    pub(crate) authtype: Option<String>,
    #[serde(default)]
    pub(crate) auth: Vec<String>,
    pub(crate) endpoint: Option<HostPrefix>,
    #[serde(default)]
    pub(crate) static_context_params: BTreeMap<String, ContextValue>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ContextValue {
    pub(crate) value: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HostPrefix {
    pub(crate) host_prefix: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
}

/// A use of a shape: by an operation, a structure, a list or a map.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reference {
    pub(crate) shape: String,
    pub(crate) location: Option<String>,
    pub(crate) location_name: Option<String>,
    pub(crate) query_name: Option<String>,
    pub(crate) result_wrapper: Option<String>,
    #[serde(default)]
    pub(crate) flattened: bool,
    #[serde(default)]
    pub(crate) idempotency_token: bool,
    #[serde(default)]
    pub(crate) streaming: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) members: IndexMap<String, Reference>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    pub(crate) member: Option<Reference>,
    pub(crate) key: Option<Reference>,
    pub(crate) value: Option<Reference>,
    pub(crate) payload: Option<String>,
    pub(crate) location_name: Option<String>,
    #[serde(default)]
    pub(crate) sensitive: bool,
    #[serde(default)]
    pub(crate) flattened: bool,
    #[serde(default)]
    pub(crate) streaming: bool,
    #[serde(default)]
    pub(crate) eventstream: bool,
    #[serde(default)]
    pub(crate) document: bool,
}

impl Model {
    /// The shape a reference means.
    pub(crate) fn shape(&self, reference: &Reference) -> Option<&Shape> {
        self.shapes.get(&reference.shape)
    }

    /// The shape of an operation's input.
    pub(crate) fn input(&self, operation: &Operation) -> Option<&Shape> {
        self.shape(operation.input.as_ref()?)
    }

    /// The shape of an operation's output.
    pub(crate) fn output(&self, operation: &Operation) -> Option<&Shape> {
        self.shape(operation.output.as_ref()?)
    }

    /// Every protocol that the service lists, in the words of the catalogue.
    pub(crate) fn protocols(&self) -> Vec<String> {
        let listed = if self.metadata.protocols.is_empty() {
            std::slice::from_ref(&self.metadata.protocol)
        } else {
            self.metadata.protocols.as_slice()
        };
        listed.iter().map(|protocol| protocol.trim_start_matches("smithy-").to_owned()).collect()
    }

    /// The name requests are signed under.
    pub(crate) fn signing_name(&self) -> &str {
        self.metadata.signing_name.as_deref().unwrap_or(&self.metadata.endpoint_prefix)
    }

    /// Whether the service is REST, where members have locations.
    pub(crate) fn is_rest(&self) -> bool {
        self.metadata.protocol.starts_with("rest-")
    }
}

impl Shape {
    /// The letter of the shape in the catalogue.
    pub(crate) fn letter(&self) -> char {
        match self.kind.as_str() {
            _ if self.document => 'd',
            "string" | "character" => 's',
            "integer" | "long" | "float" | "double" | "short" | "byte" | "bigInteger" | "bigDecimal" => 'n',
            "boolean" => 'b',
            "list" => 'l',
            "map" => 'm',
            "blob" => 'B',
            "timestamp" => 't',
            _ => 'o',
        }
    }
}
