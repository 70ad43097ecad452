//! From a request to a call: its effects, their resources, their parameters without secrets.
//!
//! Leaves out how serious each is (`class.rs`) and what a body hands over (`authority.rs`).

use std::sync::Arc;

use ordain_action::{
    Access, Answer, Call, Completeness, Effect, Level, Minted, NewIdentifier, Parameters, Plane, Resource,
    Role, Scalar, Undecodable,
};
use ordain_catalog::ClusterKind;

use super::content::Content;
use super::path::{ObjectPath, Place, is_name};
use super::request::{Connect, Impersonated, Request, Verb};
use super::resource::Cluster;
use super::{authority, class, secret};
use crate::Head;
use crate::form::Fields;
use crate::tokens::Tokens;

/// More parameters than are judged at once.
pub(super) fn too_many() -> Undecodable {
    Undecodable::new("too_many_parameters", "there are more parameters than are judged at once; send fewer")
}

/// Makes the call.
pub(super) fn make(
    tokens: &Tokens,
    request: &Request,
    head: &Head<'_>,
    body: &[u8],
    cluster: Cluster<'_>,
) -> Result<Call, Undecodable> {
    let (mut effects, answer) = match &request.place {
        Place::Url(url) => (vec![page(request, url, cluster)?], Answer::default()),
        Place::Object(object) => of_object(tokens, request, object, head, body, cluster)?,
    };
    for one in &request.impersonates {
        effects.push(impersonation(one, cluster)?);
    }
    Ok(Call { plane: Plane::Kubernetes, effects, answer, region: Arc::from("") })
}

fn page(request: &Request, url: &str, cluster: Cluster<'_>) -> Result<Effect, Undecodable> {
    let mut parameters = Parameters::new();
    parameters.push("path", Scalar::Text(url)).map_err(|_| too_many())?;
    push_query(request, &mut parameters)?;
    Ok(Effect {
        service: Arc::from("core"),
        operation: Arc::from("get/nonresourceurls"),
        iam_action: Arc::from("core:get/nonresourceurls"),
        access: Access::Read,
        level: Level::Control,
        resources: vec![cluster.whole(Role::Target)],
        parameters,
    })
}

fn of_object(
    tokens: &Tokens,
    request: &Request,
    object: &ObjectPath,
    head: &Head<'_>,
    body: &[u8],
    cluster: Cluster<'_>,
) -> Result<(Vec<Effect>, Answer), Undecodable> {
    let content = if request.connect.is_some() || request.verb.reads() {
        Content::default()
    } else {
        Content::read(request, object, head, body)?
    };
    let classes = class::of(request, object, &content).0;
    let parameters = parameters(tokens, request, object, &content)?;
    let dry = classes == [Access::Read];
    let group = ClusterKind::group_of(&object.group, &object.resource);
    let operation = operation(request.verb, object);
    let asked = match object.group.as_str() {
        "" => format!("core:{}", self::operation(request.asked, object)),
        own => format!("{own}:{}", self::operation(request.asked, object)),
    };
    let mut effects = Vec::with_capacity(classes.len() + 1);
    for access in classes {
        effects.push(Effect {
            service: Arc::from(group),
            operation: Arc::from(operation.as_str()),
            iam_action: Arc::from(asked.as_str()),
            access,
            level: class::level(object),
            resources: resources(request, object, &content, cluster)?,
            parameters: parameters.clone(),
        });
    }
    if !dry {
        effects.extend(authority::handed_over(request, object, &content, cluster)?);
    }
    let answer = if dry { Answer::default() } else { answer(request, object, &content)? };
    Ok((effects, answer))
}

/// `delete/pods`, `create/pods/exec`.
fn operation(verb: Verb, object: &ObjectPath) -> String {
    match &object.subresource {
        Some(subresource) => format!("{}/{}/{subresource}", verb.as_str(), object.resource),
        None => format!("{}/{}", verb.as_str(), object.resource),
    }
}

/// What the request touches: never nothing.
fn resources(
    request: &Request,
    object: &ObjectPath,
    content: &Content,
    cluster: Cluster<'_>,
) -> Result<Vec<Resource>, Undecodable> {
    if request.verb == Verb::Create && object.subresource.is_none() {
        return created(object, content, cluster);
    }
    let upserts = matches!(request.verb, Verb::Update | Verb::Patch) && object.subresource.is_none();
    // Somebody else's server may not look at what selects.
    let narrows = request.verb.reads() && ClusterKind::of(&object.group, &object.resource).is_some();
    let selected = if narrows { request.selected_name() } else { None };
    let mut resources = cluster.targets(object, object.name.as_deref().or(selected));
    if upserts {
        // It may not be there yet: then what it would lie in decides.
        let makes = class::of(request, object, content).0.contains(&Access::Create);
        resources.extend(makes.then(|| cluster.parent(object)));
    }
    if object.subresource.as_deref() == Some("binding") {
        resources.extend(bound_to(content, cluster)?);
    }
    Ok(resources)
}

fn created(
    object: &ObjectPath,
    content: &Content,
    cluster: Cluster<'_>,
) -> Result<Vec<Resource>, Undecodable> {
    let mut resources = Vec::new();
    let name = content.name()?;
    if name.is_none() && content.sent.overflowed() {
        return Err(too_many());
    }
    if object.group.is_empty() && object.resource == "bindings" {
        // A pod is bound by an object of its name.
        let pod = ObjectPath { resource: "pods".to_owned(), ..object.clone() };
        resources.extend(cluster.targets(&pod, name));
        resources.extend(bound_to(content, cluster)?);
    } else if let Some(name) = name {
        resources.extend(cluster.targets(object, Some(name)));
    }
    resources.push(cluster.parent(object));
    Ok(resources)
}

/// The node that a pod is put on.
fn bound_to(content: &Content, cluster: Cluster<'_>) -> Result<Option<Resource>, Undecodable> {
    let node = content.text("target.name")?.filter(|name| is_name(name)).unwrap_or("*");
    Ok(Some(cluster.object(Role::Uses, ("core", "nodes"), None, node)))
}

/// What the answer will tell.
fn answer(request: &Request, object: &ObjectPath, content: &Content) -> Result<Answer, Undecodable> {
    let mut answer = Answer { upgrades: request.connect.is_some(), ..Answer::default() };
    let group = ClusterKind::group_of(&object.group, &object.resource);
    if request.verb == Verb::Create
        && object.subresource.is_none()
        && content.name()?.is_none()
        && content.present
    {
        // The server makes the name up.
        answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("{group}:{}", object.resource)),
            member: Arc::from("name"),
            path: vec![Arc::from("metadata"), Arc::from("name")],
        });
    }
    if request.verb == Verb::Create {
        let token = class::is_token(object);
        let minting = !token && class::mints(object);
        answer.mints = match (token, minting) {
            (true, _) => Some(Minted::Bearer),
            (_, true) => Some(Minted::Unrewritable),
            (false, false) => None,
        };
    }
    let writes = matches!(request.verb, Verb::Create | Verb::Update | Verb::Patch);
    if writes && group == "core" && object.resource == "secrets" && class::is_bootstrap_token(object, content)
    {
        // Whoever sends it knows it, and joins the cluster with it by any way.
        answer.mints = Some(Minted::Unrewritable);
    }
    Ok(answer)
}

/// All parameters, secrets as tokens.
fn parameters(
    tokens: &Tokens,
    request: &Request,
    object: &ObjectPath,
    content: &Content,
) -> Result<Parameters, Undecodable> {
    let mut parameters = Parameters::new();
    push_query(request, &mut parameters)?;
    if let Some(tail) = &object.tail {
        parameters.push("path", Scalar::Text(tail)).map_err(|_| too_many())?;
    }
    push_leaves(tokens, object, content, &content.sent, &mut parameters);
    if let Some(why) = content.unseen {
        parameters.incomplete(why);
    }
    if request.connect.is_some() {
        parameters.incomplete(Completeness::Partial("what is said in the stream is not read"));
    }
    Ok(parameters)
}

fn push_query(request: &Request, parameters: &mut Parameters) -> Result<(), Undecodable> {
    for (name, value) in &request.query {
        let path =
            if request.connect == Some(Connect::Proxy) { name.clone() } else { format!("query.{name}") };
        parameters.push(&path, Scalar::Text(value)).map_err(|_| too_many())?;
    }
    Ok(())
}

fn push_leaves(
    tokens: &Tokens,
    object: &ObjectPath,
    content: &Content,
    sent: &Fields,
    parameters: &mut Parameters,
) {
    let kind = content.of_object().text("kind");
    for (path, value) in sent.iter() {
        let place = content.patched.as_ref().and_then(|patched| patched.place_of(path));
        let place = match (&content.patched, &place) {
            (Some(_), None) => None,
            (Some(_), Some(place)) => Some(place.as_str()),
            (None, _) => Some(path),
        };
        let mut token = String::new();
        let value = tokens.cover(
            value,
            || place.is_some_and(|place| secret::is_secret(object, kind, place)),
            &mut token,
        );
        if parameters.push(path, value).is_err() {
            parameters.incomplete(Completeness::Partial("there are more parameters than are kept"));
            return;
        }
    }
}

/// Who acts in somebody's name acts with that one's authority.
fn impersonation(one: &Impersonated, cluster: Cluster<'_>) -> Result<Effect, Undecodable> {
    let account = |name: &str| -> Option<(String, String)> {
        let (namespace, account) = name.strip_prefix("system:serviceaccount:")?.split_once(':')?;
        let plain = [namespace, account].into_iter().all(|part| is_name(part) && !part.contains(':'));
        plain.then(|| (namespace.to_owned(), account.to_owned()))
    };
    let (verb, resource) = match one {
        Impersonated::User(name) => match account(name) {
            Some((namespace, account)) => (
                "serviceaccounts",
                cluster.object(Role::Target, ("core", "serviceaccounts"), Some(&namespace), &account),
            ),
            None => ("users", cluster.object(Role::Target, ("core", "users"), None, name)),
        },
        Impersonated::Group(name) => ("groups", cluster.object(Role::Target, ("core", "groups"), None, name)),
        Impersonated::Uid(uid) => {
            ("uids", cluster.object(Role::Target, ("authentication.k8s.io", "uids"), None, uid))
        }
        Impersonated::Extra { key, value } => (
            "userextras",
            cluster.object(
                Role::Target,
                ("authentication.k8s.io", "userextras"),
                None,
                &format!("{key}/{value}"),
            ),
        ),
    };
    let service = if matches!(one, Impersonated::User(_) | Impersonated::Group(_)) {
        "core"
    } else {
        "authentication.k8s.io"
    };
    Ok(Effect {
        service: Arc::from(service),
        operation: Arc::from(format!("impersonate/{verb}")),
        iam_action: Arc::from(format!("{service}:impersonate/{verb}")),
        access: Access::Execute,
        level: Level::Control,
        resources: vec![resource],
        parameters: Parameters::new(),
    })
}
