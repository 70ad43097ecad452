//! Freezes, windows and exceptions: documents to what holds for a time.
//!
//! Leaves out what a term means (`calendar/`) and what each does to a decision (`judge/circumstances.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{Access, ActorKind};

use super::build::{Places, globs};
use super::document::{CoversSpec, ExceptionSpec, FreezeSpec, WindowSpec};
use super::reference::{owner, reference};
use super::text::{Body, Place, Placed, nearest};
use super::{Covers, Exception, Freeze, Window};
use crate::blueprint::{self, Blueprints};
use crate::calendar::{self, Term, Written};
use crate::policy::{Class, Rules};

/// The gate that freezes are: only break-glass lifts it.
const FROZEN: &str = "frozen";

impl Places<'_> {
    pub(super) fn freeze(&mut self, place: &Place, name: &str, spec: &FreezeSpec) -> Option<Freeze> {
        let FreezeSpec { from, until, lasts, recurs, time_zone, also, except, why, owner, covers } = spec;
        let written = Written {
            from: Some(from.as_str()),
            until: until.as_deref(),
            lasts: lasts.as_deref(),
            recurs: recurs.as_deref(),
            time_zone: time_zone.as_deref(),
            also,
            except,
        };
        Some(Freeze {
            name: Arc::from(name),
            term: self.term(place, &format!("freeze `{name}`"), written)?,
            why: why.clone(),
            owner: self.owners(owner.as_deref(), place).into_iter().next(),
            covers: covered(covers),
        })
    }

    pub(super) fn windows(&mut self, placed: &[Placed]) -> Vec<Window> {
        let mut windows = Vec::new();
        for document in placed {
            if let Body::Window(spec) = &document.body {
                windows.extend(self.window(&document.place, &document.metadata.name, spec));
            }
        }
        windows.sort_by(|left, right| left.name.cmp(&right.name));
        windows
    }

    fn window(&mut self, place: &Place, name: &str, spec: &WindowSpec) -> Option<Window> {
        let WindowSpec { from, until, lasts, recurs, time_zone, also, except, .. } = spec;
        let written = Written {
            from: Some(from.as_str()),
            until: until.as_deref(),
            lasts: lasts.as_deref(),
            recurs: recurs.as_deref(),
            time_zone: time_zone.as_deref(),
            also,
            except,
        };
        Some(Window {
            name: Arc::from(name),
            term: self.term(place, &format!("window `{name}`"), written)?,
            why: spec.why.clone(),
            owner: self.owners(spec.owner.as_deref(), place).into_iter().next(),
            access: spec.access.as_deref().map(|words| self.classes(words, place)),
            actor_kinds: spec.actor_kinds.as_deref().map(|words| self.actor_kinds(words, place)),
            covers: covered(&spec.covers),
        })
    }

    /// Exceptions name gates, so that the rules have to be read before.
    pub(super) fn exceptions(
        &mut self,
        placed: &[Placed],
        rules: &Rules,
        blueprints: &Blueprints,
    ) -> Vec<Exception> {
        let mut exceptions = Vec::new();
        for document in placed {
            if let Body::Exception(spec) = &document.body {
                let gates = (rules, blueprints);
                exceptions.extend(self.exception(&document.place, &document.metadata.name, spec, gates));
            }
        }
        exceptions.sort_by(|left, right| left.name.cmp(&right.name));
        exceptions
    }

    fn exception(
        &mut self,
        place: &Place,
        name: &str,
        spec: &ExceptionSpec,
        (rules, blueprints): (&Rules, &Blueprints),
    ) -> Option<Exception> {
        self.lifted(place, &spec.lifts, (rules, blueprints), false);
        let covers = covered(&spec.covers);
        let lacks = |what: &str, needed: &str| format!("exception `{name}` {what}; {needed}");
        let empty = [
            (spec.lifts.is_empty(), "lifts:", lacks("lifts nothing", "name gates in `lifts`")),
            (
                spec.actors.is_empty() && spec.groups.is_empty(),
                "spec:",
                lacks("is for nobody", "name `actors` or `groups`"),
            ),
            (
                covers.is_everything() || covers.names.iter().any(|name| name.literal_prefix().is_empty()),
                "covers:",
                lacks("would lift gates everywhere", "name what it is for in `covers`"),
            ),
            (
                covers.fields() > 1,
                "covers:",
                lacks(
                    "covers what lies in any of several, not in all of them",
                    "keep one of `accounts`, `environments`, `systems`, `owners` and `names`",
                ),
            ),
            (spec.why.trim().is_empty(), "why:", lacks("does not say why it is needed", "say it in `why`")),
        ];
        for (_, words, text) in empty.into_iter().filter(|(is_empty, ..)| *is_empty) {
            self.problems.push(place.problem(words, text));
        }
        self.known_actors(&spec.actors, place);
        let groups =
            spec.groups.iter().filter_map(|group| self.owners(Some(group), place).into_iter().next());
        let groups: BTreeSet<Arc<str>> = groups.collect();
        let written = Written {
            from: Some(spec.from.as_str()),
            until: Some(spec.until.as_str()),
            time_zone: spec.time_zone.as_deref(),
            ..Written::default()
        };
        self.approver(place, name, spec, &groups);
        let what = format!("exception `{name}`");
        let term = self.term(place, &what, written)?;
        if term.is_longer_than(calendar::EXCEPTION_MAX) {
            let days = calendar::EXCEPTION_MAX.as_hours() / 24;
            let text =
                format!("{what} lasts more than {days} days; end it earlier, and renew it after a review");
            self.problems.push(place.problem("until:", text));
        }
        Some(Exception {
            name: Arc::from(name),
            review: self.review(place, &what, spec, &term),
            term,
            why: spec.why.clone(),
            owner: self.owners(Some(&spec.owner), place).into_iter().next()?,
            approved_by: Arc::from(spec.approved_by.as_str()),
            lifts: spec.lifts.iter().map(|id| Arc::from(id.as_str())).collect(),
            actors: spec.actors.iter().map(|actor| Arc::from(actor.as_str())).collect(),
            groups,
            access: spec.access.as_deref().map(|words| self.classes(words, place)),
            operations: spec.operations.as_deref().map(globs),
            covers,
            glass: None,
        })
    }

    /// What is lifted has to be there, and one of what may be; freezes may be in an emergency.
    pub(super) fn lifted(
        &mut self,
        place: &Place,
        lifts: &[String],
        (rules, blueprints): (&Rules, &Blueprints),
        emergency: bool,
    ) {
        for id in lifts {
            match id.strip_prefix(blueprint::PREFIX) {
                Some(name) => self.lifted_blueprint(place, name, blueprints),
                None => self.gate(place, id, rules, emergency),
            }
        }
    }

    /// Only a gate that says of itself that it may be lifted can be, and a freeze is none that an exception lifts.
    fn gate(&mut self, place: &Place, id: &str, rules: &Rules, emergency: bool) {
        let may_be_lifted = |id: &str| {
            (emergency || id != FROZEN)
                && rules.by_id(id).is_some_and(|rule| rule.class != Class::Ground && rule.liftable)
        };
        if may_be_lifted(id) {
            return;
        }
        let known: Vec<&str> =
            rules.all().iter().map(|rule| rule.id.as_ref()).filter(|id| may_be_lifted(id)).collect();
        let text = match rules.by_id(id) {
            _ if id == FROZEN => {
                "a freeze is lifted only by break-glass; remove `frozen`, or end the freeze".to_owned()
            }
            None => format!("there is no gate `{id}`; {}", nearest(id, &known)),
            Some(rule) => match rule.class {
                Class::Ground => format!("`{id}` is a ground and denies nothing; {}", nearest(id, &known)),
                Class::Gate | Class::Hold => format!(
                    "gate `{id}` cannot be lifted: it has no `unless {{ context.lifted.contains(\"{id}\") }}`; remove it"
                ),
            },
        };
        self.problems.push(place.problem(id, text));
    }

    /// Every blueprint can be lifted, by its name.
    fn lifted_blueprint(&mut self, place: &Place, name: &str, blueprints: &Blueprints) {
        let known: Vec<&str> = blueprints.all().iter().map(|blueprint| blueprint.name.as_ref()).collect();
        if !known.contains(&name) {
            let text = format!("there is no blueprint `{name}`; {}", nearest(name, &known));
            self.problems.push(place.problem(name, text));
        }
    }

    /// Whoever approves is a person, and nobody that it is for.
    fn approver(&mut self, place: &Place, name: &str, spec: &ExceptionSpec, groups: &BTreeSet<Arc<str>>) {
        let approver = spec.approved_by.as_str();
        let text = match self.people.actors.get(approver) {
            None => {
                let known = nearest(approver, &self.people.names());
                format!("`{approver}`, who approved it, is not declared; {known}")
            }
            Some(person) if person.kind != ActorKind::Person => {
                format!("`{approver}` is no person; have a person approve exception `{name}`")
            }
            Some(person)
                if spec.actors.iter().any(|actor| actor == approver)
                    || groups.iter().any(|group| person.groups.contains(group)) =>
            {
                format!("`{approver}` approved what is for `{approver}`; have another person approve it")
            }
            Some(_) => return,
        };
        self.problems.push(place.problem("approvedBy:", text));
    }

    fn review(&mut self, place: &Place, what: &str, spec: &ExceptionSpec, term: &Term) -> Option<Term> {
        let text = spec.review.as_deref()?;
        let written = Written {
            from: Some(text),
            until: Some(spec.until.as_str()),
            time_zone: spec.time_zone.as_deref(),
            ..Written::default()
        };
        match written.term(what) {
            Ok(review) if review.begins_within(term) => Some(review),
            Ok(_) | Err(_) => {
                let text = format!("the review of {what} is no time before it ends; correct `review`");
                self.problems.push(place.problem("review:", text));
                None
            }
        }
    }

    pub(super) fn term(&mut self, place: &Place, what: &str, written: Written<'_>) -> Option<Term> {
        match written.term(what) {
            Ok(term) => Some(term),
            Err(fault) => {
                self.problems.push(place.problem(&fault.words, fault.text));
                None
            }
        }
    }

    pub(super) fn classes(&mut self, words: &[String], place: &Place) -> BTreeSet<Access> {
        let mut access = BTreeSet::new();
        for word in words {
            match Access::parse(word) {
                Some(class) => drop(access.insert(class)),
                None => {
                    let known = Access::ALL.map(Access::as_str);
                    let text = format!("unknown effect class `{word}`; {}", nearest(word, &known));
                    self.problems.push(place.problem(word, text));
                }
            }
        }
        access
    }

    pub(super) fn actor_kinds(&mut self, words: &[String], place: &Place) -> Vec<ActorKind> {
        let mut kinds = Vec::new();
        for word in words {
            match ActorKind::parse(word) {
                Some(kind) => kinds.push(kind),
                None => {
                    let known = nearest(word, &["person", "pipeline", "agent"]);
                    self.problems.push(place.problem(word, format!("unknown actor kind `{word}`; {known}")));
                }
            }
        }
        kinds
    }

    pub(super) fn known_actors(&mut self, actors: &[String], place: &Place) {
        for actor in actors {
            if !self.people.actors.contains_key(actor.as_str()) {
                let known: Vec<&str> = self.people.names();
                let text = format!("actor `{actor}` is not declared; {}", nearest(actor, &known));
                self.problems.push(place.problem(actor, text));
            }
        }
    }
}

/// What a document covers.
pub(super) fn covered(spec: &CoversSpec) -> Covers {
    let CoversSpec { accounts, environments, systems, owners, names } = spec;
    let words = |list: &[String]| -> BTreeSet<Arc<str>> {
        list.iter().map(|word| Arc::from(word.as_str())).collect()
    };
    Covers {
        accounts: words(accounts),
        environments: words(environments),
        systems: systems.iter().map(|system| reference(system, "system")).collect(),
        owners: owners.iter().map(|text| owner(text)).collect(),
        names: globs(names),
    }
}
