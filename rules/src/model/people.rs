//! Groups, users and actors: who acts for which team.
//!
//! Leaves out what they own. Only direct members act for a team: were membership inherited upwards, a
//! root group that owns the leftovers would make everybody the owner of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ordain_action::ActorKind;

use super::document::ReadsSpec;
use super::reference::{own, owner, reference};
use super::text::{Body, Place, Placed, nearest};
use super::{Problem, Snapshot, signing};
use crate::approval::Key;

/// What the model says about an actor.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) kind: ActorKind,
    /// The teams it acts for, and itself as `user:name`.
    pub(crate) teams: BTreeSet<Arc<str>>,
    /// Those teams and all they are part of.
    pub(crate) groups: BTreeSet<Arc<str>>,
    /// The systems it is declared to deploy.
    pub(crate) deploys: BTreeSet<Arc<str>>,
    /// It makes planned changes only.
    pub(crate) only_planned: bool,
    pub(crate) reads: Option<ReadsSpec>,
    /// What approvals of this person are signed with.
    pub(crate) keys: Vec<Key>,
    /// The people who run it.
    pub(crate) operators: BTreeSet<Arc<str>>,
}

/// What it takes for a team to approve what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quorum {
    /// How many different people.
    pub(crate) at_least: usize,
    /// Only what they signed counts.
    pub(crate) signed: bool,
}

impl Default for Quorum {
    fn default() -> Self {
        Self { at_least: 1, signed: false }
    }
}

/// Everybody the model knows.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) actors: BTreeMap<Arc<str>, Person>,
    /// Each group with all the groups it is part of.
    pub(crate) groups: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// E-mail addresses of users, to their references, for CODEOWNERS.
    pub(crate) emails: BTreeMap<String, Arc<str>>,
    users: BTreeSet<Arc<str>>,
    quorums: BTreeMap<Arc<str>, Quorum>,
}

impl Snapshot {
    /// Whether the model knows a person of that name; while there is no model it knows nobody.
    #[must_use]
    pub fn is_person(&self, name: &str) -> bool {
        let known = self.model.as_ref().and_then(|model| model.people.actors.get(name));
        known.is_some_and(|known| known.kind == ActorKind::Person)
    }
}

impl People {
    pub(crate) fn read(documents: &[Placed], problems: &mut Vec<Problem>) -> Self {
        let parents = parents(documents);
        let mut people = Self { groups: with_ancestors(&parents), ..Self::default() };
        for document in documents {
            let name = document.metadata.name.as_str();
            if let Body::Group(_) = &document.body {
                let group = owner(&own("group", document.metadata.namespace.as_deref(), name));
                people.quorum(document, &group, problems);
                if people.groups.get(&group).is_some_and(|above| above.contains(&group)) {
                    let text = format!("group `{name}` is part of itself; correct `parent` or `children`");
                    problems.push(document.place.problem("name:", text));
                }
            }
            match &document.body {
                Body::User(user) => {
                    let reference = own("user", document.metadata.namespace.as_deref(), name);
                    if let Some(email) = user.profile.get("email") {
                        people.emails.insert(email.to_lowercase(), Arc::clone(&reference));
                    }
                    people.users.insert(reference);
                    let person = (ActorKind::Person, &user.member_of, [].as_slice(), user.reads.clone());
                    people.add(document, person, problems);
                }
                Body::Actor(actor) => {
                    let Some(kind) = ActorKind::parse(&actor.kind) else {
                        let known = nearest(&actor.kind, &["person", "pipeline", "agent"]);
                        let text = format!("unknown actor kind `{}`; {known}", actor.kind);
                        problems.push(document.place.problem(&actor.kind, text));
                        continue;
                    };
                    let person = (kind, &actor.member_of, actor.deploys.as_slice(), actor.reads.clone());
                    people.add(document, person, problems);
                    if let Some(person) = people.actors.get_mut(name) {
                        person.only_planned = actor.only_planned;
                        let operators = actor.operators.iter();
                        person.operators = operators.map(|name| Arc::from(name.as_str())).collect();
                    }
                }
                Body::Component(_)
                | Body::Resource(_)
                | Body::Api(_)
                | Body::System(_)
                | Body::Domain(_)
                | Body::Group(_)
                | Body::Account(_)
                | Body::Environment(_)
                | Body::Scope(_)
                | Body::Freeze(_)
                | Body::Limits(_)
                | Body::Budget(_)
                | Body::AgentBounds(_)
                | Body::Window(_)
                | Body::Exception(_)
                | Body::BreakGlass(_)
                | Body::Change(_)
                | Body::Inventory(_)
                | Body::Ownership(_)
                | Body::Approval(_)
                | Body::Blueprint(_) => {}
            }
        }
        people.add_members(documents, problems);
        people.check_operators(documents, problems);
        signing::read(documents, &mut people.actors, problems);
        people
    }

    fn add(
        &mut self,
        document: &Placed,
        (kind, member_of, deploys, reads): (ActorKind, &Vec<String>, &[String], Option<ReadsSpec>),
        problems: &mut Vec<Problem>,
    ) {
        let name: Arc<str> = Arc::from(document.metadata.name.as_str());
        let mut teams = BTreeSet::from([own("user", document.metadata.namespace.as_deref(), &name)]);
        for team in member_of {
            teams.insert(self.group(team, &document.place, problems));
        }
        let groups = self.closure(&teams);
        let deploys = deploys.iter().map(|system| reference(system, "system")).collect();
        let (keys, operators) = (Vec::new(), BTreeSet::new());
        let person = Person { kind, teams, groups, deploys, only_planned: false, reads, keys, operators };
        if self.actors.insert(Arc::clone(&name), person).is_some() {
            let text = format!("actor `{name}` is declared twice; keep one of the documents");
            problems.push(document.place.problem("name:", text));
        }
    }

    /// What it takes for an owner to approve.
    pub(crate) fn quorum_of(&self, owner: &str) -> Quorum {
        self.quorums.get(owner).copied().unwrap_or_default()
    }

    fn quorum(&mut self, document: &Placed, group: &Arc<str>, problems: &mut Vec<Problem>) {
        let Body::Group(spec) = &document.body else { return };
        let Some(approvals) = &spec.approvals else { return };
        let at_least = approvals.at_least.unwrap_or(1);
        if at_least == 0 {
            let text =
                "`atLeast: 0` would let nobody's approval suffice; give the number of people, 1 or more";
            problems.push(document.place.problem("atLeast:", text.to_owned()));
        }
        let quorum = Quorum { at_least: at_least.max(1), signed: approvals.signed };
        self.quorums.insert(Arc::clone(group), quorum);
    }

    /// Whoever runs an actor has to be known, or leaving them out of its approvals would leave out nobody.
    fn check_operators(&self, documents: &[Placed], problems: &mut Vec<Problem>) {
        for document in documents {
            let Body::Actor(actor) = &document.body else { continue };
            for operator in &actor.operators {
                let known = self.actors.get(operator.as_str());
                if known.is_some_and(|known| known.kind == ActorKind::Person) {
                    continue;
                }
                let people = self.actors.iter().filter(|(_, known)| known.kind == ActorKind::Person);
                let people: Vec<&str> = people.map(|(name, _)| name.as_ref()).collect();
                let text = format!(
                    "operator `{operator}` is no person of the model; {}",
                    nearest(operator, &people)
                );
                problems.push(document.place.problem(operator, text));
            }
        }
    }

    /// Membership may be said by the group as well.
    fn add_members(&mut self, documents: &[Placed], problems: &mut Vec<Problem>) {
        for document in documents {
            let Body::Group(group) = &document.body else { continue };
            let team = owner(&own("group", document.metadata.namespace.as_deref(), &document.metadata.name));
            for member in &group.members {
                let wanted = reference(member, "user");
                let name = wanted.rsplit([':', '/']).next().unwrap_or_default();
                let found = self.actors.iter_mut().find(|(actor, _)| actor.to_lowercase() == name);
                let Some((_, person)) = found else {
                    let text =
                        format!("member `{member}` is not declared; add a `User` or an `Actor` of that name");
                    problems.push(document.place.problem(member, text));
                    continue;
                };
                person.teams.insert(Arc::clone(&team));
                person.groups.insert(Arc::clone(&team));
                person.groups.extend(self.groups.get(&team).into_iter().flatten().cloned());
            }
        }
    }

    /// A group that is referred to; one that is not declared is a problem.
    fn group(&self, text: &str, place: &Place, problems: &mut Vec<Problem>) -> Arc<str> {
        let group = owner(text);
        if !self.groups.contains_key(&group) {
            problems.push(place.problem(text, self.unknown_owner(text)));
        }
        group
    }

    /// The names of all actors, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.actors.keys().map(AsRef::as_ref).collect()
    }

    /// Whether somebody can act for an owner of this name.
    pub(crate) fn knows(&self, owner: &str) -> bool {
        self.groups.contains_key(owner) || self.users.contains(owner) || self.is_actor(owner)
    }

    pub(crate) fn unknown_owner(&self, text: &str) -> String {
        let known: Vec<&str> = self.groups.keys().map(AsRef::as_ref).collect();
        format!("group `{text}` is not declared; {}", nearest(&owner(text), &known))
    }

    fn is_actor(&self, owner: &str) -> bool {
        owner.strip_prefix("user:").is_some_and(|name| self.actors.contains_key(name))
    }

    fn closure(&self, teams: &BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
        let mut groups = teams.clone();
        for team in teams {
            groups.extend(self.groups.get(team).into_iter().flatten().cloned());
        }
        groups
    }
}

fn parents(documents: &[Placed]) -> BTreeMap<Arc<str>, BTreeSet<Arc<str>>> {
    let mut parents: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
    for document in documents {
        let Body::Group(group) = &document.body else { continue };
        let name = owner(&own("group", document.metadata.namespace.as_deref(), &document.metadata.name));
        let own = parents.entry(Arc::clone(&name)).or_default();
        own.extend(group.parent.iter().map(|parent| owner(parent)));
        for child in &group.children {
            parents.entry(owner(child)).or_default().insert(Arc::clone(&name));
        }
    }
    parents
}

fn with_ancestors(
    parents: &BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
) -> BTreeMap<Arc<str>, BTreeSet<Arc<str>>> {
    let mut all = BTreeMap::new();
    for group in parents.keys() {
        let mut found = BTreeSet::new();
        let mut open: Vec<Arc<str>> = vec![Arc::clone(group)];
        while let Some(next) = open.pop() {
            for parent in parents.get(&next).into_iter().flatten() {
                if found.insert(Arc::clone(parent)) {
                    open.push(Arc::clone(parent));
                }
            }
        }
        all.insert(Arc::clone(group), found);
    }
    all
}
