//! Service graphs: what Prometheus answers and what it scrapes, what that becomes, and what the model makes of it.
//!
//! The answers are written by hand after what Prometheus and Tempo write.

use expect_test::{Expect, expect};
use ordain_rules::import::{ImportError, Imported, ServiceGraph, service_graph};
use ordain_rules::{Mode, Modes, Snapshot};

use crate::source;

const ANSWER: &str = r#"{"status":"success","data":{"resultType":"vector","result":[
  {"metric":{"__name__":"traces_service_graph_request_total","client":"web","server":"orders","connection_type":"",
             "instance":"hunter2-in-label"},"value":[1700000000.1,"12"]},
  {"metric":{"client":"web","server":"orders","connection_type":"","job":"other"},"value":[1700000000.1,"1"]},
  {"metric":{"client":"orders","server":"orders","connection_type":"database"},"value":[1700000000.1,"7e3"]},
  {"metric":{"client":"orders","server":"mailings","connection_type":"messaging_system"},"value":[1700000000.1,"2"]},
  {"metric":{"client":"orders","server":"billing","connection_type":"messaging_system"},"value":[1700000000.1,"2"]},
  {"metric":{"client":"billing","server":"ledger","connection_type":"database"},"value":[1700000000.1,"2"]},
  {"metric":{"client":"user","server":"web","connection_type":"virtual_node"},"value":[1700000000.1,"9"]},
  {"metric":{"client":"web","server":"legacy"},"value":[1700000000.1,"0"]},
  {"metric":{"client":"web","server":"never"},"value":[1700000000.1,"NaN"]},
  {"metric":{"client":"web","server":"web"},"value":[1700000000.1,"3"]},
  {"metric":{"client":"web","server":""},"value":[1700000000.1,"3"]},
  {"metric":{"job":"tempo"},"value":[1700000000.1,"3"]}
]}}"#;

const SCRAPED: &str = r#"
# HELP traces_service_graph_request_total Total count of requests between two nodes
# TYPE traces_service_graph_request_total counter
traces_service_graph_request_total{client="web",server="orders",connection_type="database",host="hunter2-in-label"} 12
traces_service_graph_request_total{ client = "say \"hi\"", server="back\\slash\nbreak, {brace}", } 1 1700000000100
traces_service_graph_request_total{client="web",server="idle"} 0
traces_service_graph_unpaired_spans_total{client="web",server="hidden"} 4
process_cpu_seconds_total 7
"#;

fn import(text: &str) -> Result<Imported, ImportError> {
    let as_of = Some("2026-11-24T10:00:00Z".parse().unwrap());
    service_graph(&[source("graph", text)], ServiceGraph { name: Some("shop"), as_of, decays: Some("14d") })
}

#[test]
fn an_answer_becomes_an_inventory_of_what_calls_what() {
    let imported = import(ANSWER).unwrap();
    assert_eq!(imported.file, "service-graph-shop.yaml");
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "service-graph:shop"
          asOf: 2023-11-14T22:13:20.1Z
          decays: 14d
          plane: unknown
          resources:
            - {"id":"billing","type":"otel:service","identifiers":["billing"]}
            - {"id":"database/orders","type":"otel:database","identifiers":["orders"]}
            - {"id":"ledger","type":"otel:database","identifiers":["ledger"]}
            - {"id":"legacy","type":"otel:service","identifiers":["legacy"]}
            - {"id":"mailings","type":"otel:messaging","identifiers":["mailings"]}
            - {"id":"never","type":"otel:service","identifiers":["never"]}
            - {"id":"orders","type":"otel:service","identifiers":["orders"]}
            - {"id":"web","type":"otel:service","identifiers":["web"]}
          relations:
            - {"from":"billing","type":"dependsOn","to":"ledger"}
            - {"from":"orders","type":"dependsOn","to":"database/orders"}
            - {"from":"orders","type":"consumes","to":"billing"}
            - {"from":"orders","type":"consumes","to":"mailings"}
            - {"from":"web","type":"consumes","to":"orders"}
    "##]]
    .assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 8,
            relations: 5,
            unowned: 8,
            owners: {},
            accounts: {},
            left_out: [
                "1 × an edge from `user`, who is no service",
                "1 × an edge of a service to itself",
                "2 × an edge that nothing passed",
                "1 × an edge with one end only",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    assert!(ANSWER.contains("hunter2-in-label"));
    assert!(!imported.text.contains("hunter2-in-label"));
}

#[test]
fn what_is_scraped_is_read_too() {
    let imported = import(SCRAPED).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "service-graph:shop"
          asOf: 2023-11-14T22:13:20.1Z
          decays: 14d
          plane: unknown
          resources:
            - {"id":"back\\slash\nbreak, {brace}","type":"otel:service","identifiers":["back\\slash\nbreak, {brace}"]}
            - {"id":"idle","type":"otel:service","identifiers":["idle"]}
            - {"id":"orders","type":"otel:database","identifiers":["orders"]}
            - {"id":"say \"hi\"","type":"otel:service","identifiers":["say \"hi\""]}
            - {"id":"web","type":"otel:service","identifiers":["web"]}
          relations:
            - {"from":"say \"hi\"","type":"consumes","to":"back\\slash\nbreak, {brace}"}
            - {"from":"web","type":"dependsOn","to":"orders"}
    "##]].assert_eq(&imported.text);
    expect![[r#"
        ImportSummary {
            facts: 5,
            relations: 2,
            unowned: 5,
            owners: {},
            accounts: {},
            left_out: [
                "1 × an edge that nothing passed",
            ],
        }
    "#]]
    .assert_debug_eq(&imported.summary);
    assert!(!imported.text.contains("hunter2-in-label"));
}

#[test]
fn open_metrics_has_times_in_seconds_and_examples_of_traces() {
    let text = "traces_service_graph_request_total{client=\"a\",server=\"b\"} 5.0 1700000000.25 # {trace_id=\"hunter2\"} 1.0\n\
                # EOF\n";
    let imported = import(text).unwrap();
    expect![[r##"
        # Imported: change the source and import again.
        apiVersion: ordain/v1
        kind: Inventory
        metadata:
          name: "shop"
        spec:
          source: "service-graph:shop"
          asOf: 2023-11-14T22:13:20.25Z
          decays: 14d
          plane: unknown
          resources:
            - {"id":"a","type":"otel:service","identifiers":["a"]}
            - {"id":"b","type":"otel:service","identifiers":["b"]}
          relations:
            - {"from":"a","type":"consumes","to":"b"}
    "##]]
    .assert_eq(&imported.text);
}

#[test]
fn what_was_imported_is_in_the_model_with_its_relations() {
    for text in [ANSWER, SCRAPED] {
        let imported = import(text).unwrap();
        let files = [source(&imported.file, &imported.text)];
        let snapshot = Snapshot::load(&files, Modes::new(Mode::Enforce)).unwrap();
        assert_eq!(snapshot.findings(), []);
        assert_eq!(snapshot.summary().entries, imported.summary.facts);
        assert_eq!(snapshot.summary().relations, imported.summary.relations);
    }
}

#[test]
fn what_is_no_service_graph_is_refused_with_what_to_give() {
    let check = |text: &str, expected: Expect| {
        expected.assert_eq(&import(text).unwrap_err().to_string());
    };
    check(
        "",
        expect![
            "cannot import `graph`: it has no series with the labels `client` and `server`; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        "{",
        expect![
            "cannot import `graph`: it is not an answer that can be read: EOF while parsing an object at line 1 column 1; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
        expect![
            "cannot import `graph`: it is no answer of Prometheus that succeeded; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
        expect![
            "cannot import `graph`: it answers with a `matrix`, not with a `vector`; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
        expect![
            "cannot import `graph`: it has no series with the labels `client` and `server`; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        "up{job=\"tempo\"} 1\n",
        expect![
            "cannot import `graph`: it has no series with the labels `client` and `server`; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        "\ntraces_service_graph_request_total{client=\"web\n",
        expect![
            "cannot import `graph`: line 2 is no sample that can be read; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        "traces_service_graph_request_total{client=\"a\",server=\"b\"} many\n",
        expect![
            "cannot import `graph`: line 1 is no sample that can be read; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
    check(
        "traces_service_graph_request_total{client=\"user\",server=\"\"} 1\n",
        expect![
            "cannot import `graph`: none of its edges names a service; give what Prometheus answers to the instant query `traces_service_graph_request_total`, or the text that it scrapes"
        ],
    );
}
