//! What operations do besides what their verb says, by the names of types and actions.
//!
//! A name that is known to no library falls under the same words, so that a new type of a known sort is not taken for
//! less than it is. Leaves out bodies (`body.rs`).

use ordain_action::Access;

use super::asked::Verb;

/// Types that say who may do what, or what may be done at all.
const GRANTING: [&str; 36] = [
    "accesspolicies",
    "accesspolicyassignments",
    "administrators",
    "authorizationrules",
    "authorizations",
    "azureadonlyauthentications",
    "cassandraroleassignments",
    "cassandraroledefinitions",
    "denyassignments",
    "federatedidentitycredentials",
    "gremlinroleassignments",
    "gremlinroledefinitions",
    "localusers",
    "locks",
    "mongodbroledefinitions",
    "mongodbuserdefinitions",
    "policyassignments",
    "policydefinitions",
    "policyexemptions",
    "policysetdefinitions",
    "principalassignments",
    "registrationassignments",
    "registrationdefinitions",
    "roleassignmentapprovals",
    "roleassignments",
    "roleassignmentschedulerequests",
    "roleassignmentschedules",
    "roledefinitions",
    "roleeligibilityschedulerequests",
    "roleeligibilityschedules",
    "rolemanagementpolicies",
    "rolemanagementpolicyassignments",
    "scopemaps",
    "sqlroleassignments",
    "sqlroledefinitions",
    "tokens",
];

/// Types that open something to a network, or say to whom it is open.
const EXPOSING: [&str; 34] = [
    "accessrules",
    "adminrules",
    "applicationgateways",
    "azurefirewalls",
    "bastionhosts",
    "customdomains",
    "firewallpolicies",
    "firewallrules",
    "frontendendpoints",
    "inboundnatrules",
    "ipv6firewallrules",
    "managedprivateendpoints",
    "natgateways",
    "natrulecollections",
    "networkrulesets",
    "networksecuritygroups",
    "networksecurityperimeters",
    "outboundfirewallrules",
    "p2svpngateways",
    "privateendpointconnections",
    "privatelinkservices",
    "publicipaddresses",
    "publicipprefixes",
    "remoteendpoints",
    "rulecollectiongroups",
    "rulecollections",
    "securityadminconfigurations",
    "securityrules",
    "securityuserconfigurations",
    "virtualnetworkgateways",
    "virtualnetworkpeerings",
    "virtualnetworkrules",
    "virtualnetworktaps",
    "vpnconnections",
];

/// Types that run something, under an authority of their own.
const EXECUTING: [&str; 37] = [
    "applications",
    "blueprintassignments",
    "buildsteps",
    "codeversions",
    "commands",
    "content",
    "continuouswebjobs",
    "deploymentscripts",
    "diagnosticruncommands",
    "draft",
    "experiments",
    "extensions",
    "fluxconfigurations",
    "functions",
    "guestconfigurationassignments",
    "hybridrunbookworkergroups",
    "jobs",
    "jobschedules",
    "kubernetesconfigurations",
    "msdeploy",
    "onedeploy",
    "pipelineruns",
    "pipelines",
    "publish",
    "remediations",
    "runbooks",
    "runcommands",
    "runs",
    "scripts",
    "siteextensions",
    "sourcecontrols",
    "steps",
    "taskruns",
    "tasks",
    "triggeredwebjobs",
    "webhooks",
    "workflows",
];

/// Types whose resources hold others that are opened when they are taken away.
const OPENED_BY_DELETE: [&str; 12] = [
    "accessrules",
    "adminrules",
    "azurefirewalls",
    "firewallpolicies",
    "networkrulesets",
    "networksecuritygroups",
    "networksecurityperimeters",
    "rulecollectiongroups",
    "rulecollections",
    "securityadminconfigurations",
    "securityrules",
    "virtualnetworkrules",
];

/// What a last segment says that is an action by itself, and no type.
const ACTING: [&str; 30] = [
    "abort",
    "activate",
    "approve",
    "cancel",
    "commit",
    "create",
    "deactivate",
    "deallocate",
    "delete",
    "disable",
    "enable",
    "exec",
    "execute",
    "failover",
    "invoke",
    "migrate",
    "move",
    "poweroff",
    "purge",
    "redeploy",
    "regeneratekey",
    "reset",
    "restart",
    "restore",
    "run",
    "runcommand",
    "start",
    "stop",
    "suspend",
    "swap",
];

/// Words of actions and types by which an answer holds a secret.
const SECRET: [&str; 23] = [
    "accesskey",
    "accountsas",
    "authkey",
    "authtoken",
    "callback",
    "connectioninfo",
    "connectionstring",
    "credential",
    "dataplaneaccess",
    "debugcredential",
    "deliveryattributes",
    "fullurl",
    "gatewaysettings",
    "loginlink",
    "passphrase",
    "password",
    "publishxml",
    "secret",
    "servicesas",
    "shareablelink",
    "ssotoken",
    "vpnclientpackage",
    "vpnprofile",
];

/// What is read with GET, and has a secret in its answer.
const SECRET_TYPES: [&str; 15] = [
    "microsoft.containerservice/managedclusters/accessprofiles",
    "microsoft.devtestlab/labs/users/secrets",
    "microsoft.documentdb/databaseaccounts/readonlykeys",
    "microsoft.hdinsight/clusters/configurations",
    "microsoft.network/connections/sharedkey",
    "microsoft.network/expressroutecircuits/authorizations",
    "microsoft.network/expressrouteports/authorizations",
    "microsoft.network/vpngateways/vpnconnections/vpnlinkconnections/sharedkeys",
    "microsoft.web/sites/config/list",
    "microsoft.web/sites/functions/token",
    "microsoft.web/sites/host/systemkeys",
    "microsoft.web/sites/slots/config/list",
    "microsoft.web/sites/slots/functions/token",
    "microsoft.web/sites/functions/keys",
    "microsoft.web/sourcecontrols",
];

/// Actions whose answers have secrets though their words do not say so.
const SECRET_ACTIONS: [&str; 22] = [
    "microsoft.apimanagement/service/gateways/listtrace",
    "microsoft.apimanagement/service/gateways/generatetoken",
    "microsoft.apimanagement/service/gettoken",
    "microsoft.apimanagement/service/namedvalues/listvalue",
    "microsoft.apimanagement/service/users/generatessourl",
    "microsoft.apimanagement/service/users/token",
    "microsoft.apimanagement/service/workspaces/namedvalues/listvalue",
    "microsoft.compute/disks/begingetaccess",
    "microsoft.compute/restorepointcollections/restorepoints/diskrestorepoints/begingetaccess",
    "microsoft.compute/snapshots/begingetaccess",
    "microsoft.compute/sshpublickeys/generatekeypair",
    "microsoft.compute/virtualmachines/retrievebootdiagnosticsdata",
    "microsoft.compute/virtualmachinescalesets/virtualmachines/retrievebootdiagnosticsdata",
    "microsoft.datafactory/factories/getgithubaccesstoken",
    "microsoft.devtestlab/labs/virtualmachines/getrdpfilecontents",
    "microsoft.devtestlab/labs/generateuploaduri",
    "microsoft.web/sites/backups/list",
    "microsoft.web/sites/config/list",
    "microsoft.web/sites/listbackups",
    "microsoft.web/sites/slots/backups/list",
    "microsoft.web/sites/slots/config/list",
    "microsoft.web/sites/slots/listbackups",
];

/// Whether a segment, or the last of a key, is an action and no type.
pub(super) fn acts(key: &str) -> bool {
    ACTING.contains(&last(key))
}

/// Whether a request goes on to something of the tenant's own behind the plane, which does with it what it likes: the
/// host of a site's functions, or the tools beside a site.
pub(super) fn passes_on(key: &str) -> bool {
    key.starts_with("microsoft.web/sites/") && (key.contains("/hostruntime") || key.contains("/extensions/"))
}

/// Whether the answer has a secret in it: by the name of an action, or of a type that says so.
pub(super) fn hands_out(key: &str) -> bool {
    let own = last(key);
    let asks =
        ["list", "get", "generate", "retrieve", "fetch", "show"].iter().any(|verb| own.starts_with(verb));
    let says_keys =
        own == "token" || (asks && ["keys", "key", "tokens", "token"].iter().any(|end| own.ends_with(end)));
    let settings = own.starts_with("list") && own.ends_with("appsettings");
    SECRET_TYPES.contains(&key)
        || SECRET_ACTIONS.contains(&key)
        || says_keys
        || settings
        || (asks && SECRET.iter().any(|word| own.contains(word)))
        || ["listconfigurations", "listsas", "pnscredentials", "publishxml", "sastoken"].contains(&own)
}

fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// What a type makes of being written or deleted, besides that.
pub(super) fn of_type(key: &str, verb: Verb) -> Vec<Access> {
    let own = last(key);
    let provider = key.split('/').next().unwrap_or_default();
    let mut found = Vec::new();
    let granting = GRANTING.contains(&own)
        || own.contains("accessreview")
        || own.contains("roleassignment")
        || own.contains("roledefinition")
        || (provider == "microsoft.management" && matches!(own, "settings" | "subscriptions"));
    if granting {
        found.push(Access::Grant);
    }
    if (verb != Verb::Delete && EXPOSING.contains(&own))
        || (verb == Verb::Delete && OPENED_BY_DELETE.contains(&own))
    {
        found.push(Access::Expose);
    }
    if passes_on(key) || (verb != Verb::Delete && EXECUTING.contains(&own)) {
        found.push(Access::Execute);
    }
    found
}

/// What an action does that is not known to read.
pub(super) fn of_action(key: &str) -> Vec<Access> {
    let own = last(key);
    let begins = |words: &[&str]| words.iter().any(|word| own.starts_with(word));
    let mut found = Vec::new();
    if passes_on(key) {
        found.push(Access::Execute);
    }
    if begins(&["regenerate", "rotate", "renew", "reset", "newpassword", "sync", "resync"]) {
        found.push(Access::Update);
    }
    if hands_out(key) || (own.contains("key") && begins(&["regenerate", "createquerykey", "newpassword"])) {
        found.push(Access::SecretRead);
    }
    if [
        "elevateaccess",
        "acceptownership",
        "addprincipals",
        "removeprincipals",
        "createbillingroleassignment",
    ]
    .contains(&own)
        || own.contains("owner")
    {
        found.push(Access::Grant);
    }
    if begins(&["createshareablelinks", "begingetaccess", "publish", "share"]) {
        found.push(Access::Expose);
    }
    if begins(&[
        "run",
        "exec",
        "invoke",
        "schedulerun",
        "createrun",
        "installpatches",
        "deploy",
        "trigger",
        "zipdeploy",
        "applyartifacts",
    ]) {
        found.push(Access::Execute);
    }
    let ends = [
        "abort",
        "cancel",
        "deallocate",
        "delete",
        "detach",
        "disable",
        "disconnect",
        "poweroff",
        "purge",
        "remove",
        "revoke",
        "stop",
        "suspend",
        "unregister",
        "clear",
        "terminate",
    ];
    if begins(&ends) {
        found.push(Access::Delete);
    }
    if found.is_empty() {
        found.push(Access::Update);
    }
    found
}
