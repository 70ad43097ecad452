//! Lists of a cluster's objects, as `kubectl get` writes them, to an `Inventory` document: what exists, who keeps it
//! as it is, what depends on what.
//!
//! Leaves out every member but names, labels, who manages it and what it names of others; of annotations only those
//! that say who owns it go along. Owners are not decided here.

mod object;
mod relation;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ordain_catalog::ClusterKind;
use serde_json::Value;

use self::object::Object;
use self::relation::Relations;
use super::inventory::{Draft, Thing};
use super::{ImportError, Imported};
use crate::inventory::EdgeKind;
use crate::kubernetes::{guessed_plural, namespace_name, object_name};
use crate::model::{OWNER_TAGS, Source};

/// What an import is told beside the lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kubernetes<'t> {
    /// The cluster, as configuration names it.
    pub cluster: &'t str,
    /// A name for what is imported, where it is not the whole cluster; by default the cluster's.
    pub name: Option<&'t str>,
    /// Labels or annotations that say who owns an object, beside `owner` and `team`; the first that is there counts.
    pub owner_labels: &'t [String],
    /// When the lists were read.
    pub as_of: Option<Timestamp>,
}

/// Kinds that come and go by themselves, and that nobody owns.
const PASSING: [&str; 1] = ["Event"];

/// One object with its place.
#[derive(Debug)]
struct Item {
    group: String,
    resource: String,
    canonical: String,
    object: Object,
}

impl Item {
    fn namespace(&self) -> &str {
        &self.object.metadata.namespace
    }

    fn name(&self) -> &str {
        &self.object.metadata.name
    }
}

/// What kinds are called, and whether they lie in namespaces, as the lists themselves define them.
#[derive(Debug, Default)]
struct Kinds(BTreeMap<(String, String), (String, bool)>);

impl Kinds {
    fn define(&mut self, definition: &Object) {
        let text = |path: &str| definition.spec.pointer(path).and_then(Value::as_str);
        if let (Some(group), Some(kind), Some(plural)) =
            (text("/group"), text("/names/kind"), text("/names/plural"))
        {
            let namespaced = text("/scope") != Some("Cluster");
            self.0.insert((group.to_owned(), kind.to_owned()), (plural.to_owned(), namespaced));
        }
    }

    /// The group that a kind is known under and its plural, and whether its objects lie in namespaces where that is
    /// known.
    fn of<'g>(&self, group: &'g str, kind: &str) -> ((&'g str, String), Option<bool>) {
        if let Some(known) = ClusterKind::called(group, kind) {
            return ((known.group, known.resource.to_owned()), Some(known.namespaced));
        }
        match self.0.get(&(group.to_owned(), kind.to_owned())) {
            Some((plural, namespaced)) => ((group, plural.clone()), Some(*namespaced)),
            None => ((group, guessed_plural(kind)), None),
        }
    }
}

/// Reads lists and single objects.
///
/// # Errors
/// [`ImportError`] when a file is no such list, or an object in it does not say what and where it is.
pub fn kubernetes(sources: &[Source], told: Kubernetes<'_>) -> Result<Imported, ImportError> {
    let first = sources.first().map_or("", |source| source.path.as_str());
    let refused = |path: &str, text: String| ImportError { path: path.to_owned(), text };
    if told.cluster.is_empty() || told.cluster.contains(['/', '*', '?', ' ', '"']) {
        let text = format!("`{}` is no name of a cluster; give the one that configuration has", told.cluster);
        return Err(refused(first, text));
    }
    let mut kinds = Kinds::default();
    let mut read: Vec<(&Source, Vec<Object>)> = Vec::new();
    for source in sources {
        let objects = object::read(&source.text).map_err(|text| refused(&source.path, text))?;
        for object in objects.iter().filter(|object| object.kind == "CustomResourceDefinition") {
            kinds.define(object);
        }
        read.push((source, objects));
    }
    let mut left_out = Vec::new();
    let mut passing: BTreeMap<String, usize> = BTreeMap::new();
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    for (source, objects) in read {
        for (object, number) in objects.into_iter().zip(1..) {
            if PASSING.contains(&object.kind.as_str()) {
                *passing.entry(object.kind).or_default() += 1;
                continue;
            }
            let item =
                placed(object, number, &kinds, told.cluster).map_err(|text| refused(&source.path, text))?;
            // Of the same object twice, the later file says how it is.
            items.insert(item.canonical.clone(), item);
        }
    }
    if items.is_empty() {
        let text = "it holds no object; give the output of `kubectl get -o json` or `-o yaml`";
        return Err(refused(first, text.to_owned()));
    }
    add_namespaces(&mut items, told.cluster);
    let items: Vec<Item> = items.into_values().collect();
    let relations = Relations::of(&items, &kinds);
    for (kind, count) in passing {
        left_out.push(format!("{count} × `{kind}`: it comes and goes by itself"));
    }
    if relations.missing > 0 {
        let text = format!("{} × a relation to what is not in the lists; import that too", relations.missing);
        left_out.push(text);
    }
    let of = |at: usize| items.get(at).map(|item| id(item, &told).to_owned());
    let named = |(from, kind, to): &(usize, EdgeKind, usize)| Some((of(*from)?, *kind, of(*to)?));
    let draft = Draft {
        from: "kubernetes",
        name: told.name.unwrap_or(told.cluster),
        as_of: told.as_of,
        plane: "kubernetes",
        account: told.cluster,
        owner_tags: told.owner_labels,
        things: items.iter().map(|item| granting(item, &items, &relations, &told)).collect(),
        relations: relations.found().iter().filter_map(named).collect(),
        left_out,
        ..Draft::default()
    };
    let mut imported = draft.imported();
    // An object has the owner of its namespace, where that has one.
    imported.summary.unowned = unowned(&items, &told);
    Ok(imported)
}

/// Where an object is, by what it says of itself.
fn placed(object: Object, number: usize, kinds: &Kinds, cluster: &str) -> Result<Item, String> {
    const GIVE: &str = "give the output of `kubectl get -o json` or `-o yaml`";
    let metadata = &object.metadata;
    if object.kind.is_empty() || object.api_version.is_empty() {
        return Err(format!("object {number} has no `apiVersion` and `kind`; {GIVE}"));
    }
    let kind = &object.kind;
    if metadata.name.is_empty() {
        return Err(format!("object {number}, a `{kind}`, has no `metadata.name`; {GIVE}"));
    }
    if [&metadata.name, &metadata.namespace].into_iter().any(|name| name.contains('/')) {
        return Err(format!("object {number}, a `{kind}`, has a name that no object has; {GIVE}"));
    }
    let ((group, resource), namespaced) = kinds.of(object.group(), kind);
    let namespace = Some(metadata.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    match (namespaced, namespace) {
        (Some(true), None) => {
            return Err(format!("`{kind}` `{}` has no `metadata.namespace`; {GIVE}", metadata.name));
        }
        (Some(false), Some(namespace)) => {
            return Err(format!(
                "`{kind}` `{}` is in namespace `{namespace}`, and none lies in a namespace; {GIVE}",
                metadata.name
            ));
        }
        (Some(_) | None, _) => {}
    }
    let group = group.to_owned();
    let canonical = object_name(cluster, (&group, &resource), namespace, &metadata.name);
    Ok(Item { group, resource, canonical, object })
}

/// A namespace that objects lie in exists, though it is in no list.
fn add_namespaces(items: &mut BTreeMap<String, Item>, cluster: &str) {
    let named: BTreeSet<String> =
        items.values().map(|item| item.namespace().to_owned()).filter(|name| !name.is_empty()).collect();
    for name in named {
        let canonical = namespace_name(cluster, &name);
        items.entry(canonical.clone()).or_insert_with(|| {
            let mut object = Object { api_version: "v1".to_owned(), ..Object::default() };
            object.kind = "Namespace".to_owned();
            object.metadata.name = name;
            Item { group: "core".to_owned(), resource: "namespaces".to_owned(), canonical, object }
        });
    }
}

/// Who an object says owns it.
fn owner<'i>(item: &'i Item, told: &Kubernetes<'_>) -> Option<&'i str> {
    let keys = told.owner_labels.iter().map(String::as_str).chain(OWNER_TAGS);
    keys.filter_map(|key| item.object.says(key)).map(|(_, value)| value).next()
}

/// How many objects have no owner of their own, and none of their namespace.
fn unowned(items: &[Item], told: &Kubernetes<'_>) -> usize {
    let namespaces: BTreeSet<&str> = items
        .iter()
        .filter(|item| item.group == "core" && item.resource == "namespaces" && owner(item, told).is_some())
        .map(Item::name)
        .collect();
    let without = |item: &&Item| owner(item, told).is_none() && !namespaces.contains(item.namespace());
    items.iter().filter(without).count()
}

/// One object as the document has it, with what it lets its bearer act on.
fn granting(item: &Item, items: &[Item], relations: &Relations<'_>, told: &Kubernetes<'_>) -> Thing {
    let all = relations.has_all_bindings(items);
    let account = item.group == "core" && item.resource == "serviceaccounts";
    Thing {
        grants: relations.grants(item, items, told.cluster),
        grants_only: (account && all).then(BTreeSet::new),
        ..thing(item, told)
    }
}

/// One object as the document has it.
fn thing(item: &Item, told: &Kubernetes<'_>) -> Thing {
    let metadata = &item.object.metadata;
    let mut tags = BTreeMap::new();
    let keys = told.owner_labels.iter().map(String::as_str).chain(OWNER_TAGS);
    for (key, value) in keys.filter_map(|key| item.object.says(key)) {
        tags.insert(key.to_owned(), value.to_owned());
    }
    for (key, value) in metadata.labels.iter().flatten() {
        tags.insert(key.clone(), value.clone());
    }
    let known = !metadata.uid.is_empty() || !metadata.resource_version.is_empty();
    let (managers, changed) = item.object.managed();
    Thing {
        id: id(item, told).to_owned(),
        kind: format!("{}:{}", item.group, item.resource),
        name: Some(item.canonical.clone()),
        tags,
        revision: known.then(|| format!("{}@{}", metadata.resource_version, metadata.uid)),
        changed: changed.map(|changed| changed.to_string()),
        managers: managers.into_iter().map(ToString::to_string).collect(),
        ..Thing::default()
    }
}

/// The name within the cluster.
fn id<'i>(item: &'i Item, told: &Kubernetes<'_>) -> &'i str {
    let cluster = object_name(told.cluster, ("", ""), None, "");
    item.canonical
        .strip_prefix(cluster.trim_end_matches('/'))
        .unwrap_or(&item.canonical)
        .trim_start_matches('/')
}
