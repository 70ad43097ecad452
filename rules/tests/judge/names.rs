//! One thing under several names: what sources call it, numbers of projects, and what may be several things.

use expect_test::expect;

use crate::support::{SHOP, check_on, codes_on, model};

/// Two groups of one name, an inventory of somebody else's that knows hosts by their ids, a project with a number.
fn estate() -> String {
    format!(
        "{SHOP}---
apiVersion: ordain/v1
kind: Inventory
metadata: {{name: network}}
spec:
  source: terraform:network
  account: 111122223333
  resources:
    - {{id: a, type: ec2:security-group, name: \"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a\", identifiers: [sg-0a, web], owner: web}}
    - {{id: b, type: ec2:security-group, name: \"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0b\", identifiers: [sg-0b, web], owner: web}}
    - {{id: host, type: ec2:instance, name: \"arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0\", identifiers: [i-0123456789abcdef0]}}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {{name: cmdb}}
spec:
  source: servicenow:cmdb
  resources:
    - {{id: 9f1c, type: cmdb_ci_vm_instance, identifiers: [i-0123456789abcdef0, web-1], tags: {{owner: web}}, tier: high}}
    - {{id: 77aa, type: cmdb_ci_service, identifiers: [storefront]}}
  relations:
    - {{from: 77aa, type: dependsOn, to: 9f1c}}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {{name: google}}
spec:
  source: gcp:acme
  plane: gcp
  resources:
    - {{id: project, type: gcp:cloudresourcemanager/projects, name: \"//cloudresourcemanager.googleapis.com/projects/shop\", identifiers: [\"471\"], owner: web}}
    - {{id: vm, type: gcp:compute/instances, name: \"//compute.googleapis.com/projects/shop/zones/eu-a/instances/web\", owner: payroll}}
---
apiVersion: ordain/v1
kind: Scope
metadata: {{name: google-disks}}
spec: {{names: [\"//compute.googleapis.com/projects/shop/zones/*/disks/*\"], owner: payroll}}
"
    )
}

const DELETE_BY_NAME: &str = "person alice
     effect ec2:DeleteSecurityGroup delete
         target ec2:security-group - GroupName=web";

#[test]
fn what_may_be_one_of_two_is_denied_with_both() {
    check_on(
        &model(&estate()),
        DELETE_BY_NAME,
        expect![[r#"
        deny (enforce), no permit
        deny ownership ambiguous_name: `web` may be `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a` or `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0b`: which one is meant cannot be told
            → name it by its id or its full name, or correct the model, if they are one
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a`
        admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0b`
        owners: web
        reach: 2 + 0, tier high"#]],
    );
}

#[test]
fn what_says_by_its_id_which_of_two_is_meant_is_not_in_doubt() {
    let by_both = "person alice
     effect ec2:DeleteSecurityGroup delete
         target ec2:security-group - GroupName=web GroupId=sg-0a";
    let by_id = "person alice
     effect ec2:DeleteSecurityGroup delete
         target ec2:security-group - GroupId=sg-0a";
    assert_eq!(codes_on(&model(&estate()), by_both), codes_on(&model(&estate()), by_id));
}

#[test]
fn what_two_sources_know_by_one_id_is_one_thing_with_what_both_say() {
    let snapshot = model(&estate());
    let host = snapshot.inventory().find(|fact| fact.name.ends_with("i-0123456789abcdef0")).unwrap();
    assert_eq!((host.owners, host.tier), (&["web".into()][..], Some("high")), "the other source says so");
    assert!(!snapshot.inventory().any(|fact| fact.name.contains("9f1c")));
    check_on(
        &snapshot,
        "person alice
         effect ec2:TerminateInstances delete
             target ec2:instance - InstanceId=i-0123456789abcdef0",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0`
            owners: web
            reach: 1 + 1, tier high"#]],
    );
}

#[test]
fn the_number_of_a_project_is_the_project() {
    let snapshot = model(&estate());
    let told = |project: &str, what: &str| {
        let stop = format!(
            "person alice
             effect compute:instances.stop update
                 target gcp:compute/instances //compute.googleapis.com/projects/{project}/zones/eu-a/{what} carried"
        );
        codes_on(&snapshot, &stop)
    };
    for what in ["instances/web", "disks/new"] {
        assert_eq!(told("471", what), told("shop", what), "{what}");
        assert_ne!(told("471", what), told("472", what), "{what}");
    }
}

/// Things that say nothing of who owns them, below things that do.
const INHERITED: &str = "---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: below}
spec:
  source: resource-graph:contoso
  plane: azure
  resources:
    - {id: group, type: azure:Microsoft.Resources/subscriptions/resourceGroups, name: /subscriptions/7a/resourcegroups/shop, owner: web, tier: high}
    - {id: server, type: azure:Microsoft.Sql/servers, name: /subscriptions/7a/resourcegroups/shop/providers/microsoft.sql/servers/main, owner: payroll}
    - {id: db, type: azure:Microsoft.Sql/servers/databases, name: /subscriptions/7a/resourcegroups/shop/providers/microsoft.sql/servers/main/databases/pay}
    - {id: vm, type: azure:Microsoft.Compute/virtualMachines, name: /subscriptions/7a/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web}
    - {id: cut, type: azure:Microsoft.Compute/virtualMachines, name: /subscriptions/7a/resourcegroups/shop/providers/microsoft.compute/virtualmachines/cut}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: google-below}
spec:
  source: asset-inventory:acme
  plane: gcp
  resources:
    - {id: project, type: gcp:cloudresourcemanager/projects, name: \"//cloudresourcemanager.googleapis.com/projects/shop\"}
    - {id: network, type: gcp:compute/networks, name: \"//compute.googleapis.com/projects/shop/global/networks/n\", owner: payroll}
    - {id: subnet, type: gcp:compute/subnetworks, name: \"//compute.googleapis.com/projects/shop/regions/eu/subnetworks/s\"}
    - {id: disk, type: gcp:compute/disks, name: \"//compute.googleapis.com/projects/shop/zones/eu-a/disks/d\"}
  relations:
    - {from: subnet, type: partOf, to: network}
---
apiVersion: ordain/v1
kind: Scope
metadata: {name: cut}
spec: {names: [\"/subscriptions/7a/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/c*\"], owner: payroll}
";

#[test]
fn what_says_nothing_belongs_to_whoever_owns_what_it_lies_in() {
    let snapshot = model(&format!("{}{INHERITED}", estate()));
    let owners = |end: &str| {
        let fact = snapshot.inventory().find(|fact| fact.name.ends_with(end)).unwrap();
        format!("{} {}", fact.owners.join(","), fact.tier.unwrap_or("-"))
    };
    assert_eq!(owners("/virtualmachines/web"), "web high");
    assert_eq!(owners("/databases/pay"), "payroll high", "the nearest that says it counts");
    assert_eq!(owners("/virtualmachines/cut"), "payroll -", "a scope says more than what it lies in");
    assert_eq!(owners("/subnetworks/s"), "web -", "what something is part of is not what it lies in");
    assert_eq!(owners("/disks/d"), "payroll -", "a scope of its own says whose it is");
}

#[test]
fn a_project_goes_with_all_that_is_in_it() {
    let snapshot = model(&format!("{}{INHERITED}", estate()));
    check_on(
        &snapshot,
        "person alice
         effect cloudresourcemanager:projects.delete delete
             target gcp:cloudresourcemanager/projects //cloudresourcemanager.googleapis.com/projects/shop carried",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `//cloudresourcemanager.googleapis.com/projects/shop`
            owners: web
            reach: 1 + 4, crosses payroll"#]],
    );
}

/// What a source might say to take something over, or to have it taken for something else.
const CLAIMED: &str = "---
apiVersion: ordain/v1
kind: System
metadata: {name: platform}
spec: {owner: web}
---
apiVersion: ordain/v1
kind: Resource
metadata: {name: mine}
spec: {type: database, owner: web, name: \"arn:aws:rds:eu-west-1:111122223333:db:pay\"}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: claimed}
spec:
  source: aws-config:a
  account: 111122223333
  ownerTags: [contact]
  resources:
    - {id: db, type: rds:db, name: \"arn:aws:rds:eu-west-1:111122223333:db:pay\", tags: {owner: payroll}}
    - {id: bucket, type: s3:bucket, name: \"arn:aws:s3:::backup-20240131\", identifiers: [backup-20240131], owner: payroll}
    - {id: host, type: ec2:instance, name: \"arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef7\", identifiers: [i-0123456789abcdef7], owner: web}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: rows}
spec:
  source: servicenow:rows
  resources:
    - {id: one, type: cmdb_ci_server, identifiers: [backup-20240131], tags: {owner: web}}
    - {id: two, type: cmdb_ci_server, identifiers: [i-0123456789abcdef7, i-0123456789abcdef8], tags: {owner: web}}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: held}
spec:
  source: resource-graph:held
  plane: azure
  resources:
    - {id: group, type: azure:Microsoft.Resources/subscriptions/resourceGroups, name: /subscriptions/7b/resourcegroups/all, owner: web, system: platform}
    - {id: own, type: azure:Microsoft.Compute/virtualMachines, name: /subscriptions/7b/resourcegroups/all/providers/microsoft.compute/virtualmachines/own, owner: payroll}
    - {id: tagged, type: azure:Microsoft.Compute/virtualMachines, name: /subscriptions/7b/resourcegroups/all/providers/microsoft.compute/virtualmachines/tagged, tags: {team-code: pay}}
---
apiVersion: ordain/v1
kind: Scope
metadata: {name: tagged}
spec: {tags: {team-code: pay}, owner: payroll}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {name: numbered}
spec:
  source: asset-inventory:numbered
  plane: gcp
  resources:
    - {id: secret, type: gcp:secretmanager/secrets, name: \"//secretmanager.googleapis.com/projects/471/secrets/db\", owner: payroll}
";

#[test]
fn no_source_takes_over_what_another_says() {
    let snapshot = model(&format!("{}{CLAIMED}", estate()));
    let fact = |end: &str| snapshot.inventory().find(|fact| fact.name.ends_with(end)).unwrap();
    let mut both = fact(":db:pay").owners.to_vec();
    both.sort();
    assert_eq!(both, ["payroll".into(), "web".into()], "both own what both claim");
    assert_eq!(fact("backup-20240131").owners, ["payroll".into()], "a date is no identifier");
    let host = fact("i-0123456789abcdef7");
    assert!(!host.identifiers.iter().any(|known| known.ends_with('8')), "what else a row names is not it");
    assert_eq!(
        fact("/virtualmachines/own").system,
        None,
        "who has an owner is of no system by where it lies"
    );
    assert_eq!(fact("/virtualmachines/tagged").owners, ["payroll".into()], "a scope of tags says more");
    assert_eq!(fact("/secrets/db").name, "//secretmanager.googleapis.com/projects/shop/secrets/db");
}
