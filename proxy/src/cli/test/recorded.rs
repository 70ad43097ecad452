//! A decision of the ledger as a case: what was asked for, in full, and what was said of it.
//!
//! Leaves out reading the ledger (`replay/`).

use ordain_action::{Action, IdentityProof, Plane, Reading, Upstream};

use super::{effects, written};
use crate::config::Config;
use crate::replay::Remembered;

/// A case that asks for the same. Where writing that down would lose something, it names the decision instead, and needs
/// the ledger to be judged.
pub(super) fn case(config: &Config, id: &str, remembered: Remembered) -> written::Case {
    let Remembered { recalled, ruling, codes, owners, .. } = remembered;
    let expect = written::Expect {
        verdict: ruling,
        reasons: codes.into_iter().collect(),
        not_reasons: Vec::new(),
        owners: Some(owners),
    };
    let name = format!("decision {id}");
    by_hand(config, &recalled.action, recalled.now)
        .map(|case| written::Case { name: name.clone(), expect: expect.clone(), ..case })
        .unwrap_or_else(|| written::Case {
            name,
            decision: Some(id.to_owned()),
            expect,
            ..written::Case::default()
        })
}

fn by_hand(config: &Config, action: &Action, now: jiff::Timestamp) -> Option<written::Case> {
    let Action { actor, reading } = action;
    let Reading::Call(call) = reading else { return None };
    // A case is asked for by somebody who has shown who they are, and hands out nothing.
    if actor.proof != IdentityProof::Proven || call.answer.mints.is_some() {
        return None;
    }
    let mut all: Vec<written::Effect> = call.effects.iter().map(effects::written).collect::<Option<_>>()?;
    if all.is_empty() {
        return None;
    }
    let first = all.remove(0);
    let party = |party: &ordain_action::Party| written::Party {
        name: party.name.to_string(),
        kind: party.kind.as_str().to_owned(),
    };
    let written::Party { name, kind } = party(&actor.party);
    let Upstream { name: upstream, plane, account, .. } = &actor.upstream;
    let is_configured =
        config.upstreams.iter().any(|one| one.name == **upstream && one.kind.plane() == *plane);
    Some(written::Case {
        actor: Some(written::Actor {
            name,
            kind,
            on_behalf_of: actor.on_behalf_of.iter().map(party).collect(),
        }),
        upstream: is_configured.then(|| upstream.to_string()),
        plane: (!is_configured && *plane != Plane::Aws).then(|| plane.as_str().to_owned()),
        account: Some(account.to_string()),
        region: Some(call.region.to_string()).filter(|region| !region.is_empty()),
        at: Some(now.to_string()),
        operation: Some(first.operation),
        iam_action: first.iam_action,
        access: Some(first.access),
        level: first.level,
        resources: first.resources,
        parameters: first.parameters,
        incomplete: first.incomplete,
        also: all,
        ..written::Case::default()
    })
}
