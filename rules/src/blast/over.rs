//! Which limits a reach passes, in words.
//!
//! Leaves out measuring it (`mod.rs`) and the limits themselves (`limits.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::Party;

use super::{Measured, Path};
use crate::limits::Limits;

/// One limit that is passed: its code, what is so, what to do.
type Over = (&'static str, String, String);

impl Measured {
    /// Every limit that is passed.
    pub(crate) fn over(&self, limits: &Limits, party: &Party, teams: &BTreeSet<Arc<str>>) -> Vec<Over> {
        let smaller = || "change fewer at once, or have somebody with wider limits do it".to_owned();
        let mut over = Vec::new();
        if let Some(limit) = limits.targets.filter(|limit| self.targets > *limit) {
            let text = format!("it names {} resources at once, and the limit is {limit}", self.targets);
            over.push(("too_many_targets", text, smaller()));
        }
        if let Some(limit) = limits.dependants.filter(|limit| self.more || self.dependants > *limit) {
            let least = if self.more { "at least " } else { "" };
            let along = along("for example ", &self.path);
            let text =
                format!("it reaches {least}{} dependants{along}, and the limit is {limit}", self.dependants);
            over.push(("blast_radius_exceeded", text, smaller()));
        }
        // Of what was not walked nobody knows whose it is, or how critical.
        let others = [limits.owners_crossed, limits.share_of_group, limits.irreversible];
        let limited = others.iter().any(Option::is_some) || limits.tier.is_some();
        if self.more && limits.dependants.is_none() && limited {
            let text =
                format!("it reaches at least {} dependants, more than can be looked at", self.dependants);
            over.push(("blast_radius_exceeded", text, smaller()));
        }
        over.extend(self.over_owners(limits, teams));
        if let (Some(limit), Some(tier)) = (limits.tier, self.tier)
            && tier < limit
        {
            let (tier, along) = (tier.as_str(), along("", &self.to_tier));
            let text = format!("it reaches tier `{tier}`{along}, and the limit is `{}`", limit.as_str());
            over.push((
                "tier_too_critical",
                text,
                "have a person or a pipeline of the owner do it".to_owned(),
            ));
        }
        if let (Some(limit), Some(share)) = (limits.share_of_group, &self.share)
            && share.percent > limit
        {
            let text = format!(
                "it deletes {} % of `{}` in `{}` at once, and the limit is {limit} %",
                share.percent, share.kind, share.system
            );
            over.push(("share_of_group", text, smaller()));
        }
        over.extend(self.over_lost(limits, party));
        over
    }

    fn over_owners(&self, limits: &Limits, teams: &BTreeSet<Arc<str>>) -> Option<Over> {
        let crossed = self.crossed(teams);
        let count = u64::try_from(crossed.len()).unwrap_or(u64::MAX);
        let limit = limits.owners_crossed.filter(|limit| count > *limit)?;
        let way = crossed.iter().find_map(|owner| self.to_owners.get(owner));
        let along = way.map(|path| along("", path)).unwrap_or_default();
        let text = format!(
            "it reaches what belongs to `{}`{along}, and the limit is {limit} other owners",
            crossed.join("`, `")
        );
        Some(("owners_crossed", text, "have one of those owners do it, or split it".to_owned()))
    }

    fn over_lost(&self, limits: &Limits, party: &Party) -> Option<Over> {
        let lost = self.lost.to(&party.name);
        let limit = limits.irreversible.filter(|limit| lost > *limit)?;
        let named = self.lost.names.join("`, `");
        let others = self.lost.count.saturating_sub(self.lost.names.len() as u64);
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        let along = along("", &self.lost.path);
        let text = format!("`{named}`{others} would be lost for good{along}, and the limit is {limit}");
        let remedy = "keep a copy first where the operation can (a final snapshot), or have a person do it";
        Some(("irreversible", text, remedy.to_owned()))
    }
}

/// How something is reached, behind what is said of it; nothing where it is a target itself.
fn along(before: &str, path: &Path) -> String {
    if path.0.len() > 1 { format!(" ({before}{})", path.told()) } else { String::new() }
}
