//! Azure: ids in any case, and what a delete takes along by their names.

use expect_test::expect;

use crate::support::{SHOP, check_on, codes_on, model};

/// A group of the web team, written as the portal shows it, in which another team has a database.
fn estate() -> String {
    format!(
        "{SHOP}---
apiVersion: ordain/v1
kind: Scope
metadata: {{name: web-groups}}
spec: {{names: [\"/subscriptions/0000000A-0000-4000-8000-000000000001/resourceGroups/Web*\"], owner: web}}
---
apiVersion: ordain/v1
kind: Inventory
metadata: {{name: azure}}
spec:
  source: azure
  plane: azure
  resources:
    - {{id: group, type: azure:Microsoft.Resources/subscriptions/resourceGroups, name: \"/subscriptions/0000000A-0000-4000-8000-000000000001/resourceGroups/Shop\", owner: web}}
    - {{id: server, type: azure:Microsoft.Sql/servers, name: \"/subscriptions/0000000A-0000-4000-8000-000000000001/resourceGroups/Shop/providers/Microsoft.Sql/servers/Main\", owner: web, tags: {{Owner: web}}}}
    - {{id: db, type: azure:Microsoft.Sql/servers/databases, name: \"/subscriptions/0000000A-0000-4000-8000-000000000001/resourceGroups/Shop/providers/Microsoft.Sql/servers/Main/databases/Pay\", owner: payroll, tier: critical}}
    - {{id: other, type: azure:Microsoft.Sql/servers, name: \"/subscriptions/0000000A-0000-4000-8000-000000000001/resourceGroups/Shop/providers/Microsoft.Sql/servers/Main2\", owner: data}}
    - {{id: zone, type: azure:Microsoft.Network/dnsZones/A, name: \"/subscriptions/0000000A-0000-4000-8000-000000000001/resourceGroups/Shop/providers/Microsoft.Network/dnsZones/z.example/A/*\", owner: data}}
    - {{id: lone, type: azure:Microsoft.Sql/servers/databases, name: \"/subscriptions/0000000A-0000-4000-8000-000000000001/resourceGroups/WebLone/providers/Microsoft.Sql/servers/S/databases/Pay\", owner: payroll}}
"
    )
}

const GROUP: &str = "/subscriptions/0000000a-0000-4000-8000-000000000001/resourcegroups/shop";

#[test]
fn an_id_is_known_in_whatever_case_the_model_has_it() {
    let snapshot = model(&estate());
    let codes = |what: &str| codes_on(&snapshot, &format!("person alice\n{what}"));
    let update = |name: &str| {
        codes(&format!(
            "effect Microsoft.Sql:servers/write update\n target azure:Microsoft.Sql/servers {name} carried"
        ))
    };
    assert_eq!(update(&format!("{GROUP}/providers/microsoft.sql/servers/main")), "");
    assert_eq!(update(&format!("{GROUP}/providers/microsoft.sql/servers/main2")), "approval_required");
    assert_eq!(
        update(&format!("{GROUP}/providers/microsoft.network/dnszones/z.example/a/%2a")),
        "approval_required"
    );
    assert_eq!(update("/subscriptions/0000000a-0000-4000-8000-000000000001/resourcegroups/web-1"), "");
}

#[test]
fn a_delete_takes_along_what_lies_in_it() {
    check_on(
        &model(&estate()),
        &format!(
            "person alice
             effect Microsoft.Sql:servers/delete delete
             target azure:Microsoft.Sql/servers {GROUP}/providers/microsoft.sql/servers/main carried"
        ),
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `/subscriptions/0000000a-0000-4000-8000-000000000001/resourcegroups/shop/providers/microsoft.sql/servers/main`
            owners: web
            reach: 1 + 1, tier critical, crosses payroll"#]],
    );
}

#[test]
fn a_delete_of_what_nobody_declared_takes_along_what_is_declared_in_it() {
    check_on(
        &model(&estate()),
        "person alice
         effect Microsoft.Sql:servers/delete delete
         target azure:Microsoft.Sql/servers /subscriptions/0000000a-0000-4000-8000-000000000001/resourcegroups/weblone/providers/microsoft.sql/servers/s carried",
        expect![[r#"
            admit (enforce), permit Admitted
            admit ownership owner_changes_own: `alice` acts for `web`, which owns `/subscriptions/0000000a-0000-4000-8000-000000000001/resourcegroups/weblone/providers/microsoft.sql/servers/s`
            admit blast_radius reach_unknown: what depends on `/subscriptions/0000000a-0000-4000-8000-000000000001/resourcegroups/weblone/providers/microsoft.sql/servers/s` is not known
            owners: web
            reach: 1 + unknown, crosses payroll"#]],
    );
}

/// A PUT of the server with these parameters, by an agent of its owner, or by another effect of a label.
fn labelled(effect: &str) -> String {
    let mut text = estate();
    text.push_str(
        "---
apiVersion: ordain/v1
kind: Scope
metadata: {name: by-center}
spec: {tags: {cost.center: \"7\"}, owner: web}
---
apiVersion: ordain/v1
kind: AgentBounds
metadata: {name: servers}
spec: {actors: [cleaner], access: [create, update, tag], names: [\"/subscriptions/*/resourceGroups/Shop/*\"]}
",
    );
    codes_on(&model(&text), &format!("agent cleaner\n{effect}"))
}

#[test]
fn labels_that_say_who_owns_something_are_a_grant_to_change_and_to_take_away() {
    let server =
        format!("target azure:Microsoft.Sql/servers {GROUP}/providers/microsoft.sql/servers/main carried");
    let other = format!(
        "target azure:Microsoft.Sql/servers {GROUP}/providers/microsoft.sql/servers/new carried
         parent azure:Microsoft.Resources/subscriptions/resourceGroups {GROUP} carried"
    );
    let of = |access: &str, target: &str, parameters: &str| {
        format!("effect Microsoft.Sql:servers/write {access}\n{target}\n{parameters}\n")
    };
    let put =
        |target: &str, parameters: &str| of("create", target, parameters) + &of("update", target, parameters);
    let patch = |parameters: &str| of("update", &server, parameters);
    let mut wrong = Vec::new();
    for (effect, expected) in [
        (of("tag", &server, "tags.Env = test"), ""),
        (of("tag", &server, "tags.Owner = payroll"), "agent_grants no_ground"),
        (of("tag", &server, "properties.tags.cost\\.Center = 7"), "agent_grants no_ground"),
        (put(&server, "properties.version = 12"), "agent_grants no_ground"),
        (put(&server, "tags.Env = test"), "agent_grants no_ground"),
        (put(&server, "tags.Owner = web"), ""),
        (put(&other, "properties.version = 12"), ""),
        (patch("properties.version = 12"), ""),
    ] {
        let found = labelled(&effect);
        wrong.extend((found != expected).then(|| format!("{effect}: `{found}`, not `{expected}`")));
    }
    assert_eq!(wrong.join("\n"), "");
}
