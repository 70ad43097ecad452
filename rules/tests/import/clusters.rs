//! Lists of a cluster's objects: what they become, and what is decided by it.
//!
//! `cluster.json` and `definitions.yaml` are written by hand after what `kubectl get` prints of a small shop.

use std::fmt::Write as _;

use expect_test::{expect, expect_file};
use ordain_rules::import::{ImportError, Imported, Kubernetes, kubernetes};
use ordain_rules::{Mode, Modes, Snapshot, Source};

use crate::source;

const CLUSTER: &str = include_str!("cluster.json");
const DEFINITIONS: &str = include_str!("definitions.yaml");

fn import(sources: &[Source], owner_labels: &[&str]) -> Result<Imported, ImportError> {
    let owner_labels: Vec<String> = owner_labels.iter().map(|label| (*label).to_owned()).collect();
    let as_of = Some("2026-11-24T10:00:00Z".parse().unwrap());
    kubernetes(sources, Kubernetes { cluster: "prod", name: None, owner_labels: &owner_labels, as_of })
}

fn shop() -> Vec<Source> {
    vec![source("cluster.json", CLUSTER), source("definitions.yaml", DEFINITIONS)]
}

#[test]
fn lists_become_an_inventory_without_what_secrets_hold() {
    let imported = import(&shop(), &["example.com/team"]).unwrap();
    assert_eq!(imported.file, "kubernetes-prod.yaml");
    expect_file!["./prod.yaml"].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 22,
            relations: 33,
            unowned: 6,
            owners: {
                "data",
                "platform",
                "web",
            },
            accounts: {
                "prod",
            },
            left_out: [
                "1 × `Event`: it comes and goes by itself",
                "5 × a relation to what is not in the lists; import that too",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for secret in [
        "aHVudGVyMi1pbi1zZWNyZXQ=",
        "hunter2-in-string-data",
        "hunter2-in-config-map",
        "hunter2-in-annotation",
        "plain-environment-value",
        "LS0tLS1CRUdJTiBSU0E=",
    ] {
        assert!(CLUSTER.contains(secret), "the list does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn what_was_imported_has_owners_and_relations_in_the_model() {
    let people = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: data}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: platform}
spec: {type: team, children: []}
---
apiVersion: ordain/v1
kind: Account
metadata: {name: production}
spec: {plane: kubernetes, account: prod, owner: platform}
";
    let imported = import(&shop(), &["example.com/team"]).unwrap();
    let files = [source(&imported.file, &imported.text), source("people.yaml", people)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    assert_eq!(snapshot.findings(), []);
    let mut owned = String::new();
    for fact in snapshot.inventory() {
        let name = fact.name.strip_prefix("k8s://prod/").unwrap();
        let by = fact.owned_by.unwrap_or("nobody");
        writeln!(owned, "{name} {} ({by})", fact.owners.join(",")).unwrap();
    }
    expect![[r#"
        admissionregistration.k8s.io/validatingwebhookconfigurations/checks platform (account)
        apiextensions.k8s.io/customresourcedefinitions/gates.example.com platform (account)
        apps/namespaces/shop/deployments/web web (tag `example.com/team`)
        apps/namespaces/shop/replicasets/web-6d4b75cb6d web (what made it)
        autoscaling/namespaces/shop/horizontalpodautoscalers/web web (what it lies in)
        batch/namespaces/warehouse/cronjobs/reports platform (account)
        core/namespaces/shop web (tag `team`)
        core/namespaces/shop/configmaps/settings web (what it lies in)
        core/namespaces/shop/persistentvolumeclaims/uploads web (what it lies in)
        core/namespaces/shop/pods/web-6d4b75cb6d-x7k2p web (what made it)
        core/namespaces/shop/secrets/orders-db web (what it lies in)
        core/namespaces/shop/secrets/web-tls web (what it lies in)
        core/namespaces/shop/serviceaccounts/web web (what it lies in)
        core/namespaces/shop/services/web web (what it lies in)
        core/namespaces/warehouse platform (account)
        core/nodes/node-1 platform (account)
        core/persistentvolumes/pv-1 platform (account)
        example.com/namespaces/shop/gates/edge data (tag `owner`)
        networking.k8s.io/namespaces/shop/ingresses/web platform (tag `owner`)
        networking.k8s.io/namespaces/shop/networkpolicies/default-deny web (what it lies in)
        rbac.authorization.k8s.io/namespaces/shop/rolebindings/web-reads web (what it lies in)
        rbac.authorization.k8s.io/namespaces/shop/roles/reader web (what it lies in)
    "#]]
    .assert_eq(&owned);
    // Beside the relations that objects name: what lies in a namespace, and what is of a custom type.
    assert_eq!(snapshot.summary().relations, imported.summary.relations + 17);
    let web = snapshot.inventory().find(|fact| fact.name.ends_with("/deployments/web")).unwrap();
    expect![[r#"
        Provenance {
            source: "kubernetes:prod",
            revision: "812@0a1b2c3d-0000-4000-8000-000000000001",
            as_of: Some(
                2026-11-24T10:00:00Z,
            ),
            changed: Some(
                2026-11-21T10:00:00Z,
            ),
            managers: [
                "kube-controller-manager",
                "argocd-controller",
            ],
        }
    "#]]
    .assert_debug_eq(web.provenance.unwrap());
}

#[test]
fn a_list_of_one_type_and_a_single_object_are_read_too() {
    let names = |text: &str| {
        let imported = import(&[source("x", text)], &[]).unwrap();
        let lines = imported.text.lines().filter(|line| line.contains("\"id\"")).map(str::trim);
        lines.map(|line| line.split('"').nth(3).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let typed = r#"{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a", "namespace": "n"}}]}"#;
    assert_eq!(names(typed), "core/namespaces/n core/namespaces/n/pods/a");
    let one = r#"{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "a"}}"#;
    assert_eq!(names(one), "core/nodes/a");
    assert_eq!(names(&format!("{one}\n{}", one.replace("\"a\"", "\"b\""))), "core/nodes/a core/nodes/b");
    assert_eq!(
        names("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Node, metadata: {name: a}}\n"),
        "core/nodes/a"
    );
    // Of a kind that nothing defines, the plural is guessed as the API server's own clients guess it.
    let unknown = r#"{"kind": "Policy", "apiVersion": "example.com/v1", "metadata": {"name": "a"}}"#;
    assert_eq!(names(unknown), "example.com/policies/a");
}

#[test]
fn the_same_list_makes_the_same_document_and_a_later_file_wins() {
    let imported = import(&shop(), &[]).unwrap();
    let mut turned = shop();
    turned.reverse();
    assert_eq!(import(&turned, &[]).unwrap(), imported);
    let later =
        r#"{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-1", "labels": {"team": "web"}}}"#;
    let mut more = shop();
    more.push(source("later.json", later));
    let changed = import(&more, &[]).unwrap();
    assert_eq!(changed.summary.facts, imported.summary.facts);
    assert!(changed.text.contains(r#""name":"k8s://prod/core/nodes/node-1","tags":{"team":"web"}"#));
}

#[test]
fn ten_thousand_objects_are_imported() {
    let mut items = Vec::new();
    for number in 0..10_000 {
        items.push(format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "p-{number}", "namespace": "n-{}", "labels": {{"app": "a-{}"}}}}, "spec": {{"containers": []}}}}"#,
            number % 50,
            number % 500
        ));
    }
    let text = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{}]}}"#, items.join(","));
    let imported = import(&[source("large.json", &text)], &[]).unwrap();
    assert_eq!(imported.summary.facts, 10_050);
    let snapshot =
        Snapshot::load(&[source(&imported.file, &imported.text)], Modes::new(Mode::Enforce)).unwrap();
    assert_eq!((snapshot.summary().entries, snapshot.summary().relations), (10_050, 10_000));
}

#[test]
fn what_cannot_be_imported_is_refused_with_the_object_and_what_to_give() {
    let refused = |text: &str| import(&[source("x", text)], &[]).unwrap_err().to_string();
    let all = [
        "",
        "{",
        "kind: [",
        r#"{"kind": "List", "apiVersion": "v1", "items": []}"#,
        r#"{"kind": "List", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}]}"#,
        r#"{"kind": "Pod", "apiVersion": "v1", "metadata": {}}"#,
        r#"{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}}"#,
        r#"{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "n"}}"#,
        r#"{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "a/b"}}"#,
        r#"{"kind": "Node", "apiVersion": "v1", "items": [], "metadata": {"name": "a"}}"#,
    ];
    expect![[r#"
        cannot import `x`: it holds no object; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: it is not a list that can be read: EOF while parsing an object at line 1 column 1; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: the document at line 1 is not a list that can be read: kind: invalid type: sequence, expected a string at line 1 column 7; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: it holds no object; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: object 1 has no `apiVersion` and `kind`; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: object 1, a `Pod`, has no `metadata.name`; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: `Pod` `a` has no `metadata.namespace`; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: `Node` `a` is in namespace `n`, and none lies in a namespace; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: object 1, a `Node`, has a name that no object has; give the output of `kubectl get -o json` or `-o yaml`
        cannot import `x`: `Node` holds `items` and is no list; give the output of `kubectl get -o json` or `-o yaml`"#]].assert_eq(&all.map(refused).join("\n"));
    for cluster in ["", "a/b", "a*"] {
        let told = Kubernetes { cluster, ..Kubernetes::default() };
        let error = kubernetes(&shop(), told).unwrap_err();
        assert!(
            error.text.ends_with("is no name of a cluster; give the one that configuration has"),
            "{error}"
        );
    }
}

#[test]
fn an_object_has_the_name_that_requests_have_whichever_group_lists_it() {
    let list = r#"{"kind":"List","items":[
        {"kind":"Ingress","apiVersion":"extensions/v1beta1","metadata":{"name":"web","namespace":"shop","uid":"u"}},
        {"kind":"PodSecurityPolicy","apiVersion":"extensions/v1beta1","metadata":{"name":"strict"}},
        {"kind":"VolumeAttributesClass","apiVersion":"storage.k8s.io/v1","metadata":{"name":"fast"}}
    ]}"#;
    let imported = import(&[source("old.json", list)], &[]).unwrap();
    for name in [
        "k8s://prod/networking.k8s.io/namespaces/shop/ingresses/web",
        "k8s://prod/policy/podsecuritypolicies/strict",
        "k8s://prod/storage.k8s.io/volumeattributesclasses/fast",
    ] {
        assert!(imported.text.contains(name), "{name} in {}", imported.text);
    }
    assert!(!imported.text.contains("/extensions/"), "{}", imported.text);
}
