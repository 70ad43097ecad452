//! A cluster behind a gate: the stub (`cluster.py`), or a real API server, beside the gate's recorder for AWS.
//!
//! Leaves out what is asked of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::harness::{Gate, Setup, eventually, installed, said, skipped};

/// The real credential, which must stay in the gate.
pub(crate) const REAL: &str = "a-real-token-that-must-never-be-seen";

/// The team that owns all else owns the cluster too.
pub(crate) const MODEL: &str = "
apiVersion: ordain/v1
kind: Account
metadata: {name: prod}
spec: {plane: kubernetes, account: prod, owner: platform}
";

/// Python and kubectl, as `tests/install` put them there.
pub(crate) fn tools() -> Option<(PathBuf, PathBuf)> {
    let python = installed("ORDAIN_TEST_PYTHON")?;
    let kubectl = python.parent()?.join("kubectl");
    if kubectl.exists() { Some((python, kubectl)) } else { skipped("kubectl") }
}

/// The stub.
pub(crate) struct Stub {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    child: Child,
}

impl Stub {
    pub(crate) fn start(python: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/kubernetes/cluster.py");
        let log = fs::File::create(folder.path().join("stub.log")).unwrap();
        let child = Command::new(python)
            .arg(script)
            .args(["--token", REAL, "--folder"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the stub starts");
        let said = || fs::read_to_string(folder.path().join("port")).unwrap_or_default();
        eventually("the stub listens", || !said().is_empty());
        let port = said().parse().unwrap();
        Self { folder, port, child }
    }

    /// What arrived, in order.
    pub(crate) fn arrived(&self) -> Vec<Value> {
        let journal = fs::read_to_string(self.folder.path().join("journal.jsonl")).unwrap_or_default();
        journal.lines().map(|line| serde_json::from_str(line).expect("a line of the journal")).collect()
    }

    /// The table of the settings file that names it.
    pub(crate) fn upstream(&self, more: &str) -> String {
        let token = self.folder.path().join("token");
        fs::write(&token, format!("{REAL}\n")).unwrap();
        upstream(self.port, &self.folder.path().join("ca.pem"), &token, more)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The table of a cluster at a port of this machine.
pub(crate) fn upstream(port: u16, trust: &Path, token: &Path, more: &str) -> String {
    format!(
        "\n[[upstream]]\nname = \"prod\"\nplane = \"kubernetes\"\nendpoint = \"https://127.0.0.1:{port}\"\n\
         trust = {trust:?}\ncredentials = {{ token_file = {token:?} }}\n{more}\n"
    )
}

/// A gate in front of a cluster.
pub(crate) fn gate(upstream: String, mode: &'static str) -> Gate {
    // After the table of the first one.
    let mut setup = Setup { mode, upstream, secrets: vec![REAL], ..Setup::default() };
    setup.listen = "egress = \"127.0.0.1:0\"\n".to_owned();
    setup.model.push(("cluster.yaml", MODEL.to_owned()));
    Gate::start(setup)
}

/// kubectl, as one of the actors.
pub(crate) struct Kubectl<'a> {
    program: &'a Path,
    pub(crate) kubeconfig: PathBuf,
    home: PathBuf,
}

impl<'a> Kubectl<'a> {
    pub(crate) fn of(gate: &Gate, program: &'a Path, actor: &str, kind: &str) -> Self {
        let kubeconfig = gate.folder.path().join(format!("{actor}.kubeconfig"));
        let path = kubeconfig.display().to_string();
        let made = gate.run(&["env", "--kubeconfig", &path, "--actor", actor, "--kind", kind]);
        assert!(made.status.success(), "{}", said(&made));
        Self { program, kubeconfig, home: gate.folder.path().to_owned() }
    }

    /// The same, with a kubeconfig of another text.
    pub(crate) fn changed(&self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let kubeconfig = self.kubeconfig.with_extension(name);
        fs::write(&kubeconfig, change(&fs::read_to_string(&self.kubeconfig).unwrap())).unwrap();
        Self { program: self.program, kubeconfig, home: self.home.clone() }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        // A client that waits for what never comes must not keep the tests.
        let mut command = Command::new("timeout");
        command.arg("60").arg(self.program).arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        command.env("HOME", &self.home).current_dir(&self.home).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("kubectl runs")
    }

    /// What it prints where it ends well.
    pub(crate) fn well(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it prints where it ends badly.
    pub(crate) fn badly(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    }
}
