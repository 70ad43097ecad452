//! States of Terraform with resources of Azure, of Google Cloud and of a cluster.

use expect_test::expect;
use ordain_rules::import::{Terraform, terraform};
use ordain_rules::{Mode, Modes, Snapshot};

use crate::source;

/// Resources as the providers write them; what is secret is marked so, or stands where nobody looks.
const STATE: &str = r#"{
  "version": 4, "serial": 7, "resources": [
    {"mode": "managed", "type": "azurerm_resource_group", "name": "shop", "instances": [{"attributes": {"id": "/subscriptions/00000000-0000-4000-8000-00000000000A/resourceGroups/Shop", "location": "westeurope", "name": "Shop", "tags": {"owner": "web"}}}]},
    {"mode": "managed", "type": "azurerm_network_security_group", "name": "web", "instances": [{"attributes": {"id": "/subscriptions/00000000-0000-4000-8000-00000000000A/resourceGroups/Shop/providers/Microsoft.Network/networkSecurityGroups/web", "location": "westeurope"}, "dependencies": ["azurerm_resource_group.shop"]}]},
    {"mode": "managed", "type": "azurerm_linux_virtual_machine", "name": "web", "instances": [{"attributes": {"id": "/subscriptions/00000000-0000-4000-8000-00000000000A/resourceGroups/Shop/providers/Microsoft.Compute/virtualMachines/web", "location": "westeurope", "admin_password": "hunter2", "custom_data": "hunter2"}, "sensitive_attributes": [[{"type": "get_attr", "value": "admin_password"}]], "dependencies": ["azurerm_network_security_group.web", "azurerm_resource_group.shop"]}]},
    {"mode": "managed", "type": "azurerm_subnet_network_security_group_association", "name": "web", "instances": [{"attributes": {"id": "not-an-id|/subscriptions/x"}, "dependencies": ["azurerm_network_security_group.web"]}]},
    {"mode": "data", "type": "azurerm_client_config", "name": "here", "instances": [{"attributes": {"id": "Y2xpZW50"}}]},
    {"mode": "managed", "type": "google_project", "name": "shop", "instances": [{"attributes": {"id": "projects/shop", "project_id": "shop", "number": "471", "labels": {"owner": "web"}}}]},
    {"mode": "managed", "type": "google_compute_subnetwork", "name": "web", "instances": [{"attributes": {"id": "projects/shop/regions/europe-west1/subnetworks/web", "self_link": "https://www.googleapis.com/compute/v1/projects/shop/regions/europe-west1/subnetworks/web", "region": "europe-west1", "project": "shop"}}]},
    {"mode": "managed", "type": "google_service_account", "name": "web", "instances": [{"attributes": {"id": "projects/shop/serviceAccounts/web@shop.iam.gserviceaccount.com", "email": "web@shop.iam.gserviceaccount.com", "unique_id": "1001", "project": "shop"}}]},
    {"mode": "managed", "type": "google_compute_instance", "name": "web", "instances": [{"index_key": 0, "attributes": {"id": "projects/shop/zones/europe-west1-b/instances/web-0", "self_link": "https://www.googleapis.com/compute/v1/projects/shop/zones/europe-west1-b/instances/web-0", "zone": "europe-west1-b", "project": "shop", "metadata_startup_script": "hunter2", "effective_labels": {"team": "web"}, "network_interface": [{"subnetwork": "https://www.googleapis.com/compute/v1/projects/shop/regions/europe-west1/subnetworks/web"}]}, "dependencies": ["google_compute_subnetwork.web", "google_service_account.web"]}]},
    {"mode": "managed", "type": "google_storage_bucket", "name": "assets", "instances": [{"attributes": {"id": "shop-assets", "name": "shop-assets", "project": "shop", "location": "EU"}}]},
    {"mode": "managed", "type": "google_project_iam_member", "name": "web", "instances": [{"attributes": {"id": "shop/roles/viewer/user:li@example.com", "project": "shop"}, "dependencies": ["google_project.shop"]}]},
    {"mode": "managed", "type": "kubernetes_namespace_v1", "name": "shop", "instances": [{"attributes": {"id": "shop", "metadata": [{"name": "shop", "namespace": "", "labels": {"team": "web"}}]}}]},
    {"mode": "managed", "type": "kubernetes_secret", "name": "db", "instances": [{"attributes": {"id": "shop/db", "metadata": [{"name": "db", "namespace": "shop"}], "data": {"password": "hunter2"}}, "dependencies": ["kubernetes_namespace_v1.shop"]}]},
    {"mode": "managed", "type": "kubernetes_manifest", "name": "gate", "instances": [{"attributes": {"manifest": {"apiVersion": "example.com/v1", "kind": "Gate", "metadata": {"name": "edge", "namespace": "shop"}, "spec": {"key": "hunter2"}}}}]},
    {"mode": "managed", "type": "helm_release", "name": "x", "instances": [{"attributes": {"id": "x"}}]}
  ]}"#;

#[test]
fn resources_of_other_planes_have_the_names_that_requests_have() {
    let told = Terraform { name: Some("mixed"), cluster: Some("prod"), ..Terraform::default() };
    let imported = terraform(&source("terraform.tfstate", STATE), told).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "mixed"
        spec:
          source: "terraform:mixed"
          revision: "7"
          plane: gcp
          account: "shop"
          resources:
            - {"id":"azurerm_linux_virtual_machine.web","type":"azure:Microsoft.Compute/virtualMachines","name":"/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web","account":"00000000-0000-4000-8000-00000000000a","region":"westeurope","path":""}
            - {"id":"azurerm_network_security_group.web","type":"azure:Microsoft.Network/networkSecurityGroups","name":"/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/shop/providers/microsoft.network/networksecuritygroups/web","account":"00000000-0000-4000-8000-00000000000a","region":"westeurope","path":""}
            - {"id":"azurerm_resource_group.shop","type":"azure:Microsoft.Resources/subscriptions/resourceGroups","name":"/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/shop","account":"00000000-0000-4000-8000-00000000000a","region":"westeurope","tags":{"owner":"web"},"path":""}
            - {"id":"azurerm_subnet_network_security_group_association.web","type":"azurerm_subnet_network_security_group_association","path":""}
            - {"id":"google_compute_instance.web[0]","type":"gcp:compute/instances","name":"//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web-0","region":"europe-west1","tags":{"team":"web"},"path":""}
            - {"id":"google_compute_subnetwork.web","type":"gcp:compute/subnetworks","name":"//compute.googleapis.com/projects/shop/regions/europe-west1/subnetworks/web","region":"europe-west1","path":""}
            - {"id":"google_project.shop","type":"gcp:cloudresourcemanager/projects","name":"//cloudresourcemanager.googleapis.com/projects/shop","identifiers":["471"],"tags":{"owner":"web"},"path":""}
            - {"id":"google_project_iam_member.web","type":"google_project_iam_member","path":""}
            - {"id":"google_service_account.web","type":"gcp:iam/serviceAccounts","name":"//iam.googleapis.com/projects/shop/serviceAccounts/web@shop.iam.gserviceaccount.com","identifiers":["1001"],"path":""}
            - {"id":"google_storage_bucket.assets","type":"gcp:storage/buckets","name":"//storage.googleapis.com/projects/_/buckets/shop-assets","region":"EU","path":""}
            - {"id":"kubernetes_manifest.gate","type":"example.com:gates","name":"k8s://prod/example.com/namespaces/shop/gates/edge","account":"prod","path":""}
            - {"id":"kubernetes_namespace_v1.shop","type":"core:namespaces","name":"k8s://prod/core/namespaces/shop","account":"prod","tags":{"team":"web"},"path":""}
            - {"id":"kubernetes_secret.db","type":"core:secrets","name":"k8s://prod/core/namespaces/shop/secrets/db","account":"prod","path":""}
          relations:
            - {"from":"azurerm_linux_virtual_machine.web","type":"guardedBy","to":"azurerm_network_security_group.web"}
            - {"from":"azurerm_network_security_group.web","type":"dependsOn","to":"azurerm_resource_group.shop"}
            - {"from":"azurerm_subnet_network_security_group_association.web","type":"guardedBy","to":"azurerm_network_security_group.web"}
            - {"from":"google_compute_instance.web[0]","type":"partOf","to":"google_compute_subnetwork.web"}
            - {"from":"google_compute_instance.web[0]","type":"runsAs","to":"google_service_account.web"}
            - {"from":"google_project_iam_member.web","type":"dependsOn","to":"google_project.shop"}
            - {"from":"kubernetes_secret.db","type":"dependsOn","to":"kubernetes_namespace_v1.shop"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        1 × `azurerm_client_config`: what is looked up there is computed, and no resource
        1 × `helm_release`: not a resource of a provider that is known"#]]
    .assert_eq(&imported.summary.left_out.join("\n"));
    assert!(!imported.text.contains("hunter2"));
    let groups = "apiVersion: ordain/v1\nkind: Group\nmetadata: {name: web}\nspec: {}\n";
    let files = [source("people.yaml", groups), source(&imported.file, &imported.text)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    let owned = |end: &str| {
        let fact = snapshot.inventory().find(|fact| fact.name.ends_with(end)).unwrap();
        fact.owners.join(",")
    };
    for end in ["/virtualmachines/web", "/instances/web-0", "/secrets/db", "/projects/shop"] {
        assert_eq!(owned(end), "web", "{end}");
    }
}

#[test]
fn objects_of_a_cluster_that_nobody_names_are_left_out() {
    let told = Terraform { name: Some("mixed"), ..Terraform::default() };
    let imported = terraform(&source("terraform.tfstate", STATE), told).unwrap();
    assert!(!imported.text.contains("k8s://"));
    assert!(
        imported.summary.left_out.contains(
            &"1 × `kubernetes_secret`: nothing says which cluster it is in; give its name".to_owned()
        )
    );
}
