//! Blueprints: whom they bind, and what is said where a request is not as one has it.
//!
//! Leaves out what they ask of parameters (`blueprint/`). Data is not held against them.

use jiff::Timestamp;
use ordain_action::{Party, Plane};

use super::circumstances::Circumstances;
use super::stages::Touched;
use crate::blueprint::{Blueprint, Violation};
use crate::model::{Model, Person};
use crate::resolve::Site;
use crate::{Count, Reason, Ruling, refusal};

/// What is not as blueprints have it: one reason for each thing, however many effects the request has.
pub(super) fn hold(
    model: &Model,
    plane: Plane,
    parties: &[(&Party, &Person)],
    touched: &[Touched<'_>],
    now: Timestamp,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    if model.blueprints.all().is_empty() {
        return reasons;
    }
    let changes = touched.iter().filter(|touched| touched.effect.access.is_change() && !touched.is_data());
    for touched in changes {
        let operation = format!("{}:{}", touched.effect.service, touched.effect.operation);
        for blueprint in model.blueprints.about(&operation) {
            let held = Held { model, plane, blueprint, touched, now };
            for reason in held.reasons(parties) {
                // One request is many effects of the same parameters.
                let is_same = |other: &Reason| other.text == reason.text && other.code == reason.code;
                if !reasons.iter().any(is_same) {
                    reasons.push(reason);
                }
            }
        }
    }
    reasons
}

/// One effect, held against one blueprint.
struct Held<'h> {
    model: &'h Model,
    plane: Plane,
    blueprint: &'h Blueprint,
    touched: &'h Touched<'h>,
    now: Timestamp,
}

impl Held<'_> {
    fn reasons(&self, parties: &[(&Party, &Person)]) -> Vec<Reason> {
        let Self { blueprint, touched, .. } = self;
        let binds =
            |party: &Party| blueprint.actor_kinds.as_ref().is_none_or(|kinds| kinds.contains(&party.kind));
        let bound: Vec<_> = parties.iter().filter(|(party, _)| binds(party)).collect();
        // What may be anything lies in whatever is covered.
        let covered = |site: &&Site| site.anywhere || touched.is_covered(&blueprint.covers, site);
        let sites: Vec<&Site> = touched.judged.iter().filter(covered).collect();
        if bound.is_empty() || sites.is_empty() || !blueprint.is_about(touched.effect, touched.access) {
            return Vec::new();
        }
        let violations = blueprint.violations(self.plane, touched.effect);
        if violations.is_empty() {
            return Vec::new();
        }
        let (mut reasons, mut refused) = (Vec::new(), None);
        for (party, person) in bound {
            for site in &sites {
                let of = Circumstances::of(self.model, self.now, (party, person), touched, site);
                let lifted = std::slice::from_ref(&blueprint.id);
                let said = of.excepted(party, site, touched.index, lifted);
                if said.is_empty() {
                    refused = refused.or(Some(*site));
                }
                reasons.extend(said);
            }
        }
        if let Some(site) = refused {
            // Who is excepted in one place and not in another is not told of the first.
            reasons = violations.into_iter().map(|violation| self.refusal(violation, site)).collect();
        }
        reasons
    }

    fn refusal(&self, violation: Violation, site: &Site) -> Reason {
        let Self { blueprint, touched, .. } = self;
        let Blueprint { name, id, why, remedy, .. } = blueprint;
        let effect = touched.index;
        let (code, text, own) = match violation {
            Violation::Said(text) => {
                let own = format!(
                    "use what blueprint `{name}` allows, or ask {} for an exception that lifts `{id}`",
                    refusal::quoted(&site.standing.owners)
                );
                ("blueprint_violated", format!("{text}: {why}"), own)
            }
            Violation::Unread => {
                let text = format!(
                    "blueprint `{name}` reads the parameters of `{}:{}`, and not all of them could be read",
                    touched.effect.service, touched.effect.operation
                );
                let own = "send the parameters in the request itself, not by reference".to_owned();
                ("parameters_incomplete", text, own)
            }
        };
        let remedy = if code == "blueprint_violated" { remedy.clone().unwrap_or(own) } else { own };
        // What could not be read is nobody's to approve: they would not know what.
        let asks = if blueprint.holds && code == "blueprint_violated" {
            site.standing.owners.to_vec()
        } else {
            Vec::new()
        };
        let ruling = if asks.is_empty() { Ruling::Deny } else { Ruling::Hold };
        let reason = refusal::reason(ruling, Count::Legitimacy, code, effect, (text, remedy));
        Reason { rules: vec![id.clone()], asks, ..reason }
    }
}
