//! What every cluster serves: groups, resources, what an object of each is called, and whether it lies in a namespace.
//!
//! Leaves out custom resources and aggregated APIs, which are read by grammar alone.

/// One resource that every cluster serves.
#[derive(Debug, Clone, Copy)]
struct Known {
    group: &'static str,
    resource: &'static str,
    kind: &'static str,
    namespaced: bool,
}

const fn known(group: &'static str, resource: &'static str, kind: &'static str, namespaced: bool) -> Known {
    Known { group, resource, kind, namespaced }
}

const CLUSTER: bool = false;
const NAMESPACE: bool = true;

const ADMISSION: &str = "admissionregistration.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const RESOURCE: &str = "resource.k8s.io";
const STORAGE: &str = "storage.k8s.io";

const ALL: [Known; 76] = [
    known("", "bindings", "Binding", NAMESPACE),
    known("", "componentstatuses", "ComponentStatus", CLUSTER),
    known("", "configmaps", "ConfigMap", NAMESPACE),
    known("", "endpoints", "Endpoints", NAMESPACE),
    known("", "events", "Event", NAMESPACE),
    known("", "limitranges", "LimitRange", NAMESPACE),
    known("", "namespaces", "Namespace", CLUSTER),
    known("", "nodes", "Node", CLUSTER),
    known("", "persistentvolumeclaims", "PersistentVolumeClaim", NAMESPACE),
    known("", "persistentvolumes", "PersistentVolume", CLUSTER),
    known("", "pods", "Pod", NAMESPACE),
    known("", "podtemplates", "PodTemplate", NAMESPACE),
    known("", "replicationcontrollers", "ReplicationController", NAMESPACE),
    known("", "resourcequotas", "ResourceQuota", NAMESPACE),
    known("", "secrets", "Secret", NAMESPACE),
    known("", "serviceaccounts", "ServiceAccount", NAMESPACE),
    known("", "services", "Service", NAMESPACE),
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

/// The group under which an object is known, whichever of its groups a request names; `core` for the one without a
/// name. The same object is served by several groups in older clusters.
pub(super) fn canonical_group<'g>(group: &'g str, resource: &str) -> &'g str {
    match (group, resource) {
        ("", _) | ("events.k8s.io", "events") => "core",
        ("extensions", "deployments" | "daemonsets" | "replicasets") => "apps",
        ("extensions", "ingresses" | "networkpolicies") => NETWORKING,
        ("extensions", "podsecuritypolicies") => "policy",
        (other, _) => other,
    }
}

fn find(group: &str, resource: &str) -> Option<&'static Known> {
    let group = match canonical_group(group, resource) {
        "core" => "",
        other => other,
    };
    ALL.iter().find(|known| known.group == group && known.resource == resource)
}

/// What an object of a resource is called in a body.
pub(super) fn kind(group: &str, resource: &str) -> Option<&'static str> {
    find(group, resource).map(|known| known.kind)
}

/// Whether objects of a resource lie in namespaces; none where every cluster may have it otherwise.
pub(super) fn namespaced(group: &str, resource: &str) -> Option<bool> {
    find(group, resource).map(|known| known.namespaced)
}

/// A resource that the API server itself serves, so that what its own code guarantees holds.
pub(super) fn is_built_in(group: &str, resource: &str) -> bool {
    find(group, resource).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_one_name_whichever_group_it_is_asked_for_in() {
        assert_eq!(canonical_group("extensions", "ingresses"), "networking.k8s.io");
        assert_eq!(canonical_group("events.k8s.io", "events"), "core");
        assert_eq!(kind("extensions", "deployments"), Some("Deployment"));
        assert_eq!(namespaced("", "nodes"), Some(false));
        assert_eq!(kind("example.com", "pods"), None);
    }
}
