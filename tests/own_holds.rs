//! What an actor sees of its own holds: at the gate's own name, with its own token, and nothing of anybody else's.
//!
//! Leaves out whose answers count (`rules`), and what the operator and the owners see.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Gate, Reply, Setup, eventually, read_reply, said};
use crate::notices::{Desk, ending, held};

/// What `ordain env` prints for an actor whose clients ask the gate for their credential.
fn given(gate: &Gate, actor: &str, kind: &str, more: &[&str]) -> BTreeMap<String, String> {
    let asked = ["-o", "json", "env", "--container", "--actor", actor, "--kind", kind];
    let printed = gate.run(&[&asked[..], more].concat());
    assert!(printed.status.success(), "{}", said(&printed));
    serde_json::from_slice(&printed.stdout).unwrap()
}

fn token(gate: &Gate, actor: &str, kind: &str) -> String {
    let token = given(gate, actor, kind, &[])["ORDAIN_TOKEN"].clone();
    gate.must_not_write(&token);
    token
}

/// Asks for a target of a host.
fn ask(at: SocketAddr, line: &str, host: &str, token: &str) -> Reply {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let credential =
        if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    write!(stream, "{line} HTTP/1.1\r\nhost: {host}\r\n{credential}connection: close\r\n\r\n").unwrap();
    read_reply(&mut stream, false).unwrap()
}

fn get(gate: &Gate, target: &str, token: &str) -> Reply {
    ask(gate.address, &format!("GET {target}"), "ordain.internal", token)
}

fn json(reply: &Reply) -> serde_json::Value {
    assert_eq!(reply.header("content-type"), Some("application/json"), "{}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

fn curl(arguments: &[&str]) -> String {
    let ran = Command::new("curl").args(["-sS", "--max-time", "30"]).args(arguments).output();
    said(&ran.expect("curl is installed"))
}

#[test]
fn an_actor_sees_its_own_holds_and_nobody_elses() {
    let desk = Desk::with(Setup::default());
    let gate = &desk.gate;
    let (own, other) = (token(gate, "deploy", "pipeline"), token(gate, "alice", "person"));
    let (hold, others) = (desk.open("deploy", 1), desk.open("alice", 2));
    let listed = json(&get(gate, "/v1/holds", &own));
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let seen = json(&get(gate, &format!("/v1/holds/{hold}"), &own));
    assert_eq!(listed[0], seen);
    assert_eq!((&seen["id"], &seen["state"]), (&hold.as_str().into(), &"waiting".into()));
    assert_eq!(seen["waits_for"], serde_json::json!([{"owner": "platform", "at_least": 1, "approved": 0}]));
    let members: Vec<&String> = seen.as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "state", "summary", "opened", "until", "waits_for"]);
    // One of somebody else's is as one that is not there.
    let absent = get(gate, "/v1/holds/01999999-0000-7000-8000-000000000001", &own);
    let foreign = get(gate, &format!("/v1/holds/{others}?wait=20s"), &own);
    assert_eq!((absent.status, absent.text()), (404, foreign.text()));
    assert_eq!(foreign.status, 404);
    assert_eq!(json(&get(gate, "/v1/holds", &other))[0]["id"], others.as_str());
    // The same name for somebody else is somebody else.
    let behalf = given(gate, "deploy", "pipeline", &["--on-behalf-of", "person:alice"]);
    gate.must_not_write(&behalf["ORDAIN_TOKEN"]);
    assert_eq!(get(gate, &format!("/v1/holds/{hold}"), &behalf["ORDAIN_TOKEN"]).status, 404);
    let kind = token(gate, "deploy", "agent");
    assert_eq!(get(gate, "/v1/holds", &kind).text(), "[]");
    for (shown, what) in
        [("", "none"), ("ordain.X.y", "unknown"), (gate.key("deploy").secret.as_str(), "a secret")]
    {
        assert_eq!(get(gate, "/v1/holds", shown).status, 401, "{what}");
    }
    assert_eq!(ask(gate.address, "POST /v1/holds", "ordain.internal", &own).status, 405);
    assert_eq!(get(gate, "/v1/holds?all=true", &own).status, 400);
    desk.deny(&hold);
    let denied = json(&get(gate, &format!("/v1/holds/{hold}?wait=20s"), &own));
    assert_eq!((&denied["state"], &denied["denied"]["why"]), (&"denied".into(), &"not <now>".into()));
    assert!(gate.recorder.arrived().is_empty(), "nothing left");
    desk.gate.finish();
}

#[test]
fn the_name_is_reached_however_it_is_written_and_nothing_that_comes_to_it_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("gate.sock").display().to_string();
    let desk = Desk::with(Setup {
        listen: "egress = \"127.0.0.1:0\"\n".to_owned(),
        settings: "[egress]\npass = [\"ordain.internal\"]\n".to_owned(),
        environment: vec![("ORDAIN_LISTEN_UNIX", socket.clone())],
        ..Setup::default()
    });
    let gate = &desk.gate;
    let own = token(gate, "deploy", "pipeline");
    let hold = desk.open("deploy", 1);
    for host in ["ordain.internal", "ORDAIN.Internal", "ordain.internal:7070", "ordain.internal:443"] {
        let reply = ask(gate.address, "GET /v1/holds", host, &own);
        assert!(reply.status == 200 && reply.text().contains(&hold), "{host}: {}", reply.text());
        let line = format!("GET http://{host}/v1/holds");
        let reply = ask(gate.address, &line, host, &own);
        assert!(reply.status == 200 && reply.text().contains(&hold), "{line}: {}", reply.text());
    }
    // What other readers may take for that name is refused before anything reads it.
    for host in
        ["ordain.internal.", "ordain.internal.:80", "ordain.internal, x", "ordain.internal\r\nhost: x"]
    {
        let reply = ask(gate.address, "GET /v1/holds", host, &own);
        assert!(reply.status == 400 && !reply.text().contains(&hold), "{host}: {}", reply.text());
    }
    let reply = ask(gate.address, "GET http://ordain.internal/v1/holds", "x.example", &own);
    assert_eq!((reply.status, reply.text().contains(&hold)), (421, false), "{}", reply.text());
    // Whatever is asked for under it goes no further, and none of it is there under another.
    for line in ["GET /", "GET /?Action=DescribeInstances", "POST /", "DELETE /bucket/key", "GET /metrics"] {
        let reply = ask(gate.address, line, "ordain.internal", &own);
        assert!([404, 405].contains(&reply.status), "{line}: {} {}", reply.status, reply.text());
    }
    for host in ["127.0.0.1", "x.ordain.internal", "internal", "ordain.internal.example"] {
        for target in ["/v1/holds".to_owned(), format!("/v1/holds/{hold}")] {
            let reply = ask(gate.address, &format!("GET {target}"), host, &own);
            assert!(reply.status >= 400 && !reply.text().contains(&hold), "{host}: {}", reply.text());
        }
    }
    let bearer = format!("authorization: Bearer {own}");
    let at = format!("ordain.internal:80:{}", gate.address);
    let reply = curl(&[
        "--http2-prior-knowledge",
        "--connect-to",
        &at,
        "-H",
        &bearer,
        "http://ordain.internal/v1/holds",
    ]);
    assert!(reply.contains(&hold), "over HTTP/2: {reply}");
    let reply = curl(&[
        "--http2-prior-knowledge",
        "-H",
        &bearer,
        "-H",
        "host: ordain.internal",
        &format!("http://{}/v1/holds", gate.address),
    ]);
    assert!(reply.contains(&hold), "over HTTP/2, as `host`: {reply}");
    let reply = curl(&["--unix-socket", &socket, "-H", &bearer, "http://ordain.internal/v1/holds"]);
    assert!(reply.contains(&hold), "on a socket: {reply}");
    // Through the gateway in plain text; a tunnel to it is none, whatever the settings let through.
    let proxy = format!("http://{}", gate.egress());
    let reply = curl(&["-x", &proxy, "-H", &bearer, "http://ordain.internal/v1/holds"]);
    assert!(reply.contains(&hold), "through the gateway: {reply}");
    for port in [443, 80, 8443] {
        let mut stream = TcpStream::connect(gate.egress()).unwrap();
        write!(stream, "CONNECT ORDAIN.internal:{port} HTTP/1.1\r\nhost: ordain.internal:{port}\r\n\r\n")
            .unwrap();
        let reply = read_reply(&mut stream, false).unwrap();
        assert_eq!((reply.status, reply.reason()), (403, "unknown_host"), "{port}: {}", reply.text());
    }
    assert!(gate.recorder.arrived().is_empty(), "nothing left");
    desk.gate.finish();
}

#[test]
fn who_waits_is_answered_once_it_is_and_takes_a_place_among_its_own_requests() {
    let desk =
        Desk::with(Setup { settings: "[limits]\nactor_requests = 1\n".to_owned(), ..Setup::default() });
    let own = token(&desk.gate, "deploy", "pipeline");
    let hold = desk.open("deploy", 1);
    let began = Instant::now();
    let waiting = json(&get(&desk.gate, &format!("/v1/holds/{hold}?wait=1200ms"), &own));
    assert_eq!(waiting["state"], "waiting");
    assert!(began.elapsed() >= Duration::from_millis(1200), "{:?}", began.elapsed());
    let (at, target, shown) = (desk.gate.address, format!("GET /v1/holds/{hold}?wait=60s"), own.clone());
    let began = Instant::now();
    let polling = thread::spawn(move || ask(at, &target, "ordain.internal", &shown));
    // Who asks too early takes the only place itself.
    thread::sleep(Duration::from_secs(1));
    eventually("its place is taken", || get(&desk.gate, "/v1/holds", &own).status == 429);
    desk.approve(&hold);
    let approved = json(&polling.join().unwrap());
    assert_eq!((&approved["state"], &approved["waits_for"]), (&"approved".into(), &serde_json::json!([])));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let done = desk.gate.client("deploy").send(&ending(1));
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(json(&get(&desk.gate, &format!("/v1/holds/{hold}?wait=60s"), &own))["state"], "used");
    desk.gate.finish();
}

/// Asks to end `$host` as the run's actor does, and leaves the name of the hold in `$hold`.
const OPEN: &str = "hold=$(curl -sS -i --max-time 20 --aws-sigv4 aws:amz:us-east-1:ec2 \
    -u \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" \
    -d \"Action=TerminateInstances&InstanceId.1=i-0000000000000000$host&Version=2016-11-15\" \"$AWS_ENDPOINT_URL/\" | \
    tr -d '\\r' | awk '{ print > \"/dev/stderr\" } tolower($1) == \"ordain-hold-id:\" { print $2 }')";

fn run(gate: &Gate, host: u8, words: &str) -> Output {
    let ordain = env!("CARGO_BIN_EXE_ordain");
    let words = format!("host={host}\n{OPEN}\nordain() {{ {ordain} \"$@\"; echo \"exit $?\"; }}\n{words}");
    let how = ["run", "--actor", "deploy", "--kind", "pipeline", "--on-behalf-of", "person:alice", "--"];
    // A home of its own, without anything of the operator's.
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let environment = [("HOME", home), ("XDG_STATE_HOME", home)];
    gate.run_in(&environment, &[&how[..], &["sh", "-c", &words]].concat())
}

fn waits(gate: &Gate) -> Vec<String> {
    let listed = gate.run(&["-o", "json", "hold", "list"]);
    let all: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let waits = all.iter().filter(|hold| hold["state"] == "waiting");
    waits.map(|hold| hold["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_program_waits_for_its_own_hold_as_the_refusal_says() {
    let desk = Desk::with(Setup::default());
    let others = desk.open("alice", 3);
    let words = format!(
        "ordain hold list\nordain hold show $hold\nordain hold show {others}\nordain hold wait $hold --timeout 1s\n\
         ordain hold wait $hold"
    );
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| run(&desk.gate, 8, &words));
        eventually("it is opened", || ran.is_finished() || waits(&desk.gate).len() == 2);
        assert!(waits(&desk.gate).len() == 2, "{}", said(&ran.join().unwrap()));
        let hold = waits(&desk.gate).into_iter().find(|hold| *hold != others).unwrap();
        thread::sleep(Duration::from_secs(3));
        desk.approve(&hold);
        ran.join().unwrap()
    });
    let text = said(&ran);
    let exits: Vec<&str> = text.lines().filter(|line| line.starts_with("exit ")).collect();
    assert_eq!(exits, ["exit 0", "exit 0", "exit 2", "exit 3", "exit 0"], "{text}");
    assert!(text.contains("there is no such hold of yours"), "{text}");
    assert!(text.contains("waits for platform until"), "{text}");
    assert!(text.contains("is approved: send the same request again, once"), "{text}");
    assert_eq!(text.matches(&others).count(), 0, "{text}");
    let denied = thread::scope(|scope| {
        let ran = scope.spawn(|| run(&desk.gate, 9, "ordain hold wait $hold"));
        eventually("it is opened", || ran.is_finished() || waits(&desk.gate).len() == 2);
        assert!(waits(&desk.gate).len() == 2, "{}", said(&ran.join().unwrap()));
        let hold = waits(&desk.gate).into_iter().find(|hold| *hold != others).unwrap();
        desk.deny(&hold);
        said(&ran.join().unwrap())
    });
    assert!(denied.contains("was denied by `the operator's token`: not <now>\nexit 1\n"), "{denied}");
    desk.gate.finish();
}

#[test]
fn what_is_asked_for_is_printed_with_every_way() {
    let desk = Desk::with(Setup::default());
    let gate = &desk.gate;
    let at = format!("http://{}", gate.address);
    let printed = gate.run(&["-o", "json", "env", "--actor", "alice"]);
    let variables: BTreeMap<String, String> = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(variables.get("ORDAIN_HOLDS"), Some(&at));
    let variables = given(gate, "alice", "person", &[]);
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    assert_eq!(variables["ORDAIN_TOKEN"], variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]);
    assert_eq!(variables["ORDAIN_HOLDS"], at);
    let file = gate.folder.path().join("alice.token").display().to_string();
    let variables = given(gate, "alice", "person", &["--token-file", &file]);
    assert_eq!(variables.get("ORDAIN_TOKEN"), None);
    assert_eq!(variables["ORDAIN_TOKEN_FILE"], file);
    let hold = held(&gate.client("alice").send(&ending(1)));
    let home = tempfile::tempdir().unwrap();
    let listed = Command::new(env!("CARGO_BIN_EXE_ordain"))
        .args(["hold", "list"])
        .env_clear()
        .env("HOME", home.path())
        .envs(&variables)
        .output()
        .unwrap();
    assert!(said(&listed).contains(&hold), "{}", said(&listed));
    // Where the operator's token can be read, it is the operator who asks.
    let known =
        gate.run_in(&[("ORDAIN_HOLDS", at.as_str()), ("ORDAIN_TOKEN", "ordain.X.y")], &["hold", "list"]);
    assert!(known.status.success() && said(&known).contains(&hold), "{}", said(&known));
    let wrong = Command::new(env!("CARGO_BIN_EXE_ordain"))
        .args(["hold", "list"])
        .env_clear()
        .env("HOME", home.path())
        .envs([("ORDAIN_HOLDS", "127.0.0.1"), ("ORDAIN_TOKEN", "ordain.X.y")])
        .output()
        .unwrap();
    assert!(said(&wrong).contains("set it as `ordain env` prints it"), "{}", said(&wrong));
    desk.gate.finish();
}
