//! What a body adds to a request: what it binds, whom it names, and what it lets somebody do.
//!
//! Leaves out what the request does by its head (`class.rs`).

use ordain_action::{Access, Resource, Role, Scalar, Undecodable};

use super::bad;
use super::class::Class;
use super::name::{Name, is_guid, referred};
use super::path::{One, Verb};
use crate::form::Fields;
use crate::form::fields::{segments, unescape};
use crate::form::query::Pair;
use crate::rest::Names;

/// The most references that one request is read with.
const REFERENCES_MAX: usize = 1_024;

/// Members that hold secrets, beside those that look like it, in lower case.
pub(super) const SECRETS: [&str; 17] = [
    "activationcode",
    "apikey",
    "apppassword",
    "certificate",
    "clientstate",
    "code",
    "k",
    "key",
    "newpassword",
    "pfxblobkey",
    "pin",
    "secret",
    "secrettext",
    "sharedsecret",
    "temporaryaccesspass",
    "token",
    "value",
];

/// Members of a user or a group by which nobody is let in or chosen, in lower case.
const PLAIN: [&str; 12] = [
    "aboutme",
    "birthday",
    "description",
    "displayname",
    "givenname",
    "interests",
    "mysite",
    "pastprojects",
    "preferredlanguage",
    "preferredname",
    "surname",
    "theme",
];

/// Members by which somebody may do more or other than before, wherever they stand.
const GRANTING: [&str; 30] = [
    "acceptedsenders",
    "accountenabled",
    "allowedmembers",
    "api",
    "approleassignedto",
    "approleassignments",
    "approles",
    "approleid",
    "assignments",
    "clientid",
    "federatedidentitycredentials",
    "grantedto",
    "grantedtov2",
    "isassignabletorole",
    "keycredentials",
    "members",
    "membershiprule",
    "oauth2permissiongrants",
    "oauth2permissionscopes",
    "owners",
    "passwordcredentials",
    "passwordprofile",
    "permissions",
    "preauthorizedapplications",
    "principalid",
    "recipients",
    "requiredresourceaccess",
    "roledefinitionid",
    "roles",
    "usertype",
];

/// Members that send something out, or open it.
const EXPOSING: [&str; 8] = [
    "callbackuri",
    "forwardasattachmentto",
    "forwardto",
    "lifecyclenotificationurl",
    "notificationurl",
    "redirectto",
    "targeturl",
    "webhookurl",
];

/// Members that run on machines.
const EXECUTING: [&str; 7] = [
    "detectionscriptcontent",
    "installcommandline",
    "remediationscriptcontent",
    "rulescriptcontent",
    "scriptcontent",
    "uninstallcommandline",
    "postinstallscript",
];

/// What says who may do what by the ids in its body.
const ASSIGNING: [&str; 9] = [
    "approleassignedto",
    "approleassignments",
    "oauth2permissiongrants",
    "roleassignments",
    "roleassignmentschedulerequests",
    "roleeligibilityschedulerequests",
    "assignmentschedulerequests",
    "eligibilityschedulerequests",
    "roleassignmentapprovals",
];

/// What a body and a query name beside the path, and what they add to what is done.
///
/// # Errors
/// A reference leads nowhere, or is none.
pub(super) fn read(
    one: &One,
    fields: &Fields,
    query: &[Pair<'_>],
    names: Names<'_>,
    class: &mut Class,
) -> Result<Vec<Resource>, Undecodable> {
    let words = one.way.words();
    let mut all = Vec::new();
    let mut referred_to = 0;
    for (path, value) in fields.iter() {
        let parts: Vec<String> = segments(path).map(unescape).collect();
        for part in &parts {
            let member = part.split('@').next().unwrap_or_default().to_ascii_lowercase();
            add(class, &member, value);
        }
        let key = parts.iter().rev().find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
        let key = key.map(|key| key.to_ascii_lowercase()).unwrap_or_default();
        if key == "@odata.id" || key.ends_with("@odata.bind") {
            let Scalar::Text(url) = value else {
                // Nothing is bound by nothing: what was bound is let go of.
                class.accesses.insert(Access::Grant);
                continue;
            };
            referred_to += 1;
            all.push(referred(url)?.one(names, Role::Target));
            class.accesses.insert(Access::Grant);
        }
        let at_top = parts.len() == 1;
        if at_top && let Scalar::Text(text) = value {
            all.extend(assigned(&words, &key, text, names));
            if key == "visibility" && text.eq_ignore_ascii_case("public")
                || key == "scope" && text == "anonymous"
            {
                class.accesses.insert(Access::Expose);
            }
        }
    }
    if one.verb != Verb::Get && words.last().is_some_and(|last| last == "$ref") {
        referred_to += by_query(one, query, names, &mut all)?;
        let named = matches!(one.way.steps.iter().rev().nth(1), Some(super::path::Step::Id(_)));
        if referred_to == 0 && one.verb != Verb::Delete {
            return Err(bad("the request refers to nothing; name it in `@odata.id`"));
        }
        if referred_to == 0 && !named && one.way.is_in_many() {
            return Err(bad("the request does not say what it takes away; name it in the path"));
        }
    }
    if all.len() > REFERENCES_MAX {
        return Err(Undecodable::new(
            "too_many_resources",
            "more is named than is judged at once; send less",
        ));
    }
    if says_more(one, &words, fields) {
        class.accesses.insert(Access::Grant);
    }
    let credential = |path: &str| {
        let first = segments(path).next().map(|first| unescape(first).to_ascii_lowercase());
        first.is_some_and(|first| first == "passwordcredentials")
    };
    let of_app = words.iter().any(|word| matches!(word.as_str(), "applications" | "serviceprincipals"));
    if of_app && one.verb != Verb::Get && fields.iter().any(|(path, _)| credential(path)) {
        // Its text is in the answer.
        class.mints = true;
        class.accesses.insert(Access::SecretRead);
    }
    Ok(all)
}

fn add(class: &mut Class, member: &str, value: Scalar<'_>) {
    if class.accesses.contains(&Access::Read) {
        return;
    }
    if GRANTING.contains(&member) {
        class.accesses.insert(Access::Grant);
    }
    if EXPOSING.contains(&member) && !matches!(value, Scalar::Null) {
        class.accesses.insert(Access::Expose);
    }
    if EXECUTING.contains(&member) {
        class.accesses.insert(Access::Execute);
    }
}

/// Whether a user or a group is said to be more than what it is called: rules choose by the rest, or it lets in.
fn says_more(one: &One, words: &[String], fields: &Fields) -> bool {
    let itself = matches!(words, [first] if first == "users" || first == "groups");
    itself
        && matches!(one.verb, Verb::Patch | Verb::Put)
        && fields.iter().any(|(path, _)| {
            let first = segments(path).next().map(|first| unescape(first).to_ascii_lowercase());
            first.is_none_or(|first| !PLAIN.contains(&first.as_str()))
        })
}

/// What is taken away by a reference in the query.
fn by_query(
    one: &One,
    query: &[Pair<'_>],
    names: Names<'_>,
    all: &mut Vec<Resource>,
) -> Result<usize, Undecodable> {
    let mut found = 0;
    for pair in query {
        if !matches!(pair.name.to_ascii_lowercase().as_str(), "@id" | "$id" | "id" | "@odata.id") {
            continue;
        }
        found += 1;
        if found > 1 || one.verb != Verb::Delete {
            return Err(bad("the query refers to more than the request takes; name one thing once"));
        }
        all.push(referred(&pair.value)?.one(names, Role::Target));
    }
    Ok(found)
}

/// What an assignment names by an id: who gets it, and what it is for.
fn assigned(words: &[String], key: &str, text: &str, names: Names<'_>) -> Vec<Resource> {
    if !words.iter().any(|word| ASSIGNING.contains(&word.as_str())) {
        return Vec::new();
    }
    let id = text.to_ascii_lowercase();
    let at = |parts: &[&str], role| {
        let kind = parts.iter().rev().nth(1).copied().unwrap_or_default();
        vec![names.one(role, kind, parts)]
    };
    match key {
        "principalid" if is_guid(&id) => at(&["directoryObjects", &id], Role::Target),
        "clientid" | "resourceid" if is_guid(&id) => at(&["servicePrincipals", &id], Role::Target),
        "roledefinitionid" => {
            let service =
                words.get(1).filter(|_| words.first().is_some_and(|first| first == "rolemanagement"));
            match service {
                Some(service) => at(&["roleManagement", service, "roleDefinitions", &id], Role::Uses),
                None => Vec::new(),
            }
        }
        "directoryscopeid" => scope(text, names),
        _ => Vec::new(),
    }
}

/// What a role is given for.
fn scope(text: &str, names: Names<'_>) -> Vec<Resource> {
    let id = text.trim_start_matches('/').to_ascii_lowercase();
    let name = match id.split_once('/') {
        None if id.is_empty() => return vec![names.whole(Role::Target)],
        None => ["directoryObjects", &id].map(str::to_owned).to_vec(),
        Some(("administrativeunits", unit)) => {
            ["directory", "administrativeUnits", unit].map(str::to_owned).to_vec()
        }
        Some(_) => return vec![names.whole(Role::Target)],
    };
    let kind = name.iter().rev().nth(1).cloned().unwrap_or_default();
    vec![Name { parts: name, kind, loose: false }.one(names, Role::Target)]
}
