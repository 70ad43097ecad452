//! What an id in a path or a body is the id of, and the name that makes of it.
//!
//! Leaves out which part it plays.

use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role};

use super::route::{self, Found, Part, is_id, is_uuid};
use crate::rest::Names;

/// Kinds whose name is not what stands before their id in a path: those that stand in several paths, or under an
/// extension's word. The rest are called by their path.
const KINDS: [(&str, &str); 39] = [
    ("bandwidth_limit_rule", "network/qos/bandwidth_limit_rules"),
    ("baremetal_port", "baremetal/ports"),
    ("bgp_speaker", "network/bgp-speakers"),
    ("domain", "identity/domains"),
    ("dscp_marking_rule", "network/qos/dscp_marking_rules"),
    ("endpoint", "identity/endpoints"),
    ("flavor", "compute/flavors"),
    ("floatingip", "network/floatingips"),
    ("group", "identity/groups"),
    ("image", "image/images"),
    ("keypair", "compute/os-keypairs"),
    ("local_ip", "network/local-ips"),
    ("minimum_bandwidth_rule", "network/qos/minimum_bandwidth_rules"),
    ("minimum_packet_rate_rule", "network/qos/minimum_packet_rate_rules"),
    ("network", "network/networks"),
    ("node", "baremetal/nodes"),
    ("packet_rate_limit_rule", "network/qos/packet_rate_limit_rules"),
    ("port", "network/ports"),
    ("portgroup", "baremetal/portgroups"),
    ("project", "identity/projects"),
    ("qos_policy", "network/qos/policies"),
    ("region", "identity/regions"),
    ("role", "identity/roles"),
    ("router", "network/routers"),
    ("security_group", "network/security-groups"),
    ("security_group_rule", "network/security-group-rules"),
    ("server", "compute/servers"),
    ("service", "identity/services"),
    ("service_profile", "network/service_profiles"),
    ("share", "shared-file-system/shares"),
    ("snapshot", "block-storage/snapshots"),
    ("subnet", "network/subnets"),
    ("subnetpool", "network/subnetpools"),
    ("transfer", "block-storage/volume-transfers"),
    ("trunk", "network/trunks"),
    ("user", "identity/users"),
    ("volume", "block-storage/volumes"),
    ("volume_connector", "baremetal/volume/connectors"),
    ("volume_target", "baremetal/volume/targets"),
];

/// Collections that several paths show: the aliases, and what one service shows of another.
const ALIASES: [(&str, &str); 13] = [
    ("block-storage/manageable_snapshots", "block-storage/snapshots"),
    ("block-storage/manageable_volumes", "block-storage/volumes"),
    ("block-storage/os-snapshot-manage", "block-storage/snapshots"),
    ("block-storage/os-volume-manage", "block-storage/volumes"),
    ("block-storage/os-volume-transfer", "block-storage/volume-transfers"),
    ("compute/images", "image/images"),
    ("compute/os-floating-ips", "network/floatingips"),
    ("compute/os-security-group-rules", "network/security-group-rules"),
    ("compute/os-security-groups", "network/security-groups"),
    ("compute/os-snapshots", "block-storage/snapshots"),
    ("compute/os-volumes", "block-storage/volumes"),
    ("compute/os-volumes_boot", "compute/servers"),
    ("network/local_ips", "network/local-ips"),
];

/// The name of a kind of thing, by what a path calls the place of its id; `None` where its path says all.
fn known(word: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
}

/// One thing that a path leads to: its kind, and the parts of its name.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    kind: String,
    parts: Vec<String>,
    /// The place in the path, by which the thing is called where it has no kind of its own.
    pub word: &'static str,
    pub value: String,
    /// It is a name where there is an id too: whose it is nobody says.
    by_name: bool,
    /// It is known of the word alone what it is.
    pub is_known: bool,
}

/// The things that a path leads through, and the collection that it ends in, where it ends in one.
pub(super) fn things(found: &Found) -> (Vec<Thing>, Vec<String>) {
    let mut things: Vec<Thing> = Vec::new();
    let mut so_far = vec![found.route.service.as_str().to_owned()];
    let mut values = found.values.iter();
    for part in &found.route.parts {
        let (word, by_name) = match part {
            Part::Word(word) => {
                so_far.push((*word).to_owned());
                continue;
            }
            Part::Id(word) | Part::Name(word) => (*word, false),
            Part::IdOrName(word) => (*word, true),
        };
        let Some(value) = values.next() else { continue };
        let kind = match known(word) {
            Some(kind) => {
                so_far = kind.split('/').map(str::to_owned).collect();
                kind.to_owned()
            }
            None => collection(&so_far),
        };
        so_far.push(value.clone());
        things.push(Thing {
            kind,
            parts: so_far.clone(),
            word,
            value: value.clone(),
            by_name: by_name && !is_uuid(value),
            is_known: known(word).is_some(),
        });
    }
    let ends_in_word = matches!(found.route.parts.last(), Some(Part::Word(_)));
    so_far.truncate(so_far.len() - usize::from(so_far.last().is_some_and(|last| last == "detail")));
    let collection = if ends_in_word { alias(so_far) } else { Vec::new() };
    (things, collection)
}

/// The words of a path without the ids in it.
fn collection(parts: &[String]) -> String {
    let is_word = |at: usize| at < 2 || !is_id(parts.get(at).map(String::as_str).unwrap_or_default());
    let words = parts.iter().enumerate().filter(|(at, _)| is_word(*at)).map(|(_, part)| part.as_str());
    words.collect::<Vec<_>>().join("/")
}

fn alias(parts: Vec<String>) -> Vec<String> {
    let joined = parts.join("/");
    match ALIASES.iter().find(|(from, _)| *from == joined) {
        Some((_, to)) => to.split('/').map(str::to_owned).collect(),
        None => parts,
    }
}

/// The kind of what stands in a collection.
pub(super) fn kind_of(collection_parts: &[String]) -> String {
    collection(collection_parts)
}

impl Thing {
    /// It in that role. A name is a pattern where things have ids too: it may be anybody's.
    pub(super) fn resource(&self, names: Names<'_>, role: Role) -> Resource {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        if self.by_name {
            let above = parts.get(..parts.len().saturating_sub(1)).unwrap_or_default();
            let all = names.all(role, &self.kind, above);
            return Resource { identifiers: vec![identifier("name", &self.value)], ..all };
        }
        names.one(role, &self.kind, &parts)
    }
}

/// Something that a body names, by the kind it is of.
pub(super) fn mentioned(names: Names<'_>, role: Role, kind: &str, member: &str, value: &str) -> Resource {
    let mut parts: Vec<&str> = kind.split('/').collect();
    let named = ["compute/flavors", "compute/os-keypairs", "compute/os-hosts", "identity/regions"];
    if named.contains(&kind) && route::check(Part::Name("x"), value).is_ok() && !value.contains('/') {
        parts.push(value);
        return Resource { basis: NameBasis::Reviewed, ..names.one(role, kind, &parts) };
    }
    let is_plain = route::check(Part::Id("x"), value).is_ok();
    // What services make has this form; projects, users, roles and domains may have been given another.
    if is_plain && (is_id(value) || kind.starts_with("identity/")) {
        parts.push(value);
        let one = names.one(role, kind, &parts);
        return Resource { basis: NameBasis::Reviewed, identifiers: vec![identifier(member, value)], ..one };
    }
    // A name, of which nobody knows here whose it is.
    Resource { identifiers: vec![identifier(member, value)], ..names.all(role, kind, &parts) }
}

fn identifier(name: &str, value: &str) -> Identifier {
    Identifier { name: Arc::from(name), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_order_and_kinds_have_their_words() {
        assert!(KINDS.is_sorted() && ALIASES.is_sorted());
        assert_eq!(known("server"), Some("compute/servers"));
    }
}
