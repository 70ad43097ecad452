//! What is particular to Kubernetes in a judgement: labels that say who owns something, configuration that says
//! who may do what, and which namespaces an actor reads.
//!
//! Leaves out the stages themselves (`stages.rs`).

use std::sync::Arc;

use ordain_action::{Access, Completeness, Effect, Plane, Resource, Role, Scalar};
use ordain_catalog::ClusterKind;

use crate::inventory::Entry;
use crate::kubernetes::{self, Body, Name, Operation};
use crate::resolve::{Estate, Site};
use crate::{ReadScope, Snapshot};

/// Objects that are no roles or bindings, and say all the same who is who in a cluster.
const WHO_IS_WHO: [(&str, &str, &str); 1] = [("kube-system", "configmaps", "aws-auth")];

/// Whether what is said of something that is to be created in a namespace or a cluster is all that is said of that.
pub(super) fn stands_for(new: &Site, parent: &Site) -> bool {
    let holder = kubernetes::holders(&new.name).into_iter().next();
    !new.is_known()
        && holder.is_some_and(|holder| holder == parent.name)
        && new.standing.owners == parent.standing.owners
}

/// The effect sets an object that may be there: what it would lie in decides only where it is not.
pub(super) fn sets(plane: Plane, effect: &Effect) -> bool {
    plane == Plane::Kubernetes && Operation::of(effect).is_some_and(|operation| !operation.creates())
}

/// The type of what an effect makes whose name the cluster makes up.
pub(super) fn made_unnamed(plane: Plane, effect: &Effect) -> Option<Arc<str>> {
    let named = effect.resources.iter().any(|resource| resource.role == Role::Target);
    let operation = Operation::of(effect).filter(|operation| operation.creates())?;
    let unnamed = plane == Plane::Kubernetes && !named;
    unnamed.then(|| Arc::from(format!("{}:{}", operation.group, operation.resource)))
}

/// The effect changes who owns something, or who may do what, though its class does not say so.
pub(super) fn grants(estate: &Estate<'_>, effect: &Effect) -> bool {
    if estate.plane != Plane::Kubernetes || !effect.access.is_change() {
        return false;
    }
    let mut targets = effect.resources.iter().filter(|resource| resource.role == Role::Target);
    targets.clone().any(|target| says_who_is_who(&target.name))
        || targets.any(|target| relabels(estate, effect, target))
}

fn says_who_is_who(name: &str) -> bool {
    Name::parse(name).is_some_and(|name| {
        let here = (name.namespace.unwrap_or_default(), name.resource, name.name);
        WHO_IS_WHO.contains(&here)
    })
}

/// A label or an annotation that says who owns the target, or which scope it lies in, would be another one.
fn relabels(estate: &Estate<'_>, effect: &Effect, target: &Resource) -> bool {
    let Some(operation) = Operation::of(effect) else { return false };
    // What is new belongs to whoever owns what it is created in, whatever its labels say.
    if !operation.writes() || operation.creates() || operation.subresource.is_some() {
        return false;
    }
    let ownership = &estate.model.ownership_tags;
    let entry =
        estate.model.inventory.by_name(&target.name).and_then(|index| estate.model.inventory.get(index));
    let is = |key: &str| {
        let of = |entry: &Entry| {
            entry.tags.iter().find(|(tag, _)| tag.as_ref() == key).map(|(_, value)| value.clone())
        };
        entry.and_then(of)
    };
    let body = Body::of(effect);
    let mut changed = ["metadata.labels", "metadata.annotations"].into_iter().any(|holder| {
        body.entries(holder).any(|(key, value)| {
            let same =
                matches!(value, Scalar::Text(text) if is(&key).is_some_and(|known| known.as_ref() == text));
            // A directive of a patch says what becomes of all of them.
            (ownership.contains(&key.to_lowercase()) && !same) || key.starts_with('$')
        })
    });
    // All labels at once, set to nothing or taken away, or an object sent whole without one that it has.
    let all = ["metadata", "metadata.labels", "metadata.annotations"];
    changed |=
        all.iter().any(|path| body.values(path).any(|value| matches!(value, Scalar::Null | Scalar::Empty)));
    if operation.verb == "update" {
        let sent = |key: &str| {
            ["metadata.labels", "metadata.annotations"]
                .into_iter()
                .any(|holder| body.entries(holder).any(|(other, _)| other == key))
        };
        let had = entry.into_iter().flat_map(|entry| &entry.tags);
        changed |= had.filter(|(key, _)| ownership.contains(&key.to_lowercase())).any(|(key, _)| !sent(key));
    }
    // Of a part of an object that was not read, nobody knows what else it says; of a whole one it is seen what is missing.
    let unread = effect.parameters.completeness() != Completeness::Complete
        && (operation.verb != "update" || effect.access == Access::Tag);
    changed || unread || body.unread
}

/// Which types a cluster serves, and whether it is well: every authenticated client asks before anything else, and a
/// cluster tells each of them by default (the roles `system:discovery` and `system:public-info-viewer`).
pub(super) fn is_discovery(effect: &Effect) -> bool {
    if &*effect.operation != "get/nonresourceurls" {
        return false;
    }
    let path = effect.parameters.text("path").unwrap_or_default().trim_end_matches('/');
    let mut segments = path.split('/').skip(1);
    let root = segments.next().unwrap_or_default();
    match root {
        "api" => segments.count() <= 1,
        "apis" => segments.count() <= 2,
        "version" | "healthz" | "livez" | "readyz" => segments.next().is_none(),
        "openapi" => true,
        _ => false,
    }
}

/// The first of some resources that lies in a namespace which a read scope does not cover.
pub(super) fn outside<'r>(
    snapshot: &Snapshot,
    scope: &ReadScope,
    mut named: impl Iterator<Item = &'r Resource>,
) -> Option<&'r str> {
    let reads = |text: &str| {
        let Some(name) = Name::parse(text) else { return true };
        if name.is_cluster() || (name.is_namespace() && name.name == "*") {
            return true;
        }
        match name.namespace {
            Some("*") if !lies_in_namespaces(snapshot, &name) => true,
            Some(namespace) => scope.covers_namespace(name.cluster, namespace),
            None if name.name != "*" || !lies_in_namespaces(snapshot, &name) => true,
            None => scope.covers_namespace(name.cluster, "*"),
        }
    };
    named.find(|resource| !reads(&resource.name)).map(|resource| resource.name.as_str())
}

/// Whether objects of a type lie in namespaces; of a type that nothing is known of, they may.
fn lies_in_namespaces(snapshot: &Snapshot, name: &Name<'_>) -> bool {
    let known = ClusterKind::of(name.group, name.resource).map(|known| known.namespaced);
    known.unwrap_or_else(|| {
        let Some(model) = snapshot.model() else { return true };
        let here = kubernetes::object_name(name.cluster, (name.group, name.resource), None, "");
        let pattern = crate::glob::Glob::new(&format!("{here}*"));
        model.inventory.matching(&pattern).next().is_none()
    })
}
