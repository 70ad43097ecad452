//! What paths below mounts of secrets engines do, by the type of the engine.
//!
//! Leaves out which type is mounted where (`mount.rs`).

use super::table::{Row, named, row};

/// Secrets with versions. A secret is one, by whichever of its paths it is asked for.
const KV_V2: &[Row] = &[
    row("R", "config", "r", "kv-config"),
    row("W", "config", "u", "kv-config"),
    named("R", "data/**", "s", "secret", "**"),
    named("WP", "data/**", "u", "secret", "**"),
    named("D", "data/**", "d", "secret", "**"),
    named("W", "delete/**", "d", "secret", "**"),
    named("W", "undelete/**", "u", "secret", "**"),
    named("W", "destroy/**", "d", "secret", "**"),
    named("R", "subkeys/**", "r", "secret", "**"),
    named("L", "metadata", "r", "secret", "*"),
    named("L", "metadata/**", "r", "secret", "**/*"),
    named("L", "detailed-metadata/**", "r", "secret", "**/*"),
    named("R", "metadata/**", "r", "secret", "**"),
    named("WP", "metadata/**", "u", "secret", "**"),
    named("D", "metadata/**", "d", "secret", "**"),
];

/// Secrets without versions, and those of one token.
const KV_V1: &[Row] = &[
    named("L", "**", "r", "secret", "**/*"),
    row("R", "**", "s", "secret"),
    row("WP", "**", "u", "secret"),
    row("D", "**", "d", "secret"),
];

/// Keys that data is encrypted and signed with.
const TRANSIT: &[Row] = &[
    named("L", "keys", "r", "key", "keys/*"),
    row("R", "keys/*", "r", "key"),
    named("W", "keys/*/rotate", "u", "key", "keys/*"),
    named("W", "keys/*/config", "u", "key", "keys/*"),
    named("W", "keys/*/trim", "d", "key", "keys/*"),
    named("W", "keys/*/import", "c", "key", "keys/*"),
    named("W", "keys/*/import_version", "u", "key", "keys/*"),
    named("W", "keys/*/csr", "u", "key", "keys/*"),
    named("W", "keys/*/set-certificate", "u", "key", "keys/*"),
    row("W", "keys/*", "c", "key"),
    row("D", "keys/*", "d", "key"),
    named("R", "export/*/*", "s", "key", "keys/{2}"),
    named("R", "export/*/*/*", "s", "key", "keys/{2}"),
    named("R", "byok-export/*/*", "s", "key", "keys/{2}"),
    named("R", "byok-export/*/*/*", "s", "key", "keys/{2}"),
    named("R", "backup/*", "s", "key", "keys/*"),
    // Over the key that there is, where it is told to; the backup says what the key is called, unless the path does.
    named("W", "restore", "cd", "key", "keys/*"),
    named("W", "restore/*", "cd", "key", "keys/*"),
    row("R", "wrapping_key", "r", "key"),
    row("R", "cache-config", "r", "key-config"),
    row("W", "cache-config", "u", "key-config"),
    row("R", "config/keys", "r", "key-config"),
    row("W", "config/keys", "u", "key-config"),
    named("W", "encrypt/*", "u~", "key", "keys/*"),
    named("W", "decrypt/*", "s~", "key", "keys/*"),
    named("W", "rewrap/*", "u~", "key", "keys/*"),
    named("W", "datakey/plaintext/*", "s~", "key", "keys/*"),
    named("W", "datakey/wrapped/*", "u~", "key", "keys/*"),
    named("W", "datakey/*/*", "s~", "key", "keys/{2}"),
    named("W", "sign/*", "u~", "key", "keys/*"),
    named("W", "sign/*/*", "u~", "key", "keys/{1}"),
    named("W", "verify/*", "u~", "key", "keys/*"),
    named("W", "verify/*/*", "u~", "key", "keys/{1}"),
    named("W", "hmac/*", "u~", "key", "keys/*"),
    named("W", "hmac/*/*", "u~", "key", "keys/{1}"),
    named("W", "cmac/*", "u~", "key", "keys/*"),
    row("W", "random", "r", "tool"),
    row("W", "random/**", "r", "tool"),
    row("W", "hash", "r", "tool"),
    row("W", "hash/*", "r", "tool"),
];

/// What only an authority of certificates has.
const PKI: &[Row] = &[
    row("R", "crl/rotate", "u", "certificate"),
    row("R", "crl/rotate-delta", "u", "certificate"),
    row("R", "ca", "r", "certificate"),
    row("R", "ca/pem", "r", "certificate"),
    row("R", "ca_chain", "r", "certificate"),
    row("R", "crl", "r", "certificate"),
    row("R", "crl/**", "r", "certificate"),
    row("R", "cert/**", "r", "certificate"),
    row("R", "issuer/**", "r", "issuer"),
    row("R", "key/*", "r", "issuer"),
    row("R", "certs/**", "r", "certificate"),
    row("R", "tidy-status", "r", "certificate"),
    row("W", "intermediate/set-signed", "g", "issuer"),
    row("W", "root/sign-intermediate", "g", "certificate"),
    row("W", "root/sign-self-issued", "g", "certificate"),
    row("W", "root/replace", "g", "issuer"),
    row("W", "root/**", "cgs", "issuer"),
    row("W", "root", "cgs", "issuer"),
    row("D", "root", "d", "issuer"),
    row("W", "intermediate/**", "cgs", "issuer"),
    row("W", "issuers/**", "cgs", "issuer"),
    row("W", "keys/**", "cs", "issuer"),
    row("W", "issuer/*/revoke", "d", "issuer"),
    row("WP", "issuer/*", "g", "issuer"),
    row("W", "revoke", "d", "certificate"),
    row("W", "revoke-with-key", "d", "certificate"),
    row("W", "tidy", "d", "certificate"),
    row("W", "sign/**", "g", "certificate"),
    row("W", "sign-verbatim", "g", "certificate"),
    row("W", "sign-verbatim/**", "g", "certificate"),
];

/// Engines that hand out credentials of other programs, by the paths that they have in common.
const ISSUING: &[Row] = &[
    row("L", "**", "r", "role"),
    row("RW", "creds", "s", "credential"),
    row("RW", "creds/**", "s", "credential"),
    row("RW", "cred/**", "s", "credential"),
    row("RW", "static-cred/**", "s", "credential"),
    row("RW", "static-creds/**", "s", "credential"),
    row("RW", "sts/**", "s", "credential"),
    row("RW", "issue/**", "s", "credential"),
    row("RW", "**/token", "s", "credential"),
    row("RW", "**/key", "s", "credential"),
    row("RW", "token/**", "s", "credential"),
    row("RW", "key/**", "s", "credential"),
    row("W", "library/**/check-out", "s", "credential"),
    row("W", "library/**/check-in", "u", "credential"),
    row("R", "library/**", "r", "role"),
    row("W", "library/**", "g", "role"),
    row("W", "sign/**", "g", "credential"),
    row("W", "lookup", "r", "role"),
    row("W", "verify", "u", "credential"),
    row("W", "config/rotate-root", "u", "engine-config"),
    row("R", "config", "r", "engine-config"),
    row("R", "config/**", "r", "engine-config"),
    row("WP", "config", "ug", "engine-config"),
    row("WP", "config/**", "ug", "engine-config"),
    row("R", "public_key", "r", "key"),
    row("R", "roleset/*", "r", "role"),
    row("R", "static-account/*", "r", "role"),
    row("R", "impersonated-account/*", "r", "role"),
    row("W", "roleset/*", "g", "role"),
    row("W", "static-account/*", "g", "role"),
    row("W", "impersonated-account/*", "g", "role"),
    row("R", "role/**", "r", "role"),
    row("R", "roles/**", "r", "role"),
    row("R", "static-role/**", "r", "role"),
    row("R", "static-roles/**", "r", "role"),
    row("WP", "role/**", "g", "role"),
    row("WP", "roles/**", "g", "role"),
    row("WP", "static-role/**", "g", "role"),
    row("WP", "static-roles/**", "g", "role"),
    row("W", "reset/**", "u", "engine-config"),
    row("W", "rotate-root", "u", "engine-config"),
    row("RW", "rotate-root/**", "u", "engine-config"),
    row("W", "rotate-role/**", "u", "role"),
];

/// An engine of which nothing is known: what is read may be issued, and what is written may say to whom.
const UNKNOWN: &[Row] = &[
    row("L", "**", "r", "path"),
    row("R", "**", "s", "path"),
    row("WP", "**", "ugs", "path"),
    row("D", "**", "d", "path"),
];

/// Types that hand out credentials, as `vault secrets list` has them.
const ISSUERS: [&str; 20] = [
    "ad",
    "alicloud",
    "aws",
    "azure",
    "consul",
    "database",
    "gcp",
    "gcpkms",
    "keymgmt",
    "kmip",
    "kubernetes",
    "ldap",
    "mongodbatlas",
    "nomad",
    "openldap",
    "pki",
    "rabbitmq",
    "ssh",
    "terraform",
    "totp",
];

/// The tables of a type, the first that fits to be taken; what fits none is as wide as it may be.
pub(super) fn tables(kind: &str) -> Vec<&'static [Row]> {
    match kind {
        "kv-v2" => vec![KV_V2],
        "kv-v1" | "cubbyhole" => vec![KV_V1],
        "transit" => vec![TRANSIT],
        "pki" => vec![PKI, ISSUING, UNKNOWN],
        other if ISSUERS.contains(&other) => vec![ISSUING, UNKNOWN],
        _ => vec![UNKNOWN],
    }
}

#[cfg(test)]
pub(super) const ALL: [&[Row]; 6] = [KV_V2, KV_V1, TRANSIT, PKI, ISSUING, UNKNOWN];

/// Whether a type is one that is read here.
pub(super) fn is_known(kind: &str) -> bool {
    matches!(kind, "kv-v1" | "kv-v2" | "cubbyhole" | "transit") || ISSUERS.contains(&kind)
}
