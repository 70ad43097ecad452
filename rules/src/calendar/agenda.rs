//! What is in force, what comes next, and for how long: freezes, windows and exceptions as people list them.
//!
//! Leaves out what each does to a decision (`judge/circumstances.rs`).

use jiff::Timestamp;

use super::{Phase, Term};
use crate::Snapshot;
use crate::glob::Glob;
use crate::model::{Covers, Model};

/// What sort of thing has a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlannedKind {
    /// A time in which nothing changes.
    Freeze,
    /// Times outside which nothing changes.
    Window,
    /// What lifts gates for a time.
    Exception,
}

impl PlannedKind {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Window => "window",
            Self::Exception => "exception",
        }
    }
}

/// One thing with a term, at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What sort of thing.
    pub kind: PlannedKind,
    /// Its name.
    pub name: String,
    /// It is in force.
    pub in_force: bool,
    /// When it begins next, where it is not in force; `None` is never again.
    pub begins: Option<Timestamp>,
    /// When it ends, where it is in force; `None` is never.
    pub ends: Option<Timestamp>,
    /// Whichever of the two there is, in the zone that its document names.
    pub told: String,
    /// What it covers, for people; empty is everything.
    pub covers: String,
    /// How many of the things that the model knows it covers.
    pub things: usize,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub why: String,
    /// What an exception lifts.
    pub lifts: Vec<String>,
    /// Whom an exception is for: actors, and groups as `group:name`.
    pub holders: Vec<String>,
    /// Who approved an exception.
    pub approved_by: String,
    /// It is a person's own, in an emergency.
    pub is_break_glass: bool,
    /// Who looked at what was done, where it is.
    pub reviewed_by: String,
}

impl Planned {
    fn of(
        model: &Model,
        kind: PlannedKind,
        name: &str,
        (term, covers): (&Term, &Covers),
        now: Timestamp,
    ) -> Self {
        let entries = model.inventory.entries().iter();
        let held = entries.filter(|entry| covers.hold(&entry.name, &entry.account, &entry.standing));
        let (in_force, begins, ends) = match term.phase(now) {
            Phase::In { until } => (true, None, until),
            Phase::Out { begins } => (false, begins, None),
        };
        Self {
            kind,
            name: name.to_owned(),
            in_force,
            begins,
            ends,
            told: begins.or(ends).map(|time| term.told(time)).unwrap_or_default(),
            covers: covered(covers),
            things: held.count(),
            owner: String::new(),
            why: String::new(),
            lifts: Vec::new(),
            holders: Vec::new(),
            approved_by: String::new(),
            is_break_glass: false,
            reviewed_by: String::new(),
        }
    }
}

/// What is covered, for people.
pub(crate) fn covered(covers: &Covers) -> String {
    let Covers { accounts, environments, systems, owners, names } = covers;
    let sets = [("account", accounts), ("environment", environments), ("system", systems), ("owner", owners)];
    let words = sets.iter().flat_map(|(word, all)| all.iter().map(move |one| (word, one)));
    let words = words.map(|(word, one)| format!("{word} {}", one.strip_prefix("system:").unwrap_or(one)));
    words.chain(names.iter().map(Glob::as_str).map(str::to_owned)).collect::<Vec<_>>().join(", ")
}

impl Snapshot {
    /// Freezes, windows and exceptions at a time: those in force first, then by when they begin, then those that are
    /// over.
    #[must_use]
    pub fn planned(&self, now: Timestamp) -> Vec<Planned> {
        let Some(model) = self.model() else { return Vec::new() };
        let mut planned = Vec::new();
        for freeze in &model.freezes {
            planned.push(Planned {
                owner: freeze.owner.as_deref().unwrap_or_default().to_owned(),
                why: freeze.why.clone(),
                ..Planned::of(model, PlannedKind::Freeze, &freeze.name, (&freeze.term, &freeze.covers), now)
            });
        }
        for window in &model.windows {
            planned.push(Planned {
                owner: window.owner.as_deref().unwrap_or_default().to_owned(),
                why: window.why.clone(),
                ..Planned::of(model, PlannedKind::Window, &window.name, (&window.term, &window.covers), now)
            });
        }
        for exception in &model.exceptions {
            let groups = exception.groups.iter().map(|group| format!("group:{group}"));
            planned.push(Planned {
                owner: exception.owner.to_string(),
                why: exception.why.clone(),
                lifts: exception.lifts.iter().map(ToString::to_string).collect(),
                holders: exception.actors.iter().map(ToString::to_string).chain(groups).collect(),
                approved_by: exception.approved_by.to_string(),
                is_break_glass: exception.glass.is_some(),
                reviewed_by: exception
                    .glass
                    .as_ref()
                    .and_then(|glass| glass.reviewed_by.as_deref())
                    .unwrap_or_default()
                    .to_owned(),
                ..Planned::of(
                    model,
                    PlannedKind::Exception,
                    &exception.name,
                    (&exception.term, &exception.covers),
                    now,
                )
            });
        }
        planned.sort_by(|left, right| {
            let order = |one: &Planned| (!one.in_force, one.begins.is_none(), one.begins, one.kind);
            order(left).cmp(&order(right)).then_with(|| left.name.cmp(&right.name))
        });
        planned
    }
}
