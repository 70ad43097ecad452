//! What was measured, as a verdict says it.
//!
//! Leaves out what is too much (`over.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Measured, Path};
use crate::inventory::EdgeKind;
use crate::{Reach, ReachPath, ReachShare};

impl Measured {
    /// What is reached, for somebody who acts for some teams.
    pub(crate) fn reach(&self, teams: Option<&BTreeSet<Arc<str>>>) -> Reach {
        let owners_crossed = teams.map_or_else(Vec::new, |teams| self.crossed(teams));
        Reach {
            direct: self.targets,
            dependants: (self.unknown.is_empty() && !self.more).then_some(self.dependants),
            tier: self.tier.map(|tier| Arc::from(tier.as_str())),
            tiers: self.tiers.iter().map(|(tier, count)| (Arc::from(tier.as_str()), *count)).collect(),
            environments: self.environments.iter().cloned().collect(),
            share: self.share.as_ref().map(|share| ReachShare {
                percent: share.percent,
                system: Arc::clone(&share.system),
                kind: Arc::clone(&share.kind),
            }),
            irreversible: self.lost.count,
            lost: self.lost.names.clone(),
            path: self.path.names(),
            because: self.because(&owners_crossed),
            owners_crossed,
        }
    }

    fn because(&self, crossed: &[Arc<str>]) -> Vec<ReachPath> {
        let owners = crossed
            .iter()
            .filter_map(|owner| self.to_owners.get(owner).map(|path| (format!("owner {owner}"), path)));
        let tier = self.tier.map(|tier| (format!("tier {}", tier.as_str()), &self.to_tier));
        let lost = ("irreversible".to_owned(), &self.lost.path);
        let all = owners.chain(tier).chain([lost, ("farthest".to_owned(), &self.path)]);
        all.filter(|(_, path)| path.0.len() > 1).map(|(explains, path)| told(explains, path)).collect()
    }
}

fn told(explains: String, path: &Path) -> ReachPath {
    let steps = path.0.iter().map(|(name, by)| (Arc::clone(name), by.map(EdgeKind::as_str)));
    ReachPath { explains, steps: steps.collect() }
}
