//! Break-glass: a person lifts gates for themselves, a freeze among them, for hours, and somebody else looks at it afterwards.
//!
//! Leaves out what a lifted gate does to a decision (`judge/circumstances.rs`): it is an exception like any other there.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::ActorKind;
use serde::Deserialize;

use super::build::Places;
use super::circumstances::covered;
use super::document::CoversSpec;
use super::text::{Body, Place, Placed, nearest};
use super::{Exception, Glass};
use crate::blueprint::Blueprints;
use crate::calendar::{self, Written};
use crate::policy::Rules;

/// Gates that a person lifts for themselves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BreakGlassSpec {
    /// The person, who acts for the owner.
    by: String,
    /// Ids of the gates; `frozen` is one.
    lifts: Vec<String>,
    covers: CoversSpec,
    /// The group that answers for it.
    owner: String,
    why: String,
    from: String,
    until: String,
    #[serde(default)]
    time_zone: Option<String>,
    /// Who looked at what was done, once somebody has.
    #[serde(default)]
    reviewed: Option<ReviewedSpec>,
}

/// Who looked at it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReviewedSpec {
    /// A person, and not the one who did it.
    by: String,
    /// What they found.
    found: String,
}

impl Places<'_> {
    /// Break-glass names gates, so that the rules have to be read before.
    pub(super) fn glasses(
        &mut self,
        placed: &[Placed],
        rules: &Rules,
        blueprints: &Blueprints,
    ) -> Vec<Exception> {
        let mut broken = Vec::new();
        for document in placed {
            if let Body::BreakGlass(spec) = &document.body {
                let gates = (rules, blueprints);
                broken.extend(self.glass(&document.place, &document.metadata.name, spec, gates));
            }
        }
        broken
    }

    fn glass(
        &mut self,
        place: &Place,
        name: &str,
        spec: &BreakGlassSpec,
        (rules, blueprints): (&Rules, &Blueprints),
    ) -> Option<Exception> {
        let BreakGlassSpec { by, lifts, covers, owner, why, from, until, time_zone, reviewed } = spec;
        self.lifted(place, lifts, (rules, blueprints), true);
        let covers = covered(covers);
        let what = format!("break-glass `{name}`");
        let empty = [
            (lifts.is_empty(), "lifts:", format!("{what} lifts nothing; name gates in `lifts`")),
            (
                covers.fields() == 0 || covers.names.iter().any(|name| name.literal_prefix().is_empty()),
                "covers:",
                format!("{what} would lift gates everywhere; name what it is for in `covers`"),
            ),
            (
                covers.fields() > 1,
                "covers:",
                format!("{what} covers what lies in any of several, not in all of them; keep one of them"),
            ),
            (why.trim().is_empty(), "why:", format!("{what} does not say why it is needed; say it in `why`")),
        ];
        for (_, words, text) in empty.into_iter().filter(|(is_empty, ..)| *is_empty) {
            self.problems.push(place.problem(words, text));
        }
        let owner = self.owners(Some(owner), place).into_iter().next()?;
        self.whose(place, &what, by, &owner);
        if let Some(reviewed) = reviewed {
            self.reviewer(place, &what, (by, &reviewed.by), &reviewed.found);
        }
        let written = Written {
            from: Some(from.as_str()),
            until: Some(until.as_str()),
            time_zone: time_zone.as_deref(),
            ..Written::default()
        };
        let term = self.term(place, &what, written)?;
        if term.is_longer_than(calendar::BREAK_GLASS_MAX) {
            let hours = calendar::BREAK_GLASS_MAX.as_hours();
            let text = format!(
                "{what} lasts more than {hours} h; end it earlier, and break it again if it has to be"
            );
            self.problems.push(place.problem("until:", text));
        }
        Some(Exception {
            name: Arc::from(name),
            review: None,
            term,
            why: why.clone(),
            owner,
            approved_by: Arc::from(by.as_str()),
            lifts: lifts.iter().map(|id| Arc::from(id.as_str())).collect(),
            actors: BTreeSet::from([Arc::from(by.as_str())]),
            groups: BTreeSet::new(),
            access: None,
            operations: None,
            covers,
            glass: Some(Glass { reviewed_by: reviewed.as_ref().map(|one| Arc::from(one.by.as_str())) }),
        })
    }

    /// Whoever breaks it is a person, and one of those whose it is: who only could not be refused has no emergency here.
    fn whose(&mut self, place: &Place, what: &str, by: &str, owner: &Arc<str>) {
        let text = match self.people.actors.get(by) {
            None => format!("`{by}` is not declared; {}", nearest(by, &self.people.names())),
            Some(person) if person.kind != ActorKind::Person => {
                format!("`{by}` is no person, and {what} is a person's; have a person do it")
            }
            Some(person) if !person.teams.contains(owner) => {
                format!(
                    "`{by}` is none of `{owner}`, which answers for {what}; have somebody of `{owner}` do it"
                )
            }
            Some(_) => return,
        };
        self.problems.push(place.problem("by:", text));
    }

    fn reviewer(&mut self, place: &Place, what: &str, (by, reviewer): (&str, &str), found: &str) {
        let text = match self.people.actors.get(reviewer) {
            None => format!("`{reviewer}` is not declared; {}", nearest(reviewer, &self.people.names())),
            Some(person) if person.kind != ActorKind::Person => {
                format!("`{reviewer}` is no person; have a person look at {what}")
            }
            Some(_) if reviewer == by => {
                format!("`{by}` did what {what} is for; have another person look at it")
            }
            Some(_) if found.trim().is_empty() => {
                format!("`{reviewer}` does not say what they found of {what}; say it in `found`")
            }
            Some(_) => return,
        };
        self.problems.push(place.problem("reviewed:", text));
    }
}
