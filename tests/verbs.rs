//! The verbs as somebody uses them who gets something wrong: what they say, and how they exit.
//!
//! Leaves out what the verbs do when all is well.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use expect_test::{Expect, expect, expect_file};
use ordain_action::Plane;
use serde_json::Value;

use crate::harness::{Gate, Recorder, Sent, Setup, a_change, eventually, said};

/// A change, as a line.
const GROUP: &str = r#"{"id":"1","method":"GET","url":"https://ec2.us-east-1.amazonaws.com/?Action=DeleteKeyPair&Version=2016-11-15&KeyName=old"}"#;

/// Runs a verb; the gate's folder, which differs each time, is named instead.
#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(gate: &Gate, arguments: &[&str], expected: Expect) {
    let output = gate.run(arguments);
    let folder = gate.folder.path().display().to_string();
    let text = said(&output).replace(&folder, "FOLDER");
    expected.assert_eq(&format!("{text}exit {}", output.status.code().unwrap()));
}

#[test]
fn what_is_asked_wrongly_is_a_matter_of_usage() {
    let gate = Gate::start(Setup::default());
    check(
        &gate,
        &["explain", "01935555-0000-7000-8000-000000000000"],
        expect![[r"
            there is no decision `01935555-0000-7000-8000-000000000000` in `FOLDER/state/ledger`; a burst of refusals is counted into one entry: see `ordain ledger query`
            exit 2"]],
    );
    check(
        &gate,
        &["ledger", "prove", "999", "--out", "p"],
        expect![[r"
            error: there is no entry `999` under the checkpoint; ask for one that is
            exit 2"]],
    );
    check(
        &gate,
        &["ledger", "verify", "--directory", "/nowhere"],
        expect![[r"
            error: no ledger in `/nowhere`; start the gate first, or give `--directory`
            exit 2"]],
    );
    check(
        &gate,
        &["ledger", "query", "--verdict", "denied"],
        expect![[r"
            error: invalid value 'denied' for '--verdict <VERDICT>'
              [possible values: admit, hold, deny]

              tip: a similar value exists: 'deny'

            For more information, try '--help'.
            exit 2"]],
    );
    check(
        &gate,
        &["report", "shadow", "--since", "yesterday"],
        expect![[r"
            error: invalid value 'yesterday' for '--since <SINCE>': give a time such as `2026-01-31T18:00:00Z`

            For more information, try '--help'.
            exit 2"]],
    );
    let id = gate.key("alice").id.clone();
    assert!(gate.run(&["key", "revoke", &id]).status.success());
    let dead = gate.run(&["env", "--key", &id]);
    assert_eq!(dead.status.code(), Some(2));
    assert!(said(&dead).contains("is not valid any more; see `ordain key list`"), "{}", said(&dead));
    gate.finish();
}

#[test]
fn a_query_says_what_was_asked_for_and_why_it_was_denied() {
    let gate = Gate::start(Setup::default());
    assert_eq!(gate.client("mallory").send(&a_change(1)).status, 403);
    let listed = said(&gate.run(&["ledger", "query"]));
    let row = listed.lines().nth(1).unwrap();
    assert!(row.contains("  deny     enforce  ec2:") && row.contains("  not_owner  "), "{listed}");
    gate.finish();
}

#[test]
fn the_planes_are_listed_with_what_each_does_not_do() {
    let gate = Gate::start(Setup::default());
    let listed = gate.run(&["planes"]);
    let text = format!("{}exit {}", said(&listed), listed.status.code().unwrap());
    expect_file!["planes/listed.txt"].assert_eq(&text);
    let planes: Vec<Value> = serde_json::from_slice(&gate.run(&["-o", "json", "planes"]).stdout).unwrap();
    let words: Vec<&str> = planes.iter().map(|plane| plane["plane"].as_str().unwrap()).collect();
    // Whatever is read is listed.
    assert_eq!(words, Plane::ALL.iter().map(|plane| plane.as_str()).collect::<Vec<_>>());
    let page = gate.run(&["planes", "scim"]);
    assert!(said(&page).starts_with("# SCIM 2.0"), "{}", said(&page));
    let none = gate.run(&["planes", "cobol"]);
    assert!(
        said(&none).contains("no room reads the plane `cobol`; those that do are `aws`"),
        "{}",
        said(&none)
    );
    for package in planes.iter().flat_map(|plane| plane["sources"].as_array().unwrap()) {
        assert_eq!(package["sha256"].as_str().unwrap().len(), 64, "{package}");
        assert!(!package["licence"].as_str().unwrap().is_empty(), "{package}");
    }
    gate.finish();
}

/// Policies, read scopes and reports name operations so.
#[test]
fn decode_spells_operations_as_each_plane_does() {
    let gate = Gate::start(Setup::default());
    let file = gate.folder.path().join("one.jsonl");
    let machine = "subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web";
    for (plane, method, url, service, operation) in [
        (
            "gcp",
            "DELETE",
            "https://compute.googleapis.com/compute/v1/projects/shop/zones/z/instances/web".to_owned(),
            "compute",
            "instances.delete",
        ),
        (
            "azure",
            "DELETE",
            format!("https://management.azure.com/{machine}?api-version=2024-07-01"),
            "Microsoft.Compute",
            "virtualMachines/delete",
        ),
        (
            "kubernetes",
            "DELETE",
            "https://cluster.example/api/v1/namespaces/shop/pods/web".to_owned(),
            "core",
            "delete/pods",
        ),
        (
            "kubernetes",
            "GET",
            "https://cluster.example/api/v1/namespaces/shop/pods/web/exec?command=ls".to_owned(),
            "core",
            "create/pods/exec",
        ),
        (
            "kubernetes",
            "DELETE",
            "https://cluster.example/apis/apps/v1/namespaces/shop/deployments/web".to_owned(),
            "apps",
            "delete/deployments",
        ),
    ] {
        let line = serde_json::json!({"id": "1", "method": method, "url": url, "headers": []});
        std::fs::write(&file, format!("{line}\n")).unwrap();
        let output = gate.run(&["decode", "--plane", plane, "--account", "acme", file.to_str().unwrap()]);
        let read: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        let effect = &read["effects"][0];
        assert_eq!(
            (&effect["service"], &effect["operation"]),
            (&service.into(), &operation.into()),
            "{read}"
        );
    }
    gate.finish();
}

#[test]
fn a_request_to_check_is_named_by_file_and_line() {
    let gate = Gate::start(Setup::default());
    let file = gate.folder.path().join("requests.jsonl");
    let good = r#"{"id":"1","method":"GET","url":"https://s3.amazonaws.com/"}"#;
    std::fs::write(&file, format!("{good}\n{{\"id\":\"2\"}}\n")).unwrap();
    let file = file.display().to_string();
    check(
        &gate,
        &["check", "--actor", "alice", &file],
        expect![[r"
            error: `FOLDER/requests.jsonl` line 2: the line is not a request: missing field `method` at line 1 column 10; see `ordain decode --help`
            exit 2"]],
    );
    std::fs::write(gate.folder.path().join("requests.jsonl"), GROUP).unwrap();
    check(
        &gate,
        &["check", "--actor", "stranger", &file],
        expect![[r#"
             ID  OPERATION          VERDICT  BECAUSE
             1   ec2:DeleteKeyPair  deny     unknown_actor: `stranger` is not declared in the model; declare a `User` or an `Actor` of that name, with the teams it acts for
            exit 1"#]],
    );
    std::fs::write(
        gate.folder.path().join("requests.jsonl"),
        r#"{"id":"1","method":"GET","url":"https://cluster/api/v1/namespaces/default/pods"}"#,
    )
    .unwrap();
    check(
        &gate,
        &["check", "--actor", "alice", &file],
        expect![[r#"
        error: `FOLDER/requests.jsonl` line 1: the request is of the plane `kubernetes`, and upstream `default` of `aws`; say which one is meant with `--upstream`
        exit 2"#]],
    );
    std::fs::write(gate.folder.path().join("requests.jsonl"), GROUP).unwrap();
    check(
        &gate,
        &["check", "--actor", "alice", "--upstream", "prod", &file],
        expect![[r"
            error: there is no upstream `prod`; give one that is configured
            exit 2"]],
    );
    check(
        &gate,
        &["check", "--actor", "alice", "--account", "12", &file],
        expect![[r"
            error: `--account` is `12`: give the twelve digits of an AWS account
            exit 2"]],
    );
    gate.finish();
}

#[test]
fn a_variable_that_nobody_reads_is_told_and_nothing_is_started() {
    let gate = Gate::start(Setup::default());
    for (verb, code) in [("serve", 2), ("validate", 2), ("doctor", 1)] {
        let output = gate.run_in(&[("ORDAIN_MOED", "enforce")], &[verb]);
        let text = said(&output);
        assert!(
            text.contains("unknown variable `ORDAIN_MOED`; did you mean `ORDAIN_MODE`"),
            "{verb}: {text}"
        );
        assert_eq!(output.status.code(), Some(code), "{verb}");
    }
    let linked =
        [("ORDAIN_SERVICE_HOST", "10.0.0.1"), ("ORDAIN_PORT", "tcp://10.0.0.1:7070"), ("ORDAIN_MOED", "")];
    assert_eq!(gate.run_in(&linked, &["validate"]).status.code(), Some(0));
    gate.finish();
}

#[test]
fn validate_reads_the_files_that_the_settings_name() {
    let gate = Gate::start(Setup::default());
    let written = std::fs::read_to_string(gate.folder.path().join("gate.toml")).unwrap();
    let other = gate.folder.path().join("other.toml");
    for (from, to, why) in [
        ("format = \"json\"", "format = \"xml\"", "`log.format` is `xml`: use `text` or `json`"),
        ("format = \"json\"", "filter = \"a=b=c\"", "`log.filter` is `a=b=c`"),
        ("[listen]", "[catalogue]\noverlay = \"nowhere\"\n[listen]", "cannot read `nowhere`"),
        (
            "[listen]",
            "[listen]\ntls = { certificate = \"no.pem\", key = \"no.key\" }",
            "`no.pem` cannot be read as PEM certificates",
        ),
    ] {
        std::fs::write(&other, written.replacen(from, to, 1)).unwrap();
        let found = Command::new(env!("CARGO_BIN_EXE_ordain"))
            .args(["--config", &other.display().to_string(), "validate"])
            .output()
            .unwrap();
        assert_eq!(found.status.code(), Some(2), "{why}: {}", said(&found));
        assert!(said(&found).contains(why), "{why}: {}", said(&found));
    }
    // The system refuses to say whether it is there, as for a folder of somebody else.
    let hidden = Command::new(env!("CARGO_BIN_EXE_ordain"))
        .env("ORDAIN_MODEL_DIRECTORY", "/dev/null/model")
        .args(["--config", &gate.folder.path().join("gate.toml").display().to_string(), "validate"])
        .output()
        .unwrap();
    assert_eq!(hidden.status.code(), Some(2), "{}", said(&hidden));
    assert!(said(&hidden).contains("cannot read `/dev/null/model`"), "{}", said(&hidden));
    gate.finish();
}

#[test]
fn a_second_gate_on_the_same_state_leaves_the_first_one_reachable() {
    let gate = Gate::start(Setup::default());
    let second = gate.run(&["serve"]);
    assert_eq!(second.status.code(), Some(2), "{}", said(&second));
    assert!(said(&second).contains("in use by another program"), "{}", said(&second));
    let made = gate.run(&["key", "create", "--actor", "late", "--kind", "person"]);
    assert!(made.status.success(), "{}", said(&made));
    gate.finish();
}

#[test]
fn a_model_that_is_right_again_is_said_to_be() {
    let gate = Gate::start(Setup::default());
    let broken = gate.folder.path().join("model/broken.yaml");
    std::fs::write(&broken, "kind: [x\n").unwrap();
    let told =
        format!("the model in `{}` is not right: broken.yaml:1", gate.folder.path().join("model").display());
    eventually("it is said to be wrong", || gate.log().contains(&told));
    std::fs::remove_file(&broken).unwrap();
    eventually("it is said to be right", || gate.log().contains("the files are right again, and in force"));
    gate.finish();
}

#[test]
fn the_model_in_force_is_among_the_metrics() {
    let gate = Gate::start(Setup::default());
    let (_, metrics) = gate.admin_page("/metrics");
    let series: Vec<&str> = metrics.lines().filter(|line| line.starts_with("ordain_model_info{")).collect();
    assert_eq!(series.len(), 1, "{metrics}");
    gate.finish();
}

#[test]
fn spans_reach_the_collector_that_the_environment_names() {
    let collector = Recorder::start();
    let environment = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.address)),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ];
    let mut gate = Gate::start(Setup { environment, ..Setup::default() });
    assert_eq!(gate.client("alice").send(&Sent::ec2("DescribeInstances")).status, 200);
    eventually("a span arrives", || collector.arrived().iter().any(|one| one.target == "/v1/traces"));
    assert!(gate.stop(), "the exporter lets the program end");
    assert!(!gate.log().contains("panicked"), "{}", gate.log());
    gate.restart();
    gate.finish();
}

#[test]
fn settings_written_while_others_are_taken_up_are_not_missed() {
    // It takes connections and never says a word, so that taking up the settings waits for it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Some(format!("http://{}", silent.local_addr().unwrap()));
    let gate = Gate::start(Setup { endpoint, ..Setup::default() });
    gate.edit(|text| text.replace("mode = \"enforce\"", "mode = \"shadow\""));
    gate.hang_up();
    std::thread::sleep(Duration::from_secs(1));
    gate.edit(|text| text.replace("mode = \"shadow\"", "mode = \"warn\""));
    eventually("the second one is in force", || gate.log().contains("to warn"));
    gate.finish();
}
