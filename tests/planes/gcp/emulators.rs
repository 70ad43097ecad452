//! Google's own clients and Google's own emulators, with the gate between them: over gRPC (Pub/Sub, Spanner, Bigtable)
//! and over REST (Pub/Sub), by the egress gateway.
//!
//! Leaves out how a call is read (the room's own cases). Where Google's SDK is not installed they are skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Gate, Setup, installed, said, skipped};
use crate::planes::served::{self, Server};

/// An emulator; none where it is not installed.
fn emulator(what: &str) -> Option<Server> {
    let sdk = installed("ORDAIN_TEST_GCLOUD")?;
    let start = |program: &Path, arguments: &dyn Fn(&str) -> Vec<String>| {
        let there = program.exists() || program.is_relative();
        let missing = || skipped(&format!("Google's emulator of {what}"));
        let started = there.then(|| {
            Server::start_within(std::time::Duration::from_secs(60), |port, _| {
                let mut command = Command::new(program);
                command.args(arguments(port));
                command
            })
        });
        started.or_else(missing)
    };
    match what {
        "spanner" => start(&sdk.join("bin/cloud_spanner_emulator/emulator_main"), &|port| {
            vec![format!("--host_port=127.0.0.1:{port}")]
        }),
        "bigtable" => start(&sdk.join("platform/bigtable-emulator/cbtemulator"), &|port| {
            ["-host", "127.0.0.1", "-port", port].map(str::to_owned).to_vec()
        }),
        _ => {
            let folder = std::fs::read_dir(sdk.join("platform/pubsub-emulator/lib")).ok()?;
            let mut files = folder.map(|file| file.unwrap().path());
            let program = files.find(|file| file.to_string_lossy().ends_with("-all.jar"))?;
            start(Path::new("java"), &|port| {
                vec![
                    "-jar".to_owned(),
                    program.display().to_string(),
                    "--host=127.0.0.1".to_owned(),
                    format!("--port={port}"),
                ]
            })
        }
    }
}

fn script(python: &Path, what: &str, day: &str, place: &str) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/gcp/emulator.py");
    let mut command = Command::new("timeout");
    command.arg("90").arg(python).arg("-W").arg("ignore").arg(path).args([what, day, place]);
    command.stdin(Stdio::null());
    command
}

fn lines(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn through(python: &Path, gate: &Gate, actor: &str, (what, day): (&str, &str)) -> String {
    let trust: PathBuf = gate.folder.path().join("state/ca-bundle.pem");
    let proxy = format!("http://{}", gate.egress());
    let mut command = script(python, what, day, "-");
    command.env("TOKEN", gate.bearer("served", actor, "person"));
    command.env("https_proxy", proxy).env_remove("no_proxy");
    command.env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &trust).env("HTTPLIB2_CA_CERTS", &trust);
    lines(&mut command)
}

/// What was denied never arrived: the day after it would be another.
fn check(what: &str, least_changes: usize) {
    let (Some(python), Some(alone)) = (served::python(), emulator(what)) else { return };
    let direct = lines(&mut script(&python, what, "day", &alone.address));
    assert!(direct.lines().count() > least_changes, "{direct}");
    let behind = emulator(what).unwrap();
    let listen = "egress = \"127.0.0.1:0\"\n".to_owned();
    let setup = Setup { mode: "enforce", listen, ..Setup::default() };
    let base = format!("http://{}", behind.address);
    let gate = served::gate_with(setup, "gcp", &base, "{ token_file = {token} }");
    let denied = through(&python, &gate, "carol", (what, "denied"));
    assert!(denied.lines().count() >= least_changes, "{denied}");
    for line in denied.lines() {
        let refusal = ["PermissionDenied ", "Forbidden ", "HttpError 403 "];
        assert!(refusal.iter().any(|word| line.contains(word)) && line.contains("carol"), "{denied}");
    }
    assert_eq!(through(&python, &gate, "alice", (what, "day")), direct, "{}", gate.log());
    gate.finish();
}

#[test]
fn a_day_of_pubsub_over_grpc_is_the_same_through_the_gate() {
    check("pubsub", 8);
}

#[test]
fn a_day_of_pubsub_over_rest_is_the_same_through_the_gate() {
    check("rest", 5);
}

#[test]
fn a_day_of_spanner_is_the_same_through_the_gate() {
    check("spanner", 7);
}

#[test]
fn a_day_of_bigtable_is_the_same_through_the_gate() {
    check("bigtable", 7);
}
