//! Services of bills of materials: what they become, and what the model makes of that.
//!
//! The bills are written by hand after the examples of CycloneDX.

use expect_test::{Expect, expect};
use ordain_rules::import::{CycloneDx, ImportError, Imported, cyclonedx};
use ordain_rules::{Mode, Modes, Snapshot, Source};

use crate::source;

const BILL: &str = r#"{
  "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
  "bomFormat": "CycloneDX",
  "specVersion": "1.6",
  "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
  "version": 3,
  "metadata": {
    "timestamp": "2026-11-20T08:15:30Z",
    "component": {"type": "application", "bom-ref": "shop", "name": "shop"}
  },
  "components": [{"type": "library", "bom-ref": "pkg:npm/express@4.21.0", "name": "express", "version": "4.21.0"}],
  "services": [
    {
      "bom-ref": "orders-api",
      "provider": {"name": "Acme", "url": ["https://acme.example.com"], "contact": [{"email": "hunter2@example.com"}]},
      "group": "com.example",
      "name": "orders",
      "version": "2026.11",
      "description": "hunter2-in-description",
      "endpoints": ["https://Orders.example.com:8443/v1", "https://robot:hunter2-in-endpoint@internal.example.com/v1?k=hunter2-in-query"],
      "authenticated": true,
      "x-trust-boundary": true,
      "data": [{"flow": "bi-directional", "classification": "hunter2-in-data"}],
      "properties": [{"name": "token", "value": "hunter2-in-property"}],
      "services": [{"bom-ref": "orders-admin", "name": "admin", "endpoints": ["/admin"]}]
    },
    {"group": "com.example", "name": "payments", "endpoints": ["grpc://payments:50051"]}
  ],
  "dependencies": [
    {"ref": "shop", "dependsOn": ["orders-api", "pkg:npm/express@4.21.0"]},
    {"ref": "orders-api", "dependsOn": ["com.example/payments", "pkg:npm/express@4.21.0", "orders-api"], "provides": ["orders-admin"]},
    {"ref": "com.example/payments", "dependsOn": []}
  ]
}"#;

fn import(sources: &[Source]) -> Result<Imported, ImportError> {
    let as_of = Some("2026-11-24T10:00:00Z".parse().unwrap());
    cyclonedx(sources, CycloneDx { name: Some("shop"), as_of })
}

fn services(list: &str) -> String {
    format!("{{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\", \"services\": [{list}]}}")
}

#[test]
fn services_become_an_inventory_without_what_they_hold() {
    let imported = import(&[source("bom.json", BILL)]).unwrap();
    assert_eq!(imported.file, "cyclonedx-shop.yaml");
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "cyclonedx:shop"
          revision: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79/3"
          asOf: 2026-11-20T08:15:30Z
          plane: unknown
          resources:
            - {"id":"com.example/payments","type":"cyclonedx:service","identifiers":["payments"]}
            - {"id":"orders-admin","type":"cyclonedx:service","identifiers":["admin"]}
            - {"id":"orders-api","type":"cyclonedx:service","identifiers":["internal.example.com","orders","orders.example.com"],"tags":{"provider":"Acme"}}
          relations:
            - {"from":"orders-admin","type":"partOf","to":"orders-api"}
            - {"from":"orders-api","type":"dependsOn","to":"com.example/payments"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 3,
            relations: 2,
            unowned: 3,
            owners: {},
            accounts: {},
            left_out: [
                "2 × a dependency with what is no service",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    for secret in [
        "hunter2@example.com",
        "hunter2-in-description",
        "hunter2-in-endpoint",
        "hunter2-in-query",
        "hunter2-in-data",
        "hunter2-in-property",
    ] {
        assert!(BILL.contains(secret), "the bill does hold `{secret}`");
        assert!(!imported.text.contains(secret), "`{secret}` was kept");
    }
}

#[test]
fn what_was_imported_is_in_the_model_with_its_relations() {
    let imported = import(&[source("bom.json", BILL)]).unwrap();
    let snapshot =
        Snapshot::load(&[source(&imported.file, &imported.text)], Modes::new(Mode::Enforce)).unwrap();
    assert_eq!(snapshot.findings(), []);
    let facts: Vec<String> =
        snapshot.inventory().map(|fact| format!("{} {}", fact.name, fact.kind)).collect();
    expect![[r#"
        cyclonedx:shop#com.example/payments cyclonedx:service
        cyclonedx:shop#orders-admin cyclonedx:service
        cyclonedx:shop#orders-api cyclonedx:service"#]]
    .assert_eq(&facts.join("\n"));
    assert_eq!(snapshot.summary().relations, 2);
}

#[test]
fn a_service_of_two_bills_is_one_by_reference_and_name() {
    let one =
        services(r#"{"bom-ref": "p", "group": "g", "name": "pay", "endpoints": ["https://a.example.com"]}"#);
    let other =
        services(r#"{"bom-ref": "p", "group": "g", "name": "pay", "endpoints": ["https://b.example.com"]}"#);
    let imported = import(&[source("a.json", &one), source("b.json", &other)]).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "cyclonedx:shop"
          asOf: 2026-11-24T10:00:00Z
          plane: unknown
          resources:
            - {"id":"p","type":"cyclonedx:service","identifiers":["a.example.com","b.example.com","pay"]}
    "##]]
    .assert_eq(&imported.text);
}

#[test]
fn what_is_no_such_bill_is_refused_with_what_to_give() {
    let check = |text: &str, expected: Expect| {
        expected.assert_eq(&import(&[source("bom", text)]).unwrap_err().to_string());
    };
    check(
        "<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"/>",
        expect![
            "cannot import `bom`: it is a bill in XML; convert it, for example with `cyclonedx convert`, and give that in JSON"
        ],
    );
    check(
        "spdx",
        expect![
            "cannot import `bom`: it is not a bill that can be read: expected value at line 1 column 1; give a bill of materials of CycloneDX in JSON"
        ],
    );
    check(
        "{\"spdxVersion\": \"SPDX-2.3\"}",
        expect![
            "cannot import `bom`: it has no `bomFormat` of `CycloneDX`; give a bill of materials of CycloneDX in JSON"
        ],
    );
    check(
        &services(""),
        expect![
            "cannot import `bom`: it declares no service; give a bill of materials of CycloneDX in JSON that has `services`"
        ],
    );
    check(
        &services("{\"bom-ref\": \"x\"}"),
        expect![
            "cannot import `bom`: it declares a service without a `name`, `x`; give a bill of materials of CycloneDX in JSON"
        ],
    );
    check(
        &services("{\"name\": \"x\"}, {\"name\": \"x\"}"),
        expect!["cannot import `bom`: it declares two services `x`; give each a `bom-ref` of its own"],
    );
    let other = services("{\"bom-ref\": \"1\", \"name\": \"y\"}");
    let error =
        import(&[source("a", &services("{\"bom-ref\": \"1\", \"name\": \"x\"}")), source("b", &other)]);
    expect!["cannot import `b`: it calls `y` by the `bom-ref` `1`, which is `x` in `a`; import each with a name of its own"].assert_eq(&error.unwrap_err().to_string());
}
