//! What members of a body name, and what they do beside what the request is for.
//!
//! Leaves out where they stand in the request (`body.rs`).

use ordain_action::{Access, Resource, Role};

use super::body::{Leaf, Said};
use super::kind::mentioned;
use super::route::Operation;
use super::service::Service;
use crate::rest::Names;

/// What a request is for: the service, the first word of its path and the operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct For<'a> {
    pub service: Service,
    pub word: &'a str,
    pub path: &'a str,
    pub operation: &'a Operation,
}

impl For<'_> {
    fn is_create(&self) -> bool {
        self.operation.accesses.contains(&Access::Create)
    }

    fn verb(&self) -> &str {
        self.operation.verb
    }
}

/// Members by their names, and the kinds of what they name, on every service.
const KINDS: [(&str, &str); 61] = [
    ("address_group_id", "network/address-groups"),
    ("address_scope_id", "network/address-scopes"),
    ("backup_id", "block-storage/backups"),
    ("bgp_peer_id", "network/bgp-peers"),
    ("bgp_speaker_id", "network/bgp-speakers"),
    ("chassis_uuid", "baremetal/chassis"),
    ("consistencygroup_id", "block-storage/consistencygroups"),
    ("default_project_id", "identity/projects"),
    ("domain_id", "identity/domains"),
    ("egress_firewall_policy_id", "network/fwaas/firewall_policies"),
    ("endpoint_id", "identity/endpoints"),
    ("firewall_policy_id", "network/fwaas/firewall_policies"),
    ("firewall_rule_id", "network/fwaas/firewall_rules"),
    ("fixed_port_id", "network/ports"),
    ("flavorRef", "compute/flavors"),
    ("floating_network_id", "network/networks"),
    ("floatingip_id", "network/floatingips"),
    ("group_snapshot_id", "block-storage/group_snapshots"),
    ("imageRef", "image/images"),
    ("image_id", "image/images"),
    ("image_uuid", "image/images"),
    ("ingress_firewall_policy_id", "network/fwaas/firewall_policies"),
    ("instance_id", "compute/servers"),
    ("instance_uuid", "compute/servers"),
    ("internal_port_id", "network/ports"),
    ("key_name", "compute/os-keypairs"),
    ("member", "identity/projects"),
    ("net_id", "network/networks"),
    ("network_id", "network/networks"),
    ("node_uuid", "baremetal/nodes"),
    ("owner", "identity/projects"),
    ("parent_id", "identity/projects"),
    ("port_id", "network/ports"),
    ("portgroup_uuid", "baremetal/portgroups"),
    ("project", "identity/projects"),
    ("project_id", "identity/projects"),
    ("qos_policy_id", "network/qos/policies"),
    ("region_id", "identity/regions"),
    ("remote_address_group_id", "network/address-groups"),
    ("remote_group_id", "network/security-groups"),
    ("rescue_image_ref", "image/images"),
    ("role_id", "identity/roles"),
    ("router_id", "network/routers"),
    ("security_group_id", "network/security-groups"),
    ("server_uuid", "compute/servers"),
    ("service_id", "identity/services"),
    ("service_profile_id", "network/service_profiles"),
    ("snapshot_id", "block-storage/snapshots"),
    ("source_volid", "block-storage/volumes"),
    ("subnet_id", "network/subnets"),
    ("subnetpool_id", "network/subnetpools"),
    ("target_project", "identity/projects"),
    ("target_tenant", "identity/projects"),
    ("tenant", "identity/projects"),
    ("tenant_id", "identity/projects"),
    ("trustee_user_id", "identity/users"),
    ("trustor_user_id", "identity/users"),
    ("user_id", "identity/users"),
    ("volumeId", "block-storage/volumes"),
    ("volume_id", "block-storage/volumes"),
    ("volume_uuid", "block-storage/volumes"),
];

/// Members that name what something new lies in, or what is changed by it too.
const HOLDERS: [(&str, &str); 22] = [
    ("application_credentials", "user_id"),
    ("attachments", "instance_uuid"),
    ("attachments", "volume_uuid"),
    ("credentials", "user_id"),
    ("floatingips", "port_id"),
    ("limits", "project_id"),
    ("ndp_proxies", "port_id"),
    ("ndp_proxies", "router_id"),
    ("os-security-group-rules", "parent_group_id"),
    ("port_forwardings", "internal_port_id"),
    ("ports", "network_id"),
    ("ports", "node_uuid"),
    ("portgroups", "node_uuid"),
    ("projects", "parent_id"),
    ("rbac-policies", "object_id"),
    ("router_associations", "router_id"),
    ("security-group-rules", "security_group_id"),
    ("segments", "network_id"),
    ("subnets", "network_id"),
    ("trunks", "port_id"),
    ("volume", "node_uuid"),
    ("network_associations", "network_id"),
];

/// Operations that change what a member names too, where nothing new comes of them.
const CHANGED: [(&str, &str); 26] = [
    ("accept", "volume_id"),
    ("add", "network_id"),
    ("add", "router_id"),
    ("add_host", "host"),
    ("add_router_interface", "port_id"),
    ("add_router_interface", "subnet_id"),
    ("add_subports", "port_id"),
    ("attach", "id"),
    ("create", "fixed_port_id"),
    ("create", "port_id"),
    ("create", "server_uuid"),
    ("create", "volumeId"),
    ("create", "volume_id"),
    ("onboard_network_subnets", "network_id"),
    ("remove_host", "host"),
    ("remove_router_interface", "port_id"),
    ("remove_router_interface", "subnet_id"),
    ("remove_subports", "port_id"),
    ("restore", "volume_id"),
    ("update", "add_volumes"),
    ("update", "fixed_port_id"),
    ("update", "internal_port_id"),
    ("update", "port_id"),
    ("update", "remove_volumes"),
    ("update", "volumeId"),
    ("update", "volume_uuid"),
];

/// What a body names, in the parts that it plays.
pub(super) fn resources(names: Names<'_>, asked: For<'_>, said: &Said<'_>) -> Vec<Resource> {
    let mut found: Vec<Resource> = Vec::new();
    for leaf in said.leaves() {
        let Some(text) = leaf.text() else { continue };
        let Some(kind) = kind(asked, leaf, said) else { continue };
        let role = role(asked, leaf.name());
        let ids: Vec<&str> = match leaf.name() {
            "add_volumes" | "remove_volumes" => text.split(',').filter(|id| !id.is_empty()).collect(),
            _ => vec![text],
        };
        for id in ids {
            let one = mentioned(names, role, &kind, leaf.name(), id);
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// The kind of what a value names; `None` where it names nothing.
fn kind(asked: For<'_>, leaf: &Leaf<'_>, said: &Said<'_>) -> Option<String> {
    // What anybody writes beside a resource is theirs to call as they like.
    if ["metadata", "meta", "properties", "extra", "extra_specs", "labels"]
        .iter()
        .any(|free| leaf.is_below(free))
    {
        return None;
    }
    let kind = match (asked.service, leaf.holder(), leaf.name()) {
        (Service::Compute, "networks", "uuid") => "network/networks",
        (Service::Compute, "networks", "port") => "network/ports",
        (Service::Compute, "block_device_mapping_v2", "uuid") => device(leaf, said)?,
        (Service::Compute, "security_groups" | "addSecurityGroup" | "removeSecurityGroup", "name")
        | (Service::Network, _, "security_groups")
        | (Service::Compute, _, "parent_group_id") => "network/security-groups",
        (Service::Compute, "security_group_rule", "group_id") => "network/security-groups",
        (Service::Compute, "add_host" | "remove_host", "host") => "compute/os-hosts",
        (Service::BlockStorage, _, "add_volumes" | "remove_volumes") => "block-storage/volumes",
        (Service::BlockStorage, _, "volume_type" | "new_type" | "volume_types") => "block-storage/types",
        (Service::BlockStorage, _, "group_id") => "block-storage/groups",
        (Service::Identity, _, "group_id") => "identity/groups",
        (Service::Identity, "roles", "id") => "identity/roles",
        (Service::Network, _, "object_id") => {
            let what = said.text("object_type", 2)?;
            return Some(format!("network/{}", objects(what)));
        }
        (Service::Network, "external_gateway_info" | "external_gateways", "network_id") => "network/networks",
        (Service::Baremetal, _, "id") if asked.path.ends_with("/vifs") => "network/ports",
        (_, _, name) => KINDS.iter().find(|(member, _)| *member == name).map(|(_, kind)| *kind)?,
    };
    Some(kind.to_owned())
}

/// What a device of a new server is made of.
fn device(leaf: &Leaf<'_>, said: &Said<'_>) -> Option<&'static str> {
    let around = leaf.of.get(..leaf.of.len().saturating_sub(1))?;
    let beside = |other: &&Leaf<'_>| {
        other.of.split_last().is_some_and(|(last, own)| own == around && last == "source_type")
    };
    match said.leaves().find(beside)?.text()? {
        "volume" => Some("block-storage/volumes"),
        "snapshot" => Some("block-storage/snapshots"),
        "image" => Some("image/images"),
        _ => None,
    }
}

/// The collection of what a policy of access is about.
fn objects(kind: &str) -> String {
    match kind {
        "qos_policy" => "qos/policies".to_owned(),
        "security_group" | "address_scope" | "address_group" => format!("{}s", kind.replace('_', "-")),
        "bgpvpn" => "bgpvpn/bgpvpns".to_owned(),
        other => format!("{other}s"),
    }
}

fn role(asked: For<'_>, member: &str) -> Role {
    if asked.is_create() {
        let last = asked.path.rsplit('/').find(|part| !part.starts_with('{')).unwrap_or_default();
        let holds = |(of, holder): &(&str, &str)| (*of == last || *of == asked.word) && *holder == member;
        let own = matches!(member, "project_id" | "tenant_id");
        let domain = member == "domain_id" && ["users", "groups", "projects", "roles"].contains(&asked.word);
        return if own || domain || HOLDERS.iter().any(holds) { Role::Parent } else { Role::Uses };
    }
    let changes = |(verb, changed): &(&str, &str)| *verb == asked.verb() && *changed == member;
    if CHANGED.iter().any(changes) { Role::Target } else { Role::Uses }
}

/// What a body does beside what the request is for.
pub(super) fn accesses(asked: For<'_>, said: &Said<'_>) -> Vec<Access> {
    let mut all = Vec::new();
    for leaf in said.leaves() {
        let found = match asked.service {
            Service::Identity => identity(asked, leaf),
            Service::Compute => compute(asked, leaf),
            Service::Network => network(asked, leaf),
            Service::BlockStorage => block_storage(asked, leaf),
            Service::Image => image(asked, leaf),
            Service::Baremetal => baremetal(asked, leaf),
        };
        all.extend(found);
    }
    let makes_key = (asked.service, asked.word) == (Service::Compute, "os-keypairs") && asked.is_create();
    if makes_key && said.text("public_key", 2).is_none() {
        // The private key is in the answer.
        all.push(Access::SecretRead);
    }
    all
}

fn identity(asked: For<'_>, leaf: &Leaf<'_>) -> Option<Access> {
    let updates = asked.verb() == "update";
    match (asked.word, leaf.name()) {
        ("users", "password") if !leaf.is_nothing() => Some(Access::Grant),
        ("users", _) if leaf.is_below("federated") || leaf.is_below("options") => Some(Access::Grant),
        // Whoever is not enabled cannot sign in any more; nor can anybody to a project, nor find a service.
        ("users", "enabled") if updates && !leaf.is_off() => Some(Access::Grant),
        ("users" | "projects" | "domains" | "services" | "endpoints", "enabled")
            if updates && leaf.is_off() =>
        {
            Some(Access::Delete)
        }
        ("users" | "groups" | "projects", "domain_id") if updates => Some(Access::Grant),
        _ => None,
    }
}

fn compute(asked: For<'_>, leaf: &Leaf<'_>) -> Option<Access> {
    match (asked.word, asked.verb(), leaf.name()) {
        ("servers" | "os-volumes_boot", _, _)
            if (leaf.is_below("user_data") || leaf.is_below("personality")) && !leaf.is_nothing() =>
        {
            Some(Access::Execute)
        }
        // What somebody signs in with on a server that is there already. Without a key nobody does.
        ("servers", "evacuate" | "rebuild" | "rescue" | "unrescue", "adminPass" | "key_name")
            if !leaf.is_nothing() =>
        {
            Some(Access::Grant)
        }
        ("os-keypairs", "create", "user_id") if !leaf.is_nothing() => Some(Access::Grant),
        ("os-services", "update", "status" | "forced_down") if stops(leaf) => Some(Access::Delete),
        ("os-hosts", "update", "status" | "maintenance_mode") if stops(leaf) => Some(Access::Delete),
        _ => None,
    }
}

/// A service or a host is taken out of work.
fn stops(leaf: &Leaf<'_>) -> bool {
    match leaf.name() {
        "status" => !leaf.text().is_some_and(|text| ["enable", "enabled"].contains(&text.trim())),
        _ => !leaf.is_off() && leaf.text().is_none_or(|text| text.trim() != "disable"),
    }
}

fn network(asked: For<'_>, leaf: &Leaf<'_>) -> Option<Access> {
    let updates = asked.verb() == "update";
    match (asked.word, leaf.name()) {
        ("networks", "router:external") if !leaf.is_off() => Some(Access::Expose),
        ("networks", name) if name.starts_with("provider:") && !leaf.is_nothing() => Some(Access::Expose),
        ("networks" | "subnets", _) if leaf.is_below("segments") && !leaf.is_nothing() => {
            Some(Access::Expose)
        }
        // To all projects, or to all no more.
        (_, "shared") if updates || !leaf.is_off() => Some(Access::Grant),
        ("ports", "port_security_enabled") if leaf.is_off() => Some(Access::Expose),
        ("ports", _) if leaf.is_below("allowed_address_pairs") && !leaf.is_nothing() => Some(Access::Expose),
        ("ports", _) if leaf.is_below("security_groups") && updates => Some(Access::Expose),
        // What the network itself has is not held to what its ports are held to.
        ("ports", "device_owner") if leaf.text().is_some_and(|text| text.starts_with("network:")) => {
            Some(Access::Expose)
        }
        ("ports", "trusted") if !leaf.is_off() => Some(Access::Expose),
        ("routers", _)
            if (leaf.is_below("external_gateway_info") || leaf.is_below("external_gateways"))
                && !leaf.is_nothing() =>
        {
            Some(Access::Expose)
        }
        ("floatingips", "port_id" | "fixed_ip_address") if !leaf.is_nothing() => Some(Access::Expose),
        ("security-groups", "stateful") if updates => Some(Access::Expose),
        ("address-groups", _) if updates && leaf.is_below("addresses") => Some(Access::Expose),
        ("subnetpools" | "address-scopes" | "qos", "is_default") if !leaf.is_off() => Some(Access::Grant),
        _ => None,
    }
}

fn block_storage(asked: For<'_>, leaf: &Leaf<'_>) -> Option<Access> {
    match (asked.word, asked.verb()) {
        ("attachments", "create") if leaf.is_below("connector") && !leaf.is_nothing() => {
            Some(Access::SecretRead)
        }
        ("types" | "group_types", "update") if leaf.name().ends_with("is_public") => Some(Access::Grant),
        ("volumes", "os-volume_upload_image") if leaf.name() == "visibility" && opens(leaf) => {
            Some(Access::Expose)
        }
        ("os-hosts", "update") if leaf.name() == "status" && stops(leaf) => Some(Access::Delete),
        _ => None,
    }
}

fn image(asked: For<'_>, leaf: &Leaf<'_>) -> Option<Access> {
    let first = leaf.of.first().map(String::as_str).unwrap_or_default();
    match (asked.word, asked.verb()) {
        (_, "create" | "update") if leaf.name() == "visibility" && opens(leaf) => Some(Access::Expose),
        (_, "create" | "update") if first == "owner" => Some(Access::Grant),
        // Content that comes from where the caller says.
        ("images", "create" | "update")
            if ["locations", "url"].contains(&first)
                && !matches!(leaf.value, ordain_action::Scalar::Empty) =>
        {
            Some(Access::Execute)
        }
        ("images", "import") => {
            let by_reference = leaf.name() == "name"
                && leaf.text().is_some_and(|text| ["web-download", "glance-download"].contains(&text));
            (by_reference || leaf.is_below("uri")).then_some(Access::Execute)
        }
        _ => None,
    }
}

/// For everybody to see: whatever is not known to be for fewer.
fn opens(leaf: &Leaf<'_>) -> bool {
    !matches!(leaf.text(), Some("private" | "shared"))
}

fn baremetal(asked: For<'_>, leaf: &Leaf<'_>) -> Option<Access> {
    let first = leaf.of.first().map(String::as_str).unwrap_or_default();
    let updates = asked.verb() == "update";
    match (asked.word, first) {
        ("nodes" | "allocations" | "runbooks", "owner" | "lessee" | "public")
            if updates || !leaf.is_off() =>
        {
            Some(Access::Grant)
        }
        // What a node runs before anything else does.
        ("nodes", "driver_info") if ["deploy_", "rescue_"].iter().any(|of| leaf.name().starts_with(of)) => {
            Some(Access::Execute)
        }
        _ => None,
    }
}

/// What the target says that a node's state is set to; `None` where it is none that is known.
pub(super) fn state(path: &str, said: &Said<'_>) -> Option<Vec<Access>> {
    let target = said.leaves().find(|leaf| leaf.of == ["target"])?.text()?;
    Some(match (path, target) {
        ("nodes/{}/states/power", "power on" | "rebooting" | "soft rebooting") => vec![Access::Update],
        ("nodes/{}/states/power", "power off" | "soft power off") => vec![Access::Delete],
        ("nodes/{}/states/provision", "deleted" | "undeploy") => vec![Access::Delete],
        ("nodes/{}/states/provision", "active" | "rebuild" | "clean") => {
            vec![Access::Delete, Access::Execute]
        }
        ("nodes/{}/states/provision", "rescue" | "service") => vec![Access::Update, Access::Execute],
        (
            "nodes/{}/states/provision",
            "manage" | "provide" | "inspect" | "abort" | "adopt" | "unrescue" | "unhold",
        ) => vec![Access::Update],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_order() {
        assert!(KINDS.is_sorted() && CHANGED.is_sorted());
        assert_eq!(objects("security_group"), "security-groups");
        assert_eq!(objects("network"), "networks");
    }
}
