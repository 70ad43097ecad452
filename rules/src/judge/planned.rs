//! Whether a request carries out an approved change, and how often it still may.
//!
//! Leaves out what a call of a change says (`change/`), and counting its uses (the state engine), which says what has been
//! used when something is reserved: a decision that nothing is left for is made again with that.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Action, ActorKind, Call, Digest, Party};

use super::stages::Touched;
use crate::calendar::{Phase, Term};
use crate::change::{Change, Found, Kind, Mismatch};
use crate::inventory::Owners;
use crate::model::{Model, Person};
use crate::{CarriedOut, Count, Counters, Reason, Ruling, Snapshot, Use, Used, refusal};

/// What the changes of a model say of a request, for one party.
#[derive(Debug)]
pub(super) enum Planned<'j> {
    /// No change is for this party.
    Nothing,
    /// One is, and the request is none of its calls.
    Not(NotPlanned),
    /// It is a call of one.
    Carries(Carries<'j>),
}

/// Why a request is none that was planned.
#[derive(Debug)]
pub(super) struct NotPlanned {
    code: &'static str,
    near: u8,
    /// What differs, for people.
    text: String,
}

/// A call that a request carries out.
#[derive(Debug)]
pub(super) struct Carries<'j> {
    found: Found<'j>,
    /// Owners of what is touched that have approved it; for an emergency all, where one has.
    approved: BTreeSet<Arc<str>>,
    /// Everything that is touched has an owner who has.
    whole: bool,
}

impl<'j> Planned<'j> {
    pub(super) fn of(
        (snapshot, model): (&'j Snapshot, &'j Model),
        (action, call): (&Action, &Call),
        (party, person): (&Party, &Person),
        touched: &[Touched<'_>],
        (counters, now): (&Counters, Timestamp),
    ) -> Self {
        let changes = &model.changes;
        if changes.is_empty() {
            return Self::Nothing;
        }
        let mine = changes.of(&party.name, person, &action.actor.upstream.account);
        if mine.is_empty() {
            return Self::Nothing;
        }
        let mut nearest: Option<NotPlanned> = None;
        let mut kept = |other: NotPlanned| {
            if nearest.as_ref().is_none_or(|known| known.near < other.near) {
                nearest = Some(other);
            }
        };
        for found in changes.calls(&action.actor, call, |change| change.is_for(&party.name, person)) {
            let held = found.holds(call, snapshot.live()).and_then(|()| read_only(&found, call));
            let not = match held {
                Err(mismatch) => differs(&found, mismatch),
                Ok(()) => match closed(&found, now).or_else(|| used(&found, counters)) {
                    Some(not) => not,
                    None => return Self::Carries(Carries::of(model, found, (action, party), touched, now)),
                },
            };
            kept(not);
        }
        Self::Not(nearest.unwrap_or_else(|| unknown(&mine, call)))
    }

    /// The name of the change that is carried out.
    pub(super) fn change(&self) -> Option<&Arc<str>> {
        match self {
            Self::Carries(carries) => Some(&carries.found.change.name),
            Self::Nothing | Self::Not(_) => None,
        }
    }

    /// Whether the owners of something have approved a change that plans this.
    pub(super) fn approves(&self, owners: &Owners) -> bool {
        match self {
            Self::Carries(carries) => {
                !owners.is_empty() && owners.iter().all(|owner| carries.approved.contains(owner))
            }
            Self::Nothing | Self::Not(_) => false,
        }
    }

    /// Why it is none that was planned and approved, for people.
    pub(super) fn unplanned(&self) -> Option<String> {
        match self {
            Self::Nothing => Some("no change is open that it may carry out".to_owned()),
            Self::Not(not) => Some(not.text.clone()),
            Self::Carries(carries) if carries.whole => None,
            Self::Carries(carries) => {
                Some(format!("change `{}` is not approved by all whose it is", carries.found.change.name))
            }
        }
    }

    /// The reason that it is none that was planned, where some change is for the party.
    pub(super) fn reason(&self, effect: usize) -> Option<Reason> {
        let Self::Not(NotPlanned { code, text, .. }) = self else { return None };
        let remedy =
            "carry out what was planned, or write down what is needed and have it approved".to_owned();
        Some(refusal::reason(Ruling::Deny, Count::Legitimacy, code, effect, (text.clone(), remedy)))
    }

    /// Whom an approval is still needed of.
    pub(super) fn waits(&self, owners: &Owners, effect: usize) -> Option<Reason> {
        let Self::Carries(Carries { found, approved, .. }) = self else { return None };
        let missing: Vec<Arc<str>> =
            owners.iter().filter(|owner| !approved.contains(*owner)).cloned().collect();
        let Change { name, author, .. } = found.change;
        let of = refusal::quoted(&missing);
        let text = format!("change `{name}` plans this as `{}`, and {of} has not approved it", found.item.id);
        let remedy =
            format!("have somebody of {of} other than `{author}` approve it: `ordain change approve {name}`");
        let words = (text, remedy);
        Some(refusal::reason(Ruling::Hold, Count::Ownership, "change_not_approved", effect, words))
    }

    /// What it carries out, where that is approved as a whole.
    pub(super) fn carried_out(&self) -> Option<CarriedOut> {
        match self {
            Self::Carries(carries) if carries.whole => Some(carries.found.carried_out()),
            Self::Carries(_) | Self::Nothing | Self::Not(_) => None,
        }
    }

    /// What of the change it uses.
    pub(super) fn uses(&self, request: Digest) -> Option<Use> {
        match self {
            Self::Carries(carries) if carries.whole && !carries.found.call.reads => Some(Use {
                key: carries.found.key(),
                request,
                uses: carries.found.limit(),
                honoured: false,
                rebinds: true,
            }),
            Self::Carries(_) | Self::Nothing | Self::Not(_) => None,
        }
    }
}

impl<'j> Carries<'j> {
    fn of(
        model: &'j Model,
        found: Found<'j>,
        (action, party): (&Action, &Party),
        touched: &[Touched<'_>],
        now: Timestamp,
    ) -> Self {
        let change = found.change;
        let sites = || touched.iter().flat_map(|touched| &touched.judged);
        let owners: BTreeSet<Arc<str>> =
            sites().flat_map(|site| site.standing.owners.iter().cloned()).collect();
        let may = |by: &Arc<str>| {
            *by != change.author
                && *by != action.actor.party.name
                && *by != party.name
                && action.actor.on_behalf_of.iter().all(|other| other.name != *by)
        };
        let digest = change.approved_as();
        let given = model.approvals.of(&change.name, &digest);
        let given = given.filter(|approval| Term::once(Some(approval.at), None).in_force(now));
        let people = given.filter(|approval| may(&approval.by));
        let people = people.filter_map(|approval| model.people.actors.get(&approval.by));
        let mut approved: BTreeSet<Arc<str>> = BTreeSet::new();
        for person in people.filter(|person| person.kind == ActorKind::Person) {
            approved.extend(owners.iter().filter(|owner| person.teams.contains(*owner)).cloned());
        }
        if change.kind == Kind::Emergency && !approved.is_empty() {
            approved.clone_from(&owners);
        }
        let whole = !owners.is_empty()
            && sites().all(|site| {
                !site.standing.owners.is_empty()
                    && site.standing.owners.iter().all(|owner| approved.contains(owner))
            });
        Self { found, approved, whole }
    }
}

/// A call that is not counted hands out what it hands out, and changes nothing.
fn read_only(found: &Found<'_>, call: &Call) -> Result<(), Mismatch> {
    let changes = |effect: &&ordain_action::Effect| {
        effect.access.is_change() && effect.access != ordain_action::Access::SecretRead
    };
    match call.effects.iter().find(changes) {
        Some(effect) if found.call.reads => Err(Mismatch {
            near: 0,
            text: format!(
                "`{}:{}` was planned as something that only reads",
                effect.service, effect.operation
            ),
        }),
        Some(_) | None => Ok(()),
    }
}

fn differs(found: &Found<'_>, mismatch: Mismatch) -> NotPlanned {
    let Mismatch { near, text } = mismatch;
    let text = format!("{text} (change `{}`, item `{}`)", found.change.name, found.item.id);
    NotPlanned { code: "not_planned", near, text }
}

fn closed(found: &Found<'_>, now: Timestamp) -> Option<NotPlanned> {
    let Found { change, item, .. } = found;
    let text = match change.term.phase(now) {
        Phase::In { .. } => return None,
        Phase::Out { begins: Some(begins) } => format!("opens {}", change.term.told(begins)),
        Phase::Out { begins: None } => "is over".to_owned(),
    };
    let text = format!("change `{}`, which plans this as `{}`, {text}", change.name, item.id);
    Some(NotPlanned { code: "change_closed", near: 10, text })
}

fn used(found: &Found<'_>, counters: &Counters) -> Option<NotPlanned> {
    let Found { change, item, .. } = found;
    let told = match counters.used(&found.key())? {
        Used::Up => format!("was carried out already, as often as it may be ({})", found.limit()),
        Used::InFlight => "is being carried out by the same request".to_owned(),
        Used::Unknown => {
            "was sent before by the same request, and what became of that is not known".to_owned()
        }
        Used::Uncounted => "cannot be counted now".to_owned(),
    };
    let text = format!("`{}` of item `{}` of change `{}` {told}", found.call.operation, item.id, change.name);
    Some(NotPlanned { code: "change_used", near: 11, text })
}

fn unknown(mine: &[&Change], call: &Call) -> NotPlanned {
    let operation = call
        .effects
        .first()
        .map(|effect| format!("{}:{}", effect.service, effect.operation))
        .unwrap_or_default();
    let names: Vec<String> = mine.iter().take(4).map(|change| format!("`{}`", change.name)).collect();
    let more = if mine.len() > names.len() { " and others" } else { "" };
    let text = format!("`{operation}` was not planned (change {}{more})", names.join(", "));
    NotPlanned { code: "not_planned", near: 0, text }
}
