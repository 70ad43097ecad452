//! A real server of some plane, and a gate in front of it.
//!
//! Leaves out which server that is, and what is asked of it.

use std::fs::File;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Gate, Reply, Setup, eventually, installed, read_reply, said};

/// The real credential of these servers, which must stay in the gate.
pub(crate) const REAL: &str = "a-real-token-that-must-never-be-seen";

/// A server that runs until it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) folder: tempfile::TempDir,
}

impl Server {
    /// Starts a program on a free port, which `command` is given, and waits until something listens there.
    pub(crate) fn start(command: impl Fn(&str, &Path) -> Command) -> Self {
        Self::start_within(Duration::from_secs(15), command)
    }

    /// The same of one that takes its time.
    pub(crate) fn start_within(patience: Duration, command: impl Fn(&str, &Path) -> Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = File::create(folder.path().join("server.log")).unwrap();
        let child = command(&address.port().to_string(), folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let server = Self { child, address: address.to_string(), folder };
        let until = Instant::now() + patience;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "the server does not listen: {}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// All that it wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A gate in front of a server of a plane, which has one account, `acme`, that the team of `alice` owns
/// and `carol` may only read. `credentials` is as
/// the settings file has it; `{token}` in it is the file of the real credential.
pub(crate) fn gate(plane: &'static str, base: &str, credentials: &str, mode: &'static str) -> Gate {
    let gate = gate_alone(plane, base, credentials, mode);
    eventually("the upstream is served", || {
        let log = gate.log();
        let says = |what: &str| log.lines().any(|line| line.contains(what) && line.contains("served"));
        // It is told only where it did not answer at first.
        !says("not served yet") || says("upstream verified")
    });
    gate
}

/// The same, whether its server answers or not.
pub(crate) fn gate_alone(plane: &'static str, base: &str, credentials: &str, mode: &'static str) -> Gate {
    gate_with(Setup { mode, ..Setup::default() }, plane, base, credentials)
}

/// The same of a gate that is set up in another way too.
pub(crate) fn gate_with(setup: Setup, plane: &'static str, base: &str, credentials: &str) -> Gate {
    let credentials = credentials.replace("{token}", "\"{folder}/real-token\"");
    let upstream = format!(
        "\n[[upstream]]\nname = \"served\"\nplane = \"{plane}\"\naccount = \"acme\"\nendpoint = \"{base}\"\n\
         credentials = {credentials}\n"
    );
    let files = vec![("real-token", REAL.to_owned())];
    let mut setup = Setup { upstream, files, secrets: vec![REAL], ..setup };
    let owned = format!(
        "apiVersion: ordain/v1\nkind: Account\nmetadata: {{name: acme}}\n\
         spec: {{plane: {plane}, account: acme, owner: platform}}\n---\n\
         apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {{name: carol}}\n\
         spec: {{memberOf: [payments], reads: {{accounts: [acme]}}}}\n"
    );
    setup.model.push(("acme.yaml", owned));
    Gate::start(setup)
}

/// Asks the gate with a token, and a cookie of somebody's.
pub(crate) fn ask(gate: &Gate, token: &str, asked: &str, body: &str) -> Reply {
    let request = format!(
        "{asked} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncookie: sid=another\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        gate.address,
        body.len()
    );
    let mut stream = TcpStream::connect(gate.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read_reply(&mut stream, false).unwrap()
}

/// How many requests it has let pass or denied: what a server was asked beside those came another way.
pub(crate) fn decided(gate: &Gate) -> usize {
    let (_, metrics) = gate.admin_page("/metrics");
    let counts = ["ordain_reads_total{", "ordain_decisions_total{"];
    let lines = metrics.lines().filter(|line| counts.iter().any(|count| line.starts_with(count)));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

/// The tests' Python; none where it is not installed, which is said.
pub(crate) fn python() -> Option<PathBuf> {
    installed("ORDAIN_TEST_PYTHON")
}

/// Runs a script of `tests/planes`, which has a minute and a half.
pub(crate) fn script(python: &Path, name: &str, arguments: &[&str]) -> Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes").join(name);
    let mut command = Command::new("timeout");
    command.arg("90").arg(python).arg(path).args(arguments).stdin(Stdio::null());
    command.output().unwrap()
}

/// What such a script says, which must end well.
pub(crate) fn says(name: &str, arguments: &[&str]) -> String {
    let output = script(&python().unwrap(), name, arguments);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A server that is such a script, and is told its port, the real credential and what else there is to say.
pub(crate) fn stub(name: &str, more: &[&str]) -> Option<Server> {
    let python = python()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes").join(name);
    Some(Server::start(|port, _| {
        let mut command = Command::new(&python);
        command.arg(&path).args([port, REAL]).args(more);
        command
    }))
}
