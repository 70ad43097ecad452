//! What a change in a cluster takes along: by owner references, by namespace, by custom type, by what it stops.
//!
//! Leaves out the walk itself (`blast.rs`).

use ordain_action::{Access, Effect, Scalar};

use crate::inventory::EdgeKind;
use crate::kubernetes::{self, Body, Operation, creates};
use crate::resolve::{Estate, Known, Site};

/// Which relations a change in a cluster follows; `None` where it reaches nothing beyond its targets.
pub(crate) fn follows(effect: &Effect, targets: &[Site]) -> Option<fn(EdgeKind) -> bool> {
    if creates(effect) {
        // What is new has no dependants.
        return None;
    }
    match effect.access {
        Access::Read | Access::Create | Access::Tag | Access::SecretRead => None,
        Access::Delete => Some(if orphans(effect, targets) { stays } else { |_| true }),
        // A role or a binding that is deleted is a grant, and goes all the same.
        Access::Update | Access::Grant | Access::Expose | Access::Execute => {
            let goes = Operation::of(effect).is_some_and(|operation| operation.deletes());
            Some(if goes || stops(effect) { |_| true } else { stays })
        }
    }
}

/// What is made by or lies in it stays where it is.
const fn stays(kind: EdgeKind) -> bool {
    match kind {
        EdgeKind::PartOf => false,
        EdgeKind::DependsOn
        | EdgeKind::GuardedBy
        | EdgeKind::RunsAs
        | EdgeKind::KeyedBy
        | EdgeKind::Consumes
        | EdgeKind::RoutesTo => true,
    }
}

/// The request says that what the targets own stays, and the cluster heeds that: it does not for what lies in a
/// namespace, or for objects of a type.
fn orphans(effect: &Effect, targets: &[Site]) -> bool {
    let holds = |site: &Site| matches!(&*site.kind, kubernetes::NAMESPACES | kubernetes::DEFINITIONS);
    if targets.iter().any(holds) {
        return false;
    }
    let body = Body::of(effect);
    // In the body and in the query: where they do not agree, what goes along does.
    let all = |name: &str| {
        let in_body = body.values(name).collect::<Vec<_>>();
        let in_query = body.values(&["query.", name].concat()).collect::<Vec<_>>();
        in_body.into_iter().chain(in_query).collect::<Vec<_>>()
    };
    let (policies, flags) = (all("propagationPolicy"), all("orphanDependents"));
    let on = |value: &Scalar<'_>| matches!(value, Scalar::Bool(true) | Scalar::Text("true"));
    !(policies.is_empty() && flags.is_empty())
        && policies.iter().all(|policy| *policy == Scalar::Text("Orphan"))
        && flags.iter().all(on)
}

/// The change leaves nothing of it running.
fn stops(effect: &Effect) -> bool {
    let body = Body::of(effect);
    let none = |value: Scalar<'_>| matches!(value, Scalar::Number("0") | Scalar::Text("0"));
    body.values("spec.replicas").any(none)
        || body.values("spec.suspend").any(|value| value == Scalar::Bool(true))
        || body.texts("spec.taints.effect").any(|taint| taint == "NoExecute")
        || Operation::of(effect).is_some_and(|operation| operation.subresource == Some("finalize"))
        || body.unread
}

/// What goes with it is not known, though it is: a namespace or a type of which the model knows nothing inside.
pub(crate) fn unseen(estate: &Estate<'_>, effect: &Effect, site: &Site) -> bool {
    let Known::Entry(index) = site.known else { return false };
    let holds = matches!(&*site.kind, kubernetes::NAMESPACES | kubernetes::DEFINITIONS);
    if !holds || effect.access != Access::Delete || !kubernetes::is_name(&site.name) {
        return false;
    }
    let inside = estate.model.inventory.graph.dependants(index);
    !inside.iter().any(|one| one.kind == EdgeKind::PartOf) && estate.live.inside(&site.name).is_empty()
}
