//! Google's own clients over gRPC, as they are, through the egress gateway: what they do comes out as without us, and what
//! the model does not permit never arrives.
//!
//! Behind the gate is a stub (`rpc.py`), which is none of Google's. Leaves out how a call is read (the room's own cases).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Gate, Setup, said};
use crate::planes::served::{self, REAL, Server};

fn script(python: &Path) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/gcp/rpc.py");
    let mut command = Command::new("timeout");
    command.arg("90").arg(python).arg(path).stdin(Stdio::null());
    command
}

/// The stub, and a gate in front of it.
fn start(python: &Path, mode: &'static str) -> (Server, Gate) {
    let stub = Server::start(|port, _| {
        let mut command = script(python);
        command.args(["serve", port]);
        command
    });
    let listen = "egress = \"127.0.0.1:0\"\n".to_owned();
    let setup = Setup { mode, listen, ..Setup::default() };
    let base = format!("http://{}", stub.address);
    let gate = served::gate_with(setup, "gcp", &base, "{ token_file = {token} }");
    (stub, gate)
}

/// What the clients say of a call that goes through the gate.
fn through(python: &Path, gate: &Gate, token: &str, call: &str) -> String {
    let trust: PathBuf = gate.folder.path().join("state/ca-bundle.pem");
    let proxy = format!("http://{}", gate.egress());
    let mut command = script(python);
    command.args([call, "-"]).env("TOKEN", token).env("https_proxy", proxy).env_remove("no_proxy");
    let output = command.env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", trust).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn google_s_clients_over_grpc_do_what_they_do_without_us_or_are_refused() {
    let Some(python) = served::python() else { return };
    let (stub, gate) = start(&python, "enforce");
    let direct = script(&python).args(["flow", &stub.address]).output().unwrap();
    let direct = String::from_utf8(direct.stdout).unwrap();
    assert!(
        direct.contains("pulled projects/acme/subscriptions/s") && direct.contains("NotFound"),
        "{direct}"
    );
    let before = stub.log().lines().filter(|line| line.starts_with("arrived")).count();
    let alice = gate.bearer("served", "alice", "person");
    assert_eq!(through(&python, &gate, &alice, "flow"), direct, "{}", gate.log());
    let arrived: Vec<String> =
        stub.log().lines().filter(|line| line.starts_with("arrived")).map(str::to_owned).collect();
    // Each with the real credential, and none of ours.
    assert_eq!(arrived.len(), 2 * before);
    assert!(arrived.iter().skip(before).all(|line| line.ends_with(&format!("Bearer {REAL}"))), "{arrived:?}");
    // One of another team, who may read and no more.
    let carol = gate.bearer("served", "carol", "person");
    assert_eq!(through(&python, &gate, &carol, "listed"), "topics []\n");
    let arrived = arrived.len() + 1;
    for (call, names) in [
        ("create", "pubsub.projects.topics.create //pubsub.googleapis.com/projects/acme/topics/orders"),
        ("delete", "pubsub.projects.topics.delete //pubsub.googleapis.com/projects/acme/topics/orders"),
        ("grant", "pubsub.projects.topics.setIamPolicy //pubsub.googleapis.com/projects/acme/topics/orders"),
        ("publish", "pubsub.projects.topics.publish"),
        ("pull", "pubsub.Subscriber.StreamingPull //cloudresourcemanager.googleapis.com/organizations/acme"),
        ("read_out", "secretmanager.projects.secrets.versions.access"),
    ] {
        let denied = through(&python, &gate, &carol, call);
        assert!(denied.starts_with("PermissionDenied") && denied.contains(names), "{call}: {denied}");
    }
    let log = stub.log();
    assert_eq!(log.lines().filter(|line| line.starts_with("arrived")).count(), arrived, "{log}");
    gate.finish();
}
