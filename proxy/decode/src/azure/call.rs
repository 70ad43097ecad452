//! The effects of one request.
//!
//! Leaves out templates (`deployment.rs`) and requests in requests (`batch.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{Access, Completeness, Effect, Level, Parameters, Resource, Role, Undecodable};
use serde_json::Value;

use super::asked::{One, Place, Verb};
use super::body::{Shown, Written, bad, bad_at, member, too_many};
use super::id::Path;
use super::words::Words;
use super::{body, class, deployment};

/// All that one request is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub words: &'a Words,
    pub shown: Shown<'a>,
    pub body: Option<&'a Value>,
}

impl Request<'_> {
    /// The parameters of a request of its own.
    pub(super) fn parameters(self, key: &str) -> Parameters {
        if deployment::asks(key) {
            return deployment::parameters(key, self);
        }
        self.shown.parameters(key, self.body, &|_| false, &|_| false)
    }
}

/// One effect.
pub(super) fn effect(one: &One, access: Access, resources: Vec<Resource>, parameters: Parameters) -> Effect {
    Effect {
        service: Arc::from(one.service.as_str()),
        operation: Arc::from(one.operation.as_str()),
        iam_action: Arc::from(format!("{}/{}", one.service, one.operation)),
        access,
        level: Level::Control,
        resources,
        parameters,
    }
}

/// What one request does.
///
/// # Errors
/// Its body cannot be read, or it touches more than is judged at once.
pub(super) fn effects(one: &One, request: Request<'_>) -> Result<Vec<Effect>, Undecodable> {
    match one.key.as_str() {
        "microsoft.resources/subscriptions/resourcegroups/moveresources" => return moved(one, request),
        "microsoft.resources/deployments" | "microsoft.resources/deploymentstacks"
            if matches!(one.verb, Verb::Put | Verb::Patch) && request.body.is_some() =>
        {
            return deployment::effects(one, request);
        }
        "microsoft.resources/deploymentstacks" if one.verb == Verb::Delete => {
            return deployment::unstacked(one, request);
        }
        "microsoft.resources/tags" if one.verb != Verb::Get => return Ok(vec![labelled(one, request)]),
        _ => {}
    }
    if one.reads(request.words) {
        return Ok(vec![effect(
            one,
            Access::Read,
            targets(one, request.words),
            request.parameters(&one.key),
        )]);
    }
    match one.verb {
        Verb::Get => {
            let parameters = request.parameters(&one.key);
            Ok(vec![effect(one, Access::SecretRead, targets(one, request.words), parameters)])
        }
        Verb::Put | Verb::Patch => written(one, request),
        Verb::Delete => Ok(deleted(one, request)),
        Verb::Act => acted(one, request),
    }
}

/// What a request is about.
fn targets(one: &One, words: &Words) -> Vec<Resource> {
    vec![match &one.place {
        Place::One(path) => path.one(Role::Target, words),
        Place::All(path) => path.all(Role::Target, words),
    }]
}

/// A PUT makes what is not there and replaces what is: it is both, so that no rule on either is got round.
pub(super) fn written(one: &One, request: Request<'_>) -> Result<Vec<Effect>, Undecodable> {
    let said = Written::read(request.body);
    let mut accesses: BTreeSet<Access> = match one.verb {
        Verb::Patch if said.only_tags => BTreeSet::new(),
        Verb::Patch => BTreeSet::from([Access::Update]),
        Verb::Put | Verb::Get | Verb::Delete | Verb::Act => BTreeSet::from([Access::Create, Access::Update]),
    };
    if !(one.verb == Verb::Patch && said.only_tags) {
        accesses.extend(class::of_type(&one.key, one.verb));
    }
    accesses.extend(&said.accesses);
    if has_public_address(&one.key, request.body) {
        accesses.insert(Access::Expose);
    }
    let mut resources = targets(one, request.words);
    if let Place::All(path) = &one.place {
        resources.push(path.one(Role::Target, request.words));
    }
    let (Place::One(path) | Place::All(path)) = &one.place;
    if one.verb == Verb::Put {
        let parent = if matches!(one.place, Place::All(_)) { path.without(1) } else { path.parent() };
        resources.push(parent.one(Role::Parent, request.words));
    }
    resources.extend(moved_subscription(path, request.words));
    resources.extend(said.resources(request.words, &path.name())?);
    let parameters = request.parameters(&one.key);
    let mut effects: Vec<Effect> = accesses
        .into_iter()
        .map(|access| effect(one, access, resources.clone(), parameters.clone()))
        .collect();
    if said.tags {
        let mut parameters = parameters;
        if one.verb == Verb::Patch {
            parameters.incomplete(Completeness::Partial("labels that are not named are taken away"));
        }
        effects.push(effect(one, Access::Tag, targets(one, request.words), parameters));
    }
    Ok(effects)
}

/// Containers say by a type whether their address is for all.
fn has_public_address(key: &str, body: Option<&Value>) -> bool {
    let address = body.and_then(|body| member(member(body, "properties")?, "ipAddress"));
    key == "microsoft.containerinstance/containergroups"
        && address.is_some_and(|address| {
            body::text(address, "type").is_none_or(|kind| !kind.eq_ignore_ascii_case("Private"))
        })
}

/// A subscription that is put below a management group is itself what changes.
fn moved_subscription(path: &Path, words: &Words) -> Option<Resource> {
    let last = path.last();
    let [groups, _, kind, id] = last.parts.as_slice() else { return None };
    if last.provider != "microsoft.management" || groups != "managementgroups" || kind != "subscriptions" {
        return None;
    }
    Some(Path::walk(["subscriptions", id.as_str()])?.one(Role::Target, words))
}

/// A scope takes all that lies in it along.
fn deleted(one: &One, request: Request<'_>) -> Vec<Effect> {
    let (Place::One(path) | Place::All(path)) = &one.place;
    let mut resources = targets(one, request.words);
    if one.key == "microsoft.resources/subscriptions/resourcegroups" {
        resources.push(path.below(Role::Target, request.words));
    }
    resources.extend(moved_subscription(path, request.words));
    let mut accesses = BTreeSet::from([Access::Delete]);
    accesses.extend(class::of_type(&one.key, one.verb));
    let parameters = request.parameters(&one.key);
    accesses.into_iter().map(|access| effect(one, access, resources.clone(), parameters.clone())).collect()
}

/// A POST that is not known to read.
fn acted(one: &One, request: Request<'_>) -> Result<Vec<Effect>, Undecodable> {
    let (Place::One(path) | Place::All(path)) = &one.place;
    let said = Written::read(request.body);
    let mut accesses: BTreeSet<Access> = class::of_action(&one.key).into_iter().collect();
    // What is asked for by its id is used; that it is opened or granted is said by the action.
    accesses.extend(said.accesses.iter().filter(|access| **access != Access::Expose));
    let mut resources = targets(one, request.words);
    if one.key == "microsoft.subscription/cancel" {
        resources.push(path.below(Role::Target, request.words));
    }
    resources.extend(said.resources(request.words, &path.name())?);
    let parameters = request.parameters(&one.key);
    Ok(accesses
        .into_iter()
        .map(|access| effect(one, access, resources.clone(), parameters.clone()))
        .collect())
}

/// All labels of something, which have a resource of their own.
pub(super) fn labelled(one: &One, request: Request<'_>) -> Effect {
    let (Place::One(path) | Place::All(path)) = &one.place;
    let mut resources = vec![path.parent().one(Role::Target, request.words)];
    resources.extend(targets(one, request.words));
    let mut parameters = request.parameters(&one.key);
    let merges = request.body.and_then(|body| body::text(body, "operation")).is_some_and(|operation| {
        operation.eq_ignore_ascii_case("merge") || operation.eq_ignore_ascii_case("delete")
    });
    if one.verb != Verb::Patch || !merges {
        parameters.incomplete(Completeness::Partial("labels that are not named are taken away"));
    }
    effect(one, Access::Tag, resources, parameters)
}

/// Resources that are put into another group: they go from their names to new ones, and from who may do what there.
fn moved(one: &One, request: Request<'_>) -> Result<Vec<Effect>, Undecodable> {
    let body = request.body.ok_or_else(|| bad("the request moves nothing"))?;
    let wanted = body::text(body, "targetResourceGroup").unwrap_or_default();
    let group =
        Path::of_id(wanted).filter(|path| path.key() == "microsoft.resources/subscriptions/resourcegroups");
    let group = group.ok_or_else(|| bad_at("`{}` is no resource group to move to", wanted))?;
    let ids = member(body, "resources").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if ids.is_empty() {
        return Err(bad("the request moves nothing"));
    }
    if ids.len() > body::RESOURCES_MAX {
        return Err(too_many());
    }
    let (Place::One(source) | Place::All(source)) = &one.place;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for id in ids {
        let text = id.as_str().unwrap_or_default();
        let path =
            Path::of_id(text).filter(|path| path.frames.len() > 1 && path.scope().name() == source.name());
        let path =
            path.ok_or_else(|| bad_at("`{}` is no resource of the group that it is moved from", text))?;
        let mut there = path.clone();
        there.frames = group.frames.iter().chain(path.frames.iter().skip(1)).cloned().collect();
        old.push(path.one(Role::Target, request.words));
        new.push(there.one(Role::Target, request.words));
    }
    let parameters = request.parameters(&one.key);
    old.push(source.one(Role::Uses, request.words));
    new.push(group.one(Role::Parent, request.words));
    Ok(vec![
        effect(one, Access::Delete, old, parameters.clone()),
        effect(one, Access::Create, new.clone(), parameters.clone()),
        effect(one, Access::Grant, new, parameters),
    ])
}
