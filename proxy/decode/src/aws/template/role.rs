//! Roles and instance profiles that resources of a template are given: whoever gives one acts with it.
//!
//! Leaves out types whose own subject is roles.

use std::collections::HashSet;
use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role};

use super::leaf::Leaves;
use super::word::Path;
use crate::aws::resource::Place;

/// Members that take a bare name.
const BY_NAME: [&str; 13] = [
    "autoscalingrole",
    "domainiamrolename",
    "executionrole",
    "executionrolearn",
    "executionrolename",
    "iamrole",
    "jobflowrole",
    "role",
    "rolearn",
    "rolename",
    "servicerole",
    "servicerolearn",
    "taskrolearn",
];

/// Names with the word in them that name no role.
const OTHERS: [&str; 6] = [
    "acceptrolesessionname",
    "assumerolepolicydocument",
    "audiodashroles",
    "captiondashroles",
    "columndatarole",
    "rolemappings",
];

/// What a resource is given to act with.
pub(super) fn passed(type_name: &str, leaves: &Leaves, place: &Place<'_>) -> Vec<Resource> {
    let own = ["AWS::IAM::", "AWS::SSO::", "AWS::RolesAnywhere::"];
    if own.iter().any(|start| type_name.starts_with(start)) {
        return Vec::new();
    }
    let mut all: Vec<Resource> = Vec::new();
    let mut seen: HashSet<Resource> = HashSet::new();
    let mut add = |resource: Resource| {
        if seen.insert(resource.clone()) {
            all.push(resource);
        }
    };
    for leaf in &leaves.all {
        let Some(text) = leaf.text() else { continue };
        if let Some(found) = named(&Path::of(&leaf.path), text, place) {
            add(found);
        }
    }
    for path in &leaves.unknown {
        let path = Path::of(path);
        if let Some(kind) = kind_of(&path) {
            add(any(kind, place));
        }
    }
    all
}

/// The type of what a member names.
fn kind_of(path: &Path) -> Option<&'static str> {
    let last = path.last();
    let within = path.says("iaminstanceprofile") || last.contains("instanceprofile");
    let names_role = last.contains("role") && !last.contains("principal") && !OTHERS.contains(&last);
    match (within, names_role) {
        (true, _) => Some("instance-profile"),
        (false, true) => Some("role"),
        (false, false) => None,
    }
}

fn named(path: &Path, text: &str, place: &Place<'_>) -> Option<Resource> {
    let carried = text.strip_prefix("arn:").and_then(|rest| {
        let own = rest.splitn(5, ':').collect::<Vec<_>>();
        let [_, "iam", _, _, own] = own.as_slice() else { return None };
        ["role", "instance-profile"].into_iter().find(|kind| own.starts_with(&format!("{kind}/")))
    });
    let principal = path.says("principal");
    if let Some(kind) = carried.filter(|_| !principal && (path.says("role") || path.says("instanceprofile")))
    {
        return Some(target(kind, text.to_owned(), NameBasis::Carried, text));
    }
    let kind = kind_of(path)?;
    if let Some(symbol) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        // Of the same stack: what it is made with is said where it is made.
        let id = symbol.split('.').next().unwrap_or(symbol);
        return Some(target(kind, String::new(), NameBasis::Unnamed, &format!("<{id}>")));
    }
    let plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte))
    };
    let by_name = kind == "instance-profile" || BY_NAME.contains(&path.last());
    if by_name && plain(text) {
        let name = place.global_arn("iam", &format!("{kind}/{}", text.trim_start_matches('/')));
        return Some(target(kind, name, NameBasis::Reviewed, text));
    }
    // A name with something in it that the request does not tell.
    text.contains("${").then(|| any(kind, place))
}

fn any(kind: &str, place: &Place<'_>) -> Resource {
    target(kind, place.global_arn("iam", &format!("{kind}/*")), NameBasis::Reviewed, "*")
}

fn target(kind: &str, name: String, basis: NameBasis, value: &str) -> Resource {
    Resource {
        role: Role::Target,
        kind: Arc::from(format!("iam:{kind}")),
        pattern: name.contains('*'),
        name,
        basis,
        identifiers: vec![Identifier { name: Arc::from("Role"), value: value.to_owned() }],
    }
}
