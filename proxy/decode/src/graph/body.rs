//! What a body adds to a request: what it binds, whom it names, and what it lets somebody do.
//!
//! Leaves out what the request does by its head (`class.rs`).

use ordain_action::{Access, Resource, Role, Scalar, Undecodable};

use super::class::Class;
use super::name::{Name, is_guid, referred};
use super::path::{One, Step, Verb};
use super::{bad, words};
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

/// Members by which somebody may do more or other than before, wherever they stand; beside what says so in a path.
const GRANTING: [&str; 24] = [
    "accountenabled",
    "acl",
    "api",
    "approleid",
    "approles",
    "assignments",
    "clientid",
    "grantedto",
    "grantedtov2",
    "guestsettings",
    "isassignabletorole",
    "keycredentials",
    "membersettings",
    "membershiprule",
    "oauth2permissionscopes",
    "passwordcredentials",
    "passwordprofile",
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
const ASSIGNING: [&str; 20] = [
    "accesspackageassignmentrequests",
    "accesspackageresourcerequests",
    "accesspackageresourcerolescopes",
    "approleassignedto",
    "approleassignments",
    "assignmentrequests",
    "assignmentschedulerequests",
    "eligibilityschedulerequests",
    "governanceroleassignmentrequests",
    "oauth2permissiongrants",
    "resourcerequests",
    "resourcerolescopes",
    "roleassignmentapprovals",
    "roleassignmentrequests",
    "roleassignments",
    "roleassignmentschedulerequests",
    "roleeligibilityschedulerequests",
    "scopedrolememberof",
    "scopedrolemembers",
    "scopedrolememberships",
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
        if ["@odata.bind", "@bind", "@odata.id", "@id"].iter().any(|end| key.ends_with(end)) {
            let Scalar::Text(url) = value else {
                // Nothing is bound by nothing: what was bound is let go of.
                class.accesses.insert(Access::Grant);
                continue;
            };
            referred_to += 1;
            all.extend(referred(url)?.iter().map(|name| name.one(names, Role::Target)));
            class.accesses.insert(Access::Grant);
            continue;
        }
        let Scalar::Text(text) = value else { continue };
        let inside = Inside { one, words: &words, parts: &parts, key: &key };
        all.extend(inside.differs(text, class).into_iter().map(|name| name.one(names, Role::Target)));
        all.extend(inside.led_to(text).into_iter().map(|name| name.one(names, Role::Target)));
        all.extend(inside.assigned(text).into_iter().map(|(name, role)| name.one(names, role)));
        if parts.len() == 1
            && (key == "visibility" && text.eq_ignore_ascii_case("public")
                || key == "scope" && text == "anonymous")
        {
            class.accesses.insert(Access::Expose);
        }
    }
    if one.verb != Verb::Get && words.last().is_some_and(|last| last == "$ref") {
        referred_to += by_query(one, query, names, &mut all)?;
        let named = matches!(one.way.steps.iter().rev().nth(1), Some(Step::Id(_)));
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
    let credential =
        |path: &str| segments(path).any(|part| unescape(part).eq_ignore_ascii_case("passwordcredentials"));
    if one.verb != Verb::Get && fields.iter().any(|(path, _)| credential(path)) {
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
    if GRANTING.contains(&member) || words::GRANTING.contains(&member) {
        class.accesses.insert(Access::Grant);
    }
    if EXPOSING.contains(&member) || words::EXPOSING.contains(&member) && !matches!(value, Scalar::Null) {
        class.accesses.insert(Access::Expose);
    }
    if EXECUTING.contains(&member) || words::EXECUTING.contains(&member) {
        class.accesses.insert(Access::Execute);
    }
}

/// Whether a user, a group or a device is said to be more than what it is called: rules choose by the rest, or it lets in.
fn says_more(one: &One, words: &[String], fields: &Fields) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let itself =
        matches!(words.as_slice(), ["users" | "groups" | "devices"] | ["education", "users" | "classes"]);
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
        all.extend(referred(&pair.value)?.iter().map(|name| name.one(names, Role::Target)));
    }
    Ok(found)
}

/// A member of a body, and where that is.
struct Inside<'a> {
    one: &'a One,
    words: &'a [String],
    /// Its path.
    parts: &'a [String],
    /// Its name, in lower case; that of the list, where it is one of a list.
    key: &'a str,
}

impl Inside<'_> {
    /// Whether one of the parts around it has a name that is so, in lower case.
    fn is_in(&self, named: impl Fn(&str) -> bool) -> bool {
        self.parts.iter().any(|part| named(&part.to_ascii_lowercase()))
    }

    /// What is put to or taken out of a list that is given by its differences.
    fn differs(&self, text: &str, class: &mut Class) -> Option<Name> {
        if !self.is_in(|part| part.ends_with("@delta") || part.ends_with("@odata.delta")) {
            return None;
        }
        class.accesses.insert(Access::Grant);
        if self.is_in(|part| part == "@removed" || part == "@odata.removed") {
            class.accesses.insert(Access::Delete);
        }
        matches!(self.key, "id" | "directoryobjectid").then(|| Name::of_object(text))
    }

    /// Where something is copied or moved to.
    fn led_to(&self, text: &str) -> Option<Name> {
        let last = self.words.last().map_or("", String::as_str);
        let drive = match self.key {
            _ if !self.is_in(|part| part == "parentreference") => None,
            "driveid" => Some(text),
            "path" => text.strip_prefix("/drives/").and_then(|rest| rest.split('/').next()),
            _ => None,
        };
        if let Some(drive) = drive {
            return Some(named(&["drives"], Some(drive.to_owned())));
        }
        let to_group = last.starts_with("copy") || matches!(last, "addgroup" | "removegroup");
        match self.key {
            "groupid" if to_group => Some(by_id(&["groups"], text)),
            "siteid" | "sitecollectionid" if to_group => {
                Some(Name { loose: true, ..named(&["sites"], None) })
            }
            _ => None,
        }
    }

    /// What an assignment names by an id: who gets it, and what it is for.
    fn assigned(&self, text: &str) -> Option<(Name, Role)> {
        if !self.words.iter().any(|word| ASSIGNING.contains(&word.as_str())) {
            return None;
        }
        let of_app =
            self.words.iter().any(|word| word.starts_with("approle") || word == "oauth2permissiongrants");
        let id = text.to_ascii_lowercase();
        let target = |name| Some((name, Role::Target));
        match self.key {
            "principalid" | "principalids" | "targetid" | "subjectid" | "members" | "scopemembers" => {
                target(Name::of_object(&id))
            }
            "originid" if is_guid(&id) => target(Name::of_object(&id)),
            "id" if self.is_in(|part| matches!(part, "rolememberinfo" | "principal")) => {
                target(Name::of_object(&id))
            }
            "groupid" => target(by_id(&["groups"], &id)),
            "administrativeunitid" => target(by_id(&["directory", "administrativeUnits"], &id)),
            "clientid" | "resourceid" if of_app => target(by_id(&["servicePrincipals"], &id)),
            "roleid" => Some((by_id(&["directoryRoles"], &id), Role::Uses)),
            "roledefinitionid" => self.role(&id),
            "id" if self.is_in(|part| part == "roledefinition") => self.role(&id),
            "directoryscopeid" | "directoryscopeids" => target(scope(text)),
            _ => None,
        }
    }

    /// What a role is that is given.
    fn role(&self, id: &str) -> Option<(Name, Role)> {
        match self.one.way.steps.as_slice() {
            [Step::Word("roleManagement"), Step::Word(service), ..] => {
                Some((by_id(&["roleManagement", service, "roleDefinitions"], id), Role::Uses))
            }
            _ => None,
        }
    }
}

/// One of many by its id; any, where that is none.
fn by_id(many: &[&str], id: &str) -> Name {
    let id = is_guid(id).then(|| id.to_ascii_lowercase());
    Name { loose: id.is_none(), ..named(many, id) }
}

/// Many by their words, or one of them.
fn named(many: &[&str], one: Option<String>) -> Name {
    let kind = many.last().copied().unwrap_or_default().to_owned();
    Name { parts: many.iter().map(|part| (*part).to_owned()).chain(one).collect(), kind, loose: false }
}

/// What a role is given for.
fn scope(text: &str) -> Name {
    let id = text.trim_start_matches('/').to_ascii_lowercase();
    match id.split_once('/') {
        None if !id.is_empty() => Name::of_object(&id),
        Some(("administrativeunits", unit)) => by_id(&["directory", "administrativeUnits"], unit),
        None | Some(_) => Name { parts: Vec::new(), kind: "tenant".to_owned(), loose: false },
    }
}
