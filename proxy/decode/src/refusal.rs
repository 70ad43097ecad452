//! The sentence of a refusal, in the words that a plane's own clients and people already know how to read.
//!
//! Leaves out the reason itself, which the judge gives, and the form it is sent in (`deny.rs` of each room).

use ordain_action::{Effect, Plane, Reading};

use crate::{grpc, kubernetes};

/// Who may not do what to which resource, and why.
#[must_use]
pub fn refusal(who: &str, reading: &Reading, effect: usize, why: &str) -> String {
    let (plane, effect) = match reading {
        Reading::Undecodable { plane, .. } => (*plane, None),
        Reading::Call(call) => (call.plane, call.effects.get(effect).or_else(|| call.effects.first())),
    };
    match (plane, effect) {
        (Plane::Grpc, effect) => grpc::refusal(who, effect, why),
        (Plane::Kubernetes, Some(effect)) => kubernetes::refusal(who, effect, why),
        (Plane::Kubernetes, None) => format!("User \"{who}\" cannot do what cannot be read: {why}"),
        (Plane::Aws, effect) => in_aws(who, effect, why),
        (Plane::Azure, Some(effect)) => in_azure(who, effect, why),
        (_, effect) => in_words(who, effect, why),
    }
}

/// Where the plane has no sentence of its own: who, what, on what, and why.
fn in_words(who: &str, effect: Option<&Effect>, why: &str) -> String {
    let Some(effect) = effect else { return format!("{who} may not do what cannot be read: {why}") };
    let on = effect.resources.first().map(|resource| match resource.identifiers.first() {
        Some(identifier) if resource.name.is_empty() => format!("{} `{}`", resource.kind, identifier.value),
        None if resource.name.is_empty() => resource.kind.to_string(),
        Some(_) | None => resource.name.clone(),
    });
    let on = on.unwrap_or_else(|| "what it names".to_owned());
    format!("{who} may not {} {on}: {why}", effect.iam_action)
}

fn in_azure(who: &str, effect: &Effect, why: &str) -> String {
    let scope = effect.resources.first().map_or("/", |resource| &resource.name);
    format!(
        "The client '{who}' does not have authorization to perform action '{}' over scope '{scope}': {why}",
        effect.iam_action
    )
}

fn in_aws(who: &str, effect: Option<&Effect>, why: &str) -> String {
    let resource = effect.and_then(|effect| effect.resources.first());
    let on = resource.map(|resource| match resource.identifiers.first() {
        Some(identifier) if resource.name.is_empty() => identifier.value.as_str(),
        Some(_) | None => resource.name.as_str(),
    });
    let asked = effect.map_or("an operation that cannot be read", |effect| &effect.iam_action);
    format!(
        "User: {who} is not authorized to perform: {asked} on resource: {} with an explicit deny in a change \
         authority policy: {why}",
        on.unwrap_or("*")
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ordain_action::{Access, Answer, Call, Level, NameBasis, Parameters, Resource, Role, Undecodable};

    use super::*;

    fn call(plane: Plane, service: &str, operation: &str, name: &str) -> Reading {
        let resource = Resource {
            role: Role::Target,
            kind: Arc::from("x"),
            name: name.to_owned(),
            basis: NameBasis::Carried,
            pattern: false,
            identifiers: Vec::new(),
        };
        let effect = Effect {
            service: Arc::from(service),
            operation: Arc::from(operation),
            iam_action: Arc::from(format!("{service}:{operation}")),
            access: Access::Delete,
            level: Level::Control,
            resources: vec![resource],
            parameters: Parameters::new(),
        };
        Reading::Call(Call { plane, effects: vec![effect], answer: Answer::default(), region: Arc::from("") })
    }

    #[test]
    fn each_plane_has_its_own_words() {
        for (reading, expected) in [
            (
                call(Plane::Kubernetes, "core", "delete/pods", "k8s://prod/core/namespaces/n/pods/p"),
                "User \"alice\" cannot delete resource \"pods\" in API group \"\" in the namespace \"n\": why",
            ),
            (
                call(
                    Plane::Kubernetes,
                    "apps",
                    "patch/deployments/scale",
                    "k8s://prod/apps/namespaces/*/deployments/*",
                ),
                "User \"alice\" cannot patch resource \"deployments/scale\" in API group \"apps\" at the cluster scope: why",
            ),
            (
                call(Plane::Aws, "ec2", "TerminateInstances", "arn:x"),
                "User: alice is not authorized to perform: ec2:TerminateInstances on resource: arn:x with an explicit \
                 deny in a change authority policy: why",
            ),
            (
                call(Plane::Azure, "Microsoft.Sql", "servers/delete", "/subscriptions/7/resourcegroups/g"),
                "The client 'alice' does not have authorization to perform action 'Microsoft.Sql:servers/delete' over \
                 scope '/subscriptions/7/resourcegroups/g': why",
            ),
            (
                Reading::Undecodable { plane: Plane::Kubernetes, why: Undecodable::new("x", "x") },
                "User \"alice\" cannot do what cannot be read: why",
            ),
        ] {
            assert_eq!(refusal("alice", &reading, 0, "why"), expected);
        }
    }
}
