//! The class of an operation's effect.
//!
//! A read needs two independent signals that agree, and none that speaks against it: the verb of its name, and the
//! level that AWS documents for its permission; where AWS documents none, a `GET` or `HEAD` under REST or the
//! vendor's own read-only trait stands in. Everything else is a change. What hands out secrets is a change too.
//!
//! Leaves out the parameters, by which the room may find a stricter class.

use ordain_action::Access;

use crate::words::{singular, words};

/// What is known of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signals<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The levels AWS documents for its permissions; empty where none is documented.
    pub(crate) levels: &'a [String],
    /// The method, where the protocol is REST.
    pub(crate) method: Option<&'a str>,
    /// The vendor's own trait.
    pub(crate) readonly: bool,
    /// The answer has a member that is named like a secret.
    pub(crate) hands_out_secrets: bool,
}

const READ: &[&str] = &[
    "Autocomplete",
    "Calculate",
    "Check",
    "Count",
    "Describe",
    "Estimate",
    "Filter",
    "Geocode",
    "Get",
    "Head",
    "Is",
    "List",
    "Lookup",
    "Preview",
    "Query",
    "Reverse",
    "Scan",
    "Search",
    "Select",
    "Simulate",
    "Suggest",
    "Validate",
    "View",
];
const DELETE: &[&str] = &[
    "Abort",
    "Cancel",
    "Clear",
    "Deactivate",
    "Decommission",
    "Delete",
    "Deprovision",
    "Deregister",
    "Destroy",
    "Disable",
    "Discard",
    "Drop",
    "Forget",
    "Pause",
    "Purge",
    "Release",
    "Remove",
    "Retire",
    "Revoke",
    "Stop",
    "Suspend",
    "Terminate",
    "Undeploy",
    "Unpublish",
    "Unsubscribe",
    "Withdraw",
];
const CREATE: &[&str] = &[
    "Allocate",
    "Buy",
    "Clone",
    "Copy",
    "Create",
    "Duplicate",
    "Enroll",
    "Generate",
    "Import",
    "Initiate",
    "Invite",
    "Issue",
    "Launch",
    "Order",
    "Provision",
    "Purchase",
    "Register",
    "Request",
    "Restore",
    "Subscribe",
    "Upload",
];
const EXECUTE: &[&str] = &["Chat", "Converse", "Dispatch", "Execute", "Invoke", "Run", "Submit", "Trigger"];
/// What is started under another authority; anything else that starts only changes its state.
const RUNS: &[&str] = &[
    "Automation",
    "Build",
    "Command",
    "Crawler",
    "Deployment",
    "Execution",
    "Job",
    "Pipeline",
    "Query",
    "Run",
    "Session",
    "Statement",
    "Task",
    "Workflow",
];
/// A policy of one of these says who may do what; other policies scale, rotate or expire things.
const POLICY_OF: &[&str] = &[
    "Access",
    "Assume",
    "Auth",
    "Authorization",
    "Boundary",
    "Bucket",
    "Container",
    "Key",
    "Permissions",
    "Registry",
    "Repository",
    "Resource",
    "Role",
    "System",
    "Trust",
    "User",
    "Group",
    "Vault",
    "Topic",
    "Queue",
];
/// Words one after another, in the singular, of names of what lets somebody act, says who somebody is, or opens what
/// is ours to somebody else. Whoever makes or changes one hands over authority.
const AUTHORITY: &[&[&str]] = &[
    &["access", "control"],
    &["access", "entry"],
    &["access", "grant"],
    &["access", "key"],
    &["access", "policy"],
    &["access", "profile"],
    &["account", "assignment"],
    &["admin", "account"],
    &["api", "key"],
    &["application", "assignment"],
    &["authorizer"],
    &["credential"],
    &["cross", "account"],
    &["delegated", "admin"],
    &["delegated", "administrator"],
    &["endpoint", "access"],
    &["entitlement"],
    &["grant"],
    &["identity", "provider"],
    &["identity", "source"],
    &["idp"],
    &["key", "group"],
    &["membership"],
    &["peering", "authorization"],
    &["peering", "connection"],
    &["policy", "assignment"],
    &["principal"],
    &["public", "key"],
    &["service", "account"],
    &["share"],
    &["sharing"],
    &["trust"],
    &["trusted", "token"],
];
/// These take away, decline or only try, whatever they are about.
const GIVES_NOTHING: &[&str] =
    &["Decline", "Detach", "Disassociate", "Dissociate", "Reject", "Test", "Unlink"];
/// A user made, let in or changed is somebody who may act.
const ADMITS: &[&str] =
    &["Activate", "Add", "Associate", "Create", "Enable", "Invite", "Modify", "Register", "Update"];
/// A policy that is put or set on something says who may use it, unless it is one of these.
const HOUSEKEEPING: &[&str] = &[
    "Backup",
    "Cors",
    "Index",
    "Lifecycle",
    "Metric",
    "Protection",
    "Retention",
    "Retrieval",
    "Scaling",
    "Termination",
    "Tier",
];
/// Last words of names of operations that hand out what lets its holder act.
const HANDED_OUT: &[&str] =
    &["Credentials", "Credential", "Password", "Token", "Tokens", "Secret", "Url", "URL"];
const HANDED_OUT_BEFORE: &[&str] = &[
    "Access",
    "Auth",
    "Authorization",
    "Bearer",
    "Embed",
    "Federation",
    "Identity",
    "Id",
    "Login",
    "Oauth2",
    "Presigned",
    "Pre",
    "Refresh",
    "Session",
    "Sign",
    "Signed",
    "Signin",
    "Upload",
    "Download",
    "Connection",
    "Console",
    "Portal",
    "Role",
    "Cluster",
    "User",
    "Master",
    "Challenge",
    "App",
    "UI",
    "Compute",
    "Instance",
];

/// The class of an operation's effect.
pub(crate) fn classify(signals: Signals<'_>) -> Access {
    let words = words(signals.name);
    let verb = verb(&words);
    let reads = READ.contains(&verb);
    if reads && (signals.hands_out_secrets || names_a_secret(&words)) {
        return Access::SecretRead;
    }
    if reads && second_signal(signals) {
        return Access::Read;
    }
    change(&words, verb, signals)
}

/// Whether an operation of a class makes something new: what its request names is what that will live in, or uses.
/// A grant does where its name says both.
pub(crate) fn makes(name: &str, access: Access) -> bool {
    let words = words(name);
    let verb = verb(&words);
    access == Access::Create
        || (access == Access::Grant && CREATE.contains(&verb) && hands_over(&words, verb))
}

/// `AdminGetUser` and `BatchGetItem` read as `Get` does.
fn verb(words: &[String]) -> &str {
    let mut words = words.iter().map(String::as_str);
    match (words.next(), words.next()) {
        (Some("Admin" | "Batch"), Some(next)) => next,
        (Some(first), _) => first,
        (None, _) => "",
    }
}

fn second_signal(signals: Signals<'_>) -> bool {
    let writes = matches!(signals.method, Some("PUT" | "DELETE" | "PATCH"));
    if writes {
        return false;
    }
    if signals.levels.is_empty() {
        return signals.readonly || matches!(signals.method, Some("GET" | "HEAD"));
    }
    signals.levels.iter().all(|level| matches!(level.as_str(), "Read" | "List"))
}

fn names_a_secret(words: &[String]) -> bool {
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .take_while(|word| !matches!(*word, "For" | "From" | "With"))
        .collect();
    if words.contains(&"Presigned") {
        return true;
    }
    if matches!(words.first(), Some(&("Create" | "Exchange" | "Generate")))
        && matches!(words.last(), Some(&("Token" | "Tokens")))
    {
        return true;
    }
    let Some((last, before)) = words.split_last() else { return false };
    // A link that is made on asking carries its own authority.
    if matches!(words.first(), Some(&"Get")) && matches!(*last, "Url" | "URL") {
        return true;
    }
    let lists = matches!(words.first(), Some(&("List" | "Describe" | "Head" | "Search")));
    !lists
        && HANDED_OUT.contains(last)
        && (matches!(*last, "Credentials" | "Password")
            || before.last().is_some_and(|word| HANDED_OUT_BEFORE.contains(word)))
}

fn change(words: &[String], verb: &str, signals: Signals<'_>) -> Access {
    let level = |wanted: &str| signals.levels.iter().any(|level| level == wanted);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    if matches!(verb, "Tag" | "Untag") {
        return Access::Tag;
    }
    let policy = has(&["Policy", "Policies"]) && has(POLICY_OF);
    if level("Permissions management")
        || policy
        || has(&["Permission", "Permissions"])
        || has(&["Acl"]) && !has(&["Network"])
    {
        return Access::Grant;
    }
    let tags = has(&["Tags", "Tag", "Untag"]) && !has(&["Option", "Options", "Policy"]);
    if level("Tagging")
        || (tags && matches!(verb, "Tag" | "Untag" | "Add" | "Remove" | "Create" | "Delete" | "Update"))
    {
        return Access::Tag;
    }
    if verb == "Assume"
        || (matches!(verb, "Create" | "Generate" | "Exchange" | "Request") && names_a_secret(words))
    {
        return Access::SecretRead;
    }
    if DELETE.contains(&verb) {
        return Access::Delete;
    }
    if EXECUTE.contains(&verb) || (verb == "Start" && has(RUNS)) || (verb == "Send" && has(&["Command"])) {
        return Access::Execute;
    }
    if hands_over(words, verb) {
        return Access::Grant;
    }
    if CREATE.contains(&verb) {
        return Access::Create;
    }
    Access::Update
}

/// Whether the name says that somebody can do more afterwards: the conservative side, as exceptions are reviewed.
fn hands_over(words: &[String], verb: &str) -> bool {
    if READ.contains(&verb) || GIVES_NOTHING.contains(&verb) {
        return false;
    }
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let last = words.last().map_or("", String::as_str);
    let puts_policy = matches!(verb, "Put" | "Set") && last == "Policy" && !has(HOUSEKEEPING);
    let admits = ADMITS.contains(&verb) && matches!(last, "User" | "Users");
    let gives_role = matches!(verb, "Add" | "Associate" | "Attach") && has(&["Role"]);
    let plain: Vec<String> = words.iter().map(|word| singular(&word.to_ascii_lowercase())).collect();
    let named = AUTHORITY.iter().any(|phrase| {
        plain.windows(phrase.len()).any(|run| run.iter().zip(*phrase).all(|(word, wanted)| word == wanted))
    });
    puts_policy || admits || gives_role || named
}

/// Whether a member of an answer is named like a secret.
pub(crate) fn is_secret_name(name: &str, sensitive: bool) -> bool {
    let name = crate::words::plain(name);
    const ALWAYS: &[&str] = &[
        "secretaccesskey",
        "sessiontoken",
        "authorizationtoken",
        "presignedurl",
        "signedurl",
        "bearertoken",
    ];
    const WHEN_SENSITIVE: &[&str] = &[
        "password",
        "secret",
        "secretkey",
        "secretstring",
        "secretbinary",
        "secretvalue",
        "clientsecret",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "authtoken",
        "token",
        "privatekey",
        "keymaterial",
        "plaintext",
        "apikey",
        "credentials",
        "connectionstring",
        "passphrase",
        "presharedkey",
        "jointoken",
        "sharedsecret",
    ];
    ALWAYS.iter().any(|ending| name.ends_with(ending))
        || (sensitive && WHEN_SENSITIVE.iter().any(|ending| name.ends_with(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, level: &str, method: Option<&str>, expected: Access) {
        let levels = if level.is_empty() { Vec::new() } else { vec![level.to_owned()] };
        let signals = Signals { name, levels: &levels, method, readonly: false, hands_out_secrets: false };
        assert_eq!(classify(signals), expected, "{name}");
    }

    #[test]
    fn a_read_needs_two_signals() {
        check("DescribeInstances", "List", None, Access::Read);
        check("DescribeInstances", "", None, Access::Update);
        check("DescribeInstances", "Write", None, Access::Update);
        check("GetThing", "", Some("GET"), Access::Read);
        check("GetThing", "Read", Some("PUT"), Access::Update);
        check("DeliverConfigSnapshot", "Read", None, Access::Update);
        check("InvokeAgent", "Read", None, Access::Execute);
    }

    #[test]
    fn what_mints_is_no_read() {
        check("GetFederationToken", "Read", None, Access::SecretRead);
        check("GetClusterCredentials", "Read", None, Access::SecretRead);
        check("GetWorkloadAccessTokenForJWT", "Read", None, Access::SecretRead);
        check("AssumeRoleForPodIdentity", "Read", None, Access::SecretRead);
        check("CreateOAuth2Token", "Read", None, Access::SecretRead);
    }

    #[test]
    fn changes_are_told_apart() {
        check("TerminateInstances", "Write", None, Access::Delete);
        check("RunInstances", "Write", None, Access::Execute);
        check("StartInstances", "Write", None, Access::Update);
        check("StartPipelineExecution", "Write", None, Access::Execute);
        check("TagResource", "Tagging", None, Access::Tag);
        check("PutResourcePolicy", "Write", None, Access::Grant);
        check("BatchDeleteImage", "Write", None, Access::Delete);
    }

    #[test]
    fn what_hands_over_authority_is_a_grant() {
        for name in [
            "CreateAccountAssignment",
            "CreateGroupMembership",
            "CreateTrustAnchor",
            "CreateApiKey",
            "CreateAPIKey",
            "ImportSshPublicKey",
            "SendSSHPublicKey",
            "CreateResourceShare",
            "ShareDirectory",
            "CreateNetworkInterfacePermission",
            "CreateUser",
            "AddRoleToDBCluster",
            "PutSinkPolicy",
        ] {
            check(name, "Write", None, Access::Grant);
        }
        check("PutScalingPolicy", "Write", None, Access::Update);
        check("RejectResourceShareInvitation", "Write", None, Access::Update);
        check("DeleteApiKey", "Write", None, Access::Delete);
        check("SearchPrincipals", "", None, Access::Update);
    }
}
