//! Who owns what in a cluster.

use expect_test::expect;

use super::{check, cluster, ruling, ruling_on};
use crate::support::models;

const IN_SHOP: &str = "k8s://prod/core/namespaces/shop";

#[track_caller]
fn check_ruling(who: &str, effect: &str, kind: &str, name: &str, expected: &str) {
    let text = format!("person {who}\neffect {effect}\ntarget {kind} {name}");
    assert_eq!(ruling(&text), expected, "{who} {effect} {name}");
}

#[test]
fn what_lies_in_a_namespace_belongs_to_its_owner() {
    let delete = "core:delete/pods delete";
    check_ruling("alice", delete, "core:pods", &format!("{IN_SHOP}/pods/web-1-a"), "admit");
    check_ruling("paul", delete, "core:pods", &format!("{IN_SHOP}/pods/web-1-a"), "deny not_owner");
    // The cluster's owner has given the namespace away.
    check_ruling("petra", delete, "core:pods", &format!("{IN_SHOP}/pods/web-1-a"), "deny not_owner");
    // Of whatever group, and unknown as much as known.
    let unknown = "k8s://prod/example.com/namespaces/shop/things/a";
    let delete = "example.com:delete/things delete";
    check_ruling("alice", delete, "example.com:things", unknown, "admit");
    check_ruling("paul", delete, "example.com:things", unknown, "deny not_owner");
    // By the namespace's own label, where no scope names it.
    let queue = "k8s://prod/example.com/namespaces/warehouse/queues/orders";
    check_ruling("dora", "example.com:delete/queues delete", "example.com:queues", queue, "admit");
    check_ruling("petra", "example.com:delete/queues delete", "example.com:queues", queue, "deny not_owner");
    let other = "k8s://prod/example.com/namespaces/warehouse/queues/unknown";
    check_ruling("dora", "example.com:delete/queues delete", "example.com:queues", other, "admit");
}

#[test]
fn what_lies_in_no_namespace_belongs_to_the_cluster() {
    let node = "k8s://prod/core/nodes/one";
    check_ruling("petra", "core:patch/nodes update", "core:nodes", node, "admit");
    // Her pods run on it.
    check_ruling("alice", "core:patch/nodes update", "core:nodes", node, "hold approval_required");
    check_ruling("paul", "core:patch/nodes update", "core:nodes", node, "deny not_owner");
    let role = "k8s://prod/rbac.authorization.k8s.io/clusterroles/none-of-ours";
    let delete = "rbac.authorization.k8s.io:delete/clusterroles grant";
    check_ruling("petra", delete, "rbac.authorization.k8s.io:clusterroles", role, "admit");
    check_ruling("alice", delete, "rbac.authorization.k8s.io:clusterroles", role, "deny not_owner");
}

#[test]
fn a_scope_for_a_part_of_a_namespace_says_more_than_the_namespace() {
    let delete = "core:delete/secrets delete";
    check_ruling("paul", delete, "core:secrets", &format!("{IN_SHOP}/secrets/pay-a"), "admit");
    check_ruling("alice", delete, "core:secrets", &format!("{IN_SHOP}/secrets/pay-a"), "deny not_owner");
    check_ruling("alice", delete, "core:secrets", &format!("{IN_SHOP}/secrets/other"), "admit");
}

#[test]
fn an_object_that_says_whose_it_is_is_theirs_and_so_is_what_it_made() {
    let job = "k8s://prod/batch/namespaces/shop/jobs/reports-1";
    check_ruling("dora", "batch:delete/jobs delete", "batch:jobs", job, "admit");
    check_ruling("paul", "batch:delete/jobs delete", "batch:jobs", job, "deny not_owner");
    // Its department's other team may ask.
    check_ruling("alice", "batch:delete/jobs delete", "batch:jobs", job, "hold approval_required");
}

#[test]
fn a_create_is_judged_by_the_namespace_it_is_created_in() {
    let create = |who: &str, target: &str, parent: &str| {
        ruling(&format!(
            "person {who}\neffect core:create/configmaps create\ntarget core:configmaps {target}\n\
             parent core:namespaces {parent}"
        ))
    };
    let named = format!("{IN_SHOP}/configmaps/new");
    assert_eq!(create("alice", &named, IN_SHOP), "admit");
    assert_eq!(create("paul", &named, IN_SHOP), "deny not_owner");
    // A name that the cluster is to make touches nothing that is there.
    let generated = format!("{IN_SHOP}/configmaps/* pattern");
    assert_eq!(create("alice", &generated, IN_SHOP), "admit");
    assert_eq!(create("paul", &generated, IN_SHOP), "deny not_owner");
    let warehouse = "k8s://prod/core/namespaces/warehouse";
    assert_eq!(create("dora", &format!("{warehouse}/configmaps/new"), warehouse), "admit");
    assert_eq!(create("petra", &format!("{warehouse}/configmaps/new"), warehouse), "deny not_owner");
}

#[test]
fn what_is_there_already_is_asked_about_and_not_what_it_lies_in() {
    let apply = |who: &str, name: &str| {
        let effect = |access: &str| {
            format!(
                "effect batch:patch/cronjobs {access}\ntarget batch:cronjobs {name}\nparent core:namespaces {IN_SHOP}\n"
            )
        };
        ruling(&format!("person {who}\n{}{}", effect("create"), effect("update")))
    };
    let reports = "k8s://prod/batch/namespaces/shop/cronjobs/reports";
    assert_eq!(apply("dora", reports), "admit");
    assert_eq!(apply("paul", reports), "deny not_owner not_owner");
    // One that nobody knows of is in the shop, whether it is there or not.
    let unknown = "k8s://prod/batch/namespaces/shop/cronjobs/other";
    assert_eq!(apply("alice", unknown), "admit");
    assert_eq!(apply("paul", unknown), "deny not_owner not_owner");
}

#[test]
fn a_type_that_a_namespace_does_not_take_is_not_created_there() {
    let text = super::CLUSTER.replace("owner: web}", "owner: web, creates: [\"core:*\"]}");
    let snapshot = models(&[("cluster.yaml", &text)]);
    let create = |group: &str, resource: &str, target: bool| {
        let name = format!("target {group}:{resource} k8s://prod/{group}/namespaces/shop/{resource}/new\n");
        let name = if target { name } else { String::new() };
        let text = format!(
            "person alice\neffect {group}:create/{resource} create\n{name}parent core:namespaces {IN_SHOP}"
        );
        ruling_on(&snapshot, &text)
    };
    for target in [true, false] {
        assert_eq!(create("core", "configmaps", target), "admit");
        assert_eq!(create("batch", "jobs", target), "deny type_not_declared");
    }
    // What is there is not created by being applied again.
    let apply = "person alice\neffect apps:patch/deployments create\n\
                 target apps:deployments k8s://prod/apps/namespaces/shop/deployments/NAME\n\
                 parent core:namespaces k8s://prod/core/namespaces/shop";
    assert_eq!(ruling_on(&snapshot, &apply.replace("NAME", "web")), "admit");
    assert_eq!(ruling_on(&snapshot, &apply.replace("NAME", "new")), "deny type_not_declared");
}

#[test]
fn the_cluster_as_a_whole_is_told_as_one() {
    check(
        "person alice
         effect core:create/namespaces create
         target core:namespaces k8s://prod/core/namespaces/new
         parent kubernetes:cluster k8s://prod scope",
        expect![[r#"
            deny (enforce), no permit
            deny ownership not_owner: `k8s://prod/core/namespaces/new` belongs to `platform`, for which `alice` does not act
                → ask `platform` to make the change
            owners: platform
            reach: 0 + 0"#]],
    );
}

#[test]
fn a_cluster_without_an_owner_is_told_what_to_declare() {
    let text = super::CLUSTER
        .replace(
            "spec: {plane: kubernetes, account: prod, owner: platform}",
            "spec: {plane: kubernetes, account: test, owner: platform}",
        )
        .replace("k8s://prod/*", "k8s://test/*");
    let snapshot = models(&[("cluster.yaml", &text)]);
    let action = "person petra\neffect core:patch/nodes update\ntarget core:nodes k8s://prod/core/nodes/two";
    assert_eq!(ruling_on(&snapshot, action), "deny no_owner");
    assert_eq!(ruling_on(&cluster(), action), "admit");
}

#[test]
fn a_label_that_says_whose_something_is_is_a_grant() {
    let web = "k8s://prod/apps/namespaces/shop/deployments/web";
    let patch = |name: &str, line: &str| {
        ruling(&format!(
            "agent cleaner\neffect apps:patch/deployments update\ntarget apps:deployments {name}\n{line}"
        ))
    };
    const GRANT: &str = "deny agent_grants no_ground";
    assert_eq!(patch(web, "spec.template.spec.containers.1.image = shop/web:2"), "admit");
    assert_eq!(patch(web, "metadata.labels.app\\.kubernetes\\.io/version = 2"), "admit");
    assert_eq!(patch(web, "metadata.labels.owner = data"), GRANT);
    assert_eq!(patch(web, "metadata.annotations.Team = data"), GRANT);
    assert_eq!(patch(web, "metadata.labels.example\\.com/team = data"), GRANT);
    assert_eq!(patch(web, "metadata.labels := null"), GRANT);
    assert_eq!(patch(web, "1.op = add\n1.path = /metadata/labels/example.com~1team\n1.value = data"), GRANT);
    assert_eq!(
        patch(web, "1.op = copy\n1.from = /spec\n1.path = /metadata/labels"),
        "deny agent_grants no_ground unreadable_parameters"
    );
    // The same again says nothing new; an object sent whole without it does.
    let reports = |verb: &str, line: &str| {
        let name = "k8s://prod/batch/namespaces/shop/cronjobs/reports";
        ruling(&format!(
            "person dora\neffect batch:{verb}/cronjobs update\ntarget batch:cronjobs {name}\n{line}"
        ))
    };
    assert_eq!(reports("update", "metadata.labels.example\\.com/team = data"), "admit");
    let check_grant = |verb: &str, line: &str| {
        let name = "k8s://prod/batch/namespaces/shop/cronjobs/reports";
        let text = format!(
            "person dora claimed\neffect batch:{verb}/cronjobs update\ntarget batch:cronjobs {name}\n{line}"
        );
        ruling(&text) == "deny claimed_identity"
    };
    assert!(!check_grant("update", "metadata.labels.example\\.com/team = data"));
    assert!(check_grant("update", "metadata.labels.other = data"));
    assert!(!check_grant("patch", "metadata.labels.other = data"));
    assert!(check_grant("patch", "metadata.labels.example\\.com/team = web"));
}

#[test]
fn who_is_who_in_a_cluster_is_a_grant_wherever_it_is_written() {
    let text = "person petra claimed
        effect core:patch/configmaps update
        target core:configmaps k8s://prod/core/namespaces/kube-system/configmaps/NAME
        data.mapRoles = x";
    assert_eq!(ruling(&text.replace("NAME", "aws-auth")), "deny claimed_identity");
    assert_eq!(ruling(&text.replace("NAME", "coredns")), "admit");
}

#[test]
fn a_freeze_of_a_namespace_covers_all_that_lies_in_it() {
    let freeze = "
apiVersion: ordain/v1
kind: Freeze
metadata: {name: sale}
spec:
  from: 2026-11-24T00:00:00Z
  until: 2026-11-25T00:00:00Z
  why: the sale
  covers: {names: [\"k8s://prod/core/namespaces/shop\"]}
";
    let snapshot = models(&[("cluster.yaml", super::CLUSTER), ("freeze.yaml", freeze)]);
    let patch = "person alice\neffect apps:patch/deployments update\n\
                 target apps:deployments k8s://prod/apps/namespaces/shop/deployments/web";
    assert_eq!(ruling_on(&snapshot, patch), "deny frozen");
    let other = "person dora\neffect example.com:patch/queues update\n\
                 target example.com:queues k8s://prod/example.com/namespaces/warehouse/queues/orders";
    assert_eq!(ruling_on(&snapshot, other), "admit");
}
