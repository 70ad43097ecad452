//! What accounts as a whole lie in: a cluster in the service that runs it, an account in the unit that holds it.
//!
//! Leaves out what lies in accounts. What its `Account` does not say is told by the name: a cluster that is called as one of a
//! provider's is that one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ordain_action::Plane;

use super::Finding;
use crate::inventory::{Inventory, Scopes};

/// What runs clusters, in the planes' own words.
const SERVICES: [&str; 3] =
    ["azure:microsoft.containerservice/managedclusters", "eks:cluster", "gcp:container/clusters"];

/// Says of accounts what they lie in; what is named and not there is told.
pub(super) fn place(inventory: &mut Inventory, scopes: &Scopes) -> Vec<Finding> {
    let (mut placed, mut findings) = (Vec::new(), Vec::new());
    let mut said: BTreeSet<Arc<str>> = BTreeSet::new();
    for ((plane, account), declared) in scopes.accounts() {
        let Some(holder) = &declared.part_of else { continue };
        if *plane == Plane::Kubernetes {
            said.insert(Arc::clone(account));
        }
        match inventory.by_name(holder) {
            Some(index) => placed.push((*plane, Arc::clone(account), index)),
            None => findings.push(Finding {
                source: account.to_string(),
                text: format!(
                    "it is part of `{holder}`, which is not declared; import that, or correct `partOf`"
                ),
            }),
        }
    }
    // By name, where one alone is called so.
    let mut called: BTreeMap<Arc<str>, Vec<u32>> = BTreeMap::new();
    for (entry, index) in inventory.entries().iter().zip(0..) {
        if SERVICES.iter().any(|service| entry.kind.eq_ignore_ascii_case(service)) {
            let name = entry.name.rsplit('/').next().unwrap_or_default();
            called.entry(Arc::from(name)).or_default().push(index);
        }
    }
    for cluster in inventory.accounts_of(Plane::Kubernetes) {
        if let (false, Some([index])) = (said.contains(&cluster), called.get(&cluster).map(Vec::as_slice)) {
            placed.push((Plane::Kubernetes, cluster, *index));
        }
    }
    inventory.place(placed.into_iter());
    findings
}
