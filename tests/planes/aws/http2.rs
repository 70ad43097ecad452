//! HTTP/2 from end to end, and event streams: Kinesis, whose own SDK speaks nothing else, in front of an upstream that does
//! not either.
//!
//! The upstream is a stub, written on Node's HTTP/2 and on the SDK's own signer. Needs what `tests/run` installs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::clients::{needed, run, script};
use crate::harness::{Gate, Sent, Setup, eventually, read_reply, sha256};

/// The stub, and what it said of each request.
struct Kinesis {
    child: Child,
    endpoint: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Kinesis {
    fn start(folder: &Path, real: &(String, String)) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let mut child = Command::new("node")
            .arg(script("kinesis_server.mjs"))
            .args([folder.join("key.pem"), folder.join("ca.pem")])
            .args([&real.0, &real.1])
            .env("ORDAIN_TEST_NODE_MODULES", needed("ORDAIN_TEST_NODE_MODULES"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().expect("the stub says its port").unwrap();
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&said);
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| heard.lock().unwrap().push(line)));
        Self { child, endpoint: format!("https://127.0.0.1:{port}"), said }
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Kinesis {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn asked_by(gate: &Gate, actor: &str) -> String {
    let key = gate.key(actor).clone();
    let mut command = Command::new("node");
    command
        .arg(script("kinesis.mjs"))
        .arg(format!("http://{}", gate.address))
        .env("ORDAIN_TEST_NODE_MODULES", needed("ORDAIN_TEST_NODE_MODULES"));
    run(&mut command, &key.id, &key.secret)
}

/// A gate in front of the stub.
fn gate(folder: &Path) -> (Kinesis, Gate) {
    let setup = Setup::default();
    let kinesis = Kinesis::start(folder, &setup.real);
    let trusted = folder.join("ca.pem").display().to_string();
    let endpoint = Some(kinesis.endpoint.clone());
    let gate = Gate::start(Setup { endpoint, environment: vec![("SSL_CERT_FILE", trusted)], ..setup });
    (kinesis, gate)
}

#[test]
fn an_sdk_that_speaks_http2_reaches_an_upstream_that_speaks_only_that_and_reads_its_events_as_they_come() {
    let folder = tempfile::tempdir().unwrap();
    let (kinesis, gate) = gate(folder.path());
    let records = "record 1: record 1\nrecord 2: record 2\nrecord 3: record 3\n";
    assert_eq!(asked_by(&gate, "alice"), format!("streams clicks\ncreated\n{records}"));
    let mut arrived = vec!["ListStreams signed", "CreateStream signed", "SubscribeToShard signed"];
    // One after each record, without which the next is not sent.
    arrived.extend(["ListStreams signed"; 3]);
    assert_eq!(kinesis.said(), arrived);
    assert_eq!(asked_by(&gate, "mallory"), "AccessDeniedException 403 after 1\n".repeat(3));
    assert_eq!(kinesis.said(), arrived);
    gate.finish();
}

/// Starts what follows both streams, and waits until both have begun.
fn followed(gate: &Gate) -> (Child, Arc<Mutex<Vec<String>>>) {
    let key = gate.key("alice").clone();
    let mut child = Command::new("timeout")
        .args(["60", "node"])
        .arg(script("follow.mjs"))
        .arg(format!("http://{}", gate.address))
        .env("ORDAIN_TEST_NODE_MODULES", needed("ORDAIN_TEST_NODE_MODULES"))
        .env("AWS_ACCESS_KEY_ID", key.id)
        .env("AWS_SECRET_ACCESS_KEY", key.secret)
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&said);
    thread::spawn(move || lines.map_while(Result::ok).for_each(|line| heard.lock().unwrap().push(line)));
    eventually("both have begun", || {
        let said = said.lock().unwrap();
        ["subscription SubscribeToShardEvent", "selection Records"]
            .iter()
            .all(|begun| said.iter().any(|line| line == begun))
    });
    (child, said)
}

/// What the evidence says of the one stream that was a change.
fn outcome(gate: &Gate) -> Option<Value> {
    let mut ledger = gate.ledger();
    ledger.refresh().iter().find(|entry| entry.is_outcome()).map(|entry| entry.says.clone())
}

#[test]
fn event_streams_are_cut_when_their_actor_is_revoked_and_recorded_with_what_passed() {
    let folder = tempfile::tempdir().unwrap();
    let (_kinesis, gate) = gate(folder.path());
    let (mut child, said) = followed(&gate);
    assert_eq!(outcome(&gate), None, "it goes on");
    assert!(gate.run(&["actor", "revoke", "alice"]).status.success());
    assert!(child.wait().unwrap().success());
    let said = said.lock().unwrap().clone();
    for cut in ["subscription was cut", "selection was cut"] {
        assert!(said.iter().any(|line| line == cut), "{said:?}");
    }
    eventually("its end is in evidence", || outcome(&gate).is_some());
    let outcome = outcome(&gate).unwrap();
    assert_eq!(outcome["end"]["streamed"]["ended"], "revoked", "{outcome}");
    assert!(outcome["end"]["streamed"]["received"].as_u64().unwrap() > 100, "{outcome}");
    gate.finish();
}

#[test]
fn a_gate_that_stops_ends_what_has_no_end_and_waits_for_what_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_kinesis, mut gate) = gate(folder.path());
    let (mut child, said) = followed(&gate);
    assert!(gate.stop(), "the program ended badly");
    assert!(child.wait().unwrap().success());
    let said = said.lock().unwrap().clone();
    for end in ["subscription was cut", "selection ended"] {
        assert!(said.iter().any(|line| line == end), "{said:?}");
    }
    let outcome = outcome(&gate).unwrap();
    assert_eq!(outcome["end"]["streamed"]["ended"], "gate", "{outcome}");
    gate.finish();
}

#[test]
fn an_upload_that_is_not_what_was_signed_is_its_callers_fault_over_http2_too() {
    let folder = tempfile::tempdir().unwrap();
    let (kinesis, gate) = gate(folder.path());
    let client = gate.client("alice");
    let sent = Sent::s3("PUT", "/lake/clicks.csv", b"another");
    let (head, body) = client.bytes_for(&sent, 7, Some(&sha256(b"what was")));
    let mut stream = client.connect().unwrap();
    stream.write_all(&head).unwrap();
    stream.write_all(&body).unwrap();
    let reply = read_reply(&mut stream, false).unwrap();
    assert_eq!(reply.status, 400, "{}", reply.text());
    eventually("its end is in evidence", || outcome(&gate).is_some());
    let outcome = outcome(&gate).unwrap();
    assert_eq!(outcome["end"]["unknown"], "payload_broken_off", "{outcome}");
    assert_eq!(kinesis.said(), Vec::<String>::new(), "it never came whole");
    gate.finish();
}
