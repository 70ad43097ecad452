//! What names of nodes and of operations say: who may do what, what opens, what is secret, what stops; and the keys of
//! lists that are known.
//!
//! A name that is not here says nothing: an edit of it is an edit. Leaves out schemas, which each device has its own of.

use crate::tokens::looks_secret;

/// Parts of names by which somebody may do more or other than before: NACM (RFC 8341), users, AAA, keystore and truststore
/// (RFC 9641, RFC 9642), SNMP communities.
const GRANTING: [&str; 18] = [
    "aaa",
    "authgroups",
    "authorization",
    "credentials",
    "keystore",
    "ldap",
    "nacm",
    "password",
    "privilege",
    "radius",
    "rbac",
    "secret",
    "snmp",
    "tacacs",
    "truststore",
    "user",
    "username",
    "users",
];

/// Parts of names that say what a network lets through.
const EXPOSING: [&str; 12] = [
    "access-class",
    "access-group",
    "access-list",
    "access-lists",
    "acl",
    "acls",
    "ace",
    "firewall",
    "nat",
    "security-policy",
    "zone-pair",
    "http-server",
];

/// Parts of names of leaves that hold a secret.
const SECRET: [&str; 20] = [
    "auth-key",
    "cleartext",
    "community-string",
    "credential",
    "credentials",
    "encrypted-value",
    "hidden-key",
    "key-string",
    "passphrase",
    "passwd",
    "password",
    "pre-shared-key",
    "priv-key",
    "private-key",
    "psk",
    "secret",
    "secret-key",
    "shared-key",
    "shared-secret",
    "token",
];

/// Parts of names of what has secrets below it.
const HOLDERS: [&str; 18] = [
    "aaa",
    "authentication",
    "authgroups",
    "bgp",
    "crypto",
    "isakmp",
    "key-chain",
    "key-chains",
    "keychain",
    "keychains",
    "keystore",
    "ntp",
    "radius",
    "snmp",
    "tacacs",
    "user",
    "username",
    "users",
];

/// Whole names, whose words say nothing within others, of what lets somebody do more: who may become privileged on IOS XE.
const GRANTING_WHOLE: [&str; 1] = ["enable"];

/// Whole names of what has secrets below it: the same, and the consoles with their passwords.
const HOLDING_WHOLE: [&str; 2] = ["enable", "line"];

/// Tops of trees that hold such nodes further down: whoever is shown one of them whole is shown those too.
const TREES: [&str; 11] = [
    "asymmetric-keys",
    "device",
    "devices",
    "native",
    "netconf-server",
    "network-instance",
    "network-instances",
    "restconf-server",
    "routing",
    "symmetric-keys",
    "system",
];

/// Parts of names of operations after which something is gone or does not work.
const STOPPING: [&str; 26] = [
    "clear",
    "deactivate",
    "default",
    "delete",
    "disable",
    "discard",
    "erase",
    "factory",
    "format",
    "halt",
    "kill",
    "off",
    "power",
    "poweroff",
    "purge",
    "reboot",
    "reload",
    "remove",
    "reset",
    "restart",
    "revoke",
    "shutdown",
    "stop",
    "switchover",
    "uninstall",
    "zeroize",
];

/// Parts of names of operations that write configuration which no path names.
const CONFIGURING: [&str; 11] = [
    "commit",
    "config",
    "configuration",
    "copy",
    "edit",
    "import",
    "load",
    "replace",
    "restore",
    "rollback",
    "sync",
];

/// The keys of lists whose module is known to have one list of that name.
const LISTS: [(&str, &str, &[&str]); 48] = [
    ("Cisco-IOS-XE-native", "GigabitEthernet", &["name"]),
    ("Cisco-IOS-XE-native", "Loopback", &["name"]),
    ("Cisco-IOS-XE-native", "Port-channel", &["name"]),
    ("Cisco-IOS-XE-native", "TenGigabitEthernet", &["name"]),
    ("Cisco-IOS-XE-native", "Tunnel", &["name"]),
    ("Cisco-IOS-XE-native", "Vlan", &["name"]),
    ("Cisco-IOS-XE-native", "username", &["name"]),
    ("example-jukebox", "album", &["name"]),
    ("example-jukebox", "artist", &["name"]),
    ("example-jukebox", "playlist", &["name"]),
    ("ietf-access-control-list", "ace", &["name"]),
    ("ietf-access-control-list", "acl", &["name"]),
    ("ietf-interfaces", "interface", &["name"]),
    ("ietf-ip", "address", &["ip"]),
    ("ietf-ip", "neighbor", &["ip"]),
    ("ietf-key-chain", "key-chain", &["name"]),
    ("ietf-keystore", "asymmetric-key", &["name"]),
    ("ietf-keystore", "certificate", &["name"]),
    ("ietf-keystore", "symmetric-key", &["name"]),
    ("ietf-netconf-acm", "group", &["name"]),
    ("ietf-netconf-acm", "rule", &["name"]),
    ("ietf-netconf-acm", "rule-list", &["name"]),
    ("ietf-network", "network", &["network-id"]),
    ("ietf-network", "node", &["node-id"]),
    ("ietf-network-topology", "link", &["link-id"]),
    ("ietf-network-topology", "termination-point", &["tp-id"]),
    ("ietf-routing", "control-plane-protocol", &["type", "name"]),
    ("ietf-routing", "rib", &["name"]),
    ("ietf-snmp", "community", &["index"]),
    ("ietf-system", "authorized-key", &["name"]),
    ("ietf-system", "server", &["name"]),
    ("ietf-system", "user", &["name"]),
    ("ietf-truststore", "certificate", &["name"]),
    ("ietf-truststore", "certificate-bag", &["name"]),
    ("ietf-truststore", "public-key", &["name"]),
    ("ietf-truststore", "public-key-bag", &["name"]),
    ("openconfig-acl", "acl-entry", &["sequence-id"]),
    ("openconfig-acl", "acl-set", &["name", "type"]),
    ("openconfig-if-ip", "address", &["ip"]),
    ("openconfig-interfaces", "interface", &["name"]),
    ("openconfig-interfaces", "subinterface", &["index"]),
    ("openconfig-network-instance", "network-instance", &["name"]),
    ("openconfig-network-instance", "protocol", &["identifier", "name"]),
    ("openconfig-network-instance", "vlan", &["vlan-id"]),
    ("openconfig-system", "user", &["username"]),
    ("openconfig-vlan", "vlan", &["vlan-id"]),
    ("tailf-ncs", "authgroup", &["name"]),
    ("tailf-ncs", "device", &["name"]),
];

/// The keys of a list, where they are known.
pub(super) fn keys(module: &str, name: &str) -> Option<&'static [&'static str]> {
    LISTS.iter().find(|(of, list, _)| (*of, *list) == (module, name)).map(|(_, _, keys)| *keys)
}

/// A node that is a container wherever it is: those of `OpenConfig` by their convention, and those of RFC 8344.
pub(super) fn is_container(name: &str) -> bool {
    matches!(name, "config" | "state" | "ipv4" | "ipv6")
}

/// Whether one of the words is the name, or stands in it between dashes.
fn says(name: &str, words: &[&str]) -> bool {
    let plain = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase().replace(['_', '.'], "-");
    let around = format!("-{plain}-");
    words.iter().any(|word| around.contains(&format!("-{word}-")))
}

/// Whether one of the words is the name.
fn is(name: &str, words: &[&str]) -> bool {
    let own = name.rsplit(':').next().unwrap_or(name);
    words.iter().any(|word| own.eq_ignore_ascii_case(word))
}

/// A node by which somebody may do more.
pub(super) fn grants(name: &str) -> bool {
    says(name, &GRANTING) || is(name, &GRANTING_WHOLE) || looks_secret(name)
}

/// A node that says what is let through.
pub(super) fn exposes(name: &str) -> bool {
    says(name, &EXPOSING)
}

/// A leaf that holds a secret. Communities of SNMP are some, and those that routes carry are not.
pub(super) fn is_secret(name: &str) -> bool {
    let own = name.rsplit(':').next().unwrap_or(name);
    own.eq_ignore_ascii_case("community") || says(name, &SECRET) || looks_secret(name)
}

/// A node that holds secrets, or is one.
pub(super) fn holds_secrets(name: &str) -> bool {
    is_secret(name) || says(name, &HOLDERS) || is(name, &HOLDING_WHOLE)
}

/// A node whose whole tree shows such ones.
pub(super) fn shows_secrets(module: &str, name: &str) -> bool {
    // All that a device managed by another one is set to.
    let whole_device = module == "tailf-ncs" && matches!(name, "config" | "live-status");
    whole_device || TREES.iter().any(|tree| name.eq_ignore_ascii_case(tree))
}

/// A node below which is all that a device is set to, or who may use it: taking it away or writing it anew is that too.
pub(super) fn holds_all(module: &str, name: &str) -> bool {
    (module == "tailf-ncs" && name == "config") || matches!(name, "device" | "devices" | "native" | "system")
}

/// An operation after which something is gone.
pub(super) fn stops(name: &str) -> bool {
    says(name, &STOPPING)
}

/// An operation that writes configuration.
pub(super) fn configures(name: &str) -> bool {
    says(name, &CONFIGURING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_parts_say() {
        for name in
            ["user", "snmp-server", "ietf-netconf-acm:nacm", "local-user", "set-password", "privateKey"]
        {
            assert!(grants(name), "{name}");
        }
        for name in ["interface", "mtu", "superuser-port", "description", "igmp-enable"] {
            assert!(!grants(name), "{name}");
        }
        assert!(exposes("ip-access-list") && exposes("acl") && !exposes("oracle"));
        assert!(is_secret("auth-password") && is_secret("psk") && is_secret("m:community"));
        assert!(!is_secret("community-sets") && !is_secret("send-community"));
        assert!(stops("system-restart") && stops("power-cycle") && !stops("ping"));
        assert!(LISTS.is_sorted_by_key(|(module, list, _)| (*module, *list)));
    }
}
