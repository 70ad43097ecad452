//! What a change in a cluster takes along: by owner references, by namespace, by custom type, by what it stops.
//!
//! Leaves out the walk itself (`walk.rs`).

use ordain_action::{Access, Effect, Scalar};

use super::wave::Wave;
use crate::kubernetes::{self, Body, Operation, creates};
use crate::resolve::Site;

/// What a change in a cluster does to its targets; `None` where it reaches nothing beyond them.
pub(super) fn begins(effect: &Effect, targets: &[Site]) -> Option<Wave> {
    let deletes = Operation::of(effect).is_some_and(|operation| operation.deletes());
    match effect.access {
        Access::Read | Access::Tag | Access::SecretRead => None,
        // What is new has no dependants, and gives what it gives all the same.
        Access::Grant if creates(effect) => Some(Wave::Empowered),
        _ if creates(effect) => None,
        Access::Create => None,
        Access::Delete => Some(if orphans(effect, targets) { Wave::Changed } else { Wave::Gone }),
        // A role or a binding that is deleted is a grant, and goes all the same.
        Access::Update | Access::Grant | Access::Expose | Access::Execute if deletes => Some(Wave::Gone),
        Access::Update | Access::Grant | Access::Expose | Access::Execute if stops(effect) => {
            Some(Wave::Affected)
        }
        Access::Grant => Some(Wave::Empowered),
        Access::Update | Access::Expose | Access::Execute => Some(Wave::Changed),
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
