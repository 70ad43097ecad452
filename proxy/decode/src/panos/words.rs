//! What words of the configuration and of commands say: who may do what, what is let through, what is secret, what stops.
//!
//! A word that is not here says nothing: a change of it is a change. Leaves out values.

use crate::tokens::looks_secret;

/// Elements that say who may do what: administrators, roles, how one is authenticated, certificates that one is known by.
const GRANTING: &[&str] = &[
    "access-domain",
    "admin-role",
    "admins",
    "allow-list",
    "api",
    "authentication-profile",
    "authentication-sequence",
    "certificate",
    "certificate-profile",
    "kerberos",
    "ldap",
    "local-user-database",
    "mgt-config",
    "password-complexity",
    "password-profile",
    "permissions",
    "phash",
    "public-key",
    "radius",
    "role",
    "role-based",
    "saml-idp",
    "tacplus",
    "users",
];

/// Elements that say what is let through, and from where the device itself is reached.
const EXPOSING: &[&str] = &[
    "address",
    "address-group",
    "application",
    "application-filter",
    "application-group",
    "application-override",
    "authentication-rules",
    "decryption",
    "default-security-rules",
    "dos",
    "dynamic-user-group",
    "external-list",
    "global-protect",
    "interface-management-profile",
    "nat",
    "network-packet-broker",
    "pbf",
    "permitted-ip",
    "post-rulebase",
    "pre-rulebase",
    "profile-group",
    "profile-setting",
    "profiles",
    "qos",
    "region",
    "rulebase",
    "sdwan",
    "security",
    "service",
    "service-group",
    "threat",
    "tunnel-inspect",
    "zone",
];

/// Elements that hold a secret, beside those whose names say so.
const SECRET: &[&str] = &[
    "api-key",
    "auth-key",
    "auth-password",
    "authkey",
    "authpwd",
    "authcode",
    "bind-password",
    "community",
    "key",
    "keytab",
    "master-key",
    "pan-hash",
    "phash",
    "pre-shared-key",
    "preshared-key",
    "privpwd",
    "psk",
    "secret",
    "snmp-community-string",
    "token",
];

/// Elements that have secrets below them.
const HOLDERS: &[&str] = &[
    "auth-profile",
    "auto-key",
    "certificate",
    "config-bundle-export-schedule",
    "email",
    "gateway-secret",
    "global-protect",
    "hsm",
    "ike",
    "kerberos",
    "ldap",
    "local-user-database",
    "log-settings",
    "manual-key",
    "mgt-config",
    "radius",
    "redistribution-agent",
    "server-profile",
    "snmp-setting",
    "ssh",
    "tacplus",
    "user-id-collector",
    "users",
    "vm-info-source",
    "vpn",
    "wif",
];

/// Elements above such ones: whoever is shown one of them whole is shown those too.
const ABOVE: &[&str] = &[
    "bgp",
    "config",
    "device-group",
    "deviceconfig",
    "devices",
    "gateway",
    "high-availability",
    "interface",
    "ipsec",
    "logical-router",
    "network",
    "ospf",
    "ospfv3",
    "panorama",
    "protocol",
    "rip",
    "shared",
    "system",
    "template",
    "template-stack",
    "virtual-router",
];

/// Words of commands after which something is gone or does not work.
const STOPPING: &[&str] = &[
    "clear",
    "data-reset",
    "deactivate",
    "delete",
    "disable",
    "disconnect",
    "failover",
    "fail",
    "force",
    "kill",
    "load",
    "logout",
    "private-data-reset",
    "purge",
    "reboot",
    "remove",
    "reset",
    "restart",
    "revert",
    "revoke",
    "shutdown",
    "stop",
    "suspend",
    "uninstall",
];

/// What `show` shows that changes nothing and is no secret.
const SHOWN: &[&str] = &[
    "admins",
    "applications",
    "arp",
    "bfd",
    "bonjour",
    "chassis",
    "chassis-ready",
    "clock",
    "cloud-appid",
    "commit-locks",
    "config-locks",
    "counter",
    "deployments",
    "device-certificate",
    "devicegroups",
    "devices",
    "dg-hierarchy",
    "dhcp",
    "dns-proxy",
    "dos-block-table",
    "dos-protection",
    "electron",
    "fips-mode",
    "fqdn",
    "global-protect-gateway",
    "global-protect-portal",
    "high-availability",
    "high-speed",
    "interface",
    "jobs",
    "lacp",
    "last-audit-comment",
    "license",
    "lldp",
    "location",
    "log-collector",
    "log-collector-group",
    "logging-status",
    "mac",
    "management-clients",
    "max-num-images",
    "neighbor",
    "netstat",
    "ntp",
    "object",
    "operational-mode",
    "panorama-certificates",
    "panorama-status",
    "pbf",
    "plugins",
    "pppoe",
    "predefined",
    "qos",
    "query",
    "report",
    "resource",
    "routing",
    "advanced-routing",
    "rule-hit-count",
    "rule-use",
    "running",
    "sdwan",
    "session",
    "session-distribution",
    "sp-metadata",
    "statistics",
    "sslmgr-store",
    "system",
    "tcp",
    "template",
    "template-stack",
    "templates",
    "threat",
    "transceiver",
    "tunnel-acceleration",
    "url-cloud",
    "user",
    "virtual-wire",
    "vlan",
    "vpn",
    "wildfire",
    "zone-protection",
];

/// Categories of exports in which nothing secret is: pages that the device shows to whoever it turns away.
const PAGES: &[&str] = &[
    "application-block-page",
    "captive-portal-text",
    "file-block-continue-page",
    "file-block-page",
    "safe-search-block-page",
    "ssl-cert-status-page",
    "ssl-optout-text",
    "url-block-page",
    "url-coach-text",
    "virus-block-page",
];

/// Logs.
const LOGS: &[&str] = &[
    "alarm",
    "auth",
    "config",
    "corr",
    "corr-categ",
    "corr-detail",
    "data",
    "decryption",
    "globalprotect",
    "gtp",
    "hipmatch",
    "iptag",
    "sctp",
    "system",
    "threat",
    "traffic",
    "tunnel",
    "unified",
    "url",
    "userid",
    "wildfire",
];

/// An element by which somebody may do more.
pub(super) fn grants(element: &str) -> bool {
    GRANTING.contains(&element) || looks_secret(element)
}

/// An element that says what is let through.
pub(super) fn exposes(element: &str) -> bool {
    EXPOSING.contains(&element)
}

/// An element that holds a secret.
pub(super) fn is_secret(element: &str) -> bool {
    let ends = element.ends_with("-password") || element.ends_with("-key");
    let plain = matches!(element, "public-key" | "include-key" | "include-keys");
    !plain && (ends || SECRET.contains(&element) || looks_secret(element))
}

/// An element that holds secrets, or is one.
pub(super) fn holds_secrets(element: &str) -> bool {
    HOLDERS.contains(&element) || is_secret(element)
}

/// An element whose whole tree has such ones.
pub(super) fn shows_secrets(element: &str) -> bool {
    ABOVE.contains(&element)
}

/// A word of a command after which something is gone.
pub(super) fn stops(word: &str) -> bool {
    STOPPING.contains(&word)
}

/// Something that `show` only shows.
pub(super) fn is_shown(word: &str) -> bool {
    SHOWN.contains(&word)
}

/// An export in which nothing secret is.
pub(super) fn is_page(category: &str) -> bool {
    PAGES.contains(&category)
}

/// A log.
pub(super) fn is_log(name: &str) -> bool {
    LOGS.contains(&name)
}
