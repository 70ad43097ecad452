//! What lies in what in a cluster, on Azure and on Google Cloud, and who owns what says nothing of it itself: whoever owns what made it, then
//! whoever owns its namespace.
//!
//! Leaves out what documents say (`estate.rs`): names and types alone tell what lies in a namespace and which
//! objects are of a custom type.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::azure;
use crate::inventory::{Edge, EdgeKind, Scopes, Standing, Until};
use crate::kubernetes::{self, Name};

/// How many makers deep an owner is looked for: a pod is of a replica set, that of a deployment, that of a release.
const DEPTH_MAX: usize = 8;

/// What the names of projects, folders and organizations begin with.
const MANAGER: &str = "//cloudresourcemanager.googleapis.com/";

/// What lies in a namespace goes when it does, and so do objects when their type does; on Azure all that has an id
/// which begins with another's, and on Google Cloud all that is in a project.
pub(super) fn containment<'d>(
    drafts: impl Iterator<Item = (&'d Arc<str>, &'d str)>,
    indices: &BTreeMap<Arc<str>, u32>,
) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (text, kind) in drafts {
        let Some(dependant) = indices.get(text) else { continue };
        // What holds the holder holds it too.
        let above = azure::holders(text).find_map(|holder| indices.get(holder));
        let above = above.or_else(|| google_holder(text, indices));
        edges.extend(above.map(|above| Edge {
            dependant: *dependant,
            kind: EdgeKind::PartOf,
            dependency: *above,
            until: Until::ALWAYS,
        }));
        let Some(name) = Name::parse(text) else { continue };
        let mut lies_in = |holder: &str| {
            let dependency = indices.get(holder).copied();
            edges.extend(dependency.map(|dependency| Edge {
                dependant: *dependant,
                kind: EdgeKind::PartOf,
                dependency,
                until: Until::ALWAYS,
            }));
        };
        if let Some(namespace) = name.holder() {
            lies_in(&namespace);
        }
        if let Some((group, plural)) = kind.split_once(':') {
            lies_in(&definition(name.cluster, group, plural));
        }
    }
    edges
}

/// What holds a resource of Google's by its full name, the nearest: what the name begins with, or else the project, folder or
/// organization that it is in.
fn google_holder<'i>(name: &str, indices: &'i BTreeMap<Arc<str>, u32>) -> Option<&'i u32> {
    let (host, path) = name.strip_prefix("//")?.split_once('/')?;
    let begins = path.rmatch_indices('/').filter_map(|(at, _)| path.get(..at));
    let within = begins
        .filter(|begun| begun.contains('/'))
        .find_map(|begun| indices.get(format!("//{host}/{begun}").as_str()));
    let in_holder = || {
        let mut segments = path.split('/');
        let (kind, id) = (segments.next()?, segments.next()?);
        segments.next()?;
        indices.get(format!("{MANAGER}{kind}/{id}").as_str())
    };
    within.or_else(in_holder)
}

/// The name of the definition of a custom type.
fn definition(cluster: &str, group: &str, plural: &str) -> String {
    let of = kubernetes::DEFINITIONS.split_once(':').unwrap_or_default();
    kubernetes::object_name(cluster, of, None, &format!("{plural}.{group}"))
}

/// Fills in what resources of Azure and Google Cloud do not say of themselves: what holds them by their names says it, the
/// nearest first, and of projects and folders what they are declared to be part of.
fn inherit_from_holders(entries: &Entries<'_>, owned: &mut [Standing], edges: &[Edge], scopes: &Scopes) {
    let Entries { names, tags } = *entries;
    let name = |index: u32| names.get(index as usize).map_or("", AsRef::as_ref);
    let tags = |index: u32| tags.get(index as usize).copied().unwrap_or_default();
    let indices: BTreeMap<Arc<str>, u32> = names.iter().cloned().zip(0..).collect();
    let above = |index: &u32| {
        let named = name(*index);
        let by_name = azure::holders(named).find_map(|holder| indices.get(holder));
        by_name.or_else(|| google_holder(named, &indices)).map(|holder| (*index, *holder))
    };
    let mut holders: HashMap<u32, u32> = (0..).zip(names).filter_map(|(index, _)| above(&index)).collect();
    let manages = |index: u32| name(index).starts_with(MANAGER);
    for edge in edges.iter().filter(|edge| edge.kind == EdgeKind::PartOf && edge.until == Until::ALWAYS) {
        if manages(edge.dependant) && manages(edge.dependency) {
            holders.entry(edge.dependant).or_insert(edge.dependency);
        }
    }
    let said = owned.to_vec();
    for (own, index) in owned.iter_mut().zip(0..) {
        let mut at = index;
        for _ in 0..DEPTH_MAX {
            let Some(holder) = holders.get(&at) else { break };
            at = *holder;
            // A scope that holds this and not what it lies in says more of it than that does.
            let of_holder = scopes.holding(name(at), tags(at));
            let mut of_own = scopes.holding(name(index), tags(index)).into_iter();
            let narrower = of_own.any(|scope| scopes.has_owners(scope) && !of_holder.contains(&scope));
            if !narrower && let Some(holder) = said.get(at as usize) {
                fill(own, holder, "what it lies in");
            }
        }
    }
}

/// Names of all entries, and their tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entries<'e> {
    pub(super) names: &'e [Arc<str>],
    pub(super) tags: &'e [&'e [(Arc<str>, Arc<str>)]],
}

/// Fills in what objects do not say of themselves.
pub(super) fn inherit(entries: &Entries<'_>, owned: &mut [Standing], edges: &[Edge], scopes: &Scopes) {
    inherit_from_holders(entries, owned, edges, scopes);
    let names = entries.names;
    let parsed = |index: u32| names.get(index as usize).and_then(|name| Name::parse(name));
    let mut makers: HashMap<u32, u32> = HashMap::new();
    let mut namespaces: HashMap<u32, u32> = HashMap::new();
    for edge in edges.iter().filter(|edge| edge.kind == EdgeKind::PartOf) {
        let (Some(_), Some(holder)) = (parsed(edge.dependant), parsed(edge.dependency)) else { continue };
        if holder.is_namespace() {
            namespaces.insert(edge.dependant, edge.dependency);
        } else if holder.kind() != kubernetes::DEFINITIONS {
            makers.entry(edge.dependant).or_insert(edge.dependency);
        }
    }
    let said = owned.to_vec();
    let get = |index: u32| said.get(index as usize);
    for ((own, name), index) in owned.iter_mut().zip(names).zip(0..) {
        let mut at = index;
        for _ in 0..DEPTH_MAX {
            let Some(maker) = makers.get(&at) else { break };
            at = *maker;
            get(at).into_iter().for_each(|maker| fill(own, maker, "what made it"));
        }
        let Some(namespace) = namespaces.get(&index) else { continue };
        let Some(of_namespace) = names.get(*namespace as usize) else { continue };
        // A scope for a part of the namespace says more of it than the namespace does.
        if !scopes.narrower_than_namespace(name, of_namespace) {
            get(*namespace).into_iter().for_each(|holder| fill(own, holder, "what it lies in"));
        }
    }
}

fn fill(own: &mut Standing, holder: &Standing, why: &str) {
    // Whoever deploys a system may change what is of it: what has other owners is of it only where it says so.
    if own.owners.is_empty() || own.owners == holder.owners {
        own.system = own.system.take().or_else(|| holder.system.clone());
    }
    if own.owners.is_empty() && !holder.owners.is_empty() {
        own.owners.clone_from(&holder.owners);
        own.owned_by = Some(Arc::from(why));
    }
    own.environment = own.environment.take().or_else(|| holder.environment.clone());
    own.tier = own.tier.or(holder.tier);
}
