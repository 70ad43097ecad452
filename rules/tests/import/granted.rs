//! What identities may act on, as the sources say it: policies of AWS, assignments of Azure, bindings of Google Cloud and of a
//! cluster.

use expect_test::expect;
use ordain_rules::import::{Kubernetes, Terraform, kubernetes, terraform};

use crate::source;

const STATE: &str = r#"{
  "version": 4, "serial": 1, "resources": [
    {"mode": "managed", "type": "aws_sqs_queue", "name": "jobs", "instances": [{"attributes": {"id": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", "arn": "arn:aws:sqs:eu-west-1:111122223333:jobs", "name": "jobs"}}]},
    {"mode": "managed", "type": "aws_iam_role", "name": "job", "instances": [{"attributes": {"id": "job", "name": "job", "arn": "arn:aws:iam::111122223333:role/job", "managed_policy_arns": ["arn:aws:iam::111122223333:policy/tables", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"], "inline_policy": [{"name": "queues", "policy": "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sqs:*\",\"Resource\":\"arn:aws:sqs:eu-west-1:111122223333:jobs\"}]}"}]}}]},
    {"mode": "managed", "type": "aws_iam_role", "name": "other", "instances": [{"attributes": {"id": "other", "name": "other", "arn": "arn:aws:iam::111122223333:role/other", "managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], "inline_policy": [{"name": "", "policy": ""}]}}]},
    {"mode": "managed", "type": "aws_iam_policy", "name": "tables", "instances": [{"attributes": {"id": "arn:aws:iam::111122223333:policy/tables", "arn": "arn:aws:iam::111122223333:policy/tables", "name": "tables", "policy": "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:PutItem\"],\"Resource\":\"arn:aws:dynamodb:eu-west-1:111122223333:table/carts\"}}"}}]},
    {"mode": "managed", "type": "aws_iam_role_policy", "name": "queues", "instances": [{"attributes": {"id": "job:queues", "name": "queues", "role": "job", "policy": "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sqs:*\",\"Resource\":\"arn:aws:sqs:eu-west-1:111122223333:jobs\"}]}"}, "dependencies": ["aws_iam_role.job", "aws_sqs_queue.jobs"]}]},
    {"mode": "managed", "type": "aws_iam_role_policy_attachment", "name": "tables", "instances": [{"attributes": {"id": "job-1", "role": "job", "policy_arn": "arn:aws:iam::111122223333:policy/tables"}, "dependencies": ["aws_iam_role.job", "aws_iam_policy.tables"]}]},
    {"mode": "managed", "type": "azurerm_user_assigned_identity", "name": "job", "instances": [{"attributes": {"id": "/subscriptions/00000000-0000-4000-8000-00000000000A/resourceGroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/job", "principal_id": "p-1"}}]},
    {"mode": "managed", "type": "azurerm_linux_virtual_machine", "name": "web", "instances": [{"attributes": {"id": "/subscriptions/00000000-0000-4000-8000-00000000000A/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web", "identity": [{"type": "SystemAssigned", "principal_id": "p-2"}]}}]},
    {"mode": "managed", "type": "azurerm_role_assignment", "name": "job", "instances": [{"attributes": {"id": "x", "scope": "/subscriptions/00000000-0000-4000-8000-00000000000A/resourceGroups/Shop", "principal_id": "p-1"}}]},
    {"mode": "managed", "type": "azurerm_role_assignment", "name": "web", "instances": [{"attributes": {"id": "y", "scope": "/subscriptions/00000000-0000-4000-8000-00000000000A/resourceGroups/Data", "principal_id": "p-2"}}]},
    {"mode": "managed", "type": "google_service_account", "name": "job", "instances": [{"attributes": {"id": "projects/shop/serviceAccounts/job@shop.iam.gserviceaccount.com", "email": "job@shop.iam.gserviceaccount.com", "project": "shop"}}]},
    {"mode": "managed", "type": "google_storage_bucket", "name": "assets", "instances": [{"attributes": {"id": "shop-assets", "name": "shop-assets", "project": "shop"}}]},
    {"mode": "managed", "type": "google_storage_bucket_iam_member", "name": "job", "instances": [{"attributes": {"id": "b", "bucket": "b/shop-assets", "role": "roles/storage.objectAdmin", "member": "serviceAccount:job@shop.iam.gserviceaccount.com"}, "dependencies": ["google_service_account.job", "google_storage_bucket.assets"]}]},
    {"mode": "managed", "type": "google_project_iam_binding", "name": "job", "instances": [{"attributes": {"id": "c", "project": "shop", "role": "roles/pubsub.editor", "members": ["serviceAccount:job@shop.iam.gserviceaccount.com", "user:li@example.com"]}, "dependencies": ["google_service_account.job"]}]}
  ]}"#;

/// The lines of things that say what they grant, and those of relations between identities and others.
fn granting(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let granting = lines.filter(|line| line.contains("\"grants") || line.contains("grantsTo"));
    granting.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_state_tells_what_its_identities_may_act_on() {
    let told = Terraform { name: Some("grants"), ..Terraform::default() };
    let imported = terraform(&source("terraform.tfstate", STATE), told).unwrap();
    expect![[r#"
        name: "grants"
        - {"id":"aws_iam_policy.tables","type":"iam:policy","name":"arn:aws:iam::111122223333:policy/tables","identifiers":["tables"],"path":"","grantsOnly":["arn:aws:dynamodb:eu-west-1:111122223333:table/carts"]}
        - {"id":"aws_iam_role.job","type":"iam:role","name":"arn:aws:iam::111122223333:role/job","identifiers":["job"],"path":"","grantsOnly":["arn:aws:logs:*","arn:aws:sqs:eu-west-1:111122223333:jobs"]}
        - {"id":"aws_iam_role_policy.queues","type":"aws_iam_role_policy","identifiers":["job:queues"],"region":"eu-west-1","path":"","grantsOnly":["arn:aws:sqs:eu-west-1:111122223333:jobs"]}
        - {"id":"azurerm_linux_virtual_machine.web","type":"azure:Microsoft.Compute/virtualMachines","name":"/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web","account":"00000000-0000-4000-8000-00000000000a","path":"","grants":["/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/data","/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/data/*"]}
        - {"id":"azurerm_user_assigned_identity.job","type":"azure:Microsoft.ManagedIdentity/userAssignedIdentities","name":"/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/shop/providers/microsoft.managedidentity/userassignedidentities/job","account":"00000000-0000-4000-8000-00000000000a","path":"","grants":["/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/shop","/subscriptions/00000000-0000-4000-8000-00000000000a/resourcegroups/shop/*"]}
        - {"id":"google_service_account.job","type":"gcp:iam/serviceAccounts","name":"//iam.googleapis.com/projects/shop/serviceAccounts/job@shop.iam.gserviceaccount.com","account":"shop","path":"","grants":["//pubsub.googleapis.com/projects/shop/*","//storage.googleapis.com/projects/_/buckets/shop-assets"]}
        - {"from":"aws_iam_role_policy.queues","type":"grantsTo","to":"aws_sqs_queue.jobs"}"#]].assert_eq(&granting(&imported.text));
}

const BOUND: &str = r#"{"kind": "List", "apiVersion": "v1", "items": [
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "shop"}},
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "job", "namespace": "jobs"}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "edit"}, "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["update"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "look", "namespace": "shop"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "system", "namespace": "kube-system"}, "roleRef": {"kind": "ClusterRole", "name": "edit"}, "subjects": []},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "edit", "namespace": "shop"}, "roleRef": {"kind": "ClusterRole", "name": "edit"}, "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "all"}, "roleRef": {"kind": "ClusterRole", "name": "edit"}, "subjects": [{"kind": "Group", "name": "system:serviceaccounts:jobs"}]}
  ]}"#;

#[test]
fn a_binding_gives_what_its_role_says_where_it_binds() {
    let told = Kubernetes { cluster: "prod", name: None, owner_labels: &[], as_of: None };
    let imported = kubernetes(&[source("cluster.json", BOUND)], told).unwrap();
    expect![[r#"
        - {"id":"core/namespaces/jobs/serviceaccounts/job","type":"core:serviceaccounts","name":"k8s://prod/core/namespaces/jobs/serviceaccounts/job","grantsOnly":[]}
        - {"id":"core/namespaces/shop/serviceaccounts/web","type":"core:serviceaccounts","name":"k8s://prod/core/namespaces/shop/serviceaccounts/web","grantsOnly":[]}
        - {"id":"rbac.authorization.k8s.io/clusterrolebindings/all","type":"rbac.authorization.k8s.io:clusterrolebindings","name":"k8s://prod/rbac.authorization.k8s.io/clusterrolebindings/all","grants":["k8s://prod/apps/*deployments/*"]}
        - {"id":"rbac.authorization.k8s.io/clusterroles/edit","type":"rbac.authorization.k8s.io:clusterroles","name":"k8s://prod/rbac.authorization.k8s.io/clusterroles/edit","grants":["k8s://prod/apps/*deployments/*"]}
        - {"id":"rbac.authorization.k8s.io/namespaces/kube-system/rolebindings/system","type":"rbac.authorization.k8s.io:rolebindings","name":"k8s://prod/rbac.authorization.k8s.io/namespaces/kube-system/rolebindings/system","grants":["k8s://prod/apps/namespaces/kube-system/deployments/*"]}
        - {"id":"rbac.authorization.k8s.io/namespaces/shop/rolebindings/edit","type":"rbac.authorization.k8s.io:rolebindings","name":"k8s://prod/rbac.authorization.k8s.io/namespaces/shop/rolebindings/edit","grants":["k8s://prod/apps/namespaces/shop/deployments/*"]}"#]].assert_eq(&granting(&imported.text));
    // Where some of what is bound may be missing, nothing is said to be all.
    let part = BOUND.replace("kube-system", "shop");
    let part = kubernetes(&[source("cluster.json", &part)], told).unwrap();
    assert!(!part.text.contains("grantsOnly"));
    let relations = imported.text.split("relations:").nth(1).unwrap();
    expect![[r#"
        - {"from":"core/namespaces/jobs/serviceaccounts/job","type":"dependsOn","to":"rbac.authorization.k8s.io/clusterrolebindings/all"}
            - {"from":"core/namespaces/shop/serviceaccounts/web","type":"dependsOn","to":"rbac.authorization.k8s.io/namespaces/shop/rolebindings/edit"}
            - {"from":"rbac.authorization.k8s.io/clusterrolebindings/all","type":"dependsOn","to":"rbac.authorization.k8s.io/clusterroles/edit"}
            - {"from":"rbac.authorization.k8s.io/namespaces/kube-system/rolebindings/system","type":"dependsOn","to":"rbac.authorization.k8s.io/clusterroles/edit"}
            - {"from":"rbac.authorization.k8s.io/namespaces/shop/rolebindings/edit","type":"dependsOn","to":"rbac.authorization.k8s.io/clusterroles/edit"}"#]].assert_eq(relations.trim());
}
