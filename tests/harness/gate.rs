//! The program as a user starts it: a settings file, keys made with its own verbs, a child process on port 0.
//!
//! Leaves out what is asked of it.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::client::{Client, Key, Sent};
use super::invariant;
use super::ledger::LedgerView;
use super::recorder::{ACCOUNT, Recorder};

/// What a gate is started with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) mode: &'static str,
    /// Model files, by name.
    pub(crate) model: Vec<(&'static str, String)>,
    /// Actors that get a key: name and kind.
    pub(crate) actors: Vec<(&'static str, &'static str)>,
    /// More lines of the settings file, each under its own table.
    pub(crate) settings: String,
    /// More lines under `[listen]`.
    pub(crate) listen: String,
    /// The base URL of the upstream, where it is not a recorder.
    pub(crate) endpoint: Option<String>,
    /// Where the recorder listens.
    pub(crate) at: SocketAddr,
    /// The real key pair, where the upstream checks it.
    pub(crate) real: (String, String),
    /// The ledger's folder, where it must lie elsewhere.
    pub(crate) ledger: Option<PathBuf>,
    /// What the program is started under, for example `strace` and its arguments.
    pub(crate) under: Vec<String>,
    /// The upstream's `credentials` as the settings file has it, where they are not in a file of their own.
    pub(crate) credentials: Option<String>,
    /// More lines of the upstream's table.
    pub(crate) upstream: String,
    /// What else must stand in nothing that the program writes.
    pub(crate) secrets: Vec<&'static str>,
    /// More files in its folder, by name; `{folder}` in the upstream's lines and in the settings is that folder.
    pub(crate) files: Vec<(&'static str, String)>,
    /// Variables that the program is started with.
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// A team that owns the account and all in it, its person `alice`, its agent `robot`; `mallory` of no team.
const MODEL: &str = include_str!("model.yaml");

impl Default for Setup {
    fn default() -> Self {
        Self {
            mode: "enforce",
            model: vec![("model.yaml", MODEL.to_owned())],
            actors: vec![("alice", "person"), ("robot", "agent"), ("mallory", "person")],
            settings: String::new(),
            listen: String::new(),
            endpoint: None,
            at: SocketAddr::from(([127, 0, 0, 1], 0)),
            real: ("AKIAREALREALREALREAL".to_owned(), "a-real-secret-that-must-never-be-seen".to_owned()),
            ledger: None,
            under: Vec::new(),
            credentials: None,
            upstream: String::new(),
            secrets: Vec::new(),
            files: Vec::new(),
            environment: Vec::new(),
        }
    }
}

/// A running gate, and the upstream behind it.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) recorder: Recorder,
    pub(crate) folder: TempDir,
    setup: Setup,
    keys: Vec<(String, Key)>,
    // Secrets that it handed out while it ran.
    handed_out: Mutex<Vec<String>>,
    child: Child,
    checked: bool,
}

impl Gate {
    /// Starts a gate in front of a recorder.
    pub(crate) fn start(setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recorder = Recorder::start_at(setup.at);
        write_files(folder.path(), &setup, &recorder);
        let keys = setup
            .actors
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), create_key(folder.path(), name, kind)))
            .collect();
        recorder.watch(&ledger_folder(folder.path(), &setup));
        let (child, address, admin) = spawn(folder.path(), &setup);
        let handed_out = Mutex::default();
        Self { address, admin, recorder, folder, setup, keys, handed_out, child, checked: false }
    }

    /// The client of one of the actors.
    pub(crate) fn client(&self, actor: &str) -> Client {
        let key = self.keys.iter().find(|(name, _)| name == actor).expect("the actor has a key");
        Client::new(self.address, &key.1)
    }

    pub(crate) fn key(&self, actor: &str) -> &Key {
        &self.keys.iter().find(|(name, _)| name == actor).expect("the actor has a key").1
    }

    /// Has a secret that the program handed out looked for in all that it writes.
    pub(crate) fn must_not_write(&self, secret: &str) {
        self.handed_out.lock().unwrap().push(secret.to_owned());
    }

    /// The real key pair.
    pub(crate) fn real(&self) -> &(String, String) {
        &self.setup.real
    }

    pub(crate) fn ledger_folder(&self) -> PathBuf {
        ledger_folder(self.folder.path(), &self.setup)
    }

    pub(crate) fn ledger(&self) -> LedgerView {
        LedgerView::new(&self.ledger_folder())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the program wrote so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("gate.log")).unwrap_or_default()
    }

    /// Runs another verb of the program with the same settings.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run(self.folder.path(), arguments)
    }

    /// A token issued to an actor for one of the upstreams.
    pub(crate) fn bearer(&self, upstream: &str, actor: &str, kind: &str) -> String {
        let create = ["-o", "json", "key", "create", "--bearer", "--upstream", upstream];
        let made = self.run(&[&create[..], &["--actor", actor, "--kind", kind]].concat());
        let token = serde_json::from_slice::<serde_json::Value>(&made.stdout).ok();
        let token = token.as_ref().and_then(|made| made["token"].as_str());
        token.unwrap_or_else(|| panic!("no token for `{actor}`: {}", said(&made))).to_owned()
    }

    /// Runs a verb, with these variables.
    pub(crate) fn run_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = program(self.folder.path());
        command.envs(environment.iter().copied()).args(arguments).output().expect("the program runs")
    }

    /// Runs a verb that is given these lines, with these variables.
    pub(crate) fn run_given(&self, input: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = program(self.folder.path());
        command.envs(environment.iter().copied()).args(arguments).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // One that fails at once may be gone before it is told anything.
        drop(std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()));
        child.wait_with_output().expect("the program runs")
    }

    /// Memory the program has resident, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
        line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0) * 1024
    }

    /// A page of the admin address.
    pub(crate) fn admin_page(&self, path: &str) -> (u16, String) {
        use std::io::Write as _;
        let mut stream = TcpStream::connect(self.admin).expect("the admin address answers");
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.admin).unwrap();
        let reply = super::client::read_reply(&mut stream, false).expect("the admin address answers");
        (reply.status, reply.text())
    }

    /// Writes the settings file anew.
    pub(crate) fn edit(&self, change: impl Fn(&str) -> String) {
        let path = self.folder.path().join("gate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(&text)).unwrap();
    }

    /// Where the egress gateway listens, as the program said when it began to serve.
    pub(crate) fn egress(&self) -> SocketAddr {
        let log = self.log();
        let line = log.lines().find(|line| line.contains("serving")).expect("the program serves");
        *addresses_in(line).get(2).expect("it has an egress gateway")
    }

    /// Tells the program to look at its files.
    pub(crate) fn hang_up(&self) {
        let told = Command::new("kill").args(["-HUP", &self.pid().to_string()]).status().unwrap();
        assert!(told.success(), "the program is there to be told");
    }

    /// Kills the program as a power cut of the process would, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the program can be killed");
        self.child.wait().expect("the program ends");
    }

    /// Starts the program again on the same files.
    pub(crate) fn restart(&mut self) {
        let (child, address, admin) = spawn(self.folder.path(), &self.setup);
        self.child = child;
        self.address = address;
        self.admin = admin;
        self.checked = false;
        // What a kill tore off is gone, and something else stands in its place.
        self.recorder.watch(&self.ledger_folder());
    }

    /// Asks the program to end in order; returns whether it ended well.
    pub(crate) fn stop(&mut self) -> bool {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(asked.success(), "the program is there to be stopped");
        let until = Instant::now() + Duration::from_secs(40);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the program did not end within 40 s of SIGTERM");
    }

    /// Ends the test: the program stops in order, what arrived is what was admitted, and the ledger verifies.
    pub(crate) fn finish(mut self) {
        self.checked = true;
        if self.child.try_wait().unwrap().is_none() {
            assert!(self.stop(), "the program ended badly");
        }
        self.check();
    }

    /// What must hold once the program has stopped in order.
    fn check(&mut self) {
        self.check_killed();
        invariant::check_outcomes(&mut self.ledger());
    }

    /// What must hold whenever the program is gone, however it went: all but the outcomes, which may be cut off.
    pub(crate) fn check_killed(&mut self) {
        self.checked = true;
        invariant::check_arrived(&self.recorder.arrived(), &mut self.ledger());
        self.check_canaries();
        let verified = self.run(&["ledger", "verify"]);
        assert!(verified.status.success(), "the ledger does not verify: {}", said(&verified));
    }
}

impl Gate {
    /// No secret stands in anything that the program wrote: not the real credential, and no issued one.
    fn check_canaries(&self) {
        let folder = self.folder.path();
        let tokens = ["token"].into_iter().filter_map(|name| std::fs::read_to_string(folder.join(name)).ok());
        let mut secrets: Vec<String> = tokens.map(|token| token.trim().to_owned()).collect();
        secrets.push(self.setup.real.1.clone());
        secrets.extend(self.keys.iter().map(|(_, key)| key.secret.clone()));
        secrets.extend(self.setup.secrets.iter().map(|secret| (*secret).to_owned()));
        secrets.extend(self.handed_out.lock().unwrap().iter().cloned());
        let mut written = self.ledger().texts();
        written.push(self.log());
        for text in &written {
            if let Some(secret) = secrets.iter().find(|secret| !secret.is_empty() && text.contains(*secret)) {
                panic!("the secret `{secret}` stands in: {text}");
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if !self.checked && !thread::panicking() {
            panic!("a test ended without checking its gate: call `finish`");
        }
    }
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < until, "not within 15 s: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn ledger_folder(folder: &Path, setup: &Setup) -> PathBuf {
    setup.ledger.clone().unwrap_or_else(|| folder.join("state/ledger"))
}

fn write_files(folder: &Path, setup: &Setup, recorder: &Recorder) {
    let endpoint = setup.endpoint.clone().unwrap_or_else(|| format!("http://{}", recorder.address));
    let mut text = format!("state = {:?}\nmode = {:?}\n", folder.join("state"), setup.mode);
    text.push_str("[log]\nformat = \"json\"\n[listen]\ndata = \"127.0.0.1:0\"\n");
    text.push_str("admin = \"127.0.0.1:0\"\n");
    text.push_str(&setup.listen);
    write!(text, "[model]\ndirectory = {:?}\n", folder.join("model")).unwrap();
    write!(text, "[ledger]\ndirectory = {:?}\norigin = \"ordain/test\"\n", ledger_folder(folder, setup))
        .unwrap();
    text.push_str(&setup.settings.replace("{folder}", &folder.display().to_string()));
    let in_file = || format!("{{ file = {:?} }}", folder.join("real"));
    let credentials = setup.credentials.clone().unwrap_or_else(in_file);
    write!(
        text,
        "\n[[upstream]]\nname = \"default\"\nplane = \"aws\"\naccount = \"{ACCOUNT}\"\nendpoint = \"{endpoint}\"\n\
         credentials = {credentials}\n{}\n",
        setup.upstream.replace("{folder}", &folder.display().to_string())
    )
    .unwrap();
    std::fs::write(folder.join("gate.toml"), text).unwrap();
    std::fs::write(folder.join("real"), format!("{}\n{}\n", setup.real.0, setup.real.1)).unwrap();
    for (name, text) in &setup.files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    std::fs::create_dir_all(folder.join("model")).unwrap();
    for (name, text) in &setup.model {
        std::fs::write(folder.join("model").join(name), text).unwrap();
    }
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordain"));
    scrub(&mut command).arg("--config").arg(folder.join("gate.toml"));
    command
}

/// Nothing of the machine's own set-up may reach the program.
fn scrub(command: &mut Command) -> &mut Command {
    command
        .env_remove("ORDAIN_CONFIG")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder).args(arguments).output().expect("the program runs")
}

/// Makes a key with the program's own verb.
pub(crate) fn create_key(folder: &Path, name: &str, kind: &str) -> Key {
    let made = run(folder, &["--output", "json", "key", "create", "--actor", name, "--kind", kind]);
    assert!(made.status.success(), "no key for `{name}`: {}", said(&made));
    let text = String::from_utf8(made.stdout).unwrap();
    let key: serde_json::Value = serde_json::from_str(&text).expect("a key in JSON");
    let field = |name: &str| key[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {key}")).to_owned();
    Key { id: field("access_key_id"), secret: field("secret_access_key") }
}

fn spawn(folder: &Path, setup: &Setup) -> (Child, SocketAddr, SocketAddr) {
    let mut words = setup.under.clone();
    words.push(env!("CARGO_BIN_EXE_ordain").to_owned());
    let mut command = Command::new(&words[0]);
    scrub(&mut command).args(&words[1..]).arg("--config").arg(folder.join("gate.toml")).arg("serve");
    command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
    let path = folder.join("gate.log");
    let log = std::fs::File::create(&path).unwrap();
    let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().expect("the program starts");
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let said = std::fs::read_to_string(&path).unwrap_or_default();
        let line = said.lines().find(|line| line.contains("serving")).map(addresses_in);
        if let Some([data, admin, ..]) = line.as_deref() {
            return (child, *data, *admin);
        }
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none() && Instant::now() < until,
            "the program did not say where it listens: {said}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// Addresses in a line of the log, in order.
fn addresses_in(line: &str) -> Vec<SocketAddr> {
    line.split(['"', '=', ',', ' ']).filter_map(|word| word.parse().ok()).collect()
}

/// A change that the model of the harness admits for `alice`.
pub(crate) fn a_change(number: usize) -> Sent {
    Sent::ec2(&format!("StopInstances&InstanceId.1=i-{number:017x}"))
}
