//! Real clients on moto, which checks their signatures itself: the same flow, directly and through the gate, must
//! come to the same.
//!
//! Needs what `tests/run` starts and installs; without it a test says so and fails, but for Terraform, which is
//! skipped where it is not to be had. Leaves out denials (`denials.rs`).

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Answer, Gate, Setup, skipped, variable};

pub(crate) fn needed(name: &str) -> String {
    variable(name).unwrap_or_else(|| panic!("`{name}` is not set: run these tests with `tests/run`"))
}

pub(super) fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/aws/clients").join(name)
}

/// A gate in front of moto, with moto's own key pair as the real one.
pub(crate) fn before_moto(setup: Setup) -> Gate {
    let key = std::fs::read_to_string(needed("ORDAIN_TEST_MOTO_KEY")).expect("moto's key pair");
    let key: BTreeMap<String, String> = serde_json::from_str(&key).expect("moto's key pair");
    let real = (key["access_key_id"].clone(), key["secret_access_key"].clone());
    let endpoint = setup.endpoint.clone().unwrap_or_else(|| needed("ORDAIN_TEST_MOTO"));
    Gate::start(Setup { endpoint: Some(endpoint), real, ..setup })
}

/// Runs a client with a key pair and nothing of the machine's own set-up; returns what it printed.
pub(crate) fn run(command: &mut Command, id: &str, secret: &str) -> String {
    let mut child = command
        .env("AWS_ACCESS_KEY_ID", id)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    let mut stdout = child.stdout.take().unwrap();
    let reading = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let until = Instant::now() + Duration::from_secs(240);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("the client did not end within 240 s");
        }
        thread::sleep(Duration::from_millis(20));
    }
    reading.join().unwrap().expect("the client prints text")
}

/// Runs a flow directly and through the gate, and compares line by line.
fn check(least_lines: usize, flow: impl Fn(&str, &str) -> Command) {
    check_on(&needed("ORDAIN_TEST_MOTO"), least_lines, flow);
}

fn check_on(moto: &str, least_lines: usize, flow: impl Fn(&str, &str) -> Command) {
    let gate = before_moto(Setup { endpoint: Some(moto.to_owned()), ..Setup::default() });
    let unique = std::process::id();
    let real = gate.real();
    let direct = run(&mut flow(moto, &format!("runa{unique}")), &real.0, &real.1);
    let key = gate.key("alice").clone();
    let through =
        run(&mut flow(&format!("http://{}", gate.address), &format!("runb{unique}")), &key.id, &key.secret);
    assert!(direct.lines().count() >= least_lines, "the flow did not run directly: {direct}");
    // Moto checks no signature in a query: a presigned URL works on AWS and through the gate, not on moto itself.
    let plain = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.contains("presigned")).map(str::to_owned).collect()
    };
    let (direct, compared) = (plain(&direct), plain(&through));
    for (number, (direct, through)) in direct.iter().zip(&compared).enumerate() {
        assert_eq!(through, direct, "line {} differs", number + 1);
    }
    assert_eq!(direct.len(), compared.len());
    for line in through.lines().filter(|line| line.contains("presigned")) {
        assert!(line.contains("[200"), "a presigned URL through the gate: {line}");
    }
    gate.finish();
}

#[test]
fn boto3_does_the_same_through_the_gate() {
    check(75, |endpoint, prefix| {
        let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
        command.arg(script("flow.py")).args([endpoint, prefix]);
        command
    });
}

/// A client that is throttled tries again, and every try is judged and recorded as one of its own.
#[test]
fn boto3_tries_again_where_the_service_asks_it_to() {
    let gate = Gate::start(Setup::default());
    let turn = AtomicUsize::new(0);
    gate.recorder.answer(move |one| match turn.fetch_add(1, Ordering::Relaxed) % 3 {
        2 if one.header("x-amz-target").is_some() => Answer::Body(200, "{}".to_owned()),
        2 => Answer::well(),
        _ => Answer::Body(
            503,
            "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>"
                .to_owned(),
        ),
    });
    let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
    command.arg(script("retry.py")).arg(format!("http://{}", gate.address));
    let key = gate.key("alice").clone();
    let said = run(&mut command, &key.id, &key.secret);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines.iter().all(|line| line.contains("\"status\": 200, \"retries\": 2")), "{said}");
    assert_eq!(gate.recorder.arrived().len(), 9, "three tries each, and none of ours");
    gate.finish();
}

#[test]
fn the_command_line_does_the_same_through_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    check(40, |endpoint, prefix| {
        let mut command = Command::new(script("flow.sh"));
        command.args([endpoint, prefix]).arg(folder.path());
        command
    });
}

#[test]
fn the_javascript_sdk_does_the_same_through_the_gate() {
    check(18, |endpoint, prefix| {
        let mut command = Command::new("node");
        command.arg(script("flow.mjs")).args([endpoint, prefix]);
        command
    });
}

#[test]
fn terraform_does_the_same_through_the_gate_with_an_assumed_role() {
    let (Some(terraform), Some(plugins)) =
        (variable("ORDAIN_TEST_TERRAFORM"), variable("ORDAIN_TEST_TERRAFORM_PLUGINS"))
    else {
        skipped::<()>("terraform with its provider for AWS");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    check_on(&needed("ORDAIN_TEST_MOTO_OPEN"), 7, |endpoint, prefix| {
        let mut command = Command::new(script("terraform.sh"));
        command
            .args([endpoint, prefix])
            .arg(folder.path().join(prefix))
            .arg(&plugins)
            .env("ORDAIN_TEST_TERRAFORM", &terraform);
        command
    });
}

/// The provider knows a key by its real id and the client by the issued one: neither may notice the other.
#[test]
fn boto3_ends_a_key_by_its_issued_id() {
    let gate = before_moto(Setup::default());
    let key = gate.key("alice").clone();
    let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
    let user = format!("issued{}", std::process::id());
    command.arg(script("issued.py")).arg(format!("http://{}", gate.address)).arg(&user);
    let said = run(&mut command, &key.id, &key.secret);
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [made, used, rested, deleted, gone] = lines.as_slice() else { panic!("five steps: {said}") };
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("AKOR"), "{said}");
    assert_eq!(made["listed"], serde_json::json!([[id, "Active"]]), "{said}");
    assert_eq!(used["user"], user, "{said}");
    assert_eq!(rested["listed"], serde_json::json!([[id, "Inactive"]]), "{said}");
    assert_eq!(deleted["listed"], serde_json::json!([]), "{said}");
    assert_eq!(gone["step"], "gone", "{said}");
    gate.finish();
}
