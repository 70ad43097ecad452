//! Exports of Azure Resource Graph: what they become, and what is decided by it.
//!
//! `graph.json`, `containers.json` and `resources.json` are written by hand after what `az graph query`, the API and
//! `az resource list` answer of a small shop.

use std::fmt::Write as _;

use expect_test::{expect, expect_file};
use ordain_rules::import::{ImportError, Imported, ResourceGraph, resource_graph};
use ordain_rules::{Mode, Modes, Snapshot, Source};
use serde_json::{Value, json};

use crate::source;

const GRAPH: &str = include_str!("graph.json");
const CONTAINERS: &str = include_str!("containers.json");
const RESOURCES: &str = include_str!("resources.json");

fn import(sources: &[Source], owner_tags: &[&str]) -> Result<Imported, ImportError> {
    let owner_tags: Vec<String> = owner_tags.iter().map(|tag| (*tag).to_owned()).collect();
    let as_of = Some("2026-11-24T10:00:00Z".parse().unwrap());
    resource_graph(sources, ResourceGraph { name: Some("shop"), owner_tags: &owner_tags, as_of })
}

fn shop() -> Vec<Source> {
    vec![
        source("graph.json", GRAPH),
        source("containers.json", CONTAINERS),
        source("resources.json", RESOURCES),
    ]
}

#[test]
fn exports_become_an_inventory_without_what_properties_hold() {
    let imported = import(&shop(), &["cost-team"]).unwrap();
    assert_eq!(imported.file, "resource-graph-shop.yaml");
    expect_file!["./resource_graph.yaml"].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 17,
            relations: 14,
            unowned: 10,
            owners: {
                "api",
                "network",
                "platform",
                "security",
                "web",
            },
            accounts: {
                "11111111-2222-4333-8444-00000000000a",
            },
            left_out: [
                "1 × a relation to what is not in the files; import that too",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for secret in ["hunter2-admin", "aHVudGVyMi1jdXN0b20tZGF0YQ==", "hunter2-app-setting"] {
        assert!(GRAPH.contains(secret), "the export does hold `{secret}`");
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
    let people: String = ["api", "network", "platform", "security", "web"].map(group).concat();
    let imported = import(&shop(), &["cost-team"]).unwrap();
    let files = [source(&imported.file, &imported.text), source("people.yaml", &people)];
    let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
    assert_eq!(snapshot.findings(), []);
    expect![[r#"
        Summary {
            entries: 17,
            relations: 30,
            unowned: 0,
            actors: 0,
            groups: 5,
            rules: 28,
            sources: {
                "resource-graph:shop": 17,
            },
        }
    "#]]
    .assert_debug_eq(&snapshot.summary());
    let mut owned = String::new();
    for fact in snapshot.inventory() {
        let by = fact.owned_by.unwrap_or("nobody");
        writeln!(owned, "{} {} {} ({by})", fact.kind, fact.name, fact.owners.join(",")).unwrap();
    }
    expect![[r#"
        azure:Microsoft.Resources/subscriptions /subscriptions/11111111-2222-4333-8444-00000000000a platform (tag `team`)
        azure:Microsoft.Resources/subscriptions/resourceGroups /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod web (tag `team`)
        azure:Microsoft.Compute/diskEncryptionSets /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.compute/diskencryptionsets/disks web (what it lies in)
        azure:Microsoft.Compute/disks /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.compute/disks/web-1_osdisk web (what it lies in)
        azure:Microsoft.Compute/virtualMachines /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.compute/virtualmachines/web-1 web (tag `Owner`)
        azure:Microsoft.KeyVault/vaults /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.keyvault/vaults/shop-keys security (tag `Owner`)
        azure:Microsoft.KeyVault/vaults/keys /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.keyvault/vaults/shop-keys/keys/disks security (what it lies in)
        azure:Microsoft.ManagedIdentity/userAssignedIdentities /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.managedidentity/userassignedidentities/web web (what it lies in)
        azure:Microsoft.Network/loadBalancers /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.network/loadbalancers/web web (what it lies in)
        azure:Microsoft.Network/networkInterfaces /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.network/networkinterfaces/web-1-nic web (what it lies in)
        azure:Microsoft.Network/networkSecurityGroups /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.network/networksecuritygroups/web web (what it lies in)
        azure:Microsoft.Network/privateEndpoints /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.network/privateendpoints/vault-pe web (what it lies in)
        azure:Microsoft.Network/publicIPAddresses /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.network/publicipaddresses/web-ip web (what it lies in)
        azure:Microsoft.Network/virtualNetworks /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.network/virtualnetworks/shop network (tag `team`)
        azure:Microsoft.Storage/storageAccounts /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.storage/storageaccounts/shoppictures web (tag `Owner`)
        azure:Microsoft.Web/serverfarms /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.web/serverfarms/shop-plan web (what it lies in)
        azure:Microsoft.Web/sites /subscriptions/11111111-2222-4333-8444-00000000000a/resourcegroups/shop-prod/providers/microsoft.web/sites/shop-api api (tag `cost-team`)
    "#]].assert_eq(&owned);
}

/// The relations among rows, which are given by their ids below one resource group, and their properties.
fn relations(rows: &[(&str, Value)]) -> String {
    const GROUP: &str = "/subscriptions/11111111-2222-4333-8444-00000000000a/resourceGroups/g/providers/";
    let id = |short: &str| format!("{GROUP}{short}");
    let full: Vec<Value> = rows
        .iter()
        .map(|(short, properties)| {
            let properties = properties.to_string().replace("~/", GROUP);
            json!({"id": id(short), "properties": serde_json::from_str::<Value>(&properties).unwrap()})
        })
        .collect();
    let imported = import(&[source("rows.json", &json!(full).to_string())], &[]).unwrap();
    let prefix = GROUP.to_ascii_lowercase();
    let lines = imported.text.lines().skip_while(|line| *line != "  relations:").skip(1);
    let mut shown = String::new();
    for relation in
        lines.map(|line| serde_json::from_str::<Value>(line.trim().trim_start_matches("- ")).unwrap())
    {
        let of = |key: &str| relation.get(key).and_then(Value::as_str).unwrap().replace(&prefix, "");
        writeln!(shown, "{} {} {}", of("from"), of("type"), of("to")).unwrap();
    }
    imported.summary.left_out.iter().for_each(|text| writeln!(shown, "{text}").unwrap());
    shown
}

#[test]
fn an_interface_lies_in_a_subnet_which_its_network_does_not_depend_on() {
    let subnet = "Microsoft.Network/virtualNetworks/n/subnets/s";
    let own =
        json!({"ipConfigurations": [{"id": "~/Microsoft.Network/networkInterfaces/i/ipConfigurations/c"}]});
    let interface = json!({"ipConfigurations": [{
        "id": "~/Microsoft.Network/networkInterfaces/i/ipConfigurations/c",
        "properties": {"subnet": {"id": "~/Microsoft.Network/virtualNetworks/n/subnets/s"}},
    }]});
    let rows = [
        (
            "Microsoft.Network/virtualNetworks/n",
            json!({"subnets": [{"id": format!("~/{subnet}"), "properties": own}]}),
        ),
        // What a subnet lies in is drawn by the model.
        (subnet, json!({"parent": "~/Microsoft.Network/virtualNetworks/n"})),
        ("Microsoft.Network/networkInterfaces/i", interface),
    ];
    expect![[r#"
        microsoft.network/networkinterfaces/i partOf microsoft.network/virtualnetworks/n
        microsoft.network/networkinterfaces/i partOf microsoft.network/virtualnetworks/n/subnets/s
    "#]]
    .assert_eq(&relations(&rows));
}

#[test]
fn a_pair_that_mentions_each_other_is_one_relation_at_most() {
    let machine =
        json!({"networkProfile": {"networkInterfaces": [{"id": "~/Microsoft.Network/networkInterfaces/i"}]}});
    let rows = [
        ("Microsoft.Compute/virtualMachines/v", machine),
        (
            "Microsoft.Network/networkInterfaces/i",
            json!({"virtualMachine": {"id": "~/Microsoft.Compute/virtualMachines/v"}}),
        ),
        (
            "Microsoft.Network/natGateways/g",
            json!({"publicIpAddresses": [{"id": "~/Microsoft.Network/publicIPAddresses/a"}]}),
        ),
        (
            "Microsoft.Network/publicIPAddresses/a",
            json!({"natGateway": {"id": "~/Microsoft.Network/natGateways/g"}}),
        ),
        ("Microsoft.Sql/servers/a", json!({"partner": "~/Microsoft.Sql/servers/b"})),
        ("Microsoft.Sql/servers/b", json!({"partner": "~/Microsoft.Sql/servers/a"})),
    ];
    expect![[r#"
        microsoft.compute/virtualmachines/v dependsOn microsoft.network/networkinterfaces/i
        microsoft.network/natgateways/g dependsOn microsoft.network/publicipaddresses/a
        1 × two resources that mention each other, of which either may depend on the other; say which does in a document of your own
    "#]].assert_eq(&relations(&rows));
}

#[test]
fn what_a_text_only_looks_like_is_no_relation() {
    let rows = [
        ("Microsoft.Network/networkInterfaces/i", json!({})),
        (
            "Microsoft.Compute/virtualMachines/v",
            json!({
                "note": "~/Microsoft.Network/networkInterfaces/i is mine",
                "all": "~/Microsoft.Network/networkInterfaces/*",
                "page": "https://portal.azure.com/#resource~/Microsoft.Network/networkInterfaces/i",
                "other": "~/Microsoft.Network/networkInterfaces/i2",
                "own": "~/Microsoft.Compute/virtualMachines/v/extensions/e",
            }),
        ),
    ];
    expect![[r#"
        1 × a relation to what is not in the files; import that too
    "#]]
    .assert_eq(&relations(&rows));
}

#[test]
fn of_the_same_resource_twice_the_later_file_says_how_it_is() {
    let id = "/subscriptions/7/resourceGroups/G/providers/Microsoft.Sql/servers/Db";
    let early = json!([{"id": id, "tags": {"team": "old"}}]).to_string();
    let late = json!([{"id": id.to_ascii_lowercase(), "tags": {"team": "new"}}]).to_string();
    let imported = import(&[source("1", &early), source("2", &late)], &[]).unwrap();
    assert_eq!(imported.summary.facts, 1);
    assert_eq!(imported.summary.owners.into_iter().collect::<Vec<_>>(), ["new"]);
}

#[test]
fn what_is_in_no_subscription_is_in_no_account() {
    let rows = json!([
        {"id": "/providers/Microsoft.Management/managementGroups/Acme", "location": ""},
        {"id": "/subscriptions/7"},
        {"id": "/subscriptions/7/resourceGroups/G"},
        {"id": "/subscriptions/7/resourceGroups/G/providers/Microsoft.Compute"},
    ]);
    let imported = import(&[source("groups.json", &rows.to_string())], &[]).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "resource-graph:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: azure
          resources:
            - {"id":"/providers/microsoft.management/managementgroups/acme","type":"azure:Microsoft.Management/managementGroups","name":"/providers/microsoft.management/managementgroups/acme"}
            - {"id":"/subscriptions/7","type":"azure:Microsoft.Resources/subscriptions","name":"/subscriptions/7","account":"7"}
            - {"id":"/subscriptions/7/resourcegroups/g","type":"azure:Microsoft.Resources/subscriptions/resourceGroups","name":"/subscriptions/7/resourcegroups/g","account":"7"}
    "##]].assert_eq(&imported.text);
    expect!["1 × a row whose `id` is not that of a resource"]
        .assert_eq(&imported.summary.left_out.join("\n"));
}

#[test]
fn a_page_of_several_is_told_until_the_others_are_there() {
    let page = |name: &str, token: Value| {
        let row = json!({"id": format!("/subscriptions/7/resourceGroups/{name}")});
        let answer = json!({"count": 1, "data": [row], "skip_token": token, "total_records": 2});
        source(&format!("{name}.json"), &answer.to_string())
    };
    let pages = [page("a", json!("more")), page("b", Value::Null)];
    let left_out = |sources: &[Source]| import(sources, &[]).unwrap().summary.left_out.join("\n");
    expect!["`a.json` is a part: it holds 1 of 2 rows; give the other pages too"]
        .assert_eq(&left_out(pages.get(..1).unwrap()));
    assert_eq!(left_out(&pages), "");
}

#[test]
fn what_is_no_export_is_refused_with_what_to_give() {
    let refused = |text: &str| import(&[source("x", text)], &[]).unwrap_err().to_string();
    expect!["cannot import `x`: it is not JSON that can be read: expected value at line 1 column 1; give the output of `az graph query -o json` or of `az resource list -o json`"].assert_eq(&refused("Id,Name\n"));
    expect!["cannot import `x`: it is empty; give the output of `az graph query -o json` or of `az resource list -o json`"].assert_eq(&refused(""));
    expect!["cannot import `x`: it is no list of resources; give the output of `az graph query -o json` or of `az resource list -o json`"].assert_eq(&refused("7"));
    expect!["cannot import `x`: it has no `data` with rows, as an answer of Resource Graph has; give the output of `az graph query -o json` or of `az resource list -o json`"].assert_eq(&refused("{\"version\": 4, \"resources\": []}"));
    expect!["cannot import `x`: it is a list of something else than rows; give the output of `az graph query -o json` or of `az resource list -o json`"].assert_eq(&refused("[\"a\"]"));
    expect!["cannot import `x`: row 1 has no `id`; ask for whole rows, as `az graph query -q Resources -o json` does"].assert_eq(&refused("[{\"name\": \"web\", \"type\": \"microsoft.compute/disks\"}]"));
    expect!["cannot import `x`: row 1 is no row of Resource Graph; give the output of `az graph query -o json` or of `az resource list -o json`"].assert_eq(&refused("[{\"id\": 7, \"name\": \"hunter2\"}]"));
    expect!["cannot import `x`: it holds no resource; give the output of `az graph query -o json` or of `az resource list -o json`"]
        .assert_eq(&refused("{\"count\": 0, \"data\": [], \"skip_token\": null, \"total_records\": 0}"));
    expect!["cannot import ``: it holds no resource; give the output of `az graph query -o json` or of `az resource list -o json`"].assert_eq(&import(&[], &[]).unwrap_err().to_string());
}
