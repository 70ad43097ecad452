//! What identities and policies in a state let their bearer act on.
//!
//! Leaves out what the state does not hold: what others attach elsewhere is not known, and only a role that lists all it has
//! is said to have no more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::state::Instance;
use super::{Placed, Provider};
use crate::azure;
use crate::grants::{of_managed, of_policy};

/// Patterns of names by address, and whether they are all that is granted.
pub(super) type Granted = BTreeMap<String, (BTreeSet<String>, bool)>;

/// What all of a state's identities and policies grant.
pub(super) fn of(kept: &[(&Instance, Provider, Placed)]) -> Granted {
    let mut granted = Granted::new();
    // A policy whose document is hidden, or none, may allow anything.
    let is_read = |instance: &Instance| {
        instance.kind == "aws_iam_policy"
            && instance.plain("policy").is_some_and(|policy| of_policy(policy, "aws").is_some())
    };
    let policies = kept.iter().map(|(instance, ..)| *instance).filter(|instance| is_read(instance));
    let arns: BTreeSet<&str> = policies.filter_map(|instance| instance.text("arn")).collect();
    for (instance, provider, _) in kept {
        match provider {
            Provider::Aws => aws(instance, &arns, &mut granted),
            Provider::Azure => assigned(instance, kept, &mut granted),
            Provider::Google => bound(instance, kept, &mut granted),
            Provider::Cluster => {}
        }
    }
    granted
}

fn aws(instance: &Instance, arns: &BTreeSet<&str>, granted: &mut Granted) {
    let partition = instance.text("arn").and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
    let read = |value: &Value| of_policy(value, partition);
    match instance.kind.as_str() {
        "aws_iam_policy" | "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => {
            if let Some(names) = instance.plain("policy").and_then(read) {
                granted.insert(instance.address.clone(), (names, true));
            }
        }
        "aws_iam_role" => {
            let (mut names, mut whole) = (BTreeSet::new(), true);
            // Read back from the account: all policies that the role has, whoever attached them.
            let Some(attached) = instance.plain("managed_policy_arns").and_then(Value::as_array) else {
                return;
            };
            for arn in attached {
                match arn.as_str().map(|arn| (of_managed(arn), arns.contains(arn))) {
                    Some((Some(managed), _)) => names.extend(managed),
                    Some((None, known)) => whole &= known,
                    None => whole = false,
                }
            }
            for inline in instance.plain("inline_policy").and_then(Value::as_array).into_iter().flatten() {
                // The provider keeps an empty one where there is none.
                let policy = inline.get("policy").filter(|policy| **policy != Value::Null && *policy != "");
                match policy.map(read) {
                    Some(Some(allowed)) => names.extend(allowed),
                    Some(None) => whole = false,
                    None => {}
                }
            }
            granted.insert(instance.address.clone(), (names, whole));
        }
        _ => {}
    }
}

/// An assignment of a role on Azure: what has the identity may act on all that lies in the scope.
fn assigned(instance: &Instance, kept: &[(&Instance, Provider, Placed)], granted: &mut Granted) {
    if instance.kind != "azurerm_role_assignment" {
        return;
    }
    let (Some(scope), Some(principal)) = (instance.text("scope"), instance.text("principal_id")) else {
        return;
    };
    let scope = azure::id(scope).into_owned();
    for (other, provider, _) in kept {
        let own = |other: &Instance| {
            let of_system = other.plain("identity").and_then(|identity| identity.pointer("/0/principal_id"));
            other.text("principal_id").filter(|_| other.kind != instance.kind) == Some(principal)
                || of_system.and_then(Value::as_str) == Some(principal)
        };
        if *provider == Provider::Azure && own(other) {
            let (names, _) = granted.entry(other.address.clone()).or_default();
            names.extend([scope.clone(), format!("{scope}/*")]);
        }
    }
}

/// A binding of Google Cloud: service accounts among its members may act on what it is bound at.
fn bound(instance: &Instance, kept: &[(&Instance, Provider, Placed)], granted: &mut Granted) {
    let Some((of, _)) = instance.kind.split_once("_iam_") else { return };
    let listed = instance.plain("members").and_then(Value::as_array).into_iter().flatten();
    let members: BTreeSet<&str> = listed.filter_map(Value::as_str).chain(instance.text("member")).collect();
    let mut names = BTreeSet::new();
    if of == "google_project" {
        let role = instance.text("role").unwrap_or_default();
        let service = role.strip_prefix("roles/").and_then(|role| role.split_once('.'));
        let host = service.map_or("*", |(service, _)| service);
        names.extend(instance.text("project").map(|project| {
            format!("//{host}.googleapis.com/projects/{}/*", project.trim_start_matches("projects/"))
        }));
    } else {
        // What it is bound at is what it depends on and has a name, but for the accounts themselves.
        let depends = |other: &Instance| instance.dependencies.contains(&other.base);
        let others = kept.iter().filter(|(other, ..)| depends(other) && other.text("email").is_none());
        names.extend(others.filter_map(|(_, _, placed)| placed.name.clone()));
    }
    for (other, ..) in kept {
        let email = other.text("email").filter(|_| other.kind == "google_service_account");
        if email.is_some_and(|email| members.contains(format!("serviceAccount:{email}").as_str())) {
            granted.entry(other.address.clone()).or_default().0.extend(names.iter().cloned());
        }
    }
}
