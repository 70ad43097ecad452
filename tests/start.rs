//! The first start of all, how long a start takes, and what doctor finds before and after one.
//!
//! Leaves out what the gate does once it serves.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Answer, Client, Gate, Key, Sent, Setup, a_change, eventually, said};

/// The program with nothing of this machine's around it, and a home folder of its own.
fn program(home: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordain"));
    command.env_clear().env("HOME", home).env("USER", "me").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("ORDAIN_LISTEN_DATA", "127.0.0.1:0").env("ORDAIN_LISTEN_ADMIN", "127.0.0.1:0");
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap_or_else(|_| panic!("`{}` is there", path.display())).permissions().mode()
        & 0o777
}

#[test]
fn without_any_configuration_it_serves_and_says_what_to_paste() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let started = Instant::now();
    let mut child = program(home.path(), &[])
        .arg("serve")
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .expect("the program starts");
    let text = || std::fs::read_to_string(&log).unwrap();
    eventually("it serves", || text().contains("serving"));
    eprintln!("a first start without credentials took {} ms", started.elapsed().as_millis());
    let state = home.path().join(".local/state/ordain");
    assert_eq!(mode(&state), 0o700);
    for secret in ["admin.token", "sealing.key", "token.key", "keys.jsonl", "ledger/signing.key"] {
        assert_eq!(mode(&state.join(secret)), 0o600, "{secret}");
    }
    for line in [
        "in shadow mode",
        "not served yet: upstream `default` has no credential: ",
        "; sign in, or configure its `credentials`",
        "no model yet",
        "first key AKOR",
        "  eval \"$(ordain env)\"\n  aws sts get-caller-identity\n",
    ] {
        assert!(text().contains(line), "`{line}` in: {}", text());
    }
    assert!(!text().contains("WARN"), "{}", text());
    let around = [("AWS_ENDPOINT_URL_S3", "http://elsewhere"), ("AWS_ENDPOINT_URL_;id", "http://elsewhere")];
    let set = said(&program(home.path(), &around).arg("env").output().unwrap());
    assert!(set.contains(" AWS_ENDPOINT_URL_S3\n") && !set.contains(";id"), "{set}");
    let value = |name: &str| {
        let rest =
            set.split(&format!("export {name}='")).nth(1).unwrap_or_else(|| panic!("`{name}` in: {set}"));
        rest.split('\'').next().unwrap().to_owned()
    };
    let served = text().split("data=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let key = Key { id: value("AWS_ACCESS_KEY_ID"), secret: value("AWS_SECRET_ACCESS_KEY") };
    let asked = Instant::now();
    let reply = Client::new(served, &key).send(&Sent::ec2("DescribeInstances"));
    assert_eq!((reply.status, reply.reason()), (403, "unknown_upstream"), "{}", reply.text());
    assert!(asked.elapsed() < Duration::from_secs(5), "nothing hangs");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success(), "{}", text());
}

#[test]
fn an_upstream_that_cannot_be_reached_keeps_nothing_waiting() {
    let gate = Gate::start(Setup { endpoint: Some("http://127.0.0.1:9".to_owned()), ..Setup::default() });
    let reply = gate.client("alice").send(&a_change(1));
    assert_eq!((reply.status, reply.reason()), (403, "unknown_upstream"), "{}", reply.text());
    assert!(
        gate.log().contains("not served yet: the account of upstream `default` cannot be verified"),
        "{}",
        gate.log()
    );
    let (status, text) = gate.admin_page("/readyz");
    assert_eq!((status, text.as_str()), (503, "no upstream is verified yet: default\n"));
    assert_eq!(gate.admin_page("/readyz/changes").0, 503);
    assert_eq!(gate.admin_page("/healthz").0, 200);
    gate.finish();
}

#[test]
fn serial_a_start_with_a_ledger_takes_little() {
    let mut gate = Gate::start(Setup::default());
    let client = gate.client("alice");
    let mut stream = client.connect().unwrap();
    for number in 0..300 {
        assert_eq!(client.send_on(&mut stream, &a_change(number)).unwrap().status, 200);
    }
    drop(stream);
    let mut took = Vec::new();
    for _ in 0..5 {
        assert!(gate.stop());
        let started = Instant::now();
        gate.restart();
        took.push(started.elapsed().as_millis());
    }
    took.sort_unstable();
    let mut ledger = gate.ledger();
    let mut starts = ledger.refresh().iter().filter(|entry| entry.text("what") == "started");
    let summary = starts.next_back().unwrap().text("summary").to_owned();
    assert!(summary.contains("in enforce mode, configuration "), "{summary}");
    eprintln!("from exec to serving, with {} entries: {took:?} ms", gate.ledger().refresh().len());
    // A build without optimisation on a machine that is busy with other tests.
    assert!(took[2] < 5_000, "{took:?}");
    gate.finish();
}

/// What doctor finds, by what it looked at.
fn doctor(output: &std::process::Output) -> BTreeMap<String, (bool, String)> {
    let found: Vec<serde_json::Value> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)));
    let text = |one: &serde_json::Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    found.iter().map(|one| (text(one, "what"), (one["ok"] == true, text(one, "detail")))).collect()
}

#[test]
fn doctor_finds_nothing_wrong_with_a_gate_that_runs() {
    let gate = Gate::start(Setup::default());
    gate.recorder.answer(|_| {
        Answer::With(
            "date",
            crate::harness::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            String::new(),
        )
    });
    std::fs::set_permissions(gate.folder.path().join("real"), std::fs::Permissions::from_mode(0o600))
        .unwrap();
    let found = doctor(&gate.run(&["doctor", "-o", "json"]));
    let wrong: Vec<_> = found.iter().filter(|(_, (ok, _))| !ok).collect();
    assert!(wrong.iter().all(|(what, _)| *what == "descriptors"), "{wrong:?}");
    for what in [
        "state",
        "secrets",
        "keys",
        "ledger",
        "model",
        "listeners",
        "environment",
        "upstream",
        "clock",
        "running",
    ] {
        assert!(found.contains_key(what), "{what} in {found:?}");
    }
    gate.finish();
}

#[test]
fn doctor_finds_what_is_wrong() {
    let mut gate = Gate::start(Setup::default());
    assert_eq!(gate.client("alice").send(&a_change(1)).status, 200);
    gate.recorder.answer(|_| Answer::With("date", "Mon, 23 Nov 2026 21:00:00 GMT".to_owned(), String::new()));
    gate.recorder.is_foreign(&gate.real().0);
    assert!(gate.stop());
    let file = |name: &str| gate.folder.path().join(name);
    std::fs::set_permissions(file("state/keys.jsonl"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(file("model/broken.yaml"), "kind: Nothing\n").unwrap();
    let segment = file("state/ledger/00000000000000000000.segment");
    let whole = std::fs::read(&segment).unwrap();
    let mut altered = whole.clone();
    altered[200] ^= 1;
    std::fs::write(&segment, altered).unwrap();
    let found = gate.run(&["doctor", "-o", "json"]);
    assert_eq!(found.status.code(), Some(1));
    let found = doctor(&found);
    for (what, says) in [
        ("secrets", "keys.jsonl`"),
        ("ledger", "does not verify"),
        ("model", "broken.yaml"),
        ("upstream", "is of account `999999999999` and not `123456789012`"),
        ("clock", "that of upstream `default`, which refuses signatures of another time; set it"),
    ] {
        let (ok, detail) = &found[what];
        assert!(!ok && detail.contains(says), "{what}: {detail}");
    }
    std::fs::write(&segment, whole).unwrap();
    gate.finish();
    let home = tempfile::tempdir().unwrap();
    let nowhere = [("ORDAIN_STATE", "/dev/null/state")];
    let found = doctor(&program(home.path(), &nowhere).args(["doctor", "-o", "json"]).output().unwrap());
    assert!(found["state"].1.contains("`/dev/null` cannot be written"), "{found:?}");
    assert!(std::fs::read_dir(home.path()).unwrap().next().is_none(), "doctor changes nothing");
}
