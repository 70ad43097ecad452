//! etcd behind the gate: a server of gRPC, its own client and Google's, none of which we wrote.
//!
//! Leaves out how a call is read (the room's own cases).

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Gate, Setup, eventually, installed, said, skipped};

/// The real credential, which must stay in the gate. This server takes whoever reaches it, and would look at a token.
const REAL: &str = "a-real-token-that-must-never-be-seen";

/// A server, and what the tests call it with.
struct Etcd {
    child: Child,
    folder: tempfile::TempDir,
    address: String,
    programs: PathBuf,
    python: PathBuf,
}

impl Etcd {
    /// None where it is not installed.
    fn start() -> Option<Self> {
        let programs = installed("ORDAIN_TEST_ETCD")?;
        let python = installed("ORDAIN_TEST_PYTHON")?;
        if !programs.join("etcd").exists() {
            return skipped("etcd");
        }
        let folder = tempfile::tempdir().unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (address, peers) = (free(), free());
        let log = fs::File::create(folder.path().join("etcd.log")).unwrap();
        let child = Command::new(programs.join("etcd"))
            .args(["--listen-client-urls", &format!("http://{address}")])
            .args(["--advertise-client-urls", &format!("http://{address}")])
            .args(["--listen-peer-urls", &format!("http://{peers}")])
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("etcd starts");
        let etcd = Self { child, folder, address, programs, python };
        eventually("etcd answers", || etcd.direct(&["get", "x"]).status.success());
        Some(etcd)
    }

    /// etcdctl, to the server itself.
    fn direct(&self, arguments: &[&str]) -> Output {
        let endpoint = format!("http://{}", self.address);
        self.etcdctl().args(["--endpoints", &endpoint]).args(arguments).output().unwrap()
    }

    fn etcdctl(&self) -> Command {
        // A client that waits for what never comes must not keep the tests.
        let mut command = Command::new("timeout");
        command.arg("30").arg(self.programs.join("etcdctl")).env_clear().env("ETCDCTL_API", "3");
        command
    }

    fn python(&self) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/grpc/client.py");
        let mut command = Command::new("timeout");
        command.arg("60").arg(&self.python).arg(script);
        command
    }

    /// A gate in front of it.
    fn gate(&self, mode: &'static str) -> Gated<'_> {
        let path = |name: &str| self.folder.path().join(name);
        let described = self.python().arg("descriptors").arg(path("etcd.binpb")).output().unwrap();
        assert!(described.status.success(), "{}", said(&described));
        fs::write(path("token"), REAL).unwrap();
        let methods = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grpc/etcd.toml");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let clients = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(path("clients.pem"), clients.pem()).unwrap();
        for name in ["alice", "mallory"] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::default();
            let id = Ia5String::try_from(format!("spiffe://acme/{name}")).unwrap();
            params.subject_alt_names = vec![SanType::URI(id)];
            fs::write(path(&format!("{name}.pem")), params.signed_by(&key, &clients).unwrap().pem()).unwrap();
            fs::write(path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        let upstream = format!(
            "\n[[upstream]]\nname = \"etcd\"\nplane = \"grpc\"\nendpoint = \"http://{}\"\ndescriptors = {:?}\n\
             methods = {methods:?}\ncredentials = {{ header = {{ name = \"x-passed-over\", file = {:?} }} }}\n[identity.mtls]\ntrust = {:?}\n{}{}",
            self.address,
            path("etcd.binpb"),
            path("token"),
            path("clients.pem"),
            rule("alice", "person"),
            rule("mallory", "agent"),
        );
        let mut setup = Setup { mode, upstream, secrets: vec![REAL], ..Setup::default() };
        let owned = "apiVersion: ordain/v1\nkind: Account\nmetadata: {name: etcd}\n\
                     spec: {plane: grpc, account: etcd, owner: platform}\n---\n\
                     apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: carts}\n\
                     spec: {type: team, children: []}\n---\n\
                     apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: carol}\n\
                     spec: {memberOf: [carts]}\n---\n\
                     apiVersion: ordain/v1\nkind: Scope\nmetadata: {name: carts}\n\
                     spec: {names: [\"grpc://etcd/key/carts/*\"], owner: carts}\n";
        setup.model.push(("etcd.yaml", owned.to_owned()));
        // It makes the gate's own authority, by which its address is trusted.
        setup.listen = "egress = \"127.0.0.1:0\"\n".to_owned();
        // A body that is held has to come fast; what goes on may be silent.
        setup.settings = "[limits]\nbody_timeout = \"1s\"\ndrain = \"60s\"\n".to_owned();
        let gate = Gate::start(setup);
        eventually("the API is served", || !gate.log().contains("not served"));
        Gated { gate, etcd: self }
    }
}

fn rule(actor: &str, kind: &str) -> String {
    format!(
        "[[identity.mtls.rule]]\nspiffe = \"spiffe://acme/{actor}\"\nactor = \"{actor}\"\nkind = \"{kind}\"\n\
         upstreams = [\"etcd\"]\n"
    )
}

impl Drop for Etcd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A gate in front of a server.
struct Gated<'e> {
    gate: Gate,
    etcd: &'e Etcd,
}

impl Gated<'_> {
    /// etcdctl, as one of the actors, who shows a certificate.
    fn etcdctl(&self, actor: &str, arguments: &[&str]) -> Output {
        self.command(actor, arguments).output().unwrap()
    }

    fn command(&self, actor: &str, arguments: &[&str]) -> Command {
        let path = |name: String| self.etcd.folder.path().join(name);
        let mut command = self.etcd.etcdctl();
        command
            .args(["--endpoints", &format!("https://{}", self.gate.address)])
            .arg("--cacert")
            .arg(self.bundle())
            .arg("--cert")
            .arg(path(format!("{actor}.pem")))
            .arg("--key")
            .arg(path(format!("{actor}.key")))
            .args(arguments);
        command
    }

    fn bundle(&self) -> PathBuf {
        self.gate.folder.path().join("state/ca-bundle.pem")
    }

    /// A token of one of the actors.
    fn token(&self, actor: &str, kind: &str) -> String {
        self.gate.bearer("etcd", actor, kind)
    }

    /// The Python client, which shows a token.
    fn python(&self, token: &str, call: &[&str]) -> Command {
        // BoringSSL takes no certificate for an address from an authority that is held to some.
        let address = format!("localhost:{}", self.gate.address.port());
        let mut command = self.etcd.python();
        command.arg(call[0]).arg(address).arg(self.bundle()).arg(token).args(&call[1..]);
        command
    }

    /// What the Python client says of a call.
    fn says(&self, token: &str, call: &[&str]) -> String {
        let output = self.python(token, call).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    fn outcomes(&self, pointer: &str) -> Vec<Value> {
        let mut ledger = self.gate.ledger();
        ledger.refresh().iter().filter_map(|entry| entry.says.pointer(pointer).cloned()).collect()
    }
}

#[test]
fn etcdctl_does_the_same_through_the_gate_as_without_it() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("enforce");
    let same = |arguments: &[&str]| {
        let (through, direct) = (gated.etcdctl("alice", arguments), etcd.direct(arguments));
        assert_eq!(said(&through), said(&direct), "{arguments:?}");
        assert!(through.status.success() && direct.status.success(), "{}", said(&through));
    };
    same(&["put", "shop/bikes", "7"]);
    same(&["get", "shop/bikes"]);
    same(&["get", "--prefix", "shop/", "--keys-only"]);
    same(&["put", "shop/more", "1"]);
    same(&["member", "list"]);
    same(&["get", "--consistency=s", "shop/more"]);
    same(&["role", "list"]);
    assert!(said(&gated.etcdctl("alice", &["del", "shop/more"])).contains("1"));
    assert_eq!(etcd.direct(&["get", "shop/more"]).stdout, b"");
    // A transaction, whose keys are the API's owner's to change.
    let mut child =
        gated.command("alice", &["txn"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"value(\"shop/bikes\") = \"7\"\n\nput shop/bikes 8\n\nget shop/bikes\n\n")
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("SUCCESS"), "{}", said(&done));
    assert_eq!(etcd.direct(&["get", "--print-value-only", "shop/bikes"]).stdout, b"8\n");
    let names: Vec<String> = gated
        .outcomes("/content/whole/reading/call/effects/0/resources/0/name")
        .iter()
        .map(Value::to_string)
        .collect();
    assert!(names.iter().any(|name| name == "\"grpc://etcd/key/shop/bikes\""), "{names:?}");
    gated.gate.finish();
}

#[test]
fn what_somebody_may_not_do_never_arrives_and_each_client_says_why() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("enforce");
    assert!(etcd.direct(&["put", "shop/bikes", "7"]).status.success());
    for arguments in [
        &["put", "shop/bikes", "0"][..],
        &["del", "shop/bikes"],
        &["del", "--prefix", ""],
        &["lease", "grant", "60"],
        &["user", "add", "root:hunter2"],
        &["compaction", "1"],
    ] {
        let denied = gated.etcdctl("mallory", arguments);
        let text = said(&denied);
        assert!(!denied.status.success() && text.contains("PermissionDenied"), "{arguments:?}: {text}");
        assert!(text.contains("mallory may not call etcdserverpb."), "{text}");
    }
    assert_eq!(etcd.direct(&["get", "--print-value-only", "shop/bikes"]).stdout, b"7\n", "it is as it was");
    assert_eq!(etcd.direct(&["user", "list"]).stdout, b"");
    let (alice, mallory) = (gated.token("alice", "person"), gated.token("mallory", "agent"));
    let denied = gated.says(&mallory, &["put", "shop/bikes", "0"]);
    assert!(denied.starts_with("PERMISSION_DENIED mallory may not call etcdserverpb.KV/Put"), "{denied}");
    assert_eq!(gated.says(&alice, &["put", "shop/é", "1"]), "put");
    // What is compressed is read all the same; this server does not take it.
    let compressed = gated.says(&mallory, &["put-gzip", "shop/long", "ab"]);
    assert!(compressed.contains("on grpc://etcd/key/shop/long"), "{compressed}");
    let compressed = gated.says(&alice, &["put-gzip", "shop/long", "ab"]);
    assert!(compressed.starts_with("UNIMPLEMENTED grpc: Decompressor is not installed"), "{compressed}");
    assert_eq!(gated.says(&alice, &["get", "shop/é"]), "1");
    let leak = gated.says(&alice, &["authenticate"]);
    assert!(leak.starts_with("PERMISSION_DENIED"), "a token that goes round the gate: {leak}");
    let unknown = gated.says(&alice, &["unknown"]);
    assert!(
        unknown.starts_with("PERMISSION_DENIED") && unknown.contains("no method in the descriptors"),
        "{unknown}"
    );
    let nobody = gated.says("ordain_no-such-token", &["get", "shop/bikes"]);
    assert!(nobody.starts_with("UNAUTHENTICATED"), "{nobody}");
    // The server's own errors pass as they are, and are what the evidence says.
    let own = gated.etcdctl("alice", &["role", "grant-permission", "nobody", "read", "x"]);
    assert!(said(&own).contains("etcdserver: role name not found"), "{}", said(&own));
    let codes = gated.outcomes("/end/answered/error_code");
    assert!(codes.iter().any(|code| code == "FAILED_PRECONDITION"), "{codes:?}");
    let shown: String = gated.gate.ledger().texts().concat();
    assert!(!shown.contains("hunter2"), "a password in the ledger");
    gated.gate.finish();
}

/// A client whose lines are read one by one.
struct Talking {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Talking {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        // Passed on by `timeout` to the client itself.
        let pid = Pid::from_child(&self.child);
        let _gone = kill_process(pid, Signal::TERM);
        drop(self.child.wait());
    }
}

#[test]
fn conversations_pass_both_ways_and_are_recorded_at_their_end() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("enforce");
    let alice = gated.token("alice", "person");
    // Reads: a watch, which etcdctl and Python ask for in their own ways.
    let mut watch = Talking::start(gated.python(&alice, &["watch", "shop/bikes"]));
    assert_eq!(watch.line(), "created");
    let mut other = Talking::start(gated.command("alice", &["watch", "shop/bikes"]));
    // The second one says nothing until there is something to say.
    let seen = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !seen.load(Ordering::Relaxed) {
                assert!(etcd.direct(&["put", "shop/bikes", "7"]).status.success());
            }
        });
        let lines = (watch.line(), other.line());
        seen.store(true, Ordering::Relaxed);
        assert_eq!(lines, ("7".to_owned(), "PUT".to_owned()));
    });
    // A stream as the answer: all that is stored.
    let stored: u64 = gated.says(&alice, &["snapshot"]).parse().expect("a number of bytes");
    assert!(stored > 10_000, "{stored}");
    // A change whose both sides go on.
    let mut alive = Talking::start(gated.python(&alice, &["keep-alive"]));
    for _ in 0..3 {
        assert_eq!(alive.line(), "alive 600");
        std::thread::sleep(Duration::from_millis(1_200));
        alive.say("more");
    }
    assert_eq!(alive.line(), "alive 600");
    let streamed = || {
        let of = |name: &str| gated.outcomes(&format!("/end/streamed/{name}"));
        (of("ended"), of("sent"), of("received"))
    };
    assert!(streamed().0.len() == 1, "only the snapshot has ended: {:?}", streamed());
    alive.say("");
    eventually("its end is recorded", || streamed().0.len() == 2);
    let (ended, sent, received) = streamed();
    assert_eq!(ended, ["upstream", "upstream"], "{sent:?} {received:?}");
    // Four requests of one number each, framed, and four answers.
    assert!((40..120).contains(&sent[1].as_u64().unwrap()), "{sent:?}");
    assert!(received[1].as_u64().unwrap() > 100 && received[0].as_u64().unwrap() > stored, "{received:?}");
    drop((watch, other));
    gated.gate.finish();
}

#[test]
fn what_a_revoked_actor_has_open_is_cut() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("enforce");
    let alice = gated.token("alice", "person");
    let mut watch = Talking::start(gated.python(&alice, &["watch", "shop/bikes"]));
    let mut alive = Talking::start(gated.python(&alice, &["keep-alive"]));
    assert_eq!((watch.line(), alive.line()), ("created".to_owned(), "alive 600".to_owned()));
    assert!(gated.gate.run(&["actor", "revoke", "alice", "--kind", "person"]).status.success());
    let cut = watch.line();
    assert!(
        cut.starts_with("INTERNAL") || cut.starts_with("CANCELLED") || cut.starts_with("UNKNOWN"),
        "{cut}"
    );
    alive.say("more");
    let cut = alive.line();
    assert!(
        cut.starts_with("INTERNAL") || cut.starts_with("CANCELLED") || cut.starts_with("UNKNOWN"),
        "{cut}"
    );
    eventually("its end is recorded", || gated.outcomes("/end/streamed/ended") == ["revoked"]);
    gated.gate.finish();
}

#[test]
fn a_gate_that_stops_ends_its_conversations_and_waits_for_none() {
    let Some(etcd) = Etcd::start() else { return };
    let mut gated = etcd.gate("enforce");
    let alice = gated.token("alice", "person");
    let mut watch = Talking::start(gated.python(&alice, &["watch", "shop/bikes"]));
    let mut alive = Talking::start(gated.python(&alice, &["keep-alive"]));
    assert_eq!((watch.line(), alive.line()), ("created".to_owned(), "alive 600".to_owned()));
    // Long before the time to drain is over, or this fails.
    assert!(gated.gate.stop(), "{}", gated.gate.log());
    alive.say("more");
    for line in [watch.line(), alive.line()] {
        assert!(
            ["INTERNAL", "CANCELLED", "UNKNOWN", "UNAVAILABLE"].iter().any(|code| line.starts_with(code)),
            "{line}"
        );
    }
    assert_eq!(gated.outcomes("/end/streamed/ended"), ["gate"]);
    gated.gate.finish();
}

#[test]
fn a_part_of_an_api_is_its_owners_and_no_more_than_that() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("enforce");
    let carol = gated.token("carol", "person");
    assert_eq!(gated.says(&carol, &["put", "carts/1", "a"]), "put");
    assert_eq!(gated.says(&carol, &["get", "carts/1"]), "a");
    let denied = gated.says(&carol, &["put", "shop/bikes", "0"]);
    assert!(
        denied.starts_with("PERMISSION_DENIED") && denied.contains("grpc://etcd/key/shop/bikes"),
        "{denied}"
    );
    // A range may be anybody's keys, whatever it begins with.
    let denied = gated.says(&carol, &["remove-all", "carts/"]);
    assert!(denied.starts_with("PERMISSION_DENIED") && denied.contains("grpc://etcd/key/*"), "{denied}");
    assert_eq!(etcd.direct(&["get", "--print-value-only", "carts/1"]).stdout, b"a\n");
    assert_eq!(gated.says(&carol, &["remove", "carts/1"]), "removed 1");
    gated.gate.finish();
}

#[test]
fn shadow_lets_all_pass_that_can_be_read() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("shadow");
    let mallory = gated.token("mallory", "agent");
    assert_eq!(gated.says(&mallory, &["put", "shop/bikes", "0"]), "put");
    assert_eq!(etcd.direct(&["get", "--print-value-only", "shop/bikes"]).stdout, b"0\n");
    // What cannot be read goes on too, but for what is answered with a token that goes round the gate.
    let alice = gated.token("alice", "person");
    let unread = gated.says(&alice, &["unread-put"]);
    assert!(!unread.contains("descriptors") && !unread.contains("ordain"), "{unread}");
    let leak = gated.says(&alice, &["unread-authenticate"]);
    assert!(leak.contains("custody_leak") || leak.contains("hands out a credential"), "{leak}");
    gated.gate.finish();
}

#[test]
fn a_call_that_nobody_made_is_read_and_judged_by_the_same_descriptors() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("enforce");
    let file = gated.gate.folder.path().join("calls.jsonl");
    // `DeleteRange` of `carts/1`, then of all keys.
    let one = STANDARD.encode(b"\0\0\0\0\x09\x0a\x07carts/1");
    let all = STANDARD.encode(b"\0\0\0\0\x06\x0a\x01\0\x12\x01\0");
    let line = |id: u8, body: &str| {
        format!(
            "{{\"id\":\"{id}\",\"method\":\"POST\",\"url\":\"https://etcd.internal/etcdserverpb.KV/DeleteRange\",\
             \"headers\":[[\"content-type\",\"application/grpc\"]],\"body_b64\":\"{body}\"}}\n"
        )
    };
    fs::write(&file, line(1, &one) + &line(2, &all)).unwrap();
    let file = file.display().to_string();
    let read = |arguments: &[&str]| -> Vec<Value> {
        let output = gated.gate.run(arguments);
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let named = |line: &Value| line.pointer("/effects/0/resources/0/name").cloned().unwrap_or_default();
    let lines = read(&["decode", "--upstream", "etcd", &file]);
    let names: Vec<Value> = lines.iter().map(named).collect();
    assert_eq!(names, ["grpc://etcd/key/carts/1", "grpc://etcd/key/*"], "{lines:?}");
    assert_eq!(lines[0]["effects"][0]["access"], "delete");
    let unsaid = read(&["decode", &file]);
    assert!(unsaid[0]["undecodable"]["text"].as_str().unwrap().contains("`--upstream NAME`"), "{unsaid:?}");
    // What another upstream is meant for is read by its room, whatever it looks like.
    let aws = read(&["decode", "--upstream", "default", &file]);
    assert!(aws[0]["undecodable"]["reason_code"].is_string(), "{aws:?}");
    let verdicts = |actor: &str| {
        let judged = &gated.gate.run(&["-o", "json", "check", "--upstream", "etcd", "--actor", actor, &file]);
        let judged: Value =
            serde_json::from_slice(&judged.stdout).unwrap_or_else(|_| panic!("{}", said(judged)));
        [judged[0]["verdict"].clone(), judged[1]["verdict"].clone()]
    };
    assert_eq!(verdicts("carol"), ["admit", "deny"]);
    assert_eq!(verdicts("alice"), ["deny", "deny"]);
    gated.gate.finish();
}

#[test]
fn what_methods_do_is_not_said_anew_while_the_gate_runs() {
    let Some(etcd) = Etcd::start() else { return };
    let gated = etcd.gate("enforce");
    gated.gate.edit(|text| text.replace("deploy/grpc/etcd.toml", "deploy/grpc/another.toml"));
    gated.gate.hang_up();
    eventually("it is said", || {
        gated.gate.log().contains(
            "`upstream.descriptors, upstream.description, upstream.methods and upstream.mounts` from",
        )
    });
    assert!(gated.gate.log().contains("which takes a restart"));
    let denied = gated.etcdctl("mallory", &["put", "shop/bikes", "9"]);
    assert!(!denied.status.success(), "{}", said(&denied));
    assert!(gated.etcdctl("alice", &["put", "shop/bikes", "9"]).status.success());
    gated.gate.finish();
}
