//! The words of reasons that are no rule's: what is so, and what to do about it.
//!
//! Leaves out how a plane says no (the rooms). A reason tells enough to act on and never which field of
//! which rule to probe.

use std::borrow::Cow;
use std::sync::Arc;

use ordain_action::{Access, Effect, Party, Plane, ReasonCode};

use crate::blast::{Unknown, Why};
use crate::model::Exception;
use crate::resolve::{Ambiguity, Site};
use crate::{Count, Reason, Ruling};

/// The longest name that is told in full: the provider has hardly one longer.
const SHOWN_MAX: usize = 1_024;

/// A reason with an effect it is about; the code is one of ours.
pub(crate) fn reason(
    ruling: Ruling,
    count: Count,
    code: &str,
    effect: usize,
    (text, remedy): (String, String),
) -> Reason {
    let code = ReasonCode::new(code).unwrap_or_else(ReasonCode::internal_fault);
    Reason { ruling, count, code, text, remedy, rules: Vec::new(), effect, asks: Vec::new() }
}

/// The code of what is said where an exception lifted a gate.
pub(crate) const EXCEPTED: &str = "exception_lifted";

/// The code of what is said where somebody lifted a gate for themselves.
pub(crate) const GLASS_BROKEN: &str = "break_glass";

/// The codes of what differs from a plan.
pub(crate) const OF_PLANS: [&str; 4] = ["change_closed", "change_used", "not_planned", "unplanned"];

/// An exception lifted a gate that would have said no.
pub(crate) fn excepted(
    party: &Party,
    exception: &Exception,
    gate: &Arc<str>,
    until: &str,
    site: &Site,
    effect: usize,
) -> Reason {
    let Exception { name, owner, approved_by, why, .. } = exception;
    if exception.glass.is_some() {
        let text = format!(
            "`{}` broke the glass (`{name}` of `{owner}`) until {until}: `{gate}` is lifted on `{}`: {why}",
            party.name,
            site.told()
        );
        let words = (text, String::new());
        let said = reason(Ruling::Admit, Count::Legitimacy, GLASS_BROKEN, effect, words);
        return Reason { rules: vec![Arc::clone(gate)], ..said };
    }
    let text = format!(
        "exception `{name}` of `{owner}` lifts `{gate}` for `{}` on `{}` until {until}, approved by `{approved_by}`: {why}",
        party.name,
        site.told()
    );
    let words = (text, String::new());
    Reason {
        rules: vec![Arc::clone(gate)],
        ..reason(Ruling::Admit, Count::Legitimacy, EXCEPTED, effect, words)
    }
}

pub(crate) fn no_model() -> Reason {
    let text = "there is no model yet, so nothing says what may change".to_owned();
    let remedy =
        "import what you have with `ordain model import`, or write the first model document".to_owned();
    reason(Ruling::Deny, Count::Identity, "no_model", 0, (text, remedy))
}

pub(crate) fn undecodable(code: &str, text: &str) -> Reason {
    let text = format!("what the request would do cannot be told: {}", shown(text));
    let remedy = "send it in a form the provider's own clients use".to_owned();
    reason(Ruling::Deny, Count::Identity, code, 0, (text, remedy))
}

pub(crate) fn custody_leak(plane: Plane, operation: &str) -> Reason {
    let text =
        format!("`{operation}` hands out a real credential that cannot be exchanged for an issued one");
    let instead =
        [(Plane::Kubernetes, ", or use `kubectl create token`"), (Plane::Aws, ", or use `sts:AssumeRole`")];
    let instead = instead.iter().find(|(of, _)| *of == plane).map_or("", |(_, instead)| instead);
    let remedy = format!("have an operator make the call outside the gate{instead}");
    reason(Ruling::Deny, Count::Identity, "custody_leak", 0, (text, remedy))
}

pub(crate) fn unknown_actor(party: &Party) -> Reason {
    let text = format!("`{}` is not declared in the model", party.name);
    let remedy = "declare a `User` or an `Actor` of that name, with the teams it acts for".to_owned();
    reason(Ruling::Deny, Count::Identity, "unknown_actor", 0, (text, remedy))
}

pub(crate) fn other_kind(party: &Party, declared: &str) -> Reason {
    let text = format!(
        "the credential of `{}` is registered as `{}`, and the model declares `{declared}`",
        party.name,
        party.kind.as_str()
    );
    let remedy = "correct the kind in the model, or issue another credential".to_owned();
    reason(Ruling::Deny, Count::Identity, "actor_kind_mismatch", 0, (text, remedy))
}

pub(crate) fn outside_read_scope(party: &Party, account: &str, service: &str, effect: usize) -> Reason {
    let text = format!("`{}` may not read `{service}` in account `{}`", party.name, shown(account));
    let remedy = "ask for `reads` of the actor to be widened in the model".to_owned();
    reason(Ruling::Deny, Count::Identity, "outside_read_scope", effect, (text, remedy))
}

pub(crate) fn outside_namespace(party: &Party, resource: &str, effect: usize) -> Reason {
    let text =
        format!("`{}` may not read `{}`, which is outside its namespaces", party.name, shown(resource));
    let remedy = "ask for `reads` of the actor to be widened in the model, or name one of its namespaces";
    reason(Ruling::Deny, Count::Identity, "outside_read_scope", effect, (text, remedy.to_owned()))
}

pub(crate) fn ambiguous(ambiguity: &Ambiguity, effect: usize) -> Reason {
    let text = format!(
        "`{}` may be {}: which one is meant cannot be told",
        shown(&ambiguity.identifier),
        ambiguity.meanings.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "),
    );
    let remedy = "name it by its id or its full name, or correct the model, if they are one".to_owned();
    reason(Ruling::Deny, Count::Ownership, "ambiguous_name", effect, (text, remedy))
}

pub(crate) fn no_owner(site: &Site, effect: usize) -> Reason {
    let text = format!("nobody is recorded as the owner of `{}`", site.told());
    let remedy = if site.is_whole_account() {
        let word = site.account_word();
        format!(
            "give the {word} an owner in the model: declare an `Account`, or a `Scope` that holds what it is about"
        )
    } else {
        "give it an owner in the model: import it, or declare a `Scope` that holds it".to_owned()
    };
    reason(Ruling::Deny, Count::Ownership, "no_owner", effect, (text, remedy))
}

pub(crate) fn not_owner(party: &Party, site: &Site, effect: usize) -> Reason {
    let owners = quoted(&site.standing.owners);
    let text = format!("`{}` belongs to {owners}, for which `{}` does not act", site.told(), party.name);
    let remedy = format!("ask {owners} to make the change");
    reason(Ruling::Deny, Count::Ownership, "not_owner", effect, (text, remedy))
}

pub(crate) fn approval_required(party: &Party, asks: Vec<Arc<str>>, site: &Site, effect: usize) -> Reason {
    let owners = quoted(&site.standing.owners);
    let text = format!(
        "`{}` belongs to {owners}, which has to approve what `{}` would do to it",
        site.told(),
        party.name
    );
    let remedy = format!("ask {owners} to approve it, or to make the change");
    let words = (text, remedy);
    Reason { asks, ..reason(Ruling::Hold, Count::Ownership, "approval_required", effect, words) }
}

/// What an effect class does, as a verb before a resource.
pub(crate) const fn verb(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Create => "create in",
        Access::Update => "update",
        Access::Delete => "delete",
        Access::Grant => "change who may do what on",
        Access::Expose => "open",
        Access::Execute => "run something on",
        Access::Tag => "tag",
        Access::SecretRead => "read secrets of",
    }
}

pub(crate) fn no_ground(party: &Party, access: Access, site: &Site, effect: usize) -> Reason {
    let text = format!("no rule gives `{}` a ground to {} `{}`", party.name, verb(access), site.told());
    let remedy = format!("ask {} for a rule or for bounds that allow it", quoted(&site.standing.owners));
    reason(Ruling::Deny, Count::Legitimacy, "no_ground", effect, (text, remedy))
}

pub(crate) fn rule_failed(rules: Vec<Arc<str>>, effect: usize) -> Reason {
    let text = format!("{} could not be evaluated, and a rule that fails denies", quoted(&rules));
    let remedy = "have the rule corrected; `ordain validate` shows where it is".to_owned();
    let mut reason = reason(Ruling::Deny, Count::Legitimacy, "policy_error", effect, (text, remedy));
    reason.rules = rules;
    reason
}

pub(crate) fn not_asked(why: &str, effect: usize) -> Reason {
    let text = format!("the rules could not be asked: {}", shown(why));
    let remedy = "report this; until it is corrected the change is denied".to_owned();
    reason(Ruling::Deny, Count::Legitimacy, "policy_error", effect, (text, remedy))
}

pub(crate) fn parameters_incomplete(called: &Effect, effect: usize) -> Reason {
    let text = format!(
        "a rule reads the parameters of `{}:{}`, and not all of them could be read",
        called.service, called.operation
    );
    let remedy = "send the parameters in the request itself, not by reference".to_owned();
    reason(Ruling::Deny, Count::Legitimacy, "parameters_incomplete", effect, (text, remedy))
}

pub(crate) fn type_not_declared(kind: &str, site: &Site, effect: usize) -> Reason {
    let text = format!("nothing of type `{kind}` is declared to be created in `{}`", site.told());
    let remedy = format!("ask {} to add the type to `creates` of the scope", quoted(&site.standing.owners));
    reason(Ruling::Deny, Count::Ownership, "type_not_declared", effect, (text, remedy))
}

pub(crate) fn unknown_use(party: &Party, site: &Site, ruling: Ruling, effect: usize) -> Reason {
    let text = format!("`{}` refers to `{}`, which the model does not know", party.name, site.told());
    let remedy = match ruling {
        Ruling::Admit => String::new(),
        Ruling::Hold | Ruling::Deny => {
            "import it, declare it, or declare a `Scope` with `public: true` that holds it".to_owned()
        }
    };
    reason(ruling, Count::Ownership, "unknown_use", effect, (text, remedy))
}

pub(crate) fn foreign_copy(party: &Party, site: &Site, effect: usize) -> Reason {
    let owners = quoted(&site.standing.owners);
    let text = format!("`{}` would copy from `{}`, which belongs to {owners}", party.name, site.told());
    let remedy = format!("ask {owners} to make the copy");
    reason(Ruling::Deny, Count::Ownership, "foreign_copy", effect, (text, remedy))
}

pub(crate) fn reach_unknown(party: &Party, unknown: &Unknown, ruling: Ruling) -> Reason {
    let name = shown(&unknown.name);
    let (text, remedy) = match &unknown.why {
        Why::Runs(authority) => (
            match authority {
                Some(authority) => format!(
                    "what would run on or as `{name}` may reach all that `{authority}` does, under which it \
                     runs, and which is not known"
                ),
                None => format!(
                    "what would run on or as `{name}` may reach all that its authority does, which is not known"
                ),
            },
            "declare `AgentBounds` for it, or have a person or a pipeline do it",
        ),
        Why::Gives => (
            format!("what `{name}` lets whoever gets it do is not known"),
            "import it into the model, declare `AgentBounds` for it, or have a person or a pipeline do it",
        ),
        Why::Dependants => (
            format!("what depends on `{name}` is not known"),
            "import it into the model, or have a person or a pipeline do it",
        ),
    };
    let remedy = match ruling {
        Ruling::Admit => "",
        Ruling::Hold | Ruling::Deny => remedy,
    };
    let words = (text, remedy.to_owned());
    let mut reason = reason(ruling, Count::BlastRadius, "reach_unknown", unknown.effect, words);
    reason.text = match ruling {
        Ruling::Admit => reason.text,
        Ruling::Hold | Ruling::Deny => {
            format!("{}, and {} `{}` has to know", reason.text, party.kind.as_str(), party.name)
        }
    };
    reason
}

/// A name as it is told: its beginning, where it is longer than anything that has a name. A request may hold
/// one of megabytes, and every reason names it.
pub(crate) fn shown(name: &str) -> Cow<'_, str> {
    if name.len() <= SHOWN_MAX {
        return Cow::Borrowed(name);
    }
    let kept = name.floor_char_boundary(SHOWN_MAX);
    Cow::Owned([name.get(..kept).unwrap_or_default(), "…"].concat())
}

/// Names in backticks, with commas; `its owner` where there are none.
pub(crate) fn quoted(names: &[Arc<str>]) -> String {
    if names.is_empty() {
        return "its owner".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
