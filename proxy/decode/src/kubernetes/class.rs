//! How serious a request is: the classes of its effect, by verb, resource and what its body touches.
//!
//! What cannot be seen counts as the worst it may be. Leaves out authority that a body hands over (`authority.rs`).

use ordain_action::{Access, Level, Scalar};
use ordain_catalog::ClusterKind;

use super::content::Content;
use super::path::ObjectPath;
use super::request::{Connect, Form, Request, Verb};
use crate::form::fields::{segments, unescape};

/// What a request does to what it names: a class of its own, and further ones that come with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Classes(pub(super) Vec<Access>);

/// Classifies a request for an object.
pub(super) fn of(request: &Request, object: &ObjectPath, content: &Content) -> Classes {
    if request.connect.is_some() {
        return Classes(vec![Access::Execute]);
    }
    if request.verb.reads() {
        return Classes(vec![read(object)]);
    }
    if is_question(request, object) {
        return Classes(vec![Access::Read]);
    }
    let mut bases = bases(request, object, content);
    let further = further(request, object, content);
    // What also grants or opens is more than a change of what is there; what is made or taken away is both.
    if further.iter().any(|access| !matches!(access, Access::SecretRead)) {
        bases.retain(|access| !matches!(access, Access::Update | Access::Tag));
    }
    for access in further {
        if !bases.contains(&access) {
            bases.push(access);
        }
    }
    if is_dry(request, object, content) {
        bases.retain(|access| *access == Access::SecretRead);
        if bases.is_empty() {
            bases.push(Access::Read);
        }
    }
    Classes(bases)
}

/// Infrastructure, or the noise that runs through it: events and leases.
pub(super) fn level(object: &ObjectPath) -> Level {
    match (ClusterKind::group_of(&object.group, &object.resource), object.resource.as_str()) {
        ("core", "events") | ("coordination.k8s.io", "leases") => Level::Data,
        _ => Level::Control,
    }
}

/// A read, unless what is read is a secret, or the subresource may do anything.
fn read(object: &ObjectPath) -> Access {
    if hands_out_secrets(object) {
        return Access::SecretRead;
    }
    match object.subresource.as_deref() {
        None | Some("status" | "scale" | "log" | "approval" | "ephemeralcontainers" | "resize") => {
            Access::Read
        }
        Some(_) if matches!(object.group.as_str(), "custom.metrics.k8s.io" | "external.metrics.k8s.io") => {
            Access::Read
        }
        Some(_) => Access::Execute,
    }
}

/// Objects whose reading hands out secrets: by their names, since every operator has its own.
pub(super) fn hands_out_secrets(object: &ObjectPath) -> bool {
    // Operators whose objects say where secrets come from, and hold none.
    let sources =
        ["external-secrets.io", "bitnami.com", "secrets-store.csi.x-k8s.io", "secrets.hashicorp.com"];
    if sources.iter().any(|group| object.group == *group || object.group == format!("generators.{group}")) {
        return false;
    }
    let last = object.subresource.as_deref().unwrap_or(&object.resource);
    let told = ["secret", "token", "credential", "kubeconfig", "password"];
    (told.iter().any(|word| last.contains(word)) || object.resource == "secrets") && last != "tokenreviews"
}

/// Objects that are made in order to be answered with a credential, in a form that only their operator knows.
pub(super) fn mints(object: &ObjectPath) -> bool {
    let made = ["tokens", "tokenrequests", "credentialrequests", "kubeconfigs"];
    hands_out_secrets(object)
        && object.resource != "secrets"
        && (object.subresource.is_some() || made.iter().any(|ending| object.resource.ends_with(ending)))
}

/// The subresource by which a service account's token is asked for.
pub(super) fn is_token(object: &ObjectPath) -> bool {
    object.resource == "serviceaccounts" && object.subresource.as_deref() == Some("token")
}

/// Questions that are asked by making an object which is never kept.
fn is_question(request: &Request, object: &ObjectPath) -> bool {
    request.verb == Verb::Create
        && object.subresource.is_none()
        && object.name.is_none()
        && matches!(
            (object.group.as_str(), object.resource.as_str()),
            (
                "authorization.k8s.io",
                "localsubjectaccessreviews"
                    | "selfsubjectaccessreviews"
                    | "selfsubjectrulesreviews"
                    | "subjectaccessreviews"
            ) | ("authentication.k8s.io", "selfsubjectreviews" | "tokenreviews")
        )
}

fn bases(request: &Request, object: &ObjectPath, content: &Content) -> Vec<Access> {
    match (request.verb, object.subresource.as_deref()) {
        (Verb::Get | Verb::List | Verb::Watch, _) => vec![Access::Read],
        // A binding is no object of its own: it puts a pod on a node.
        (Verb::Create, None) if object.group.is_empty() && object.resource == "bindings" => {
            vec![Access::Update]
        }
        (Verb::Create, None) => vec![Access::Create],
        (Verb::Create, Some("eviction")) => vec![Access::Delete],
        (Verb::Create, Some("binding" | "rollback")) => vec![Access::Update],
        (Verb::Create, Some("token")) if object.resource == "serviceaccounts" => vec![Access::SecretRead],
        // What a subresource of somebody else's makes of being asked is not known.
        (Verb::Create, Some(_)) => vec![Access::Execute],
        (Verb::Update | Verb::Patch, Some("ephemeralcontainers")) => vec![Access::Execute],
        (Verb::Update | Verb::Patch, Some("finalize")) => vec![Access::Delete],
        (Verb::Update | Verb::Patch, Some("status" | "scale" | "resize" | "approval")) => {
            vec![Access::Update]
        }
        (Verb::Update | Verb::Patch, Some(_)) => vec![Access::Execute],
        (Verb::Update, None) if may_create(object) => vec![Access::Create, Access::Update],
        (Verb::Update, None) => vec![Access::Update],
        (Verb::Patch, None) => match request.form {
            Ok(form) if form.applies() => vec![Access::Create, Access::Update],
            Ok(_) if content.unseen.is_some() || leaves_owner(content) => {
                vec![Access::Update, Access::Delete]
            }
            Ok(_) if takes_finalizers(content) => vec![Access::Delete],
            Ok(form) if tags_only(content, form) => vec![Access::Tag],
            Ok(_) | Err(_) => vec![Access::Update],
        },
        (Verb::Delete | Verb::DeleteCollection, _) => vec![Access::Delete],
    }
}

/// Objects that the server makes when they are to be updated and are not there.
fn may_create(object: &ObjectPath) -> bool {
    let group = ClusterKind::group_of(&object.group, &object.resource);
    matches!(
        (group, object.resource.as_str()),
        ("core", "endpoints" | "events" | "limitranges" | "services")
            | ("coordination.k8s.io", "leases")
            | ("rbac.authorization.k8s.io", _)
            | ("certificates.k8s.io", "certificatesigningrequests")
    )
}

/// The places of the object that a body touches, and what stands there.
fn leaves(content: &Content) -> impl Iterator<Item = (Vec<String>, Scalar<'_>)> {
    content.of_object().iter().map(|(path, value)| (segments(path).map(unescape).collect(), value))
}

fn touches(content: &Content, wanted: &[&str]) -> bool {
    leaves(content).any(|(path, _)| begins(&path, wanted))
}

/// One of both is at or below the other: a value put above a place is put at it too.
fn begins(path: &[String], wanted: &[&str]) -> bool {
    path.iter().zip(wanted).all(|(part, wanted)| part == wanted)
}

/// Nothing is touched but labels and annotations.
fn tags_only(content: &Content, form: Form) -> bool {
    let tags = |path: &[String]| {
        matches!(path.first().map(String::as_str), Some("metadata"))
            && matches!(path.get(1).map(String::as_str), Some("labels" | "annotations"))
    };
    // A patch may say again what it is for.
    let said = |path: &[String]| match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["apiVersion" | "kind"] => form != Form::JsonPatch,
        ["metadata", "name" | "namespace" | "uid" | "resourceVersion"] => form != Form::JsonPatch,
        _ => false,
    };
    let mut any = false;
    let all = leaves(content).all(|(path, _)| {
        any |= tags(&path);
        tags(&path) || said(&path)
    });
    any && all && content.unseen.is_none()
}

/// Owners are changed: an object whose owner is nowhere is collected.
fn leaves_owner(content: &Content) -> bool {
    leaves(content).any(|(path, _)| {
        let at = path.iter().map(String::as_str).collect::<Vec<_>>();
        matches!(at.as_slice(), ["metadata", part, ..] if part.contains("ownerReferences"))
    })
}

/// Finalizers are taken away: what waits for them is gone then.
fn takes_finalizers(content: &Content) -> bool {
    leaves(content).any(|(path, value)| {
        let at = path.iter().map(String::as_str).collect::<Vec<_>>();
        if at == ["metadata"] {
            return true;
        }
        let directive = at.last().is_some_and(|last| last.starts_with('$'));
        let named = at.first() == Some(&"metadata") && at.iter().any(|part| part.contains("finalizers"));
        named
            && (directive
                || at.iter().any(|part| part.starts_with('$'))
                || matches!(value, Scalar::Null | Scalar::Empty))
    })
}

/// Classes that come with the verb's own.
fn further(request: &Request, object: &ObjectPath, content: &Content) -> Vec<Access> {
    let mut further = Vec::new();
    if grants(request, object, content) {
        further.push(Access::Grant);
    }
    if exposes(request, object, content) {
        further.push(Access::Expose);
    }
    if stops(request, object, content) {
        further.push(Access::Delete);
    }
    if answers_with_secrets(request, object) {
        further.push(Access::SecretRead);
    }
    further
}

/// Something that runs is told to run nowhere.
fn stops(request: &Request, object: &ObjectPath, content: &Content) -> bool {
    let zero = |value: Scalar<'_>| match value {
        Scalar::Number(number) => number.parse::<f64>().is_ok_and(|number| number == 0.0),
        Scalar::Text(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => false,
    };
    let fields = content.of_object();
    // Of two numbers the last counts for the server, and either for us.
    let says_zero = fields.iter().any(|(path, value)| path == "spec.replicas" && zero(value));
    // A scale without a number is one of none.
    let gone = |value: Scalar<'_>| matches!(value, Scalar::Null | Scalar::Empty);
    let taken = fields.iter().any(|(path, value)| matches!(path, "spec" | "spec.replicas") && gone(value));
    let unsaid = request.verb == Verb::Update && fields.get("spec.replicas").is_none();
    let scale_of_none = taken || unsaid || content.unseen.is_some();
    matches!(request.verb, Verb::Update | Verb::Patch)
        && match object.subresource.as_deref() {
            None => says_zero,
            Some("scale") => says_zero || scale_of_none,
            Some(_) => false,
        }
}

/// A change of secrets that is answered with what they hold: the object as it is now, or all that were deleted.
fn answers_with_secrets(request: &Request, object: &ObjectPath) -> bool {
    hands_out_secrets(object)
        && match request.verb {
            Verb::Patch | Verb::Delete | Verb::DeleteCollection => true,
            // Answers that mint what did not exist before: nobody knows them by their request.
            Verb::Create => object.resource != "secrets" || object.subresource.is_some(),
            Verb::Update | Verb::Get | Verb::List | Verb::Watch => false,
        }
}

/// The request changes who may do what, or who is asked.
fn grants(request: &Request, object: &ObjectPath, content: &Content) -> bool {
    let group = ClusterKind::group_of(&object.group, &object.resource);
    let resource = object.resource.as_str();
    if object.subresource.as_deref() == Some("approval") {
        return true;
    }
    match (group, resource) {
        ("admissionregistration.k8s.io" | "apiregistration.k8s.io" | "rbac.authorization.k8s.io", _)
        | (_, "roles" | "rolebindings" | "clusterroles" | "clusterrolebindings" | "podsecuritypolicies")
        | (_, "securitycontextconstraints" | "oauthclients" | "users" | "groups" | "identities")
        | ("certificates.k8s.io", "clustertrustbundles") => true,
        // What these let in is let in by the webhooks of their operators.
        (group, _) if group.ends_with("gatekeeper.sh") || group.ends_with("kyverno.io") => true,
        // A request is signed by what stands in its status.
        ("certificates.k8s.io", "certificatesigningrequests") => object.subresource.is_some(),
        ("core", "serviceaccounts") => object.subresource.is_none() && binds_cloud_identity(content),
        ("core", "namespaces") => object.subresource.is_none() && relaxes_pod_security(request, content),
        ("core", "secrets") => is_bootstrap_token(object, content),
        ("core", "configmaps") => {
            // Whom the cluster takes callers for is said here (EKS, aggregation).
            let named = object.name.as_deref().or_else(|| content.name().ok().flatten());
            let all = named.is_none() && (request.verb == Verb::DeleteCollection || content.unseen.is_some());
            object.namespace.as_deref() == Some("kube-system")
                && (all || matches!(named, Some("aws-auth" | "extension-apiserver-authentication")))
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            let webhook = leaves(content).any(|(path, _)| begins(&path, &["spec", "conversion", "webhook"]));
            request.verb != Verb::Delete && (webhook || content.unseen.is_some())
        }
        _ => false,
    }
}

/// Annotations by which a service account is somebody in a cloud.
fn binds_cloud_identity(content: &Content) -> bool {
    let known = ["eks.amazonaws.com/", "iam.gke.io/", "azure.workload.identity/", "iam.amazonaws.com/"];
    let named = leaves(content).any(|(path, _)| {
        match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["metadata"] | ["metadata", "annotations"] => true,
            ["metadata", "annotations", key, ..] => known.iter().any(|prefix| key.starts_with(prefix)),
            _ => false,
        }
    });
    named || content.unseen.is_some()
}

/// Labels that say what the pods of a namespace may.
fn relaxes_pod_security(request: &Request, content: &Content) -> bool {
    let named = leaves(content).any(|(path, value)| {
        match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["metadata"] => true,
            ["metadata", "labels"] => matches!(value, Scalar::Null | Scalar::Empty),
            ["metadata", "labels", key, ..] => {
                key.starts_with("pod-security.kubernetes.io/") || key.starts_with('$')
            }
            _ => false,
        }
    });
    // A whole object that says nothing of them takes them away.
    let changes = matches!(request.verb, Verb::Create | Verb::Update | Verb::Patch);
    changes && (named || content.unseen.is_some() || request.verb == Verb::Update)
}

/// A secret by which a machine joins the cluster.
pub(super) fn is_bootstrap_token(object: &ObjectPath, content: &Content) -> bool {
    let said = content.text("type").ok().flatten() == Some("bootstrap.kubernetes.io/token");
    let named = object.name.as_deref().or_else(|| content.name().ok().flatten());
    let by_name = named.is_some_and(|name| name.starts_with("bootstrap-token-"));
    object.namespace.as_deref() == Some("kube-system") && (said || by_name || content.unseen.is_some())
}

/// The request opens something to a network, or stops something from being closed.
fn exposes(request: &Request, object: &ObjectPath, content: &Content) -> bool {
    let deletes = matches!(request.verb, Verb::Delete | Verb::DeleteCollection);
    let resource = object.resource.as_str();
    let closes = resource.ends_with("networkpolicies")
        || matches!(resource, "authorizationpolicies" | "peerauthentications" | "requestauthentications");
    if closes {
        // A policy that lets something in lets it in beside all others.
        let opens = content.unseen.is_some()
            || touches(content, &["spec", "ingress", "1"])
            || touches(content, &["spec", "egress", "1"])
            || !object.group.ends_with("networking.k8s.io");
        return request.verb != Verb::Create || opens;
    }
    if deletes {
        return false;
    }
    match resource {
        "services" if object.group.is_empty() => {
            object.subresource.as_deref() == Some("status") || opens_service(request, content)
        }
        "endpoints" if object.group.is_empty() => true,
        "endpointslices" | "ingresses" | "gateways" | "httproutes" | "grpcroutes" | "tlsroutes"
        | "tcproutes" | "udproutes" | "referencegrants" | "routes" | "virtualservices" | "ingressroutes"
        | "ingressroutetcps" | "ingressrouteudps" | "httpproxies" => true,
        _ => false,
    }
}

fn opens_service(request: &Request, content: &Content) -> bool {
    // A patch says nothing of the type that is there: what it changes of a service's ports may be open already.
    let whole = request.verb != Verb::Patch || request.form.as_ref().is_ok_and(|form| form.applies());
    content.unseen.is_some()
        || leaves(content).any(|(path, value)| {
            match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["spec", "type"] => matches!(value, Scalar::Text("LoadBalancer" | "NodePort")),
                ["spec"] => true,
                ["spec", "externalIPs", ..] => !matches!(value, Scalar::Null | Scalar::Empty),
                [
                    "spec",
                    "loadBalancerIP"
                    | "loadBalancerClass"
                    | "loadBalancerSourceRanges"
                    | "externalTrafficPolicy",
                    ..,
                ] => true,
                ["spec", "ports", .., "nodePort"] => true,
                ["spec", "ports" | "selector", ..] => !whole,
                ["spec", directive, ..] if directive.starts_with('$') => true,
                ["metadata", "annotations", key, ..] => {
                    key.contains("load-balancer") || key.contains("loadbalancer") || key.starts_with('$')
                }
                ["metadata"] | ["metadata", "annotations"] => true,
                _ => false,
            }
        })
}

/// The request is checked and dropped, and the server itself guarantees it: said once, in the one exact form, for an
/// object of the server's own.
fn is_dry(request: &Request, object: &ObjectPath, content: &Content) -> bool {
    let own = ClusterKind::of(&object.group, &object.resource).is_some()
        && object.group != "metrics.k8s.io"
        && matches!(object.subresource.as_deref(), None | Some("status" | "scale"));
    let asked = match request.verb {
        Verb::Create | Verb::Update | Verb::Patch => request.query("dryRun") == Some("All"),
        Verb::Delete | Verb::DeleteCollection if content.present => {
            // With options in the body, the server looks at no query.
            let all = content.sent.iter().filter(|(path, _)| path.starts_with("dryRun"));
            content.unseen.is_none() && all.eq([("dryRun.1", Scalar::Text("All"))])
        }
        Verb::Delete | Verb::DeleteCollection => request.query("dryRun") == Some("All"),
        Verb::Get | Verb::List | Verb::Watch => false,
    };
    own && asked && request.connect != Some(Connect::Proxy)
}
