//! The intent model as one immutable snapshot: what exists, who owns it, which rules apply.
//!
//! Leaves out judging by it (`judge.rs`).

mod blueprints;
mod budgets;
mod build;
mod changes;
mod circumstances;
mod document;
mod draft;
mod estate;
mod glass;
mod hosting;
mod identity;
mod lineage;
mod ownership;
mod people;
mod reads;
mod reference;
mod signing;
mod text;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ordain_action::{Access, Actor, ActorKind, Digest, Plane};

use crate::approval::Approvals;
use crate::blueprint::{BlueprintFact, Blueprints};
use crate::budget::{Budget, BudgetFigures};
use crate::calendar::Term;
use crate::change::Changes;
use crate::glob::Glob;
use crate::inventory::{Inventory, Provenance, Scopes, Standing};
use crate::limits::AllLimits;
use crate::policy::{self, Rules};
use crate::slice::Kept;
use crate::{LiveInventory, Mode, Modes, ReadScope, kubernetes, read_scope};

pub(crate) use build::digest;
pub(crate) use document::CoversSpec;
pub(crate) use estate::{OWNER_TAGS, account_and_region};
pub(crate) use people::{People, Person};
pub(crate) use text::{Body, Placed, split};
pub use text::{nearest, without_change, without_freeze, yaml_problem};

/// One file of the model directory: its path within it, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path within the model directory, for messages; its ending says what the file holds.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Something wrong with a model, so that it was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{path}:{line}: {text}")]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong and what to do.
    pub text: String,
}

/// Something in a loaded model that does not fit together; what it means for a decision is said too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file or the resource it is about.
    pub source: String,
    /// What does not fit and what to do.
    pub text: String,
}

/// One version of the model, with the modes and the live inventory in force. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Snapshot {
    model: Option<Arc<Model>>,
    modes: Modes,
    live: LiveInventory,
}

/// What was read from the model's files.
#[derive(Debug)]
pub(crate) struct Model {
    digest: Digest,
    pub(crate) people: People,
    reads: HashMap<Arc<str>, ReadScope>,
    pub(crate) inventory: Inventory,
    pub(crate) scopes: Scopes,
    pub(crate) freezes: Vec<Freeze>,
    pub(crate) windows: Vec<Window>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) changes: Changes,
    pub(crate) approvals: Approvals,
    pub(crate) limits: AllLimits,
    pub(crate) bounds: Vec<Bounds>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) blueprints: Blueprints,
    pub(crate) rules: Rules,
    pub(crate) kept: Kept,
    findings: Vec<Finding>,
    /// Keys of tags, in lower case, that say who owns a resource or which scope it is in.
    pub(crate) ownership_tags: BTreeSet<String>,
}

/// A time in which nothing it covers changes.
#[derive(Debug)]
pub(crate) struct Freeze {
    pub(crate) name: Arc<str>,
    pub(crate) term: Term,
    pub(crate) why: String,
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) covers: Covers,
}

/// Times outside which nothing it covers changes.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) name: Arc<str>,
    pub(crate) term: Term,
    pub(crate) why: String,
    pub(crate) owner: Option<Arc<str>>,
    /// The effect classes that wait for it.
    pub(crate) access: Option<BTreeSet<Access>>,
    /// The kinds of actors that wait for it.
    pub(crate) actor_kinds: Option<Vec<ActorKind>>,
    pub(crate) covers: Covers,
}

/// What lifts gates for somebody, for a time.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) name: Arc<str>,
    pub(crate) term: Term,
    pub(crate) why: String,
    pub(crate) owner: Arc<str>,
    pub(crate) approved_by: Arc<str>,
    /// In force from when somebody has to look whether it is still needed.
    pub(crate) review: Option<Term>,
    /// Ids of rules.
    pub(crate) lifts: BTreeSet<Arc<str>>,
    pub(crate) actors: BTreeSet<Arc<str>>,
    pub(crate) groups: BTreeSet<Arc<str>>,
    pub(crate) access: Option<BTreeSet<Access>>,
    pub(crate) operations: Option<Vec<Glob>>,
    pub(crate) covers: Covers,
    /// It is a person's own, in an emergency.
    pub(crate) glass: Option<Glass>,
}

/// What there is of break-glass beside an exception.
#[derive(Debug)]
pub(crate) struct Glass {
    /// Who looked at what was done.
    pub(crate) reviewed_by: Option<Arc<str>>,
}

/// What something holds for: whatever lies in any of these, or everything when all are empty.
#[derive(Debug)]
pub(crate) struct Covers {
    pub(crate) accounts: BTreeSet<Arc<str>>,
    pub(crate) environments: BTreeSet<Arc<str>>,
    pub(crate) systems: BTreeSet<Arc<str>>,
    pub(crate) owners: BTreeSet<Arc<str>>,
    pub(crate) names: Vec<Glob>,
}

/// What an agent may do beyond the ordinary.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) name: Arc<str>,
    pub(crate) actors: BTreeSet<Arc<str>>,
    pub(crate) access: BTreeSet<Access>,
    pub(crate) operations: Option<Vec<Glob>>,
    pub(crate) names: Vec<Glob>,
    pub(crate) term: Term,
}

/// One thing that the model says exists.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'s> {
    /// The canonical name, or the entity reference of what is on no plane.
    pub name: &'s str,
    /// The type.
    pub kind: &'s str,
    /// The plane, where it is on one.
    pub plane: Option<Plane>,
    /// The account, where it is in one.
    pub account: &'s str,
    /// The region, where it is in one.
    pub region: &'s str,
    /// What it is known by beside its name.
    pub identifiers: &'s [Arc<str>],
    /// Its tags.
    pub tags: &'s [(Arc<str>, Arc<str>)],
    /// The scopes it lies in, the most specific first.
    pub scopes: &'s [Arc<str>],
    /// Who owns it.
    pub owners: &'s [Arc<str>],
    /// Where that is said.
    pub owned_by: Option<&'s str>,
    /// The system it belongs to.
    pub system: Option<&'s str>,
    /// The environment it is in.
    pub environment: Option<&'s str>,
    /// How critical it is.
    pub tier: Option<&'s str>,
    /// Where the fact comes from.
    pub provenance: Option<&'s Provenance>,
}

/// How one thing that the model says exists depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation<'s> {
    /// The dependant.
    pub from: &'s str,
    /// How: the word that documents have for it.
    pub kind: &'static str,
    /// What it depends on.
    pub to: &'s str,
}

/// One rule that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleFact<'s> {
    /// Its id, which reasons name.
    pub id: &'s str,
    /// `ground`, why a change may be, or `gate`, each of which alone denies; `blueprint`, which denies too.
    pub class: &'static str,
    /// The file it stands in.
    pub path: &'s str,
    /// The line.
    pub line: usize,
}

/// What a model holds, in figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Everything that exists, resources and catalogue entities alike.
    pub entries: usize,
    /// Relations among them.
    pub relations: usize,
    /// Entries without an owner.
    pub unowned: usize,
    /// Actors, users included.
    pub actors: usize,
    /// Groups.
    pub groups: usize,
    /// Rules, built in ones included.
    pub rules: usize,
    /// How many entries each source brought, by source.
    pub sources: BTreeMap<Arc<str>, usize>,
}

impl Snapshot {
    /// No model: changes are denied in enforce mode, and pass recorded in the others.
    #[must_use]
    pub fn empty(modes: Modes) -> Self {
        Self { model: None, modes, live: LiveInventory::new() }
    }

    /// Reads a model from the files of its directory: `.yaml` and `.yml` documents, `.cedar` rules.
    /// No file is no model.
    ///
    /// # Errors
    /// Every problem found, sorted by path and line; nothing is loaded then.
    pub fn load(sources: &[Source], modes: Modes) -> Result<Self, Vec<Problem>> {
        if sources.is_empty() {
            return Ok(Self::empty(modes));
        }
        let model = build::build(sources)?;
        Ok(Self { model: Some(Arc::new(model)), modes, live: LiveInventory::new() })
    }

    /// The same model with another live inventory.
    #[must_use]
    pub fn with_live(&self, live: &LiveInventory) -> Self {
        Self { live: live.clone(), ..self.clone() }
    }

    /// The same model with other modes.
    #[must_use]
    pub fn with_modes(&self, modes: Modes) -> Self {
        Self { modes, ..self.clone() }
    }

    /// A model was loaded.
    #[must_use]
    pub const fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// The digest of the model's documents; of nothing when there is none.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.model.as_ref().map_or_else(|| Digest::of(b""), |model| model.digest)
    }

    /// The digest of the rules, built in ones included; of nothing when there is no model.
    #[must_use]
    pub fn rules_digest(&self) -> Digest {
        self.model.as_ref().map_or_else(|| Digest::of(b""), |model| model.rules.digest())
    }

    /// The digest of the schema that the rules are written against.
    #[must_use]
    pub fn schema_digest(&self) -> Digest {
        policy::schema_digest()
    }

    /// The modes that configuration set.
    #[must_use]
    pub const fn modes(&self) -> &Modes {
        &self.modes
    }

    /// The live inventory in force; its sequence number belongs in the record of a decision.
    #[must_use]
    pub const fn live(&self) -> &LiveInventory {
        &self.live
    }

    /// Everything the model says exists, by name.
    pub fn inventory(&self) -> impl Iterator<Item = Fact<'_>> {
        let inventory = self.model.as_ref().map(|model| &model.inventory);
        inventory.into_iter().flat_map(|inventory| inventory.in_order().map(|entry| inventory.fact(entry)))
    }

    /// Everything that a text is a name or an identifier of, by name.
    pub fn known_as<'s>(&'s self, text: &str) -> Vec<Fact<'s>> {
        let name = self.canonical(text);
        let known = |fact: &Fact<'_>| {
            *fact.name == *name || fact.identifiers.iter().any(|identifier| **identifier == *text)
        };
        self.inventory().filter(known).collect()
    }

    /// How things depend on each other, in order; what was observed and has faded too.
    #[must_use]
    pub fn relations(&self) -> Vec<Relation<'_>> {
        let Some(model) = &self.model else { return Vec::new() };
        let inventory = &model.inventory;
        let mut relations = Vec::with_capacity(inventory.graph.edges());
        for (entry, index) in inventory.entries().iter().zip(0..) {
            for one in inventory.graph.dependants(index) {
                let Some(dependant) = inventory.get(one.entry) else { continue };
                relations.push(Relation { from: &dependant.name, kind: one.kind.as_str(), to: &entry.name });
            }
        }
        relations.sort();
        relations
    }

    /// The rules in force, built in ones included, by id; then blueprints, by name.
    pub fn rules(&self) -> impl Iterator<Item = RuleFact<'_>> {
        let rules = self.model.as_ref().map_or(&[][..], |model| model.rules.all());
        let rules = rules.iter().map(|rule| {
            let (path, line) = rule.place();
            RuleFact { id: &rule.id, class: rule.class.as_str(), path, line }
        });
        let blueprints = self.model.as_ref().map_or(&[][..], |model| model.blueprints.all());
        rules.chain(blueprints.iter().map(|blueprint| {
            let (path, line) = &blueprint.place;
            RuleFact { id: &blueprint.id, class: "blueprint", path, line: *line }
        }))
    }

    /// What does not fit together in the model, sorted.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.model.as_ref().map_or(&[], |model| &model.findings)
    }

    /// What the model holds, in figures.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let Some(model) = &self.model else { return Summary::default() };
        let inventory = &model.inventory;
        let mut sources: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for entry in inventory.entries() {
            if let Some(provenance) = inventory.provenances.get(entry.provenance as usize) {
                *sources.entry(Arc::clone(&provenance.source)).or_default() += 1;
            }
        }
        Summary {
            entries: inventory.entries().len(),
            relations: inventory.graph.edges(),
            unowned: inventory.entries().iter().filter(|entry| entry.standing.owners.is_empty()).count(),
            actors: model.people.actors.len(),
            groups: model.people.groups.len(),
            rules: model.rules.all().len(),
            sources,
        }
    }

    /// The budgets, by name.
    pub fn budgets(&self) -> impl Iterator<Item = BudgetFigures> {
        self.model.iter().flat_map(|model| model.budgets.iter().map(BudgetFigures::from))
    }

    /// The blueprints, by name.
    pub fn blueprints(&self) -> impl Iterator<Item = BlueprintFact> {
        self.model.iter().flat_map(|model| model.blueprints.all().iter().map(BlueprintFact::from))
    }

    /// What an actor may read: what the model says of it; everything its credential is bound to while
    /// there is no model.
    #[must_use]
    pub fn read_scope(&self, actor: &Actor) -> &ReadScope {
        self.read_scope_of(&actor.party.name)
    }

    pub(crate) fn read_scope_of(&self, name: &str) -> &ReadScope {
        match &self.model {
            None => &read_scope::EVERYTHING,
            Some(model) => model.reads.get(name).unwrap_or(&read_scope::NOTHING),
        }
    }

    /// A name in the one spelling that the model knows it by.
    pub(crate) fn canonical<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.model.as_ref().map_or(Cow::Borrowed(name), |model| model.inventory.canonical(name))
    }

    pub(crate) fn model(&self) -> Option<&Arc<Model>> {
        self.model.as_ref()
    }

    /// The mode where what is touched cannot be told: the strictest there is.
    pub(crate) fn strictest_mode(&self, actor: &Actor) -> Mode {
        let of_model = self.model.as_ref().and_then(|model| model.scopes.strictest());
        of_model.unwrap_or(Mode::Shadow).max(self.modes.of(&actor.upstream))
    }
}

impl Covers {
    /// Nothing is named, so that everything is covered.
    pub(crate) fn is_everything(&self) -> bool {
        let Self { accounts, environments, systems, owners, names } = self;
        accounts.is_empty()
            && environments.is_empty()
            && systems.is_empty()
            && owners.is_empty()
            && names.is_empty()
    }

    /// How many ways there are to be covered.
    pub(crate) fn fields(&self) -> usize {
        let Self { accounts, environments, systems, owners, names } = self;
        let empty = [
            accounts.is_empty(),
            environments.is_empty(),
            systems.is_empty(),
            owners.is_empty(),
            names.is_empty(),
        ];
        empty.into_iter().filter(|is_empty| !is_empty).count()
    }

    /// Whether something of this name and standing is covered.
    pub(crate) fn hold(&self, name: &str, account: &str, standing: &Standing) -> bool {
        let Self { accounts, environments, systems, owners, names } = self;
        self.is_everything()
            || accounts.contains(account)
            || standing.environment.as_ref().is_some_and(|environment| environments.contains(environment))
            || standing.system.as_ref().is_some_and(|system| systems.contains(system))
            || standing.owners.iter().any(|owner| owners.contains(owner))
            || names.iter().any(|glob| glob.matches(name))
            // What covers a namespace or a cluster covers all that lies there.
            || kubernetes::holders(name).iter().any(|holder| names.iter().any(|glob| glob.matches(holder)))
    }
}
