//! Whether the read scopes of an actor, and of whom it acts for, cover what a call reads.
//!
//! Leaves out what a read scope is (`read_scope.rs`).

use std::sync::Arc;

use ordain_action::{Access, Action, Call, Effect, Plane, Role};

use super::cluster;
use crate::model::account_and_region;
use crate::{Reason, Snapshot, refusal};

/// Reads of a call that the read scope of some party does not cover.
pub(super) fn foreign(snapshot: &Snapshot, action: &Action, call: &Call) -> Vec<Reason> {
    let is_cluster = call.plane == Plane::Kubernetes;
    let is_foreign =
        |effect: &Effect| effect.access == Access::Read && !(is_cluster && cluster::is_discovery(effect));
    outside_scope(snapshot, action, call, is_foreign)
}

/// Effects of some sort that the read scope of the actor does not cover.
pub(super) fn outside_scope(
    snapshot: &Snapshot,
    action: &Action,
    call: &Call,
    of_sort: impl Fn(&Effect) -> bool,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let actor = &action.actor;
    for party in std::iter::once(&actor.party).chain(&actor.on_behalf_of) {
        let scope = snapshot.read_scope_of(&party.name);
        for (index, effect) in call.effects.iter().enumerate().filter(|(_, effect)| of_sort(effect)) {
            let mut accounts = vec![Arc::clone(&actor.upstream.account)];
            let named = effect.resources.iter().filter(|resource| resource.role != Role::Uses);
            accounts.extend(
                named.clone().map(|resource| account_and_region(&snapshot.canonical(&resource.name)).0),
            );
            // A name without an account, or with the provider's own, is told apart by nothing else.
            // Whatever project has it: who may read some may not read that.
            let any = |account: &str| account.contains('*') && call.plane != Plane::Gcp;
            let foreign = accounts
                .iter()
                .filter(|account| !account.is_empty() && account.as_ref() != "aws" && !any(account))
                .find(|account| !scope.reaches(call.plane, account, &effect.service));
            if let Some(account) = foreign {
                reasons.push(refusal::outside_read_scope(party, account, &effect.service, index));
            } else if let Some(resource) = cluster::outside(snapshot, scope, named) {
                reasons.push(refusal::outside_namespace(party, resource, index));
            }
        }
    }
    reasons
}
