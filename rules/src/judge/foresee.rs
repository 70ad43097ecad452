//! What a change would reach, asked without anybody who makes it.
//!
//! Leaves out whether it may be made.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{
    Access, Action, Actor, ActorKind, Answer, Call, Effect, IdentityProof, Level, NameBasis, Parameters,
    Party, Plane, Reading, Resource, Role, Upstream,
};

use super::stages::Touched;
use crate::blast::{Start, measure};
use crate::resolve::Estate;
use crate::{Reach, Snapshot};

/// What a change would reach, whoever makes it: of owners, all there are. Nothing without a model, or of what cannot be read.
#[must_use]
pub fn reach(snapshot: &Snapshot, action: &Action, now: Timestamp) -> Reach {
    let (Some(model), Reading::Call(call)) = (snapshot.model(), &action.reading) else {
        return Reach::default();
    };
    let upstream = &action.actor.upstream;
    let estate =
        Estate { model, live: snapshot.live(), upstream, plane: call.plane, region: &call.region, now };
    let effects = call.effects.iter().enumerate();
    let touched: Vec<Touched<'_>> =
        effects.map(|(index, effect)| Touched::of(&estate, call, effect, index)).collect();
    let starts: Vec<Start<'_>> = touched.iter().filter_map(Touched::start).collect();
    measure(&estate, &starts).reach(Some(&BTreeSet::new()))
}

/// What deleting something would reach that the model knows by its canonical name; `None` where it does not, or where it is on
/// no plane.
#[must_use]
pub fn reach_of_deleting(snapshot: &Snapshot, name: &str, now: Timestamp) -> Option<Reach> {
    let inventory = &snapshot.model()?.inventory;
    let entry = inventory.by_name(name).and_then(|index| inventory.get(index))?;
    let plane = entry.plane?;
    let service = entry.kind.split(':').next().unwrap_or_default();
    let operation = if plane == Plane::Kubernetes {
        format!("delete/{}", entry.kind.split(':').nth(1).unwrap_or_default())
    } else {
        // AWS names what it deletes in the operation.
        let (_, noun) = entry.kind.rsplit_once(':').unwrap_or_default();
        format!(
            "Delete{}{}",
            noun.get(..1).unwrap_or_default().to_ascii_uppercase(),
            noun.get(1..).unwrap_or_default()
        )
    };
    let target = Resource {
        role: Role::Target,
        kind: Arc::clone(&entry.kind),
        name: name.to_owned(),
        basis: NameBasis::Carried,
        pattern: false,
        identifiers: Vec::new(),
    };
    let effect = Effect {
        service: Arc::from(service),
        iam_action: Arc::from(format!("{service}:{operation}")),
        operation: Arc::from(operation),
        access: Access::Delete,
        level: Level::Control,
        resources: vec![target],
        parameters: Parameters::new(),
    };
    let actor = Actor {
        party: Party { name: Arc::from(""), kind: ActorKind::Person },
        credential: Arc::from(""),
        proof: IdentityProof::Claimed,
        on_behalf_of: Vec::new(),
        session: None,
        upstream: Upstream {
            name: Arc::from(""),
            plane,
            account: Arc::clone(&entry.account),
            partition: Arc::from(""),
        },
    };
    let call =
        Call { plane, effects: vec![effect], answer: Answer::default(), region: Arc::clone(&entry.region) };
    Some(reach(snapshot, &Action { actor, reading: Reading::Call(call) }, now))
}
