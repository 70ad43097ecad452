//! Exports of Google's Cloud Asset Inventory: what they become, and what is decided by it.
//!
//! `export.json` and `found.json` are written by hand after what `gcloud asset export` and `gcloud asset
//! search-all-resources` write of a small shop.

use std::fmt::Write as _;

use expect_test::{expect, expect_file};
use ordain_rules::import::{AssetInventory, ImportError, Imported, asset_inventory};
use ordain_rules::{Mode, Modes, Snapshot, Source};
use serde_json::{Value, json};

use crate::source;

const EXPORT: &str = include_str!("export.json");
const FOUND: &str = include_str!("found.json");

fn import(sources: &[Source], owner_tags: &[&str]) -> Result<Imported, ImportError> {
    let owner_tags: Vec<String> = owner_tags.iter().map(|tag| (*tag).to_owned()).collect();
    let as_of = Some("2026-11-24T10:00:00Z".parse().unwrap());
    asset_inventory(sources, AssetInventory { name: Some("shop"), owner_tags: &owner_tags, as_of })
}

fn shop() -> Vec<Source> {
    vec![source("export.json", EXPORT), source("found.json", FOUND)]
}

#[test]
fn exports_become_an_inventory_without_what_machines_start_with() {
    let imported = import(&shop(), &[]).unwrap();
    assert_eq!(imported.file, "asset-inventory-shop.yaml");
    expect_file!["./asset_inventory.yaml"].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 18,
            relations: 29,
            unowned: 11,
            owners: {
                "data",
                "finance",
                "platform",
                "security",
                "web",
            },
            accounts: {
                "888",
                "bank",
                "folders/44",
                "shop",
            },
            left_out: [
                "1 × an object of a cluster; import what `kubectl get` writes of it",
                "1 × a policy or the like, which is no resource",
                "1 × a name with the number of a project where requests have its id; import assets of type `cloudresourcemanager.googleapis.com/Project` too, of the projects `888`",
                "3 × a relation to what is not in the files; import that too",
            ],
        }
    "#]].assert_debug_eq(&imported.summary);
    for secret in ["hunter2-startup", "hunter2-metadata", "aHVudGVyMi1rZXk=", "hunter2-root"] {
        assert!(EXPORT.contains(secret), "the export does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn what_was_imported_has_owners_and_relations_in_the_model() {
    let group = |name: &str| {
        format!(
            "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {{name: {name}}}\nspec: {{type: team, children: []}}\n"
        )
    };
    let people: String = ["data", "finance", "platform", "security", "web"].map(group).concat();
    let imported = import(&shop(), &[]).unwrap();
    let files = [source(&imported.file, &imported.text), source("people.yaml", &people)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    assert_eq!(snapshot.findings(), []);
    assert_eq!(snapshot.summary().relations, imported.summary.relations);
    let mut owned = String::new();
    for fact in snapshot.inventory() {
        let by = fact.owned_by.unwrap_or("nobody");
        writeln!(owned, "{} {} in {}: {} ({by})", fact.kind, fact.name, fact.account, fact.owners.join(","))
            .unwrap();
    }
    expect![[r#"
        gcp:cloudkms/cryptoKeys //cloudkms.googleapis.com/projects/shop/locations/europe-west1/keyRings/main/cryptoKeys/disks in shop: security (tag `owner`)
        gcp:cloudresourcemanager/folders //cloudresourcemanager.googleapis.com/folders/44 in folders/44:  (nobody)
        gcp:cloudresourcemanager/projects //cloudresourcemanager.googleapis.com/projects/bank in bank: finance (tag `team`)
        gcp:cloudresourcemanager/projects //cloudresourcemanager.googleapis.com/projects/shop in shop: platform (tag `team`)
        gcp:cloudsql/instances //cloudsql.googleapis.com/projects/shop/instances/orders in shop: data (tag `owner`)
        gcp:compute/networks //compute.googleapis.com/projects/shop/global/networks/main in shop: platform (what it lies in)
        gcp:compute/subnetworks //compute.googleapis.com/projects/shop/regions/europe-west1/subnetworks/web in shop: platform (what it lies in)
        gcp:compute/disks //compute.googleapis.com/projects/shop/zones/europe-west1-b/disks/web-1 in shop: platform (what it lies in)
        gcp:compute/instanceGroupManagers //compute.googleapis.com/projects/shop/zones/europe-west1-b/instanceGroupManagers/web in shop: platform (what it lies in)
        gcp:compute/instances //compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web-1 in shop: web (tag `owner`)
        gcp:iam/serviceAccounts //iam.googleapis.com/projects/shop/serviceAccounts/web@shop.iam.gserviceaccount.com in shop: platform (what it lies in)
        gcp:iam/keys //iam.googleapis.com/projects/shop/serviceAccounts/web@shop.iam.gserviceaccount.com/keys/0a1b in shop: platform (what it lies in)
        gcp:pubsub/subscriptions //pubsub.googleapis.com/projects/shop/subscriptions/billing in shop: platform (what it lies in)
        gcp:pubsub/topics //pubsub.googleapis.com/projects/shop/topics/orders in shop: platform (what it lies in)
        gcp:run/services //run.googleapis.com/projects/bank/locations/europe-west4/services/ledger in bank: finance (tag `owner`)
        gcp:secretmanager/secrets //secretmanager.googleapis.com/projects/888/secrets/token in 888:  (nobody)
        gcp:secretmanager/secrets //secretmanager.googleapis.com/projects/shop/secrets/db in shop: platform (what it lies in)
        gcp:storage/buckets //storage.googleapis.com/projects/_/buckets/shop-pictures in shop: web (tag `owner`)
    "#]].assert_eq(&owned);
}

#[test]
fn a_list_of_the_command_line_becomes_the_same_as_an_export() {
    let list: Vec<Value> = EXPORT
        .lines()
        .map(|line| {
            line.replace("\"asset_type\"", "\"assetType\"").replace("\"update_time\"", "\"updateTime\"")
        })
        .map(|line| serde_json::from_str(&line.replace("\"iam_policy\"", "\"iamPolicy\"")).unwrap())
        .collect();
    let exported = import(&[source("export.json", EXPORT)], &[]).unwrap();
    let listed = import(&[source("list.json", &json!(list).to_string())], &[]).unwrap();
    assert_eq!(exported, listed);
    let wrapped = import(&[source("answer.json", &json!({"assets": list}).to_string())], &[]).unwrap();
    assert_eq!(exported, wrapped);
}

/// The relations among assets, which are given by their names in one project of compute, and their data.
fn relations(assets: &[(&str, Value)]) -> String {
    const PROJECT: &str = "//compute.googleapis.com/projects/p/";
    let full: Vec<Value> = assets
        .iter()
        .map(|(short, data)| {
            let data = data.to_string().replace("~/", "https://www.googleapis.com/compute/v1/projects/p/");
            let data: Value = serde_json::from_str(&data).unwrap();
            json!({"name": format!("{PROJECT}{short}"), "assetType": "compute.googleapis.com/X", "resource": {"data": data}})
        })
        .collect();
    let imported = import(&[source("assets.json", &json!(full).to_string())], &[]).unwrap();
    let lines = imported.text.lines().skip_while(|line| *line != "  relations:").skip(1);
    let mut shown = String::new();
    for relation in
        lines.map(|line| serde_json::from_str::<Value>(line.trim().trim_start_matches("- ")).unwrap())
    {
        let of = |key: &str| relation.get(key).and_then(Value::as_str).unwrap().replace(PROJECT, "");
        writeln!(shown, "{} {} {}", of("from"), of("type"), of("to")).unwrap();
    }
    imported.summary.left_out.iter().for_each(|text| writeln!(shown, "{text}").unwrap());
    shown
}

#[test]
fn a_pair_that_mentions_each_other_is_one_relation_at_most() {
    let assets = [
        ("zones/z/disks/d", json!({"users": ["~/zones/z/instances/i"]})),
        ("zones/z/instances/i", json!({"disks": [{"source": "~/zones/z/disks/d"}]})),
        ("regions/r/addresses/a", json!({"users": ["~/regions/r/forwardingRules/f"]})),
        ("regions/r/forwardingRules/f", json!({})),
        ("regions/r/routers/o", json!({"interfaces": [{"linkedVpnTunnel": "~/regions/r/vpnTunnels/t"}]})),
        ("regions/r/vpnTunnels/t", json!({"router": "~/regions/r/routers/o"})),
        ("global/networks/a", json!({"peerings": [{"network": "~/global/networks/b"}]})),
        ("global/networks/b", json!({"peerings": [{"network": "~/global/networks/a"}]})),
    ];
    expect![[r#"
        regions/r/forwardingRules/f routesTo regions/r/addresses/a
        regions/r/vpnTunnels/t dependsOn regions/r/routers/o
        zones/z/instances/i dependsOn zones/z/disks/d
        1 × two resources that mention each other, of which either may depend on the other; say which does in a document of your own
    "#]].assert_eq(&relations(&assets));
}

#[test]
fn what_a_text_only_looks_like_is_no_relation() {
    let assets = [
        ("zones/z/disks/d", json!({})),
        (
            "zones/z/instances/i",
            json!({
                "description": "the disk is ~/zones/z/disks/d",
                "elsewhere": "https://evil.example/compute/v1/projects/p/zones/z/disks/d",
                "machineType": "~/zones/z/machineTypes/e2-medium",
                "other": "~/zones/z/disks/d2",
                "id": "d",
            }),
        ),
    ];
    expect![[r#"
        1 × a relation to what is not in the files; import that too
    "#]]
    .assert_eq(&relations(&assets));
}

#[test]
fn a_relative_name_that_two_services_have_says_nothing() {
    let asset =
        |name: &str, data: Value| json!({"name": name, "assetType": "x/X", "resource": {"data": data}});
    let cluster = "projects/p/locations/l/clusters/c";
    let backup = |named: &str| {
        asset("//gkebackup.googleapis.com/projects/p/locations/l/backupPlans/b", json!({"cluster": named}))
    };
    let made =
        |assets: &[Value]| import(&[source("x", &json!(assets).to_string())], &[]).unwrap().summary.relations;
    let of_container = asset(&format!("//container.googleapis.com/{cluster}"), json!({}));
    let of_alloydb = asset(&format!("//alloydb.googleapis.com/{cluster}"), json!({}));
    assert_eq!(made(&[of_container.clone(), backup(cluster)]), 1);
    assert_eq!(made(&[of_container.clone(), of_alloydb.clone(), backup(cluster)]), 0);
    assert_eq!(
        made(&[of_container, of_alloydb, backup(&format!("//container.googleapis.com/{cluster}"))]),
        1
    );
}

#[test]
fn numbers_that_nothing_explains_stay_and_are_told() {
    let assets = json!([
        {"name": "//secretmanager.googleapis.com/projects/1/secrets/a", "assetType": "secretmanager.googleapis.com/Secret"},
        {"name": "//secretmanager.googleapis.com/projects/2/secrets/a", "assetType": "secretmanager.googleapis.com/Secret"},
        {"name": "//iam.googleapis.com/projects/p/serviceAccounts/1001", "assetType": "iam.googleapis.com/ServiceAccount"},
        {"name": "//storage.googleapis.com/b", "assetType": "storage.googleapis.com/Bucket", "ancestors": ["projects/3"]},
        {"name": "//cloudbilling.googleapis.com/billingAccounts/A-1", "assetType": "cloudbilling.googleapis.com/BillingAccount"},
        {"name": "//dns.googleapis.com/projects/p/managedZones/42", "assetType": "dns.googleapis.com/ManagedZone",
         "resource": {"data": {"id": "42", "name": "shop-example"}}},
        {"name": "//api.example/things/1", "assetType": "api.example/Thing"},
    ]);
    let imported = import(&[source("x", &assets.to_string())], &[]).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "asset-inventory:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: gcp
          resources:
            - {"id":"//cloudbilling.googleapis.com/billingAccounts/A-1","type":"gcp:cloudbilling/billingAccounts","name":"//cloudbilling.googleapis.com/billingAccounts/A-1"}
            - {"id":"//dns.googleapis.com/projects/p/managedZones/shop-example","type":"gcp:dns/managedZones","name":"//dns.googleapis.com/projects/p/managedZones/shop-example","identifiers":["42"],"account":"p"}
            - {"id":"//iam.googleapis.com/projects/p/serviceAccounts/1001","type":"gcp:iam/serviceAccounts","name":"//iam.googleapis.com/projects/p/serviceAccounts/1001","account":"p"}
            - {"id":"//secretmanager.googleapis.com/projects/1/secrets/a","type":"gcp:secretmanager/secrets","name":"//secretmanager.googleapis.com/projects/1/secrets/a","account":"1"}
            - {"id":"//secretmanager.googleapis.com/projects/2/secrets/a","type":"gcp:secretmanager/secrets","name":"//secretmanager.googleapis.com/projects/2/secrets/a","account":"2"}
            - {"id":"//storage.googleapis.com/projects/_/buckets/b","type":"gcp:storage/buckets","name":"//storage.googleapis.com/projects/_/buckets/b","account":"3"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        1 × an asset whose name is not one of Google's
        2 × a name with the number of a project where requests have its id; import assets of type `cloudresourcemanager.googleapis.com/Project` too, of the projects `1`, `2`
        1 × a service account by its number where requests have its address; export with `--content-type=resource`"#]].assert_eq(&imported.summary.left_out.join("\n"));
}

#[test]
fn what_lies_in_a_project_tells_the_number_of_it() {
    let secret = json!({"name": "//secretmanager.googleapis.com/projects/1/secrets/a", "assetType": "x/X"});
    let telling = |project: &str| json!({"name": format!("//pubsub.googleapis.com/projects/{project}/topics/t"), "assetType": "x/X", "ancestors": ["projects/1"]});
    let left_out = |assets: &[Value]| {
        import(&[source("x", &json!(assets).to_string())], &[]).unwrap().summary.left_out.len()
    };
    assert_eq!(left_out(std::slice::from_ref(&secret)), 1);
    assert_eq!(left_out(&[secret.clone(), telling("shop")]), 0);
    // Two that say different things say nothing.
    assert_eq!(left_out(&[secret, telling("shop"), telling("bank")]), 1);
}

#[test]
fn a_project_is_one_thing_whichever_services_have_an_asset_of_it() {
    let asset = |host: &str, project: &str, labels: Value| {
        let (name, of) = (format!("//{host}/projects/{project}"), format!("{host}/Project"));
        json!({"name": name, "assetType": of, "resource": {"data": {"projectId": "shop", "labels": labels}}})
    };
    let own = asset("cloudresourcemanager.googleapis.com", "1", json!({"team": "web"}));
    let of_compute = asset("compute.googleapis.com", "shop", json!({}));
    for assets in [[own.clone(), of_compute.clone()], [of_compute, own]] {
        let imported = import(&[source("x", &json!(assets).to_string())], &[]).unwrap();
        assert_eq!(imported.summary.facts, 1);
        assert_eq!(imported.summary.owners.into_iter().collect::<Vec<_>>(), ["web"]);
    }
}

#[test]
fn a_page_of_several_is_told_until_the_last_is_there() {
    let page = |name: &str, token: &str| {
        let asset = json!({"name": format!("//storage.googleapis.com/{name}"), "assetType": "storage.googleapis.com/Bucket"});
        source(name, &json!({"results": [asset], "nextPageToken": token}).to_string())
    };
    let pages = [page("a", "more"), page("b", "")];
    let left_out = |sources: &[Source]| import(sources, &[]).unwrap().summary.left_out.join("\n");
    expect!["more pages follow, as `nextPageToken` says; give those too"]
        .assert_eq(&left_out(pages.get(..1).unwrap()));
    assert_eq!(left_out(&pages), "");
}

#[test]
fn what_is_no_export_is_refused_with_what_to_give() {
    let refused = |text: &str| import(&[source("x", text)], &[]).unwrap_err().to_string();
    expect!["cannot import `x`: it is not JSON that can be read: expected value at line 1 column 1; give a file of `gcloud asset export`, or the output of `gcloud asset list --content-type=resource --format=json` or `gcloud asset search-all-resources --format=json`"].assert_eq(&refused("NAME ASSET_TYPE"));
    expect!["cannot import `x`: it holds no asset; give a file of `gcloud asset export`, or the output of `gcloud asset list --content-type=resource --format=json` or `gcloud asset search-all-resources --format=json`"].assert_eq(&refused(""));
    expect!["cannot import `x`: it is no list of assets; give a file of `gcloud asset export`, or the output of `gcloud asset list --content-type=resource --format=json` or `gcloud asset search-all-resources --format=json`"].assert_eq(&refused("7"));
    expect!["cannot import `x`: asset 1 has no full name and type; give a file of `gcloud asset export`, or the output of `gcloud asset list --content-type=resource --format=json` or `gcloud asset search-all-resources --format=json`"].assert_eq(&refused("{\"name\": \"hunter2\", \"assetType\": \"x/X\"}"));
    expect!["cannot import `x`: asset 2 has no full name and type; give a file of `gcloud asset export`, or the output of `gcloud asset list --content-type=resource --format=json` or `gcloud asset search-all-resources --format=json`"].assert_eq(&refused(
        "[{\"name\": \"//x.googleapis.com/a/b\", \"assetType\": \"x/X\"}, {\"name\": 7}]",
    ));
    expect!["cannot import `x`: it holds no resource; give what `gcloud asset export --content-type=resource` writes"].assert_eq(&refused(
        "[{\"name\": \"//x.googleapis.com/a/b\", \"assetType\": \"x/X\", \"iamPolicy\": {}}]",
    ));
    expect!["cannot import ``: it holds no resource; give what `gcloud asset export --content-type=resource` writes"].assert_eq(&import(&[], &[]).unwrap_err().to_string());
}
