//! A real API server behind the gate, driven by the Python client and by an AI agent's tools: the same as without the gate.
//!
//! Leaves out kubectl, and where the server comes from (`real.rs`).

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::cluster::{Kubectl, gate, tools};
use super::mcp::{Tools, program};
use super::real::{ADMIN, Server};
use crate::harness::said;

/// A day of the Python client; what it printed.
fn a_day(python: &Path, kubeconfig: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/kubernetes/day.py");
    let output = Command::new("timeout")
        .arg("120")
        .arg(python)
        .arg(script)
        .arg(kubeconfig)
        .env("HOME", kubeconfig.parent().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

/// Two servers, one behind a gate, and the kubeconfigs of a client of each. What a namespace's controller takes away
/// stays without one, so that one server would remember the other's day.
fn both<R>(act: impl Fn(&Path, &Path) -> R) -> Option<(R, R)> {
    let (python, kubectl) = tools()?;
    let (server, other) = (Server::start()?, Server::start()?);
    server.ready(&kubectl);
    other.ready(&kubectl);
    let gate = gate(server.upstream(ADMIN), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let through = act(&python, &alice.kubeconfig);
    gate.finish();
    let direct = act(&python, &other.kubeconfig());
    Some((through, direct))
}

#[test]
fn serial_a_day_of_the_python_client_is_the_same_through_the_gate() {
    let Some((through, direct)) = both(a_day) else { return };
    assert_eq!(through, direct);
    for well in
        ["watch: ['ADDED map-0', 'ADDED map-1', 'ADDED map-2']", "gone: 404 ", "again: 409 ", "scaled: 3"]
    {
        assert!(direct.contains(well), "{direct}");
    }
}

/// All but what differs from one server to the next: names and versions of the server's own, and ages.
fn plain(text: &str) -> Vec<String> {
    let own = ["uid:", "resourceVersion:", "creationTimestamp:", "time:"];
    let is_age = |word: &str| word.strip_suffix('s').is_some_and(|age| age.parse::<u64>().is_ok());
    let lines = text.lines().filter(|line| !own.iter().any(|own| line.trim_start().starts_with(own)));
    lines
        .map(|line| line.split_whitespace().filter(|word| !is_age(word)).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn serial_an_agents_tools_do_the_same_through_the_gate() {
    let Some(program) = program() else { return };
    let map = |value: &str| {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: conf, namespace: default}}\ndata: {{a: {value:?}}}\n"
        );
        json!({ "resource": text })
    };
    let named = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "conf", "namespace": "default"});
    let all = json!({"apiVersion": "v1", "kind": "ConfigMap", "namespace": "default"});
    let calls: [(&str, Value); 9] = [
        ("namespaces_list", json!({})),
        ("resources_create_or_update", map("1")),
        ("resources_create_or_update", map("2")),
        ("resources_get", named.clone()),
        ("resources_list", all),
        ("pods_list", json!({})),
        ("resources_delete", named.clone()),
        ("resources_get", named),
        ("events_list", json!({})),
    ];
    let act = |_: &Path, kubeconfig: &Path| -> Vec<(Vec<String>, bool)> {
        let home: PathBuf = kubeconfig.parent().unwrap().to_owned();
        let mut tools = Tools::start(&program, kubeconfig, &home);
        calls
            .iter()
            .map(|(tool, arguments)| tools.call(tool, arguments))
            .map(|(text, failed)| (plain(&text), failed))
            .collect()
    };
    let Some((through, direct)) = both(act) else { return };
    assert_eq!(through, direct);
    let failed: Vec<bool> = direct.iter().map(|(_, failed)| *failed).collect();
    assert_eq!(failed, [false, false, false, false, false, false, false, true, false], "{direct:?}");
}
