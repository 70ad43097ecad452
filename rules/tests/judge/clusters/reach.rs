//! How far a change in a cluster reaches.

use expect_test::expect;

use super::{check, cluster};
use crate::support::{NOW, action, judged};

const SHOP: &str = "k8s://prod/core/namespaces/shop";
const WEB: &str = "k8s://prod/apps/namespaces/shop/deployments/web";

/// How many dependants a change by the cluster's owner has; none where it is not known.
#[track_caller]
fn reached(effect: &str, target: &str, lines: &str) -> Option<u64> {
    let text = format!("person petra\neffect {effect}\ntarget {target}\n{lines}");
    judged(&cluster(), NOW, &action(&text)).verdict.reach.dependants
}

#[test]
fn a_namespace_takes_along_all_that_lies_in_it() {
    check(
        &format!("agent cleaner\neffect core:delete/namespaces delete\ntarget core:namespaces {SHOP}"),
        expect![[r#"
            deny (enforce), no permit
            deny blast_radius blast_radius_exceeded: it reaches 11 dependants (for example `k8s://prod/core/namespaces/shop` ← partOf ← `k8s://prod/apps/namespaces/shop/deployments/web`), and the limit is 10 for agent `cleaner`
                → change fewer at once, or have somebody with wider limits do it
            deny blast_radius owners_crossed: it reaches what belongs to `data` (`k8s://prod/core/namespaces/shop` ← partOf ← `k8s://prod/batch/namespaces/shop/cronjobs/reports`), and the limit is 0 other owners for agent `cleaner`
                → have one of those owners do it, or split it
            admit ownership owner_changes_own: `cleaner` acts for `web`, which owns `k8s://prod/core/namespaces/shop`
            owners: web
            reach: 1 + 11, crosses data"#]],
    );
}

#[test]
fn a_deployment_takes_along_what_it_made_and_reaches_what_leads_there() {
    let delete = "apps:delete/deployments delete";
    let target = format!("apps:deployments {WEB}");
    // Its replica set, two pods, the service that leads to them, the ingress that leads to that.
    assert_eq!(reached(delete, &target, ""), Some(5));
    assert_eq!(reached(delete, &target, "propagationPolicy = Background"), Some(5));
    assert_eq!(reached(delete, &target, "propagationPolicy = Foreground"), Some(5));
    assert_eq!(reached(delete, &target, "propagationPolicy = Orphan"), Some(0));
    assert_eq!(reached(delete, &target, "orphanDependents := true"), Some(0));
    assert_eq!(reached(delete, &target, "orphanDependents := false"), Some(5));
    assert_eq!(reached(delete, &target, "query.propagationPolicy = Orphan"), Some(0));
    assert_eq!(reached(delete, &target, "query.orphanDependents = true"), Some(0));
    for both in [
        "propagationPolicy = Orphan\nquery.propagationPolicy = Background",
        "propagationPolicy = Background\nquery.propagationPolicy = Orphan",
        "query.propagationPolicy = Orphan\nquery.propagationPolicy = Background",
        "propagationPolicy = Orphan\norphanDependents := false",
    ] {
        assert_eq!(reached(delete, &target, both), Some(5), "{both}");
    }
}

#[test]
fn what_lies_in_a_namespace_or_is_of_a_type_is_not_orphaned() {
    let orphan = "propagationPolicy = Orphan";
    let all = reached("core:delete/namespaces delete", &format!("core:namespaces {SHOP}"), "");
    assert_eq!(reached("core:delete/namespaces delete", &format!("core:namespaces {SHOP}"), orphan), all);
    let definition = "apiextensions.k8s.io:customresourcedefinitions \
                      k8s://prod/apiextensions.k8s.io/customresourcedefinitions/queues.example.com";
    let delete = "apiextensions.k8s.io:delete/customresourcedefinitions delete";
    assert_eq!(reached(delete, definition, orphan), Some(1));
}

#[test]
fn a_type_or_a_namespace_of_which_nothing_is_known_may_hold_anything() {
    let definition = "apiextensions.k8s.io:customresourcedefinitions \
                      k8s://prod/apiextensions.k8s.io/customresourcedefinitions/other.example.com";
    let delete = "apiextensions.k8s.io:delete/customresourcedefinitions delete";
    assert_eq!(reached(delete, definition, ""), None);
    assert_eq!(
        reached("core:delete/namespaces delete", "core:namespaces k8s://prod/core/namespaces/x", ""),
        None
    );
}

#[test]
fn a_collection_is_all_its_matches_and_an_unknown_remainder() {
    check(
        &format!(
            "person alice\neffect core:deletecollection/pods delete\ntarget core:pods {SHOP}/pods/* pattern"
        ),
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `k8s://prod/core/namespaces/shop/pods/*`
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `k8s://prod/core/namespaces/shop/pods/web-1-a`
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `k8s://prod/core/namespaces/shop/pods/web-1-b`
            admit blast_radius reach_unknown: what depends on `k8s://prod/core/namespaces/shop/pods/*` is not known
            owners: web
            reach: 3 + unknown"#]],
    );
}

#[test]
fn a_collection_is_judged_by_whoever_owns_a_part_of_it() {
    check(
        &format!(
            "person alice\neffect core:deletecollection/secrets delete\ntarget core:secrets {SHOP}/secrets/* pattern"
        ),
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `k8s://prod/core/namespaces/shop/secrets/*` belongs to `payroll`, for which `alice` does not act
                → ask `payroll` to make the change
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `k8s://prod/core/namespaces/shop/secrets/*`
            admit blast_radius reach_unknown: what depends on `k8s://prod/core/namespaces/shop/secrets/*` is not known
            owners: payroll, web
            reach: 1 + unknown, crosses payroll"#]],
    );
}

#[test]
fn a_collection_of_all_namespaces_is_all_their_owners() {
    check(
        "person petra
         effect example.com:deletecollection/queues delete
         target example.com:queues k8s://prod/example.com/namespaces/*/queues/* pattern",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `k8s://prod/example.com/namespaces/*/queues/*` belongs to `web`, for which `petra` does not act
                → ask `web` to make the change
            deny ownership not_owner: `k8s://prod/example.com/namespaces/warehouse/queues/orders` belongs to `data`, for which `petra` does not act
                → ask `data` to make the change
            admit ownership owner_changes_own: `petra` acts for `platform`, which owns `k8s://prod/example.com/namespaces/*/queues/*`
            admit blast_radius reach_unknown: what depends on `k8s://prod/example.com/namespaces/*/queues/*` is not known
            owners: data, platform, web
            reach: 2 + unknown, crosses data, web"#]],
    );
}

#[test]
fn a_node_reaches_the_pods_on_it() {
    let node = "core:nodes k8s://prod/core/nodes/one";
    assert_eq!(reached("core:delete/nodes delete", node, ""), Some(3));
}

#[test]
fn what_stops_takes_along_what_runs() {
    let target = format!("apps:deployments {WEB}");
    let scale = "apps:patch/deployments/scale update";
    assert_eq!(reached(scale, &target, "spec.replicas := 0"), Some(5));
    assert_eq!(reached(scale, &target, "spec.replicas := 3"), Some(0));
    assert_eq!(
        reached(
            "apps:patch/deployments update",
            &target,
            "1.op = replace\n1.path = /spec/replicas\n1.value := 0"
        ),
        Some(5)
    );
    let reports = "batch:cronjobs k8s://prod/batch/namespaces/shop/cronjobs/reports";
    assert_eq!(reached("batch:patch/cronjobs update", reports, "spec.suspend := true"), Some(1));
    assert_eq!(reached("batch:patch/cronjobs update", reports, "spec.suspend := false"), Some(0));
}

#[test]
fn what_workloads_use_reaches_them() {
    let settings = format!("core:configmaps {SHOP}/configmaps/settings");
    // The deployment and a pod that use it, the replica set and the other pod of that, the service that leads to the pods, the
    // ingress.
    assert_eq!(reached("core:update/configmaps update", &settings, ""), Some(6));
    let account = format!("core:serviceaccounts {SHOP}/serviceaccounts/web");
    assert_eq!(reached("core:delete/serviceaccounts delete", &account, ""), Some(3));
    let binding = "rbac.authorization.k8s.io:rolebindings \
                   k8s://prod/rbac.authorization.k8s.io/namespaces/shop/rolebindings/web";
    assert_eq!(reached("rbac.authorization.k8s.io:delete/rolebindings grant", binding, ""), Some(4));
    assert_eq!(
        reached("core:delete/services delete", &format!("core:services {SHOP}/services/web"), ""),
        Some(1)
    );
}

#[test]
fn what_runs_in_a_pod_reaches_what_its_authority_does() {
    check(
        &format!("agent cleaner\neffect core:create/pods/exec execute\ntarget core:pods {SHOP}/pods/web-1-a"),
        expect![[r#"
            deny (enforce), no permit
            deny legitimacy agent_executes: `cleaner` is an agent, and `core:create/pods/exec` runs something under another authority on `k8s://prod/core/namespaces/shop/pods/web-1-a`
                → have a person or a pipeline of `web` do it, or declare `AgentBounds` for it
            deny legitimacy no_ground: no rule gives `cleaner` a ground to run something on `k8s://prod/core/namespaces/shop/pods/web-1-a`
                → ask `web` for a rule or for bounds that allow it
            deny blast_radius reach_unknown: what would run on or as `k8s://prod/core/namespaces/shop/pods/web-1-a` may reach all that `k8s://prod/core/namespaces/shop/serviceaccounts/web` does, under which it runs, and which is not known, and agent `cleaner` has to know
                → declare `AgentBounds` for it, or have a person or a pipeline do it
            owners: web
            reach: 1 + unknown"#]],
    );
}

#[test]
fn what_is_new_reaches_nothing_whatever_its_class() {
    let name = "k8s://prod/rbac.authorization.k8s.io/namespaces/shop/rolebindings/new";
    let text = format!("rbac.authorization.k8s.io:rolebindings {name}\nparent core:namespaces {SHOP}");
    assert_eq!(reached("rbac.authorization.k8s.io:create/rolebindings grant", &text, ""), Some(0));
}
