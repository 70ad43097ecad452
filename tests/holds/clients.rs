//! What clients that others wrote make of a hold: one try, its name and what to do in what they say, and a second run that
//! succeeds, once.
//!
//! Leaves out what is approved (`mod.rs`). What is not to be had here is skipped: Terraform with its provider.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Desk, RULES};
use crate::harness::{said, skipped, variable};
use crate::planes::aws::clients::{needed, run};
use crate::planes::kubernetes::cluster::{Kubectl, MODEL, REAL, Stub, tools};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/holds").join(name)
}

/// Runs an SDK twice: what waits is tried once and told, and what was approved is done.
fn check(client: impl Fn(&str) -> Command) {
    let desk = Desk::new("", None);
    let key = desk.gate.key("alice").clone();
    let ask = || -> Value {
        let said = run(&mut client(&format!("http://{}", desk.gate.address)), &key.id, &key.secret);
        serde_json::from_str(said.trim()).unwrap_or_else(|error| panic!("{error}: {said}"))
    };
    let held = ask();
    assert_eq!((&held["status"], &held["attempts"]), (&403.into(), &1.into()), "{held}");
    assert_eq!(held["code"], "UnauthorizedOperation", "{held}");
    let id = held["hold"].as_str().expect("the hold's name is a header");
    let message = held["message"].as_str().unwrap();
    assert!(message.contains(&format!("ordain hold wait {id}")), "{message}");
    assert_eq!(desk.arrived("TerminateInstances"), 0);
    desk.approve(id, "olivia");
    let done = ask();
    assert_eq!((&done["status"], &done["attempts"]), (&200.into(), &1.into()), "{done}");
    assert_eq!(desk.arrived("TerminateInstances"), 1);
    desk.gate.finish();
}

#[test]
fn boto3_is_told_once_and_succeeds_when_it_is_run_again() {
    check(|endpoint| {
        let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
        command.arg(script("held.py")).arg(endpoint);
        command
    });
}

#[test]
fn the_javascript_sdk_is_told_once_and_succeeds_when_it_is_run_again() {
    check(|endpoint| {
        let mut command = Command::new("node");
        command.arg(script("held.mjs")).arg(endpoint);
        command
    });
}

/// Go: its client library, as kubectl uses it.
#[test]
fn kubectl_is_told_once_and_succeeds_when_it_is_run_again() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let desk = Desk::started("", "", RULES, |setup| {
        setup.upstream = stub.upstream("");
        setup.secrets = vec![REAL];
        setup.listen = "egress = \"127.0.0.1:0\"\n".to_owned();
        setup.model.push(("cluster.yaml", MODEL.to_owned()));
    });
    let alice = Kubectl::of(&desk.gate, &kubectl, "alice", "person");
    let deletes = || stub.arrived().iter().filter(|one| one["method"] == "DELETE").count();
    let told = alice.badly(&["delete", "pod", "web", "--wait=false"]);
    assert!(told.contains("Error from server (Forbidden)"), "{told}");
    let (_, rest) = told.split_once("ordain hold wait ").unwrap_or_else(|| panic!("{told}"));
    let id = rest.split('`').next().unwrap();
    assert_eq!(deletes(), 0);
    desk.approve(id, "olivia");
    alice.well(&["delete", "pod", "web", "--wait=false"]);
    assert_eq!(deletes(), 1);
    let again = alice.badly(&["delete", "pod", "web", "--wait=false"]);
    assert!(!again.contains(id), "{again}");
    desk.gate.finish();
}

/// Go: the AWS SDK, as Terraform's provider uses it. What waits is one resource's error, and the next run makes it.
#[test]
fn serial_terraform_is_told_once_and_makes_it_when_it_is_run_again() {
    let (Some(program), Some(plugins)) =
        (variable("ORDAIN_TEST_TERRAFORM"), variable("ORDAIN_TEST_TERRAFORM_PLUGINS"))
    else {
        return skipped("terraform with its provider for AWS").unwrap_or_default();
    };
    let rule = RULES.replace("Action::\"delete\"", "Action::\"create\"");
    let desk = Desk::started("", "", &rule, |setup| setup.endpoint = Some(needed("ORDAIN_TEST_MOTO_OPEN")));
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(script("held.tf"), folder.path().join("main.tf")).unwrap();
    std::fs::write(folder.path().join("rc"), "").unwrap();
    let key = desk.gate.key("alice").clone();
    let terraform = |arguments: &[&str]| {
        let output = Command::new("timeout")
            .args(["120", &program])
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", variable("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("TF_CLI_CONFIG_FILE", folder.path().join("rc"))
            .env("TF_CLI_ARGS", "-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_VAR_endpoint", format!("http://{}", desk.gate.address))
            .env("TF_VAR_prefix", format!("held{}", std::process::id()))
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", &key.secret)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .output()
            .expect("terraform starts");
        (output.status.code(), said(&output))
    };
    let (ended, told) = terraform(&["init", "-input=false", &format!("-plugin-dir={plugins}")]);
    assert_eq!(ended, Some(0), "{told}");
    let apply = ["apply", "-input=false", "-auto-approve"];
    let (ended, told) = terraform(&apply);
    assert_eq!(ended, Some(1), "{told}");
    // It breaks lines where it likes.
    let flat: String = told.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    let (_, rest) = flat.split_once("ordain hold wait ").unwrap_or_else(|| panic!("{told}"));
    let id = rest.split('`').next().unwrap();
    let listed = desk.gate.run(&["-o", "json", "hold", "list", "--all"]);
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.len(), 1, "{listed:#?}");
    desk.approve(id, "olivia");
    let (ended, told) = terraform(&apply);
    assert_eq!(ended, Some(0), "{told}");
    assert!(told.contains("Apply complete! Resources: 1 added"), "{told}");
    assert_eq!(desk.state(id), "used");
    let (ended, told) = terraform(&["plan", "-input=false", "-detailed-exitcode"]);
    assert_eq!(ended, Some(0), "nothing is left to do: {told}");
    desk.gate.finish();
}
