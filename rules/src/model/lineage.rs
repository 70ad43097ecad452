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

/// Whether something lies in what a name says it lies in: on Azure by the beginning of its id, on Google Cloud so or in a
/// project, a folder or an organization.
fn lies_in(name: &str, holder: &str) -> bool {
    let within = name.strip_prefix(holder).is_some_and(|rest| rest.starts_with('/'));
    let is_google = name.starts_with("//") && holder.starts_with("//");
    (azure::is_id(name) || is_google) && within || is_google && holder.starts_with(MANAGER)
}

/// Fills in what resources of Azure and Google Cloud do not say of themselves: what holds them says it, the nearest first.
fn inherit_from_holders(names: &[Arc<str>], owned: &mut [Standing], edges: &[Edge], scopes: &Scopes) {
    let name = |index: u32| names.get(index as usize).map_or("", AsRef::as_ref);
    let mut holders: HashMap<u32, u32> = HashMap::new();
    for edge in edges.iter().filter(|edge| edge.kind == EdgeKind::PartOf) {
        if lies_in(name(edge.dependant), name(edge.dependency)) {
            let nearest = holders.entry(edge.dependant).or_insert(edge.dependency);
            if lies_in(name(edge.dependency), name(*nearest)) {
                *nearest = edge.dependency;
            }
        }
    }
    let said = owned.to_vec();
    for (own, index) in owned.iter_mut().zip(0..) {
        let mut at = index;
        for _ in 0..DEPTH_MAX {
            let Some(holder) = holders.get(&at) else { break };
            at = *holder;
            let named = name(index);
            // A scope for a part of what holds it says more of it than that does.
            let narrower = if named.starts_with(name(at)) {
                scopes.narrower(named, name(at).len())
            } else {
                !scopes.holding(named, &[]).is_empty()
            };
            if !narrower && let Some(holder) = said.get(at as usize) {
                fill(own, holder, "what it lies in");
            }
        }
    }
}

/// Fills in what objects do not say of themselves.
pub(super) fn inherit(names: &[Arc<str>], owned: &mut [Standing], edges: &[Edge], scopes: &Scopes) {
    inherit_from_holders(names, owned, edges, scopes);
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
    if own.owners.is_empty() && !holder.owners.is_empty() {
        own.owners.clone_from(&holder.owners);
        own.owned_by = Some(Arc::from(why));
    }
    own.system = own.system.take().or_else(|| holder.system.clone());
    own.environment = own.environment.take().or_else(|| holder.environment.clone());
    own.tier = own.tier.or(holder.tier);
}
