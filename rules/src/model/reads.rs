//! What each actor may read, compiled once per model.
//!
//! Leaves out enforcing it (`judge.rs`). Where an actor's document says nothing, it may read the accounts
//! in which its teams own something; owning nothing, it may read nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::document::ReadsSpec;
use super::estate::account_and_region;
use super::people::People;
use super::text::{Body, Placed};
use crate::ReadScope;
use crate::inventory::{Inventory, Scopes};

pub(crate) fn compile(
    people: &People,
    inventory: &Inventory,
    scopes: &Scopes,
    placed: &[Placed],
) -> HashMap<Arc<str>, ReadScope> {
    let owned = owned_accounts(inventory, scopes, placed);
    let mut reads = HashMap::new();
    for name in people.names() {
        let Some(person) = people.actors.get(name) else { continue };
        let accounts = || -> Vec<String> {
            let teams = person.teams.iter().filter_map(|team| owned.get(team));
            let systems = person.deploys.iter().filter_map(|system| owned.get(system));
            let all: BTreeSet<&Arc<str>> = teams.chain(systems).flatten().collect();
            all.into_iter().map(ToString::to_string).collect()
        };
        let written =
            person.reads.clone().unwrap_or(ReadsSpec { planes: None, accounts: None, services: None });
        let accounts = written.accounts.unwrap_or_else(accounts);
        reads.insert(Arc::from(name), ReadScope::new(written.planes, accounts, written.services));
    }
    reads
}

/// The accounts in which each owner owns something, and each system has something.
fn owned_accounts(
    inventory: &Inventory,
    scopes: &Scopes,
    placed: &[Placed],
) -> BTreeMap<Arc<str>, BTreeSet<Arc<str>>> {
    let mut owned: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
    let mut add = |owner: &Arc<str>, account: &Arc<str>| {
        if !account.is_empty() && !account.contains(['*', '?']) {
            owned.entry(Arc::clone(owner)).or_default().insert(Arc::clone(account));
        }
    };
    for entry in inventory.entries() {
        for owner in entry.standing.owners.iter().chain(&entry.standing.system) {
            add(owner, &entry.account);
        }
    }
    for scope in scopes.all() {
        for glob in &scope.names {
            let (account, _) = account_and_region(glob.as_str());
            for owner in scope.owners.iter().chain(&scope.system) {
                add(owner, &account);
            }
        }
    }
    for document in placed {
        let Body::Account(spec) = &document.body else { continue };
        add(&super::reference::owner(&spec.owner), &Arc::from(spec.account.as_str()));
    }
    owned
}
