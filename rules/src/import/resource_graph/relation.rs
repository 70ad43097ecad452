//! What depends on what by what the properties of resources mention.
//!
//! Leaves out what lies in what: ids say so by themselves, and the model draws it. Properties are compared and never
//! kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::row::Row;
use crate::azure;
use crate::import::inventory::{Relation, Thing};
use crate::import::mention::{Pairs, Says, visit};

/// Members that list, or name, what depends on the resource itself.
const DEPENDANTS: [&str; 21] = [
    "applicationGatewayIPConfigurations",
    "applicationGateways",
    "availabilitySets",
    "childPolicies",
    "firewalls",
    "flowLogs",
    "ipConfiguration",
    "ipConfigurationProfiles",
    "ipConfigurations",
    "managedBy",
    "managedByExtended",
    "networkInterfaceIPConfiguration",
    "networkInterfaces",
    "subnets",
    "virtualHubs",
    "virtualMachine",
    "virtualMachineScaleSets",
    "virtualMachines",
    "virtualMachinesAssociated",
    "virtualNetworks",
    "vpnSites",
];

/// Members under which all that is mentioned depends on the resource.
const DEPENDANTS_UNDER: [&str; 3] =
    ["privateEndpointConnections", "resourceNavigationLinks", "serviceAssociationLinks"];

/// The same with one type alone; elsewhere the member names what is depended on.
const DEPENDANTS_OF: [(&str, &str); 2] = [
    ("azure:microsoft.network/publicipaddresses", "natGateway"),
    ("azure:microsoft.network/publicipprefixes", "publicIPAddresses"),
];

/// What a machine is made of stands under this member, by the same words that elsewhere list dependants.
const PARTS: &str = "networkProfile";

/// What was found of a set of rows.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) relations: BTreeSet<Relation>,
    /// Mentions of what is not among the rows.
    pub(super) missing: usize,
    /// Pairs that mention each other, and of which nothing says more.
    pub(super) undecided: usize,
}

/// The relations among things, which stand in the order of their rows.
pub(super) fn relations(things: &[Thing], rows: &BTreeMap<String, Row>) -> Found {
    let known = Known::of(rows);
    let mut pairs = Pairs::default();
    let mut missing: BTreeSet<(usize, String)> = BTreeSet::new();
    for ((thing, (name, row)), own) in things.iter().zip(rows).zip(0..) {
        let mut seen = |members: &[&str], text: &str| {
            let Some(id) = known.mentioned(text).filter(|id| !lies_in(id, name)) else { return };
            let Some((other, found)) = known.find(&id) else {
                missing.insert((own, id));
                return;
            };
            if !lies_in(name, found) && !lies_in(found, name) {
                pairs.add(own, says(&thing.kind, members), other);
            }
        };
        if let Some(manager) = &row.managed_by {
            seen(&["managedBy"], manager);
        }
        for value in [&row.sku, &row.identity, &row.properties] {
            visit(value, &mut Vec::new(), &mut seen);
        }
    }
    let (relations, undecided) = pairs.settled(things);
    Found { relations, missing: missing.len(), undecided }
}

/// Who depends on whom where a resource mentions another under these members.
fn says(kind: &str, members: &[&str]) -> Says {
    let is = |list: &[&str], member: &str| list.iter().any(|one| one.eq_ignore_ascii_case(member));
    if members.iter().any(|member| is(&DEPENDANTS_UNDER, member)) {
        return Says::IsNeededBy;
    }
    // `id` and `properties` say nothing of what they hold.
    let mut telling = members.iter().rev().filter(|member| !is(&["id", "properties"], member));
    let (Some(member), above) = (telling.next(), telling.next()) else { return Says::DependsOn };
    let of_type = DEPENDANTS_OF
        .iter()
        .any(|(of, one)| of.eq_ignore_ascii_case(kind) && one.eq_ignore_ascii_case(member));
    let is_part = above.is_some_and(|above| above.eq_ignore_ascii_case(PARTS));
    if (is(&DEPENDANTS, member) || of_type) && !is_part { Says::IsNeededBy } else { Says::DependsOn }
}

/// Whether an id is another, or lies in it.
fn lies_in(id: &str, holder: &str) -> bool {
    id.strip_prefix(holder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What mentions can mean.
#[derive(Debug)]
struct Known<'r> {
    places: BTreeMap<&'r str, usize>,
    /// Vaults by the hosts that keys and secrets are fetched from.
    vaults: BTreeMap<String, &'r str>,
}

impl<'r> Known<'r> {
    fn of(rows: &'r BTreeMap<String, Row>) -> Self {
        let vault = |(id, row): (&'r String, &Row)| {
            let address = row.properties.get("vaultUri").and_then(Value::as_str)?;
            let host = address.strip_prefix("https://")?.trim_end_matches('/').to_ascii_lowercase();
            Some((host, id.as_str()))
        };
        Self {
            places: rows.keys().map(String::as_str).zip(0..).collect(),
            vaults: rows.iter().filter_map(vault).collect(),
        }
    }

    /// The id that a text is, in its one spelling, or that of the key or secret that it is the address of.
    fn mentioned(&self, text: &str) -> Option<String> {
        if let Some(address) = text.strip_prefix("https://") {
            let (host, path) = address.split_once('/').unwrap_or((address, ""));
            let vault = self.vaults.get(&host.to_ascii_lowercase())?;
            let path = path.trim_end_matches('/').to_ascii_lowercase();
            return Some(format!("{vault}/{path}").trim_end_matches('/').to_owned());
        }
        // A text may begin like an id and be a sentence, a pattern or an address with a query.
        if text.contains([' ', '*', '?']) || text.contains("//") {
            return None;
        }
        let id = azure::id(text.trim_end_matches('/'));
        id.starts_with("/subscriptions/").then(|| id.into_owned())
    }

    /// What an id names, or what of the same provider it lies in: a subnet is known by its network.
    fn find(&self, id: &str) -> Option<(usize, &'r str)> {
        let of_provider = |holder: &&str| id.contains("/providers/") && !holder.ends_with("/providers");
        let mut holders = std::iter::once(id).chain(azure::holders(id).take_while(of_provider));
        holders.find_map(|one| self.places.get_key_value(one).map(|(found, place)| (*place, *found)))
    }
}
