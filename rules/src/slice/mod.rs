//! What one rule evaluation sees: a handful of entities and figures, never the estate.
//!
//! Leaves out which rules are asked. The slice is total: every entity that a rule may follow a reference
//! to is in it with all it lies in, since one that is missing makes `in` silently false.

mod kept;

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use ordain_action::{Access, Effect, Leaf, Party, Scalar};

use crate::facts::{Facts, is_position};
use crate::model::{Model, Person};
use crate::policy::{Answer, Asked, word};
use crate::resolve::{Known, Site};

pub(crate) use kept::Kept;
use kept::{Inputs, Subject};

/// The most owners of one resource; more are not judged.
pub(crate) const OWNERS_MAX: usize = 12;

/// Everything one evaluation is about.
#[derive(Debug)]
pub(crate) struct Question<'q> {
    pub(crate) model: &'q Model,
    pub(crate) party: &'q Party,
    pub(crate) person: &'q Person,
    pub(crate) effect: &'q Effect,
    pub(crate) access: Access,
    pub(crate) region: &'q str,
    pub(crate) site: &'q Site,
    pub(crate) facts: &'q Facts,
    pub(crate) proven: bool,
    pub(crate) on_behalf_of: bool,
    pub(crate) acts_for_owner: bool,
    pub(crate) deploys: bool,
    pub(crate) declared: bool,
    /// The change that it carries out.
    pub(crate) change: Option<Arc<str>>,
    /// Every owner of the resource has approved that.
    pub(crate) approved: bool,
    /// The actor makes planned changes only, and this is none that is approved.
    pub(crate) unplanned: bool,
    pub(crate) frozen: Vec<Arc<str>>,
    /// Windows that it would have to be in.
    pub(crate) outside: Vec<Arc<str>>,
    /// Ids of the gates that are lifted.
    pub(crate) lifted: Vec<Arc<str>>,
    pub(crate) reach: Figures,
    /// Some rule asks for the parameters themselves.
    pub(crate) with_parameters: bool,
}

/// The blast radius in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Figures {
    pub(crate) known: bool,
    pub(crate) targets: u64,
    pub(crate) dependants: u64,
    pub(crate) owners_crossed: u64,
    pub(crate) irreversible: u64,
}

/// The names of the schema's entity types.
struct Types {
    action: EntityTypeName,
    actor: EntityTypeName,
    group: EntityTypeName,
    system: EntityTypeName,
    account: EntityTypeName,
    environment: EntityTypeName,
    scope: EntityTypeName,
    service: EntityTypeName,
    operation: EntityTypeName,
    resource: EntityTypeName,
    parameters: EntityTypeName,
}

static TYPES: LazyLock<Result<Types, String>> = LazyLock::new(|| {
    let name = |text: &str| EntityTypeName::from_str(text).map_err(|error| error.to_string());
    Ok(Types {
        action: name("Action")?,
        actor: name("Actor")?,
        group: name("Group")?,
        system: name("System")?,
        account: name("Account")?,
        environment: name("Environment")?,
        scope: name("Scope")?,
        service: name("Service")?,
        operation: name("Operation")?,
        resource: name("Resource")?,
        parameters: name("Parameters")?,
    })
});

fn types() -> Result<&'static Types, String> {
    TYPES.as_ref().map_err(Clone::clone)
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

impl Question<'_> {
    /// What the rules say: what they said to the same question before, or `ask`ed now.
    ///
    /// # Errors
    /// What `ask` says.
    pub(crate) fn answer<E>(
        &mut self,
        ask: impl FnOnce(&mut Self) -> Result<Answer, E>,
    ) -> Result<Arc<Answer>, E> {
        let inputs = Inputs::of(self);
        if let Some(said) = self.model.kept.answer(&inputs) {
            return Ok(said);
        }
        let answer = Arc::new(ask(self)?);
        // Parameters are not among the inputs, so that what was said of some is kept for no others.
        if !self.with_parameters {
            self.model.kept.keep(inputs, &answer);
        }
        Ok(answer)
    }

    /// Every entity that a rule's first words could name, to find the rules that may have a say.
    pub(crate) fn asked(&self) -> Result<Asked, String> {
        let types = types()?;
        let mut principal = vec![uid(&types.actor, &self.party.name)];
        principal.extend(self.person.groups.iter().map(|group| uid(&types.group, group)));
        let mut resource = self.holders(types);
        resource.push(uid(&types.resource, &self.site.name));
        let operation =
            vec![uid(&types.operation, &self.operation()), uid(&types.service, &self.effect.service)];
        Ok(Asked { principal, resource, operation, so: self.so() })
    }

    /// What is so, in the words of the index.
    fn so(&self) -> Vec<String> {
        let flags = [
            ("watched", self.facts.watched),
            ("acts_for_owner", self.acts_for_owner),
            ("deploys", self.deploys),
            ("declared", self.declared),
            ("approved", self.approved),
            ("unplanned", self.unplanned),
            ("frozen", !self.frozen.is_empty()),
            ("outside", !self.outside.is_empty()),
        ];
        let mut so: Vec<String> =
            flags.into_iter().filter(|(_, so)| *so).map(|(flag, _)| word(flag, "")).collect();
        so.push(word("kind", self.party.kind.as_str()));
        so.extend(self.facts.exposes.iter().map(|member| word("exposes", member)));
        so.extend(self.facts.grants.iter().map(|member| word("grants", member)));
        so.extend(self.facts.escapes.iter().map(|member| word("escapes", member)));
        so
    }

    /// The request and the entities it is evaluated over.
    pub(crate) fn slice(&self) -> Result<(Request, Arc<Entities>), String> {
        let types = types()?;
        let entities = if self.with_parameters {
            Arc::new(self.entities(types)?)
        } else {
            self.model.kept.slice(Subject::of(self), || self.entities(types))?
        };
        let context = Context::from_pairs(self.context(types)).map_err(|error| error.to_string())?;
        let request = Request::new(
            uid(&types.actor, &self.party.name),
            uid(&types.action, self.access.as_str()),
            uid(&types.resource, &self.site.name),
            context,
            None,
        );
        Ok((request.map_err(|error| error.to_string())?, entities))
    }

    fn entities(&self, types: &Types) -> Result<Entities, String> {
        let mut entities = vec![
            self.principal(types)?,
            self.resource(types)?,
            self.operation_entity(types),
            self.parameters(types)?,
            // Without it no effect class would be in `change`, and every gate on all changes be silent.
            Entity::new_no_attrs(
                uid(&types.action, self.access.as_str()),
                HashSet::from([uid(&types.action, "change")]),
            ),
        ];
        for owner in &self.site.standing.owners {
            let groups = self.model.people.groups.get(owner).into_iter().flatten();
            let ancestors = groups.map(|group| uid(&types.group, group)).collect();
            entities.push(Entity::new_no_attrs(uid(&types.group, owner), ancestors));
        }
        // Each names all it lies in, so that the closure need not be found anew: to add to nothing asks for less of
        // it than to begin with them.
        Entities::empty().add_entities(entities, None).map_err(|error| error.to_string())
    }

    fn operation(&self) -> String {
        format!("{}:{}", self.effect.service, self.effect.operation)
    }

    fn principal(&self, types: &Types) -> Result<Entity, String> {
        let attributes = HashMap::from([
            ("name".to_owned(), text(&self.party.name)),
            ("kind".to_owned(), text(self.party.kind.as_str())),
            ("deploys".to_owned(), references(&types.system, &self.person.deploys)),
        ]);
        let groups = self.person.groups.iter().map(|group| uid(&types.group, group)).collect();
        Entity::new(uid(&types.actor, &self.party.name), attributes, groups)
            .map_err(|error| error.to_string())
    }

    fn resource(&self, types: &Types) -> Result<Entity, String> {
        let Site { standing, .. } = self.site;
        if standing.owners.len() > OWNERS_MAX {
            return Err(format!("`{}` has more owners than can be judged", self.site.name));
        }
        let mut attributes = HashMap::from([
            ("name".to_owned(), text(&self.site.name)),
            ("kind".to_owned(), text(&self.site.kind)),
            ("account".to_owned(), text(&self.site.account)),
            ("region".to_owned(), text(&self.site.region)),
            ("known".to_owned(), RestrictedExpression::new_bool(self.site.is_known())),
            ("owners".to_owned(), references(&types.group, &standing.owners)),
        ]);
        if let Some(environment) = &standing.environment {
            attributes.insert("environment".to_owned(), text(environment));
        }
        if let Some(tier) = standing.tier {
            attributes.insert("tier".to_owned(), text(tier.as_str()));
        }
        let entry = match self.site.known {
            Known::Entry(index) => self.model.inventory.get(index),
            Known::Live(_) | Known::Account | Known::No => None,
        };
        let tags = entry.map(|entry| entry.tags.as_slice()).unwrap_or_default();
        let tags = tags.iter().map(|(key, value)| (key.to_string(), text(value)));
        let holders: HashSet<EntityUid> = self.holders(types).into_iter().collect();
        Entity::new_with_tags(uid(&types.resource, &self.site.name), attributes, holders, tags)
            .map_err(|error| error.to_string())
    }

    /// What the resource lies in.
    fn holders(&self, types: &Types) -> Vec<EntityUid> {
        let standing = &self.site.standing;
        let mut holders = vec![uid(&types.account, &self.site.account)];
        holders.extend(standing.system.iter().map(|system| uid(&types.system, system)));
        holders.extend(standing.environment.iter().map(|name| uid(&types.environment, name)));
        holders.extend(standing.scopes.iter().map(|scope| uid(&types.scope, scope)));
        holders
    }

    fn operation_entity(&self, types: &Types) -> Entity {
        let service = HashSet::from([uid(&types.service, &self.effect.service)]);
        Entity::new_no_attrs(uid(&types.operation, &self.operation()), service)
    }

    fn parameters(&self, types: &Types) -> Result<Entity, String> {
        let mut values: HashMap<String, Vec<RestrictedExpression>> = HashMap::new();
        if self.with_parameters {
            for leaf in self.effect.parameters.iter() {
                values.entry(without_positions(leaf.path)).or_default().push(value(&leaf));
            }
        }
        let tags = values.into_iter().map(|(path, values)| (path, RestrictedExpression::new_set(values)));
        Entity::new_with_tags(uid(&types.parameters, "of the request"), [], [], tags)
            .map_err(|error| error.to_string())
    }

    fn context(&self, types: &Types) -> Vec<(String, RestrictedExpression)> {
        let flag = RestrictedExpression::new_bool;
        let entity = RestrictedExpression::new_entity_uid;
        let reach = [
            ("known".to_owned(), flag(self.reach.known)),
            ("targets".to_owned(), figure(self.reach.targets)),
            ("dependants".to_owned(), figure(self.reach.dependants)),
            ("owners_crossed".to_owned(), figure(self.reach.owners_crossed)),
            ("irreversible".to_owned(), figure(self.reach.irreversible)),
        ];
        // The pairs are all different and the record's keys too, so that neither can be refused.
        let reach = RestrictedExpression::new_record(reach)
            .unwrap_or_else(|_| RestrictedExpression::new_string(String::new()));
        vec![
            ("operation".to_owned(), entity(uid(&types.operation, &self.operation()))),
            ("level".to_owned(), text(self.effect.level.as_str())),
            ("region".to_owned(), text(self.region)),
            ("proven".to_owned(), flag(self.proven)),
            ("on_behalf_of".to_owned(), flag(self.on_behalf_of)),
            ("acts_for_owner".to_owned(), flag(self.acts_for_owner)),
            ("deploys".to_owned(), flag(self.deploys)),
            ("declared".to_owned(), flag(self.declared)),
            ("change".to_owned(), text(self.change.as_deref().unwrap_or_default())),
            ("approved".to_owned(), flag(self.approved)),
            ("unplanned".to_owned(), flag(self.unplanned)),
            ("complete".to_owned(), flag(self.facts.complete)),
            ("watched".to_owned(), flag(self.facts.watched)),
            ("exposes".to_owned(), words(self.facts.exposes.iter().copied())),
            ("grants".to_owned(), words(self.facts.grants.iter().copied())),
            ("escapes".to_owned(), words(self.facts.escapes.iter().copied())),
            ("frozen".to_owned(), words(self.frozen.iter().map(AsRef::as_ref))),
            ("outside".to_owned(), words(self.outside.iter().map(AsRef::as_ref))),
            ("lifted".to_owned(), words(self.lifted.iter().map(AsRef::as_ref))),
            ("reach".to_owned(), reach),
            ("parameters".to_owned(), entity(uid(&types.parameters, "of the request"))),
        ]
    }
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn words<'w>(all: impl Iterator<Item = &'w str>) -> RestrictedExpression {
    RestrictedExpression::new_set(all.map(text))
}

fn references<'r>(
    kind: &EntityTypeName,
    all: impl IntoIterator<Item = &'r Arc<str>>,
) -> RestrictedExpression {
    RestrictedExpression::new_set(
        all.into_iter().map(|name| RestrictedExpression::new_entity_uid(uid(kind, name))),
    )
}

/// A figure that fits Cedar's numbers, clamped so that arithmetic on it cannot fail.
fn figure(number: u64) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::from(u32::try_from(number).unwrap_or(u32::MAX)))
}

/// `IpPermissions.IpRanges.CidrIp` of `IpPermissions.1.IpRanges.1.CidrIp`.
fn without_positions(path: &str) -> String {
    path.split('.').filter(|part| !is_position(part)).collect::<Vec<_>>().join(".")
}

fn value(leaf: &Leaf<'_>) -> RestrictedExpression {
    match leaf.value {
        Scalar::Text(value) | Scalar::Number(value) | Scalar::Token(value) => text(value),
        Scalar::Bool(true) => text("true"),
        Scalar::Bool(false) => text("false"),
        Scalar::Null | Scalar::Empty => text(""),
    }
}

#[cfg(test)]
mod totality;
