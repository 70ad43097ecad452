//! Programs that hold no credential: `ordain run`, under a key that ends with the program, and `ordain credentials`,
//! which a client asks for one when it needs it.
//!
//! Leaves out what the program's calls are judged by.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::harness::{Gate, Setup, eventually, said};
use crate::planes::aws::clients::{before_moto, needed};

/// The arguments of a run of a shell's words by the agent `robot`.
fn shell(words: &str) -> Vec<&str> {
    vec!["run", "--actor", "robot", "--on-behalf-of", "person:alice", "--", "sh", "-c", words]
}

/// How many keys there are for runs, by state.
fn keys(gate: &Gate, state: &str) -> usize {
    let listed = gate.run(&["-o", "json", "key", "list"]);
    let all: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let of_runs = all.iter().filter(|key| key["on_behalf_of"] == serde_json::json!(["person:alice"]));
    of_runs.filter(|key| key["state"].as_str().unwrap().starts_with(state)).count()
}

#[test]
fn a_program_ends_as_it_ends_and_its_key_with_it() {
    let gate = Gate::start(Setup::default());
    for (words, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143)] {
        let ran = gate.run(&shell(words));
        assert_eq!(ran.status.code(), Some(code), "`{words}`: {}", said(&ran));
    }
    let absent =
        gate.run(&["run", "--actor", "robot", "--on-behalf-of", "person:alice", "--", "/no/such/program"]);
    assert_eq!(absent.status.code(), Some(2));
    assert!(said(&absent).contains("cannot run `/no/such/program`"), "{}", said(&absent));
    // A key pair, and a token for what the run waits for.
    assert_eq!((keys(&gate, "revoked"), keys(&gate, "valid")), (10, 0));
    let recorded: Vec<String> = gate
        .ledger()
        .refresh()
        .iter()
        .map(|entry| entry.says.to_string())
        .filter(|entry| entry.contains("for a run of agent robot") || entry.contains("at the end of its run"))
        .collect();
    assert_eq!(recorded.len(), 20, "{recorded:?}");
    gate.finish();
}

#[test]
fn what_a_program_is_given_leads_through_the_gate_and_nowhere_else() {
    let gate = Gate::start(Setup::default());
    let sealing = std::fs::read_to_string(gate.folder.path().join("state/sealing.key")).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_ordain"))
        .arg("--config")
        .arg(gate.folder.path().join("gate.toml"))
        .args(shell("env"))
        .env("AWS_PROFILE", "prod")
        .env("AWS_SESSION_TOKEN", "real")
        .env("AWS_ENDPOINT_URL_S3", "http://elsewhere")
        .env("OF_ITS_OWN", "kept")
        .env("ORDAIN_SEALING_KEY", sealing.trim())
        .output()
        .unwrap();
    let text = said(&ran);
    assert!(text.contains(&format!("AWS_ENDPOINT_URL=http://{}\n", gate.address)), "{text}");
    assert!(text.contains("AWS_ACCESS_KEY_ID=AKOR") && text.contains("OF_ITS_OWN=kept"), "{text}");
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "ORDAIN_SEALING_KEY"] {
        assert!(!text.contains(name), "`{name}` in: {text}");
    }
    gate.finish();
}

#[test]
fn a_run_needs_a_gate_and_somebody_it_is_for() {
    let mut gate = Gate::start(Setup::default());
    let person = gate.run(&["run", "--actor", "alice", "--kind", "person", "--", "true"]);
    assert_eq!(person.status.code(), Some(2));
    assert!(said(&person).contains("is an `agent` or a `pipeline`"), "{}", said(&person));
    // There are two people, and the system knows neither.
    let whose = gate.run(&["run", "--actor", "robot", "--", "true"]);
    assert_eq!(whose.status.code(), Some(2));
    assert!(said(&whose).contains("say `--on-behalf-of person:NAME`"), "{}", said(&whose));
    assert!(gate.stop());
    let alone = gate.run(&shell("exit 0"));
    assert_eq!(alone.status.code(), Some(2));
    assert!(said(&alone).contains("no gate answers here"), "{}", said(&alone));
    gate.finish();
}

/// A run that goes on until it is told to stop, once it has begun.
fn begun(gate: &Gate, words: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ordain"))
        .arg("--config")
        .arg(gate.folder.path().join("gate.toml"))
        .args(shell(words))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    child
}

#[test]
fn what_asks_a_run_to_end_asks_its_program() {
    let gate = Gate::start(Setup::default());
    let mut child = begun(&gate, "trap 'exit 5' TERM; echo begun; while :; do sleep 0.1; done");
    assert_eq!(keys(&gate, "valid until"), 2);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!((keys(&gate, "revoked"), keys(&gate, "valid")), (2, 0));
    // One that is killed revokes nothing; its key ends by itself.
    let mut child = begun(&gate, "echo begun; exec sleep 2");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(keys(&gate, "valid until"), 2);
    gate.finish();
}

/// A real client that holds no credential of its own, and ignores an endpoint variable for this service.
#[test]
fn a_client_without_a_credential_is_judged_as_the_agent_it_runs_for() {
    let listen = "egress = \"127.0.0.1:0\"\n".to_owned();
    let gate = before_moto(Setup { listen, ..Setup::default() });
    let aws = needed("ORDAIN_TEST_AWS");
    let command = format!(
        "AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1 {aws} sqs create-queue --queue-name of-a-run"
    );
    let ran = gate.run(&shell(&command));
    let mut ledger = gate.ledger();
    let decision = ledger.refresh().iter().rfind(|entry| entry.is_decision()).expect("it was judged").clone();
    assert!(decision.says.to_string().contains("CreateQueue"), "{}", decision.says);
    let actor = decision.says["content"].to_string();
    assert!(actor.contains("robot") && actor.contains("alice"), "for whom it acts is in evidence: {actor}");
    assert!(said(&ran).contains("QueueUrl"), "what its owner may do is done: {}", said(&ran));
    eventually("its keys are over", || keys(&gate, "revoked") == 2);
    // It can do no more than the one it acts for.
    let other = ["run", "--actor", "robot", "--on-behalf-of", "person:mallory", "--", "sh", "-c", &command];
    let denied = gate.run(&other);
    assert!(!denied.status.success() && said(&denied).contains("explicit deny"), "{}", said(&denied));
    gate.finish();
}

/// An unmodified program whose configuration asks the gate for its credential.
#[test]
fn a_program_asks_for_its_credential_when_it_needs_one() {
    let gate = before_moto(Setup::default());
    let folder = gate.folder.path();
    let asks = |arguments: &str| {
        format!(
            "{} --config {} credentials {arguments}",
            env!("CARGO_BIN_EXE_ordain"),
            folder.join("gate.toml").display()
        )
    };
    let config = format!(
        "[default]\nregion = us-east-1\nendpoint_url = http://{}\ncredential_process = {}\n",
        gate.address,
        asks("--actor robot --kind agent --on-behalf-of person:alice")
    );
    std::fs::write(folder.join("aws"), config).unwrap();
    let script = "import boto3; c = boto3.client('sqs'); print(c.create_queue(QueueName='asked-for')['QueueUrl']); print(len(boto3.client('ec2').describe_instances()['Reservations']))";
    for _ in 0..2 {
        let ran = Command::new(needed("ORDAIN_TEST_PYTHON"))
            .args(["-c", script])
            .env_clear()
            .env("HOME", folder)
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_CONFIG_FILE", folder.join("aws"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .unwrap();
        assert!(ran.status.success() && said(&ran).contains("asked-for"), "{}", said(&ran));
    }
    assert_eq!(keys(&gate, "valid until"), 1, "the second time the same key is given");
    let printed = gate.run(&[
        "credentials",
        "--actor",
        "robot",
        "--kind",
        "agent",
        "--on-behalf-of",
        "person:alice",
        "--expires-in-hours",
        "2",
    ]);
    let printed: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["Version"], 1);
    let expires: jiff::Timestamp = printed["Expiration"].as_str().unwrap().parse().unwrap();
    let left = expires.duration_since(crate::harness::now()).as_mins();
    assert!((20..=120).contains(&left), "{left} minutes are left");
    let other = gate.run(&["credentials", "--actor", "robot", "--kind", "agent"]);
    assert!(other.status.success(), "{}", said(&other));
    let other: serde_json::Value = serde_json::from_slice(&other.stdout).unwrap();
    assert_ne!(other["AccessKeyId"], printed["AccessKeyId"], "who acts for nobody has a key of its own");
    gate.finish();
}
