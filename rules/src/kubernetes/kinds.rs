//! The kinds that every cluster has, with their plurals, and how the plural of another is guessed.
//!
//! Leaves out custom kinds, whose definitions say their plurals.

/// A kind: what its objects are called in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    group: &'static str,
    kind: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) namespaced: bool,
}

const fn in_namespaces(group: &'static str, kind: &'static str, resource: &'static str) -> Kind {
    Kind { group, kind, resource, namespaced: true }
}

const fn in_clusters(group: &'static str, kind: &'static str, resource: &'static str) -> Kind {
    Kind { group, kind, resource, namespaced: false }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";

const KINDS: [Kind; 60] = [
    in_namespaces("core", "Binding", "bindings"),
    in_clusters("core", "ComponentStatus", "componentstatuses"),
    in_namespaces("core", "ConfigMap", "configmaps"),
    in_namespaces("core", "Endpoints", "endpoints"),
    in_namespaces("core", "Event", "events"),
    in_namespaces("core", "LimitRange", "limitranges"),
    in_clusters("core", "Namespace", "namespaces"),
    in_clusters("core", "Node", "nodes"),
    in_namespaces("core", "PersistentVolumeClaim", "persistentvolumeclaims"),
    in_clusters("core", "PersistentVolume", "persistentvolumes"),
    in_namespaces("core", "Pod", "pods"),
    in_namespaces("core", "PodTemplate", "podtemplates"),
    in_namespaces("core", "ReplicationController", "replicationcontrollers"),
    in_namespaces("core", "ResourceQuota", "resourcequotas"),
    in_namespaces("core", "Secret", "secrets"),
    in_namespaces("core", "ServiceAccount", "serviceaccounts"),
    in_namespaces("core", "Service", "services"),
    in_clusters(ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    in_clusters(ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    in_clusters(ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    in_clusters(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    in_clusters(ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    in_clusters(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    in_clusters("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions"),
    in_clusters("apiregistration.k8s.io", "APIService", "apiservices"),
    in_namespaces("apps", "ControllerRevision", "controllerrevisions"),
    in_namespaces("apps", "DaemonSet", "daemonsets"),
    in_namespaces("apps", "Deployment", "deployments"),
    in_namespaces("apps", "ReplicaSet", "replicasets"),
    in_namespaces("apps", "StatefulSet", "statefulsets"),
    in_namespaces("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews"),
    in_namespaces("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    in_namespaces("batch", "CronJob", "cronjobs"),
    in_namespaces("batch", "Job", "jobs"),
    in_clusters("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests"),
    in_clusters("certificates.k8s.io", "ClusterTrustBundle", "clustertrustbundles"),
    in_namespaces("coordination.k8s.io", "Lease", "leases"),
    in_namespaces("discovery.k8s.io", "EndpointSlice", "endpointslices"),
    in_namespaces("events.k8s.io", "Event", "events"),
    in_clusters("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas"),
    in_clusters("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations"),
    in_clusters("networking.k8s.io", "IPAddress", "ipaddresses"),
    in_namespaces("networking.k8s.io", "Ingress", "ingresses"),
    in_clusters("networking.k8s.io", "IngressClass", "ingressclasses"),
    in_namespaces("networking.k8s.io", "NetworkPolicy", "networkpolicies"),
    in_clusters("networking.k8s.io", "ServiceCIDR", "servicecidrs"),
    in_clusters("node.k8s.io", "RuntimeClass", "runtimeclasses"),
    in_namespaces("policy", "PodDisruptionBudget", "poddisruptionbudgets"),
    in_clusters(RBAC, "ClusterRole", "clusterroles"),
    in_clusters(RBAC, "ClusterRoleBinding", "clusterrolebindings"),
    in_namespaces(RBAC, "Role", "roles"),
    in_namespaces(RBAC, "RoleBinding", "rolebindings"),
    in_namespaces("resource.k8s.io", "ResourceClaim", "resourceclaims"),
    in_namespaces("resource.k8s.io", "ResourceClaimTemplate", "resourceclaimtemplates"),
    in_clusters("scheduling.k8s.io", "PriorityClass", "priorityclasses"),
    in_clusters(STORAGE, "CSIDriver", "csidrivers"),
    in_clusters(STORAGE, "CSINode", "csinodes"),
    in_namespaces(STORAGE, "CSIStorageCapacity", "csistoragecapacities"),
    in_clusters(STORAGE, "StorageClass", "storageclasses"),
    in_clusters(STORAGE, "VolumeAttachment", "volumeattachments"),
];

/// A kind that every cluster has.
pub(crate) fn kind_of(group: &str, kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|known| known.group == group && known.kind == kind)
}

/// Whether objects of a type lie in namespaces; `None` for types that not every cluster has.
pub(crate) fn is_namespaced(group: &str, resource: &str) -> Option<bool> {
    let known = KINDS.iter().find(|known| known.group == group && known.resource == resource);
    known.map(|kind| kind.namespaced)
}

/// The plural of a kind as the API server's own clients guess it.
pub(crate) fn guessed_plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    if singular.ends_with("endpoints") {
        return singular;
    }
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, guessed_plural};

    #[test]
    fn the_guess_agrees_with_every_plural_that_is_known() {
        for kind in KINDS {
            assert_eq!(guessed_plural(kind.kind), kind.resource);
        }
    }
}
