//! Connections that change their protocol, byte by byte: what an upstream and a client that keep to nothing can do.
//!
//! The upstream is plain sockets of the test's own. Leaves out real streams and their clients (`planes/kubernetes`).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Gate, Setup, eventually, read_reply};

const IDENTITY: &str = "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-system\",\"uid\":\"u\"}}";
const CHANGED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n";

/// An upstream that says who it is, and hands over every connection that asks for anything else, with its head.
fn upstream() -> (SocketAddr, Receiver<(TcpStream, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let (give, take) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), String::new());
            // Byte by byte, so that nothing that follows the head is taken.
            while !head.ends_with("\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(char::from(byte[0]));
            }
            if head.starts_with("GET /api/v1/namespaces/kube-system") {
                let length = IDENTITY.len();
                drop(write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{IDENTITY}"
                ));
            } else if !head.is_empty() {
                give.send((stream, head)).unwrap();
            }
        }
    });
    (at, take)
}

struct Case {
    gate: Gate,
    token: String,
    arrived: Receiver<(TcpStream, String)>,
}

impl Case {
    fn start() -> Self {
        Self::start_with("")
    }

    fn start_with(settings: &str) -> Self {
        let (at, arrived) = upstream();
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "real-token").unwrap();
        let upstream = format!(
            "\n[[upstream]]\nname = \"prod\"\nplane = \"kubernetes\"\nendpoint = \"http://{at}\"\n\
             credentials = {{ token_file = {token:?} }}\n"
        );
        let mut setup = Setup { upstream, settings: settings.to_owned(), ..Setup::default() };
        let whose = "apiVersion: ordain/v1\nkind: Account\nmetadata: {name: prod}\n\
                     spec: {plane: kubernetes, account: prod, owner: platform}\n";
        setup.model.push(("cluster.yaml", whose.to_owned()));
        let gate = Gate::start(setup);
        let token = gate.bearer("prod", "alice", "person");
        Self { gate, token, arrived }
    }

    /// Asks for a stream, with what is sent behind the question at once.
    fn ask(&self, behind: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.gate.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (token, host) = (&self.token, self.gate.address);
        let asked = format!(
            "POST /api/v1/namespaces/default/pods/web/exec?command=sh&stdin=true HTTP/1.1\r\nhost: {host}\r\nauthorization: \
             Bearer {token}\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\nx-stream-protocol-version: v4.channel.k8s.io\r\n\
             content-length: 0\r\n\r\n{behind}"
        );
        client.write_all(asked.as_bytes()).unwrap();
        client
    }

    fn taken(&self) -> (TcpStream, String) {
        self.arrived.recv_timeout(Duration::from_secs(20)).expect("it reaches the upstream")
    }

    fn ends(&self) -> Vec<Value> {
        let mut ledger = self.gate.ledger();
        ledger.refresh().iter().filter_map(|entry| entry.says.get("end").cloned()).collect()
    }
}

fn head_of(reader: &mut impl std::io::BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    head
}

#[test]
fn bytes_pass_both_ways_as_they_are_and_each_end_may_end_first() {
    let case = Case::start();
    // What a client sends before it is told belongs to the stream, and waits until there is one.
    let mut client = case.ask("early\r\n\0");
    let (mut server, head) = case.taken();
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("connection: upgrade\r\n") && lower.contains("upgrade: spdy/3.1\r\n"), "{head}");
    assert!(lower.contains("authorization: bearer real-token\r\n") && !head.contains(&case.token), "{head}");
    // The first bytes of the stream come with the answer.
    server.write_all(format!("{CHANGED}GET / HTTP/1.1 is no request here\n").as_bytes()).unwrap();
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let answer = head_of(&mut reader);
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("ordain-decision-id: "), "{answer}");
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "GET / HTTP/1.1 is no request here\n");
    let mut early = [0; 8];
    server.read_exact(&mut early).unwrap();
    assert_eq!(&early, b"early\r\n\0");
    client.write_all(b"late").unwrap();
    // The client says no more, and still hears what is said to it.
    client.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"late");
    server.write_all(b"goodbye").unwrap();
    drop(server);
    let mut last = Vec::new();
    reader.read_to_end(&mut last).unwrap();
    assert_eq!(last, b"goodbye");
    eventually("its end is on record", || case.ends().len() == 1);
    let end = case.ends()[0]["streamed"].clone();
    assert_eq!((end["sent"].as_u64(), end["received"].as_u64()), (Some(12), Some(41)), "{end}");
    assert_eq!(end["ended"], "client");
    case.gate.finish();
}

#[test]
fn an_upstream_that_does_not_change_answers_as_always_and_what_came_behind_is_a_request() {
    let case = Case::start();
    let next = format!("GET /version HTTP/1.1\r\nhost: {}\r\n\r\n", case.gate.address);
    let client = case.ask(&next);
    let (mut server, _) = case.taken();
    server.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").unwrap();
    let mut reader = BufReader::new(client);
    let answer = head_of(&mut reader);
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let mut body = [0; 2];
    reader.read_exact(&mut body).unwrap();
    assert_eq!(&body, b"no");
    // It is read as the request that it is, and carries no credential of its own.
    let second = head_of(&mut reader);
    assert!(second.starts_with("HTTP/1.1 401 ") && second.contains("missing_authentication"), "{second}");
    assert!(case.arrived.try_recv().is_err(), "nothing of it reached the upstream");
    eventually("its end is on record", || case.ends().len() == 1);
    assert_eq!(case.ends()[0]["answered"]["status"], 403);
    case.gate.finish();
}

#[test]
fn an_upstream_that_changes_unasked_is_answered_for() {
    let case = Case::start();
    let mut client = TcpStream::connect(case.gate.address).unwrap();
    let (token, host) = (&case.token, case.gate.address);
    let delete = format!(
        "DELETE /api/v1/namespaces/default/pods/web HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    client.write_all(delete.as_bytes()).unwrap();
    let (mut server, head) = case.taken();
    assert!(!head.to_ascii_lowercase().contains("upgrade"), "{head}");
    server.write_all(CHANGED.as_bytes()).unwrap();
    let answer = read_reply(&mut client, false).unwrap();
    assert_eq!(answer.status, 502, "{}", answer.text());
    eventually("its end is on record", || case.ends().len() == 1);
    assert!(case.ends()[0].get("unknown").is_some(), "{:?}", case.ends());
    case.gate.finish();
}

#[test]
fn a_stream_is_one_of_the_requests_that_its_actor_may_have_at_once() {
    let case = Case::start_with("[limits]\nactor_requests = 1\n");
    let client = case.ask("");
    let (mut server, _) = case.taken();
    server.write_all(CHANGED.as_bytes()).unwrap();
    let mut reader = BufReader::new(client);
    assert!(head_of(&mut reader).starts_with("HTTP/1.1 101 "));
    let refused = read_reply(&mut case.ask(""), false).unwrap();
    assert_eq!((refused.status, refused.reason()), (429, "actor_concurrency"), "{}", refused.text());
    drop((server, reader));
    eventually("its end is on record", || case.ends().len() == 1);
    // Its place is given back with it.
    let _next = case.ask("");
    let (server, _) = case.taken();
    drop(server);
    case.gate.finish();
}

impl Case {
    /// Asks for something that is read, and begins to be answered.
    fn read(&self, path: &str, framing: &str, first: &str) -> (BufReader<TcpStream>, TcpStream) {
        let mut client = TcpStream::connect(self.gate.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (token, host) = (&self.token, self.gate.address);
        write!(client, "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n")
            .unwrap();
        let (mut server, head) = self.taken();
        assert!(head.starts_with(&format!("GET {path} ")), "{head}");
        write!(server, "HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{first}").unwrap();
        let mut reader = BufReader::new(client);
        assert!(head_of(&mut reader).starts_with("HTTP/1.1 200 "));
        (reader, server)
    }
}

/// What comes until the connection ends, and whether it ended well.
fn rest(reader: &mut BufReader<TcpStream>) -> String {
    let mut rest = Vec::new();
    drop(reader.read_to_end(&mut rest));
    String::from_utf8(rest).unwrap()
}

#[test]
fn what_goes_on_for_ever_ends_soon_after_the_gate_is_told_to_and_what_ends_by_itself_has_its_time() {
    let case = Case::start();
    let chunked = "transfer-encoding: chunked";
    let (mut watch, _events) = case.read("/api/v1/pods?watch=true", chunked, "3\r\n{}\n\r\n");
    let log = "/api/v1/namespaces/default/pods/web/log?follow=true";
    let (mut log, _lines) = case.read(log, chunked, "3\r\nabc\r\n");
    let (mut list, mut items) = case.read("/api/v1/pods", "content-length: 6", "abc");
    let mut stream = case.ask("");
    let (mut server, _) = case.taken();
    server.write_all(CHANGED.as_bytes()).unwrap();
    let mut changed = [0; 12];
    stream.read_exact(&mut changed).unwrap();
    let Case { mut gate, .. } = case;
    let stopped = thread::spawn(move || {
        assert!(gate.stop());
        gate
    });
    // A client takes the end of a watch for what it is, and that of a log for the program's: only the first is one.
    assert_eq!(rest(&mut watch), "3\r\n{}\n\r\n0\r\n\r\n");
    assert_eq!(rest(&mut log), "3\r\nabc\r\n");
    drop(stream.read_to_end(&mut Vec::new()));
    // What ends by itself may still do so, and the gate waits for nothing else.
    items.write_all(b"def").unwrap();
    assert_eq!(rest(&mut list), "abcdef");
    let gate = stopped.join().unwrap();
    let mut ledger = gate.ledger();
    let ends = ledger.refresh().iter().filter_map(|entry| entry.says.pointer("/end/streamed/ended").cloned());
    assert_eq!(ends.collect::<Vec<_>>(), ["gate"]);
    gate.finish();
}

#[test]
fn a_gate_that_stops_ends_its_streams_and_says_so() {
    let case = Case::start();
    let client = case.ask("");
    let (mut server, _) = case.taken();
    server.write_all(CHANGED.as_bytes()).unwrap();
    let mut reader = BufReader::new(client);
    assert!(head_of(&mut reader).starts_with("HTTP/1.1 101 "));
    let Case { mut gate, .. } = case;
    assert!(gate.stop());
    let mut ledger = gate.ledger();
    let ends: Vec<Value> =
        ledger.refresh().iter().filter_map(|entry| entry.says.pointer("/end/streamed").cloned()).collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0]["ended"], "gate");
    gate.finish();
}
