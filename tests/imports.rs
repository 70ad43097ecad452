//! `ordain model import` as somebody uses it: files in, a document in the model's folder out, and what is said.
//!
//! Leaves out what the documents say of each object (`rules/tests/import/`).

use expect_test::expect;

use crate::harness::{Gate, Setup, said};

const LIST: &str = r#"{"kind": "List", "apiVersion": "v1", "items": [
  {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop", "labels": {"example.com/team": "web"}}},
  {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "db", "namespace": "shop"}, "data": {"password": "aHVudGVyMg=="}},
  {"kind": "Event", "apiVersion": "v1", "metadata": {"name": "web.1", "namespace": "shop"}}
]}"#;

const OBJECT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n\
                      spec: {template: {spec: {containers: [{name: web, envFrom: [{secretRef: {name: db}}]}]}}}\n";

/// Runs an import; the gate's folder, which differs each time, is named instead.
fn import(gate: &Gate, arguments: &[&str]) -> String {
    let folder = gate.folder.path();
    let mut all = vec!["model", "import", "kubernetes"];
    let files: Vec<String> = arguments
        .iter()
        .map(|argument| match argument.split_once('.') {
            Some((_, "json" | "yaml")) => folder.join(argument).display().to_string(),
            Some(_) | None => (*argument).to_owned(),
        })
        .collect();
    all.extend(files.iter().map(String::as_str));
    let output = gate.run(&all);
    let text = said(&output).replace(&folder.display().to_string(), "FOLDER");
    format!("{text}exit {}", output.status.code().unwrap())
}

#[test]
fn objects_of_a_cluster_are_imported_and_imported_again() {
    let gate = Gate::start(Setup::default());
    let folder = gate.folder.path();
    std::fs::write(folder.join("list.json"), LIST).unwrap();
    std::fs::write(folder.join("web.yaml"), OBJECT).unwrap();
    let arguments =
        ["list.json", "web.yaml", "--cluster", "prod", "--owner-label", "example.com/team", "-o", "json"];
    expect![[r#"
        [
          {
            "file": "FOLDER/model/kubernetes-prod.yaml",
            "facts": 3,
            "relations": 1,
            "unowned": 0,
            "owners": [
              "web"
            ],
            "accounts": [
              "prod"
            ],
            "left_out": [
              "1 × `Event`: it comes and goes by itself",
              "1 × a relation to what is not in the lists; import that too"
            ]
          }
        ]
        left out: 1 × `Event`: it comes and goes by itself
        left out: 1 × a relation to what is not in the lists; import that too
        exit 0"#]]
    .assert_eq(&import(&gate, &arguments));
    let document = folder.join("model/kubernetes-prod.yaml");
    let first = std::fs::read_to_string(&document).unwrap();
    assert!(first.contains("k8s://prod/apps/namespaces/shop/deployments/web"), "{first}");
    assert!(!first.contains("aHVudGVyMg"), "{first}");
    // The deployment was deleted in the cluster: a list without it says so.
    let again = import(&gate, &["list.json", "--cluster", "prod"]);
    assert!(again.ends_with("exit 0"), "{again}");
    let second = std::fs::read_to_string(&document).unwrap();
    assert!(!second.contains("deployments/web"), "{second}");
    gate.finish();
}

#[test]
fn what_cannot_be_imported_leaves_the_model_as_it_was() {
    let gate = Gate::start(Setup::default());
    let folder = gate.folder.path();
    std::fs::write(folder.join("list.json"), LIST).unwrap();
    std::fs::write(folder.join("bad.yaml"), "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n").unwrap();
    expect![[r#"
        error: cannot import `FOLDER/bad.yaml`: `Pod` `a` has no `metadata.namespace`; give the output of `kubectl get -o json` or `-o yaml`
        exit 2"#]].assert_eq(&import(&gate, &["list.json", "bad.yaml", "--cluster", "prod"]));
    expect![[r#"
        error: cannot import `FOLDER/list.json`: `prod/eu` is no name of a cluster; give the one that configuration has
        exit 2"#]].assert_eq(&import(&gate, &["list.json", "--cluster", "prod/eu"]));
    expect![[r#"
        error: cannot read `FOLDER/none.json`: No such file or directory (os error 2)
        exit 2"#]]
    .assert_eq(&import(&gate, &["none.json", "--cluster", "prod"]));
    assert!(!folder.join("model/kubernetes-prod.yaml").exists());
    gate.finish();
}
