//! Credentials of the cluster that stand in its own objects, asked for in every form and by every path: none reaches
//! whoever asks through the gate, in any mode, and all else of the objects does.
//!
//! The stub (`holding.py`) answers in the form that is asked for. Leaves out tokens that are exchanged (`real.rs`).

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::cluster::{Kubectl, Stub, gate, tools};
use crate::harness::{Gate, Reply, eventually, read_reply, said};

const TOKEN: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InN0dWIifQ.a-real-token-of-the-cluster.that-must-never-be-seen";
const SIGNED: &str = "a real certificate of the cluster that must never be seen";
const INSTEAD: &str = "withheld by ordain: kubectl create token makes one that works through it";

/// None of the stub's credentials stands in a text, as it is or in base64.
#[track_caller]
fn shows_none(text: &str) {
    for credential in [&TOKEN[..40], SIGNED] {
        assert!(!text.contains(credential), "{text}");
        // Of base64 the last letters depend on what follows.
        let coded = STANDARD.encode(credential);
        assert!(!text.contains(&coded[..coded.len() - 4]), "{text}");
    }
}

fn asked(gate: &Gate, token: &str, line: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(gate.address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        gate.address,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn reply(gate: &Gate, token: &str, line: &str, headers: &str, body: &str) -> Reply {
    read_reply(&mut asked(gate, token, line, headers, body), false).unwrap()
}

fn ends(gate: &Gate) -> Vec<String> {
    let mut ledger = gate.ledger();
    ledger.refresh().iter().filter_map(|entry| entry.says.get("end").map(Value::to_string)).collect()
}

#[test]
fn kubectl_shows_no_credential_of_the_cluster_and_all_else() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let raw = "/api/v1/namespaces/default/secrets";
    let shown = [
        alice.well(&["get", "secret", "bot-token", "-o", "yaml"]),
        alice.well(&["get", "secret", "bootstrap-token-abcdef", "-o", "json"]),
        alice.well(&["get", "secrets", "-o", "json"]),
        alice.well(&["get", "secrets", "-A", "-o", "yaml"]),
        alice.well(&["get", "--raw", raw]),
        alice.well(&["get", "--raw", "/api/v1/secrets"]),
        alice.well(&["describe", "secret", "bot-token"]),
        alice.well(&["label", "secret", "bot-token", "a=b", "-o", "json"]),
        alice.well(&["get", "csr", "someone", "-o", "yaml"]),
        alice.well(&["get", "csr", "-o", "json"]),
        alice.well(&["delete", "secret", "bot-token", "--wait=false", "-o", "name"]),
    ];
    for text in &shown {
        shows_none(text);
    }
    let decoded = |text: &str| {
        let data: Value = serde_json::from_str(text).unwrap();
        let item = |at: usize, name: &str| {
            let value = data["items"][at]["data"][name].as_str().unwrap().to_owned();
            String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
        };
        [item(0, "token"), item(0, "ca.crt"), item(1, "token"), item(2, "token-id"), item(2, "token-secret")]
    };
    assert_eq!(decoded(&shown[2]), [INSTEAD, "ca", "of somebody's own", "abcdef", INSTEAD]);
    assert!(shown[6].contains(INSTEAD), "{}", shown[6]);
    let table = alice.well(&["get", "secrets"]);
    assert!(table.contains("bot-token") && table.contains("kubernetes.io/service-account-token"), "{table}");
    assert!(alice.well(&["get", "csr"]).contains("someone"));
    // What stands instead is not written over the real one.
    fs::write(gate.folder.path().join("again.yaml"), &shown[0]).unwrap();
    let refused = alice.badly(&["replace", "--validate=false", "-f", "again.yaml"]);
    assert!(refused.contains("would be written over the real one"), "{refused}");
    assert!(!stub.arrived().iter().any(|one| one["method"] == "PUT"), "it never arrives");
    // What cannot be read goes nowhere.
    let refused = alice.badly(&["get", "secret", "odd"]);
    assert!(refused.contains("secrets \"odd\" is forbidden: the answer may hold a credential"), "{refused}");
    shows_none(&refused);
    eventually("the reason is in evidence", || ends(&gate).iter().any(|end| end.contains("answer_withheld")));
    let metrics = gate.admin_page("/metrics").1;
    assert!(metrics.contains("ordain_custody_leaks_total 1"), "{metrics}");
    let missing = alice.badly(&["get", "secret", "none"]);
    assert!(missing.contains("NotFound"), "the server's own refusal passes: {missing}");
    shows_none(&gate.log());
    gate.finish();
}

#[test]
fn no_form_and_no_path_shows_a_credential_of_the_cluster() {
    let Some((python, _)) = tools() else { return };
    let stub = Stub::start(&python);
    for mode in ["enforce", "shadow"] {
        let gate = gate(stub.upstream(""), mode);
        let token = gate.bearer("prod", "alice", "person");
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        for accept in [
            "application/vnd.kubernetes.protobuf",
            "application/vnd.kubernetes.protobuf,application/json",
            "application/cbor",
            "application/yaml",
            "*/*",
            table,
        ] {
            for path in
                ["/api/v1/secrets", "/api/v1/namespaces/default/secrets/bot-token?includeObject=Object"]
            {
                let accept = format!("accept: {accept}\r\naccept-encoding: gzip\r\n");
                let answer = reply(&gate, &token, &format!("GET {path}"), &accept, "");
                assert_eq!(answer.status, 200, "{accept}: {}", answer.text());
                assert!(answer.header("content-type").unwrap().starts_with("application/json"), "{accept}");
                shows_none(&answer.text());
                assert!(answer.text().contains("Y2E="), "{}", answer.text());
                assert_eq!(accept.contains("Table"), answer.text().contains("\"rows\""), "{}", answer.text());
            }
        }
        for path in [
            "/api/v1/secrets?watch=1",
            "/api/v1/watch/secrets",
            "/api/v1/watch/namespaces/default/secrets",
            "/api/v1/namespaces/default/secrets?watch=true",
        ] {
            let stream = asked(&gate, &token, &format!("GET {path}"), "", "");
            let events: Vec<String> = BufReader::new(stream)
                .lines()
                .map(Result::unwrap)
                .filter(|line| line.starts_with('{'))
                .take(4)
                .collect();
            assert!(events.iter().all(|event| serde_json::from_str::<Value>(event).is_ok()), "{events:?}");
            shows_none(&events.concat());
        }
        // An event that cannot be read ends the watch, as the server ends one.
        let selected = "GET /api/v1/secrets?watch=1&labelSelector=odd";
        let ended = reply(&gate, &token, selected, "", "");
        let last: Value = serde_json::from_str(ended.text().trim_end().lines().last().unwrap()).unwrap();
        assert_eq!((&last["type"], &last["object"]["code"]), (&"ERROR".into(), &403.into()), "{last}");
        shows_none(&ended.text());
        gate.finish();
    }
}

#[test]
fn a_request_that_cannot_be_read_gets_no_credential_in_shadow() {
    let Some((python, _)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "shadow");
    let token = gate.bearer("prod", "alice", "person");
    let json = "content-type: application/json\r\n";
    let twice = "{\"metadata\":{},\"metadata\":{}}";
    let patch = "content-type: application/merge-patch+json\r\n";
    let patched = reply(&gate, &token, "PATCH /api/v1/namespaces/default/secrets/bot-token", patch, twice);
    assert_eq!(patched.status, 200, "shadow lets pass what it cannot read: {}", patched.text());
    shows_none(&patched.text());
    // A token that was moved would stand where nothing tells that it is one.
    let list = "content-type: application/json-patch+json\r\n";
    for moved in [
        "[{\"op\":\"move\",\"from\":\"/data/token\",\"path\":\"/metadata/annotations/a\"}]",
        "[{\"op\":\"add\",\"op\":\"copy\",\"from\":\"/data/token\",\"path\":\"/data/mine\"}]",
    ] {
        let refused = reply(&gate, &token, "PATCH /api/v1/namespaces/default/secrets/moved", list, moved);
        assert_eq!((refused.status, refused.reason()), (400, "withheld_value"), "{}", refused.text());
    }
    let minted = "POST /api/v1/namespaces/default/serviceaccounts/bot/token";
    let refused = reply(&gate, &token, minted, json, twice);
    assert_eq!((refused.status, refused.reason()), (400, "custody_leak"), "{}", refused.text());
    // A token by which a machine joins the cluster is its sender's, who would need no gate any more.
    let bootstrap =
        "{\"metadata\":{\"name\":\"bootstrap-token-a\"},\"type\":\"bootstrap.kubernetes.io/token\"}";
    let refused = reply(&gate, &token, "POST /api/v1/namespaces/kube-system/secrets", json, bootstrap);
    assert_eq!((refused.status, refused.reason()), (403, "custody_leak"), "{}", refused.text());
    // A secret that the cluster puts a token into tells nothing yet.
    let minting = "{\"metadata\":{\"name\":\"t\",\"annotations\":{\"kubernetes.io/service-account.name\":\"bot\"}},\
                   \"type\":\"kubernetes.io/service-account-token\"}";
    let made = reply(&gate, &token, "POST /api/v1/namespaces/default/secrets", json, minting);
    assert_eq!(made.status, 201, "{}", made.text());
    let arrived = stub.arrived();
    let reached = |word: &str| arrived.iter().any(|one| one["target"].as_str().unwrap().contains(word));
    assert!(
        !reached("secrets/moved")
            && !reached("/token")
            && !reached("kube-system/secrets")
            && reached("default/secrets")
    );
    gate.finish();
}

#[test]
fn a_watch_of_secrets_ends_with_its_actor_and_leaves_nothing_behind() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let mut watch = alice
        .command(&["get", "secrets", "--watch-only", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut seen = String::new();
    while !seen.contains("of somebody's own") && !seen.contains("b2Ygc29tZWJvZHk") {
        seen.push_str(&lines.next().unwrap().unwrap());
    }
    shows_none(&seen);
    // It is in evidence while it goes on: that it began is how it ended.
    eventually("its decision is closed", || ends(&gate).iter().any(|end| end.contains("200")));
    let revoked = gate.run(&["actor", "revoke", "alice", "--kind", "person"]);
    assert!(revoked.status.success(), "{}", said(&revoked));
    eventually("the watch is cut", || watch.try_wait().unwrap().is_some());
    gate.finish();
}
