//! Which namespaces of a cluster an actor reads.

use ordain_rules::Snapshot;

use super::{CLUSTER, cluster, ruling_on};
use crate::support::models;

#[track_caller]
fn reads(snapshot: &Snapshot, who: &str, operation: &str, target: &str) -> bool {
    let text = format!("person {who}\neffect {operation} read\ntarget {target}");
    match ruling_on(snapshot, &text).as_str() {
        "admit" => true,
        "deny outside_read_scope" => false,
        other => panic!("{other}"),
    }
}

#[test]
fn a_team_reads_the_namespaces_it_owns_something_in() {
    let snapshot = cluster();
    let reads = |who: &str, operation: &str, target: &str| reads(&snapshot, who, operation, target);
    let pods = |namespace: &str| format!("core:pods k8s://prod/core/namespaces/{namespace}/pods/* pattern");
    assert!(reads("alice", "core:list/pods", &pods("shop")));
    assert!(!reads("alice", "core:list/pods", &pods("warehouse")));
    assert!(!reads("alice", "core:get/pods", "core:pods k8s://prod/core/namespaces/kube-system/pods/a"));
    // The data team has a cron job in the shop.
    assert!(reads("dora", "core:list/pods", &pods("shop")));
    assert!(reads("dora", "core:list/pods", &pods("warehouse")));
    assert!(reads("petra", "core:list/pods", &pods("kube-system")));
    assert!(reads("alice", "core:get/namespaces", "core:namespaces k8s://prod/core/namespaces/shop"));
    assert!(!reads("alice", "core:get/namespaces", "core:namespaces k8s://prod/core/namespaces/warehouse"));
}

#[test]
fn what_lies_in_no_namespace_is_read_by_whoever_reads_the_cluster() {
    let snapshot = cluster();
    let reads = |who: &str, operation: &str, target: &str| reads(&snapshot, who, operation, target);
    assert!(reads("alice", "core:list/nodes", "core:nodes k8s://prod/core/nodes/* pattern"));
    assert!(reads("alice", "core:list/namespaces", "core:namespaces k8s://prod/core/namespaces/* pattern"));
    assert!(reads("alice", "core:get/discovery", "kubernetes:cluster k8s://prod scope"));
    assert!(reads(
        "alice",
        "apiextensions.k8s.io:list/customresourcedefinitions",
        "apiextensions.k8s.io:customresourcedefinitions k8s://prod/apiextensions.k8s.io/customresourcedefinitions/* pattern"
    ));
    // Every namespace at once, in either form of the name; also of a type that nothing is known of.
    for all in [
        "core:pods k8s://prod/core/pods/* pattern",
        "core:pods k8s://prod/core/namespaces/*/pods/* pattern",
        "example.com:queues k8s://prod/example.com/queues/* pattern",
    ] {
        assert!(!reads("alice", "core:list/pods", all), "{all}");
        assert!(reads("petra", "core:list/pods", all), "{all}");
    }
}

#[test]
fn whoever_owns_nothing_there_reads_nothing_there() {
    let stranger = "
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: sam}
spec: {memberOf: [shop]}
";
    let snapshot = models(&[("cluster.yaml", CLUSTER), ("sam.yaml", stranger)]);
    assert!(!reads(&snapshot, "sam", "core:get/discovery", "kubernetes:cluster k8s://prod scope"));
}

#[test]
fn the_model_says_otherwise_where_it_says_so() {
    let people = "
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: sam}
spec: {memberOf: [], reads: {accounts: [prod], namespaces: [shop, \"test/*\", \"prod/ware*\"]}}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: all}
spec: {memberOf: [], reads: {accounts: [prod]}}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: none}
spec: {memberOf: [], reads: {accounts: [prod], namespaces: []}}
";
    let snapshot = models(&[("cluster.yaml", CLUSTER), ("people.yaml", people)]);
    let pods = |namespace: &str| format!("core:pods k8s://prod/core/namespaces/{namespace}/pods/a");
    for (namespace, sam) in [("shop", true), ("warehouse", true), ("kube-system", false), ("*", false)] {
        assert_eq!(reads(&snapshot, "sam", "core:get/pods", &pods(namespace)), sam, "{namespace}");
        assert!(reads(&snapshot, "all", "core:get/pods", &pods(namespace)));
        assert!(!reads(&snapshot, "none", "core:get/pods", &pods(namespace)));
    }
    assert!(reads(&snapshot, "none", "core:list/nodes", "core:nodes k8s://prod/core/nodes/a"));
}

#[test]
fn an_account_of_another_plane_is_another_account() {
    let account = "
apiVersion: ordain/v1
kind: Account
metadata: {name: cloud}
spec: {account: prod, owner: payroll}
";
    let snapshot = models(&[("cluster.yaml", CLUSTER), ("account.yaml", account)]);
    // Paul's team owns secrets in the cluster's shop, and an account of the same name elsewhere.
    assert!(reads(&snapshot, "paul", "core:get/pods", "core:pods k8s://prod/core/namespaces/shop/pods/a"));
    assert!(!reads(
        &snapshot,
        "paul",
        "core:get/pods",
        "core:pods k8s://prod/core/namespaces/warehouse/pods/a"
    ));
}

#[test]
fn which_types_there_are_is_told_to_everybody_and_nothing_else_of_a_cluster() {
    let snapshot = cluster();
    let reads = |path: &str| {
        let text = format!(
            "person mallory\neffect core:get/nonresourceurls read\ntarget kubernetes:cluster k8s://prod scope\npath = {path}"
        );
        ruling_on(&snapshot, &text)
    };
    for path in [
        "/api",
        "/api/v1",
        "/apis",
        "/apis/apps",
        "/apis/apps/v1",
        "/openapi/v3/apis/apps/v1",
        "/version",
        "/readyz",
    ] {
        assert_eq!(reads(path), "admit", "{path}");
    }
    for path in
        ["/metrics", "/logs/x", "/debug/pprof", "/healthz/etcd", "/api/v1/pods", "/apis/apps/v1/deployments"]
    {
        assert_eq!(reads(path), "deny outside_read_scope", "{path}");
    }
}
