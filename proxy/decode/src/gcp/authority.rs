//! What a body does beside what its method's name says: opens to the public, says who may do what, runs a script.
//!
//! Found by what the members and values are, whatever the method. Leaves out service accounts (`refer.rs`).

use std::collections::BTreeSet;

use ordain_action::{Access, Scalar};

use super::path::Route;
use super::sql::Sql;
use super::system::fold;
use crate::form::Fields;
use crate::form::query::Pair;

/// Everybody, as a policy names them.
const EVERYBODY: [&str; 4] =
    ["allUsers", "allAuthenticatedUsers", "domain:*", "principalSet://goog/public:all"];
/// Every address.
const EVERYWHERE: [&str; 5] = ["0.0.0.0/0", "::/0", "0.0.0.0", "internet", "*.*.*.*"];
/// Lists of access that everybody is on.
const PUBLIC_ACLS: [&str; 3] = ["publicread", "publicreadwrite", "authenticatedread"];

/// Keys of an instance's metadata that it runs.
const SCRIPTS: [&str; 16] = [
    "startup-script",
    "startup-script-url",
    "shutdown-script",
    "shutdown-script-url",
    "windows-startup-script-ps1",
    "windows-startup-script-cmd",
    "windows-startup-script-bat",
    "windows-startup-script-url",
    "windows-shutdown-script-ps1",
    "windows-shutdown-script-url",
    "sysprep-specialize-script-ps1",
    "sysprep-specialize-script-cmd",
    "sysprep-specialize-script-url",
    "user-data",
    "gce-container-declaration",
    "cloud-init",
];
/// Keys of it that say who may log in.
const LOGINS: [&str; 8] = [
    "ssh-keys",
    "sshkeys",
    "windows-keys",
    "enable-oslogin",
    "enable-oslogin-2fa",
    "block-project-ssh-keys",
    "serial-port-enable",
    "disable-legacy-endpoints",
];

/// Members that something is run by, wherever they stand.
const RUNS: [&str; 10] = [
    "initializationactions",
    "poststartupscript",
    "poststartupscripturi",
    "startupscript",
    "startupscriptgcsuri",
    "startupscripturl",
    "preupgradescript",
    "execstep",
    "remotescript",
    "userdata",
];

/// Members that say who may do what, by the first or the last part of their path.
const GRANTS: [&str; 11] = [
    "acl",
    "bucketpolicyonly",
    "defaultobjectacl",
    "bindings",
    "iampolicy",
    "accesscontrols",
    "iamaccesstoken",
    "invokeriamdisabled",
    "enablelegacyabac",
    "legacyabac",
    "uniformbucketlevelaccess",
];

/// Members that open something to a network.
const OPENS: [&str; 9] = [
    "ipfilter",
    "accessconfigs",
    "ipv6accessconfigs",
    "authorizednetworks",
    "externalips",
    "externalipaddress",
    "enableexternalip",
    "publicaccessprevention",
    "invokeriamdisabled",
];

/// What puts one object together of others.
pub(super) const COMPOSE: &str = "storage.objects.compose";

/// Whether the objects that one is put together of are deleted then.
pub(super) fn deletes_sources(body: &Fields) -> bool {
    !matches!(body.get("deleteSourceObjects"), None | Some(Scalar::Bool(false) | Scalar::Null))
}

/// What of a bucket says who may use it, whole, in the words of both of its APIs.
const ACCESS_OF_BUCKETS: [&str; 2] = ["iamconfig", "iamconfiguration"];

/// The classes of what a change does beside its own.
pub(super) fn beside(route: &Route, body: Option<&Fields>, query: &[Pair<'_>]) -> BTreeSet<Access> {
    let mut found = BTreeSet::new();
    if *route.method.id == *COMPOSE && body.is_some_and(deletes_sources) {
        found.insert(Access::Delete);
    }
    if route.service() == "storage" && route.method.http == "PUT" {
        replaced(route, &mut found);
    }
    for pair in query {
        let name = fold(&pair.name);
        if name.ends_with("mask") {
            masked(route, &pair.value, &mut found);
        }
        predefined(&name, &pair.value, &mut found);
    }
    // The list of access of a bucket or an object, one entry by its name.
    if route.parts.iter().any(|part| !part.literal && EVERYBODY.contains(&part.text.as_str())) {
        found.insert(Access::Expose);
    }
    let Some(body) = body else { return found };
    if is_sql(route) && !sql_only_asks(body) {
        found.insert(Access::Grant);
    }
    let is_dataset = route.service() == "bigquery" && route.operation().starts_with("datasets.");
    for (path, value) in body.iter() {
        let folded = fold(path);
        let mut parts = folded.split('.').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
        if is_dataset && parts.clone().next() == Some("access") {
            found.insert(Access::Grant);
        }
        member(&folded, &mut found);
        let last = parts.next_back().unwrap_or_default();
        // All that says who may use it is taken away at once.
        if ACCESS_OF_BUCKETS.contains(&folded.as_str()) && route.service() == "storage" {
            found.extend([Access::Grant, Access::Expose]);
        }
        // A key of a map, or the value beside `key` in a list of pairs.
        let Scalar::Text(text) = value else {
            metadata(last, &mut found);
            continue;
        };
        metadata(last, &mut found);
        if last.ends_with("mask") {
            masked(route, text, &mut found);
        }
        predefined(last, text, &mut found);
        if last == "key" {
            metadata(&text.to_ascii_lowercase(), &mut found);
        }
        if EVERYBODY.contains(&text) || text == "INGRESS_TRAFFIC_ALL" {
            found.insert(Access::Expose);
        }
        if EVERYWHERE.contains(&text) {
            found.insert(Access::Expose);
        }
    }
    found
}

/// A list of access by its name, which a call may be told beside what it makes.
fn predefined(name: &str, value: &str, found: &mut BTreeSet<Access>) {
    if name.ends_with("acl") && name.contains("predefined") {
        found.insert(Access::Grant);
        if PUBLIC_ACLS.contains(&fold(value).as_str()) {
            found.insert(Access::Expose);
        }
    }
}

/// What a member does by its name alone.
fn member(folded: &str, found: &mut BTreeSet<Access>) {
    for part in folded.split('.') {
        if GRANTS.contains(&part) {
            found.insert(Access::Grant);
        }
        if OPENS.contains(&part) {
            found.insert(Access::Expose);
        }
        if RUNS.contains(&part) {
            found.insert(Access::Execute);
        }
    }
}

/// What a mask names is written, and is taken away where the body does not have it.
fn masked(route: &Route, mask: &str, found: &mut BTreeSet<Access>) {
    for path in mask.split(',') {
        let folded = fold(path.trim());
        member(&folded, found);
        metadata(folded.rsplit('.').next().unwrap_or_default(), found);
        if route.service() == "storage" {
            if folded == "*" {
                replaced(route, found);
            } else if ACCESS_OF_BUCKETS.contains(&folded.as_str()) {
                found.extend([Access::Grant, Access::Expose]);
            }
        }
    }
}

/// A bucket or an object that is written anew has the access that this says, and none of what kept it closed.
fn replaced(route: &Route, found: &mut BTreeSet<Access>) {
    match route.operation() {
        "buckets.update" | "buckets.patch" => found.extend([Access::Grant, Access::Expose]),
        "objects.update" | "objects.patch" => {
            found.insert(Access::Grant);
        }
        _ => {}
    }
}

/// Whether a method runs statements in SQL that may say who may do what.
pub(super) fn is_sql(route: &Route) -> bool {
    route.service() == "bigquery" && matches!(route.operation(), "jobs.query" | "jobs.insert")
}

/// Whether the SQL of a body is one statement that asks: what it may write to is said beside it. Several statements, or one
/// that begins otherwise, may be any.
fn sql_only_asks(body: &Fields) -> bool {
    let sql = body.text("query").or_else(|| body.text("configuration.query.query"));
    sql.is_none_or(|sql| Sql::read(sql).asks)
}

fn metadata(key: &str, found: &mut BTreeSet<Access>) {
    if SCRIPTS.contains(&key) {
        found.insert(Access::Execute);
    }
    if LOGINS.contains(&key) {
        found.insert(Access::Grant);
    }
}
