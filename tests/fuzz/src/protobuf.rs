//! Objects of the Kubernetes API in protobuf: what our reader takes one for, `prost` reads the same by types that were
//! made from the API's own definitions (`k8s-pb`).
//!
//! Of every object its kind, version and metadata are compared; of those that hand over most, what hands it over. Leaves
//! out requests that are no protobuf (`cluster.rs`).

use std::collections::BTreeMap;

use k8s_pb::api::apps::v1::Deployment;
use k8s_pb::api::autoscaling::v1::Scale;
use k8s_pb::api::core::v1::{ConfigMap, Pod, PodSpec, Secret, Service};
use k8s_pb::api::rbac::v1::RoleBinding;
use k8s_pb::apimachinery::pkg::apis::meta::v1::{DeleteOptions, ObjectMeta};
use k8s_pb::apimachinery::pkg::runtime::Unknown;
use k8s_pb::apimachinery::pkg::util::intstr::IntOrString;
use ordain_action::{Call, Completeness, Scalar};
use prost::Message;

/// What every such body begins with.
pub const MAGIC: &[u8] = b"k8s\0";

/// Any object, as far as all are the same.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Called>,
}

/// What an object is called. Of a kind that nobody knows our reader looks at no more of its metadata.
#[derive(Clone, PartialEq, Message)]
struct Called {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    generate_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    namespace: Option<String>,
    #[prost(string, optional, tag = "5")]
    uid: Option<String>,
    #[prost(string, optional, tag = "6")]
    resource_version: Option<String>,
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    annotations: BTreeMap<String, String>,
}

/// Leaves by their paths, as our reader writes them; a secret is there without its value.
type Leaves = BTreeMap<String, String>;

/// Holds what a body was taken for against the other reading.
///
/// # Panics
/// They differ, or the other reader does not take it at all.
pub fn held(call: &Call, body: &[u8]) {
    let Some(envelope) = body.strip_prefix(MAGIC) else {
        panic!("a body was taken that does not begin as one")
    };
    let unknown = Unknown::decode(envelope).expect("another reader reads the envelope");
    let kind = unknown.type_meta.unwrap_or_default();
    let (version, kind) = (kind.api_version.unwrap_or_default(), kind.kind.unwrap_or_default());
    let raw = unknown.raw.unwrap_or_default();
    let parameters = &call.effects[0].parameters;
    let ours: Leaves = parameters
        .iter()
        .filter(|leaf| !leaf.path.starts_with("query."))
        .map(|leaf| (leaf.path.to_owned(), shown(leaf.value)))
        .collect();
    let mut theirs = Leaves::new();
    put(&mut theirs, "apiVersion", Some(&version));
    put(&mut theirs, "kind", Some(&kind));
    let mut compared = vec!["apiVersion", "kind"];
    if kind == "DeleteOptions" {
        let options = DeleteOptions::decode(&*raw).expect("another reader reads options");
        put(&mut theirs, "propagationPolicy", options.propagation_policy.as_deref());
        items(&mut theirs, "dryRun", &options.dry_run);
        compared.extend(["propagationPolicy", "dryRun"]);
    } else {
        let any = Any::decode(&*raw).expect("another reader reads an object");
        metadata(&mut theirs, &any.metadata.unwrap_or_default());
        compared.extend(["metadata.name", "metadata.generateName", "metadata.namespace", "metadata.uid"]);
        compared.extend(["metadata.resourceVersion", "metadata.labels", "metadata.annotations"]);
        compared.extend(typed(&mut theirs, &version, &kind, &raw));
    }
    let within = |path: &str| {
        compared
            .iter()
            .any(|at| path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    // What was too much is left out at the end, and said to be.
    let all = !matches!(
        parameters.completeness(),
        Completeness::Partial("there are more parameters than are kept")
    );
    for (path, value) in ours.iter().filter(|(path, _)| within(path)) {
        let found = theirs.get(path);
        // Of an object that is not known, a text that is empty is one.
        let same = found.map_or(value.is_empty(), |found| found == value || value == TOKEN);
        assert!(same, "{kind}: {path} is {value}, not {found:?}");
    }
    for (path, value) in theirs.iter().filter(|_| all) {
        let found = ours.get(path);
        let same = found.is_some_and(|found| found == value || found == TOKEN);
        assert!(same, "{kind}: {path} is {found:?}, not {value}");
    }
}

/// Options of a deletion that ask for nothing to be deleted.
#[must_use]
pub fn is_dry(body: &[u8]) -> bool {
    let unknown =
        body.strip_prefix(MAGIC).and_then(|envelope| Unknown::decode(envelope).ok()).unwrap_or_default();
    let options = unknown.raw.and_then(|raw| DeleteOptions::decode(&*raw).ok()).unwrap_or_default();
    options.dry_run == ["All"]
}

const TOKEN: &str = "a secret";

fn shown(value: Scalar<'_>) -> String {
    match value {
        Scalar::Text(text) | Scalar::Number(text) => text.to_owned(),
        Scalar::Bool(truth) => truth.to_string(),
        Scalar::Null => "null".to_owned(),
        Scalar::Empty => "{}".to_owned(),
        Scalar::Token(_) => TOKEN.to_owned(),
    }
}

fn put(leaves: &mut Leaves, path: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        leaves.insert(path.to_owned(), text.to_owned());
    }
}

/// Items of a list stand at their numbers, empty ones too.
fn items(leaves: &mut Leaves, path: &str, texts: &[String]) {
    for (number, text) in texts.iter().enumerate() {
        leaves.insert(format!("{path}.{}", number + 1), text.clone());
    }
}

fn entries<'e>(leaves: &mut Leaves, path: &str, entries: impl Iterator<Item = (&'e String, String)>) {
    for (key, value) in entries {
        leaves.insert(crate::flat::below(path, key), value);
    }
}

fn metadata(leaves: &mut Leaves, meta: &Called) {
    put(leaves, "metadata.name", meta.name.as_deref());
    put(leaves, "metadata.generateName", meta.generate_name.as_deref());
    put(leaves, "metadata.namespace", meta.namespace.as_deref());
    put(leaves, "metadata.uid", meta.uid.as_deref());
    put(leaves, "metadata.resourceVersion", meta.resource_version.as_deref());
    entries(leaves, "metadata.labels", meta.labels.iter().map(|(key, value)| (key, value.clone())));
    entries(leaves, "metadata.annotations", meta.annotations.iter().map(|(key, value)| (key, value.clone())));
}

/// What an object of a known kind hands over, and which places were looked at.
fn typed(leaves: &mut Leaves, version: &str, kind: &str, raw: &[u8]) -> Vec<&'static str> {
    const READ: &str = "another reader reads the object";
    match (version, kind) {
        ("v1", "Secret") => {
            let secret = Secret::decode(raw).expect(READ);
            put(leaves, "type", secret.r#type.as_deref());
            // What it holds is nowhere as it is.
            entries(leaves, "data", secret.data.keys().map(|key| (key, String::new())));
            entries(leaves, "stringData", secret.string_data.keys().map(|key| (key, String::new())));
            vec!["type", "data", "stringData"]
        }
        ("v1", "ConfigMap") => {
            let map = ConfigMap::decode(raw).expect(READ);
            entries(leaves, "data", map.data.iter().map(|(key, value)| (key, value.clone())));
            vec!["data"]
        }
        ("v1", "Service") => service(leaves, &Service::decode(raw).expect(READ)),
        ("v1", "Pod") => {
            let pod = Pod::decode(raw).expect(READ);
            pod.spec.map_or_else(Vec::new, |spec| pod_spec(leaves, "spec", &spec))
        }
        ("apps/v1", "Deployment") => {
            let spec = Deployment::decode(raw).expect(READ).spec.unwrap_or_default();
            number(leaves, "spec.replicas", spec.replicas);
            let pods = spec.template.and_then(|template| template.spec);
            let mut seen = vec!["spec.replicas"];
            seen.extend(pods.map_or_else(Vec::new, |spec| pod_spec(leaves, "spec.template.spec", &spec)));
            seen
        }
        ("autoscaling/v1", "Scale") => {
            let scale = Scale::decode(raw).expect(READ);
            number(leaves, "spec.replicas", scale.spec.and_then(|spec| spec.replicas));
            vec!["spec.replicas"]
        }
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => {
            binding(leaves, &RoleBinding::decode(raw).expect(READ))
        }
        _ => Vec::new(),
    }
}

fn number(leaves: &mut Leaves, path: &str, number: Option<i32>) {
    if let Some(number) = number {
        leaves.insert(path.to_owned(), number.to_string());
    }
}

fn truth(leaves: &mut Leaves, path: &str, truth: Option<bool>) {
    if let Some(truth) = truth {
        leaves.insert(path.to_owned(), truth.to_string());
    }
}

fn service(leaves: &mut Leaves, service: &Service) -> Vec<&'static str> {
    let Some(spec) = &service.spec else { return vec!["spec"] };
    put(leaves, "spec.type", spec.r#type.as_deref());
    put(leaves, "spec.loadBalancerIP", spec.load_balancer_ip.as_deref());
    items(leaves, "spec.externalIPs", &spec.external_ips);
    vec!["spec.type", "spec.loadBalancerIP", "spec.externalIPs"]
}

fn pod_spec(leaves: &mut Leaves, at: &'static str, spec: &PodSpec) -> Vec<&'static str> {
    let mut text =
        |name: &str, value: &Option<String>| put(leaves, &format!("{at}.{name}"), value.as_deref());
    text("serviceAccountName", &spec.service_account_name);
    text("serviceAccount", &spec.service_account);
    text("nodeName", &spec.node_name);
    truth(leaves, &format!("{at}.hostNetwork"), spec.host_network);
    truth(leaves, &format!("{at}.hostPID"), spec.host_pid);
    for (number, container) in spec.containers.iter().enumerate() {
        let at = format!("{at}.containers.{}", number + 1);
        put(leaves, &format!("{at}.image"), container.image.as_deref());
        items(leaves, &format!("{at}.command"), &container.command);
    }
    if at == "spec" {
        vec![
            "spec.serviceAccountName",
            "spec.serviceAccount",
            "spec.nodeName",
            "spec.hostNetwork",
            "spec.hostPID",
        ]
    } else {
        vec![
            "spec.template.spec.serviceAccountName",
            "spec.template.spec.serviceAccount",
            "spec.template.spec.nodeName",
            "spec.template.spec.hostNetwork",
            "spec.template.spec.hostPID",
        ]
    }
}

fn binding(leaves: &mut Leaves, binding: &RoleBinding) -> Vec<&'static str> {
    for (number, subject) in binding.subjects.iter().enumerate() {
        let at = format!("subjects.{}", number + 1);
        let before = leaves.len();
        for (name, value) in [
            ("kind", &subject.kind),
            ("apiGroup", &subject.api_group),
            ("name", &subject.name),
            ("namespace", &subject.namespace),
        ] {
            put(leaves, &format!("{at}.{name}"), value.as_deref());
        }
        if leaves.len() == before {
            leaves.insert(at, "{}".to_owned());
        }
    }
    let Some(role) = &binding.role_ref else { return vec!["subjects", "roleRef"] };
    let before = leaves.len();
    for (name, value) in [("apiGroup", &role.api_group), ("kind", &role.kind), ("name", &role.name)] {
        put(leaves, &format!("roleRef.{name}"), value.as_deref());
    }
    if leaves.len() == before {
        leaves.insert("roleRef".to_owned(), "{}".to_owned());
    }
    vec!["subjects", "roleRef"]
}

/// An object made up from bytes, as the other reader's own writer writes it: where it is sent, and its body.
pub fn made(data: &[u8]) -> Option<(&'static str, String, Vec<u8>)> {
    let mut from = Bytes(data);
    let metadata = Some(ObjectMeta {
        name: Some("web".to_owned()),
        namespace: Some("shop".to_owned()),
        labels: from.map(),
        annotations: from.map(),
        uid: from.text(),
        generation: from.number().map(i64::from),
        ..ObjectMeta::default()
    });
    let (method, path, version, kind, raw) = match from.byte()? % 6 {
        0 => {
            let data = from.map().into_iter().map(|(key, value)| (key, value.into_bytes())).collect();
            let secret =
                Secret { metadata, data, string_data: from.map(), r#type: from.text(), ..Secret::default() };
            ("PUT", "api/v1/namespaces/shop/secrets/web", "v1", "Secret", secret.encode_to_vec())
        }
        1 => {
            let map = ConfigMap { metadata, data: from.map(), ..ConfigMap::default() };
            ("POST", "api/v1/namespaces/shop/configmaps", "v1", "ConfigMap", map.encode_to_vec())
        }
        2 => {
            let service = Service { metadata, spec: Some(from.service()), ..Service::default() };
            ("POST", "api/v1/namespaces/shop/services", "v1", "Service", service.encode_to_vec())
        }
        3 => {
            let pod = Pod { metadata, spec: Some(from.pod()), ..Pod::default() };
            ("POST", "api/v1/namespaces/shop/pods", "v1", "Pod", pod.encode_to_vec())
        }
        4 => {
            let spec = Some(k8s_pb::api::autoscaling::v1::ScaleSpec { replicas: from.number() });
            let scale = Scale { metadata, spec, ..Scale::default() };
            let path = "apis/apps/v1/namespaces/shop/deployments/web/scale";
            ("PUT", path, "autoscaling/v1", "Scale", scale.encode_to_vec())
        }
        _ => {
            let binding = from.binding(metadata);
            let path = "apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/web";
            ("PUT", path, "rbac.authorization.k8s.io/v1", "RoleBinding", binding.encode_to_vec())
        }
    };
    let type_meta = Some(k8s_pb::apimachinery::pkg::runtime::TypeMeta {
        api_version: Some(version.to_owned()),
        kind: Some(kind.to_owned()),
    });
    let unknown = Unknown { type_meta, raw: Some(raw), ..Unknown::default() };
    let body = [MAGIC, &unknown.encode_to_vec()].concat();
    Some((method, format!("/{path}"), body))
}

/// Bytes that say what is made; nothing is made of none.
struct Bytes<'d>(&'d [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn count(&mut self) -> usize {
        usize::from(self.byte().unwrap_or_default() % 4)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.byte()?).checked_sub(1)? % 12;
        let (text, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    fn number(&mut self) -> Option<i32> {
        let first = self.byte()?;
        Some(match first {
            0..128 => i32::from(first),
            128 => return None,
            _ => -i32::from(self.byte()?),
        })
    }

    fn truth(&mut self) -> Option<bool> {
        self.byte().filter(|byte| byte % 3 > 0).map(|byte| byte % 3 == 1)
    }

    fn map(&mut self) -> BTreeMap<String, String> {
        (0..self.count())
            .map(|_| (self.text().unwrap_or_default(), self.text().unwrap_or_default()))
            .collect()
    }

    fn texts(&mut self) -> Vec<String> {
        (0..self.count()).map(|_| self.text().unwrap_or_default()).collect()
    }

    fn service(&mut self) -> k8s_pb::api::core::v1::ServiceSpec {
        let port = k8s_pb::api::core::v1::ServicePort {
            port: self.number(),
            node_port: self.number(),
            target_port: Some(IntOrString { r#type: Some(0), int_val: self.number(), str_val: None }),
            ..Default::default()
        };
        k8s_pb::api::core::v1::ServiceSpec {
            ports: vec![port],
            r#type: self.text(),
            external_ips: self.texts(),
            load_balancer_ip: self.text(),
            ..Default::default()
        }
    }

    fn pod(&mut self) -> PodSpec {
        let containers = (0..self.count()).map(|_| k8s_pb::api::core::v1::Container {
            image: self.text(),
            command: self.texts(),
            ..Default::default()
        });
        PodSpec {
            containers: containers.collect(),
            service_account_name: self.text(),
            service_account: self.text(),
            node_name: self.text(),
            host_network: self.truth(),
            host_pid: self.truth(),
            ..PodSpec::default()
        }
    }

    fn binding(&mut self, metadata: Option<ObjectMeta>) -> RoleBinding {
        let subjects = (0..self.count()).map(|_| k8s_pb::api::rbac::v1::Subject {
            kind: self.text(),
            api_group: self.text(),
            name: self.text(),
            namespace: self.text(),
        });
        let subjects = subjects.collect();
        let role_ref =
            k8s_pb::api::rbac::v1::RoleRef { api_group: self.text(), kind: self.text(), name: self.text() };
        RoleBinding { metadata, subjects, role_ref: Some(role_ref) }
    }
}
