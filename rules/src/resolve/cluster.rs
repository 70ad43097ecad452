//! What is particular to names in a cluster: what lies in which namespace, and what a pattern stands for there.
//!
//! Leaves out whose it is otherwise.

use std::sync::Arc;

use ordain_action::Resource;

use super::{Estate, SITES_MAX, Site};
use crate::glob::Glob;
use crate::kubernetes::{self, Name};

impl Estate<'_> {
    /// Every match of a pattern in a cluster, and what else it may hold.
    pub(super) fn matches_in_cluster(&self, resource: &Resource) -> Vec<Site> {
        let pattern = Glob::new(&resource.name);
        let matching = self.model.inventory.matching(&pattern).take(SITES_MAX + 1);
        let mut sites: Vec<Site> = matching.filter_map(|index| self.entry(index)).collect();
        let holder = kubernetes::holders(&resource.name).into_iter().next().unwrap_or_default();
        let created = self.live.inside(&holder).iter().filter(|fact| pattern.matches(&fact.identifier));
        for site in created.map(|fact| self.live(fact, &fact.identifier, 0)) {
            if !sites.iter().any(|other| other.name == site.name) {
                sites.push(site);
            }
        }
        let remainder = self.unknown(resource);
        let scopes = &self.model.scopes;
        let whose = match self.holder_by_name(&resource.name) {
            Some(held) if !held.standing.owners.is_empty() => kubernetes::narrowness(&holder),
            Some(_) | None => 0,
        };
        for scope in scopes.within(&resource.name, whose.max(scopes.whose(&resource.name))) {
            let mut site = remainder.clone();
            if !scope.owners.is_empty() {
                site.standing.owners.clone_from(&scope.owners);
            }
            site.standing.system = scope.system.clone().or(site.standing.system);
            site.standing.environment = scope.environment.clone().or(site.standing.environment);
            site.standing.tier = [scope.tier, site.standing.tier].into_iter().flatten().min();
            site.standing.mode = site.standing.mode.max(scope.mode);
            site.standing.scopes.push(Arc::clone(&scope.name));
            sites.push(site);
        }
        sites.push(remainder);
        sites
    }

    /// What is known of the namespace that something lies in.
    pub(super) fn namespace_of(&self, name: &Name<'_>) -> Option<Site> {
        let holder = name.holder()?;
        if let Some(index) = self.model.inventory.by_name(&holder) {
            return self.entry(index);
        }
        let live = self.live.get(self.plane, name.cluster, self.region, kubernetes::NAMESPACES, &holder);
        live.first().map(|fact| self.live(fact, &holder, 0))
    }
}
