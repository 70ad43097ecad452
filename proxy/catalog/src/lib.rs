//! The operations of each control plane, and the kinds and messages of the Kubernetes API, as read-only data: an index
//! in the program's read-only section, and one compressed block a service (or a host, of Google) that is decoded on first
//! use.
//!
//! Leaves out logic. Which operation a request means, and what a resource is called in full, the rooms decide.

mod catalog;
mod google;
mod graph;
mod hosts;
mod index;
mod kinds;
mod messages;
mod operation;
mod path;
mod protocol;
mod rest_table;
mod service;
mod text;
mod types;
mod vim;

pub use catalog::{Catalog, OverlayError, VSPHERE_SUM, automation, messages, vim};
pub use google::{
    Google, GoogleApi, GoogleCall, GoogleField, GoogleKind, GoogleMethod, GooglePart, GooglePath, GoogleRpc,
    GoogleRule, GoogleSegment, GoogleSite, GoogleType, GoogleTypeOf, google,
};
pub use graph::{Graph, GraphPlace, GraphSort, GraphVersion, graph, graph_digest};
pub use hosts::{Destination, HostClaim, Hosts, Partition, Variant};
pub use kinds::ClusterKind;
pub use messages::{Form, Message, MessageField, MessageId, Messages, Shape};
pub use operation::{
    Auth, Binding, BoundMember, Http, Kind, Location, Mark, Member, MintedAt, NewAt, Operation, Payload,
};
pub use path::Path;
pub use protocol::Protocol;
pub use rest_table::{RestFit, RestOperation, RestPart, RestTable, RestTableError};
pub use service::{Head, Service};
pub use text::TextError;
pub use types::{Property, TypeName};
pub use vim::{Method, Parameter, Vim, VimError};

/// Where the data of AWS comes from: packages with their licences, as TOML.
pub const AWS_SOURCES: &str = include_str!("../aws/SOURCE.toml");

/// The namespaces, types and actions of Azure Resource Manager as they are spelled, and which actions read, as text.
pub const AZURE_NAMES: &str = include_str!("../azure/names.txt");

/// Where the data of Azure comes from: packages with their licences, as TOML.
pub const AZURE_SOURCES: &str = include_str!("../azure/SOURCE.toml");

/// Where the data of GitHub comes from: packages with their licences, as TOML.
pub const GITHUB_SOURCES: &str = include_str!("../github/SOURCE.toml");

/// The operations of GitHub, as a [`RestTable`] reads them.
pub const GITHUB_OPERATIONS: &str = include_str!("../github/operations.txt");

/// Where the data of Keycloak comes from: packages with their licences, as TOML.
pub const KEYCLOAK_SOURCES: &str = include_str!("../keycloak/SOURCE.toml");

/// The operations of Keycloak, as a [`RestTable`] reads them.
pub const KEYCLOAK_OPERATIONS: &str = include_str!("../keycloak/operations.txt");

/// Where the data of Google Cloud comes from: packages with their licences, as TOML.
pub const GCP_SOURCES: &str = include_str!("../gcp/SOURCE.toml");

/// Where the data of Microsoft Graph comes from: packages with their licences, as TOML.
pub const GRAPH_SOURCES: &str = include_str!("../graph/SOURCE.toml");

/// Where the data of Kubernetes comes from: packages with their licences, as TOML.
pub const KUBERNETES_SOURCES: &str = include_str!("../kubernetes/SOURCE.toml");

/// Where the data of Okta comes from: packages with their licences, as TOML.
pub const OKTA_SOURCES: &str = include_str!("../okta/SOURCE.toml");

/// The operations of Okta, as a [`RestTable`] reads them.
pub const OKTA_OPERATIONS: &str = include_str!("../okta/operations.txt");

/// Where the data of vSphere comes from: packages with their licences, as TOML.
pub const VSPHERE_SOURCES: &str = include_str!("../vsphere/SOURCE.toml");

#[cfg(test)]
mod overlay_tests;
#[cfg(test)]
mod tests;
