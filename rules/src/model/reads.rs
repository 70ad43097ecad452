//! What each actor may read, compiled once per model.
//!
//! Leaves out enforcing it (`judge.rs`). Where an actor's document says nothing, it may read the accounts
//! in which its teams own something, and of clusters the namespaces; owning nothing, it may read nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ordain_action::Plane;

use super::document::ReadsSpec;
use super::estate::{account_and_region, named_plane};
use super::people::People;
use super::text::{Body, Placed};
use crate::ReadScope;
use crate::glob::Glob;
use crate::inventory::{Inventory, Scopes};
use crate::kubernetes::{self, Name};
use crate::read_scope::Owned;

/// What each owner owns, and each system has.
type ByOwner = BTreeMap<Arc<str>, Owned>;

pub(crate) fn compile(
    people: &People,
    inventory: &Inventory,
    scopes: &Scopes,
    placed: &[Placed],
) -> HashMap<Arc<str>, ReadScope> {
    let owned = owned(inventory, scopes, placed);
    let mut reads = HashMap::new();
    for name in people.names() {
        let Some(person) = people.actors.get(name) else { continue };
        let own = || {
            let mut all = Owned::default();
            for of in person.teams.iter().chain(&person.deploys).filter_map(|owner| owned.get(owner)) {
                all.accounts.extend(of.accounts.iter().cloned());
                all.namespaces.extend(of.namespaces.iter().cloned());
            }
            all
        };
        let nothing = ReadsSpec { planes: None, accounts: None, services: None, namespaces: None };
        let ReadsSpec { planes, accounts, services, namespaces } = person.reads.clone().unwrap_or(nothing);
        reads.insert(Arc::from(name), ReadScope::new(planes, accounts, services, namespaces, own));
    }
    reads
}

fn owned(inventory: &Inventory, scopes: &Scopes, placed: &[Placed]) -> ByOwner {
    let mut owned = ByOwner::new();
    for entry in inventory.entries() {
        let plane = entry.plane.unwrap_or(Plane::Aws);
        for owner in entry.standing.owners.iter().chain(&entry.standing.system) {
            add(&mut owned, owner, (plane, &entry.account), Name::parse(&entry.name).as_ref());
        }
    }
    for scope in scopes.all() {
        for glob in &scope.names {
            let (account, _) = account_and_region(glob.as_str());
            let plane = named_plane(glob.as_str()).unwrap_or(Plane::Aws);
            for owner in scope.owners.iter().chain(&scope.system) {
                add(&mut owned, owner, (plane, &account), Name::parse(glob.as_str()).as_ref());
            }
        }
    }
    for document in placed {
        let Body::Account(spec) = &document.body else { continue };
        let plane = spec.plane.as_deref().and_then(Plane::parse).unwrap_or(Plane::Aws);
        let name = kubernetes::cluster_name(&spec.account);
        let cluster = (plane == Plane::Kubernetes).then(|| Name::parse(&name)).flatten();
        let account = Arc::from(spec.account.as_str());
        add(&mut owned, &super::reference::owner(&spec.owner), (plane, &account), cluster.as_ref());
    }
    owned
}

fn add(owned: &mut ByOwner, owner: &Arc<str>, (plane, account): (Plane, &Arc<str>), name: Option<&Name<'_>>) {
    if account.is_empty() || account.contains(['*', '?']) {
        return;
    }
    let of = owned.entry(Arc::clone(owner)).or_default();
    of.accounts.insert((plane, Arc::clone(account)));
    let Some(name) = name else { return };
    let whole = name.is_cluster() || (name.group == "*" && name.resource.is_empty());
    // Whoever owns something of a sort in all namespaces reads none of them for that.
    let namespace = if whole { Some("*") } else { name.namespace.filter(|namespace| *namespace != "*") };
    of.namespaces.extend(namespace.map(|namespace| Glob::new(&[name.cluster, "/", namespace].concat())));
}
