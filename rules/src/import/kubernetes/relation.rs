//! What of a cluster's objects depends on what, told by the members that name others.
//!
//! Leaves out what names alone tell: what lies in a namespace, which objects are of a custom type (the model).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::object::{Labels, group, labels_of};
use super::{Item, Kinds};
use crate::grants;
use crate::inventory::EdgeKind;

const RBAC: &str = "rbac.authorization.k8s.io";

/// A relation, by the positions of both among all items.
pub(super) type Relation = (usize, EdgeKind, usize);

/// Everything that relations are found in.
#[derive(Debug)]
pub(super) struct Relations<'i> {
    kinds: &'i Kinds,
    by_name: BTreeMap<(&'i str, &'i str, &'i str, &'i str), usize>,
    by_uid: BTreeMap<&'i str, usize>,
    /// Pods, and what makes pods, by namespace and each of their labels.
    by_label: BTreeMap<(&'i str, &'i str, &'i str), Vec<usize>>,
    by_namespace: BTreeMap<&'i str, Vec<usize>>,
    pods: BTreeMap<usize, Labels<'i>>,
    found: BTreeSet<Relation>,
    /// How many name what is not among the items.
    pub(super) missing: usize,
}

impl<'i> Relations<'i> {
    pub(super) fn of(items: &'i [Item], kinds: &'i Kinds) -> Self {
        let mut all = Self {
            kinds,
            by_name: BTreeMap::new(),
            by_uid: BTreeMap::new(),
            by_label: BTreeMap::new(),
            by_namespace: BTreeMap::new(),
            pods: BTreeMap::new(),
            found: BTreeSet::new(),
            missing: 0,
        };
        for (item, at) in items.iter().zip(0..) {
            let namespace = item.namespace();
            all.by_name.insert((&item.group, &item.resource, namespace, item.name()), at);
            if !item.object.metadata.uid.is_empty() {
                all.by_uid.insert(&item.object.metadata.uid, at);
            }
            if let Some(pod) = item.object.pod() {
                for (key, value) in &pod.labels {
                    all.by_label.entry((namespace, key, value)).or_default().push(at);
                }
                all.by_namespace.entry(namespace).or_default().push(at);
                all.pods.insert(at, pod.labels);
            }
        }
        for (item, at) in items.iter().zip(0..) {
            all.made_by(item, at);
            all.pod(item, at);
            all.by_kind(item, at);
        }
        all
    }

    pub(super) fn found(&self) -> &BTreeSet<Relation> {
        &self.found
    }

    fn relate(&mut self, from: usize, kind: EdgeKind, to: Option<usize>) {
        match to {
            Some(to) => drop(self.found.insert((from, kind, to))),
            None => self.missing += 1,
        }
    }

    fn find(&self, of: (&str, &str), namespace: &str, name: &str) -> Option<usize> {
        self.by_name.get(&(of.0, of.1, namespace, name)).copied()
    }

    /// It depends on an object that some member names; nothing where the member is not there.
    fn needs(
        &mut self,
        from: usize,
        kind: EdgeKind,
        of: (&str, &str),
        namespace: &str,
        name: Option<&Value>,
    ) {
        if let Some(name) = name.and_then(Value::as_str).filter(|name| !name.is_empty()) {
            self.relate(from, kind, self.find(of, namespace, name));
        }
    }

    /// What made it, and takes it along when it is deleted.
    fn made_by(&mut self, item: &Item, at: usize) {
        for owner in item.object.metadata.owner_references.iter().flatten() {
            let by_name = || {
                let ((group, resource), _) = self.kinds.of(group(&owner.api_version), &owner.kind);
                let here = |namespace: &str| self.find((group, &resource), namespace, &owner.name);
                here(item.namespace()).or_else(|| here(""))
            };
            let found = self.by_uid.get(owner.uid.as_str()).copied().or_else(by_name);
            self.relate(at, EdgeKind::PartOf, found);
        }
    }

    fn pod(&mut self, item: &Item, at: usize) {
        let Some(pod) = item.object.pod() else { return };
        let (spec, namespace) = (pod.spec, item.namespace());
        let account = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount"));
        let account = account.and_then(Value::as_str).filter(|name| !name.is_empty()).unwrap_or("default");
        self.relate(at, EdgeKind::RunsAs, self.find(("core", "serviceaccounts"), namespace, account));
        self.needs(at, EdgeKind::RunsOn, ("core", "nodes"), "", spec.get("nodeName"));
        let mut named: Vec<(&str, Option<&Value>)> = Vec::new();
        for secret in list(spec.get("imagePullSecrets")) {
            named.push(("secrets", secret.get("name")));
        }
        for volume in list(spec.get("volumes")) {
            named.push(("persistentvolumeclaims", volume.pointer("/persistentVolumeClaim/claimName")));
            named.push(("secrets", volume.pointer("/secret/secretName")));
            named.push(("configmaps", volume.pointer("/configMap/name")));
            for source in list(volume.pointer("/projected/sources")) {
                named.push(("secrets", source.pointer("/secret/name")));
                // Every pod has this one, put there by the cluster itself.
                let root = source.pointer("/configMap/name").filter(|name| *name != "kube-root-ca.crt");
                named.push(("configmaps", root));
            }
        }
        for containers in ["containers", "initContainers", "ephemeralContainers"] {
            for container in list(spec.get(containers)) {
                for from in list(container.get("envFrom")) {
                    named.push(("secrets", from.pointer("/secretRef/name")));
                    named.push(("configmaps", from.pointer("/configMapRef/name")));
                }
                for variable in list(container.get("env")) {
                    named.push(("secrets", variable.pointer("/valueFrom/secretKeyRef/name")));
                    named.push(("configmaps", variable.pointer("/valueFrom/configMapKeyRef/name")));
                }
            }
        }
        for (resource, name) in named {
            self.needs(at, EdgeKind::DependsOn, ("core", resource), namespace, name);
        }
    }

    fn by_kind(&mut self, item: &Item, at: usize) {
        let (spec, namespace) = (&item.object.spec, item.namespace());
        match (item.group.as_str(), item.resource.as_str()) {
            ("core", "services") => {
                let selector = labels_of(spec.get("selector"));
                for pod in self.selected(namespace, &selector) {
                    self.found.insert((at, EdgeKind::RoutesTo, pod));
                }
            }
            ("core", "persistentvolumeclaims") => {
                let volume = spec.get("volumeName");
                self.needs(at, EdgeKind::DependsOn, ("core", "persistentvolumes"), "", volume);
            }
            ("networking.k8s.io" | "extensions", "ingresses") => self.ingress(item, at),
            ("networking.k8s.io", "networkpolicies") => self.guards(item, at),
            (RBAC, "rolebindings" | "clusterrolebindings") => self.binding(item, at),
            ("autoscaling", "horizontalpodautoscalers") => {
                let target = spec.get("scaleTargetRef");
                self.reference(at, namespace, target);
            }
            ("apps", "statefulsets") => {
                self.needs(at, EdgeKind::DependsOn, ("core", "services"), namespace, spec.get("serviceName"));
            }
            ("admissionregistration.k8s.io", _) => {
                for webhook in list(Some(&item.object.webhooks)) {
                    self.service(at, webhook.pointer("/clientConfig/service"));
                }
            }
            ("apiregistration.k8s.io", "apiservices") => self.service(at, spec.get("service")),
            _ => {}
        }
    }

    fn reference(&mut self, at: usize, namespace: &str, target: Option<&Value>) {
        let text = |name: &str| target.and_then(|target| target.get(name)).and_then(Value::as_str);
        if let (Some(kind), Some(_)) = (text("kind"), text("name")) {
            let ((group, resource), _) = self.kinds.of(group(text("apiVersion").unwrap_or("v1")), kind);
            let name = target.and_then(|target| target.get("name"));
            self.needs(at, EdgeKind::DependsOn, (group, &resource), namespace, name);
        }
    }

    fn service(&mut self, at: usize, service: Option<&Value>) {
        let text = |name: &str| service.and_then(|service| service.get(name));
        let namespace = text("namespace").and_then(Value::as_str).unwrap_or_default();
        self.needs(at, EdgeKind::DependsOn, ("core", "services"), namespace, text("name"));
    }

    fn ingress(&mut self, item: &Item, at: usize) {
        let (spec, namespace) = (&item.object.spec, item.namespace());
        let mut backends = vec![spec.get("defaultBackend"), spec.get("backend")];
        for rule in list(spec.get("rules")) {
            backends.extend(list(rule.pointer("/http/paths")).map(|path| path.get("backend")));
        }
        for backend in backends.into_iter().flatten() {
            let name = backend.pointer("/service/name").or_else(|| backend.get("serviceName"));
            self.needs(at, EdgeKind::RoutesTo, ("core", "services"), namespace, name);
        }
        for tls in list(spec.get("tls")) {
            self.needs(at, EdgeKind::DependsOn, ("core", "secrets"), namespace, tls.get("secretName"));
        }
    }

    fn guards(&mut self, item: &Item, at: usize) {
        let namespace = item.namespace();
        let selector = labels_of(item.object.spec.pointer("/podSelector/matchLabels"));
        let guarded = if selector.is_empty() {
            self.by_namespace.get(namespace).cloned().unwrap_or_default()
        } else {
            self.selected(namespace, &selector)
        };
        for pod in guarded {
            self.found.insert((pod, EdgeKind::GuardedBy, at));
        }
    }

    /// A binding gives what a role says to whom it names: they depend on it, and it on the role.
    fn binding(&mut self, item: &Item, at: usize) {
        let role = &item.object.role_ref;
        let (resource, namespace) = match role.get("kind").and_then(Value::as_str) {
            Some("Role") => ("roles", item.namespace()),
            Some(_) | None => ("clusterroles", ""),
        };
        self.needs(at, EdgeKind::DependsOn, (RBAC, resource), namespace, role.get("name"));
        for subject in list(Some(&item.object.subjects)) {
            let text = |name: &str| subject.get(name).and_then(Value::as_str);
            if text("kind") == Some("Group") {
                self.group(text("name").unwrap_or_default(), at);
            }
            if text("kind") == Some("ServiceAccount") {
                let namespace = text("namespace").unwrap_or_else(|| item.namespace());
                let name = text("name").unwrap_or_default();
                match self.find(("core", "serviceaccounts"), namespace, name) {
                    Some(subject) => self.relate(subject, EdgeKind::DependsOn, Some(at)),
                    None => self.missing += 1,
                }
            }
        }
    }

    /// Groups that every service account is in, or those of one namespace.
    fn group(&mut self, name: &str, binding: usize) {
        const OF: &str = "system:serviceaccounts:";
        let everybody = matches!(name, "system:serviceaccounts" | "system:authenticated");
        let accounts: Vec<usize> = self
            .by_name
            .iter()
            .filter(|((group, resource, namespace, _), _)| {
                let is_account = (*group, *resource) == ("core", "serviceaccounts");
                is_account && (everybody || name.strip_prefix(OF) == Some(*namespace))
            })
            .map(|(_, at)| *at)
            .collect();
        accounts.into_iter().for_each(|account| self.relate(account, EdgeKind::DependsOn, Some(binding)));
    }

    /// All that is bound in the cluster is among the items, with what it is bound to.
    pub(super) fn has_all_bindings(&self, items: &[Item]) -> bool {
        // Every cluster has some of both by itself, and some of the one in a namespace of its own: where those are there, all were
        // asked for.
        let of = |kind: &str, namespace: Option<&str>| {
            let fits =
                |item: &&Item| item.resource == kind && namespace.is_none_or(|one| item.namespace() == one);
            items.iter().any(|item| fits(&item))
        };
        let bound = |item: &Item| self.role_of(item).is_some();
        let bindings =
            |item: &&Item| matches!(item.resource.as_str(), "rolebindings" | "clusterrolebindings");
        of("rolebindings", Some("kube-system"))
            && of("clusterrolebindings", None)
            && items.iter().filter(bindings).all(bound)
    }

    /// The role that a binding binds.
    fn role_of(&self, item: &Item) -> Option<usize> {
        let name = item.object.role_ref.get("name").and_then(Value::as_str).unwrap_or_default();
        match item.object.role_ref.get("kind").and_then(Value::as_str) {
            Some("Role") => self.find((RBAC, "roles"), item.namespace(), name),
            Some(_) | None => self.find((RBAC, "clusterroles"), "", name),
        }
    }

    /// What an object lets its bearer act on: a role what its rules say, a binding the same where it binds.
    pub(super) fn grants(&self, item: &Item, items: &[Item], cluster: &str) -> BTreeSet<String> {
        let namespace = Some(item.namespace()).filter(|namespace| !namespace.is_empty());
        let rules = match (item.group.as_str(), item.resource.as_str()) {
            (RBAC, "roles" | "clusterroles") => Some(&item.object.rules),
            (RBAC, "rolebindings" | "clusterrolebindings") => {
                self.role_of(item).and_then(|at| items.get(at)).map(|role| &role.object.rules)
            }
            _ => None,
        };
        rules.map(|rules| grants::of_rules(rules, cluster, namespace)).unwrap_or_default()
    }

    /// What carries all labels of a selector; an empty one selects nothing.
    fn selected(&self, namespace: &str, selector: &Labels<'_>) -> Vec<usize> {
        let mut labels = selector.iter();
        let Some((key, value)) = labels.next() else { return Vec::new() };
        let some = self.by_label.get(&(namespace, *key, *value)).into_iter().flatten();
        let rest: Vec<(&&str, &&str)> = labels.collect();
        let carries = |at: &&usize| {
            self.pods.get(at).is_some_and(|own| rest.iter().all(|(key, value)| own.get(*key) == Some(value)))
        };
        some.filter(carries).copied().collect()
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
