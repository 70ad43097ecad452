//! What an upstream is asked of what it has, when somebody imports that: a closed set, all of which only reads.
//!
//! Leaves out what the answers mean (`ordain_rules::import`) and when the next page is asked for (`crate::census`).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use ordain_action::Plane;
use serde_json::Value;

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// What is there is got, in the form that is accepted; JSON, where none is said.
    Get(String, Option<&'static str>),
    /// Azure's Resource Graph is asked for rows.
    ResourceGraph(Value),
    /// AWS's Resource Explorer is asked for a page of what its view in a region has.
    ResourceExplorer {
        /// The region.
        region: String,
        /// The page, and what to look for.
        body: Value,
    },
}

impl Ask {
    /// Path and query.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Get(path, _) => path,
            Self::ResourceGraph(_) => "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            Self::ResourceExplorer { .. } => "/ListResources",
        }
    }

    /// The provider's host that answers, where the upstream has no address of its own.
    pub(super) fn host(&self, plane: Plane) -> Option<&'static str> {
        match plane {
            Plane::Azure => Some("https://management.azure.com"),
            Plane::Gcp => Some("https://cloudasset.googleapis.com"),
            _ => None,
        }
    }

    /// What is posted; nothing where something is got.
    pub(super) fn body(&self) -> Option<Bytes> {
        match self {
            Self::Get(..) => None,
            Self::ResourceGraph(body) | Self::ResourceExplorer { body, .. } => {
                Some(Bytes::from(body.to_string()))
            }
        }
    }

    /// The headers beside the credential.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        match self {
            Self::Get(_, accept) => {
                accept.iter().map(|accept| (header::ACCEPT, HeaderValue::from_static(accept))).collect()
            }
            Self::ResourceGraph(_) | Self::ResourceExplorer { .. } => {
                vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]
            }
        }
    }
}
