//! What a request touches, by name: its path without the version, ids that are GUIDs in lower case.
//!
//! What has a root of its own is called by that wherever it is reached from (`/users/U/managedDevices/D` is
//! `deviceManagement/managedDevices/D`). What is changed by another key than its id may be any: it is one of all of its
//! sort. Leaves out what bodies name (`body.rs`).

use ordain_action::{Resource, Role, Undecodable};

use super::bad;
use super::path::{Step, Way};
use crate::rest::Names;

/// What is known by a root of its own, by the word before its id.
const ROOTED: [(&str, &[&str]); 10] = [
    ("cloudpcs", &["deviceManagement", "virtualEndpoint", "cloudPCs"]),
    ("manageddevices", &["deviceManagement", "managedDevices"]),
    ("comanageddevices", &["deviceManagement", "managedDevices"]),
    ("oauth2permissiongrants", &["oauth2PermissionGrants"]),
    ("sites", &["sites"]),
    ("drives", &["drives"]),
    ("joinedteams", &["teams"]),
    ("chats", &["chats"]),
    ("devices", &["devices"]),
    ("mobileapps", &["deviceAppManagement", "mobileApps"]),
];

/// The longest reference that is read, in bytes.
const REFERENCE_MAX: usize = 2_048;

/// How strong a proof of who somebody is has to be.
const STRENGTHS: &[&str] = &["identity", "conditionalAccess", "authenticationStrength", "policies"];

/// Two places of the API that are one, each by how it begins.
const SAME: [(&[&str], &[&str]); 17] = [
    (&["administrativeunits"], &["directory", "administrativeUnits"]),
    (&["connections"], &["external", "connections"]),
    (&["conditionalaccess"], &["identity", "conditionalAccess"]),
    (&["identityproviders"], &["identity", "identityProviders"]),
    (&["policies", "conditionalaccesspolicies"], &["identity", "conditionalAccess", "policies"]),
    (&["policies", "authenticationmethodspolicy"], &["authenticationMethodsPolicy"]),
    (&["education", "users"], &["users"]),
    (&["education", "classes"], &["groups"]),
    (&["bookingbusinesses"], &["solutions", "bookingBusinesses"]),
    (&["policies", "authenticationstrengthpolicies"], STRENGTHS),
    (&["identity", "conditionalaccess", "authenticationstrengths", "policies"], STRENGTHS),
    (&["identitygovernance", "termsofuse", "agreements"], &["agreements"]),
    (
        &["identitygovernance", "entitlementmanagement", "accesspackagecatalogs"],
        &["identityGovernance", "entitlementManagement", "catalogs"],
    ),
    (&["identitygovernance", "catalogs"], &["identityGovernance", "entitlementManagement", "catalogs"]),
    (
        &["identitygovernance", "entitlementmanagement", "accesspackageassignmentpolicies"],
        &["identityGovernance", "entitlementManagement", "assignmentPolicies"],
    ),
    (&["riskyusers"], &["identityProtection", "riskyUsers"]),
    (&["privacy", "subjectrightsrequests"], &["security", "subjectRightsRequests"]),
];

/// Whose ids are GUIDs: what else stands in the place of one is another key of theirs.
const BY_GUID: [&str; 17] = [
    "administrativeunits",
    "applications",
    "contacts",
    "deleteditems",
    "devices",
    "directoryobjects",
    "directoryroles",
    "federatedidentitycredentials",
    "groups",
    "joinedteams",
    "lists",
    "manageddevices",
    "members",
    "owners",
    "serviceprincipals",
    "teams",
    "users",
];

/// What leads to some user, and not to which.
const SOMEBODY: [&str; 4] = ["createdbyuser", "inviteduser", "lastmodifiedbyuser", "user"];

/// Whose ids may look like GUIDs that are written without their dashes.
const OF_HEX: [&str; 4] = ["compliance", "connections", "external", "security"];

/// A path as a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub parts: Vec<String>,
    /// The last word of the API's own.
    pub kind: String,
    /// It is one of all that the parts hold: which one, nobody knows from the path.
    pub loose: bool,
}

/// A path as a name; for what is changed, no more exactly than the path says it.
pub(super) fn of(way: &Way, changes: bool) -> Name {
    let mut name = Name { parts: Vec::new(), kind: "tenant".to_owned(), loose: false };
    let mut words: Vec<String> = Vec::new();
    for (at, step) in way.steps.iter().enumerate() {
        match step {
            Step::Word(word) if word.starts_with('$') => {}
            Step::Word(word) => {
                let lower = word.to_ascii_lowercase();
                let first = words.is_empty();
                words.push(lower.clone());
                name.kind = (*word).to_owned();
                // A group's team has the id of the group.
                if lower == "team"
                    && name.parts.len() == 2
                    && name.parts.first().is_some_and(|one| one == "groups")
                {
                    name.parts = vec!["teams".to_owned(), name.parts.pop().unwrap_or_default()];
                    continue;
                }
                let aside = lower == "drive" && at > 0 || lower == "shares" && first;
                if changes && SOMEBODY.contains(&lower.as_str()) && at + 1 < way.steps.len() {
                    return Name { parts: vec!["users".to_owned()], kind: "users".to_owned(), loose: true };
                }
                if changes && (aside || lower == "directoryobjects" && first) {
                    // Which drive that is, or which object, no path says.
                    name.parts = if aside { vec!["drives".to_owned()] } else { Vec::new() };
                    name.kind = if aside { "drives".to_owned() } else { name.kind };
                    name.loose = at + 1 < way.steps.len() || aside;
                    if name.loose {
                        return name;
                    }
                    name.parts = vec![(*word).to_owned()];
                    continue;
                }
                name.parts.push((*word).to_owned());
            }
            Step::Id(id) => {
                name.parts = rooted(&words, name.parts);
                if changes && !is_id(&words, id) {
                    return Name { loose: true, ..same(name) };
                }
                name.parts.push(folded(&words, id));
            }
            Step::Other(_) if changes => return Name { loose: true, ..same(name) },
            Step::Other(key) => name.parts.push(key.clone()),
            // What a function leads to is another thing than the one that it is asked of: of which site, or which cells.
            Step::Call(word, _) if changes => {
                if *word == "getByPath" {
                    name.parts = vec!["sites".to_owned()];
                }
                return Name { loose: true, ..same(name) };
            }
            Step::Call(word, given) => {
                let given: Vec<&str> = given.iter().map(|(_, value)| value.as_str()).collect();
                name.parts.push(format!("{word}({})", given.join(",")));
            }
        }
    }
    same(name)
}

/// The name of the place where two places are one.
fn same(mut name: Name) -> Name {
    let begins = |start: &&[&str]| {
        name.parts.len() >= start.len()
            && start.iter().zip(&name.parts).all(|(one, part)| part.eq_ignore_ascii_case(one))
    };
    if let Some((start, root)) = SAME.iter().find(|(start, _)| begins(start)) {
        let rest = name.parts.split_off(start.len());
        name.parts = root.iter().map(|one| (*one).to_owned()).chain(rest).collect();
    }
    name
}

/// What an id stands in, by its own root where it has one.
fn rooted(words: &[String], parts: Vec<String>) -> Vec<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let root = match words.as_slice() {
        // Whose list of plans it is that one is taken from, the plane does not ask.
        ["users" | "groups", "planner", "plans"] => Some(&["planner", "plans"][..]),
        [.., before] => ROOTED.iter().find(|(word, _)| word == before).map(|(_, root)| *root),
        [] => None,
    };
    root.map_or(parts, |root| root.iter().map(|one| (*one).to_owned()).collect())
}

/// An id as it is compared: GUIDs and domains mean the same in any case.
fn folded(words: &[String], id: &str) -> String {
    if is_guid(id) || words.last().is_some_and(|before| before == "domains") {
        id.to_ascii_lowercase()
    } else {
        id.to_owned()
    }
}

/// Whether it is an id, and not something else by which the plane finds one.
fn is_id(words: &[String], id: &str) -> bool {
    let before = words.last().map_or("", String::as_str);
    let of_hex = words.first().is_some_and(|first| OF_HEX.contains(&first.as_str()));
    let bare: Vec<char> = id.chars().filter(|one| one.is_alphanumeric()).collect();
    let other_guid = bare.len() == 32 && bare.iter().all(char::is_ascii_hexdigit) && !is_guid(id);
    if other_guid && !(of_hex && id.len() == 32) {
        return false;
    }
    // Lists of what somebody has to do are called by no title.
    if before == "lists" && words.iter().any(|word| word == "todo") {
        return true;
    }
    if before == "sites" {
        // The id of a site is its host, and two GUIDs.
        let parts: Vec<&str> = id.split(',').collect();
        return matches!(parts.as_slice(), [_, site, web] if is_guid(site) && is_guid(web));
    }
    !BY_GUID.contains(&before) || is_guid(id)
}

/// Whether a text is a GUID.
pub(super) fn is_guid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if dashes.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

impl Name {
    /// An object of the directory, of whatever sort; any of them where that is no id of one.
    pub(super) fn of_object(id: &str) -> Self {
        let known = is_guid(id).then(|| id.to_ascii_lowercase());
        let loose = known.is_none();
        let parts = std::iter::once("directoryObjects".to_owned()).chain(known).collect();
        Self { parts, kind: "directoryObjects".to_owned(), loose }
    }

    /// It, or any of what it may be.
    pub(super) fn one(&self, names: Names<'_>, role: Role) -> Resource {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        if self.loose {
            return names.all(role, &self.kind, &parts);
        }
        if parts.is_empty() {
            return names.whole(role);
        }
        names.one(role, &self.kind, &parts)
    }

    /// All that is in it.
    pub(super) fn all(&self, names: Names<'_>, role: Role) -> Resource {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        names.all(role, &self.kind, &parts)
    }
}

/// What a path is done in or to, without its last steps.
pub(super) fn without(way: &Way, last: usize) -> Way {
    let mut shorter = way.clone();
    shorter.steps.truncate(way.steps.len().saturating_sub(last));
    shorter
}

/// What is referred to by a URL of the API, or by a path of it.
///
/// # Errors
/// It is none of the plane's, or leads nowhere.
pub(super) fn referred(url: &str) -> Result<Vec<Name>, Undecodable> {
    if url.len() > REFERENCE_MAX {
        return Err(bad("a reference is longer than any path; refer to one thing by its own path"));
    }
    let path = match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let known = super::HOSTS.iter().any(|own| own.eq_ignore_ascii_case(host));
            if !scheme.eq_ignore_ascii_case("https") || !known {
                return Err(bad(
                    "a reference leads to a host that is none of this plane's; name one of its own",
                ));
            }
            path
        }
        None => url.trim_start_matches('/'),
    };
    if path.contains(['%', '?', '#', '\\', ';']) {
        return Err(bad("a reference is written in a way that could be two things; write its path plainly"));
    }
    let segments: Vec<&str> = path.split('/').collect();
    let rest = super::path::split(&segments).map_or(segments.as_slice(), |(_, rest)| rest);
    let way = Way::walk(rest).filter(|way| !way.own && !way.is_many());
    let way =
        way.ok_or_else(|| bad("a reference leads to nothing that is known; refer to one thing by its path"))?;
    // An object of the directory is known by its id, of whatever sort it is and whatever it is reached by.
    let mut ids = way.steps.iter().filter(|step| matches!(step, Step::Id(_)));
    let (first, others) = (ids.next(), ids.next().is_some());
    Ok(match (way.steps.as_slice(), first) {
        ([Step::Word("directoryObjects"), Step::Id(id)], _) if is_guid(id) => vec![Name::of_object(id)],
        ([.., Step::Id(id)], Some(_)) if others => vec![of(&way, true), Name::of_object(id)],
        _ => vec![of(&way, true)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_an_end() {
        let around = |times: usize| format!("drives/b!1/{}root", "list/drive/".repeat(times));
        assert!(referred(&around(1)).is_ok());
        assert!(referred(&around(1_000)).is_err());
    }
}
