//! Changes as documents say them.
//!
//! Leaves out whether a request is one of their calls (`change/`).

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use ordain_action::{ActorKind, Digest};
use serde::Deserialize;

use super::build::Places;
use super::estate::plane;
use super::text::{Body, Place, Placed, nearest};
use crate::calendar::{Term, Written};
use crate::change::{Call, Change, Changes, Item, Kind, Plain, Wanted, canonical};

/// The longest that a change may be open, but for standard ones.
const OPEN_MAX: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The longest that an emergency may be.
const EMERGENCY_MAX: SignedDuration = SignedDuration::from_hours(24);

/// The most times that anything may be done.
const TIMES_MAX: u64 = 10_000;

/// What somebody wrote down to be done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ChangeSpec {
    #[serde(rename = "type")]
    kind: String,
    why: String,
    #[serde(default)]
    ticket: Option<String>,
    author: String,
    #[serde(default)]
    actors: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    from: String,
    #[serde(default)]
    until: Option<String>,
    #[serde(default)]
    lasts: Option<String>,
    #[serde(default)]
    recurs: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    /// Of an emergency: when somebody has to look at what was done.
    #[serde(default)]
    review: Option<String>,
    #[serde(default = "once")]
    uses: u64,
    /// What it was read from, and which version of that.
    #[serde(default, rename = "source")]
    _source: Option<String>,
    #[serde(default, rename = "revision")]
    _revision: Option<String>,
    #[serde(default)]
    plane: Option<String>,
    account: String,
    #[serde(default)]
    region: String,
    items: Vec<ItemSpec>,
    /// Of the whole body; put in by whoever reads the document.
    #[serde(skip)]
    pub(super) body: Option<Plain>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ItemSpec {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    identifiers: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    calls: Vec<CallSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CallSpec {
    operation: String,
    #[serde(default)]
    creates: bool,
    #[serde(default)]
    reads: bool,
    #[serde(default)]
    partial: bool,
    #[serde(default)]
    takes: Option<Plain>,
    #[serde(default)]
    must: Vec<String>,
    #[serde(default = "once")]
    times: u64,
}

const fn once() -> u64 {
    1
}

/// What an approval of a change is given for.
fn digest(name: &str, body: &Plain) -> Digest {
    let mut text = format!("ordain change v1\n{name}\n");
    canonical(&body.0, &mut text);
    Digest::of(text.as_bytes())
}

impl Places<'_> {
    pub(super) fn changes(&mut self, placed: &[Placed]) -> Changes {
        let mut changes: Vec<Change> = Vec::new();
        for document in placed {
            let Body::Change(spec) = &document.body else { continue };
            let name = &document.metadata.name;
            if changes.iter().any(|change| *change.name == **name) {
                let text = format!("change `{name}` is declared twice; give each its own name");
                self.problems.push(document.place.problem("name:", text));
            }
            changes.extend(self.change(&document.place, name, spec));
        }
        Changes::new(changes)
    }

    fn change(&mut self, place: &Place, name: &str, spec: &ChangeSpec) -> Option<Change> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == spec.kind);
        if kind.is_none() {
            let known = nearest(&spec.kind, &Kind::ALL.map(Kind::as_str));
            self.problems
                .push(place.problem("type:", format!("unknown type of change `{}`; {known}", spec.kind)));
        }
        let kind = kind?;
        self.known_actors(&spec.actors, place);
        let groups =
            spec.groups.iter().filter_map(|group| self.owners(Some(group), place).into_iter().next());
        let groups: BTreeSet<Arc<str>> = groups.collect();
        self.author(place, name, &spec.author);
        let term = self.change_term(place, name, kind, spec)?;
        let review = self.change_review(place, name, kind, spec);
        let mut wrong = |words: &str, text: String| self.problems.push(place.problem(words, text));
        if spec.actors.is_empty() && groups.is_empty() {
            wrong("spec:", format!("change `{name}` is for nobody to carry out; name `actors` or `groups`"));
        }
        if spec.why.trim().is_empty() {
            wrong("why:", format!("change `{name}` does not say why; say it in `why`"));
        }
        if spec.items.is_empty() {
            wrong("items:", format!("change `{name}` changes nothing; list what it does in `items`"));
        }
        if spec.uses == 0 || spec.uses > TIMES_MAX {
            wrong("uses:", format!("change `{name}` has `uses: {}`; give it 1 to {TIMES_MAX}", spec.uses));
        }
        if kind != Kind::Standard && spec.uses != 1 {
            let text = format!(
                "change `{name}` is `{}` and is carried out once; make it `standard`, or take `uses` away",
                spec.kind
            );
            wrong("uses:", text);
        }
        let plane = plane(spec.plane.as_deref(), place, self.problems)?;
        let items = self.items(place, name, &spec.items);
        Some(Change {
            name: Arc::from(name),
            digest: digest(name, spec.body.as_ref()?),
            kind,
            why: spec.why.clone(),
            ticket: spec.ticket.clone(),
            author: Arc::from(spec.author.as_str()),
            actors: spec.actors.iter().map(|actor| Arc::from(actor.as_str())).collect(),
            groups,
            term,
            review,
            uses: spec.uses,
            plane,
            account: Arc::from(spec.account.as_str()),
            region: Arc::from(spec.region.as_str()),
            items,
        })
    }

    fn author(&mut self, place: &Place, name: &str, author: &str) {
        let text = match self.people.actors.get(author) {
            Some(person) if person.kind == ActorKind::Person => return,
            Some(_) => {
                format!("`{author}`, who wrote change `{name}`, is no person; name one who answers for it")
            }
            None => {
                let known = nearest(author, &self.people.names());
                format!("`{author}`, who wrote change `{name}`, is not declared; {known}")
            }
        };
        self.problems.push(place.problem("author:", text));
    }

    fn change_term(&mut self, place: &Place, name: &str, kind: Kind, spec: &ChangeSpec) -> Option<Term> {
        let what = format!("change `{name}`");
        let written = Written {
            from: Some(spec.from.as_str()),
            until: spec.until.as_deref(),
            lasts: spec.lasts.as_deref(),
            recurs: spec.recurs.as_deref(),
            time_zone: spec.time_zone.as_deref(),
            also: &spec.also,
            except: &spec.except,
        };
        let term = self.term(place, &what, written)?;
        let longest = match kind {
            Kind::Standard => return Some(term),
            Kind::Normal => OPEN_MAX,
            Kind::Emergency => EMERGENCY_MAX,
        };
        if term.is_longer_than(longest) {
            let hours = longest.as_hours();
            let text = format!(
                "{what} is `{}` and open for more than {hours} hours; give it an earlier `until`",
                spec.kind
            );
            self.problems.push(place.problem("until:", text));
        }
        Some(term)
    }

    fn change_review(&mut self, place: &Place, name: &str, kind: Kind, spec: &ChangeSpec) -> Option<Term> {
        let text = match (&spec.review, kind) {
            (None, Kind::Standard | Kind::Normal) => return None,
            (None, Kind::Emergency) => {
                format!(
                    "change `{name}` is an emergency; say in `review` when somebody looks at what was done"
                )
            }
            (Some(_), Kind::Standard | Kind::Normal) => {
                format!("change `{name}` is no emergency; take `review` away")
            }
            (Some(review), Kind::Emergency) => {
                let from = Some(review.as_str());
                // It is due until the change is taken away.
                let until = Some("9999-12-30T00:00:00Z");
                let written =
                    Written { from, until, time_zone: spec.time_zone.as_deref(), ..Written::default() };
                return self.term(place, &format!("the review of change `{name}`"), written);
            }
        };
        self.problems.push(place.problem("review:", text));
        None
    }

    fn items(&mut self, place: &Place, name: &str, specs: &[ItemSpec]) -> Vec<Item> {
        for spec in
            specs.iter().filter(|spec| spec.name.iter().chain(&spec.identifiers).any(String::is_empty))
        {
            let text = format!(
                "item `{}` is known by an empty text, which every text has in it; remove it",
                spec.id
            );
            self.problems.push(place.problem(&spec.id, text));
        }
        let mut items: Vec<Item> = Vec::with_capacity(specs.len());
        let mut ids: BTreeSet<&str> = BTreeSet::new();
        for spec in specs {
            if !ids.insert(&spec.id) {
                let text = format!("change `{name}` has two items `{}`; give each its own id", spec.id);
                self.problems.push(place.problem(&spec.id, text));
            }
            items.push(Item {
                id: Arc::from(spec.id.as_str()),
                kind: Arc::from(spec.kind.as_str()),
                action: spec.action.clone(),
                name: spec.name.as_deref().map(Arc::from),
                identifiers: spec.identifiers.iter().map(|one| Arc::from(one.as_str())).collect(),
                notes: spec.notes.clone(),
                calls: spec.calls.iter().filter_map(|call| self.call(place, &spec.id, call)).collect(),
            });
        }
        for item in &items {
            for other in item.calls.iter().flat_map(|call| call.takes.items()) {
                if !ids.contains(&**other) {
                    let known: Vec<&str> = ids.iter().copied().collect();
                    let text = format!(
                        "item `{}` refers to `{other}`, which is no item of the change; {}",
                        item.id,
                        nearest(other, &known)
                    );
                    self.problems.push(place.problem(other, text));
                }
            }
        }
        items
    }

    fn call(&mut self, place: &Place, item: &str, spec: &CallSpec) -> Option<Call> {
        let operation = &spec.operation;
        let mut wrong = |words: &str, text: String| self.problems.push(place.problem(words, text));
        if !operation.contains(':') || operation.contains(['*', '?']) {
            let text =
                format!("`{operation}` of item `{item}` is no operation; write it as `service:Operation`");
            wrong(operation, text);
        }
        if spec.times == 0 || spec.times > TIMES_MAX {
            wrong(
                "times:",
                format!(
                    "`{operation}` of item `{item}` has `times: {}`; give it 1 to {TIMES_MAX}",
                    spec.times
                ),
            );
        }
        let takes = spec.takes.as_ref().map_or(Ok(Wanted::Empty), |Plain(value)| Wanted::read(value));
        let takes = match takes {
            Ok(takes @ (Wanted::Map(_) | Wanted::Empty)) => takes,
            Ok(_) => {
                wrong(
                    operation,
                    format!("`takes` of `{operation}` of item `{item}` is no map of parameters; correct it"),
                );
                return None;
            }
            Err(text) => {
                wrong(operation, format!("in `takes` of `{operation}` of item `{item}`: {text}"));
                return None;
            }
        };
        let paths = spec.must.iter().map(|path| path.split('.').map(Arc::from).collect::<Vec<Arc<str>>>());
        // Of an element of a list all has to be there: a path into one is a path to the list.
        let mut must: Vec<Vec<Arc<str>>> = paths.map(|path| takes.to_list(path)).collect();
        must.dedup();
        for path in must.iter().filter(|path| takes.get(path).is_none()) {
            let path = path.join(".");
            wrong(
                &path,
                format!(
                    "`{path}` has to be in `{operation}` of item `{item}`, and `takes` has no such parameter; add it there"
                ),
            );
        }
        Some(Call {
            operation: Arc::from(operation.as_str()),
            creates: spec.creates,
            reads: spec.reads,
            partial: spec.partial,
            takes,
            must,
            times: spec.times,
        })
    }
}
