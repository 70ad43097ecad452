//! Stacks of CloudFormation to an `Inventory` document: each stack, what it made, and what of that refers to what.
//!
//! Leaves out parameters and outputs of stacks, which may be secret, and what a template has beside references.

mod answer;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::answer::{Answers, GIVE, Stack, StackResource};
use self::template::Template;
use super::aws::{self, LeftOut, Place, Words};
use super::inventory::{Draft, Relation, Thing};
use super::{ImportError, Imported};
use crate::inventory::EdgeKind;
use crate::model::Source;

/// What an import is told beside the stacks.
#[derive(Debug, Clone, Copy, Default)]
pub struct CloudFormation<'t> {
    /// A name for what is imported, for example `shop`; by default that of the one stack, or the account.
    pub name: Option<&'t str>,
    /// When the stacks were read.
    pub as_of: Option<Timestamp>,
}

/// The type of a stack, as a resource of another and as requests have it.
const NESTED: &str = "AWS::CloudFormation::Stack";
const STACK: &str = "cloudformation:stack";

/// The type of a resource that somebody's own code makes, where it has no name of its own.
const CUSTOM: &str = "AWS::CloudFormation::CustomResource";

/// The state of what is not there any more.
const DELETED: &str = "DELETE_COMPLETE";

/// Reads stacks, their resources and templates, in any mixture.
///
/// # Errors
/// [`ImportError`] when a file is none of these, when there is no stack that exists, or when resources do not say of
/// which stack they are and there is more than one.
pub fn cloudformation(sources: &[Source], told: CloudFormation<'_>) -> Result<Imported, ImportError> {
    let first = sources.first().map_or("", |source| source.path.as_str());
    let mut left_out = LeftOut::default();
    let estate = Estate::of(Answers::read(sources)?, &mut left_out)?;
    if estate.stacks.is_empty() {
        let text = format!("it holds no stack that exists; {GIVE}");
        return Err(ImportError { path: first.to_owned(), text });
    }
    let account = aws::most(estate.stacks.keys().filter_map(|id| Place::of(id)).map(|place| place.account));
    let words = Words::new();
    let mut things: Vec<Thing> = estate
        .stacks
        .values()
        .map(|stack| stack_thing(stack, &estate.called(&stack.stack_id), account))
        .collect();
    for (key, resource) in estate.own_resources() {
        things.push(resource_thing(key, resource, &estate, &words, account));
    }
    let relations = estate.relations(&things);
    let mut left_out = left_out.sentences();
    left_out.extend(estate.unused_templates());
    let default = match estate.stacks.values().next() {
        Some(stack) if estate.stacks.len() == 1 => stack.stack_name.as_str(),
        Some(_) | None if account.is_empty() => first,
        Some(_) | None => account,
    };
    let draft = Draft {
        from: "cloudformation",
        name: told.name.unwrap_or(default),
        as_of: told.as_of,
        plane: "aws",
        account,
        things,
        relations,
        left_out,
        ..Draft::default()
    };
    Ok(draft.imported())
}

/// The stack that a resource is of, and its logical id there.
type Key = (String, String);

/// Every stack that exists by its id, with what is in it.
#[derive(Debug, Default)]
struct Estate {
    stacks: BTreeMap<String, Stack>,
    resources: BTreeMap<Key, StackResource>,
    templates: Vec<Template>,
    /// What each stack is called within the document.
    called: BTreeMap<String, String>,
    /// Places of the templates that each stack may be made of.
    made_of: BTreeMap<String, Vec<usize>>,
}

impl Estate {
    fn of(answers: Answers, left_out: &mut LeftOut) -> Result<Self, ImportError> {
        let mut estate = Self { templates: answers.templates, ..Self::default() };
        let is_deleted = |stack: &Stack| stack.stack_status.as_deref() == Some(DELETED);
        let (deleted, stacks): (Vec<Stack>, Vec<Stack>) = answers.stacks.into_iter().partition(is_deleted);
        let deleted: BTreeSet<String> = deleted.into_iter().map(|stack| stack.stack_id).collect();
        deleted.iter().for_each(|_| left_out.count(format!("a stack in state `{DELETED}`")));
        let stacks = stacks.into_iter().filter(|stack| !stack.stack_id.is_empty());
        estate.stacks.extend(stacks.map(|stack| (stack.stack_id.clone(), stack)));
        for resource in answers.resources {
            match resource.stack_id.clone() {
                None => left_out.count("a resource that does not say its stack"),
                Some(id) if deleted.contains(&id) => {
                    left_out.count(format!("a resource of a stack in state `{DELETED}`"));
                }
                Some(id) => {
                    estate.stacks.entry(id.clone()).or_insert_with(|| Stack::of(&id, &resource));
                    estate.add(id, resource, left_out);
                }
            }
        }
        for (path, resources) in answers.summaries {
            let stack_id = estate.only_stack().map_err(|text| ImportError { path, text })?;
            for resource in resources {
                estate.add(stack_id.clone(), resource, left_out);
            }
        }
        estate.called = called(&estate.stacks);
        estate.made_of = made_of(&estate.resources, &estate.templates);
        Ok(estate)
    }

    fn only_stack(&self) -> Result<String, String> {
        match self.stacks.keys().collect::<Vec<_>>().as_slice() {
            [id] => Ok((*id).clone()),
            [] => {
                Err("it does not say its stack; give the output of `describe-stacks` for that stack with it"
                    .to_owned())
            }
            several => Err(format!(
                "it does not say its stack, and {} stacks are given; give the output of `describe-stack-resources` \
                 instead, or import one stack at a time",
                several.len()
            )),
        }
    }

    fn add(&mut self, stack_id: String, resource: StackResource, left_out: &mut LeftOut) {
        let there = resource.physical_resource_id.as_deref().is_some_and(|id| !id.is_empty());
        if resource.resource_status.as_deref() == Some(DELETED) {
            left_out.count(format!("a resource in state `{DELETED}`"));
        } else if !there || resource.logical_resource_id.is_empty() || resource.resource_type.is_empty() {
            left_out.count("a resource without a physical id, which was not made");
        } else {
            let key = (stack_id, resource.logical_resource_id.clone());
            let later = |known: &StackResource| aws::time(&known.timestamp) <= aws::time(&resource.timestamp);
            if self.resources.get(&key).is_none_or(later) {
                self.resources.insert(key, resource);
            }
        }
    }

    fn called(&self, stack_id: &str) -> String {
        self.called.get(stack_id).map_or(stack_id, String::as_str).to_owned()
    }

    /// What a resource is called within the document; a nested stack that is given is itself.
    fn resource_called(&self, key: &Key) -> String {
        let physical = self.resources.get(key).filter(|resource| resource.resource_type == NESTED);
        let nested = physical
            .and_then(|resource| self.stacks.get_key_value(resource.physical_resource_id.as_deref()?));
        let own = || format!("{}/{}", self.called(&key.0), key.1);
        nested.map_or_else(own, |(id, _)| self.called(id))
    }

    /// Resources that are no stacks which are given themselves.
    fn own_resources(&self) -> impl Iterator<Item = (&Key, &StackResource)> {
        let is_given = |resource: &StackResource| {
            let id = resource.physical_resource_id.as_deref().unwrap_or_default();
            resource.resource_type == NESTED && self.stacks.contains_key(id)
        };
        self.resources.iter().filter(move |(_, resource)| !is_given(resource))
    }

    /// Templates that a stack may be made of: several, where they declare the same.
    fn templates_of(&self, stack_id: &str) -> impl Iterator<Item = &Template> {
        self.made_of.get(stack_id).into_iter().flatten().filter_map(|at| self.templates.get(*at))
    }

    fn unused_templates(&self) -> Vec<String> {
        let used: BTreeSet<usize> = self.made_of.values().flatten().copied().collect();
        let sentence = |template: &Template| {
            format!(
                "`{}`: no stack that is given has the resources it declares; give `describe-stack-resources` of its \
                 stack, and of a template with a transform what `get-template --template-stage Processed` prints",
                template.path
            )
        };
        let unused = self.templates.iter().zip(0..).filter(|(_, at)| !used.contains(at));
        unused.map(|(template, _)| sentence(template)).collect()
    }

    fn relations(&self, things: &[Thing]) -> BTreeSet<Relation> {
        let kinds: BTreeMap<&str, &str> =
            things.iter().map(|thing| (thing.id.as_str(), thing.kind.as_str())).collect();
        let refers = |(own, other)| refers(own, other, &kinds);
        let named: BTreeMap<&str, &str> =
            things.iter().filter_map(|thing| Some((thing.name.as_deref()?, thing.id.as_str()))).collect();
        let runs = |stack: &Stack| {
            let role = named.get(stack.role_arn.as_deref()?)?;
            Some((self.called(&stack.stack_id), EdgeKind::RunsAs, (*role).to_owned()))
        };
        let parts = self.parts().map(|(part, whole)| (part, EdgeKind::PartOf, whole));
        let roles = self.stacks.values().filter_map(runs);
        parts.chain(roles).chain(self.references().filter_map(refers)).collect()
    }

    /// What lies in which stack.
    fn parts(&self) -> impl Iterator<Item = (String, String)> {
        let resources = self.resources.keys().map(|key| (self.resource_called(key), self.called(&key.0)));
        let given = |id: &&str| self.stacks.contains_key(*id);
        let nested = self.stacks.values().filter_map(move |stack| {
            let parent = stack.parent_id.as_deref().filter(given)?;
            Some((self.called(&stack.stack_id), self.called(parent)))
        });
        resources.chain(nested).filter(|(part, whole)| part != whole)
    }

    /// Which resource of a stack refers to which, where both exist.
    fn references(&self) -> impl Iterator<Item = (String, String)> {
        self.stacks.keys().flat_map(move |stack_id| {
            let called = move |name: &str| {
                let key = (stack_id.clone(), name.to_owned());
                self.resources.contains_key(&key).then(|| self.resource_called(&key))
            };
            let references = self.templates_of(stack_id).flat_map(Template::references);
            references.filter_map(move |(name, other)| called(name).zip(called(other)))
        })
    }
}

/// What stacks are called within the document: by their names, where no other has the same.
fn called(stacks: &BTreeMap<String, Stack>) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for stack in stacks.values() {
        *counts.entry(&stack.stack_name).or_default() += 1;
    }
    let alone = |stack: &Stack| {
        !stack.stack_name.is_empty() && counts.get(stack.stack_name.as_str()).is_some_and(|count| *count == 1)
    };
    let name = |stack: &Stack| if alone(stack) { stack.stack_name.clone() } else { stack.stack_id.clone() };
    stacks.iter().map(|(id, stack)| (id.clone(), name(stack))).collect()
}

/// A template does not say its stack: a stack may be made of each that declares all there is in it.
fn made_of(resources: &BTreeMap<Key, StackResource>, templates: &[Template]) -> BTreeMap<String, Vec<usize>> {
    let mut made: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for ((stack_id, name), resource) in resources {
        made.entry(stack_id).or_default().push((name, &resource.resource_type));
    }
    let fits = |made: &[(&str, &str)]| -> Vec<usize> {
        let fit = templates.iter().zip(0..).filter(|(template, _)| template.declares(made));
        fit.map(|(_, at)| at).collect()
    };
    made.into_iter().map(|(stack_id, made)| (stack_id.to_owned(), fits(&made))).collect()
}

/// The relation of one that refers to another; nothing refers to itself.
fn refers(own: String, other: String, kinds: &BTreeMap<&str, &str>) -> Option<Relation> {
    let (own_kind, other_kind) = (*kinds.get(own.as_str())?, *kinds.get(other.as_str())?);
    if own == other {
        return None;
    }
    // What refers to a stack takes something that it made, and does not lie in it.
    if own_kind == STACK || other_kind == STACK {
        return Some((own, EdgeKind::DependsOn, other));
    }
    if aws::first_depends(own_kind, other_kind).unwrap_or(true) {
        Some((own, aws::relation(own_kind, other_kind), other))
    } else {
        Some((other, aws::relation(other_kind, own_kind), own))
    }
}

fn stack_thing(stack: &Stack, called: &str, account: &str) -> Thing {
    let place = Place::of(&stack.stack_id);
    let changed = aws::time(&stack.last_updated_time).or_else(|| aws::time(&stack.creation_time));
    Thing {
        id: called.to_owned(),
        kind: STACK.to_owned(),
        name: Some(stack.stack_id.clone()),
        identifiers: Some(stack.stack_name.clone()).filter(|name| !name.is_empty()).into_iter().collect(),
        account: place.map(|place| place.account.to_owned()).filter(|own| own != account),
        region: place.map(|place| place.region.to_owned()),
        tags: aws::tags(&stack.tags),
        changed: changed.map(|time| time.to_string()),
        ..Thing::default()
    }
}

fn resource_thing(
    key: &Key,
    resource: &StackResource,
    estate: &Estate,
    words: &Words,
    account: &str,
) -> Thing {
    let physical = resource.physical_resource_id.as_deref().unwrap_or_default();
    let place = Place::of(&key.0);
    let in_folder = estate.templates_of(&key.0).any(|template| template.in_folder(&key.1));
    let named = || {
        place.filter(|_| !in_folder).and_then(|place| words.name(&resource.resource_type, physical, &place))
    };
    let whole = Some(physical).filter(|physical| physical.starts_with("arn:"));
    let name = whole.map(aws::canonical).or_else(named);
    let kind = words.kind(&resource.resource_type);
    // No request knows what a custom resource calls itself, and it may call itself anything, a secret too.
    let is_custom = resource.resource_type.starts_with("Custom::") || resource.resource_type == CUSTOM;
    let identifiers =
        Some(physical.to_owned()).filter(|physical| !is_custom && Some(physical) != name.as_ref());
    Thing {
        id: estate.resource_called(key),
        identifiers: identifiers.into_iter().collect(),
        account: place.map(|place| place.account.to_owned()).filter(|own| own != account),
        region: aws::region(&kind, name.as_deref(), place.map(|place| place.region)),
        // The plane gives the tags of a stack to what it makes, where that can have tags.
        tags: estate.stacks.get(&key.0).map(|stack| aws::tags(&stack.tags)).unwrap_or_default(),
        changed: aws::time(&resource.timestamp).map(|time| time.to_string()),
        kind,
        name,
        ..Thing::default()
    }
}
