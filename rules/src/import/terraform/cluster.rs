//! Objects of a cluster in a state: by their types, or by the manifests that they were made of.
//!
//! Leaves out releases of Helm, whose objects the cluster itself lists.

use ordain_catalog::ClusterKind;
use serde_json::Value;

use super::Placed;
use super::state::Instance;
use crate::kubernetes::{guessed_plural, object_name};

/// The groups of the kinds that have types of their own, beside those of the group that has no name.
const GROUPS: [(&str, &str); 20] = [
    ("ApiService", "apiregistration.k8s.io"),
    ("ClusterRole", "rbac.authorization.k8s.io"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io"),
    ("CronJob", "batch"),
    ("CsiDriver", "storage.k8s.io"),
    ("DaemonSet", "apps"),
    ("Deployment", "apps"),
    ("HorizontalPodAutoscaler", "autoscaling"),
    ("Ingress", "networking.k8s.io"),
    ("IngressClass", "networking.k8s.io"),
    ("Job", "batch"),
    ("MutatingWebhookConfiguration", "admissionregistration.k8s.io"),
    ("NetworkPolicy", "networking.k8s.io"),
    ("PodDisruptionBudget", "policy"),
    ("PriorityClass", "scheduling.k8s.io"),
    ("Role", "rbac.authorization.k8s.io"),
    ("RoleBinding", "rbac.authorization.k8s.io"),
    ("StatefulSet", "apps"),
    ("StorageClass", "storage.k8s.io"),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io"),
];

/// What an object is in its cluster; none of what is no object.
pub(super) fn placed(instance: &Instance, cluster: &str) -> Option<Placed> {
    let (group, kind, metadata) = match instance.plain("manifest") {
        Some(manifest) => {
            let version = manifest.get("apiVersion").and_then(Value::as_str)?;
            let group = version.split_once('/').map_or("core", |(group, _)| group);
            (group.to_owned(), manifest.get("kind")?.as_str()?.to_owned(), manifest.get("metadata")?)
        }
        None => {
            let kind = called(instance.kind.strip_prefix("kubernetes_")?);
            let group = GROUPS.iter().find(|(known, _)| *known == kind).map_or("core", |(_, group)| group);
            (group.to_owned(), kind, instance.plain("metadata")?.get(0)?)
        }
    };
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let known = ClusterKind::called(&group, &kind);
    let resource = known.map_or_else(|| guessed_plural(&kind), |known| known.resource.to_owned());
    let namespace = text("namespace").filter(|_| known.is_none_or(|known| known.namespaced));
    let own = text("name").filter(|name| !name.contains('/'))?;
    let labels = metadata.get("labels").and_then(Value::as_object);
    let label = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    Some(Placed {
        kind: format!("{group}:{resource}"),
        name: Some(object_name(cluster, (&group, &resource), namespace, own)),
        account: Some(cluster.to_owned()),
        tags: labels.into_iter().flatten().filter_map(label).collect(),
        ..Placed::default()
    })
}

/// `StatefulSet` of `stateful_set_v1`.
fn called(of: &str) -> String {
    let is_version = |word: &str| {
        word.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    let words = of.split('_').filter(|word| !is_version(word));
    let kind: String = words
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        })
        .collect();
    // The library writes it as one word.
    if kind == "Daemonset" { "DaemonSet".to_owned() } else { kind }
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, called};

    #[test]
    fn types_are_kinds() {
        assert_eq!(called("stateful_set_v1"), "StatefulSet");
        assert_eq!(called("daemonset"), "DaemonSet");
        assert_eq!(called("horizontal_pod_autoscaler_v2beta2"), "HorizontalPodAutoscaler");
        assert_eq!(called("config_map"), "ConfigMap");
        assert!(GROUPS.is_sorted());
    }
}
