//! What a role would allow, and to whom a binding would give it.
//!
//! Leaves out what the role that is bound says, but for the one that may do everything. As with the provider's own
//! policies, one named thing is delegation, and everything of a sort is administration.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Facts;
use crate::kubernetes::{Body, Operation, parts, text};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Users and groups that anybody is who reaches the cluster, or anything that runs in it.
const ANYBODY: [&str; 5] =
    ["*", "system:anonymous", "system:authenticated", "system:serviceaccounts", "system:unauthenticated"];

/// The role that may do everything, and the group that may.
const ADMINISTRATORS: [&str; 2] = ["cluster-admin", "system:masters"];

/// Verbs with which one takes what one was not given.
const ESCALATING: [&str; 3] = ["bind", "escalate", "impersonate"];

/// Types for which all verbs have one of those among them.
const ESCALATED: [&str; 8] = [
    "clusterrolebindings",
    "clusterroles",
    "groups",
    "rolebindings",
    "roles",
    "serviceaccounts",
    "userextras",
    "users",
];

/// One rule of a role.
#[derive(Debug, Default)]
struct Rule<'e> {
    verbs: BTreeSet<&'e str>,
    resources: BTreeSet<&'e str>,
    names: BTreeSet<&'e str>,
    not_resources: bool,
}

pub(super) fn read(operation: &Operation<'_>, body: &Body<'_>, facts: &mut Facts) {
    if operation.group != GROUP || operation.subresource.is_some() {
        return;
    }
    match operation.resource {
        "roles" | "clusterroles" => rules(body, facts),
        "rolebindings" | "clusterrolebindings" => binding(body, facts),
        _ => {}
    }
}

fn rules(body: &Body<'_>, facts: &mut Facts) {
    let mut rules: BTreeMap<String, Rule<'_>> = BTreeMap::new();
    for member in &body.members {
        let Some(value) = text(member.value) else { continue };
        let mut names = parts(&member.path);
        let (Some("rules"), Some(name)) = (names.next(), names.next()) else { continue };
        // The parts before the member's own say which rule it is of.
        let of: Vec<&str> = member.path.split('.').take_while(|part| *part != name).collect();
        let rule = rules.entry(of.join(".")).or_default();
        match name {
            "verbs" => drop(rule.verbs.insert(value)),
            "resources" => drop(rule.resources.insert(value)),
            "resourceNames" => drop(rule.names.insert(value)),
            "nonResourceURLs" => rule.not_resources = true,
            _ => {}
        }
    }
    for rule in rules.values() {
        rule.read(body.is_patch, facts);
    }
}

impl Rule<'_> {
    /// What the rule allows. Of an operation on a role, what it does not say is there already, and may be anything.
    fn read(&self, is_patch: bool, facts: &mut Facts) {
        let any = |words: &BTreeSet<&str>| words.contains("*") || (is_patch && words.is_empty());
        let (verbs, resources) = (any(&self.verbs), any(&self.resources) && !self.not_resources);
        if verbs && resources {
            facts.grants.insert("admin_policy");
        }
        let named = !self.names.is_empty() && !self.names.iter().any(|name| ADMINISTRATORS.contains(name));
        let escalates = ESCALATING.iter().any(|verb| self.verbs.contains(verb));
        let tokens = self.resources.contains("serviceaccounts/token")
            && ["create", "*"].iter().any(|verb| self.verbs.contains(verb));
        let all_of_these = self.verbs.contains("*")
            && (resources || ESCALATED.iter().any(|resource| self.resources.contains(resource)));
        if !named && (escalates || tokens || all_of_these) {
            facts.grants.insert("escalation");
        }
    }
}

fn binding(body: &Body<'_>, facts: &mut Facts) {
    if body.texts("roleRef.name").any(|role| ADMINISTRATORS.contains(&role)) {
        facts.grants.insert("admin_policy");
    }
    let mut subjects: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for member in &body.members {
        let Some((of, name)) = member.path.rsplit_once('.') else { continue };
        if !of.starts_with("subjects") {
            continue;
        }
        let subject = subjects.entry(of).or_default();
        match name {
            "kind" => subject.0 = text(member.value),
            "name" => subject.1 = text(member.value),
            _ => {}
        }
    }
    let anybody = |(kind, name): &(Option<&str>, Option<&str>)| {
        // A service account of such a name is nobody but itself.
        *kind != Some("ServiceAccount") && name.is_some_and(|name| ANYBODY.contains(&name))
    };
    if subjects.values().any(anybody) {
        facts.grants.insert("any_principal");
    }
}
