//! A plan of Terraform, imported, approved and carried out by the real Terraform with its provider for AWS, on moto: each of
//! its calls is admitted by an item of the plan, and what is not of it is refused with the value that differs.
//!
//! Skipped where Terraform is not to be had. Leaves out what a plan is read as (`rules/tests/import/changes.rs`, which holds
//! recorded traffic against it).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{changes_model, people};
use crate::harness::{Gate, Setup, now, said, skipped, variable};
use crate::planes::aws::clients::{before_moto, needed};

const SHOP: &str = include_str!("shop/main.tf");

/// What is behind the provider's settings, and is planned beside the shop.
const SMALL: &str = r#"
resource "aws_vpc" "small" { cidr_block = "10.67.0.0/16" }
resource "aws_security_group" "small" {
  name   = "${var.prefix}-small"
  vpc_id = aws_vpc.small.id
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.1.0.0/16"]
  }
}
resource "aws_sqs_queue" "plain" { name = "${var.prefix}-plain" }
resource "aws_sns_topic" "keyless" { name = "${var.prefix}-keyless" }
"#;

/// What somebody wants beside, or otherwise, than was planned, with what has to be said of it.
const TAMPERED: [(&str, &str, &str); 3] = [
    // Another resource.
    (
        "resource \"aws_vpc\"",
        "resource \"aws_sqs_queue\" \"other\" { name = \"${var.prefix}-other\" }\nresource \"aws_vpc\"",
        "-other` was not planned",
    ),
    // A wider network.
    ("10.1.0.0/16", "10.0.0.0/8", "CidrIp=10.0.0.0/8` was not planned: it is `10.1.0.0/16`"),
    // A parameter that the plan has not.
    (
        "name = \"${var.prefix}-keyless\"",
        "\n  name = \"${var.prefix}-keyless\"\n  kms_master_key_id = \"alias/aws/sns\"\n",
        "KmsMasterKeyId",
    ),
];

struct Terraform {
    program: String,
    folder: tempfile::TempDir,
    gate: Gate,
    key: PathBuf,
    prefix: String,
}

impl Terraform {
    fn start() -> Option<Self> {
        let (Some(program), Some(plugins)) =
            (variable("ORDAIN_TEST_TERRAFORM"), variable("ORDAIN_TEST_TERRAFORM_PLUGINS"))
        else {
            return skipped("terraform with its provider for AWS");
        };
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("olivia");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "olivia", "-f"])
            .arg(&key)
            .status();
        assert!(made.expect("OpenSSH is installed").success());
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let reads = "onlyPlanned: true, reads: {accounts: [\"123456789012\"]}";
        let people = people(public.trim()).replace("onlyPlanned: true", reads);
        let mut setup = Setup { endpoint: Some(needed("ORDAIN_TEST_MOTO_OPEN")), ..Setup::default() };
        setup.actors.push(("deploy", "pipeline"));
        setup.model.push(("changes.yaml", people));
        let prefix = format!("shop{}", std::process::id());
        let this = Self { program, folder, gate: before_moto(setup), key, prefix };
        fs::write(this.path("rc"), "").unwrap();
        this.write(SHOP);
        let (ended, told) = this.terraform(&["init", "-input=false", &format!("-plugin-dir={plugins}")]);
        assert_eq!(ended, Some(0), "{told}");
        Some(this)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, text: &str) {
        fs::write(self.path("main.tf"), text).unwrap();
    }

    /// Runs it as the pipeline, through the gate; returns how it ended and all that it said.
    fn terraform(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let key = self.gate.key("deploy");
        let output = Command::new("timeout")
            .args(["200", &self.program])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", variable("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.path("rc"))
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_VAR_endpoint", format!("http://{}", self.gate.address))
            .env("TF_VAR_prefix", &self.prefix)
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", &key.secret)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .output()
            .expect("terraform starts");
        let told =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), told)
    }

    /// Plans, and makes a change of the plan that the owner approves.
    fn plan(&self, name: &str, more: &[&str]) {
        let (ended, told) = self.terraform(&["plan", "-input=false", "-out=plan"]);
        assert_eq!(ended, Some(0), "{told}");
        let shown = Command::new(&self.program)
            .args(["show", "-json", "plan"])
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.path("rc"))
            .output()
            .unwrap();
        fs::write(self.path("plan.json"), shown.stdout).unwrap();
        let plan = self.path("plan.json");
        let mut arguments =
            vec!["change", "import", "terraform", path(&plan), "--name", name, "--why", "the shop's ground"];
        arguments.extend(["--author", "mallory", "--actor", "deploy", "--region", "us-east-1"]);
        arguments.extend(more);
        changes_model(&self.gate, &arguments);
        changes_model(&self.gate, &["change", "approve", name, "--as", "olivia", "--key", path(&self.key)]);
    }

    fn gate_does(&self, arguments: &[&str]) -> String {
        let output = self.gate.run(arguments);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn serial_a_plan_is_carried_out_by_its_own_calls_and_by_no_others() {
    let Some(shop) = Terraform::start() else { return };
    shop.plan("ground", &[]);
    let (ended, told) = shop.terraform(&["apply", "-input=false", "plan"]);
    assert_eq!(ended, Some(0), "{told}");
    assert!(told.contains("Apply complete!"), "{told}");
    let (ended, told) = shop.terraform(&["plan", "-input=false", "-detailed-exitcode"]);
    assert_eq!(ended, Some(0), "nothing is left to do: {told}");
    // Every change that was sent was one of the plan's.
    let listed = shop.gate.run(&["-o", "json", "ledger", "query", "--actor", "deploy", "--most", "1000"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let decisions = listed.as_array().unwrap();
    assert!(decisions.len() > 60, "{} decisions", decisions.len());
    for decision in decisions {
        let decision = &decision["predicate"];
        assert_eq!(
            (decision["ruling"].as_str(), decision["change"]["name"].as_str()),
            (Some("admit"), Some("ground")),
            "{decision:#}"
        );
    }
    let shown = shop.gate_does(&["change", "show", "ground"]);
    assert!(shown.contains("aws_security_group.web"), "{shown}");

    let (settings, _) = SHOP.split_once("resource \"").unwrap();
    let small = [settings, SMALL].concat();
    fs::remove_file(shop.path("terraform.tfstate")).unwrap();
    shop.write(&small);
    shop.plan("small", &[]);
    let mut tampered = small.clone();
    for (planned, wanted, _) in TAMPERED {
        assert!(tampered.contains(planned), "{planned}");
        tampered = tampered.replacen(planned, wanted, 1);
    }
    shop.write(&tampered);
    let (ended, told) = shop.terraform(&["apply", "-input=false", "-auto-approve"]);
    assert_eq!(ended, Some(1), "{told}");
    for (.., says) in TAMPERED {
        assert!(told.contains(says), "`{says}` is not in: {told}");
    }
    // Once more what was done already: somebody else took it away meanwhile.
    let queue = format!("{}-plain", shop.prefix);
    let url =
        aws(&["sqs", "get-queue-url", "--queue-name", &queue, "--query", "QueueUrl", "--output", "text"]);
    aws(&["sqs", "delete-queue", "--queue-url", url.trim()]);
    shop.write(&small);
    let again = ["apply", "-input=false", "-auto-approve", "-target=aws_sqs_queue.plain"];
    let (ended, told) = shop.terraform(&again);
    assert_eq!(ended, Some(1), "{told}");
    let used = "`sqs:CreateQueue` of item `aws_sqs_queue.plain` of change `small` was carried out already";
    assert!(told.contains(used), "{told}");
    // Planned and approved, for another time.
    let late = now() + jiff::SignedDuration::from_hours(1);
    shop.plan("late", &["--from", &late.to_string()]);
    let (ended, told) = shop.terraform(&again);
    assert_eq!(ended, Some(1), "{told}");
    let closed = "change `late`, which plans this as `aws_sqs_queue.plain`, opens ";
    assert!(told.contains(closed), "{told}");
    shop.gate.finish();
}

/// The upstream's own client, past the gate.
fn aws(arguments: &[&str]) -> String {
    let output = Command::new(needed("ORDAIN_TEST_AWS"))
        .args(["--endpoint-url", &needed("ORDAIN_TEST_MOTO_OPEN")])
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "y")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
