//! What was created in a cluster through the gate.

use std::sync::Arc;

use ordain_action::{Created, Outcome};
use ordain_rules::{LiveInventory, Snapshot, created_by};

use super::{cluster, ruling_on};
use crate::support::{NOW, action, judged};

const SHOP: &str = "k8s://prod/core/namespaces/shop";

fn answered(status: u16, created: &[(&str, &str)]) -> Outcome {
    let created = created.iter().map(|(kind, name)| Created {
        kind: Arc::from(*kind),
        member: Arc::from("name"),
        identifier: (*name).to_owned(),
    });
    Outcome::Answered { status, request_id: String::new(), error_code: None, created: created.collect() }
}

#[track_caller]
fn names(action_text: &str, outcome: &Outcome, expected: &[&str]) {
    let created = created_by(&action(action_text), outcome);
    let names: Vec<&str> = created.iter().map(|created| created.identifier.as_str()).collect();
    assert_eq!(names, expected);
}

fn with(steps: &[(&str, Outcome)]) -> Snapshot {
    let mut live = LiveInventory::new();
    for ((text, outcome), sequence) in steps.iter().zip(1..) {
        live.apply_outcome(&action(text), outcome, None, sequence);
    }
    cluster().with_live(&live)
}

#[test]
fn a_new_object_is_known_by_its_canonical_name() {
    let create = |target: &str| {
        format!(
            "person alice\neffect core:create/pods create\ntarget core:pods {target}\nparent core:namespaces {SHOP}"
        )
    };
    let named = format!("{SHOP}/pods/new");
    names(&create(&named), &answered(201, &[]), &[&named]);
    names(&create(&named), &answered(201, &[("core:pods", "new")]), &[&named]);
    names(&create(&named), &answered(409, &[]), &[]);
    // Of a name that the cluster makes only the answer tells.
    let made = format!("{SHOP}/pods/job-x7k2p");
    let unnamed = create("x").replace("target core:pods x\n", "");
    names(&unnamed, &answered(201, &[("core:pods", "job-x7k2p")]), &[&made]);
    names(&unnamed, &answered(201, &[("core:services", "job-x7k2p")]), &[]);
    for generated in [format!("{SHOP}/pods/* pattern"), "- unnamed".to_owned()] {
        names(&create(&generated), &answered(201, &[("core:pods", "job-x7k2p")]), &[&made]);
        names(&create(&generated), &answered(201, &[("core:pods", &made)]), &[&made]);
        names(&create(&generated), &answered(201, &[]), &[]);
        names(&create(&generated), &answered(201, &[("core:pods", "../kube-system/pods/a")]), &[]);
    }
}

#[test]
fn what_lies_in_no_namespace_is_known_so_too() {
    let role = "person petra
        effect rbac.authorization.k8s.io:create/clusterroles grant
        target rbac.authorization.k8s.io:clusterroles - unnamed
        parent kubernetes:cluster k8s://prod scope";
    let kind = "rbac.authorization.k8s.io:clusterroles";
    let name = "k8s://prod/rbac.authorization.k8s.io/clusterroles/a";
    names(role, &answered(201, &[(kind, "a")]), &[name]);
    let namespace = "person petra
        effect core:create/namespaces create
        target core:namespaces - unnamed
        parent kubernetes:cluster k8s://prod scope";
    names(namespace, &answered(201, &[("core:namespaces", "a")]), &["k8s://prod/core/namespaces/a"]);
}

#[test]
fn an_object_that_was_set_and_not_there_is_new() {
    let apply =
        format!("person alice\neffect apps:patch/deployments update\ntarget apps:deployments {}", WEB);
    names(&apply, &answered(201, &[]), &[WEB]);
    names(&apply, &answered(200, &[]), &[]);
    // Said to create too, where it is applied: it did only if the cluster says so.
    let apply = apply.replace("update", "create");
    names(&apply, &answered(201, &[]), &[WEB]);
    names(&apply, &answered(200, &[]), &[]);
    let scale =
        format!("person alice\neffect apps:patch/deployments/scale update\ntarget apps:deployments {WEB}");
    names(&scale, &answered(201, &[]), &[]);
}

const WEB: &str = "k8s://prod/apps/namespaces/shop/deployments/fresh";

#[test]
fn a_namespace_that_was_made_and_what_was_made_in_it_are_known() {
    const NEW: &str = "k8s://prod/core/namespaces/new";
    let namespace = format!(
        "person petra\neffect core:create/namespaces create\ntarget core:namespaces {NEW}\n\
         parent kubernetes:cluster k8s://prod scope"
    );
    let object = format!(
        "person petra\neffect core:create/configmaps create\ntarget core:configmaps {NEW}/configmaps/a\n\
         parent core:namespaces {NEW}"
    );
    let snapshot = with(&[(&namespace, answered(201, &[])), (&object, answered(201, &[]))]);
    let delete = format!("person petra\neffect core:delete/namespaces delete\ntarget core:namespaces {NEW}");
    assert_eq!(ruling_on(&snapshot, &delete), "admit");
    let reach = judged(&snapshot, NOW, &action(&delete)).verdict.reach;
    assert_eq!(reach.dependants, Some(1));
    let collection = format!(
        "person petra\neffect core:deletecollection/configmaps delete\n\
         target core:configmaps {NEW}/configmaps/* pattern"
    );
    let judged = judged(&snapshot, NOW, &action(&collection));
    assert_eq!((judged.verdict.reach.direct, judged.verdict.reach.dependants), (2, None));
}

#[test]
fn what_was_made_belongs_to_whoever_owns_its_namespace_or_a_part_of_it() {
    let create = |name: &str| {
        format!(
            "person alice\neffect core:create/secrets create\ntarget core:secrets {SHOP}/secrets/{name}\n\
             parent core:namespaces {SHOP}"
        )
    };
    let (own, wages) = (create("own"), create("pay-new"));
    let snapshot = with(&[(&own, answered(201, &[])), (&wages, answered(201, &[]))]);
    let delete = |who: &str, name: &str| {
        let text = format!(
            "person {who}\neffect core:delete/secrets delete\ntarget core:secrets {SHOP}/secrets/{name}"
        );
        ruling_on(&snapshot, &text)
    };
    assert_eq!(delete("alice", "own"), "admit");
    assert_eq!(delete("paul", "own"), "deny not_owner");
    assert_eq!(delete("paul", "pay-new"), "admit");
    assert_eq!(delete("alice", "pay-new"), "deny not_owner");
}
