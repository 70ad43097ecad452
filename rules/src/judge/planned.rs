//! Whether a request carries out an approved change, and how often it still may.
//!
//! Leaves out what a call of a change says (`change/`), and counting its uses (the state engine), which says what has been
//! used when something is reserved: a decision that nothing is left for is made again with that.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{Action, ActorKind, Call, Digest, Party};

use super::stages::Touched;
use crate::calendar::{Phase, Term};
use crate::change::{Asked, Change, Found, Kind, Mismatch};
use crate::hold;
use crate::inventory::Owners;
use crate::model::{Model, Person};
use crate::owner::Standing;
use crate::resolve::Site;
use crate::{CarriedOut, Count, Counters, Reason, Ruling, Snapshot, Use, Used, refusal};

/// What the changes of a model say of a request, for one party.
#[derive(Debug)]
pub(super) enum Planned<'j> {
    /// No change is for this party.
    Nothing,
    /// One is, and the request is none of its calls.
    Not(Box<NotPlanned<'j>>),
    /// It is a call of one.
    Carries(Carries<'j>),
}

/// Why a request is none that was planned: found out where somebody is told.
#[derive(Debug)]
pub(super) struct NotPlanned<'j> {
    asking: Asking<'j>,
    nearest: OnceCell<Nearest>,
}

/// What is nearest to it.
#[derive(Debug)]
struct Nearest {
    code: &'static str,
    near: u8,
    /// What differs, for people.
    text: String,
}

/// Who asks for what, and by what it is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'j> {
    pub(super) snapshot: &'j Snapshot,
    pub(super) model: &'j Model,
    pub(super) action: &'j Action,
    pub(super) call: &'j Call,
    pub(super) party: &'j Party,
    pub(super) person: &'j Person,
    pub(super) counters: &'j Counters,
    pub(super) now: Timestamp,
}

/// A call that a request carries out.
#[derive(Debug)]
pub(super) struct Carries<'j> {
    found: Found<'j>,
    /// Owners of what is touched that have approved it.
    approved: BTreeSet<Arc<str>>,
    /// Everything that is touched has owners, and all of them have.
    whole: bool,
    /// It has, or the actor acts for its owners: then it is carried out, and counted.
    carried: bool,
}

impl<'j> Planned<'j> {
    pub(super) fn of(asking: Asking<'j>, touched: &[Touched<'_>]) -> Self {
        let Asking { snapshot, model, action, call, party, person, .. } = asking;
        let changes = &model.changes;
        if !changes.is_for(&party.name, person) {
            return Self::Nothing;
        }
        let asked = Asked::of(call);
        let fits = |found: &Found<'_>| {
            found.holds(&asked, snapshot.live()).is_ok() && asking.refused(found).is_none()
        };
        let candidates = changes.candidates(call, &action.actor, &party.name, person);
        let mut waiting = None;
        for found in candidates.into_iter().filter(fits) {
            let carries = Carries::of(asking, found, touched);
            if carries.whole {
                return Self::Carries(carries);
            }
            // One that waits hides none that is approved.
            let better = |known: &Carries<'_>| (known.carried, known.approved.len());
            if waiting.as_ref().is_none_or(|known| better(known) < better(&carries)) {
                waiting = Some(carries);
            }
        }
        match waiting {
            Some(carries) => Self::Carries(carries),
            None => Self::Not(Box::new(NotPlanned { asking, nearest: OnceCell::new() })),
        }
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
            Self::Carries(carries) => carries.approves(owners),
            Self::Nothing | Self::Not(_) => false,
        }
    }

    /// Why it is none that was planned and approved, for people.
    pub(super) fn unplanned(&self) -> Option<String> {
        match self {
            Self::Nothing => Some("no change is open that it may carry out".to_owned()),
            Self::Not(not) => Some(not.nearest().text.clone()),
            Self::Carries(carries) if carries.whole => None,
            Self::Carries(carries) => {
                Some(format!("change `{}` is not approved by all whose it is", carries.found.change.name))
            }
        }
    }

    /// The reason that it is none that was planned, where some change is for the party.
    pub(super) fn reason(&self, effect: usize) -> Option<Reason> {
        let Self::Not(not) = self else { return None };
        let Nearest { code, text, .. } = not.nearest();
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
            Self::Carries(carries) if carries.carried => Some(carries.found.carried_out()),
            Self::Carries(_) | Self::Nothing | Self::Not(_) => None,
        }
    }

    /// What of the change it uses.
    pub(super) fn uses(&self, request: Digest) -> Option<Use> {
        match self {
            Self::Carries(carries) if carries.carried && !carries.found.call.reads => Some(Use {
                key: carries.found.key(),
                request,
                uses: carries.found.limit(),
                honoured: false,
                rebinds: true,
                kept: None,
            }),
            Self::Carries(_) | Self::Nothing | Self::Not(_) => None,
        }
    }
}

impl NotPlanned<'_> {
    /// What is nearest to the request of what was planned.
    fn nearest(&self) -> &Nearest {
        self.nearest.get_or_init(|| {
            let Asking { snapshot, model, action, call, party, person, .. } = self.asking;
            let asked = Asked::of(call);
            let mut nearest: Option<Nearest> = None;
            for found in model.changes.nearest(call, &action.actor, &party.name, person) {
                let other = match found.holds(&asked, snapshot.live()) {
                    Err(mismatch) => Some(differs(&found, mismatch)),
                    Ok(()) => self.asking.refused(&found),
                };
                if let Some(other) = other
                    && nearest.as_ref().is_none_or(|known| known.near < other.near)
                {
                    nearest = Some(other);
                }
            }
            nearest.unwrap_or_else(|| {
                let account = &action.actor.upstream.account;
                unknown(&model.changes.of(&party.name, person, account), call)
            })
        })
    }
}

impl Asking<'_> {
    /// Why a call that the request is cannot be carried out by it.
    fn refused(&self, found: &Found<'_>) -> Option<Nearest> {
        read_only(found, self.call).or_else(|| closed(found, self.now)).or_else(|| used(found, self.counters))
    }
}

impl<'j> Carries<'j> {
    fn of(asking: Asking<'j>, found: Found<'j>, touched: &[Touched<'_>]) -> Self {
        let Asking { model, action, party, person, now, .. } = asking;
        let change = found.change;
        let sites = || touched.iter().flat_map(|touched| &touched.judged);
        // What is hooked up or set to work is its owners' to say as well.
        let used = touched.iter().flat_map(|touched| &touched.uses);
        let all = sites().chain(used);
        let owners: BTreeSet<Arc<str>> = all.flat_map(|site| site.standing.owners.iter().cloned()).collect();
        let may = |by: &Arc<str>| {
            *by != change.author
                && *by != action.actor.party.name
                && *by != party.name
                && action.actor.on_behalf_of.iter().all(|other| other.name != *by)
                && !hold::run_by(model, action, by)
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
        let mut carries = Self { found, approved, whole: false, carried: false };
        let is_approved = |site: &Site| carries.approves(&site.standing.owners);
        let is_own = |site: &Site| Standing::of(person, site).suffices();
        let whole = sites().next().is_some() && sites().all(is_approved);
        let carried = !carries.approved.is_empty() && sites().all(|site| is_approved(site) || is_own(site));
        (carries.whole, carries.carried) = (whole, carried);
        carries
    }

    /// Whether owners of something have approved it: all of them, and in an emergency one of them. Of another thing nobody
    /// else has a say.
    fn approves(&self, owners: &Owners) -> bool {
        let has = |owner: &Arc<str>| self.approved.contains(owner);
        match self.found.change.kind {
            Kind::Standard | Kind::Normal => !owners.is_empty() && owners.iter().all(has),
            Kind::Emergency => owners.iter().any(has),
        }
    }
}

/// A call that is not counted hands out what it hands out, and changes nothing.
fn read_only(found: &Found<'_>, call: &Call) -> Option<Nearest> {
    let changes = |effect: &&ordain_action::Effect| {
        effect.access.is_change() && effect.access != ordain_action::Access::SecretRead
    };
    let effect = call.effects.iter().find(changes).filter(|_| found.call.reads)?;
    let text = format!("`{}:{}` was planned as something that only reads", effect.service, effect.operation);
    Some(differs(found, Mismatch { near: 0, text }))
}

fn differs(found: &Found<'_>, mismatch: Mismatch) -> Nearest {
    let Mismatch { near, text } = mismatch;
    let text = format!("{text} (change `{}`, item `{}`)", found.change.name, found.item.id);
    Nearest { code: "not_planned", near, text }
}

fn closed(found: &Found<'_>, now: Timestamp) -> Option<Nearest> {
    let Found { change, item, .. } = found;
    let (near, text) = match change.term.phase(now) {
        Phase::In { .. } => return None,
        // Whoever is early is told that before what was done by another.
        Phase::Out { begins: Some(begins) } => (12, format!("opens {}", change.term.told(begins))),
        Phase::Out { begins: None } => (10, "is over".to_owned()),
    };
    let text = format!("change `{}`, which plans this as `{}`, {text}", change.name, item.id);
    Some(Nearest { code: "change_closed", near, text })
}

fn used(found: &Found<'_>, counters: &Counters) -> Option<Nearest> {
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
    Some(Nearest { code: "change_used", near: 11, text })
}

fn unknown(mine: &[&Change], call: &Call) -> Nearest {
    let operation = call
        .effects
        .first()
        .map(|effect| format!("{}:{}", effect.service, effect.operation))
        .unwrap_or_default();
    let names: Vec<String> = mine.iter().take(4).map(|change| format!("`{}`", change.name)).collect();
    let more = if mine.len() > names.len() { " and others" } else { "" };
    let text = format!("`{operation}` was not planned (change {}{more})", names.join(", "));
    Nearest { code: "not_planned", near: 0, text }
}
