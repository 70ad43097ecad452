//! `ordain model import` as somebody uses it: files in, a document in the model's folder out, and what is said.
//! Every source is tried once with the least that is one.
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

/// A source, its file, what else is said, and the document that comes of it.
const SOURCES: [(&str, &str, &[&str], &str); 11] = [
    (
        "terraform",
        r#"{"version": 4, "serial": 1, "resources": [{"mode": "managed", "type": "google_storage_bucket", "name": "a", "instances": [{"attributes": {"name": "shop-a", "project": "shop"}}]}]}"#,
        &["--name", "one", "--cluster", "prod"],
        "terraform-one.yaml",
    ),
    (
        "cloudformation",
        r#"{"Stacks": [{"StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/0a", "StackName": "shop", "StackStatus": "CREATE_COMPLETE"}]}"#,
        &["--name", "one"],
        "cloudformation-one.yaml",
    ),
    (
        "aws-config",
        r#"{"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": [{"ARN": "arn:aws:sqs:eu-west-1:123456789012:jobs", "awsAccountId": "123456789012", "awsRegion": "eu-west-1", "resourceType": "AWS::SQS::Queue", "resourceId": "jobs", "configurationItemCaptureTime": "2026-01-31T18:00:00.000Z", "configurationItemStatus": "OK"}]}"#,
        &["--name", "one"],
        "aws-config-one.yaml",
    ),
    (
        "resource-explorer",
        r#"{"Resources": [{"Arn": "arn:aws:s3:::shop", "OwningAccountId": "123456789012", "Region": "eu-west-1", "ResourceType": "s3:bucket", "Service": "s3"}]}"#,
        &["--name", "one"],
        "resource-explorer-one.yaml",
    ),
    (
        "resource-graph",
        r#"{"data": [{"id": "/subscriptions/7a/resourceGroups/Shop", "name": "Shop", "type": "microsoft.resources/subscriptions/resourcegroups", "tags": {"squad": "platform"}}]}"#,
        &["--name", "one", "--owner-label", "squad"],
        "resource-graph-one.yaml",
    ),
    (
        "asset-inventory",
        r#"{"name": "//pubsub.googleapis.com/projects/shop/topics/t", "asset_type": "pubsub.googleapis.com/Topic", "resource": {"data": {}}}"#,
        &["--name", "one"],
        "asset-inventory-one.yaml",
    ),
    (
        "backstage",
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: web, uid: x}\nspec: {type: service, lifecycle: production, owner: platform}\n",
        &["--name", "one"],
        "backstage-one.yaml",
    ),
    (
        "servicenow",
        "number,class,name,team\nCI1,cmdb_ci_server,web-1,Platform\n",
        &["--name", "one", "--column", "id=number", "--column", "type=class", "--column", "owner=team"],
        "servicenow-one.yaml",
    ),
    (
        "cyclonedx",
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "services": [{"bom-ref": "s", "name": "web"}]}"#,
        &["--name", "one"],
        "cyclonedx-one.yaml",
    ),
    (
        "service-graph",
        "traces_service_graph_request_total{client=\"web\",server=\"orders\",connection_type=\"\"} 12\n",
        &["--name", "one", "--decays", "7d"],
        "service-graph-one.yaml",
    ),
    ("codeowners", "* @acme/platform\n", &[], "codeowners.yaml"),
];

#[test]
fn every_source_becomes_a_document_that_the_model_takes() {
    let gate = Gate::start(Setup::default());
    let folder = gate.folder.path();
    for (source, text, more, document) in SOURCES {
        // As AWS Config and Google deliver theirs.
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
        let path = folder.join(format!("{source}.gz"));
        std::fs::write(&path, packed.finish().unwrap()).unwrap();
        let path = path.display().to_string();
        let output = gate
            .run(&[&["model", "import", "--as-of", "2026-01-31T18:00:00Z", source, &path], more].concat());
        assert_eq!(output.status.code(), Some(0), "{source}: {}", said(&output));
        let made = std::fs::read_to_string(folder.join("model").join(document)).unwrap();
        let dated = source == "backstage" || made.contains("asOf: 2026-01-31T18:00:00Z");
        assert!(dated, "{source} says nothing of when that was: {made}");
    }
    let shown = said(&gate.run(&["model", "export", "-o", "json"]));
    for name in
        ["projects/_/buckets/shop-a", ":stack/shop/0a", ":jobs", "arn:aws:s3:::shop", "/resourcegroups/shop"]
    {
        assert!(shown.contains(name), "{name}: {shown}");
    }
    gate.finish();
}

#[test]
fn what_the_model_would_not_load_with_replaces_nothing() {
    let gate = Gate::start(Setup::default());
    let folder = gate.folder.path();
    let catalogue = |owner: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: web}}\n\
             spec: {{type: service, lifecycle: production, owner: '{owner}'}}\n"
        )
    };
    let path = folder.join("catalog-info.yaml").display().to_string();
    std::fs::write(&path, catalogue("platform")).unwrap();
    let import = || gate.run(&["model", "import", "backstage", &path, "--name", "one"]);
    assert_eq!(import().status.code(), Some(0));
    let good = std::fs::read_to_string(folder.join("model/backstage-one.yaml")).unwrap();
    std::fs::write(&path, catalogue("user:ghost")).unwrap();
    let refused = import();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        said(&refused).contains("nothing was imported: with it the model would not load"),
        "{}",
        said(&refused)
    );
    assert_eq!(std::fs::read_to_string(folder.join("model/backstage-one.yaml")).unwrap(), good);
    gate.finish();
}
