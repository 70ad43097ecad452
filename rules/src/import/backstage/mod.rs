//! Catalogues of Backstage to documents of the same kinds that the model takes: files as they lie in source trees, and
//! what the catalogue's API answers.
//!
//! Leaves out every member that the model has no place for, and every annotation but the one that names an ARN:
//! definitions of APIs, labels, links, and what Backstage itself adds. Names are written as Backstage reads them: one
//! without a namespace means the namespace of the entity that says it.

mod kind;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::kind::{KINDS, Kind, Shape, reference};
use super::{ImportError, ImportSummary, Imported, entity_name, flow};
use crate::model::{Source, account_and_region};

/// What an import is told beside the catalogue.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backstage<'t> {
    /// A name for what is imported, for example `shop`; by default the first file's path.
    pub name: Option<&'t str>,
    /// Users come along, and who is a member of which group: whoever may edit the catalogue says then who acts for whom.
    pub people: bool,
}

const GIVE: &str = "give a `catalog-info.yaml` or the answer of `/api/catalog/entities`";

const VERSIONS: [&str; 3] = ["backstage.io/v1alpha1", "backstage.io/v1beta1", "ordain/v1"];

/// An entity as it is written into the model.
#[derive(Debug)]
struct Entity {
    word: &'static str,
    /// `kind:name`, with the namespace only where it is not the default one.
    reference: String,
    version: String,
    metadata: Map<String, Value>,
    spec: Map<String, Value>,
}

/// What was gathered from all files.
#[derive(Debug, Default)]
struct Catalogue {
    /// By word of the kind and reference.
    entities: BTreeMap<(&'static str, String), Entity>,
    /// Kinds that are not taken, and how often they stand there.
    others: BTreeMap<String, usize>,
    /// Owners as the model names them, and how many entities they own.
    owners: BTreeMap<String, usize>,
    teams: BTreeSet<String>,
    /// Names that users have in any namespace: the model knows an actor by the name alone.
    user_names: BTreeMap<String, String>,
    relations: usize,
    left_out: Vec<String>,
}

/// Reads catalogues.
///
/// # Errors
/// [`ImportError`] when a file is no catalogue, or none holds an entity that the model takes.
pub fn backstage(sources: &[Source], told: Backstage<'_>) -> Result<Imported, ImportError> {
    let (mut catalogue, mut users) = (Catalogue::default(), 0);
    for source in sources {
        let refused = |text: String| ImportError { path: source.path.clone(), text };
        let (mut entities, more) = read(&source.text).map_err(refused)?;
        for entity in &mut entities {
            if told.people || !without_people(entity) {
                catalogue.add(entity).map_err(refused)?;
            } else {
                users += 1;
            }
        }
        if more {
            let text = format!("`{}` is one page of an answer; import the pages after it too", source.path);
            catalogue.left_out.push(text);
        }
    }
    let first = sources.first().map_or("", |source| source.path.as_str());
    if catalogue.entities.is_empty() {
        let text = format!("it holds no entity of a kind that the model takes; {GIVE}");
        return Err(ImportError { path: first.to_owned(), text });
    }
    if users > 0 {
        let text = "who acts for whom is not taken from a catalogue unless that is asked for";
        catalogue.left_out.push(format!("{users} × `User`: {text}"));
    }
    Ok(catalogue.imported(told.name.unwrap_or(first)))
}

/// Takes the members out of a group; whether it is a user.
fn without_people(entity: &mut Value) -> bool {
    if let Some(spec) = entity.pointer_mut("/spec").and_then(Value::as_object_mut) {
        spec.remove("members");
    }
    entity.get("kind").and_then(Value::as_str) == Some("User")
}

/// All entities of a file, and whether the answer they came in has more pages.
fn read(text: &str) -> Result<(Vec<Value>, bool), String> {
    let mut entities = Vec::new();
    let mut more = false;
    if text.trim_start().starts_with(['{', '[']) {
        for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            match value.map_err(|error| format!("it is not an answer that can be read: {error}; {GIVE}"))? {
                Value::Array(items) => entities.extend(items),
                Value::Object(mut answer) if !answer.contains_key("kind") => {
                    more |= answer
                        .get("pageInfo")
                        .is_some_and(|page| page.get("nextCursor").is_some_and(Value::is_string));
                    let Some(Value::Array(items)) = answer.remove("items") else {
                        return Err(format!("it holds no entities; {GIVE}"));
                    };
                    entities.extend(items);
                }
                entity @ Value::Object(_) => entities.push(entity),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    return Err(format!("it holds no entities; {GIVE}"));
                }
            }
        }
        return Ok((entities, more));
    }
    for (line, text) in crate::model::split(text) {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            continue;
        }
        let entity = yaml_serde::from_str::<Value>(text).map_err(|error| {
            format!("the document at line {line} is not one that can be read: {error}; {GIVE}")
        })?;
        entities.push(entity);
    }
    Ok((entities, more))
}

impl Catalogue {
    /// Takes an entity as it was read.
    fn add(&mut self, written: &Value) -> Result<(), String> {
        // An answer for references has nothing in the place of those that do not exist.
        if written.is_null() {
            return Ok(());
        }
        let text = |path: &str| written.pointer(path).and_then(Value::as_str);
        let (Some(version), Some(word)) = (text("/apiVersion"), text("/kind")) else {
            return Err(format!("it holds something without `apiVersion` and `kind`; {GIVE}"));
        };
        let kind = KINDS.iter().find(|kind| kind.word == word).filter(|_| VERSIONS.contains(&version));
        let Some(kind) = kind else {
            let is_ours = KINDS.iter().any(|kind| kind.word == word);
            let other = if is_ours { format!("`{word}` of `{version}`") } else { format!("`{word}`") };
            *self.others.entry(other).or_default() += 1;
            return Ok(());
        };
        let name = text("/metadata/name").unwrap_or_default();
        let namespace = text("/metadata/namespace").unwrap_or("default");
        if [name, namespace].into_iter().any(|name| name.is_empty() || entity_name(name) != name) {
            return Err(format!("it holds a `{word}` whose `metadata` gives no name that can be; {GIVE}"));
        }
        let reference = reference(name, &kind.word.to_lowercase(), namespace);
        if self.is_known(kind, name, &reference) {
            return Ok(());
        }
        if let Some(missing) = kind.required.iter().find(|key| text(&format!("/spec/{key}")).is_none()) {
            self.left_out.push(format!("`{reference}` has no `spec.{missing}`; add it in the catalogue"));
            return Ok(());
        }
        let Some(spec) = self.spec(kind, written, namespace, &reference) else { return Ok(()) };
        if kind.word == "User" {
            self.user_names.insert(name.to_lowercase(), reference.clone());
        }
        let metadata = metadata(written, name, namespace);
        let version = version.to_owned();
        let entity = Entity { word: kind.word, reference: reference.clone(), version, metadata, spec };
        self.entities.insert((kind.word, reference), entity);
        Ok(())
    }

    /// Whether an entity is there already; the first of two counts.
    fn is_known(&mut self, kind: &Kind, name: &str, reference: &str) -> bool {
        if self.entities.contains_key(&(kind.word, reference.to_owned())) {
            self.left_out.push(format!("`{reference}` is there twice, and the first counts; remove one"));
            return true;
        }
        let namesake = self.user_names.get(&name.to_lowercase()).filter(|_| kind.word == "User");
        if let Some(other) = namesake {
            let text = format!(
                "`{reference}` has the name of `{other}`, and an actor is known by it alone; rename one"
            );
            self.left_out.push(text);
            return true;
        }
        false
    }

    /// What the model knows of a specification; nothing where the owner is none that can be.
    fn spec(
        &mut self,
        kind: &Kind,
        written: &Value,
        namespace: &str,
        of: &str,
    ) -> Option<Map<String, Value>> {
        let mut spec = Map::new();
        for (key, shape) in kind.members {
            let value = written.get("spec").and_then(|spec| spec.get(key)).filter(|value| !value.is_null());
            let Some(value) = value else { continue };
            let read = shape.read(value, namespace);
            match (read, shape) {
                (Some(kept), _) => {
                    self.note(*shape, &kept);
                    spec.insert((*key).to_owned(), kept);
                }
                (None, Shape::Owner) => {
                    let text = format!(
                        "`{of}` has an owner that is no group and no user; correct it in the catalogue"
                    );
                    self.left_out.push(text);
                    return None;
                }
                (None, _) => {
                    let text =
                        format!("`spec.{key}` of `{of}` {}; correct it in the catalogue", shape.is_not());
                    self.left_out.push(text);
                }
            }
        }
        Some(spec)
    }

    /// Remembers what a member names.
    fn note(&mut self, shape: Shape, kept: &Value) {
        let texts = || kept.as_array().into_iter().flatten().filter_map(Value::as_str);
        match shape {
            Shape::Owner => {
                let owner = kept.as_str().unwrap_or_default().to_owned();
                *self.owners.entry(owner).or_default() += 1;
            }
            Shape::Teams => self.teams.extend(texts().map(str::to_owned)),
            // What belongs to a system is no relation to the model, and what a group is part of is none either.
            Shape::Reference("system" | "group") | Shape::References("group") => {}
            Shape::Reference(_) => self.relations += 1,
            Shape::References(_) => self.relations += texts().count(),
            Shape::Text
            | Shape::Texts
            | Shape::TextMap
            | Shape::Members
            | Shape::Tier
            | Shape::Plane
            | Shape::Profile => {}
        }
    }

    fn imported(mut self, name: &str) -> Imported {
        for (kind, count) in &self.others {
            self.left_out.push(format!("{count} × {kind}: not a kind that the model takes from a catalogue"));
        }
        self.keep_known_members();
        let facts = self.entities.len();
        let owners = self.declare_owners();
        let mut lines = vec!["# Imported: change the source and import again.".to_owned()];
        for (entity, number) in self.entities.values().zip(0..) {
            if number > 0 {
                lines.push("---".to_owned());
            }
            lines.push(format!("apiVersion: {}", entity.version));
            lines.push(format!("kind: {}", entity.word));
            lines.push(format!("metadata: {}", flow(&json!(entity.metadata))));
            lines.push(format!("spec: {}", flow(&json!(entity.spec))));
        }
        lines.push(String::new());
        let summary = ImportSummary {
            facts,
            relations: self.relations,
            unowned: 0,
            owners,
            accounts: self.entities.values().filter_map(account).collect(),
            left_out: self.left_out,
        };
        Imported { file: format!("backstage-{}.yaml", entity_name(name)), text: lines.join("\n"), summary }
    }

    /// A member that nobody declares would keep the model from loading, and one of the same name in another namespace
    /// would be taken for it.
    fn keep_known_members(&mut self) {
        let users: BTreeSet<String> =
            self.entities.keys().filter(|(word, _)| *word == "User").map(|(_, user)| user.clone()).collect();
        for group in self.entities.values_mut().filter(|entity| entity.word == "Group") {
            let Some(Value::Array(members)) = group.spec.get_mut("members") else { continue };
            members.retain(|member| {
                let member = member.as_str().unwrap_or_default();
                let known = users.contains(&format!("user:{member}"));
                if !known {
                    self.left_out.push(format!(
                        "`{member}` is a member of `{}` and no `User` of these files; import that too, or declare it \
                         with `memberOf`",
                        group.reference
                    ));
                }
                known
            });
        }
    }

    /// Owners and teams that no file declares. The model does not load without them, so groups among them are declared
    /// here, without members: nobody acts for such a one. A group may be declared in several files, a user in one.
    fn declare_owners(&mut self) -> BTreeSet<String> {
        let mut undeclared = BTreeSet::new();
        let teams = self.teams.iter().map(|team| (team, None));
        let named: BTreeMap<&String, Option<usize>> =
            teams.chain(self.owners.iter().map(|(owner, count)| (owner, Some(*count)))).collect();
        for (owner, owns) in named {
            if let Some(user) = owner.strip_prefix("user:") {
                if !self.entities.contains_key(&("User", owner.clone())) {
                    undeclared.insert(owner.clone());
                    let count = owns.unwrap_or_default();
                    self.left_out.push(format!(
                        "`{owner}` owns {count} of these entities and is no `User` of these files; declare a `User` or \
                         an `Actor` named `{user}`, or the model does not load"
                    ));
                }
                continue;
            }
            let reference = format!("group:{owner}");
            if self.entities.contains_key(&("Group", reference.clone())) {
                continue;
            }
            undeclared.insert(owner.clone());
            let (namespace, name) = owner.split_once('/').unwrap_or(("default", owner));
            let named = if owns.is_some() { "an owner" } else { "a team" };
            let description = format!("Named as {named}, declared nowhere");
            let mut metadata = metadata(&Value::Null, name, namespace);
            metadata.insert("description".to_owned(), Value::from(description));
            let spec = Map::from_iter([("type".to_owned(), Value::from("team"))]);
            let version = "backstage.io/v1alpha1".to_owned();
            let group = Entity { word: "Group", reference: reference.clone(), version, metadata, spec };
            self.entities.insert(("Group", reference), group);
        }
        undeclared
    }
}

/// What the model keeps of an entity's metadata.
fn metadata(written: &Value, name: &str, namespace: &str) -> Map<String, Value> {
    let mut kept = Map::from_iter([("name".to_owned(), Value::from(name))]);
    if !namespace.eq_ignore_ascii_case("default") {
        kept.insert("namespace".to_owned(), Value::from(namespace));
    }
    let metadata = written.get("metadata");
    let text = |key: &str| metadata.and_then(|metadata| metadata.get(key)).filter(|value| value.is_string());
    for key in ["title", "description"] {
        kept.extend(text(key).map(|value| (key.to_owned(), value.clone())));
    }
    let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
    let arn =
        annotations.and_then(|annotations| annotations.get("amazonaws.com/arn")).and_then(Value::as_str);
    kept.extend(arn.map(|arn| ("annotations".to_owned(), json!({"amazonaws.com/arn": arn}))));
    kept
}

/// The account that a resource is in.
fn account(entity: &Entity) -> Option<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let annotated = || entity.metadata.get("annotations").and_then(|all| all.get("amazonaws.com/arn"));
    let of_name = || {
        let name = text(entity.spec.get("name").or_else(annotated))?;
        Some(account_and_region(&name).0.to_string())
    };
    text(entity.spec.get("account")).or_else(of_name).filter(|account| !account.is_empty())
}
