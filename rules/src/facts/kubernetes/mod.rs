//! What an object that is sent to a cluster would open, grant or run.
//!
//! Leaves out what follows from it (the rules). Members are read wherever they stand, so that a custom object with
//! a pod inside is read as a pod is.

mod network;
mod pod;
mod rbac;

use ordain_action::{Access, Completeness, Effect, Scalar};

use super::Facts;
use crate::kubernetes::{Body, Operation};

/// Types whose members open, run or grant: all of what is sent has to be readable.
const WATCHED: [(&str, &str); 21] = [
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("core", "namespaces"),
    ("core", "persistentvolumes"),
    ("core", "pods"),
    ("core", "podtemplates"),
    ("core", "replicationcontrollers"),
    ("core", "services"),
    ("gateway.networking.k8s.io", "gateways"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "networkpolicies"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
    ("extensions", "ingresses"),
];

/// Parts of objects that are sent apart and hold no such member.
const HARMLESS: [&str; 3] = ["scale", "status", "finalize"];

/// Connections to what is there: they change no object, and what is said on them nobody reads. Whether they may be is
/// said of their class, which is to run something under another authority.
const CONNECTIONS: [&str; 4] = ["exec", "attach", "portforward", "proxy"];

/// Types that hold data, which is no object itself.
const DATA: [(&str, &str); 2] = [("core", "configmaps"), ("core", "secrets")];

pub(super) fn read(effect: &Effect) -> Facts {
    let mut facts = Facts {
        complete: effect.parameters.completeness() == Completeness::Complete,
        watched: matches!(effect.access, Access::Grant | Access::Expose),
        ..Facts::default()
    };
    let Some(operation) = Operation::of(effect) else { return facts };
    if operation.deletes() && operation.resource == "networkpolicies" {
        facts.exposes.insert("network_policy_off");
    }
    let of_part = |parts: &[&str]| operation.subresource.is_some_and(|part| parts.contains(&part));
    let harmless = of_part(&HARMLESS) || of_part(&CONNECTIONS);
    let of_type = (operation.group, operation.resource);
    if !operation.writes() || harmless || DATA.contains(&of_type) {
        return facts;
    }
    facts.watched |= WATCHED.contains(&of_type);
    let body = Body::of(effect);
    // Of what an operation takes from the object itself nothing is known.
    facts.complete &= !body.unread;
    pod::read(&operation, &body, &mut facts);
    network::read(&operation, &body, &mut facts);
    rbac::read(&operation, &body, &mut facts);
    facts
}

/// A switch that is on. The cluster takes no text for one, and another reader may.
fn is_on(value: Scalar<'_>) -> bool {
    match value {
        Scalar::Bool(on) => on,
        Scalar::Text(text) => text.eq_ignore_ascii_case("true"),
        Scalar::Number(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => false,
    }
}

/// The parts of a path are the last of it, without list positions.
fn ends(path: &str, wanted: &[&str]) -> bool {
    let parts: Vec<&str> = crate::kubernetes::parts(path).collect();
    parts.ends_with(wanted)
}
