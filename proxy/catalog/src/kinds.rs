//! What every Kubernetes cluster serves: groups, resources, what an object of each is called, and whether it lies in a
//! namespace.
//!
//! Leaves out custom resources and aggregated APIs, of which nothing is known beforehand.

/// One resource that every cluster serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterKind {
    /// Its group; `core` for the one that has no name.
    pub group: &'static str,
    /// Its plural, as paths have it.
    pub resource: &'static str,
    /// What an object of it is called in a body.
    pub kind: &'static str,
    /// Its objects lie in namespaces.
    pub namespaced: bool,
}

const fn known(
    group: &'static str,
    resource: &'static str,
    kind: &'static str,
    namespaced: bool,
) -> ClusterKind {
    ClusterKind { group, resource, kind, namespaced }
}

const CLUSTER: bool = false;
const NAMESPACE: bool = true;

const CORE: &str = "core";
const ADMISSION: &str = "admissionregistration.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const RESOURCE: &str = "resource.k8s.io";
const STORAGE: &str = "storage.k8s.io";

const ALL: [ClusterKind; 76] = [
    known(CORE, "bindings", "Binding", NAMESPACE),
    known(CORE, "componentstatuses", "ComponentStatus", CLUSTER),
    known(CORE, "configmaps", "ConfigMap", NAMESPACE),
    known(CORE, "endpoints", "Endpoints", NAMESPACE),
    known(CORE, "events", "Event", NAMESPACE),
    known(CORE, "limitranges", "LimitRange", NAMESPACE),
    known(CORE, "namespaces", "Namespace", CLUSTER),
    known(CORE, "nodes", "Node", CLUSTER),
    known(CORE, "persistentvolumeclaims", "PersistentVolumeClaim", NAMESPACE),
    known(CORE, "persistentvolumes", "PersistentVolume", CLUSTER),
    known(CORE, "pods", "Pod", NAMESPACE),
    known(CORE, "podtemplates", "PodTemplate", NAMESPACE),
    known(CORE, "replicationcontrollers", "ReplicationController", NAMESPACE),
    known(CORE, "resourcequotas", "ResourceQuota", NAMESPACE),
    known(CORE, "secrets", "Secret", NAMESPACE),
    known(CORE, "serviceaccounts", "ServiceAccount", NAMESPACE),
    known(CORE, "services", "Service", NAMESPACE),
    known(ADMISSION, "mutatingadmissionpolicies", "MutatingAdmissionPolicy", CLUSTER),
    known(ADMISSION, "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", CLUSTER),
    known(ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", CLUSTER),
    known(ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", CLUSTER),
    known(ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", CLUSTER),
    known(ADMISSION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", CLUSTER),
    known("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", CLUSTER),
    known("apiregistration.k8s.io", "apiservices", "APIService", CLUSTER),
    known("apps", "controllerrevisions", "ControllerRevision", NAMESPACE),
    known("apps", "daemonsets", "DaemonSet", NAMESPACE),
    known("apps", "deployments", "Deployment", NAMESPACE),
    known("apps", "replicasets", "ReplicaSet", NAMESPACE),
    known("apps", "statefulsets", "StatefulSet", NAMESPACE),
    known("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", CLUSTER),
    known("authentication.k8s.io", "tokenreviews", "TokenReview", CLUSTER),
    known(AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview", NAMESPACE),
    known(AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview", CLUSTER),
    known(AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview", CLUSTER),
    known(AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview", CLUSTER),
    known("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", NAMESPACE),
    known("batch", "cronjobs", "CronJob", NAMESPACE),
    known("batch", "jobs", "Job", NAMESPACE),
    known(CERTIFICATES, "certificatesigningrequests", "CertificateSigningRequest", CLUSTER),
    known(CERTIFICATES, "clustertrustbundles", "ClusterTrustBundle", CLUSTER),
    known(CERTIFICATES, "podcertificaterequests", "PodCertificateRequest", NAMESPACE),
    known("coordination.k8s.io", "leasecandidates", "LeaseCandidate", NAMESPACE),
    known("coordination.k8s.io", "leases", "Lease", NAMESPACE),
    known("discovery.k8s.io", "endpointslices", "EndpointSlice", NAMESPACE),
    known("flowcontrol.apiserver.k8s.io", "flowschemas", "FlowSchema", CLUSTER),
    known(
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        CLUSTER,
    ),
    known("internal.apiserver.k8s.io", "storageversions", "StorageVersion", CLUSTER),
    known(NETWORKING, "ingressclasses", "IngressClass", CLUSTER),
    known(NETWORKING, "ingresses", "Ingress", NAMESPACE),
    known(NETWORKING, "ipaddresses", "IPAddress", CLUSTER),
    known(NETWORKING, "networkpolicies", "NetworkPolicy", NAMESPACE),
    known(NETWORKING, "servicecidrs", "ServiceCIDR", CLUSTER),
    known("node.k8s.io", "runtimeclasses", "RuntimeClass", CLUSTER),
    known("policy", "poddisruptionbudgets", "PodDisruptionBudget", NAMESPACE),
    known("policy", "podsecuritypolicies", "PodSecurityPolicy", CLUSTER),
    known(RBAC, "clusterrolebindings", "ClusterRoleBinding", CLUSTER),
    known(RBAC, "clusterroles", "ClusterRole", CLUSTER),
    known(RBAC, "rolebindings", "RoleBinding", NAMESPACE),
    known(RBAC, "roles", "Role", NAMESPACE),
    known(RESOURCE, "deviceclasses", "DeviceClass", CLUSTER),
    known(RESOURCE, "devicetaintrules", "DeviceTaintRule", CLUSTER),
    known(RESOURCE, "resourceclaims", "ResourceClaim", NAMESPACE),
    known(RESOURCE, "resourceclaimtemplates", "ResourceClaimTemplate", NAMESPACE),
    known(RESOURCE, "resourcepoolstatusrequests", "ResourcePoolStatusRequest", CLUSTER),
    known(RESOURCE, "resourceslices", "ResourceSlice", CLUSTER),
    known("scheduling.k8s.io", "podgroups", "PodGroup", NAMESPACE),
    known("scheduling.k8s.io", "priorityclasses", "PriorityClass", CLUSTER),
    known("scheduling.k8s.io", "workloads", "Workload", NAMESPACE),
    known(STORAGE, "csidrivers", "CSIDriver", CLUSTER),
    known(STORAGE, "csinodes", "CSINode", CLUSTER),
    known(STORAGE, "csistoragecapacities", "CSIStorageCapacity", NAMESPACE),
    known(STORAGE, "storageclasses", "StorageClass", CLUSTER),
    known(STORAGE, "volumeattachments", "VolumeAttachment", CLUSTER),
    known(STORAGE, "volumeattributesclasses", "VolumeAttributesClass", CLUSTER),
    known("storagemigration.k8s.io", "storageversionmigrations", "StorageVersionMigration", CLUSTER),
];

/// Groups that older clusters serve the same objects under, beside the one that they are known under.
const ALSO: [(&str, &str, &str); 8] = [
    ("", "*", CORE),
    ("events.k8s.io", "events", CORE),
    ("extensions", "daemonsets", "apps"),
    ("extensions", "deployments", "apps"),
    ("extensions", "ingresses", NETWORKING),
    ("extensions", "networkpolicies", NETWORKING),
    ("extensions", "podsecuritypolicies", "policy"),
    ("extensions", "replicasets", "apps"),
];

impl ClusterKind {
    /// All of them.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &ALL
    }

    /// The group under which objects of a resource are known, whichever of its groups is named.
    #[must_use]
    pub fn group_of<'g>(group: &'g str, resource: &str) -> &'g str {
        let also = ALSO.iter().find(|also| also.0 == group && (also.1 == "*" || also.1 == resource));
        also.map_or(group, |also| also.2)
    }

    /// By the resource, under any of its groups.
    #[must_use]
    pub fn of(group: &str, resource: &str) -> Option<&'static Self> {
        let group = Self::group_of(group, resource);
        ALL.iter().find(|known| known.group == group && known.resource == resource)
    }

    /// By what its objects are called, under any of its groups.
    #[must_use]
    pub fn called(group: &str, kind: &str) -> Option<&'static Self> {
        ALL.iter().find(|known| known.kind == kind && Self::group_of(group, known.resource) == known.group)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_object_has_one_name_whichever_group_it_is_asked_for_in() {
        for (group, resource, kind, known) in [
            ("extensions", "ingresses", "Ingress", "networking.k8s.io"),
            ("extensions", "deployments", "Deployment", "apps"),
            ("events.k8s.io", "events", "Event", "core"),
            ("", "pods", "Pod", "core"),
            ("core", "pods", "Pod", "core"),
        ] {
            assert_eq!(ClusterKind::group_of(group, resource), known);
            let found = ClusterKind::of(group, resource).unwrap();
            assert_eq!((found.group, found.kind), (known, kind));
            assert_eq!(ClusterKind::called(group, kind), Some(found));
        }
        assert!(!ClusterKind::of("", "nodes").unwrap().namespaced);
        assert_eq!(ClusterKind::of("example.com", "pods"), None);
        assert_eq!(ClusterKind::called("extensions", "Pod"), None);
        assert_eq!(ClusterKind::group_of("extensions", "widgets"), "extensions");
    }

    #[test]
    fn every_kind_is_there_once() {
        let resources: BTreeSet<_> = ALL.iter().map(|known| (known.group, known.resource)).collect();
        let kinds: BTreeSet<_> = ALL.iter().map(|known| (known.group, known.kind)).collect();
        assert_eq!((resources.len(), kinds.len()), (ALL.len(), ALL.len()));
        assert!(
            ALSO.iter().filter(|also| also.1 != "*").all(|also| ClusterKind::of(also.2, also.1).is_some())
        );
    }
}
