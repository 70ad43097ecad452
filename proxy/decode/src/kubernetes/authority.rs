//! Authority that a body hands over: service accounts that pods run as, nodes they may act on, secrets they get.
//!
//! Found by what the members are called, so that a custom resource whose operator makes pods of it is covered too.
//! Leaves out the authority that a pod has by saying nothing: the default service account of its namespace.

use std::sync::Arc;

use ordain_action::{Access, Effect, Level, Parameters, Resource, Role, Scalar, Undecodable};
use ordain_catalog::ClusterKind;

use super::content::Content;
use super::path::{ObjectPath, is_name};
use super::request::{Request, Verb};
use super::resource::Cluster;
use crate::form::fields::{segments, unescape};

/// The most accounts, nodes and secrets that one request hands over.
const HANDED_MAX: usize = 64;

/// Where a pod gets more than its own: what it is, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Handed {
    Account(String),
    Node(Option<String>),
    Secret(String),
}

/// The effects of what a request hands over.
pub(super) fn handed_over(
    request: &Request,
    object: &ObjectPath,
    content: &Content,
    cluster: Cluster<'_>,
) -> Result<Vec<Effect>, Undecodable> {
    let writes = matches!(request.verb, Verb::Create | Verb::Update | Verb::Patch);
    if !writes || request.connect.is_some() || !makes_pods(object) {
        return Ok(Vec::new());
    }
    let mut found: Vec<Handed> = Vec::new();
    let mut add = |one: Handed| {
        if !found.contains(&one) {
            found.push(one);
        }
    };
    for (path, value) in content.of_object().iter() {
        let path: Vec<String> = segments(path).map(unescape).collect();
        handed(&path, value).into_iter().for_each(&mut add);
    }
    if content.unseen.is_some() {
        [Handed::Account("*".to_owned()), Handed::Node(None), Handed::Secret("*".to_owned())]
            .into_iter()
            .for_each(&mut add);
    }
    if object.resource == "secrets" && object.group.is_empty() {
        found = minting_secret(content)?.into_iter().collect();
    }
    if found.len() > HANDED_MAX {
        return Err(Undecodable::new(
            "too_many_resources",
            "there are more service accounts and secrets than are judged at once; name fewer",
        ));
    }
    found.into_iter().map(|one| effect(&one, object, cluster)).collect()
}

/// Objects of which pods are made, or may be: the server's own, and what an operator may make of anything else.
fn makes_pods(object: &ObjectPath) -> bool {
    let group = ClusterKind::group_of(&object.group, &object.resource);
    let whole = matches!(object.subresource.as_deref(), None | Some("ephemeralcontainers" | "resize"));
    whole
        && (ClusterKind::of(&object.group, &object.resource).is_none()
            || matches!(
                (group, object.resource.as_str()),
                (
                    "core",
                    "pods" | "podtemplates" | "replicationcontrollers" | "persistentvolumes" | "secrets"
                ) | ("apps", _)
                    | ("batch", _)
            ))
}

/// A secret that the server fills with a token of the service account that it names.
fn minting_secret(content: &Content) -> Result<Option<Handed>, Undecodable> {
    let named = content.text("metadata.annotations.kubernetes\\.io/service-account\\.name")?;
    let minting = content.text("type")? == Some("kubernetes.io/service-account-token");
    Ok(match named {
        Some(name) if is_name(name) => Some(Handed::Account(name.to_owned())),
        _ if minting || content.unseen.is_some() => Some(Handed::Account("*".to_owned())),
        _ => None,
    })
}

/// What one leaf of an object hands to the pods that are made of it.
fn handed(path: &[String], value: Scalar<'_>) -> Option<Handed> {
    let parts: Vec<&str> = path.iter().map(String::as_str).filter(|part| !is_item(part)).collect();
    let text = if let Scalar::Text(text) = value { Some(text).filter(|text| !text.is_empty()) } else { None };
    let yes = value == Scalar::Bool(true);
    let named = |text: &str| if is_name(text) { text.to_owned() } else { "*".to_owned() };
    match parts.as_slice() {
        [.., "serviceAccountName" | "serviceAccount"]
        | [.., "serviceAccount" | "serviceAccountRef", "name"] => {
            text.map(|text| Handed::Account(named(text)))
        }
        [.., "hostNetwork" | "hostPID" | "hostIPC" | "privileged" | "hostProcess"] if yes => {
            Some(Handed::Node(None))
        }
        [.., "hostPath"] | [.., "hostPath", "path"] if value != Scalar::Null => Some(Handed::Node(None)),
        [.., "hostPort"] if !matches!(value, Scalar::Null | Scalar::Number("0")) => Some(Handed::Node(None)),
        [.., "capabilities", "add"] if text.is_some_and(|text| text != "NET_BIND_SERVICE") => {
            Some(Handed::Node(None))
        }
        [.., "procMount"] if text == Some("Unmasked") => Some(Handed::Node(None)),
        [.., "nodeName"] => text.map(|text| Handed::Node(Some(named(text)))),
        [.., "secret" | "azureFile", "secretName"]
        | [.., "secretRef" | "secretKeyRef" | "nodePublishSecretRef", "name"]
        | [.., "sources", "secret", "name"] => text.map(|text| Handed::Secret(named(text))),
        _ => None,
    }
}

/// An item of a list: a number of ours, or where a patch puts it.
fn is_item(part: &str) -> bool {
    part == "-" || part.bytes().all(|byte| byte.is_ascii_digit())
}

fn effect(handed: &Handed, object: &ObjectPath, cluster: Cluster<'_>) -> Result<Effect, Undecodable> {
    // What lies in no namespace itself says nowhere which one is meant.
    let namespace = object.namespace.as_deref().unwrap_or("*");
    let target = |kind: &str, namespace: Option<&str>, name: &str| -> Resource {
        cluster.object(Role::Target, ("core", kind), namespace, name)
    };
    let (kind, access, resource) = match handed {
        Handed::Account(name) => {
            ("serviceaccounts", Access::Execute, target("serviceaccounts", Some(namespace), name))
        }
        Handed::Node(name) => {
            ("nodes", Access::Execute, target("nodes", None, name.as_deref().unwrap_or("*")))
        }
        Handed::Secret(name) => ("secrets", Access::SecretRead, target("secrets", Some(namespace), name)),
    };
    let mut parameters = Parameters::new();
    let group = ClusterKind::group_of(&object.group, &object.resource);
    let to = format!("{group}:{}", object.resource);
    parameters.push("handedTo", Scalar::Text(&to)).map_err(|_| super::call::too_many())?;
    Ok(Effect {
        service: Arc::from("core"),
        operation: Arc::from(format!("use/{kind}")),
        iam_action: Arc::from(format!("core:use/{kind}")),
        access,
        level: Level::Control,
        resources: vec![resource],
        parameters,
    })
}
