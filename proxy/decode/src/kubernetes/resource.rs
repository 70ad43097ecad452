//! Names of what is in a cluster: `k8s://CLUSTER/GROUP/namespaces/NAMESPACE/RESOURCE/NAME`.
//!
//! Leaves out versions, which an object has many of, and subresources, which are operations on it.

use std::sync::Arc;

use ordain_action::{NameBasis, Resource, Role};
use ordain_catalog::ClusterKind;

use super::path::ObjectPath;

/// What stands for a cluster as a whole.
pub(super) const CLUSTER_KIND: &str = "kubernetes:cluster";

/// The cluster that a request is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cluster<'a>(pub(super) &'a str);

impl Cluster<'_> {
    /// The cluster itself.
    pub(super) fn whole(self, role: Role) -> Resource {
        Resource {
            role,
            kind: Arc::from(CLUSTER_KIND),
            name: format!("k8s://{}", self.0),
            basis: NameBasis::Scope,
            pattern: false,
            identifiers: Vec::new(),
        }
    }

    /// An object by its group as rules know it, or all of them where the name is `*`.
    pub(super) fn object(
        self,
        role: Role,
        (group, resource): (&str, &str),
        namespace: Option<&str>,
        name: &str,
    ) -> Resource {
        let place = namespace.map_or_else(String::new, |namespace| format!("namespaces/{namespace}/"));
        Resource {
            role,
            kind: Arc::from(format!("{group}:{resource}")),
            name: format!("k8s://{}/{group}/{place}{resource}/{name}", self.0),
            basis: NameBasis::Carried,
            pattern: name == "*" || namespace == Some("*"),
            identifiers: Vec::new(),
        }
    }

    /// What a path names under a name of its own, or everything that the path holds.
    pub(super) fn targets(self, path: &ObjectPath, name: Option<&str>) -> Vec<Resource> {
        let group = ClusterKind::group_of(&path.group, &path.resource);
        let kind = (group, &*path.resource);
        let namespace = path.namespace.as_deref();
        let one = |namespace: Option<&str>, name: &str| self.object(Role::Target, kind, namespace, name);
        match (namespace, name) {
            (Some(_), name) => vec![one(namespace, name.unwrap_or("*"))],
            // Objects of a namespaced resource are named in theirs: this can only be a list of all of them.
            (None, name) => {
                match (ClusterKind::of(&path.group, &path.resource).map(|known| known.namespaced), name) {
                    (Some(true), name) => vec![one(Some("*"), name.unwrap_or("*"))],
                    (Some(false), name) => vec![one(None, name.unwrap_or("*"))],
                    (None, Some(name)) => vec![one(None, name)],
                    (None, None) => vec![one(None, "*"), one(Some("*"), "*")],
                }
            }
        }
    }

    /// What an object of a path lies in: its namespace, or the cluster.
    pub(super) fn parent(self, path: &ObjectPath) -> Resource {
        match &path.namespace {
            Some(namespace) => self.object(Role::Parent, ("core", "namespaces"), None, namespace),
            None => self.whole(Role::Parent),
        }
    }
}
