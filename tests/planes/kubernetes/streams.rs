//! kubectl and the Python client through the gate to a stub of a kubelet's streams: what is admitted works as without
//! us, what is denied is refused in the server's own words, and both are in the ledger with what passed.
//!
//! Leaves out everything that is no stream: a real API server is better at it (`real.rs`).

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::cluster::{Kubectl, REAL, Stub, gate, tools};
use crate::harness::{Gate, eventually, said};

/// The outcomes of all streams, as the ledger has them.
fn streams(gate: &Gate) -> Vec<Value> {
    let mut ledger = gate.ledger();
    let entries = ledger.refresh();
    entries.iter().filter_map(|entry| entry.says.pointer("/end/streamed").cloned()).collect()
}

/// Nothing of what the gate wrote or let out shows the real credential.
fn check_canary(gate: &Gate, printed: &[String]) {
    for text in printed.iter().chain([&gate.log(), &gate.admin_page("/metrics").1]) {
        assert!(!text.contains(REAL), "the real credential in: {text}");
    }
    for entry in gate.ledger().refresh() {
        assert!(!entry.says.to_string().contains(REAL), "the real credential in the ledger");
    }
}

#[test]
fn admitted_streams_work_as_without_the_gate() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    assert_eq!(alice.well(&["exec", "web", "--", "echo", "from inside"]), "from inside\n");
    let failed = alice.run(&["exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!(failed.status.code(), Some(7), "{}", said(&failed));
    assert!(failed.stdout.starts_with(b"out\n") && failed.stderr.starts_with(b"err\n"), "{}", said(&failed));
    // Three megabytes each way.
    let mut child = alice
        .command(&["exec", "-i", "web", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let (mut into, copy) = (child.stdin.take().unwrap(), sent.clone());
    let writing = std::thread::spawn(move || into.write_all(&copy));
    let came = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(came.stdout == sent, "{} of {} bytes came back", came.stdout.len(), sent.len());
    // Copies are streams too.
    fs::write(gate.folder.path().join("there.txt"), "a file").unwrap();
    alice.well(&["cp", "there.txt", "web:back.txt"]);
    alice.well(&["cp", "web:back.txt", "again.txt"]);
    assert_eq!(fs::read_to_string(gate.folder.path().join("again.txt")).unwrap(), "a file");
    // A log is a read that goes on.
    let mut log = alice.command(&["logs", "-f", "web"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(log.stdout.take().unwrap()).lines();
    for number in 1..=20 {
        assert_eq!(lines.next().unwrap().unwrap(), format!("line {number}"));
    }
    log.kill().unwrap();
    log.wait().unwrap();
    // kubectl copies with more than one command.
    let opened = || {
        let mut ledger = gate.ledger();
        let entries = ledger.refresh();
        entries
            .iter()
            .filter(|entry| entry.operations().iter().any(|name| name.ends_with("pods/exec")))
            .count()
    };
    eventually("each stream has its end in the ledger", || opened() >= 5 && streams(&gate).len() == opened());
    let ended = streams(&gate);
    let most = |way: &str| ended.iter().map(|end| end[way].as_u64().unwrap()).max().unwrap();
    assert!(most("sent") > 3_000_000 && most("received") > 3_000_000, "{ended:?}");
    assert!(
        ended.iter().all(|end| ["client", "upstream"].contains(&end["ended"].as_str().unwrap())),
        "{ended:?}"
    );
    for one in stub.arrived() {
        assert_eq!(one["headers"]["Authorization"], format!("Bearer {REAL}"), "{one}");
    }
    check_canary(&gate, &[said(&failed)]);
    gate.finish();
}

/// A port-forward of kubectl's, and where it listens.
fn forwarded(mut command: Command) -> (Child, SocketAddr) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().and_then(Result::ok).unwrap_or_else(|| {
        child.wait().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        panic!("kubectl forwards nothing: {said}")
    });
    let at = line.strip_prefix("Forwarding from ").and_then(|rest| rest.split(' ').next()).unwrap();
    // What it says of each connection must not fill its pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (child, at.parse().unwrap())
}

/// Sends all of it, and reads to the end of what comes back.
fn through(at: SocketAddr, sent: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(at).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let (mut into, copy) = (socket.try_clone().unwrap(), sent.to_owned());
    let writing = std::thread::spawn(move || {
        into.write_all(&copy).unwrap();
        into.shutdown(Shutdown::Write).unwrap();
    });
    let mut came = Vec::new();
    socket.read_to_end(&mut came).unwrap();
    writing.join().unwrap();
    came
}

#[test]
fn an_admitted_port_forward_carries_bytes_both_ways_by_either_protocol() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    for (number, tunnelled) in ["true", "false"].into_iter().enumerate() {
        let mut command = alice.command(&["port-forward", "pod/web", ":8080", "--address", "127.0.0.1"]);
        command.env("KUBECTL_PORT_FORWARD_WEBSOCKETS", tunnelled);
        let (mut child, at) = forwarded(command);
        assert_eq!(through(at, b"through the gate"), b"THROUGH THE GATE");
        // Several at once over one connection, each a megabyte both ways.
        let sent: Vec<u8> = (0..1_000_000_u32).map(|number| b'a' + (number % 23) as u8).collect();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert!(through(at, &sent) == sent.to_ascii_uppercase()));
            }
        });
        // Told to end, what keeps its time ends it too.
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        child.wait().unwrap();
        eventually("the stream has its end in the ledger", || streams(&gate).len() == number + 1);
        let end = &streams(&gate)[number];
        let passed = |way: &str| end[way].as_u64().unwrap();
        assert!(passed("sent") > 3_000_000 && passed("received") > 3_000_000, "{end}");
        // It was asked for in the way that is to be tried.
        let asked =
            stub.arrived().into_iter().rfind(|one| one["target"].as_str().unwrap().contains("portforward"));
        let upgrade = asked.unwrap()["headers"]["Upgrade"].as_str().unwrap().to_lowercase();
        assert_eq!(upgrade, if tunnelled == "true" { "websocket" } else { "spdy/3.1" });
    }
    check_canary(&gate, &[]);
    gate.finish();
}

#[test]
fn an_admitted_attach_is_heard_and_a_denied_one_never_arrives() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let robot = Kubectl::of(&gate, &kubectl, "robot", "agent");
    let refused = robot.badly(&["attach", "web"]);
    assert!(
        refused.contains("pods \"web\" is forbidden: User \"robot\" cannot create resource \"pods/attach\""),
        "{refused}"
    );
    assert!(!stub.arrived().iter().any(|one| one["target"].as_str().unwrap().contains("attach")));
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let mut child = alice
        .command(&["attach", "-i", "web"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"knock\n").unwrap();
    let came = child.wait_with_output().unwrap();
    assert!(said(&came).contains("heard: knock"), "{}", said(&came));
    eventually("it has its end in the ledger", || streams(&gate).len() == 1);
    gate.finish();
}

#[test]
fn a_denied_stream_never_arrives_and_is_refused_in_the_servers_words() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let mallory = Kubectl::of(&gate, &kubectl, "mallory", "person");
    let robot = Kubectl::of(&gate, &kubectl, "robot", "agent");
    let printed = [
        robot.badly(&["exec", "web", "--", "rm", "-rf", "/"]),
        robot.badly(&["cp", "there.txt", "web:back.txt"]),
        robot.badly(&["port-forward", "web", "0:8080"]),
        mallory.badly(&["get", "pods"]),
    ];
    for (said, words) in printed.iter().zip([
        "create resource \"pods/exec\"",
        "",
        "create resource \"pods/portforward\"",
        "list resource \"pods\"",
    ]) {
        assert!(said.contains("is forbidden: User \"") || words.is_empty(), "{said}");
        assert!(said.contains(words), "`{words}` in {said}");
    }
    let streams: Vec<_> = stub
        .arrived()
        .into_iter()
        .filter(|one| {
            ["exec", "portforward", "rm"].iter().any(|word| one["target"].as_str().unwrap().contains(word))
        })
        .collect();
    assert!(streams.is_empty(), "{streams:?}");
    check_canary(&gate, &printed);
    gate.finish();
}

#[test]
fn the_python_client_executes_and_forwards_through_the_gate() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/kubernetes/streams.py");
    let ran = Command::new(&python).arg(script).arg(&alice.kubeconfig).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "from python\nSHOUTED\n", "{}", said(&ran));
    eventually("both streams have ended", || streams(&gate).len() == 2);
    gate.finish();
}

#[test]
fn a_tunnel_to_the_cluster_itself_is_the_same_way_in() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let own = format!("https://{}", gate.address);
    let through = |text: &str| {
        let server = format!("https://127.0.0.1:{}\n    proxy-url: http://{}", stub.port, gate.egress());
        text.replace(&own, &server)
    };
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person").changed("tunnel", through);
    assert_eq!(alice.well(&["exec", "web", "--", "echo", "through a tunnel"]), "through a tunnel\n");
    let robot = Kubectl::of(&gate, &kubectl, "robot", "agent").changed("tunnel", through);
    let refused = robot.badly(&["exec", "web", "--", "true"]);
    assert!(refused.contains("pods \"web\" is forbidden"), "{refused}");
    gate.finish();
}

#[test]
fn what_is_no_stream_stays_what_it_is() {
    let Some((python, _)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let token = gate.bearer("prod", "alice", "person");
    let upgrade = format!(
        "GET /api/v1/namespaces/default/pods HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: Upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        gate.address
    );
    let mut socket = std::net::TcpStream::connect(gate.address).unwrap();
    socket.write_all(upgrade.as_bytes()).unwrap();
    // The next request of the connection is answered as if nobody had asked for another protocol.
    let next =
        format!("GET /version HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n", gate.address);
    socket.write_all(next.as_bytes()).unwrap();
    let mut reader = BufReader::new(socket);
    let first = crate::harness::read_reply(&mut reader, false).unwrap();
    assert_eq!((first.status, first.reason()), (400, "framing_upgrade"), "{}", first.text());
    assert!(first.text().contains("\"kind\":\"Status\""), "{}", first.text());
    gate.finish();
}

#[test]
fn what_a_revoked_actor_has_open_is_cut() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let mut exec = alice.command(&["exec", "web", "--", "sleep", "50"]).spawn().unwrap();
    let mut watch =
        alice.command(&["get", "pods", "--watch-only", "-o", "name"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("pod/web-"), "the watch has begun");
    let metric = || gate.admin_page("/metrics").1;
    eventually("the stream is open", || metric().contains("ordain_streams 1"));
    let revoked = gate.run(&["actor", "revoke", "alice", "--kind", "person"]);
    assert!(revoked.status.success(), "{}", said(&revoked));
    eventually("the stream is cut", || exec.try_wait().unwrap().is_some());
    eventually("its end says why", || streams(&gate).iter().any(|end| end["ended"] == "revoked"));
    // kubectl asks for the watch again, and is told that it may not.
    eventually("the watch is cut", || watch.try_wait().unwrap().is_some());
    assert!(alice.badly(&["get", "pods"]).contains("revoked"), "no new token either");
    gate.finish();
}

#[test]
fn a_warning_is_shown_by_kubectl_itself() {
    let Some((python, kubectl)) = tools() else { return };
    let stub = Stub::start(&python);
    let gate = gate(stub.upstream(""), "warn");
    let robot = Kubectl::of(&gate, &kubectl, "robot", "agent");
    let deleted = robot.run(&["delete", "pod", "web", "--wait=false"]);
    assert!(deleted.status.success(), "{}", said(&deleted));
    assert!(said(&deleted).contains("Warning: enforce would refuse this: "), "{}", said(&deleted));
    gate.finish();
}
