//! What namespaces of XML are called in JSON and in paths: the names of their modules.
//!
//! Only those of which the namespace itself tells: the rest is for JSON. Leaves out the modules.

use super::node::is_identifier;

/// Namespaces that end in the names of their modules.
const BEGINNINGS: [&str; 3] =
    ["urn:ietf:params:xml:ns:yang:", "http://cisco.com/ns/yang/", "http://example.com/ns/"];

/// Namespaces of modules that are called otherwise.
const OTHERS: [(&str, &str); 18] = [
    ("http://openconfig.net/yang/aaa", "openconfig-aaa"),
    ("http://openconfig.net/yang/acl", "openconfig-acl"),
    ("http://openconfig.net/yang/bgp", "openconfig-bgp"),
    ("http://openconfig.net/yang/interfaces", "openconfig-interfaces"),
    ("http://openconfig.net/yang/interfaces/aggregate", "openconfig-if-aggregate"),
    ("http://openconfig.net/yang/interfaces/ethernet", "openconfig-if-ethernet"),
    ("http://openconfig.net/yang/interfaces/ip", "openconfig-if-ip"),
    ("http://openconfig.net/yang/lldp", "openconfig-lldp"),
    ("http://openconfig.net/yang/local-routing", "openconfig-local-routing"),
    ("http://openconfig.net/yang/network-instance", "openconfig-network-instance"),
    ("http://openconfig.net/yang/platform", "openconfig-platform"),
    ("http://openconfig.net/yang/routing-policy", "openconfig-routing-policy"),
    ("http://openconfig.net/yang/spanning-tree", "openconfig-spanning-tree"),
    ("http://openconfig.net/yang/system", "openconfig-system"),
    ("http://openconfig.net/yang/vlan", "openconfig-vlan"),
    ("http://tail-f.com/ns/ncs", "tailf-ncs"),
    ("http://tail-f.com/yang/rollback", "tailf-rollback"),
    ("http://tail-f.com/ns/aaa/1.1", "tailf-aaa"),
];

/// The module of a namespace; `None` where it does not say.
pub(super) fn module(namespace: Option<&str>) -> Option<String> {
    let namespace = namespace?;
    if let Some((_, module)) = OTHERS.iter().find(|(of, _)| *of == namespace) {
        return Some((*module).to_owned());
    }
    let rest = BEGINNINGS.iter().find_map(|beginning| namespace.strip_prefix(beginning))?;
    is_identifier(rest).then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_called_as_its_module_is() {
        for (namespace, expected) in [
            ("urn:ietf:params:xml:ns:yang:ietf-interfaces", Some("ietf-interfaces")),
            ("http://openconfig.net/yang/interfaces/ip", Some("openconfig-if-ip")),
            ("http://cisco.com/ns/yang/Cisco-IOS-XE-native", Some("Cisco-IOS-XE-native")),
            ("http://cisco.com/ns/yang/../x", None),
            ("urn:other", None),
        ] {
            assert_eq!(module(Some(namespace)).as_deref(), expected, "{namespace}");
        }
        assert_eq!(module(None), None);
    }
}
