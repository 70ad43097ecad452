//! `ordain model import --live`: what an upstream has, asked of it page by page. The upstream is a stub of ours that gives
//! answers of the plane's form.
//!
//! Leaves out what the answers mean (`rules/tests/import/`).

use expect_test::{Expect, expect};

use crate::harness::{Answer, Arrived, Gate, Recorder, Setup, said};

/// A gate with one upstream more, at a recorder that answers by a script.
fn gate(
    plane: &str,
    more: &str,
    script: impl Fn(&Arrived) -> Answer + Send + Sync + 'static,
) -> (Gate, Recorder) {
    let there = Recorder::start();
    there.answer(script);
    let setup = Setup {
        settings: format!(
            "[[upstream]]\nname = \"there\"\nplane = \"{plane}\"\nendpoint = \"http://{}\"\n\
             credentials = {{ token_file = \"{{folder}}/token\" }}\n{more}",
            there.address
        ),
        files: vec![("token", "a-real-token-of-the-gate".to_owned())],
        secrets: vec!["a-real-token-of-the-gate", "hunter2"],
        actors: Vec::new(),
        ..Setup::default()
    };
    (Gate::start(setup), there)
}

fn told(gate: &Gate, arguments: &[&str], expected: Expect) {
    let output = gate.run(&[&["model", "import"], arguments].concat());
    let folder = gate.folder.path().display().to_string();
    let text = said(&output).replace(&folder, "FOLDER");
    // Columns are as wide as the folder's name.
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let text = lines.fold(String::new(), |all, line| all + &line + "\n");
    expected.assert_eq(&format!("{text}exit {}", output.status.code().unwrap()));
}

/// The document that was made, without when that was.
fn document(gate: &Gate, name: &str, expected: Expect) {
    let text = std::fs::read_to_string(gate.folder.path().join("model").join(name)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("  asOf: "));
    expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

fn json(text: &str) -> Answer {
    Answer::Body(200, text.to_owned())
}

/// A cluster with two pages of pods, a secret, a list that is forbidden and an aggregated API that is down.
fn cluster(arrived: &Arrived) -> Answer {
    let accept = arrived.header("accept").unwrap_or_default();
    match arrived.target.as_str() {
        "/apis" => json(
            r#"{"groups": [{"preferredVersion": {"groupVersion": "apps/v1"}}, {"preferredVersion": {"groupVersion": "metrics.k8s.io/v1"}}]}"#,
        ),
        "/api/v1" => json(
            r#"{"resources": [
            {"name": "pods", "kind": "Pod", "verbs": ["get", "list"]},
            {"name": "pods/log", "kind": "Pod", "verbs": ["get"]},
            {"name": "secrets", "kind": "Secret", "verbs": ["list"]},
            {"name": "events", "kind": "Event", "verbs": ["list"]},
            {"name": "nodes", "kind": "Node", "verbs": ["list"]},
            {"name": "bindings", "kind": "Binding", "verbs": ["create"]}]}"#,
        ),
        "/apis/apps/v1" => {
            json(r#"{"resources": [{"name": "deployments", "kind": "Deployment", "verbs": ["list"]}]}"#)
        }
        "/api/v1/pods?limit=250" => json(
            r#"{"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": "a b"}, "items": [{"metadata": {"name": "web-1", "namespace": "shop"}, "spec": {"volumes": [{"secret": {"secretName": "db"}}]}}]}"#,
        ),
        "/api/v1/pods?limit=250&continue=a+b" => json(
            r#"{"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [{"metadata": {"name": "web-2", "namespace": "shop"}}]}"#,
        ),
        "/api/v1/secrets?limit=250" if accept.contains("PartialObjectMetadataList") => json(
            r#"{"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "items": [{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "db", "namespace": "shop"}}]}"#,
        ),
        "/api/v1/secrets?limit=250" => json(
            r#"{"metadata": {}, "items": [{"metadata": {"name": "db", "namespace": "shop"}, "data": {"password": "hunter2"}}]}"#,
        ),
        "/apis/apps/v1/deployments?limit=250" => json(r#"{"metadata": {}, "items": null}"#),
        "/api/v1/nodes?limit=250" => {
            Answer::Body(403, r#"{"kind": "Status", "apiVersion": "v1", "code": 403}"#.to_owned())
        }
        "/apis/metrics.k8s.io/v1" => Answer::Body(404, "{}".to_owned()),
        _ => Answer::Body(
            200,
            r#"{"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "kube-system", "uid": "00000000-0000-4000-8000-000000000009"}}"#.to_owned(),
        ),
    }
}

#[test]
fn a_cluster_is_asked_for_all_that_it_lists_and_for_no_secret() {
    let (gate, there) = gate("kubernetes", "account = \"prod\"\n", cluster);
    told(
        &gate,
        &["--live", "kubernetes"],
        expect![[r#"
            FILE FACTS RELATIONS UNOWNED OWNERS ACCOUNTS
            FOLDER/model/kubernetes-prod.yaml 4 1 4 prod
            asking `there`: 1 pods of v1
            asking `there`: 2 pods of v1
            asking `there`: 1 secrets of v1
            asking `there`: 0 deployments of apps/v1
            left out: 2 × a relation to what is not in the lists; import that too
            left out: nodes of v1: it answers with status 403
            left out: `metrics.k8s.io/v1`: it answers with status 404: {}
            exit 0"#]],
    );
    document(
        &gate,
        "kubernetes-prod.yaml",
        expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "prod"
        spec:
          source: "kubernetes:prod"
          plane: kubernetes
          account: "prod"
          resources:
            - {"id":"core/namespaces/shop","type":"core:namespaces","name":"k8s://prod/core/namespaces/shop"}
            - {"id":"core/namespaces/shop/pods/web-1","type":"core:pods","name":"k8s://prod/core/namespaces/shop/pods/web-1"}
            - {"id":"core/namespaces/shop/pods/web-2","type":"core:pods","name":"k8s://prod/core/namespaces/shop/pods/web-2"}
            - {"id":"core/namespaces/shop/secrets/db","type":"core:secrets","name":"k8s://prod/core/namespaces/shop/secrets/db"}
          relations:
            - {"from":"core/namespaces/shop/pods/web-1","type":"dependsOn","to":"core/namespaces/shop/secrets/db"}"##]],
    );
    let arrived = there.arrived();
    assert!(arrived.iter().all(|one| one.method == "GET"), "something was not only read");
    assert!(!arrived.iter().any(|one| one.target.contains("events") || one.target.contains("bindings")));
    gate.finish();
}

/// Rows of a tenant, in two pages.
fn tenant(arrived: &Arrived) -> Answer {
    let body = arrived.body_text();
    let of = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/Shop";
    match arrived.target.as_str() {
        "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
            if body.contains("ResourceContainers") =>
        {
            json(&format!(
                r#"{{"count": 1, "resultTruncated": "false", "data": [{{"id": "{of}", "name": "Shop", "type": "microsoft.resources/subscriptions/resourcegroups", "tags": {{"owner": "platform"}}}}]}}"#
            ))
        }
        "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
            if body.contains("\"$skipToken\":\"more\"") =>
        {
            json(&format!(
                r#"{{"count": 1, "data": [{{"id": "{of}/providers/Microsoft.Compute/disks/d", "name": "d", "type": "microsoft.compute/disks", "location": "westeurope", "managedBy": "{of}/providers/Microsoft.Compute/virtualMachines/web"}}]}}"#
            ))
        }
        "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01" => json(&format!(
            r#"{{"count": 1, "$skipToken": "more", "data": [{{"id": "{of}/providers/Microsoft.Compute/virtualMachines/web", "name": "web", "type": "microsoft.compute/virtualmachines", "location": "westeurope", "properties": {{"osProfile": {{"adminPassword": "hunter2"}}}}}}]}}"#
        )),
        _ => Answer::Body(403, r#"{"error": {"code": "AuthorizationFailed"}}"#.to_owned()),
    }
}

#[test]
fn a_tenant_is_asked_by_its_resource_graph() {
    let (gate, there) = gate("azure", "account = \"contoso\"\n", tenant);
    told(
        &gate,
        &["--live", "azure", "--subscription", "00000000-0000-4000-8000-000000000001"],
        expect![[r#"
            FILE FACTS RELATIONS UNOWNED OWNERS ACCOUNTS
            FOLDER/model/resource-graph-there-00000000-0000-4000-8000-000000000001.yaml 3 1 2 platform 00000000-0000-4000-8000-000000000001
            asking `there`: 1 ResourceContainers
            asking `there`: 1 Resources
            asking `there`: 2 Resources
            exit 0"#]],
    );
    document(
        &gate,
        "resource-graph-there-00000000-0000-4000-8000-000000000001.yaml",
        expect![[r##"
            # Imported: change the source and import again.
            apiVersion: ordain/v1
            kind: Inventory
            metadata:
              name: "there-00000000-0000-4000-8000-000000000001"
            spec:
              source: "resource-graph:there-00000000-0000-4000-8000-000000000001"
              plane: azure
              account: "00000000-0000-4000-8000-000000000001"
              resources:
                - {"id":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop","type":"azure:Microsoft.Resources/subscriptions/resourceGroups","name":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop","tags":{"owner":"platform"}}
                - {"id":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop/providers/microsoft.compute/disks/d","type":"azure:Microsoft.Compute/disks","name":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop/providers/microsoft.compute/disks/d","region":"westeurope"}
                - {"id":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web","type":"azure:Microsoft.Compute/virtualMachines","name":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web","region":"westeurope"}
              relations:
                - {"from":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web","type":"dependsOn","to":"/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/shop/providers/microsoft.compute/disks/d"}"##]],
    );
    let asked = there.arrived().into_iter().filter(|one| one.method == "POST").collect::<Vec<_>>();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|one| one.body_text().contains("00000000-0000-4000-8000-000000000001")));
    gate.finish();
}

/// Assets of an organization, in two pages.
fn organization(arrived: &Arrived) -> Answer {
    match arrived.target.as_str() {
        "/v1/organizations/1/assets?contentType=RESOURCE&pageSize=500" => json(
            r#"{"readTime": "2026-01-31T18:00:00Z", "nextPageToken": "p/2", "assets": [{"name": "//cloudresourcemanager.googleapis.com/projects/471", "assetType": "cloudresourcemanager.googleapis.com/Project", "resource": {"data": {"projectId": "shop", "projectNumber": "471"}}, "ancestors": ["projects/471", "organizations/1"]}]}"#,
        ),
        "/v1/organizations/1/assets?contentType=RESOURCE&pageSize=500&pageToken=p%2F2" => json(
            r#"{"assets": [{"name": "//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web", "assetType": "compute.googleapis.com/Instance", "resource": {"data": {"labels": {"owner": "platform"}, "metadata": {"items": [{"key": "db", "value": "hunter2"}]}}, "location": "europe-west1-b"}, "ancestors": ["projects/471"]}]}"#,
        ),
        _ => Answer::Body(403, "{}".to_owned()),
    }
}

#[test]
fn an_organization_is_asked_by_its_asset_inventory() {
    let (gate, _there) = gate("gcp", "account = \"acme\"\n", organization);
    told(
        &gate,
        &["--live", "gcp"],
        expect![[r#"
            error: cannot ask `there` for what it has: say what is asked for: `--scope organizations/NUMBER`, `folders/NUMBER` or `projects/ID`
            exit 2"#]],
    );
    told(
        &gate,
        &["--live", "gcp", "--scope", "organizations/1/.."],
        expect![[r#"
            error: cannot ask `there` for what it has: `organizations/1/..` is no scope; give `organizations/NUMBER`, `folders/NUMBER` or `projects/ID`
            exit 2"#]],
    );
    told(
        &gate,
        &["--live", "gcp", "--scope", "organizations/1"],
        expect![[r#"
            FILE FACTS RELATIONS UNOWNED OWNERS ACCOUNTS
            FOLDER/model/asset-inventory-there-organizations-1.yaml 2 1 1 platform shop
            asking `there`: 1 assets
            asking `there`: 2 assets
            exit 0"#]],
    );
    document(
        &gate,
        "asset-inventory-there-organizations-1.yaml",
        expect![[r##"
            # Imported: change the source and import again.
            apiVersion: ordain/v1
            kind: Inventory
            metadata:
              name: "there-organizations-1"
            spec:
              source: "asset-inventory:there-organizations-1"
              plane: gcp
              account: "shop"
              resources:
                - {"id":"//cloudresourcemanager.googleapis.com/projects/shop","type":"gcp:cloudresourcemanager/projects","name":"//cloudresourcemanager.googleapis.com/projects/shop","identifiers":["471"]}
                - {"id":"//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web","type":"gcp:compute/instances","name":"//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web","region":"europe-west1","tags":{"owner":"platform"}}
              relations:
                - {"from":"//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web","type":"partOf","to":"//cloudresourcemanager.googleapis.com/projects/shop"}"##]],
    );
    gate.finish();
}

#[test]
fn an_account_is_asked_by_its_resource_explorer() {
    let gate = Gate::start(Setup::default());
    gate.recorder.answer(|arrived| {
        if arrived.target != "/ListResources" {
            return Answer::well();
        }
        if arrived.body_text().contains("NextToken") {
            return json(r#"{"Resources": [{"Arn": "arn:aws:sqs:eu-west-1:123456789012:jobs", "OwningAccountId": "123456789012", "Region": "eu-west-1", "ResourceType": "sqs:queue", "Service": "sqs"}]}"#);
        }
        json(r#"{"NextToken": "more", "Resources": [{"Arn": "arn:aws:s3:::shop-assets", "OwningAccountId": "123456789012", "Region": "eu-west-1", "ResourceType": "s3:bucket", "Service": "s3", "Properties": [{"Name": "tags", "Data": [{"Key": "owner", "Value": "platform"}]}]}]}"#)
    });
    told(
        &gate,
        &["--live", "aws"],
        expect![[r#"
        error: cannot ask `default` for what it has: say which region's Resource Explorer is asked, for example `--region eu-west-1`; one that has an aggregator index knows all regions
        exit 2"#]],
    );
    told(
        &gate,
        &["--live", "aws", "--region", "nowhere-1"],
        expect![[r#"
            error: cannot ask `default` for what it has: `nowhere-1` is no region of AWS; give one, for example `eu-west-1`
            exit 2"#]],
    );
    told(
        &gate,
        &["--live", "aws", "--region", "eu-west-1"],
        expect![[r#"
            FILE FACTS RELATIONS UNOWNED OWNERS ACCOUNTS
            FOLDER/model/resource-explorer-default-eu-west-1.yaml 2 0 1 platform 123456789012
            asking `default`: 1 resources of eu-west-1
            asking `default`: 2 resources of eu-west-1
            exit 0"#]],
    );
    document(
        &gate,
        "resource-explorer-default-eu-west-1.yaml",
        expect![[r##"
            # Imported: change the source and import again.
            apiVersion: ordain/v1
            kind: Inventory
            metadata:
              name: "default-eu-west-1"
            spec:
              source: "resource-explorer:default-eu-west-1"
              plane: aws
              account: "123456789012"
              resources:
                - {"id":"arn:aws:s3:::shop-assets","type":"s3:bucket","name":"arn:aws:s3:::shop-assets","identifiers":["shop-assets"],"tags":{"owner":"platform"}}
                - {"id":"arn:aws:sqs:eu-west-1:123456789012:jobs","type":"sqs:queue","name":"arn:aws:sqs:eu-west-1:123456789012:jobs","identifiers":["jobs"],"region":"eu-west-1"}"##]],
    );
    gate.finish();
}

#[test]
fn what_cannot_be_had_whole_is_not_imported() {
    let (gate, _there) =
        gate("kubernetes", "account = \"prod\"\n", |arrived: &Arrived| match arrived.target.as_str() {
            "/api/v1/pods?limit=250&continue=a+b" => Answer::Body(400, "{\"message\": \"no\"}".to_owned()),
            _ => cluster(arrived),
        });
    told(
        &gate,
        &["--live", "kubernetes"],
        expect![[r#"
            asking `there`: 1 pods of v1
            error: cannot ask `there` for what it has: pods of v1: it answers with status 400: {"message": "no"}
            exit 2"#]],
    );
    assert!(!gate.folder.path().join("model/kubernetes-prod.yaml").exists());
    told(
        &gate,
        &["--live", "kubernetes", "--upstream", "elsewhere"],
        expect![[r#"
        error: no upstream of plane `kubernetes` is called `elsewhere`; there are `there`
        exit 2"#]],
    );
    told(
        &gate,
        &["--live", "azure"],
        expect![[r#"
        error: no upstream of plane `azure` is configured; add one
        exit 2"#]],
    );
    told(
        &gate,
        &["--upstream", "there"],
        expect![[r#"
            error: the following required arguments were not provided:
            --live <PLANE>

            Usage: ordain model import --live <PLANE> --upstream <UPSTREAM>

            For more information, try '--help'.
            exit 2"#]],
    );
    told(
        &gate,
        &[],
        expect![[r#"
        error: say what to import: a source, or `--live` and a plane; `--help` lists them
        exit 2"#]],
    );
    gate.finish();
}
