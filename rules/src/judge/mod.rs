//! Why a change is admitted or refused: every stage and every effect, all reasons, deny > hold > admit.
//!
//! Leaves out everything that acts: the same snapshot, action, counters and time make the same verdict.

mod blueprints;
mod budgets;
mod circumstances;
mod cluster;
mod foresee;
mod held;
mod labels;
mod planned;
mod reads;
mod stages;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Access, Action, Call, Digest, Effect, Level, Minted, Party, Reading};

use crate::blast::{Measured, Start, measure};
use crate::model::{Model, Person};
use crate::refusal;
use crate::resolve::{Estate, PATTERNS_MAX, SITES_MAX};
use crate::{
    CarriedOut, Charge, Counters, Judged, Mode, Permit, PermitKind, Reach, Reason, Ruling, Snapshot, Use,
    Verdict,
};
pub use foresee::{reach, reach_of_deleting};
use planned::{Asking, Planned};
use stages::{Judgement, Touched};

pub use budgets::needs;

/// Judges a change.
#[must_use]
pub fn judge(
    snapshot: &Snapshot,
    action: &Action,
    request: Digest,
    counters: &Counters,
    now: Timestamp,
) -> Judged {
    let call = match &action.reading {
        Reading::Call(call) if call.answer.mints == Some(Minted::Unrewritable) => {
            return leak(snapshot, action, call);
        }
        Reading::Call(call) if !call.is_change() => return read(snapshot, action, request),
        Reading::Call(call) => call,
        Reading::Undecodable { why, .. } => {
            let reasons = vec![refusal::undecodable(why.reason_code, &why.text)];
            return refuse(snapshot, action, request, reasons);
        }
    };
    let Some(model) = snapshot.model() else {
        return refuse(snapshot, action, request, vec![refusal::no_model()]);
    };
    let mut reasons = Vec::new();
    let parties = known_parties(model, action, &mut reasons);
    if !reasons.is_empty() {
        return refuse(snapshot, action, request, reasons);
    }
    let upstream = &action.actor.upstream;
    if call.is_data()
        && snapshot.modes().control_only(upstream)
        && !call.effects.iter().any(hands_over_authority)
    {
        return pass_through(snapshot, action, call, request);
    }
    let estate =
        Estate { model, live: snapshot.live(), upstream, plane: call.plane, region: &call.region, now };
    if patterns(call) > PATTERNS_MAX {
        return refuse(snapshot, action, request, vec![too_many()]);
    }
    let effects = || call.effects.iter().enumerate();
    let mut touched: Vec<Touched<'_>> =
        effects().map(|(index, effect)| Touched::of(&estate, call, effect, index)).collect();
    // What is judged a second time reaches nothing more.
    touched
        .extend(effects().filter_map(|(index, effect)| Touched::taking_labels(&estate, call, effect, index)));
    if touched.iter().map(Touched::sites).sum::<usize>() > SITES_MAX {
        return refuse(snapshot, action, request, vec![too_many()]);
    }
    let starts: Vec<Start<'_>> = touched.iter().take(call.effects.len()).filter_map(Touched::start).collect();
    let measured = measure(&estate, &starts);
    let mut judgement = Judgement::new(&estate, action, &measured, now);
    judgement.reads(snapshot, call);
    let (mut uses, mut carried, mut charged) = (Vec::new(), None, Vec::new());
    for (party, person) in &parties {
        let asking = Asking { snapshot, model, action, call, party, person, counters, now };
        let planned = Planned::of(asking, &touched);
        judgement.party(party, person, &touched, &planned);
        uses.extend(planned.uses(request));
        carried = carried.or_else(|| planned.carried_out());
        charged.push((*party, *person, planned.change().cloned()));
    }
    judgement.reasons.extend(blueprints::hold(model, call.plane, &parties, &touched, now));
    let (charges, exceeded) = budgets::charge(model, action, &charged, &touched, &measured, counters);
    judgement.reasons.extend(exceeded);
    let judged = conclude(snapshot, action, request, &touched, &measured, judgement, parties.first());
    let (judged, used) = held::settle(model, (action, request), counters, now, judged);
    uses.extend(used);
    judged.charging(charges, uses, carried)
}

/// How many patterns a call names: each may match much of what exists.
fn patterns(call: &Call) -> usize {
    call.effects.iter().flat_map(|effect| &effect.resources).filter(|resource| resource.pattern).count()
}

fn too_many() -> Reason {
    refusal::undecodable("too_many_resources", "it touches more than is judged at once; name fewer")
}

/// Judges a read: who asks, and whether their read scope covers it. No policy is evaluated.
#[must_use]
pub fn read(snapshot: &Snapshot, action: &Action, request: Digest) -> Judged {
    let mode = snapshot.modes().of(&action.actor.upstream);
    let call = match &action.reading {
        // Whatever it is called: who holds the credential needs no gate any more.
        Reading::Call(call) if call.answer.mints == Some(Minted::Unrewritable) => {
            return leak(snapshot, action, call);
        }
        Reading::Call(call) if !call.is_change() => call,
        Reading::Call(_) | Reading::Undecodable { .. } => {
            let text = "this is no read; it has to be judged as a change";
            return refuse(snapshot, action, request, vec![refusal::undecodable("not_a_read", text)]);
        }
    };
    let mut reasons = reads::foreign(snapshot, action, call);
    if let Some(model) = snapshot.model() {
        let parties = std::iter::once(&action.actor.party).chain(&action.actor.on_behalf_of);
        reasons.extend(parties.filter_map(|party| {
            let person = model.people.actors.get(&party.name)?;
            (person.kind != party.kind).then(|| refusal::other_kind(party, person.kind.as_str()))
        }));
    }
    let (ruling, permit) = if reasons.is_empty() {
        (Ruling::Admit, Some(Permit::new(PermitKind::Read, request)))
    } else {
        // Reading what belongs to others cannot be taken back: no mode lets it through.
        (Ruling::Deny, None)
    };
    Judged::free(bare(snapshot, mode, ruling, reasons), permit)
}

/// Judges a read of what a plane shows to anybody, by somebody whom nothing shows: there is no scope to hold it to. What is
/// no such read is refused in every mode.
#[must_use]
pub fn open(snapshot: &Snapshot, action: &Action, request: Digest) -> Judged {
    let is_read = match &action.reading {
        Reading::Call(call) => !call.is_change() && call.answer.mints.is_none(),
        Reading::Undecodable { .. } => false,
    };
    if !is_read {
        let text = "this is no read, and nobody is shown who asks for it";
        let mode = snapshot.strictest_mode(&action.actor);
        let reasons = vec![refusal::undecodable("not_a_read", text)];
        return Judged::free(bare(snapshot, mode, Ruling::Deny, reasons), None);
    }
    let mode = snapshot.modes().of(&action.actor.upstream);
    let permit = Some(Permit::new(PermitKind::Read, request));
    Judged::free(bare(snapshot, mode, Ruling::Admit, Vec::new()), permit)
}

/// The answer would hand out a real credential that cannot be exchanged for an issued one: whoever holds it
/// needs no gate any more. No mode lets it through.
fn leak(snapshot: &Snapshot, action: &Action, call: &Call) -> Judged {
    let operation = call.effects.first().map_or("", |effect| &effect.iam_action);
    let mode = snapshot.strictest_mode(&action.actor);
    let reasons = vec![refusal::custody_leak(call.plane, operation)];
    Judged::free(bare(snapshot, mode, Ruling::Deny, reasons), None)
}

/// Everybody an action is judged for, with what the model says of them.
fn known_parties<'a>(
    model: &'a Model,
    action: &'a Action,
    reasons: &mut Vec<Reason>,
) -> Vec<(&'a Party, &'a Person)> {
    let mut known = Vec::new();
    for party in std::iter::once(&action.actor.party).chain(&action.actor.on_behalf_of) {
        match model.people.actors.get(&party.name) {
            None => reasons.push(refusal::unknown_actor(party)),
            Some(person) if person.kind != party.kind => {
                reasons.push(refusal::other_kind(party, person.kind.as_str()));
            }
            Some(person) => known.push((party, person)),
        }
    }
    known
}

/// Handing over authority is judged in full, at whatever level.
#[must_use]
pub fn hands_over_authority(effect: &Effect) -> bool {
    match effect.access {
        Access::Grant | Access::Expose | Access::Execute | Access::SecretRead => true,
        Access::Read | Access::Create | Access::Update | Access::Delete | Access::Tag => false,
    }
}

/// A data-level change where only control is judged: counted, as reads are, and within the read scope.
fn pass_through(snapshot: &Snapshot, action: &Action, call: &Call, request: Digest) -> Judged {
    let mode = snapshot.modes().of(&action.actor.upstream);
    let reasons = reads::outside_scope(snapshot, action, call, |effect| effect.level == Level::Data);
    if reasons.is_empty() {
        let permit = Some(Permit::new(PermitKind::PassThrough, request));
        return Judged::free(bare(snapshot, mode, Ruling::Admit, reasons), permit);
    }
    Judged::free(bare(snapshot, mode, Ruling::Deny, reasons), None)
}

/// A refusal before anything was resolved: the strictest mode of any scope is in force, since any may be
/// touched.
fn refuse(snapshot: &Snapshot, action: &Action, request: Digest, reasons: Vec<Reason>) -> Judged {
    let mode = snapshot.strictest_mode(&action.actor);
    let verdict = bare(snapshot, mode, Ruling::Deny, reasons);
    let permit = permit(&verdict, request);
    Judged::free(verdict, permit)
}

fn bare(snapshot: &Snapshot, mode: Mode, ruling: Ruling, reasons: Vec<Reason>) -> Verdict {
    Verdict {
        ruling,
        mode,
        reasons,
        owners: Vec::new(),
        reach: Reach::default(),
        change: None,
        no_model: !snapshot.has_model(),
    }
}

fn conclude(
    snapshot: &Snapshot,
    action: &Action,
    request: Digest,
    touched: &[Touched<'_>],
    measured: &Measured,
    judgement: Judgement<'_>,
    asking: Option<&(&Party, &Person)>,
) -> Judged {
    let sites = || touched.iter().flat_map(|touched| &touched.judged);
    let anywhere = sites().any(|site| site.anywhere);
    let upstream = snapshot.modes().of(&action.actor.upstream);
    let modes = sites().map(|site| site.standing.mode.unwrap_or(upstream));
    let mode = if anywhere {
        snapshot.strictest_mode(&action.actor)
    } else {
        modes.max().unwrap_or_else(|| snapshot.strictest_mode(&action.actor))
    };
    let foreign_read = judgement.foreign_read;
    let mut reasons = judgement.reasons;
    reasons.sort_by(|left, right| {
        // Of what admits, that somebody was excepted is told first, and counted.
        let loud = [refusal::EXCEPTED, refusal::GLASS_BROKEN];
        let quiet = |reason: &Reason| !loud.contains(&reason.code.as_str());
        // Of what refuses, what differs from a plan: whoever carries one out is told that and not whose it is.
        let beside = |reason: &Reason| !refusal::OF_PLANS.contains(&reason.code.as_str());
        let order = |reason: &Reason| {
            let first = (std::cmp::Reverse(reason.ruling), quiet(reason), beside(reason));
            (first, reason.effect, reason.code.clone())
        };
        order(left).cmp(&order(right)).then_with(|| left.text.cmp(&right.text))
    });
    reasons.dedup();
    // Without a single ground nothing is admitted, whatever else was not said against it.
    let ruling = reasons.first().map_or(Ruling::Deny, |reason| reason.ruling);
    let owners: BTreeSet<Arc<str>> = sites().flat_map(|site| site.standing.owners.iter().cloned()).collect();
    let reach = measured.reach(asking.map(|(_, person)| &person.teams));
    let owners = owners.into_iter().collect();
    let verdict = Verdict { ruling, mode, reasons, owners, reach, change: None, no_model: false };
    let permit = if foreign_read { None } else { permit(&verdict, request) };
    Judged::free(verdict, permit)
}

fn permit(verdict: &Verdict, request: Digest) -> Option<Permit> {
    match (verdict.ruling, verdict.mode) {
        (Ruling::Admit, _) => Some(Permit::new(PermitKind::Admitted, request)),
        (Ruling::Hold | Ruling::Deny, Mode::Shadow | Mode::Warn) => {
            Some(Permit::new(PermitKind::Shadowed, request))
        }
        (Ruling::Hold | Ruling::Deny, Mode::Enforce) => None,
    }
}

impl Judged {
    /// What takes of nothing that is counted.
    const fn free(verdict: Verdict, permit: Option<Permit>) -> Self {
        Self { verdict, permit, charges: Vec::new(), uses: Vec::new(), waits: None }
    }

    /// What takes of what is counted, if it is admitted: what would be refused takes of nothing in any mode, so that
    /// shadow says what enforce would.
    fn charging(mut self, charges: Vec<Charge>, mut uses: Vec<Use>, change: Option<CarriedOut>) -> Self {
        if self.verdict.ruling != Ruling::Admit {
            return self;
        }
        // Who acts for somebody uses it once with them.
        uses.sort_by(|left, right| left.key.cmp(&right.key));
        uses.dedup_by(|left, right| left.key == right.key);
        self.verdict.change = change;
        Self { charges, uses, ..self }
    }
}
